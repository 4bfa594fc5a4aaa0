//! Proving a name: where the authority's questions are answered (RFC 8555 §8, RFC 8737, RFC 8738).
//!
//! Guarantees: an answer is there before the authority is told to ask, and goes when the order has been decided, also where
//! that took an error; nothing but the order's own answers is ever shown.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use instant_acme::{ChallengeType, KeyAuthorization};
use rcgen::{CertificateParams, CustomExtension, DistinguishedName, KeyPair};
use rustls::crypto::aws_lc_rs::sign::any_supported_type;
use rustls::sign::CertifiedKey;
use rustls_pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use serde::{Deserialize, Serialize};

use super::dns::DnsProvider;
use super::identifier::Identifier;
use super::problem::{Cause, Failure};
use crate::Resolver;

/// A way to prove a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChallengeKind {
    /// A certificate shown on port 443; nothing else needs to be open.
    TlsAlpn,
    /// A text shown on port 80.
    Http,
    /// A TXT record; the only way for a wildcard, and one that needs no open port.
    Dns,
}

impl ChallengeKind {
    pub(crate) fn acme(self) -> ChallengeType {
        match self {
            Self::TlsAlpn => ChallengeType::TlsAlpn01,
            Self::Http => ChallengeType::Http01,
            Self::Dns => ChallengeType::Dns01,
        }
    }

    /// Whether this way can prove this name at all.
    pub fn can_prove(self, identifier: &Identifier) -> bool {
        match identifier {
            Identifier::Dns(_) => true,
            Identifier::Wildcard(_) => self == Self::Dns,
            Identifier::Ip(_) => self != Self::Dns,
        }
    }
}

/// The texts that are waited for on port 80, by token.
#[derive(Debug, Default)]
pub struct HttpTokens {
    waiting: RwLock<HashMap<String, String>>,
}

impl HttpTokens {
    /// The text for this token, while an order waits for it.
    pub fn get(&self, token: &str) -> Option<String> {
        self.waiting.read().unwrap_or_else(PoisonError::into_inner).get(token).cloned()
    }

    fn set(&self, token: &str, text: String) {
        self.waiting.write().unwrap_or_else(PoisonError::into_inner).insert(token.to_owned(), text);
    }

    fn remove(&self, token: &str) {
        self.waiting.write().unwrap_or_else(PoisonError::into_inner).remove(token);
    }
}

/// The ways that are open, in the order in which they are tried.
#[derive(Clone)]
pub(crate) struct Solvers {
    pub(crate) kinds: Vec<ChallengeKind>,
    pub(crate) resolver: Arc<Resolver>,
    pub(crate) tokens: Arc<HttpTokens>,
    pub(crate) dns: Option<Arc<dyn DnsProvider>>,
}

impl Solvers {
    /// The ways for this name, the first to try first. After a failure the next one comes first.
    pub(crate) fn ways(&self, identifier: &Identifier, failures: u32) -> Vec<ChallengeKind> {
        let mut ways: Vec<ChallengeKind> = self
            .kinds
            .iter()
            .copied()
            .filter(|kind| kind.can_prove(identifier))
            .filter(|kind| *kind != ChallengeKind::Dns || self.dns.is_some())
            .collect();
        if !ways.is_empty() {
            let turn = failures as usize % ways.len();
            ways.rotate_left(turn);
        }
        ways
    }

    /// Puts the answer where the authority will look; what is to be taken away again is in `published`, also after an
    /// error.
    pub(crate) async fn publish(
        &self,
        kind: ChallengeKind,
        identifier: &Identifier,
        token: &str,
        key: &KeyAuthorization,
        published: &mut Vec<Published>,
    ) -> Result<(), Failure> {
        match kind {
            ChallengeKind::TlsAlpn => {
                let name = identifier.challenge_name();
                let certificate = challenge_certificate(identifier, key.digest().as_ref())?;
                self.resolver.set_challenge(&name, certificate);
                published.push(Published::Tls { resolver: self.resolver.clone(), name });
                Ok(())
            }
            ChallengeKind::Http => {
                self.tokens.set(token, key.as_str().to_owned());
                published.push(Published::Http { tokens: self.tokens.clone(), token: token.to_owned() });
                Ok(())
            }
            ChallengeKind::Dns => {
                let provider = self
                    .dns
                    .clone()
                    .ok_or_else(|| Failure::new(Cause::NoChallenge, "no DNS provider is set up"))?;
                present(provider, identifier.record_name(), key.dns_value(), published).await
            }
        }
    }
}

/// Sets a record. It is one to take away before it is set: whoever gives no answer, or the wrong one, may have set it.
async fn present(
    provider: Arc<dyn DnsProvider>,
    name: String,
    value: String,
    published: &mut Vec<Published>,
) -> Result<(), Failure> {
    let (asked, record) = (provider.clone(), (name.clone(), value.clone()));
    published.push(Published::Dns { provider, name, value });
    asked.present(&record.0, &record.1).await.map_err(|error| Failure::new(Cause::DnsProvider, error))
}

/// An answer that the authority can find. What is shown by this program goes with the value.
pub(crate) enum Published {
    Tls { resolver: Arc<Resolver>, name: String },
    Http { tokens: Arc<HttpTokens>, token: String },
    Dns { provider: Arc<dyn DnsProvider>, name: String, value: String },
}

impl Published {
    /// Records of an order that was cut short, so that they can be taken away by whoever sets them now.
    pub(crate) fn left(dns: Option<&Arc<dyn DnsProvider>>, records: &[(String, String)]) -> Vec<Self> {
        let Some(provider) = dns else { return Vec::new() };
        let left = |(name, value): &(String, String)| Self::Dns {
            provider: provider.clone(),
            name: name.clone(),
            value: value.clone(),
        };
        records.iter().map(left).collect()
    }

    /// Takes it away. What a DNS provider cannot remove is only litter.
    pub(crate) async fn remove(self) {
        if let Self::Dns { provider, name, value } = &self
            && let Err(error) = provider.remove(name, value).await
        {
            tracing::info!(%error, "a challenge's DNS record could not be removed");
        }
    }
}

impl Drop for Published {
    fn drop(&mut self) {
        match self {
            Self::Tls { resolver, name } => resolver.remove_challenge(name),
            Self::Http { tokens, token } => tokens.remove(token),
            Self::Dns { .. } => {}
        }
    }
}

/// The certificate by which tls-alpn-01 is answered.
fn challenge_certificate(identifier: &Identifier, digest: &[u8]) -> Result<Arc<CertifiedKey>, Failure> {
    let failed = |error: String| Failure::new(Cause::Local, format!("a challenge's certificate: {error}"));
    let mut params =
        CertificateParams::new(vec![identifier.to_string()]).map_err(|error| failed(error.to_string()))?;
    params.distinguished_name = DistinguishedName::new();
    params.custom_extensions = vec![CustomExtension::new_acme_identifier(digest)];
    let key = KeyPair::generate().map_err(|error| failed(error.to_string()))?;
    let certificate = params.self_signed(&key).map_err(|error| failed(error.to_string()))?;
    let private = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let signing = any_supported_type(&private).map_err(|error| failed(error.to_string()))?;
    // Not `from_der`: it refuses the critical extension that makes this certificate what it is.
    Ok(Arc::new(CertifiedKey::new(vec![certificate.der().clone()], signing)))
}

#[cfg(test)]
mod tests;
