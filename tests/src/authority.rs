//! A certificate authority of the internet on somebody else's machine: Debian's pebble, with a name server that knows
//! every name as an address of the machine with the gateway, or with BIND and one zone.

use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair};
use serde_json::json;
use tokio::process::{Child, Command};

use crate::{Gatehouse, House, Machine, Ran, eventually};

/// See the module. Its programs end with this value.
#[derive(Debug)]
pub struct Authority {
    machine: Machine,
    folder: PathBuf,
    slow: u8,
    bind: bool,
    pebble: Child,
    _names: Child,
}

/// What is unusual about it.
#[derive(Debug, Clone, Copy)]
pub struct Moods {
    /// Seconds that it takes to look for a proof.
    pub slow: u8,
    /// Whether it wants an account on its web site; [`Authority::EXTERNAL`] is one.
    pub external: bool,
    /// How long its certificates live, in seconds.
    pub life: u32,
    /// Whether its name server is BIND, with the zone [`Authority::ZONE`] and a key that may set TXT records.
    pub bind: bool,
}

impl Default for Moods {
    fn default() -> Self {
        Self { slow: 0, external: false, life: 7_776_000, bind: false }
    }
}

impl Authority {
    /// An account on its web site: key identifier and key.
    pub const EXTERNAL: (&str, &str) =
        ("kid-1", "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W");
    /// BIND's zone.
    pub const ZONE: &str = "gatehouse-story.org";
    /// The key that may set TXT records: its name and its secret.
    pub const TSIG: (&str, &str) = ("gatehouse", "pRP5FapFoJ95JEL06sv4PQ3N4eSjVYGxWtZrGP8mXyM=");

    /// One that answers at once.
    pub async fn start(house: &House) -> Self {
        Self::with(house, Moods::default()).await
    }

    /// One that takes so many seconds to look for a proof.
    pub async fn that_takes(house: &House, slow: u8) -> Self {
        Self::with(house, Moods { slow, ..Moods::default() }).await
    }

    /// One like this.
    pub async fn with(house: &House, moods: Moods) -> Self {
        let Moods { slow, bind, .. } = moods;
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
            "externalAccountBindingRequired": moods.external,
            "externalAccountMACKeys": { (Self::EXTERNAL.0): Self::EXTERNAL.1 },
            "retryAfter": { "authz": 1, "order": 1 },
            "keyAlgorithm": "ecdsa",
            "certificateValidityPeriod": moods.life,
        }});
        std::fs::write(folder.join("pebble.json"), config.to_string()).expect("a file can be written");
        let mut names = match bind {
            true => named(&machine, &folder, house.here.v4),
            false => everybody(&machine, house.here.v4),
        };
        let names = names.stdin(Stdio::null()).spawn().expect("a name server starts");
        let pebble = pebble(&machine, &folder, slow);
        let authority = Self { machine, folder, slow, bind, pebble, _names: names };
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
        self.logged("POST /order-plz")
    }

    /// How many accounts it made since it started.
    #[must_use]
    pub fn accounts(&self) -> usize {
        let log = std::fs::read_to_string(self.folder.join("pebble.log")).unwrap_or_default();
        let numbers =
            log.lines().filter_map(|line| line.split_once("There are now ")?.1.split_once(" accounts"));
        numbers.filter_map(|(number, _)| number.parse().ok()).max().unwrap_or_default()
    }

    fn logged(&self, what: &str) -> usize {
        let log = std::fs::read_to_string(self.folder.join("pebble.log")).unwrap_or_default();
        log.lines().filter(|line| line.contains(what)).count()
    }

    /// What BIND has said.
    #[must_use]
    pub fn name_server_said(&self) -> String {
        std::fs::read_to_string(self.folder.join("named.log")).unwrap_or_default()
    }

    /// The TXT records that its name server shows for a name.
    pub async fn txt(&self, name: &str) -> Vec<String> {
        let server = format!("@{}", self.machine.v4);
        let output = self.machine.command("dig").args([&server, "+short", "+tcp", "TXT", name]).output();
        let output = String::from_utf8(output.await.expect("dig starts").stdout).expect("records are text");
        output.lines().map(|line| line.trim_matches('"').to_owned()).collect()
    }

    /// Sets or clears a TXT record at the name server that knows every name.
    pub(crate) async fn tell(&self, what: &str, name: &str, value: &str) {
        let body = json!({ "host": format!("{name}."), "value": value }).to_string();
        let url = format!("http://{}:8055/{what}", self.machine.v4);
        let told = self.machine.command("curl").args(["-sf", "-X", "POST", "-d", &body, &url]).status();
        assert!(told.await.expect("curl starts").success(), "{what} {name}");
    }

    /// The machine that it is on.
    pub(crate) fn machine(&self) -> &Machine {
        &self.machine
    }

    /// Certificate and key (PEM) by which its address proves itself; who trusts the authority's root trusts them.
    pub(crate) fn own(&self) -> (String, String) {
        let read = |name| std::fs::read_to_string(self.folder.join(name)).expect("a file can be read");
        (read("api.pem"), read("api.key"))
    }

    /// A private file with a secret, for `--secret-file`.
    #[must_use]
    pub fn secret_file(&self, secret: &str) -> String {
        let path = self.folder.join("secret");
        std::fs::write(&path, secret).expect("a file can be written");
        path.display().to_string()
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
            let port = if self.bind { 53 } else { 8055 };
            self.machine.connect((self.machine.v4, port).into()).await.ok().map(drop)
        })
        .await;
    }
}

