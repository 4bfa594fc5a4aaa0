//! Devices as lines.

use gatehouse_api::{EdgeSighting, PairedDevice, PendingDevice};

use crate::output::{Page, Tone, plain::clip, when::Clock, words};

/// Most of a stranger's name is not worth more room than this.
const NAME: usize = 48;

/// The name and the beginning of the id, as every command takes it.
pub(super) fn title(name: &str, id: &str) -> String {
    format!("{} ({})", clip(name, NAME), clip_id(id))
}

fn clip_id(id: &str) -> String {
    id.chars().take(12).collect()
}

/// Who waits and what it would be able to do, the widest first.
pub(super) fn pending(page: &mut Page, device: &PendingDevice, clock: Clock) {
    page.toned(2, Tone::Warn, "waiting", &title(&device.name, &device.device_id));
    let platform = device.platform.as_deref().unwrap_or("unknown");
    let asked = device.asked_at.map(|at| format!(", asked {}", clock.relative(at))).unwrap_or_default();
    line(page, "from", &format!("{}{asked}", device.remote_ip.as_deref().unwrap_or("unknown")));
    line(page, "says", &format!("platform {}, role {}", clip(platform, NAME), clip(&device.role, NAME)));
    edge(page, device.via_edge.as_ref());
    if device.is_repair {
        page.toned(
            4,
            Tone::Warn,
            "Caution:",
            "its id is paired already; approving replaces what that one may do.",
        );
    }
    line(page, "asks for", "");
    for (tone, sentence) in words::permissions(&device.role, &device.scopes) {
        let mark = if tone == Tone::Bad { "!" } else { "-" };
        page.toned(6, tone, mark, &sentence);
    }
    if device.scopes.is_empty() && device.role == "operator" {
        page.toned(6, Tone::Plain, "-", "Nothing: it could connect and do nothing");
    }
}

/// Who is paired.
pub(super) fn paired(page: &mut Page, device: &PairedDevice, clock: Clock) {
    let (tone, word) = if device.connected { (Tone::Good, "connected") } else { (Tone::Plain, "paired") };
    page.toned(2, tone, word, &title(&device.name, &device.device_id));
    let seen = device.last_seen.map(|at| format!(", last seen {}", clock.relative(at))).unwrap_or_default();
    let from = device.remote_ip.as_deref().unwrap_or("unknown");
    line(page, "from", &format!("{from}{seen}"));
    if let Some(at) = device.expires_at {
        line(page, "until", &format!("{} {} ({})", clock.date(at), clock.time(at), clock.relative(at)));
    }
    let may = words::permissions(&device.role, &device.scopes);
    line(page, "may", &may.iter().map(|(_, sentence)| sentence.as_str()).collect::<Vec<_>>().join("; "));
}

/// What the edge saw of a device.
fn edge(page: &mut Page, sighting: Option<&EdgeSighting>) {
    match sighting {
        Some(edge) => {
            let agent =
                edge.agent.as_deref().map(|agent| format!("{}, ", clip(agent, NAME))).unwrap_or_default();
            let seen = format!("{agent}{} at {} over {}", edge.client, clip(&edge.host, NAME), edge.tls);
            line(page, "seen as", &seen);
        }
        None => page.toned(4, Tone::Warn, "Caution:", "this request did not come through Gatehouse."),
    }
}

fn line(page: &mut Page, name: &str, value: &str) {
    page.toned(4, Tone::Faint, &format!("{name}:"), value);
}
