use std::collections::BTreeSet;
use std::path::PathBuf;

use gatehouse_host::jobs::Exit;
use gatehouse_host::ports::PortHolder;
use gatehouse_openclaw::program::ServiceAction;
use gatehouse_openclaw::service_file::ServiceFile;

use super::*;
use crate::supervision::repair::{Step, steps};

const PID: u32 = 812;
const STRANGER: u32 = 900;

fn job(activity: Activity) -> Job {
    let runs = activity == Activity::Running;
    Job {
        pid: runs.then_some(PID),
        last_exit: (!runs).then_some(Exit::Status(1)),
        activity,
        file: None,
        starts_itself: Some(true),
        switched_off: false,
        starts: Some(1),
    }
}

fn file() -> ServiceFile {
    ServiceFile {
        port: Some(18789),
        entry: Some("/opt/openclaw/dist/index.js".into()),
        entry_exists: true,
        version: Some("2026.9.6".to_owned()),
    }
}

fn other() -> Owner {
    Owner::Other(PortHolder { pid: Some(STRANGER), ..PortHolder::default() })
}

/// A service that runs and answers.
fn signals() -> Signals {
    Signals {
        name: "openclaw-gateway.service".to_owned(),
        path: PathBuf::from("/home/ada/.config/systemd/user/openclaw-gateway.service"),
        file: Some(file()),
        job: JobSignal::Known(job(Activity::Running)),
        rivals: Vec::new(),
        port: 18789,
        owner: Owner::Service,
        health: GatewayHealth::Ready,
        running_version: Some("2026.9.6".to_owned()),
        installed_version: Some("2026.9.6".to_owned()),
        own: false,
    }
}

fn no_gateway() -> GatewayHealth {
    GatewayHealth::NotGateway { what: "HTTP 404, nginx".to_owned() }
}

fn jobs() -> Vec<JobSignal> {
    let switched_off = Job { switched_off: true, ..job(Activity::Stopped) };
    let known = [
        Activity::Running,
        Activity::Starting,
        Activity::Stopping,
        Activity::Waiting,
        Activity::Stopped,
        Activity::Failed,
        Activity::Other("dreaming".to_owned()),
    ];
    let mut all: Vec<JobSignal> = known.into_iter().map(|activity| JobSignal::Known(job(activity))).collect();
    all.extend([
        JobSignal::Known(switched_off),
        JobSignal::Absent { without_screen: false },
        JobSignal::Absent { without_screen: true },
        JobSignal::NoManager { said: "Failed to connect to bus".to_owned() },
    ]);
    all
}

fn healths() -> [GatewayHealth; 5] {
    [GatewayHealth::Ready, GatewayHealth::Live, GatewayHealth::Silent, GatewayHealth::Refused, no_gateway()]
}

#[test]
fn each_known_trouble_has_its_word() {
    let usual = signals();
    let with = |job: JobSignal, owner: Owner, health: GatewayHealth| Signals {
        job,
        owner,
        health,
        running_version: None,
        ..signals()
    };
    let known = |activity| JobSignal::Known(job(activity));
    let absent = |without_screen| JobSignal::Absent { without_screen };
    let refused = || GatewayHealth::Refused;
    let none = || JobSignal::NoManager { said: String::new() };
    let switched_off = || JobSignal::Known(Job { switched_off: true, ..job(Activity::Stopped) });
    let looping = || {
        let job = job(Activity::Starting);
        JobSignal::Known(Job { starts: Some(9), ..job })
    };
    let drift = |signals: Signals| Signals { port: 18790, ..signals };
    let without_file = |signals: Signals| Signals { file: None, ..signals };
    for (expected, signals) in [
        (State::Runs, usual.clone()),
        (State::Starting, with(known(Activity::Running), Owner::Service, GatewayHealth::Live)),
        (State::Starting, with(known(Activity::Running), Owner::Nobody, refused())),
        (State::Starting, with(known(Activity::Starting), Owner::Nobody, refused())),
        (State::Own, Signals { own: true, job: absent(false), ..usual.clone() }),
        (State::Duplicate, Signals { own: true, ..usual.clone() }),
        (State::Duplicate, with(known(Activity::Running), other(), GatewayHealth::Ready)),
        (State::Duplicate, with(known(Activity::Waiting), other(), GatewayHealth::Ready)),
        (State::Duplicate, with(looping(), other(), GatewayHealth::Live)),
        (State::TwoServices, Signals { rivals: vec!["clawdbot-gateway.service".into()], ..usual.clone() }),
        (State::CrashLoop, with(known(Activity::Waiting), Owner::Nobody, refused())),
        (State::CrashLoop, with(known(Activity::Failed), Owner::Nobody, refused())),
        (State::CrashLoop, with(looping(), Owner::Nobody, refused())),
        (State::SwitchedOff, with(switched_off(), Owner::Nobody, refused())),
        (State::HandStarted, with(switched_off(), other(), GatewayHealth::Ready)),
        (State::NotLoaded, with(absent(false), Owner::Nobody, refused())),
        (State::NotInstalled, without_file(with(absent(false), Owner::Nobody, refused()))),
        (State::HandStarted, with(absent(false), other(), GatewayHealth::Ready)),
        (State::NoSession, with(absent(true), Owner::Nobody, refused())),
        (State::NotInstalled, without_file(with(absent(true), Owner::Nobody, refused()))),
        (State::NoManager, with(none(), Owner::Nobody, refused())),
        (State::HandStarted, with(none(), other(), GatewayHealth::Ready)),
        (State::Stopped, with(known(Activity::Stopped), Owner::Nobody, refused())),
        (State::PortTaken, with(known(Activity::Stopped), other(), no_gateway())),
        (State::PortTaken, with(known(Activity::Waiting), other(), no_gateway())),
        (State::PortTaken, with(known(Activity::Running), other(), no_gateway())),
        (State::PortDrift, drift(with(known(Activity::Running), Owner::Nobody, refused()))),
        (State::VersionDrift, Signals { installed_version: Some("2026.10.1".into()), ..usual.clone() }),
        (State::Runs, Signals { installed_version: None, ..usual.clone() }),
    ] {
        assert_eq!(verdict(&signals), expected, "{signals:?}");
    }
}

