//! A public certificate as people are shown it: pure.

use gatehouse_api::{
    Certificate, CertificateKind, CertificateState, Code, Fix, OrderStage, Problem, RenewalWindow, Text, say,
};
use gatehouse_certs::acme::{Stage, authority_name};
use gatehouse_certs::renewal::Status;
use gatehouse_certs::renewal::plan::Next;
use gatehouse_certs::renewal::schedule::{Nearness, Validity};
use time::{Duration, OffsetDateTime};

use super::causes::advice;

/// Certificates that live longer than ten days are shouted about two days before their end, whatever their share.
const LAST_DAYS: Duration = Duration::hours(48);

pub(super) fn names(status: &Status) -> Vec<String> {
    status.identifiers.iter().map(ToString::to_string).collect()
}

pub(super) fn certificate(status: &Status, now: OffsetDateTime) -> Certificate {
    let facts = status.facts.as_deref();
    let directory = match (&status.next, &status.record.live, status.last_setback()) {
        (Next::Attempt { directory, .. }, _, _) => Some(directory.as_str()),
        (_, Some(live), _) => Some(live.directory.as_str()),
        (_, None, Some((directory, _))) => Some(directory),
        (_, None, None) => None,
    };
    let validity = facts.map(|facts| Validity { not_before: facts.not_before, not_after: facts.not_after });
    Certificate {
        id: format!("acme:{}", status.name),
        kind: CertificateKind::Acme,
        state: state(validity, now),
        names: names(status),
        issuer: facts.map(|facts| facts.issuer.clone()),
        not_before: facts.map(|facts| facts.not_before),
        not_after: facts.map(|facts| facts.not_after),
        life_left: validity.map(|validity| life_left(validity, now)),
        sha256: facts.map(|facts| facts.sha256.clone()),
        authority: directory.map(authority_name),
        stage: status.stage.map(stage),
        next_attempt: status.next_attempt(),
        window: window(status),
        source: None,
        key_type: None,
        trusted: None,
        problem: problem(status, now),
    }
}

/// What the authority wants, as long as it can still be kept to.
fn window(status: &Status) -> Option<RenewalWindow> {
    let window = status.record.suggested.as_ref()?.window;
    status.facts.as_ref().map(|_| RenewalWindow { start: window.start, end: window.end })
}

/// Whether a certificate is for this host of a URL.
pub(crate) fn names_hold(one: &Certificate, host: &str) -> bool {
    let above = host.split_once('.').map(|(_, parent)| format!("*.{parent}"));
    one.names.iter().any(|name| name == host || Some(name) == above.as_ref())
}

/// One word.
pub(crate) fn state(validity: Option<Validity>, now: OffsetDateTime) -> CertificateState {
    match validity.map(|validity| validity.nearness(now)) {
        None => CertificateState::Missing,
        Some(Nearness::Far) => CertificateState::Valid,
        Some(Nearness::Near | Nearness::Close) => CertificateState::Expiring,
        Some(Nearness::Over) => CertificateState::Expired,
    }
}

/// In percent, never 0 while anything is left.
pub(crate) fn life_left(validity: Validity, now: OffsetDateTime) -> u8 {
    let life = (validity.not_after - validity.not_before).whole_seconds().max(1);
    let left = (validity.not_after - now).whole_seconds().clamp(0, life);
    let percent = left.saturating_mul(100).saturating_add(life - 1) / life;
    u8::try_from(percent).unwrap_or(100)
}

fn stage(stage: Stage) -> OrderStage {
    match stage {
        Stage::Begun | Stage::Registered | Stage::KeySaved => OrderStage::Begun,
        Stage::Placed | Stage::OrderSaved => OrderStage::Ordered,
        Stage::Published | Stage::Asked => OrderStage::Proving,
        Stage::Proven | Stage::Finalized => OrderStage::Signing,
        Stage::Downloaded | Stage::Stored | Stage::Served => OrderStage::Stored,
    }
}

/// What is wrong, worst first; a first attempt that is on its way is no problem.
fn problem(status: &Status, now: OffsetDateTime) -> Option<Problem> {
    let names = names(status).join(", ");
    let held = status.facts.as_deref();
    let (why, fix) = reason(status, now);
    let (title, expected) = match held {
        None if status.stage.is_some() => return None,
        None => (say!("core.acme.none", names = names), true),
        Some(facts) => {
            let (end, left) = (moment(facts.not_after), facts.not_after - now);
            let long = facts.not_after - facts.not_before > Duration::days(10);
            let validity = Validity { not_before: facts.not_before, not_after: facts.not_after };
            match validity.nearness(now) {
                Nearness::Over => (say!("core.acme.over", names = names, end = end), true),
                Nearness::Close => (say!("core.acme.close", names = names, end = end), true),
                Nearness::Near if long && left < LAST_DAYS => {
                    (say!("core.acme.close", names = names, end = end), true)
                }
                Nearness::Near => (say!("core.acme.near", names = names, end = end), true),
                Nearness::Far => (say!("core.acme.not-renewed", names = names), false),
            }
        }
    };
    // One that is wanted, not begun, and has met no obstacle is on its way.
    let obstacle = why.is_some();
    if !obstacle && (held.is_none() || !expected) {
        return None;
    }
    let because = why.unwrap_or_else(|| say!("core.acme.soon"));
    let fix = fix.or_else(|| {
        let text = say!("core.acme.look");
        Some(Fix { text, command: Some("gatehouse cert acme status".to_owned()) })
    });
    Some(Problem { code: Code::Certificate, title, because, fix })
}

/// Why there is no new one yet, and what to do.
fn reason(status: &Status, now: OffsetDateTime) -> (Option<Text>, Option<Fix>) {
    let fix = |text: Text, command: &str| Some(Fix { text, command: Some(command.to_owned()) });
    match &status.next {
        Next::NoAuthority => (
            Some(say!("core.acme.needed-because")),
            fix(say!("core.acme.needed-fix"), "gatehouse cert acme setup --help"),
        ),
        Next::NoWay => (
            Some(say!("core.acme.no-way")),
            fix(say!("core.acme.no-way-fix"), "gatehouse cert acme setup --help"),
        ),
        Next::ClockWrong => {
            (Some(say!("core.clock.wrong")), Some(Fix { text: say!("core.clock.fix"), command: None }))
        }
        Next::Wait { .. } | Next::Attempt { .. } => match status.last_setback() {
            None => match &status.next {
                Next::Wait { until } if status.facts.is_none() && *until > now => {
                    (Some(say!("core.acme.budget", until = moment(*until))), None)
                }
                _ => (None, None),
            },
            Some((directory, setback)) => {
                let said = say!(
                    "core.acme.said",
                    authority = authority_name(directory),
                    detail = crate::errors::capital(&setback.detail)
                );
                (Some(said), Some(advice(setback.cause)))
            }
        },
    }
}

/// A moment as people read it, in the one zone that a text in every language can hold.
pub(super) fn moment(at: OffsetDateTime) -> String {
    format!("{} {:02}:{:02} UTC", at.date(), at.hour(), at.minute())
}
