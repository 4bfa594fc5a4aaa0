//! Whether the address stays reachable by itself: what the system says, as points with what they mean and the exact
//! command that a person may give.
//!
//! Guarantees: nothing is changed, and nothing is asked that needs a password; a point that could not be learnt is told
//! as not known, never as ready.

use std::collections::BTreeMap;

use gatehouse_api::{
    AlwaysOn, AwakeState, Fix, Presence, PresenceScope, PresenceState, ReadinessPoint,
    ReadinessState as State, Text, say,
};
use gatehouse_host::account::Account;
use gatehouse_host::readiness::{Firewall, Readiness, readiness};

use crate::presence::{self, Wish};

/// Asks the system. Blocks; off the async threads.
#[must_use]
pub fn always_on(environment: &BTreeMap<String, String>, awake: AwakeState) -> AlwaysOn {
    let services: Vec<Presence> = [PresenceScope::User, PresenceScope::System]
        .into_iter()
        .filter_map(|scope| presence::status(&Wish::of_this_program(scope, environment.clone()).ok()?).ok())
        .filter(|service| {
            !matches!(service.state, PresenceState::NotInstalled | PresenceState::Unknown)
                || !service.problems.is_empty()
        })
        .collect();
    let user = Account::current().map(|account| account.name).unwrap_or_default();
    let mut points = points(&readiness(&user), &user, &services, awake, cfg!(target_os = "macos"));
    points.sort_by_key(|point| match point.state {
        State::Attention => 0,
        State::Unknown => 1,
        State::Ready => 2,
    });
    AlwaysOn { services, awake, points }
}

fn point(id: &str, state: State, title: Text, because: Text) -> ReadinessPoint {
    ReadinessPoint { id: id.to_owned(), state, title, because, fix: None }
}

fn with(point: ReadinessPoint, text: Text, command: Option<String>) -> ReadinessPoint {
    ReadinessPoint { fix: Some(Fix { text, command }), ..point }
}

fn unknown(id: &str, title: Text) -> ReadinessPoint {
    point(id, State::Unknown, title, say!("core.ready.unknown"))
}

/// The points: pure. `macos` = which system it is.
fn points(
    found: &Readiness,
    user: &str,
    services: &[Presence],
    awake: AwakeState,
    macos: bool,
) -> Vec<ReadinessPoint> {
    let mut points = vec![service(services), kept_awake(awake)];
    if macos {
        points.extend([sleep(found), login(found), disk(found), power_cut(found), updates(found)]);
        points.extend(firewall(found));
    } else {
        if services.iter().all(|service| service.scope == PresenceScope::User) {
            points.extend(linger(found, user));
        }
        points.extend(suspend(found));
        points.extend(lid(found));
    }
    points
}

fn service(services: &[Presence]) -> ReadinessPoint {
    match services.iter().find(|service| service.state == PresenceState::Running) {
        Some(service) => point(
            "service",
            State::Ready,
            say!("core.ready.service"),
            say!("core.ready.service-because", name = service.name, user = service.user),
        ),
        None => with(
            point(
                "service",
                State::Attention,
                say!("core.ready.no-service"),
                say!("core.ready.no-service-because"),
            ),
            say!("core.ready.no-service-fix"),
            Some("gatehouse service install".to_owned()),
        ),
    }
}

fn kept_awake(awake: AwakeState) -> ReadinessPoint {
    let id = "awake";
    match awake {
        AwakeState::Held => {
            point(id, State::Ready, say!("core.ready.awake"), say!("core.ready.awake-because"))
        }
        AwakeState::NotNeeded => {
            point(id, State::Ready, say!("core.ready.not-needed"), say!("core.ready.not-needed-because"))
        }
        AwakeState::SwitchedOff => with(
            point(id, State::Attention, say!("core.ready.may-sleep"), say!("core.ready.switched-off")),
            say!("core.ready.switch-on"),
            Some("gatehouse config set awake.on-mains true".to_owned()),
        ),
        AwakeState::OnBattery => with(
            point(id, State::Attention, say!("core.ready.may-sleep"), say!("core.ready.on-battery")),
            say!("core.ready.on-battery-fix"),
            Some("gatehouse config set awake.on-battery true".to_owned()),
        ),
        AwakeState::Refused => {
            point(id, State::Unknown, say!("core.ready.may-sleep"), say!("core.ready.refused"))
        }
    }
}

