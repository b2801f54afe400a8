//! Load: 64 clients, each of which asks again as soon as it has its answer.

use std::cell::RefCell;
use std::fmt::{self, Display, Formatter};
use std::net::Ipv4Addr;
use std::pin::pin;
use std::rc::Rc;
use std::time::{Duration, Instant};

use futures_util::future::{Either, select};
use http_body_util::{BodyExt, Empty};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{ETAG, HOST, HeaderValue, IF_NONE_MATCH};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::LocalSet;

use crate::server::Server;

const CLIENTS: usize = 64;
const HOW_LONG: Duration = Duration::from_secs(1);

/// Of requests on new connections there are fewer: each leaves a port behind that can't be used again for a
/// while, and there are 28,000.
const NEW_CONNECTIONS: usize = 2_000;

type Body = Empty<&'static [u8]>;

/// How to ask for the page.
#[derive(Clone, Default)]
pub struct Request {
    pub if_none_match: Option<HeaderValue>,
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
    pub etag: HeaderValue,
}

/// Asks for the page once.
pub async fn page(port: u16) -> Page {
    on_connection(port, async |mut connection| {
        let answer = connection.send_request(Request::default().to_http()).await;
        let (head, body) = answer.expect("an answer").into_parts();
        let body = body.collect().await.expect("a whole answer").to_bytes().to_vec();
        Page { body, etag: head.headers[ETAG].clone() }
    })
    .await
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
    if request.on_new_connection {
        loop {
            let asked = Instant::now();
            on_connection(port, async |mut connection| ask(&mut connection, &request).await).await;
            if is_enough(asked) {
                return;
            }
        }
    }
    let keep_asking = async |mut connection| {
        loop {
            let asked = Instant::now();
            ask(&mut connection, &request).await;
            if is_enough(asked) {
                return;
            }
        }
    };
    on_connection(port, keep_asking).await;
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

/// Opens a connection and runs `ask` on it, both in one task: with two, each request would cost a switch
/// between tasks.
async fn on_connection<T>(port: u16, ask: impl AsyncFnOnce(SendRequest<Body>) -> T) -> T {
    let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.expect("a connection");
    stream.set_nodelay(true).expect("a socket");
    let (sender, connection) = handshake(TokioIo::new(stream)).await.expect("a new connection");
    match select(connection, pin!(ask(sender))).await {
        Either::Left((ended, _)) => panic!("the connection ended: {ended:?}"),
        Either::Right((asked, _)) => asked,
    }
}

async fn ask(connection: &mut SendRequest<Body>, request: &Request) {
    connection.ready().await.expect("a connection that is kept");
    let answer = connection.send_request(request.to_http()).await.expect("an answer");
    answer.into_body().collect().await.expect("a whole answer");
}

impl Request {
    fn to_http(&self) -> hyper::Request<Body> {
        let mut request = hyper::Request::new(Empty::new());
        let headers = request.headers_mut();
        headers.insert(HOST, HeaderValue::from_static("localhost"));
        if let Some(etag) = &self.if_none_match {
            headers.insert(IF_NONE_MATCH, etag.clone());
        }
        request
    }
}

impl Display for Measured {
    fn fmt(&self, f: &mut Formatter) -> fmt::Result {
        let Self { requests_per_second, processor_time, .. } = self;
        write!(f, "{requests_per_second:>7.0}/s, {processor_time:.1} µs each")
    }
}
