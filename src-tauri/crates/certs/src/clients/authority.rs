//! The authority that issues certificates to clients, and the book of what it issued.
//!
//! ```text
//! authority.pem    its certificate (its key is in the vault)
//! issued.json      whom it gave certificates to, and from whom it took them back
//! ```

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arc_swap::ArcSwap;
use gatehouse_files::{PRIVATE, PUBLIC, create_private_folder, read_bounded, write_atomic};
use p12_keystore::{
    Certificate, EncryptionAlgorithm, KeyStore, KeyStoreEntry, MacAlgorithm, PrivateKey, PrivateKeyChain,
};
use rcgen::{
    CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PKCS_ECDSA_P256_SHA256,
};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime};
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer;

use crate::authority::{BACK_DATED, authority_params};
use crate::facts::{common_name, pem_of, random_serial};
use crate::{CertError, Vault, VaultError, fingerprint};

/// Name under which the key of this authority is kept in the [`Vault`].
pub const CLIENT_AUTHORITY_KEY: &str = "client-ca-key";

/// X.520 allows 64 characters.
const LABEL_CHARACTERS: usize = 64;
const HOST_CHARACTERS: usize = 30;
const LARGEST_FILE: u64 = 4 * 1024 * 1024;
/// Rounds of the key derivation that protects a PKCS#12 file: what OpenSSL and Windows take without complaint.
const ROUNDS: u32 = 100_000;

/// A certificate that was issued to a client.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientFacts {
    /// Its serial number: lower-case hex.
    pub serial: String,
    /// What the user calls the client.
    pub label: String,
    /// SHA-256 over its DER: upper-case hex with colons.
    pub sha256: String,
    /// When it was issued.
    #[serde(with = "time::serde::rfc3339")]
    pub issued_at: OffsetDateTime,
    /// Last moment of validity.
    #[serde(with = "time::serde::rfc3339")]
    pub not_after: OffsetDateTime,
    /// When it was taken back.
    #[serde(default, with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<OffsetDateTime>,
}

/// A new certificate with its key, which is nowhere else.
pub struct IssuedClient {
    /// What it says.
    pub facts: ClientFacts,
    certificate: CertificateDer<'static>,
    key: KeyPair,
}

impl IssuedClient {
    /// Key and certificate, as curl and programs take them.
    pub fn pem(&self) -> SecretString {
        SecretString::from(format!("{}{}", self.key.serialize_pem(), pem_of([&self.certificate])))
    }

    /// One file under a password, as browsers and phones take it. `old` = with 3DES and SHA-1, the only ones that systems
    /// from before 2022 read (macOS up to 14, iOS up to 17, Windows up to 10 1703).
    ///
    /// # Errors
    /// [`CertError::Crypto`].
    pub fn pkcs12(&self, password: &SecretString, old: bool) -> Result<Vec<u8>, CertError> {
        let failed = || CertError::crypto::<p12_keystore::error::Error>("making a PKCS#12 file");
        let key = PrivateKey::from_der(&self.key.serialize_der()).map_err(failed())?;
        let certificate = Certificate::from_der(&self.certificate).map_err(failed())?;
        let mut store = KeyStore::new();
        let id = self.facts.serial.as_bytes();
        let chain = PrivateKeyChain::new(id, key, [certificate]);
        // The name is written in 16 bits.
        let name: String = self.facts.label.chars().filter(|c| u32::from(*c) <= 0xffff).collect();
        store.add_entry(&name, KeyStoreEntry::PrivateKeyChain(chain));
        let writer = store.writer(password.expose_secret());
        let writer = match old {
            true => writer
                .encryption_algorithm(EncryptionAlgorithm::PbeWithShaAnd3KeyTripleDesCbc)
                .mac_algorithm(MacAlgorithm::HmacSha1),
            false => writer,
        };
        writer.encryption_iterations(ROUNDS).mac_iterations(ROUNDS).write().map_err(failed())
    }
}

/// See the module. Only [`Self::issue`] asks the vault; nothing else waits for it.
pub struct ClientAuthority {
    folder: PathBuf,
    vault: Arc<dyn Vault>,
    state: ArcSwap<State>,
    /// Held while somebody issues: whoever makes the authority is alone.
    issuing: Mutex<()>,
    /// Held while the book is written, and never while the vault is asked.
    writing: Mutex<()>,
}

