//! Golden files of pages at 80 columns.

use gatehouse_api::{ChangeState, Reply, Request, Snapshot, StepState};
use time::{Duration, OffsetDateTime};
use unicode_width::UnicodeWidthStr as _;

use crate::{
    core::{FakeCore, private_folder},
    fixtures,
    golden::compare,
    run::{Ran, end, program, run_line},
};

#[tokio::test(flavor = "multi_thread")]
async fn status_has_a_page_for_every_state() {
    let now = OffsetDateTime::now_utc();
    let states: [(&str, Snapshot, i32); 6] = [
        ("off", fixtures::off_at(now), 0),
        ("on", fixtures::on_at(now), 0),
        ("degraded", fixtures::degraded_at(now), 3),
        ("blocked", fixtures::blocked_at(now), 6),
        ("paused", fixtures::paused_at(now), 0),
        ("preparing", fixtures::preparing_at(now), 0),
    ];
    for (name, snapshot, status) in states {
        let core =
            FakeCore::start(snapshot.clone(), move |_| Some(Ok(Reply::Status(Box::new(snapshot.clone())))));
        let ran = run_line(&core.path, "status").await;

        assert_eq!((ran.status, ran.stderr.as_str()), (status, ""), "{name}: {ran:?}");
        page(&format!("status-{name}.txt"), &ran.stdout);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_network_has_a_page() {
    let network = fixtures::network(OffsetDateTime::now_utc());
    let core = FakeCore::start(fixtures::on(), move |request| match request {
        Request::Network { .. } => Some(Ok(Reply::Network(Box::new(network.clone())))),
        _ => None,
    });
    let ran = run_line(&core.path, "network").await;
    assert_eq!((ran.status, ran.stderr.as_str()), (3, ""), "{ran:?}");
    page("network.txt", &ran.stdout);
}

#[tokio::test(flavor = "multi_thread")]
async fn open_shows_its_steps_and_the_address() {
    let ran = open(true).await;

    assert_eq!(ran.status, 0);
    page("open.txt", &ran.stdout);
    page("open-steps.txt", &ran.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn open_says_why_it_failed_and_that_nothing_stays() {
    let ran = open(false).await;

    assert_eq!((ran.status, ran.stdout.as_str()), (8, ""));
    page("open-failed.txt", &ran.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_that_must_be_confirmed_says_how() {
    let core = FakeCore::start(fixtures::on(), |request| {
        Some(match request {
            Request::Open(_) => {
                let mut change = fixtures::change();
                change.state = Some(ChangeState::AwaitingConfirmation);
                change.confirm_by = Some(OffsetDateTime::now_utc() + Duration::seconds(290));
                Ok(Reply::Change(change))
            }
            _ => Ok(Reply::Status(Box::new(fixtures::on_at(OffsetDateTime::now_utc())))),
        })
    });
    let ran = run_line(&core.path, "open --confirm-within 5m").await;

    assert_eq!(ran.status, 3);
    page("open-unconfirmed.txt", &ran.stdout);
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_are_pages() {
    let now = OffsetDateTime::now_utc();
    let core = FakeCore::start(fixtures::on(), move |request| {
        Some(match request {
            Request::DevicesList => Ok(Reply::Devices(fixtures::devices_at(now))),
            Request::History { .. } => Ok(Reply::History(fixtures::history_at(now))),
            Request::CertShow => Ok(Reply::Cert(Some(fixtures::cert(now)))),
            Request::CertList => Ok(Reply::Certificates(fixtures::certificates(now))),
            Request::CertPins => Ok(Reply::Pins(fixtures::pins(now))),
            Request::TrustShow => Ok(Reply::TrustPlaces(fixtures::untouched())),
            other => fixtures::answer(other),
        })
    });
    for (name, line) in [
        ("devices-list", "devices list"),
        ("history", "history"),
        ("plan", "open --dry-run"),
        ("cert-show", "cert show"),
        ("cert-pins", "cert pins"),
        ("cert-trust", "cert trust"),
        ("cert-trust-dry-run", "cert trust --dry-run"),
        ("gateway-status", "gateway status"),
        ("link-qr", "link --qr"),
        ("front-status", "front status"),
    ] {
        page(&format!("{name}.txt"), &run_line(&core.path, line).await.stdout);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_at_the_socket_is_a_page_with_the_next_step() {
    let folder = private_folder();
    let ran = run_line(&folder.path().join("s"), "status").await;

    assert_eq!(ran.status, 5);
    let text = ran.stderr.replace(folder.path().to_str().unwrap(), "/run");
    assert_eq!(
        text,
        "Stopped: Gatehouse is not running\n  Nobody answers at /run/s.\n  Next: Start it.\n    gatehouse serve\n"
    );
}

/// Opens against a core that shows steps and then succeeds or fails.
async fn open(succeeds: bool) -> Ran {
    let now = OffsetDateTime::now_utc();
    let events = std::sync::Arc::new(std::sync::OnceLock::<tokio::sync::broadcast::Sender<_>>::new());
    let sender = std::sync::Arc::clone(&events);
    let core = FakeCore::start(fixtures::on_at(now), move |request| {
        Some(match request {
            Request::Open(_) => {
                let last = if succeeds { StepState::Done } else { StepState::Failed };
                for step in fixtures::steps(last) {
                    sender.get().unwrap().send(step).unwrap();
                }
                if succeeds { Ok(Reply::Change(fixtures::change())) } else { Err(fixtures::verify_failed()) }
            }
            _ => Ok(Reply::Status(Box::new(fixtures::on_at(now)))),
        })
    });
    events.set(core.events.clone()).unwrap();
    end(program(&core.path, &["open", "--to", "lan"]).spawn().unwrap()).await
}

/// Compares a page with its golden file, and looks at its width.
pub(crate) fn page(name: &str, text: &str) {
    for line in text.lines() {
        assert!(line.width() <= 80, "{name}: wider than 80 columns: {line}");
    }
    compare(name, &masked(text));
}

/// Dates and times of day as zeros: they are those of the day of the test.
fn masked(text: &str) -> String {
    let mut masked: Vec<char> = text.chars().collect();
    for shape in ["dddd-dd-dd", "dd:dd:dd"] {
        let shape: Vec<char> = shape.chars().collect();
        for start in 0..masked.len().saturating_sub(shape.len() - 1) {
            let end = start + shape.len();
            let beside = [start.checked_sub(1), Some(end)].into_iter().flatten();
            if beside.filter_map(|at| masked.get(at)).any(|character| *character == ':') {
                continue;
            }
            let window = &mut masked[start..end];
            let fits = window.iter().zip(&shape).all(|(character, shape)| match shape {
                'd' => character.is_ascii_digit(),
                shape => character == shape,
            });
            if fits {
                window
                    .iter_mut()
                    .filter(|character| character.is_ascii_digit())
                    .for_each(|digit| *digit = '0');
            }
        }
    }
    masked.into_iter().collect()
}
