//! Certificates that come to their end, as a share of their life, and what apps remember: what needs attention, as pure
//! functions.

use gatehouse_api::{Code, Expiring, Fix, Nearness, Pin, Problem, Text, say};
use gatehouse_certs::renewal::schedule::{self, Validity};
use time::{Duration, OffsetDateTime};

/// A renewal that will break pins is told so long before it comes; a quarter of the certificate's life, where that is less.
const HERALD: Duration = Duration::days(14);
/// Names of apps in one sentence.
const NAMED: usize = 5;

/// A certificate, as far as its end is concerned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Life {
    pub(crate) sha256: String,
    pub(crate) authority: bool,
    pub(crate) not_before: OffsetDateTime,
    pub(crate) not_after: OffsetDateTime,
}

/// A certificate that is going to be replaced by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Due {
    pub(crate) sha256: String,
    /// How long it lives.
    pub(crate) life: Duration,
    /// From when on.
    pub(crate) at: OffsetDateTime,
}

/// How near the end of a certificate is; `None` = far.
pub(crate) fn expiring(life: &Life, now: OffsetDateTime) -> Option<Expiring> {
    let validity = Validity { not_before: life.not_before, not_after: life.not_after };
    let nearness = match validity.nearness(now) {
        schedule::Nearness::Over => Nearness::Over,
        schedule::Nearness::Close => Nearness::Close,
        schedule::Nearness::Near => Nearness::Near,
        schedule::Nearness::Far if now >= validity.backstop() => Nearness::Due,
        schedule::Nearness::Far => return None,
    };
    Some(Expiring {
        sha256: life.sha256.clone(),
        authority: life.authority,
        nearness,
        not_after: life.not_after,
    })
}

/// What a person must know of it. A renewal that is merely due comes by itself; an authority lives for ten years, and a
/// quarter of that is nothing to look at every day.
pub(crate) fn problem(expiring: &Expiring) -> Option<Problem> {
    let date = expiring.not_after.date();
    let (title, because) = match (expiring.authority, expiring.nearness) {
        (_, Nearness::Due) | (true, Nearness::Near) => return None,
        (false, Nearness::Over) => {
            (say!("core.expiring.over", date = date), say!("core.expiring.over-because"))
        }
        (false, Nearness::Near | Nearness::Close) => {
            (say!("core.expiring.near", date = date), say!("core.expiring.near-because"))
        }
        (true, Nearness::Over) => {
            (say!("core.expiring.ca-over", date = date), say!("core.expiring.ca-because"))
        }
        (true, Nearness::Close) => {
            (say!("core.expiring.ca-near", date = date), say!("core.expiring.ca-because"))
        }
    };
    let fix = match expiring.authority {
        false => Fix { text: say!("core.expiring.fix"), command: Some("gatehouse cert renew".to_owned()) },
        true => {
            Fix { text: say!("core.expiring.ca-fix"), command: Some("gatehouse close --purge".to_owned()) }
        }
    };
    Some(Problem { code: Code::Certificate, title, because, fix: Some(fix) })
}

/// Apps that meet another certificate than the one they know, or soon will.
pub(crate) fn pins(pins: &[Pin], due: &[Due], now: OffsetDateTime) -> Option<Problem> {
    let fix = Some(Fix { text: say!("core.pins.fix"), command: Some("gatehouse cert pins".to_owned()) });
    let broken: Vec<&Pin> = pins.iter().filter(|pin| pin.is_broken()).collect();
    if !broken.is_empty() {
        let title = say!("core.pins.broken", count = broken.len());
        let because = say!("core.pins.broken-because", names = names(&broken));
        return Some(Problem { code: Code::Certificate, title, because, fix });
    }
    let kept = |due: &Due| -> Vec<&Pin> { pins.iter().filter(|pin| pin.sha256 == due.sha256).collect() };
    let soon = due.iter().filter(|due| now >= due.at - HERALD.min(due.life / 4));
    let next = soon.filter(|due| !kept(due).is_empty()).min_by_key(|due| due.at)?;
    let kept = kept(next);
    let title = say!("core.pins.soon", date = next.at.date());
    let because = say!("core.pins.soon-because", count = kept.len(), names = names(&kept));
    Some(Problem { code: Code::Certificate, title, because, fix })
}

