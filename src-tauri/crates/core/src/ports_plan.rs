//! Which ports the edge listens on, and why not others.
//!
//! Guarantees: a port that the user chose is used or refused, never replaced; a port that somebody else has is named
//! with its holder; a port that is already ours, or was settled on earlier, is kept while it can be had, because a new
//! port is a new origin and every browser would have to pair again.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use gatehouse_api::{Code, ErrorEnvelope, Text, say};
use gatehouse_host::ports::{PortHolder, Refusal};
use serde::{Deserialize, Serialize};

use crate::context::{Listeners, Machine};

const HTTPS: u16 = 443;
const HTTPS_FALLBACK: u16 = 8443;
const HTTP: u16 = 80;

/// What the ports are chosen by.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PortsWanted {
    /// The HTTPS port that the user chose.
    pub https: Option<u16>,
    /// The redirect port that the user chose; 0 = none.
    pub redirect: Option<u16>,
    /// The HTTPS port that was settled on earlier, with the reason why it is not 443.
    pub settled: Option<(u16, Option<Text>)>,
    /// Where the edge listens already.
    pub ours: Listeners,
}

/// Where the edge will listen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PortsPlan {
    /// The HTTPS port.
    pub https: u16,
    /// Why it is not 443, where the user did not choose it.
    pub https_reason: Option<Text>,
    /// The port that redirects plain HTTP.
    pub redirect: Option<u16>,
    /// Why there is none.
    pub redirect_reason: Option<Text>,
    /// Whether this machine has IPv6.
    pub ipv6: bool,
}

/// Why a port cannot be had.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Unavailable {
    code: Code,
    because: Text,
    holder: Option<Text>,
}

impl PortsPlan {
    /// The sockets: every address of IPv4, and of IPv6 where there is IPv6. On macOS an unprivileged program may have a
    /// low port on all addresses only (pki-acme-macos-network §4.1); who may connect is decided when a client does.
    #[must_use]
    pub fn listeners(&self) -> Listeners {
        Listeners {
            https: wildcards(self.https, self.ipv6),
            redirect: self.redirect.map(|port| wildcards(port, self.ipv6)).unwrap_or_default(),
        }
    }
}

/// Chooses the ports. Opens nothing for longer than a moment.
///
/// # Errors
/// `port-taken` with the holder, or `permission`, where the chosen port cannot be had, or no port can.
pub fn plan(wanted: &PortsWanted, machine: &dyn Machine) -> Result<PortsPlan, ErrorEnvelope> {
    let ipv6 = has_ipv6(&wanted.ours, machine);
    let free = |port: u16, ours: &[SocketAddr]| available(port, ours, ipv6, machine);
    let (https, https_reason) = https_port(wanted, free)?;
    let (redirect, redirect_reason) = redirect_port(wanted, https, free)?;
    Ok(PortsPlan { https, https_reason, redirect, redirect_reason, ipv6 })
}

fn https_port(
    wanted: &PortsWanted,
    free: impl Fn(u16, &[SocketAddr]) -> Result<(), Unavailable>,
) -> Result<(u16, Option<Text>), ErrorEnvelope> {
    let ours = &wanted.ours.https;
    if let Some(port) = wanted.https {
        return match free(port, ours) {
            Ok(()) => Ok((port, None)),
            Err(why) => {
                Err(refused(port, &why)
                    .fix_with(say!("core.port.choose"), "gatehouse open --to lan --port 8443"))
            }
        };
    }
    if let Some((port, reason)) = &wanted.settled
        && free(*port, ours).is_ok()
    {
        return Ok((*port, reason.clone()));
    }
    let Err(standard) = free(HTTPS, ours) else { return Ok((HTTPS, None)) };
    match free(HTTPS_FALLBACK, ours) {
        Ok(()) => Ok((HTTPS_FALLBACK, Some(standard.because))),
        Err(fallback) => Err(refused(HTTPS_FALLBACK, &fallback)
            .evidence(standard.because)
            .fix_with(say!("core.port.free"), "gatehouse open --to lan --port 9443")),
    }
}

