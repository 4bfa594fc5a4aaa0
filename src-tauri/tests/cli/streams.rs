//! Streams: slow ones, ended ones, filtered ones.

use std::process::Stdio;

use gatehouse_api::{DeviceList, Event};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, Lines},
    net::UnixListener,
    process::{Child, ChildStdout},
};

use crate::{
    core::{FakeCore, private_folder},
    fixtures,
    run::{HANGS, end, program, run_line},
};

#[tokio::test(flavor = "multi_thread")]
async fn a_watch_shows_every_change_until_the_core_stops() {
    let mut core = FakeCore::usual();
    let mut child = program(&core.path, &["status", "--watch"]).spawn().unwrap();
    let mut lines = lines(&mut child);
    assert!(next(&mut lines).await.starts_with("On open for devices"));
    core.is_followed().await;

    let off = fixtures::off_at(time::OffsetDateTime::now_utc());
    core.events.send(Event::Snapshot(Box::new(off))).unwrap();
    while !next(&mut lines).await.starts_with("Off only programs on this machine") {}
    core.stop();

    let ran = end(child).await;
    assert_eq!(ran.status, 5);
    assert!(ran.stderr.contains("The core stopped."), "{ran:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watch_ends_quietly_when_nobody_reads_it() {
    let core = FakeCore::usual();
    let mut child = program(&core.path, &["status", "--watch", "--jsonl"]).spawn().unwrap();
    let mut lines = lines(&mut child);
    next(&mut lines).await;
    drop(lines);

    core.is_followed().await;
    core.events.send(Event::Snapshot(Box::new(fixtures::on()))).unwrap();

    let ran = end(child).await;
    assert_eq!((ran.status, ran.stderr.as_str()), (0, ""));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_comes_byte_by_byte_is_one_event() {
    let folder = private_folder();
    let path = folder.path().join("s");
    let listener = UnixListener::bind(&path).unwrap();
    let snapshot = serde_json::to_string(&Event::Snapshot(Box::new(fixtures::on()))).unwrap();
    tokio::spawn(async move {
        let hello = br#"{"protocol":1,"version":"0.1.0","pid":3}"#;
        let mut first = listener.accept().await.unwrap().0;
        let _ = first.read(&mut [0; 4096]).await;
        let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", hello.len());
        first.write_all(&[head.as_bytes(), hello].concat()).await.unwrap();
        let mut stream = listener.accept().await.unwrap().0;
        let _ = stream.read(&mut [0; 4096]).await;
        let slow = format!("HTTP/1.1 200 OK\r\n\r\n: comment\n\ndata: {snapshot}\n\n");
        for byte in slow.bytes() {
            stream.write_all(&[byte]).await.unwrap();
            tokio::task::yield_now().await;
        }
    });

    let ran = run_line(&path, "status --watch --jsonl").await;

    assert_eq!(ran.status, 5, "{ran:?}");
    assert!(ran.stderr.is_empty());
    let objects: Vec<serde_json::Value> =
        ran.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(objects.len(), 2, "{ran:?}");
    assert_eq!(objects[0]["actual"]["state"], "on");
    assert_eq!(objects[1]["error"]["code"], "not-running");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tail_shows_what_fits_and_says_what_it_missed() {
    let core = FakeCore::usual();
    let child = program(&core.path, &["tail", "--who", "edge"]).spawn().unwrap();
    core.is_followed().await;
    for record in [fixtures::traffic("/a", 200), fixtures::traffic("/b", 421)] {
        core.events.send(Event::Traffic(Box::new(record))).unwrap();
    }
    core.events.send(Event::Lagged { missed: 7 }).unwrap();
    core.events.send(Event::Stopping).unwrap();

    let ran = end(child).await;

    assert_eq!(ran.stdout, "14:02:11 421 GET mini.local/b (edge: host-unknown, 12 ms) 192.168.1.34\n");
    assert!(ran.stderr.starts_with("Missed 7 requests were too many to show\n"), "{ran:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tail_tells_how_a_websocket_ended() {
    let core = FakeCore::usual();
    let child = program(&core.path, &["tail", "--ws"]).spawn().unwrap();
    core.is_followed().await;
    for record in [fixtures::traffic("/a", 200), fixtures::traffic("/chat", 101)] {
        core.events.send(Event::Traffic(Box::new(record))).unwrap();
    }
    core.events.send(Event::Stopping).unwrap();

    assert_eq!(
        end(child).await.stdout,
        "14:02:11 101 GET mini.local/chat (gateway, WebSocket ended by client with 1006\n  after 3 min, 0 B in, 5.1 kB out) 192.168.1.34\n"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watch_of_devices_tells_each_once_and_again_when_it_wants_more() {
    let core = FakeCore::usual();
    let child = program(&core.path, &["devices", "watch"]).spawn().unwrap();
    core.was_asked(1).await;
    let with = |change: fn(&mut DeviceList)| {
        let mut devices = fixtures::devices();
        change(&mut devices);
        core.events.send(Event::Devices(Box::new(devices))).unwrap();
    };
    with(|devices| devices.pending[0].request_id = "another".to_owned());
    with(|devices| devices.pending[0].scopes.push("operator.pairing".to_owned()));
    with(|devices| devices.pending.clear());
    core.events.send(Event::Stopping).unwrap();

    let told = end(child).await.stdout;

    assert_eq!(told.matches("waiting iPhone (3f9a1c20b7d5)").count(), 2, "{told}");
    assert_eq!(told.matches("! Let other devices in").count(), 1, "{told}");
    assert!(told.ends_with("Gone iPhone (3f9a1c20b7d5) waits no longer\n"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watch_needs_no_input() {
    let core = FakeCore::usual();
    let child = program(&core.path, &["devices", "watch"]).stdin(Stdio::null()).spawn().unwrap();
    core.was_asked(1).await;
    core.events.send(Event::Stopping).unwrap();

    assert_eq!(end(child).await.status, 5);
    assert_eq!(core.seen().len(), 1);
}

fn lines(child: &mut Child) -> Lines<BufReader<ChildStdout>> {
    BufReader::new(child.stdout.take().unwrap()).lines()
}

async fn next(lines: &mut Lines<BufReader<ChildStdout>>) -> String {
    tokio::time::timeout(HANGS, lines.next_line()).await.unwrap().unwrap().unwrap()
}