fn sleep(found: &Readiness) -> ReadinessPoint {
    match found.sleeps_after_minutes {
        None => unknown("sleep", say!("core.ready.sleep-unknown")),
        Some(0) => {
            point("sleep", State::Ready, say!("core.ready.no-sleep"), say!("core.ready.no-sleep-because"))
        }
        Some(minutes) => with(
            point(
                "sleep",
                State::Attention,
                say!("core.ready.sleeps", count = minutes),
                say!("core.ready.sleeps-because"),
            ),
            say!("core.ready.sleeps-fix"),
            Some("sudo pmset -c sleep 0 disksleep 0 womp 1".to_owned()),
        ),
    }
}

fn login(found: &Readiness) -> ReadinessPoint {
    match &found.auto_login {
        None => unknown("login", say!("core.ready.login-unknown")),
        Some(Some(user)) => point(
            "login",
            State::Ready,
            say!("core.ready.login", user = user),
            say!("core.ready.login-because"),
        ),
        Some(None) => with(
            point(
                "login",
                State::Attention,
                say!("core.ready.no-login"),
                say!("core.ready.no-login-because"),
            ),
            say!("core.ready.no-login-fix"),
            Some("sudo gatehouse service install --scope system".to_owned()),
        ),
    }
}

fn disk(found: &Readiness) -> ReadinessPoint {
    match found.disk_locked_at_start {
        None => unknown("disk", say!("core.ready.disk-unknown")),
        Some(false) => {
            point("disk", State::Ready, say!("core.ready.disk-open"), say!("core.ready.disk-open-because"))
        }
        Some(true) => with(
            point("disk", State::Attention, say!("core.ready.disk"), say!("core.ready.disk-because")),
            say!("core.ready.disk-fix"),
            Some("sudo fdesetup authrestart".to_owned()),
        ),
    }
}

fn power_cut(found: &Readiness) -> ReadinessPoint {
    match found.restarts_after_power_cut {
        None => unknown("power-cut", say!("core.ready.power-unknown")),
        Some(true) => {
            point("power-cut", State::Ready, say!("core.ready.power"), say!("core.ready.power-because"))
        }
        Some(false) => with(
            point(
                "power-cut",
                State::Attention,
                say!("core.ready.no-power"),
                say!("core.ready.no-power-because"),
            ),
            say!("core.ready.no-power-fix"),
            Some("sudo pmset -a autorestart 1".to_owned()),
        ),
    }
}

fn updates(found: &Readiness) -> ReadinessPoint {
    match (found.installs_updates, &found.auto_login) {
        (None, _) => unknown("updates", say!("core.ready.updates-unknown")),
        (Some(true), Some(None)) => with(
            point(
                "updates",
                State::Attention,
                say!("core.ready.updates"),
                say!("core.ready.updates-because"),
            ),
            say!("core.ready.updates-fix"),
            None,
        ),
        (Some(true), _) => {
            point("updates", State::Ready, say!("core.ready.updates"), say!("core.ready.updates-fine"))
        }
        (Some(false), _) => point(
            "updates",
            State::Ready,
            say!("core.ready.no-updates"),
            say!("core.ready.no-updates-because"),
        ),
    }
}

fn firewall(found: &Readiness) -> Option<ReadinessPoint> {
    (found.firewall == Some(Firewall::BlocksAll)).then(|| {
        with(
            point(
                "firewall",
                State::Attention,
                say!("core.ready.firewall"),
                say!("core.ready.firewall-because"),
            ),
            say!("core.ready.firewall-fix"),
            Some("sudo /usr/libexec/ApplicationFirewall/socketfilterfw --setblockall off".to_owned()),
        )
    })
}

fn linger(found: &Readiness, user: &str) -> Option<ReadinessPoint> {
    match found.lingers? {
        true => Some(point(
            "linger",
            State::Ready,
            say!("core.ready.lingers"),
            say!("core.ready.lingers-because", user = user),
        )),
        false => Some(with(
            point(
                "linger",
                State::Attention,
                say!("core.presence.linger"),
                say!("core.presence.linger-because", user = user),
            ),
            say!("core.presence.linger-fix"),
            Some(format!("sudo loginctl enable-linger {user}")),
        )),
    }
}

