//! Clients that mean harm, or break: other clients are served all the while, nothing panics, and what they
//! took is given back.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, TryRecvError};
use std::thread;
use std::time::{Duration, Instant};

use testbed::{Connection, PATIENCE, Service};

use crate::support::start;

/// Connections at once. macOS gives a process 256 files, and these tests run side by side.
const SLOW: usize = 50;

/// Clients that send and do not read.
const DEAF: usize = 4;

/// Requests whose answers, of 400 bytes each, are more than a system keeps for who does not read.
const MANY: usize = 30_000;

/// What one of them may hold: what is read at once asks for 500 KiB, of a page as small as this one.
const MOST_UNREAD_KIB: usize = 2048;

/// What memory may still grow by once it has settled: less than each of a hundred floods would leave.
const SPARE_KIB: usize = 1024;

#[test]
fn a_head_that_takes_longer_than_5_s_is_a_408_and_nobody_waits_for_it() {
    let head = b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ";
    let log = each_slow_connection_gets("HTTP/1.1 408 ", |i| &head[..i % head.len()]);
    let is_told = |line: &&String| line.contains("408") && line.contains("did not come in time");
    assert_eq!(log.iter().filter(is_told).count(), SLOW, "{log:#?}");
}

#[test]
fn a_body_that_does_not_come_is_not_waited_for() {
    let request = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\nabc";
    each_slow_connection_gets("HTTP/1.1 405 ", |_| request);
}

/// Opens the slow connections, sends on each the start of a request and no more, and waits for what comes.
fn each_slow_connection_gets<'a>(expected: &str, begin: impl Fn(usize) -> &'a [u8]) -> Vec<String> {
    let service = start(&[]);
    while_others_are_served(&service, || {
        let mut slow: Vec<_> = (0..SLOW).map(|_| service.connect()).collect();
        for (i, stream) in slow.iter_mut().enumerate() {
            stream.write_all(begin(i)).unwrap();
        }
        for stream in slow {
            let answer = all_that_comes(stream);
            assert!(answer.starts_with(expected), "{answer}");
        }
    });
    end(service)
}

#[test]
fn a_body_on_any_method_is_never_taken_for_the_next_request() {
    let service = start(&[]);
    let methods =
        ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "X"];
    let hidden = "GET /hidden HTTP/1.1\r\nHost: x\r\n\r\n";
    for method in methods {
        for framing in ["Content-Length: ", "Transfer-Encoding: chunked"] {
            let length = hidden.len();
            let body = match framing {
                "Content-Length: " => format!("{length}\r\n\r\n{hidden}"),
                _ => format!("\r\n\r\n{length:x}\r\n{hidden}\r\n0\r\n\r\n"),
            };
            let mut stream = service.connect();
            write!(stream, "{method} /release HTTP/1.1\r\nHost: x\r\n{framing}{body}").unwrap();
            // The server may have closed already, as is its right after a body that it did not want.
            let _ = write!(stream, "GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
            let answers = all_that_comes(stream);
            let expected = if ["GET", "HEAD"].contains(&method) { "200" } else { "405" };
            assert!(answers.starts_with(&format!("HTTP/1.1 {expected} ")), "{method}: {answers}");
            assert!(!answers.contains("HTTP/1.1 404 "), "{method} {framing}: {answers}");
            assert!(answers.matches("HTTP/1.1 ").count() <= 2, "{method} {framing}: {answers}");
        }
    }
    let log = end(service);
    assert!(!log.iter().any(|line| line.contains("/hidden")), "{log:#?}");
}

#[test]
#[cfg_attr(not(target_os = "linux"), ignore = "memory is read from /proc")]
fn floods_resets_and_bytes_that_are_not_http_disturb_nobody_and_leave_no_memory_behind() {
    // Panics show, but no requests: lines that wait to be written would count as memory.
    let service = start(&[("RUST_LOG", "warn,stagedoor::server=info")]);
    let mut resident = Vec::new();
    for _ in 0..6 {
        while_others_are_served(&service, || {
            flood(&service);
            reset(&service);
            send_no_http(&service);
        });
        resident.push(service.resident_kib());
    }
    // The first rounds fill what is kept for the next ones.
    assert!(resident[5] <= resident[2] + SPARE_KIB, "KiB after each round: {resident:?}");
    end(service);
}

