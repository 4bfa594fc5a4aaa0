use std::time::{Duration as StdDuration, Instant};

use gatehouse_api::{
    Actual, Code, ErrorEnvelope, ListenerSummary, OpenRequest, Problem, Progress, Proof, Scope, Snapshot,
    StepId, StepState, Text,
};
use gatehouse_openclaw::client::{Hello, Link};
use gatehouse_openclaw::discovery::{Auth, Gateway, PortSource};
use gatehouse_openclaw::probe::GatewayHealth;

use super::super::message::Ended;
use super::super::view::view;
use super::*;

/// A controller without a world: facts go in, effects and snapshots come out, time is a number.
struct Bench {
    state: State,
    seconds: i64,
}

fn at(seconds: i64) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(1_795_000_000 + seconds).unwrap()
}

fn lan() -> OpenRequest {
    OpenRequest {
        scope: Scope::Lan,
        hosts: Vec::new(),
        port: None,
        redirect_port: None,
        map_port: None,
        only: Vec::new(),
        confirm_within: None,
    }
}

fn up(boot: &str) -> Fact {
    Fact::Link(Some(Link::Up {
        hello: Hello {
            version: "2026.9.6".into(),
            boot_id: boot.into(),
            config_path: None,
            state_dir: None,
            auth_mode: None,
            auth_method: None,
            scopes: Vec::new(),
            methods: Vec::new(),
            tick: StdDuration::from_secs(30),
        },
    }))
}

fn down() -> Fact {
    Fact::Link(Some(Link::Down { since: Instant::now(), why: "connection refused".into() }))
}

fn found(program: bool) -> Fact {
    Fact::Discovered(Ok(Box::new(Gateway {
        config_path: "/home/a/.openclaw/openclaw.json".into(),
        config_exists: true,
        state_dir: "/home/a/.openclaw".into(),
        profile: None,
        port: 18789,
        port_source: PortSource::Default,
        bind: None,
        auth: Auth::Token("t".into()),
        token_source: Default::default(),
        base_path: None,
        program: program.then(|| "/usr/bin/openclaw".into()),
        program_source: None,
    })))
}

fn quiet() -> Fact {
    Fact::Health(GatewayHealth::Refused, None)
}

fn error() -> ErrorEnvelope {
    ErrorEnvelope::new(Code::PortTaken, "Port 443 is taken", "nginx (pid 7) has it")
}

fn problem() -> Problem {
    Problem { code: Code::VerifyFailed, title: "No answer".into(), because: "timeout".into(), fix: None }
}

impl Bench {
    fn new() -> Self {
        let state = State { started: Some(at(0)), ..State::default() };
        Self { state, seconds: 0 }
    }

    /// A core that serves, with a gateway that runs.
    fn open() -> Self {
        let mut bench = Self::new();
        bench.listens();
        bench.takes(found(true));
        bench.takes(up("one"));
        bench.takes(Fact::Served(Ok(())));
        bench.takes(Fact::OriginsCovered(Ok(())));
        bench
    }

    fn on() -> Self {
        let mut bench = Self::open();
        bench.proves();
        bench
    }

    fn listens(&mut self) {
        self.state.collected.open = Some(lan());
        self.state.collected.listener = Some(ListenerSummary {
            port: 8443,
            port_reason: None,
            redirect_port: None,
            redirect_reason: None,
            http2_websocket_reason: None,
            connections: 0,
            websockets: 0,
            connections_limit: None,
            limits: None,
        });
    }

    fn takes(&mut self, fact: Fact) -> Vec<Effect> {
        reduce(&mut self.state, fact, at(self.seconds))
    }

    fn after(&mut self, seconds: i64) -> &mut Self {
        self.seconds += seconds;
        self
    }

    fn proves(&mut self) {
        let proof = Proof {
            url: "https://192.168.1.20:8443".into(),
            from: "192.168.1.20".into(),
            protocol: "TLS 1.3, HTTP/1.1, WebSocket".into(),
            at: at(self.seconds),
        };
        self.takes(Fact::Probed(Ok(vec![proof])));
    }

    fn sees(&self) -> Snapshot {
        view(&self.state, at(self.seconds))
    }
}

fn is_on(snapshot: &Snapshot) -> bool {
    matches!(snapshot.actual, Actual::On { .. })
}

#[test]
fn green_comes_from_a_probe_and_from_nothing_else() {
    let mut bench = Bench::open();
    assert_eq!(bench.sees().actual, Actual::Preparing { step: StepId::Verify, number: 7, of: 8 });

    bench.proves();

    assert!(is_on(&bench.sees()));
}

