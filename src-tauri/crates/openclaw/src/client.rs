//! The client of the gateway's WebSocket protocol (version 4).
//!
//! It connects straight to the gateway on loopback as `gateway-client`/`backend`, without an Origin and without a device
//! key, so it needs no pairing and never appears among the devices. It keeps connecting: 0.25 s to 10 s after a failure,
//! at once after a restart or a change of the secret, every 15 s after a refusal. A call never hangs: it fails when the
//! connection drops and when its time is over.

mod backoff;
mod connect;
mod frame;
mod task;

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use secrecy::SecretString;
use serde_json::Value;
use tokio::sync::{broadcast, mpsc, oneshot, watch};
use tokio::time::timeout;

use self::task::{Call, Task};
use crate::events::GatewayEvent;
use crate::identity::DeviceIdentity;

const CALL_LIMIT: Duration = Duration::from_secs(30);
/// How long a connection may be in the making, or a gateway in its start, before it counts as down.
const COMING: Duration = Duration::from_secs(10);

/// Whether the gateway at a loopback address accepts WebSocket connections: its challenge arrives. Sends no secret; takes
/// 15 s at most.
pub async fn accepts(address: SocketAddr) -> bool {
    connect::is_challenged(address).await
}

/// Where the gateway listens and how to log in.
#[derive(Clone)]
pub struct Endpoint {
    /// A loopback address.
    pub address: SocketAddr,
    /// The secret.
    pub auth: Credentials,
}

/// How to log in.
#[derive(Clone)]
pub enum Credentials {
    /// The shared token.
    Token(SecretString),
    /// The shared password, or the local password of trusted-proxy mode.
    Password(SecretString),
    /// Nothing (`auth.mode: none`).
    None,
}

/// The state of the connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Link {
    /// Nothing answers; it is tried again.
    Down {
        /// Since when.
        since: Instant,
        /// Why, as a sentence.
        why: String,
    },
    /// A connection is being made.
    Connecting,
    /// The gateway answers but is still starting.
    Starting,
    /// The gateway refuses our credentials or our protocol; it is tried again slowly, and at once with a new endpoint.
    Refused {
        /// The gateway's `details.code`, else its `code`, for example `AUTH_TOKEN_MISMATCH`.
        code: String,
        /// Its message.
        detail: String,
    },
    /// Connected.
    Up {
        /// What the gateway said of itself.
        hello: Hello,
    },
}

/// What the gateway says of itself when it lets us in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hello {
    /// `server.version`.
    pub version: String,
    /// Changes at each start of the gateway.
    pub boot_id: String,
    /// The file the running gateway really uses.
    pub config_path: Option<String>,
    /// The folder it really uses.
    pub state_dir: Option<String>,
    /// `token`, `password`, `none`, `trusted-proxy`.
    pub auth_mode: Option<String>,
    /// How we were let in.
    pub auth_method: Option<String>,
    /// What we may do.
    pub scopes: Vec<String>,
    /// The methods it offers.
    pub methods: Vec<String>,
    /// The interval of its ticks.
    pub tick: Duration,
}

/// Why a call failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CallError {
    /// There is no connection now.
    #[error("the gateway is not connected")]
    NotConnected,
    /// The connection was lost before the answer; whether the call took effect is unknown.
    #[error("the connection to the gateway was lost before the answer")]
    Lost,
    /// No answer in time; whether the call took effect is unknown.
    #[error("the gateway did not answer within {} s", after.as_secs())]
    TimedOut {
        /// The limit.
        after: Duration,
    },
    /// The gateway is starting, restarting or limits us.
    #[error("the gateway is not available: {message}")]
    Unavailable {
        /// Its words.
        message: String,
        /// When to try again, where it says so.
        retry_after: Option<Duration>,
    },
    /// The gateway refused the call.
    #[error("the gateway refused {method}: {message}")]
    Refused {
        /// The method.
        method: String,
        /// `code`.
        code: String,
        /// Its words.
        message: String,
        /// `details`.
        details: Box<Value>,
    },
    /// The call is larger than the gateway takes.
    #[error("the request is larger than 25 MiB")]
    TooLarge,
}

/// A handle to the connection. Clones share it; it ends when the last one is dropped.
#[derive(Clone)]
pub struct GatewayClient {
    calls: mpsc::Sender<Call>,
    endpoint: Arc<watch::Sender<Endpoint>>,
    link: watch::Receiver<Link>,
    events: broadcast::Sender<GatewayEvent>,
}

