//! The words of `gatehouse devices`.

use clap::{Args, Subcommand, ValueEnum};
use gatehouse_api::ApproveAs;

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
