//! Debian's pebble with its DNS server, on free ports.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rcgen::{BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair};
use rustls::pki_types::CertificateDer;
use tempfile::TempDir;

use super::{LONG, Ports, free_port};

/// What is unusual about it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Moods {
    /// Share of requests that are refused for their nonce.
    pub(crate) bad_nonces: u8,
    /// Whether an account needs an external binding.
    pub(crate) external: bool,
    /// Seconds that a validation takes.
    pub(crate) slow: Option<u8>,
}

pub(crate) const EXTERNAL_KEY: &str = "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W";

pub(crate) struct Pebble {
    pub(crate) directory: String,
    pub(crate) root: CertificateDer<'static>,
    /// Where DNS answers are set, by HTTP.
    pub(crate) dns: u16,
    folder: TempDir,
    port: u16,
    resolver: u16,
    moods: Moods,
    pebble: Child,
    server: Child,
}

impl Pebble {
    pub(crate) fn start(ports: Ports, moods: &Moods) -> Self {
        let folder = TempDir::new().unwrap();
        let root = certificates(folder.path());
        let (port, resolver, dns) = (free_port(), free_port(), free_port());
        let config = serde_json::json!({ "pebble": {
            "listenAddress": format!("127.0.0.1:{port}"),
            "managementListenAddress": format!("127.0.0.1:{}", free_port()),
            "certificate": folder.path().join("api.pem"),
            "privateKey": folder.path().join("api.key"),
            "httpPort": ports.http,
            "tlsPort": ports.tls,
            "ocspResponderURL": "",
            "externalAccountBindingRequired": moods.external,
            "externalAccountMACKeys": { "kid-1": EXTERNAL_KEY },
            "domainBlocklist": ["blocked-domain.example"],
            "retryAfter": { "authz": 1, "order": 1 },
            "keyAlgorithm": "ecdsa",
            "certificateValidityPeriod": 7_776_000,
        }});
        std::fs::write(folder.path().join("pebble.json"), config.to_string()).unwrap();
        let server = Command::new("pebble-challtestsrv")
            .args([
                "-defaultIPv4",
                "127.0.0.1",
                "-defaultIPv6",
                "",
                "-http01",
                "",
                "-https01",
                "",
                "-tlsalpn01",
                "",
            ])
            .args(["-dns01", &format!("127.0.0.1:{resolver}"), "-management", &format!("127.0.0.1:{dns}")])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let pebble = spawn(folder.path(), resolver, moods);
        let directory = format!("https://localhost:{port}/dir");
        let started =
            Self { directory, root, dns, folder, port, resolver, moods: moods.clone(), pebble, server };
        started.until_it_listens();
        started
    }

    /// Ends it and starts it anew: it remembers nothing.
    pub(crate) fn restart(&mut self) {
        self.stop();
        self.pebble = spawn(self.folder.path(), self.resolver, &self.moods);
        self.until_it_listens();
    }

    pub(crate) fn stop(&mut self) {
        let _ = self.pebble.kill();
        let _ = self.pebble.wait();
    }

    /// Says something to the DNS server, for example `add-a {"host":"a.example.","addresses":["127.0.0.9"]}`.
    pub(crate) fn tell_dns(&self, command: &str, body: &serde_json::Value) {
        let body = body.to_string();
        let mut stream = TcpStream::connect(("127.0.0.1", self.dns)).unwrap();
        write!(
            stream,
            "POST /{command} HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }

    /// How often each kind of request was made, as pebble's log tells.
    pub(crate) fn requests(&self, path: &str) -> usize {
        let log = std::fs::read_to_string(self.folder.path().join("pebble.log")).unwrap();
        log.lines().filter(|line| line.contains(path)).count()
    }

    fn until_it_listens(&self) {
        let begun = Instant::now();
        while TcpStream::connect(("127.0.0.1", self.port)).is_err()
            || TcpStream::connect(("127.0.0.1", self.dns)).is_err()
        {
            assert!(begun.elapsed() < LONG, "pebble does not listen");
            std::thread::yield_now();
            let _ = TcpStream::connect_timeout(&([127, 0, 0, 1], 1).into(), Duration::from_millis(5));
        }
    }
}

impl Drop for Pebble {
    fn drop(&mut self) {
        for child in [&mut self.pebble, &mut self.server] {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn spawn(folder: &Path, resolver: u16, moods: &Moods) -> Child {
    let log = std::fs::File::create(folder.join("pebble.log")).unwrap();
    let mut command = Command::new("pebble");
    command
        .current_dir(folder)
        .args(["-config", "pebble.json", "-dnsserver", &format!("127.0.0.1:{resolver}")])
        .env("PEBBLE_WFE_NONCEREJECT", moods.bad_nonces.to_string())
        .env("PEBBLE_AUTHZREUSE", "0")
        .stdout(log.try_clone().unwrap())
        .stderr(log);
    match moods.slow {
        Some(seconds) => command.env("PEBBLE_VA_SLEEPTIME", seconds.to_string()),
        None => command.env("PEBBLE_VA_NOSLEEP", "1"),
    };
    command.spawn().unwrap()
}

/// An authority for pebble's own HTTPS, and a leaf.
fn certificates(folder: &Path) -> CertificateDer<'static> {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let root = params.self_signed(&key).unwrap().der().clone();
    let issuer = Issuer::new(params, key);
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(["localhost".to_owned(), "127.0.0.1".to_owned()]).unwrap();
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let leaf = params.signed_by(&key, &issuer).unwrap();
    std::fs::write(folder.join("api.pem"), leaf.pem()).unwrap();
    std::fs::write(folder.join("api.key"), key.serialize_pem()).unwrap();
    root
}