impl GatewayClient {
    /// Starts to connect, and keeps connecting. Needs a tokio runtime.
    #[must_use]
    pub fn spawn(endpoint: Endpoint) -> Self {
        Self::start(endpoint, None)
    }

    /// [`Self::spawn`] with a device key, which is used where the gateway lets no client in without one. The gateway
    /// then lists it among its devices.
    #[must_use]
    pub fn spawn_with_identity(endpoint: Endpoint, identity: Arc<DeviceIdentity>) -> Self {
        Self::start(endpoint, Some(identity))
    }

    fn start(endpoint: Endpoint, identity: Option<Arc<DeviceIdentity>>) -> Self {
        let (calls, call_queue) = mpsc::channel(64);
        let (endpoint, endpoint_changes) = watch::channel(endpoint);
        let (link_changes, link) = watch::channel(Link::Connecting);
        let (events, _) = broadcast::channel(256);
        let task = Task {
            endpoint: endpoint_changes,
            calls: call_queue,
            link: link_changes,
            events: events.clone(),
            identity,
        };
        tokio::spawn(task.run());
        Self { calls, endpoint: Arc::new(endpoint), link, events }
    }

    /// The state of the connection, and its changes.
    #[must_use]
    pub fn status(&self) -> watch::Receiver<Link> {
        self.link.clone()
    }

    /// Waits until connected.
    ///
    /// # Errors
    /// The last state: at once when the gateway refuses us, else when the limit passes.
    pub async fn ready(&self, limit: Duration) -> Result<Hello, Link> {
        let mut link = self.link.clone();
        let settled =
            timeout(limit, link.wait_for(|link| matches!(link, Link::Up { .. } | Link::Refused { .. })))
                .await;
        let last = match settled {
            Ok(Ok(link)) => link.clone(),
            Ok(Err(_)) | Err(_) => self.link.borrow().clone(),
        };
        match last {
            Link::Up { hello } => Ok(hello),
            other => Err(other),
        }
    }

    /// The state of the connection; one that is being made, to a gateway that may be starting, is waited for, for at most
    /// 10 s.
    pub async fn settled(&self) -> Link {
        let mut link = self.link.clone();
        let made = link.wait_for(|link| !matches!(link, Link::Connecting | Link::Starting));
        // Whatever it is by then.
        let _ = timeout(COMING, made).await;
        self.link.borrow().clone()
    }

    /// Calls a method that may be called any number of times: where the connection ends before the answer and is made
    /// anew at once, it is called again, once. A gateway drops everybody after a change of its secret.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn ask(&self, method: &str, params: Value) -> Result<Value, CallError> {
        match self.call(method, params.clone()).await {
            Err(error @ (CallError::Lost | CallError::NotConnected)) => match self.settled().await {
                Link::Up { .. } => self.call(method, params).await,
                _ => Err(error),
            },
            answer => answer,
        }
    }

    /// Calls a method, with a limit of 30 s.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn call(&self, method: &str, params: Value) -> Result<Value, CallError> {
        self.call_within(method, params, CALL_LIMIT).await
    }

    /// Calls a method with a limit of the caller's.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn call_within(
        &self,
        method: &str,
        params: Value,
        limit: Duration,
    ) -> Result<Value, CallError> {
        if !matches!(*self.link.borrow(), Link::Up { .. }) {
            return Err(CallError::NotConnected);
        }
        let (answer, answered) = oneshot::channel();
        let call = Call { method: method.to_owned(), params, answer };
        let outcome = timeout(limit, async {
            self.calls.send(call).await.map_err(|_| CallError::NotConnected)?;
            answered.await.map_err(|_| CallError::Lost)?
        });
        match outcome.await {
            Ok(result) => result,
            Err(_) => Err(CallError::TimedOut { after: limit }),
        }
    }

    /// What the gateway announces. A receiver that falls behind by 256 events sees `Lagged`: refresh everything.
    #[must_use]
    pub fn events(&self) -> broadcast::Receiver<GatewayEvent> {
        self.events.subscribe()
    }

    /// Uses another address or secret from now on; connects at once.
    pub fn set_endpoint(&self, endpoint: Endpoint) {
        self.endpoint.send_replace(endpoint);
    }

    /// Where it connects to.
    #[must_use]
    pub fn endpoint(&self) -> Endpoint {
        self.endpoint.borrow().clone()
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Token(_) => "Token",
            Self::Password(_) => "Password",
            Self::None => "None",
        })
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} with {:?}", self.address, self.auth)
    }
}

impl fmt::Debug for GatewayClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GatewayClient").field("link", &*self.link.borrow()).finish()
    }
}

#[cfg(test)]
mod tests;
