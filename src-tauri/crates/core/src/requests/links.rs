//! What is handed on: the owner link for a browser, the setup code for a phone.

use gatehouse_api::{
    AddressScope, Code, ErrorEnvelope, PhoneSetup, PhoneSetupProgress, Reply, SecretLink, SecretText, say,
};
use gatehouse_openclaw::probe::{GatewayHealth, health};
use gatehouse_openclaw::{program::Program, setup};
use secrecy::ExposeSecret;

use super::Desk;
use crate::context::FrontDoor;
use crate::errors::Explain;

const LOOPBACK: [&str; 3] = ["localhost", "127.0.0.1", "[::1]"];

/// The owner link that is being made: one at a time, and it can be stopped.
#[derive(Debug, Default)]
pub(crate) struct Links {
    turn: tokio::sync::Mutex<()>,
    cancelled: tokio::sync::Notify,
}

impl Links {
    /// Stops making it. Nothing happens where none is being made.
    pub(crate) fn cancel(&self) {
        self.cancelled.notify_waiters();
    }
}

/// A link that makes one browser an owner. One at a time is made: each leaves a token in the gateway for ten minutes. Only
/// OpenClaw's own command line makes them (openclaw-gateway §5.5): two seconds at rest, half a minute on a busy machine.
pub(super) async fn dashboard(desk: &Desk, address: Option<String>) -> Result<Reply, ErrorEnvelope> {
    let Ok(_turn) = desk.links.turn.try_lock() else {
        return Err(ErrorEnvelope::new(Code::Busy, say!("core.link.busy"), say!("core.link.busy-because")));
    };
    let port = desk.door.listening().https.first().map(std::net::SocketAddr::port).ok_or_else(closed)?;
    let served: Vec<String> = desk.snapshots.borrow().addresses.iter().map(|a| a.url.clone()).collect();
    let address = ours(address.as_deref(), &served, port)?;
    let gateway = match desk.context.link.gateway() {
        Some(gateway) => gateway,
        None => return Err(desk.context.link.connected().err().unwrap_or_else(no_program)),
    };
    let program = Program::of(&gateway, &desk.context.environment.load()).ok_or_else(no_program)?;
    // The command would wait for minutes.
    if !matches!(health(desk.context.link.address()).await, GatewayHealth::Ready | GatewayHealth::Live) {
        return Err(desk.context.link.connected().err().unwrap_or_else(not_ready));
    }
    let link = tokio::select! {
        biased;
        () = desk.links.cancelled.notified() => return Err(cancelled()),
        link = program.dashboard() => link.map_err(|error| error.explain())?,
    };
    let url = link.at(&address).map_err(|error| error.explain())?;
    tracing::info!(%address, "an owner link was made");
    let url = SecretText::new(url.expose_secret());
    Ok(Reply::Link(SecretLink { url, address, expires_at: link.expires_at }))
}

/// A setup code for the app. Nothing in the gateway's configuration changes for it.
pub(super) async fn phone(desk: &Desk, address: Option<String>) -> Result<Reply, ErrorEnvelope> {
    let reachable: Vec<String> = desk
        .snapshots
        .borrow()
        .addresses
        .iter()
        .filter(|address| address.scope != AddressScope::Mac)
        .map(|address| address.url.clone())
        .collect();
    let address = match address {
        Some(wanted) => pick(&wanted, &reachable).ok_or_else(|| not_ours(&wanted))?,
        None => reachable.into_iter().next().ok_or_else(closed)?,
    };
    let client = desk.context.link.reached().await?;
    let code = setup::code(&client, &address).await.map_err(|error| error.explain())?;
    tracing::info!(%address, "a setup code for a phone was made");
    Ok(Reply::PhoneSetup(PhoneSetup {
        code: SecretText::new(code.code.expose_secret()),
        gateway_url: code.gateway_url,
        setup_id: code.setup_id,
        expires_at: code.expires_at,
    }))
}

/// Whether a setup code was used.
pub(super) async fn phone_status(desk: &Desk, setup_id: &str) -> Result<Reply, ErrorEnvelope> {
    let client = desk.context.link.reached().await?;
    let completion = setup::completion(&client, setup_id).await.map_err(|error| error.explain())?;
    let done = completion.is_some();
    let (device_id, name) = completion.map(|done| (done.device_id, done.name)).unwrap_or_default();
    Ok(Reply::PhoneSetupStatus(PhoneSetupProgress { done, device_id, name }))
}

/// The address in a link that logs in is one of ours and no other: the link would hand the gateway to whoever has it.
fn ours(wanted: Option<&str>, served: &[String], port: u16) -> Result<String, ErrorEnvelope> {
    let at = |host: &str| match port {
        443 => format!("https://{host}"),
        port => format!("https://{host}:{port}"),
    };
    let Some(wanted) = wanted else { return Ok(at(LOOPBACK[0])) };
    let known: Vec<String> = LOOPBACK.iter().map(|host| at(host)).chain(served.iter().cloned()).collect();
    pick(wanted, &known).ok_or_else(|| not_ours(wanted))
}

pub(super) fn pick(wanted: &str, known: &[String]) -> Option<String> {
    let wanted = wanted.trim().trim_end_matches('/');
    known.iter().find(|known| known.eq_ignore_ascii_case(wanted)).cloned()
}

pub(super) fn not_ours(wanted: &str) -> ErrorEnvelope {
    ErrorEnvelope::new(
        Code::NotFound,
        say!("core.link.not-open"),
        say!("core.link.not-open-because", wanted = wanted),
    )
    .fix_with(say!("core.look.which"), "gatehouse status")
}

pub(super) fn closed() -> ErrorEnvelope {
    ErrorEnvelope::new(Code::NoAddress, say!("core.link.none"), say!("core.link.none-because"))
        .fix_with(say!("core.open-one"), "gatehouse open --to lan")
}

fn cancelled() -> ErrorEnvelope {
    ErrorEnvelope::new(Code::Cancelled, say!("core.link.cancelled"), say!("core.link.cancelled-because"))
}

fn not_ready() -> ErrorEnvelope {
    ErrorEnvelope::new(
        Code::GatewayUnreachable,
        say!("core.gateway.silent-title"),
        say!("core.gateway.starting-or-stopped"),
    )
    .fix_with(say!("core.start-it-again"), "gatehouse gateway start")
}

pub(crate) fn no_program() -> ErrorEnvelope {
    ErrorEnvelope::new(Code::GatewayNotFound, say!("core.program.none"), say!("core.program.none-because"))
        .fix(say!("core.program.none-fix"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_that_logs_in_leads_to_one_of_our_addresses_only() {
        let served = ["https://mini.local:8443".to_owned()];
        let at = |wanted: Option<&str>| ours(wanted, &served, 8443).map_err(|error| error.code);

        assert_eq!(at(None).as_deref(), Ok("https://localhost:8443"));
        for good in ["https://MINI.local:8443/", "https://mini.local:8443", " https://127.0.0.1:8443"] {
            assert!(at(Some(good)).is_ok(), "{good}");
        }
        for bad in [
            "https://evil.example",
            "https://mini.local",
            "http://mini.local:8443",
            "https://mini.local:8443@evil.example",
            "https://mini.local:8443/path",
            "",
        ] {
            assert_eq!(at(Some(bad)), Err(Code::NotFound), "{bad}");
        }
        assert_eq!(ours(None, &[], 443).unwrap(), "https://localhost");
    }
}
