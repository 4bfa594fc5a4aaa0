//! What the journal holds to take a step back.

use gatehouse_api::{ErrorEnvelope, say};
use gatehouse_openclaw::config::{Edit, file, rpc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::brought::{Imported, Wanted};
use crate::settings::{AcmeSettings, OpenSettings};
use crate::transaction::steps::Form;

/// The inverse of a step. Holds no secret.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "inverse", rename_all = "kebab-case")]
pub(crate) enum Inverse {
    /// The gateway's configuration file was edited.
    File {
        /// How.
        record: file::Record,
        /// Whether a running gateway has to restart for it.
        restart: bool,
    },
    /// The gateway's configuration was edited by the gateway.
    Patch {
        /// How.
        record: rpc::PatchRecord,
        /// Whether the gateway has to restart for it.
        restart: bool,
    },
    /// The edge listens differently. It follows from the settings, which are put back first.
    Serve,
    /// The router was asked for a port, or given one back. Which one follows from the settings, which are put back first.
    MapPort,
    /// A certificate was issued. One that nobody uses does no harm, and the authority stays: devices trust it.
    Certificate,
    /// The settings were changed.
    Settings {
        /// What was open before.
        previous: Option<Box<OpenSettings>>,
    },
    /// How public certificates are got was changed.
    Acme {
        /// How it was.
        previous: Option<Box<AcmeSettings>>,
    },
    /// Certificates of the user, or rules about those of clients, were changed.
    Brought {
        /// What was served.
        imported: Imported,
        /// What was asked for.
        wanted: Wanted,
    },
    /// The gateway's token was replaced or moved. The token from before is where secrets are kept.
    Token {
        /// Where the gateway took it from.
        before: Form,
        /// Whether it was replaced.
        rotates: bool,
        /// What was made around it in the configuration, as edits that take it away.
        prunes: Vec<Edit>,
    },
    /// Settings of the edge were changed.
    Edge {
        /// What was stored before.
        previous: Map<String, Value>,
    },
}

impl Inverse {
    /// As it goes into the journal.
    pub(crate) fn to_value(&self) -> Result<Value, ErrorEnvelope> {
        serde_json::to_value(self).map_err(|error| not_json(&error))
    }

    /// The edits that take a change of the configuration back; none for other inverses.
    pub(crate) fn edits(&self) -> &[Edit] {
        match self {
            Self::File { record, .. } => &record.inverse,
            Self::Patch { record, .. } => &record.inverse,
            Self::Serve
            | Self::MapPort
            | Self::Certificate
            | Self::Settings { .. }
            | Self::Acme { .. }
            | Self::Brought { .. }
            | Self::Token { .. }
            | Self::Edge { .. } => &[],
        }
    }
}

fn not_json(error: &serde_json::Error) -> ErrorEnvelope {
    ErrorEnvelope::new(
        gatehouse_api::Code::Failed,
        say!("core.journal.title"),
        say!("core.journal.json", error = error),
    )
}
