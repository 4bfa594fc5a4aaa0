//! A pause: the address answers 503, configuration stays as it is. It survives a restart and ends by the wall clock.

use gatehouse_api::{Code, ErrorEnvelope, Reply, Text, say};
use time::{Duration, OffsetDateTime};

use super::{Desk, blocking};
use crate::controller::message::Fact;
use crate::errors::Explain;
use crate::settings::PauseSettings;

/// Longer than this is not a pause.
const LONGEST: Duration = Duration::days(366);

pub(super) async fn pause(desk: &Desk, seconds: Option<u64>) -> Result<Reply, ErrorEnvelope> {
    if desk.context.settings.current().open.is_none() {
        return Err(ErrorEnvelope::new(
            Code::NotFound,
            say!("core.pause.nothing"),
            say!("core.pause.nothing-because"),
        )
        .fix_with(say!("core.look.state"), "gatehouse status"));
    }
    let until = match seconds {
        None => None,
        Some(seconds) => Some(end_of(seconds, desk.context.clock.now())?),
    };
    set(desk, Some(PauseSettings { until })).await
}

pub(super) async fn resume(desk: &Desk) -> Result<Reply, ErrorEnvelope> {
    set(desk, None).await
}

/// Ends a pause, where there is one.
pub(crate) async fn end(desk: &Desk) -> Result<(), ErrorEnvelope> {
    if desk.context.settings.current().pause.is_some() {
        set(desk, None).await?;
    }
    Ok(())
}

async fn set(desk: &Desk, pause: Option<PauseSettings>) -> Result<Reply, ErrorEnvelope> {
    let settings = desk.context.settings.clone();
    blocking(move || {
        settings.update(|settings| settings.pause = pause).map(drop).map_err(|error| error.explain())
    })
    .await?;
    desk.door.pause(pause);
    desk.tell(Fact::Settings).await;
    Ok(Reply::Done)
}

fn end_of(seconds: u64, now: OffsetDateTime) -> Result<OffsetDateTime, ErrorEnvelope> {
    let usage = |because: Text| {
        ErrorEnvelope::new(Code::Usage, say!("core.pause.length"), because)
            .fix_with(say!("core.pause.length-fix"), "gatehouse pause --for 15m")
    };
    let length = i64::try_from(seconds).map(Duration::seconds).unwrap_or(Duration::MAX);
    if seconds == 0 {
        return Err(usage(say!("core.pause.at-once")));
    }
    if length > LONGEST {
        return Err(usage(say!("core.pause.year")));
    }
    now.checked_add(length).ok_or_else(|| usage(say!("core.pause.end-of-time")))
}

#[cfg(test)]
mod tests;
