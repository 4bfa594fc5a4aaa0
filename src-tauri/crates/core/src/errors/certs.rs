//! Certificates.

use gatehouse_api::{Code, ErrorEnvelope, Text, say};
use gatehouse_certs::{CertError, VaultError};

use super::{Explain, sentence};

impl Explain for CertError {
    fn explain(&self) -> ErrorEnvelope {
        match self {
            Self::Io { path, source } => super::file(say!("core.doing.store-certificate"), path, source),
            Self::Vault(error) => error.explain(),
            Self::AuthorityKeyMissing => no_authority(self, say!("core.ca.key-missing")),
            Self::AuthorityKeyMismatch => no_authority(self, say!("core.ca.key-mismatch")),
            Self::AuthorityDamaged { .. } => no_authority(self, say!("core.ca.damaged")),
            Self::ClientAuthorityKeyMissing => {
                ErrorEnvelope::new(Code::Certificate, say!("core.clients.key-missing"), sentence(self))
                    .fix(say!("core.ca.restore"))
            }
            Self::AuthorityExpired { .. } => no_authority(self, say!("core.ca.expired")),
            Self::ClockBehind { .. } => {
                ErrorEnvelope::new(Code::Certificate, say!("core.clock.wrong"), sentence(self))
                    .fix(say!("core.clock.fix"))
            }
            Self::OutsideConstraints { name } => {
                ErrorEnvelope::new(Code::Certificate, say!("core.cert.outside", name = name), sentence(self))
                    .fix(say!("core.cert.outside-fix"))
            }
            Self::InvalidName { name } => {
                ErrorEnvelope::new(Code::Usage, say!("core.host.not-a-name", name = name), sentence(self))
                    .fix(say!("core.host.example"))
            }
            Self::NoNames => ErrorEnvelope::new(Code::NoAddress, say!("core.cert.no-names"), sentence(self)),
            Self::TooManyNames { .. } => {
                ErrorEnvelope::new(Code::Usage, say!("core.names.too-many"), sentence(self))
                    .fix(say!("core.names.fewer"))
            }
            Self::Crypto { .. } => {
                ErrorEnvelope::new(Code::Certificate, say!("core.cert.failed"), sentence(self))
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
            Self::Locked(_) => say!("core.vault.unlock"),
            Self::Denied(_) => say!("core.vault.allow"),
            Self::Missing(_) => say!("core.ca.restore"),
            Self::Unavailable(_) => say!("core.vault.log-in"),
        };
        ErrorEnvelope::new(code, say!("core.ca.key-unusable"), sentence(self)).fix(fix)
    }
}

fn no_authority(error: &CertError, why: Text) -> ErrorEnvelope {
    ErrorEnvelope::new(Code::Certificate, say!("core.ca.cannot-sign", why = why), sentence(error))
        .fix_with(say!("core.ca.restore"), "gatehouse close --purge")
}
