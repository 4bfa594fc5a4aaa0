//! One way to edit the gateway's configuration, whichever of the two places it is edited in: through the running
//! gateway, or in its file while it is stopped (or runs and lets nobody in, and follows its file).

use std::path::{Path, PathBuf};
use std::time::Duration;

use gatehouse_api::{ErrorEnvelope, Text, say};
use gatehouse_openclaw::client::{GatewayClient, Link};
use gatehouse_openclaw::config::{Drift, Edit, OnDrift, View, file, rpc};

use super::draft::Found;
use super::inverse::Inverse;
use crate::context::Context;
use crate::errors::Explain;

const CONNECT: Duration = Duration::from_secs(10);
const CONFIG_LIMIT: u64 = 1 << 20;
const RESTART: Duration = Duration::from_secs(60);

/// Where the configuration is edited.
pub(crate) enum Place {
    /// In the file.
    File(PathBuf),
    /// Through the gateway.
    Gateway(GatewayClient),
}

/// An edit that is ready to be made.
pub(crate) enum Edited {
    /// Of the file.
    File(Box<file::Prepared>),
    /// Through the gateway.
    Patch(Box<rpc::PreparedPatch>, GatewayClient),
}

impl Place {
    /// Where to edit now. Waits a moment for a gateway that is starting.
    pub(crate) async fn of(context: &Context, found: &Found) -> Self {
        let file = || Self::File(found.gateway.config_path.clone());
        if !found.running {
            return file();
        }
        let Some(client) = context.link.client() else { return file() };
        match let_in(&client, CONNECT).await {
            Ok(()) => Self::Gateway(client),
            Err(_) => file(),
        }
    }

    /// Computes an edit; changes nothing.
    pub(crate) async fn prepare(&self, edits: &[Edit], on_drift: OnDrift) -> Result<Edited, ErrorEnvelope> {
        match self {
            Self::File(path) => file::prepare_with(path, edits, on_drift)
                .map(|prepared| Edited::File(Box::new(prepared)))
                .map_err(|error| error.explain()),
            Self::Gateway(client) => rpc::prepare_with(client, edits, on_drift)
                .await
                .map(|prepared| Edited::Patch(Box::new(prepared), client.clone()))
                .map_err(|error| error.explain()),
        }
    }

    /// Reads what matters to us.
    pub(crate) async fn view(&self) -> Result<View, ErrorEnvelope> {
        match self {
            Self::File(path) => file::read_view(path).map_err(|error| error.explain()),
            Self::Gateway(client) => rpc::read_view(client).await.map_err(|error| error.explain()),
        }
    }
}

impl Edited {
    /// What changes, a line each.
    pub(crate) fn changes(&self) -> &[String] {
        match self {
            Self::File(prepared) => &prepared.record().changes,
            Self::Patch(prepared, _) => &prepared.record().changes,
        }
    }

    /// The edits that take it back.
    pub(crate) fn inverse(&self) -> &[Edit] {
        match self {
            Self::File(prepared) => &prepared.record().inverse,
            Self::Patch(prepared, _) => &prepared.record().inverse,
        }
    }

    /// What somebody else changed and is left alone, or was overwritten.
    pub(crate) fn drift(&self) -> &[Drift] {
        match self {
            Self::File(prepared) => &prepared.record().drift,
            Self::Patch(prepared, _) => &prepared.record().drift,
        }
    }

    /// Whether there is nothing to do.
    pub(crate) fn is_noop(&self) -> bool {
        match self {
            Self::File(prepared) => prepared.is_noop(),
            Self::Patch(prepared, _) => prepared.is_noop(),
        }
    }

    /// What goes into the journal.
    pub(crate) fn record(&self, restart: bool) -> Inverse {
        match self {
            Self::File(prepared) => Inverse::File { record: prepared.record().clone(), restart },
            Self::Patch(prepared, _) => Inverse::Patch { record: prepared.record().clone(), restart },
        }
    }

