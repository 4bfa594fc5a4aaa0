//! The run: what is measured, in which order, and the report.

use crate::Outcome;
use crate::load::{Load, Socket, Target, Work, once, statuses};
use crate::peers::{Peer, Place, Server};
use crate::process::Running;
use crate::table::{Results, Row};
use crate::tls::{self, NAME, Pair};
use rustls::crypto::SupportedKxGroup;
use rustls::crypto::aws_lc_rs::kx_group::{X25519, X25519MLKEM768};
use rustls_pki_types::ServerName;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::{Duration, Instant};
use tokio::time::sleep;

/// The core of the upstream and of the load.
const CORE: usize = 1;
const UPSTREAM_PORT: u16 = 26_100;
const FIRST_PORT: u16 = 26_110;
/// From the start of a load to the first reading of its cost.
const WARM: Duration = Duration::from_millis(300);

/// What the command line asks for.
#[derive(Debug)]
pub struct Options {
    rounds: usize,
    /// How long each load is measured.
    window: Duration,
    /// Only tests whose names contain one of these.
    only: Vec<String>,
    peers: Vec<String>,
    listen: std::net::IpAddr,
    json: Option<PathBuf>,
    markdown: Option<PathBuf>,
    folder: PathBuf,
}

impl Options {
    /// `--name value` pairs.
    pub fn parse(words: &[&str]) -> Outcome<Self> {
        let mut options = Self {
            rounds: 3,
            window: Duration::from_millis(2000),
            only: Vec::new(),
            peers: Vec::new(),
            listen: [127, 0, 0, 1].into(),
            json: None,
            markdown: None,
            folder: std::env::temp_dir().join(format!("gatehouse-bench-{}", std::process::id())),
        };
        for pair in words.chunks(2) {
            match *pair {
                ["--rounds", rounds] => options.rounds = rounds.parse()?,
                ["--window-ms", window] => options.window = Duration::from_millis(window.parse()?),
                ["--only", names] => options.only = names.split(',').map(str::to_owned).collect(),
                ["--peer", command] => options.peers.push(command.to_owned()),
                ["--listen", address] => options.listen = address.parse()?,
                ["--json", path] => options.json = Some(path.into()),
                ["--markdown", path] => options.markdown = Some(path.into()),
                _ => return Err(format!("unknown option: {}", pair.join(" ")).into()),
            }
        }
        Ok(options)
    }

    fn wants(&self, name: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|only| name.contains(only.as_str()))
    }
}

/// A load whose cost in CPU time is measured.
struct Test {
    name: &'static str,
    row: Row,
    work: Work,
    loops: usize,
    rsa: bool,
    exchange: &'static dyn SupportedKxGroup,
    /// Units (requests, handshakes, messages, bytes) per unit of the row, and seconds per the row's unit of time.
    scale: f64,
}

fn tests() -> Vec<Test> {
    let mut order = 0;
    let mut test = |name, what, unit, work, loops, scale| {
        order += 1;
        let row = Row { order, what, unit, is_count: false };
        Test { name, row, work, loops, rsa: false, exchange: X25519, scale }
    };
    let micros = 1e6;
    let gib = f64::from(1 << 30);
    let mut tests = vec![
        test("h1", "HTTP/1.1 request", "µs CPU", Work::Http1, 32, micros),
        test("h2", "HTTP/2 request", "µs CPU", Work::Http2(8), 8, micros),
        test("handshake-ecdsa", "TLS 1.3 handshake, ECDSA, X25519", "µs CPU", Work::Handshake, 8, micros),
        test("handshake-rsa", "TLS 1.3 handshake, RSA-2048, X25519", "µs CPU", Work::Handshake, 8, micros),
        test(
            "handshake-pq",
            "TLS 1.3 handshake, ECDSA, X25519MLKEM768",
            "µs CPU",
            Work::Handshake,
            8,
            micros,
        ),
        test("ws-64", "WebSocket echo, 64 B", "µs CPU", Work::Echo(64), 100, micros),
        test("ws-64k", "WebSocket echo, 64 KiB", "µs CPU", Work::Echo(65_536), 100, micros),
        test("download", "GiB down", "s CPU", Work::Download, 4, gib),
        test("upload", "GiB up", "s CPU", Work::Upload, 4, gib),
    ];
    for test in &mut tests {
        test.rsa = test.name == "handshake-rsa";
        if test.name == "handshake-pq" {
            test.exchange = X25519MLKEM768;
        }
    }
    tests
}

