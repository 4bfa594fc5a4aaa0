//! What must be refused (design §4), tried from outside.

use std::sync::LazyLock;

use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use gatehouse_api::{AddressScope, Text, say};
use http::StatusCode;
use serde_json::Value;

use super::error::{Check, ProbeError};
use super::http::{authority, get};
use super::socket::{Refusal, connect_as_page};
use super::trust::Trust;
use crate::address_plan::PlannedAddress;

/// A name that is nobody's. It is another one in every process and told to nobody: what is asked in its name can be left
/// out of what people are shown, and no stranger can hide behind it.
static MADE_UP: LazyLock<String> = LazyLock::new(|| {
    let mut random = [0_u8; 16];
    let drawn = SystemRandom::new().fill(&mut random);
    let name = match drawn {
        Ok(()) => random.iter().map(|byte| format!("{byte:02x}")).collect(),
        Err(_) => std::process::id().to_string(),
    };
    format!("{name}.gatehouse-probe.invalid")
});
const NOT_ALLOWED: &str = "CONTROL_UI_ORIGIN_NOT_ALLOWED";
/// Headers that only a proxy may send, and in the name of the user agent whose question it is.
static FORGED: LazyLock<[(&'static str, &'static str); 6]> = LazyLock::new(|| {
    [
        ("x-forwarded-for", "127.0.0.1"),
        ("forwarded", "for=127.0.0.1;proto=https"),
        ("x-real-ip", "127.0.0.1"),
        ("x-forwarded-host", "localhost"),
        ("tailscale-user-login", "owner@example.com"),
        ("user-agent", &MADE_UP),
    ]
});

/// Whether this host, origin or user agent is the one that probes make up.
pub(crate) fn is_made_up(host: &str) -> bool {
    let host = host.split_once("://").map_or(host, |(_, host)| host);
    host.split(':').next() == Some(MADE_UP.as_str())
}

/// Unknown names and forged headers.
pub(super) async fn edge(
    address: &PlannedAddress,
    trust: &Trust,
    running: bool,
) -> Result<Vec<(Check, String)>, ProbeError> {
    let mut lines = vec![unknown_host(address, trust).await?];
    if address.scope == AddressScope::Mac {
        lines.push(undeclared_tunnel(address, trust).await?);
    } else if running {
        lines.push(stays_remote(address, trust, &[]).await?);
        lines.push(stays_remote(address, trust, FORGED.as_slice()).await?);
    }
    Ok(lines)
}

/// Origins: those of a foreign site are refused, that of the address is not.
pub(super) async fn origins(
    address: &PlannedAddress,
    trust: &Trust,
) -> Result<(Vec<(Check, String)>, Vec<Text>), ProbeError> {
    let mut warnings = Vec::new();
    let origin = format!("https://{}", *MADE_UP);
    let foreign = connect_as_page(address, trust, Check::WrongOrigin, &origin).await?;
    if foreign.code != NOT_ALLOWED {
        warnings.push(say!("core.probe.foreign-allowed", code = foreign.code));
    }
    let own = connect_as_page(address, trust, Check::RightOrigin, &address.url).await?;
    if own.code == NOT_ALLOWED {
        return Err(ProbeError::Unexpected {
            url: address.url.clone(),
            check: Check::RightOrigin,
            expected: "no objection to the origin",
            got: words(&own),
        });
    }
    let mut lines = vec![(Check::RightOrigin, words(&own))];
    if foreign.code == NOT_ALLOWED {
        lines.push((Check::WrongOrigin, words(&foreign)));
    }
    Ok((lines, warnings))
}

async fn unknown_host(address: &PlannedAddress, trust: &Trust) -> Result<(Check, String), ProbeError> {
    let check = Check::UnknownHost;
    let answer = get(address, trust, check, "/healthz", &MADE_UP, &[]).await?;
    match answer.status == StatusCode::MISDIRECTED_REQUEST && answer.edge.is_some() {
        true => Ok((check, answer.words())),
        false => Err(ProbeError::Unexpected {
            url: address.url.clone(),
            check,
            expected: "421 by the edge",
            got: answer.words(),
        }),
    }
}

/// The gateway tells its state only to local clients (openclaw-gateway §2): what it says shows what it takes us for.
async fn stays_remote(
    address: &PlannedAddress,
    trust: &Trust,
    headers: &[(&'static str, &'static str)],
) -> Result<(Check, String), ProbeError> {
    let check = Check::ForgedHeaders;
    let answer = get(address, trust, check, "/readyz", authority(address), headers).await?;
    let got = answer.words();
    let keys = match answer.json() {
        Value::Object(body) => body.keys().cloned().collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => Vec::new(),
    };
    let refused_by_us = answer.edge.is_some() && answer.status == StatusCode::FORBIDDEN;
    let taken_for_remote = answer.edge.is_none() && keys == ["ready"];
    match refused_by_us || taken_for_remote {
        true => Ok((check, got)),
        false if answer.edge.is_some() => Err(ProbeError::NotReady { url: address.url.clone(), what: got }),
        false => Err(ProbeError::Unexpected {
            url: address.url.clone(),
            check,
            expected: "to be taken for a remote client",
            got,
        }),
    }
}

/// A loopback client that brings forwarding headers is a tunnel, and nobody declared one.
async fn undeclared_tunnel(address: &PlannedAddress, trust: &Trust) -> Result<(Check, String), ProbeError> {
    let check = Check::ForgedHeaders;
    let answer = get(address, trust, check, "/healthz", authority(address), FORGED.as_slice()).await?;
    match answer.status == StatusCode::FORBIDDEN && answer.edge.is_some() {
        true => Ok((check, answer.words())),
        false => Err(ProbeError::Unexpected {
            url: address.url.clone(),
            check,
            expected: "403 by the edge",
            got: answer.words(),
        }),
    }
}

fn words(refusal: &Refusal) -> String {
    match refusal.message.is_empty() {
        true => refusal.code.clone(),
        false => format!("{}: {}", refusal.code, refusal.message),
    }
}
