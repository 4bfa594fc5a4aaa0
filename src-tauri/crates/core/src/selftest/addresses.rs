//! Addresses and names of this machine.

use std::collections::BTreeMap;

use gatehouse_api::{Text, say};
use gatehouse_host::addresses::{self, Kind};
use gatehouse_host::names;

use super::Finding;

pub(super) fn check() -> Finding {
    let found = match addresses::list() {
        Ok(found) => found,
        Err(error) => {
            return Finding::failed(
                say!("core.selftest.addresses.unreadable", error = error),
                say!("core.report"),
            );
        }
    };
    let mut counts: BTreeMap<Kind, usize> = BTreeMap::new();
    for address in &found {
        *counts.entry(address.kind).or_default() += 1;
    }
    let counted = counts
        .iter()
        .map(|(kind, count)| say!("core.selftest.addresses.counted", kind = word(*kind), number = *count));
    let mut saw = vec![Text::list(counted)];
    let listed = found.iter().filter(|address| address.kind != Kind::Loopback);
    saw.extend(listed.map(|address| {
        say!(
            "core.selftest.addresses.one",
            interface = address.interface,
            ip = address.ip,
            prefix = address.prefix
        )
    }));
    let names = names::host_names();
    saw.push(match &names.local {
        Some(local) => say!("core.selftest.addresses.local", name = local),
        None => say!("core.selftest.addresses.no-local"),
    });
    if !counts.contains_key(&Kind::Loopback) {
        let because = say!("core.selftest.addresses.no-loopback");
        return Finding::failed(because, say!("core.selftest.addresses.fix")).having_seen(saw);
    }
    if counts.len() == 1 {
        let because = say!("core.selftest.addresses.alone");
        return Finding::unknown(because, say!("core.selftest.addresses.fix")).having_seen(saw);
    }
    Finding::passed(saw)
}

fn word(kind: Kind) -> Text {
    match kind {
        Kind::Loopback => say!("core.selftest.addresses.loopback"),
        Kind::Private => say!("core.selftest.addresses.private"),
        Kind::LinkLocal => say!("core.selftest.addresses.link-local"),
        Kind::Tailnet => say!("core.selftest.addresses.tailnet"),
        Kind::Global => say!("core.selftest.addresses.global"),
    }
}