#[derive(Clone, Default)]
struct State {
    certificate: Option<CertificateDer<'static>>,
    issued: Vec<ClientFacts>,
    /// Why what lies there cannot be used.
    damage: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct Book {
    schema: u32,
    issued: Vec<ClientFacts>,
}

impl ClientAuthority {
    /// Loads what `folder` holds; the vault is not asked. What cannot be understood lets nobody in ([`Self::damage`]): whom
    /// it revoked would be forgotten.
    ///
    /// # Errors
    /// [`CertError::Io`].
    pub fn open(folder: &Path, vault: Arc<dyn Vault>) -> Result<Self, CertError> {
        let read = |name: &str| {
            let path = folder.join(name);
            read_bounded(&path, LARGEST_FILE).map_err(CertError::io(&path))
        };
        let mut state = State::default();
        let broken = |name: &str, detail: String| format!("{}: {detail}", folder.join(name).display());
        match read("authority.pem")?.map(|pem| CertificateDer::from_pem_slice(&pem)) {
            Some(Ok(certificate)) => state.certificate = Some(certificate),
            Some(Err(error)) => state.damage = Some(broken("authority.pem", error.to_string())),
            None => {}
        }
        match read("issued.json")?.map(|text| serde_json::from_slice::<Book>(&text)) {
            Some(Ok(book)) => state.issued = book.issued,
            Some(Err(error)) => state.damage = Some(broken("issued.json", error.to_string())),
            None if state.certificate.is_some() => {
                state.damage = Some(broken("issued.json", "it is missing".to_owned()));
            }
            None => {}
        }
        let state = ArcSwap::from_pointee(state);
        let (issuing, writing) = Default::default();
        Ok(Self { folder: folder.to_path_buf(), vault, state, issuing, writing })
    }

    /// Its certificate, where there is one that can be used.
    pub fn certificate(&self) -> Option<CertificateDer<'static>> {
        let state = self.state.load();
        state.certificate.clone().filter(|_| state.damage.is_none())
    }

    /// Why what lies on the disk cannot be used.
    pub fn damage(&self) -> Option<String> {
        self.state.load().damage.clone()
    }

    /// What it issued, oldest first.
    pub fn issued(&self) -> Vec<ClientFacts> {
        self.state.load().issued.clone()
    }

    /// Issues a certificate for `label`; makes the authority where there is none. Blocks on the disk and the vault.
    ///
    /// # Errors
    /// [`CertError`]; nobody got a certificate then.
    pub fn issue(
        &self,
        label: &str,
        host: &str,
        life: Duration,
        now: OffsetDateTime,
    ) -> Result<IssuedClient, CertError> {
        let failed = || CertError::crypto::<rcgen::Error>("signing a client's certificate");
        let _issuing = held(&self.issuing);
        undamaged(&self.state.load())?;
        let issuer = self.issuer(host, now)?;
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(failed())?;
        let serial = random_serial()?;
        let mut params = CertificateParams::default();
        params.not_before = now - BACK_DATED;
        params.not_after = now + life;
        params.serial_number = Some(serial);
        params.distinguished_name = DistinguishedName::new();
        let name: String = label.chars().take(LABEL_CHARACTERS).collect();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        params.use_authority_key_identifier_extension = true;
        let certificate = params.signed_by(&key, &issuer).map_err(failed())?.der().clone();
        let unreadable = || CertError::Crypto {
            what: "signing a client's certificate",
            detail: "it cannot be read back".to_owned(),
        };
        let facts = ClientFacts {
            serial: serial_of(&certificate).ok_or_else(unreadable)?,
            label: label.to_owned(),
            sha256: fingerprint(&certificate),
            issued_at: now,
            not_after: params.not_after,
            revoked_at: None,
        };
        // Somebody may have taken certificates back while the vault was asked.
        let _writing = held(&self.writing);
        let mut state = State::clone(&self.state.load());
        state.issued.push(facts.clone());
        self.save(&state.issued)?;
        self.state.store(Arc::new(state));
        Ok(IssuedClient { facts, certificate, key })
    }

    /// Takes certificates back, or (for an undo) gives them again. Says which changed.
    ///
    /// # Errors
    /// [`CertError::Io`]; nothing changed then.
    pub fn set_revoked(
        &self,
        serials: &[String],
        revoked_at: Option<OffsetDateTime>,
    ) -> Result<Vec<ClientFacts>, CertError> {
        let _writing = held(&self.writing);
        let mut state = State::clone(&self.state.load());
        undamaged(&state)?;
        let mut changed = Vec::new();
        for facts in &mut state.issued {
            if serials.contains(&facts.serial) && facts.revoked_at.is_some() != revoked_at.is_some() {
                facts.revoked_at = revoked_at;
                changed.push(facts.clone());
            }
        }
        if !changed.is_empty() {
            self.save(&state.issued)?;
            self.state.store(Arc::new(state));
        }
        Ok(changed)
    }

