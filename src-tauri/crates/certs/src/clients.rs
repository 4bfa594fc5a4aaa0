//! Certificates for clients: a small authority of our own, and rules about whose certificates are good.
//!
//! Guarantees: the key of the authority is in the vault and is needed only to issue; who is revoked is out without it, at
//! once; a rule whose files cannot be read lets nobody in, and one whose files break later keeps its last good content; a
//! list of revoked certificates that is past its time lets nobody in either (nobody knows who is on the next one).

mod authority;
mod revoked;
mod rules;

pub use authority::{CLIENT_AUTHORITY_KEY, ClientAuthority, ClientFacts, IssuedClient, called};
pub use rules::{ClientRule, ClientRules, RuleStatus};

#[cfg(test)]
mod tests;
