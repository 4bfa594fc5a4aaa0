//! The words of `gatehouse front`. A tunnel's secret is never one of them.

use std::path::PathBuf;

use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub(crate) enum Front {
    /// What stands in front.
    Status,
    /// Nothing: whoever connects is the client.
    None,
    /// Cloudflare's proxy: what comes from its networks says for whom.
    Cloudflare,
    /// A tunnel on this machine: what shows its secret says for whom.
    Tunnel {
        /// A file with the secret; - is standard input [default: a new one, which is shown once].
        #[arg(long, value_name = "PATH")]
        secret_file: Option<PathBuf>,
    },
}
