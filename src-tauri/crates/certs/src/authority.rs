//! The local certificate authority: made once for ten years, name-constrained, P-256, no intermediates.

use ipnet::IpNet;
use rcgen::{
    BasicConstraints, CertificateParams, CidrSubnet, DistinguishedName, DnType, GeneralSubtree, IsCa, Issuer,
    KeyPair, KeyUsagePurpose, NameConstraints, PKCS_ECDSA_P256_SHA256,
};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use secrecy::{ExposeSecret, SecretString};
use time::{Duration, OffsetDateTime};
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::{GeneralName, ParsedExtension};
use x509_parser::prelude::FromDer;

use crate::facts::{common_name, pem_of, random_serial};
use crate::{AuthorityFacts, CertError, Permitted, fingerprint};

/// Devices' clocks may be behind ours by this much.
pub(crate) const BACK_DATED: Duration = Duration::hours(24);
const LIFE: Duration = Duration::days(3650);
/// X.520 allows 64 characters in a common name; the rest of ours takes 26.
const HOST_CHARACTERS: usize = 38;

/// The authority's certificate and what it says.
#[derive(Debug, Clone)]
pub(crate) struct Authority {
    pub(crate) facts: AuthorityFacts,
    pub(crate) permitted: Permitted,
    public_key: Vec<u8>,
}

/// How the names of all authorities of a machine begin; the day on which one was made follows.
pub fn name_prefix(host: &str) -> String {
    let host: String = host.chars().take(HOST_CHARACTERS).collect();
    format!("Gatehouse on {host}, ")
}

/// What the certificates of all our authorities have in common: a name that ends with the day, ten years, and that they sign
/// leaves and lists of revoked ones, no further authority.
pub(crate) fn authority_params(prefix: &str, now: OffsetDateTime) -> Result<CertificateParams, CertError> {
    let mut params = CertificateParams::default();
    params.not_before = now - BACK_DATED;
    params.not_after = params.not_before + LIFE;
    params.serial_number = Some(random_serial()?);
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, format!("{prefix}{}", now.date()));
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    Ok(params)
}

impl Authority {
    /// Makes a new authority. Its key is only in the answer.
    pub(crate) fn create(
        host: &str,
        permitted: &Permitted,
        now: OffsetDateTime,
    ) -> Result<(Self, SecretString), CertError> {
        let failed = || CertError::crypto::<rcgen::Error>("making the local certificate authority");
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(failed())?;
        let mut params = authority_params(&name_prefix(host), now)?;
        params.name_constraints =
            Some(NameConstraints { permitted_subtrees: subtrees(permitted), excluded_subtrees: Vec::new() });
        let certificate = params.self_signed(&key).map_err(failed())?;
        let authority = Self::from_der(certificate.der())
            .map_err(|detail| CertError::Crypto { what: "making the local certificate authority", detail })?;
        Ok((authority, SecretString::from(key.serialize_pem())))
    }

    /// Reads an authority that [`Self::create`] made; the error says what is wrong with it.
    pub(crate) fn from_pem(pem: &[u8]) -> Result<Self, String> {
        let der = CertificateDer::from_pem_slice(pem).map_err(|error| format!("no certificate ({error})"))?;
        Self::from_der(&der)
    }

    /// See [`Self::from_pem`].
    pub(crate) fn from_der(der: &CertificateDer<'_>) -> Result<Self, String> {
        let certificate = match X509Certificate::from_der(der) {
            Ok(([], certificate)) => certificate,
            Ok(_) => return Err("bytes follow the certificate".to_owned()),
            Err(error) => return Err(format!("no certificate ({error})")),
        };
        if !certificate.is_ca() {
            return Err("the certificate is not that of an authority".to_owned());
        }
        let permitted = permitted(&certificate).ok_or("the authority is not limited to private names")?;
        let not_before = certificate.validity().not_before.to_datetime();
        let facts = AuthorityFacts {
            name: common_name(certificate.subject()),
            created: not_before + BACK_DATED,
            not_after: certificate.validity().not_after.to_datetime(),
            sha256: fingerprint(der),
            pem: pem_of([der]),
            der: der.to_vec(),
        };
        Ok(Self { facts, permitted, public_key: certificate.public_key().subject_public_key.data.to_vec() })
    }

    /// The authority with its key, ready to sign.
    pub(crate) fn unlock(&self, key: &SecretString) -> Result<Issuer<'static, KeyPair>, CertError> {
        let key = KeyPair::from_pem(key.expose_secret()).map_err(|_| CertError::AuthorityKeyMismatch)?;
        if key.public_key_raw() != self.public_key {
            return Err(CertError::AuthorityKeyMismatch);
        }
        Issuer::from_ca_cert_der(&self.der(), key)
            .map_err(CertError::crypto("loading the local certificate authority"))
    }

    pub(crate) fn der(&self) -> CertificateDer<'static> {
        CertificateDer::from(self.facts.der.clone())
    }
}

fn subtrees(permitted: &Permitted) -> Vec<GeneralSubtree> {
    let names = permitted.dns().iter().map(|name| GeneralSubtree::DnsName(name.clone()));
    let networks = permitted.networks().iter().map(|network| {
        GeneralSubtree::IpAddress(CidrSubnet::from_addr_prefix(network.addr(), network.prefix_len()))
    });
    names.chain(networks).collect()
}

fn permitted(certificate: &X509Certificate<'_>) -> Option<Permitted> {
    let constraints =
        certificate.extensions().iter().find_map(|extension| match extension.parsed_extension() {
            ParsedExtension::NameConstraints(constraints) => constraints.permitted_subtrees.as_ref(),
            _ => None,
        })?;
    let mut dns = Vec::new();
    let mut networks = Vec::new();
    for subtree in constraints {
        match &subtree.base {
            GeneralName::DNSName(name) => dns.push((*name).to_owned()),
            GeneralName::IPAddress(bytes) => networks.push(network(bytes)?),
            _ => return None,
        }
    }
    (!dns.is_empty() && !networks.is_empty()).then(|| Permitted::new(dns, networks))
}

/// An address and its mask, as RFC 5280 §4.2.1.10 writes a network.
fn network(bytes: &[u8]) -> Option<IpNet> {
    if let Ok(v4) = <[u8; 8]>::try_from(bytes) {
        let [a, b, c, d, mask @ ..] = v4;
        return IpNet::with_netmask([a, b, c, d].into(), mask.into()).ok();
    }
    let v6 = <[u8; 32]>::try_from(bytes).ok()?;
    let (address, mask) = v6.split_at(16);
    let address = <[u8; 16]>::try_from(address).ok()?;
    let mask = <[u8; 16]>::try_from(mask).ok()?;
    IpNet::with_netmask(address.into(), mask.into()).ok()
}

#[cfg(test)]
mod tests;
