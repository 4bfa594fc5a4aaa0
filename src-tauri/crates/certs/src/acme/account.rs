//! The account at an authority: its key, in a file that only its owner may read.
//!
//! Guarantees: the key is on disk before the authority hears of it, so that a crash between the two loses no account
//! (asking again with the same key finds it); an account for which the authority wants an external binding is saved as
//! soon as the authority answered; nothing is registered unless its owner agreed to the terms.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use gatehouse_files::{PRIVATE, create_private_folder, read_bounded, write_atomic};
use instant_acme::{Account, AccountBuilder, ExternalAccountKey, Key, NewAccount};
use rustls_pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use super::patience::patiently;
use super::problem::{Cause, Failure};
use super::transport::Transport;
use crate::fingerprint;
use crate::https::Https;

const LARGEST_FILE: u64 = 64 * 1024;

/// What a user gives to register.
#[derive(Debug, Clone, Default)]
pub struct Registration {
    /// An e-mail address, where the authority may write; empty for none.
    pub email: String,
    /// The owner has agreed to the authority's terms.
    pub agreed: bool,
    /// Key identifier and key of the account on the authority's web site, where it wants one.
    pub external: Option<ExternalAccount>,
}

/// An account on an authority's web site.
#[derive(Debug, Clone)]
pub struct ExternalAccount {
    /// Key identifier.
    pub key_id: String,
    /// HMAC key, base64url or base64 as the web site shows it.
    pub key: SecretString,
}

/// An account on disk.
#[derive(Clone, Serialize, Deserialize)]
struct Saved {
    schema: u32,
    directory: String,
    email: String,
    /// Its address at the authority; `None` where the authority may not have heard of it.
    url: Option<String>,
    /// PKCS#8, base64url.
    key: String,
}

/// What people are shown of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountFacts {
    /// The authority's directory.
    pub directory: String,
    /// Where the authority may write.
    pub email: String,
    /// Its address at the authority.
    pub url: String,
}

/// Is called when an authority made an account and its address is not on disk yet.
type Made = Arc<dyn Fn() + Send + Sync>;

/// The accounts on disk, one file for each directory.
#[derive(Clone)]
pub(crate) struct Accounts {
    folder: PathBuf,
    https: Https,
    made: Option<Made>,
}

impl Accounts {
    pub(crate) fn open(folder: &Path, https: Https) -> io::Result<Self> {
        create_private_folder(folder)?;
        Ok(Self { folder: folder.to_path_buf(), https, made: None })
    }

    /// Tells `made` of every account that an authority makes.
    pub(crate) fn telling(self, made: Made) -> Self {
        Self { made: Some(made), ..self }
    }

    /// Where they are.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The accounts that authorities have confirmed.
    pub(crate) fn list(&self) -> Vec<AccountFacts> {
        let Ok(entries) = fs::read_dir(&self.folder) else { return Vec::new() };
        let mut accounts: Vec<AccountFacts> = entries
            .flatten()
            .filter(|entry| entry.path().extension().is_some_and(|ending| ending == "json"))
            .filter_map(|entry| load(&entry.path()).ok().flatten())
            .filter_map(|saved| {
                let url = saved.url?;
                Some(AccountFacts { directory: saved.directory, email: saved.email, url })
            })
            .collect();
        accounts.sort_by(|one, other| one.directory.cmp(&other.directory));
        accounts
    }

    /// The account at this authority: the one on disk, or a new one.
    ///
    /// # Errors
    /// [`Cause::Terms`] and [`Cause::ExternalAccount`] where a new one needs more than is given; whatever the authority
    /// says; [`Cause::Local`] where the disk fails.
    pub(crate) async fn get(
        &self,
        directory: &str,
        registration: &Registration,
    ) -> Result<(Account, Transport), Failure> {
        let transport = Transport::new(self.https.clone());
        let path = self.path(directory);
        let saved = load(&path).map_err(local)?;
        if let Some(Saved { url: Some(url), key, .. }) = &saved {
            let key = decode(key)?;
            let account = patiently!(transport, {
                builder(&transport).from_parts(url.clone(), key.clone_key(), directory.to_owned()).await
            })?;
            return Ok((account, transport));
        }
        if !registration.agreed {
            return Err(Failure::new(Cause::Terms, "nobody has agreed to the authority's terms yet"));
        }
        let account = match &registration.external {
            Some(external) => {
                self.register_bound(&path, directory, registration, external, &transport).await?
            }
            None => self.register(&path, directory, registration, saved, &transport).await?,
        };
        Ok((account, transport))
    }

    /// Changes where the authority may write.
    ///
    /// # Errors
    /// As [`Self::get`]; the authority refuses the address.
    pub(crate) async fn set_email(&self, directory: &str, email: &str) -> Result<(), Failure> {
        let (account, transport) = self.get(directory, &Registration::default()).await?;
        let contact = contact(email);
        let contacts: Vec<&str> = contact.iter().map(String::as_str).collect();
        patiently!(transport, account.update_contacts(&contacts).await)?;
        self.change(directory, |saved| saved.email = email.to_owned())
    }

    /// Replaces the account's key at the authority and on disk. Where the program ends between the two the account is
    /// lost, and a new one is made when it is needed.
    ///
    /// # Errors
    /// As [`Self::get`]; the authority cannot do it.
    pub(crate) async fn roll_key(&self, directory: &str) -> Result<(), Failure> {
        let (mut account, transport) = self.get(directory, &Registration::default()).await?;
        let credentials = patiently!(transport, account.update_key().await)?;
        let key = encode(credentials.private_key());
        self.change(directory, |saved| saved.key = key)
    }

