//! Certificates as users bring them.

use std::process::Command;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use rustls_pki_types::CertificateDer;
use time::{Duration, OffsetDateTime};

use crate::testkit::now;

/// A root, an authority between, and what that one signs.
pub(super) struct Maker {
    pub(super) root: CertificateDer<'static>,
    pub(super) between: CertificateDer<'static>,
    issuer: Issuer<'static, KeyPair>,
}

/// A certificate and its key as PEM.
pub(super) struct Made {
    pub(super) certificate: CertificateDer<'static>,
    pub(super) key: String,
}

impl Maker {
    pub(super) fn new() -> Self {
        Self::ending(now() + Duration::days(1000))
    }

    /// The authority between ends then.
    pub(super) fn ending(end: OffsetDateTime) -> Self {
        let (params, key) = authority("root");
        let root = params.self_signed(&key).unwrap().der().clone();
        let top = Issuer::new(params, key);
        let (mut params, key) = authority("between");
        params.not_after = end;
        params.use_authority_key_identifier_extension = true;
        let between = params.signed_by(&key, &top).unwrap().der().clone();
        Self { root, between, issuer: Issuer::new(params, key) }
    }

    pub(super) fn leaf(&self, change: impl FnOnce(&mut CertificateParams)) -> Made {
        let names = ["home.example", "*.below.example", "192.0.2.7"].map(str::to_owned);
        let mut params = CertificateParams::new(names).unwrap();
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, "leaf");
        params.not_before = now() - Duration::days(1);
        params.not_after = now() + Duration::days(89);
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        change(&mut params);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap().der().clone();
        Made { certificate, key: key.serialize_pem() }
    }

    /// The leaf's chain as one PEM text.
    pub(super) fn chain(&self, made: &Made) -> String {
        format!("{}{}", pem(&made.certificate), pem(&self.between))
    }
}

fn authority(name: &str) -> (CertificateParams, KeyPair) {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    params.not_before = now() - Duration::days(10);
    params.not_after = now() + Duration::days(1000);
    (params, KeyPair::generate().unwrap())
}

pub(super) fn pem(certificate: &CertificateDer<'_>) -> String {
    crate::facts::pem_of([certificate])
}

pub(super) fn openssl(arguments: &[&str]) {
    let done = Command::new("openssl").args(arguments).output().expect("openssl is installed");
    assert!(done.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
}
