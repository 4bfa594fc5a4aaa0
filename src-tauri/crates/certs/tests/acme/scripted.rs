//! What no authority on Debian can do: profiles, renewal information, limits, and answers that are none.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use gatehouse_certs::acme::{Cause, Failure, Identifier};
use gatehouse_certs::renewal::Preflight;
use gatehouse_certs::renewal::plan::Next;
use serde_json::json;
use time::{Duration, OffsetDateTime};

use crate::kit::script::{Line, Script};
use crate::kit::{House, Ports, failure};

async fn house() -> (Script, House) {
    let script = Script::start().await;
    let house = House::open(Ports::free(), vec![script.root.clone()]).await.authority(&script.directory);
    (script, house.wants(&["home.example.org"]))
}

fn next_attempt(status: &gatehouse_certs::renewal::Status) -> OffsetDateTime {
    status.next_attempt().expect("nothing comes next")
}

#[tokio::test]
async fn the_profile_is_chosen_from_the_directory() {
    let (script, house) = house().await;
    house.one().await.facts.unwrap();
    let house = house.wants(&["home.example.org 198.51.100.7"]);
    house.one().await.facts.unwrap();
    script.profiles(json!({ "classic": "" }));
    let house = house.wants(&["other.example.org"]);
    house.one().await.facts.unwrap();

    let profiles: Vec<_> = script.heard("/new-order").iter().map(|order| order["profile"].clone()).collect();

    assert_eq!(profiles, [json!("tlsserver"), json!("shortlived"), json!(null)]);
}

#[tokio::test]
async fn a_profile_that_is_gone_is_left_out() {
    let (script, house) = house().await;
    script.say(Line::problem("/new-order", 400, "invalidProfile"));

    assert!(house.one().await.facts.is_some());
    assert_eq!(script.heard("/new-order")[1]["profile"], json!(null));
}

#[tokio::test]
async fn the_moment_that_the_authority_suggests_is_drawn_once_and_kept_across_a_restart() {
    let (script, house) = house().await;
    let now = OffsetDateTime::now_utc();
    script.window(now + Duration::days(10), now + Duration::days(20), "21600");
    house.one().await;

    let first = house.one().await;
    let pick = next_attempt(&first);
    assert!(pick > now + Duration::days(9) && pick < now + Duration::days(21), "{pick}");
    assert_eq!(script.count("/renewal/"), 1);
    house.one().await;
    assert_eq!(script.count("/renewal/"), 1, "not asked again before its time");
    let house = house.restart().await;
    assert_eq!(next_attempt(&house.one().await).unix_timestamp(), pick.unix_timestamp());
}

#[tokio::test]
async fn a_window_moved_into_the_past_renews_at_once_and_names_what_is_replaced() {
    let (script, house) = house().await;
    let now = OffsetDateTime::now_utc();
    script.window(now - Duration::days(2), now - Duration::days(1), "60");
    let first = house.one().await.facts.unwrap();
    assert_eq!(script.heard("/new-order")[0]["replaces"], json!(null));

    // The window is about the first certificate; the second has one of its own.
    let second = house.tick_at(now).await.remove(0);

    assert_ne!(second.facts.unwrap().sha256, first.sha256);
    let replaced = script.heard("/new-order")[1]["replaces"].as_str().unwrap().to_owned();
    assert_eq!(replaced.split('.').count(), 2, "{replaced}");
}

#[tokio::test]
async fn what_was_already_replaced_is_asked_for_once_more_without_saying_so() {
    let (script, house) = house().await;
    let now = OffsetDateTime::now_utc();
    script.window(now - Duration::days(2), now - Duration::days(1), "60");
    let first = house.one().await.facts.unwrap();
    script.say(Line::problem("/new-order", 409, "alreadyReplaced"));

    let second = house.one().await;

    assert_ne!(second.facts.unwrap().sha256, first.sha256);
    let orders = script.heard("/new-order");
    assert_eq!((orders.len(), &orders[2]["replaces"]), (3, &json!(null)));
    assert!(second.record.setbacks.is_empty());
}

#[tokio::test]
async fn suggestions_that_cannot_be_read_leave_the_backstop_in_force() {
    let (script, house) = house().await;
    let now = OffsetDateTime::now_utc();
    let hostile = [
        (200, "21600", "{\"suggestedWindow\":{\"start\":\"soon\"}}"),
        (200, "-1", "<html>"),
        (404, "99999999999999", "{}"),
        (500, "", ""),
        (
            200,
            "1",
            "{\"suggestedWindow\":{\"start\":\"2031-01-01T00:00:00Z\",\"end\":\"2030-01-01T00:00:00Z\"}}",
        ),
    ];
    house.one().await;
    for (hours, (status, wait, body)) in (0..).step_by(25).zip(hostile) {
        script.suggest(status, wait, body);
        let status = house.tick_at(now + Duration::hours(hours)).await.remove(0);
        let backstop = status.facts.as_ref().unwrap().not_after - Duration::days(15);
        assert_eq!(next_attempt(&status), backstop, "{body}");
    }
    assert_eq!(script.count("/renewal/"), hostile.len(), "asked once a day at least, whatever it wishes");
    assert_eq!(script.count("/new-order"), 1);
}