    /// Sets the account aside: the authority does not know it any more. Its file is kept beside the new one.
    pub(crate) fn forget(&self, directory: &str) -> Result<(), Failure> {
        let path = self.path(directory);
        match fs::rename(&path, path.with_extension("lost")) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(local(error)),
            _ => Ok(()),
        }
    }

    async fn register(
        &self,
        path: &Path,
        directory: &str,
        registration: &Registration,
        saved: Option<Saved>,
        transport: &Transport,
    ) -> Result<Account, Failure> {
        let mut saved = match saved {
            Some(begun) => Saved { email: registration.email.clone(), ..begun },
            None => {
                let (_, key) = Key::generate_pkcs8().map_err(|error| Failure::of(&error, None))?;
                let email = registration.email.clone();
                Saved { schema: 1, directory: directory.to_owned(), email, url: None, key: encode(&key) }
            }
        };
        save(path, &saved)?;
        let der = decode(&saved.key)?;
        let account = patiently!(transport, {
            let key = Key::from_pkcs8_der(der.clone_key()).map_err(|error| Failure::of(&error, None))?;
            let key = (key, PrivateKeyDer::Pkcs8(der.clone_key()));
            let made = builder(transport).create_from_key(key, directory.to_owned()).await;
            made.map(|(account, _)| account)
        })?;
        self.was_made();
        saved.url = Some(account.id().to_owned());
        save(path, &saved)?;
        let contact = contact(&saved.email);
        if !contact.is_empty() {
            let contacts: Vec<&str> = contact.iter().map(String::as_str).collect();
            patiently!(transport, account.update_contacts(&contacts).await)?;
        }
        Ok(account)
    }

    async fn register_bound(
        &self,
        path: &Path,
        directory: &str,
        registration: &Registration,
        external: &ExternalAccount,
        transport: &Transport,
    ) -> Result<Account, Failure> {
        let secret = external.key.expose_secret().trim().trim_end_matches('=');
        let hmac = URL_SAFE_NO_PAD
            .decode(secret)
            .or_else(|_| STANDARD.decode(external.key.expose_secret().trim()))
            .map_err(|_| {
                Failure::new(Cause::ExternalAccount, "the key of the external account is no base64")
            })?;
        let binding = ExternalAccountKey::new(external.key_id.clone(), &hmac);
        let contact = contact(&registration.email);
        let contacts: Vec<&str> = contact.iter().map(String::as_str).collect();
        let (account, credentials) = patiently!(transport, {
            let wanted =
                NewAccount { contact: &contacts, terms_of_service_agreed: true, only_return_existing: false };
            builder(transport).create(&wanted, directory.to_owned(), Some(&binding)).await
        })?;
        self.was_made();
        let key = encode(credentials.private_key());
        let (email, url) = (registration.email.clone(), Some(account.id().to_owned()));
        save(path, &Saved { schema: 1, directory: directory.to_owned(), email, url, key })?;
        Ok(account)
    }

    fn was_made(&self) {
        if let Some(made) = &self.made {
            made();
        }
    }

    fn change(&self, directory: &str, edit: impl FnOnce(&mut Saved)) -> Result<(), Failure> {
        let path = self.path(directory);
        let Some(mut saved) = load(&path).map_err(local)? else {
            return Err(Failure::new(Cause::AccountLost, "the account's file is gone"));
        };
        edit(&mut saved);
        save(&path, &saved)
    }

    fn path(&self, directory: &str) -> PathBuf {
        self.folder.join(format!("{}.json", slug(directory)))
    }
}

/// A file name for a text: readable, and different for different texts.
pub(crate) fn slug(text: &str) -> String {
    let readable: String = text
        .trim_start_matches("https://")
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' })
        .take(60)
        .collect();
    let hash: String =
        fingerprint(text.as_bytes()).chars().filter(char::is_ascii_hexdigit).take(12).collect();
    format!("{}-{}", readable.trim_matches('-'), hash.to_ascii_lowercase())
}

fn builder(transport: &Transport) -> AccountBuilder {
    Account::builder_with_http(Box::new(transport.clone()))
}

fn contact(email: &str) -> Vec<String> {
    if email.is_empty() { Vec::new() } else { vec![format!("mailto:{email}")] }
}

fn load(path: &Path) -> io::Result<Option<Saved>> {
    let Some(bytes) = read_bounded(path, LARGEST_FILE)? else { return Ok(None) };
    // A damaged file is set aside like a lost account: nothing can be done with it.
    match serde_json::from_slice(&bytes) {
        Ok(saved) => Ok(Some(saved)),
        Err(error) => {
            tracing::warn!(path = %path.display(), %error, "an ACME account's file is damaged");
            fs::rename(path, path.with_extension("damaged"))?;
            Ok(None)
        }
    }
}

fn save(path: &Path, saved: &Saved) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(saved).map_err(local)?;
    write_atomic(path, format!("{text}\n").as_bytes(), PRIVATE)
        .map_err(|error| local(format!("{}: {error}", path.display())))
}

fn encode(key: &PrivatePkcs8KeyDer<'_>) -> String {
    URL_SAFE_NO_PAD.encode(key.secret_pkcs8_der())
}

fn decode(key: &str) -> Result<PrivatePkcs8KeyDer<'static>, Failure> {
    let bytes = URL_SAFE_NO_PAD.decode(key).map_err(|_| local("an ACME account's key is damaged"))?;
    Ok(PrivatePkcs8KeyDer::from(bytes))
}

fn local(error: impl std::fmt::Display) -> Failure {
    Failure::new(Cause::Local, error)
}
