//! The gateway as it was last found, and the one connection to it.
//!
//! Shared by the controller, which keeps it up to date, and by requests and transactions, which use it. A new port or
//! secret is handed to the living connection; nobody holds an old one.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use arc_swap::ArcSwapOption;
use gatehouse_api::{Code, ErrorEnvelope, Text, say};
use gatehouse_openclaw::client::{Credentials, Endpoint, GatewayClient, Link};
use gatehouse_openclaw::discovery::{Auth, Gateway};
use secrecy::ExposeSecret;
use tokio::sync::watch;

pub(crate) mod follow;

/// Where the gateway is, and the connection to it.
#[derive(Debug, Default)]
pub struct GatewayLink {
    gateway: ArcSwapOption<Gateway>,
    connection: ArcSwapOption<Connection>,
    /// Counts connections, for those who follow them.
    connections: watch::Sender<u64>,
}

#[derive(Debug)]
struct Connection {
    client: GatewayClient,
    endpoint: Endpoint,
}

impl GatewayLink {
    /// The gateway as its files describe it; `None` = none was found.
    #[must_use]
    pub fn gateway(&self) -> Option<Arc<Gateway>> {
        self.gateway.load_full()
    }

    /// Where the gateway listens, found or not: its port on loopback.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        let port = self.gateway().map_or(DEFAULT_PORT, |gateway| gateway.port);
        SocketAddr::from((Ipv4Addr::LOCALHOST, port))
    }

    /// The connection, up or not; `None` where no secret for it is known.
    #[must_use]
    pub fn client(&self) -> Option<GatewayClient> {
        self.connection.load().as_ref().map(|connection| connection.client.clone())
    }

    /// The connection, where it is up.
    ///
    /// # Errors
    /// `gateway-not-found`, `gateway-auth` or `gateway-unreachable`, with what is known.
    pub fn connected(&self) -> Result<GatewayClient, ErrorEnvelope> {
        let Some(gateway) = self.gateway() else { return Err(not_found()) };
        let Some(client) = self.client() else { return Err(no_secret(&gateway.auth)) };
        let link = client.status().borrow().clone();
        match link {
            Link::Up { .. } => Ok(client),
            Link::Refused { code, detail } => Err(refused(&code, &detail)),
            Link::Down { why, .. } => Err(unreachable(why.into())),
            Link::Connecting => Err(unreachable(say!("core.link.not-yet", address = self.address()))),
            Link::Starting => Err(unreachable(say!("core.link.starting"))),
        }
    }

    /// The connection, once it is [settled](GatewayClient::settled), which takes 10 s at most. A gateway drops everybody for a moment
    /// after a change of its secret, and whoever asks just then wants an answer, not advice to start it.
    ///
    /// # Errors
    /// As [`Self::connected`].
    pub async fn reached(&self) -> Result<GatewayClient, ErrorEnvelope> {
        if let Some(client) = self.client() {
            client.settled().await;
        }
        self.connected()
    }

    /// Whether the gateway refuses our secret.
    pub(crate) fn is_refused(&self) -> bool {
        self.client().is_some_and(|client| matches!(*client.status().borrow(), Link::Refused { .. }))
    }

    /// Takes what discovery found. The connection moves to it; where there was none, or is none any more, those who
    /// follow are told. Needs a tokio runtime.
    pub fn update(&self, gateway: Option<Gateway>) {
        let endpoint = gateway.as_ref().and_then(endpoint);
        self.gateway.store(gateway.map(Arc::new));
        let current = self.connection.load_full();
        match (current, endpoint) {
            (None, None) => {}
            (Some(_), None) => {
                self.connection.store(None);
                self.connections.send_modify(|count| *count += 1);
            }
            (None, Some(endpoint)) => {
                let client = GatewayClient::spawn(endpoint.clone());
                self.connection.store(Some(Arc::new(Connection { client, endpoint })));
                self.connections.send_modify(|count| *count += 1);
            }
            (Some(current), Some(endpoint)) => {
                if !same(&current.endpoint, &endpoint) {
                    current.client.set_endpoint(endpoint.clone());
                    let client = current.client.clone();
                    self.connection.store(Some(Arc::new(Connection { client, endpoint })));
                }
            }
        }
    }
}

/// Where OpenClaw listens unless told otherwise.
pub const DEFAULT_PORT: u16 = 18789;

fn endpoint(gateway: &Gateway) -> Option<Endpoint> {
    let auth = match &gateway.auth {
        Auth::Token(token) => Credentials::Token(token.clone()),
        Auth::Password(password) => Credentials::Password(password.clone()),
        Auth::TrustedProxy { password } => Credentials::Password(password.clone()?),
        Auth::None => Credentials::None,
        Auth::Missing | Auth::Unresolvable { .. } => return None,
    };
    Some(Endpoint { address: SocketAddr::from((Ipv4Addr::LOCALHOST, gateway.port)), auth })
}

fn same(one: &Endpoint, other: &Endpoint) -> bool {
    let auth = match (&one.auth, &other.auth) {
        (Credentials::Token(a), Credentials::Token(b))
        | (Credentials::Password(a), Credentials::Password(b)) => a.expose_secret() == b.expose_secret(),
        (Credentials::None, Credentials::None) => true,
        (Credentials::Token(_) | Credentials::Password(_) | Credentials::None, _) => false,
    };
    auth && one.address == other.address
}

fn not_found() -> ErrorEnvelope {
    ErrorEnvelope::new(
        Code::GatewayNotFound,
        say!("core.discovery.none"),
        say!("core.discovery.none-because"),
    )
    .fix_with(say!("core.discovery.install"), "gatehouse serve --install")
}

fn unreachable(why: Text) -> ErrorEnvelope {
    ErrorEnvelope::new(Code::GatewayUnreachable, say!("core.gateway.silent-title"), why)
        .fix_with(say!("core.gateway.start-again"), "openclaw gateway start")
}

fn refused(code: &str, detail: &str) -> ErrorEnvelope {
    ErrorEnvelope::new(
        Code::GatewayAuth,
        say!("core.gateway.refuses-us"),
        say!("core.gateway.answered", code = code, detail = detail),
    )
    .fix(say!("core.gateway.refuses-us-fix"))
}

/// Why there is no secret to connect with.
pub(crate) fn no_secret(auth: &Auth) -> ErrorEnvelope {
    let error = |because: Text| ErrorEnvelope::new(Code::GatewayAuth, say!("core.secret.unknown"), because);
    match auth {
        Auth::Missing => {
            error(say!("core.secret.none")).fix_with(say!("core.secret.none-fix"), "gatehouse open --to lan")
        }
        Auth::Unresolvable { reason } => error(reason.clone().into())
            .fix_with(say!("core.secret.unresolvable-fix"), "gatehouse token import --secret-file -"),
        Auth::TrustedProxy { .. } => error(say!("core.secret.proxy")).fix(say!("core.secret.proxy-fix")),
        Auth::Token(_) | Auth::Password(_) | Auth::None => {
            error(say!("core.secret.unread")).fix(say!("core.try-again-soon"))
        }
    }
}

#[cfg(test)]
mod tests;
