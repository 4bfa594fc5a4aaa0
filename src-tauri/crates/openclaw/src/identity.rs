//! The Ed25519 identity of a device, and the signature with which it logs in.

use std::fmt;

use aws_lc_rs::signature::Ed25519KeyPair;

/// A device key.
pub struct DeviceIdentity {
    key: Ed25519KeyPair,
}

impl fmt::Debug for DeviceIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let _ = &self.key;
        f.write_str("DeviceIdentity")
    }
}
