use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use super::*;

fn record(path: &str) -> AccessRecord {
    AccessRecord {
        time: OffsetDateTime::from_unix_timestamp_nanos(1_795_166_703_004_000_000).unwrap(),
        id: RequestId::from_parts(1, 2, 3),
        client: "192.168.1.50".parse().unwrap(),
        peer: "192.168.1.50:5000".parse().unwrap(),
        method: Method::GET,
        host: printable(b"mini.local:8443", HOST_MAX),
        path: printable(path.as_bytes(), PATH_MAX),
        status: StatusCode::OK,
        answered_by: Answerer::Gateway,
        error: None,
        bytes_in: 0,
        bytes_out: 1234,
        duration: Duration::from_micros(7_900),
        protocol: Protocol::Http2,
        tls: Some(TlsFacts { version: "1.3", cipher: "TLS13_AES_128_GCM_SHA256" }),
        client_certificate: None,
        websocket: None,
        origin: Some("https://secret.example".into()),
        user_agent: Some("secret agent".into()),
    }
}

fn text(record: &AccessRecord) -> String {
    let mut buffer = Vec::new();
    line::append(&mut buffer, record);
    String::from_utf8(buffer).unwrap()
}

fn options(folder: &Path) -> LogOptions {
    LogOptions { folder: folder.join("logs"), file_bytes: 2_000, keep_days: 30, total_bytes: 10_000 }
}

/// Waits for a condition that the writer's thread will make true.
fn wait(what: &str, condition: impl Fn() -> bool) {
    let start = std::time::Instant::now();
    while !condition() {
        assert!(start.elapsed() < Duration::from_secs(20), "never happened: {what}");
        std::thread::yield_now();
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

fn bytes(folder: &Path) -> u64 {
    files(folder).iter().map(|file| fs::metadata(file).unwrap().len()).sum()
}

fn lines(folder: &Path) -> Vec<serde_json::Value> {
    let all = files(folder).iter().map(|file| fs::read_to_string(file).unwrap()).collect::<String>();
    all.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn a_line_has_these_fields_in_this_order() {
    assert_eq!(
        text(&record("/chat")),
        "{\"time\":\"2026-11-20T09:25:03.004Z\",\"id\":\"00000000-0001-7002-8000-000000000003\",\
         \"client\":\"192.168.1.50\",\"method\":\"GET\",\"host\":\"mini.local:8443\",\"path\":\"/chat\",\"status\":200,\
         \"answered_by\":\"gateway\",\"error\":null,\"bytes_in\":0,\"bytes_out\":1234,\"ms\":7,\"protocol\":\"HTTP/2\",\
         \"tls\":{\"version\":\"1.3\",\"cipher\":\"TLS13_AES_128_GCM_SHA256\"},\"websocket\":null}\n"
    );
    let mut socket = record("/");
    socket.answered_by = Answerer::Edge;
    socket.error = Some(EdgeError::GatewayBroke);
    socket.tls = None;
    socket.protocol = Protocol::of(http::Version::HTTP_11);
    socket.websocket = Some(WebSocketEnd {
        close_code: None,
        close_reason: Some("secret reason".into()),
        closed_by: Closer::Client,
        duration: Duration::from_secs(90),
    });
    let text = text(&socket);
    assert!(text.ends_with(
        "\"answered_by\":\"edge\",\"error\":\"gateway-broke\",\"bytes_in\":0,\"bytes_out\":1234,\"ms\":7,\
         \"protocol\":\"HTTP/1.1\",\"tls\":null,\
         \"websocket\":{\"close_code\":null,\"closed_by\":\"client\",\"duration_ms\":90000}}\n"
    ));
    assert!(!text.contains("secret"));
}

#[test]
fn the_text_of_strangers_is_escaped_and_cut() {
    assert_eq!(&*printable(b"/a b\n\x1b[31m\x7f\"\\", 99), "/a b\\x0a\\x1b[31m\\x7f\"\\");
    assert_eq!(&*printable("/ä\u{2028}".as_bytes(), 99), "/\\xc3\\xa4\\xe2\\x80\\xa8");
    assert_eq!(&*printable(b"abcdef", 3), "abc...");
    assert!(printable(&[0; 10_000], PATH_MAX).len() < PATH_MAX + 8);
}

#[test]
fn lines_reach_the_disk_in_a_private_place() {
    let folder = tempfile::tempdir().unwrap();
    let options = options(folder.path());
    let log = AccessLog::start(options.clone()).unwrap();
    log.record(Arc::new(record("/a")));
    log.record(Arc::new(record("/b")));
    wait("two lines", || log.counters().written == 2);
    let paths: Vec<_> = lines(&options.folder).iter().map(|line| line["path"].clone()).collect();
    assert_eq!(paths, ["/a", "/b"]);
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&options.folder), 0o700);
    assert_eq!(mode(&options.folder.join("access.jsonl")), 0o600);
}

#[test]
fn dropping_the_log_writes_what_is_waiting_and_a_new_one_appends() {
    let folder = tempfile::tempdir().unwrap();
    let options = LogOptions::new(folder.path().join("logs"));
    for round in 0..2 {
        let log = AccessLog::start(options.clone()).unwrap();
        for index in 0..500 {
            log.record(Arc::new(record(&format!("/{round}/{index}"))));
        }
    }
    assert_eq!(lines(&options.folder).len(), 1_000);
}

#[test]
fn files_are_put_aside_by_size_and_the_total_holds_at_any_time() {
    let folder = tempfile::tempdir().unwrap();
    let options = options(folder.path());
    let log = AccessLog::start(options.clone()).unwrap();
    fs::write(options.folder.join("notes.txt"), "not ours").unwrap();
    for index in 0..300 {
        log.record(Arc::new(record(&format!("/{index}"))));
        wait("line", || log.counters().written == index + 1);
        assert!(bytes(&options.folder) <= options.total_bytes + 8);
    }
    let kept = files(&options.folder);
    assert!(kept.len() >= 4, "{kept:?}");
    for file in &kept {
        assert!(fs::metadata(file).unwrap().len() <= options.file_bytes);
    }
    assert!(options.folder.join("notes.txt").exists());
    fs::remove_file(options.folder.join("notes.txt")).unwrap();
    // What is left are the newest lines, without a gap.
    let lines = lines(&options.folder);
    let mut numbers: Vec<u32> =
        lines.iter().map(|line| line["path"].as_str().unwrap()[1..].parse().unwrap()).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (300 - u32::try_from(lines.len()).unwrap()..300).collect::<Vec<_>>());
}

