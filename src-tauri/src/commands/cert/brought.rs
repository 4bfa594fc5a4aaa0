//! `gatehouse cert import` and `remove`: certificates that the user brings.

use std::{
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use gatehouse_api::{Code, ErrorEnvelope, ImportFile, ImportFrom, Request, SecretText, Text, say};

use crate::{
    args::Import,
    commands::change,
    session::{Outcome, Session},
};

/// Larger files hold no certificate.
const LIMIT: u64 = 1024 * 1024;

/// Imports one, and shows what was done.
pub(super) async fn import(words: Import, session: &mut Session) -> Outcome {
    let request = tokio::task::spawn_blocking(move || request(words))
        .await
        .map_err(|error| ErrorEnvelope::new(Code::Failed, say!("cli.file.not-read"), error.to_string()))??;
    made(request, say!("cli.import.done"), session).await
}

/// Serves one no more.
pub(super) async fn remove(name: String, session: &mut Session) -> Outcome {
    session.consent(say!("cli.import.ask-remove", name = &name)).await?;
    made(Request::CertRemove { slot: name }, say!("cli.import.removed"), session).await
}

/// Makes a change and shows what came of it.
pub(super) async fn made(request: Request, word: Text, session: &mut Session) -> Outcome {
    let made = change::make(request, session).await?;
    session.out.result(&change::page(&made, word, session.clock), &made);
    Ok(change::verdict(&made))
}

fn request(words: Import) -> Result<Request, ErrorEnvelope> {
    let Import { file, key, password_file, watch, name } = words;
    let standard = |path: &PathBuf| path == Path::new("-");
    let inputs = [Some(&file), key.as_ref(), password_file.as_ref()];
    let from_input = inputs.into_iter().flatten().filter(|path| standard(path)).count();
    let wrong = |because: Text| Err(ErrorEnvelope::new(Code::Usage, say!("cli.import.wrong"), because));
    if from_input > 1 {
        return wrong(say!("cli.import.one-input"));
    }
    if watch && from_input > 0 {
        return wrong(say!("cli.import.no-input"));
    }
    let from = if watch {
        ImportFrom::Files {
            certificate: absolute(&file)?,
            key: key.as_deref().map(absolute).transpose()?,
            password_file: password_file.as_deref().map(absolute).transpose()?,
        }
    } else {
        let mut files = vec![content(&file)?];
        if let Some(key) = &key {
            files.push(content(key)?);
        }
        ImportFrom::Content { files, password: password_file.as_deref().map(password).transpose()? }
    };
    Ok(Request::CertImport { slot: name, from })
}

fn content(path: &Path) -> Result<ImportFile, ErrorEnvelope> {
    let bytes = read(path)?;
    let name = if path == Path::new("-") { "standard input".to_owned() } else { path.display().to_string() };
    Ok(ImportFile { name, content: SecretText::new(STANDARD.encode(bytes)) })
}

/// The first line of a file, as password files have it.
pub(super) fn password(path: &Path) -> Result<SecretText, ErrorEnvelope> {
    let bytes = read(path)?;
    let text = String::from_utf8_lossy(&bytes);
    Ok(SecretText::new(text.lines().next().unwrap_or_default()))
}

/// The core looks for it from another folder. Links stay links: where they lead to may change.
pub(super) fn absolute(path: &Path) -> Result<String, ErrorEnvelope> {
    let absolute = std::path::absolute(path).map_err(|error| not_read(path, &error))?;
    Ok(absolute.display().to_string())
}

fn read(path: &Path) -> Result<Vec<u8>, ErrorEnvelope> {
    let mut bytes = Vec::new();
    let source: io::Result<Box<dyn io::Read>> = match path == Path::new("-") {
        true => Ok(Box::new(io::stdin())),
        false => std::fs::File::open(path).map(|file| Box::new(file) as _),
    };
    let read = source.and_then(|source| source.take(LIMIT + 1).read_to_end(&mut bytes));
    read.map_err(|error| not_read(path, &error))?;
    if bytes.len() as u64 > LIMIT {
        return Err(not_read(path, &io::ErrorKind::FileTooLarge.into()));
    }
    Ok(bytes)
}

fn not_read(path: &Path, error: &io::Error) -> ErrorEnvelope {
    let code = match error.kind() {
        io::ErrorKind::PermissionDenied => Code::Permission,
        io::ErrorKind::NotFound => Code::NotFound,
        _ => Code::Storage,
    };
    let because = say!("core.at-failed", place = path.display(), error = error);
    ErrorEnvelope::new(code, say!("cli.file.not-read"), because)
}
