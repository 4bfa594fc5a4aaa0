//! Trust on this machine: where the authority is trusted, and having it so; fingerprints; what apps remember.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use gatehouse_api::{
    Code, ErrorEnvelope, Fingerprint, Fingerprints, Fix, Pin, Pins, Reply, StaleAuthority, Text, TrustKind,
    TrustPlace, TrustPlaces, TrustState, say,
};
use gatehouse_certs::renewal::schedule::Validity;
use gatehouse_certs::{Certificates, name_prefix, words};
use gatehouse_host::trust::{
    self as host, Finding, Kind, Outcome, Places, Root, Sample, State, TrustError, Wanted,
};

use super::{Desk, blocking, certificate};
use crate::context::Context;
use crate::controller::message::{Ended, Fact};
use crate::errors::{self, Explain};

/// How many words are read aloud.
pub(crate) const SPOKEN: usize = 8;

/// Looks into every place.
pub(super) async fn show(desk: &Desk) -> Result<Reply, ErrorEnvelope> {
    let (places, wanted) = (places(&desk.context), wanted(&desk.context));
    blocking(move || Ok(told(&wanted, places.look(&wanted), &[]))).await
}

/// Has this machine trust the authority. What one place refuses keeps no other from being asked.
pub(super) async fn add(desk: &Desk, place: Option<String>) -> Result<Reply, ErrorEnvelope> {
    certificate::authority(&desk.context.certificates)?;
    change(desk, place, |places, wanted, only| places.trust(wanted, only)).await
}

/// Takes the authority, or those of earlier, out of the places.
pub(super) async fn remove(desk: &Desk, place: Option<String>, stale: bool) -> Result<Reply, ErrorEnvelope> {
    if !stale {
        certificate::authority(&desk.context.certificates)?;
    }
    change(desk, place, move |places, wanted, only| places.untrust(wanted, only, stale)).await
}

async fn change(
    desk: &Desk,
    place: Option<String>,
    work: impl FnOnce(&Places, &Wanted, Option<&Path>) -> Vec<Outcome> + Send + 'static,
) -> Result<Reply, ErrorEnvelope> {
    let (places, wanted) = (places(&desk.context), wanted(&desk.context));
    let only = place.as_ref().map(PathBuf::from);
    let changed = blocking(move || {
        let outcomes = work(&places, &wanted, only.as_deref());
        let findings = places.look(&wanted);
        if outcomes.is_empty() {
            return Err(no_place(place.as_deref(), &findings));
        }
        for outcome in outcomes.iter().filter(|outcome| outcome.result == Ok(true)) {
            tracing::info!(place = %outcome.place.path.display(), "the trust in our authority changed");
        }
        Ok(told(&wanted, findings, &outcomes))
    });
    changed.await
}

fn no_place(named: Option<&str>, findings: &[Finding]) -> ErrorEnvelope {
    let title = match named {
        Some(named) => say!("core.trust.no-such-place", place = named),
        None => say!("core.trust.no-place"),
    };
    let known: Vec<Text> =
        findings.iter().map(|found| found.place.path.display().to_string().into()).collect();
    ErrorEnvelope::new(Code::NotFound, title, say!("core.trust.places-are", places = Text::list(known)))
        .fix_with(say!("core.trust.look"), "gatehouse cert trust --dry-run")
}

