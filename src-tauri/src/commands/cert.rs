//! `gatehouse cert`: the certificate that is served, and the authority that devices are asked to trust.

mod acme;
mod brought;
mod clients;

use std::{io, path::Path};

use base64::{Engine, engine::general_purpose::STANDARD};
use gatehouse_api::{
    CaExport, CaFormat, CertSummary, Certificate, CertificateState, Code, ErrorEnvelope, Reply, Request,
    Text, say,
};
use serde_json::json;

use crate::{
    args::{CaForm, Cert, FingerprintForm},
    output::{Form, Page, Tone, fields, qr, when::Clock, words},
    session::{Outcome, Session, Verdict, unexpected},
};

/// Runs one of them.
pub(crate) async fn run(command: Cert, session: &mut Session) -> Outcome {
    match command {
        Cert::Show => show(session).await,
        Cert::Acme(command) => acme::run(command, session).await,
        Cert::Import(words) => brought::import(words, session).await,
        Cert::Remove { name } => brought::remove(name, session).await,
        Cert::Clients(command) => clients::run(command, session).await,
        Cert::Fingerprint { format, leaf } => fingerprint(format, leaf, session).await,
        Cert::Export { ca, format } => export(&ca, format, session).await,
    }
}

/// The local certificate in detail, then every certificate in a line or two.
async fn show(session: &mut Session) -> Outcome {
    let Reply::Certificates(all) = session.ask(Request::CertList).await? else { return Err(unexpected()) };
    let local = match fetch(session).await {
        Ok(local) => Some(local),
        Err(error) if error.code == Code::NotFound && !all.is_empty() => None,
        Err(error) => return Err(error),
    };
    match session.out.form() {
        Form::Human => {
            let mut shown = local.as_ref().map_or_else(Page::new, |local| page(local, session.clock));
            list(&mut shown, &all, session.clock);
            session.out.page(&shown);
        }
        Form::Json | Form::Lines => {
            let mut object = local.as_ref().map_or_else(|| json!({}), fields);
            object["certificates"] = fields(&all);
            session.out.object(&object);
        }
    }
    Ok(Verdict::warned(all.iter().any(|one| one.problem.is_some())))
}

/// Every certificate: its state and names, then where it comes from, what is left of it, and what comes next.
pub(super) fn list(page: &mut Page, all: &[Certificate], clock: Clock) {
    for one in all {
        let (tone, word) = match one.state {
            CertificateState::Valid => (Tone::Good, say!("cli.cert.valid")),
            CertificateState::Expiring => (Tone::Warn, say!("cli.cert.expiring")),
            CertificateState::Expired => (Tone::Bad, say!("cli.cert.expired")),
            CertificateState::Missing => (Tone::Warn, say!("cli.cert.missing")),
        };
        page.toned(0, tone, word, one.names.join(", "));
        let from = match (one.kind, &one.issuer) {
            (kind, Some(issuer)) => {
                say!("cli.cert.from", kind = words::certificate_kind(kind), issuer = issuer)
            }
            (kind, None) => words::certificate_kind(kind),
        };
        page.item(from);
        if let (Some(end), Some(left)) = (one.not_after, one.life_left) {
            let relative = clock.relative(end);
            page.item(say!("cli.cert.left", date = clock.date(end), relative = relative, percent = left));
        }
        if let Some(stage) = one.stage {
            page.item(words::order_stage(stage));
        }
        if let Some(next) = one.next_attempt {
            page.item(say!("cli.cert.next", date = clock.date(next), time = clock.time(next)));
        }
        if let Some(problem) = &one.problem {
            page.toned(2, Tone::Warn, say!("cli.word.problem"), &problem.title);
            page.item(&problem.because);
            words::fix(page, problem.fix.as_ref());
        }
    }
}

async fn fetch(session: &mut Session) -> Result<CertSummary, ErrorEnvelope> {
    let Reply::Cert(cert) = session.ask(Request::CertShow).await? else { return Err(unexpected()) };
    cert.ok_or_else(|| {
        ErrorEnvelope::new(Code::NotFound, say!("cli.cert.none"), say!("cli.cert.none-because"))
            .fix_with(say!("core.open-one"), "gatehouse open --to lan")
    })
}

