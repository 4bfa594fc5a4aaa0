use super::*;

#[test]
fn a_pause_has_a_length_between_a_second_and_a_year() {
    let now = OffsetDateTime::from_unix_timestamp(1_795_000_000).unwrap();

    assert_eq!(end_of(900, now).unwrap(), now + Duration::minutes(15));
    for seconds in [0, 366 * 86_400 + 1, u64::MAX] {
        assert_eq!(end_of(seconds, now).unwrap_err().code, Code::Usage, "{seconds}");
    }
}