/// A name server that knows every name as `address`.
fn everybody(machine: &Machine, address: Ipv4Addr) -> Command {
    let mut command = machine.command("pebble-challtestsrv");
    command
        .args(["-defaultIPv4", &address.to_string(), "-defaultIPv6", ""])
        .args(["-http01", "", "-https01", "", "-tlsalpn01", ""])
        .args(["-dns01", &format!("{}:53", machine.v4), "-management", &format!("{}:8055", machine.v4)])
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command
}

/// BIND with one zone, whose every name is `address`, and whose TXT records one key may set.
fn named(machine: &Machine, folder: &std::path::Path, address: Ipv4Addr) -> Command {
    let home = folder.join("named");
    std::fs::create_dir_all(&home).expect("the folder can be made");
    let (zone, (key, secret)) = (Authority::ZONE, Authority::TSIG);
    let records = format!(
        "$TTL 60\n@ SOA ns hostmaster 1 3600 600 86400 5\n@ NS ns\nns A {}\n@ A {address}\n* A {address}\n",
        machine.v4
    );
    std::fs::write(home.join("zone"), records).expect("a file can be written");
    let directory = home.display();
    let config = format!(
        "options {{ directory \"{directory}\"; listen-on {{ {}; }}; listen-on-v6 {{ none; }}; recursion no; \
         pid-file none; session-keyfile none; dnssec-validation no; }};\n\
         controls {{ }};\n\
         key \"{key}\" {{ algorithm hmac-sha256; secret \"{secret}\"; }};\n\
         zone \"{zone}\" {{ type primary; file \"zone\"; update-policy {{ grant {key} zonesub TXT; }}; }};\n",
        machine.v4
    );
    std::fs::write(home.join("named.conf"), config).expect("a file can be written");
    let log = std::fs::File::create(folder.join("named.log")).expect("a log can be made");
    let mut command = machine.command("/usr/sbin/named");
    command.args(["-g", "-4", "-c"]).arg(home.join("named.conf"));
    command.stdout(Stdio::null()).stderr(log);
    command
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
    let mut params = CertificateParams::new([address.to_string(), crate::cloudflare::ADDRESS.to_string()])
        .expect("an address is a name");
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let leaf = params.signed_by(&key, &issuer).expect("it can be signed").pem();
    for (name, text) in [("root.pem", root), ("api.pem", leaf), ("api.key", key.serialize_pem())] {
        std::fs::write(folder.join(name), text).expect("a file can be written");
    }
}
