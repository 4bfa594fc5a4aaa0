//! What a user may set of the edge: limits, rates, routes, who passes requests and connections on, the metrics port.
//!
//! Guarantees: what is not set is safe; a value is taken only within the range of its key, and its text has one meaning;
//! a value that was written into the file by hand and is not usable is named, kept, and replaced by the default; keys of
//! other versions are kept.

mod front;
mod keys;
mod value;

use gatehouse_api::{Code, ConfigEdit, ConfigEntry, ErrorEnvelope, Text, say};
use gatehouse_edge::{EdgeSettings, FrontProfile, Http2WebSockets, Limits, Routes};
use ipnet::IpNet;
use serde_json::{Map, Value};

pub use self::front::{Tunnel, tunnel};
pub use self::keys::{KEYS, Key};

/// The settings of the edge that a user may change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EdgeConfig {
    /// Limits and rates.
    pub limits: Limits,
    /// Whether WebSocket over HTTP/2 may be offered, once its self-test has passed.
    pub websocket_over_h2: bool,
    /// Which proxy stands in front of the edge.
    pub front: FrontProfile,
    /// Requests that are treated in a way of their own.
    pub routes: Routes,
    /// Peers that pass TCP connections on with a PROXY header.
    pub proxy_protocol: Vec<IpNet>,
    /// The loopback port on which Prometheus finds the metrics; `None` = only on the control socket.
    pub metrics_port: Option<u16>,
    /// Whether the machine is kept awake on mains power while an address is open.
    pub awake_on_mains: bool,
    /// Whether it is kept awake on battery, too.
    pub awake_on_battery: bool,
    /// Where the public address may be asked for; none unless the user names one.
    pub echoes: Vec<String>,
}

/// A stored value that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unusable {
    /// Its key.
    pub key: &'static str,
    /// Why, as a sentence.
    pub because: Text,
}

impl Default for EdgeConfig {
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            websocket_over_h2: true,
            front: FrontProfile::None,
            routes: Routes::default(),
            proxy_protocol: Vec::new(),
            metrics_port: None,
            awake_on_mains: true,
            awake_on_battery: false,
            echoes: Vec::new(),
        }
    }
}

impl EdgeConfig {
    /// What is stored, with defaults for what is not, and for what is not usable.
    #[must_use]
    pub fn of(stored: &Map<String, Value>) -> (Self, Vec<Unusable>) {
        let mut config = Self::default();
        let mut unusable = Vec::new();
        for key in KEYS {
            let Some(value) = stored.get(key.name) else { continue };
            let taken = value::text(value)
                .ok_or_else(|| say!("core.edge.no-value"))
                .and_then(|text| key.set(&mut config, &text));
            if let Err(because) = taken {
                unusable.push(Unusable { key: key.name, because });
            }
        }
        (config, unusable)
    }

    /// Whether a proxy is declared that says for whom it asks.
    #[must_use]
    pub fn is_fronted(&self) -> bool {
        self.front != FrontProfile::None
    }

    /// Puts these settings in the place of those that the edge has.
    pub fn apply(&self, settings: &mut EdgeSettings) {
        settings.limits = self.limits.clone();
        settings.front = self.front.into();
        settings.routes.clone_from(&self.routes);
        settings.proxy_protocol.clone_from(&self.proxy_protocol);
        settings.websocket_over_h2 =
            if self.websocket_over_h2 { Http2WebSockets::Rehearsed } else { Http2WebSockets::Off };
    }
}

/// Everything that can be set, with its value.
#[must_use]
pub fn entries(stored: &Map<String, Value>) -> Vec<ConfigEntry> {
    let (mut config, unusable) = EdgeConfig::of(stored);
    let mut default = EdgeConfig::default();
    KEYS.iter()
        .map(|key| {
            let (least, most) = key.range();
            ConfigEntry {
                key: key.name.to_owned(),
                value: key.get(&mut config),
                default: key.get(&mut default),
                kind: key.kind(),
                least,
                most,
                about: (key.about)(),
                problem: unusable.iter().find(|it| it.key == key.name).map(|it| it.because.clone()),
            }
        })
        .collect()
}

/// Keys that are stored and mean nothing to this version.
#[must_use]
pub fn unknown(stored: &Map<String, Value>) -> Vec<String> {
    stored.keys().filter(|name| keys::find(name).is_none()).cloned().collect()
}

/// What is to be stored after `edits`; `replace` = they are all that is to be set.
///
/// # Errors
/// `usage`: a key that does not exist, or a value that cannot be taken. All edits are looked at, and none is made then.
pub fn edited(
    stored: &Map<String, Value>,
    edits: &[ConfigEdit],
    replace: bool,
) -> Result<Map<String, Value>, ErrorEnvelope> {
    let mut next = stored.clone();
    if replace {
        next.retain(|name, _| keys::find(name).is_none());
    }
    let mut wrong = Vec::new();
    for edit in edits {
        let Some(key) = keys::find(&edit.key) else {
            // An export of another version may hold keys that this one does not know.
            match (&edit.value, replace) {
                (Some(value), true) => _ = next.insert(edit.key.clone(), Value::String(value.clone())),
                _ => wrong.push(keys::no_such(&edit.key)),
            }
            continue;
        };
        let Some(text) = &edit.value else {
            next.remove(key.name);
            continue;
        };
        let mut config = EdgeConfig::default();
        match key.set(&mut config, text) {
            Err(because) => wrong.push(say!("core.edge.wrong", key = key.name, because = because)),
            Ok(()) if config == EdgeConfig::default() => _ = next.remove(key.name),
            Ok(()) => _ = next.insert(key.name.to_owned(), key.json(&mut config)),
        }
    }
    if wrong.is_empty() { Ok(next) } else { Err(refused(wrong)) }
}

/// What differs between two stores, a line each.
#[must_use]
pub fn differences(before: &Map<String, Value>, after: &Map<String, Value>) -> Vec<Text> {
    let (mut old, mut new) = (EdgeConfig::of(before).0, EdgeConfig::of(after).0);
    KEYS.iter()
        .filter_map(|key| {
            let (was, is) = (key.get(&mut old), key.get(&mut new));
            (was != is).then(|| format!("{}: {was} → {is}", key.name).into())
        })
        .collect()
}

fn refused(mut wrong: Vec<Text>) -> ErrorEnvelope {
    let because = wrong.remove(0);
    let mut error = ErrorEnvelope::new(Code::Usage, say!("core.config.unknown"), because)
        .fix_with(say!("core.config.see"), "gatehouse config get");
    error.evidence = wrong;
    error
}

#[cfg(test)]
mod tests;
