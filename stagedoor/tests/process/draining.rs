//! SIGTERM under load: nothing that was accepted is lost, neither when a process ends nor when a release
//! takes the place of another.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, AtomicUsize, Ordering};
use std::thread::{self, Scope, ScopedJoinHandle};

use testbed::{Connection, Reply};

use crate::support::start;

#[test]
#[ignore = "takes a quarter of a minute: .ci/run runs it"]
fn each_request_of_64_busy_connections_is_answered_at_sigterm_20_times_over() {
    for _ in 0..20 {
        each_request_of_64_busy_connections_is_answered_at_sigterm();
    }
}

#[test]
fn each_request_of_64_busy_connections_is_answered_at_sigterm() {
    let service = start(&[]);
    let answered = AtomicUsize::new(0);
    thread::scope(|scope| {
        let is_last = |reply: Reply| reply.is_last;
        let clients = start_clients(scope, 64, service.port, "/", &answered, is_last);
        wait_until(6_400, &answered, &clients);
        service.signal("TERM");
        service.signal("TERM"); // changes nothing
        for client in clients {
            client.join().unwrap();
        }
    });
    assert!(answered.into_inner() >= 6_400, "they were cut off before SIGTERM");
    let (status, log) = service.wait();
    assert_eq!(status.code(), Some(0), "{log:#?}");
    assert!(log.last().unwrap().contains("has stopped"), "{log:#?}");
}

#[test]
fn no_request_fails_while_three_releases_follow_each_other_behind_a_router() {
    let mut old = start(&[("HEROKU_RELEASE_VERSION", "v1")]);
    let router = Router::to(old.port);
    let answered = AtomicUsize::new(0);
    thread::scope(|scope| {
        let is_newest = |reply: Reply| {
            let text = String::from_utf8(reply.bytes).unwrap();
            assert_eq!(reply.status, 200, "{text}");
            text.contains("\"v4\"")
        };
        let clients = start_clients(scope, 16, router.port, "/release", &answered, is_newest);
        for (release, count) in [("v2", 1_000), ("v3", 2_000), ("v4", 3_000)] {
            wait_until(count, &answered, &clients);
            // It has answered nothing yet, but it listens.
            let new = start(&[("HEROKU_RELEASE_VERSION", release)]);
            router.switch_to(new.port);
            let (status, log) = std::mem::replace(&mut old, new).stop();
            assert_eq!(status.code(), Some(0), "{log:#?}");
        }
        for client in clients {
            client.join().unwrap();
        }
    });
    assert!(answered.into_inner() >= 3_000);
}

/// So many clients, each with a connection on which it asks for this, one request after the other, until a
/// reply is the one it waits for.
fn start_clients<'scope>(
    scope: &'scope Scope<'scope, '_>,
    count: usize,
    port: u16,
    path: &'static str,
    answered: &'scope AtomicUsize,
    is_awaited: fn(Reply) -> bool,
) -> Vec<ScopedJoinHandle<'scope, ()>> {
    let start = |_| {
        let mut connection = Connection::open(port);
        scope.spawn(move || {
            loop {
                let reply = connection.get(path).expect("each request is answered");
                let is_done = is_awaited(reply);
                answered.fetch_add(1, Ordering::Relaxed);
                if is_done {
                    return;
                }
            }
        })
    };
    (0..count).map(start).collect()
}

/// Waits for that many answers, or for the end of a client, which is a failure that `join` reports.
fn wait_until(count: usize, answered: &AtomicUsize, clients: &[ScopedJoinHandle<()>]) {
    while answered.load(Ordering::Relaxed) < count
        && !clients.iter().any(ScopedJoinHandle::is_finished)
    {
        thread::yield_now();
    }
}

/// A router as Heroku's: it keeps its connections to the dyno, and sends the next request to the new one
/// as soon as that is up.
struct Router {
    port: u16,
    target: Arc<AtomicU16>,
}

impl Router {
    fn to(target: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let router = Self { port, target: Arc::new(AtomicU16::new(target)) };
        let target = Arc::clone(&router.target);
        thread::spawn(move || {
            for client in listener.incoming() {
                let (client, target) = (client.unwrap(), Arc::clone(&target));
                thread::spawn(move || forward(client, &target));
            }
        });
        router
    }

    fn switch_to(&self, target: u16) {
        self.target.store(target, Ordering::SeqCst);
    }
}

/// Takes a client's requests to wherever they go now, until it leaves.
fn forward(client: TcpStream, target: &AtomicU16) {
    let mut client = BufReader::new(client);
    let mut dyno: Option<(u16, Connection)> = None;
    loop {
        let mut request = String::new();
        while !request.ends_with("\r\n\r\n") {
            if client.read_line(&mut request).unwrap_or_default() == 0 {
                return;
            }
        }
        let port = target.load(Ordering::SeqCst);
        let (_, connection) = match &mut dyno {
            Some(kept) if kept.0 == port => kept,
            other => other.insert((port, Connection::open(port))),
        };
        let reply = connection.send(request.as_bytes());
        if reply.as_ref().is_none_or(|reply| reply.is_last) {
            dyno = None;
        }
        let bytes = reply.map(|reply| reply.bytes);
        let bytes = bytes.unwrap_or(b"HTTP/1.1 503 H13\r\ncontent-length: 0\r\n\r\n".to_vec());
        if client.get_mut().write_all(&bytes).is_err() {
            return;
        }
    }
}
