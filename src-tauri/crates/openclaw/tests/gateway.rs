//! Against the real gateway.
//!
//! `GATEHOUSE_TEST_OPENCLAW` names a folder with `node_modules/.bin/{node,openclaw}`. Without it everything is skipped,
//! which is a failure where `CI=true`. One gateway serves all tests, in order; each leaves its configuration as it was.
//! This file has a `main` of its own, so that the gateway is stopped whatever happens.
#![allow(clippy::print_stdout, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "gateway/bench.rs"]
mod bench;
#[path = "gateway/configuration.rs"]
mod configuration;
#[path = "gateway/connection.rs"]
mod connection;
#[path = "gateway/pairing.rs"]
mod pairing;

use std::process::ExitCode;

use bench::Bench;

/// How many tests passed, which failed, and how many a filter left out.
#[derive(Default)]
struct Tally {
    passed: usize,
    failed: Vec<&'static str>,
    filtered: usize,
}

/// Runs each test with the bench; the names are sentences.
macro_rules! tests {
    ($filter:expr, $bench:expr, $($module:ident :: $name:ident),* $(,)?) => {{
        let mut tally = Tally::default();
        $(
            let name = concat!(stringify!($module), "::", stringify!($name));
            if $filter.as_deref().is_none_or(|wanted| name.contains(wanted)) {
                let bench: Bench = $bench.clone();
                if tokio::spawn(async move { $module::$name(&bench).await }).await.is_ok() {
                    println!("test {name} ... ok");
                    tally.passed += 1;
                } else {
                    println!("test {name} ... FAILED");
                    tally.failed.push(name);
                }
            } else {
                tally.filtered += 1;
            }
        )*
        tally
    }};
}

fn main() -> ExitCode {
    let filter = std::env::args().skip(1).find(|argument| !argument.starts_with('-'));
    if std::env::args().any(|argument| argument == "--list") {
        return ExitCode::SUCCESS;
    }
    let Some(prefix) = std::env::var_os("GATEHOUSE_TEST_OPENCLAW") else {
        println!(
            "skipped: tests against the real gateway: GATEHOUSE_TEST_OPENCLAW names no folder with node_modules/.bin/{{node,openclaw}}"
        );
        let in_ci = std::env::var("CI").is_ok_and(|value| value == "true");
        let (word, failed) = if in_ci { ("FAILED", 1) } else { ("ok", 0) };
        println!(
            "\ntest result: {word}. 0 passed; {failed} failed; {} ignored; 0 measured; 0 filtered out",
            1 - failed
        );
        return if in_ci { ExitCode::FAILURE } else { ExitCode::SUCCESS };
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let tally = runtime.block_on(async move {
        let (bench, supervisor) = Bench::start(prefix.into()).await;
        let tally = tests!(
            filter,
            bench,
            connection::the_gateway_is_found_ready_and_says_who_it_is,
            connection::a_wrong_token_is_refused_with_its_code,
            connection::a_device_key_of_ours_is_accepted_and_paired_silently,
            connection::the_command_line_gives_a_link_and_a_status,
            configuration::one_patch_is_written_hot_and_its_inverse_gives_the_value_back,
            configuration::an_entry_with_a_variable_survives_patch_and_undo,
            configuration::a_foreign_change_elsewhere_is_no_conflict_and_at_our_place_it_is,
            configuration::what_somebody_added_meanwhile_survives_the_undo,
            configuration::a_change_that_only_removes_an_empty_object_is_settled_by_reading,
            configuration::an_invalid_value_and_an_included_part_are_refused,
            configuration::an_edit_of_the_file_is_noticed_and_taken_back_byte_for_byte,
            pairing::a_remote_device_waits_and_is_approved_by_its_key,
            pairing::a_device_that_asks_for_more_than_was_shown_is_shown_again,
            pairing::narrowing_a_token_does_not_last_so_it_is_not_offered,
            pairing::a_denied_device_is_gone_from_the_list,
            pairing::a_removed_local_device_comes_back_by_itself_and_that_is_said,
            pairing::rotating_the_shared_token_keeps_paired_devices,
            connection::the_client_follows_a_restart,
            configuration::more_changes_than_the_gateway_takes_are_told_apart,
            connection::a_gateway_that_is_killed_is_started_again_and_an_orphan_is_taken_over,
        );
        bench.stop(supervisor).await;
        tally
    });
    let Tally { passed, failed, filtered } = tally;
    let (word, count) = (if failed.is_empty() { "ok" } else { "FAILED" }, failed.len());
    failed.iter().for_each(|name| println!("failed: {name}"));
    println!(
        "\ntest result: {word}. {passed} passed; {count} failed; 0 ignored; 0 measured; {filtered} filtered out"
    );
    if count == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
