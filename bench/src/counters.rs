//! `scripts/bench --counters`: what a request and a message cost, in numbers without noise, against their limits.
//!
//! The edge runs in a process of its own whose allocator counts; strace counts its system calls; the TLS records of an
//! answer are counted by what they add to it. One loop at a time, so that no luck of scheduling is in the numbers.

use gatehouse_bench::load::{Load, Socket, Target, Work, once};
use gatehouse_bench::process::Running;
use gatehouse_bench::tls::{self, NAME, Pair};
use gatehouse_bench::{Outcome, edge, runtime, upstream};
use rustls::crypto::aws_lc_rs::kx_group::X25519;
use rustls_pki_types::ServerName;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, Stdio};
use std::time::Duration;
use tokio::time::sleep;

#[path = "counters/counting.rs"]
mod counting;

const UPSTREAM: &str = "127.0.0.1:26101";
const EDGE: &str = "127.0.0.1:26102";
const SOCKETS: usize = 500;
/// What TLS 1.3 adds to a record: header, type, tag.
const RECORD: f64 = 22.0;
const MIB: f64 = 1_048_576.0;

/// What is counted while a load runs, and the most that is allowed of it per unit.
struct Limit {
    what: &'static str,
    work: Work,
    /// Units of load in one unit of the count.
    per: f64,
    units: u64,
    allocations: f64,
    calls: f64,
}

const LIMITS: [Limit; 5] = [
    limit("HTTP/1.1 request", Work::Http1, 1.0, 2000, 20.0, 6.8),
    limit("HTTP/2 request", Work::Http2(1), 1.0, 2000, 25.0, 7.0),
    limit("WebSocket message, 64 B, and its echo", Work::Echo(64), 1.0, 2000, 2.2, 6.3),
    limit("WebSocket message, 64 KiB, and its echo", Work::Echo(65_536), 1.0, 500, 12.0, 7.5),
    limit("MiB up", Work::Upload, MIB, 64 << 20, 90.0, 35.0),
];
const BYTES_PER_SOCKET: f64 = 7_400.0;
const RECORDS_PER_MIB: f64 = 66.0;

const fn limit(what: &'static str, work: Work, per: f64, units: u64, allocations: f64, calls: f64) -> Limit {
    Limit { what, work, per, units, allocations, calls }
}

fn main() -> Outcome<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["edge", listen, upstream, folder] => {
            edge::main(listen.parse()?, upstream.parse()?, folder.as_ref(), counting::report)
        }
        ["upstream", listen] => runtime()?.block_on(upstream::main(listen.parse()?)),
        [] => runtime()?.block_on(measure()),
        _ => Err("usage: gatehouse-bench-counters".into()),
    }
}

/// The edge in its own process.
struct Edge {
    running: Running,
    log: PathBuf,
    asked: usize,
}

impl Edge {
    /// Allocations so far, and bytes held now.
    async fn count(&mut self) -> Outcome<(f64, f64)> {
        self.asked += 1;
        writeln!(self.running.input()?, "count")?;
        for _ in 0..1000 {
            let lines = BufReader::new(std::fs::File::open(&self.log)?).lines().map_while(Result::ok);
            let answers: Vec<String> = lines.filter(|line| line.starts_with("count ")).collect();
            if let Some(answer) = answers.get(self.asked - 1) {
                let mut numbers = answer.split(' ').skip(1).map(str::parse::<f64>);
                let (Some(Ok(first)), Some(Ok(second))) = (numbers.next(), numbers.next()) else { break };
                return Ok((first, second));
            }
            sleep(Duration::from_millis(5)).await;
        }
        Err("the edge does not count".into())
    }
}

