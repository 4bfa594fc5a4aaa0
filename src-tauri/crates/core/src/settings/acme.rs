//! How public certificates are got. Secrets are not here: they are where secrets are kept.

use gatehouse_api::{DnsSetup, ProofWay};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// See the module.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AcmeSettings {
    /// Authorities, the first to ask first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub authorities: Vec<AuthoritySettings>,
    /// Where authorities may write; empty = nowhere.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub email: String,
    /// The ways that may be used, the first to try first; empty = all that are open.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ways: Vec<ProofWay>,
    /// Who sets TXT records.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dns: Option<DnsSetup>,
    /// Whether a renewal keeps the key.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub reuse_key: bool,
    /// What is wanted whatever is open: the names of each certificate.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub certificates: Vec<Vec<String>>,
    /// Keys of other versions, kept as they are.
    #[serde(flatten)]
    pub unknown: Map<String, Value>,
}

/// An authority that may be asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthoritySettings {
    /// Where ACME begins.
    pub directory: String,
    /// Whether the user agreed to its terms.
    #[serde(default)]
    pub agreed: bool,
    /// Key identifier of the account on its web site.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_key_id: Option<String>,
    /// Certificates (PEM) by which its own address is trusted, beside those of the system.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub roots: Option<String>,
    /// Keys of other versions, kept as they are.
    #[serde(flatten)]
    pub unknown: Map<String, Value>,
}

impl AuthoritySettings {
    /// An authority of which nothing is known but its directory.
    #[must_use]
    pub fn new(directory: String) -> Self {
        Self { directory, agreed: false, external_key_id: None, roots: None, unknown: Map::new() }
    }
}
