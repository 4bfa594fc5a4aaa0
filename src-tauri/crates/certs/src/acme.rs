//! Certificates of public authorities (ACME: RFC 8555, 8737, 8738, 9773).
//!
//! This module speaks to an authority; when it should, and what happens to what comes back, is [`crate::renewal`]'s.

mod account;
mod authority;
mod challenge;
mod dns;
mod identifier;
mod lookup;
mod order;
mod patience;
mod problem;
mod renewal_info;
mod transport;

pub use account::{AccountFacts, ExternalAccount, Registration};
pub use authority::{Directory, KNOWN, KnownAuthority, Meta, authority_name, directory_of};
pub use challenge::{ChallengeKind, HttpTokens};
pub use dns::{Cloudflare, DnsProvider, Hook, Rfc2136, TsigKey, TxtLookup};
pub use identifier::{Identifier, is_public};
pub use lookup::{Authorization, Dns, DnsFacts};
pub use order::Stage;
pub use problem::{Cause, Failure};
pub use renewal_info::{Window, pick};

pub(crate) use account::{Accounts, slug};
pub(crate) use challenge::{Published, Solvers};
pub(crate) use order::{Pending, Progress, Work};
pub(crate) use renewal_info::{ask, certificate_id, next_question};