/// Runs everything that is wanted and reports.
pub async fn main(options: &Options) -> Outcome<()> {
    let folder = &options.folder;
    std::fs::create_dir_all(folder)?;
    for kind in ["ecdsa", "rsa"] {
        Pair::make(kind)?.write(folder, kind)?;
    }
    let place = Place {
        listen: options.listen,
        upstream: SocketAddr::new([127, 0, 0, 1].into(), UPSTREAM_PORT),
        folder: folder.clone(),
    };
    let mut peers = vec![Peer::edge(FIRST_PORT)?];
    for (command, port) in options.peers.iter().zip((FIRST_PORT..).step_by(10).skip(1)) {
        match Peer::find(command, port) {
            Some(peer) => peers.push(peer),
            None => say(&format!("{command} does not run here: left out")),
        }
    }
    let mut results = Results::of(peers.iter().map(|peer| peer.label.clone()).collect());
    let mut upstream = Some(start_upstream(&place).await?);
    cpu(options, &place, &peers, &mut results).await?;
    memory(options, &place, &peers, &mut results).await?;
    reload(options, &place, &peers, &mut results).await?;
    restart(options, &place, &peers, &mut results, &mut upstream).await?;
    let table = results.markdown();
    say(&format!("\n{table}"));
    if let Some(path) = &options.markdown {
        std::fs::write(path, &table)?;
    }
    if let Some(path) = &options.json {
        std::fs::write(path, serde_json::to_vec_pretty(&results.json())?)?;
    }
    std::fs::remove_dir_all(folder)?;
    Ok(())
}

async fn start_upstream(place: &Place) -> Outcome<Running> {
    let arguments = ["upstream".to_owned(), place.upstream.to_string()];
    let running =
        Running::start(CORE, &std::env::current_exe()?, &arguments, &place.folder.join("upstream.out"))?;
    for _ in 0..500 {
        if tokio::net::TcpStream::connect(place.upstream).await.is_ok() {
            return Ok(running);
        }
        sleep(Duration::from_millis(10)).await;
    }
    Err("the upstream does not start".into())
}

fn target(
    server: &Server,
    rsa: bool,
    exchange: &'static dyn SupportedKxGroup,
    alpn: &str,
) -> Outcome<Target> {
    let name = if rsa { format!("rsa.{NAME}") } else { NAME.to_owned() };
    let address = if rsa { server.rsa_address() } else { server.address() };
    Ok(Target { address, name: ServerName::try_from(name)?, config: tls::client(exchange, alpn)? })
}

async fn cpu(options: &Options, place: &Place, peers: &[Peer], results: &mut Results) -> Outcome<()> {
    let tests: Vec<Test> = tests().into_iter().filter(|test| options.wants(test.name)).collect();
    if tests.is_empty() {
        return Ok(());
    }
    let mut servers = Vec::new();
    for peer in peers {
        servers.push(peer.start(place).await?);
    }
    for round in 0..options.rounds {
        for test in &tests {
            for (peer, server) in peers.iter().zip(&servers) {
                let alpn = if matches!(test.work, Work::Http2(_)) { "h2" } else { "http/1.1" };
                let target = target(server, test.rsa, test.exchange, alpn)?;
                if target.connect().await.is_err() {
                    // A server whose TLS library knows no hybrid key exchange.
                    continue;
                }
                let load = Load::start(test.work, &target, test.loops);
                sleep(WARM).await;
                let (units, cpu, begun) = (load.tally().units(), server.running.cpu(), Instant::now());
                sleep(options.window).await;
                #[expect(clippy::cast_precision_loss, reason = "no count comes near 2^52")]
                let done = (load.tally().units() - units) as f64;
                let (cost, time) = (server.running.cpu() - cpu, begun.elapsed());
                let failures = load.tally().failures();
                load.stop().await;
                let value = cost.as_secs_f64() * test.scale / done;
                say(&format!(
                    "round {} {:<16} {:<16} {value:>9.3} {} ({:.0}/s, {:.0} % of its core{})",
                    round + 1,
                    test.name,
                    peer.label,
                    test.row.unit,
                    done / time.as_secs_f64(),
                    100.0 * cost.as_secs_f64() / time.as_secs_f64(),
                    if failures > 0 { format!(", {failures} LOOPS BROKE") } else { String::new() }
                ));
                if done > 0.0 {
                    results.add(test.row, &peer.label, value);
                }
                sleep(Duration::from_millis(100)).await;
            }
        }
    }
    Ok(())
}

