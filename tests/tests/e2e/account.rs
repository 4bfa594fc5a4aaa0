//! Killed (SIGKILL) while an authority makes an account.

use gatehouse_tests::need::{self, Part};
use gatehouse_tests::{Authority, House};

#[tokio::test]
async fn killed_while_an_account_is_made_it_has_that_account_and_no_second_one() {
    if !need::parts(&[Part::Machines, Part::Program, Part::Pebble]) {
        return;
    }
    let house = House::with_stopped_gateway();
    let authority = Authority::start(&house).await;
    let mut gatehouse = authority.gatehouse(&house).dying_at("acme:registered");
    gatehouse.serve(&[]).await;
    assert_ne!(authority.set_up(&gatehouse, &[]).await.code, 0);
    gatehouse.ends().await;
    assert_eq!(authority.accounts(), 1, "the authority made one");

    gatehouse.is_sound_again();
    gatehouse.serve(&[]).await;
    authority.set_up(&gatehouse, &[]).await.succeeds();

    let state = gatehouse.run(&["--json", "cert", "acme", "status"]).await.json();
    assert!(state["authorities"][0]["account"].is_string(), "{state}");
    assert_eq!(authority.accounts(), 1, "it is the same account");
}
