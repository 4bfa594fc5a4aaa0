//! One order, from its placing to the certificate, so that it can be taken up again wherever it stopped.
//!
//! Guarantees: key and order are on disk before the authority is asked to sign; whatever ends the program in between, the
//! next attempt goes on with the same order and key; what comes back is served only if it is for our key and for every
//! name that was asked for.

use std::time::Duration;

use instant_acme::{
    Account, AuthorizationStatus, ChallengeStatus, NewOrder, Order, OrderStatus, RetryPolicy,
};
use rcgen::{CertificateParams, DistinguishedName, KeyPair, PKCS_ECDSA_P256_SHA256};
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::sign::CertifiedKey;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::challenge::{ChallengeKind, Published, Solvers};
use super::dns::{TxtLookup, settle};
use super::identifier::Identifier;
use super::patience::patiently;
use super::problem::{Cause, Failure};
use super::renewal_info::parse_id;
use super::transport::Transport;
use crate::LeafFacts;
use crate::issue::Issued;

/// Walks over an order's authorizations again from the start where a nonce was bad: the library skips what failed. A macro,
/// because a future that holds an asynchronous closure cannot be moved between threads.
macro_rules! patiently_all {
    ($transport:expr, $walk:expr) => {{
        let mut ours = None;
        let walked = patiently!($transport, {
            match $walk {
                Ok(value) => Ok(Some(value)),
                Err(Stop::Acme(error)) => Err(error),
                Err(Stop::Ours(failure)) => {
                    ours = Some(failure);
                    Ok(None)
                }
            }
        });
        match (walked, ours) {
            (Ok(Some(value)), _) => Ok(value),
            (Ok(None), Some(failure)) | (Err(failure), _) => Err(failure),
            (Ok(None), None) => Err(Failure::new(Cause::Server, "the order cannot be read")),
        }
    }};
}

/// How long one attempt waits for the authority before it sets the order aside, at each of its two waits.
const POLL: Duration = Duration::from_secs(90);
/// How long one attempt may take in all.
const WHOLE: Duration = Duration::from_secs(300);
/// Let's Encrypt's orders live eight hours; after that nothing is left to take up.
pub(crate) const ORDER_LIFE: time::Duration = time::Duration::hours(8);

/// What an order passes on its way, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// The attempt is counted; the account is looked up or made.
    Begun,
    /// The authority made an account; its address is not on disk yet.
    Registered,
    /// The key of the certificate is on disk.
    KeySaved,
    /// The authority took the order; it is not on disk yet.
    Placed,
    /// The order is on disk.
    OrderSaved,
    /// The answers to the authority's questions are there.
    Published,
    /// The authority was told to ask.
    Asked,
    /// The authority is convinced.
    Proven,
    /// It was asked to sign.
    Finalized,
    /// The certificate arrived; it is not on disk yet.
    Downloaded,
    /// The certificate is on disk; the order's file is still there.
    Stored,
    /// Clients get it; what is remembered of it is not on disk yet.
    Served,
}

impl Stage {
    /// All of them, in their order.
    pub const ALL: [Self; 12] = [
        Self::Begun,
        Self::Registered,
        Self::KeySaved,
        Self::Placed,
        Self::OrderSaved,
        Self::Published,
        Self::Asked,
        Self::Proven,
        Self::Finalized,
        Self::Downloaded,
        Self::Stored,
        Self::Served,
    ];

    /// One word, as it is written to the disk.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Begun => "begun",
            Self::Registered => "registered",
            Self::KeySaved => "key-saved",
            Self::Placed => "placed",
            Self::OrderSaved => "order-saved",
            Self::Published => "published",
            Self::Asked => "asked",
            Self::Proven => "proven",
            Self::Finalized => "finalized",
            Self::Downloaded => "downloaded",
            Self::Stored => "stored",
            Self::Served => "served",
        }
    }
}

/// An order on its way, as it lies on disk (0600: it holds the key).
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Pending {
    pub(crate) schema: u32,
    pub(crate) directory: String,
    pub(crate) identifiers: Vec<Identifier>,
    pub(crate) profile: Option<String>,
    pub(crate) replaces: Option<String>,
    /// Address of the order; `None` where the authority may not have heard of it.
    pub(crate) order: Option<String>,
    #[serde(with = "time::serde::timestamp")]
    pub(crate) begun: OffsetDateTime,
    /// PKCS#8 as PEM.
    #[serde(with = "secret")]
    pub(crate) key: SecretString,
    /// SHA-256 of the certificate that had this key before, where a renewal keeps it.
    #[serde(default)]
    pub(crate) kept_from: Option<String>,
    /// TXT records that were set, or about to be, when the program ended: name and value. They are to go.
    #[serde(default)]
    pub(crate) records: Vec<(String, String)>,
}

