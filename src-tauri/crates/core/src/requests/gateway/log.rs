//! The end of the gateway's log, wherever it is, without secrets.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use gatehouse_api::{ErrorEnvelope, GatewayLog, Reply, say};
use gatehouse_openclaw::client::GatewayClient;
use gatehouse_openclaw::logs::{self, Redaction};
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use super::secrets;
use crate::errors::Explain;
use crate::requests::{Desk, blocking};

/// The most lines of the log; the gateway gives no more at once.
const LINES: usize = 1000;

/// The end of its log: of our own where we run it, else what it tells, else the file that it wrote before it ended.
pub(in crate::requests) async fn log(desk: &Desk, lines: usize) -> Result<Reply, ErrorEnvelope> {
    let lines = lines.clamp(1, LINES);
    let gateway = desk.context.link.gateway();
    let secrets = gateway.as_deref().map(secrets).unwrap_or_default();
    let redaction = Redaction::new(secrets.iter().map(ExposeSecret::expose_secret));
    if desk.keeper.stage().is_some() {
        return file(desk.keeper.log(), lines, redaction).await;
    }
    match desk.context.link.connected() {
        Ok(client) => told(&client, lines, &redaction).await,
        Err(error) => {
            let environment = desk.context.environment.load_full();
            let profile = gateway.and_then(|gateway| gateway.profile.clone());
            let temporary = environment.get("TMPDIR").map(PathBuf::from);
            let home = environment.home.clone();
            let left = blocking(move || Ok(left_behind(&home, profile.as_deref(), temporary))).await?;
            match left {
                Some(path) => file(path, lines, redaction).await,
                None => Err(error),
            }
        }
    }
}

async fn file(path: PathBuf, lines: usize, redaction: Redaction) -> Result<Reply, ErrorEnvelope> {
    blocking(move || {
        let source = path.display().to_string();
        match logs::tail(&path, lines, &redaction) {
            Ok(lines) => Ok(Reply::GatewayLog(GatewayLog { source, lines })),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                Ok(Reply::GatewayLog(GatewayLog { source, lines: Vec::new() }))
            }
            Err(error) => Err(crate::errors::file(say!("core.doing.read-log"), &path, &error)),
        }
    })
    .await
}

async fn told(client: &GatewayClient, lines: usize, redaction: &Redaction) -> Result<Reply, ErrorEnvelope> {
    let answer = client.call("logs.tail", json!({"limit": lines})).await.map_err(|error| error.explain())?;
    let source = answer.get("file").and_then(Value::as_str).unwrap_or("logs.tail");
    let source = logs::one_line(source, redaction);
    let records = answer.get("lines").and_then(Value::as_array).into_iter().flatten();
    let lines = records.filter_map(Value::as_str).map(|line| logs::record(line, redaction)).collect();
    Ok(Reply::GatewayLog(GatewayLog { source, lines }))
}

/// The newest log that a gateway of this user wrote (openclaw-gateway §1, §8). The temporary folder belongs to everybody:
/// a file of somebody else is not read.
fn left_behind(home: &Path, profile: Option<&str>, temporary: Option<PathBuf>) -> Option<PathBuf> {
    let name = profile.map_or("gateway.log".to_owned(), |profile| format!("gateway-{profile}.log"));
    let service = home.join("Library/Logs/openclaw").join(name);
    let shared = temporary
        .into_iter()
        .chain([PathBuf::from("/tmp")])
        .filter_map(|folder| std::fs::read_dir(folder.join("openclaw")).ok());
    let dated = shared.flatten().flatten().map(|entry| entry.path()).filter(|path| {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        name.starts_with("openclaw-") && name.ends_with(".log")
    });
    let own = |path: PathBuf| -> Option<(SystemTime, PathBuf)> {
        let found = std::fs::symlink_metadata(&path).ok()?;
        let ours = found.is_file() && found.uid() == gatehouse_host::process::uid();
        ours.then(|| Some((found.modified().ok()?, path)))?
    };
    dated.chain([service]).filter_map(own).max().map(|(_, path)| path)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_newest_log_of_this_user_is_found_and_no_link_is_followed() {
        let folder = tempfile::tempdir().unwrap();
        let shared = folder.path().join("tmp/openclaw");
        let service = folder.path().join("Library/Logs/openclaw");
        std::fs::create_dir_all(&shared).unwrap();
        std::fs::create_dir_all(&service).unwrap();
        let make = |path: PathBuf, age: u64| {
            let file = std::fs::File::create(&path).unwrap();
            file.set_modified(SystemTime::now() + Duration::from_secs(1_000_000 - age)).unwrap();
            path
        };
        let old = make(shared.join("openclaw-2026-11-19.log"), 100);
        make(shared.join("other.log"), 0);
        std::os::unix::fs::symlink("/etc/hostname", shared.join("openclaw-2027-01-01.log")).unwrap();
        let find = |profile| left_behind(folder.path(), profile, Some(folder.path().join("tmp")));

        assert_eq!(find(None), Some(old));
        let newer = make(service.join("gateway.log"), 50);
        assert_eq!(find(None), Some(newer));
        let profile = make(service.join("gateway-dev.log"), 40);
        assert_eq!(find(Some("dev")), Some(profile));
    }
}
