//! Devices as lines.

use gatehouse_api::{EdgeSighting, PairedDevice, PendingDevice, Text, say};

use crate::output::{Page, Tone, plain::clip, when::Clock, words};

/// Most of a stranger's name is not worth more room than this.
const NAME: usize = 48;

/// The name and the beginning of the id, as every command takes it.
pub(super) fn title(name: &str, id: &str) -> Text {
    say!("cli.titled", title = clip(name, NAME), id = clip_id(id))
}

fn clip_id(id: &str) -> String {
    id.chars().take(12).collect()
}

/// Who waits and what it would be able to do, the widest first.
pub(super) fn pending(page: &mut Page, device: &PendingDevice, clock: Clock) {
    page.toned(2, Tone::Warn, say!("cli.device.waiting"), title(&device.name, &device.device_id));
    let platform = device
        .platform
        .as_deref()
        .map_or_else(|| say!("cli.unknown"), |platform| clip(platform, NAME).into());
    let asked =
        device.asked_at.map(|at| say!("cli.device.asked", relative = clock.relative(at))).unwrap_or_default();
    line(page, say!("cli.device.from"), joined(address(device.remote_ip.as_deref()), asked));
    line(
        page,
        say!("cli.device.says-word"),
        say!("cli.device.says", platform = platform, role = clip(&device.role, NAME)),
    );
    edge(page, device.via_edge.as_ref());
    if device.is_repair {
        page.toned(4, Tone::Warn, say!("cli.word.caution"), say!("cli.device.repair"));
    }
    line(page, say!("cli.device.asks-for"), Text::default());
    for (tone, sentence) in words::permissions(&device.role, &device.scopes) {
        let mark = if tone == Tone::Bad { "!" } else { "-" };
        page.toned(6, tone, mark, sentence);
    }
    if device.scopes.is_empty() && device.role == "operator" {
        page.toned(6, Tone::Plain, "-", say!("cli.device.nothing"));
    }
}

/// Who is paired.
pub(super) fn paired(page: &mut Page, device: &PairedDevice, clock: Clock) {
    let (tone, word) = if device.connected {
        (Tone::Good, say!("cli.device.connected"))
    } else {
        (Tone::Plain, say!("cli.device.paired"))
    };
    page.toned(2, tone, word, title(&device.name, &device.device_id));
    let seen =
        device.last_seen.map(|at| say!("cli.device.seen", relative = clock.relative(at))).unwrap_or_default();
    line(page, say!("cli.device.from"), joined(address(device.remote_ip.as_deref()), seen));
    if let Some(at) = device.expires_at {
        let moment = format!("{} {}", clock.date(at), clock.time(at));
        line(page, say!("cli.device.until"), say!("cli.titled", title = moment, id = clock.relative(at)));
    }
    let may = words::permissions(&device.role, &device.scopes);
    line(page, say!("cli.device.may"), Text::list(may.into_iter().map(|(_, sentence)| sentence)));
}

/// What the edge saw of a device.
fn edge(page: &mut Page, sighting: Option<&EdgeSighting>) {
    match sighting {
        Some(edge) => {
            let agent =
                edge.agent.as_deref().map(|agent| format!("{}, ", clip(agent, NAME))).unwrap_or_default();
            let host = clip(&edge.host, NAME);
            let seen =
                say!("cli.device.sighting", agent = agent, client = edge.client, host = host, tls = edge.tls);
            line(page, say!("cli.device.seen-as"), seen);
        }
        None => page.toned(4, Tone::Warn, say!("cli.word.caution"), say!("cli.device.not-ours")),
    }
}

fn address(ip: Option<&str>) -> Text {
    ip.map_or_else(|| say!("cli.unknown"), Text::from)
}

fn joined(first: Text, second: Text) -> Text {
    say!("cli.joined", first = first, second = second)
}

fn line(page: &mut Page, name: Text, value: Text) {
    page.toned(4, Tone::Faint, say!("cli.named", name = name), value);
}
