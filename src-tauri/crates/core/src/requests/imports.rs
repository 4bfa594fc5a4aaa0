//! Certificates that the user brings.

use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use gatehouse_api::{
    Certificate, CertificateKind, CertificateState, Code, ErrorEnvelope, ImportFile, ImportFrom, Problem,
    Reply, SecretText, Text, say,
};
use gatehouse_certs::imported::{
    Expiry, ImportSource, ImportStatus, Material, Pair, Remark, Verdict, expiry, verdict,
};
use secrecy::SecretString;
use time::OffsetDateTime;

use super::changes::changing;
use super::{Desk, blocking};
use crate::errors::{self, Explain};
use crate::transaction::{Bringing, Intent};

/// Imports, and opens what it is for. Answers when the addresses are proven, or when everything is rolled back.
pub(super) async fn import(
    desk: &Desk,
    slot: Option<String>,
    from: ImportFrom,
) -> Result<Reply, ErrorEnvelope> {
    if let Some(slot) = &slot {
        check_slot(slot)?;
    }
    let (brought, now) = (desk.context.brought.clone(), desk.context.clock.now());
    let ready = blocking(move || {
        let taken = take(from)?;
        let pair = match &taken {
            Taken::Content { files, password } => {
                let files: Vec<Material<'_>> =
                    files.iter().map(|(file, bytes)| Material { file, bytes }).collect();
                Pair::read(&files, password.as_ref())
            }
            Taken::Files(source) => brought.read(source),
        };
        let pair = pair.map_err(|error| error.explain())?;
        pair.in_time(now).map_err(|error| error.explain())?;
        let remarks = remarks(&pair, &verdict(&pair), now);
        let slot = slot.unwrap_or_else(|| free_slot(&brought.imports.status(), &pair));
        let source = match taken {
            Taken::Files(source) => source,
            Taken::Content { .. } => {
                let id = brought.copy(&pair, now).map_err(|error| error.explain())?;
                ImportSource::Copied { id }
            }
        };
        Ok(Bringing::Import { slot, source, names: pair.facts.names.clone(), remarks })
    })
    .await?;
    bring(desk, ready).await
}

/// Serves one no more.
pub(super) async fn remove(desk: &Desk, slot: &str) -> Result<Reply, ErrorEnvelope> {
    let slot = slot.strip_prefix("imported:").unwrap_or(slot).to_owned();
    if !desk.context.settings.current().imported.contains_key(&slot) {
        return Err(ErrorEnvelope::new(
            Code::NotFound,
            say!("core.import.none", slot = &slot),
            say!("core.import.none-because"),
        )
        .fix_with(say!("core.look.list"), "gatehouse cert list"));
    }
    bring(desk, Bringing::Remove { slot }).await
}

pub(super) async fn bring(desk: &Desk, what: Bringing) -> Result<Reply, ErrorEnvelope> {
    let copy = match &what {
        Bringing::Import { source: ImportSource::Copied { id }, .. } => Some(id.clone()),
        _ => None,
    };
    let change = changing(desk, false, desk.transactions.run(Intent::Bring(what))).await;
    copy.iter().for_each(|id| desk.context.brought.settled(id));
    forget_copies(desk).await;
    desk.tell(crate::controller::message::Fact::Certificates).await;
    change.map(Reply::Change)
}

/// Removes copies, and their keys, that neither the settings nor a change that may be undone need.
pub(crate) async fn forget_copies(desk: &Desk) {
    let desk = desk.clone();
    let forgotten = blocking(move || {
        let settings = desk.context.settings.current();
        let mut kept: Vec<String> = desk.transactions.copies();
        kept.extend(crate::brought::copies(&settings.imported));
        desk.context.brought.keep_only(&kept).map_err(|error| error.explain())
    });
    if let Err(error) = forgotten.await {
        tracing::warn!(%error, "copies of certificates that are not used could not be removed");
    }
}

/// Where it is taken from, with contents in hand.
enum Taken {
    Content { files: Vec<(String, Vec<u8>)>, password: Option<SecretString> },
    Files(ImportSource),
}

fn take(from: ImportFrom) -> Result<Taken, ErrorEnvelope> {
    match from {
        ImportFrom::Content { files, password } => {
            let decode = |file: ImportFile| {
                let bytes = STANDARD.decode(file.content.expose()).map_err(|error| {
                    let because = say!("core.import.damaged", file = &file.name, detail = error.to_string());
                    ErrorEnvelope::new(Code::Usage, say!("core.import.refused"), because)
                })?;
                Ok((file.name, bytes))
            };
            let files = files.into_iter().map(decode).collect::<Result<_, ErrorEnvelope>>()?;
            let password = password.map(|secret: SecretText| SecretString::from(secret.expose().to_owned()));
            Ok(Taken::Content { files, password })
        }
        ImportFrom::Files { certificate, key, password_file } => Ok(Taken::Files(ImportSource::Watched {
            certificate: absolute(&certificate)?,
            key: key.as_deref().map(absolute).transpose()?,
            password_file: password_file.as_deref().map(absolute).transpose()?,
        })),
    }
}

pub(super) fn absolute(text: &str) -> Result<PathBuf, ErrorEnvelope> {
    let path = Path::new(text);
    if path.is_absolute() {
        return Ok(path.to_path_buf());
    }
    Err(ErrorEnvelope::new(
        Code::Usage,
        say!("core.import.refused"),
        say!("core.import.relative", path = text),
    ))
}

