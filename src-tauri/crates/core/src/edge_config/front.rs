//! A tunnel on this machine, as a user declares it.

use gatehouse_api::{ErrorEnvelope, SecretText};
use gatehouse_edge::{FrontProfile, TUNNEL_SECRET};
use secrecy::ExposeSecret as _;

use crate::transaction;

/// A tunnel and what it is known by.
#[derive(Debug)]
pub struct Tunnel {
    /// The header in which it shows its secret with every request.
    pub header: String,
    /// The secret. Nobody keeps it: the setting holds its digest.
    pub secret: SecretText,
    /// The value of the setting `front`.
    pub setting: String,
}

/// A tunnel with this secret, or with a new one.
///
/// # Errors
/// `usage` where the secret is too short to be one; `failed` where the system gives no random bytes.
pub fn tunnel(given: Option<&SecretText>) -> Result<Tunnel, ErrorEnvelope> {
    let secret = match given {
        Some(given) => transaction::checked(given)?.expose_secret().to_owned(),
        None => transaction::fresh()?,
    };
    let setting = FrontProfile::tunnel(&secret).to_string();
    Ok(Tunnel { header: TUNNEL_SECRET.to_string(), secret: SecretText::new(secret), setting })
}