#[test]
fn serving_with_a_gateway_sets_a_probe_going_once() {
    let mut bench = Bench::new();
    bench.listens();
    bench.takes(found(true));
    bench.state.flight.serve = true;
    bench.takes(up("one"));

    let effects = bench.takes(Fact::Served(Ok(())));

    assert!(effects.contains(&Effect::Probe));
    assert!(!bench.takes(Fact::Tick).contains(&Effect::Probe));
}

#[test]
fn a_proof_is_renewed_every_four_minutes_and_degrades_after_five() {
    let mut bench = Bench::on();

    assert!(!bench.after(239).takes(Fact::Tick).contains(&Effect::Probe));
    assert!(bench.after(1).takes(Fact::Tick).contains(&Effect::Probe));
    bench.after(61);

    let snapshot = bench.sees();
    assert!(matches!(snapshot.actual, Actual::Degraded { proof: Some(_) }));
    assert_eq!(snapshot.problems[0].code, Code::VerifyFailed);
}

#[test]
fn nothing_flaps_while_the_gateway_restarts() {
    let mut bench = Bench::on();

    bench.after(1).takes(down());
    bench.takes(quiet());
    assert!(is_on(&bench.sees()));
    assert!(bench.sees().problems.is_empty());
    assert_eq!(bench.sees().gateway.verdict, gatehouse_api::GatewayVerdict::Stopped);

    bench.state.flight.probe = true;
    bench.after(2).takes(Fact::Probed(Err(problem())));
    assert!(is_on(&bench.sees()));

    let effects = bench.after(4).takes(up("two"));
    assert!(effects.contains(&Effect::Probe));
    assert!(is_on(&bench.sees()));
}

#[test]
fn a_gateway_that_stays_away_degrades_with_its_verdict() {
    let mut bench = Bench::on();
    bench.after(1).takes(down());
    bench.takes(quiet());

    bench.after(20).takes(Fact::Tick);

    let snapshot = bench.sees();
    assert!(matches!(snapshot.actual, Actual::Degraded { proof: Some(_) }));
    assert_eq!(snapshot.problems.len(), 1);
    assert_eq!(snapshot.problems[0].code, Code::GatewayUnreachable);
}

#[test]
fn an_address_that_is_opened_without_a_gateway_says_so_at_once() {
    let mut bench = Bench::on();
    bench.takes(down());
    bench.takes(quiet());

    bench.takes(Fact::ChangeEnded(Ended::OtherAddress));

    assert_eq!(bench.sees().actual, Actual::Degraded { proof: None });
    assert_eq!(bench.sees().problems[0].code, Code::GatewayUnreachable);
}

#[test]
fn nothing_is_probed_while_the_gateway_is_away_or_the_address_is_paused() {
    let mut bench = Bench::on();
    bench.takes(down());
    bench.takes(quiet());
    assert!(!bench.after(300).takes(Fact::Tick).contains(&Effect::Probe));

    let mut bench = Bench::on();
    bench.state.collected.pause = Some(crate::settings::PauseSettings { until: None });
    assert!(!bench.after(300).takes(Fact::Tick).contains(&Effect::Probe));
    assert_eq!(bench.sees().actual, Actual::Paused { until: None });
}

#[test]
fn a_pause_ends_by_the_wall_clock() {
    let mut bench = Bench::on();
    bench.state.collected.pause = Some(crate::settings::PauseSettings { until: Some(at(10)) });

    assert_eq!(bench.takes(Fact::Settings), [Effect::LookAgain(time::Duration::seconds(10))]);
    assert!(!bench.after(9).takes(Fact::Tick).contains(&Effect::EndPause));
    assert!(bench.after(1).takes(Fact::LookAgain).contains(&Effect::EndPause));
    assert!(!bench.takes(Fact::Tick).contains(&Effect::EndPause));
}

#[test]
fn what_cannot_be_served_is_blocked_with_its_cause_and_tried_again() {
    let mut bench = Bench::new();
    bench.state.collected.open = Some(lan());
    bench.takes(Fact::Served(Err(error())));

    let Actual::Blocked { cause } = bench.sees().actual else { panic!("not blocked") };
    assert_eq!(cause.code, Code::PortTaken);

    assert!(!bench.after(29).takes(Fact::Tick).contains(&Effect::Serve));
    assert!(bench.after(1).takes(Fact::Tick).contains(&Effect::Serve));
    bench.listens();
    bench.takes(Fact::Served(Ok(())));
    assert!(!matches!(bench.sees().actual, Actual::Blocked { .. }));
}

