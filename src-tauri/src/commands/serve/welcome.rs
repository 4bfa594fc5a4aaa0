//! What `serve` prints when the address is open, or why it is not.

use gatehouse_api::{Actual, Snapshot, TrustedBy, say};

use crate::{
    commands::{cert, link, status},
    output::{Look, Page, Tone, qr, when::Clock, words},
};

/// The welcome.
pub(super) fn page(snapshot: &Snapshot, look: Look, clock: Clock) -> Page {
    let mut page = status::page(snapshot, clock);
    let is_open = matches!(snapshot.actual, Actual::On { .. } | Actual::Degraded { .. });
    let Some(address) = link::best(snapshot).filter(|_| is_open) else {
        if snapshot.actual == Actual::Off {
            page.text(say!("cli.welcome.open"));
            page.command("gatehouse open --to lan");
        }
        return page;
    };
    let local_ca = snapshot.cert.as_ref().and_then(|cert| cert.ca_sha256.as_ref());
    if let Some(ca) = local_ca {
        // In a log it is searched for, on a terminal it is compared.
        if look.terminal {
            cert::fingerprint_fields(&mut page, say!("cli.field.ca-sha256"), ca);
        } else {
            page.field(say!("cli.field.ca-sha256"), ca);
        }
    }
    if let Some(code) = qr::code(&address.url, look.utf8, look.color) {
        page.blank();
        page.art(&code);
        page.text(say!("cli.titled", title = address.url, id = words::address_scope(address.scope)));
    }
    page.blank();
    if address.trusted_by == TrustedBy::LocalCa {
        page.toned(0, Tone::Strong, "1.", say!("cli.welcome.trust"));
        page.command("gatehouse cert export --ca gatehouse-ca.pem");
    }
    page.toned(0, Tone::Strong, "2.", say!("cli.welcome.devices"));
    page.command("gatehouse devices watch");
    page.toned(0, Tone::Faint, "Ctrl-C", say!("cli.welcome.stop"));
    page
}
