//! The servers: where they are found, how they are started, what a reload is to each.

use crate::Outcome;
use crate::process::Running;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// The core on which servers run, alone.
const CORE: usize = 0;

/// Which program a peer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// This product's edge.
    Edge,
    /// nginx.
    Nginx,
    /// Caddy.
    Caddy,
    /// HAProxy.
    Haproxy,
}

/// A server that can be started.
#[derive(Debug, Clone)]
pub struct Peer {
    /// Which program.
    pub kind: Kind,
    /// Program and version, for the table.
    pub label: String,
    program: PathBuf,
    /// Before the arguments proper.
    prefix: Vec<String>,
    port: u16,
}

/// Where everything listens and keeps its files.
#[derive(Debug, Clone)]
pub struct Place {
    /// The address of the servers.
    pub listen: IpAddr,
    /// The upstream.
    pub upstream: SocketAddr,
    /// Certificates, configurations, logs.
    pub folder: PathBuf,
}

/// A server that runs.
#[derive(Debug)]
pub struct Server {
    /// Its processes.
    pub running: Running,
    peer: Peer,
    place: Place,
    /// HAProxy reloads by a second process that takes over.
    successor: Option<Running>,
}

impl Peer {
    /// This program as the edge.
    pub fn edge(port: u16) -> Outcome<Self> {
        let program = std::env::current_exe()?;
        Ok(Self {
            kind: Kind::Edge,
            label: "Gatehouse".to_owned(),
            program,
            prefix: vec!["edge".to_owned()],
            port,
        })
    }

    /// A program by its command line, `nginx`, `/somewhere/caddy` or `loader --library-path libs haproxy`; none where it
    /// does not run.
    pub fn find(command: &str, port: u16) -> Option<Self> {
        let mut words = command.split_whitespace().map(str::to_owned);
        let program = PathBuf::from(words.next()?);
        let prefix: Vec<String> = words.collect();
        let name =
            Path::new(prefix.last().map_or(program.to_str()?, String::as_str)).file_name()?.to_str()?;
        let (kind, flag, label) = match name {
            "nginx" => (Kind::Nginx, "-v", "nginx"),
            "caddy" => (Kind::Caddy, "version", "Caddy"),
            "haproxy" => (Kind::Haproxy, "-v", "HAProxy"),
            _ => return None,
        };
        let output = Command::new(&program).args(&prefix).arg(flag).output().ok()?;
        let text = [output.stdout, output.stderr].concat();
        let text = String::from_utf8_lossy(&text).into_owned();
        let version = text.split(|letter: char| !letter.is_ascii_digit() && letter != '.');
        let version =
            version.map(|word| word.trim_matches('.')).find(|word| word.matches('.').count() == 2)?;
        Some(Self { kind, label: format!("{label} {version}"), program, prefix, port })
    }

    /// Whether the edge.
    pub fn is_edge(&self) -> bool {
        self.kind == Kind::Edge
    }

    fn file(&self) -> String {
        self.label.replace(' ', "-").to_lowercase()
    }

    /// Starts it and waits until it takes connections.
    pub async fn start(&self, place: &Place) -> Outcome<Server> {
        let arguments = self.arguments(place)?;
        let log = place.folder.join(format!("{}.out", self.file()));
        let running = Running::start(CORE, &self.program, &arguments, &log)?;
        let server = Server { running, peer: self.clone(), place: place.clone(), successor: None };
        for _ in 0..1500 {
            if tokio::net::TcpStream::connect(server.address()).await.is_ok() {
                return Ok(server);
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Err(format!("{} does not start; see {}", self.label, log.display()).into())
    }

    fn arguments(&self, place: &Place) -> Outcome<Vec<String>> {
        let folder = place.folder.display().to_string();
        let mut arguments = self.prefix.clone();
        if self.is_edge() {
            let listen = SocketAddr::new(place.listen, self.port);
            arguments.extend([listen.to_string(), place.upstream.to_string(), folder]);
            return Ok(arguments);
        }
        let config = self.write_config(place)?;
        match self.kind {
            Kind::Nginx => arguments.extend(["-c".to_owned(), config]),
            Kind::Caddy => {
                arguments.extend(["run", "--adapter", "caddyfile", "--config", &config].map(str::to_owned))
            }
            _ => arguments.extend(["-db".to_owned(), "-f".to_owned(), config]),
        }
        Ok(arguments)
    }

    fn write_config(&self, place: &Place) -> Outcome<String> {
        let template = match self.kind {
            Kind::Nginx => include_str!("../peers/nginx.conf"),
            Kind::Caddy => include_str!("../peers/caddy.caddyfile"),
            _ => include_str!("../peers/haproxy.cfg"),
        };
        let text = template
            .replace("{DIR}", &place.folder.display().to_string())
            .replace("{NAME}", &self.file())
            .replace("{UPSTREAM}", &place.upstream.to_string())
            .replace("{LISTEN}", &place.listen.to_string())
            .replace("{PORT}", &self.port.to_string())
            .replace("{RSA_PORT}", &(self.port + 1).to_string())
            .replace("{ADMIN_PORT}", &(self.port + 2).to_string());
        let path = place.folder.join(format!("{}.conf", self.file()));
        std::fs::write(&path, text)?;
        Ok(path.display().to_string())
    }
}

impl Server {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        SocketAddr::new(self.place.listen, self.peer.port)
    }

    /// Where it listens with its RSA certificate. The edge chooses by name instead.
    pub fn rsa_address(&self) -> SocketAddr {
        let port = if self.peer.is_edge() { self.peer.port } else { self.peer.port + 1 };
        SocketAddr::new(self.place.listen, port)
    }

    /// Changes the edge: `reload`, `renew` or `origin`. To the others all of these are a reload of the configuration.
    pub async fn change(&mut self, what: &str) -> Outcome<()> {
        match self.peer.kind {
            Kind::Edge => {
                writeln!(self.running.input()?, "{what}")?;
                self.running.input()?.flush()?;
                let log = self.place.folder.join(format!("{}.out", self.peer.file()));
                for _ in 0..500 {
                    let answers = BufReader::new(std::fs::File::open(&log)?).lines().map_while(Result::ok);
                    if answers.filter(|line| line == "done").count() > 0 {
                        return Ok(());
                    }
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                Err("the edge did not change".into())
            }
            Kind::Nginx => command(Command::new("kill").args(["-HUP", &self.running.id().to_string()])),
            Kind::Caddy => {
                let config = self.peer.write_config(&self.place)?;
                let admin = format!("{}:{}", self.place.listen, self.peer.port + 2);
                let mut reload = Command::new(&self.peer.program);
                reload.args([
                    "reload",
                    "--force",
                    "--adapter",
                    "caddyfile",
                    "--config",
                    &config,
                    "--address",
                    &admin,
                ]);
                command(&mut reload)
            }
            Kind::Haproxy => {
                let mut arguments = self.peer.arguments(&self.place)?;
                arguments.extend(["-sf".to_owned(), self.running.id().to_string()]);
                let log = self.place.folder.join(format!("{}-2.out", self.peer.file()));
                self.successor = Some(Running::start(CORE, &self.peer.program, &arguments, &log)?);
                Ok(())
            }
        }
    }
}

fn command(command: &mut Command) -> Outcome<()> {
    let output = command.output()?;
    if output.status.success() {
        Ok(())
    } else {
        Err(String::from_utf8_lossy(&output.stderr).into_owned().into())
    }
}
