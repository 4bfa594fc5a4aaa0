//! The gateway's allowed origins: list, add, remove, test, seen; and the origins of addresses that are new.

use std::sync::Arc;

use gatehouse_api::{
    Address, ErrorEnvelope, OriginEntry, OriginList, OriginOwner, OriginSeen, OriginTest, OriginVerdict,
    Reply, Text, say,
};
use gatehouse_openclaw::config::{View, file, rpc};
use gatehouse_openclaw::origin::{self, Match};

use super::changes::changing;
use super::{Desk, blocking};
use crate::errors::{Explain, capital};
use crate::transaction::Intent;
use crate::{address_plan, kept};

pub(super) async fn list(desk: &Desk) -> Result<Reply, ErrorEnvelope> {
    let listed = read(desk).await?.allowed_origins.unwrap_or_default();
    Ok(Reply::Origins(entries(listed, &desk.transactions.owned_origins(), &desk.door.origins_seen())))
}

pub(super) async fn add(desk: &Desk, text: &str) -> Result<Reply, ErrorEnvelope> {
    let origin = origin::canonical(text).map_err(|error| error.explain())?;
    changing(desk, false, desk.transactions.run(Intent::AddOrigin { origin })).await.map(Reply::Change)
}

pub(super) async fn remove(desk: &Desk, origin: String) -> Result<Reply, ErrorEnvelope> {
    changing(desk, false, desk.transactions.run(Intent::RemoveOrigin { origin })).await.map(Reply::Change)
}

pub(super) async fn test(desk: &Desk, text: &str) -> Result<Reply, ErrorEnvelope> {
    let view = read(desk).await?;
    let addresses = desk.snapshots.borrow().addresses.clone();
    let fronted = desk.context.settings.current().is_fronted();
    Ok(Reply::OriginTest(verdict(text, &view, &addresses, fronted)))
}

pub(super) fn seen(desk: &Desk, refused_only: bool) -> Reply {
    let mut seen = desk.door.origins_seen();
    seen.retain(|origin| origin.refused || !refused_only);
    Reply::OriginsSeen(seen)
}

/// Adds the origins of addresses that the gateway would refuse, each in a transaction of its own. Old ones stay for a
/// day: a browser may still have them open, and addresses come back.
pub(crate) async fn cover(desk: &Desk, addresses: &[Address]) -> Result<(), ErrorEnvelope> {
    let view = read(desk).await?;
    let fronted = desk.context.settings.current().is_fronted();
    for origin in uncovered(&view, addresses, fronted) {
        changing(desk, false, desk.transactions.run(Intent::AddOrigin { origin })).await?;
    }
    forget(desk, addresses).await
}

/// Removes the origins of addresses that are kept no longer, as far as Gatehouse added them.
async fn forget(desk: &Desk, addresses: &[Address]) -> Result<(), ErrorEnvelope> {
    let settings = desk.context.settings.current();
    let over = kept::over(&settings, desk.context.clock.now());
    if over.is_empty() {
        return Ok(());
    }
    let owned = desk.transactions.owned_origins();
    for origin in &over {
        if owned.contains(origin) && addresses.iter().all(|address| address.url != *origin) {
            let origin = origin.clone();
            changing(desk, false, desk.transactions.run(Intent::RemoveOrigin { origin })).await?;
        }
    }
    let mut left = desk.context.settings.current().kept.clone();
    left.retain(|url, _| !over.contains(url));
    kept::remember(&desk.context, settings.last_addresses.clone(), left).await
}

/// The gateway's own word while it runs, else its file.
pub(super) async fn read(desk: &Desk) -> Result<View, ErrorEnvelope> {
    if let Ok(client) = desk.context.link.connected() {
        return rpc::read_view(&client).await.map_err(|error| error.explain());
    }
    let Some(gateway) = desk.context.link.gateway() else {
        return Err(desk.context.link.connected().err().unwrap_or_else(unknown));
    };
    let path = Arc::new(gateway.config_path.clone());
    blocking(move || file::read_view(&path).map_err(|error| error.explain())).await
}

