//! `gatehouse serve`: hosts the core in the foreground.
//!
//! The address is welcomed once it is proven, or the reason why it is not is told; then every change of the state is
//! a line. The first signal stops gracefully, the second at once.

pub(crate) mod signals;
mod welcome;

use gatehouse_api::say;
use std::{io, path::Path, process, sync::Arc, time::Duration};

use gatehouse_api::{
    Actual, Code, ErrorEnvelope, Event, GatewayVerdict, Snapshot,
    socket::{ControlSocket, Handler},
};
use gatehouse_core::{Core, CoreOptions};
use tokio::sync::{broadcast, oneshot, watch};

use self::signals::Signals;
use crate::{
    args::Serve,
    output::{Form, Page, Tone, fields, progress::Steps, words},
    session::{Outcome, Session, Verdict, environment},
};

/// How long a state must last before it is told; what is on needs no second look.
const SETTLED: Duration = Duration::from_millis(1_500);

/// Runs until a signal or a request to shut down.
pub(crate) async fn run(args: &Serve, session: &mut Session) -> Outcome {
    let mut signals = Signals::new().map_err(|error| {
        ErrorEnvelope::new(Code::Failed, say!("cli.serve.no-signals"), format!("{error}."))
    })?;
    let options = CoreOptions {
        environment: environment(),
        open_at_start: args.open.map(|scope| args.address.request(scope, None)),
        supervise: args.install,
        ..CoreOptions::default()
    };
    let core = tokio::select! {
        core = Core::start(options) => core?,
        signal = signals.next() => return Err(interrupted(signal)),
    };
    let path = session.globals.socket.clone().unwrap_or_else(|| core.socket().to_owned());
    let socket = match ControlSocket::bind(&path) {
        Ok(socket) => socket,
        Err(error) => {
            core.stop().await;
            return Err(no_socket(&path, &error));
        }
    };
    let (stop, stopped) = oneshot::channel::<()>();
    let handler: Arc<dyn Handler> = Arc::new(core.handle());
    let serving = tokio::spawn(socket.serve(handler, async {
        let _ = stopped.await;
    }));
    tokio::select! {
        () = host(&core, session) => {}
        () = core.shutdown_requested() => {}
        signal = signals.next() => tracing::info!(signal = signal.name, "stopping; once more stops at once"),
    }
    let stopping = async {
        core.stop().await;
        let _ = stop.send(());
        if let Err(error) = serving.await {
            tracing::warn!(%error, "the control socket ended with a fault");
        }
    };
    tokio::select! {
        () = stopping => Ok(Verdict::Done),
        signal = signals.next() => process::exit(128 + signal.number),
    }
}

/// Shows steps, the welcome and then every change of the state, for ever.
async fn host(core: &Core, session: &mut Session) {
    let handle = core.handle();
    let mut events = handle.events();
    let mut snapshots = handle.snapshots();
    let mut steps = Steps::in_a_log();
    let mut told: Option<String> = None;
    let mut told_to_wait: Option<String> = None;
    loop {
        let snapshot = snapshots.borrow_and_update().clone();
        let (settled, wait) = settled(&snapshot);
        let news = Some(told_as(&snapshot)) != told;
        let wait_for = waits_for(&snapshot).filter(|reason| told_to_wait.as_deref() != Some(*reason));
        tokio::select! {
            changed = snapshots.changed() => if changed.is_err() {
                return std::future::pending().await;
            },
            event = events.recv() => match event {
                Ok(Event::Progress(progress)) => steps.show(&progress, &mut session.out),
                Ok(_) | Err(broadcast::error::RecvError::Lagged(_)) => {}
                Err(broadcast::error::RecvError::Closed) => quiet(&mut snapshots).await,
            },
            () = tokio::time::sleep(wait), if settled && news => {
                steps.end(&mut session.out);
                tell(&snapshot, told.is_none(), session);
                told = Some(told_as(&snapshot));
            }
            () = tokio::time::sleep(SETTLED), if wait_for.is_some() => {
                told_to_wait = wait_for.map(str::to_owned);
                let mut page = Page::verdict(Tone::Warn, say!("cli.serve.waiting"), say!("cli.serve.for-gateway"));
                page.item(wait_for.unwrap_or_default());
                session.out.remark(&page);
            }
        }
    }
}

