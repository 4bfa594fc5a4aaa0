//! `gatehouse config`: limits, rates and other settings of the edge.

mod schema;

use std::{io, path::Path};

use gatehouse_api::{
    Code, ConfigEdit, ConfigEntry, ConfigKind, Configuration, ErrorEnvelope, Reply, Request, Text, say,
};
use serde_json::{Map, Value};

use super::change;
use crate::{
    args::Config,
    output::{Form, Page, Tone, fields},
    session::{Outcome, Session, Verdict, unexpected},
};

/// Longest file that is imported, in bytes.
const LIMIT: u64 = 256 * 1024;
/// What stands for the default.
const DEFAULT: &str = "default";

/// Runs one of them.
pub(crate) async fn run(command: Config, session: &mut Session) -> Outcome {
    match command {
        Config::Get { key } => get(key.as_deref(), session).await,
        Config::Set { key, value } => {
            let value = (value != DEFAULT).then_some(value);
            set(vec![ConfigEdit { key, value }], false, session).await
        }
        Config::Export { path } => export(&path, session).await,
        Config::Import { path } => {
            let edits = read(&path).await?;
            set(edits, true, session).await
        }
        Config::Schema => {
            let schema = schema::of(&fetch(session).await?);
            match session.out.form() {
                Form::Human => session.out.data(pretty(&schema).as_bytes()),
                Form::Json | Form::Lines => session.out.object(&serde_json::json!({"json_schema": schema})),
            }
            Ok(Verdict::Done)
        }
    }
}

async fn fetch(session: &mut Session) -> Result<Configuration, ErrorEnvelope> {
    match session.ask(Request::ConfigShow).await? {
        Reply::Configuration(configuration) => Ok(configuration),
        _ => Err(unexpected()),
    }
}

async fn get(key: Option<&str>, session: &mut Session) -> Outcome {
    let mut configuration = fetch(session).await?;
    if let Some(key) = key {
        let exact = configuration.entries.iter().any(|entry| entry.key == key);
        let wanted = |entry: &ConfigEntry| if exact { entry.key == key } else { entry.key.starts_with(key) };
        configuration.entries.retain(wanted);
        if configuration.entries.is_empty() {
            return Err(ErrorEnvelope::new(
                Code::NotFound,
                say!("cli.config.none"),
                say!("cli.config.none-because", key = key),
            )
            .fix_with(say!("cli.config.see-all"), "gatehouse config get"));
        }
        if exact && session.out.form() == Form::Human {
            let value = configuration.entries.first().map(|entry| entry.value.clone()).unwrap_or_default();
            session.out.data(format!("{value}\n").as_bytes());
            return Ok(Verdict::Done);
        }
    }
    match session.out.form() {
        Form::Human => session.out.page(&page(&configuration)),
        Form::Json | Form::Lines => session.out.object(&fields(&configuration)),
    }
    Ok(Verdict::warned(configuration.entries.iter().any(|entry| entry.problem.is_some())))
}

fn page(configuration: &Configuration) -> Page {
    let changed = configuration.entries.iter().filter(|entry| entry.value != entry.default).count();
    let about = match changed {
        0 => say!("cli.config.all-default"),
        _ => say!("cli.config.changed", changed = changed),
    };
    let mut page = Page::verdict(Tone::Strong, say!("cli.config.word"), about);
    for entry in &configuration.entries {
        let tone = if entry.value == entry.default { Tone::Plain } else { Tone::Strong };
        let value = match entry.value == entry.default {
            true => format!("= {}", entry.value).into(),
            false => say!("cli.config.value", value = entry.value, default = entry.default),
        };
        page.toned(2, tone, &entry.key, value);
        page.toned(6, Tone::Faint, "", about_entry(entry));
        if let Some(problem) = &entry.problem {
            page.toned(6, Tone::Warn, say!("cli.config.not-in-force"), problem);
        }
    }
    for name in &configuration.unknown {
        page.toned(2, Tone::Warn, name, say!("cli.config.unknown"));
    }
    page
}

fn about_entry(entry: &ConfigEntry) -> Text {
    match (&entry.least, &entry.most) {
        (Some(least), Some(most)) => {
            say!("cli.config.about", about = entry.about, least = least, most = most)
        }
        (_, _) => entry.about.clone(),
    }
}

