//! Strangers' text on its way to a terminal.

use gatehouse_api::{DeviceList, Event, Reply, Request};

use crate::{
    core::FakeCore,
    fixtures,
    run::{Ran, end, program, run_line},
};

/// A name that would clear the screen, change the title, make a line of its own, reverse what follows and hide.
const NAME: &str = "i\u{1b}[2J\u{1b}]0;x\u{7}\r\nOn all is well\u{9b}1A\u{202e}\u{200b}\u{7f}Pad";

#[tokio::test(flavor = "multi_thread")]
async fn no_name_of_a_device_steers_a_terminal() {
    let core = FakeCore::start(fixtures::on(), |request| {
        Some(match request {
            Request::DevicesList => Ok(Reply::Devices(hostile())),
            other => fixtures::answer(other),
        })
    });
    for line in [
        "devices list",
        "devices list --json",
        "devices list --jsonl",
        "devices deny 3f9a",
        "devices approve 3f9a",
    ] {
        let ran = run_line(&core.path, line).await;
        harmless(line, &ran);
        assert!(
            !ran.stdout.lines().chain(ran.stderr.lines()).any(|line| line.starts_with("On all is well")),
            "{line}"
        );
    }
    let ran = run_line(&core.path, "devices list --json").await;
    assert_eq!(ran.json()["pending"][0]["name"], NAME, "an object means the same");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_path_of_a_request_steers_a_terminal() {
    let core = FakeCore::usual();
    for words in [&["tail"][..], &["tail", "--jsonl"]] {
        let child = program(&core.path, words).spawn().unwrap();
        core.is_followed().await;
        let record = fixtures::traffic(&format!("/{NAME}"), 404);
        core.events.send(Event::Traffic(Box::new(record))).unwrap();
        core.events.send(Event::Stopping).unwrap();
        let ran = end(child).await;

        harmless("tail", &ran);
        assert!(ran.stdout.contains("404"), "{ran:?}");
        while core.events.receiver_count() > 0 {
            tokio::task::yield_now().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_without_end_is_clipped() {
    let core = FakeCore::start(fixtures::on(), |_| {
        let mut devices = fixtures::devices();
        devices.pending[0].name = "x".repeat(100_000);
        Some(Ok(Reply::Devices(devices)))
    });
    let ran = run_line(&core.path, "devices list").await;

    assert!(ran.stdout.lines().all(|line| line.chars().count() <= 80), "{ran:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_utf8_everything_is_ascii() {
    let core = FakeCore::usual();
    for words in [&["devices", "list"][..], &["devices", "list", "--json"], &["link", "--qr"], &["status"]] {
        for (name, value) in [("LC_ALL", "C"), ("LC_ALL", "de_DE.ISO-8859-1")] {
            let child = program(&core.path, words).env(name, value).spawn().unwrap();
            let ran = end(child).await;
            assert!(ran.stdout.is_ascii() && ran.status == 0, "{words:?}: {ran:?}");
        }
    }
    let ran =
        end(program(&core.path, &["devices", "list", "--json"]).env("LC_ALL", "C").spawn().unwrap()).await;
    assert_eq!(ran.json()["paired"][0]["name"], "Küchen-Laptop");
}

fn hostile() -> DeviceList {
    let mut devices = fixtures::devices();
    let phone = &mut devices.pending[0];
    phone.name = NAME.to_owned();
    phone.platform = Some(NAME.to_owned());
    phone.role = NAME.to_owned();
    phone.scopes.push(NAME.to_owned());
    phone.remote_ip = Some(NAME.to_owned());
    let edge = phone.via_edge.as_mut().unwrap();
    edge.host = NAME.to_owned();
    edge.agent = Some(NAME.to_owned());
    devices.paired[0].name = NAME.to_owned();
    devices
}

fn harmless(line: &str, ran: &Ran) {
    let power = |character: char| {
        (character.is_control() && character != '\n') || matches!(character, '\u{202e}' | '\u{200b}')
    };
    for text in [&ran.stdout, &ran.stderr] {
        assert!(!text.contains(power), "{line}: {text:?}");
    }
}
