//! The words for what the api says with codes.

use gatehouse_api::{
    Actual, AddressScope, ApproveAs, ChangeState, Code, ErrorEnvelope, Fix, GatewayVerdict, Scope, StepId,
    StepState, TrustedBy,
};

use super::{Page, Tone};

/// The first word of an error.
fn error_word(code: Code) -> &'static str {
    match code {
        Code::NotRunning => "Stopped:",
        Code::NeedsConfirmation | Code::Widened => "Unconfirmed:",
        Code::Usage => "Usage:",
        Code::GatewayNotFound | Code::GatewayUnreachable | Code::GatewayAuth => "Unreachable:",
        Code::ConfigConflict
        | Code::ConfigUnsupported
        | Code::Drift
        | Code::Busy
        | Code::PortTaken
        | Code::AlreadyRunning => "Conflict:",
        Code::Permission => "Denied:",
        Code::RolledBack | Code::VerifyFailed => "Reverted:",
        Code::Cancelled => "Cancelled:",
        Code::Failed
        | Code::GatewayRefused
        | Code::Storage
        | Code::NoAddress
        | Code::Certificate
        | Code::NotFound
        | Code::Version => "Failed:",
    }
}

/// An error as a page: what, why, what was measured, what next.
pub(crate) fn error(error: &ErrorEnvelope) -> Page {
    let mut page = Page::verdict(Tone::Bad, error_word(error.code), &error.title);
    if !error.because.is_empty() {
        page.item(&error.because);
    }
    for line in &error.evidence {
        page.item(&format!("- {line}"));
    }
    fix(&mut page, error.fix.as_deref());
    page
}

/// What to do next.
pub(crate) fn fix(page: &mut Page, fix: Option<&Fix>) {
    let Some(fix) = fix else { return };
    page.toned(2, Tone::Strong, "Next:", &fix.text);
    if let Some(command) = &fix.command {
        page.command(command);
    }
}

/// For whom an address is open.
pub(crate) fn scope(scope: Scope) -> &'static str {
    match scope {
        Scope::Mac => "this machine only",
        Scope::Lan => "devices on the local network",
        Scope::Internet => "the internet",
    }
}

/// From where an address can be reached.
pub(crate) fn address_scope(scope: AddressScope) -> &'static str {
    match scope {
        AddressScope::Mac => "this machine only",
        AddressScope::Lan => "local network",
        AddressScope::Tailnet => "tailnet",
        AddressScope::Internet => "internet",
    }
}

/// Who trusts a certificate.
pub(crate) fn trusted_by(trusted: TrustedBy) -> &'static str {
    match trusted {
        TrustedBy::LocalCa => "trusted by devices that trust your CA",
        TrustedBy::Public => "trusted by every device",
    }
}

/// The verdict of a state.
pub(crate) fn actual(actual: &Actual) -> (Tone, &'static str) {
    match actual {
        Actual::Off => (Tone::Plain, "Off"),
        Actual::Preparing { .. } => (Tone::Warn, "Preparing"),
        Actual::On { .. } => (Tone::Good, "On"),
        Actual::Degraded { .. } => (Tone::Warn, "Degraded"),
        Actual::Paused { .. } => (Tone::Warn, "Paused"),
        Actual::Blocked { .. } => (Tone::Bad, "Blocked"),
    }
}

/// What a step does.
pub(crate) fn step(step: StepId) -> &'static str {
    match step {
        StepId::FindGateway => "find the gateway",
        StepId::Authentication => "gateway asks for a secret",
        StepId::Loopback => "gateway listens on loopback only",
        StepId::Certificate => "certificate",
        StepId::Listen => "listen",
        StepId::Configure => "gateway configuration",
        StepId::Verify => "verify from outside",
        StepId::Commit => "remember",
    }
}

/// How far a step got.
pub(crate) fn step_state(state: StepState) -> (Tone, &'static str) {
    match state {
        StepState::Running => (Tone::Plain, "..."),
        StepState::Done => (Tone::Good, "done"),
        StepState::Skipped => (Tone::Faint, "as is"),
        StepState::Failed => (Tone::Bad, "failed"),
        StepState::RolledBack => (Tone::Warn, "undone"),
    }
}

