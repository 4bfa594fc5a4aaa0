//! `scripts/run`, from nothing to a working address, on a machine without OpenClaw.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use gatehouse_tests::need::{self, Part};
use gatehouse_tests::{Gatehouse, Machine, Net, Screen, eventually, within};
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::process::{Child, Command};

/// Building, npm, the gateway's first start.
const PATIENCE: Duration = Duration::from_secs(600);

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// `scripts/run` as a user runs it, but without a network: npm has everything in its cache, and so has cargo.
fn run(machine: &Machine, user: &Path, log: &Path) -> Command {
    let home = std::env::var("HOME").expect("HOME is set");
    let log = std::fs::File::options().create(true).append(true).open(log).expect("a log can be made");
    let mut command = machine.command(root().join("scripts/run"));
    command
        .current_dir(user)
        .env("HOME", user)
        .env("GATEHOUSE_HOME", user.join("state"))
        .env("CARGO_HOME", std::env::var("CARGO_HOME").unwrap_or_else(|_| format!("{home}/.cargo")))
        .env("RUSTUP_HOME", std::env::var("RUSTUP_HOME").unwrap_or_else(|_| format!("{home}/.rustup")))
        .env("CARGO_NET_OFFLINE", "true")
        .env(
            "GATEHOUSE_CACHE",
            std::env::var("GATEHOUSE_CACHE").unwrap_or_else(|_| format!("{home}/.cache/gatehouse")),
        )
        .env("npm_config_cache", std::env::var("npm_config_cache").unwrap_or_else(|_| format!("{home}/.npm")))
        .env("npm_config_offline", "true")
        .env("OPENCLAW_SKIP_CHANNELS", "1")
        .env("OPENCLAW_DISABLE_BONJOUR", "1")
        .stdin(Stdio::null())
        .stdout(log.try_clone().expect("a log can be shared"))
        .stderr(log);
    // With other settings cargo would build everything once more.
    for name in ["CARGO_TARGET_DIR", "CARGO_INCREMENTAL"] {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
    command
}

/// Presses Ctrl-C in the script's terminal: its whole process group hears it.
async fn ctrl_c(child: &mut Child) -> Option<i32> {
    let group = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw).expect("it runs");
    kill_process_group(group, Signal::INT).expect("it can be told");
    within("the end of scripts/run", Duration::from_secs(60), child.wait()).await.expect("it ends").code()
}

#[tokio::test]
async fn the_run_script_ends_with_a_working_address_and_ctrl_c_with_nothing_running() {
    if !need::parts(&[Part::Machines, Part::OpenClaw, Part::Program]) {
        return;
    }
    let net = Net::new();
    let (user, log) = (net.folder.join("user"), net.folder.join("run.log"));
    std::fs::create_dir_all(&user).expect("a home can be made");
    let words = || std::fs::read_to_string(&log).unwrap_or_default();
    let mut first = run(&net.here, &user, &log).spawn().expect("the script starts");

    let gatehouse = Gatehouse::new(&net.here, &user.join("state"), &user);
    let status = eventually("the address is proven", PATIENCE, async || {
        let ended = first.try_wait().expect("it can be asked");
        assert!(ended.is_none(), "it ended with {ended:?}:\n{}", words());
        let status = gatehouse.status().await;
        (status["actual"]["state"] == "on").then_some(status)
    })
    .await;

    let client = net.there.https(&gatehouse.ca().await);
    assert_eq!(client.get(net.here.v4, "/healthz").await.status, 200);
    assert_eq!(status["gateway"]["supervised"], true);
    let printed = words();
    assert!(printed.contains("there is no display"), "it does not say which and why:\n{printed}");
    for wanted in ["https://192.168.77.10", status["cert"]["ca_sha256"].as_str().expect("a fingerprint")] {
        assert!(printed.contains(wanted), "{wanted} is not printed:\n{printed}");
    }
    assert!(printed.contains('█') || printed.contains('▀'), "there is no QR code:\n{printed}");

    let again = run(&net.here, &user, &log).output();
    let again = within("a second start", PATIENCE, again).await.expect("it ends");
    let said = String::from_utf8_lossy(&again.stdout);
    assert!(again.status.success() && said.contains("running already"), "{again:?}");
    assert!(said.contains("https://192.168.77.10"), "{said}");

    let pid = status["gateway"]["pid"].as_u64().expect("the gateway has a process");
    assert!(matches!(ctrl_c(&mut first).await, Some(0 | 130)), "{}", words());
    assert!(!Path::new(&format!("/proc/{pid}")).exists(), "the gateway is still running");
    assert!(net.there.connect((net.here.v4, 443).into()).await.is_err());
}

#[tokio::test]
async fn where_there_is_a_screen_the_run_script_starts_the_tray_app_and_ctrl_c_ends_it() {
    if !need::parts(&[Part::Machines, Part::TrayApp, Part::Screen]) {
        return;
    }
    let net = Net::new();
    let (user, log) = (net.folder.join("user"), net.folder.join("run.log"));
    std::fs::create_dir_all(&user).expect("a home can be made");
    let words = || std::fs::read_to_string(&log).unwrap_or_default();
    let screen = Screen::on(&net.here, &net.folder.join("screen")).await;
    let mut script = run(&net.here, &user, &log);
    screen.dress(&mut script);
    let mut script = script.spawn().expect("the script starts");

    eventually("the icon is in the tray", PATIENCE, async || {
        let ended = script.try_wait().expect("it can be asked");
        assert!(ended.is_none(), "it ended with {ended:?}:\n{}", words());
        screen.has_icon().await.then_some(())
    })
    .await;

    assert!(words().contains("There is a display"), "it does not say which and why:\n{}", words());
    let gatehouse = Gatehouse::new(&net.here, &user.join("state"), &user);
    gatehouse.status_when("nothing is open", |status| status["actual"]["state"] == "off").await;
    assert!(matches!(ctrl_c(&mut script).await, Some(0 | 130)), "{}", words());
    assert!(!screen.has_icon().await, "the icon is still there");
}