fn redirect_port(
    wanted: &PortsWanted,
    https: u16,
    free: impl Fn(u16, &[SocketAddr]) -> Result<(), Unavailable>,
) -> Result<(Option<u16>, Option<Text>), ErrorEnvelope> {
    let ours = &wanted.ours.redirect;
    match wanted.redirect {
        Some(0) => Ok((None, Some(say!("core.port.none-chosen")))),
        Some(port) if port == https => Err(ErrorEnvelope::new(
            Code::Usage,
            say!("core.port.itself", port = port),
            say!("core.port.itself-because"),
        )),
        Some(port) => match free(port, ours) {
            Ok(()) => Ok((Some(port), None)),
            Err(why) => Err(refused(port, &why).fix(say!("core.port.redirect-fix"))),
        },
        None if https == HTTP => Ok((None, Some(say!("core.port.80-is-https")))),
        None => match free(HTTP, ours) {
            Ok(()) => Ok((Some(HTTP), None)),
            Err(why) => Ok((None, Some(why.because))),
        },
    }
}

fn available(port: u16, ours: &[SocketAddr], ipv6: bool, machine: &dyn Machine) -> Result<(), Unavailable> {
    for address in wildcards(port, ipv6) {
        if ours.contains(&address) {
            continue;
        }
        match machine.try_bind(address) {
            Ok(()) => {}
            Err(Refusal::InUse) => return Err(taken(port, machine.holder(port))),
            Err(Refusal::Permission) => {
                let because = say!("core.port.reserved", port = port);
                return Err(Unavailable { code: Code::Permission, because, holder: None });
            }
            Err(Refusal::NoAddress) => {
                let because = say!("core.port.no-such", address = address);
                return Err(Unavailable { code: Code::Failed, because, holder: None });
            }
            Err(Refusal::Other(error)) => {
                let because = say!("core.port.cannot-listen", address = address, error = error);
                return Err(Unavailable { code: Code::Failed, because, holder: None });
            }
        }
    }
    Ok(())
}

/// Whether sockets of IPv6 can be opened here.
pub fn has_ipv6(ours: &Listeners, machine: &dyn Machine) -> bool {
    ours.https.iter().chain(&ours.redirect).any(SocketAddr::is_ipv6)
        || machine.try_bind(SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0))).is_ok()
}

fn wildcards(port: u16, ipv6: bool) -> Vec<SocketAddr> {
    let mut addresses = vec![SocketAddr::from((Ipv4Addr::UNSPECIFIED, port))];
    if ipv6 {
        addresses.push(SocketAddr::from((Ipv6Addr::UNSPECIFIED, port)));
    }
    addresses
}

fn taken(port: u16, holder: Option<PortHolder>) -> Unavailable {
    let holder = holder.map(|holder| name(&holder));
    let because = match &holder {
        Some(holder) => gatehouse_api::say!("core.port-held", port = port, holder = holder),
        None => say!("core.port.held-unknown", port = port),
    };
    Unavailable { code: Code::PortTaken, because, holder }
}

/// A holder in words, for example `nginx (pid 412)`.
#[must_use]
pub fn name(holder: &PortHolder) -> Text {
    let program = holder.program.as_deref().map_or_else(|| say!("core.a-program"), Text::from);
    match (holder.pid, holder.uid) {
        (Some(pid), _) => say!("core.holder.pid", program = program, pid = pid),
        (None, Some(uid)) => say!("core.holder.user", program = program, uid = uid),
        (None, None) => program,
    }
}

fn refused(port: u16, why: &Unavailable) -> ErrorEnvelope {
    let title = match (&why.holder, why.code) {
        (Some(holder), _) => say!("core.port.taken-by", port = port, holder = holder),
        (None, Code::PortTaken) => say!("core.port.taken", port = port),
        (None, _) => say!("core.port.unusable", port = port),
    };
    ErrorEnvelope::new(why.code, title, why.because.clone())
}

#[cfg(test)]
mod tests;
