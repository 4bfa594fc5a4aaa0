//! NSS databases, in which Chromium and Firefox keep the authorities that their user trusts, through `certutil`.
//!
//! NSS names certificates by nickname, and certificates of one subject share what is found by one. So each certificate is
//! read and compared, and one that was removed along with ours is put back.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use gatehouse_files::{PUBLIC, create_private_folder, write_atomic};

use super::{Kind, Place, Root, Stale, TrustError, Wanted, argument, certificates, said};
use crate::command::Finished;
use crate::jobs::Run;

const LIMIT: Duration = Duration::from_secs(30);
/// Without a password file it would ask on the terminal.
const NO_PASSWORD: [&str; 2] = ["-f", "/dev/null"];
/// More removals than that are no coincidence.
const MOST: usize = 8;

/// A certificate in a database.
#[derive(Debug, Clone)]
struct Entry {
    nickname: String,
    /// `C,,` = trusted to vouch for servers.
    flags: String,
    sha256: String,
    der: Vec<u8>,
}

impl Entry {
    fn trusted(&self) -> bool {
        self.flags.split(',').next().is_some_and(|ssl| ssl.contains('C'))
    }
}

/// The databases that there are, and the one that Chromium would make, where one of its kin is installed.
pub(super) fn places(home: &Path, data_home: Option<&Path>, root: &Path) -> Vec<Place> {
    let own = home.join(".pki/nssdb");
    let data = data_home.map_or_else(|| home.join(".local/share"), Path::to_path_buf).join("pki/nssdb");
    let mut chromium: Vec<PathBuf> = [data, home.join("snap/chromium/current/.pki/nssdb")]
        .into_iter()
        .chain(below(&home.join(".var/app")).map(|app| app.join(".pki/nssdb")))
        .filter(|folder| is_database(folder))
        .collect();
    if is_database(&own) || has_chromium(root) {
        chromium.insert(0, own);
    }
    let firefox = [
        ".mozilla/firefox",
        ".config/mozilla/firefox",
        "snap/firefox/common/.mozilla/firefox",
        ".var/app/org.mozilla.firefox/.mozilla/firefox",
        ".var/app/org.mozilla.firefox/config/mozilla/firefox",
        ".librewolf",
    ];
    let profiles = firefox.iter().flat_map(|folder| below(&home.join(folder)));
    let mut profiles: Vec<PathBuf> = profiles.filter(|folder| is_database(folder)).collect();
    profiles.sort();
    let of = |kind, folders: Vec<PathBuf>| folders.into_iter().map(move |path| Place { kind, path });
    of(Kind::Chromium, chromium).chain(of(Kind::Firefox, profiles)).collect()
}

pub(super) fn look(run: &impl Run, wanted: &Wanted, folder: &Path) -> Result<(bool, Vec<Stale>), TrustError> {
    if !is_database(folder) {
        return Ok((false, Vec::new()));
    }
    let entries = entries(run, folder, &|nickname| wanted.is_ours(nickname))?;
    let trusted = entries.iter().any(|entry| entry.trusted() && wanted.is_current(&entry.sha256));
    let mut stale: Vec<Stale> = Vec::new();
    for entry in entries.iter().filter(|entry| !wanted.is_current(&entry.sha256)) {
        if !stale.iter().any(|known| known.sha256 == entry.sha256) {
            stale.push(Stale { name: entry.nickname.clone(), sha256: entry.sha256.clone() });
        }
    }
    Ok((trusted, stale))
}

pub(super) fn add(run: &impl Run, root: &Root, folder: &Path) -> Result<(), TrustError> {
    if !is_database(folder) {
        create_private_folder(folder).map_err(|error| TrustError::io(folder, &error))?;
        done(&certutil(run, folder, &["-N", "--empty-password"])?)?;
    }
    let here = entries(run, folder, &|nickname| nickname == root.name)?;
    if here.iter().any(|entry| entry.sha256 == root.sha256()) {
        return done(&certutil(run, folder, &["-M", "-n", &root.name, "-t", "C,,"])?);
    }
    put(run, folder, &root.name, "C,,", &root.file)
}

pub(super) fn remove(
    run: &impl Run,
    wanted: &Wanted,
    folder: &Path,
    sha256: &str,
) -> Result<bool, TrustError> {
    if !is_database(folder) {
        return Ok(false);
    }
    let ours = |nickname: &str| wanted.is_ours(nickname);
    let before = entries(run, folder, &ours)?;
    let is_there = |entries: &[Entry]| entries.iter().any(|entry| entry.sha256 == sha256);
    let mut now = before.clone();
    let mut rounds = 0;
    while let Some(target) = now.iter().find(|entry| entry.sha256 == sha256).cloned() {
        rounds += 1;
        if rounds > MOST {
            return Err(TrustError::NotEffective);
        }
        done(&certutil(run, folder, &["-D", "-n", &target.nickname])?)?;
        now = entries(run, folder, &ours)?;
    }
    restore(run, folder, &before, &now, sha256)?;
    Ok(is_there(&before))
}