/// Sets these, and shows the change.
pub(super) async fn set(edits: Vec<ConfigEdit>, replace: bool, session: &mut Session) -> Outcome {
    let change = change::make(Request::ConfigSet { edits, replace }, session).await?;
    session.out.result(&change::page(&change, say!("cli.config.set"), session.clock), &change);
    Ok(change::verdict(&change))
}

async fn export(path: &Path, session: &mut Session) -> Outcome {
    let configuration = fetch(session).await?;
    let values: Map<String, Value> = configuration
        .entries
        .iter()
        .filter(|entry| entry.value != entry.default)
        .map(|entry| (entry.key.clone(), json(entry)))
        .collect();
    let text = pretty(&Value::Object(values.clone()));
    if path == Path::new("-") {
        match session.out.form() {
            Form::Human => session.out.data(text.as_bytes()),
            Form::Json | Form::Lines => session.out.object(&serde_json::json!({"settings": values})),
        }
        return Ok(Verdict::Done);
    }
    gatehouse_files::write_atomic(path, text.as_bytes(), gatehouse_files::PRIVATE)
        .map_err(|error| failed(say!("cli.file.not-written"), path, &error))?;
    let page = Page::verdict(Tone::Good, say!("cli.cert.written"), path.display().to_string());
    session.out.result(&page, &serde_json::json!({"path": path.display().to_string()}));
    Ok(Verdict::Done)
}

/// A value as it stands in a file.
fn json(entry: &ConfigEntry) -> Value {
    let text = || Value::String(entry.value.clone());
    match entry.kind {
        ConfigKind::Count => entry.value.parse::<u64>().map_or_else(|_| text(), Value::from),
        ConfigKind::Switch => entry.value.parse::<bool>().map_or_else(|_| text(), Value::from),
        ConfigKind::Time
        | ConfigKind::TimeOrNone
        | ConfigKind::Size
        | ConfigKind::PortOrNone
        | ConfigKind::Networks
        | ConfigKind::Urls
        | ConfigKind::Text => text(),
    }
}

async fn read(path: &Path) -> Result<Vec<ConfigEdit>, ErrorEnvelope> {
    let owned = path.to_path_buf();
    let read = tokio::task::spawn_blocking(move || bounded(&owned)).await.map_err(io::Error::other);
    let bytes =
        read.and_then(|read| read).map_err(|error| failed(say!("cli.file.not-read"), path, &error))?;
    let wrong = |because: Text| {
        ErrorEnvelope::new(Code::Usage, say!("cli.config.not-settings"), because)
            .fix_with(say!("cli.config.see-schema"), "gatehouse config schema")
    };
    let object: Map<String, Value> = serde_json::from_slice(&bytes)
        .map_err(|error| wrong(say!("core.at-failed", place = path.display(), error = error)))?;
    object
        .into_iter()
        .filter(|(key, _)| key != "$schema")
        .map(|(key, value)| {
            let value = match value {
                Value::String(text) => Some(text),
                Value::Number(number) => Some(number.to_string()),
                Value::Bool(on) => Some(on.to_string()),
                Value::Null => None,
                Value::Array(_) | Value::Object(_) => {
                    return Err(wrong(say!("cli.config.not-value", key = key)));
                }
            };
            Ok(ConfigEdit { key, value })
        })
        .collect()
}

fn bounded(path: &Path) -> io::Result<Vec<u8>> {
    use io::Read as _;
    let mut bytes = Vec::new();
    let source: Box<dyn io::Read> =
        if path == Path::new("-") { Box::new(io::stdin()) } else { Box::new(std::fs::File::open(path)?) };
    source.take(LIMIT + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LIMIT {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("it is longer than {LIMIT} bytes")));
    }
    Ok(bytes)
}

fn failed(title: Text, path: &Path, error: &io::Error) -> ErrorEnvelope {
    let code = match error.kind() {
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => Code::Permission,
        io::ErrorKind::NotFound => Code::NotFound,
        _ => Code::Storage,
    };
    ErrorEnvelope::new(code, title, say!("core.at-failed", place = path.display(), error = error))
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default() + "\n"
}
