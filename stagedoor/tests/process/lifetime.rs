//! The process: its command line, its start, its log, its end.

use std::env;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::os::unix::fs::OpenOptionsExt;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use serde_json::Value;
use testbed::{Connection, Killed, Ran, directory, port_in, rows};

use crate::support::{command, name, names, program, run, start};

#[test]
fn without_a_command_it_serves_as_with_serve() {
    for arguments in [&[][..], &["serve"]] {
        let service = program().start_with(arguments, &[]);
        assert!(service.get("/").text().contains(&service.message()));
    }
}

#[test]
fn help_and_version_are_told_on_standard_output() {
    for argument in ["--help", "-h"] {
        let help = run(&[argument], &[]);
        assert_eq!(help.code, Some(0));
        let usage = format!("Usage: {} [COMMAND]\n", name());
        assert!(help.stdout.starts_with(&usage), "{}", help.stdout);
    }
    for argument in ["--version", "-V"] {
        let version = run(&[argument], &[]);
        assert_eq!(version.code, Some(0));
        let expected = format!("{} {}", name(), env!("CARGO_PKG_VERSION"));
        assert!(version.stdout.starts_with(&expected), "{}", version.stdout);
    }
}

#[test]
fn any_other_command_line_is_an_error_with_the_usage() {
    for arguments in [&["chek"][..], &["serve", "now"], &["check", "--all"], &["--port"], &[""]] {
        let refused = run(arguments, &[]);
        assert_eq!(refused.code, Some(2), "{arguments:?}");
        assert_eq!(refused.stdout, "");
        let quoted = format!("{} does not know `{}`.", name(), arguments.join(" "));
        assert!(refused.stderr.starts_with(&quoted), "{}", refused.stderr);
        assert!(refused.stderr.contains("\n\nUsage: "), "{}", refused.stderr);
    }
}

#[test]
fn check_succeeds_on_an_app_without_any_variable_as_at_the_first_push() {
    let check = run(&["check"], &[("DYNO", "release.1234")]);
    assert_eq!(check.code, Some(0));
    assert!(check.stdout.contains("Notice: APP_ENV is not set"), "{}", check.stdout);
}

#[test]
fn check_fails_and_the_service_refuses_to_start_with_the_same_report() {
    let wrong = [
        ("DYNO", "web.1"),
        ("HEROKU_APP_NAME", "myapp"),
        ("APP_ENV", "prod"),
        ("LOG_FORMAT", "JSON"),
    ];
    let check = run(&["check"], &wrong);
    let serve = run(&[], &wrong);
    assert_eq!((check.code, serve.code), (Some(1), Some(1)));
    assert_eq!(serve.stdout, "");
    assert!(
        serve.stderr.contains("APP_ENV is `prod`") && serve.stderr.contains("LOG_FORMAT is `JSON`")
    );
    let command = "heroku config:set APP_ENV=production LOG_FORMAT=json --app myapp\n";
    assert!(serve.stderr.ends_with(command), "{}", serve.stderr);
    assert!(check.stdout.ends_with(&serve.stderr), "{}", check.stdout);
}

#[test]
fn the_command_in_the_report_fixes_it() {
    let wrong = [("APP_ENV", "stage"), ("SITE_NAME", "Bob's\nBoard\n"), ("FORCE_HTTPS", "off")];
    let check = run(&["check"], &wrong);
    let command = check.stdout.lines().find(|line| line.trim().starts_with("export ")).unwrap();
    let shell = format!("{command}; exec {} check", program().executable.display());
    let mut fixed = Command::new("sh");
    fixed.args(["-c", &shell]).env_clear().envs(wrong).current_dir(directory());
    let fixed = Ran::from(fixed.output().unwrap());
    assert_eq!(fixed.code, Some(0), "{fixed:?}");
    let names = [("APP_ENV", "staging"), ("SITE_NAME", "Bob's Board"), ("FORCE_HTTPS", "false")];
    for (name, value) in names {
        let row = rows(&fixed.stdout).into_iter().find(|row| row[0] == name).unwrap();
        assert_eq!(row[1], value, "{fixed:?}");
    }
}