async fn open(target: &Target, count: usize) -> Outcome<Vec<Socket>> {
    let mut sockets = Vec::with_capacity(count);
    for _ in 0..count {
        let mut socket = Socket::open(target).await?;
        if !socket.is_alive().await {
            return Err("no echo".into());
        }
        sockets.push(socket);
    }
    Ok(sockets)
}

async fn memory(options: &Options, place: &Place, peers: &[Peer], results: &mut Results) -> Outcome<()> {
    for (order, count, what) in
        [(20, 1000, "idle WebSocket, 1,000 of them"), (21, 5000, "idle WebSocket, 5,000 of them")]
    {
        if !options.wants(&format!("memory-{count}")) {
            continue;
        }
        let row = Row { order, what, unit: "kB of memory", is_count: false };
        for peer in peers {
            let server = peer.start(place).await?;
            let target = target(&server, false, X25519, "http/1.1")?;
            // What the first connections load and allocate once is no cost per connection.
            drop(open(&target, 20).await?);
            sleep(Duration::from_secs(1)).await;
            let before = server.running.memory();
            let sockets = open(&target, count).await?;
            sleep(Duration::from_secs(2)).await;
            let more = server.running.memory().saturating_sub(before);
            #[expect(clippy::cast_precision_loss, reason = "no count comes near 2^52")]
            let each = more as f64 / count as f64 / 1000.0;
            say(&format!(
                "memory-{count} {:<16} {each:.1} kB each ({} kB before)",
                peer.label,
                before / 1000
            ));
            results.add(row, &peer.label, each);
            drop(sockets);
        }
    }
    Ok(())
}

async fn reload(options: &Options, place: &Place, peers: &[Peer], results: &mut Results) -> Outcome<()> {
    const SOCKETS: usize = 1000;
    for (order, change, what) in [
        (30, "reload", "WebSockets lost at a reload"),
        (31, "renew", "WebSockets lost when the certificate is renewed"),
        (32, "origin", "WebSockets lost when a name is added"),
    ] {
        if !options.wants(change) {
            continue;
        }
        let row = Row { order, what, unit: "of 1,000", is_count: true };
        // To the others all three are one and the same reload.
        for peer in peers.iter().filter(|peer| change == "reload" || peer.is_edge()) {
            let mut server = peer.start(place).await?;
            let target = target(&server, false, X25519, "http/1.1")?;
            let mut sockets = open(&target, SOCKETS).await?;
            server.change(change).await?;
            sleep(Duration::from_secs(3)).await;
            let mut lost = 0_u32;
            for socket in &mut sockets {
                if !socket.is_alive().await {
                    lost += 1;
                }
            }
            let status = once(&target, "/status").await?;
            say(&format!(
                "{change} {:<16} {lost} of {SOCKETS} lost; a request afterwards: {status}",
                peer.label
            ));
            results.add(row, &peer.label, lost.into());
        }
    }
    Ok(())
}

async fn restart(
    options: &Options,
    place: &Place,
    peers: &[Peer],
    results: &mut Results,
    upstream: &mut Option<Running>,
) -> Outcome<()> {
    const CLIENTS: usize = 100;
    const EACH: usize = 10;
    for (order, seconds, what) in [
        (40, 3, "requests failed, upstream away for 3 s"),
        (41, 10, "requests failed, upstream away for 10 s"),
    ] {
        if !options.wants(&format!("restart-{seconds}")) {
            continue;
        }
        let row = Row { order, what, unit: "of 1,000", is_count: true };
        for peer in peers {
            let server = peer.start(place).await?;
            let target = target(&server, false, X25519, "http/1.1")?;
            let mut clients = tokio::task::JoinSet::new();
            // Ten requests each, of which some fall before the outage, some into it, some behind it.
            let pause = Duration::from_millis(seconds * 1000 / 5);
            for _ in 0..CLIENTS {
                clients.spawn(statuses(target.clone(), EACH, pause));
            }
            sleep(pause).await;
            drop(upstream.take());
            sleep(Duration::from_secs(seconds)).await;
            *upstream = Some(start_upstream(place).await?);
            let failed: usize = clients.join_all().await.into_iter().sum();
            say(&format!("restart-{seconds} {:<16} {failed} of {} failed", peer.label, CLIENTS * EACH));
            results.add(row, &peer.label, u32::try_from(failed)?.into());
        }
    }
    Ok(())
}

fn say(text: &str) {
    // Whoever closed the pipe does not want to know.
    let _ = writeln!(std::io::stdout(), "{text}");
}
