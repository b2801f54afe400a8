//! Load: 64 clients, each of which asks again as soon as it has its answer.

use std::cell::RefCell;
use std::fmt::{self, Display, Formatter};
use std::net::Ipv4Addr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::LocalSet;

use crate::server::Server;

const CLIENTS: usize = 64;
const HOW_LONG: Duration = Duration::from_secs(1);

/// Of requests on new connections there are fewer: each leaves a port behind that can't be used again for a
/// while, and there are 28,000.
const NEW_CONNECTIONS: usize = 2_000;

/// How to ask for the page.
#[derive(Clone, Default)]
pub struct Request {
    pub if_none_match: Option<String>,
    pub on_new_connection: bool,
}

/// What came of it.
pub struct Measured {
    pub requests_per_second: f64,
    /// Of the server, for each request, in microseconds.
    pub processor_time: f64,
    /// In microseconds, as the client sees it.
    pub median: f64,
    pub percentile_99: f64,
}

/// The page, and its tag.
pub struct Page {
    pub body: Vec<u8>,
    pub etag: String,
}

/// Asks for the page once.
pub async fn page(port: u16) -> Page {
    let mut connection = Connection::open(port).await;
    connection.ask(&Request::default().to_bytes()).await;
    let etag = connection.header("etag").expect("a tag").to_owned();
    Page { body: connection.body().to_vec(), etag }
}

/// Keeps the clients asking for a while.
pub async fn run(server: &Server, request: &Request) -> Measured {
    let latencies = Rc::new(RefCell::new(Vec::with_capacity(200_000)));
    let clients = LocalSet::new();
    let (started, before) = (Instant::now(), server.processor_time());
    for _ in 0..CLIENTS {
        clients.spawn_local(client(server.port, request.clone(), started, Rc::clone(&latencies)));
    }
    clients.await;
    let (took, processor_time) = (started.elapsed(), server.processor_time() - before);
    let mut latencies = latencies.take();
    latencies.sort_unstable();
    #[expect(clippy::cast_precision_loss, reason = "it is far below 2^52")]
    let requests = latencies.len() as f64;
    let microseconds = |latency: Duration| latency.as_secs_f64() * 1e6;
    Measured {
        requests_per_second: requests / took.as_secs_f64(),
        processor_time: processor_time / requests * 1e6,
        median: microseconds(latencies[latencies.len() / 2]),
        percentile_99: microseconds(latencies[latencies.len() / 100 * 99]),
    }
}

async fn client(port: u16, request: Request, start: Instant, all: Rc<RefCell<Vec<Duration>>>) {
    let is_enough = |asked: Instant| {
        let mut all = all.borrow_mut();
        all.push(asked.elapsed());
        if request.on_new_connection {
            all.len() >= NEW_CONNECTIONS
        } else {
            start.elapsed() >= HOW_LONG
        }
    };
    let bytes = request.to_bytes();
    let mut kept = None;
    loop {
        let asked = Instant::now();
        let mut connection = match kept.take() {
            Some(connection) => connection,
            None => Connection::open(port).await,
        };
        connection.ask(&bytes).await;
        if is_enough(asked) {
            return;
        }
        kept = (!request.on_new_connection).then_some(connection);
    }
}

/// Opens that many connections, asks for the page on each, and keeps them.
pub async fn hold(port: u16, count: usize) -> Vec<TcpStream> {
    let mut connections = Vec::with_capacity(count);
    for _ in 0..count {
        let connection = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await;
        let mut connection = connection.expect("as many open files (`ulimit -n`) as connections");
        let asked = connection.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
        asked.expect("a connection");
        let answered = connection.read(&mut [0; 16]).await;
        assert!(answered.is_ok_and(|bytes| bytes > 0), "an answer");
        connections.push(connection);
    }
    connections
}

/// A connection that is kept, and the last answer on it.
struct Connection {
    stream: TcpStream,
    answer: Vec<u8>,
    /// How much of it the head is, with the empty line.
    head: usize,
}

impl Connection {
    async fn open(port: u16) -> Self {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.expect("a connection");
        stream.set_nodelay(true).expect("a socket");
        Self { stream, answer: Vec::with_capacity(16_384), head: 0 }
    }

    /// Sends a request, and reads the whole answer.
    async fn ask(&mut self, request: &[u8]) {
        self.stream.write_all(request).await.expect("a connection that is kept");
        self.answer.clear();
        self.head = loop {
            self.read().await;
            if let Some(end) = self.answer.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
                break end + 4;
            }
        };
        // A 304 has none.
        let length = self.header("content-length").map_or(Ok(0), str::parse);
        let all = self.head + length.expect("a number");
        while self.answer.len() < all {
            self.read().await;
        }
    }

    async fn read(&mut self) {
        let read = self.stream.read_buf(&mut self.answer).await;
        assert!(read.is_ok_and(|bytes| bytes > 0), "a whole answer");
    }

    /// A header of the answer, by its name as actix writes it.
    fn header(&self, name: &str) -> Option<&str> {
        let head = std::str::from_utf8(&self.answer[..self.head]).expect("a head in ASCII");
        head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }

    fn body(&self) -> &[u8] {
        &self.answer[self.head..]
    }
}

impl Request {
    fn to_bytes(&self) -> Vec<u8> {
        let tag = self.if_none_match.as_ref();
        let tag = tag.map(|tag| format!("If-None-Match: {tag}\r\n")).unwrap_or_default();
        format!("GET / HTTP/1.1\r\nHost: localhost\r\n{tag}\r\n").into_bytes()
    }
}

impl Display for Measured {
    fn fmt(&self, f: &mut Formatter) -> fmt::Result {
        let Self { requests_per_second, processor_time, .. } = self;
        write!(f, "{requests_per_second:>7.0}/s, {processor_time:.1} µs each")
    }
}