/// What replacing the certificate `sha256` now would mean for apps; `None` = nothing.
pub(crate) fn warning(pins: &[Pin], sha256: &str) -> Option<Text> {
    let kept: Vec<&Pin> = pins.iter().filter(|pin| pin.sha256 == sha256).collect();
    (!kept.is_empty())
        .then(|| say!("core.pins.warning", count = kept.len(), names = names(&kept), sha256 = sha256))
}

fn names(pins: &[&Pin]) -> String {
    let mut names: Vec<&str> = pins.iter().take(NAMED).map(|pin| pin.name.as_str()).collect();
    if pins.len() > NAMED {
        names.push("…");
    }
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    const BEGAN: OffsetDateTime = datetime!(2026-11-20 12:00 UTC);

    fn life(authority: bool) -> Life {
        Life { sha256: "AB".into(), authority, not_before: BEGAN, not_after: BEGAN + Duration::days(360) }
    }

    fn pin(sha256: &str, now: &str) -> Pin {
        Pin {
            device_id: "d".into(),
            name: "Ada's phone".into(),
            client: "openclaw-ios".into(),
            host: "mini.local".into(),
            sha256: sha256.into(),
            now: Some(now.into()),
            seen: BEGAN,
        }
    }

    #[test]
    fn a_third_a_quarter_and_a_tenth_of_its_life_are_told_and_not_a_day_earlier() {
        let at = |days: i64| expiring(&life(false), BEGAN + Duration::days(days)).map(|found| found.nearness);
        assert_eq!(at(239), None);
        assert_eq!(at(240), Some(Nearness::Due));
        assert_eq!(at(270), Some(Nearness::Due));
        assert_eq!(at(271), Some(Nearness::Near));
        assert_eq!(at(324), Some(Nearness::Near));
        assert_eq!(at(325), Some(Nearness::Close));
        assert_eq!(at(359), Some(Nearness::Close));
        assert_eq!(at(360), Some(Nearness::Over));
    }

    #[test]
    fn the_same_shares_hold_for_six_days() {
        let short = Life { not_after: BEGAN + Duration::hours(160), ..life(false) };
        let at = |hours: i64| expiring(&short, BEGAN + Duration::hours(hours)).map(|found| found.nearness);
        assert_eq!(at(79), None);
        assert_eq!(at(80), Some(Nearness::Due), "half of its life");
        assert_eq!(at(121), Some(Nearness::Near));
        assert_eq!(at(145), Some(Nearness::Close));
    }

    #[test]
    fn what_is_only_due_is_no_problem_and_an_authority_is_one_in_its_last_tenth() {
        let told = |authority, days: i64| {
            expiring(&life(authority), BEGAN + Duration::days(days))
                .and_then(|found| problem(&found))
                .is_some()
        };
        assert_eq!([240, 271, 325, 361].map(|days| told(false, days)), [false, true, true, true]);
        assert_eq!([240, 271, 325, 361].map(|days| told(true, days)), [false, false, true, true]);
    }

    #[test]
    fn apps_that_know_another_certificate_are_named_before_and_after_it_is_replaced() {
        let due = |sha256: &str, days: i64, life: i64| Due {
            sha256: sha256.into(),
            life: Duration::days(life),
            at: BEGAN + Duration::days(days),
        };
        let due = [due("AB", 240, 360), due("EF", 4, 8)];
        let kept = [pin("AB", "AB")];
        let at = |pins: &[Pin], days: i64| {
            self::pins(pins, &due, BEGAN + Duration::days(days)).map(|problem| problem.title.to_string())
        };
        assert_eq!(at(&kept, 225), None);
        assert!(at(&kept, 226).unwrap().contains("2027-07-18"));
        assert_eq!(at(&[pin("CD", "CD")], 226), None, "another certificate is not renewed by us");
        assert!(at(&[pin("AB", "EF")], 1).unwrap().contains("earlier certificate"));
        assert_eq!(at(&[], 230), None);
        // One that lives for days is told days before.
        assert_eq!(at(&[pin("EF", "EF")], 1), None);
        assert!(at(&[pin("EF", "EF"), pin("AB", "AB")], 2).unwrap().contains("2026-11-24"));
    }

    #[test]
    fn before_a_change_it_is_said_who_will_refuse_the_new_certificate() {
        assert!(warning(&[pin("AB", "AB")], "AB").unwrap().contains("Ada's phone"));
        assert_eq!(warning(&[pin("AB", "AB")], "CD"), None);
    }
}