#[test]
fn nobody_reading_what_is_printed_changes_no_exit_code() {
    let unread = || {
        TcpListener::bind(("127.0.0.1", 0)).map(|listener| {
            let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            stream.shutdown(Shutdown::Write).unwrap(); // each write is a broken pipe
            Stdio::from(OwnedFd::from(stream))
        })
    };
    let wrong = [("PORT", "http")];
    let table = [
        (&["check"][..], &[][..], 0),
        (&["check"], &wrong, 1),
        (&[], &wrong, 1),
        (&["chek"], &[], 2),
    ];
    for (arguments, variables, code) in table {
        let mut command = command(variables);
        command.args(arguments).stdout(unread().unwrap()).stderr(unread().unwrap());
        assert_eq!(command.status().unwrap().code(), Some(code), "{arguments:?}");
    }
}

#[test]
fn dot_env_is_read_from_the_current_directory_under_the_environment() {
    let mut command = command(&[("SITE_NAME", "from outside")]);
    let here = directory();
    fs::write(here.join(".env"), "SITE_NAME=inside\nWEB_CONCURRENCY=3\n").unwrap();
    let check = Ran::from(command.arg("check").current_dir(here).output().unwrap());
    let row = |name: &str| check.stdout.lines().find(|line| line.starts_with(name)).unwrap();
    let words = |name| row(name).split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(words("SITE_NAME"), "SITE_NAME from outside (environment)");
    assert_eq!(words("WEB_CONCURRENCY"), "WEB_CONCURRENCY 3 (.env)");
}

#[cfg(unix)]
#[test]
fn bytes_that_are_not_utf8_are_a_problem_in_a_setting_and_none_elsewhere() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    let bytes = OsStr::from_bytes(b"\xff\xfe");
    let elsewhere = command(&[]).env("OTHER", bytes).env(bytes, "x").arg("check").output().unwrap();
    assert_eq!(Ran::from(elsewhere).code, Some(0));
    for name in &names() {
        let refused = Ran::from(command(&[]).env(name, bytes).arg("check").output().unwrap());
        assert_eq!(refused.code, Some(1), "{name}");
        assert!(refused.stdout.contains("One problem:"), "{name}: {}", refused.stdout);
    }
}

#[test]
fn one_line_at_start_says_address_environment_release_and_workers() {
    let variables = [
        ("APP_ENV", "production"),
        ("HEROKU_RELEASE_VERSION", "v42"),
        ("WEB_CONCURRENCY", "3"),
        ("SITE_NAME", "Mine"),
    ];
    let service = start(&variables);
    let port = service.port;
    let [line] = &service.log[..] else { panic!("{:#?}", service.log) };
    let line: Value = serde_json::from_str(line).unwrap();
    assert_eq!(line["message"], format!("Mine is open at http://localhost:{port}"));
    assert_eq!(line["environment"], "production");
    assert_eq!(line["release"], "v42");
    assert_eq!(line["workers"], 3);
}

#[test]
fn notices_are_warnings_at_start() {
    let service = start(&[("APP_ENV", "staging")]);
    let line: Value = serde_json::from_str(&service.log[0]).unwrap();
    assert_eq!(line["level"], "WARN");
    assert!(line["message"].as_str().unwrap().starts_with("Anyone can open this staging site"));
}

