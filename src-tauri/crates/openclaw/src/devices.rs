//! Devices that wait for approval and devices that have it. Approval is by device key.

mod parse;

use std::net::IpAddr;

use secrecy::SecretString;
use serde_json::{Value, json};
use time::OffsetDateTime;

use crate::client::{CallError, GatewayClient};
use crate::config::{AuthMode, ConfigError, View, rpc};
use crate::digest::fresh_token;

const ATTEMPTS: u32 = 4;

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
    /// How it could come back by itself; empty = somebody must approve it again.
    pub can_return: Vec<ReturnPath>,
    /// Whether it may know the shared token or password. That secret still opens the gateway's HTTP interface, which asks
    /// for no pairing: only [`rotate_shared_token`] ends that.
    pub knows_secret: bool,
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
    let answer = client.ask("device.pair.list", json!({})).await?;
    let items = |key: &str| answer.get(key).and_then(Value::as_array);
    let pending = items("pending").ok_or(DeviceError::Answer { what: "pending" })?;
    let paired = items("paired").ok_or(DeviceError::Answer { what: "paired" })?;
    let mut devices = Devices {
        pending: pending.iter().filter_map(Pending::from_value).collect(),
        paired: paired.iter().filter_map(Paired::from_value).collect(),
    };
    devices.pending.sort_by_key(|request| request.asked_at);
    Ok(devices)
}

/// Approves the newest request of a device key, if it asks for nothing that was not shown.
///
/// The list is read again first, so the user's yes holds for the key and not for a request that the client may have
/// replaced. The gateway approves a request as a whole: a narrower `access` is possible only where the device asks for no
/// more than that. (Narrowing its token afterwards does not last: a device that can ask knows the shared secret and gets
/// everything that was approved at its next connection.)
///
/// # Errors
/// [`DeviceError::Widened`], [`DeviceError::NotSupported`] for an access that cannot be kept,
/// [`DeviceError::NotFound`], [`DeviceError::KeepsChanging`], [`DeviceError::Call`].
pub async fn approve(
    client: &GatewayClient,
    device_id: &str,
    access: Access,
    shown: Option<&Shown>,
) -> Result<Paired, DeviceError> {
    let first = newest(client, device_id).await?;
    let shown = shown.cloned().unwrap_or_else(|| Shown::of(&first));
    let mut request = first;
    for _ in 0..ATTEMPTS {
        if !shown.covers(&request) {
            return Err(DeviceError::Widened { now: Box::new(request) });
        }
        access.admits(&request)?;
        match client.call("device.pair.approve", json!({"requestId": request.request_id})).await {
            Ok(answer) => {
                return answer
                    .get("device")
                    .and_then(Paired::from_value)
                    .ok_or(DeviceError::Answer { what: "device" });
            }
            Err(error) if is_unknown_request(&error) => request = newest(client, device_id).await?,
            Err(error) => return Err(error.into()),
        }
    }
    Err(DeviceError::KeepsChanging)
}

/// Refuses all requests of a device key that wait now. It may ask again.
///
/// # Errors
/// [`DeviceError`].
pub async fn deny(client: &GatewayClient, device_id: &str) -> Result<Pending, DeviceError> {
    let mut denied = None;
    for _ in 0..ATTEMPTS {
        let waiting =
            list(client).await?.pending.into_iter().filter(|request| request.device_id == device_id);
        let Some(request) = waiting.max_by_key(|request| request.asked_at) else { break };
        match client.call("device.pair.reject", json!({"requestId": request.request_id})).await {
            Ok(_) => denied = Some(request),
            Err(error) if is_unknown_request(&error) => {}
            Err(error) => return Err(error.into()),
        }
    }
    denied.ok_or_else(|| DeviceError::NotFound { device_id: device_id.to_owned() })
}

/// Removes a paired device, which closes its connections, and says how it could come back without an approval.
///
/// # Errors
/// [`DeviceError`].
pub async fn revoke(client: &GatewayClient, device_id: &str) -> Result<Revoked, DeviceError> {
    let device = paired(client, device_id).await?;
    let view = rpc::read_view(client).await?;
    client.call("device.pair.remove", json!({"deviceId": device_id})).await?;
    let (can_return, knows_secret) = (return_paths(&device, &view), knows_secret(&device, &view));
    Ok(Revoked { device, can_return, knows_secret })
}

/// Labels a paired device.
///
/// # Errors
/// [`DeviceError`].
pub async fn rename(client: &GatewayClient, device_id: &str, label: &str) -> Result<Paired, DeviceError> {
    paired(client, device_id).await?;
    client.call("device.pair.rename", json!({"deviceId": device_id, "label": label})).await?;
    paired(client, device_id).await
}

