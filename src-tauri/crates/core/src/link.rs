//! The gateway as it was last found, and the one connection to it.
//!
//! Shared by the controller, which keeps it up to date, and by requests and transactions, which use it. A new port or
//! secret is handed to the living connection; nobody holds an old one.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use arc_swap::ArcSwapOption;
use gatehouse_api::{Code, ErrorEnvelope};
use gatehouse_openclaw::client::{Credentials, Endpoint, GatewayClient, Link};
use gatehouse_openclaw::discovery::{Auth, Gateway};
use secrecy::ExposeSecret;
use tokio::sync::watch;

use crate::errors::capital;

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
            Link::Down { why, .. } => Err(unreachable(&why)),
            Link::Connecting => Err(unreachable(&format!("{} has not answered yet", self.address()))),
            Link::Starting => Err(unreachable("it is still starting")),
        }
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
        "No OpenClaw gateway was found",
        "Neither a configuration file nor an openclaw program is where OpenClaw puts them.",
    )
    .fix_with("Install OpenClaw, or let Gatehouse run one of its own.", "gatehouse serve --install")
}

fn unreachable(why: &str) -> ErrorEnvelope {
    ErrorEnvelope::new(Code::GatewayUnreachable, "The gateway does not answer", capital(why))
        .fix_with("Start the gateway, then try again.", "openclaw gateway start")
}

fn refused(code: &str, detail: &str) -> ErrorEnvelope {
    ErrorEnvelope::new(
        Code::GatewayAuth,
        "The gateway refuses Gatehouse",
        format!("It answered {code}: {detail}"),
    )
    .fix("Restart the gateway so that it uses the secret in its configuration file, then try again.")
}

/// Why there is no secret to connect with.
pub(crate) fn no_secret(auth: &Auth) -> ErrorEnvelope {
    let error = |because: String| {
        ErrorEnvelope::new(Code::GatewayAuth, "The gateway's secret is not known to Gatehouse", because)
    };
    match auth {
        Auth::Missing => error(
            "Its configuration names none, so it makes one at each start that nobody can read.".to_owned(),
        )
        .fix_with("Open the address: a secret is then made and stored.", "gatehouse open --to lan"),
        Auth::Unresolvable { reason } => error(reason.clone())
            .fix("Write the token as plain text or in an environment variable that Gatehouse sees."),
        Auth::TrustedProxy { .. } => {
            error("It is in trusted-proxy mode without a password for local programs.".to_owned())
                .fix("Set gateway.auth.password in the gateway's configuration.")
        }
        Auth::Token(_) | Auth::Password(_) | Auth::None => {
            error("It has not been read yet.".to_owned()).fix("Try again in a moment.")
        }
    }
}

#[cfg(test)]
mod tests;