fn unknown() -> ErrorEnvelope {
    ErrorEnvelope::new(
        gatehouse_api::Code::GatewayNotFound,
        say!("core.discovery.none"),
        say!("core.origins.unknown"),
    )
}

fn entries(listed: Vec<String>, owned: &[String], seen: &[OriginSeen]) -> OriginList {
    let entry = |origin: String| {
        let written = origin.trim().to_ascii_lowercase();
        OriginEntry {
            owner: if owned.contains(&origin) { OriginOwner::Gatehouse } else { OriginOwner::User },
            never_matches: origin::never_matches(&origin).map(Text::from),
            last_seen: seen
                .iter()
                .filter(|seen| seen.origin.to_ascii_lowercase() == written)
                .map(|seen| seen.last_seen)
                .max(),
            origin,
        }
    };
    OriginList { origins: listed.into_iter().map(entry).collect() }
}

/// `fronted`: a proxy is declared in front, and nobody is local.
fn verdict(text: &str, view: &View, addresses: &[Address], fronted: bool) -> OriginTest {
    let answer = |canonical, verdict, because: Text| OriginTest {
        origin: text.to_owned(),
        canonical,
        verdict,
        because,
    };
    let canonical = match origin::canonical(text) {
        Ok(canonical) => canonical,
        Err(error) => return answer(None, OriginVerdict::NotAnOrigin, capital(&error.because).into()),
    };
    if !fronted && is_loopback(&canonical) {
        let because = say!("core.origins.loopback");
        return answer(Some(canonical), OriginVerdict::PrivateSameOrigin, because);
    }
    let list = view.allowed_origins.clone().unwrap_or_default();
    let host = asked_host(&canonical, addresses);
    let matched = origin::match_rule(&list, &canonical, &host, view.host_header_origin_fallback);
    let (verdict, because) = match matched {
        Match::Listed => (OriginVerdict::Listed, say!("core.origins.listed", canonical = canonical)),
        Match::Wildcard => (OriginVerdict::Wildcard, say!("core.origins.wildcard")),
        Match::PrivateSameOrigin => {
            (OriginVerdict::PrivateSameOrigin, say!("core.origins.private", host = host))
        }
        Match::HostHeaderFallback => {
            (OriginVerdict::PrivateSameOrigin, say!("core.origins.fallback", host = host))
        }
        Match::Refused => (OriginVerdict::Refused, refused(&canonical, &host, &list)),
    };
    answer(Some(canonical), verdict, because)
}

fn refused(canonical: &str, host: &str, list: &[String]) -> Text {
    let near = list.iter().find(|entry| {
        origin::never_matches(entry).is_some() && origin::canonical(entry).is_ok_and(|near| near == canonical)
    });
    match near {
        Some(entry) => {
            let why = origin::never_matches(entry).unwrap_or_default();
            say!("core.origins.near", entry = entry, why = capital(&why))
        }
        None => {
            say!("core.origins.refused", host = host)
        }
    }
}

/// The Host that a page of this origin asks for: itself where it is one of our addresses, else our best address.
fn asked_host(canonical: &str, addresses: &[Address]) -> String {
    let own = addresses.iter().find(|address| address.url == canonical).or_else(|| addresses.first());
    authority(own.map_or(canonical, |address| address.url.as_str())).to_owned()
}

fn authority(origin: &str) -> &str {
    origin.split_once("://").map_or(origin, |(_, authority)| authority)
}

fn is_loopback(origin: &str) -> bool {
    let authority = authority(origin);
    let host = match authority.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or(rest),
        None => authority.split(':').next().unwrap_or(authority),
    };
    address_plan::is_loopback(host)
}

/// The origins of our addresses that no rule of the gateway lets in.
fn uncovered(view: &View, addresses: &[Address], fronted: bool) -> Vec<String> {
    let list = view.allowed_origins.clone().unwrap_or_default();
    addresses
        .iter()
        .map(|address| address.url.clone())
        .filter(|origin| fronted || !is_loopback(origin))
        .filter(|origin| {
            let host = authority(origin);
            origin::match_rule(&list, origin, host, view.host_header_origin_fallback) == Match::Refused
        })
        .collect()
}

#[cfg(test)]
mod tests;
