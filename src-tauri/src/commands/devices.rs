//! `gatehouse devices`: those that wait for approval, and those that have it.

mod approve;
mod expire;
mod list;
mod revoke;
mod view;
mod watch;

use gatehouse_api::{
    Code, DeviceList, ErrorEnvelope, PairedDevice, PendingDevice, Reply, Request, Text, say,
};

use crate::{
    args::{Devices, Which},
    output::{Page, Tone, keyed},
    session::{Outcome, Session, Verdict, unexpected},
};

/// Runs one of them.
pub(crate) async fn run(command: Devices, session: &mut Session) -> Outcome {
    match command {
        Devices::List { pending, paired } => list::run(pending, paired, session).await,
        Devices::Approve { which, access, label, expires } => {
            let device = find(&which, fetch(session).await?.pending, &say!("cli.device.state-waiting"))?;
            approve::run(device, approve::Terms { access: access.into(), label, expires }, session).await
        }
        Devices::Deny { which } => {
            let device = find(&which, fetch(session).await?.pending, &say!("cli.device.state-waiting"))?;
            deny(&device, session).await
        }
        Devices::Revoke { which, rotate_token } => revoke::run(&which, rotate_token, session).await,
        Devices::Expire { id, stay } => expire::run(id, stay, session).await,
        Devices::Rename { id, label } => rename(id, label, session).await,
        Devices::Watch { bell } => watch::run(bell, session).await,
    }
}

async fn fetch(session: &mut Session) -> Result<DeviceList, ErrorEnvelope> {
    match session.ask(Request::DevicesList).await? {
        Reply::Devices(devices) => Ok(devices),
        _ => Err(unexpected()),
    }
}

async fn deny(device: &PendingDevice, session: &mut Session) -> Outcome {
    let request = Request::DevicesDeny { device: device.device_id.clone() };
    let Reply::Denied { device_id } = session.ask(request).await? else { return Err(unexpected()) };
    let mut page =
        Page::verdict(Tone::Good, say!("cli.device.denied"), view::title(&device.name, &device.device_id));
    page.item(say!("cli.device.may-ask"));
    session.out.result(&page, &keyed("device_id", &device_id));
    Ok(Verdict::Done)
}

async fn rename(id: String, label: String, session: &mut Session) -> Outcome {
    let request = Request::DevicesRename { device: id, label };
    let Reply::Device(device) = session.ask(request).await? else { return Err(unexpected()) };
    let page =
        Page::verdict(Tone::Good, say!("cli.device.renamed"), view::title(&device.name, &device.device_id));
    session.out.result(&page, &device);
    Ok(Verdict::Done)
}

/// What of a device can be searched.
trait Findable {
    fn id(&self) -> &str;
    fn texts(&self) -> Vec<&str>;
}

impl Findable for PendingDevice {
    fn id(&self) -> &str {
        &self.device_id
    }

    fn texts(&self) -> Vec<&str> {
        let edge = self.via_edge.as_ref();
        let known =
            [self.platform.as_deref(), self.remote_ip.as_deref(), edge.map(|edge| edge.client.as_str())];
        let agent = edge.and_then(|edge| edge.agent.as_deref());
        std::iter::once(self.name.as_str()).chain(known.into_iter().flatten()).chain(agent).collect()
    }
}

impl Findable for PairedDevice {
    fn id(&self) -> &str {
        &self.device_id
    }

    fn texts(&self) -> Vec<&str> {
        let known = [self.platform.as_deref(), self.remote_ip.as_deref()];
        std::iter::once(self.name.as_str()).chain(known.into_iter().flatten()).collect()
    }
}

/// The one device that is meant. Two that fit are an error, never a guess.
fn find<D: Findable>(which: &Which, devices: Vec<D>, state: &Text) -> Result<D, ErrorEnvelope> {
    let fits = |device: &D| match (&which.id, &which.text) {
        (Some(id), _) => !id.is_empty() && device.id().starts_with(&id.to_ascii_lowercase()),
        (None, Some(text)) => {
            let text = text.to_lowercase();
            !text.is_empty() && device.texts().iter().any(|known| known.to_lowercase().contains(&text))
        }
        (None, None) => false,
    };
    let meant = which.id.as_deref().or(which.text.as_deref()).unwrap_or_default();
    let mut found: Vec<D> = devices.into_iter().filter(fits).collect();
    let Some(device) = found.pop() else {
        let title = say!("cli.device.no-fit", state = state, meant = meant);
        return Err(ErrorEnvelope::new(Code::NotFound, title, say!("cli.device.gone-because"))
            .fix_with(say!("cli.see-which"), "gatehouse devices list"));
    };
    if found.is_empty() {
        return Ok(device);
    }
    let title = say!("cli.device.many", count = found.len() + 1, meant = meant);
    let mut error = ErrorEnvelope::new(Code::Usage, title, say!("cli.device.many-because"))
        .fix(say!("cli.device.many-fix"));
    for device in std::iter::once(&device).chain(&found) {
        error = error.evidence(view::title(device.texts()[0], device.id()));
    }
    Err(error)
}