fn places(context: &Context) -> Places {
    let environment = context.environment.load();
    let data =
        environment.variables.get("XDG_DATA_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    context.machine.trust_places(environment.home.clone(), data)
}

/// What is looked for: the authority in use, and those that this machine made before.
fn wanted(context: &Context) -> Wanted {
    let certificates = &context.certificates;
    let root = certificates.authority().zip(certificates.authority_file()).map(|(facts, file)| Root {
        name: facts.name,
        der: facts.der,
        file,
    });
    let sample = certificates.current().zip(certificates.chain_file()).and_then(|(leaf, file)| {
        let names = leaf.names.dns.iter().cloned().chain(leaf.names.ips.iter().map(ToString::to_string));
        names.min_by_key(|name| name == "localhost").map(|host| Sample { file, host })
    });
    let prefix = match &root {
        Some(root) => root.name.rsplit_once(", ").map(|(start, _)| format!("{start}, ")),
        None => context.machine.names().host.map(|host| name_prefix(&host)),
    };
    Wanted { root, sample, prefix: prefix.unwrap_or_default() }
}

fn told(wanted: &Wanted, findings: Vec<Finding>, outcomes: &[Outcome]) -> Reply {
    let place = |found: Finding| {
        let outcome = outcomes.iter().find(|outcome| outcome.place == found.place);
        let failed = outcome.and_then(|outcome| outcome.result.clone().err());
        let (state, unknown) = match found.state {
            State::Trusted => (TrustState::Trusted, None),
            State::NotTrusted => (TrustState::NotTrusted, None),
            State::Unknown(error) => (TrustState::Unknown, Some(error)),
        };
        let (because, fix) = failed.or(unknown).map(|error| explained(&error)).unzip();
        let stale = found.stale.into_iter();
        TrustPlace {
            kind: kind(found.place.kind),
            path: found.place.path.display().to_string(),
            state,
            changed: outcome.is_some_and(|outcome| outcome.result == Ok(true)),
            because,
            fix: fix.flatten(),
            stale: stale.map(|host::Stale { name, sha256 }| StaleAuthority { name, sha256 }).collect(),
        }
    };
    Reply::TrustPlaces(TrustPlaces {
        ca_name: wanted.root.as_ref().map(|root| root.name.clone()),
        places: findings.into_iter().map(place).collect(),
    })
}

fn kind(kind: Kind) -> TrustKind {
    match kind {
        Kind::LoginKeychain => TrustKind::LoginKeychain,
        Kind::SystemStore => TrustKind::SystemStore,
        Kind::Chromium => TrustKind::Chromium,
        Kind::Firefox => TrustKind::Firefox,
    }
}

/// Why, and what a person can do.
fn explained(error: &TrustError) -> (Text, Option<Fix>) {
    let fix = |text: Text, command: Option<String>| Some(Fix { text, command });
    match error {
        TrustError::NoSession => {
            (say!("core.trust.no-session"), fix(say!("core.trust.no-session-fix"), None))
        }
        TrustError::NeedsRoot { command } => {
            (say!("core.trust.needs-root"), fix(say!("core.trust.needs-root-fix"), Some(command.clone())))
        }
        TrustError::NoTool { program, package } => (
            say!("core.trust.no-tool", program = program),
            fix(
                say!("core.trust.no-tool-fix", package = package),
                Some(format!("sudo apt install {package}")),
            ),
        ),
        TrustError::Cancelled { .. } => (say!("core.trust.cancelled"), None),
        TrustError::Protected { .. } => {
            (say!("core.trust.protected"), fix(say!("core.trust.protected-fix"), None))
        }
        TrustError::NotEffective => (say!("core.trust.not-effective"), None),
        other => (errors::capital(&other.to_string()).into(), None),
    }
}

/// The fingerprints of the local certificate and its authority.
pub(super) fn fingerprints(certificates: &Certificates) -> Result<Reply, ErrorEnvelope> {
    let Some(leaf) = certificates.current() else { return Err(no_certificate()) };
    let of = |name: &str, sha256: &str, public_key: &str| Fingerprint {
        name: name.to_owned(),
        sha256: sha256.to_owned(),
        words: words(sha256).into_iter().map(str::to_owned).collect(),
        public_key: public_key.to_owned(),
    };
    let authority = certificates.authority().filter(|facts| leaf.ca_sha256.as_ref() == Some(&facts.sha256));
    let authority =
        authority.map(|facts| of(&facts.name, &facts.sha256, &gatehouse_certs::public_key(&facts.der)));
    let certificate = of(&leaf.issuer, &leaf.sha256, &leaf.public_key);
    Ok(Reply::Fingerprints(Box::new(Fingerprints { certificate, authority })))
}

/// Makes a new local certificate for the names of the one that is served.
pub(super) async fn renew(desk: &Desk, reuse_key: bool) -> Result<Reply, ErrorEnvelope> {
    let Some(leaf) = desk.context.certificates.current() else { return Err(no_certificate()) };
    let (certificates, now) = (Arc::clone(&desk.context.certificates), desk.context.clock.now());
    let renewed = blocking(move || {
        certificates.renew(&leaf.names, reuse_key, now).map_err(|error| error.explain())?;
        Ok(certificate::summary(&certificates))
    });
    let renewed = renewed.await?;
    // Every address is tried anew.
    desk.tell(Fact::ChangeEnded(Ended::OtherAddress)).await;
    Ok(Reply::Cert(renewed))
}

/// What apps remember.
pub(super) fn pins(context: &Context) -> Reply {
    let pins = context.pins.list(&context.certificates);
    let steps = steps(&pins);
    Reply::Pins(Pins { renewal: renewal(&context.certificates), pins, steps })
}

/// From when on the local certificate is replaced by itself.
pub(crate) fn renewal(certificates: &Certificates) -> Option<time::OffsetDateTime> {
    let leaf = certificates.current()?;
    Some(Validity { not_before: leaf.not_before, not_after: leaf.not_after }.backstop())
}

/// What the apps will show, and what their users do about it.
fn steps(pins: &[Pin]) -> Vec<Text> {
    let has = |part: &str| pins.iter().any(|pin| pin.client.contains(part));
    let mut steps = Vec::new();
    if pins.is_empty() {
        return steps;
    }
    steps.push(say!("core.pins.what"));
    if has("ios") || has("watchos") || has("macos") {
        steps.push(say!("core.pins.apple"));
    }
    if has("android") {
        steps.push(say!("core.pins.android"));
    }
    steps.push(say!("core.pins.key"));
    steps
}

fn no_certificate() -> ErrorEnvelope {
    ErrorEnvelope::new(Code::NotFound, say!("core.certificate.none"), say!("core.ca.none-because"))
        .fix_with(say!("core.open-an-address"), "gatehouse open --to lan")
}
