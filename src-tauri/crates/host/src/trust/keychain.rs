//! macOS: the login keychain and the user's trust settings, through `/usr/bin/security`.
//!
//! The user's domain asks for the user's own password and no administrator; programs of other users do not follow it.
//! `dump-trust-settings` names certificates by their label only, so trust is tried with a certificate where there is one.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{Kind, Place, Root, Stale, TrustError, Wanted, argument, said};
use crate::command::Finished;
use crate::jobs::Run;

const SECURITY: &str = "/usr/bin/security";
const LAUNCHCTL: &str = "/bin/launchctl";
const QUICK: Duration = Duration::from_secs(20);
/// A person reads the dialog, and finds the password.
const DIALOG: Duration = Duration::from_secs(180);

/// A certificate in the keychain.
#[derive(Debug, Default)]
struct Entry {
    sha256: String,
    sha1: String,
    label: String,
}

pub(super) fn place(home: &Path) -> Place {
    Place { kind: Kind::LoginKeychain, path: home.join("Library/Keychains/login.keychain-db") }
}

pub(super) fn look(
    run: &impl Run,
    wanted: &Wanted,
    keychain: &Path,
) -> Result<(bool, Vec<Stale>), TrustError> {
    let entries = entries(run, wanted, keychain)?;
    let stale = entries
        .iter()
        .filter(|entry| wanted.is_ours(&entry.label) && !wanted.is_current(&entry.sha256))
        .map(|entry| Stale { name: entry.label.clone(), sha256: entry.sha256.clone() })
        .collect();
    let Some(root) = &wanted.root else { return Ok((false, stale)) };
    let trusted = match &wanted.sample {
        Some(sample) => {
            let (leaf, ca) = (argument(&sample.file)?, argument(&root.file)?);
            let arguments =
                ["verify-cert", "-c", leaf, "-c", ca, "-p", "ssl", "-n", &sample.host, "-L", "-q"];
            security(run, &arguments, QUICK)?.succeeded()
        }
        None => {
            let here = entries.iter().any(|entry| wanted.is_current(&entry.sha256));
            let settings = security(run, &["dump-trust-settings"], QUICK)?;
            here && has_settings(&settings.stdout, &root.name)
        }
    };
    Ok((trusted, stale))
}

pub(super) fn add(run: &impl Run, root: &Root, keychain: &Path) -> Result<(), TrustError> {
    let manager = run
        .run(LAUNCHCTL, &["managername"], QUICK)
        .map_err(|error| TrustError::io(Path::new(LAUNCHCTL), &error))?;
    if manager.stdout.trim() != "Aqua" {
        return Err(TrustError::NoSession);
    }
    let (keychain, file) = (argument(keychain)?, argument(&root.file)?);
    let arguments = ["add-trusted-cert", "-r", "trustRoot", "-p", "ssl", "-k", keychain, file];
    let finished = security(run, &arguments, DIALOG)?;
    if finished.succeeded() { Ok(()) } else { Err(refusal(&finished)) }
}

/// What has no trust settings any more is deleted all the same.
pub(super) fn remove(
    run: &impl Run,
    wanted: &Wanted,
    keychain: &Path,
    sha256: &str,
) -> Result<bool, TrustError> {
    let found = entries(run, wanted, keychain)?.into_iter().find(|entry| entry.sha256 == sha256);
    let root = wanted.root.as_ref().filter(|root| root.sha256() == sha256);
    let path = argument(keychain)?;
    let mut changed = false;
    if let Some(root) = root {
        let finished = security(run, &["remove-trusted-cert", argument(&root.file)?], DIALOG)?;
        let nothing = ["No Trust Settings were found", "could not be found"];
        if finished.succeeded() {
            changed = true;
        } else if !nothing.iter().any(|words| finished.stderr.contains(words)) {
            return Err(refusal(&finished));
        }
    }
    let sha1 = match (found, root) {
        (Some(entry), Some(root)) if entry.sha1.is_empty() => root.sha1(),
        (Some(entry), _) => entry.sha1,
        (None, _) => return Ok(changed),
    };
    // Its settings go with it, in the user's domain.
    let finished = security(run, &["delete-certificate", "-Z", &sha1, "-t", path], DIALOG)?;
    if !finished.succeeded() {
        return Err(refusal(&finished));
    }
    match entries(run, wanted, keychain)?.iter().any(|entry| entry.sha256 == sha256) {
        true => Err(TrustError::NotEffective),
        false => Ok(true),
    }
}

