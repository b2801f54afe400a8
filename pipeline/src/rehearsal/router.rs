//! An app's own port, which stays when the process behind it changes. It passes bytes on, and reads none.

use std::io;
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::thread;

use crate::failure::{Failure, system};

/// An open port of this machine alone, and that of the process behind it: 0 while there is none.
pub struct Router {
    pub port: u16,
    leads_to: Arc<AtomicU16>,
}

impl Router {
    /// Opens it.
    pub fn open(port: u16) -> Result<Self, Failure> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).map_err(system(format!(
            "port {port} can't be opened. Another: cargo pipeline rehearse --staging 8101 --production 8102"
        )))?;
        let leads_to = Arc::new(AtomicU16::new(0));
        let router = Self { port, leads_to: Arc::clone(&leads_to) };
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let process = leads_to.load(Ordering::Relaxed);
                thread::spawn(move || pass(&client, process));
            }
        });
        Ok(router)
    }

    /// New connections lead there from now on.
    pub fn lead_to(&self, process: u16) {
        self.leads_to.store(process, Ordering::Relaxed);
    }
}

/// A port that is free just now.
pub fn free_port() -> Result<u16, Failure> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
    let address = listener.and_then(|listener| listener.local_addr());
    Ok(address.map_err(system("a free port"))?.port())
}

fn pass(client: &TcpStream, process: u16) {
    let Ok(process) = TcpStream::connect((Ipv4Addr::LOCALHOST, process)) else { return };
    thread::scope(|scope| {
        for (mut from, mut to) in [(client, &process), (&process, client)] {
            scope.spawn(move || {
                let _ = io::copy(&mut from, &mut to);
                let _ = to.shutdown(Shutdown::Write);
            });
        }
    });
}
