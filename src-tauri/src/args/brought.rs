//! The words of `gatehouse cert import`, `remove` and `clients`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use gatehouse_api::ClientForm;

#[derive(Debug, Args)]
pub(crate) struct Import {
    /// The certificate with its chain (PEM), or a PKCS#12 file; - = standard input.
    pub(crate) file: PathBuf,
    /// The key, where it is in a file of its own.
    #[arg(long, value_name = "FILE")]
    pub(crate) key: Option<PathBuf>,
    /// The file with the password of the PKCS#12 file; - = standard input.
    #[arg(long, value_name = "FILE")]
    pub(crate) password_file: Option<PathBuf>,
    /// Keep no copy; read the files again whenever they change.
    #[arg(long)]
    pub(crate) watch: bool,
    /// What to call it; one with the same name is replaced [default: its first name].
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Clients {
    /// Who has a certificate, and which names want one.
    List,
    /// Let only clients with a certificate in, at one name.
    Require {
        /// The name, for example home.example.net.
        name: String,
        /// Whose certificates: a file with authorities (PEM) [default: those of `issue`].
        #[arg(long, value_name = "FILE")]
        ca: Option<PathBuf>,
        /// A file with a list of revoked certificates; it is read again when it changes.
        #[arg(long, value_name = "FILE", requires = "ca")]
        crl: Vec<PathBuf>,
    },
    /// Let clients without a certificate in again, at one name.
    Off {
        /// The name.
        name: String,
    },
    /// Give a client a certificate with its key.
    Issue {
        /// What to call the client, for example "Ada's phone".
        label: String,
        /// Where to; - = standard output.
        #[arg(long, value_name = "FILE", required = true)]
        out: PathBuf,
        /// In which form.
        #[arg(long, default_value = "pkcs12")]
        format: ClientFormWord,
        /// For so many days.
        #[arg(long, value_name = "N", default_value_t = 365)]
        days: u32,
        /// The file with the password for PKCS#12; - = standard input [default: one is made up].
        #[arg(long, value_name = "FILE")]
        password_file: Option<PathBuf>,
    },
    /// Take a client's certificate back.
    Revoke {
        /// Its label, or its serial number or the beginning of that.
        client: String,
    },
}

/// In which form a client gets its certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ClientFormWord {
    /// For browsers and phones.
    Pkcs12,
    /// For systems from before 2022.
    Pkcs12Old,
    /// For programs; not encrypted.
    Pem,
}

impl From<ClientFormWord> for ClientForm {
    fn from(word: ClientFormWord) -> Self {
        match word {
            ClientFormWord::Pkcs12 => Self::Pkcs12,
            ClientFormWord::Pkcs12Old => Self::Pkcs12Old,
            ClientFormWord::Pem => Self::Pem,
        }
    }
}