fn entries(run: &impl Run, wanted: &Wanted, keychain: &Path) -> Result<Vec<Entry>, TrustError> {
    let name = match (&wanted.root, wanted.prefix.as_str()) {
        (_, prefix) if !prefix.is_empty() => prefix,
        (Some(root), _) => &root.name,
        (None, _) => return Ok(Vec::new()),
    };
    let arguments = ["find-certificate", "-a", "-Z", "-c", name, argument(keychain)?];
    let finished = security(run, &arguments, QUICK)?;
    // 44 = nothing of that name.
    if !finished.succeeded() && !finished.stderr.contains("could not be found") {
        return Err(refusal(&finished));
    }
    Ok(parse(&finished.stdout))
}

/// The output of `find-certificate -a -Z`: hashes, then attributes, for one certificate after the other.
fn parse(text: &str) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    for line in text.lines().map(str::trim) {
        if let Some(hash) = line.strip_prefix("SHA-256 hash:") {
            entries.push(Entry { sha256: colons(hash.trim()), ..Entry::default() });
        }
        let Some(last) = entries.last_mut() else { continue };
        if let Some(hash) = line.strip_prefix("SHA-1 hash:") {
            last.sha1 = hash.trim().to_owned();
        } else if let Some(value) = line.strip_prefix("\"labl\"<blob>=") {
            last.label = quoted(value);
        }
    }
    entries
}

/// The text of a blob. One with letters beyond ASCII is written in hex first and then with octal escapes.
fn quoted(value: &str) -> String {
    if let Some(hex) = value.strip_prefix("0x").and_then(|rest| rest.split_whitespace().next()) {
        let digits = hex.as_bytes().chunks_exact(2);
        let bytes = digits
            .map(|pair| std::str::from_utf8(pair).ok().and_then(|pair| u8::from_str_radix(pair, 16).ok()));
        let bytes: Option<Vec<u8>> = bytes.collect();
        if let Some(text) = bytes.and_then(|bytes| String::from_utf8(bytes).ok()) {
            return text;
        }
    }
    value.trim().trim_matches('"').to_owned()
}

fn colons(hex: &str) -> String {
    let pairs: Vec<String> =
        hex.as_bytes().chunks(2).map(|pair| String::from_utf8_lossy(pair).to_ascii_uppercase()).collect();
    pairs.join(":")
}

/// Whether `dump-trust-settings` lists a certificate of this name. No settings under it mean "always".
fn has_settings(dump: &str, name: &str) -> bool {
    dump.lines()
        .filter_map(|line| line.trim().strip_prefix("Cert ")?.split_once(": "))
        .any(|(_, cert)| cert == name)
}

fn security(run: &impl Run, arguments: &[&str], limit: Duration) -> Result<Finished, TrustError> {
    run.run(SECURITY, arguments, limit).map_err(|error| TrustError::io(&PathBuf::from(SECURITY), &error))
}

/// What a failure means, by the words that were seen (actions/runner-images #4734, FiloSottile/mkcert #415).
fn refusal(finished: &Finished) -> TrustError {
    let said = said(finished);
    let has = |words: &[&str]| words.iter().any(|word| said.contains(word));
    if has(&[
        "no user interaction was possible",
        "errSecInternalComponent",
        "User interaction is not allowed",
    ]) {
        TrustError::NoSession
    } else if has(&["canceled by the user", "User canceled", "errSecUserCanceled", "-128"]) {
        TrustError::Cancelled { said }
    } else {
        TrustError::Failed { program: "security".to_owned(), said }
    }
}
