//! `gatehouse status`: what is open, what is proven, what needs attention.

use gatehouse_api::{
    Actual, Address, Code, Desired, ErrorEnvelope, Event, ListenerSummary, Reply, Request, Snapshot, Text,
    say, socket::Topic,
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
        return Err(ErrorEnvelope::new(Code::Usage, say!("cli.watch.title"), say!("cli.stream.because"))
            .fix_with(say!("cli.stream.fix"), "gatehouse status --watch --jsonl"));
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
    let mut page = Page::verdict(tone, word, about(snapshot, clock));
    addresses(&mut page, &snapshot.addresses, clock);
    if let Some(listener) = &snapshot.listener {
        if let Some(reason) = &listener.port_reason {
            page.field(
                say!("cli.field.port"),
                &say!("cli.status.port", port = listener.port, reason = reason),
            );
        }
        if let Some(reason) = &listener.redirect_reason {
            page.field(say!("cli.field.redirect"), &say!("cli.status.no-redirect", reason = reason));
        }
        if let Some(reason) = &listener.http2_websocket_reason {
            page.field(say!("cli.field.websocket-http2"), say!("cli.status.websocket-off", reason = reason));
        }
        let open = say!("cli.count.connections", count = listener.connections);
        page.field(
            say!("cli.field.open-now"),
            &say!("cli.status.connections", open = open, websockets = listener.websockets),
        );
        limits(&mut page, listener);
    }
    if let Some(mapping) = &snapshot.mapping {
        page.field(say!("cli.field.router"), super::network::mapping(mapping, clock));
    }
    if let Some(cert) = &snapshot.cert {
        let until = clock.date(cert.not_after);
        page.field(
            say!("cli.field.cert"),
            &say!(
                "cli.status.cert",
                issuer = cert.issuer,
                until = until,
                relative = clock.relative(cert.not_after)
            ),
        );
    }
    page.append(super::gateway::summary(&snapshot.gateway));
    let devices = snapshot.devices;
    page.field(
        say!("cli.field.devices"),
        &say!("cli.status.devices", waiting = devices.pending, paired = devices.paired),
    );
    if let Some(change) = &snapshot.last_change {
        let relative = clock.relative(change.at);
        let made = say!("cli.status.change", title = change.title, id = change.id, relative = relative);
        page.field(say!("cli.field.change"), made);
        if let Some(by) = change.confirm_by {
            page.field("", &say!("cli.status.reverts", relative = clock.relative(by)));
        }
    }
    problems(&mut page, snapshot);
    if devices.pending > 0 {
        page.toned(0, Tone::Strong, say!("cli.word.next"), say!("cli.status.see-who"));
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
    let text = say!(
        "cli.status.limits",
        total = total,
        client = of("limits.connections-per-client"),
        rate = of("limits.request-rate"),
        bodies = of("limits.body-bytes"),
    );
    page.field(say!("cli.field.limits"), text);
}

/// The addresses, one line each.
pub(crate) fn addresses(page: &mut Page, addresses: &[Address], clock: Clock) {
    for address in addresses {
        let checked = match address.verified_at {
            Some(at) => say!("cli.status.checked", relative = clock.relative(at)),
            None => say!("cli.status.not-checked"),
        };
        let scope = words::address_scope(address.scope);
        page.field(
            say!("cli.field.address"),
            &say!("cli.status.address", url = address.url, scope = scope, checked = checked),
        );
    }
}

fn problems(page: &mut Page, snapshot: &Snapshot) {
    for problem in &snapshot.problems {
        page.toned(0, Tone::Warn, say!("cli.word.problem"), &problem.title);
        page.item(&problem.because);
        words::fix(page, problem.fix.as_ref());
    }
}

fn about(snapshot: &Snapshot, clock: Clock) -> Text {
    match &snapshot.actual {
        Actual::Off => say!("cli.status.off"),
        Actual::Preparing { step, number, of } => {
            say!("cli.status.preparing", number = number, of = of, step = words::step(*step))
        }
        Actual::On { proof } => {
            let (at, from, over) = (clock.relative(proof.at), &proof.from, &proof.protocol);
            say!("cli.status.on", open = open_for(snapshot), at = at, from = from, over = over)
        }
        Actual::Degraded { .. } => {
            let problems = say!("cli.count.problems", count = snapshot.problems.len());
            say!("cli.status.degraded", open = open_for(snapshot), problems = problems)
        }
        Actual::Paused { until: Some(until) } => {
            say!(
                "cli.status.paused",
                time = clock.time(*until),
                relative = clock.relative(*until),
                open = open_for(snapshot)
            )
        }
        Actual::Paused { until: None } => say!("cli.status.paused-open"),
        Actual::Blocked { cause } => cause.text.clone(),
    }
}

fn open_for(snapshot: &Snapshot) -> Text {
    match &snapshot.desired {
        Desired::Open { scope, .. } => say!("cli.status.open-for", scope = words::scope(*scope)),
        Desired::Off => say!("cli.status.to-close"),
    }
}
