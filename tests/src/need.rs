//! What a test needs from the machine, and how it says that it cannot run.
//!
//! A test begins with [`parts`]. Where a part is missing, the test is skipped: the reason goes to standard error and, for
//! `scripts/test`, to the file named by `GATEHOUSE_TEST_SKIPS`. Where `CI=true`, a missing part is a failure.

use std::io::Write;
use std::path::{Path, PathBuf};

/// A real part that a test needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Root and `ip netns`: two machines in network namespaces.
    Machines,
    /// The pinned OpenClaw, see [`openclaw`].
    OpenClaw,
    /// The program under test.
    Program,
    /// pebble with its name server, and curl: a certificate authority of the internet.
    Pebble,
    /// BIND and dig: a name server that takes updates.
    Bind,
    /// miniupnpd and nft: a home router.
    Router,
    /// Chromium, and `certutil` to put a certificate authority into its store.
    Chromium,
    /// The program under test with its tray app.
    TrayApp,
    /// X, a window manager, a panel with a tray, and somebody who reads and clicks.
    Screen,
    /// What drives the app's window.
    WindowDriver,
    /// systemd, logind and a bus: a machine that boots.
    Systemd,
}

/// Whether every part is there. When this answers `false` the test returns at once: it counts as skipped.
#[must_use]
pub fn parts(parts: &[Part]) -> bool {
    let missing: Vec<String> = parts.iter().filter_map(|part| part.missing()).collect();
    if missing.is_empty() {
        return true;
    }
    skip(&missing.join("; "));
    false
}

/// Says why the running test is skipped. A failure where `CI=true`.
pub fn skip(reason: &str) {
    let test = std::thread::current().name().unwrap_or("a test").to_owned();
    assert!(std::env::var("CI").as_deref() != Ok("true"), "{test} may not be skipped here: {reason}");
    eprintln!("SKIPPED {test}: {reason}");
    if let Some(file) = std::env::var_os("GATEHOUSE_TEST_SKIPS") {
        let mut list =
            std::fs::File::options().append(true).create(true).open(file).expect("the list of skips opens");
        writeln!(list, "{test}: {reason}").expect("the list of skips can be written");
    }
}

impl Part {
    fn missing(self) -> Option<String> {
        match self {
            Self::Machines if !rustix::process::geteuid().is_root() => {
                Some("network namespaces need root".into())
            }
            Self::Machines => lacks(&["ip"], "iproute2"),
            Self::OpenClaw => openclaw().err(),
            Self::Program => absent(&crate::program()),
            Self::Pebble => lacks(&["pebble", "pebble-challtestsrv", "curl"], "pebble and curl"),
            Self::Bind => absent(Path::new("/usr/sbin/named"))
                .map(|reason| format!("{reason} (Debian: bind9)"))
                .or_else(|| lacks(&["dig"], "bind9-dnsutils")),
            Self::Router => lacks(&["miniupnpd", "nft"], "miniupnpd, miniupnpd-nftables and nftables"),
            Self::Chromium => lacks(&["chromium", "certutil"], "chromium and libnss3-tools"),
            Self::TrayApp => no_tray_app(),
            Self::Screen => lacks(
                &["Xvfb", "dbus-daemon", "openbox", "xfce4-panel", "xdotool", "xclip", "import", "tesseract"],
                "SCREEN_PACKAGES in scripts/lib/common.sh",
            ),
            Self::Systemd => lacks(
                &["systemctl", "loginctl", "dbus-daemon", "nsenter", "unshare"],
                "systemd, libpam-systemd, dbus, dbus-user-session and util-linux",
            ),
            Self::WindowDriver => {
                lacks(&["WebKitWebDriver"], "webkit2gtk-driver").or_else(|| absent(&tauri_driver()))
            }
        }
    }
}

/// The folder that OpenClaw and its Node are installed in: `GATEHOUSE_TEST_OPENCLAW`, or why there is none.
pub fn openclaw() -> Result<PathBuf, String> {
    let folder = std::env::var_os("GATEHOUSE_TEST_OPENCLAW")
        .map(PathBuf::from)
        .ok_or("GATEHOUSE_TEST_OPENCLAW is not set (scripts/test sets it)")?;
    let program = folder.join("node_modules/.bin/openclaw");
    absent(&program).map_or(Ok(folder), Err)
}

/// tauri-driver: `GATEHOUSE_TEST_TAURI_DRIVER` (scripts/test sets it).
pub(crate) fn tauri_driver() -> PathBuf {
    std::env::var_os("GATEHOUSE_TEST_TAURI_DRIVER").map_or_else(|| "tauri-driver".into(), PathBuf::from)
}

/// The headless core links no WebKit.
fn no_tray_app() -> Option<String> {
    let program = crate::program();
    absent(&program).or_else(|| {
        let libraries = std::process::Command::new("ldd").arg(&program).output().expect("ldd starts").stdout;
        let has_window = String::from_utf8_lossy(&libraries).contains("webkit2gtk");
        (!has_window).then(|| "the program is built without the tray app".into())
    })
}

fn absent(program: &Path) -> Option<String> {
    (!program.exists()).then(|| format!("{} does not exist", program.display()))
}

fn lacks(programs: &[&str], package: &str) -> Option<String> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    let missing: Vec<&str> = programs
        .iter()
        .filter(|program| !folders.iter().any(|folder| folder.join(program).exists()))
        .copied()
        .collect();
    (!missing.is_empty()).then(|| format!("{} not found (Debian: {package})", missing.join(", ")))
}