mod secret {
    use secrecy::{ExposeSecret, SecretString};
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(secret: &SecretString, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(secret.expose_secret())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<SecretString, D::Error> {
        String::deserialize(from).map(SecretString::from)
    }
}

impl Pending {
    /// A new order with a key of its own.
    pub(crate) fn new(
        directory: &str,
        identifiers: &[Identifier],
        profile: Option<String>,
        replaces: Option<String>,
        now: OffsetDateTime,
    ) -> Result<Self, Failure> {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)
            .map_err(|error| Failure::new(Cause::Local, error))?;
        Ok(Self {
            schema: 1,
            directory: directory.to_owned(),
            identifiers: identifiers.to_vec(),
            profile,
            replaces,
            order: None,
            begun: now,
            key: SecretString::from(key.serialize_pem()),
            kept_from: None,
            records: Vec::new(),
        })
    }

    /// The same order, which also takes away what an earlier one left in DNS.
    pub(crate) fn clearing(self, records: Vec<(String, String)>) -> Self {
        Self { records, ..self }
    }

    /// The same order with the key of the certificate that has this fingerprint.
    pub(crate) fn keeping(self, kept: Option<(SecretString, String)>) -> Self {
        match kept {
            Some((key, sha256)) => Self { key, kept_from: Some(sha256), ..self },
            None => self,
        }
    }

    /// Whether this order would give what is wanted now, and the authority may still know it.
    pub(crate) fn fits(&self, directory: &str, identifiers: &[Identifier], now: OffsetDateTime) -> bool {
        let age = now - self.begun;
        self.directory == directory
            && self.identifiers == identifiers
            && age < ORDER_LIFE
            && age > -time::Duration::hours(1)
    }
}

/// Where an order tells how far it is, and where it keeps itself.
pub(crate) trait Progress: Send + Sync {
    /// It has come so far.
    fn stage(&self, stage: Stage);

    /// Keeps the order on disk.
    ///
    /// # Errors
    /// The disk failed.
    fn save(&self, pending: &Pending) -> Result<(), Failure>;
}

/// What an order needs.
pub(crate) struct Work<'a> {
    pub(crate) account: &'a Account,
    pub(crate) transport: &'a Transport,
    pub(crate) solvers: &'a Solvers,
    pub(crate) lookup: &'a dyn TxtLookup,
    pub(crate) progress: &'a dyn Progress,
    /// Attempts that failed in a row: each failure turns to the next way of proving the name.
    pub(crate) failures: u32,
}