/// Waits for the next snapshot where no events will come any more.
async fn quiet(snapshots: &mut watch::Receiver<Arc<Snapshot>>) {
    if snapshots.changed().await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// Whether a state is one to tell, and how long it must last first.
fn settled(snapshot: &Snapshot) -> (bool, Duration) {
    match snapshot.actual {
        Actual::Preparing { .. } => (false, Duration::ZERO),
        Actual::On { .. } => (true, Duration::ZERO),
        Actual::Off | Actual::Degraded { .. } | Actual::Paused { .. } | Actual::Blocked { .. } => {
            (true, SETTLED)
        }
    }
}

/// What keeps an address from being opened: an installation takes minutes, and nobody should wonder for so long.
fn waits_for(snapshot: &Snapshot) -> Option<&str> {
    match (&snapshot.actual, snapshot.gateway.verdict) {
        (Actual::Preparing { .. }, GatewayVerdict::Running) => None,
        (Actual::Preparing { .. }, _) => snapshot.gateway.detail.as_deref(),
        _ => None,
    }
}

/// What makes two states different enough for a line.
fn told_as(snapshot: &Snapshot) -> String {
    let (_, word) = words::actual(&snapshot.actual);
    let problems: Vec<_> = snapshot.problems.iter().map(|problem| problem.title.as_str()).collect();
    let addresses: Vec<_> = snapshot.addresses.iter().map(|address| address.url.as_str()).collect();
    let waiting = snapshot.devices.pending;
    format!("{word} {} {} {waiting}", problems.join("; "), addresses.join(" "))
}

fn tell(snapshot: &Snapshot, first: bool, session: &mut Session) {
    match (session.out.form(), first) {
        (Form::Human, true) => {
            let page = welcome::page(snapshot, session.out.look(), session.clock);
            session.out.page(&page);
        }
        (Form::Json, true) | (Form::Lines, _) => session.out.object(&fields(snapshot)),
        (Form::Human | Form::Json, false) => {
            let page = line(snapshot, session);
            session.out.remark(&page);
        }
    }
}

/// The state on one line, with what needs attention below.
fn line(snapshot: &Snapshot, session: &Session) -> Page {
    let (tone, word) = words::actual(&snapshot.actual);
    let time = session.clock.time(session.clock.now());
    let mut page = Page::verdict(tone, word, say!("cli.serve.since", time = time));
    if let Actual::Blocked { cause } = &snapshot.actual {
        page.item(&cause.text);
    }
    for problem in &snapshot.problems {
        page.toned(2, Tone::Warn, say!("cli.word.problem"), &problem.title);
    }
    if snapshot.devices.pending > 0 {
        let count = say!("cli.count.waiting", count = snapshot.devices.pending);
        page.item(&say!("cli.serve.watch", count = count));
    }
    page
}

fn interrupted(signal: signals::Signal) -> ErrorEnvelope {
    let because = say!("cli.serve.signal", signal = signal.name);
    ErrorEnvelope::new(Code::Failed, say!("cli.serve.stopped"), because)
}

fn no_socket(path: &Path, error: &io::Error) -> ErrorEnvelope {
    let code = match error.kind() {
        io::ErrorKind::PermissionDenied => Code::Permission,
        io::ErrorKind::StorageFull | io::ErrorKind::ReadOnlyFilesystem => Code::Storage,
        _ => Code::Failed,
    };
    let because = say!("core.at-failed", place = path.display(), error = error);
    ErrorEnvelope::new(code, say!("cli.serve.no-socket"), because).fix(say!("cli.serve.no-socket-fix"))
}

#[cfg(test)]
mod tests;
