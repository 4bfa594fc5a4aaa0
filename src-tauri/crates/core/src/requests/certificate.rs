//! The certificate that is served and the authority behind it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use gatehouse_api::words::Language;
use gatehouse_api::{
    CaExport, CaFormat, CertSummary, Certificate, CertificateKind, CertificateState, Code, ErrorEnvelope,
    Reply, say,
};
use gatehouse_certs::renewal::schedule::Validity;
use gatehouse_certs::{AuthorityFacts, Certificates, LeafFacts};
use time::OffsetDateTime;

use super::Desk;
use crate::context::Served;
use crate::public;

/// The leaf that is served, in the words of the api.
pub(crate) fn summary(certificates: &Certificates) -> Option<CertSummary> {
    certificates.current().map(|facts| of(&facts))
}

/// All certificates: the local authority's, then those of public authorities.
pub(crate) fn all(desk: &Desk) -> Vec<Certificate> {
    let now = desk.context.clock.now();
    let local = desk.context.certificates.current().map(|facts| local(&facts, now));
    local
        .into_iter()
        .chain(desk.context.public.certificates(now))
        .chain(super::imports::all(desk, now))
        .collect()
}

/// The certificate of the best address.
pub(crate) fn best(desk: &Desk, served: Option<&Served>, all: &[Certificate]) -> Option<CertSummary> {
    let first = served.and_then(|served| served.plan.addresses.first()).filter(|first| first.is_public());
    let public = first.and_then(|first| {
        let held =
            |one: &&Certificate| one.kind != CertificateKind::Local && public::names_hold(one, &first.host);
        all.iter().filter(held).find_map(of_certificate)
    });
    public.or_else(|| summary(&desk.context.certificates))
}

fn of_certificate(one: &Certificate) -> Option<CertSummary> {
    Some(CertSummary {
        issuer: one.issuer.clone()?,
        not_before: one.not_before?,
        not_after: one.not_after?,
        names: one.names.clone(),
        sha256: one.sha256.clone()?,
        ca_sha256: None,
    })
}

/// The local authority's leaf; it is renewed by itself, long before its end.
fn local(facts: &LeafFacts, now: OffsetDateTime) -> Certificate {
    let validity = Validity { not_before: facts.not_before, not_after: facts.not_after };
    let state = public::state(Some(validity), now);
    let CertSummary { issuer, names, sha256, .. } = of(facts);
    Certificate {
        id: "local".to_owned(),
        kind: CertificateKind::Local,
        state,
        names,
        issuer: Some(issuer),
        not_before: Some(facts.not_before),
        not_after: Some(facts.not_after),
        life_left: Some(public::life_left(validity, now)),
        sha256: Some(sha256),
        authority: None,
        stage: None,
        window: None,
        source: None,
        key_type: None,
        trusted: None,
        next_attempt: (state == CertificateState::Valid).then(|| validity.backstop()),
        problem: None,
    }
}

/// The authority, for a file.
pub(super) fn export(
    certificates: &Certificates,
    format: CaFormat,
    language: Option<&str>,
) -> Result<Reply, ErrorEnvelope> {
    let language = Language::of_locale(language.unwrap_or_default());
    Ok(Reply::Ca(exported(authority(certificates)?, format, language)))
}

/// The authority, where there is one.
pub(super) fn authority(certificates: &Certificates) -> Result<AuthorityFacts, ErrorEnvelope> {
    certificates.authority().ok_or_else(|| {
        ErrorEnvelope::new(Code::NotFound, say!("core.ca.none"), say!("core.ca.none-because"))
            .fix_with(say!("core.open-an-address"), "gatehouse open --to lan")
    })
}

fn exported(authority: AuthorityFacts, format: CaFormat, language: Language) -> CaExport {
    let content = match format {
        CaFormat::Pem => authority.pem,
        CaFormat::Der => STANDARD.encode(&authority.der),
        CaFormat::Mobileconfig => {
            authority.apple_profile(&say!("core.profile.description").in_language(language))
        }
    };
    CaExport {
        content,
        format,
        name: authority.name,
        sha256: authority.sha256,
        not_after: authority.not_after,
    }
}

fn of(facts: &LeafFacts) -> CertSummary {
    let dns = facts.names.dns.iter().cloned();
    let ips = facts.names.ips.iter().map(ToString::to_string);
    CertSummary {
        issuer: facts.issuer.clone(),
        not_before: facts.not_before,
        not_after: facts.not_after,
        names: dns.chain(ips).collect(),
        sha256: facts.sha256.clone(),
        ca_sha256: facts.ca_sha256.clone(),
    }
}
