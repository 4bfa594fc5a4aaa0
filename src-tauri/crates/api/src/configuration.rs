//! The settings of the edge, as views show and change them.

use serde::{Deserialize, Serialize};

use crate::Text;

/// Of which kind the values of a setting are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "kebab-case")]
pub enum ConfigKind {
    /// A length of time: `1500ms`, `30s`, `5m`, `2h`, `1d`.
    Time,
    /// The same, or `none`.
    TimeOrNone,
    /// A whole number.
    Count,
    /// Bytes: `65536`, `64KiB`, `256MiB`.
    Size,
    /// `true` or `false`.
    Switch,
    /// A TCP port, or `none`.
    PortOrNone,
    /// Networks with commas between them, or `none`.
    Networks,
    /// `https` addresses with commas between them, or `none`.
    Urls,
    /// A text of a form of its own, which the description tells.
    Text,
}

/// One setting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct ConfigEntry {
    /// Its name, as `config set` takes it.
    pub key: String,
    /// Its value in force.
    pub value: String,
    /// Its value where nobody sets one.
    pub default: String,
    /// Of which kind the value is.
    pub kind: ConfigKind,
    /// The least value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub least: Option<String>,
    /// The greatest value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub most: Option<String>,
    /// What it is, as a sentence.
    pub about: Text,
    /// Why the stored value is not in force.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub problem: Option<Text>,
}

/// All settings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Configuration {
    /// What this version knows.
    pub entries: Vec<ConfigEntry>,
    /// Names of stored settings that mean nothing to this version. They are kept.
    pub unknown: Vec<String>,
}

/// A setting that is to have another value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct ConfigEdit {
    /// Its name.
    pub key: String,
    /// As a person writes it; `None` = the default.
    pub value: Option<String>,
}