/// Puts back what went with the certificate that was to go.
fn restore(
    run: &impl Run,
    folder: &Path,
    before: &[Entry],
    now: &[Entry],
    sha256: &str,
) -> Result<(), TrustError> {
    let mut known: BTreeSet<&str> = now.iter().map(|entry| entry.sha256.as_str()).collect();
    for lost in before.iter().filter(|entry| entry.sha256 != sha256) {
        if !known.insert(&lost.sha256) {
            continue;
        }
        let file = folder.join(format!(".gatehouse-{}.der", std::process::id()));
        write_atomic(&file, &lost.der, PUBLIC).map_err(|error| TrustError::io(&file, &error))?;
        let path = argument(&file)?;
        let put = certutil(run, folder, &["-A", "-n", &lost.nickname, "-t", &lost.flags, "-i", path]);
        let _ = std::fs::remove_file(&file);
        done(&put?)?;
    }
    Ok(())
}

fn put(run: &impl Run, folder: &Path, nickname: &str, flags: &str, pem: &Path) -> Result<(), TrustError> {
    let file = argument(pem)?;
    done(&certutil(run, folder, &["-A", "-n", nickname, "-t", flags, "-a", "-i", file])?)
}

/// The certificates whose nickname is wanted. One that two nicknames find is there twice.
fn entries(
    run: &impl Run,
    folder: &Path,
    is_wanted: &dyn Fn(&str) -> bool,
) -> Result<Vec<Entry>, TrustError> {
    let listed = certutil(run, folder, &["-L"])?;
    done(&listed)?;
    let mut entries = Vec::new();
    for (nickname, flags) in listed.stdout.lines().filter_map(row).filter(|(name, _)| is_wanted(name)) {
        let shown = certutil(run, folder, &["-L", "-n", nickname, "-a"])?;
        done(&shown)?;
        entries.extend(certificates(shown.stdout.as_bytes()).into_iter().map(|(sha256, der)| Entry {
            nickname: nickname.to_owned(),
            flags: flags.to_owned(),
            sha256,
            der,
        }));
    }
    Ok(entries)
}

/// A line of `certutil -L`: a nickname, spaces, three lists of letters with commas between.
fn row(line: &str) -> Option<(&str, &str)> {
    let (nickname, flags) = line.trim_end().rsplit_once(char::is_whitespace)?;
    let letters =
        flags.chars().all(|letter| matches!(letter, ',' | 'p' | 'P' | 'c' | 'C' | 'T' | 'u' | 'w' | 'g'));
    (letters && flags.matches(',').count() == 2).then_some((nickname.trim(), flags))
}

fn certutil(run: &impl Run, folder: &Path, arguments: &[&str]) -> Result<Finished, TrustError> {
    let program = ["/usr/bin/certutil", "/usr/local/bin/certutil"]
        .into_iter()
        .find(|path| Path::new(path).exists())
        .ok_or(TrustError::NoTool { program: "certutil", package: "libnss3-tools" })?;
    let database = format!("sql:{}", argument(folder)?);
    let mut all = vec!["-d", database.as_str()];
    all.extend(arguments);
    if !arguments.contains(&"--empty-password") {
        all.extend(NO_PASSWORD);
    }
    run.run(program, &all, LIMIT).map_err(|error| TrustError::io(Path::new(program), &error))
}

fn done(finished: &Finished) -> Result<(), TrustError> {
    if finished.succeeded() {
        return Ok(());
    }
    let said = said(finished);
    if said.contains("SEC_ERROR_BAD_PASSWORD") {
        return Err(TrustError::Protected { said });
    }
    Err(TrustError::Failed { program: "certutil".to_owned(), said })
}

fn is_database(folder: &Path) -> bool {
    folder.join("cert9.db").is_file()
}

fn has_chromium(root: &Path) -> bool {
    let names = [
        "chromium",
        "chromium-browser",
        "google-chrome",
        "google-chrome-stable",
        "brave-browser",
        "microsoft-edge",
        "vivaldi",
    ];
    let folders = ["usr/bin", "usr/local/bin"];
    folders.iter().any(|folder| names.iter().any(|name| root.join(folder).join(name).exists()))
}

fn below(folder: &Path) -> impl Iterator<Item = PathBuf> + use<> {
    std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path())
}
