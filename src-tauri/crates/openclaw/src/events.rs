//! What the gateway announces, as types.

use std::time::Duration;

use serde_json::Value;

use crate::devices::Pending;

/// Something that happened at the gateway.
///
/// Removing a device and replacing or revoking its token raise only [`GatewayEvent::Presence`]; the expiry of a request
/// raises nothing. Refresh the device list on each of these and every 30 s.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum GatewayEvent {
    /// A device asks to be paired.
    PairRequested(Box<Pending>),
    /// A request was approved or rejected, by whomever.
    PairResolved {
        /// The request.
        request_id: String,
        /// The device.
        device_id: Option<String>,
        /// Whether it was approved.
        approved: bool,
    },
    /// A label changed.
    PairChanged,
    /// Somebody came or went.
    Presence,
    /// The configuration changed.
    ConfigChanged {
        /// The file.
        path: Option<String>,
        /// The gateway's hash of it.
        hash: Option<String>,
    },
    /// The gateway stops or restarts.
    Shutdown {
        /// Its words.
        reason: String,
        /// How long it expects to be away, when it restarts.
        restart_expected: Option<Duration>,
    },
    /// Anything else, by name.
    Other {
        /// Its name.
        name: String,
        /// Its payload.
        payload: Value,
    },
}

impl GatewayEvent {
    /// The event of a frame; `None` for ticks, which mean nothing but "alive".
    pub(crate) fn from_frame(name: String, payload: Value) -> Option<Self> {
        let text = |key: &str| payload.get(key).and_then(Value::as_str).map(str::to_owned);
        Some(match name.as_str() {
            "tick" => return None,
            "device.pair.requested" => match Pending::from_value(&payload) {
                Some(pending) => Self::PairRequested(Box::new(pending)),
                None => Self::PairChanged,
            },
            "device.pair.resolved" => Self::PairResolved {
                request_id: text("requestId").unwrap_or_default(),
                device_id: text("deviceId"),
                approved: text("decision").as_deref() == Some("approved"),
            },
            "device.pair.changed" => Self::PairChanged,
            "presence" => Self::Presence,
            "config.changed" => Self::ConfigChanged { path: text("path"), hash: text("hash") },
            "shutdown" => Self::Shutdown {
                reason: text("reason").unwrap_or_default(),
                restart_expected: payload
                    .get("restartExpectedMs")
                    .and_then(Value::as_u64)
                    .map(Duration::from_millis),
            },
            _ => Self::Other { name, payload },
        })
    }
}

#[cfg(test)]
mod tests;
