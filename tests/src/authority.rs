//! A certificate authority of the internet on somebody else's machine: Debian's pebble, with a name server that knows
//! every name as an address of the machine with the gateway.

use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair};
use serde_json::json;
use tokio::process::Child;

use crate::{Gatehouse, House, Machine, Ran, eventually};

/// See the module. Its programs end with this value.
#[derive(Debug)]
pub struct Authority {
    machine: Machine,
    folder: PathBuf,
    slow: u8,
    pebble: Child,
    _names: Child,
}

impl Authority {
    /// One that answers at once.
    pub async fn start(house: &House) -> Self {
        Self::that_takes(house, 0).await
    }

    /// One that takes so many seconds to look for a proof.
    pub async fn that_takes(house: &House, slow: u8) -> Self {
        let machine = house.there.clone();
        let folder = house.folder("authority");
        std::fs::create_dir_all(&folder).expect("the folder can be made");
        certificates(&folder, machine.v4);
        let config = json!({ "pebble": {
            "listenAddress": format!("{}:14000", machine.v4),
            "managementListenAddress": "127.0.0.1:15000",
            "certificate": folder.join("api.pem"),
            "privateKey": folder.join("api.key"),
            "httpPort": 80,
            "tlsPort": 443,
            "ocspResponderURL": "",
            "externalAccountBindingRequired": false,
            "retryAfter": { "authz": 1, "order": 1 },
            "keyAlgorithm": "ecdsa",
            "certificateValidityPeriod": 7_776_000,
        }});
        std::fs::write(folder.join("pebble.json"), config.to_string()).expect("a file can be written");
        let names = machine
            .command("pebble-challtestsrv")
            .args(["-defaultIPv4", &house.here.v4.to_string(), "-defaultIPv6", ""])
            .args(["-http01", "", "-https01", "", "-tlsalpn01", ""])
            .args(["-dns01", &format!("{}:53", machine.v4), "-management", &format!("{}:8055", machine.v4)])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("pebble-challtestsrv starts");
        let pebble = pebble(&machine, &folder, slow);
        let authority = Self { machine, folder, slow, pebble, _names: names };
        authority.until_it_answers().await;
        authority
    }

    /// Ends it as a power cut would.
    pub async fn dies(&mut self) {
        self.pebble.kill().await.expect("pebble can be ended");
    }

    /// Starts it anew: it remembers nothing.
    pub async fn comes_back(&mut self) {
        self.pebble = pebble(&self.machine, &self.folder, self.slow);
        self.until_it_answers().await;
    }

    /// The program in front of the house's gateway, which asks this authority's name server.
    #[must_use]
    pub fn gatehouse(&self, house: &House) -> Gatehouse {
        house.gatehouse().with("GATEHOUSE_TEST_NAME_SERVER", &format!("{}:53", self.machine.v4))
    }

    /// Sets it up as the only authority, with further words.
    pub async fn set_up(&self, gatehouse: &Gatehouse, more: &[&str]) -> Ran {
        let directory = format!("https://{}:14000/dir", self.machine.v4);
        let root = self.folder.join("root.pem").display().to_string();
        let mut words = vec!["cert", "acme", "setup", "--ca", &directory, "--only", "--ca-root", &root];
        words.extend(["--agree-tos", "--email", "owner@example.org"]);
        words.extend(more);
        gatehouse.run(&words).await
    }

    /// The certificate (PEM) under which it issues.
    pub async fn root(&self) -> String {
        let output = self.machine.command("curl").args(["-sk", "https://127.0.0.1:15000/roots/0"]).output();
        String::from_utf8(output.await.expect("curl starts").stdout).expect("a certificate is text")
    }

    /// How many orders were placed.
    #[must_use]
    pub fn orders(&self) -> usize {
        let log = std::fs::read_to_string(self.folder.join("pebble.log")).unwrap_or_default();
        log.lines().filter(|line| line.contains("POST /order-plz")).count()
    }

    /// A program of the user that sets TXT records at its name server.
    #[must_use]
    pub fn hook(&self) -> String {
        use std::os::unix::fs::PermissionsExt;
        let path = self.folder.join("set-txt");
        let script = format!(
            "#!/bin/sh\nset -eu\n[ \"$1\" = present ] && what=set-txt || what=clear-txt\n\
             exec curl -sf -X POST -d \"{{\\\"host\\\":\\\"$2.\\\",\\\"value\\\":\\\"$3\\\"}}\" http://{}:8055/$what\n",
            self.machine.v4
        );
        std::fs::write(&path, script).expect("a file can be written");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o700)).expect("it can be run");
        path.display().to_string()
    }

    async fn until_it_answers(&self) {
        eventually("the authority answers", Duration::from_secs(30), async || {
            self.machine.connect((self.machine.v4, 14000).into()).await.ok()?;
            self.machine.connect((self.machine.v4, 8055).into()).await.ok().map(drop)
        })
        .await;
    }
}

fn pebble(machine: &Machine, folder: &std::path::Path, slow: u8) -> Child {
    let log = std::fs::File::options()
        .create(true)
        .append(true)
        .open(folder.join("pebble.log"))
        .expect("a log can be made");
    let mut command = machine.command("pebble");
    command
        .current_dir(folder)
        .args(["-config", "pebble.json", "-dnsserver", &format!("{}:53", machine.v4)])
        .env("PEBBLE_WFE_NONCEREJECT", "0")
        .env("PEBBLE_AUTHZREUSE", "0")
        .stdout(log.try_clone().expect("a log can be shared"))
        .stderr(log);
    match slow {
        0 => command.env("PEBBLE_VA_NOSLEEP", "1"),
        seconds => command.env("PEBBLE_VA_SLEEPTIME", seconds.to_string()),
    };
    command.spawn().expect("pebble starts")
}

/// An authority for pebble's own HTTPS, and a leaf.
fn certificates(folder: &std::path::Path, address: Ipv4Addr) {
    let key = KeyPair::generate().expect("a key can be made");
    let mut params = CertificateParams::new(Vec::new()).expect("no names are names");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let root = params.self_signed(&key).expect("it can be signed").pem();
    let issuer = Issuer::new(params, key);
    let key = KeyPair::generate().expect("a key can be made");
    let mut params = CertificateParams::new([address.to_string()]).expect("an address is a name");
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let leaf = params.signed_by(&key, &issuer).expect("it can be signed").pem();
    for (name, text) in [("root.pem", root), ("api.pem", leaf), ("api.key", key.serialize_pem())] {
        std::fs::write(folder.join(name), text).expect("a file can be written");
    }
}
