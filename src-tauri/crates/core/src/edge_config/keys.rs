//! The keys: one table, from which everything else follows (values, ranges, texts, the schema).

use std::time::Duration;

use gatehouse_api::{ConfigKind, Text, say};
use gatehouse_edge::{FrontProfile, Routes};
use ipnet::IpNet;
use serde_json::Value;

use super::EdgeConfig;
use super::value::{NONE, duration, duration_text, size, size_text};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(86_400);
const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;
const TIB: u64 = 1 << 40;

type Field<T> = fn(&mut EdgeConfig) -> &mut T;

/// A key.
#[derive(Debug)]
pub struct Key {
    /// Its name: kebab-case, with dots.
    pub name: &'static str,
    /// What it is, as a sentence.
    pub about: fn() -> Text,
    place: Place,
}

/// Where the value is, of which kind, and within which range.
#[derive(Debug)]
enum Place {
    Time(Field<Duration>, Duration, Duration),
    TimeOrNone(Field<Option<Duration>>, Duration, Duration),
    Count(Field<usize>, u64, u64),
    Number(Field<u32>, u64, u64),
    Size(Field<usize>, u64, u64),
    LongSize(Field<u64>, u64, u64),
    Switch(Field<bool>),
    Port(Field<Option<u16>>),
    Networks(Field<Vec<IpNet>>),
    Urls(Field<Vec<String>>),
    Front(Field<FrontProfile>),
    Routes(Field<Routes>),
}

impl Key {
    /// Of which kind its values are.
    #[must_use]
    pub fn kind(&self) -> ConfigKind {
        match self.place {
            Place::Time(..) => ConfigKind::Time,
            Place::TimeOrNone(..) => ConfigKind::TimeOrNone,
            Place::Count(..) | Place::Number(..) => ConfigKind::Count,
            Place::Size(..) | Place::LongSize(..) => ConfigKind::Size,
            Place::Switch(_) => ConfigKind::Switch,
            Place::Port(_) => ConfigKind::PortOrNone,
            Place::Networks(_) => ConfigKind::Networks,
            Place::Urls(_) => ConfigKind::Urls,
            Place::Front(_) | Place::Routes(_) => ConfigKind::Text,
        }
    }

    /// The least and the greatest value.
    #[must_use]
    pub fn range(&self) -> (Option<String>, Option<String>) {
        let both = |least: String, most: String| (Some(least), Some(most));
        match self.place {
            Place::Time(_, least, most) | Place::TimeOrNone(_, least, most) => {
                both(duration_text(least), duration_text(most))
            }
            Place::Count(_, least, most) | Place::Number(_, least, most) => {
                both(least.to_string(), most.to_string())
            }
            Place::Size(_, least, most) | Place::LongSize(_, least, most) => {
                both(size_text(least), size_text(most))
            }
            Place::Port(_) => both("1024".to_owned(), u16::MAX.to_string()),
            Place::Switch(_) | Place::Networks(_) | Place::Urls(_) | Place::Front(_) | Place::Routes(_) => {
                (None, None)
            }
        }
    }

    /// Its value as a person writes it.
    pub fn get(&self, config: &mut EdgeConfig) -> String {
        let none = || NONE.to_owned();
        match self.place {
            Place::Time(field, ..) => duration_text(*field(config)),
            Place::TimeOrNone(field, ..) => field(config).map_or_else(none, duration_text),
            Place::Count(field, ..) => field(config).to_string(),
            Place::Number(field, ..) => field(config).to_string(),
            Place::Size(field, ..) => size_text(u64::try_from(*field(config)).unwrap_or(u64::MAX)),
            Place::LongSize(field, ..) => size_text(*field(config)),
            Place::Switch(field) => field(config).to_string(),
            Place::Port(field) => field(config).map_or_else(none, |port| port.to_string()),
            Place::Networks(field) => {
                let networks: Vec<String> = field(config).iter().map(ToString::to_string).collect();
                if networks.is_empty() { none() } else { networks.join(",") }
            }
            Place::Urls(field) => {
                let urls = field(config);
                if urls.is_empty() { none() } else { urls.join(",") }
            }
            Place::Front(field) => field(config).to_string(),
            Place::Routes(field) => {
                let routes = field(config);
                if routes.is_empty() { none() } else { routes.to_string() }
            }
        }
    }

    /// Its value as it is stored.
    pub fn json(&self, config: &mut EdgeConfig) -> Value {
        match self.place {
            Place::Count(field, ..) => Value::from(*field(config)),
            Place::Number(field, ..) => Value::from(*field(config)),
            Place::Switch(field) => Value::from(*field(config)),
            Place::Port(_)
            | Place::Time(..)
            | Place::TimeOrNone(..)
            | Place::Size(..)
            | Place::LongSize(..)
            | Place::Networks(_)
            | Place::Urls(_)
            | Place::Front(_)
            | Place::Routes(_) => Value::String(self.get(config)),
        }
    }

