//! Gatehouse's own job, from its installation to its removal.

use std::os::unix::fs::MetadataExt;
use std::time::Duration;

use gatehouse_tests::need::{Part, parts};
use gatehouse_tests::{Booted, Gatehouse, OTHER_PROGRAM, PROGRAM, Ran, eventually};

use super::{gatehouse, with_program};

const UNIT: &str = "gatehouse.service";
const NEEDS: [Part; 3] = [Part::Machines, Part::Systemd, Part::Program];

fn pid(ran: &Ran) -> Option<u64> {
    ran.json()["presence"]["pid"].as_u64()
}

/// The process that answers at the control socket.
async fn answers(gatehouse: &Gatehouse, what: &str, wanted: impl Fn(u64) -> bool) -> u64 {
    eventually(what, Duration::from_secs(60), async || {
        gatehouse.status().await["pid"].as_u64().filter(|pid| wanted(*pid))
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_system_runs_gatehouse_from_its_installation_to_its_removal() {
    if !parts(&NEEDS) {
        return;
    }
    let machine = Booted::new().await;
    let gatehouse = gatehouse(&machine);
    machine.lingers().await;
    let unit = machine.home().join(".config/systemd/user").join(UNIT);

    let none = gatehouse.run(&["service", "status", "--json"]).await.ends_with(1);
    assert_eq!(none.json()["services"][0]["state"], "not-installed");
    let plan = gatehouse.run(&["service", "install", "--dry-run", "--json"]).await.succeeds().json();
    assert_eq!(plan["done"], false);
    assert!(plan["steps"].as_array().is_some_and(|steps| steps.len() == 2), "{plan}");
    assert!(!unit.exists());

    let installed = gatehouse.run(&["service", "install", "--json"]).await.succeeds();
    let first = pid(&installed).expect("it runs");
    assert_eq!(gatehouse.status().await["pid"], first, "{}", installed.text());
    assert_eq!(installed.json()["presence"]["user"], "root");
    assert!(machine.user("is-enabled", &[UNIT]).await.contains("enabled"));

    let again = gatehouse.run(&["service", "install", "--json"]).await.succeeds();
    assert_eq!((pid(&again), again.json()["steps"].as_array().map(Vec::len)), (Some(first), Some(0)));

    machine.say("kill", &["-KILL", &first.to_string()]).await;
    let second = answers(&gatehouse, "it is started again after a crash", |pid| pid != first).await;

    let moved = with_program(&machine, OTHER_PROGRAM);
    let status = moved.run(&["service", "status", "--json"]).await.ends_with(3).json();
    assert_eq!(status["services"][0]["problems"][0]["title_key"], "core.presence.older");
    let upgraded = moved.run(&["service", "install", "--json"]).await.succeeds();
    assert_ne!(pid(&upgraded), Some(second));
    assert_eq!(upgraded.json()["presence"]["program"], OTHER_PROGRAM);
    assert_eq!(
        Some(gatehouse.status().await["pid"].clone()),
        upgraded.json()["presence"].get("pid").cloned()
    );

    let removed = moved.run(&["service", "uninstall", "--json"]).await.succeeds().json();
    assert_eq!(removed["presence"]["state"], "not-installed");
    assert!(
        removed["steps"]
            .to_string()
            .contains(unit.strip_prefix(machine.folder("root")).unwrap().to_str().unwrap())
    );
    assert!(!unit.exists() && machine.folder("state").join("settings.json").parent().unwrap().exists());
    assert_eq!(machine.main_pid(UNIT).await, None);
    gatehouse.run(&["status"]).await.ends_with(5);

    let asked = gatehouse.run(&["service", "uninstall", "--purge", "--no-input"]).await.ends_with(4);
    assert!(asked.text().contains("state"), "{}", asked.text());
    assert!(machine.folder("state").exists());
    gatehouse.run(&["service", "uninstall", "--purge", "--yes"]).await.succeeds();
    assert!(!machine.folder("state").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gatehouse_that_runs_in_the_foreground_is_handed_over_after_a_yes() {
    if !parts(&NEEDS) {
        return;
    }
    let machine = Booted::new().await;
    machine.logs_in().await;
    let mut gatehouse = gatehouse(&machine);
    gatehouse.serve(&[]).await;
    let by_hand = gatehouse.status().await["pid"].as_u64().unwrap();

    gatehouse.run(&["service", "install", "--no-input"]).await.ends_with(4);
    assert_eq!(gatehouse.status().await["pid"], by_hand);
    // Nobody lingers: what is installed ends at logout, and that is told with what mends it.
    let installed = gatehouse.run(&["service", "install", "--yes", "--json"]).await.ends_with(3);
    let problem = &installed.json()["presence"]["problems"][0];
    assert_eq!(problem["title_key"], "core.presence.linger");
    assert_eq!(problem["fix"]["command"], "sudo loginctl enable-linger root");
    assert_ne!(pid(&installed), Some(by_hand));
    assert!(gatehouse.ends().await.success());
    assert_eq!(gatehouse.status().await["pid"].as_u64(), pid(&installed));
}

#[tokio::test(flavor = "multi_thread")]
async fn for_the_machine_it_runs_as_the_user_with_one_right() {
    if !parts(&NEEDS) {
        return;
    }
    let machine = Booted::new().await;
    let home = machine.home_of_ada();
    let state = home.join("state");
    let of = |gatehouse: Gatehouse| gatehouse.with("PATH", "/usr/bin:/bin");
    let root = of(Gatehouse::new(&machine.machine, &state, &home).running(PROGRAM.as_ref()));
    let ada = of(Gatehouse::new(&machine.machine, &state, &home).of_user(machine.ada(), PROGRAM.as_ref()));

    let nobody = root.run(&["service", "install", "--scope", "system"]).await.ends_with(2);
    assert!(nobody.text().contains("--user NAME"), "{}", nobody.text());
    let installed =
        root.run(&["service", "install", "--scope", "system", "--user", "ada", "--json"]).await.succeeds();
    let process = pid(&installed).expect("it runs");
    let status = machine.say("cat", &[&format!("/proc/{process}/status")]).await;
    let line = |name: &str| status.lines().find(|line| line.starts_with(name)).unwrap_or_default().to_owned();
    assert!(line("Uid:").contains("1777"), "{status}");
    // Bit 10: CAP_NET_BIND_SERVICE.
    assert!(line("CapEff:").ends_with("0000000000000400"), "{status}");
    assert!(line("CapBnd:").ends_with("0000000000000400"), "{status}");
    assert_eq!(answers(&ada, "the machine's Gatehouse answers its user", |_| true).await, process);
    assert_eq!(std::fs::metadata(&state).unwrap().uid(), machine.ada());
    let seen = ada.run(&["service", "status", "--json"]).await.succeeds().json();
    assert_eq!(seen["services"][0]["scope"], "system");

    root.run(&["service", "uninstall", "--scope", "system", "--user", "ada"]).await.succeeds();
    ada.run(&["status"]).await.ends_with(5);
    assert!(state.exists());
}
