//! Devices: list, approve, deny, revoke, rename, and revoke in time. Each names a device by its key, never by a request id.

mod in_time;

use std::sync::Arc;

use gatehouse_api::{ApproveAs, Code, DeviceList, ErrorEnvelope, Reply, RevokeReport, Text, TokenEdit, say};
use gatehouse_openclaw::client::GatewayClient;
use gatehouse_openclaw::devices::{self as gateway, Access, Devices, Paired, ReturnPath, Shown};
use gatehouse_openclaw::discovery::{Auth, Gateway};

use super::Desk;
use crate::controller::message::Fact;
use crate::devices::choose::choose;
use crate::devices::{expiry, join};
use crate::errors::Explain;
use crate::transaction::Intent;

pub(super) use in_time::expire;
pub(crate) use in_time::follow as expire_in_time;

/// Longest label, in characters: it is shown in one line.
const LABEL: usize = 60;

/// All devices, joined with what the edge saw.
pub(crate) async fn listed(desk: &Desk) -> Result<DeviceList, ErrorEnvelope> {
    let client = desk.context.link.reached().await?;
    let devices = fetch(&client).await?;
    let sightings = desk.door.sightings();
    let context = &desk.context;
    let issued = |sha256: &str| context.public.issued(sha256);
    let now = context.clock.now();
    context.pins.observe(&devices.paired, &sightings, &context.certificates, &issued, now);
    let mut listed = join::join(&devices, &sightings);
    in_time::tell(desk, &mut listed);
    Ok(listed)
}

pub(super) async fn list(desk: &Desk) -> Result<Reply, ErrorEnvelope> {
    listed(desk).await.map(Reply::Devices)
}

/// On which terms a device is let in.
pub(super) struct Terms {
    pub(super) access: ApproveAs,
    pub(super) label: Option<String>,
    pub(super) shown_scopes: Option<Vec<String>>,
    pub(super) expires_in: Option<u64>,
}

/// Its time is on disk before it is let in: a crash leaves a device that goes, not one that stays.
pub(super) async fn approve(desk: &Desk, device: &str, terms: Terms) -> Result<Reply, ErrorEnvelope> {
    let Terms { access, label, shown_scopes, expires_in } = terms;
    let stay = expires_in.map(|seconds| expiry::stay(seconds, desk.context.clock.now())).transpose()?;
    let label = label.as_deref().map(checked_label).transpose()?;
    let client = desk.context.link.reached().await?;
    let devices = fetch(&client).await?;
    let id = choose(
        device,
        say!("core.choose.none-pending"),
        devices.pending.iter().map(|pending| pending.device_id.as_str()),
    )?;
    let access = match access {
        ApproveAs::Full => Access::Full,
        ApproveAs::Chat => Access::Chat,
        ApproveAs::Read => Access::Read,
    };
    let shown = shown_scopes.map(|scopes| Shown { role: None, scopes });
    let before = desk.context.settings.current().expiries.get(&id).cloned();
    if let Some(stay) = &stay {
        in_time::keep(desk, &id, Some(stay.clone())).await?;
    }
    let approved =
        gateway::approve(&client, &id, access, shown.as_ref()).await.map_err(|error| error.explain());
    if approved.is_err() && stay.is_some() {
        in_time::keep(desk, &id, before).await?;
    }
    let approved = match (approved, label) {
        (Ok(_), Some(label)) => gateway::rename(&client, &id, label).await.map_err(|error| error.explain()),
        (approved, _) => approved,
    };
    refresh(desk).await;
    Ok(device_reply(desk, &approved?))
}

pub(super) async fn deny(desk: &Desk, device: &str) -> Result<Reply, ErrorEnvelope> {
    let client = desk.context.link.reached().await?;
    let devices = fetch(&client).await?;
    let id = choose(
        device,
        say!("core.choose.none-pending"),
        devices.pending.iter().map(|pending| pending.device_id.as_str()),
    )?;
    let denied = gateway::deny(&client, &id).await.map_err(|error| error.explain());
    refresh(desk).await;
    Ok(Reply::Denied { device_id: denied?.device_id })
}

pub(super) async fn rename(desk: &Desk, device: &str, label: &str) -> Result<Reply, ErrorEnvelope> {
    let label = checked_label(label)?;
    let client = desk.context.link.reached().await?;
    let devices = fetch(&client).await?;
    let id = paired_id(&devices, device)?;
    let renamed = gateway::rename(&client, &id, label).await.map_err(|error| error.explain());
    refresh(desk).await;
    Ok(device_reply(desk, &renamed?))
}