#[tokio::test]
async fn a_rate_limit_is_obeyed_across_a_restart_and_the_old_certificate_is_served() {
    let (script, house) = house().await;
    script.life(Duration::days(8));
    let first = house.one().await.facts.unwrap();
    let later = OffsetDateTime::now_utc() + Duration::days(5);
    script.say(Line { retry_after: Some("7200".into()), ..Line::problem("/new-order", 429, "rateLimited") });

    let status = house.tick_at(later).await.remove(0);

    assert_eq!(failure(&status).cause, Cause::RateLimited);
    assert!(matches!(status.next, Next::Wait { .. }));
    assert_eq!(status.facts.unwrap().sha256, first.sha256);
    let house = house.restart().await;
    house.tick_at(later + Duration::minutes(30)).await;
    assert_eq!(script.count("/new-order"), 2, "nobody asked before its time");
    let status = house.tick_at(later + Duration::minutes(125)).await.remove(0);
    assert_ne!(status.facts.unwrap().sha256, first.sha256);
}

#[tokio::test]
async fn an_error_page_of_a_load_balancer_is_the_authoritys_own_trouble() {
    let (script, house) = house().await;
    let page = "<html>503 busy</html>".to_owned();
    script.say(Line { path: "/new-order", status: 503, retry_after: Some("600".into()), body: page });

    let status = house.one().await;

    let failure = failure(&status);
    assert_eq!(failure.cause, Cause::Server);
    assert!(failure.detail.contains("503"), "{failure}");
    assert!(next_attempt(&status) > OffsetDateTime::now_utc() + Duration::minutes(9));
}

#[tokio::test]
async fn every_other_problem_is_remembered_and_ends_with_a_certificate_when_it_ends() {
    for (kind, cause) in
        [("userActionRequired", Cause::UserAction), ("caa", Cause::Caa), ("serverInternal", Cause::Server)]
    {
        let (script, house) = house().await;
        script.say(Line::problem("/new-order", 403, kind));
        assert_eq!(failure(&house.one().await).cause, cause);
        house.renewal.ask_now(None, false);
        assert!(house.one().await.facts.is_some(), "{kind}");
    }
}

#[tokio::test]
async fn an_account_that_the_authority_forgot_is_made_anew_within_the_same_attempt() {
    let (script, house) = house().await;
    house.one().await;
    script.say(Line::problem("/new-order", 400, "accountDoesNotExist"));
    house.renewal.ask_now(None, true);

    let status = house.one().await;

    assert!(status.record.setbacks.is_empty());
    assert_eq!(script.count("/account"), 2);
}

#[tokio::test]
async fn a_certificate_for_other_names_is_never_served() {
    let (script, house) = house().await;
    let foreign = rcgen::generate_simple_self_signed(vec!["home.example.org".to_owned()]).unwrap().cert.pem();
    script.say(Line { path: "/cert", status: 200, retry_after: None, body: foreign });

    let status = house.one().await;

    assert!(status.facts.is_none(), "it is for another key");
    assert_eq!(failure(&status).cause, Cause::Server);
}

/// Somebody who looked, and saw that it must fail.
#[derive(Default)]
struct Forbids(AtomicBool);

#[async_trait]
impl Preflight for Forbids {
    async fn check(&self, _: &str, _: &[Identifier]) -> Result<(), Failure> {
        match self.0.load(Ordering::SeqCst) {
            true => Err(Failure::new(Cause::Caa, "the owner allows another authority only")),
            false => Ok(()),
        }
    }
}

#[tokio::test]
async fn what_is_certain_to_fail_is_not_asked_for_until_the_end_is_near() {
    let script = Script::start().await;
    let look: Arc<Forbids> = Arc::default();
    let house = House::open(Ports::free(), vec![script.root.clone()]).await.authority(&script.directory);
    let house = house.looking(look.clone()).wants(&["home.example.org"]);
    let facts = house.one().await.facts.unwrap();
    let orders = || script.count("/new-order");
    look.0.store(true, Ordering::SeqCst);

    // Due, and far from its end: nothing is spent, the reason is there, and so is the wait.
    let due = facts.not_after - Duration::days(14);
    let status = house.tick_at(due).await.remove(0);
    assert_eq!((orders(), failure(&status).cause), (1, Cause::Caa));
    assert!(next_attempt(&status) > due, "{:?}", status.next);
    assert_eq!(status.record.log.len(), 2);

    // Near its end the authority decides: what is seen from here may be wrong.
    let near = facts.not_after - Duration::days(9);
    let status = house.tick_at(near).await.remove(0);
    assert_eq!(orders(), 2);
    assert_ne!(status.facts.unwrap().sha256, facts.sha256);
}
