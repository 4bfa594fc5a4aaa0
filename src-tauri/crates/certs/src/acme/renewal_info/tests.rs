use proptest::prelude::*;
use time::macros::datetime;

use super::*;

const NOW: OffsetDateTime = datetime!(2026-11-20 12:00 UTC);

fn window(from_hours: i64, to_hours: i64) -> Window {
    Window { start: NOW + Duration::hours(from_hours), end: NOW + Duration::hours(to_hours) }
}

#[test]
fn the_moment_is_drawn_once_and_kept_while_the_window_holds_it() {
    let over = NOW + Duration::days(30);
    let first = pick(window(10, 20), None, over, 0.5).unwrap();
    assert_eq!(first, NOW + Duration::hours(15));
    assert_eq!(pick(window(10, 20), Some(first), over, 0.9), Some(first));
    assert_eq!(
        pick(window(-9, -1), Some(first), over, 1.0),
        Some(NOW - Duration::hours(1)),
        "moved into the past"
    );
}

#[test]
fn a_window_that_nobody_can_mean_moves_nothing() {
    let over = NOW + Duration::hours(15);
    assert_eq!(pick(window(20, 10), None, over, 0.5), None);
    assert_eq!(pick(window(15, 20), None, over, 0.5), None);
}

#[test]
fn the_next_question_comes_within_reason() {
    assert_eq!(next_question(None, NOW), NOW + USUAL);
    assert_eq!(next_question(Some(NOW), NOW), NOW + SOONEST);
    assert_eq!(next_question(Some(NOW + Duration::days(4000)), NOW), NOW + LATEST);
}

#[test]
fn an_identifier_can_be_taken_apart_and_put_together() {
    let id = "aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE";
    assert_eq!(parse_id(id).unwrap().to_string(), id);
    assert!(parse_id("nothing").is_none());
}

proptest! {
    #[test]
    fn what_is_picked_lies_in_the_window(
        start in -1000i64..1000, length in 0i64..1000, kept in proptest::option::of(-2000i64..2000), draw in 0.0f64..1.0,
    ) {
        let window = window(start, start + length);
        let kept = kept.map(|hours| NOW + Duration::hours(hours));
        let picked = pick(window, kept, NOW + Duration::days(400), draw).unwrap();
        prop_assert!(picked >= window.start && picked <= window.end);
    }
}