#[test]
fn production_listens_on_ipv4_and_where_there_is_ipv6_on_that_too() {
    let service = start(&[("APP_ENV", "production")]);
    assert_eq!(service.get("/health").status, 200);
    if TcpListener::bind(("::1", 0)).is_ok() {
        let mut stream = TcpStream::connect(("::1", service.port)).unwrap();
        write!(stream, "GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    }
}

#[test]
fn a_taken_port_is_one_line_that_says_what_to_do() {
    let taken = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let refused = run(&[], &[("PORT", &port)]);
    assert_eq!(refused.code, Some(1));
    assert_eq!(refused.stderr.lines().count(), 1, "{}", refused.stderr);
    let start = format!("{}: port {port} is taken.", name());
    assert!(refused.stderr.starts_with(&start), "{}", refused.stderr);
    assert!(refused.stderr.contains("PORT="), "{}", refused.stderr);
}

#[test]
fn an_address_that_is_not_here_is_one_line_that_says_what_to_do() {
    // TEST-NET-1 (RFC 5737) is nobody's.
    let refused = run(&[], &[("PORT", "0"), ("HOST", "192.0.2.1")]);
    assert_eq!(refused.code, Some(1));
    let expected =
        "this machine has no address 192.0.2.1. Unset HOST, or choose one it has: HOST=127.0.0.1";
    let expected = format!("{}: {expected}\n", name());
    assert_eq!(refused.stderr, expected);
}

#[test]
#[cfg(target_os = "linux")]
fn too_few_files_are_one_line_that_says_what_to_do() {
    let mut limited = Command::new("sh");
    limited.args(["-c", "ulimit -n 40; exec \"$0\""]).arg(&program().executable);
    limited.env_clear().env("PORT", "0").current_dir(directory());
    let refused = limited.output().unwrap();
    assert_eq!(refused.status.code(), Some(1));
    let stderr = String::from_utf8(refused.stderr).unwrap();
    let start = format!("{}: this process may not open the ", name());
    assert!(stderr.starts_with(&start), "{stderr}");
    assert!(stderr.ends_with("Raise the limit: ulimit -n 1024\n"), "{stderr}");
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
    assert_eq!(String::from_utf8_lossy(&refused.stdout), "");
}

#[test]
fn what_is_no_request_leaves_a_line_that_says_why_and_who() {
    let too_many = format!("GET / HTTP/1.1\r\nHost: x\r\n{}\r\n", "X: y\r\n".repeat(200));
    let refused = [
        ("GET /?q=\"quoted\" HTTP/1.1\r\nHost: x\r\n\r\n", 400, ""),
        ("GET /b\u{fc}hne HTTP/1.1\r\nHost: x\r\n\r\n", 400, "invalid uri character"),
        ("GET / HTTP/1.1\r\nHost: x\r\nBad header\r\n\r\n", 400, "invalid Header provided"),
        ("EHLO mail.example\r\n\r\n", 400, ""),
        (&too_many, 431, "message head is too large"),
    ];
    for (request, status, reason) in refused {
        let mut service = start(&[("LOG_FORMAT", "json")]);
        let answer = service.send(request.as_bytes());
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
        let line = service.wait_for("refused before it reached the app");
        let line: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(line["target"], "stagedoor::request");
        assert_eq!(line["status"], status, "{request}");
        assert_eq!(line["client"], "127.0.0.1");
        let told = line["reason"].as_str().unwrap();
        assert!(!told.is_empty() && told.contains(reason), "{told}");
    }
}

#[test]
fn who_asks_before_a_body_is_sent_is_told_of_a_refusal_instead_of_to_go_on() {
    let variables = [("APP_ENV", "staging"), ("PREVIEW_PASSWORD", "open sesame now")];
    let refused =
        [("Host: x", 401), ("Host: x/y", 400), ("Host: x\r\nX-Forwarded-Proto: http", 308)];
    for (headers, status) in refused {
        let mut service = start(&variables);
        let request = format!(
            "POST / HTTP/1.1\r\n{headers}\r\nExpect: 100-continue\r\nContent-Length: 9\r\n\r\n"
        );
        let answer = service.send(request.as_bytes());
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
        assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{answer}");
        let id = answer.split("x-request-id: ").nth(1).unwrap().split("\r\n").next().unwrap();
        let line = service.wait_for(id);
        assert!(line.contains(&format!("\"status\":{status}")), "{line}");
        assert!(answer.contains("connection: close"), "{answer}");
    }
    let service = start(&[]);
    let mut stream = service.connect();
    write!(
        stream,
        "GET / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"
    )
    .unwrap();
    let mut answer = [0; 21];
    stream.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"HTTP/1.1 100 Continue");
}

#[test]
fn a_request_is_one_json_line_without_its_query() {
    let mut service = start(&[("APP_ENV", "production"), ("HEROKU_RELEASE_VERSION", "v42")]);
    let id = "0123456789-abcdefghij";
    let headers = [("x-request-id", id), ("x-forwarded-for", "10.0.0.1, 203.0.113.7")];
    service.ask("GET", "/nowhere?token=swordfish", &headers);
    let line: Value = serde_json::from_str(&service.wait_for("\"request_id\"")).unwrap();
    assert_eq!(line["level"], "INFO");
    assert_eq!(line["method"], "GET");
    assert_eq!(line["path"], "/nowhere");
    assert_eq!(line["status"], 404);
    assert!(line["duration_us"].is_u64());
    assert_eq!(line["request_id"], id);
    assert_eq!(line["client"], "203.0.113.7");
    assert_eq!(line["release"], "v42");
    let (_, log) = service.stop();
    assert!(!log.join("\n").contains("swordfish"), "{log:#?}");
}

#[test]
fn the_client_is_the_last_entry_that_the_router_wrote_else_the_peer() {
    let mut service = start(&[("LOG_FORMAT", "json"), ("HOST", "::")]);
    let table = [
        (vec![], "127.0.0.1"),
        (vec![("x-forwarded-for", "6.6.6.6, 203.0.113.7")], "203.0.113.7"),
        (vec![("x-forwarded-for", "6.6.6.6"), ("x-forwarded-for", "2001:db8::1")], "2001:db8::1"),
        (vec![("x-forwarded-for", "not an address")], "127.0.0.1"),
        (vec![("forwarded", "for=6.6.6.6")], "127.0.0.1"),
    ];
    for (headers, client) in table {
        service.ask("GET", "/", &headers);
        let line: Value = serde_json::from_str(&service.wait_for("\"request_id\"")).unwrap();
        assert_eq!(line["client"], client, "{headers:?}");
    }
}

#[test]
fn what_is_asked_over_and_over_is_logged_at_debug_as_long_as_it_succeeds() {
    let asked = |log: &[String], path| log.iter().any(|line| line.contains(path));
    let service = start(&[]);
    for path in ["/health", "/release", "/robots.txt"] {
        service.get(path);
    }
    let (_, log) = service.stop();
    assert!(!asked(&log, "/health") && !asked(&log, "/release"), "{log:#?}");
    assert!(asked(&log, "/robots.txt"), "{log:#?}");

    let service = start(&[("PREVIEW_PASSWORD", "swordfish and more")]);
    service.ask("POST", "/health", &[]);
    service.get("/release");
    let (_, log) = service.stop();
    assert!(asked(&log, "/health") && asked(&log, "/release"), "405 and 401: {log:#?}");

    let service = start(&[("RUST_LOG", "debug")]);
    service.get("/health");
    service.get("/release");
    let (_, log) = service.stop();
    assert!(asked(&log, "/health") && asked(&log, "/release"), "{log:#?}");
}

#[test]
fn a_line_stays_under_herokus_10_000_bytes() {
    for format in ["json", "text"] {
        let service = start(&[("LOG_FORMAT", format)]);
        let path = "/\"".repeat(4_000);
        let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        assert!(service.send(request.as_bytes()).starts_with("HTTP/1.1 404"));
        let method = "M".repeat(8_000);
        let request = format!("{method} / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        assert!(service.send(request.as_bytes()).starts_with("HTTP/1.1 405"));
        let (_, log) = service.stop();
        assert_eq!(log.iter().filter(|line| line.contains("request_id")).count(), 2, "{format}");
        assert!(log.iter().all(|line| line.len() < 10_000), "{format}");
    }
}

#[test]
fn requests_go_on_while_nobody_reads_the_log_and_what_is_dropped_is_counted() {
    const REQUESTS: u64 = 2_000; // of 2 KB each: more than a pipe and the waiting lines hold
    let mut command = command(&[("PORT", "0"), ("LOG_FORMAT", "json")]);
    let mut child = Killed(command.stdout(Stdio::piped()).spawn().unwrap());
    let mut log = BufReader::new(child.0.stdout.take().unwrap());
    let mut line = String::new();
    log.read_line(&mut line).unwrap();
    let port = port_in(&line);

    let mut connection = Connection::open(port);
    let path = format!("/{}", "x".repeat(2_000));
    for _ in 0..REQUESTS {
        assert!(connection.get(&path).is_some());
    }
    let reader = thread::spawn(move || {
        let lines = log.lines().map(|line| serde_json::from_str::<Value>(&line.unwrap()).unwrap());
        lines.fold((0, 0), |(written, dropped), line| match line["dropped"].as_u64() {
            Some(more) => (written, dropped + more),
            None => (written + u64::from(line["request_id"].is_string()), dropped),
        })
    });
    child.signal("TERM");
    assert_eq!(child.0.wait().unwrap().code(), Some(0));
    let (written, dropped) = reader.join().unwrap();
    assert!(dropped > 0 && written > 0, "{written} written, {dropped} dropped");
    assert_eq!(written + dropped, REQUESTS);
}

#[test]
fn no_line_is_lost_to_a_pipe_that_is_not_waited_for() {
    // Of 1.5 KB each: more than a pipe holds.
    assert_eq!(logged_to_a_pipe_that_is_read_late(200), (200, 0));
}

#[test]
fn what_a_pipe_does_not_take_is_dropped_beyond_a_limit_and_counted() {
    // 4.5 MB, of which 1 MiB may wait in each of two places.
    let (logged, dropped) = logged_to_a_pipe_that_is_read_late(3_000);
    assert!(dropped > 0, "{logged} are logged");
    assert_eq!(logged + dropped, 3_000);
}

/// How many lines of so many requests are logged, and how many are said to be dropped.
fn logged_to_a_pipe_that_is_read_late(requests: usize) -> (usize, usize) {
    let pipe = directory().join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    // Who opens one end would wait for the other.
    let both = File::options().read(true).write(true).open(&pipe).unwrap();
    let writer = File::options().write(true).custom_flags(libc::O_NONBLOCK).open(&pipe).unwrap();
    let reader = File::open(&pipe).unwrap();
    drop(both);
    let mut command = command(&[("PORT", "0"), ("LOG_FORMAT", "json")]);
    let mut child = Killed(command.stdout(writer).spawn().unwrap());
    drop(command); // and with it our end of the pipe
    let mut log = BufReader::new(reader);
    let mut line = String::new();
    log.read_line(&mut line).unwrap();
    let mut connection = Connection::open(port_in(&line));
    let path = format!("/{}", "x".repeat(1_400));
    for _ in 0..requests {
        assert!(connection.get(&path).is_some());
    }
    let reader = thread::spawn(move || {
        let (mut logged, mut dropped) = (0, 0);
        for line in log.lines() {
            let line: Value = serde_json::from_str(&line.unwrap()).unwrap();
            logged += usize::from(line["request_id"].is_string());
            dropped += line["dropped"].as_u64().unwrap_or(0);
        }
        (logged, usize::try_from(dropped).unwrap())
    });
    child.signal("TERM");
    assert_eq!(child.0.wait().unwrap().code(), Some(0));
    reader.join().unwrap()
}

#[test]
fn what_is_logged_just_before_the_end_is_written() {
    let service = start(&[("LOG_FORMAT", "json")]);
    let mut connection = Connection::open(service.port);
    for _ in 0..100 {
        connection.get("/").unwrap();
    }
    let (_, log) = service.stop();
    assert_eq!(log.iter().filter(|line| line.contains("request_id")).count(), 100);
}

#[test]
fn head_answers_the_headers_of_get_and_no_body() {
    let service = start(&[]);
    for path in ["/", "/release", "/health", "/robots.txt", "/nowhere"] {
        let get = service.get(path);
        let request = format!("HEAD {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        let head = service.send(request.as_bytes());
        let (head, body) = head.split_once("\r\n\r\n").unwrap();
        assert_eq!(body, "", "{path}");
        let length = format!("\r\ncontent-length: {}\r\n", get.body.len());
        assert!(head.contains(&length), "{path}: {head}");
        assert!(head.contains("content-security-policy"), "{path}: {head}");
    }
}

#[test]
fn sigterm_ends_it_with_0_even_with_an_idle_connection_open_and_a_second_one_changes_nothing() {
    let service = start(&[]);
    let mut idle = Connection::open(service.port);
    assert!(idle.get("/health").is_some_and(|reply| reply.status == 200));
    service.signal("TERM");
    service.signal("TERM");
    let (status, log) = service.wait();
    assert_eq!(status.code(), Some(0), "{log:#?}");
    assert!(log.last().unwrap().contains("has stopped"), "{log:#?}");
}

#[test]
fn what_asks_to_stop_at_once_ends_it_with_0_and_loses_no_line() {
    for signal in ["INT", "QUIT", "HUP"] {
        let service = start(&[]);
        assert_eq!(service.get("/nowhere").status, 404);
        service.signal(signal);
        let (status, log) = service.wait();
        assert_eq!(status.code(), Some(0), "{signal}");
        assert!(log.iter().any(|line| line.contains("/nowhere")), "{signal}: {log:#?}");
        assert!(log.last().unwrap().contains("has stopped"), "{signal}: {log:#?}");
    }
}

#[test]
fn ctrl_c_ends_a_stop_that_waits_for_connections() {
    let service = start(&[]);
    let mut idle = Connection::open(service.port);
    assert!(idle.get("/health").is_some());
    service.signal("TERM");
    service.signal("INT");
    let (status, log) = service.wait();
    assert_eq!(status.code(), Some(0), "{log:#?}");
    assert!(log.iter().any(|line| line.contains("told to stop at once")), "{log:#?}");
}

#[test]
fn an_idle_connection_is_kept_for_longer_than_actix_would() {
    let service = start(&[]);
    let mut idle = Connection::open(service.port);
    for pause in [0, 6] {
        // actix's own 5 s are shorter than the router's 90: H13. Ours are 95, too long to wait for here.
        thread::sleep(Duration::from_secs(pause));
        let reply = idle.get("/health");
        assert!(reply.is_some_and(|reply| reply.body_length == "ok\n".len()), "after {pause} s");
    }
}
