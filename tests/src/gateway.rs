//! The real, pinned OpenClaw gateway with a home of its own.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use serde_json::{Value, json};
use tokio::process::Child;
use tokio_tungstenite::tungstenite::http::Request;

use crate::client::Line;
use crate::{Admission, ConnectAs, Device, Machine, eventually, need, within};

/// The shared token of every gateway in these tests.
pub const TOKEN: &str = "test-token-0123456789abcdef0123456789abcdef";

/// A cold start on a busy machine with two cores, several gateways at once.
const START: Duration = Duration::from_secs(120);

/// How a gateway is set up before it starts.
#[derive(Debug, Clone)]
pub struct GatewayOptions {
    /// Text of `openclaw.json`.
    pub config: String,
}

/// A gateway's files and, while it runs, its process.
#[derive(Debug)]
pub struct Gateway {
    machine: Machine,
    home: PathBuf,
    child: Option<Child>,
}

/// A connection to the gateway that may do everything, past the edge.
pub type Operator = Device;

impl Default for GatewayOptions {
    fn default() -> Self {
        Self {
            config: format!(
                "// The gateway of a test.\n{{\n  gateway: {{\n    mode: 'local', // of this machine\n    port: 18789,\n    \
                 bind: 'loopback',\n    auth: {{ mode: 'token', token: '{TOKEN}' }},\n  }},\n}}\n"
            ),
        }
    }
}

impl Gateway {
    /// The files of a gateway that is not started yet; `home` becomes its HOME.
    #[must_use]
    pub fn configured(machine: &Machine, home: &Path, options: &GatewayOptions) -> Self {
        let gateway = Self { machine: machine.clone(), home: home.to_owned(), child: None };
        std::fs::create_dir_all(gateway.state()).expect("the gateway's folder can be made");
        set_mode(&gateway.state(), 0o700);
        gateway.write_config(options.config.as_bytes());
        gateway
    }

    /// Its HOME.
    #[must_use]
    pub fn home(&self) -> &Path {
        &self.home
    }

    /// Its state folder.
    #[must_use]
    pub fn state(&self) -> PathBuf {
        self.home.join(".openclaw")
    }

    /// Its configuration file.
    #[must_use]
    pub fn config_path(&self) -> PathBuf {
        self.state().join("openclaw.json")
    }

    /// The configuration file as it is.
    #[must_use]
    pub fn config_bytes(&self) -> Vec<u8> {
        std::fs::read(self.config_path()).expect("the gateway's configuration can be read")
    }

    /// What the configuration file means, without what the gateway notes about its own writes (`meta`).
    #[must_use]
    pub fn config_value(&self) -> Value {
        let text = String::from_utf8(self.config_bytes()).expect("the configuration is text");
        let mut value: Value = json5::from_str(&text).expect("the configuration is JSON5");
        if let Some(object) = value.as_object_mut() {
            object.remove("meta");
        }
        value
    }

    /// Replaces the configuration file, as somebody with an editor would.
    pub fn write_config(&self, text: &[u8]) {
        std::fs::write(self.config_path(), text).expect("the gateway's configuration can be written");
        set_mode(&self.config_path(), 0o600);
    }

    /// Starts it and waits until it accepts connections.
    pub async fn start(&mut self) {
        self.launch();
        self.is_ready().await;
    }

