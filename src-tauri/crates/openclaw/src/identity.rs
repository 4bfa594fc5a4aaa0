//! The Ed25519 identity of a device, and the signature with which it logs in (protocol v4, payload v3 or v2).

use std::fmt;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::SecretSlice;
use serde_json::{Value, json};

use crate::digest::sha256_hex;

/// A device key. Its id is the SHA-256 of the public key.
pub struct DeviceIdentity {
    key: Ed25519KeyPair,
    seed: SecretSlice<u8>,
    device_id: String,
    public_key: String,
}

/// A key could not be made or read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the device key is not usable")]
pub struct BadKey;

/// What a login signs besides the device's own facts.
#[derive(Clone, Copy)]
pub struct Login<'a> {
    /// `client.id`.
    pub client_id: &'a str,
    /// `client.mode`.
    pub client_mode: &'a str,
    /// `operator` or `node`.
    pub role: &'a str,
    /// In the order in which they are sent.
    pub scopes: &'a [&'a str],
    /// The time of the challenge, in milliseconds since 1970.
    pub signed_at: u64,
    /// `auth.token`, else `auth.deviceToken`, else `auth.bootstrapToken`, else nothing. Never a password.
    pub token: &'a str,
    /// The nonce of the challenge.
    pub nonce: &'a str,
    /// `client.platform`.
    pub platform: &'a str,
    /// `client.deviceFamily`.
    pub device_family: &'a str,
}

impl DeviceIdentity {
    /// Makes a new key.
    ///
    /// # Errors
    /// [`BadKey`] when the system gives no random numbers.
    pub fn generate() -> Result<Self, BadKey> {
        let mut seed = [0_u8; 32];
        aws_lc_rs::rand::SecureRandom::fill(&SystemRandom::new(), &mut seed).map_err(|_| BadKey)?;
        Self::from_seed(&seed)
    }

    /// A key from the 32 bytes that [`Self::seed`] gives.
    ///
    /// # Errors
    /// [`BadKey`] for any other number of bytes.
    pub fn from_seed(seed: &[u8]) -> Result<Self, BadKey> {
        let key = Ed25519KeyPair::from_seed_unchecked(seed).map_err(|_| BadKey)?;
        let public = key.public_key().as_ref();
        let (device_id, public_key) = (sha256_hex(public), URL_SAFE_NO_PAD.encode(public));
        Ok(Self { key, seed: SecretSlice::from(seed.to_vec()), device_id, public_key })
    }

    /// The private key, for safe keeping.
    #[must_use]
    pub fn seed(&self) -> &SecretSlice<u8> {
        &self.seed
    }

    /// SHA-256 of the public key, lower-case hex.
    #[must_use]
    pub fn device_id(&self) -> &str {
        &self.device_id
    }

    /// The public key, base64url without padding.
    #[must_use]
    pub fn public_key(&self) -> &str {
        &self.public_key
    }

    /// The signature over the v3 payload, base64url without padding.
    #[must_use]
    pub fn sign_v3(&self, login: &Login<'_>) -> String {
        self.sign(&self.payload_v3(login))
    }

    /// The signature over the v2 payload, which knows no platform.
    #[must_use]
    pub fn sign_v2(&self, login: &Login<'_>) -> String {
        self.sign(&self.payload("v2", login))
    }

    /// The `device` object of `connect`.
    #[must_use]
    pub fn device(&self, login: &Login<'_>) -> Value {
        json!({
            "id": self.device_id,
            "publicKey": self.public_key,
            "signature": self.sign_v3(login),
            "signedAt": login.signed_at,
            "nonce": login.nonce,
        })
    }

    fn payload_v3(&self, login: &Login<'_>) -> String {
        let plain = |text: &str| text.trim().to_ascii_lowercase();
        format!("{}|{}|{}", self.payload("v3", login), plain(login.platform), plain(login.device_family))
    }

    fn payload(&self, version: &str, login: &Login<'_>) -> String {
        let Login { client_id, client_mode, role, signed_at, token, nonce, .. } = login;
        let (device, scopes) = (&self.device_id, login.scopes.join(","));
        format!("{version}|{device}|{client_id}|{client_mode}|{role}|{scopes}|{signed_at}|{token}|{nonce}")
    }

    fn sign(&self, payload: &str) -> String {
        URL_SAFE_NO_PAD.encode(self.key.sign(payload.as_bytes()).as_ref())
    }
}

impl fmt::Debug for DeviceIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeviceIdentity").field("device_id", &self.device_id).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