fn page(cert: &CertSummary, clock: Clock) -> Page {
    let until =
        say!("cli.until", date = clock.date(cert.not_after), relative = clock.relative(cert.not_after));
    let valid = cert.not_after > clock.now();
    let (tone, word) =
        if valid { (Tone::Good, say!("cli.cert.valid")) } else { (Tone::Bad, say!("cli.cert.expired")) };
    let mut page = Page::verdict(tone, word, &until);
    page.field(say!("cli.field.issuer"), &cert.issuer);
    page.field(say!("cli.field.names"), cert.names.join(", "));
    fingerprint_fields(&mut page, "SHA-256", &cert.sha256);
    if let Some(ca) = &cert.ca_sha256 {
        fingerprint_fields(&mut page, say!("cli.field.ca-sha256"), ca);
    }
    page
}

/// A fingerprint on two lines of sixteen bytes, which fit 80 columns and compare well.
pub(crate) fn fingerprint_fields(page: &mut Page, name: impl Into<Text>, colons: &str) {
    let half = 16 * 3 - 1;
    match (colons.get(..half), colons.get(half + 1..)) {
        (Some(first), Some(second)) => {
            page.field(name, first);
            page.field("", second);
        }
        _ => page.field(name, colons),
    }
}

async fn fingerprint(format: FingerprintForm, leaf: bool, session: &mut Session) -> Outcome {
    let cert = fetch(session).await?;
    let (of, colons) = match cert.ca_sha256 {
        Some(ca) if !leaf => ("ca", ca),
        Some(_) | None => ("certificate", cert.sha256),
    };
    if session.out.form() != Form::Human {
        session.out.object(&json!({"of": of, "sha256": colons}));
        return Ok(Verdict::Done);
    }
    let hex = colons.replace(':', "").to_ascii_lowercase();
    match format {
        FingerprintForm::Colon => session.out.data(format!("{colons}\n").as_bytes()),
        FingerprintForm::Hex => session.out.data(format!("{hex}\n").as_bytes()),
        FingerprintForm::Qr => {
            let look = session.out.look();
            let code = qr::code(&colons, look.utf8, look.color).ok_or_else(unexpected)?;
            session.out.data(code.as_bytes());
        }
    }
    Ok(Verdict::Done)
}

async fn export(path: &Path, form: CaForm, session: &mut Session) -> Outcome {
    let format = CaFormat::from(form);
    let Reply::Ca(ca) = session.ask(Request::CertExportCa { format }).await? else {
        return Err(unexpected());
    };
    let bytes = match format {
        CaFormat::Pem => ca.content.clone().into_bytes(),
        CaFormat::Der => STANDARD.decode(&ca.content).map_err(|_| unexpected())?,
    };
    if path == Path::new("-") {
        match session.out.form() {
            Form::Human => session.out.data(&bytes),
            Form::Json | Form::Lines => session.out.object(&fields(&ca)),
        }
        return Ok(Verdict::Done);
    }
    write(path, &bytes).map_err(|error| not_written(path, &error))?;
    let CaExport { name, sha256, not_after, .. } = &ca;
    let mut page = Page::verdict(Tone::Good, say!("cli.cert.written"), path.display().to_string());
    page.field(
        say!("cli.field.authority"),
        &say!("cli.cert.name-until", name = name, date = session.clock.date(*not_after)),
    );
    fingerprint_fields(&mut page, "SHA-256", sha256);
    let value = json!({
        "path": path.display().to_string(),
        "format": format,
        "name": name,
        "sha256": sha256,
        "not_after": serde_json::to_value(&ca).ok().and_then(|ca| ca.get("not_after").cloned()),
    });
    session.out.result(&page, &value);
    Ok(Verdict::Done)
}

/// The certificate is public: everybody may read the file. A device such as `/dev/stdout` is written to as it is.
fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    match path.metadata() {
        Ok(meta) if !meta.is_file() => std::fs::write(path, bytes),
        Ok(_) | Err(_) => gatehouse_files::write_atomic(path, bytes, gatehouse_files::PUBLIC),
    }
}

fn not_written(path: &Path, error: &io::Error) -> ErrorEnvelope {
    let code = match error.kind() {
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => Code::Permission,
        _ => Code::Storage,
    };
    ErrorEnvelope::new(
        code,
        say!("cli.file.not-written"),
        say!("core.at-failed", place = path.display(), error = error),
    )
}
