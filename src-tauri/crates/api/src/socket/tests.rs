//! The control socket, over real sockets.

use std::{
    fs, io,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{UnixListener, UnixStream},
    sync::{Notify, broadcast, oneshot},
    task::JoinHandle,
};

use super::*;
use crate::{Actual, Code, Desired, DeviceCounts, DeviceList, GatewaySummary, GatewayVerdict};

#[tokio::test]
async fn a_call_gets_the_reply_of_the_handler() {
    let core = TestCore::start().await;

    let reply = core.client().await.call(Request::Status).await;

    assert!(matches!(reply, Ok(Reply::Status(snapshot)) if snapshot.pid == 7));
}

#[tokio::test]
async fn an_error_of_the_handler_arrives_whole() {
    let core = TestCore::start().await;

    let error = core.client().await.call(Request::Confirm).await.unwrap_err();

    let expected = ErrorEnvelope::new(Code::Drift, "Changed", "By somebody.")
        .evidence("a line")
        .fix_with("Undo it.", "gatehouse undo");
    assert_eq!(error, expected);
}

#[tokio::test]
async fn the_socket_is_private() {
    let core = TestCore::start().await;

    assert_eq!(fs::metadata(&core.path).unwrap().mode() & 0o777, 0o600);
    assert_eq!(fs::metadata(core.path.parent().unwrap()).unwrap().mode() & 0o777, 0o700);
}

#[tokio::test]
async fn a_folder_that_others_can_look_into_is_refused() {
    let folder = private_folder();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();

    let error = ControlSocket::bind(&folder.path().join("s")).unwrap_err();

    assert_eq!(error.kind(), io::ErrorKind::PermissionDenied);
    assert!(!folder.path().join("s").exists());
}

