//! `cargo bench`: what the whole service costs, next to a bare actix-web handler that sends the same page.
//!
//! Each has one worker on one processor core, and is asked over loopback, by hyper's client, from another.
//! They take turns: ratios are made within a round, so that a machine that changes its pace does not
//! matter, and their median counts. `cargo bench -- 21` runs 21 rounds instead of nine. Linux only, since
//! what a process takes is read from /proc.

use std::env;
use std::process::ExitCode;

use load::{Measured, Request};
use rustix::process::{Resource, getrlimit};
use server::Server;
use table::{Limit, Table};

mod bare;
mod cores;
mod load;
mod server;
mod table;

const ROUNDS: usize = 9;
const STARTS: usize = 21;
const IDLE_CONNECTIONS: usize = 10_000;

fn main() -> ExitCode {
    let arguments: Vec<_> = env::args().skip(1).filter(|word| word != "--bench").collect();
    if let [word, port] = &arguments[..]
        && word == "bare"
    {
        bare::serve(port.parse().expect("a port"));
        return ExitCode::SUCCESS;
    }
    let rounds = arguments.first().map_or(Ok(ROUNDS), |rounds| rounds.parse());
    let rounds = rounds.expect("the argument is a number of rounds");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let table = runtime.expect("a runtime").block_on(measure(rounds));
    print!("\n{table}");
    if table.is_within_limits() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

async fn measure(rounds: usize) -> Table {
    let files = getrlimit(Resource::Nofile).current;
    let is_enough = files.is_none_or(|files| files >= 11_000); // 10,000 connections, and some spare
    assert!(is_enough, "run `ulimit -n 11000` first: 10,000 connections are held open");
    let mut table = Table::default();
    let callboard = Server::callboard();
    let page = load::page(callboard.port).await;
    let bare = Server::bare(&page.body);
    table.add("resident, idle", "MiB", [bare.resident(), callboard.resident()], Limit::Is(16.0));

    // The name, the request, and the share of bare's requests per second that Callboard must reach.
    let requests = [
        ("page", Request::default(), 0.9),
        ("304", Request { if_none_match: Some(page.etag), ..Request::default() }, 0.95),
        ("new connection", Request { on_new_connection: true, ..Request::default() }, 0.95),
    ];
    for round in 1..=rounds {
        for (name, request, at_least) in &requests {
            // Take turns at going first: the second may find a busier machine.
            let both = if round % 2 == 0 {
                let callboard = load::run(&callboard, request).await;
                [load::run(&bare, request).await, callboard]
            } else {
                let bare = load::run(&bare, request).await;
                [bare, load::run(&callboard, request).await]
            };
            println!("{round}/{rounds}  {name:<14}  bare {}  Callboard {}", both[0], both[1]);
            let mut add = |what, unit, of: fn(&Measured) -> f64, limit| {
                table.add(&format!("{name}: {what}"), unit, both.each_ref().map(of), limit);
            };
            let is_page = *name == "page";
            let at_most = |ratio| if is_page { Limit::AtMost(ratio) } else { Limit::None };
            add("requests", "/s", |load| load.requests_per_second, Limit::AtLeast(*at_least));
            add("processor time", "µs", |load| load.processor_time, at_most(1.15));
            add("median latency", "µs", |load| load.median, Limit::None);
            add("99th percentile", "µs", |load| load.percentile_99, at_most(1.3));
        }
    }
    let peaks = [bare.peak_resident(), callboard.peak_resident()];
    table.add("resident, under load", "MiB", peaks, Limit::Is(24.0));

    println!("{IDLE_CONNECTIONS} idle connections to each");
    let held = [idle_connection(&bare).await, idle_connection(&callboard).await];
    table.add("an idle connection", "KiB", held, Limit::None);

    println!("{STARTS} starts of each");
    drop([bare, callboard]);
    for _ in 0..STARTS {
        let first_answers =
            [Server::bare(&page.body), Server::callboard()].map(|server| server.first_answer);
        table.add("start to first answer", "ms", first_answers, Limit::Is(20.0));
    }
    table
}

/// How much memory each of many open connections takes, in KiB, after one request.
async fn idle_connection(server: &Server) -> f64 {
    let before = server.resident();
    let connections = load::hold(server.port, IDLE_CONNECTIONS).await;
    let during = server.resident();
    drop(connections);
    #[expect(clippy::cast_precision_loss, reason = "it is far below 2^52")]
    let count = IDLE_CONNECTIONS as f64;
    (during - before) * 1024.0 / count
}
