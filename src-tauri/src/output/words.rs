//! The words for what the api says with codes.

use gatehouse_api::{
    Actual, AddressScope, ApproveAs, CertificateKind, ChangeState, Code, ErrorEnvelope, Fix, GatewayVerdict,
    OrderStage, ProofWay, ReadinessPoint, ReadinessState, Scope, StepId, StepState, Text, TrustedBy, say,
};

use super::{Page, Tone};

/// The first word of an error.
fn error_word(code: Code) -> Text {
    match code {
        Code::NotRunning => say!("cli.word.stopped"),
        Code::NeedsConfirmation | Code::Widened => say!("cli.word.unconfirmed"),
        Code::Usage => say!("cli.word.usage"),
        Code::GatewayNotFound | Code::GatewayUnreachable | Code::GatewayAuth => say!("cli.word.unreachable"),
        Code::ConfigConflict
        | Code::ConfigUnsupported
        | Code::Drift
        | Code::Busy
        | Code::PortTaken
        | Code::AlreadyRunning => say!("cli.word.conflict"),
        Code::Permission => say!("cli.word.denied"),
        Code::RolledBack | Code::VerifyFailed => say!("cli.word.reverted"),
        Code::Cancelled => say!("cli.word.cancelled"),
        Code::Failed
        | Code::GatewayRefused
        | Code::Storage
        | Code::NoAddress
        | Code::Certificate
        | Code::NotFound
        | Code::Version => say!("cli.word.failed"),
    }
}

/// An error as a page: what, why, what was measured, what next.
pub(crate) fn error(error: &ErrorEnvelope) -> Page {
    let mut page = Page::verdict(Tone::Bad, error_word(error.code), &error.title);
    if !error.because.is_empty() {
        page.item(&error.because);
    }
    for line in &error.evidence {
        page.toned(2, Tone::Plain, "-", line);
    }
    fix(&mut page, error.fix.as_deref());
    page
}

/// What to do next.
pub(crate) fn fix(page: &mut Page, fix: Option<&Fix>) {
    let Some(fix) = fix else { return };
    page.toned(2, Tone::Strong, say!("cli.word.next"), &fix.text);
    if let Some(command) = &fix.command {
        page.command(command);
    }
}

/// A point that decides whether the address stays reachable, with what mends it.
pub(crate) fn point(page: &mut Page, point: &ReadinessPoint) {
    let (tone, word) = match point.state {
        ReadinessState::Ready => (Tone::Good, say!("cli.ready.good")),
        ReadinessState::Attention => (Tone::Warn, say!("cli.ready.look")),
        ReadinessState::Unknown => (Tone::Faint, say!("cli.ready.unknown")),
    };
    page.toned(2, tone, word, &point.title);
    page.item(&point.because);
    fix(page, point.fix.as_ref());
}

/// For whom an address is open.
pub(crate) fn scope(scope: Scope) -> Text {
    match scope {
        Scope::Mac => say!("cli.scope.mac"),
        Scope::Lan => say!("cli.scope.lan"),
        Scope::Internet => say!("cli.scope.internet"),
    }
}

/// From where an address can be reached.
pub(crate) fn address_scope(scope: AddressScope) -> Text {
    match scope {
        AddressScope::Mac => say!("cli.scope.mac"),
        AddressScope::Lan => say!("cli.scope.address-lan"),
        AddressScope::Tailnet => say!("cli.scope.address-tailnet"),
        AddressScope::Internet => say!("cli.scope.address-internet"),
    }
}

/// Who trusts a certificate.
pub(crate) fn trusted_by(trusted: TrustedBy) -> Text {
    match trusted {
        TrustedBy::LocalCa => say!("cli.trusted.ca"),
        TrustedBy::Public => say!("cli.trusted.public"),
        TrustedBy::Issuer => say!("cli.trusted.issuer"),
    }
}

/// The verdict of a state.
pub(crate) fn actual(actual: &Actual) -> (Tone, Text) {
    match actual {
        Actual::Off => (Tone::Plain, say!("cli.actual.off")),
        Actual::Preparing { .. } => (Tone::Warn, say!("cli.actual.preparing")),
        Actual::On { .. } => (Tone::Good, say!("cli.actual.on")),
        Actual::Degraded { .. } => (Tone::Warn, say!("cli.actual.degraded")),
        Actual::Paused { .. } => (Tone::Warn, say!("cli.actual.paused")),
        Actual::Blocked { .. } => (Tone::Bad, say!("cli.actual.blocked")),
    }
}

/// What a step does.
pub(crate) fn step(step: StepId) -> Text {
    match step {
        StepId::FindGateway => say!("cli.step.find-gateway"),
        StepId::Authentication => say!("cli.step.authentication"),
        StepId::Loopback => say!("cli.step.loopback"),
        StepId::Certificate => say!("cli.step.certificate"),
        StepId::Listen => say!("cli.step.listen"),
        StepId::MapPort => say!("cli.step.map-port"),
        StepId::Issue => say!("cli.step.issue"),
        StepId::Configure => say!("cli.step.configure"),
        StepId::Verify => say!("cli.step.verify"),
        StepId::Commit => say!("cli.step.commit"),
    }
}