async fn measure() -> Outcome<()> {
    let folder = std::env::temp_dir().join(format!("gatehouse-counters-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    for kind in ["ecdsa", "rsa"] {
        Pair::make(kind)?.write(&folder, kind)?;
    }
    let result = measure_in(&folder).await;
    std::fs::remove_dir_all(&folder)?;
    if result? == 0 { Ok(()) } else { Err("a counter is over its limit".into()) }
}

async fn measure_in(folder: &Path) -> Outcome<usize> {
    let program = std::env::current_exe()?;
    let arguments = ["upstream".to_owned(), UPSTREAM.to_owned()];
    let _upstream = Running::start(0, &program, &arguments, &folder.join("upstream.out"))?;
    let arguments = ["edge", EDGE, UPSTREAM, &folder.display().to_string()].map(str::to_owned);
    let log = folder.join("edge.out");
    let mut edge = Edge { running: Running::start(0, &program, &arguments, &log)?, log, asked: 0 };
    let mut target = Target {
        address: EDGE.parse::<SocketAddr>()?,
        name: ServerName::try_from(NAME)?,
        config: tls::client(X25519, "http/1.1")?,
    };
    let mut ready = false;
    for _ in 0..500 {
        // The edge and what is behind it.
        ready = matches!(once(&target, "/status").await, Ok(200));
        if ready {
            break;
        }
        sleep(Duration::from_millis(20)).await;
    }
    if !ready {
        return Err("the edge does not start".into());
    }
    let mut over = 0;
    for limit in &LIMITS {
        let alpn = if matches!(limit.work, Work::Http2(_)) { "h2" } else { "http/1.1" };
        target.config = tls::client(X25519, alpn)?;
        let load = Load::start(limit.work, &target, 1);
        reach(&load, limit.units / 10).await?;
        over += check(
            limit.what,
            "allocations",
            limit.allocations,
            least(limit.allocations, async || {
                let (begun, before) = (load.tally().units(), edge.count().await?.0);
                reach(&load, begun + limit.units).await?;
                Ok((edge.count().await?.0 - before) * limit.per / units(&load, begun))
            })
            .await?,
        );
        let strace = folder.join("strace");
        let process = edge.running.id();
        if Trace::attach(process, &strace)?.map(Trace::calls).is_some() {
            let calls = least(limit.calls, async || {
                let trace = Trace::attach(process, &strace)?.ok_or("strace does not attach any more")?;
                let begun = load.tally().units();
                reach(&load, begun + limit.units).await?;
                let done = units(&load, begun);
                Ok(trace.calls()? * limit.per / done)
            });
            over += check(limit.what, "system calls", limit.calls, calls.await?);
        } else if std::env::var_os("CI").is_some() {
            return Err("strace does not work here".into());
        } else {
            say(&format!("{}: system calls not counted, strace does not work here", limit.what));
        }
        if load.tally().failures() > 0 {
            return Err("a loop broke".into());
        }
        load.stop().await;
    }
    target.config = tls::client(X25519, "http/1.1")?;
    let weighed = least(RECORDS_PER_MIB, async || records(&target).await).await?;
    over += check("MiB down", "TLS records", RECORDS_PER_MIB, weighed);
    over += check("idle WebSocket", "bytes on the heap", BYTES_PER_SOCKET, idle(&mut edge, &target).await?);
    Ok(over)
}

/// The count; one over its limit is taken again, up to three times in all. What a change of ours costs is in every one of
/// them, what the rest of the machine did to one is not.
async fn least(limit: f64, mut count: impl AsyncFnMut() -> Outcome<f64>) -> Outcome<f64> {
    let mut least = count().await?;
    for _ in 0..2 {
        if least <= limit {
            break;
        }
        least = least.min(count().await?);
    }
    Ok(least)
}

/// Waits until so many units are done.
async fn reach(load: &Load, units: u64) -> Outcome<()> {
    for _ in 0..60_000 {
        if load.tally().units() >= units {
            return Ok(());
        }
        sleep(Duration::from_millis(1)).await;
    }
    Err("the load stands still".into())
}

#[expect(clippy::cast_precision_loss, reason = "no count comes near 2^52")]
fn units(load: &Load, begun: u64) -> f64 {
    (load.tally().units() - begun) as f64
}

fn check(what: &str, unit: &str, limit: f64, value: f64) -> usize {
    let over = value > limit;
    say(&format!("{what}: {value:.1} {unit}, at most {limit:.1}{}", if over { "  OVER" } else { "" }));
    usize::from(over)
}

/// Heap bytes of one idle WebSocket, everything behind it included.
async fn idle(edge: &mut Edge, target: &Target) -> Outcome<f64> {
    let mut sockets = Vec::new();
    let mut before = 0.0;
    for index in 0..SOCKETS + 20 {
        // The first ones fill tables and pools that the others share.
        if index == 20 {
            sleep(Duration::from_millis(300)).await;
            before = edge.count().await?.1;
        }
        let mut socket = Socket::open(target).await?;
        if !socket.is_alive().await {
            return Err("no echo".into());
        }
        sockets.push(socket);
    }
    sleep(Duration::from_millis(300)).await;
    let sockets = f64::from(u32::try_from(SOCKETS)?);
    Ok((edge.count().await?.1 - before) / sockets)
}

/// TLS records per MiB of a large answer.
async fn records(target: &Target) -> Outcome<f64> {
    let (cipher, plain) = gatehouse_bench::load::weigh(target).await?;
    #[expect(clippy::cast_precision_loss, reason = "no count comes near 2^52")]
    let (cipher, plain) = (cipher as f64, plain as f64);
    Ok((cipher - plain) / RECORD / (plain / MIB))
}

/// A running strace.
struct Trace {
    child: Child,
    _errors: BufReader<ChildStderr>,
    output: PathBuf,
}

impl Trace {
    /// `None` where strace is missing or may not attach.
    fn attach(id: u32, output: &Path) -> Outcome<Option<Self>> {
        let strace = Command::new("strace")
            .args(["-f", "-c", "-U", "calls,name", "-p", &id.to_string(), "-o"])
            .arg(output)
            .stderr(Stdio::piped())
            .spawn();
        let Ok(mut child) = strace else { return Ok(None) };
        let Some(errors) = child.stderr.take() else { return Ok(None) };
        let mut errors = BufReader::new(errors);
        let mut line = String::new();
        errors.read_line(&mut line)?;
        if !line.contains("attached") {
            child.wait()?;
            return Ok(None);
        }
        Ok(Some(Self { child, _errors: errors, output: output.to_owned() }))
    }

    /// Ends it; says how many system calls it has seen.
    fn calls(mut self) -> Outcome<f64> {
        Command::new("kill").args(["-INT", &self.child.id().to_string()]).status()?;
        self.child.wait()?;
        let text = std::fs::read_to_string(&self.output)?;
        let total = text.lines().find_map(|line| line.trim().strip_suffix("total"));
        Ok(total.ok_or("no total")?.trim().parse()?)
    }
}

fn say(text: &str) {
    // Whoever closed the pipe does not want to know.
    let _ = writeln!(std::io::stdout(), "{text}");
}
