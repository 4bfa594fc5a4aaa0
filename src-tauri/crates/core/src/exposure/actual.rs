//! The actual state as a pure function of what is known, in the order in which one thing hides another.

use gatehouse_api::{Actual, Cause, Code, Desired, Fix, Problem, StepId, say};
use time::OffsetDateTime;

use super::proof::Standing;

/// The step that a change is at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct At {
    pub(crate) step: StepId,
    pub(crate) number: u8,
    pub(crate) of: u8,
}

/// What the actual state is a function of.
#[derive(Debug, Clone)]
pub(crate) struct Facts<'a> {
    pub(crate) now: OffsetDateTime,
    pub(crate) desired: &'a Desired,
    /// A change is under way.
    pub(crate) change: Option<At>,
    /// Why the address cannot be opened.
    pub(crate) blocked: Option<&'a Cause>,
    /// The edge listens.
    pub(crate) listening: bool,
    /// A pause, with its end.
    pub(crate) pause: Option<Option<OffsetDateTime>>,
    /// The gateway is away, and has been for longer than a restart takes: why.
    pub(crate) gateway_away: Option<Problem>,
    pub(crate) standing: Standing,
    /// The first verification since the start is still under way.
    pub(crate) first_probe_pending: bool,
    /// Other things that are wrong with the address itself.
    pub(crate) faults: &'a [Problem],
}

/// The state, and the problems that explain it.
pub(crate) fn actual(facts: Facts<'_>) -> (Actual, Vec<Problem>) {
    if let Some(At { step, number, of }) = facts.change {
        return (Actual::Preparing { step, number, of }, Vec::new());
    }
    if *facts.desired == Desired::Off {
        return (Actual::Off, Vec::new());
    }
    if let Some(cause) = facts.blocked {
        return (Actual::Blocked { cause: cause.clone() }, Vec::new());
    }
    if !facts.listening {
        let text = say!("core.actual.not-listening");
        return (Actual::Blocked { cause: Cause { code: Code::Failed, text } }, Vec::new());
    }
    if let Some(until) = facts.pause.filter(|until| until.is_none_or(|until| facts.now < until)) {
        return (Actual::Paused { until }, Vec::new());
    }
    proven(facts)
}

fn proven(facts: Facts<'_>) -> (Actual, Vec<Problem>) {
    let mut problems: Vec<Problem> = facts.gateway_away.into_iter().collect();
    let away = !problems.is_empty();
    let (fresh, newest) = match facts.standing {
        Standing::Fresh(proof) => (Some(proof.clone()), Some(proof)),
        Standing::Expired(proof) => {
            if !away {
                problems.push(expired(facts.now, proof.at));
            }
            (None, Some(proof))
        }
        Standing::Failed { last, problem } => {
            if !away {
                problems.push(problem);
            }
            (None, last)
        }
        Standing::Never if facts.first_probe_pending && !away => {
            return (Actual::Preparing { step: StepId::Verify, number: 7, of: 8 }, Vec::new());
        }
        Standing::Never => {
            if !away {
                problems.push(never());
            }
            (None, None)
        }
    };
    problems.extend(facts.faults.iter().cloned());
    match fresh {
        Some(proof) if problems.is_empty() => (Actual::On { proof }, problems),
        Some(_) | None => (Actual::Degraded { proof: newest }, problems),
    }
}

fn expired(now: OffsetDateTime, at: OffsetDateTime) -> Problem {
    let minutes = (now - at).whole_minutes();
    Problem {
        code: Code::VerifyFailed,
        title: say!("core.actual.stale"),
        because: say!("core.actual.stale-because", count = minutes),
        fix: Some(check_again()),
    }
}

fn never() -> Problem {
    Problem {
        code: Code::VerifyFailed,
        title: say!("core.actual.unproven"),
        because: say!("core.actual.unproven-because"),
        fix: Some(check_again()),
    }
}

fn check_again() -> Fix {
    Fix { text: say!("core.actual.again"), command: Some("gatehouse status --watch".into()) }
}

#[cfg(test)]
mod tests;