#[tokio::test]
async fn a_stale_socket_is_replaced_and_another_file_is_not() {
    let folder = private_folder();
    let (stale, file) = (folder.path().join("stale"), folder.path().join("file"));
    drop(std::os::unix::net::UnixListener::bind(&stale).unwrap());
    fs::write(&file, "mine").unwrap();

    assert!(ControlSocket::bind(&stale).is_ok());
    assert_eq!(ControlSocket::bind(&file).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
    assert_eq!(fs::read(&file).unwrap(), b"mine");
}

#[tokio::test]
async fn another_user_is_refused_without_a_word() {
    let folder = private_folder();
    let path = folder.path().join("s");
    let mut socket = ControlSocket::bind(&path).unwrap();
    socket.uid += 1;
    let handler = Arc::new(Fake::new());
    let _serving = tokio::spawn(socket.serve(handler.clone(), std::future::pending()));

    let error = Client::connect(&path).await.unwrap_err();

    assert_eq!(error.code, Code::NotRunning);
    assert_eq!(handler.calls.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn nobody_at_the_socket_is_not_running_with_the_way_to_start_it() {
    let folder = private_folder();
    let stale = folder.path().join("stale");
    drop(std::os::unix::net::UnixListener::bind(&stale).unwrap());

    for path in [folder.path().join("none"), stale] {
        let error = Client::connect(&path).await.unwrap_err();
        assert_eq!(error.code, Code::NotRunning);
        assert_eq!(error.fix.unwrap().command.as_deref(), Some("gatehouse serve"));
    }
}

#[tokio::test]
async fn a_core_of_another_protocol_is_a_version_error() {
    let (path, _folder) = canned(br#"{"protocol":99,"version":"9.9.9","pid":3}"#).await;

    let error = Client::connect(&path).await.unwrap_err();

    assert_eq!(error.code, Code::Version);
    assert!(error.because.contains("9.9.9"), "{}", error.because);
}

#[tokio::test]
async fn something_that_is_no_core_makes_no_sense() {
    for body in [&b"hello"[..], b"{}", b"\xff\xfe"] {
        let (path, _folder) = canned(body).await;
        let error = Client::connect(&path).await.unwrap_err();
        assert_eq!(error.code, Code::Failed, "{body:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_core_that_hangs_is_given_up() {
    let folder = private_folder();
    let path = folder.path().join("s");
    let _listener = UnixListener::bind(&path).unwrap();

    let error = Client::connect(&path).await.unwrap_err();

    assert_eq!(error.title, "Gatehouse does not answer");
}

#[tokio::test]
async fn a_core_that_dies_while_it_works_is_told() {
    let core = TestCore::start().await;
    let client = core.client().await;
    let call = tokio::spawn(async move { client.call(Request::Resume).await });
    core.handler.entered.notified().await;

    core.serving.abort();

    let error = call.await.unwrap().unwrap_err();
    assert_eq!(
        (error.code, error.title.as_str()),
        (Code::NotRunning, "Gatehouse went away before it answered")
    );
}

#[tokio::test]
async fn a_call_runs_to_its_end_when_its_caller_goes_away() {
    let core = TestCore::start().await;
    let client = core.client().await;
    let call = tokio::spawn(async move { client.call(Request::Resume).await });
    core.handler.entered.notified().await;

    call.abort();
    assert!(call.await.unwrap_err().is_cancelled());
    core.handler.release.notify_one();

    core.handler.finished.notified().await;
}

#[tokio::test]
async fn a_fault_in_the_handler_is_an_answer_and_the_core_lives() {
    let core = TestCore::start().await;

    let error = core.client().await.call(Request::PlanClose { purge: false }).await.unwrap_err();

    assert_eq!(error.code, Code::Failed);
    assert!(core.client().await.call(Request::Status).await.is_ok());
}

#[tokio::test]
async fn what_is_no_request_is_a_usage_error() {
    let core = TestCore::start().await;
    let cases: [(&str, &str, &str, u16); 6] = [
        ("POST /v1/call", "application/json", "{", 400),
        ("POST /v1/call", "application/json", r#"{"method":"open-sesame"}"#, 400),
        ("POST /v1/call", "text/plain", r#"{"method":"status"}"#, 415),
        ("GET /v1/call", "application/json", "", 405),
        ("GET /v2/call", "application/json", "", 404),
        ("GET /v1/events?topics=gossip", "application/json", "", 400),
    ];
    for (line, kind, body, status) in cases {
        let head = format!(
            "{line} HTTP/1.1\r\nhost: x\r\ncontent-type: {kind}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
            body.len()
        );
        let answer = core.raw(format!("{head}{body}").as_bytes()).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{line} {body}: {answer}");
        assert!(answer.contains(r#"{"error":{"code":"usage""#), "{line} {body}: {answer}");
    }
    assert_eq!(core.handler.calls.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_request_that_is_too_long_is_refused() {
    let core = TestCore::start().await;
    let origin = "x".repeat(REQUEST_BYTES);

    let error = core.client().await.call(Request::OriginsAdd { origin }).await.unwrap_err();

    assert_eq!((error.code, error.title.as_str()), (Code::Usage, "The request is too long"));
}

#[tokio::test]
async fn a_stream_begins_with_the_snapshot_and_follows() {
    let core = TestCore::start().await;
    let mut events = core.client().await.events(&Topic::ALL).await.unwrap();

    assert!(matches!(events.next().await, Ok(Event::Snapshot(snapshot)) if snapshot.pid == 7));
    core.handler.sender.send(Event::Devices(Box::default())).unwrap();
    assert_eq!(events.next().await, Ok(Event::Devices(Box::default())));
}

#[tokio::test]
async fn a_stream_carries_only_the_topics_asked_for() {
    let core = TestCore::start().await;
    let mut events = core.client().await.events(&[Topic::Devices]).await.unwrap();

    core.handler.sender.send(Event::Snapshot(Box::new(snapshot()))).unwrap();
    core.handler.sender.send(Event::Devices(Box::default())).unwrap();

    assert_eq!(events.next().await, Ok(Event::Devices(Box::default())));
}

#[tokio::test]
async fn a_viewer_that_is_too_slow_is_told_that_it_missed_something() {
    let core = TestCore::start().await;
    let mut events = core.client().await.events(&[Topic::Devices]).await.unwrap();
    let big = Event::Devices(Box::new(many_devices()));

    // More than fits into the socket's buffers and the channel together, before anything is read.
    for _ in 0..2_000 {
        core.handler.sender.send(big.clone()).unwrap();
        tokio::task::yield_now().await;
    }

    let mut received = 0_u64;
    let missed = loop {
        match events.next().await.unwrap() {
            Event::Lagged { missed } => break missed,
            _ => received += 1,
        }
    };
    assert!(missed > 0 && received + missed <= 2_000, "{received} received, {missed} missed");
}

#[tokio::test]
async fn a_stream_ends_with_a_word_when_the_core_stops() {
    let mut core = TestCore::start().await;
    let mut events = core.client().await.events(&[Topic::Devices]).await.unwrap();

    core.stop.take().unwrap().send(()).unwrap();

    assert_eq!(events.next().await, Err(Ended::Stopped));
    assert_eq!(events.next().await, Err(Ended::Stopped));
    core.serving.await.unwrap();
    assert!(!core.path.exists());
}

#[tokio::test]
async fn a_stream_whose_core_vanishes_is_lost() {
    let core = TestCore::start().await;
    let mut events = core.client().await.events(&[Topic::Snapshot]).await.unwrap();
    events.next().await.unwrap();

    core.serving.abort();

    assert!(matches!(events.next().await, Err(Ended::Lost(_))));
}

#[tokio::test]
async fn a_stop_waits_for_a_running_call() {
    let mut core = TestCore::start().await;
    let client = core.client().await;
    let call = tokio::spawn(async move { client.call(Request::Resume).await });
    core.handler.entered.notified().await;

    core.stop.take().unwrap().send(()).unwrap();
    core.handler.release.notify_one();

    assert_eq!(call.await.unwrap(), Ok(Reply::Done));
    core.serving.await.unwrap();
}

#[tokio::test]
async fn a_stop_leaves_the_socket_of_a_successor_alone() {
    let mut core = TestCore::start().await;
    fs::remove_file(&core.path).unwrap();
    let _successor = ControlSocket::bind(&core.path).unwrap();

    core.stop.take().unwrap().send(()).unwrap();
    core.serving.await.unwrap();

    assert!(core.path.exists());
}

#[tokio::test(start_paused = true)]
async fn a_quiet_stream_stays_alive_by_comments() {
    let core = TestCore::start().await;
    let mut events = core.client().await.events(&[Topic::Devices]).await.unwrap();

    let quiet = tokio::time::timeout(Duration::from_secs(600), events.next()).await;

    assert!(quiet.is_err(), "{quiet:?}");
}

#[tokio::test(start_paused = true)]
async fn a_stream_without_keep_alives_is_lost() {
    let folder = private_folder();
    let path = folder.path().join("s");
    let listener = UnixListener::bind(&path).unwrap();
    let _peer = tokio::spawn(async move {
        let mut hello = listener.accept().await.unwrap().0;
        respond(&mut hello, br#"{"protocol":1,"version":"0.1.0","pid":3}"#).await;
        let mut stream = listener.accept().await.unwrap().0;
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n").await.unwrap();
        std::future::pending::<()>().await;
    });
    let mut events = Client::connect(&path).await.unwrap().events(&Topic::ALL).await.unwrap();

    assert_eq!(events.next().await, Err(Ended::Lost(crate::say!("core.socket.silent", seconds = 45_u8))));
}

#[test]
fn events_are_put_together_from_pieces_of_any_size() {
    let devices = Event::Devices(Box::new(many_devices()));
    let mut wire = super::sse::KEEP_ALIVE.to_vec();
    wire.extend(super::sse::encode(&devices).unwrap());
    wire.extend(super::sse::encode(&Event::Stopping).unwrap());
    for size in [1, 2, 7, wire.len()] {
        let mut decoder = super::sse::Decoder::new(ANSWER_BYTES);
        let events: Vec<_> = wire.chunks(size).flat_map(|piece| decoder.push(piece).unwrap()).collect();
        assert_eq!(events, [devices.clone(), Event::Stopping], "pieces of {size}");
    }
}

#[test]
fn an_endless_event_is_refused() {
    let mut decoder = super::sse::Decoder::new(100);
    assert!(decoder.push(&[b'x'; 80]).is_ok());
    assert!(decoder.push(&[b'x'; 80]).is_err());
}

fn private_folder() -> TempDir {
    tempfile::Builder::new().permissions(fs::Permissions::from_mode(0o700)).tempdir().unwrap()
}

/// A core behind a real socket.
struct TestCore {
    path: PathBuf,
    handler: Arc<Fake>,
    serving: JoinHandle<()>,
    stop: Option<oneshot::Sender<()>>,
    _folder: TempDir,
}

impl TestCore {
    async fn start() -> Self {
        let folder = private_folder();
        let path = folder.path().join("run/control.sock");
        let handler = Arc::new(Fake::new());
        let socket = ControlSocket::bind(&path).unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let served: Arc<dyn Handler> = handler.clone();
        let serving = tokio::spawn(socket.serve(served, async {
            let _ = stopped.await;
        }));
        Self { path, handler, serving, stop: Some(stop), _folder: folder }
    }

    async fn client(&self) -> Client {
        Client::connect(&self.path).await.unwrap()
    }

    async fn raw(&self, request: &[u8]) -> String {
        let mut stream = UnixStream::connect(&self.path).await.unwrap();
        stream.write_all(request).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }
}

struct Fake {
    sender: broadcast::Sender<Event>,
    calls: AtomicUsize,
    entered: Notify,
    release: Notify,
    finished: Notify,
}

impl Fake {
    fn new() -> Self {
        let (sender, _) = broadcast::channel(16);
        let (entered, release, finished) = (Notify::new(), Notify::new(), Notify::new());
        Self { sender, calls: AtomicUsize::new(0), entered, release, finished }
    }
}

#[async_trait]
impl Handler for Fake {
    async fn call(&self, request: Request) -> Result<Reply, ErrorEnvelope> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        match request {
            Request::Status => Ok(Reply::Status(Box::new(snapshot()))),
            Request::Confirm => Err(ErrorEnvelope::new(Code::Drift, "Changed", "By somebody.")
                .evidence("a line")
                .fix_with("Undo it.", "gatehouse undo")),
            Request::Resume => {
                self.entered.notify_one();
                self.release.notified().await;
                self.finished.notify_one();
                Ok(Reply::Done)
            }
            other => panic!("not a request of these tests: {other:?}"),
        }
    }

    fn events(&self) -> broadcast::Receiver<Event> {
        self.sender.subscribe()
    }

    fn snapshot(&self) -> Arc<Snapshot> {
        Arc::new(snapshot())
    }
}

/// A socket that answers every request with `body`.
async fn canned(body: &'static [u8]) -> (PathBuf, TempDir) {
    let folder = private_folder();
    let path = folder.path().join("s");
    let listener = UnixListener::bind(&path).unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            respond(&mut stream, body).await;
        }
    });
    (path, folder)
}

async fn respond(stream: &mut UnixStream, body: &[u8]) {
    let mut head = [0; 4096];
    let _ = stream.read(&mut head).await.unwrap();
    let status = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
    stream.write_all(&[status.as_bytes(), body].concat()).await.unwrap();
}

fn snapshot() -> Snapshot {
    Snapshot {
        schema: crate::SCHEMA,
        version: "0.1.0".to_owned(),
        desired: Desired::Off,
        actual: Actual::Off,
        addresses: Vec::new(),
        cert: None,
        certificates: Vec::new(),
        gateway: GatewaySummary {
            version: None,
            pid: None,
            url: "http://127.0.0.1:18789".to_owned(),
            verdict: GatewayVerdict::Stopped,
            detail: None,
            config_path: None,
            supervised: false,
            service: None,
        },
        devices: DeviceCounts::default(),
        last_change: None,
        listener: None,
        mapping: None,
        problems: Vec::new(),
        expiring: Vec::new(),
        secrets: "file".to_owned(),
        pid: 7,
    }
}

fn many_devices() -> DeviceList {
    let device = crate::PendingDevice {
        device_id: "d".repeat(64),
        request_id: "r".repeat(36),
        name: "A device\nwith two lines".to_owned(),
        platform: None,
        role: "operator".to_owned(),
        scopes: vec!["operator.read".to_owned(); 8],
        remote_ip: None,
        via_edge: None,
        is_repair: false,
        asked_at: None,
    };
    DeviceList { pending: vec![device; 40], paired: Vec::new(), expired: Vec::new() }
}
