//! Open, close, undo, confirm: transactions, with the controller told of their beginning and end.

use std::time::Duration;

use gatehouse_api::{Actual, Change, Code, ErrorEnvelope, OpenRequest, Reply, say};

use super::Desk;
use crate::context::{FrontDoor, Listeners};
use crate::controller::message::{Ended, Fact};
use crate::settings::OpenSettings;
use crate::transaction::Intent;

/// How long an answer waits for the proof that follows a change. The change itself verified the address already.
const PROOF: Duration = Duration::from_secs(10);

pub(super) async fn plan_open(desk: &Desk, open: OpenRequest) -> Result<Reply, ErrorEnvelope> {
    desk.transactions.plan(&Intent::Open(open)).await.map(Reply::Plan)
}

pub(super) async fn plan_close(desk: &Desk, purge: bool) -> Result<Reply, ErrorEnvelope> {
    desk.transactions.plan(&Intent::Close { purge }).await.map(Reply::Plan)
}

pub(super) async fn plan_undo(desk: &Desk, id: Option<String>) -> Result<Reply, ErrorEnvelope> {
    desk.transactions.plan_undo(id.as_deref()).await.map(Reply::Plan)
}

/// Answers when the address is proven, or when everything is rolled back.
pub(super) async fn open(desk: &Desk, open: OpenRequest) -> Result<Reply, ErrorEnvelope> {
    let change = changing(desk, true, desk.transactions.run(Intent::Open(open))).await?;
    settled(desk).await;
    Ok(Reply::Change(change))
}

/// A pause ends with the address that it was about.
pub(super) async fn close(desk: &Desk, purge: bool) -> Result<Reply, ErrorEnvelope> {
    let change = changing(desk, true, desk.transactions.run(Intent::Close { purge })).await?;
    super::end_pause(desk).await?;
    Ok(Reply::Change(change))
}

pub(super) async fn undo(desk: &Desk, id: Option<String>, force_drift: bool) -> Result<Reply, ErrorEnvelope> {
    let change = changing(desk, true, desk.transactions.undo(id.as_deref(), force_drift)).await?;
    settled(desk).await;
    Ok(Reply::Change(change))
}

/// The stopped change answers its own request, once everything is put back.
pub(super) fn cancel(desk: &Desk) -> Result<Reply, ErrorEnvelope> {
    if desk.transactions.cancel() {
        return Ok(Reply::Done);
    }
    let because = say!("core.cancel.nothing-because");
    Err(ErrorEnvelope::new(Code::NotFound, say!("core.cancel.nothing"), because)
        .fix_with(say!("core.look.state"), "gatehouse status"))
}

pub(super) async fn confirm(desk: &Desk) -> Result<Reply, ErrorEnvelope> {
    changing(desk, false, desk.transactions.confirm()).await.map(Reply::Change)
}

/// Runs a change, and tells the controller of its beginning and of what it left behind.
pub(super) async fn changing(
    desk: &Desk,
    shown: bool,
    change: impl Future<Output = Result<Change, ErrorEnvelope>>,
) -> Result<Change, ErrorEnvelope> {
    let before = address(desk);
    desk.tell(Fact::ChangeBegan { shown }).await;
    let result = change.await;
    let ended = if address(desk) == before { Ended::SameAddress } else { Ended::OtherAddress };
    desk.tell(Fact::ChangeEnded(ended)).await;
    result
}

/// What makes one address another: the wish, the ports, the listeners.
fn address(desk: &Desk) -> (Option<OpenSettings>, Listeners) {
    (desk.context.settings.current().open.clone(), desk.door.listening())
}

/// Waits until the state of the address is no longer a step of something.
async fn settled(desk: &Desk) {
    let mut snapshots = desk.snapshots.clone();
    let steady = snapshots.wait_for(|snapshot| !matches!(snapshot.actual, Actual::Preparing { .. }));
    let _ = tokio::time::timeout(PROOF, steady).await;
}
