use super::*;

fn at(seconds: i64) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(1_795_000_000 + seconds).unwrap()
}

#[test]
fn a_restart_is_no_outage() {
    let mut outage = Outage::default();

    assert!(!outage.observe(false, at(0)));
    assert!(!outage.observe(false, at(6)));
    assert!(!outage.settled(at(6)));

    assert!(outage.observe(true, at(7)));
    assert!(!outage.settled(at(60)));
    assert!(!outage.observe(true, at(8)));
}

#[test]
fn twenty_seconds_away_are_an_outage() {
    let mut outage = Outage::default();
    outage.observe(false, at(0));
    outage.observe(false, at(19));

    assert!(!outage.settled(at(19)));
    assert!(outage.settled(at(20)));
}
