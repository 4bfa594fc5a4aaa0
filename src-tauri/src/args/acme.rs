//! The words of `gatehouse cert acme`. Secrets come from a file or standard input, never from a flag.

use std::{path::PathBuf, time::Duration};

use clap::{Args, Subcommand, ValueEnum};
use gatehouse_api::ProofWay;

use crate::output::when::parse_span;

#[derive(Debug, Subcommand)]
pub(crate) enum Acme {
    /// Set up a public authority and, for the names given, a certificate.
    Setup(Box<Setup>),
    /// How public certificates are got, how each stands, and what comes next.
    Status,
    /// Where an authority's terms are, and what it wants.
    Terms {
        /// Which authority [default: the first that is set up, else letsencrypt].
        #[arg(long, value_name = "NAME|URL")]
        ca: Option<String>,
    },
    /// A dry run: looks at DNS and ports, then goes the whole way with the authority's staging.
    Test {
        /// For these names [default: all that are wanted].
        names: Vec<String>,
    },
    /// Ask for certificates that are due now, without waiting after failures.
    Renew {
        /// The names of one certificate [default: all certificates].
        names: Vec<String>,
        /// Also where none is due; the authority's limits are kept.
        #[arg(long)]
        force: bool,
    },
    /// The account at an authority.
    Account {
        /// Which authority [default: the first].
        #[arg(long, value_name = "NAME|URL")]
        ca: Option<String>,
        /// Where it may write from now on.
        #[arg(long, value_name = "ADDRESS")]
        email: Option<String>,
        /// Replace the account's key.
        #[arg(long)]
        roll_key: bool,
    },
    /// Attempts to get certificates, newest first.
    Log {
        /// At most so many.
        #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..))]
        limit: u16,
    },
    /// Want a certificate no more; its files and the account stay.
    Remove {
        /// The names of the certificate.
        #[arg(required_unless_present = "all")]
        names: Vec<String>,
        /// All of it: certificates, authorities, ways, and stored secrets.
        #[arg(long, conflicts_with = "names")]
        all: bool,
    },
}

#[derive(Debug, Clone, Args)]
pub(crate) struct Setup {
    /// One certificate for these names and addresses; those of open addresses get theirs by themselves.
    pub(crate) names: Vec<String>,
    /// Where the authority may write.
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) email: Option<String>,
    /// You have read the authority's terms and agree.
    #[arg(long)]
    pub(crate) agree_tos: bool,
    /// letsencrypt, zerossl, google, sslcom, actalis, or the address of a directory; it is asked first.
    #[arg(long, value_name = "NAME|URL")]
    pub(crate) ca: Option<String>,
    /// Ask no other authority than this one.
    #[arg(long, requires = "ca")]
    pub(crate) only: bool,
    /// Certificates (PEM) by which a private authority's own address is trusted.
    #[arg(long, value_name = "FILE", requires = "ca")]
    pub(crate) ca_root: Option<PathBuf>,
    /// Key identifier of your account on the authority's web site; its key comes from --secret-file.
    #[arg(long, value_name = "ID", requires = "secret_file")]
    pub(crate) eab_kid: Option<String>,
    /// A way to prove names, the first to try first [default: all that are open].
    #[arg(long = "way", value_name = "WAY")]
    pub(crate) ways: Vec<WayWord>,
    /// Who sets TXT records; its token or key comes from --secret-file.
    #[arg(long, value_name = "PROVIDER")]
    pub(crate) dns: Option<DnsWord>,
    /// Address and port of the name server that takes updates (rfc2136).
    #[arg(long, value_name = "ADDRESS:PORT", required_if_eq("dns", "rfc2136"))]
    pub(crate) dns_server: Option<String>,
    /// The zone (rfc2136).
    #[arg(long, value_name = "ZONE", required_if_eq("dns", "rfc2136"))]
    pub(crate) dns_zone: Option<String>,
    /// Name of the key on that server (rfc2136).
    #[arg(long, value_name = "NAME", required_if_eq("dns", "rfc2136"))]
    pub(crate) dns_key_name: Option<String>,
    /// How updates are signed (rfc2136).
    #[arg(long, value_name = "ALGORITHM", default_value = "hmac-sha256")]
    pub(crate) dns_algorithm: String,
    /// The program that sets records (hook), called with present or remove, NAME and VALUE.
    #[arg(long, value_name = "PATH", required_if_eq("dns", "hook"))]
    pub(crate) dns_hook: Option<PathBuf>,
    /// How long a record takes until everybody sees it (rfc2136, hook).
    #[arg(long, value_name = "TIME", value_parser = parse_span, default_value = "30s")]
    pub(crate) dns_settle: Duration,
    /// Renewals keep the key (=false: each gets a new one), for clients that know the public key.
    #[arg(long, value_name = "YES", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub(crate) reuse_key: Option<bool>,
    /// The secret of --dns or --eab-kid; - = standard input. It is stored in the keychain, else in a private file.
    #[arg(long, value_name = "FILE")]
    pub(crate) secret_file: Option<PathBuf>,
}

/// A way to prove a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum WayWord {
    /// On the HTTPS port, which the internet reaches as 443.
    #[value(name = "tls-alpn-01")]
    TlsAlpn,
    /// On port 80.
    #[value(name = "http-01")]
    Http,
    /// By a TXT record.
    #[value(name = "dns-01")]
    Dns,
}

impl From<WayWord> for ProofWay {
    fn from(word: WayWord) -> Self {
        match word {
            WayWord::TlsAlpn => Self::TlsAlpn,
            WayWord::Http => Self::Http,
            WayWord::Dns => Self::Dns,
        }
    }
}

/// Who sets TXT records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum DnsWord {
    /// Cloudflare's API.
    Cloudflare,
    /// DNS updates.
    Rfc2136,
    /// A program of yours.
    Hook,
}
