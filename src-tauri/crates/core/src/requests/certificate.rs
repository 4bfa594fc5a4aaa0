//! The certificate that is served and the authority behind it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use gatehouse_api::{CaExport, CaFormat, CertSummary, Code, ErrorEnvelope, Reply, say};
use gatehouse_certs::{AuthorityFacts, Certificates, LeafFacts};

/// The leaf that is served, in the words of the api.
pub(crate) fn summary(certificates: &Certificates) -> Option<CertSummary> {
    certificates.current().map(|facts| of(&facts))
}

/// The authority, for a file.
pub(super) fn export(certificates: &Certificates, format: CaFormat) -> Result<Reply, ErrorEnvelope> {
    Ok(Reply::Ca(exported(authority(certificates)?, format)))
}

/// The authority, where there is one.
pub(super) fn authority(certificates: &Certificates) -> Result<AuthorityFacts, ErrorEnvelope> {
    certificates.authority().ok_or_else(|| {
        ErrorEnvelope::new(Code::NotFound, say!("core.ca.none"), say!("core.ca.none-because"))
            .fix_with(say!("core.open-an-address"), "gatehouse open --to lan")
    })
}

fn exported(authority: AuthorityFacts, format: CaFormat) -> CaExport {
    let content = match format {
        CaFormat::Pem => authority.pem,
        CaFormat::Der => STANDARD.encode(&authority.der),
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
