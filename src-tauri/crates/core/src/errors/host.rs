//! The operating system: the state folder, its lock, secrets, its service manager.

use gatehouse_api::{Code, ErrorEnvelope, say};
use gatehouse_host::home::{HomeError, LockError};
use gatehouse_host::jobs::JobError;
use gatehouse_host::mapping::{Class, MappingError};
use gatehouse_host::presence::PresenceError;
use gatehouse_host::secrets::SecretError;

use super::{Explain, sentence};

/// How the command line chooses another port of the router.
const OTHER_PORT: &str = "gatehouse open --to internet --host NAME --map-port=8443";

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

impl Explain for JobError {
    fn explain(&self) -> ErrorEnvelope {
        let title = say!("core.jobs.not-done");
        match self {
            Self::NoManager { said } => {
                let because = say!("core.jobs.no-manager-because", said = said);
                ErrorEnvelope::new(Code::Failed, say!("core.jobs.no-manager"), because)
            }
            Self::Permission { said } => {
                let because = say!("core.jobs.said", said = said);
                ErrorEnvelope::new(Code::Permission, say!("core.jobs.permission"), because)
                    .fix(say!("core.jobs.permission-fix"))
            }
            Self::SwitchedOff { said } => {
                let because = say!("core.jobs.said", said = said);
                ErrorEnvelope::new(Code::Failed, say!("core.jobs.switched-off"), because)
            }
            Self::NotFound => ErrorEnvelope::new(Code::NotFound, title, say!("core.jobs.no-such-job")),
            Self::TimedOut { job, after, .. } => {
                let because = say!("core.jobs.too-slow", job = job, seconds = after.as_secs());
                ErrorEnvelope::new(Code::Failed, title, because)
            }
            Self::Failed { .. } | Self::Run { .. } => ErrorEnvelope::new(Code::Failed, title, sentence(self)),
            _ => ErrorEnvelope::new(Code::Failed, title, sentence(self)),
        }
    }
}

impl Explain for MappingError {
    fn explain(&self) -> ErrorEnvelope {
        let title = say!("core.map.closed");
        match self {
            Self::NoRouter => ErrorEnvelope::new(Code::NoAddress, title, say!("core.map.no-router"))
                .fix(say!("core.map.no-router-fix")),
            Self::OnInternet { here } => {
                let because = say!("core.map.on-internet", here = here.to_string());
                ErrorEnvelope::new(Code::Usage, title, because)
                    .fix_with(say!("core.map.on-internet-fix"), "gatehouse open --to internet")
            }
            Self::Silent { router } => {
                let because = say!("core.map.silent", router = router.to_string());
                let error = ErrorEnvelope::new(Code::Failed, title, because).fix(say!("core.map.by-hand"));
                match cfg!(target_os = "macos") {
                    true => error.evidence(say!("core.map.local-network")),
                    false => error,
                }
            }
            Self::NotPublic { external, class } => {
                let external = external.to_string();
                let (because, fix) = match class {
                    Class::Private => {
                        (say!("core.map.private", external = external), say!("core.map.private-fix"))
                    }
                    Class::Shared => {
                        (say!("core.map.shared", external = external), say!("core.map.no-ipv4-fix"))
                    }
                    Class::Tunnelled => {
                        (say!("core.map.tunnelled", external = external), say!("core.map.no-ipv4-fix"))
                    }
                    Class::Public | Class::Unusable => {
                        (say!("core.map.unusable", external = external), say!("core.map.unusable-fix"))
                    }
                };
                ErrorEnvelope::new(Code::NoAddress, title, because).fix(fix)
            }
            Self::NoExternal => ErrorEnvelope::new(Code::NoAddress, title, say!("core.map.no-external"))
                .fix(say!("core.map.no-ipv4-fix")),
            Self::Refused { protocol, why } => {
                let because = say!("core.map.refused", protocol = protocol.to_string(), why = why);
                ErrorEnvelope::new(Code::Failed, title, because).fix(say!("core.map.by-hand"))
            }
            Self::Taken { port } => {
                ErrorEnvelope::new(Code::PortTaken, title, say!("core.map.taken", port = port))
                    .fix_with(say!("core.map.taken-fix"), OTHER_PORT)
            }
            Self::OtherPort { asked, granted } => {
                let because = say!("core.map.other-port", asked = asked, granted = granted);
                ErrorEnvelope::new(Code::PortTaken, title, because)
                    .fix_with(say!("core.map.taken-fix"), OTHER_PORT)
            }
            _ => ErrorEnvelope::new(Code::Failed, title, sentence(self)).fix(say!("core.map.by-hand")),
        }
    }
}

impl Explain for PresenceError {
    fn explain(&self) -> ErrorEnvelope {
        match self {
            Self::Fleeting(path) => {
                let because = say!("core.presence.fleeting-because", path = path.display());
                ErrorEnvelope::new(Code::Usage, say!("core.presence.fleeting"), because)
                    .fix(say!("core.presence.fleeting-fix"))
            }
            Self::Foreign(path) => {
                let because = say!("core.presence.foreign-because", path = path.display());
                ErrorEnvelope::new(Code::Drift, say!("core.presence.foreign"), because)
                    .fix(say!("core.presence.foreign-fix"))
            }
            Self::Unwritable { .. } => {
                ErrorEnvelope::new(Code::Usage, say!("core.presence.unwritable"), sentence(self))
            }
            Self::Io { path, source } => super::file(say!("core.presence.doing.write"), path, source),
            Self::Job(error) => error.explain(),
            _ => ErrorEnvelope::new(Code::Failed, say!("core.jobs.not-done"), sentence(self)),
        }
    }
}

#[cfg(test)]
mod tests;
