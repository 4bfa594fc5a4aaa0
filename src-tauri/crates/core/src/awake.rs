//! The machine stays awake while an address is open, as far as the settings say; and what a sleep leaves behind is looked
//! at once it is over.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use gatehouse_api::AwakeState;
use gatehouse_host::awake::{Awake, When, on_battery};
use gatehouse_host::wake;
use tokio::time::Instant;

use crate::controller::message::Fact;
use crate::edge_config::EdgeConfig;
use crate::requests::Desk;

/// How often power and settings are looked at.
const LOOK: Duration = Duration::from_secs(20);
/// How soon a system that refused is asked again.
const AGAIN: Duration = Duration::from_secs(600);

/// What is done now, for views.
#[derive(Debug, Clone, Default)]
pub(crate) struct Awakeness(Arc<ArcSwap<AwakeState>>);

impl Awakeness {
    /// What is done now.
    pub(crate) fn state(&self) -> AwakeState {
        *self.0.load_full()
    }
}

/// What is wanted: pure. `Err` = it may sleep, and why.
fn wanted(open: bool, config: &EdgeConfig, on_battery: bool) -> Result<When, AwakeState> {
    match (open, config.awake_on_mains, config.awake_on_battery) {
        (false, ..) => Err(AwakeState::NotNeeded),
        (true, _, true) => Ok(When::Always),
        (true, false, false) => Err(AwakeState::SwitchedOff),
        (true, true, false) if on_battery => Err(AwakeState::OnBattery),
        (true, true, false) => Ok(When::OnMains),
    }
}

/// Holds the machine awake for as long as that is wanted.
pub(crate) async fn keep(desk: Desk) {
    let mut snapshots = desk.snapshots.clone();
    let mut held: Option<Awake> = None;
    let mut refused: Option<Instant> = None;
    loop {
        let open = snapshots.borrow_and_update().listener.is_some();
        let config = EdgeConfig::of(&desk.context.settings.current().edge).0;
        let state = match wanted(open, &config, on_battery()) {
            Err(why) => {
                held = None;
                why
            }
            Ok(when) => {
                let stands = held.as_mut().is_some_and(|held| held.when == when && held.holds());
                if !stands {
                    // One that ended by itself was refused by the system.
                    if held.take().is_some_and(|old| old.when == when) {
                        refused = Some(Instant::now());
                    }
                    if refused.is_none_or(|at| at.elapsed() >= AGAIN) {
                        held = hold(when);
                        refused = held.is_none().then(Instant::now);
                    }
                }
                if held.is_some() { AwakeState::Held } else { AwakeState::Refused }
            }
        };
        desk.awake.0.store(Arc::new(state));
        tokio::select! {
            changed = snapshots.changed() => if changed.is_err() { return },
            () = tokio::time::sleep(LOOK) => {}
        }
    }
}

fn hold(when: When) -> Option<Awake> {
    Awake::hold(when)
        .inspect(|_| tracing::info!(?when, "the machine is kept awake while the address is open"))
        .inspect_err(|error| tracing::debug!(%error, "the machine cannot be kept awake"))
        .ok()
}

/// After a sleep, or after the clock was set, nothing that was known is believed: addresses, the gateway, the certificate.
pub(crate) async fn notice(desk: Desk) {
    let mut noticed = wake::watch();
    noticed.mark_unchanged();
    while noticed.changed().await.is_ok() {
        tracing::info!("the machine slept, or its clock was set: everything is looked at again");
        desk.tell(Fact::Woke).await;
        desk.context.router_port.look();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(mains: bool, battery: bool) -> EdgeConfig {
        EdgeConfig { awake_on_mains: mains, awake_on_battery: battery, ..EdgeConfig::default() }
    }

    #[test]
    fn it_is_kept_awake_only_while_something_is_open_and_as_the_settings_say() {
        for (open, mains, battery, on_battery, expected) in [
            (false, true, true, false, Err(AwakeState::NotNeeded)),
            (true, true, false, false, Ok(When::OnMains)),
            (true, true, false, true, Err(AwakeState::OnBattery)),
            (true, true, true, true, Ok(When::Always)),
            (true, false, true, false, Ok(When::Always)),
            (true, false, false, false, Err(AwakeState::SwitchedOff)),
        ] {
            assert_eq!(
                wanted(open, &config(mains, battery), on_battery),
                expected,
                "{open} {mains} {battery}"
            );
        }
        assert_eq!(wanted(true, &EdgeConfig::default(), false), Ok(When::OnMains));
    }
}