fn check_slot(slot: &str) -> Result<(), ErrorEnvelope> {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '*');
    if (1..=64).contains(&slot.len()) && slot.chars().all(fits) {
        return Ok(());
    }
    let because = say!("core.import.slot-because");
    Err(ErrorEnvelope::new(Code::Usage, say!("core.import.slot", slot = slot), because))
}

/// By its first name; one with another kind of key beside it is a second certificate for the same names, not its successor.
fn free_slot(all: &[ImportStatus], pair: &Pair) -> String {
    let name = pair.facts.names.texts().next().unwrap_or_default().replace(':', "-");
    let name: String = name.chars().take(56).collect();
    let with_kind = format!("{name}-{}", pair.algorithm.to_ascii_lowercase());
    if all.iter().any(|one| one.slot == with_kind) {
        return with_kind;
    }
    let other = |one: &ImportStatus| {
        one.slot == name && one.algorithm.is_some_and(|algorithm| algorithm != pair.algorithm)
    };
    if all.iter().any(other) { with_kind } else { name }
}

/// What the user should know, as sentences.
fn remarks(pair: &Pair, verdict: &Verdict, now: OffsetDateTime) -> Vec<Text> {
    let mut texts: Vec<Text> = pair
        .remarks
        .iter()
        .map(|remark| match remark {
            Remark::Reordered => say!("core.import.reordered"),
            Remark::LeftOut { subjects } => say!("core.import.left-out", subjects = subjects.join("; ")),
            Remark::SelfSigned => say!("core.import.self-signed"),
            Remark::IssuerMissing { issuer } => say!("core.import.issuer-missing", issuer = issuer),
            Remark::IsAuthority => say!("core.import.is-authority"),
            Remark::LongLived { days } => say!("core.import.long-lived", days = days),
            Remark::MustStaple => say!("core.import.must-staple"),
        })
        .collect();
    let told = |remark: &Remark| matches!(remark, Remark::SelfSigned | Remark::IssuerMissing { .. });
    match verdict {
        Verdict::Trusted => {}
        Verdict::UnknownIssuer if pair.remarks.iter().any(told) => {}
        Verdict::UnknownIssuer => texts.push(say!("core.import.private", issuer = &pair.facts.issuer)),
        Verdict::Refused(why) => texts.push(say!("core.import.distrusted", why = errors::capital(why))),
    }
    if expiry(pair.facts.not_before, pair.facts.not_after, now) == Expiry::Soon {
        texts.push(say!("core.import.ends-soon", date = pair.facts.not_after.date()));
    }
    texts
}

/// The user's certificates, as people are shown them.
pub(super) fn all(desk: &Desk, now: OffsetDateTime) -> Vec<Certificate> {
    desk.context.brought.imports.status().iter().map(|status| one(status, now)).collect()
}

fn one(status: &ImportStatus, now: OffsetDateTime) -> Certificate {
    let facts = status.facts.as_deref();
    let left = facts.map(|facts| expiry(facts.not_before, facts.not_after, now));
    let state = match left {
        None => CertificateState::Missing,
        Some(Expiry::Fine) => CertificateState::Valid,
        Some(Expiry::Soon) => CertificateState::Expiring,
        Some(Expiry::Over) => CertificateState::Expired,
    };
    let life_left = facts.map(|facts| {
        let (life, left) = (facts.not_after - facts.not_before, facts.not_after - now);
        let percent = left.whole_seconds() * 100 / life.whole_seconds().max(1);
        u8::try_from(percent.clamp(0, 100)).unwrap_or_default()
    });
    let source = match &status.source {
        ImportSource::Copied { .. } => None,
        ImportSource::Watched { certificate, .. } => Some(certificate.display().to_string()),
    };
    Certificate {
        id: format!("imported:{}", status.slot),
        kind: CertificateKind::Imported,
        state,
        names: facts.map(|facts| facts.names.texts().collect()).unwrap_or_default(),
        issuer: facts.map(|facts| facts.issuer.clone()),
        not_before: facts.map(|facts| facts.not_before),
        not_after: facts.map(|facts| facts.not_after),
        life_left,
        sha256: facts.map(|facts| facts.sha256.clone()),
        authority: None,
        stage: None,
        next_attempt: None,
        window: None,
        source,
        key_type: status.algorithm.map(str::to_owned),
        trusted: status.trusted,
        problem: problem(status, left),
    }
}

fn problem(status: &ImportStatus, left: Option<Expiry>) -> Option<Problem> {
    let names = status.facts.as_ref().map(|facts| facts.names.texts().collect::<Vec<_>>().join(", "));
    let slot = &status.slot;
    if let Some(error) = &status.problem {
        let title = match &names {
            Some(names) => say!("core.import.not-renewed", names = names),
            None => say!("core.import.not-loaded", slot = slot),
        };
        return Some(Problem { title, ..errors::problem(error.explain()) });
    }
    let (facts, names) = (status.facts.as_ref()?, names?);
    let date = facts.not_after.date();
    let (title, because) = match left? {
        Expiry::Fine => return None,
        Expiry::Soon => {
            (say!("core.import.soon", names = &names, date = date), say!("core.import.soon-because"))
        }
        Expiry::Over => {
            (say!("core.import.over", names = &names, date = date), say!("core.import.over-because"))
        }
    };
    let fix = match &status.source {
        ImportSource::Copied { .. } => gatehouse_api::Fix {
            text: say!("core.import.again"),
            command: Some(format!("gatehouse cert import FILE --name {slot}")),
        },
        ImportSource::Watched { certificate, .. } => gatehouse_api::Fix {
            text: say!("core.import.renew", path = certificate.display()),
            command: None,
        },
    };
    Some(Problem { code: Code::Certificate, title, because, fix: Some(fix) })
}
