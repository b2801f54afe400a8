//! A rehearsal, as a newcomer types it: a clone of this working tree, built and released on free ports.

use std::env;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

/// How long anything may take before a test gives up: the first build takes a minute of it.
const PATIENCE: Duration = Duration::from_secs(600);

const NEW: &str = "The curtain rises at eight.";

/// A clone of the working tree as it is, which goes with this. Its commits are its own, but the same files are the same commit, so that what was
/// built of one clone need not be built of the next. What was built of other files has another: cargo would not see that.
struct Clone {
    at: PathBuf,
    directory: PathBuf,
    temporary: PathBuf,
}

/// The message of this repository, which a copy changes.
fn message() -> String {
    let index = Path::new(env!("CARGO_MANIFEST_DIR")).join("../src/index.rs");
    let text = fs::read_to_string(index).unwrap();
    let (_, rest) =
        text.split_once("pub const MESSAGE: &str = \"").expect("index.rs has a message");
    rest.split('"').next().unwrap().to_owned()
}

impl Clone {
    fn new(name: &str) -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        // Not below this repository: cargo would add our `.cargo/config.toml` to the clone's, and build all anew.
        let at = env::temp_dir().join(format!("rehearsal-{}-{name}", std::process::id()));
        let clone = Self { directory: at.join("clone"), temporary: at.join("tmp"), at };
        fs::create_dir_all(&clone.temporary).unwrap();
        let words = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
        let files = Command::new("git").args(words).current_dir(root).output().unwrap().stdout;
        for file in String::from_utf8(files).unwrap().split_terminator('\0') {
            if root.join(file).exists() {
                let copy = clone.directory.join(file);
                fs::create_dir_all(copy.parent().unwrap()).unwrap();
                let from = root.join(file);
                if let Ok(link) = fs::read_link(&from) {
                    symlink(link, copy).unwrap();
                    continue;
                }
                fs::copy(&from, &copy).unwrap();
                // As old as it is: for what is newer than a build, cargo builds anew.
                let changed = from.metadata().unwrap().modified().unwrap();
                File::options().append(true).open(copy).unwrap().set_modified(changed).unwrap();
            }
        }
        clone.git(&["init", "--quiet", "--initial-branch=main"]);
        clone.commit("As it is");
        clone
    }

    fn git(&self, words: &[&str]) {
        let who = ["-c", "user.name=Rehearsal", "-c", "user.email=rehearsal@localhost"];
        let mut git = Command::new("git");
        git.envs(["AUTHOR", "COMMITTER"].map(|who| (format!("GIT_{who}_DATE"), "@0 +0000")));
        let ran = git.args(who).args(words).current_dir(&self.directory).status();
        assert!(ran.unwrap().success(), "git {words:?}");
    }

    fn commit(&self, message: &str) {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--message", message]);
    }

    /// Edits the message, as the reader is told to.
    fn write_message(&self) {
        let file = self.directory.join("src/index.rs");
        let text = fs::read_to_string(&file).unwrap();
        let old = message();
        assert!(text.contains(&old));
        fs::write(file, text.replacen(&old, NEW, 1)).unwrap();
    }

    /// The command, for this clone.
    fn pipeline(&self, [staging, production]: [u16; 2]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pipeline"));
        command.args(["rehearse", "--staging", &staging.to_string()]);
        command.args(["--production", &production.to_string()]);
        command.current_dir(self.directory.join("src")).env("TMPDIR", &self.temporary);
        // One for all tests. The crates of others are those that cargo built for the tests themselves. (Before Rust 1.91
        // it does not know how to share them, and builds them anew.)
        let tmp = Path::new(env!("CARGO_TARGET_TMPDIR"));
        command.env("CARGO_TARGET_DIR", tmp.join("rehearsals"));
        command.env("CARGO_BUILD_BUILD_DIR", tmp.parent().unwrap());
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        command
    }

    /// What is left in the directory for temporary files.
    fn left_behind(&self) -> usize {
        fs::read_dir(&self.temporary).unwrap().count()
    }
}

impl Drop for Clone {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.at);
    }
}

/// A rehearsal that is typed at.
struct Prompt {
    child: Child,
    input: Option<ChildStdin>,
    output: Receiver<u8>,
    ports: [u16; 2],
}