    /// Starts it and returns at once.
    pub fn launch(&mut self) {
        let folder = need::openclaw().expect("the test asked for OpenClaw");
        let programs = folder.join("node_modules/.bin");
        let path = std::env::join_paths(
            std::iter::once(programs.clone())
                .chain(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default())),
        );
        let log =
            std::fs::File::options().create(true).append(true).open(self.log()).expect("a log can be made");
        std::fs::create_dir_all(self.home.join("tmp")).expect("a temporary folder can be made");
        let child = self
            .machine
            .command(programs.join("openclaw"))
            .args(["gateway", "run", "--port", "18789"])
            .current_dir(&self.home)
            .env("PATH", path.expect("PATH can be extended"))
            .env("HOME", &self.home)
            .env("TMPDIR", self.home.join("tmp"))
            .env("NODE_COMPILE_CACHE", std::env::temp_dir().join("node-compile-cache"))
            .envs([
                // One process, so that its id is the gateway's.
                ("OPENCLAW_PACKAGED_COMPILE_CACHE_RESPAWNED", "1"),
                ("OPENCLAW_NO_RESPAWN", "1"),
                ("OPENCLAW_SKIP_CHANNELS", "1"),
                ("OPENCLAW_SKIP_CRON", "1"),
                ("OPENCLAW_DISABLE_BONJOUR", "1"),
                ("OPENCLAW_NO_AUTO_UPDATE", "1"),
            ])
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a log can be shared"))
            .stderr(log)
            .spawn()
            .expect("the gateway starts");
        self.child = Some(child);
    }

    /// Waits until it accepts connections.
    pub async fn is_ready(&self) {
        let ready = async || {
            let stream = self.machine.connect(address()).await.ok()?;
            let answer = Line::over(stream).get("127.0.0.1:18789", "/readyz", &[]).await;
            (answer.json()["ready"] == true).then_some(())
        };
        eventually("the gateway is ready", START, ready).await;
    }

    /// Ends it at once, as a crash would.
    pub async fn dies(&mut self) {
        let mut child = self.child.take().expect("the gateway runs");
        // Its helpers die with it.
        kill_process_group(process_id(&child), Signal::KILL).expect("the gateway can be ended");
        child.wait().await.expect("the gateway ends");
    }

    /// Asks it to end, and waits.
    pub async fn stops(&mut self) {
        let mut child = self.child.take().expect("the gateway runs");
        kill_process(process_id(&child), Signal::TERM).expect("the gateway can be told");
        within("the gateway's end", Duration::from_secs(30), child.wait()).await.expect("the gateway ends");
    }

    /// Tells it to restart in its process, as a change of its configuration does. Returns at once.
    pub fn restarts(&self) {
        let child = self.child.as_ref().expect("the gateway runs");
        kill_process(process_id(child), Signal::USR2).expect("the gateway can be told");
    }

    /// Process id of the gateway.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.as_ref().and_then(Child::id).expect("the gateway runs")
    }

    /// A connection past the edge that may do everything.
    pub async fn operator(&self) -> Operator {
        let stream = self.machine.connect(address()).await.expect("the gateway listens");
        let request = Request::builder()
            .uri("ws://127.0.0.1:18789/")
            .header("Host", "127.0.0.1:18789")
            .header("Connection", "Upgrade")
            .header("Upgrade", "websocket")
            .header("Sec-WebSocket-Version", "13")
            .header("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==");
        let socket = crate::client::upgrade(Box::new(stream), request.body(()).expect("well-formed")).await;
        match Device::connect(socket.expect("the gateway upgrades"), &ConnectAs::backend(TOKEN), None).await {
            Admission::In(device) => *device,
            Admission::Refused { code, error } => {
                panic!("the gateway refused its own token with {code}: {error}")
            }
        }
    }

    /// The gateway's own list of devices: `pending` and `paired`.
    pub async fn devices(&self) -> Value {
        self.operator().await.call("device.pair.list", json!({})).await.expect("the gateway lists devices")
    }

    /// The waiting request of one device, as the gateway tells it.
    pub async fn pending(&self, device: &str) -> Option<Value> {
        find(&self.devices().await["pending"], device)
    }

    /// One paired device, as the gateway tells it.
    pub async fn paired(&self, device: &str) -> Option<Value> {
        find(&self.devices().await["paired"], device)
    }

    /// Where its output goes.
    #[must_use]
    pub fn log(&self) -> PathBuf {
        self.home.join("gateway.log")
    }
}

fn find(list: &Value, device: &str) -> Option<Value> {
    list.as_array()?.iter().find(|entry| entry["deviceId"] == device).cloned()
}

fn process_id(child: &Child) -> Pid {
    child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw).expect("the gateway runs")
}

fn address() -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, 18789))
}

fn set_mode(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("permissions can be set");
}
