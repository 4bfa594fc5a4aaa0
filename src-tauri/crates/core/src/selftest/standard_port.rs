//! Ports 443 and 80 on the wildcard address: what a user on a Mac may have without root.

use gatehouse_api::{Text, say};
use gatehouse_host::ports::owned::Wildcard;
use gatehouse_host::ports::{self, PortHolder, Refusal};

use super::Finding;
use super::port_ownership::on_every_address;

pub(super) fn check(port: u16) -> Finding {
    match Wildcard::listen(port) {
        Ok(wildcard) => match on_every_address(&wildcard) {
            Ok(saw) => Finding::passed([saw]),
            Err(because) => Finding::failed(because, say!("core.selftest.port.fix-other", port = port)),
        },
        Err((_, Refusal::InUse)) => held(port, ports::holder(port)),
        // macOS gave this rule up with 10.14; on Linux it is the rule.
        Err((_, Refusal::Permission)) if cfg!(target_os = "macos") => {
            Finding::failed(say!("core.selftest.port.privileged"), say!("core.report"))
        }
        Err((_, Refusal::Permission)) => {
            Finding::unknown(say!("core.selftest.port.privileged"), say!("core.selftest.port.fix-privileged"))
        }
        Err((address, refusal)) => Finding::failed(
            say!("core.selftest.ownership.refused", address = address, error = refusal.to_string()),
            say!("core.report"),
        ),
    }
}

/// A port that Gatehouse has itself may be had.
fn held(port: u16, holder: Option<PortHolder>) -> Finding {
    let ours = holder.as_ref().and_then(|holder| holder.program.as_deref()) == Some("gatehouse");
    let who = holder.as_ref().map_or_else(|| say!("core.another-program-lower"), name);
    if ours {
        let because = say!("core.selftest.port.ours", holder = who);
        return Finding::unknown(because, say!("core.selftest.port.fix-ours"));
    }
    let because = say!("core.selftest.port.held", holder = who);
    Finding::failed(because, say!("core.selftest.port.fix-other", port = port))
}

fn name(holder: &PortHolder) -> Text {
    let program = holder.program.clone().map_or_else(|| say!("core.another-program-lower"), Text::from);
    match holder.pid {
        Some(pid) => say!("core.selftest.port.holder", program = program, pid = pid),
        None => program,
    }
}