/// A token that could not be replaced does not make the revocation undone: the report says both.
pub(super) async fn revoke(desk: &Desk, device: &str, rotate_token: bool) -> Result<Reply, ErrorEnvelope> {
    let client = desk.context.link.reached().await?;
    let devices = fetch(&client).await?;
    let id = paired_id(&devices, device)?;
    let revoked = gateway::revoke(&client, &id).await.map_err(|error| error.explain());
    let rotated = match (&revoked, rotate_token) {
        (Ok(_), true) => Some(rotate(desk, &client).await),
        _ => None,
    };
    if revoked.is_ok() {
        in_time::forget(desk, &id).await;
    }
    refresh(desk).await;
    let revoked = revoked?;
    let name = join::paired(&revoked.device, &desk.door.sightings()).name;
    Ok(Reply::Revoked(report(id, name, &revoked.can_return, revoked.knows_secret, rotated)))
}

fn report(
    device_id: String,
    name: String,
    paths: &[ReturnPath],
    knows_secret: bool,
    rotated: Option<Result<(), ErrorEnvelope>>,
) -> RevokeReport {
    let token_rotated = matches!(rotated, Some(Ok(())));
    let open: Vec<ReturnPath> = paths
        .iter()
        .copied()
        .filter(|path| !(token_rotated && *path == ReturnPath::LocalAutoApproval))
        .collect();
    let mut note = match open.first() {
        None if token_rotated => {
            say!("core.revoke.rotated")
        }
        None => say!("core.revoke.out"),
        Some(path) => how(*path),
    };
    if open.is_empty() && knows_secret && !token_rotated {
        note = say!("core.revoke.knows-secret", note = note);
    }
    if let Some(Err(error)) = rotated {
        note = say!("core.revoke.not-rotated", note = note, because = error.because);
    }
    RevokeReport { device_id, name, can_return: !open.is_empty(), note, token_rotated }
}

fn how(path: ReturnPath) -> Text {
    match path {
        ReturnPath::LocalAutoApproval => {
            say!("core.revoke.local")
        }
        ReturnPath::NoAuthentication => {
            say!("core.revoke.no-secret")
        }
        ReturnPath::ProxyAutoApproval => {
            say!("core.revoke.proxy")
        }
    }
}

/// The connection moves to the new token at once.
async fn rotate(desk: &Desk, client: &GatewayClient) -> Result<(), ErrorEnvelope> {
    let ours = |gateway: Arc<Gateway>| desk.context.token.is_ours(&gateway.token_source);
    if desk.context.link.gateway().is_some_and(ours) {
        let rotation = Intent::Token(TokenEdit::Rotate { secret: None });
        return desk.transactions.run(rotation).await.map(drop);
    }
    // A change that is being made knows the token of now.
    let _turn = desk.transactions.hold()?;
    let token = gateway::rotate_shared_token(client).await.map_err(|error| error.explain())?;
    if let Some(known) = desk.context.link.gateway() {
        desk.context.link.update(Some(Gateway { auth: Auth::Token(token), ..Gateway::clone(&known) }));
    }
    Ok(())
}

async fn fetch(client: &GatewayClient) -> Result<Devices, ErrorEnvelope> {
    gateway::list(client).await.map_err(|error| error.explain())
}

fn paired_id(devices: &Devices, wanted: &str) -> Result<String, ErrorEnvelope> {
    choose(
        wanted,
        say!("core.choose.none-paired"),
        devices.paired.iter().map(|device| device.device_id.as_str()),
    )
}

fn device_reply(desk: &Desk, device: &Paired) -> Reply {
    let mut device = join::paired(device, &desk.door.sightings());
    in_time::tell_one(desk, &mut device);
    Reply::Device(Box::new(device))
}

/// The gateway announces neither removals nor everything else: the list is read anew.
async fn refresh(desk: &Desk) {
    desk.tell(Fact::DevicesTouched).await;
}

fn checked_label(label: &str) -> Result<&str, ErrorEnvelope> {
    let label = label.trim();
    let usage = |because: Text| ErrorEnvelope::new(Code::Usage, say!("core.label.title"), because);
    if label.is_empty() {
        return Err(usage(say!("core.label.empty")));
    }
    if label.chars().count() > LABEL {
        return Err(usage(say!("core.label.long")));
    }
    if label.chars().any(char::is_control) {
        return Err(usage(say!("core.label.control")));
    }
    Ok(label)
}

#[cfg(test)]
mod tests;
