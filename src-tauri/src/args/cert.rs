//! The words of `gatehouse cert`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use gatehouse_api::CaFormat;

use super::{Acme, Clients, Import};

#[derive(Debug, Subcommand)]
pub(crate) enum Cert {
    /// Every certificate: where it comes from, until when, and what comes next.
    #[command(visible_alias = "list")]
    Show,
    /// Certificates of public authorities, by ACME.
    #[command(subcommand)]
    Acme(Acme),
    /// Serve a certificate of your own.
    Import(Import),
    /// Serve a certificate of your own no more.
    Remove {
        /// What it is called, as `cert list` shows it.
        name: String,
    },
    /// Certificates of clients: let only devices in that have one.
    #[command(subcommand)]
    Clients(Clients),
    /// The fingerprint to compare when a device is asked to trust the authority.
    Fingerprint(Fingerprinting),
    /// Write the certificate authority, for devices to trust.
    Export(Export),
    /// Have this machine trust the certificate authority.
    Trust(TrustWhere),
    /// Have this machine trust the certificate authority no more.
    Untrust(UntrustWhere),
    /// Apps that remember the certificate, and what they do when it changes.
    Pins,
    /// Make a new local certificate now; no connection is dropped.
    Renew {
        /// Keep the key, for clients that know the public key.
        #[arg(long)]
        reuse_key: bool,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Fingerprinting {
    /// How it is written.
    #[arg(long, default_value = "colon")]
    pub(crate) format: FingerprintForm,
    /// Also as words, to be read aloud.
    #[arg(long)]
    pub(crate) words: bool,
    /// Also as a QR code.
    #[arg(long)]
    pub(crate) qr: bool,
    /// A word for every byte, not only for the first eight.
    #[arg(long)]
    pub(crate) all: bool,
    /// That of the certificate itself, not of the authority.
    #[arg(long)]
    pub(crate) leaf: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Export {
    /// Where to; - = standard output.
    #[arg(long, value_name = "PATH", required = true)]
    pub(crate) ca: PathBuf,
    /// In which form [default: pem, or what the device takes].
    #[arg(long)]
    pub(crate) format: Option<CaForm>,
    /// For which kind of device; says what to do there.
    #[arg(long = "for", value_name = "DEVICE")]
    pub(crate) device: Option<Device>,
}

#[derive(Debug, Args)]
pub(crate) struct TrustWhere {
    /// Only this place, as the list shows it.
    #[arg(long, value_name = "PATH")]
    pub(crate) place: Option<PathBuf>,
    /// Show where it is trusted and where it would be; change nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
}

#[derive(Debug, Args)]
pub(crate) struct UntrustWhere {
    /// Only this place, as the list shows it.
    #[arg(long, value_name = "PATH")]
    pub(crate) place: Option<PathBuf>,
    /// Not the authority in use, but those that were replaced.
    #[arg(long)]
    pub(crate) stale: bool,
    /// Show where it is trusted; change nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
}

/// How a fingerprint is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum FingerprintForm {
    /// AB:CD:EF
    Colon,
    /// abcdef
    Hex,
    /// Words to read aloud.
    Words,
    /// A QR code.
    Qr,
}

/// In which form the authority is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum CaForm {
    /// Text.
    Pem,
    /// Binary.
    Der,
    /// A configuration profile of Apple's.
    Mobileconfig,
}

impl From<CaForm> for CaFormat {
    fn from(form: CaForm) -> Self {
        match form {
            CaForm::Pem => Self::Pem,
            CaForm::Der => Self::Der,
            CaForm::Mobileconfig => Self::Mobileconfig,
        }
    }
}

/// A kind of device or program that is to trust the authority.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Device {
    /// iPhone and iPad.
    Ios,
    /// Android.
    Android,
    /// A Mac.
    Mac,
    /// Windows.
    Windows,
    /// Linux.
    Linux,
    /// Firefox, anywhere.
    Firefox,
    /// Node.js, and so OpenClaw's own command line.
    Node,
    /// Java.
    Java,
}

impl Device {
    /// The form that it takes.
    pub(crate) fn form(self) -> CaForm {
        match self {
            Self::Ios | Self::Mac => CaForm::Mobileconfig,
            Self::Android | Self::Windows => CaForm::Der,
            Self::Linux | Self::Firefox | Self::Node | Self::Java => CaForm::Pem,
        }
    }
}
