//! The words of the command line. No secret has a flag: what is in argv is in everybody's process list.

mod acme;
mod brought;
mod cert;
mod devices;
mod front;
mod gateway;
pub(crate) mod help;
mod look;
mod selftest;
mod service;
mod token;

use std::{net::IpAddr, path::PathBuf, time::Duration};

use clap::{Args, Parser, Subcommand, ValueEnum};
use gatehouse_api::{Answerer, OpenRequest, Scope};
use ipnet::IpNet;

pub(crate) use self::{
    acme::{Acme, DnsWord, Setup},
    brought::{Clients, Import},
    cert::{CaForm, Cert, Device, Export, FingerprintForm, Fingerprinting, TrustWhere, UntrustWhere},
    devices::{Devices, Stay, Which},
    front::Front,
    gateway::Gateway,
    look::{Color, LanguageWord},
    selftest::Selftest,
    service::{Service, ServiceInstall, ServiceStatus, ServiceUninstall},
    token::Token,
};
use crate::output::when::parse_span;
use crate::words::Language;

/// A safe HTTPS address for an OpenClaw gateway.
#[derive(Debug, Parser)]
#[command(name = "gatehouse", version, max_term_width = 80)]
#[cfg_attr(not(feature = "tray"), command(arg_required_else_help = true, subcommand_required = true))]
#[command(after_help = "Exit status: 0 ok, 1 failed, 2 usage, 3 ok with warnings, 4 needs confirmation,\n\
    5 gateway unreachable, 6 conflict, 7 permission, 8 rolled back.")]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) globals: Globals,
    /// None = the tray app.
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

/// Flags that every command takes.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Everywhere")]
pub(crate) struct Globals {
    /// Print one JSON object.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Print JSON objects, a line each.
    #[arg(long, global = true)]
    pub(crate) jsonl: bool,
    /// Answer every question with yes.
    #[arg(long, short = 'y', global = true)]
    pub(crate) yes: bool,
    /// Ask nothing; what needs a yes fails.
    #[arg(long, global = true)]
    pub(crate) no_input: bool,
    /// Wait at most so long for an answer: 30s, 5m.
    #[arg(long, global = true, value_name = "TIME", value_parser = parse_span)]
    pub(crate) timeout: Option<Duration>,
    /// The control socket of the Gatehouse to talk to.
    #[arg(long, global = true, value_name = "PATH", env = "GATEHOUSE_SOCKET", hide_env_values = true)]
    pub(crate) socket: Option<PathBuf>,
    /// The language of what is printed.
    #[arg(long, global = true, value_name = "LANGUAGE", ignore_case = true)]
    pub(crate) lang: Option<LanguageWord>,
    /// The language that follows from `--lang` and the surroundings.
    #[arg(skip)]
    pub(crate) language: Language,
    /// When to use colours.
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub(crate) color: Color,
    /// Only results, no progress and no remarks.
    #[arg(long, short, global = true, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
    /// More of what happens; twice for everything.
    #[arg(long, short, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run Gatehouse in the foreground.
    Serve(Serve),
    /// Open an HTTPS address.
    Open(Open),
    /// Close the address; take back what the gateway's configuration got.
    Close(Close),
    /// What is open, what is proven, what needs attention.
    Status(Status),
    /// Answer 503 for a while; configuration stays as it is.
    Pause(Pause),
    /// End a pause.
    Resume,
    /// Keep a change that would revert by itself.
    Confirm,
    /// Take a change back.
    Undo(Undo),
    /// What was changed, newest first.
    History(History),
    /// Browser origins that the gateway accepts.
    #[command(subcommand)]
    Origins(Origins),
    /// Devices that wait for approval, and those that have it.
    #[command(subcommand)]
    Devices(Devices),
    /// The certificate and its authority.
    #[command(subcommand)]
    Cert(Cert),
    /// The gateway behind the address.
    #[command(subcommand)]
    Gateway(Gateway),
    /// The gateway's token.
    #[command(subcommand)]
    Token(Token),
    /// Give the gateway its token: the gateway runs this.
    SecretRef,
    /// Have the system start Gatehouse and keep it running.
    #[command(subcommand)]
    Service(Service),
    /// The best address, to hand on.
    Link(Link),
    /// Requests as they end: metadata only.
    Tail(Tail),
    /// Reach an open address the way a device does, stage by stage.
    Test(Test),
    /// Prove on this machine what Gatehouse rests on; write a report.
    Selftest(Selftest),
    /// Limits, rates and other settings of the edge.
    #[command(subcommand)]
    Config(Config),
    /// The proxy or tunnel in front, which says for whom it asks.
    #[command(subcommand)]
    Front(Front),
    /// Router, firewall, addresses, names: what keeps others out.
    Network(NetworkArgs),
    /// The numbers of the edge, as Prometheus reads them.
    Metrics,
    /// A completion script for a shell.
    Completions(Completions),
    /// The version of this program and of the one that runs.
    Version,
}

