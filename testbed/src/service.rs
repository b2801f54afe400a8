//! A running service, and what it answers.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use ureq::Agent;
use ureq::http::{HeaderMap, Request};

use crate::PATIENCE;

/// A running service.
pub struct Service {
    child: Killed,
    lines: Receiver<String>,
    /// All that it has logged so far, as far as it was read.
    pub log: Vec<String>,
    /// The port that it says it listens on.
    pub port: u16,
}

impl Service {
    /// What this command starts, once it says where it is open.
    pub fn of(mut command: Command) -> Self {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (sender, lines) = mpsc::channel();
        for pipe in [
            Box::new(child.stdout.take().unwrap()) as Box<dyn Read + Send>,
            Box::new(child.stderr.take().unwrap()),
        ] {
            let sender = sender.clone();
            thread::spawn(move || {
                for line in BufReader::new(pipe).lines().map_while(Result::ok) {
                    let _ = sender.send(line);
                }
            });
        }
        drop(sender); // so that the end of both pipes is the end of the lines
        let mut service = Self { child: Killed(child), lines, log: Vec::new(), port: 0 };
        let line = service.wait_for(" is open at http://");
        service.port = port_in(&line);
        service
    }

    /// Where it can be opened.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The next line of the log that has this text.
    pub fn wait_for(&mut self, text: &str) -> String {
        let deadline = Instant::now() + PATIENCE;
        loop {
            match self.lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(line) => {
                    self.log.push(line.clone());
                    if line.contains(text) {
                        return line;
                    }
                }
                Err(RecvTimeoutError::Timeout) => panic!("no line has {text:?}: {:#?}", self.log),
                Err(RecvTimeoutError::Disconnected) => {
                    panic!("it ended, and no line has {text:?}: {:#?}", self.log)
                }
            }
        }
    }

    /// Sends this request and reads the answer: no redirect is followed, no status is an error.
    pub fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
        let url = self.url() + path;
        let mut request = Request::builder().method(method).uri(url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let agent: Agent = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .timeout_global(Some(PATIENCE))
            .build()
            .into();
        let answer = agent.run(request.body(()).unwrap()).unwrap();
        let (head, mut body) = answer.into_parts();
        let body = body.read_to_vec().unwrap();
        Answer { status: head.status.as_u16(), headers: head.headers, body }
    }

    /// `GET`.
    pub fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, &[])
    }

    /// What its page says as plain text: its message.
    pub fn message(&self) -> String {
        self.ask("GET", "/", &[("accept", "text/plain")]).text().trim_end().to_owned()
    }

    /// A connection of one's own, for what no client would send.
    pub fn connect(&self) -> TcpStream {
        connect(self.port)
    }

    /// Sends these bytes, and reads all that comes until the server closes.
    pub fn send(&self, bytes: &[u8]) -> String {
        let mut stream = self.connect();
        stream.write_all(bytes).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        String::from_utf8(answer).unwrap()
    }

    /// Sends a signal, by its name, to this process alone.
    pub fn signal(&self, name: &str) {
        self.child.signal(name);
    }

    /// How much memory it holds. Linux only, like the next.
    pub fn resident_kib(&self) -> usize {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.0.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }

    /// How many of its threads run at this moment, or would if a processor were free.
    ///
    /// # Panics
    /// If it has ended.
    pub fn running_threads(&self) -> usize {
        let threads = fs::read_dir(format!("/proc/{}/task", self.child.0.id())).unwrap();
        let states = threads.filter_map(|thread| {
            let stat = fs::read_to_string(thread.ok()?.path().join("stat")).ok()?;
            stat.rsplit_once(") ").map(|(_, rest)| rest.starts_with('R'))
        });
        states.filter(|&runs| runs).count()
    }

    /// How many files and connections it has open.
    pub fn open_files(&self) -> usize {
        fs::read_dir(format!("/proc/{}/fd", self.child.0.id())).unwrap().count()
    }

    /// Waits for its end, and gathers the rest of the log.
    pub fn wait(mut self) -> (ExitStatus, Vec<String>) {
        let deadline = Instant::now() + PATIENCE;
        let status = loop {
            if let Some(status) = self.child.0.try_wait().unwrap() {
                break status;
            }
            assert!(Instant::now() < deadline, "it does not end: {:#?}", self.log);
            thread::sleep(Duration::from_millis(5));
        };
        self.log.extend(self.lines.iter());
        (status, std::mem::take(&mut self.log))
    }

    /// Asks it to stop, as Heroku does, and waits for its end.
    pub fn stop(self) -> (ExitStatus, Vec<String>) {
        self.signal("TERM");
        self.wait()
    }
}

/// A connection to this machine, on which no read waits for ever.
pub(crate) fn connect(port: u16) -> TcpStream {
    let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// The port in the line that says where the service is open.
pub fn port_in(line: &str) -> u16 {
    let address = line.split("http://").nth(1).unwrap().split([' ', '"']).next().unwrap();
    address.rsplit(':').next().unwrap().parse().unwrap()
}

/// A process that does not outlive its test.
pub struct Killed(pub Child);

impl Killed {
    /// Sends it a signal, by its name.
    pub fn signal(&self, name: &str) {
        let pid = self.0.id().to_string();
        assert!(Command::new("kill").args(["-s", name, &pid]).status().unwrap().success());
    }
}

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What the service answered.
#[derive(Debug)]
pub struct Answer {
    /// Its status.
    pub status: u16,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Vec<u8>,
}

impl Answer {
    /// A header's value; empty where there is none.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The body as text.
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    /// The body as JSON.
    pub fn json<T: serde::de::DeserializeOwned>(&self) -> T {
        serde_json::from_slice(&self.body).unwrap()
    }
}