#[test]
fn a_change_of_addresses_that_fails_leaves_what_is_served_and_says_so() {
    let mut bench = Bench::on();
    assert!(bench.takes(Fact::Addresses).contains(&Effect::Serve));
    assert!(!bench.takes(Fact::Addresses).contains(&Effect::Serve));

    let effects = bench.takes(Fact::Served(Err(error())));

    assert!(effects.contains(&Effect::Serve), "the second change is not forgotten");
    assert!(matches!(bench.sees().actual, Actual::Degraded { proof: Some(_) }));
}

#[test]
fn a_certificate_is_looked_at_every_few_hours() {
    let mut bench = Bench::on();

    assert!(!bench.after(6 * 3600 - 1).takes(Fact::Tick).contains(&Effect::Serve));
    assert!(bench.after(1).takes(Fact::Tick).contains(&Effect::Serve));
    assert!(!bench.takes(Fact::Tick).contains(&Effect::Serve));
}

#[test]
fn new_addresses_are_covered_by_origins_and_probed() {
    let mut bench = Bench::on();
    bench.takes(Fact::Addresses);

    let effects = bench.takes(Fact::Served(Ok(())));

    assert!(effects.contains(&Effect::CoverOrigins));
    assert!(effects.contains(&Effect::Probe));
}

#[test]
fn origins_that_could_not_be_added_are_tried_again_when_the_gateway_is_back() {
    let mut bench = Bench::on();
    bench.takes(Fact::Served(Ok(())));
    bench.takes(Fact::OriginsCovered(Err(error())));
    assert!(matches!(bench.sees().actual, Actual::Degraded { .. }));

    bench.takes(down());
    assert!(bench.takes(up("one")).contains(&Effect::CoverOrigins));
    bench.takes(Fact::OriginsCovered(Ok(())));

    assert!(is_on(&bench.sees()));
}

#[test]
fn a_change_shows_its_steps_and_a_new_address_starts_without_a_proof() {
    let mut bench = Bench::on();
    bench.takes(Fact::ChangeBegan { shown: true });
    let step = Progress {
        change: "c1".into(),
        step: StepId::Listen,
        number: 5,
        of: 8,
        state: StepState::Running,
        text: "Listening".into(),
    };

    let effects = bench.takes(Fact::Progress(step.clone()));

    assert_eq!(effects, [Effect::TellProgress(step)]);
    assert_eq!(bench.sees().actual, Actual::Preparing { step: StepId::Listen, number: 5, of: 8 });
    bench.takes(Fact::ChangeEnded(Ended::OtherAddress));
    assert_eq!(bench.sees().actual, Actual::Preparing { step: StepId::Verify, number: 7, of: 8 });
}

#[test]
fn an_origin_edit_does_not_show_as_a_state() {
    let mut bench = Bench::on();
    bench.takes(Fact::ChangeBegan { shown: false });
    bench.takes(Fact::Progress(Progress {
        change: "c1".into(),
        step: StepId::Configure,
        number: 2,
        of: 3,
        state: StepState::Running,
        text: Text::default(),
    }));

    assert!(is_on(&bench.sees()));
}

#[test]
fn one_failed_probe_is_repeated_soon_and_says_nothing_yet() {
    let mut bench = Bench::open();

    assert_eq!(bench.takes(Fact::Probed(Err(problem()))), [Effect::LookAgain(crate::exposure::proof::RETRY)]);
    assert!(matches!(bench.sees().actual, Actual::Preparing { step: StepId::Verify, .. }));
    assert_eq!(bench.after(3).takes(Fact::LookAgain), [Effect::Probe]);
    bench.takes(Fact::Probed(Err(problem())));

    assert_eq!(bench.sees().actual, Actual::Degraded { proof: None });
    assert_eq!(bench.sees().problems[0].title, "No answer");
}

#[test]
fn what_was_asked_for_at_start_opens_when_the_gateway_is_up() {
    let mut bench = Bench::new();
    bench.state.wanted = Some(lan());
    assert!(!bench.takes(found(true)).contains(&Effect::Open(lan())));
    assert!(matches!(bench.sees().actual, Actual::Preparing { step: StepId::FindGateway, .. }));

    assert!(bench.takes(up("one")).contains(&Effect::Open(lan())));
    assert!(!bench.takes(Fact::Tick).contains(&Effect::Open(lan())));
    bench.takes(Fact::OpenedAtStart(Err(error())));

    let Actual::Blocked { cause } = bench.sees().actual else { panic!("not blocked") };
    assert_eq!(cause.code, Code::PortTaken);
    bench.takes(down());
    assert!(bench.takes(up("two")).contains(&Effect::Open(lan())), "it is tried again");
}

