//! `gatehouse selftest` on a machine of its own: what it proves, what it says of a fault, what it leaves.

use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::Duration;

use gatehouse_tests::need::{self, Part};
use gatehouse_tests::{Net, eventually, within};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tokio::process::{Child, Command};

const PATIENCE: Duration = Duration::from_secs(120);

/// A desktop session with a keyring that is open, without a notification server.
const DESKTOP: &str = r#"
    printf "\n" | gnome-keyring-daemon --unlock --components=secrets >/dev/null 2>&1
    exec "$@"
"#;

struct Place {
    net: Net,
    home: PathBuf,
    tmp: PathBuf,
}

impl Place {
    fn new() -> Option<Self> {
        if !need::parts(&[Part::Machines, Part::Program]) {
            return None;
        }
        let net = Net::new();
        let (home, tmp) = (net.folder.join("ada"), net.folder.join("t"));
        for folder in [&home.join(".local/share/keyrings"), &home.join("run"), &tmp] {
            std::fs::create_dir_all(folder).expect("a folder can be made");
        }
        Some(Self { net, home, tmp })
    }

    fn command(&self, program: &Path, words: &[&str]) -> Command {
        let mut command = self.net.here.command(program);
        command
            .args(words)
            .env("HOME", &self.home)
            .env("USER", "ada")
            .env("XDG_RUNTIME_DIR", self.home.join("run"))
            .env("TMPDIR", &self.tmp)
            .env("GATEHOUSE_HOME", self.home.join("state"))
            .stdin(Stdio::null());
        command
    }

    fn selftest(&self, words: &[&str]) -> Command {
        self.command(&gatehouse_tests::program(), &[&["selftest"], words].concat())
    }

    async fn run(&self, words: &[&str]) -> (Option<i32>, Value) {
        ended(self.selftest(words)).await
    }

    fn start(&self) -> Child {
        self.selftest(&["--json"]).stdout(Stdio::piped()).spawn().expect("it starts")
    }

    async fn begins(&self) {
        eventually("the selftest has its folder", PATIENCE, async || (self.left() > 0).then_some(())).await;
    }

    /// What lies in the folder for temporary files.
    fn left(&self) -> usize {
        std::fs::read_dir(&self.tmp).expect("the folder is there").count()
    }
}

async fn ended(mut command: Command) -> (Option<i32>, Value) {
    let output = within("the selftest", PATIENCE, command.output()).await.expect("it starts");
    told(&output)
}

fn told(output: &Output) -> (Option<i32>, Value) {
    let report = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| {
        panic!("{error}: {output:?}");
    });
    (output.status.code(), report)
}

fn tell(child: &Child, signal: Signal) {
    let pid = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw).expect("it runs");
    kill_process(pid, signal).expect("it can be told");
}

fn check<'a>(report: &'a Value, id: &str) -> &'a Value {
    let checks = report["checks"].as_array().unwrap_or_else(|| panic!("no checks: {report}"));
    checks.iter().find(|check| check["id"] == id).unwrap_or_else(|| panic!("no {id}: {report}"))
}

#[tokio::test]
async fn the_selftest_proves_the_machine_tells_nothing_of_it_and_leaves_nothing() {
    let Some(place) = Place::new() else { return };
    let file = place.home.join("report.md");
    let program = gatehouse_tests::program();
    let words = ["--", "sh", "-c", DESKTOP, "sh", program.to_str().expect("letters"), "selftest", "--json"];
    let words = [&words[..], &["--report", file.to_str().expect("letters")]].concat();

    let (code, report) = ended(place.command(Path::new("dbus-run-session"), &words)).await;

    for id in [
        "files",
        "descriptors",
        "clock",
        "addresses",
        "port-ownership",
        "port443",
        "port80",
        "edge",
        "trust-store",
        "secrets",
    ] {
        assert_eq!(check(&report, id)["outcome"], "passed", "{report:#}");
    }
    // Nobody shows notifications there, and whether systemd runs is the machine's business: the reason is said.
    for id in ["service", "awake", "notifications"] {
        let check = check(&report, id);
        assert_ne!(check["outcome"], "failed", "{report:#}");
        assert!(check["outcome"] == "passed" || check["fix"].is_string(), "{report:#}");
    }
    assert_eq!((code, &report["failed"]), (Some(3), &Value::from(0)), "{report:#}");
    let text = std::fs::read_to_string(&file).expect("the report is written");
    for own in ["192.168.77", "fd77::", "/ada", place.tmp.to_str().expect("letters")] {
        assert!(!text.contains(own) && !report["checks"].to_string().contains(own), "{own}: {text}");
    }
    assert!(
        text.contains("<address-1>") && text.contains("- passed: ") && text.contains("```json"),
        "{text}"
    );
    assert_eq!(place.left(), 0);
    assert!(!place.home.join("state").exists(), "the user's state is not touched");
}

#[tokio::test]
async fn a_port_that_somebody_has_fails_and_its_holder_is_named() {
    let Some(place) = Place::new() else { return };
    let _held = place.net.here.listen(([0, 0, 0, 0], 443).into()).await.expect("it is free");

    let (code, report) = place.run(&["--json", "--full"]).await;

    let port = check(&report, "port443");
    assert_eq!((code, &port["outcome"]), (Some(1), &Value::from("failed")), "{report:#}");
    let pid = std::process::id().to_string();
    assert!(port["because"].as_str().expect("a reason").contains(&pid), "{port:#}");
    assert_eq!(check(&report, "port80")["outcome"], "passed", "{report:#}");
    assert!(report["checks"].to_string().contains("192.168.77.10"), "--full keeps addresses: {report:#}");
}

#[tokio::test]
async fn what_a_killed_selftest_leaves_is_gone_after_the_next_one() {
    let Some(place) = Place::new() else { return };
    let mut child = place.start();
    place.begins().await;
    tell(&child, Signal::KILL);
    child.wait().await.expect("it is gone");
    assert_eq!(place.left(), 1);

    let (_, report) = place.run(&["--json"]).await;

    assert_eq!(report["cleaned"], true, "{report:#}");
    assert_eq!(check(&report, "edge")["outcome"], "passed", "{report:#}");
    assert_eq!(place.left(), 0);
}

#[tokio::test]
async fn ctrl_c_ends_a_selftest_and_takes_its_things_away() {
    let Some(place) = Place::new() else { return };
    let child = place.start();
    place.begins().await;
    tell(&child, Signal::INT);

    let output = within("its end", PATIENCE, child.wait_with_output()).await.expect("it ends");

    let (code, report) = told(&output);
    assert_eq!(check(&report, "notifications")["because_key"], "core.selftest.interrupted", "{report:#}");
    assert_eq!((code, place.left()), (Some(3), 0), "{report:#}");
}
