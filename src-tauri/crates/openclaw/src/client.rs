//! The client of the gateway's WebSocket protocol (version 4).

use std::fmt;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use secrecy::SecretString;
use serde_json::Value;
use tokio::sync::{broadcast, mpsc, watch};

use crate::events::GatewayEvent;

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
        details: Value,
    },
    /// The call is larger than the gateway takes.
    #[error("the request is larger than 25 MiB")]
    TooLarge,
}

/// A handle to the connection. Clones share it; it ends when the last one is dropped.
#[derive(Clone)]
pub struct GatewayClient {
    commands: mpsc::Sender<()>,
    link: watch::Receiver<Link>,
    events: broadcast::Sender<GatewayEvent>,
}

impl GatewayClient {
    /// Starts to connect, and keeps connecting. Needs a tokio runtime.
    #[must_use]
    pub fn spawn(_endpoint: Endpoint) -> Self {
        let (commands, _) = mpsc::channel(1);
        let (_, link) = watch::channel(Link::Connecting);
        let (events, _) = broadcast::channel(1);
        Self { commands, link, events }
    }

    /// The state of the connection, and its changes.
    #[must_use]
    pub fn status(&self) -> watch::Receiver<Link> {
        self.link.clone()
    }

    /// Waits until connected.
    ///
    /// # Errors
    /// The last state when the limit passes.
    pub async fn ready(&self, _limit: Duration) -> Result<Hello, Link> {
        std::future::ready(Err(self.link.borrow().clone())).await
    }

    /// Calls a method, with a limit of 30 s.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn call(&self, method: &str, params: Value) -> Result<Value, CallError> {
        self.call_within(method, params, Duration::from_secs(30)).await
    }

    /// Calls a method with a limit of the caller's.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn call_within(
        &self,
        _method: &str,
        _params: Value,
        _limit: Duration,
    ) -> Result<Value, CallError> {
        std::future::ready(Err(CallError::NotConnected)).await
    }

    /// What the gateway announces.
    #[must_use]
    pub fn events(&self) -> broadcast::Receiver<GatewayEvent> {
        self.events.subscribe()
    }

    /// Uses another address or secret from now on; connects at once.
    pub fn set_endpoint(&self, _endpoint: Endpoint) {
        let _ = self.commands.capacity();
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
