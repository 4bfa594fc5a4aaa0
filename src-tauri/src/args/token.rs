//! The words of `gatehouse token`. The token itself is never one of them.

use std::{path::PathBuf, time::Duration};

use clap::{Args, Subcommand};

use crate::output::when::parse_span;

#[derive(Debug, Subcommand)]
pub(crate) enum Token {
    /// Where the token is, whether it can be had, whether the gateway takes it.
    Status,
    /// Take the gateway's token into the keychain.
    Import(Given),
    /// Give a gateway that has no token one.
    Generate {
        /// Show what would be done, and do nothing.
        #[arg(long)]
        dry_run: bool,
    },
    /// Replace the token; whoever uses the old one is signed out.
    Rotate {
        #[command(flatten)]
        given: Given,
        /// Show what would be done, and do nothing.
        #[arg(long)]
        dry_run: bool,
    },
    /// Keep the token in the keychain, and have the gateway ask for it.
    UseSecretRef {
        /// Show what would be done, and do nothing.
        #[arg(long)]
        dry_run: bool,
    },
    /// Write the token into the gateway's configuration again.
    Plain {
        /// Show what would be done, and do nothing.
        #[arg(long)]
        dry_run: bool,
    },
    /// Put the token on the clipboard, hidden from its history, and take it away again.
    Copy {
        /// How long it stays there; Ctrl-C takes it away at once.
        #[arg(long = "for", value_name = "TIME", default_value = "60s", value_parser = parse_span)]
        length: Duration,
    },
    /// Print the token.
    Reveal {
        /// Whoever sees it owns the gateway.
        #[arg(long, required = true)]
        i_understand: bool,
    },
}

/// A token that a person hands over.
#[derive(Debug, Clone, Args)]
pub(crate) struct Given {
    /// A file with the token; - is standard input [default: what the gateway's configuration says, or a new one].
    #[arg(long, value_name = "PATH")]
    pub(crate) secret_file: Option<PathBuf>,
}
