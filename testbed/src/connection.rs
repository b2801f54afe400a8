//! A connection that is kept open, for one request after the other.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;

use crate::service::connect;

/// A connection.
pub struct Connection(BufReader<TcpStream>);

/// What came back.
#[derive(Debug)]
pub struct Reply {
    /// All of it, head and body.
    pub bytes: Vec<u8>,
    /// Its status.
    pub status: u16,
    /// How many bytes its body has.
    pub body_length: usize,
    /// The server closes the connection after this one.
    pub is_last: bool,
}

impl Connection {
    /// Opens one to this machine.
    pub fn open(port: u16) -> Self {
        Self(BufReader::new(connect(port)))
    }

    /// Asks, and reads the whole reply; `None` if the connection ends before that begins.
    pub fn get(&mut self, path: &str) -> Option<Reply> {
        self.send(format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes())
    }

    /// The same, for a request that is bytes already.
    pub fn send(&mut self, request: &[u8]) -> Option<Reply> {
        self.0.get_mut().write_all(request).ok()?;
        let mut reply = Reply { bytes: Vec::new(), status: 0, body_length: 0, is_last: false };
        loop {
            let mut line = String::new();
            let is_begun = !reply.bytes.is_empty();
            match self.0.read_line(&mut line) {
                Ok(1..) => reply.bytes.extend_from_slice(line.as_bytes()),
                ended => {
                    assert!(!is_begun, "a reply's head is whole: {ended:?}");
                    return None;
                }
            }
            match line.trim_end() {
                "" => break,
                "connection: close" => reply.is_last = true,
                line => {
                    if let Some(status) = line.strip_prefix("HTTP/1.1 ") {
                        reply.status = status[..3].parse().unwrap();
                    } else if let Some(length) = line.strip_prefix("content-length: ") {
                        reply.body_length = length.parse().unwrap();
                    }
                }
            }
        }
        let head_length = reply.bytes.len();
        reply.bytes.resize(head_length + reply.body_length, 0);
        self.0.read_exact(&mut reply.bytes[head_length..]).expect("a reply's body is whole");
        Some(reply)
    }
}
