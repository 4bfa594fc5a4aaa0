//! A screen on one of the machines: X, a session bus, a window manager, and a panel with a real tray.
//!
//! What a person sees there is what a test sees: pictures of the whole screen, read by a text recogniser and clicked with
//! the mouse. The tray's menu can also be asked over the session bus, as a screen reader would.

mod picture;
mod tray;

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::{Machine, eventually, within};

pub use picture::{Line, Picture, Place};
pub use tray::{MenuRow, Tray};

const PATIENCE: Duration = Duration::from_secs(60);

/// The height of the panel at the upper edge, in pixels.
const PANEL: u32 = 30;

const PANEL_SETTINGS: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<channel name="xfce4-panel" version="1.0">
  <property name="configver" type="int" value="2"/>
  <property name="panels" type="array"><value type="int" value="1"/>
    <property name="panel-1" type="empty">
      <property name="position" type="string" value="p=6;x=0;y=0"/>
      <property name="position-locked" type="bool" value="true"/>
      <property name="length" type="uint" value="100"/>
      <property name="size" type="uint" value="30"/>
      <property name="plugin-ids" type="array"><value type="int" value="1"/><value type="int" value="2"/></property>
    </property>
  </property>
  <property name="plugins" type="empty">
    <property name="plugin-1" type="string" value="separator">
      <property name="expand" type="bool" value="true"/><property name="style" type="uint" value="0"/>
    </property>
    <property name="plugin-2" type="string" value="systray"><property name="square-icons" type="bool" value="true"/></property>
  </property>
</channel>
"#;

/// A screen of 1280 by 800 pixels, and everything that a desktop has.
#[derive(Debug)]
pub struct Screen {
    machine: Machine,
    folder: PathBuf,
    display: String,
    address: String,
    bus: zbus::Connection,
    empty: Picture,
    _processes: Vec<Child>,
}

impl Screen {
    /// Starts one on `machine`, with its files in `folder`, and waits until its tray takes icons.
    pub async fn on(machine: &Machine, folder: &Path) -> Self {
        let settings = folder.join("home/.config/xfce4/xfconf/xfce-perchannel-xml");
        for path in [settings.as_path(), &folder.join("run")] {
            std::fs::create_dir_all(path).expect("the screen's folder can be made");
        }
        std::fs::write(settings.join("xfce4-panel.xml"), PANEL_SETTINGS).expect("the panel can be set up");
        let mut x = machine.command("Xvfb");
        x.args(["-displayfd", "1", "-screen", "0", "1280x800x24", "-nolisten", "tcp", "-ac"]);
        let mut x = start(&mut x, folder, "x", Stdio::piped());
        let display = format!(":{}", first_line(&mut x).await);
        // By its path: a name in the abstract namespace would belong to one machine's network.
        let address = format!("unix:path={}", folder.join("run/bus").display());
        let mut bus = machine.command("dbus-daemon");
        bus.args(["--session", "--nofork", "--print-address=1", "--address"]).arg(&address);
        dress(&mut bus, folder, &display, &address);
        let mut bus = start(&mut bus, folder, "bus", Stdio::piped());
        first_line(&mut bus).await;
        let mut processes = vec![x, bus];
        for (program, arguments) in [("openbox", vec![]), ("xfce4-panel", vec!["--disable-wm-check"])] {
            let mut command = machine.command(program);
            dress(command.args(arguments), folder, &display, &address);
            processes.push(start(&mut command, folder, program, Stdio::null()));
        }
        let connection = zbus::connection::Builder::address(address.as_str())
            .expect("an address")
            .build()
            .await
            .expect("the session bus answers");
        let mut screen = Self {
            machine: machine.clone(),
            folder: folder.to_owned(),
            display,
            address,
            bus: connection,
            empty: Picture::nowhere(),
            _processes: processes,
        };
        eventually("the panel has a tray", PATIENCE, async || screen.has_tray().await.then_some(())).await;
        screen.empty = screen.settled().await;
        screen
    }

