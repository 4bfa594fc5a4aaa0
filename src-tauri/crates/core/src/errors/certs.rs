//! Certificates.

use gatehouse_api::{Code, ErrorEnvelope};
use gatehouse_certs::{CertError, VaultError};

use super::{Explain, sentence};

const START_ANEW: &str = "Restore it, or start a new authority that every device must trust again.";

impl Explain for CertError {
    fn explain(&self) -> ErrorEnvelope {
        match self {
            Self::Io { path, source } => super::file("Storing the certificate", path, source),
            Self::Vault(error) => error.explain(),
            Self::AuthorityKeyMissing => no_authority(self, "Its key is not where secrets are kept"),
            Self::AuthorityKeyMismatch => no_authority(self, "Its key does not belong to its certificate"),
            Self::AuthorityDamaged { .. } => no_authority(self, "Its certificate file is damaged"),
            Self::AuthorityExpired { .. } => no_authority(self, "It has expired"),
            Self::ClockBehind { .. } => {
                ErrorEnvelope::new(Code::Certificate, "The clock of this machine is wrong", sentence(self))
                    .fix("Set the date and time, then try again.")
            }
            Self::OutsideConstraints { name } => ErrorEnvelope::new(
                Code::Certificate,
                format!("The local certificate cannot be for {name}"),
                sentence(self),
            )
            .fix("Leave this name out, or use a certificate from a public authority for it."),
            Self::InvalidName { name } => {
                ErrorEnvelope::new(Code::Usage, format!("{name:?} is no host name"), sentence(self))
                    .fix("Write a name such as mini.local or an address such as 192.168.1.20.")
            }
            Self::NoNames => ErrorEnvelope::new(
                Code::NoAddress,
                "There is no name or address to make a certificate for",
                sentence(self),
            ),
            Self::TooManyNames { .. } => {
                ErrorEnvelope::new(Code::Usage, "That is too many names for one certificate", sentence(self))
                    .fix("Leave some names out.")
            }
            Self::Crypto { .. } => {
                ErrorEnvelope::new(Code::Certificate, "The certificate could not be made", sentence(self))
            }
        }
    }
}

impl Explain for VaultError {
    fn explain(&self) -> ErrorEnvelope {
        let code = match self {
            Self::Locked(_) | Self::Denied(_) => Code::Permission,
            Self::Missing(_) | Self::Unavailable(_) => Code::Certificate,
        };
        let fix = match self {
            Self::Locked(_) => "Unlock the keychain, then try again.",
            Self::Denied(_) => "Allow Gatehouse to use the keychain, then try again.",
            Self::Missing(_) => START_ANEW,
            Self::Unavailable(_) => "Log in to a session with a keychain, then try again.",
        };
        ErrorEnvelope::new(code, "The key of the certificate authority cannot be used", sentence(self))
            .fix(fix)
    }
}

fn no_authority(error: &CertError, title: &str) -> ErrorEnvelope {
    let title = format!("The local certificate authority cannot sign: {}", lower(title));
    ErrorEnvelope::new(Code::Certificate, title, sentence(error))
        .fix_with(START_ANEW, "gatehouse close --purge")
}

fn lower(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_lowercase().chain(letters).collect()).unwrap_or_default()
}
