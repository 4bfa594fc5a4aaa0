//! Reaches the open addresses the way a device does, and tries what must be refused.
//!
//! Nothing here looks into the edge: a TCP connection, TLS with our authority as the only root, HTTP/1.1 and WebSocket,
//! to every advertised address. Guarantees: a proof is made only by a request that went all the way to the gateway and
//! back over the certificate that is served now; a probe carries no secret, pairs nothing and leaves no request for
//! approval behind.

mod error;
mod exactly;
mod http;
mod negative;
mod socket;
mod stages;
mod trust;

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use gatehouse_api::{ErrorEnvelope, Proof, Text, say};

use crate::address_plan::PlannedAddress;
use crate::context::Context;

pub use error::{Check, ProbeError};
pub(crate) use negative::is_made_up;
pub use stages::stages;
pub use trust::{TlsFacts, Trust, tls};

/// How long a gateway that is busy starting is waited for.
const PATIENCE: Duration = Duration::from_secs(20);
const PAUSE: Duration = Duration::from_millis(500);
/// The negatives are tried through so many addresses: they tell about the edge and the gateway, not about the network.
const NEGATIVES: usize = 4;

/// What came of one address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// The address, as users type it.
    pub url: String,
    /// The proof, or what failed.
    pub outcome: Result<Proof, ErrorEnvelope>,
}

/// One thing that was tried and came out as it must.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// What was tried.
    pub check: Check,
    /// Through which address.
    pub url: String,
    /// What was seen.
    pub saw: String,
}

/// What the whole verification found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// One for each address; none while the gateway is not running.
    pub proofs: Vec<Proof>,
    /// What was tried.
    pub evidence: Vec<Evidence>,
    /// What is not wrong and should be known.
    pub warnings: Vec<Text>,
}

impl Report {
    /// In one sentence.
    #[must_use]
    pub fn summary(&self) -> Text {
        let refusals = self.evidence.iter().filter(|line| line.check.is_negative()).count();
        match self.proofs.len() {
            0 => {
                say!("core.probe.none", refusals = refusals)
            }
            1 => say!("core.probe.single", refusals = refusals),
            count => say!("core.probe.many", number = count, refusals = refusals),
        }
    }
}

/// Reaches every address that is served now: TCP, TLS, `/healthz`, WebSocket up to the gateway's challenge.
pub async fn light(context: &Context) -> Vec<Checked> {
    let Some(served) = context.served.load_full() else { return Vec::new() };
    let addresses = served.plan.addresses.clone();
    let trust = match Trust::of(context) {
        Ok(trust) => trust,
        Err(error) => return all_failed(&addresses, &error.explain()),
    };
    let now = context.clock.now();
    // Who has no certificate gets no further there: that is tried when something changes.
    let open = addresses.iter().filter(|address| !context.brought.asks(&address.host));
    join_all(open.map(|address| async {
        let outcome = reach(address, &trust).await;
        let outcome = outcome.map(|seen| seen.proof(address, now)).map_err(|error| error.explain());
        Checked { url: address.url.clone(), outcome }
    }))
    .await
}

/// Reaches every address and tries what must be refused. `running` = the gateway runs; while it does not, the edge has
/// to say so itself.
///
/// # Errors
/// `verify-failed` with what was tried and what was seen.
pub async fn full(context: &Context, running: bool) -> Result<Report, ErrorEnvelope> {
    let Some(served) = context.served.load_full() else { return Ok(Report::default()) };
    let trust = Arc::new(Trust::of(context).map_err(|error| error.explain())?);
    let addresses = &served.plan.addresses;
    let mut report = Report::default();
    for address in addresses {
        if context.brought.asks(&address.host) {
            let saw = turned_away(address, &trust).await.map_err(|error| error.explain())?;
            report.note(address, vec![(Check::Reach, saw)]);
            continue;
        }
        let lines = match running {
            true => {
                let seen = patiently(|| reach(address, &trust)).await.map_err(|error| error.explain())?;
                report.proofs.push(seen.proof(address, context.clock.now()));
                vec![(Check::Reach, seen.protocol())]
            }
            false => {
                vec![(Check::Stopped, http::stopped(address, &trust).await.map_err(|error| error.explain())?)]
            }
        };
        report.note(address, lines);
    }
    let open = addresses.iter().filter(|address| !context.brought.asks(&address.host));
    for address in open.take(NEGATIVES) {
        let lines = negative::edge(address, &trust, running).await.map_err(|error| error.explain())?;
        report.note(address, lines);
        if running {
            let (lines, warnings) =
                negative::origins(address, &trust).await.map_err(|error| error.explain())?;
            report.note(address, lines);
            for warning in warnings {
                if !report.warnings.contains(&warning) {
                    report.warnings.push(warning);
                }
            }
        }
    }
    Ok(report)
}

