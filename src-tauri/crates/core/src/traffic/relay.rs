//! Programs on this machine that pass requests on and were turned away, as nobody declared them.
//!
//! Guarantee: what is told is about the declaration that holds now; a new one is given the benefit of the doubt.

use std::sync::{Arc, Mutex, PoisonError};

use gatehouse_api::{Code, Fix, Problem, say};
use gatehouse_edge::FrontProfile;
use time::{Duration, OffsetDateTime};

/// For how long one that was turned away is told of.
const TOLD: Duration = Duration::minutes(10);

/// The last one that was turned away. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(crate) struct TurnedAway(Arc<Mutex<Option<(OffsetDateTime, FrontProfile)>>>);

impl TurnedAway {
    /// One came, while `declared` was declared.
    pub(super) fn note(&self, now: OffsetDateTime, declared: FrontProfile) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((now, declared));
    }

    /// What the user should hear of it; `declared` is asked for only where there was one lately.
    pub(crate) fn problem(
        &self,
        now: OffsetDateTime,
        declared: impl FnOnce() -> FrontProfile,
    ) -> Option<Problem> {
        let last = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (at, then) = last?;
        if now - at > TOLD {
            return None;
        }
        let declared = declared();
        if then != declared {
            return None;
        }
        let (because, fix) = match declared {
            FrontProfile::Tunnel { .. } => (say!("core.relay.no-secret"), say!("core.relay.no-secret-fix")),
            FrontProfile::None | FrontProfile::Cloudflare => {
                (say!("core.relay.undeclared"), say!("core.relay.undeclared-fix"))
            }
        };
        Some(Problem {
            code: Code::Failed,
            title: say!("core.relay.title"),
            because,
            fix: Some(Fix { text: fix, command: Some("gatehouse front tunnel".into()) }),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const THEN: OffsetDateTime = OffsetDateTime::UNIX_EPOCH;

    #[test]
    fn it_is_told_until_a_declaration_or_ten_minutes_later() {
        let turned_away = TurnedAway::default();
        assert_eq!(turned_away.problem(THEN, || FrontProfile::None), None);

        turned_away.note(THEN, FrontProfile::None);

        let told = |minutes, declared| turned_away.problem(THEN + Duration::minutes(minutes), || declared);
        let problem = told(10, FrontProfile::None).unwrap();
        assert_eq!(problem.fix.unwrap().command.as_deref(), Some("gatehouse front tunnel"));
        assert_eq!(told(11, FrontProfile::None), None);
        assert_eq!(told(1, FrontProfile::tunnel("a secret")), None);
    }

    #[test]
    fn a_tunnel_that_shows_no_secret_is_told_apart_from_one_that_nobody_declared() {
        let because = |declared| {
            let turned_away = TurnedAway::default();
            turned_away.note(THEN, declared);
            turned_away.problem(THEN, || declared).map(|problem| problem.because)
        };
        assert_eq!(because(FrontProfile::Cloudflare), because(FrontProfile::None));
        assert_ne!(because(FrontProfile::tunnel("a secret")), because(FrontProfile::None));
    }
}