/// What may never be said, whatever is observed.
#[test]
fn no_combination_of_signals_claims_what_was_not_observed() {
    let mut seen = BTreeSet::new();
    let mut combinations = 0;
    for job in jobs() {
        for owner in [Owner::Nobody, Owner::Service, other(), Owner::Other(PortHolder::default())] {
            for health in healths() {
                for file in [None, Some(file()), Some(ServiceFile { port: Some(1), ..file() })] {
                    for own in [false, true] {
                        for rivals in [vec![], vec!["other".to_owned()]] {
                            for version in [None, Some("1".to_owned()), Some("2026.9.6".to_owned())] {
                                let signals = Signals {
                                    job: job.clone(),
                                    owner: owner.clone(),
                                    health: health.clone(),
                                    file: file.clone(),
                                    own,
                                    rivals: rivals.clone(),
                                    running_version: version,
                                    ..signals()
                                };
                                combinations += 1;
                                seen.insert(format!("{:?}", verdict(&signals)));
                                honest(&signals);
                            }
                        }
                    }
                }
            }
        }
    }
    assert_eq!(combinations, 11 * 4 * 5 * 3 * 2 * 2 * 3);
    assert_eq!(seen.len(), 16, "{seen:?}");
}

fn honest(signals: &Signals) {
    let state = verdict(signals);
    let answers = matches!(signals.health, GatewayHealth::Ready | GatewayHealth::Live);
    let known = matches!(signals.job, JobSignal::Known(_));
    let runs = matches!(&signals.job, JobSignal::Known(job) if job.pid.is_some());
    let says = |states: &[State]| states.contains(&state);
    if says(&[State::Runs, State::VersionDrift]) {
        assert!(runs && signals.health == GatewayHealth::Ready && signals.owner != other(), "{signals:?}");
    }
    if says(&[State::CrashLoop, State::Stopped, State::SwitchedOff, State::PortDrift]) {
        assert!(known && !answers, "{signals:?}");
    }
    if says(&[State::NotLoaded, State::NotInstalled, State::NoManager, State::NoSession]) {
        assert!(!known && !answers, "{signals:?}");
    }
    if state == State::PortTaken {
        assert_eq!(signals.health, no_gateway());
    }
    if state == State::HandStarted {
        assert!(!runs && signals.health != GatewayHealth::Refused, "{signals:?}");
    }
    assert_eq!(says(&[State::TwoServices]), !signals.own && !signals.rivals.is_empty());
    // A repair ends no process but one that is not the service's, and changes nothing where all is well.
    let repairs = steps(state, signals);
    if says(&[State::Runs, State::Starting, State::Own, State::HandStarted, State::PortTaken]) {
        assert!(repairs.is_empty(), "{signals:?}");
    }
    for step in &repairs {
        match step {
            Step::End(pid) => assert!(*pid == STRANGER && state == State::Duplicate, "{signals:?}"),
            Step::SwitchOff(name) => assert!(signals.rivals.contains(name)),
            Step::Ask(action) => {
                assert!(*action != ServiceAction::Uninstall && *action != ServiceAction::Stop)
            }
        }
    }
}

#[test]
fn a_repair_does_the_least_that_mends() {
    let plan = |signals: &Signals| steps(verdict(signals), signals);
    let stopped = Signals {
        job: JobSignal::Known(job(Activity::Stopped)),
        owner: Owner::Nobody,
        health: GatewayHealth::Refused,
        ..signals()
    };
    assert_eq!(plan(&stopped), [Step::Ask(ServiceAction::Start)]);
    let gone = ServiceFile { entry_exists: false, version: None, ..file() };
    let looping =
        Signals { job: JobSignal::Known(job(Activity::Waiting)), file: Some(gone), ..stopped.clone() };
    assert_eq!(plan(&looping), [Step::Ask(ServiceAction::Reinstall)]);
    assert!(plan(&Signals { file: Some(file()), ..looping }).is_empty(), "restarting does not help");

    let newer = Some("2026.10.1".to_owned());
    let updated = Signals { installed_version: newer.clone(), ..signals() };
    assert_eq!(plan(&updated), [Step::Ask(ServiceAction::Reinstall), Step::Ask(ServiceAction::Restart)]);
    let same_file = ServiceFile { version: newer, ..file() };
    assert_eq!(plan(&Signals { file: Some(same_file), ..updated }), [Step::Ask(ServiceAction::Restart)]);

    let two = Signals { owner: other(), ..signals() };
    assert_eq!(plan(&two), [Step::End(STRANGER), Step::Ask(ServiceAction::Restart)]);
    let rival = Signals { rivals: vec!["clawdbot-gateway.service".into()], ..signals() };
    let off = Step::SwitchOff("clawdbot-gateway.service".into());
    assert_eq!(plan(&rival), [off, Step::Ask(ServiceAction::Restart)]);
}
