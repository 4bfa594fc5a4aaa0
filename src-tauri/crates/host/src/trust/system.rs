//! Linux: the system's store. Each distribution has a folder for authorities of the machine's own, and a tool that makes
//! the bundle of all that programs read. What is in the bundle is trusted, and nothing else.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use gatehouse_files::{PUBLIC, read_bounded, write_atomic};

use super::{Kind, Place, Root, Stale, TrustError, Wanted, argument, certificates, said};
use crate::jobs::Run;

/// A bundle is a quarter of a megabyte.
const BUNDLE: u64 = 16 * 1024 * 1024;
const CERTIFICATE: u64 = 256 * 1024;
const TOOL: Duration = Duration::from_secs(90);
/// How our files begin.
const NAME: &str = "gatehouse-";

/// Where a family of distributions has it.
#[derive(Debug, Clone, Copy)]
struct Flavour {
    /// For the machine's own authorities.
    anchors: &'static str,
    /// Makes the bundle.
    tool: &'static str,
    arguments: &'static [&'static str],
    bundle: &'static str,
}

const FLAVOURS: [Flavour; 4] = [
    // Debian, Ubuntu, Alpine.
    Flavour {
        anchors: "usr/local/share/ca-certificates",
        tool: "usr/sbin/update-ca-certificates",
        arguments: &[],
        bundle: "etc/ssl/certs/ca-certificates.crt",
    },
    // Fedora, RHEL.
    Flavour {
        anchors: "etc/pki/ca-trust/source/anchors",
        tool: "usr/bin/update-ca-trust",
        arguments: &["extract"],
        bundle: "etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    },
    // Arch.
    Flavour {
        anchors: "etc/ca-certificates/trust-source/anchors",
        tool: "usr/bin/update-ca-trust",
        arguments: &["extract"],
        bundle: "etc/ca-certificates/extracted/tls-ca-bundle.pem",
    },
    // openSUSE.
    Flavour {
        anchors: "etc/pki/trust/anchors",
        tool: "usr/sbin/update-ca-certificates",
        arguments: &[],
        bundle: "var/lib/ca-certificates/ca-bundle.pem",
    },
];

pub(super) fn place(root: &Path) -> Place {
    Place { kind: Kind::SystemStore, path: root.join(flavour(root).unwrap_or(FLAVOURS[0]).anchors) }
}

pub(super) fn look(root: &Path, wanted: &Wanted) -> Result<(bool, Vec<Stale>), TrustError> {
    let flavour = flavour(root).ok_or(NO_TOOL)?;
    let bundle = root.join(flavour.bundle);
    let bundle = read_bounded(&bundle, BUNDLE).map_err(|error| TrustError::io(&bundle, &error))?;
    let trusted =
        certificates(&bundle.unwrap_or_default()).iter().any(|(sha256, _)| wanted.is_current(sha256));
    let stale = files(&root.join(flavour.anchors))?
        .into_iter()
        .filter(|(_, sha256)| !wanted.is_current(sha256))
        .map(|(path, sha256)| {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            Stale { name, sha256 }
        })
        .collect();
    Ok((trusted, stale))
}

pub(super) fn add(run: &impl Run, ca: &Root, root: &Path, is_root: bool) -> Result<(), TrustError> {
    let flavour = flavour(root).ok_or(NO_TOOL)?;
    let file = root.join(flavour.anchors).join(name_of(&ca.sha256()));
    if !is_root {
        let (from, to) = (quoted(&ca.file), quoted(&file));
        let command = format!("sudo install -m 644 {from} {to} && sudo {}", tool(flavour));
        return Err(TrustError::NeedsRoot { command });
    }
    let pem = read_bounded(&ca.file, CERTIFICATE)
        .and_then(|pem| pem.ok_or_else(|| io::Error::from(io::ErrorKind::NotFound)));
    let pem = pem.map_err(|error| TrustError::io(&ca.file, &error))?;
    write_atomic(&file, &pem, PUBLIC).map_err(|error| TrustError::io(&file, &error))?;
    update(run, flavour)
}

pub(super) fn remove(run: &impl Run, root: &Path, is_root: bool, sha256: &str) -> Result<bool, TrustError> {
    let flavour = flavour(root).ok_or(NO_TOOL)?;
    let found: Vec<PathBuf> = files(&root.join(flavour.anchors))?
        .into_iter()
        .filter(|(_, found)| found == sha256)
        .map(|(path, _)| path)
        .collect();
    if found.is_empty() {
        return Ok(false);
    }
    if !is_root {
        let files: Vec<String> = found.iter().map(|path| quoted(path)).collect();
        let command = format!("sudo rm {} && sudo {}", files.join(" "), tool(flavour));
        return Err(TrustError::NeedsRoot { command });
    }
    for file in &found {
        std::fs::remove_file(file).map_err(|error| TrustError::io(file, &error))?;
    }
    update(run, flavour)?;
    Ok(true)
}

const NO_TOOL: TrustError =
    TrustError::NoTool { program: "update-ca-certificates", package: "ca-certificates" };

/// The family that this system belongs to.
fn flavour(root: &Path) -> Option<Flavour> {
    let there =
        |flavour: &Flavour| root.join(flavour.anchors).is_dir() && Path::new("/").join(flavour.tool).exists();
    FLAVOURS.into_iter().find(there)
}

/// Our files in the folder of authorities, each with the SHA-256 of the one certificate in it.
fn files(folder: &Path) -> Result<Vec<(PathBuf, String)>, TrustError> {
    let failed = |error: &io::Error| TrustError::io(folder, error);
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(|error| failed(&error))? {
        let path = entry.map_err(|error| failed(&error))?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if !(name.starts_with(NAME) && name.ends_with(".crt")) {
            continue;
        }
        let Ok(Some(pem)) = read_bounded(&path, CERTIFICATE) else { continue };
        if let [(sha256, _)] = &certificates(&pem)[..] {
            files.push((path, sha256.clone()));
        }
    }
    files.sort();
    Ok(files)
}

/// Two authorities of one day have one name, so the file is named after the certificate.
fn name_of(sha256: &str) -> String {
    let hex: String = sha256.chars().filter(char::is_ascii_hexdigit).take(16).collect();
    format!("{NAME}{}.crt", hex.to_ascii_lowercase())
}

fn update(run: &impl Run, flavour: Flavour) -> Result<(), TrustError> {
    let program = Path::new("/").join(flavour.tool);
    let finished = run
        .run(argument(&program)?, flavour.arguments, TOOL)
        .map_err(|error| TrustError::io(&program, &error))?;
    if finished.succeeded() {
        return Ok(());
    }
    Err(TrustError::Failed { program: program.display().to_string(), said: said(&finished) })
}

fn tool(flavour: Flavour) -> String {
    let name = flavour.tool.rsplit('/').next().unwrap_or(flavour.tool);
    [&[name], flavour.arguments].concat().join(" ")
}

/// A path as a shell takes it.
fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+".contains(c);
    if text.chars().all(plain) { text } else { format!("'{}'", text.replace('\'', r"'\''")) }
}