impl Report {
    fn note(&mut self, address: &PlannedAddress, lines: Vec<(Check, String)>) {
        let url = &address.url;
        let lines = lines.into_iter().map(|(check, saw)| Evidence { check, url: url.clone(), saw });
        self.evidence.extend(lines);
    }
}

/// What was seen on the way to the gateway and back.
struct Seen {
    tls: TlsFacts,
}

impl Seen {
    fn protocol(&self) -> String {
        format!("{}, HTTP/1.1, WebSocket", self.tls.version)
    }

    fn proof(&self, address: &PlannedAddress, at: time::OffsetDateTime) -> Proof {
        Proof {
            url: address.url.clone(),
            from: self.tls.from.ip().to_canonical().to_string(),
            protocol: self.protocol(),
            at,
        }
    }
}

async fn reach(address: &PlannedAddress, trust: &Trust) -> Result<Seen, ProbeError> {
    let tls = tls(address, trust).await?;
    if !trust.is_ours(address, &tls.leaf_sha256) {
        return Err(ProbeError::OtherCertificate { url: address.url.clone(), sha256: tls.leaf_sha256 });
    }
    http::health(address, trust).await?;
    socket::challenge(address, trust).await?;
    Ok(Seen { tls })
}

/// A name that wants certificates from its clients lets nobody in without one.
async fn turned_away(address: &PlannedAddress, trust: &Trust) -> Result<String, ProbeError> {
    let tls = tls(address, trust).await?;
    if !trust.is_ours(address, &tls.leaf_sha256) {
        return Err(ProbeError::OtherCertificate { url: address.url.clone(), sha256: tls.leaf_sha256 });
    }
    match http::health(address, trust).await {
        Err(error) if !error.may_pass() => Ok(format!("{}, a certificate is asked for", tls.version)),
        Ok(()) | Err(_) => Err(ProbeError::Unexpected {
            url: address.url.clone(),
            check: Check::Reach,
            expected: "a refusal without a certificate",
            got: "an answer".to_owned(),
        }),
    }
}

/// The whole way to a gateway behind one address, and what must be refused there. Says over which protocol.
pub(crate) async fn rehearse(address: &PlannedAddress, trust: &Trust) -> Result<String, ProbeError> {
    let seen = reach(address, trust).await?;
    negative::edge(address, trust, true).await?;
    Ok(seen.protocol())
}

/// Tries again while the gateway is busy starting.
async fn patiently<T, F>(mut attempt: impl FnMut() -> F) -> Result<T, ProbeError>
where
    F: Future<Output = Result<T, ProbeError>>,
{
    let deadline = tokio::time::Instant::now() + PATIENCE;
    loop {
        match attempt().await {
            Err(error) if error.may_pass() && tokio::time::Instant::now() < deadline => {
                tokio::time::sleep(PAUSE).await;
            }
            outcome => return outcome,
        }
    }
}

fn all_failed(addresses: &[PlannedAddress], error: &ErrorEnvelope) -> Vec<Checked> {
    addresses
        .iter()
        .map(|address| Checked { url: address.url.clone(), outcome: Err(error.clone()) })
        .collect()
}

#[cfg(test)]
mod tests;
