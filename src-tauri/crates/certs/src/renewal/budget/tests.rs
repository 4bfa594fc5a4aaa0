use proptest::prelude::*;
use time::macros::datetime;

use super::*;

const NOW: OffsetDateTime = datetime!(2026-12-01 00:00 UTC);
const CA: &str = "https://ca.example/dir";

fn names(text: &str) -> Vec<Identifier> {
    text.split(' ').map(|name| name.parse().unwrap()).collect()
}

#[test]
fn four_failures_in_an_hour_close_the_name_until_the_first_is_an_hour_old() {
    let mut budget = Budget::default();
    let mine = names("a.example");
    for minute in 0..4 {
        let at = NOW + Duration::minutes(minute);
        assert_eq!(budget.allows(CA, &mine, false, at), Ok(()));
        budget.begin(CA, &mine, false, at);
        budget.end(CA, &mine, Outcome::Failed);
    }
    let after = NOW + Duration::minutes(10);
    assert_eq!(budget.allows(CA, &mine, true, after), Err(NOW + HOUR));
    assert_eq!(
        budget.allows(CA, &names("a.example b.example"), false, after),
        Err(NOW + HOUR),
        "the name, not the set"
    );
    assert_eq!(budget.allows(CA, &names("b.example"), false, after), Ok(()));
    assert_eq!(budget.allows("https://other.example/dir", &mine, false, after), Ok(()));
    assert_eq!(budget.allows(CA, &mine, false, NOW + HOUR), Ok(()));
}

#[test]
fn an_attempt_that_a_crash_cut_short_stays_counted_across_a_restart() {
    let mut budget = Budget::default();
    let mine = names("a.example");
    for _ in 0..4 {
        budget.begin(CA, &mine, false, NOW);
        budget = serde_json::from_str(&serde_json::to_string(&budget).unwrap()).unwrap();
    }
    assert!(budget.allows(CA, &mine, false, NOW).is_err());
}

#[test]
fn four_certificates_for_the_same_names_are_enough_for_a_week_unless_they_replace() {
    let mut budget = Budget::default();
    let mine = names("a.example");
    for day in 0..4 {
        budget.begin(CA, &mine, false, NOW + Duration::days(day));
        budget.end(CA, &mine, Outcome::Issued);
    }
    let now = NOW + Duration::days(4);
    assert_eq!(budget.allows(CA, &mine, false, now), Err(NOW + WEEK));
    assert_eq!(budget.allows(CA, &mine, true, now), Ok(()));
    assert_eq!(budget.allows(CA, &names("a.example b.example"), false, now), Ok(()));
}

#[test]
fn a_clock_that_was_set_back_closes_nothing_for_long() {
    let mut budget = Budget::default();
    let mine = names("a.example");
    for _ in 0..4 {
        budget.begin(CA, &mine, false, NOW + Duration::days(2000));
    }
    budget.believe(NOW);
    assert_eq!(budget.allows(CA, &mine, false, NOW), Err(NOW + HOUR));
}

proptest! {
    #[test]
    fn no_sequence_of_failures_goes_past_the_authoritys_own_count(steps in proptest::collection::vec((0i64..40, 0u8..4), 1..200)) {
        let (mut budget, mut now, mine) = (Budget::default(), NOW, names("a.example"));
        let mut failed: Vec<OffsetDateTime> = Vec::new();
        for (minutes, ending) in steps {
            now += Duration::minutes(minutes);
            if budget.allows(CA, &mine, false, now).is_err() { continue }
            budget.begin(CA, &mine, false, now);
            match ending {
                0 => budget.end(CA, &mine, Outcome::Free),
                1 => {}
                _ => budget.end(CA, &mine, Outcome::Failed),
            }
            if ending > 0 { failed.push(now) }
            // Let's Encrypt: five, one more every twelve minutes.
            let (mut tokens, mut last) = (5.0_f64, NOW);
            for at in &failed {
                tokens = (tokens + (*at - last).as_seconds_f64() / 720.0).min(5.0) - 1.0;
                last = *at;
                prop_assert!(tokens >= 0.0);
            }
        }
    }
}
