use gatehouse_api::GatewayVerdict;

use super::*;

/// A machine where OpenClaw was never installed.
struct Bare {
    folder: tempfile::TempDir,
}

impl Bare {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn socket(&self) -> PathBuf {
        self.folder.path().join("state").join("control.sock")
    }

    fn options(&self) -> CoreOptions {
        // A port of nobody: the gateway of whoever runs these tests must not be found.
        let port = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
        let variables = [
            ("HOME", self.folder.path().display().to_string()),
            ("PATH", String::new()),
            ("OPENCLAW_GATEWAY_PORT", port.to_string()),
        ];
        CoreOptions {
            home: Some(self.folder.path().join("state")),
            environment: variables.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
            secrets_in_files: true,
            ..CoreOptions::default()
        }
    }

    /// A core in another process's place, behind the control socket.
    async fn other(&self) -> Other {
        let core = Core::start(self.options()).await.unwrap();
        let socket = ControlSocket::bind(&self.socket()).unwrap();
        let (close, closed) = oneshot::channel::<()>();
        let handler: Arc<dyn Handler> = Arc::new(core.handle());
        let serving = tokio::spawn(socket.serve(handler, async {
            let _ = closed.await;
        }));
        Other { core, close, serving }
    }
}

struct Other {
    core: Core,
    close: oneshot::Sender<()>,
    serving: tokio::task::JoinHandle<()>,
}

impl Other {
    async fn stop(self) {
        self.core.stop().await;
        let _ = self.close.send(());
        self.serving.await.unwrap();
    }
}

/// Hears the news until what is known fits.
async fn until(backend: &Backend, news: &mut mpsc::Receiver<News>, fits: impl Fn(&Seen) -> bool) -> Seen {
    let waiting = async {
        loop {
            let seen = backend.seen();
            if fits(&seen) {
                return seen;
            }
            news.recv().await.expect("the backend has ended");
        }
    };
    tokio::time::timeout(Duration::from_secs(30), waiting).await.expect("it never became known")
}

fn is_up(seen: &Seen, hosting: Hosting) -> bool {
    matches!(seen, Seen::Up(_, place) if *place == hosting)
}

#[tokio::test(flavor = "multi_thread")]
async fn where_nobody_answers_the_app_hosts_a_core_and_others_find_it() {
    let machine = Bare::new();
    let (backend, mut news) = Backend::new(machine.socket(), machine.options());
    let running = tokio::spawn(backend.clone().run());

    until(&backend, &mut news, |seen| is_up(seen, Hosting::Here)).await;
    let found = until(
        &backend,
        &mut news,
        |seen| matches!(seen, Seen::Up(snapshot, _) if snapshot.gateway.verdict == GatewayVerdict::NotFound),
    );
    found.await;

    let client = Client::connect(&machine.socket()).await.unwrap();
    assert!(matches!(client.call(Request::Status).await, Ok(Reply::Status(_))));
    assert!(matches!(backend.call(Request::Status).await, Ok(Reply::Status(_))));

    backend.stop().await;
    running.await.unwrap();
    assert!(!machine.socket().exists());
    assert_eq!(backend.call(Request::Status).await.unwrap_err().code, Code::NotRunning);
    Core::start(machine.options()).await.expect("the lock was given back").stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_core_that_runs_is_shown_missed_and_found_again_and_never_replaced() {
    let machine = Bare::new();
    let other = machine.other().await;
    let (backend, mut news) = Backend::new(machine.socket(), machine.options());
    let running = tokio::spawn(backend.clone().run());
    until(&backend, &mut news, |seen| is_up(seen, Hosting::Elsewhere)).await;

    other.stop().await;
    until(&backend, &mut news, |seen| matches!(seen, Seen::Down(None))).await;

    let again = machine.other().await;
    until(&backend, &mut news, |seen| is_up(seen, Hosting::Elsewhere)).await;

    again.stop().await;
    until(&backend, &mut news, |seen| matches!(seen, Seen::Down(_))).await;
    backend.host();
    until(&backend, &mut news, |seen| is_up(seen, Hosting::Here)).await;

    backend.stop().await;
    running.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_core_that_cannot_start_says_why() {
    let machine = Bare::new();
    std::fs::write(machine.folder.path().join("state"), "no folder").unwrap();
    let (backend, mut news) =
        Backend::new(machine.folder.path().join("s").join("control.sock"), machine.options());
    let running = tokio::spawn(backend.clone().run());

    let seen = until(&backend, &mut news, |seen| matches!(seen, Seen::Down(Some(_)))).await;

    let Seen::Down(Some(why)) = seen else { panic!("it is up") };
    assert_eq!(backend.call(Request::Status).await.unwrap_err(), why);
    backend.stop().await;
    running.await.unwrap();
}
