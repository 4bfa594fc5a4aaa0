//! `gatehouse status`: what is open, what is proven, what needs attention.

use gatehouse_api::{
    Actual, Address, Code, Desired, ErrorEnvelope, Event, ListenerSummary, Reply, Request, Snapshot,
    socket::Topic,
};

use crate::{
    args::Status,
    output::{Form, Out, Page, Tone, fields, when::Clock, words},
    session::{Outcome, Session, Verdict, ended, unexpected},
};

/// Shows the state once, or every change of it.
pub(crate) async fn run(args: &Status, session: &mut Session) -> Outcome {
    if args.watch {
        return watch(session).await;
    }
    let snapshot = fetch(session).await?;
    show(&snapshot, session);
    Ok(verdict(&snapshot))
}

/// The state now.
pub(crate) async fn fetch(session: &mut Session) -> Result<Snapshot, ErrorEnvelope> {
    match session.ask(Request::Status).await? {
        Reply::Status(snapshot) => Ok(*snapshot),
        _ => Err(unexpected()),
    }
}

/// The exit status that belongs to a state.
pub(crate) fn verdict(snapshot: &Snapshot) -> Verdict {
    match &snapshot.actual {
        Actual::Blocked { cause } => Verdict::Told(cause.code),
        Actual::Degraded { .. } => Verdict::Warnings,
        Actual::Off | Actual::Preparing { .. } | Actual::On { .. } | Actual::Paused { .. } => {
            Verdict::warned(!snapshot.problems.is_empty())
        }
    }
}

/// Prints a state.
pub(crate) fn show(snapshot: &Snapshot, session: &mut Session) {
    match session.out.form() {
        Form::Human => session.out.page(&page(snapshot, session.clock)),
        Form::Json | Form::Lines => session.out.object(&fields(snapshot)),
    }
}

async fn watch(session: &mut Session) -> Outcome {
    if session.out.form() == Form::Json {
        return Err(ErrorEnvelope::new(Code::Usage, "A watch is not one object", "It has no end.")
            .fix_with("Ask for a line each.", "gatehouse status --watch --jsonl"));
    }
    let client = session.client().await?;
    let mut events = client.events(&[Topic::Snapshot]).await?;
    let mut first = true;
    while !session.out.closed() {
        match events.next().await {
            Ok(Event::Snapshot(snapshot)) => {
                separate(&mut session.out, first);
                first = false;
                show(&snapshot, session);
            }
            Ok(_) => {}
            Err(end) => return Err(ended(&end)),
        }
    }
    Ok(Verdict::Done)
}

/// Puts a state in the place of the one before: by an empty line, or on a terminal by clearing it.
fn separate(out: &mut Out, first: bool) {
    if out.form() != Form::Human {
        return;
    }
    if out.look().terminal {
        out.data(b"\x1b[H\x1b[2J");
    } else if !first {
        out.data(b"\n");
    }
}

/// A state for a person.
pub(crate) fn page(snapshot: &Snapshot, clock: Clock) -> Page {
    let (tone, word) = words::actual(&snapshot.actual);
    let mut page = Page::verdict(tone, word, &about(snapshot, clock));
    addresses(&mut page, &snapshot.addresses, clock);
    if let Some(listener) = &snapshot.listener {
        if let Some(reason) = &listener.port_reason {
            page.field("Port", &format!("{}: {reason}", listener.port));
        }
        if let Some(reason) = &listener.redirect_reason {
            page.field("Redirect", &format!("none: {reason}"));
        }
        if let Some(reason) = &listener.http2_websocket_reason {
            page.field("WebSocket over HTTP/2", &format!("off: {reason}"));
        }
        let open = words::count(listener.connections, "connection", "connections");
        page.field("Open now", &format!("{open}, {} WebSocket", listener.websockets));
        limits(&mut page, listener);
    }
    if let Some(cert) = &snapshot.cert {
        let until = clock.date(cert.not_after);
        page.field("Cert", &format!("{}, until {until} ({})", cert.issuer, clock.relative(cert.not_after)));
    }
    page.append(super::gateway::summary(&snapshot.gateway));
    let devices = snapshot.devices;
    page.field("Devices", &format!("{} waiting, {} paired", devices.pending, devices.paired));
    if let Some(change) = &snapshot.last_change {
        page.field("Change", &format!("{} ({}), {}", change.title, change.id, clock.relative(change.at)));
        if let Some(by) = change.confirm_by {
            page.field("", &format!("reverts {} unless: gatehouse confirm", clock.relative(by)));
        }
    }
    problems(&mut page, snapshot);
    if devices.pending > 0 {
        page.toned(0, Tone::Strong, "Next:", "see who waits.");
        page.command("gatehouse devices watch");
    }
    page
}

/// The limits that are met first; `gatehouse config get` shows all.
fn limits(page: &mut Page, listener: &ListenerSummary) {
    let Some(limits) = &listener.limits else { return };
    let of = |key: &str| limits.get(key).map_or("?", String::as_str);
    let total =
        listener.connections_limit.map_or_else(|| of("limits.connections").to_owned(), |it| it.to_string());
    page.field(
        "Limits",
        &format!(
            "{total} connections, {} of one client; {} requests/s; {} bodies",
            of("limits.connections-per-client"),
            of("limits.request-rate"),
            of("limits.body-bytes"),
        ),
    );
}

/// The addresses, one line each.
pub(crate) fn addresses(page: &mut Page, addresses: &[Address], clock: Clock) {
    for address in addresses {
        let checked = match address.verified_at {
            Some(at) => format!("checked {}", clock.relative(at)),
            None => "not checked".to_owned(),
        };
        let scope = words::address_scope(address.scope);
        page.field("Address", &format!("{} ({scope}, {checked})", address.url));
    }
}

fn problems(page: &mut Page, snapshot: &Snapshot) {
    for problem in &snapshot.problems {
        page.toned(0, Tone::Warn, "Problem:", &problem.title);
        page.item(&problem.because);
        words::fix(page, problem.fix.as_ref());
    }
}

fn about(snapshot: &Snapshot, clock: Clock) -> String {
    match &snapshot.actual {
        Actual::Off => "only programs on this machine reach the gateway".to_owned(),
        Actual::Preparing { step, number, of } => format!("step {number} of {of}: {}", words::step(*step)),
        Actual::On { proof } => {
            let (at, from, over) = (clock.relative(proof.at), &proof.from, &proof.protocol);
            format!("{}, checked {at} from {from} over {over}", open_for(snapshot))
        }
        Actual::Degraded { .. } => {
            let problems = words::count(snapshot.problems.len(), "problem", "problems");
            format!("{}, with {problems}", open_for(snapshot))
        }
        Actual::Paused { until: Some(until) } => {
            format!("until {} ({}), then {}", clock.time(*until), clock.relative(*until), open_for(snapshot))
        }
        Actual::Paused { until: None } => "until you say: gatehouse resume".to_owned(),
        Actual::Blocked { cause } => cause.text.to_string(),
    }
}

fn open_for(snapshot: &Snapshot) -> String {
    match &snapshot.desired {
        Desired::Open { scope, .. } => format!("open for {}", words::scope(*scope)),
        Desired::Off => "to be closed".to_owned(),
    }
}
