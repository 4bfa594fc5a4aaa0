//! A home router between a machine and the internet: miniupnpd (UPnP, NAT-PMP and PCP) over nftables.

use std::net::Ipv4Addr;
use std::process::Stdio;
use std::time::Duration;

use tempfile::TempDir;
use tokio::process::Child;

use crate::machine::{Machine, ip};
use crate::{Janitor, Net, eventually};

const RULES: &str = "table inet filter {
 chain forward { type filter hook forward priority 0; policy accept; jump miniupnpd
 }
 chain miniupnpd {
 }
 chain prerouting { type nat hook prerouting priority -100; policy accept; jump prerouting_miniupnpd
 }
 chain prerouting_miniupnpd {
 }
 chain postrouting { type nat hook postrouting priority 100; policy accept; jump postrouting_miniupnpd; oifname \"wan0\" masquerade
 }
 chain postrouting_miniupnpd {
 }
}
";

/// What a router does with those who ask it for a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// It opens ports, by every protocol.
    Obliging,
    /// It opens ports by UPnP alone.
    UpnpAlone,
    /// It speaks UPnP and opens nothing. (With PCP, miniupnpd looks for a port that it may open through all 65,535,
    /// and answers nobody meanwhile.)
    Refusing,
}

/// The router: `net.there` with a second side, and one host of the internet.
#[derive(Debug)]
pub struct Router {
    router: Machine,
    daemon: Option<Child>,
    manner: Manner,
    /// A host on the other side.
    pub internet: Machine,
    folder: TempDir,
    _janitor: Janitor,
}

impl Router {
    /// Makes a router of `net.there`, with `outside` as its address on the other side, and lets `net.here` use it.
    pub async fn new(net: &Net, outside: Ipv4Addr, manner: Manner) -> Self {
        let [a, b, c, _] = outside.octets();
        let folder = TempDir::with_prefix("gatehouse-router-").expect("a folder can be made");
        let internet = Machine::of(&format!("{}i", net.there.namespace()), Ipv4Addr::new(a, b, c, 254));
        let janitor = Janitor::for_all(&[internet.namespace()], folder.path());
        ip(&["netns", "add", internet.namespace()]);
        let (router, inet) = (net.there.namespace(), internet.namespace());
        ip(&["link", "add", "wan0", "netns", router, "type", "veth", "peer", "name", "eth0", "netns", inet]);
        ip(&["-n", router, "addr", "add", &format!("{outside}/24"), "dev", "wan0"]);
        ip(&["-n", router, "link", "set", "wan0", "up"]);
        ip(&["-n", router, "route", "add", "default", "dev", "wan0"]);
        ip(&["-n", inet, "addr", "add", &format!("{}/24", internet.v4), "dev", "eth0"]);
        ip(&["-n", inet, "link", "set", "eth0", "up"]);
        ip(&["-n", inet, "link", "set", "lo", "up"]);
        let here = net.here.namespace();
        ip(&["-n", here, "route", "add", "default", "via", &net.there.v4.to_string()]);
        ip(&["-n", here, "route", "add", "239.0.0.0/8", "dev", "eth0"]);
        net.there.must_run("sysctl", &["-qw", "net.ipv4.ip_forward=1"]);
        let rules = folder.path().join("rules");
        std::fs::write(&rules, RULES).expect("the rules can be written");
        net.there.must_run("nft", &["-f", &rules.to_string_lossy()]);
        let mut router =
            Self { router: net.there.clone(), daemon: None, manner, internet, folder, _janitor: janitor };
        router.start().await;
        router
    }

    /// Forgets every mapping and starts again, as after a power cut.
    pub async fn reboot(&mut self) {
        self.stop().await;
        let rules = self.folder.path().join("rules");
        self.router.must_run("nft", &["flush", "ruleset"]);
        self.router.must_run("nft", &["-f", &rules.to_string_lossy()]);
        self.start().await;
    }

    /// The ports that are open, as the router's own rules say it.
    #[must_use]
    pub fn open_ports(&self) -> Vec<u16> {
        let mut list = std::process::Command::new("ip");
        list.args(["netns", "exec", self.router.namespace(), "nft", "list", "chain", "inet", "filter"]);
        let output = list.arg("prerouting_miniupnpd").output().expect("nft starts");
        let rules = String::from_utf8_lossy(&output.stdout).into_owned();
        let port = |line: &str| {
            let (_, rest) = line.split_once("dport ")?;
            line.contains("dnat").then(|| rest.split_whitespace().next()?.parse().ok())?
        };
        rules.lines().filter_map(port).collect()
    }

    /// No protocol answers any more.
    pub async fn stop(&mut self) {
        if let Some(mut daemon) = self.daemon.take() {
            daemon.kill().await.expect("the daemon can be stopped");
        }
    }

    async fn start(&mut self) {
        let configuration = self.folder.path().join("miniupnpd.conf");
        let yes = |condition: bool| if condition { "yes" } else { "no" };
        let rule = match self.manner {
            Manner::Refusing => "",
            Manner::Obliging | Manner::UpnpAlone => "allow 1-65535 192.168.77.0/24 1-65535\n",
        };
        let text = format!(
            "ext_ifname=wan0\nlistening_ip=eth0\nhttp_port=0\nenable_natpmp={}\nenable_upnp=yes\nsecure_mode=yes\n\
             system_uptime=no\nmin_lifetime=120\nmax_lifetime=86400\nupnp_table_name=filter\n\
             upnp_nat_table_name=filter\nuuid=00000000-0000-0000-0000-0000000000aa\nserial=1\nmodel_number=1\n\
             {rule}deny 0-65535 0.0.0.0/0 0-65535\n",
            yes(self.manner == Manner::Obliging),
        );
        std::fs::write(&configuration, text).expect("the configuration can be written");
        let log = self.folder.path().join("log");
        let output = std::fs::File::create(&log).expect("the log can be made");
        let pid = self.folder.path().join("pid");
        let mut command = self.router.command("miniupnpd");
        command.args([
            "-d".as_ref(),
            "-f".as_ref(),
            configuration.as_os_str(),
            "-P".as_ref(),
            pid.as_os_str(),
        ]);
        command.stdin(Stdio::null()).stdout(output.try_clone().expect("a handle")).stderr(output);
        self.daemon = Some(command.spawn().expect("miniupnpd starts"));
        eventually("the router listens", Duration::from_secs(10), async || {
            std::fs::read_to_string(&log).unwrap_or_default().contains("HTTP listening").then_some(())
        })
        .await;
    }
}