    fn issuer(&self, host: &str, now: OffsetDateTime) -> Result<Issuer<'static, KeyPair>, CertError> {
        const WHAT: &str = "loading the authority for clients";
        let state = self.state.load_full();
        let Some(certificate) = &state.certificate else { return self.create(host, now) };
        let key = match self.vault.get(CLIENT_AUTHORITY_KEY) {
            Ok(Some(key)) => key,
            Ok(None) | Err(VaultError::Missing(_)) => return Err(CertError::ClientAuthorityKeyMissing),
            Err(error) => return Err(error.into()),
        };
        let key = KeyPair::from_pem(key.expose_secret()).map_err(|_| CertError::ClientAuthorityKeyMissing)?;
        let (_, parsed) = X509Certificate::from_der(certificate).map_err(CertError::crypto(WHAT))?;
        if parsed.public_key().subject_public_key.data.as_ref() != key.public_key_raw() {
            return Err(CertError::ClientAuthorityKeyMissing);
        }
        Issuer::from_ca_cert_der(certificate, key).map_err(CertError::crypto(WHAT))
    }

    /// The key is in the vault, and read back, before anything points to it.
    fn create(&self, host: &str, now: OffsetDateTime) -> Result<Issuer<'static, KeyPair>, CertError> {
        let failed = || CertError::crypto::<rcgen::Error>("making the authority for clients");
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(failed())?;
        let host: String = host.chars().take(HOST_CHARACTERS).collect();
        let mut params = authority_params(&format!("Gatehouse clients on {host}, "), now)?;
        // Wherever somebody installs it, it vouches for no server.
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        let certificate = params.self_signed(&key).map_err(failed())?.der().clone();
        let secret = SecretString::from(key.serialize_pem());
        self.vault.put(CLIENT_AUTHORITY_KEY, &secret)?;
        let kept = self.vault.get(CLIENT_AUTHORITY_KEY)?.ok_or(CertError::ClientAuthorityKeyMissing)?;
        if kept.expose_secret() != secret.expose_secret() {
            return Err(CertError::ClientAuthorityKeyMissing);
        }
        let _writing = held(&self.writing);
        let state = self.state.load();
        // A certificate without its book would be taken for a damaged one.
        self.save(&state.issued)?;
        let path = self.folder.join("authority.pem");
        write_atomic(&path, pem_of([&certificate]).as_bytes(), PUBLIC).map_err(CertError::io(&path))?;
        self.state.store(Arc::new(State { certificate: Some(certificate), ..State::clone(&state) }));
        Ok(Issuer::new(params, key))
    }

    fn save(&self, issued: &[ClientFacts]) -> Result<(), CertError> {
        create_private_folder(&self.folder).map_err(CertError::io(&self.folder))?;
        let path = self.folder.join("issued.json");
        let book = Book { schema: 1, issued: issued.to_vec() };
        let text =
            serde_json::to_vec_pretty(&book).map_err(CertError::crypto("writing the book of clients"))?;
        write_atomic(&path, &text, PRIVATE).map_err(CertError::io(&path))
    }
}

fn held(lock: &Mutex<()>) -> MutexGuard<'_, ()> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

impl std::fmt::Debug for ClientAuthority {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("ClientAuthority").field("folder", &self.folder).finish_non_exhaustive()
    }
}

fn undamaged(state: &State) -> Result<(), CertError> {
    match &state.damage {
        Some(detail) => {
            Err(CertError::Crypto { what: "reading the authority for clients", detail: detail.clone() })
        }
        None => Ok(()),
    }
}

/// The serial number of a certificate: lower-case hex.
pub(super) fn serial_of(certificate: &CertificateDer<'_>) -> Option<String> {
    let (_, parsed) = X509Certificate::from_der(certificate).ok()?;
    Some(parsed.raw_serial().iter().map(|byte| format!("{byte:02x}")).collect())
}

/// What a client is called by its certificate, for a log: its common name (or whole subject) and the beginning of its
/// fingerprint.
pub fn called(certificate: &CertificateDer<'_>) -> String {
    let short: String = fingerprint(certificate).chars().filter(|c| *c != ':').take(16).collect();
    let subject =
        X509Certificate::from_der(certificate).map(|(_, parsed)| match common_name(parsed.subject()) {
            name if name.is_empty() => parsed.subject().to_string(),
            name => name,
        });
    format!("{} sha256:{}", subject.unwrap_or_default(), short.to_ascii_lowercase())
}
