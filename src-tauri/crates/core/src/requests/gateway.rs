//! The gateway's process: start, stop, restart, log, and the installation of one of our own.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use gatehouse_api::{Code, ErrorEnvelope, GatewayAction, GatewayLog, GatewayVerdict, Reply, say};
use gatehouse_openclaw::client::{GatewayClient, Link};
use gatehouse_openclaw::discovery::{Auth, Gateway, discover};
use gatehouse_openclaw::logs::{self, Redaction};
use gatehouse_openclaw::probe::health;
use gatehouse_openclaw::program::{Program, ServiceAction};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};

use super::links::no_program;
use super::{Desk, blocking};
use crate::controller::message::Fact;
use crate::errors::Explain;
use crate::own::{self, Order, Stage};
use crate::transaction::{request_restart, restarted};

/// How long a gateway may take to come up: ten seconds usually, more on a busy machine.
const UP: Duration = Duration::from_secs(90);
/// How long one may take to go: twenty seconds, then it is killed.
const GONE: Duration = Duration::from_secs(40);
/// How long an installation may take: 790 MB over a slow line.
const INSTALLED: Duration = Duration::from_secs(45 * 60);
/// The most lines of the log; the gateway gives no more at once.
const LINES: usize = 1000;

/// Starts, stops or restarts it, and waits until that is done. No change is made meanwhile.
pub(super) async fn control(desk: &Desk, action: GatewayAction) -> Result<Reply, ErrorEnvelope> {
    let _turn = desk.transactions.hold()?;
    let gateway = desk.snapshots.borrow().gateway.clone();
    match (action, gateway.verdict) {
        (GatewayAction::Start, GatewayVerdict::Running) | (GatewayAction::Stop, GatewayVerdict::Stopped)
            if desk.keeper.stage().is_none() =>
        {
            return Ok(Reply::Gateway(gateway));
        }
        _ => {}
    }
    if let Some(stage) = desk.keeper.stage() {
        if !desk.keeper.order(order(action)) {
            return Err(gone());
        }
        ordered(stage, action).await?;
    } else {
        elsewhere(desk, action).await?;
    }
    tracing::info!(?action, "the gateway was told");
    settled(desk, action).await
}

fn order(action: GatewayAction) -> Order {
    match action {
        GatewayAction::Start => Order::Start,
        GatewayAction::Stop => Order::Stop,
        GatewayAction::Restart => Order::Restart,
    }
}

/// Waits until our own gateway did what it was told.
async fn ordered(
    mut stage: tokio::sync::watch::Receiver<Stage>,
    action: GatewayAction,
) -> Result<(), ErrorEnvelope> {
    if action == GatewayAction::Start && *stage.borrow() == Stage::Ready {
        return Ok(());
    }
    if action == GatewayAction::Stop && *stage.borrow() == Stage::Stopped {
        return Ok(());
    }
    // What is there now was before the order.
    stage.mark_unchanged();
    let done = async {
        while stage.changed().await.is_ok() {
            match (&*stage.borrow_and_update(), action) {
                (Stage::Stopped, GatewayAction::Stop) => return Ok(()),
                (Stage::Ready, GatewayAction::Start | GatewayAction::Restart) => return Ok(()),
                (Stage::Failed(error), GatewayAction::Start | GatewayAction::Restart) => {
                    return Err(error.clone());
                }
                _ => {}
            }
        }
        Err(gone())
    };
    tokio::time::timeout(UP, done).await.unwrap_or_else(|_| Err(too_slow(action)))
}

/// A gateway that somebody else runs: through itself where it can do it, else through OpenClaw's command line.
async fn elsewhere(desk: &Desk, action: GatewayAction) -> Result<(), ErrorEnvelope> {
    if let (GatewayAction::Restart, Ok(client)) = (action, desk.context.link.connected()) {
        let before = boot(&client);
        request_restart(&client).await?;
        return restarted(&client, before.as_deref()).await;
    }
    let Some(gateway) = desk.context.link.gateway() else {
        return Err(desk.context.link.connected().err().unwrap_or_else(gone));
    };
    let program = Program::of(&gateway, &desk.context.environment.load()).ok_or_else(no_program)?;
    let action = match action {
        GatewayAction::Start => ServiceAction::Start,
        GatewayAction::Stop => ServiceAction::Stop,
        GatewayAction::Restart => ServiceAction::Restart,
    };
    let said = program.service(action, &secrets(&gateway)).await.map_err(|error| error.explain())?;
    tracing::info!(%said, "openclaw was asked");
    Ok(())
}

fn boot(client: &GatewayClient) -> Option<String> {
    match &*client.status().borrow() {
        Link::Up { hello } => Some(hello.boot_id.clone()),
        Link::Down { .. } | Link::Connecting | Link::Starting | Link::Refused { .. } => None,
    }
}

/// Waits until the state says so, too.
async fn settled(desk: &Desk, action: GatewayAction) -> Result<Reply, ErrorEnvelope> {
    let mut snapshots = desk.snapshots.clone();
    let there = |verdict| match action {
        GatewayAction::Start | GatewayAction::Restart => {
            matches!(verdict, GatewayVerdict::Running | GatewayVerdict::AuthRefused)
        }
        GatewayAction::Stop => {
            matches!(verdict, GatewayVerdict::Stopped | GatewayVerdict::NotFound | GatewayVerdict::PortTaken)
        }
    };
    let limit = if action == GatewayAction::Stop { GONE } else { UP };
    let steady = snapshots.wait_for(|snapshot| there(snapshot.gateway.verdict));
    match tokio::time::timeout(limit, steady).await {
        Ok(Ok(snapshot)) => Ok(Reply::Gateway(snapshot.gateway.clone())),
        Ok(Err(_)) => Err(gone()),
        Err(_) => Err(too_slow(action)),
    }
}

