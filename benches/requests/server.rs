//! A server under load: a process of its own, on a core of its own.

use std::env;
use std::fs;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::cores::{self, Core};

/// A running server, which ends with its owner.
pub struct Server {
    child: Child,
    pub port: u16,
    /// From its start until it had answered a request, in milliseconds.
    pub first_answer: f64,
}

impl Server {
    /// The whole service as in production, its log read, with one worker.
    pub fn callboard() -> Self {
        let port = free_port();
        let mut command = Command::new(env!("CARGO_BIN_EXE_callboard"));
        command.env_clear().env("APP_ENV", "production").env("HOST", "127.0.0.1");
        command.env("PORT", port.to_string()).env("WEB_CONCURRENCY", "1");
        Self::start(command, port, &[])
    }

    /// The bare handler, with this page.
    pub fn bare(page: &[u8]) -> Self {
        let port = free_port();
        let mut command = Command::new(env::current_exe().expect("this executable"));
        command.env_clear().args(["bare", &port.to_string()]);
        Self::start(command, port, page)
    }

    fn start(mut command: Command, port: u16, input: &[u8]) -> Self {
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        cores::move_to(Core::Server);
        let started = Instant::now();
        let child = command.spawn();
        cores::move_to(Core::Load);
        let mut child = child.expect("an executable");
        child.stdin.take().expect("a pipe").write_all(input).expect("a reader");
        let mut log = child.stdout.take().expect("a pipe");
        thread::spawn(move || {
            let mut chunk = vec![0; 64 * 1024]; // a whole pipe, so that reading takes little of the core
            while log.read(&mut chunk).is_ok_and(|read| read > 0) {}
        });
        while !answers(port) {
            assert!(started.elapsed() < Duration::from_secs(10), "it does not answer");
        }
        Self { child, port, first_answer: started.elapsed().as_secs_f64() * 1e3 }
    }

    /// Processor time that it has taken so far, in seconds.
    pub fn processor_time(&self) -> f64 {
        let tasks = fs::read_dir(format!("/proc/{}/task", self.child.id())).expect("a process");
        let nanoseconds = |task: fs::DirEntry| {
            let schedstat = fs::read_to_string(task.path().join("schedstat")).unwrap_or_default();
            let running = schedstat.split(' ').next().and_then(|number| number.parse::<f64>().ok());
            running.unwrap_or_default()
        };
        tasks.map_while(Result::ok).map(nanoseconds).sum::<f64>() / 1e9
    }

    /// Memory that it holds, in MiB.
    pub fn resident(&self) -> f64 {
        self.status("VmRSS:")
    }

    /// The most that it has held, in MiB.
    pub fn peak_resident(&self) -> f64 {
        self.status("VmHWM:")
    }

    fn status(&self, name: &str) -> f64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()));
        let status = status.expect("a process");
        let line = status.lines().find_map(|line| line.strip_prefix(name)).expect("this line");
        let kib: f64 = line.trim().trim_end_matches(" kB").parse().expect("a number");
        kib / 1024.0
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    listener.local_addr().expect("an address").port()
}

/// Whether it answers one request.
fn answers(port: u16) -> bool {
    let asked = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).and_then(|mut connection| {
        connection.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
        io::read_to_string(connection)
    });
    asked.is_ok_and(|answer| answer.starts_with("HTTP/1.1 200"))
}
