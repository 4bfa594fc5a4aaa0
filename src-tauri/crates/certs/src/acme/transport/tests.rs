use time::macros::datetime;

use super::*;

const NOW: OffsetDateTime = datetime!(2026-11-20 12:00 UTC);

#[test]
fn retry_after_is_read_as_seconds_or_as_a_date_and_never_reaches_beyond_reason() {
    assert_eq!(moment("90", NOW), Some(NOW + Duration::seconds(90)));
    assert_eq!(moment("Fri, 20 Nov 2026 12:05:00 GMT", NOW), Some(NOW + Duration::minutes(5)));
    assert_eq!(moment("Fri, 20 Nov 2020 12:05:00 GMT", NOW), Some(NOW));
    assert_eq!(moment("99999999999999999999999", NOW), Some(NOW + LONGEST_WAIT));
    assert_eq!(moment("Fri, 20 Nov 2099 12:05:00 GMT", NOW), Some(NOW + LONGEST_WAIT));
    for nonsense in ["", "-5", "soon", "12 s"] {
        assert_eq!(moment(nonsense, NOW), None, "{nonsense}");
    }
}

#[test]
fn an_error_page_becomes_a_problem_with_its_status() {
    let page = Response::builder().status(503).body(Bytes::from_static(b"<html>busy</html>")).unwrap();
    let problem: instant_acme::Problem = serde_json::from_slice(readable(page).body()).unwrap();
    assert_eq!((problem.status, problem.r#type.as_deref()), (Some(503), Some(HTTP_PROBLEM)));

    let kept = Response::builder().status(400).body(Bytes::from_static(b"{\"type\":\"x\"}")).unwrap();
    assert_eq!(readable(kept).body().as_ref(), b"{\"type\":\"x\"}");
}