impl Work<'_> {
    /// Brings the order to its certificate.
    ///
    /// # Errors
    /// [`Failure`]; with [`Cause::Slow`] the order lives on and can be taken up.
    pub(crate) async fn run(&self, pending: &mut Pending) -> Result<Issued, Failure> {
        // What a crash left in DNS goes with the rest.
        let mut published = Published::left(self.solvers.dns.as_ref(), &pending.records);
        let worked = tokio::time::timeout(WHOLE, self.work(pending, &mut published)).await;
        for one in published {
            one.remove().await;
        }
        match worked {
            Ok(result) => result,
            Err(_) => {
                let detail = format!("the order is not done after {} s", WHOLE.as_secs());
                Err(Failure::new(Cause::Slow, detail))
            }
        }
    }

    async fn work(&self, pending: &mut Pending, published: &mut Vec<Published>) -> Result<Issued, Failure> {
        let mut order = self.place(pending).await?;
        if order.state().status == OrderStatus::Pending {
            self.prove(&mut order, pending, published).await?;
        }
        let status = order.state().status;
        if status == OrderStatus::Invalid {
            return Err(self.reason(&mut order, None).await);
        }
        if status == OrderStatus::Ready {
            self.progress.stage(Stage::Proven);
            let request = request(&pending.identifiers, &pending.key)?;
            patiently!(self.transport, order.finalize_csr(&request).await)?;
            self.progress.stage(Stage::Finalized);
        }
        let policy = RetryPolicy::new().timeout(POLL);
        let chain = match patiently!(self.transport, order.poll_certificate(&policy).await) {
            Ok(chain) => chain,
            Err(failure)
                if failure.cause == Cause::Server && order.state().status == OrderStatus::Invalid =>
            {
                return Err(self.reason(&mut order, Some(failure)).await);
            }
            Err(failure) => return Err(failure),
        };
        self.progress.stage(Stage::Downloaded);
        issued(&chain, pending)
    }

    /// The order that is on its way, or a new one.
    async fn place(&self, pending: &mut Pending) -> Result<Order, Failure> {
        if let Some(url) = &pending.order {
            return patiently!(self.transport, self.account.order(url.clone()).await).map_err(|failure| {
                match failure.cause {
                    Cause::Server | Cause::BadRequest | Cause::WrongAnswer => {
                        Failure { cause: Cause::OrderLost, ..failure }
                    }
                    _ => failure,
                }
            });
        }
        let names: Vec<instant_acme::Identifier> =
            pending.identifiers.iter().map(Identifier::order).collect();
        let mut wanted = NewOrder::new(&names);
        if let Some(profile) = &pending.profile {
            wanted = wanted.profile(profile);
        }
        if let Some(id) = pending.replaces.as_deref().and_then(parse_id) {
            wanted = wanted.replaces(id);
        }
        let order = patiently!(self.transport, self.account.new_order(&wanted).await)?;
        self.progress.stage(Stage::Placed);
        pending.order = Some(order.url().to_owned());
        self.progress.save(pending)?;
        self.progress.stage(Stage::OrderSaved);
        Ok(order)
    }

    /// Answers every question that is open, and waits until the authority has decided.
    async fn prove(
        &self,
        order: &mut Order,
        pending: &mut Pending,
        published: &mut Vec<Published>,
    ) -> Result<(), Failure> {
        let mut open = patiently_all!(self.transport, self.publish(order, pending, published).await)?;
        self.progress.stage(Stage::Published);
        if let Some(dns) = &self.solvers.dns {
            let records: Vec<(String, String)> = published
                .iter()
                .filter_map(|one| match one {
                    Published::Dns { name, value, .. } => Some((name.clone(), value.clone())),
                    Published::Tls { .. } | Published::Http { .. } => None,
                })
                .collect();
            if !records.is_empty() {
                settle(dns, self.lookup, &records).await;
            }
        }
        let asked = patiently_all!(self.transport, self.ask(order, &mut open).await);
        self.progress.stage(Stage::Asked);
        let policy = RetryPolicy::new().timeout(POLL);
        let decided = match asked {
            Ok(()) => patiently!(self.transport, order.poll_ready(&policy).await).map(|_| ()),
            Err(failure) => Err(failure),
        };
        match decided {
            Err(failure) if !failure.cause.is_passing() => Err(self.reason(order, Some(failure)).await),
            other => other,
        }
    }

    /// Publishes an answer for every authorization that is open; says which way was chosen for each.
    async fn publish(
        &self,
        order: &mut Order,
        pending: &mut Pending,
        published: &mut Vec<Published>,
    ) -> Result<Vec<Option<ChallengeKind>>, Stop> {
        let mut chosen = Vec::new();
        for one in std::mem::take(published) {
            one.remove().await;
        }
        pending.records.clear();
        let mut authorizations = order.authorizations();
        while let Some(authorization) = authorizations.next().await {
            let mut authorization = authorization?;
            if authorization.status != AuthorizationStatus::Pending {
                chosen.push(None);
                continue;
            }
            let identifier: Identifier = authorization
                .identifier()
                .to_string()
                .parse()
                .map_err(|error| Failure::new(Cause::Server, error))?;
            let way = self.solvers.ways(&identifier, self.failures).into_iter().find(|kind| {
                authorization.challenges.iter().any(|challenge| challenge.r#type == kind.acme())
            });
            let Some(kind) = way else {
                let detail = format!("there is no way to prove {identifier} that both sides know");
                return Err(Failure::new(Cause::NoChallenge, detail).into());
            };
            let Some(challenge) = authorization.challenge(kind.acme()) else { continue };
            let key = challenge.key_authorization();
            if kind == ChallengeKind::Dns {
                // Before it is set: a crash must not leave a record that nobody knows of.
                pending.records.push((identifier.record_name(), key.dns_value()));
                self.progress.save(pending)?;
            }
            self.solvers.publish(kind, &identifier, &challenge.token, &key, published).await?;
            chosen.push(Some(kind));
        }
        Ok(chosen)
    }

    /// Tells the authority to ask, once for each authorization in `open`; whom it was told stays told when the walk begins
    /// anew.
    async fn ask(&self, order: &mut Order, open: &mut [Option<ChallengeKind>]) -> Result<(), Stop> {
        let mut authorizations = order.authorizations();
        let mut ways = open.iter_mut();
        while let Some(authorization) = authorizations.next().await {
            let mut authorization = authorization?;
            let Some(way) = ways.next() else { break };
            let Some(kind) = *way else { continue };
            let Some(mut challenge) = authorization.challenge(kind.acme()) else { continue };
            if challenge.status == ChallengeStatus::Pending {
                challenge.set_ready().await?;
            }
            *way = None;
        }
        Ok(())
    }

    /// The error of the first challenge that has one.
    async fn refusal(order: &mut Order) -> Result<Option<Failure>, Stop> {
        let mut authorizations = order.authorizations();
        while let Some(authorization) = authorizations.next().await {
            let mut authorization = authorization?;
            let name = authorization.identifier().to_string();
            let state = authorization.refresh().await?;
            if let Some(problem) = state.challenges.iter().find_map(|one| one.error.as_ref()) {
                let failure = Failure::of_challenge(problem);
                let detail = format!("{name}: {}", failure.detail);
                return Ok(Some(Failure { detail, ..failure }));
            }
        }
        Ok(None)
    }

    /// Why the authority refused: the error of the first challenge that has one, else what is known `otherwise`.
    async fn reason(&self, order: &mut Order, otherwise: Option<Failure>) -> Failure {
        let general = otherwise.or_else(|| order.state().error.as_ref().map(Failure::of_problem));
        let found = patiently_all!(self.transport, Self::refusal(order).await);
        match (found, general) {
            (Ok(Some(failure)), _) | (_, Some(failure)) | (Err(failure), None) => failure,
            (Ok(None), None) => {
                Failure::new(Cause::WrongAnswer, "the authority refused and does not say why")
            }
        }
    }
}

