use std::fs;
use std::net::TcpListener;
use std::path::PathBuf;
use std::time::Duration;

use tempfile::TempDir;
use tokio::time::timeout;

use super::{Recipe, State, SuperviseError, Supervisor, Timing};
use crate::install::Installed;
use crate::process::{birth, exists};
use crate::testing;

const LIMIT: Duration = Duration::from_secs(20);
const FAST: Timing = Timing {
    short_life: Duration::from_secs(60),
    short_lives: 3,
    first_wait: Duration::from_millis(1),
    longest_wait: Duration::from_millis(2),
    poll: Duration::from_millis(5),
    grace: Duration::from_secs(5),
};

/// A gateway that is a shell script, run by sh in Node's place.
fn recipe(script: &str) -> (TempDir, Recipe) {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("openclaw");
    testing::script(&program, script);
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let recipe = Recipe {
        installed: Installed { program, node: PathBuf::from("/bin/sh"), version: "1".to_owned() },
        state_dir: folder.path().to_path_buf(),
        config_path: folder.path().join("openclaw.json"),
        port: free.local_addr().unwrap().port(),
        log: folder.path().join("gateway.log"),
        pid_file: folder.path().join("gateway.pid"),
        variables: Vec::new(),
    };
    (folder, recipe)
}

async fn wait_for(supervisor: &Supervisor, what: impl Fn(&State) -> bool) -> State {
    let mut state = supervisor.state();
    let found = timeout(LIMIT, state.wait_for(|state| what(state))).await;
    found.unwrap_or_else(|_| panic!("still {:?}", supervisor.state().borrow())).unwrap().clone()
}

async fn gone(pid: u32) {
    timeout(LIMIT, async {
        while birth(pid).await.is_some() {
            tokio::task::yield_now().await;
        }
    })
    .await
    .expect("the process ends");
}

async fn number_in(path: PathBuf) -> u32 {
    timeout(LIMIT, async {
        loop {
            if let Some(number) = fs::read_to_string(&path).ok().and_then(|text| text.trim().parse().ok()) {
                return number;
            }
            tokio::task::yield_now().await;
        }
    })
    .await
    .expect("a number in a file")
}

#[tokio::test]
async fn what_ends_at_once_again_and_again_is_a_crash_loop_with_its_last_words() {
    let (_folder, recipe) = recipe("echo \"args $*\"; echo last words >&2; exit 7");
    let port = recipe.port;

    let supervisor = Supervisor::start_with(recipe, FAST).await.unwrap();
    let state = wait_for(&supervisor, |state| matches!(state, State::CrashLoop { .. })).await;

    let State::CrashLoop { exits, because, output } = state else { unreachable!() };
    assert_eq!((exits, because.as_str()), (3, "it ended with status 7"));
    assert_eq!(output, [format!("args gateway run --port {port}"), "last words".to_owned()]);
    supervisor.restart();
    wait_for(&supervisor, |state| !matches!(state, State::CrashLoop { .. })).await;
    supervisor.stop(Duration::ZERO).await;
}

#[tokio::test]
async fn a_gateway_that_ends_is_started_again() {
    let (folder, recipe) =
        recipe("cd \"$OPENCLAW_STATE_DIR\"; test -f second && exec sleep 600; touch second");

    let supervisor = Supervisor::start_with(recipe, FAST).await.unwrap();
    wait_for(&supervisor, |state| matches!(state, State::Restarting { .. })).await;
    wait_for(&supervisor, |state| matches!(state, State::Starting { .. })).await;

    assert!(folder.path().join("second").exists());
    supervisor.stop(Duration::ZERO).await;
}

#[tokio::test]
async fn stopping_leaves_neither_the_gateway_nor_its_children_nor_a_pid_file() {
    let (folder, recipe) =
        recipe("trap '' TERM; sleep 600 & echo $! > child.tmp; mv child.tmp child; while :; do wait; done");
    let supervisor = Supervisor::start_with(recipe, FAST).await.unwrap();
    let State::Starting { pid } = *supervisor.state().borrow() else { panic!("not started") };
    let child = number_in(folder.path().join("child")).await;
    assert!(folder.path().join("gateway.pid").exists());

    let state = supervisor.state();
    supervisor.stop(Duration::from_millis(50)).await;

    gone(child).await;
    assert!(!exists(pid));
    assert_eq!(*state.borrow(), State::Stopped);
    assert!(!folder.path().join("gateway.pid").exists());
}

#[tokio::test]
async fn dropping_the_supervisor_kills_the_whole_group() {
    let (folder, recipe) = recipe("sleep 600 & echo $! > child.tmp; mv child.tmp child; wait");
    let supervisor = Supervisor::start_with(recipe, FAST).await.unwrap();
    let child = number_in(folder.path().join("child")).await;

    drop(supervisor);

    gone(child).await;
}

#[tokio::test]
async fn an_orphan_that_is_not_healthy_is_stopped_before_a_new_gateway_starts() {
    let (folder, recipe) = recipe("echo $$ > pid.tmp; mv pid.tmp pid; exec sleep 600");
    let first = Supervisor::start_with(recipe.clone(), FAST).await.unwrap();
    let orphan = number_in(folder.path().join("pid")).await;
    let pid_file = fs::read(&recipe.pid_file).unwrap();
    std::mem::forget(first);

    let second = Supervisor::start_with(recipe.clone(), FAST).await.unwrap();

    gone(orphan).await;
    assert_ne!(fs::read(&recipe.pid_file).unwrap(), pid_file);
    second.stop(Duration::ZERO).await;
}

#[tokio::test]
async fn a_process_that_only_has_the_id_of_our_gateway_is_never_touched() {
    let (_folder, recipe) = recipe("exec sleep 600");
    let mut stranger = tokio::process::Command::new("sleep")
        .arg("600")
        .env("OPENCLAW_STATE_DIR", &recipe.state_dir)
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let text = format!(
        r#"{{"pid":{},"birth":"1","state_dir":"{}","config_path":"/x","version":"1","port":1}}"#,
        stranger.id().unwrap(),
        recipe.state_dir.display()
    );
    fs::write(&recipe.pid_file, text).unwrap();

    let supervisor = Supervisor::start_with(recipe, FAST).await.unwrap();

    assert!(stranger.try_wait().unwrap().is_none());
    supervisor.stop(Duration::ZERO).await;
}

#[tokio::test]
async fn a_port_that_another_program_holds_is_an_error_and_nothing_is_started() {
    let (folder, mut recipe) = recipe("touch started");
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    recipe.port = other.local_addr().unwrap().port();

    let result = Supervisor::start_with(recipe, FAST).await;

    assert!(matches!(result, Err(SuperviseError::PortTaken { .. })));
    assert!(!folder.path().join("started").exists());
}
