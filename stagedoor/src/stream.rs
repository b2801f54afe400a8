//! One client's connection: how much of it is read at once, how long its answers may stay unread, and how it is closed.
//!
//! actix reads on while a client does not, and keeps each answer until it is sent. A single client that sent
//! requests and read nothing took 850 MiB in three seconds, and a whole core. It is here that this ends.

use std::cell::Cell;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use actix_web::rt::net::TcpStream;
use tokio::io::{self, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf, Take};
use tokio::time::{Sleep, sleep, timeout};

/// Bytes. Once an answer is left unread, no more than this was read. A request of 30 bytes may get an answer a hundred
/// times as long, so this is what limits the memory for answers that wait.
const READ_AT_ONCE: u64 = 4096;

/// The router ends a connection on which nothing goes for 55 s (H15, H28). Whoever takes nothing for longer than
/// that has gone. (A client that takes 10 KB/s is served, and one that takes 3 counts as gone: the system tells only
/// when a good part of its buffer has been taken.)
const LONGEST_UNREAD: Duration = Duration::from_secs(60);

/// How long a client may go on sending to a connection that is closed.
const LAST_BYTES: Duration = Duration::from_secs(1);

/// The connection.
pub struct Stream {
    /// Taken out at the end alone.
    socket: Option<Take<TcpStream>>,
    /// Runs while an answer waits for the client to read.
    unread: Option<Pin<Box<Sleep>>>,
    has_answered: bool,
    peer: Option<SocketAddr>,
    remains: Rc<Remains>,
}

/// What is left of a connection once actix is done with it.
#[derive(Default)]
pub struct Remains {
    was_too_slow: Cell<bool>,
    socket: Cell<Option<TcpStream>>,
}

impl Stream {
    /// A connection that has just been opened.
    pub fn new(socket: TcpStream, remains: &Rc<Remains>) -> Self {
        let peer = socket.peer_addr().ok();
        let (socket, remains) = (Some(socket.take(READ_AT_ONCE)), Rc::clone(remains));
        Self { socket, unread: None, has_answered: false, peer, remains }
    }

    /// Its other end.
    pub fn peer(&self) -> Option<SocketAddr> {
        self.peer
    }

    fn socket(&mut self) -> &mut Take<TcpStream> {
        self.socket.as_mut().expect("it is there until the end")
    }

    fn writer(&mut self) -> Pin<&mut TcpStream> {
        Pin::new(self.socket().get_mut())
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.remains.socket.set(self.socket.take().map(Take::into_inner));
    }
}

impl Remains {
    /// Whether actix itself answered its first request, with 408: no code of ours has seen that.
    pub fn was_too_slow(&self) -> bool {
        self.was_too_slow.get()
    }

    /// Closes the connection. Where the client still sends, what comes is thrown away for a second: to leave it unread
    /// would reset the connection, and a reset may overtake the answer (RFC 9112, section 9.6).
    pub async fn close(&self) {
        let Some(mut socket) = self.socket.take() else { return };
        if matches!(socket.try_read(&mut [0]), Ok(1)) {
            let _ = socket.shutdown().await;
            // In a box, so that the future of every other connection stays small.
            let rest = Box::pin(async move { io::copy(&mut socket, &mut io::sink()).await });
            let _ = timeout(LAST_BYTES, rest).await;
        }
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        // No more questions before the answers are taken: see `poll_write`, which then wakes this task.
        if self.unread.is_some() {
            return Poll::Pending;
        }
        let socket = self.socket();
        if socket.limit() == 0 {
            socket.set_limit(READ_AT_ONCE);
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        Pin::new(socket).poll_read(context, buffer)
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if !self.has_answered {
            self.has_answered = true;
            // What passes through the duties has an id.
            let is_bare_408 =
                bytes.starts_with(b"HTTP/1.1 408 ") && !contains(bytes, b"x-request-id");
            self.remains.was_too_slow.set(is_bare_408);
        }
        let written = self.writer().poll_write(context, bytes);
        if written.is_ready() {
            if self.unread.take().is_some() {
                // What came meanwhile is to be read now, and nobody else tells that it is there.
                context.waker().wake_by_ref();
            }
            return written;
        }
        let unread = self.unread.get_or_insert_with(|| Box::pin(sleep(LONGEST_UNREAD)));
        unread.as_mut().poll(context).map(|()| Err(ErrorKind::TimedOut.into()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.writer().poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.writer().poll_shutdown(context)
    }
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}
