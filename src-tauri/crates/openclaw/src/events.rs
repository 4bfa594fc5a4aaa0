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
