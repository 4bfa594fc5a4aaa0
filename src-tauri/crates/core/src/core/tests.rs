use std::time::Duration;

use gatehouse_api::{Actual, Desired, GatewayVerdict, Scope};

use super::*;
use crate::testing::free_port;

/// A machine where OpenClaw was never installed.
struct Bare {
    folder: tempfile::TempDir,
}

impl Bare {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn home(&self) -> PathBuf {
        self.folder.path().join("state")
    }

    fn options(&self) -> CoreOptions {
        // A port of nobody: the gateway of whoever runs these tests must not be found.
        let port = free_port();
        let variables = [
            ("HOME", self.folder.path().display().to_string()),
            ("PATH", String::new()),
            ("OPENCLAW_GATEWAY_PORT", port.to_string()),
        ];
        CoreOptions {
            home: Some(self.home()),
            environment: variables.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
            secrets_in_files: true,
            ..CoreOptions::default()
        }
    }

    async fn start(&self) -> Core {
        Core::start(self.options()).await.unwrap()
    }
}

async fn until(core: &Core, what: impl FnMut(&Arc<Snapshot>) -> bool) -> Snapshot {
    let mut snapshots = core.handle().snapshots();
    let found = tokio::time::timeout(Duration::from_secs(20), snapshots.wait_for(what)).await;
    Snapshot::clone(&found.expect("the state was never reached").unwrap())
}

#[tokio::test]
async fn a_core_without_a_gateway_says_so_and_is_off() {
    let machine = Bare::new();
    let core = machine.start().await;

    let snapshot = until(&core, |snapshot| snapshot.gateway.verdict == GatewayVerdict::NotFound).await;

    assert_eq!((snapshot.desired, snapshot.actual), (Desired::Off, Actual::Off));
    assert_eq!(snapshot.secrets, "file");
    core.stop().await;
}

#[tokio::test]
async fn the_state_folder_has_one_core_and_is_free_again_after_a_stop() {
    let machine = Bare::new();
    let core = machine.start().await;

    let second = Core::start(machine.options()).await.unwrap_err();
    assert_eq!(second.code, Code::AlreadyRunning);
    assert_eq!(second.evidence, [format!("pid {}", std::process::id())]);

    let handle = core.handle();
    core.stop().await;
    assert_eq!(handle.call(Request::Status).await.unwrap_err().code, Code::NotRunning);
    machine.start().await.stop().await;
}

#[tokio::test]
async fn a_core_that_was_dropped_leaves_a_folder_that_the_next_one_takes() {
    let machine = Bare::new();
    let core = machine.start().await;

    drop(core);

    let next = async {
        loop {
            match Core::start(machine.options()).await {
                Ok(core) => return core,
                Err(error) => assert_eq!(error.code, Code::AlreadyRunning),
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), next).await.unwrap().stop().await;
}

#[tokio::test]
async fn a_shutdown_is_asked_for_and_announced() {
    let machine = Bare::new();
    let core = machine.start().await;
    let mut events = core.handle().events();

    assert_eq!(core.handle().call(Request::Shutdown).await, Ok(Reply::Done));
    core.shutdown_requested().await;
    core.stop().await;

    let mut last = None;
    while let Ok(event) = events.try_recv() {
        last = Some(event);
    }
    assert_eq!(last, Some(Event::Stopping));
}

#[tokio::test]
async fn requests_that_need_a_gateway_say_which_one_is_missing() {
    let machine = Bare::new();
    let core = machine.start().await;
    until(&core, |snapshot| snapshot.gateway.verdict == GatewayVerdict::NotFound).await;

    for request in [Request::DevicesList, Request::OriginsList] {
        assert_eq!(core.handle().call(request).await.unwrap_err().code, Code::GatewayNotFound);
    }
    assert_eq!(core.handle().call(Request::Pause { seconds: None }).await.unwrap_err().code, Code::NotFound);
    core.stop().await;
}

#[tokio::test]
async fn an_opening_at_start_without_a_gateway_is_shown_as_what_it_is() {
    let machine = Bare::new();
    let request = OpenRequest {
        scope: Scope::Mac,
        hosts: Vec::new(),
        port: Some(free_port()),
        redirect_port: Some(0),
        map_port: None,
        only: Vec::new(),
        confirm_within: None,
    };
    let wanted = Desired::from(&request);
    let options = CoreOptions { open_at_start: Some(request), ..machine.options() };
    let core = Core::start(options).await.unwrap();

    let waiting = until(&core, |snapshot| matches!(snapshot.actual, Actual::Preparing { .. })).await;

    assert_eq!(waiting.desired, wanted);
    core.stop().await;
}

#[tokio::test]
async fn a_broken_settings_file_is_a_problem_and_not_a_failure() {
    let machine = Bare::new();
    machine.start().await.stop().await;
    std::fs::write(machine.home().join("settings.json"), "{").unwrap();

    let core = machine.start().await;

    let snapshot = until(&core, |snapshot| !snapshot.problems.is_empty()).await;
    assert!(snapshot.problems.iter().any(|problem| problem.title == "The settings file cannot be read"));
    core.stop().await;
}