/// Too many headers, too long ones, one without an end, and a request line of 1 MB.
fn flood(service: &Service) {
    let endless = "y".repeat(1_000_000);
    let floods = [
        format!("GET / HTTP/1.1\r\nHost: x\r\n{}\r\n", "X: y\r\n".repeat(10_000)),
        format!("GET / HTTP/1.1\r\nHost: x\r\nX: {endless}\r\n\r\n"),
        format!("GET / HTTP/1.1\r\nHost: x\r\nX: {endless}"),
        format!("GET /{endless} HTTP/1.1\r\nHost: x\r\n\r\n"),
        format!("GET /?{endless} HTTP/1.1\r\nHost: x\r\n\r\n"),
        endless,
    ];
    for flood in floods {
        let mut stream = service.connect();
        let _ = stream.write_all(flood.as_bytes()); // it closes before it has all
        let answer = all_that_comes(stream);
        // A reset may overtake the answer.
        let is_refused = answer.is_empty()
            || ["HTTP/1.1 431 ", "HTTP/1.1 400 "].iter().any(|start| answer.starts_with(start));
        assert!(is_refused, "{answer}");
    }
}

/// Connections that break off: in a head, in a body, and with the answer unread, which resets them.
fn reset(service: &Service) {
    let requests = [
        "GET / HT",
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nabc",
        "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: x\r\n\r\nGET /rel",
    ];
    for request in requests.iter().cycle().take(400) {
        let mut stream = service.connect();
        stream.write_all(request.as_bytes()).unwrap();
        if request.contains("\r\n\r\n") {
            stream.peek(&mut [0]).unwrap();
        }
    }
}

fn send_no_http(service: &Service) {
    let not_http: [&[u8]; 7] = [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"EHLO mail.example\r\n",
        b"\r\n\r\n\r\n\r\n",
        &[0; 10_000],
        &[0xff; 10_000],
    ];
    for bytes in not_http {
        let mut stream = service.connect();
        let _ = stream.write_all(bytes);
        let _ = stream.shutdown(Shutdown::Write);
        let answer = all_that_comes(stream);
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 400 "), "{bytes:?}: {answer}");
    }
}

#[test]
#[cfg_attr(not(target_os = "linux"), ignore = "memory is read from /proc")]
fn clients_that_send_requests_and_read_no_answer_hold_little_memory_and_no_processor() {
    let requests = [
        "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        "HEAD / HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: x\r\nIf-None-Match: *\r\n\r\n",
        "GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n",
    ];
    for request in requests {
        // No lines of requests: those that wait to be written would count as memory.
        let service = start(&[("RUST_LOG", "warn,stagedoor::server=info")]);
        assert_eq!(service.get("/health").status, 200);
        let before = service.resident_kib();
        while_others_are_served(&service, || {
            let clients: Vec<_> = (0..DEAF).map(|_| service.connect()).collect();
            thread::scope(|scope| {
                for client in &clients {
                    scope.spawn(move || send_until_nothing_is_taken(client, request));
                }
            });
            let held = service.resident_kib().saturating_sub(before);
            assert!(held < DEAF * MOST_UNREAD_KIB, "{held} KiB by {request:?}");
            // One that went on and on would run whenever someone looks.
            let is_still = || {
                thread::sleep(Duration::from_millis(2));
                service.running_threads() == 0
            };
            assert!((0..500).any(|_| is_still()), "it never rests: {request:?}");
            drop(clients);
        });
        end(service);
    }
}

#[test]
#[cfg_attr(not(target_os = "linux"), ignore = "threads are read from /proc")]
fn who_reads_late_gets_every_answer() {
    let service = start(&[("RUST_LOG", "warn,stagedoor::server=info")]);
    let stream = service.connect();
    let request = "HEAD /health HTTP/1.1\r\nHost: x\r\n\r\n";
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut sending = &stream;
            for _ in 0..MANY / 100 {
                sending.write_all(request.repeat(100).as_bytes()).unwrap();
            }
            stream.shutdown(Shutdown::Write).unwrap();
        });
        // Until the answers fill all that the system keeps for them.
        thread::sleep(Duration::from_millis(100));
        while service.running_threads() > 0 {
            thread::sleep(Duration::from_millis(20));
        }
        let answers = all_that_comes(stream.try_clone().unwrap());
        assert_eq!(answers.matches("HTTP/1.1 200 OK\r\n").count(), MANY);
    });
    end(service);
}

