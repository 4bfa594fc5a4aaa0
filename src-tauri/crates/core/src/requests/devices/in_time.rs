//! Revoking devices because their time is over. What a revocation can and cannot do is told like that of any other.

use std::time::Duration;

use gatehouse_api::{Code, DeviceList, ErrorEnvelope, ExpiredDevice, PairedDevice, Problem, Reply, say};
use gatehouse_openclaw::devices::{self as gateway, DeviceError};

use super::{device_reply, fetch, paired_id, refresh, report};
use crate::controller::message::Fact;
use crate::devices::{expiry, join};
use crate::errors::{self, Explain};
use crate::requests::{Desk, blocking};
use crate::settings::{ExpirySettings, Settings};

/// How often is looked whose time is over: the wall clock may jump, and a machine may sleep.
const LOOK: Duration = Duration::from_secs(5);

/// Sets until when a paired device may stay; `None` = for ever.
pub(in crate::requests) async fn expire(
    desk: &Desk,
    device: &str,
    expires_in: Option<u64>,
) -> Result<Reply, ErrorEnvelope> {
    let stay = expires_in.map(|seconds| expiry::stay(seconds, desk.context.clock.now())).transpose()?;
    let client = desk.context.link.reached().await?;
    let devices = fetch(&client).await?;
    let id = paired_id(&devices, device)?;
    keep(desk, &id, stay).await?;
    refresh(desk).await;
    let device = devices.paired.iter().find(|device| device.device_id == id);
    device.map(|device| device_reply(desk, device)).ok_or_else(|| gone(&id))
}

/// Revokes devices when their time is over, for as long as the core runs. Where the gateway is away it is tried again:
/// nobody gets in meanwhile.
pub(crate) async fn follow(desk: Desk) {
    let mut fuses = expiry::Fuses::default();
    let mut told = None;
    loop {
        let due = fuses.due(&desk.context.settings.current().expiries, desk.context.clock.now());
        let mut problem = None;
        for device in due {
            if let Err(error) = end(&desk, &device).await {
                tracing::debug!(%error, device, "a device whose time is over is still paired");
                problem = Some(still_paired(error));
            }
        }
        if problem != told {
            desk.tell(Fact::Expiry(problem.clone())).await;
            told = problem;
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// One that is gone already needs no revocation.
async fn end(desk: &Desk, device: &str) -> Result<(), ErrorEnvelope> {
    let client = desk.context.link.reached().await?;
    let revoked = match gateway::revoke(&client, device).await {
        Ok(revoked) => revoked,
        Err(DeviceError::NotFound { .. }) => return keep(desk, device, None).await,
        Err(error) => return Err(error.explain()),
    };
    let name = join::paired(&revoked.device, &desk.door.sightings()).name;
    let id = device.to_owned();
    let report = report(id.clone(), name, &revoked.can_return, revoked.knows_secret, None);
    let expired = ExpiredDevice {
        device_id: id.clone(),
        name: report.name,
        at: desk.context.clock.now(),
        can_return: report.can_return,
        note: report.note,
    };
    tracing::info!(can_return = expired.can_return, "a device was revoked because its time was over");
    let saved = save(desk, move |settings| {
        settings.expiries.remove(&id);
        expiry::note(&mut settings.expired, expired);
    })
    .await;
    refresh(desk).await;
    saved
}

/// Keeps until when a device may stay, on disk.
pub(super) async fn keep(
    desk: &Desk,
    device: &str,
    stay: Option<ExpirySettings>,
) -> Result<(), ErrorEnvelope> {
    if desk.context.settings.current().expiries.get(device) == stay.as_ref() {
        return Ok(());
    }
    let device = device.to_owned();
    save(desk, move |settings| {
        match stay {
            Some(stay) => settings.expiries.insert(device, stay),
            None => settings.expiries.remove(&device),
        };
    })
    .await
}

/// A device that was revoked has no time left that could be over. What cannot be saved is forgotten when it is due.
pub(super) async fn forget(desk: &Desk, device: &str) {
    if let Err(error) = keep(desk, device, None).await {
        tracing::warn!(%error, "until when a device was to stay is not forgotten yet");
    }
}

/// Writes into the list what is known here.
pub(super) fn tell(desk: &Desk, listed: &mut DeviceList) {
    let settings = desk.context.settings.current();
    for device in &mut listed.paired {
        device.expires_at = settings.expiries.get(&device.device_id).map(|stay| stay.at);
    }
    listed.expired = expiry::recent(&settings.expired, desk.context.clock.now());
}

/// As [`tell`], for one.
pub(super) fn tell_one(desk: &Desk, device: &mut PairedDevice) {
    let settings = desk.context.settings.current();
    device.expires_at = settings.expiries.get(&device.device_id).map(|stay| stay.at);
}

async fn save(desk: &Desk, change: impl FnOnce(&mut Settings) + Send + 'static) -> Result<(), ErrorEnvelope> {
    let settings = desk.context.settings.clone();
    blocking(move || settings.update(change).map(drop).map_err(|error| error.explain())).await
}

fn still_paired(error: ErrorEnvelope) -> Problem {
    let because = say!("core.expiry.because", why = error.because);
    Problem { title: say!("core.expiry.title"), because, ..errors::problem(error) }
}

fn gone(id: &str) -> ErrorEnvelope {
    ErrorEnvelope::new(Code::NotFound, say!("core.device.gone"), say!("core.device.gone-because", id = id))
}