impl Prompt {
    fn open(clone: &Clone) -> Self {
        let ports = free_ports();
        let mut child = clone.pipeline(ports).spawn().unwrap();
        let (sender, output) = mpsc::channel();
        let stdout = child.stdout.take().unwrap();
        thread::spawn(move || {
            for byte in BufReader::new(stdout).bytes().map_while(Result::ok) {
                let _ = sender.send(byte);
            }
        });
        let input = child.stdin.take();
        let prompt = Self { child, input, output, ports };
        prompt.answer();
        prompt
    }

    /// All that it prints until it asks for more.
    fn answer(&self) -> String {
        self.until(|answer| answer.ends_with(b"\n> "))
    }

    /// All that it prints until this holds.
    fn until(&self, enough: impl Fn(&[u8]) -> bool) -> String {
        let mut answer = Vec::new();
        let deadline = Instant::now() + PATIENCE;
        while !enough(&answer) {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.output.recv_timeout(left) {
                Ok(byte) => answer.push(byte),
                Err(error) => panic!("{error}: {}", String::from_utf8_lossy(&answer)),
            }
        }
        String::from_utf8(answer).unwrap()
    }

    /// Types a line, and returns what comes of it.
    fn types(&mut self, line: &str) -> String {
        writeln!(self.input.as_mut().unwrap(), "{line}").unwrap();
        let answer = self.answer();
        eprintln!("{answer}"); // seen where a test fails
        answer
    }

    fn staging(&self, path: &str) -> String {
        get(self.ports[0], path, "")
    }

    fn production(&self, path: &str) -> String {
        get(self.ports[1], path, "")
    }

    fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-s", name, &id]).status().unwrap().success());
    }

    /// Waits for its end, and returns the exit code.
    fn ends(&mut self) -> Option<i32> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code();
            }
            assert!(Instant::now() < deadline, "it does not end");
            thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Prompt {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn free_ports() -> [u16; 2] {
    let listeners = [0, 0].map(|port| TcpListener::bind(("127.0.0.1", port)).unwrap());
    listeners.map(|listener| listener.local_addr().unwrap().port())
}

/// An answer, head and body.
fn get(port: u16, path: &str, header: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let request =
        format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n{header}Connection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

/// The value of a field of `/release`.
fn field(answer: &str, name: &str) -> String {
    let start = format!("\"{name}\": \"");
    let rest = answer.split(&start).nth(1).unwrap_or_else(|| panic!("no {name}: {answer}"));
    rest.split('"').next().unwrap().to_owned()
}

fn is_open(port: u16) -> bool {
    TcpStream::connect(("127.0.0.1", port)).is_ok()
}

#[test]
fn the_tutorial_is_the_lines_of_the_readme() {
    let clone = Clone::new("tutorial");
    // The very lines that the README gives.
    let readme = fs::read_to_string(clone.directory.join("README.md")).unwrap();
    let lines = readme.split("cargo pipeline rehearse\n").nth(1).unwrap();
    let lines = lines.split("```text\n").nth(1).unwrap().split("```").next().unwrap();
    assert_eq!(lines.lines().count(), 9);
    let mut child = clone.pipeline(free_ports()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
    let ran = child.wait_with_output().unwrap();

    let text = String::from_utf8(ran.stdout).unwrap();
    assert_eq!(ran.status.code(), Some(1), "one release is refused: {text}");
    let after = |line: &str, nth: usize| text.split(&format!("> {line}\n")).nth(nth).unwrap();
    assert!(after("deploy", 1).contains("staging v1 is open at http://127.0.0.1:"), "{text}");
    assert!(after("promote", 1).contains("production v1 is open at http://127.0.0.1:"), "{text}");
    assert!(after("promote", 1).contains("Production runs what was reviewed: sha256:"), "{text}");
    let status = after("status", 1);
    assert!(status.contains("staging is ahead by changes that are not committed"), "{text}");
    let goes_live = format!("goes live on rehearsal-production:\n  {NEW}");
    assert!(after("promote", 2).contains(&goes_live), "{text}");
    assert!(after("promote", 2).contains("production v2 is open at"), "{text}");
    assert!(after("promote", 2).contains("Production runs what was reviewed: sha256:"), "{text}");
    assert!(
        after("set production WEB_CONCURRENCY=lots", 1).contains("production v3 failed: "),
        "{text}"
    );
    assert!(
        after("set production WEB_CONCURRENCY=4", 1).contains("production v4 is open at"),
        "{text}"
    );
    assert!(after("rollback v1", 1).contains("Rolled back: v1 runs again, as v5."), "{text}");
    assert!(after("rollback v1", 1).contains(&message()), "{text}");
    assert_eq!(clone.left_behind(), 0);
}

#[test]
fn the_rehearsal_stays_under_800_lines_of_code() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = vec![source.join("rehearse.rs"), source.join("rehearsal.rs")];
    let parts = fs::read_dir(source.join("rehearsal")).unwrap();
    files.extend(parts.map(|entry| entry.unwrap().path()));
    let is_code = |line: &&str| !line.trim().is_empty() && !line.trim().starts_with("//");
    let count = |file| fs::read_to_string(file).unwrap().lines().filter(is_code).count();
    let lines: usize = files.into_iter().map(count).sum();
    assert!((200..800).contains(&lines), "{lines}");
}

#[test]
fn a_release_goes_from_staging_to_production_and_back() {
    let clone = Clone::new("there-and-back");
    let mut prompt = Prompt::open(&clone);
    assert!(prompt.types("status").contains("nothing was released on staging yet"));
    let answer = prompt.types("promote");
    assert!(answer.contains("Not promoted: nothing was released on staging yet"), "{answer}");

    prompt.types("deploy");
    assert!(prompt.staging("/").contains(&message()));
    let release = prompt.staging("/release");
    assert_eq!(field(&release, "environment"), "staging");
    assert_eq!(field(&release, "app"), "rehearsal-staging");
    assert_eq!(field(&release, "release"), "v1");
    assert!(field(&release, "released_at").ends_with('Z'));

    prompt.types("promote");
    let build = field(&prompt.staging("/release"), "build");
    assert_eq!(field(&prompt.production("/release"), "build"), build);
    assert_eq!(field(&prompt.production("/release"), "environment"), "production");
    assert!(prompt.types("status").contains("production runs what staging runs"));
    assert!(prompt.types("promote").contains("Nothing to promote"));

    clone.write_message();
    clone.commit("Raise the curtain");
    prompt.types("deploy");
    assert!(prompt.staging("/").contains(NEW));
    assert!(prompt.production("/").contains(&message()));
    assert!(prompt.types("status").contains("staging is ahead by 1 commit\n"));
    let answer = prompt.types("promote --record ../.git/record");
    assert!(answer.contains("Raise the curtain\n"), "{answer}");
    assert!(prompt.production("/").contains(NEW));

    let answer = prompt.types("rollback --record ../.git/record");
    let record = fs::read_to_string(clone.directory.join(".git/record")).unwrap();
    let recorded = record.lines().map(|line| line.contains("\"state\":\"arrived\""));
    assert_eq!(recorded.collect::<Vec<_>>(), [true, true], "{record}");
    assert!(answer.contains("These commits go away:\n"), "{answer}");
    assert!(answer.contains("Raise the curtain\n"), "{answer}");
    assert!(answer.contains("Rolled back: v1 runs again, as v3."), "{answer}");
    assert_eq!(field(&prompt.production("/release"), "build"), build);
    assert_eq!(field(&prompt.production("/release"), "release"), "v3");
    assert!(prompt.types("rollback v2").contains("production v4 is open"));
    assert!(prompt.production("/").contains(NEW));
    let answer = prompt.types("rollback v9");
    assert!(answer.contains("rehearsal-production has no release v9 to go back to"), "{answer}");
    // The remedy that it names is one that the prompt takes.
    let answer = prompt.types("releases production");
    assert!(answer.contains("v4 by "), "{answer}");
    assert!(answer.contains("Rollback to v2, current\n"), "{answer}");
    drop(prompt.input.take());
    assert_eq!(prompt.ends(), Some(1), "some of it was refused");
}

#[test]
fn a_slug_has_what_a_push_would_bring() {
    let clone = Clone::new("slug");
    let at = |path: &str| clone.directory.join(path);
    // A submodule comes along; a repository that only lies there does not; a link stays a link.
    let props = clone.directory.parent().unwrap().join("props");
    for repository in [&props, &at("nested")] {
        fs::create_dir_all(repository).unwrap();
        fs::write(repository.join("prop"), "A chair.").unwrap();
        let name = repository.to_str().unwrap();
        clone.git(&["-C", name, "init", "--quiet"]);
        clone.git(&["-C", name, "add", "prop"]);
        clone.git(&["-C", name, "commit", "--quiet", "--message", "A chair"]);
    }
    let add = ["-c", "protocol.file.allow=always", "submodule", "--quiet", "add"];
    clone.git(&[&add[..], &[props.to_str().unwrap(), "props"]].concat());
    clone.git(&["commit", "--quiet", "--message", "A chair"]);
    symlink("Procfile", at("Programme")).unwrap();
    symlink("nowhere", at("Nowhere")).unwrap();
    let mut prompt = Prompt::open(&clone);
    let answer = prompt.types("deploy");
    assert!(answer.contains("staging v1 is open"), "{answer}");
    let slug = fs::read_dir(&clone.temporary).unwrap().next().unwrap().unwrap().path();
    assert_eq!(fs::read_to_string(slug.join("props/prop")).unwrap(), "A chair.");
    assert!(!slug.join("nested/prop").exists());
    assert_eq!(fs::read_link(slug.join("Programme")).unwrap(), Path::new("Procfile"));
    assert_eq!(fs::read_link(slug.join("Nowhere")).unwrap(), Path::new("nowhere"));
}

#[test]
fn a_worktree_can_be_rehearsed_in_and_what_has_no_commit_is_told() {
    let clone = Clone::new("worktree");
    clone.git(&["worktree", "add", "--quiet", "../worktree"]);
    let directory = clone.directory.parent().unwrap().join("worktree");
    let worktree = Clone { at: directory.clone(), directory, temporary: clone.temporary.clone() };
    assert!(Prompt::open(&worktree).types("status").contains("nothing was released on staging"));
    fs::remove_dir_all(clone.directory.join(".git")).unwrap();
    clone.git(&["init", "--quiet"]);
    let answer = Prompt::open(&clone).types("deploy");
    assert!(answer.contains("this repository has no commit yet"), "{answer}");
}

#[test]
fn ctrl_c_ends_a_build_at_once() {
    let clone = Clone::new("stopped");
    // One that would take until the test is given up.
    fs::write(clone.directory.join("RustConfig"), "echo building $$ >&2; sleep 3600").unwrap();
    let mut child = clone.pipeline(free_ports()).stderr(Stdio::piped()).spawn().unwrap();
    writeln!(child.stdin.as_mut().unwrap(), "deploy").unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    stderr.read_line(&mut line).unwrap();
    let group = line.trim().strip_prefix("building ").expect("it builds").to_owned();
    let mut prompt =
        Prompt { input: child.stdin.take(), child, output: mpsc::channel().1, ports: [0; 2] };
    prompt.signal("INT");
    assert_eq!(prompt.ends(), Some(1), "what was asked for was not done");
    let group = format!("-{group}");
    let is_there = || Command::new("kill").args(["-0", "--", &group]).output().unwrap().status;
    let deadline = Instant::now() + PATIENCE;
    while is_there().success() {
        assert!(Instant::now() < deadline, "the build goes on");
        thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(clone.left_behind(), 0);
}

#[test]
fn what_a_stage_can_not_run_with_is_refused_there_and_changes_nothing() {
    let clone = Clone::new("refused");
    let mut prompt = Prompt::open(&clone);
    prompt.types("deploy");
    prompt.types("promote");
    let build = field(&prompt.production("/release"), "build");

    // Settings are listed where a release fails, not each time.
    let answer = prompt.types("set production SITE_NAME='A board'");
    assert!(!answer.contains("WEB_CONCURRENCY"), "{answer}");
    let answer = prompt.types("set production WEB_CONCURRENCY=lots");
    assert!(answer.contains("WEB_CONCURRENCY is `lots`"), "{answer}");
    assert!(answer.contains("production v3 failed: its release command ended with exit status: 1"));
    assert_eq!(field(&prompt.production("/release"), "release"), "v2");
    clone.write_message();
    prompt.types("deploy");
    let answer = prompt.types("promote");
    assert!(answer.contains("The release command of v4 failed, so it never ran"), "{answer}");
    assert!(answer.contains("WEB_CONCURRENCY is `lots`"), "{answer}");
    assert!(prompt.types("releases production").contains("failed: its release command ended"));
    assert_eq!(field(&prompt.production("/release"), "build"), build);

    prompt.types("unset production WEB_CONCURRENCY");
    prompt.types("unset production APP_ENV");
    let answer = prompt.types("promote");
    let remedy = "Not promoted: production has no APP_ENV, which app.json requires. \
                  Run: set production APP_ENV=production\n";
    assert!(answer.contains(remedy), "{answer}");
    prompt.types("set production APP_ENV=production");
    assert!(prompt.types("promote").contains("Production runs what was reviewed"));
    assert!(prompt.production("/").contains(NEW));
}

#[test]
fn a_set_variable_is_seen_and_a_password_is_not() {
    let clone = Clone::new("variables");
    let mut prompt = Prompt::open(&clone);
    prompt.types("set staging SITE_NAME='My own board'");
    prompt.types("set staging PREVIEW_PASSWORD=swordfish");
    let mut said = prompt.types("deploy");
    assert!(prompt.staging("/").starts_with("HTTP/1.1 401"));
    let known = "Authorization: Basic OnN3b3JkZmlzaA==\r\n"; // :swordfish
    assert!(get(prompt.ports[0], "/", known).contains("My own board"));
    said += &prompt.types("promote");
    said += &prompt.types("status");
    assert!(said.contains("production runs what staging runs"), "{said}");
    assert!(said.contains("Config vars only on staging: PREVIEW_PASSWORD, SITE_NAME"), "{said}");
    assert!(!said.contains("swordfish"), "{said}");
    prompt.types("unset staging PREVIEW_PASSWORD");
    assert!(prompt.staging("/").contains("My own board"));
}

#[test]
fn no_request_fails_while_a_release_takes_over() {
    let clone = Clone::new("swap");
    let mut prompt = Prompt::open(&clone);
    prompt.types("deploy");
    let (stop, stopped) = mpsc::channel::<()>();
    let port = prompt.ports[0];
    let client = thread::spawn(move || {
        let mut answers = 0;
        while stopped.try_recv().is_err() {
            let answer = get(port, "/health", "");
            assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
            answers += 1;
        }
        answers
    });
    for name in ["One", "Two", "Three"] {
        prompt.types(&format!("set staging SITE_NAME={name}"));
    }
    stop.send(()).unwrap();
    assert!(client.join().unwrap() > 10);
}

#[test]
fn nothing_is_left_behind_however_it_ends() {
    let clone = Clone::new("left-behind");
    for end in ["quit", "end of input", "INT", "TERM", "KILL"] {
        let mut prompt = Prompt::open(&clone);
        writeln!(prompt.input.as_mut().unwrap(), "deploy").unwrap();
        // Where the process itself listens, its log says.
        let log = prompt.until(|log| {
            let log = String::from_utf8_lossy(log);
            log.contains("is open at http://127.0.0.1:")
                && log.split("address=[::]:").nth(1).is_some_and(|rest| rest.contains('\n'))
        });
        let address = log.split("address=[::]:").nth(1).unwrap();
        let process = address.split_whitespace().next().unwrap().parse().unwrap();
        assert!(is_open(process));
        match end {
            "quit" => writeln!(prompt.input.as_mut().unwrap(), "quit").unwrap(),
            "end of input" => drop(prompt.input.take()),
            signal => prompt.signal(signal),
        }
        let code = prompt.ends();
        if end == "KILL" {
            // It could not wait for them, but they end all the same.
            let deadline = Instant::now() + PATIENCE;
            while is_open(process) && Instant::now() < deadline {
                thread::sleep(Duration::from_millis(20));
            }
        } else {
            assert_eq!(code, Some(0), "{end}");
            assert_eq!(clone.left_behind(), 0, "{end}");
        }
        assert!(!is_open(process), "{end}");
    }
}

#[test]
fn a_line_that_says_nothing_is_answered_with_where_to_find_help() {
    let clone = Clone::new("lines");
    let mut prompt = Prompt::open(&clone);
    for line in ["depoly", "set production", "set nowhere A=1", "set staging A", "promote --quick"]
    {
        let answer = prompt.types(line);
        assert!(answer.contains("says nothing here. Type: help"), "{line}: {answer}");
    }
    assert!(prompt.types("help").contains("set STAGE NAME=VALUE"));
    assert!(prompt.types("").ends_with("> "));
}
