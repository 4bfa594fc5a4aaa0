//! The words of `gatehouse devices`.

use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};
use gatehouse_api::ApproveAs;

use crate::output::when::parse_span;

#[derive(Debug, Subcommand)]
pub(crate) enum Devices {
    /// All devices.
    List {
        /// Only those that wait.
        #[arg(long, conflicts_with = "paired")]
        pending: bool,
        /// Only those that are paired.
        #[arg(long)]
        paired: bool,
    },
    /// Let a waiting device in.
    Approve {
        #[command(flatten)]
        which: Which,
        /// With which access; never more than it asks for.
        #[arg(long = "as", value_name = "ACCESS", default_value = "full")]
        access: AccessWord,
        /// A label for it.
        #[arg(long)]
        label: Option<String>,
        /// Revoke it after so long: 1h, 7d [default: what was set for it before, else never].
        #[arg(long, value_name = "TIME", value_parser = parse_span)]
        expires: Option<Duration>,
    },
    /// Revoke a paired device later, or never.
    Expire {
        /// The device's id or the beginning of it.
        id: String,
        /// After how long: 1h, 7d; or never.
        #[arg(value_name = "TIME|never", value_parser = parse_stay)]
        stay: Stay,
    },
    /// Refuse a waiting device.
    Deny {
        #[command(flatten)]
        which: Which,
    },
    /// Take a paired device's key away.
    Revoke {
        #[command(flatten)]
        which: Which,
        /// Also replace the gateway's shared token, so that it cannot come back with it.
        #[arg(long)]
        rotate_token: bool,
    },
    /// Label a paired device.
    Rename {
        /// The device's id or the beginning of it.
        id: String,
        /// The label.
        label: String,
    },
    /// Show devices as they ask; on a terminal, decide.
    Watch {
        /// Ring the terminal's bell for each.
        #[arg(long)]
        bell: bool,
    },
}

/// How long a device may stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stay {
    /// So long from now.
    For(Duration),
    /// Until somebody revokes it.
    Forever,
}

fn parse_stay(text: &str) -> Result<Stay, String> {
    match text {
        "never" => Ok(Stay::Forever),
        text => parse_span(text).map(Stay::For),
    }
}

/// Which device.
#[derive(Debug, Clone, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct Which {
    /// Its id or the beginning of it.
    pub(crate) id: Option<String>,
    /// A part of its name, platform or address that fits only one device.
    #[arg(long = "match", value_name = "TEXT")]
    pub(crate) text: Option<String>,
}

/// With which access a device is approved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum AccessWord {
    /// What it asks for.
    Full,
    /// Messages and approvals; no settings, no pairing.
    Chat,
    /// Read only.
    Read,
}

impl From<AccessWord> for ApproveAs {
    fn from(word: AccessWord) -> Self {
        match word {
            AccessWord::Full => Self::Full,
            AccessWord::Chat => Self::Chat,
            AccessWord::Read => Self::Read,
        }
    }
}