/// Replaces the shared token by a new strong one and returns it. Clients that use the old one are dropped (4001), this
/// client too; paired devices keep their own tokens. Call [`GatewayClient::set_endpoint`] with the new token.
///
/// # Errors
/// [`DeviceError::NotSupported`] unless `gateway.auth.token` is a plain string in the configuration.
pub async fn rotate_shared_token(client: &GatewayClient) -> Result<SecretString, DeviceError> {
    let not_plain = |because: &str| DeviceError::NotSupported { because: because.to_owned() };
    let view = rpc::read_view(client).await?;
    if !view.has_token {
        return Err(not_plain("the gateway's configuration holds no shared token that could be replaced"));
    }
    if !view.token_is_plain {
        return Err(not_plain(
            "the gateway's token comes from elsewhere (a reference or a variable): replace it there",
        ));
    }
    let token = fresh_token().ok_or_else(|| not_plain("the system gives no random numbers"))?;
    rpc::replace_token(client, &token).await?;
    Ok(token)
}

impl Shown {
    /// What a request asks for.
    #[must_use]
    pub fn of(request: &Pending) -> Self {
        Self { role: Some(request.role.clone()), scopes: request.scopes.clone() }
    }

    /// Whether the request asks for nothing else.
    fn covers(&self, request: &Pending) -> bool {
        let role_shown = match &self.role {
            Some(role) => request.role == *role && request.roles.iter().all(|asked| asked == role),
            None => request.roles.iter().all(|asked| *asked == request.role),
        };
        role_shown && request.scopes.iter().all(|scope| self.scopes.contains(scope))
    }
}

impl Access {
    /// The scopes that this access allows; `None` = all.
    #[must_use]
    pub fn scopes(self) -> Option<&'static [&'static str]> {
        match self {
            Self::Full => None,
            Self::Chat => Some(&[
                "operator.read",
                "operator.write",
                "operator.approvals",
                "operator.questions",
                "operator.talk",
            ]),
            Self::Read => Some(&["operator.read"]),
        }
    }

    fn admits(self, request: &Pending) -> Result<(), DeviceError> {
        let Some(allowed) = self.scopes() else { return Ok(()) };
        let more: Vec<&str> =
            request.scopes.iter().map(String::as_str).filter(|scope| !allowed.contains(scope)).collect();
        if more.is_empty() && request.role == "operator" {
            return Ok(());
        }
        let because = format!(
            "the gateway approves a request only as a whole, and this device asks for {} as well; narrowing it \
             afterwards would not last, because the device knows the shared secret",
            if more.is_empty() { "another role".to_owned() } else { more.join(", ") }
        );
        Err(DeviceError::NotSupported { because })
    }
}

/// How a removed device could come back. Whoever paired before knows the shared secret or may have kept it: what keeps it
/// out is that somebody must approve it again, or a new shared secret.
fn return_paths(device: &Paired, view: &View) -> Vec<ReturnPath> {
    let local = device
        .remote_ip
        .as_deref()
        .is_none_or(|ip| ip.parse::<IpAddr>().is_ok_and(|ip| ip.to_canonical().is_loopback()));
    let mut paths = Vec::new();
    if local && view.auto_approve_local {
        paths.push(if view.auth_mode == Some(AuthMode::None) {
            ReturnPath::NoAuthentication
        } else {
            ReturnPath::LocalAutoApproval
        });
    }
    if view.auth_mode == Some(AuthMode::TrustedProxy) && view.proxy_auto_approve {
        paths.push(ReturnPath::ProxyAutoApproval);
    }
    paths
}

/// Whoever paired by a link or an identity never saw the secret; everybody else logged in with it.
fn knows_secret(device: &Paired, view: &View) -> bool {
    let shared = !matches!(view.auth_mode, Some(AuthMode::None | AuthMode::TrustedProxy));
    shared && !matches!(device.approved_via.as_deref(), Some("bootstrap" | "trusted-proxy" | "ssh-verified"))
}

async fn newest(client: &GatewayClient, device_id: &str) -> Result<Pending, DeviceError> {
    let waiting = list(client).await?.pending.into_iter().filter(|request| request.device_id == device_id);
    waiting
        .max_by_key(|request| request.asked_at)
        .ok_or_else(|| DeviceError::NotFound { device_id: device_id.to_owned() })
}

async fn paired(client: &GatewayClient, device_id: &str) -> Result<Paired, DeviceError> {
    let devices = list(client).await?.paired;
    devices
        .into_iter()
        .find(|device| device.device_id == device_id)
        .ok_or_else(|| DeviceError::NotFound { device_id: device_id.to_owned() })
}

/// The gateway gives this error no code of its own.
fn is_unknown_request(error: &CallError) -> bool {
    matches!(error, CallError::Refused { message, .. } if message.contains("unknown requestId"))
}

#[cfg(test)]
mod tests;
