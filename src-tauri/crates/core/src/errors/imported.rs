//! Certificates that the user brings.

use gatehouse_api::{Code, ErrorEnvelope, Text, say};
use gatehouse_certs::imported::ImportError;

use super::{Explain, capital};

/// How the command line is given what was missing; the texts say it for every view.
const WITH_KEY: &str = "gatehouse cert import CERTIFICATE --key KEY";
const WITH_PASSWORD: &str = "gatehouse cert import FILE --password-file FILE";

impl Explain for ImportError {
    fn explain(&self) -> ErrorEnvelope {
        let refused = |because: Text, fix: Text| {
            ErrorEnvelope::new(Code::Certificate, say!("core.import.refused"), because).fix(fix)
        };
        let told = |because: Text, fix: Text, command: &str| {
            ErrorEnvelope::new(Code::Certificate, say!("core.import.refused"), because).fix_with(fix, command)
        };
        match self {
            Self::Unreadable { path, source } => {
                let error = super::file(say!("core.import.reading"), path, source);
                match source.kind() {
                    std::io::ErrorKind::PermissionDenied => error.fix(say!("core.import.denied-fix")),
                    _ => error,
                }
            }
            Self::Store { path, source } => super::file(say!("core.doing.store-certificate"), path, source),
            Self::NotUnderstood { file } => refused(
                say!("core.import.not-understood", file = file),
                say!("core.import.not-understood-fix"),
            ),
            Self::Damaged { file, detail } => refused(
                say!("core.import.damaged", file = file, detail = detail),
                say!("core.import.damaged-fix"),
            ),
            Self::NoCertificate => {
                told(say!("core.import.no-certificate"), say!("core.import.no-certificate-fix"), WITH_KEY)
            }
            Self::NoKey => told(say!("core.import.no-key"), say!("core.import.no-key-fix"), WITH_KEY),
            Self::KeyEncrypted { file } => told(
                say!("core.import.key-encrypted", file = file),
                say!("core.import.key-encrypted-fix"),
                "openssl pkey -in KEY -out NEW",
            ),
            Self::KeyUnusable { detail } => {
                refused(say!("core.import.key-unusable", detail = detail), say!("core.import.new-key"))
            }
            Self::KeyMismatch { subjects } => {
                let subjects = subjects.join("; ");
                refused(
                    say!("core.import.key-mismatch", subjects = subjects),
                    say!("core.import.key-mismatch-fix"),
                )
            }
            Self::PasswordWanted { file } => told(
                say!("core.import.password-wanted", file = file),
                say!("core.import.password-fix"),
                WITH_PASSWORD,
            ),
            Self::PasswordWrong { file } => told(
                say!("core.import.password-wrong", file = file),
                say!("core.import.password-fix"),
                WITH_PASSWORD,
            ),
            Self::Expired { not_after } => {
                refused(say!("core.import.expired", date = not_after.date()), say!("core.import.expired-fix"))
            }
            Self::NotYetValid { not_before } => {
                refused(say!("core.import.early", date = not_before.date()), say!("core.clock.fix"))
            }
            Self::IssuerExpired { subject, not_after } => refused(
                say!("core.import.issuer-expired", subject = subject, date = not_after.date()),
                say!("core.import.chain-fix"),
            ),
            Self::NoNames { subject } => {
                refused(say!("core.import.no-names", subject = subject), say!("core.import.no-names-fix"))
            }
            Self::NotForServers { why } => refused(
                say!("core.import.not-for-servers", why = why),
                say!("core.import.not-for-servers-fix"),
            ),
            Self::Weak { what } => {
                refused(say!("core.import.weak", what = what), say!("core.import.new-key"))
            }
            Self::ChainBroken { detail } => {
                let detail = capital(detail);
                refused(say!("core.import.chain-broken", detail = detail), say!("core.import.chain-fix"))
            }
        }
    }
}
