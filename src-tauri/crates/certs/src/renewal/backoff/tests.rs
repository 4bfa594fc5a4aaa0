use proptest::prelude::*;
use time::macros::datetime;

use super::*;

const NOW: OffsetDateTime = datetime!(2026-12-01 00:00 UTC);

fn failure(cause: Cause) -> Failure {
    Failure { cause, detail: String::new(), retry_after: None }
}

#[test]
fn what_the_authority_counts_is_tried_after_1_10_100_minutes_and_then_every_six_hours() {
    let waits: Vec<i64> = (1..=6)
        .map(|in_row| (again(&failure(Cause::Connection), in_row, NOW, 0.5) - NOW).whole_minutes())
        .collect();
    assert_eq!(waits, [1, 10, 100, 360, 360, 360]);
}

#[test]
fn an_unreachable_authority_is_asked_every_ten_minutes() {
    assert_eq!(again(&failure(Cause::Unreachable), 99, NOW, 0.5), NOW + Duration::minutes(10));
}

#[test]
fn the_authoritys_own_wish_comes_first() {
    let wish = NOW + Duration::days(2);
    let limited = Failure { retry_after: Some(wish), ..failure(Cause::RateLimited) };
    assert_eq!(again(&limited, 1, NOW, 0.0), wish);
}

proptest! {
    #[test]
    fn the_wait_is_never_none_and_never_too_long(in_row in 0u32.., draw in any::<f64>()) {
        for cause in [Cause::Unreachable, Cause::Connection, Cause::Server, Cause::Terms, Cause::RateLimited] {
            let wait = again(&failure(cause), in_row, NOW, draw) - NOW;
            prop_assert!(wait >= Duration::seconds(54) && wait <= LONGEST * 1.1, "{wait}");
        }
    }
}