    /// Takes a value as a person writes it.
    ///
    /// # Errors
    /// Why it cannot be taken, as a sentence.
    pub fn set(&self, config: &mut EdgeConfig, text: &str) -> Result<(), Text> {
        let text = text.trim();
        match self.place {
            Place::Time(field, least, most) => *field(config) = time(text, least, most)?,
            Place::TimeOrNone(field, ..) if text == NONE => *field(config) = None,
            Place::TimeOrNone(field, least, most) => *field(config) = Some(time(text, least, most)?),
            Place::Count(field, least, most) => *field(config) = count(text, least, most)?,
            Place::Number(field, least, most) => *field(config) = count(text, least, most)?,
            Place::Size(field, least, most) => *field(config) = bytes(text, least, most)?,
            Place::LongSize(field, least, most) => *field(config) = bytes(text, least, most)?,
            Place::Switch(field) => {
                *field(config) = match text {
                    "true" | "on" => true,
                    "false" | "off" => false,
                    _ => return Err(say!("core.edge.no-switch", text = text)),
                }
            }
            Place::Port(field) if text == NONE => *field(config) = None,
            Place::Port(field) => *field(config) = Some(count(text, 1024, u64::from(u16::MAX))?),
            Place::Networks(field) => *field(config) = networks(text)?,
            Place::Urls(field) => *field(config) = urls(text)?,
            Place::Front(field) => {
                *field(config) = text.parse().map_err(|_| say!("core.edge.no-front", text = text))?
            }
            Place::Routes(field) if text == NONE => *field(config) = Routes::default(),
            Place::Routes(field) => *field(config) = text.parse().map_err(Text::from)?,
        }
        Ok(())
    }
}

fn within<T: PartialOrd>(value: T, least: T, most: T, show: impl Fn(T) -> String) -> Result<T, Text> {
    if value < least || value > most {
        return Err(say!(
            "core.edge.out-of-range",
            value = show(value),
            least = show(least),
            most = show(most)
        ));
    }
    Ok(value)
}

fn time(text: &str, least: Duration, most: Duration) -> Result<Duration, Text> {
    let value = duration(text).ok_or_else(|| say!("core.edge.no-time", text = text))?;
    within(value, least, most, duration_text)
}

fn count<T: TryFrom<u64>>(text: &str, least: u64, most: u64) -> Result<T, Text> {
    let value = text.parse().map_err(|_| say!("core.edge.no-number", text = text))?;
    let value = within(value, least, most, |value| value.to_string())?;
    T::try_from(value).map_err(|_| say!("core.edge.too-much", value = value))
}

fn bytes<T: TryFrom<u64>>(text: &str, least: u64, most: u64) -> Result<T, Text> {
    let value = size(text).ok_or_else(|| say!("core.edge.no-size", text = text))?;
    let value = within(value, least, most, size_text)?;
    T::try_from(value).map_err(|_| say!("core.edge.too-much", value = value))
}

fn networks(text: &str) -> Result<Vec<IpNet>, Text> {
    if text == NONE || text.is_empty() {
        return Ok(Vec::new());
    }
    text.split(',').map(|word| network(word.trim())).collect()
}

fn urls(text: &str) -> Result<Vec<String>, Text> {
    if text == NONE || text.is_empty() {
        return Ok(Vec::new());
    }
    let url = |word: &str| match word.parse::<http::Uri>() {
        Ok(uri) if uri.scheme_str() == Some("https") && uri.host().is_some_and(|host| !host.is_empty()) => {
            Ok(word.to_owned())
        }
        Ok(_) | Err(_) => Err(say!("core.edge.no-url", text = word)),
    };
    text.split(',').map(|word| url(word.trim())).collect()
}

/// A network or an address. Never this machine: programs on it would be taken for other people.
fn network(word: &str) -> Result<IpNet, Text> {
    let network = word
        .parse()
        .or_else(|_| word.parse::<std::net::IpAddr>().map(IpNet::from))
        .map_err(|_| say!("core.edge.no-network", text = word))?;
    let network: IpNet = IpNet::trunc(&network);
    if network.addr().is_loopback() || network.prefix_len() == 0 {
        return Err(say!("core.edge.own-machine", network = network.to_string()));
    }
    Ok(network)
}

/// The key of this name.
pub(super) fn find(name: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.name == name)
}

/// Says that there is no such key, and which may be meant.
pub(super) fn no_such(name: &str) -> Text {
    let last = |name: &str| name.rsplit('.').next().unwrap_or_default().replace('_', "-");
    let common = |key: &Key| {
        let (known, asked) = (last(key.name), last(name));
        known.bytes().zip(asked.bytes()).take_while(|(left, right)| left == right).count()
    };
    let close = KEYS.iter().rev().max_by_key(|key| common(key)).filter(|key| common(key) >= 4);
    match close {
        Some(key) => say!("core.edge.no-key-close", name = name, close = key.name),
        None => say!("core.edge.no-key", name = name),
    }
}

macro_rules! key {
    ($name:literal, $kind:ident($($field:ident).+ $(, $bound:expr)*), $about:literal) => {
        Key { name: $name, about: || say!($about), place: Place::$kind(|config| &mut config.$($field).+ $(, $bound)*) }
    };
}

