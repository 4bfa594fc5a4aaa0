//! An invitation to trust the certificate authority: one page on the local network, for one device, for ten minutes.
//!
//! A device that trusts nothing of ours cannot get the authority over HTTPS without a warning, so this is plain HTTP, and
//! the fingerprint is compared by eye. Guarantees: nothing else is served there; only a GET with the random path gets an
//! answer; only this machine and the networks that it is attached to are let in; each form of the authority is given
//! out once; the listener is closed when both were, when the time is over (also the time that the machine slept), and
//! when another invitation is made; it is never opened on a public address.

mod page;
mod server;

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use gatehouse_api::{Code, ErrorEnvelope, TrustInvite, TrustInviteProgress, say, snapshot::url_host};
use gatehouse_certs::{AuthorityFacts, words};
use gatehouse_host::addresses::{InterfaceAddress, Kind, networks_of};
use ipnet::IpNet;
use time::OffsetDateTime;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use self::server::{Seen, Served};
use crate::requests::SPOKEN;

/// How long an invitation is open.
const OPEN: Duration = Duration::from_secs(600);
/// The port that is tried first: one that people may have to let through a firewall is better always the same.
const PORT: u16 = 8780;

/// The invitation that is open, if one is. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(crate) struct Invites(Arc<Mutex<Option<Live>>>);

#[derive(Debug)]
struct Live {
    task: JoinHandle<()>,
    seen: Arc<Mutex<Seen>>,
}

impl Drop for Live {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Invites {
    /// Opens one, at this address of ours. An earlier one ends.
    ///
    /// # Errors
    /// `failed` where no port could be had or the system gives no random numbers.
    pub(crate) async fn open(
        &self,
        authority: AuthorityFacts,
        ip: IpAddr,
        addresses: &[InterfaceAddress],
        now: OffsetDateTime,
    ) -> Result<TrustInvite, ErrorEnvelope> {
        self.end();
        let is_public = |address: &InterfaceAddress| address.ip == ip && address.kind == Kind::Global;
        if addresses.iter().any(is_public) {
            return Err(no_port(ip, &std::io::Error::other("it is a public address")));
        }
        let listener = match TcpListener::bind((ip, PORT)).await {
            Ok(listener) => listener,
            Err(_) => TcpListener::bind((ip, 0)).await.map_err(|error| no_port(ip, &error))?,
        };
        let address = listener.local_addr().map_err(|error| no_port(ip, &error))?;
        let path = format!("/t/{}", random_name().ok_or_else(no_random)?);
        let authority_of_url = authority_of(address);
        let invite = TrustInvite {
            url: format!("http://{authority_of_url}{path}"),
            expires_at: now + OPEN,
            ca_sha256: authority.sha256.clone(),
            ca_words: words(&authority.sha256).into_iter().take(SPOKEN).map(str::to_owned).collect(),
            ca_name: authority.name.clone(),
        };
        let seen = Arc::new(Mutex::new(Seen::default()));
        let served = Served {
            authority,
            host: authority_of_url,
            path,
            networks: neighbours(addresses),
            own: addresses.iter().map(|address| address.ip).collect(),
            seen: Arc::clone(&seen),
        };
        tracing::info!(%address, "an invitation to trust the certificate authority is open");
        let task = tokio::spawn(server::run(listener, served, OPEN));
        *self.lock() = Some(Live { task, seen });
        Ok(invite)
    }

    /// Ends the one that is open.
    pub(crate) fn end(&self) {
        if self.lock().take().is_some() {
            tracing::info!("the invitation to trust the certificate authority has ended");
        }
    }

    /// How far the newest one got.
    pub(crate) fn progress(&self) -> TrustInviteProgress {
        let live = self.lock();
        let Some(live) = live.as_ref() else {
            return TrustInviteProgress { open: false, visitors: Vec::new(), fetched: Vec::new() };
        };
        let seen = live.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let text = |ips: &[IpAddr]| ips.iter().map(ToString::to_string).collect();
        TrustInviteProgress {
            open: !live.task.is_finished(),
            visitors: text(&seen.visitors),
            fetched: text(&seen.fetched),
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Live>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The networks whose devices are meant: not those of a public address, where the neighbours are strangers.
fn neighbours(addresses: &[InterfaceAddress]) -> Vec<IpNet> {
    networks_of(addresses.iter().filter(|address| address.kind != Kind::Global))
}

fn authority_of(address: SocketAddr) -> String {
    match address.port() {
        80 => url_host(address.ip()),
        port => format!("{}:{port}", url_host(address.ip())),
    }
}

/// 128 bits.
fn random_name() -> Option<String> {
    let mut bytes = [0_u8; 16];
    SystemRandom::new().fill(&mut bytes).ok()?;
    Some(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

fn no_port(ip: IpAddr, error: &std::io::Error) -> ErrorEnvelope {
    ErrorEnvelope::new(
        Code::Failed,
        say!("core.invite.title"),
        say!("core.at-failed", place = ip, error = error),
    )
}

fn no_random() -> ErrorEnvelope {
    ErrorEnvelope::new(Code::Failed, say!("core.invite.title"), say!("core.no-random"))
}

#[cfg(test)]
mod tests;
