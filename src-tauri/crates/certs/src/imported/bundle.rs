//! What files hold: certificates and keys, in any order, from PEM, PKCS#12 or DER.

use p12_keystore::{Pkcs12Archive, error::Error as Pkcs12Error};
use rustls::crypto::aws_lc_rs::sign::any_supported_type;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use secrecy::{ExposeSecret, SecretString};

use super::ImportError;

/// The content of one file, and what to call it.
pub struct Material<'a> {
    /// For people: the path, or `standard input`.
    pub file: &'a str,
    /// Its bytes.
    pub bytes: &'a [u8],
}

/// Certificates and keys as they were found.
#[derive(Default)]
pub(super) struct Bundle {
    pub(super) certificates: Vec<CertificateDer<'static>>,
    pub(super) keys: Vec<PrivateKeyDer<'static>>,
}

impl Bundle {
    /// Reads files together; a PKCS#12 file is opened with `password`.
    pub(super) fn read(files: &[Material<'_>], password: Option<&SecretString>) -> Result<Self, ImportError> {
        let mut bundle = Self::default();
        for file in files {
            bundle.add(file, password)?;
        }
        let mut seen: Vec<CertificateDer<'static>> = Vec::new();
        bundle.certificates.retain(|one| {
            let new = !seen.contains(one);
            if new {
                seen.push(one.clone());
            }
            new
        });
        Ok(bundle)
    }

    fn add(&mut self, file: &Material<'_>, password: Option<&SecretString>) -> Result<(), ImportError> {
        if contains(file.bytes, b"-----BEGIN ") {
            return self.add_pem(file);
        }
        if file.bytes.first() != Some(&0x30) {
            return Err(ImportError::NotUnderstood { file: file.file.to_owned() });
        }
        if is_certificate(file.bytes) {
            self.certificates.push(CertificateDer::from(file.bytes.to_vec()));
            return Ok(());
        }
        // A PKCS#12 file begins like a key.
        if let Ok(key) = PrivateKeyDer::try_from(file.bytes)
            && any_supported_type(&key).is_ok()
        {
            self.keys.push(key.clone_key());
            return Ok(());
        }
        self.add_pkcs12(file, password)
    }

    fn add_pem(&mut self, file: &Material<'_>) -> Result<(), ImportError> {
        let damaged = |detail: String| ImportError::Damaged { file: file.file.to_owned(), detail };
        if contains(file.bytes, b"-----BEGIN ENCRYPTED PRIVATE KEY-----")
            || contains(file.bytes, b"Proc-Type: 4,ENCRYPTED")
        {
            return Err(ImportError::KeyEncrypted { file: file.file.to_owned() });
        }
        let before = (self.certificates.len(), self.keys.len());
        for certificate in CertificateDer::pem_slice_iter(file.bytes) {
            let certificate = certificate.map_err(|error| damaged(error.to_string()))?;
            if !is_certificate(&certificate) {
                return Err(damaged("a certificate in it cannot be read".to_owned()));
            }
            self.certificates.push(certificate);
        }
        for key in PrivateKeyDer::pem_slice_iter(file.bytes) {
            self.keys.push(key.map_err(|error| damaged(error.to_string()))?);
        }
        if before == (self.certificates.len(), self.keys.len()) {
            return Err(ImportError::NotUnderstood { file: file.file.to_owned() });
        }
        Ok(())
    }

    fn add_pkcs12(
        &mut self,
        file: &Material<'_>,
        password: Option<&SecretString>,
    ) -> Result<(), ImportError> {
        let name = || file.file.to_owned();
        let text = password.map_or("", |password| password.expose_secret());
        let archive = Pkcs12Archive::from_pkcs12(file.bytes, text).map_err(|error| match error {
            Pkcs12Error::MacError(_) | Pkcs12Error::UnpadError | Pkcs12Error::Pkcs5Error(_) => match password
            {
                Some(_) => ImportError::PasswordWrong { file: name() },
                None => ImportError::PasswordWanted { file: name() },
            },
            Pkcs12Error::DerError(_) => ImportError::NotUnderstood { file: name() },
            other => ImportError::Damaged { file: name(), detail: other.to_string() },
        })?;
        for key in archive.keys {
            let key = PrivateKeyDer::try_from(key.key.as_der().to_vec())
                .map_err(|detail| ImportError::KeyUnusable { detail: detail.to_owned() })?;
            self.keys.push(key);
        }
        let certificates = archive.certs.iter().map(|one| CertificateDer::from(one.cert.as_der().to_vec()));
        self.certificates.extend(certificates);
        Ok(())
    }
}

fn is_certificate(bytes: &[u8]) -> bool {
    x509_parser::parse_x509_certificate(bytes).is_ok_and(|(rest, _)| rest.is_empty())
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}