#[test]
fn files_past_their_age_are_removed() {
    let folder = tempfile::tempdir().unwrap();
    let options = options(folder.path());
    fs::create_dir(&options.folder).unwrap();
    let old = options.folder.join("access-20200101T000000000Z-0000.jsonl");
    let young = options.folder.join("access-20300101T000000000Z-0000.jsonl");
    for file in [&old, &young] {
        fs::write(file, "{}\n").unwrap();
    }
    let age = std::time::SystemTime::now() - Duration::from_secs(31 * 86_400);
    fs::File::options().write(true).open(&old).unwrap().set_modified(age).unwrap();
    let _log = AccessLog::start(options).unwrap();
    assert!(!old.exists() && young.exists());
}

#[test]
fn a_file_that_somebody_took_away_is_made_anew() {
    let folder = tempfile::tempdir().unwrap();
    let options = options(folder.path());
    let log = AccessLog::start(options.clone()).unwrap();
    log.record(Arc::new(record("/a")));
    wait("first line", || log.counters().written == 1);
    fs::rename(options.folder.join("access.jsonl"), folder.path().join("taken")).unwrap();
    log.record(Arc::new(record("/b")));
    wait("second line", || log.counters().written == 2);
    assert_eq!(lines(&options.folder)[0]["path"], "/b");
    fs::remove_dir_all(&options.folder).unwrap();
    log.record(Arc::new(record("/c")));
    wait("third line", || log.counters().written == 3);
    assert_eq!(lines(&options.folder)[0]["path"], "/c");
}

#[test]
fn a_disk_that_refuses_is_counted_and_tried_again() {
    let folder = tempfile::tempdir().unwrap();
    let options = options(folder.path());
    let log = AccessLog::start_with(options.clone(), Duration::from_millis(5)).unwrap();
    fs::remove_dir_all(&options.folder).unwrap();
    fs::write(&options.folder, "a file in the folder's place").unwrap();
    log.record(Arc::new(record("/lost")));
    wait("failure", || log.counters().failing);
    assert_eq!(log.counters(), LogCounters { written: 0, dropped: 0, failed: 1, failing: true });
    fs::remove_file(&options.folder).unwrap();
    wait("recovery", || {
        log.record(Arc::new(record("/found")));
        !log.counters().failing
    });
    assert!(log.counters().written >= 1);
    assert_eq!(lines(&options.folder)[0]["path"], "/found");
}

#[test]
fn a_write_that_breaks_off_leaves_no_half_line() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("access.jsonl");
    fs::write(&path, "{}\n").unwrap();
    let mut live = writer::Live::open(folder.path()).unwrap();
    live.undo_after(|file| {
        use std::io::Write as _;
        file.write_all(b"{\"half\":")?;
        Err(io::ErrorKind::StorageFull.into())
    })
    .unwrap_err();
    assert_eq!(fs::read_to_string(&path).unwrap(), "{}\n");
    live.append(b"{}\n").unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "{}\n{}\n");
}

#[test]
fn a_full_queue_drops_and_never_blocks() {
    let (sender, receiver) = sync_channel(1);
    let log = AccessLog { sender: Some(sender), counts: Arc::default(), thread: None };
    for _ in 0..5 {
        log.record(Arc::new(record("/")));
    }
    assert_eq!(log.counters().dropped, 4);
    drop(receiver);
    log.record(Arc::new(record("/")));
    assert_eq!(log.counters().dropped, 5);
}