/// Which address to open.
#[derive(Debug, Clone, Args)]
pub(crate) struct Address {
    /// A name or IP address to serve beside those found on this machine.
    #[arg(long = "host", visible_alias = "name", value_name = "NAME")]
    pub(crate) hosts: Vec<String>,
    /// An IP address to serve beside those found on this machine.
    #[arg(long = "ip", value_name = "ADDRESS")]
    pub(crate) ips: Vec<IpAddr>,
    /// The HTTPS port [default: 443 where it may be had, else 8443].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) port: Option<u16>,
    /// The port that redirects plain HTTP; 0 = none [default: 80 where it may be had].
    #[arg(long, value_name = "N")]
    pub(crate) redirect_port: Option<u16>,
    /// Have the home's router open this port to the internet [default N: the HTTPS port].
    #[arg(long, value_name = "N", num_args = 0..=1, require_equals = true, default_missing_value = "0")]
    pub(crate) map_port: Option<u16>,
    /// Only clients in this network.
    #[arg(long, value_name = "CIDR")]
    pub(crate) only: Vec<IpNet>,
}

impl Address {
    pub(crate) fn request(&self, scope: ScopeWord, confirm_within: Option<u32>) -> OpenRequest {
        OpenRequest {
            scope: scope.into(),
            hosts: self.hosts.iter().cloned().chain(self.ips.iter().map(IpAddr::to_string)).collect(),
            port: self.port,
            redirect_port: self.redirect_port,
            map_port: self.map_port,
            only: self.only.iter().map(IpNet::to_string).collect(),
            confirm_within,
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// Open an address once it runs.
    #[arg(long, value_name = "SCOPE")]
    pub(crate) open: Option<ScopeWord>,
    #[command(flatten)]
    pub(crate) address: Address,
    /// Where there is no gateway: install OpenClaw into Gatehouse's folder and run it.
    #[arg(long)]
    pub(crate) install: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Open {
    /// For whom.
    #[arg(long, value_name = "SCOPE", default_value = "lan")]
    pub(crate) to: ScopeWord,
    #[command(flatten)]
    pub(crate) address: Address,
    /// Revert unless confirmed in time; 0 = never [default: 120s over SSH].
    #[arg(long, value_name = "TIME", value_parser = parse_span)]
    pub(crate) confirm_within: Option<Duration>,
    /// Show what would be done, and do nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
}

/// Who may reach the gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ScopeWord {
    /// Only programs on this machine.
    Mac,
    /// Devices on the local network.
    Lan,
    /// Anybody; needs a name or a public address.
    Internet,
}

impl From<ScopeWord> for Scope {
    fn from(word: ScopeWord) -> Self {
        match word {
            ScopeWord::Mac => Self::Mac,
            ScopeWord::Lan => Self::Lan,
            ScopeWord::Internet => Self::Internet,
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct Close {
    /// Also forget certificates, their authority, accounts and keys: devices must trust a new one.
    #[arg(long)]
    pub(crate) purge: bool,
    /// Show what would be done, and do nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Status {
    /// Show every change until interrupted.
    #[arg(long, short)]
    pub(crate) watch: bool,
}

#[derive(Debug, Args)]
pub(crate) struct NetworkArgs {
    /// Also ask the router, and the echoes in `network.echoes`, for the public address.
    #[arg(long)]
    pub(crate) ask: bool,
    /// First have the router asked for its port again.
    #[arg(long)]
    pub(crate) renew: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Pause {
    /// How long [default: until `gatehouse resume`].
    #[arg(long = "for", value_name = "TIME", value_parser = parse_span)]
    pub(crate) length: Option<Duration>,
}

#[derive(Debug, Args)]
pub(crate) struct Undo {
    /// The change, as `gatehouse history` shows it [default: the newest].
    #[arg(value_name = "CHANGE", conflicts_with = "last")]
    pub(crate) id: Option<String>,
    /// The newest change.
    #[arg(long)]
    pub(crate) last: bool,
    /// Also where somebody changed the value since.
    #[arg(long)]
    pub(crate) force_drift: bool,
    /// Show what would be done, and do nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
}

#[derive(Debug, Args)]
pub(crate) struct History {
    /// At most so many.
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) limit: u16,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Origins {
    /// What the gateway's list holds.
    List,
    /// Allow an origin.
    Add {
        /// For example https://chat.example.com.
        origin: String,
    },
    /// Stop allowing an origin.
    Remove {
        /// As `origins list` shows it.
        origin: String,
    },
    /// Would this origin get in, and by which rule?
    Test {
        /// For example https://chat.example.com.
        origin: String,
    },
    /// Origins that browsers sent.
    Seen {
        /// Only those that the gateway refused.
        #[arg(long)]
        refused: bool,
        /// Only those seen within so long.
        #[arg(long, value_name = "TIME", value_parser = parse_span)]
        since: Option<Duration>,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Config {
    /// What is set, and what can be.
    Get {
        /// Only this setting, or those that begin so [default: all].
        key: Option<String>,
    },
    /// Change a setting; no connection is dropped.
    Set {
        /// For example limits.connections.
        key: String,
        /// For example 30s, 64KiB, 500, none; "default" = the default.
        value: String,
    },
    /// Write what is not the default, to be read by `config import`.
    Export {
        /// Where to.
        #[arg(default_value = "-")]
        path: PathBuf,
    },
    /// Set exactly what a file says; everything else goes back to its default.
    Import {
        /// The file; - = standard input.
        path: PathBuf,
    },
    /// The JSON schema of such a file.
    Schema,
}

#[derive(Debug, Args)]
pub(crate) struct Link {
    /// Also as a QR code.
    #[arg(long)]
    pub(crate) qr: bool,
    /// What for.
    #[arg(long, value_name = "KIND", default_value = "browser")]
    pub(crate) kind: LinkKind,
    /// At which of the open addresses [default: the best for the kind].
    #[arg(long, value_name = "URL")]
    pub(crate) address: Option<String>,
}

/// What a link is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LinkKind {
    /// The address; it holds no secret.
    Browser,
    /// Logs one browser in as owner, once: a secret.
    Owner,
    /// Connects the OpenClaw app on a phone, once: a secret.
    App,
    /// Gives one device the certificate authority, over plain HTTP on the local network.
    Trust,
}

#[derive(Debug, Args)]
pub(crate) struct Test {
    /// Which of the open addresses [default: the best].
    #[arg(value_name = "URL")]
    pub(crate) address: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Tail {
    /// A status such as 404 or a class such as 4xx.
    #[arg(long, value_name = "STATUS", value_parser = parse_status)]
    pub(crate) status: Option<String>,
    /// Who answered.
    #[arg(long)]
    pub(crate) who: Option<Who>,
    /// Only this client or network.
    #[arg(long, value_name = "CIDR", value_parser = parse_network)]
    pub(crate) ip: Option<IpNet>,
    /// Only WebSockets.
    #[arg(long)]
    pub(crate) ws: bool,
}

/// Who answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Who {
    /// Gatehouse itself.
    Edge,
    /// The gateway.
    Gateway,
}

impl From<Who> for Answerer {
    fn from(who: Who) -> Self {
        match who {
            Who::Edge => Self::Edge,
            Who::Gateway => Self::Gateway,
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct Completions {
    /// The shell.
    pub(crate) shell: ShellWord,
}

/// Shells with completion scripts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ShellWord {
    /// Bash.
    Bash,
    /// Zsh.
    Zsh,
    /// fish.
    Fish,
}

fn parse_status(text: &str) -> Result<String, String> {
    let bytes = text.as_bytes();
    let class = bytes.len() == 3 && matches!(bytes[0], b'1'..=b'5') && text[1..].eq_ignore_ascii_case("xx");
    let number = text.parse::<u16>().is_ok_and(|status| (100..600).contains(&status));
    if class || number { Ok(text.to_ascii_lowercase()) } else { Err("write 404 or 4xx".to_owned()) }
}

fn parse_network(text: &str) -> Result<IpNet, String> {
    text.parse()
        .or_else(|_| text.parse::<IpAddr>().map(IpNet::from))
        .map_err(|_| "write an address such as 192.168.1.20 or a network such as 192.168.1.0/24".to_owned())
}

#[cfg(test)]
mod tests;
