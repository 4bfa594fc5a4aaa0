//! Two users of one machine, each with a tray app: neither sees or changes what is the other's.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use gatehouse_tests::need::{self, Part};
use gatehouse_tests::{Gatehouse, Gateway, GatewayOptions, Net, Screen};

const ALICE: u32 = 61001;
const BOB: u32 = 61002;
const PORT: &str = "8443";

#[tokio::test]
async fn two_users_do_not_meet_and_the_second_hears_who_has_the_port() {
    if !need::parts(&[Part::Machines, Part::TrayApp, Part::Screen]) {
        return;
    }
    let net = Net::new();
    std::fs::set_permissions(&net.folder, PermissionsExt::from_mode(0o711)).expect("a folder for all users");
    let screen = Screen::on(&net.here, &net.folder.join("screen")).await;
    let mut alice = user(&net, "alice", ALICE);
    let mut bob = user(&net, "bob", BOB);
    let open = ["open", "--to", "lan", "--port", PORT, "--yes"];

    alice.appear(&screen).await;
    // 3: done, with something to say (a gateway that is not running cannot be shown to work).
    let opened = alice.run(&open).await;
    assert!([0, 3].contains(&opened.code), "{opened:?}");
    bob.appear(&screen).await;
    screen.settled().await.keep("users-two-apps");

    let (hers, his) = (alice.status().await, bob.status().await);
    assert_ne!(hers["pid"], his["pid"]);
    assert_eq!(his["actual"]["state"], "off", "his state is not hers");
    let refused = bob.run(&open).await;
    assert_ne!(refused.code, 0, "{refused:?}");
    for said in [PORT, &ALICE.to_string()] {
        assert!(refused.text().contains(said), "who has the port is not said: {}", refused.text());
    }
    let intruder = Gatehouse::new(&net.here, &alice.home, &net.folder.join("bob"));
    let intruder = intruder.of_user(BOB, &net.folder.join("gatehouse"));
    for arguments in [&["--json", "status"][..], &["close", "--yes"]] {
        let ran = intruder.run(arguments).await;
        assert_eq!(ran.code, 7, "he reached her core: {ran:?}");
    }
    assert_eq!(bob.status().await["actual"]["state"], "off");
    assert_eq!(alice.status().await["desired"], hers["desired"], "hers was changed");
    assert!(alice.is_running() && bob.is_running());
}

/// A user with a home, a configured gateway and a tray app.
fn user(net: &Net, name: &str, id: u32) -> Gatehouse {
    let program = net.folder.join("gatehouse");
    if !program.exists() {
        std::fs::copy(gatehouse_tests::program(), &program).expect("the program can be copied");
    }
    let home = net.folder.join(name);
    let _ = Gateway::configured(&net.here, &home, &GatewayOptions::default());
    let run = home.join("run");
    std::fs::create_dir_all(&run).expect("a folder can be made");
    for folder in [&home, &run] {
        std::fs::set_permissions(folder, PermissionsExt::from_mode(0o700)).expect("a private folder");
    }
    belongs_to(&home, id);
    Gatehouse::new(&net.here, &home.join("state"), &home)
        .with("XDG_RUNTIME_DIR", run.to_str().expect("a path of letters"))
        .with("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent")
        .of_user(id, &program)
}

fn belongs_to(path: &Path, user: u32) {
    let done = Command::new("chown").arg("-R").arg(format!("{user}:{user}")).arg(path).status();
    assert!(done.is_ok_and(|status| status.success()), "{} cannot be given away", path.display());
}