    /// The file as it is, to be kept beside the journal.
    pub(crate) fn backup(&self) -> Option<Vec<u8>> {
        match self {
            Self::File(prepared) => Some(prepared.before().to_vec()),
            Self::Patch(prepared, _) => {
                let path = prepared.record().config_path.as_ref()?;
                gatehouse_files::read_bounded(Path::new(path), CONFIG_LIMIT).ok().flatten()
            }
        }
    }

    /// Makes the edit; where the gateway restarts for it, waits until it is back.
    pub(crate) async fn commit(&self, restart: bool) -> Result<(), ErrorEnvelope> {
        let before = self.boot();
        let restarts = self.write().await?;
        let Self::Patch(_, client) = self else { return Ok(()) };
        if !restart && !restarts {
            return Ok(());
        }
        if !restarts {
            request_restart(client).await?;
        }
        restarted(client, before.as_deref()).await
    }

    /// Makes the edit. Returns whether the gateway restarts for it by itself.
    pub(crate) async fn write(&self) -> Result<bool, ErrorEnvelope> {
        match self {
            Self::File(prepared) => prepared.commit().map(|()| false).map_err(|error| error.explain()),
            Self::Patch(prepared, client) => {
                let committed = prepared.commit(client).await.map_err(|error| error.explain())?;
                Ok(committed.restarts)
            }
        }
    }

    /// The boot that the gateway is in now; `None` where it is not asked.
    pub(crate) fn boot(&self) -> Option<String> {
        match self {
            Self::File(_) => None,
            Self::Patch(_, client) => boot(client),
        }
    }
}

/// Waits until the gateway lets us in; otherwise says in which state the connection is when the limit passes. A refusal
/// is waited out, too: for a moment after its secret changed, a gateway still wants the old one (openclaw-gateway §7).
pub(crate) async fn let_in(client: &GatewayClient, limit: Duration) -> Result<(), Link> {
    let mut status = client.status();
    let up = async { status.wait_for(|link| matches!(link, Link::Up { .. })).await.is_ok() };
    match tokio::time::timeout(limit, up).await {
        Ok(true) => Ok(()),
        Ok(false) | Err(_) => Err(client.status().borrow().clone()),
    }
}

/// The boot that the gateway is in now.
pub(crate) fn boot(client: &GatewayClient) -> Option<String> {
    match &*client.status().borrow() {
        Link::Up { hello } => Some(hello.boot_id.clone()),
        Link::Down { .. } | Link::Connecting | Link::Starting | Link::Refused { .. } => None,
    }
}

/// Asks the gateway to restart (openclaw-gateway §4).
pub(crate) async fn request_restart(client: &GatewayClient) -> Result<(), ErrorEnvelope> {
    let answer = client.call("gateway.restart.request", serde_json::json!({})).await;
    answer.map(|_| ()).map_err(|error| error.explain())
}

/// Waits until the gateway accepts us again after a restart.
pub(crate) async fn restarted(client: &GatewayClient, before: Option<&str>) -> Result<(), ErrorEnvelope> {
    let mut status = client.status();
    let another_boot = |link: &Link| match link {
        Link::Up { hello } => before != Some(hello.boot_id.as_str()),
        Link::Down { .. } | Link::Connecting | Link::Starting | Link::Refused { .. } => false,
    };
    let up = async { status.wait_for(another_boot).await.is_ok() };
    match tokio::time::timeout(RESTART, up).await {
        Ok(true) => Ok(()),
        Ok(false) | Err(_) => Err(ErrorEnvelope::new(
            gatehouse_api::Code::GatewayUnreachable,
            say!("core.restart.title"),
            say!("core.restart.because", seconds = RESTART.as_secs()),
        )
        .fix_with(say!("core.look.says"), "openclaw gateway status")),
    }
}

/// What changes, as the gateway's configuration has it.
pub(crate) fn own_words(lines: &[String]) -> Vec<Text> {
    lines.iter().map(Text::from).collect()
}

/// A drift as a sentence.
pub(crate) fn drift_line(drift: &Drift, overwritten: bool) -> Text {
    let end = match overwritten {
        true => say!("core.drift.set-back"),
        false => say!("core.drift.left"),
    };
    say!("core.drift.line", path = drift.path.to_string(), ours = drift.ours, now = drift.now, end = end)
}