#[test]
#[ignore = "takes a minute: .ci/run runs it"]
fn who_reads_nothing_for_a_minute_is_let_go_and_that_leaves_a_line() {
    let mut service = start(&[("RUST_LOG", "info,stagedoor::request=info")]);
    let stream = service.connect();
    send_until_nothing_is_taken(&stream, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    thread::sleep(Duration::from_secs(15)); // the rest is within the patience of a test
    let line = service.wait_for("the client did not read its answer");
    assert!(line.contains("127.0.0.1"), "{line}");
    end(service);
}

/// Sends a request over and over, and reads no answer.
fn send_until_nothing_is_taken(mut stream: &TcpStream, request: &str) {
    stream.set_write_timeout(Some(Duration::from_millis(200))).unwrap();
    let many = request.repeat(100);
    // The system's own buffers take 4 to 5 MB.
    for _ in 0..8_000_000 / many.len() {
        if stream.write_all(many.as_bytes()).is_err() {
            return;
        }
    }
    panic!("all of it is taken, though nobody reads the answers: {request:?}");
}

#[test]
#[ignore = "needs Linux and `ulimit -n 11000`: .ci/run runs it"]
fn ten_thousand_idle_connections_disturb_nobody_and_what_they_took_serves_the_next_ones() {
    let service = start(&[]);
    assert_eq!(service.get("/health").status, 200); // by then its workers have opened their files
    let files = service.open_files();
    let mut resident = Vec::new();
    for _ in 0..6 {
        while_others_are_served(&service, || {
            let mut idle = Vec::new();
            for _ in 0..10_000 {
                let mut connection = Connection::open(service.port);
                assert_eq!(connection.get("/").unwrap().status, 200);
                idle.push(connection);
            }
            assert!(service.open_files() >= 10_000);
        });
        resident.push(service.resident_kib());
        let deadline = Instant::now() + PATIENCE;
        while service.open_files() > files {
            assert!(Instant::now() < deadline, "{} files are still open", service.open_files());
            thread::sleep(Duration::from_millis(10));
        }
    }
    println!("KiB resident after each 10,000: {resident:?}");
    // glibc keeps freed memory and uses it again, so growth slows with each round: from a third to 3 % here.
    assert!(resident[5] < resident[4] + resident[4] / 20, "KiB after each: {resident:?}");
    end(service);
}

/// Runs an attack, and keeps asking as any visitor would, from before its start until after its end.
fn while_others_are_served(service: &Service, attack: impl FnOnce()) {
    let (port, served) = (service.port, AtomicUsize::new(0));
    thread::scope(|scope| {
        // The visitor leaves when `attack_lasts` goes, be it that the attack fails.
        let (attack_lasts, is_over) = mpsc::channel::<()>();
        let served = &served;
        let visitor = scope.spawn(move || {
            while is_over.try_recv() == Err(TryRecvError::Empty) {
                // On a new connection each time, so that each worker is asked.
                let reply = Connection::open(port).get("/").expect("others are answered");
                assert_eq!(reply.status, 200);
                served.fetch_add(1, Ordering::Relaxed);
                // Each connection uses up a port for a while, and macOS has 16,000.
                thread::sleep(Duration::from_millis(1));
            }
        });
        attack();
        // One more, begun after the attack.
        let served_by_then = served.load(Ordering::Relaxed);
        while served.load(Ordering::Relaxed) < served_by_then + 2 && !visitor.is_finished() {
            thread::yield_now();
        }
        drop(attack_lasts);
    });
}

/// What the server sends until it closes or resets the connection.
fn all_that_comes(mut stream: TcpStream) -> String {
    let mut answer = Vec::new();
    match stream.read_to_end(&mut answer) {
        Err(error) if error.kind() != ErrorKind::ConnectionReset => panic!("{error}"),
        _ => String::from_utf8(answer).unwrap(),
    }
}

/// Stops it as Heroku does, and sees that nothing panicked.
fn end(service: Service) -> Vec<String> {
    let (status, log) = service.stop();
    assert_eq!(status.code(), Some(0));
    assert!(!log.iter().any(|line| line.contains("panicked")), "{log:#?}");
    log
}