/// How a change ended.
pub(crate) fn change_state(state: ChangeState) -> (Tone, &'static str) {
    match state {
        ChangeState::Running => (Tone::Warn, "running"),
        ChangeState::AwaitingConfirmation => (Tone::Warn, "unconfirmed"),
        ChangeState::Committed => (Tone::Good, "done"),
        ChangeState::RolledBack => (Tone::Bad, "rolled back"),
        ChangeState::RollbackPending => (Tone::Bad, "not fully rolled back"),
        ChangeState::Undone => (Tone::Faint, "undone"),
    }
}

/// The state of the gateway.
pub(crate) fn gateway(verdict: GatewayVerdict) -> (Tone, &'static str) {
    match verdict {
        GatewayVerdict::Running => (Tone::Good, "running"),
        GatewayVerdict::Starting => (Tone::Warn, "starting"),
        GatewayVerdict::AuthRefused => (Tone::Bad, "refuses our token"),
        GatewayVerdict::Stopped => (Tone::Bad, "stopped"),
        GatewayVerdict::PortTaken => (Tone::Bad, "port taken by another program"),
        GatewayVerdict::NotFound => (Tone::Bad, "not found"),
    }
}

/// With which access.
pub(crate) fn access(access: ApproveAs) -> &'static str {
    match access {
        ApproveAs::Full => "everything it asks for",
        ApproveAs::Chat => "chat only: read, write and approve actions, no settings, no pairing",
        ApproveAs::Read => "read only",
    }
}

/// What a device asks for, a sentence each, the widest first and marked.
pub(crate) fn permissions(role: &str, scopes: &[String]) -> Vec<(Tone, String)> {
    let mut sentences = Vec::new();
    if role != "operator" {
        let sentence = match role {
            "node" => "Lend this device to the agent: camera, screen, location, commands".to_owned(),
            other => format!("Act in the role {other:?}, which this version does not know"),
        };
        sentences.push((0, Tone::Bad, sentence));
    }
    for scope in scopes {
        let (order, tone, sentence) = match scope.as_str() {
            "operator.admin" => {
                (1, Tone::Bad, "Full control: change every setting and run anything".to_owned())
            }
            "operator.pairing" => (2, Tone::Bad, "Let other devices in and throw them out".to_owned()),
            "operator.talk.secrets" => (3, Tone::Bad, "Read the keys of voice services".to_owned()),
            "operator.approvals" => {
                (4, Tone::Warn, "Approve or refuse what the agent wants to do".to_owned())
            }
            "operator.write" => (5, Tone::Plain, "Send messages and start work".to_owned()),
            "operator.questions" => (6, Tone::Plain, "Answer the agent's questions".to_owned()),
            "operator.talk" => (7, Tone::Plain, "Use voice".to_owned()),
            "operator.read" => (8, Tone::Plain, "Read conversations and status".to_owned()),
            other => (0, Tone::Bad, format!("Something this version does not know: {other}")),
        };
        sentences.push((order, tone, sentence));
    }
    sentences.sort_by_key(|(order, ..)| *order);
    sentences.into_iter().map(|(_, tone, sentence)| (tone, sentence)).collect()
}

/// `1 device`, `2 devices`.
pub(crate) fn count(number: usize, one: &str, many: &str) -> String {
    if number == 1 { format!("1 {one}") } else { format!("{number} {many}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn full_control_comes_before_reading_and_what_is_unknown_first_of_all() {
        let scopes = ["operator.read", "operator.admin", "operator.teleport"].map(str::to_owned);

        let said: Vec<_> = permissions("operator", &scopes).into_iter().map(|(_, said)| said).collect();

        assert_eq!(
            said,
            [
                "Something this version does not know: operator.teleport",
                "Full control: change every setting and run anything",
                "Read conversations and status",
            ]
        );
    }

    #[test]
    fn a_node_is_said_to_be_one() {
        assert!(permissions("node", &[])[0].1.starts_with("Lend this device"));
        assert!(permissions("operator", &[]).is_empty());
    }
}
