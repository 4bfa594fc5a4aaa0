//! The operating system: the state folder, its lock, secrets.

use gatehouse_api::{Code, ErrorEnvelope, say};
use gatehouse_host::home::{HomeError, LockError};
use gatehouse_host::secrets::SecretError;

use super::{Explain, sentence};

impl Explain for HomeError {
    fn explain(&self) -> ErrorEnvelope {
        let title = say!("core.home.unusable");
        match self {
            Self::Unknown | Self::Relative(_) => {
                ErrorEnvelope::new(Code::Usage, title, sentence(self)).fix(say!("core.home.absolute"))
            }
            Self::Io { path, source } => super::file(say!("core.doing.make-home"), path, source),
            Self::ForeignOwner { .. } | Self::NoFolder(_) => {
                ErrorEnvelope::new(Code::Permission, title, sentence(self)).fix(say!("core.home.other-user"))
            }
            Self::SocketPathTooLong(_) => {
                ErrorEnvelope::new(Code::Usage, title, sentence(self)).fix(say!("core.home.shorter"))
            }
        }
    }
}

impl Explain for LockError {
    fn explain(&self) -> ErrorEnvelope {
        match self {
            Self::Held { pid } => {
                let error =
                    ErrorEnvelope::new(Code::AlreadyRunning, say!("core.already.title"), sentence(self));
                let error = match pid {
                    Some(pid) => error.evidence(format!("pid {pid}")),
                    None => error,
                };
                error.fix_with(say!("core.already.fix"), "gatehouse status")
            }
            Self::Io { path, source } => super::file(say!("core.doing.lock-home"), path, source),
        }
    }
}

impl Explain for SecretError {
    fn explain(&self) -> ErrorEnvelope {
        let (code, fix) = match self {
            Self::Locked(_) => (Code::Permission, say!("core.vault.unlock")),
            Self::Denied(_) => (Code::Permission, say!("core.vault.allow")),
            Self::Missing { .. } => (Code::Failed, say!("core.vault.restore")),
            Self::InvalidName(_) => (Code::Failed, say!("core.report")),
            Self::Unavailable(_) => (Code::Failed, say!("core.vault.log-in")),
        };
        ErrorEnvelope::new(code, say!("core.vault.title"), sentence(self)).fix(fix)
    }
}

#[cfg(test)]
mod tests;
