//! The certificates that Gatehouse serves: a local certificate authority, its leaf, and the resolver that the TLS side
//! asks for a key.
//!
//! Guarantees:
//! - The authority can only vouch for private names and addresses ([`Permitted`]): whoever steals its key can
//!   impersonate no public site.
//! - A crash between any two writes leaves a loadable certificate with its key ([`Certificates::open`]).
//! - A new leaf is swapped in without touching an open connection, and a failed renewal keeps the old one serving.
//! - An authority that somebody may have installed on a phone is never replaced silently.
//!
//! This crate knows no HTTP, no operating system and no keychain: the caller fills [`Vault`].

#![forbid(unsafe_code)]

pub mod acme;
mod authority;
mod certificates;
pub mod clients;
mod decide;
mod error;
mod facts;
mod https;
pub mod imported;
mod issue;
mod names;
mod permitted;
mod profile;
pub mod renewal;
mod resolver;
mod store;
mod system_trust;
mod vault;
mod words;

pub use authority::name_prefix;
pub use certificates::{AUTHORITY_KEY, Certificates, Ensured};
pub use decide::{Decision, Held, Reason, decide};
pub use error::CertError;
pub use facts::{AuthorityFacts, LeafFacts, fingerprint, public_key, validity};
pub use https::{Https, HttpsError, Roots};
pub use names::Names;
pub use permitted::Permitted;
pub use profile::PROFILE_TYPE;
pub use resolver::{Resolver, Served};
pub use system_trust::{Judgement, system_judges};
pub use vault::{Vault, VaultError};
pub use words::words;

#[cfg(test)]
mod testkit;
