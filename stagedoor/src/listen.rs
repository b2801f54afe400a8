//! Where the server listens, and whether it may open the files that it needs.

use std::fs::File;
use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};

use tokio::net::TcpSocket;

/// How many connections may wait for a worker. What is more is refused by the system, and the router tries again.
const BACKLOG: u32 = 1024;

/// Bytes that the system keeps of an answer on its way, for each connection. By itself it takes up to 4 MB, and tells
/// only when a third of that has gone that the client still reads: a slow one would look like one that does not read.
const SEND_BUFFER: u32 = 128 * 1024;

/// Those that a process has from its start, those of its runtime, and some for connections.
const FILES: usize = 48;

/// Those that a worker has for its runtime.
const FILES_A_WORKER: usize = 4;

/// What Unix says where the system (ENFILE), or this process (EMFILE), has too many open files.
const TOO_MANY: [i32; 2] = [23, 24];

/// Listens at an address. Port 0 is any that is free.
pub fn listen(host: IpAddr, port: u16) -> io::Result<TcpListener> {
    match listen_on(SocketAddr::new(host, port)) {
        Err(error) if is_without_ipv6(host, &error) => {
            listen_on(SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), port))
        }
        listening => listening,
    }
}

fn listen_on(address: SocketAddr) -> io::Result<TcpListener> {
    let is_ipv4 = address.is_ipv4();
    let socket = if is_ipv4 { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // Else a port would be taken for a minute after a stop. (On Windows it would let two processes share it.)
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    socket.set_send_buffer_size(SEND_BUFFER)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)?.into_std()
}

/// Where the kernel has no IPv6, `::` can't be bound, and every interface is 0.0.0.0.
fn is_without_ipv6(host: IpAddr, error: &io::Error) -> bool {
    host == Ipv6Addr::UNSPECIFIED
        && !matches!(error.kind(), ErrorKind::AddrInUse | ErrorKind::PermissionDenied)
}

/// Whether this process may open as many files as these workers need. Each connection is one more.
///
/// # Errors
/// How many that are.
pub fn check_files(workers: usize) -> Result<(), usize> {
    let needed = FILES + workers * FILES_A_WORKER;
    let Ok(executable) = std::env::current_exe() else { return Ok(()) };
    let opened: io::Result<Vec<File>> = (0..needed).map(|_| File::open(&executable)).collect();
    match opened {
        Err(error) if error.raw_os_error().is_some_and(|code| TOO_MANY.contains(&code)) => {
            Err(needed)
        }
        _ => Ok(()),
    }
}