    /// The tray icon of the one program that has one.
    pub async fn tray(&self) -> Tray<'_> {
        eventually("an icon is in the tray", PATIENCE, async || Tray::find(self).await).await
    }

    /// Whether any program has a tray icon.
    pub async fn has_icon(&self) -> bool {
        Tray::find(self).await.is_some()
    }

    /// What can be seen now.
    pub async fn picture(&self) -> Picture {
        let file = tempfile::Builder::new()
            .prefix("screen-")
            .suffix(".png")
            .tempfile_in(&self.folder)
            .expect("a picture can be made");
        let file = file.into_temp_path().keep().expect("a picture can be kept");
        self.must_run("import", &["-window", "root", text(&file)]).await;
        Picture::at(&self.machine, file)
    }

    /// What can be seen when nothing has moved for a moment.
    pub async fn settled(&self) -> Picture {
        let mut before = self.picture().await;
        eventually("the screen is still", PATIENCE, async || {
            tokio::time::sleep(Duration::from_millis(150)).await;
            let now = self.picture().await;
            let is_still = now.difference(&before, None).await.is_none();
            before = now;
            is_still.then(|| before.clone())
        })
        .await
    }

    /// Clicks with the left button.
    pub async fn click(&self, (x, y): (u32, u32)) {
        self.must_run("xdotool", &["mousemove", &x.to_string(), &y.to_string(), "click", "1"]).await;
    }

    /// Presses a key, as xdotool names it.
    pub async fn press(&self, key: &str) {
        self.must_run("xdotool", &["key", key]).await;
    }

    /// How many windows with this title can be seen.
    pub async fn windows(&self, title: &str) -> usize {
        let found = self.run("xdotool", &["search", "--onlyvisible", "--name", &format!("^{title}$")]).await;
        found.lines().count()
    }

    /// What is on the clipboard.
    pub async fn clipboard(&self) -> String {
        self.run("xclip", &["-o", "-selection", "clipboard"]).await
    }

    /// In which forms it is there, a line each.
    pub async fn clipboard_kinds(&self) -> String {
        self.run("xclip", &["-o", "-selection", "clipboard", "-t", "TARGETS"]).await
    }

    /// Copies text, as a person does in another program.
    pub async fn copy(&self, text: &str) {
        let file = self.folder.join("copied");
        std::fs::write(&file, text).expect("the text can be written");
        // It stays in the background with what it was given to write to.
        let mut command = self.machine.command("xclip");
        command.args(["-i", "-selection", "clipboard"]).arg(&file);
        self.dress(command.stdout(Stdio::null()).stderr(Stdio::null()));
        let ran = within("xclip", PATIENCE, command.status()).await.expect("the program starts");
        assert!(ran.success(), "xclip -i: {ran}");
    }

    /// Puts a command onto this screen. What it has of a session's environment already it keeps.
    pub fn dress(&self, command: &mut Command) {
        dress(command, &self.folder, &self.display, &self.address);
    }

    async fn has_tray(&self) -> bool {
        let watcher = tray::watcher(&self.bus).await;
        let Ok(watcher) = watcher else { return false };
        watcher.get_property("IsStatusNotifierHostRegistered").await.unwrap_or(false)
    }

    async fn must_run(&self, program: &str, arguments: &[&str]) {
        let mut command = self.machine.command(program);
        self.dress(command.args(arguments));
        let ran = within(program, PATIENCE, command.output()).await.expect("the program starts");
        assert!(ran.status.success(), "{program} {arguments:?}: {}", String::from_utf8_lossy(&ran.stderr));
    }

    async fn run(&self, program: &str, arguments: &[&str]) -> String {
        let mut command = self.machine.command(program);
        self.dress(command.args(arguments));
        let ran = within(program, PATIENCE, command.output()).await.expect("the program starts");
        String::from_utf8_lossy(&ran.stdout).into_owned()
    }
}

/// A session's environment. What the command has already it keeps.
fn dress(command: &mut Command, folder: &Path, display: &str, bus: &str) {
    let session = [
        ("HOME", text(&folder.join("home")).to_owned()),
        ("XDG_RUNTIME_DIR", text(&folder.join("run")).to_owned()),
        ("DISPLAY", display.to_owned()),
        ("DBUS_SESSION_BUS_ADDRESS", bus.to_owned()),
        ("GDK_BACKEND", "x11".to_owned()),
        ("NO_AT_BRIDGE", "1".to_owned()),
        ("LIBGL_ALWAYS_SOFTWARE", "1".to_owned()),
    ];
    for (name, value) in session {
        if !command.as_std().get_envs().any(|(known, value)| known == name && value.is_some()) {
            command.env(name, value);
        }
    }
}

fn start(command: &mut Command, folder: &Path, name: &str, output: Stdio) -> Child {
    let log = std::fs::File::create(folder.join(format!("{name}.log"))).expect("a log can be made");
    command.stdin(Stdio::null()).stdout(output).stderr(log).spawn().expect("the program starts")
}

async fn first_line(child: &mut Child) -> String {
    let output = child.stdout.take().expect("its output is ours");
    let mut line = String::new();
    let mut reader = BufReader::new(output);
    within("a first line", PATIENCE, reader.read_line(&mut line)).await.expect("it can be read");
    // Whoever writes more must not die of it.
    tokio::spawn(async move { tokio::io::copy(&mut reader, &mut tokio::io::sink()).await });
    line.trim().to_owned()
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a path of letters")
}
