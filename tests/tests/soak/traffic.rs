//! Sockets that read what comes and are asked for a sign of life, and requests that never stop.

use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use gatehouse_tests::{Device, Https};

/// Between two signs of life of one socket.
const SIGN: Duration = Duration::from_secs(20);
/// A socket whose last sign is older is not alive.
const SILENT: Duration = Duration::from_secs(60);
/// Between two requests of one stream of traffic.
const STEP: Duration = Duration::from_millis(100);

/// What happened to sockets and requests.
#[derive(Default)]
pub(crate) struct Tally {
    signs: Mutex<Vec<Option<Instant>>>,
    /// The longest wait for a sign of life so far, in milliseconds.
    slowest: AtomicU64,
    pub(crate) lost: AtomicUsize,
    pub(crate) answered: AtomicUsize,
    pub(crate) failed: AtomicUsize,
    reasons: Mutex<Vec<String>>,
}

impl Tally {
    /// Takes a socket and asks it for a sign of life for ever.
    pub(crate) fn watch(self: &Arc<Self>, mut device: Device) {
        let number = {
            let mut signs = self.signs.lock().expect("nobody fails inside");
            signs.push(Some(Instant::now()));
            signs.len() - 1
        };
        let tally = Arc::clone(self);
        tokio::spawn(async move {
            // Not all at once.
            let mut pause = SIGN.mul_f64((number % 100) as f64 / 100.0);
            while device.socket().rest(pause).await {
                let asked = Instant::now();
                // However long it takes: a socket that is only slow counts again as soon as it answers.
                if !device.socket().pong().await {
                    break;
                }
                tally.slowest.fetch_max(asked.elapsed().as_millis() as u64, Ordering::SeqCst);
                tally.signs.lock().expect("nobody fails inside")[number] = Some(Instant::now());
                pause = SIGN;
            }
            tally.signs.lock().expect("nobody fails inside")[number] = None;
            tally.lost.fetch_add(1, Ordering::SeqCst);
            tally.reason(format!("socket {number} ended"));
        });
    }

    /// Sockets whose last sign of life is young.
    pub(crate) fn alive(&self) -> usize {
        let signs = self.signs.lock().expect("nobody fails inside");
        signs.iter().flatten().filter(|sign| sign.elapsed() < SILENT).count()
    }

    /// The longest wait for a sign of life since this was last asked.
    pub(crate) fn slowest(&self) -> Duration {
        Duration::from_millis(self.slowest.swap(0, Ordering::SeqCst))
    }

    /// Whether every socket has given a sign of life, or ended, since this moment.
    pub(crate) fn all_since(&self, moment: Instant) -> bool {
        let signs = self.signs.lock().expect("nobody fails inside");
        signs.iter().flatten().all(|sign| *sign > moment)
    }

    /// The first things that went wrong.
    pub(crate) fn reasons(&self) -> Vec<String> {
        self.reasons.lock().expect("nobody fails inside").clone()
    }

    fn reason(&self, text: String) {
        let mut reasons = self.reasons.lock().expect("nobody fails inside");
        if reasons.len() < 20 {
            reasons.push(text);
        }
    }

    fn count(&self, status: u16, error: &str, what: &str) {
        if status == 200 && error.is_empty() {
            self.answered.fetch_add(1, Ordering::SeqCst);
        } else {
            self.failed.fetch_add(1, Ordering::SeqCst);
            self.reason(format!("{what}: {status} {error}"));
        }
    }
}

/// Requests over a fresh connection each, over a kept one, and over HTTP/2.
pub(crate) fn steady(client: &Https, to: Ipv4Addr, tally: &Arc<Tally>) {
    let host = to.to_string();
    let same = host.clone();
    let (fresh, kept) = ((client.clone(), Arc::clone(tally)), (client.clone(), Arc::clone(tally)));
    let both = (client.clone(), Arc::clone(tally));
    tokio::spawn(async move {
        loop {
            let answer = fresh.0.get(to, "/healthz").await;
            fresh.1.count(answer.status, answer.edge_error(), "fresh");
            tokio::time::sleep(10 * STEP).await;
        }
    });
    tokio::spawn(async move {
        loop {
            let mut line = kept.0.h1(to).await;
            for _ in 0..500 {
                let answer = line.get(&host, "/healthz", &[]).await;
                kept.1.count(answer.status, answer.edge_error(), "kept");
                tokio::time::sleep(STEP).await;
            }
        }
    });
    tokio::spawn(async move {
        loop {
            let mut connection = both.0.h2(to).await;
            for _ in 0..500 {
                let answer = connection.get(&same, "/healthz", &[]).await;
                both.1.count(answer.status, answer.edge_error(), "h2");
                tokio::time::sleep(STEP).await;
            }
        }
    });
}
