//! Whole changes with real parts (edge, certificates, configuration file, settings) and a gateway that is stopped.

mod brought;
mod cancel;
mod edge_settings;
pub(crate) mod house;
mod map_port;

use gatehouse_api::{ChangeState, Code};
use time::Duration;

use self::house::{House, Knob, origin_of};
use super::Intent;
use crate::settings::{AcmeSettings, AuthoritySettings};

#[tokio::test(flavor = "multi_thread")]
async fn open_and_undo_leave_the_file_byte_for_byte_as_it_was() {
    let house = House::new();
    let before = house.config();
    let change = house.transactions().run(house.open(&[])).await.unwrap();
    assert_eq!(change.state, Some(ChangeState::Committed));
    assert!(house.config().contains(&house.url()), "{}", house.config());
    assert!(house.config().contains("// my gateway"));
    assert!(house.settings_open());

    house.transactions().undo(None, false).await.unwrap();
    assert_eq!(house.config(), before);
    assert!(!house.settings_open());
    assert!(house.listening().is_empty());
    assert!(house.transactions().last_change().is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_closed_on_purpose_is_not_kept_and_what_went_by_itself_is() {
    let house = House::new();
    house.transactions().run(house.open(&["one.local"])).await.unwrap();
    house.transactions().run(house.open(&["two.local"])).await.unwrap();
    house.transactions().resume().await.unwrap();
    let settings = || house.context().settings.current();
    assert!(settings().kept.is_empty(), "{:?}", settings().kept);
    house.transactions().undo(None, false).await.unwrap();
    house.transactions().resume().await.unwrap();
    assert!(settings().kept.is_empty(), "{:?}", settings().kept);

    let gone = format!("{}0", house.url());
    let last = |settings: &mut crate::settings::Settings| settings.last_addresses.push(gone.clone());
    house.context().settings.update(last).unwrap();
    house.transactions().resume().await.unwrap();
    assert!(settings().kept.contains_key(&gone), "{:?}", settings().kept);
    house.transactions().run(Intent::Close { purge: false }).await.unwrap();
    assert!(settings().kept.is_empty() && settings().last_addresses.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_of_the_configuration_is_kept_no_longer_than_a_change_can_be_taken_back() {
    let house = House::new();
    let copies = || house.journal_files().iter().filter(|file| has_extension(file, "backup")).count();
    house.transactions().run(house.open(&["one.local"])).await.unwrap();
    house.transactions().run(add("https://chosen.example")).await.unwrap();
    assert_eq!(copies(), 2);
    house.transactions().undo(None, false).await.unwrap();
    assert_eq!(copies(), 1);
    house.transactions().undo(None, false).await.unwrap();
    assert_eq!(copies(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn opening_the_same_again_is_no_change() {
    let house = House::new();
    house.transactions().run(house.open(&[])).await.unwrap();
    let config = house.config();
    let again = house.transactions().run(house.open(&[])).await.unwrap();
    assert_eq!((again.id, again.state), (None, None));
    assert_eq!(house.config(), config);
    assert_eq!(house.transactions().history(9).len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn opening_differently_changes_the_difference_and_undo_goes_back_to_the_first() {
    let house = House::new();
    house.transactions().run(house.open(&["one.local"])).await.unwrap();
    let first = house.config();
    house.transactions().run(house.open(&["two.local"])).await.unwrap();
    assert!(house.config().contains("two.local") && !house.config().contains("one.local"));
    house.transactions().undo(None, false).await.unwrap();
    assert_eq!(house.config(), first);
    assert!(house.settings_open());
    assert!(!house.listening().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn close_takes_back_what_every_change_added_and_nothing_else() {
    let house = House::new();
    house.transactions().run(house.open(&["one.local"])).await.unwrap();
    house.transactions().run(house.open(&["two.local"])).await.unwrap();
    house.transactions().run(add("https://chosen.example")).await.unwrap();
    house.edit("\"allowedOrigins\": [", "\"allowedOrigins\": [\"https://theirs.example\", ");
    let change = house.transactions().run(Intent::Close { purge: false }).await.unwrap();
    assert_eq!(change.state, Some(ChangeState::Committed));
    let origins = house.origins();
    assert_eq!(origins, ["https://theirs.example"]);
    assert!(!house.config().contains("trustedProxies"), "{}", house.config());
    assert!(house.transactions().owned_origins().is_empty());
    assert!(house.listening().is_empty());
    assert!(!house.settings_open());
}

#[tokio::test(flavor = "multi_thread")]
async fn undoing_a_close_opens_again() {
    let house = House::new();
    house.transactions().run(house.open(&[])).await.unwrap();
    let open = house.config();
    house.transactions().run(Intent::Close { purge: false }).await.unwrap();
    house.transactions().undo(None, false).await.unwrap();
    assert_eq!(house.config(), open);
    assert!(house.settings_open());
    assert!(!house.listening().is_empty());
    assert!(house.transactions().owned_origins().contains(&house.url()));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_origin_chosen_by_name_survives_opening_differently() {
    let house = House::new();
    house.transactions().run(house.open(&["one.local"])).await.unwrap();
    house.transactions().run(add("https://Chosen.example:443/")).await.unwrap();
    house.transactions().run(house.open(&["two.local"])).await.unwrap();
    assert!(house.origins().contains(&"https://chosen.example".to_owned()), "{:?}", house.origins());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_origin_of_the_user_is_removed_on_demand_and_put_back_by_undo_only() {
    let house = House::with(Knob { origins: Some("[\"https://theirs.example\"]"), ..Knob::default() });
    let before = house.config();
    house.transactions().run(remove("https://theirs.example")).await.unwrap();
    assert!(house.origins().is_empty());
    house.transactions().undo(None, false).await.unwrap();
    assert_eq!(house.config(), before);
    let unknown = house.transactions().run(remove("https://nobody.example")).await.unwrap_err();
    assert_eq!(unknown.code, Code::NotFound);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_without_a_secret_gets_a_token_that_undo_takes_away() {
    let house = House::with(Knob { auth: "{}", ..Knob::default() });
    let before = house.config();
    house.transactions().run(house.open(&[])).await.unwrap();
    assert_eq!(house.token().unwrap().len(), 43);
    let token = house.token().unwrap();
    for file in house.journal_files() {
        let kept_bytes = file.extension().is_some_and(|extension| extension == "backup");
        let text = String::from_utf8(std::fs::read(&file).unwrap()).unwrap();
        assert!(kept_bytes || !text.contains(&token), "the journal holds the token");
    }
    house.transactions().undo(None, false).await.unwrap();
    assert_eq!(house.config(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_that_somebody_changed_is_named_and_left_alone_unless_forced() {
    for force in [false, true] {
        let house = House::with(Knob { auth: "{}", ..Knob::default() });
        house.transactions().run(house.open(&[])).await.unwrap();
        house.edit(&house.token().unwrap(), "a-token-of-their-own-0123456789");
        let plan = house.transactions().plan_undo(None).await.unwrap();
        assert!(plan.warnings.iter().any(|line| line.contains("gateway.auth.token")), "{plan:?}");
        let change = house.transactions().undo(None, force).await.unwrap();
        let shown = format!("{change:?}");
        assert!(shown.contains("gateway.auth.token") && !shown.contains("of-their-own"), "{shown}");
        assert_eq!(house.token().is_some(), !force);
        assert!(house.origins().is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wide_bind_is_narrowed_and_close_does_not_widen_it_again() {
    let house = House::with(Knob { bind: "lan", ..Knob::default() });
    house.transactions().run(house.open(&[])).await.unwrap();
    assert!(house.config().contains("bind: \"loopback\""), "{}", house.config());
    house.transactions().run(Intent::Close { purge: false }).await.unwrap();
    assert!(house.config().contains("bind: \"loopback\""), "{}", house.config());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_of_another_program_is_named_and_nothing_is_changed() {
    let house = House::new();
    let before = house.config();
    let taken = std::net::TcpListener::bind("0.0.0.0:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let error = house.transactions().run(house.open_at(port)).await.unwrap_err();
    assert_eq!(error.code, Code::PortTaken);
    assert!(error.title.contains(&port.to_string()), "{error:?}");
    assert_eq!(house.config(), before);
    assert!(house.transactions().history(9).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_config_that_cannot_be_edited_rolls_back_the_open_listener() {
    let house = House::with(Knob { origins: Some("{ $include: \"./x.json5\" }"), ..Knob::default() });
    let before = house.config();
    let error = house.transactions().run(house.open(&[])).await.unwrap_err();
    assert!(error.evidence.iter().any(|line| *line == "cause: config-unsupported"), "{error:?}");
    assert_eq!(error.code, Code::RolledBack);
    assert!(house.listening().is_empty());
    assert_eq!(house.config(), before);
    assert!(!house.settings_open());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_tells_addresses_and_edits_and_changes_nothing() {
    let house = House::new();
    let before = house.config();
    let plan = house.transactions().plan(&house.open(&["one.local"])).await.unwrap();
    assert!(
        plan.addresses.contains(&house.url()) && plan.addresses.iter().any(|url| url.contains("one.local"))
    );
    assert!(plan.steps.iter().any(|step| step.details.iter().any(|line| line.contains("allowedOrigins"))));
    assert_eq!(house.config(), before);
    assert!(house.listening().is_empty() && house.journal_files().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_no_certificate_can_be_for_is_refused_by_the_plan_and_before_anything_is_done() {
    let house = House::new();
    let planned = house.transactions().plan(&house.open(&["www.example.com"])).await.unwrap_err();
    assert_eq!(planned.code, Code::Certificate);
    assert!(planned.title.contains("www.example.com"), "{planned}");
    let error = house.transactions().run(house.open(&["www.example.com"])).await.unwrap_err();
    assert_eq!(error.code, Code::Certificate);
    assert!(house.journal_files().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn closing_promises_no_address_while_the_gateway_is_stopped() {
    let house = House::new();
    let opened = house.transactions().run(house.open(&[])).await.unwrap();
    assert!(opened.warnings.iter().any(|line| line.contains("as soon as it is started")));
    let closed = house.transactions().run(Intent::Close { purge: false }).await.unwrap();
    assert_eq!(closed.warnings, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unconfirmed_change_keeps_others_out_until_it_is_confirmed() {
    let house = House::new();
    house.transactions().run(house.open_for(120)).await.unwrap();
    let (id, deadline) = house.transactions().awaiting().unwrap();
    assert_eq!(deadline, house.now() + Duration::seconds(120));
    let error = house.transactions().run(add("https://a.example")).await.unwrap_err();
    assert_eq!(error.code, Code::NeedsConfirmation);
    assert_eq!(house.transactions().confirm().await.unwrap().id, Some(id));
    house.pass(Duration::seconds(121));
    let house = house.restarted().await;
    assert!(house.transactions().recover().await.is_empty());
    house.transactions().run(add("https://a.example")).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_that_nobody_confirms_reverts_by_itself() {
    let house = House::new();
    let before = house.config();
    house.transactions().run(house.open_for(120)).await.unwrap();
    house.pass(Duration::seconds(121));
    house.transactions().expired().await.unwrap();
    assert_eq!(house.config(), before);
    assert!(house.listening().is_empty() && !house.settings_open());
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_cannot_be_reverted_yet_is_tried_again_and_not_begun_anew() {
    let house = House::new();
    let before = house.config();
    house.transactions().run(house.open_for(120)).await.unwrap();
    let opened = house.config();
    house.write("{ broken by hand");
    house.pass(Duration::seconds(121));
    house.transactions().expired().await.unwrap_err();
    let files = house.journal_files().len();
    for _ in 0..3 {
        house.transactions().expired().await.unwrap_err();
    }
    assert_eq!(house.journal_files().len(), files, "one undo, not one for each try");
    let lines: usize =
        house.journal_files().iter().map(|file| std::fs::read_to_string(file).unwrap().lines().count()).sum();
    house.transactions().expired().await.unwrap_err();
    let again: usize =
        house.journal_files().iter().map(|file| std::fs::read_to_string(file).unwrap().lines().count()).sum();
    assert_eq!(lines, again, "the same reason is not written again");
    assert_eq!(house.transactions().confirm().await.unwrap_err().code, Code::Failed, "half of it is gone");
    house.write(&opened);
    house.transactions().expired().await.unwrap();
    assert_eq!(house.config(), before);
    assert!(house.transactions().awaiting().is_none() && !house.settings_open());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_locked_keychain_closes_nothing_that_has_its_certificate() {
    let house = House::new();
    house.transactions().run(house.open(&[])).await.unwrap();
    house.pass(Duration::days(300));
    let house = house.restarted().await;
    house.lock_the_vault(true);
    house.transactions().resume().await.unwrap_err();
    assert!(!house.listening().is_empty());
    house.lock_the_vault(false);
    house.transactions().resume().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_set_back_does_not_keep_a_change_that_nobody_confirms() {
    let house = House::new();
    let before = house.config();
    house.transactions().run(house.open_for(1)).await.unwrap();
    house.pass(Duration::days(-400));
    tokio::time::timeout(std::time::Duration::from_secs(20), house.transactions().expired())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(house.config(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_that_expired_while_nothing_ran_is_reverted_at_the_next_start() {
    let house = House::new();
    let before = house.config();
    house.transactions().run(house.open_for(120)).await.unwrap();
    house.pass(Duration::hours(9));
    let house = house.restarted().await;
    assert_eq!(house.transactions().recover().await.len(), 1);
    house.transactions().resume().await.unwrap();
    assert_eq!(house.config(), before);
    assert!(!house.settings_open());
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_restart_what_was_open_is_served_again_on_the_same_port() {
    let house = House::new();
    house.transactions().run(house.open(&[])).await.unwrap();
    let listening = house.listening();
    let house = house.restarted().await;
    assert!(house.listening().is_empty());
    house.transactions().recover().await;
    house.transactions().resume().await.unwrap();
    assert_eq!(house.listening(), listening);
    assert_eq!(house.transactions().history(9)[0].state, ChangeState::Committed);
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_are_undone_newest_first_and_only_once() {
    let house = House::new();
    let first = house.transactions().run(house.open(&[])).await.unwrap().id.unwrap();
    let second = house.transactions().run(add("https://a.example")).await.unwrap().id.unwrap();
    let error = house.transactions().undo(Some(&first), false).await.unwrap_err();
    assert_eq!(error.code, Code::Drift);
    assert!(error.fix.unwrap().command.unwrap().contains(&second));
    house.transactions().undo(Some(&second), false).await.unwrap();
    let error = house.transactions().undo(Some(&second), false).await.unwrap_err();
    assert_eq!(error.code, Code::NotFound);
    house.transactions().undo(Some(&first), false).await.unwrap();
    assert_eq!(house.transactions().undo(None, false).await.unwrap_err().code, Code::NotFound);
}

#[tokio::test(flavor = "multi_thread")]
async fn closing_works_when_the_configuration_cannot_be_edited_and_says_what_is_left() {
    let house = House::new();
    house.transactions().run(house.open(&[])).await.unwrap();
    house.write("{ broken");
    let change = house.transactions().run(Intent::Close { purge: false }).await.unwrap();
    assert!(change.warnings.iter().any(|line| line.contains("still there")), "{change:?}");
    assert!(house.listening().is_empty() && !house.settings_open());
    assert!(house.transactions().owned_origins().contains(&house.url()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_purge_forgets_the_certificates_and_cannot_be_undone() {
    let house = House::new();
    house.transactions().run(house.open(&[])).await.unwrap();
    house.transactions().run(Intent::Close { purge: true }).await.unwrap();
    assert!(!house.has_authority());
    assert!(house.transactions().last_change().is_none());
    assert_eq!(house.transactions().undo(None, false).await.unwrap_err().code, Code::NotFound);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_purge_tells_all_that_goes_and_forgets_how_public_certificates_are_got() {
    let house = House::new();
    let authority = AuthoritySettings {
        external_key_id: Some("kid".into()),
        ..AuthoritySettings::new("https://127.0.0.1:9/dir".into())
    };
    let acme = AcmeSettings { authorities: vec![authority], ..AcmeSettings::default() };
    let secret = crate::public::external_secret(&acme.authorities[0].directory);
    house.context().public.vault().put(&secret, &"of the account".to_owned().into()).unwrap();
    let setup = Intent::PublicCertificates { acme: Some(Box::new(acme)), title: "set up".into() };
    house.transactions().run(setup).await.unwrap();
    house.transactions().run(house.open(&[])).await.unwrap();

    let plan = house.transactions().plan(&Intent::Close { purge: true }).await.unwrap();
    let told: Vec<&str> =
        plan.steps.iter().flat_map(|step| &step.details).filter_map(|detail| detail.key()).collect();
    for key in ["authority", "local", "setup", "secrets"] {
        assert!(told.contains(&format!("core.purge.{key}").as_str()), "{told:?}");
    }
    assert!(house.context().settings.current().acme.is_some(), "a plan changes nothing");

    house.transactions().run(Intent::Close { purge: true }).await.unwrap();
    assert!(house.context().settings.current().acme.is_none());
    assert!(house.context().public.vault().get(&secret).unwrap().is_none());
    assert!(house.context().public.traces().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_authority_is_forgotten_by_a_purge_and_a_new_one_is_made() {
    let house = House::new();
    house.damage_the_authority();
    let house = house.restarted().await;
    let error = house.transactions().run(house.open(&[])).await.unwrap_err();
    assert!(error.because.contains("damaged"), "{error}");
    house.transactions().run(Intent::Close { purge: true }).await.unwrap();
    house.transactions().run(house.open(&[])).await.unwrap();
}

fn has_extension(file: &std::path::Path, extension: &str) -> bool {
    file.extension().is_some_and(|found| found == extension)
}

fn add(origin: &str) -> Intent {
    Intent::AddOrigin { origin: origin.to_owned() }
}

fn remove(origin: &str) -> Intent {
    Intent::RemoveOrigin { origin: origin.to_owned() }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_change_at_a_time() {
    let house = House::new();
    let transactions = house.transactions();
    let both = tokio::join!(transactions.run(house.open(&[])), transactions.run(add("https://a.example")));
    assert!(both.0.is_ok(), "{both:?}");
    assert_eq!(both.1.unwrap_err().code, Code::Busy);
    assert_eq!(origin_of(&house.url()), house.url());
}