#[test]
fn what_was_asked_for_at_start_does_not_wait_for_ever() {
    let mut bench = Bench::new();
    bench.state.wanted = Some(lan());
    bench.takes(found(true));
    bench.takes(quiet());

    assert!(!bench.after(19).takes(Fact::Tick).contains(&Effect::Open(lan())));
    assert!(bench.after(1).takes(Fact::Tick).contains(&Effect::Open(lan())));
}

#[test]
fn what_is_open_already_is_not_opened_again() {
    let mut bench = Bench::new();
    bench.listens();
    bench.state.wanted = Some(OpenRequest { confirm_within: Some(60), ..lan() });

    assert!(!bench.takes(up("one")).contains(&Effect::Open(lan())));
    assert_eq!(bench.state.wanted, None);
}

#[test]
fn what_the_user_added_to_an_open_address_survives_a_start_that_asks_for_less() {
    let open = OpenRequest { hosts: vec!["mini.lan".into()], port: Some(8443), ..lan() };
    let table = [
        (lan(), true),
        (OpenRequest { hosts: vec!["mini.lan".into()], ..lan() }, true),
        (OpenRequest { port: Some(9443), ..lan() }, false),
        (OpenRequest { hosts: vec!["other.lan".into()], ..lan() }, false),
        (OpenRequest { scope: Scope::Mac, ..lan() }, false),
        (OpenRequest { only: vec!["192.168.1.0/24".into()], ..lan() }, false),
    ];
    for (wanted, already) in table {
        let mut bench = Bench::new();
        bench.listens();
        bench.state.collected.open = Some(open.clone());
        bench.state.wanted = Some(wanted.clone());

        assert_eq!(!bench.takes(up("one")).contains(&Effect::Open(wanted.clone())), already, "{wanted:?}");
    }
}

#[test]
fn an_opening_at_start_waits_for_a_gateway_of_our_own_however_long_its_installation_takes() {
    let mut bench = Bench::new();
    bench.state.wanted = Some(lan());
    bench.state.gateway.own = true;
    bench.takes(found(false));
    bench.takes(quiet());

    assert!(!bench.after(300).takes(Fact::Tick).contains(&Effect::Open(lan())));
    bench.takes(Fact::NotSupervised(error()));
    assert!(bench.state.flight.open, "what cannot come is not waited for");
}

#[test]
fn devices_are_listed_when_something_happens_to_them_and_told_when_they_changed() {
    use gatehouse_openclaw::events::GatewayEvent;
    let mut bench = Bench::on();
    bench.takes(Fact::Devices(Ok(gatehouse_api::DeviceList::default())));

    assert!(bench.takes(Fact::Announced(GatewayEvent::Presence)).contains(&Effect::ListDevices));
    assert!(!bench.takes(Fact::Announced(GatewayEvent::PairChanged)).contains(&Effect::ListDevices));
    let again = bench.takes(Fact::Devices(Ok(gatehouse_api::DeviceList::default())));

    assert_eq!(
        again,
        [Effect::ListDevices],
        "what happened meanwhile is not forgotten, what did not change not told"
    );
}

#[test]
fn the_process_id_of_a_gateway_that_went_is_not_shown_for_the_next_one() {
    let mut bench = Bench::new();
    bench.takes(up("one"));
    bench.takes(Fact::Pid(Some(4711)));
    assert_eq!(bench.state.gateway.pid, Some(4711));

    bench.takes(Fact::Link(Some(Link::Connecting)));
    bench.takes(up("two"));

    assert_eq!(bench.state.gateway.pid, None);
}

#[test]
fn an_installation_is_told_step_by_step() {
    use super::super::message::Installing;
    let mut bench = Bench::new();

    let effects = bench.takes(Fact::Installing(Installing { number: 2, text: "Installing (2 of 4)".into() }));

    let told = effects.iter().any(|effect| {
        matches!(effect, Effect::TellProgress(progress)
            if progress.change == "install" && (progress.number, progress.of) == (2, 4))
    });
    assert!(told, "{effects:?}");
    assert_eq!(bench.state.gateway.installing.as_deref(), Some("Installing (2 of 4)"));
}
