//! Which apps remember which certificate.
//!
//! The apps of OpenClaw remember the SHA-256 of the certificate that they saw first and refuse another one until their
//! user agrees (edge F3). Not the key counts but the certificate: a new one with the old key is another one to them.
//!
//! Guarantees: what is kept is small ([`MOST`]) and holds no secret; an app counts as having seen a certificate only if
//! it came by after that one began to be served; what cannot be written is kept in memory.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use gatehouse_api::{EdgeSighting, Pin};
use gatehouse_certs::Certificates;
use gatehouse_files::{PRIVATE, read_bounded, write_atomic};
use gatehouse_openclaw::devices::Paired;
use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime};

use crate::devices::join;

/// Devices that are remembered.
const MOST: usize = 64;
const FILE: u64 = 256 * 1024;
/// Apps that remember certificates, by the name that they give themselves.
const APPS: [&str; 4] = ["openclaw-ios", "openclaw-watchos", "openclaw-android", "openclaw-macos"];
/// A sighting that is this much newer is worth a write.
const NEWS: Duration = Duration::hours(1);

/// What is remembered. Start with [`Journal::open`]; `default()` keeps nothing on disk.
#[derive(Debug, Default)]
pub struct Journal {
    path: Option<PathBuf>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    kept: Vec<Kept>,
    /// When each certificate was first seen being served.
    since: HashMap<String, OffsetDateTime>,
}

/// What one app saw.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Kept {
    device_id: String,
    name: String,
    client: String,
    host: String,
    sha256: String,
    #[serde(with = "time::serde::timestamp")]
    seen: OffsetDateTime,
}

#[derive(Serialize, Deserialize)]
struct Document {
    schema: u32,
    pins: Vec<Kept>,
}

impl Journal {
    /// Reads what was kept. A file that makes no sense is as good as none.
    pub(crate) fn open(path: PathBuf) -> Self {
        let bytes = read_bounded(&path, FILE).unwrap_or_else(|error| {
            tracing::warn!(path = %path.display(), %error, "what apps remember cannot be read");
            None
        });
        let document = bytes.and_then(|bytes| serde_json::from_slice::<Document>(&bytes).ok());
        let kept = document.map(|document| document.pins).unwrap_or_default();
        let state = State { kept, ..State::default() };
        Self { path: Some(path), state: Mutex::new(state) }
    }

    /// Takes in what the devices that are connected now must have seen. Devices that are paired no more are forgotten.
    /// `issued` knows of public certificates when they were got.
    pub(crate) fn observe(
        &self,
        paired: &[Paired],
        sightings: &[EdgeSighting],
        certificates: &Certificates,
        issued: &dyn Fn(&str) -> Option<OffsetDateTime>,
        now: OffsetDateTime,
    ) {
        let mut state = self.lock();
        let before = state.kept.clone();
        state.kept.retain(|kept| paired.iter().any(|device| device.device_id == kept.device_id));
        for device in paired.iter().filter(|device| device.connected) {
            let Some(client) = device.client_id.as_deref().filter(|client| APPS.contains(client)) else {
                continue;
            };
            let Some(seen) = join::sighting(device.remote_ip.as_deref(), sightings) else { continue };
            let host = host_of(&seen.host);
            let Some(sha256) = served_at(certificates, host) else { continue };
            let local = certificates.issued().filter(|(issued, _)| *issued == sha256).map(|(_, at)| at);
            let since = match local.or_else(|| issued(&sha256)) {
                Some(at) => at,
                None => *state.since.entry(sha256.clone()).or_insert(now),
            };
            if seen.last_seen < since {
                continue;
            }
            let name = join::paired(device, sightings).name;
            let fresh = Kept {
                device_id: device.device_id.clone(),
                name,
                client: client.to_owned(),
                host: host.to_owned(),
                sha256,
                seen: seen.last_seen,
            };
            state.kept.retain(|kept| kept.device_id != fresh.device_id);
            state.kept.push(fresh);
        }
        state.kept.sort_by(|one, other| other.seen.cmp(&one.seen).then(one.device_id.cmp(&other.device_id)));
        state.kept.truncate(MOST);
        if is_news(&before, &state.kept) {
            self.write(&state.kept);
        }
    }

    /// What is remembered, beside what is served now. Last seen first.
    pub(crate) fn list(&self, certificates: &Certificates) -> Vec<Pin> {
        let pin = |kept: &Kept| Pin {
            device_id: kept.device_id.clone(),
            name: kept.name.clone(),
            client: kept.client.clone(),
            host: kept.host.clone(),
            sha256: kept.sha256.clone(),
            now: served_at(certificates, &kept.host),
            seen: kept.seen,
        };
        self.lock().kept.iter().map(pin).collect()
    }

    fn write(&self, kept: &[Kept]) {
        let Some(path) = &self.path else { return };
        let document = Document { schema: 1, pins: kept.to_vec() };
        let Ok(bytes) = serde_json::to_vec_pretty(&document) else { return };
        if let Err(error) = write_atomic(path, &bytes, PRIVATE) {
            tracing::warn!(path = %path.display(), %error, "what apps remember could not be kept");
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether the difference is more than a few minutes.
fn is_news(before: &[Kept], after: &[Kept]) -> bool {
    let known = |kept: &Kept| {
        before.iter().any(|old| {
            let same = Kept { seen: old.seen, ..kept.clone() };
            *old == same && kept.seen - old.seen < NEWS
        })
    };
    before.len() != after.len() || !after.iter().all(known)
}

/// The name or address without its port.
fn host_of(host: &str) -> &str {
    if let Some(rest) = host.strip_prefix('[') {
        return rest.split_once(']').map_or(rest, |(address, _)| address);
    }
    match host.split_once(':') {
        Some((name, port)) if !port.contains(':') => name,
        _ => host,
    }
}

/// SHA-256 of the certificate that a client gets who asks for `host`: clients send no name for an address.
fn served_at(certificates: &Certificates, host: &str) -> Option<String> {
    let name = host.parse::<std::net::IpAddr>().is_err().then_some(host);
    let key = certificates.shelf().lookup(name)?;
    key.cert.first().map(|leaf| gatehouse_certs::fingerprint(leaf))
}

#[cfg(test)]
mod tests;
