//! Two machines on one wire, in network namespaces.
//!
//! Each pair has loopback interfaces of its own, so that 127.0.0.1:18789 and port 443 are free in every test and tests
//! run side by side. A connection that a machine opens really comes from that machine's address.

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::process::Command as BlockingCommand;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio::process::Command;

use crate::{Https, Janitor};

/// One machine: a network namespace with loopback and `eth0`.
#[derive(Debug, Clone)]
pub struct Machine {
    namespace: String,
    /// Its first process, where it was booted; programs then share its mounts and processes.
    init: Option<u32>,
    /// Its address on the wire.
    pub v4: Ipv4Addr,
    /// Its address on the wire.
    pub v6: Ipv6Addr,
}

/// Two machines and a folder; all of it is removed with this value.
#[derive(Debug)]
pub struct Net {
    /// The machine with the gateway.
    pub here: Machine,
    /// Somebody else's machine.
    pub there: Machine,
    /// A folder for files of the test.
    pub folder: PathBuf,
    _janitor: Janitor,
}

impl Net {
    /// Two new machines.
    #[must_use]
    pub fn new() -> Self {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let name = format!("gh{}-{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        let folder = TempDir::with_prefix("gatehouse-test-").expect("a folder can be made").keep();
        let here = Machine::named(&format!("{name}-here"), 10);
        let there = Machine::named(&format!("{name}-there"), 20);
        let janitor = Janitor::for_all(&[&here.namespace, &there.namespace], &folder);

        for machine in [&here, &there] {
            ip(&["netns", "add", &machine.namespace]);
            machine.must_run("sysctl", &["-qw", "net.ipv6.conf.default.accept_dad=0"]);
        }
        let (a, b) = (&here.namespace, &there.namespace);
        ip(&["link", "add", "eth0", "netns", a, "type", "veth", "peer", "name", "eth0", "netns", b]);
        for machine in [&here, &there] {
            let namespace = &machine.namespace;
            ip(&["-n", namespace, "link", "set", "lo", "up"]);
            ip(&["-n", namespace, "link", "set", "eth0", "up"]);
            ip(&["-n", namespace, "addr", "add", &format!("{}/24", machine.v4), "dev", "eth0"]);
            ip(&["-n", namespace, "addr", "add", &format!("{}/64", machine.v6), "dev", "eth0", "nodad"]);
        }
        Self { here, there, folder, _janitor: janitor }
    }
}

impl Default for Net {
    fn default() -> Self {
        Self::new()
    }
}

impl Machine {
    /// `number` ends both addresses as they are written: 192.168.77.10 and fd77::10.
    fn named(namespace: &str, number: u8) -> Self {
        Self {
            namespace: namespace.to_owned(),
            init: None,
            v4: Ipv4Addr::new(192, 168, 77, number),
            v6: Ipv6Addr::new(0xfd77, 0, 0, 0, 0, 0, 0, u16::from(number) / 10 * 16),
        }
    }

    /// A machine of this name whose only address is `v4`; who calls this makes the namespace.
    pub(crate) fn of(namespace: &str, v4: Ipv4Addr) -> Self {
        Self { namespace: namespace.to_owned(), init: None, v4, v6: Ipv6Addr::UNSPECIFIED }
    }

    /// The same machine with a first process of its own.
    pub(crate) fn booted(&self, init: u32) -> Self {
        Self { init: Some(init), ..self.clone() }
    }

    /// The name of its network namespace.
    #[must_use]
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// A program that will run on this machine, in a process group of its own, with an empty environment but for PATH.
    #[must_use]
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = match self.init {
            None => {
                let mut command = Command::new("ip");
                command.args(["netns", "exec", &self.namespace]);
                command
            }
            Some(init) => {
                let mut command = Command::new("nsenter");
                command.args([&format!("--target={init}"), "--net", "--mount", "--pid", "--uts", "--"]);
                command
            }
        };
        command.arg(program);
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("LANG", "C.UTF-8");
        command.process_group(0).kill_on_drop(true);
        command
    }

    /// Runs a short program that must succeed.
    pub fn must_run(&self, program: &str, arguments: &[&str]) {
        let mut command = vec!["netns", "exec", &self.namespace, program];
        command.extend(arguments);
        ip(&command);
    }

    /// Opens a connection from this machine.
    pub async fn connect(&self, to: SocketAddr) -> io::Result<TcpStream> {
        let stream =
            self.inside(move || std::net::TcpStream::connect_timeout(&to, Duration::from_secs(10))).await??;
        stream.set_nonblocking(true)?;
        stream.set_nodelay(true)?;
        TcpStream::from_std(stream)
    }

    /// Listens on this machine.
    pub async fn listen(&self, at: SocketAddr) -> io::Result<tokio::net::TcpListener> {
        let listener = self.inside(move || std::net::TcpListener::bind(at)).await??;
        listener.set_nonblocking(true)?;
        tokio::net::TcpListener::from_std(listener)
    }

    /// Runs `work` on a thread that is moved into this machine and ends with it.
    ///
    /// # Errors
    /// The thread could not be made or moved.
    pub async fn inside<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> io::Result<T> {
        let namespace = File::open(Path::new("/run/netns").join(&self.namespace))?;
        let (answer, result) = tokio::sync::oneshot::channel();
        std::thread::Builder::new().name(self.namespace.clone()).spawn(move || {
            let moved = move_into_link_name_space(namespace.as_fd(), Some(LinkNameSpaceType::Network));
            let _ = answer.send(moved.map_err(io::Error::from).map(|()| work()));
        })?;
        result.await.map_err(io::Error::other)?
    }

    /// A client on this machine that trusts one certificate authority (PEM).
    #[must_use]
    pub fn https(&self, ca: &str) -> Https {
        Https::new(self.clone(), ca)
    }

    /// Gives this machine a further name for somebody's address, as a line of `/etc/hosts` would.
    pub fn knows(&self, name: &str, address: IpAddr) {
        let folder = Path::new("/etc/netns").join(&self.namespace);
        std::fs::create_dir_all(&folder).expect("the folder for the machine's files can be made");
        let file = folder.join("hosts");
        let mut hosts =
            std::fs::read_to_string(&file).unwrap_or_else(|_| "127.0.0.1 localhost\n::1 localhost\n".into());
        hosts.push_str(&format!("{address} {name}\n"));
        std::fs::write(&file, hosts).expect("the machine's hosts file can be written");
    }

    /// Takes an address away from the wire side of this machine.
    pub fn lose_address(&self, address: IpAddr) {
        let length = if address.is_ipv4() { 24 } else { 64 };
        ip(&["-n", &self.namespace, "addr", "del", &format!("{address}/{length}"), "dev", "eth0"]);
    }

    /// Adds an address to the wire side of this machine.
    pub fn gain_address(&self, address: IpAddr) {
        let length = if address.is_ipv4() { 24 } else { 64 };
        let address = format!("{address}/{length}");
        let mut command = vec!["-n", &self.namespace, "addr", "add", &address, "dev", "eth0"];
        if length == 64 {
            command.push("nodad");
        }
        ip(&command);
    }
}

pub(crate) fn ip(arguments: &[&str]) {
    let output = BlockingCommand::new("ip").args(arguments).output().expect("ip starts");
    assert!(output.status.success(), "ip {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}
