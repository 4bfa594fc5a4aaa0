//! The edge as a server of its own: everything on (ids, access log, limits, attribution), one thread.
//!
//! Lines on standard input change it while it runs, each answered with `done`: `reload` swaps the settings, `renew` the
//! certificate, `origin` the names that are served. `count` is answered with whatever the program counts.

use crate::Outcome;
use crate::tls::{NAME, Pair};
use gatehouse_edge::{
    AllowedClients, CertificateSource, Edge, EdgeOptions, EdgeSettings, Http2WebSockets, Limits, Listener,
    ListenerKind, LogOptions, OwnAddresses,
};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use std::io::{BufRead, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

/// Two certificates: the one that is asked for by `rsa.bench.test`, and the one for everybody else.
#[derive(Debug)]
struct Certificates {
    ecdsa: Mutex<Arc<CertifiedKey>>,
    rsa: Arc<CertifiedKey>,
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        match hello.server_name() {
            Some(name) if name.starts_with("rsa.") => Some(Arc::clone(&self.rsa)),
            _ => Some(self.ecdsa.lock().unwrap_or_else(PoisonError::into_inner).clone()),
        }
    }
}

/// Serves until standard input ends.
///
/// # Errors
/// What keeps it from serving.
pub fn main(
    listen: SocketAddr,
    upstream: SocketAddr,
    folder: &Path,
    count: impl Fn() -> String,
) -> Outcome<()> {
    let certificates = Arc::new(Certificates {
        ecdsa: Mutex::new(Pair::read(folder, "ecdsa")?.certified()?),
        rsa: Pair::read(folder, "rsa")?.certified()?,
    });
    let source: CertificateSource = certificates.clone();
    let options = EdgeOptions {
        threads: 1,
        log: Some(LogOptions::new(folder.join("edge-log"))),
        ..EdgeOptions::default()
    };
    let edge = Edge::start(options, source, settings(upstream, listen))?;
    let runtime = crate::runtime()?;
    runtime.block_on(edge.listen(&[Listener { address: listen, kind: ListenerKind::Https }]))?;
    let mut answers = std::io::stdout();
    writeln!(answers, "ready")?;
    for line in std::io::stdin().lock().lines() {
        match line?.as_str() {
            "reload" => edge.apply(EdgeSettings::clone(&edge.settings())),
            "origin" => {
                let mut settings = EdgeSettings::clone(&edge.settings());
                settings.names.dns.insert("another.bench.test".to_owned());
                edge.apply(settings);
            }
            "renew" => {
                let renewed = Pair::make("ecdsa")?.certified()?;
                *certificates.ecdsa.lock().unwrap_or_else(PoisonError::into_inner) = renewed;
            }
            "count" => writeln!(answers, "{}", count())?,
            _ => return Err("reload, renew, origin or count".into()),
        }
        writeln!(answers, "done")?;
        answers.flush()?;
    }
    let counters = edge.counters();
    if counters.log_lines_dropped > 0 {
        writeln!(std::io::stderr(), "edge: {} log lines were dropped", counters.log_lines_dropped)?;
    }
    Ok(())
}

/// Everything is on; the limits are checked, but let one client do the work of thousands.
fn settings(upstream: SocketAddr, listen: SocketAddr) -> EdgeSettings {
    let mut settings = EdgeSettings::new(upstream);
    settings.names.dns.extend([NAME.to_owned(), format!("rsa.{NAME}")]);
    settings.names.ips.insert(listen.ip());
    settings.clients = AllowedClients::Any;
    // Some address that is not the load's: the load counts as a stranger.
    settings.own = OwnAddresses { v4: Some([198, 51, 100, 1].into()), v6: None, all: Vec::new() };
    let many = 1_000_000;
    settings.limits = Limits {
        connections: 20_000,
        connections_per_client: 20_000,
        handshakes_per_client: 512,
        connection_rate: many,
        connection_burst: many,
        request_rate: many,
        request_burst: many,
        requests_per_client: 20_000,
        websockets_per_client: 20_000,
        ..Limits::default()
    };
    settings.hold_upgrades = true;
    settings.websocket_over_h2 = Http2WebSockets::Offered;
    settings
}
