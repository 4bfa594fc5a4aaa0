//! The operating system: the state folder, its lock, secrets.

use gatehouse_api::{Code, ErrorEnvelope};
use gatehouse_host::home::{HomeError, LockError};
use gatehouse_host::secrets::SecretError;

use super::{Explain, sentence};

impl Explain for HomeError {
    fn explain(&self) -> ErrorEnvelope {
        const TITLE: &str = "The state folder cannot be used";
        match self {
            Self::Unknown | Self::Relative(_) => ErrorEnvelope::new(Code::Usage, TITLE, sentence(self))
                .fix("Set GATEHOUSE_HOME to an absolute path of your own."),
            Self::Io { path, source } => super::file("Making the state folder", path, source),
            Self::ForeignOwner { .. } | Self::NoFolder(_) => {
                ErrorEnvelope::new(Code::Permission, TITLE, sentence(self))
                    .fix("Run Gatehouse as that user, or set GATEHOUSE_HOME to a folder of your own.")
            }
            Self::SocketPathTooLong(_) => ErrorEnvelope::new(Code::Usage, TITLE, sentence(self))
                .fix("Set GATEHOUSE_HOME to a shorter path."),
        }
    }
}

impl Explain for LockError {
    fn explain(&self) -> ErrorEnvelope {
        match self {
            Self::Held { pid } => {
                let error =
                    ErrorEnvelope::new(Code::AlreadyRunning, "Gatehouse is already running", sentence(self));
                let error = match pid {
                    Some(pid) => error.evidence(format!("pid {pid}")),
                    None => error,
                };
                error.fix_with("Use the one that runs.", "gatehouse status")
            }
            Self::Io { path, source } => super::file("Locking the state folder", path, source),
        }
    }
}

impl Explain for SecretError {
    fn explain(&self) -> ErrorEnvelope {
        let (code, fix) = match self {
            Self::Locked(_) => (Code::Permission, "Unlock the keychain, then try again."),
            Self::Denied(_) => (Code::Permission, "Allow Gatehouse to use the keychain, then try again."),
            Self::Missing { .. } => (Code::Failed, "Unlock or restore the keychain, then try again."),
            Self::InvalidName(_) => (Code::Failed, "Report this: it is a mistake in Gatehouse."),
            Self::Unavailable(_) => (Code::Failed, "Log in to a session with a keychain, then try again."),
        };
        ErrorEnvelope::new(code, "A secret cannot be read or stored", sentence(self)).fix(fix)
    }
}

#[cfg(test)]
mod tests;
