//! `gatehouse cert export`: the authority as a file, and what to do with it on a device.

use std::{io, path::Path};

use base64::{Engine, engine::general_purpose::STANDARD};
use gatehouse_api::{CaExport, CaFormat, Code, ErrorEnvelope, Reply, Request, Text, say};
use serde_json::json;

use super::fingerprint_fields;
use crate::{
    args::{CaForm, Device, Export},
    output::{Form, Page, Tone, fields},
    session::{Outcome, Session, Verdict, unexpected},
};

/// Writes it.
pub(crate) async fn run(args: &Export, session: &mut Session) -> Outcome {
    let path = &args.ca;
    let form = args.format.or(args.device.map(Device::form)).unwrap_or(CaForm::Pem);
    let format = CaFormat::from(form);
    let language = Some(session.globals.language.tag().to_owned());
    let Reply::Ca(ca) = session.ask(Request::CertExportCa { format, language }).await? else {
        return Err(unexpected());
    };
    let bytes = match format {
        CaFormat::Pem | CaFormat::Mobileconfig => ca.content.clone().into_bytes(),
        CaFormat::Der => STANDARD.decode(&ca.content).map_err(|_| unexpected())?,
    };
    let steps = args.device.map(|device| steps(device, path)).unwrap_or_default();
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
    for (number, (text, command)) in steps.iter().enumerate() {
        page.item(say!("cli.export.step", number = number + 1, text = text));
        if let Some(command) = command {
            page.command(command);
        }
    }
    let mut value = json!({
        "path": path.display().to_string(),
        "format": format,
        "name": name,
        "sha256": sha256,
        "not_after": serde_json::to_value(&ca).ok().and_then(|ca| ca.get("not_after").cloned()),
    });
    if !steps.is_empty() {
        let told = steps.iter().map(|(text, command)| json!({ "text": text, "command": command }));
        value["steps"] = told.collect();
    }
    session.out.result(&page, &value);
    Ok(Verdict::Done)
}

/// What to do with the file, and what to type where there is something to type.
fn steps(device: Device, file: &Path) -> Vec<(Text, Option<String>)> {
    let file = file.display();
    let said = |text: Text| (text, None);
    match device {
        Device::Ios => vec![
            said(say!("cli.export.carry")),
            said(say!("cli.export.ios-install")),
            said(say!("cli.export.ios-trust")),
        ],
        Device::Mac => vec![
            said(say!("cli.export.mac-open")),
            said(say!("cli.export.mac-install")),
            said(say!("cli.export.mac-trust")),
        ],
        Device::Android => vec![
            said(say!("cli.export.carry")),
            said(say!("cli.export.android-install")),
            said(say!("cli.export.android-apps")),
        ],
        Device::Windows => vec![
            (say!("cli.export.windows"), Some(format!("certutil -user -addstore Root \"{file}\""))),
            said(say!("cli.export.compare")),
        ],
        Device::Linux => vec![
            (
                say!("cli.export.debian"),
                Some(format!(
                    "sudo install -m 644 '{file}' /usr/local/share/ca-certificates/gatehouse.crt && sudo update-ca-certificates"
                )),
            ),
            (say!("cli.export.fedora"), Some(format!("sudo trust anchor '{file}'"))),
            (
                say!("cli.export.chromium"),
                Some(format!("certutil -A -d sql:$HOME/.pki/nssdb -n Gatehouse -t C,, -i '{file}'")),
            ),
        ],
        Device::Firefox => {
            vec![said(say!("cli.export.firefox")), said(say!("cli.export.firefox-tick"))]
        }
        Device::Node => vec![
            (say!("cli.export.node"), Some(format!("export NODE_EXTRA_CA_CERTS='{file}'"))),
            (say!("cli.export.node-system"), Some("export NODE_OPTIONS=--use-system-ca".to_owned())),
        ],
        Device::Java => vec![(
            say!("cli.export.java"),
            Some(format!("keytool -importcert -cacerts -alias gatehouse -file '{file}'")),
        )],
    }
}

/// The certificate is public: everybody may read the file. A device such as `/dev/stdout` is written to as it is.
fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    match path.metadata() {
        Ok(meta) if !meta.is_file() => std::fs::write(path, bytes),
        Ok(_) | Err(_) => gatehouse_files::write_atomic(path, bytes, gatehouse_files::PUBLIC),
    }
}

pub(super) fn not_written(path: &Path, error: &io::Error) -> ErrorEnvelope {
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