fn suspend(found: &Readiness) -> Option<ReadinessPoint> {
    match found.can_sleep? {
        false => {
            Some(point("sleep", State::Ready, say!("core.ready.no-sleep"), say!("core.ready.masked-because")))
        }
        true => Some(with(
            point(
                "sleep",
                State::Attention,
                say!("core.ready.can-sleep"),
                say!("core.ready.can-sleep-because"),
            ),
            say!("core.ready.can-sleep-fix"),
            Some("sudo systemctl mask sleep.target suspend.target hibernate.target".to_owned()),
        )),
    }
}

fn lid(found: &Readiness) -> Option<ReadinessPoint> {
    let action = found.lid.as_deref()?;
    if matches!(action, "ignore" | "lock") {
        return Some(point("lid", State::Ready, say!("core.ready.lid-ignored"), say!("core.ready.lid-fine")));
    }
    let attention = point(
        "lid",
        State::Attention,
        say!("core.ready.lid"),
        say!("core.ready.lid-because", action = action),
    );
    let command =
        "printf '[Login]\\nHandleLidSwitch=ignore\\n' | sudo tee /etc/systemd/logind.conf.d/lid.conf";
    Some(with(attention, say!("core.ready.lid-fix"), Some(command.to_owned())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn states(points: &[ReadinessPoint]) -> Vec<(&str, State)> {
        points.iter().map(|point| (point.id.as_str(), point.state)).collect()
    }

    #[test]
    fn nothing_learnt_is_never_ready() {
        let macos = points(&Readiness::default(), "ada", &[], AwakeState::Refused, true);
        assert_eq!(
            states(&macos),
            [
                ("service", State::Attention),
                ("awake", State::Unknown),
                ("sleep", State::Unknown),
                ("login", State::Unknown),
                ("disk", State::Unknown),
                ("power-cut", State::Unknown),
                ("updates", State::Unknown),
            ]
        );
        let linux = points(&Readiness::default(), "ada", &[], AwakeState::Held, false);
        assert_eq!(states(&linux), [("service", State::Attention), ("awake", State::Ready)]);
    }

    #[test]
    fn a_mac_that_will_not_come_back_is_told_with_the_exact_commands() {
        let found = Readiness {
            auto_login: Some(None),
            disk_locked_at_start: Some(true),
            restarts_after_power_cut: Some(false),
            sleeps_after_minutes: Some(10),
            installs_updates: Some(true),
            firewall: Some(Firewall::BlocksAll),
            ..Readiness::default()
        };
        let points = points(&found, "ada", &[], AwakeState::SwitchedOff, true);
        assert!(
            points.iter().all(|point| point.state == State::Attention && point.fix.is_some()),
            "{points:?}"
        );
        let commands: Vec<String> = points.iter().filter_map(|point| point.fix.clone()?.command).collect();
        for command in ["sudo pmset -c sleep 0 disksleep 0 womp 1", "sudo pmset -a autorestart 1"] {
            assert!(commands.iter().any(|found| found == command), "{commands:?}");
        }
    }

    #[test]
    fn a_mac_that_is_ready_is_told_so() {
        let found = Readiness {
            auto_login: Some(Some("ada".to_owned())),
            disk_locked_at_start: Some(false),
            restarts_after_power_cut: Some(true),
            sleeps_after_minutes: Some(0),
            installs_updates: Some(true),
            firewall: Some(Firewall::On),
            ..Readiness::default()
        };
        let points = points(&found, "ada", &[], AwakeState::Held, true);
        assert!(points.iter().skip(1).all(|point| point.state == State::Ready), "{points:?}");
    }

    #[test]
    fn on_linux_lingering_suspend_and_lid_count() {
        let found = Readiness {
            lingers: Some(false),
            can_sleep: Some(true),
            lid: Some("suspend".to_owned()),
            ..Readiness::default()
        };
        let attention = points(&found, "ada", &[], AwakeState::Held, false);
        assert_eq!(
            states(&attention)[2..],
            [("linger", State::Attention), ("sleep", State::Attention), ("lid", State::Attention),]
        );
        let found = Readiness {
            lingers: Some(true),
            can_sleep: Some(false),
            lid: Some("ignore".to_owned()),
            ..Readiness::default()
        };
        let ready = points(&found, "ada", &[], AwakeState::Held, false);
        assert!(ready.iter().skip(1).all(|point| point.state == State::Ready), "{ready:?}");
    }
}