/// The end of its log: of our own where we run it, else what it tells, else the file that it wrote before it ended.
pub(super) async fn log(desk: &Desk, lines: usize) -> Result<Reply, ErrorEnvelope> {
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

/// Installs OpenClaw into our folder and runs it, now and with every start. Answers when it runs.
pub(super) async fn install(desk: &Desk) -> Result<Reply, ErrorEnvelope> {
    if desk.keeper.stage().is_none() {
        begin(desk).await?;
    } else {
        desk.keeper.order(Order::Start);
    }
    let Some(mut stage) = desk.keeper.stage() else { return Err(gone()) };
    let ready = stage.wait_for(|stage| !matches!(stage, Stage::Working));
    match tokio::time::timeout(INSTALLED, ready).await {
        Ok(Ok(stage)) => match &*stage {
            Stage::Failed(error) => return Err(error.clone()),
            Stage::Working | Stage::Ready | Stage::Stopped => {}
        },
        Ok(Err(_)) => return Err(gone()),
        Err(_) => return Err(too_slow(GatewayAction::Start)),
    }
    settled(desk, GatewayAction::Start).await
}

async fn begin(desk: &Desk) -> Result<(), ErrorEnvelope> {
    let _turn = desk.transactions.hold()?;
    let environment = desk.context.environment.load_full();
    let looked = environment.clone();
    let found = blocking(move || Ok(discover(&looked))).await?;
    let asked = environment.get("OPENCLAW_GATEWAY_PORT").and_then(|port| port.parse().ok());
    let port = found.as_ref().map_or(asked.unwrap_or(crate::link::DEFAULT_PORT), |gateway| gateway.port);
    let answer = health(([127, 0, 0, 1], port).into()).await;
    let home = desk.keeper.home().clone();
    if !own::wanted(true, &found, &answer, home.gateway().exists()) {
        return Err(match found {
            Ok(_) | Err(gatehouse_openclaw::discovery::DiscoveryError::NotFound { .. }) => here_already(port),
            Err(error) => error.explain(),
        });
    }
    let settings = desk.context.settings.clone();
    let (own, environment) = blocking(move || {
        let prepared =
            own::prepare(&home, &environment, own::free_port(port)).map_err(|error| error.explain())?;
        settings.update(|settings| settings.own_gateway = true).map_err(|error| error.explain())?;
        Ok(prepared)
    })
    .await?;
    let looked = environment.clone();
    let found = blocking(move || discover(&looked).map_err(|error| error.explain())).await?;
    desk.context.environment.store(environment.clone().into());
    desk.context.link.update(Some(found));
    tracing::info!("OpenClaw is installed into Gatehouse's folder, as the user asked");
    desk.keeper.take(environment, own, desk.messages.clone());
    desk.tell(Fact::OwnGateway).await;
    Ok(())
}

/// What is never shown of a gateway.
fn secrets(gateway: &Gateway) -> Vec<SecretString> {
    match &gateway.auth {
        Auth::Token(secret) | Auth::Password(secret) => vec![secret.clone()],
        Auth::TrustedProxy { password } => password.iter().cloned().collect(),
        Auth::None | Auth::Missing | Auth::Unresolvable { .. } => Vec::new(),
    }
}

fn here_already(port: u16) -> ErrorEnvelope {
    ErrorEnvelope::new(Code::Usage, say!("core.installed.title"), say!("core.installed.because", port = port))
        .fix_with(say!("core.installed.fix"), "gatehouse gateway start")
}

fn gone() -> ErrorEnvelope {
    ErrorEnvelope::new(Code::NotRunning, say!("core.stopping.title"), say!("core.stopping.because"))
}

fn too_slow(action: GatewayAction) -> ErrorEnvelope {
    let (title, because) = match action {
        GatewayAction::Stop => (say!("core.gateway.did-not-stop"), say!("core.gateway.still-answers")),
        GatewayAction::Start | GatewayAction::Restart => {
            (say!("core.gateway.not-up"), say!("core.gateway.not-up-because"))
        }
    };
    ErrorEnvelope::new(Code::GatewayUnreachable, title, because)
        .fix_with(say!("core.look.says"), "gatehouse gateway log")
}

#[cfg(test)]
mod tests {
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

    #[tokio::test(start_paused = true)]
    async fn an_order_is_waited_for_until_it_is_carried_out_or_has_failed() {
        let error = gone();
        for (action, stages, expected) in [
            (GatewayAction::Stop, vec![Stage::Stopped], Ok(())),
            (GatewayAction::Restart, vec![Stage::Working, Stage::Ready], Ok(())),
            (GatewayAction::Start, vec![Stage::Failed(error.clone())], Err(Code::NotRunning)),
            (GatewayAction::Restart, vec![Stage::Working], Err(Code::NotRunning)),
        ] {
            let (changes, stage) = tokio::sync::watch::channel(Stage::Working);
            let waiting = tokio::spawn(ordered(stage, action));
            for stage in stages {
                tokio::task::yield_now().await;
                changes.send_replace(stage);
            }
            tokio::task::yield_now().await;
            drop(changes);
            assert_eq!(waiting.await.unwrap().map_err(|error| error.code), expected, "{action:?}");
        }
        let (_changes, stage) = tokio::sync::watch::channel(Stage::Working);
        let slow = ordered(stage, GatewayAction::Start).await.unwrap_err();
        assert_eq!(slow.code, Code::GatewayUnreachable);
    }
}