/// What ends a walk over authorizations: the library's error, or ours.
enum Stop {
    Acme(instant_acme::Error),
    Ours(Failure),
}

impl From<instant_acme::Error> for Stop {
    fn from(error: instant_acme::Error) -> Self {
        Self::Acme(error)
    }
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Self::Ours(failure)
    }
}

/// A request for these names. Without a common name: an address in it is refused.
fn request(identifiers: &[Identifier], key: &SecretString) -> Result<Vec<u8>, Failure> {
    let failed = |error: rcgen::Error| Failure::new(Cause::Local, format!("a certificate request: {error}"));
    let key = KeyPair::from_pem(key.expose_secret()).map_err(failed)?;
    let names: Vec<String> = identifiers.iter().map(ToString::to_string).collect();
    let mut params = CertificateParams::new(names).map_err(failed)?;
    params.distinguished_name = DistinguishedName::new();
    Ok(params.serialize_request(&key).map_err(failed)?.der().to_vec())
}

/// Checks what came back.
fn issued(chain: &str, pending: &Pending) -> Result<Issued, Failure> {
    let bad =
        |detail: String| Failure::new(Cause::Server, format!("the certificate that came back: {detail}"));
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(chain.as_bytes())
        .collect::<Result<_, _>>()
        .map_err(|error| bad(error.to_string()))?;
    let facts = LeafFacts::of(&chain).map_err(bad)?;
    for identifier in &pending.identifiers {
        let held = match identifier {
            Identifier::Ip(ip) => facts.names.ips.contains(ip),
            Identifier::Dns(_) | Identifier::Wildcard(_) => facts.names.dns.contains(&identifier.to_string()),
        };
        if !held {
            return Err(bad(format!("it is not for {identifier}")));
        }
    }
    let private = PrivateKeyDer::from_pem_slice(pending.key.expose_secret().as_bytes())
        .map_err(|error| Failure::new(Cause::Local, error))?;
    CertifiedKey::from_der(chain.clone(), private, &default_provider())
        .map_err(|error| bad(error.to_string()))?;
    Ok(Issued { chain, key_pem: pending.key.clone() })
}