/// Where a certificate comes from.
pub(crate) fn certificate_kind(kind: CertificateKind) -> Text {
    match kind {
        CertificateKind::Local => say!("cli.cert.kind-local"),
        CertificateKind::Acme => say!("cli.cert.kind-acme"),
        CertificateKind::Imported => say!("cli.cert.kind-imported"),
    }
}

/// How far an order is.
pub(crate) fn order_stage(stage: OrderStage) -> Text {
    match stage {
        OrderStage::Begun => say!("cli.stage.begun"),
        OrderStage::Ordered => say!("cli.stage.ordered"),
        OrderStage::Proving => say!("cli.stage.proving"),
        OrderStage::Signing => say!("cli.stage.signing"),
        OrderStage::Stored => say!("cli.stage.stored"),
    }
}

/// A way to prove a name, as ACME calls it.
pub(crate) fn proof_way(way: ProofWay) -> &'static str {
    match way {
        ProofWay::TlsAlpn => "tls-alpn-01",
        ProofWay::Http => "http-01",
        ProofWay::Dns => "dns-01",
    }
}

/// How far a step got.
pub(crate) fn step_state(state: StepState) -> (Tone, Text) {
    match state {
        StepState::Running => (Tone::Plain, "...".into()),
        StepState::Done => (Tone::Good, say!("cli.step-state.done")),
        StepState::Skipped => (Tone::Faint, say!("cli.step-state.skipped")),
        StepState::Failed => (Tone::Bad, say!("cli.step-state.failed")),
        StepState::RolledBack => (Tone::Warn, say!("cli.step-state.undone")),
    }
}

/// How a change ended.
pub(crate) fn change_state(state: ChangeState) -> (Tone, Text) {
    match state {
        ChangeState::Running => (Tone::Warn, say!("cli.running")),
        ChangeState::AwaitingConfirmation => (Tone::Warn, say!("cli.change-state.unconfirmed")),
        ChangeState::Committed => (Tone::Good, say!("cli.step-state.done")),
        ChangeState::RolledBack => (Tone::Bad, say!("cli.change-state.rolled-back")),
        ChangeState::RollbackPending => (Tone::Bad, say!("cli.change-state.pending")),
        ChangeState::Undone => (Tone::Faint, say!("cli.step-state.undone")),
    }
}

/// The state of the gateway.
pub(crate) fn gateway(verdict: GatewayVerdict) -> (Tone, Text) {
    match verdict {
        GatewayVerdict::Running => (Tone::Good, say!("cli.running")),
        GatewayVerdict::Starting => (Tone::Warn, say!("cli.gateway.starting")),
        GatewayVerdict::AuthRefused => (Tone::Bad, say!("cli.gateway.auth")),
        GatewayVerdict::Stopped => (Tone::Bad, say!("cli.gateway.stopped")),
        GatewayVerdict::PortTaken => (Tone::Bad, say!("cli.gateway.port-taken")),
        GatewayVerdict::NotFound => (Tone::Bad, say!("cli.gateway.not-found")),
    }
}

/// With which access.
pub(crate) fn access(access: ApproveAs) -> Text {
    match access {
        ApproveAs::Full => say!("cli.access.full"),
        ApproveAs::Chat => say!("cli.access.chat"),
        ApproveAs::Read => say!("cli.access.read"),
    }
}

/// What a device asks for, a sentence each, the widest first and marked.
pub(crate) fn permissions(role: &str, scopes: &[String]) -> Vec<(Tone, Text)> {
    let mut sentences = Vec::new();
    if role != "operator" {
        let sentence = match role {
            "node" => say!("cli.scope-text.node"),
            other => say!("cli.scope-text.role", role = other),
        };
        sentences.push((0, Tone::Bad, sentence));
    }
    for scope in scopes {
        let (order, tone, sentence) = match scope.as_str() {
            "operator.admin" => (1, Tone::Bad, say!("cli.scope-text.admin")),
            "operator.pairing" => (2, Tone::Bad, say!("cli.scope-text.pairing")),
            "operator.talk.secrets" => (3, Tone::Bad, say!("cli.scope-text.talk-secrets")),
            "operator.approvals" => (4, Tone::Warn, say!("cli.scope-text.approvals")),
            "operator.write" => (5, Tone::Plain, say!("cli.scope-text.write")),
            "operator.questions" => (6, Tone::Plain, say!("cli.scope-text.questions")),
            "operator.talk" => (7, Tone::Plain, say!("cli.scope-text.talk")),
            "operator.read" => (8, Tone::Plain, say!("cli.scope-text.read")),
            other => (0, Tone::Bad, say!("cli.scope-text.unknown", scope = other)),
        };
        sentences.push((order, tone, sentence));
    }
    sentences.sort_by_key(|(order, ..)| *order);
    sentences.into_iter().map(|(_, tone, sentence)| (tone, sentence)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn full_control_comes_before_reading_and_what_is_unknown_first_of_all() {
        let scopes = ["operator.read", "operator.admin", "operator.teleport"].map(str::to_owned);

        let said: Vec<_> =
            permissions("operator", &scopes).into_iter().map(|(_, said)| said.to_string()).collect();

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