/// All of them, in the order in which they are shown.
pub const KEYS: &[Key] = &[
    key!("limits.handshake", Time(limits.handshake, SECOND, MINUTE), "core.edge.limits.handshake"),
    key!("limits.headers", Time(limits.headers, SECOND, MINUTE), "core.edge.limits.headers"),
    key!("limits.body-stall", Time(limits.body_stall, SECOND, HOUR), "core.edge.limits.body-stall"),
    key!("limits.body-rate", Number(limits.body_rate, 1, 1_000_000), "core.edge.limits.body-rate"),
    key!("limits.keep-alive", Time(limits.keep_alive, SECOND, HOUR), "core.edge.limits.keep-alive"),
    key!(
        "limits.first-byte-interactive",
        TimeOrNone(limits.first_byte_interactive, SECOND, DAY),
        "core.edge.limits.first-byte-interactive"
    ),
    key!(
        "limits.first-byte-api",
        Time(limits.first_byte_api, SECOND, HOUR),
        "core.edge.limits.first-byte-api"
    ),
    key!(
        "limits.connect",
        Time(limits.connect, Duration::from_millis(100), MINUTE),
        "core.edge.limits.connect"
    ),
    key!("limits.hold", Time(limits.hold, Duration::ZERO, MINUTE), "core.edge.limits.hold"),
    key!("limits.hold-queue", Count(limits.hold_queue, 0, 10_000), "core.edge.limits.hold-queue"),
    key!("limits.half-open", Time(limits.half_open, SECOND, HOUR), "core.edge.limits.half-open"),
    key!(
        "limits.websocket-idle",
        TimeOrNone(limits.websocket_idle, MINUTE, Duration::from_secs(30 * 86_400)),
        "core.edge.limits.websocket-idle"
    ),
    key!("limits.target-bytes", Size(limits.target_bytes, KIB, 64 * KIB), "core.edge.limits.target-bytes"),
    key!(
        "limits.header-bytes",
        Size(limits.header_bytes, 4 * KIB, 256 * KIB),
        "core.edge.limits.header-bytes"
    ),
    key!("limits.header-count", Count(limits.header_count, 20, 1000), "core.edge.limits.header-count"),
    key!("limits.body-bytes", LongSize(limits.body_bytes, KIB, TIB), "core.edge.limits.body-bytes"),
    key!("limits.connections", Count(limits.connections, 8, 65_536), "core.edge.limits.connections"),
    key!(
        "limits.connections-per-client",
        Count(limits.connections_per_client, 4, 65_536),
        "core.edge.limits.connections-per-client"
    ),
    key!("limits.handshakes", Count(limits.handshakes, 8, 65_536), "core.edge.limits.handshakes"),
    key!(
        "limits.handshakes-per-client",
        Count(limits.handshakes_per_client, 2, 65_536),
        "core.edge.limits.handshakes-per-client"
    ),
    key!(
        "limits.connection-rate",
        Number(limits.connection_rate, 1, 100_000),
        "core.edge.limits.connection-rate"
    ),
    key!(
        "limits.connection-burst",
        Number(limits.connection_burst, 4, 100_000),
        "core.edge.limits.connection-burst"
    ),
    key!("limits.request-rate", Number(limits.request_rate, 1, 1_000_000), "core.edge.limits.request-rate"),
    key!(
        "limits.request-burst",
        Number(limits.request_burst, 10, 1_000_000),
        "core.edge.limits.request-burst"
    ),
    key!(
        "limits.requests-per-client",
        Count(limits.requests_per_client, 4, 65_536),
        "core.edge.limits.requests-per-client"
    ),
    key!(
        "limits.websockets-per-client",
        Count(limits.websockets_per_client, 1, 65_536),
        "core.edge.limits.websockets-per-client"
    ),
    key!("limits.h2-streams", Number(limits.h2_streams, 8, 1024), "core.edge.limits.h2-streams"),
    key!(
        "limits.h2-pending-resets",
        Count(limits.h2_pending_resets, 1, 1024),
        "core.edge.limits.h2-pending-resets"
    ),
    key!("limits.h2-errors", Count(limits.h2_errors, 1, 1024), "core.edge.limits.h2-errors"),
    key!(
        "limits.h2-send-buffer",
        Size(limits.h2_send_buffer, 16 * KIB, MIB),
        "core.edge.limits.h2-send-buffer"
    ),
    key!("websocket-over-h2", Switch(websocket_over_h2), "core.edge.websocket-over-h2"),
    key!("front", Front(front), "core.edge.front"),
    key!("routes", Routes(routes), "core.edge.routes"),
    key!("proxy-protocol", Networks(proxy_protocol), "core.edge.proxy-protocol"),
    key!("metrics-port", Port(metrics_port), "core.edge.metrics-port"),
    key!("awake.on-mains", Switch(awake_on_mains), "core.edge.awake.on-mains"),
    key!("awake.on-battery", Switch(awake_on_battery), "core.edge.awake.on-battery"),
    key!("network.echoes", Urls(echoes), "core.edge.network.echoes"),
];
