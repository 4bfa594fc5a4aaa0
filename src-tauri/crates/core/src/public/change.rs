//! What a setup makes of the settings: pure.

use std::net::SocketAddr;

use gatehouse_api::{AcmeSetup, Code, DnsSetup, ErrorEnvelope, ProofWay, Text, say};
use gatehouse_certs::acme::{Identifier, KNOWN, directory_of};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;

use crate::settings::{AcmeSettings, AuthoritySettings};

/// The authority that is asked where the user names none.
const USUAL: &str = KNOWN[0].id;

/// What cannot be meant.
pub(super) fn check(setup: &AcmeSetup) -> Result<(), ErrorEnvelope> {
    let usage = |because: Text| Err(ErrorEnvelope::new(Code::Usage, say!("core.acme.setup-wrong"), because));
    if let Some(authority) = &setup.authority
        && let Err(why) = directory_of(authority)
    {
        return usage(crate::errors::capital(&why).into());
    }
    if let Some(roots) = &setup.roots
        && !CertificateDer::pem_slice_iter(roots.as_bytes()).any(|one| one.is_ok())
    {
        return usage(say!("core.acme.no-roots"));
    }
    if let Some(email) = &setup.email
        && !email.is_empty()
        && (!email.contains('@') || email.chars().any(|c| c.is_whitespace() || c.is_control()))
    {
        return usage(say!("core.acme.no-email", email = email));
    }
    if setup.external_key.is_some() != setup.external_key_id.is_some() {
        return usage(say!("core.acme.half-key"));
    }
    match &setup.dns {
        Some(DnsSetup::Hook { program, .. }) if !program.starts_with('/') => {
            usage(say!("core.acme.whole-path", program = program))
        }
        Some(DnsSetup::Rfc2136 { server, .. }) if server.parse::<SocketAddr>().is_err() => {
            usage(say!("core.acme.no-server", server = server))
        }
        Some(DnsSetup::Cloudflare | DnsSetup::Rfc2136 { .. }) if setup.dns_secret.is_none() => {
            usage(say!("core.acme.no-dns-secret"))
        }
        Some(_) | None => Ok(()),
    }
}

/// The settings after a setup. `names` are those of it.
///
/// # Errors
/// `usage` where the authority is none.
pub(crate) fn changed(
    before: Option<&AcmeSettings>,
    setup: &AcmeSetup,
    names: &[Identifier],
) -> Result<AcmeSettings, ErrorEnvelope> {
    let mut next = before.cloned().unwrap_or_default();
    let first = setup.authority.clone().or_else(|| next.authorities.is_empty().then(|| USUAL.to_owned()));
    if let Some(first) = first {
        let directory = directory_of(&first).map_err(|why| {
            ErrorEnvelope::new(Code::Usage, say!("core.acme.setup-wrong"), crate::errors::capital(&why))
        })?;
        let known = next.authorities.iter().position(|one| one.directory == directory);
        let authority =
            known.map_or_else(|| AuthoritySettings::new(directory), |at| next.authorities.remove(at));
        if setup.only_authority {
            next.authorities.clear();
        }
        next.authorities.insert(0, authority);
    }
    if let Some(authority) = next.authorities.first_mut() {
        authority.agreed |= setup.agree_terms;
        if let Some(roots) = &setup.roots {
            authority.roots = Some(roots.clone());
        }
        if let Some(key_id) = &setup.external_key_id {
            authority.external_key_id = Some(key_id.clone());
        }
    }
    if let Some(email) = &setup.email {
        next.email.clone_from(email);
    }
    if !setup.ways.is_empty() {
        next.ways.clone_from(&setup.ways);
    }
    if let Some(dns) = &setup.dns {
        next.dns = Some(dns.clone());
        if !next.ways.is_empty() && !next.ways.contains(&ProofWay::Dns) {
            next.ways.push(ProofWay::Dns);
        }
    }
    next.reuse_key = setup.reuse_key.unwrap_or(next.reuse_key);
    let texts: Vec<String> = names.iter().map(ToString::to_string).collect();
    if !texts.is_empty() && !next.certificates.contains(&texts) {
        next.certificates.push(texts);
    }
    Ok(next)
}

/// The settings without one certificate; `None` = no certificate has exactly these names.
pub(crate) fn without(before: &AcmeSettings, names: &[Identifier]) -> Option<AcmeSettings> {
    let texts: Vec<String> = names.iter().map(ToString::to_string).collect();
    let mut next = before.clone();
    next.certificates.retain(|list| {
        let mut list = list.clone();
        list.sort();
        let mut texts = texts.clone();
        texts.sort();
        list != texts
    });
    (next.certificates.len() != before.certificates.len()).then_some(next)
}

/// What differs, a line each. Nothing of it is secret.
pub(crate) fn differences(before: Option<&AcmeSettings>, after: Option<&AcmeSettings>) -> Vec<Text> {
    let none = AcmeSettings::default();
    let (before, after) = (before.unwrap_or(&none), after.unwrap_or(&none));
    let ask = |acme: &AcmeSettings| {
        acme.authorities.iter().map(|one| super::authority(&one.directory)).collect::<Vec<_>>().join(", ")
    };
    let ways = |acme: &AcmeSettings| acme.ways.iter().map(|way| word(*way)).collect::<Vec<_>>().join(", ");
    let dns = |acme: &AcmeSettings| acme.dns.as_ref().map(provider).unwrap_or_default().to_owned();
    let mut lines = Vec::new();
    let mut line = |key: Text, was: String, is: String| {
        if was != is {
            let shown = |text: String| if text.is_empty() { "–".to_owned() } else { text };
            lines.push(say!("core.acme.differs", what = key, was = shown(was), is = shown(is)));
        }
    };
    line(say!("core.acme.authorities"), ask(before), ask(after));
    line(say!("core.acme.email"), before.email.clone(), after.email.clone());
    line(say!("core.acme.ways"), ways(before), ways(after));
    line(say!("core.acme.dns"), dns(before), dns(after));
    if before.reuse_key != after.reuse_key {
        lines.push(match after.reuse_key {
            true => say!("core.acme.keeps-key"),
            false => say!("core.acme.new-key"),
        });
    }
    for added in after.certificates.iter().filter(|list| !before.certificates.contains(list)) {
        lines.push(say!("core.acme.wants", names = added.join(", ")));
    }
    for gone in before.certificates.iter().filter(|list| !after.certificates.contains(list)) {
        lines.push(say!("core.acme.wants-not", names = gone.join(", ")));
    }
    lines
}

fn word(way: ProofWay) -> &'static str {
    match way {
        ProofWay::TlsAlpn => "tls-alpn-01",
        ProofWay::Http => "http-01",
        ProofWay::Dns => "dns-01",
    }
}

fn provider(setup: &DnsSetup) -> &'static str {
    match setup {
        DnsSetup::Cloudflare => "Cloudflare",
        DnsSetup::Rfc2136 { .. } => "RFC 2136",
        DnsSetup::Hook { .. } => "hook",
    }
}
