//! `gatehouse cert pins`: apps that remember the certificate they saw, and what they do when it changes.

use gatehouse_api::{ErrorEnvelope, Pin, Pins, Reply, Request, say};

use super::fingerprint_fields;
use crate::{
    output::{Page, Tone},
    session::{Outcome, Session, Verdict, unexpected},
};

/// Shows them.
pub(crate) async fn run(session: &mut Session) -> Outcome {
    let pins = fetch(session).await?;
    let broken = pins.pins.iter().any(Pin::is_broken);
    session.out.result(&page(&pins, session), &pins);
    Ok(Verdict::warned(broken))
}

/// Asks for them.
pub(crate) async fn fetch(session: &mut Session) -> Result<Pins, ErrorEnvelope> {
    match session.ask(Request::CertPins).await? {
        Reply::Pins(pins) => Ok(pins),
        _ => Err(unexpected()),
    }
}

/// Says below a certificate who remembers it, and who still remembers another.
pub(crate) fn note(page: &mut Page, pins: &Pins, sha256: &str) {
    let known: Vec<&str> =
        pins.pins.iter().filter(|pin| pin.sha256 == sha256).map(|pin| pin.name.as_str()).collect();
    if !known.is_empty() {
        let count = known.len();
        page.field(say!("cli.field.pins"), &say!("cli.pins.known", count = count, names = known.join(", ")));
    }
    let broken: Vec<&str> =
        pins.pins.iter().filter(|pin| pin.is_broken()).map(|pin| pin.name.as_str()).collect();
    if !broken.is_empty() {
        let count = broken.len();
        page.toned(
            0,
            Tone::Warn,
            say!("cli.word.note"),
            say!("cli.pins.broken", count = count, names = broken.join(", ")),
        );
    }
}

fn page(pins: &Pins, session: &Session) -> Page {
    let mut page = Page::new();
    if pins.pins.is_empty() {
        page.text(say!("cli.pins.none"));
    }
    for pin in &pins.pins {
        let seen = session.clock.relative(pin.seen);
        let (tone, word) = match (&pin.now, pin.is_broken()) {
            (_, true) => (Tone::Warn, say!("cli.pins.differs")),
            (Some(_), false) => (Tone::Good, say!("cli.pins.same")),
            (None, false) => (Tone::Faint, say!("cli.pins.unserved")),
        };
        page.toned(
            0,
            tone,
            word,
            say!("cli.pins.line", name = pin.name, client = pin.client, host = pin.host, seen = seen),
        );
        fingerprint_fields(&mut page, say!("cli.pins.knows"), &pin.sha256);
        if let Some(now) = pin.now.as_ref().filter(|_| pin.is_broken()) {
            fingerprint_fields(&mut page, say!("cli.pins.now"), now);
        }
    }
    if let Some(renewal) = pins.renewal {
        let (date, relative) = (session.clock.date(renewal), session.clock.relative(renewal));
        page.field(say!("cli.field.renewal"), &say!("cli.until", date = date, relative = relative));
    }
    for step in &pins.steps {
        page.item(step);
    }
    page
}
