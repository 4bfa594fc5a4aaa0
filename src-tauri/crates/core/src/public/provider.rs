//! Whoever sets TXT records, made when records are set: its secret is read then and forgotten after.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use gatehouse_api::DnsSetup;
use gatehouse_certs::acme::{Cloudflare, DnsProvider, Hook, Rfc2136, TsigKey};
use gatehouse_certs::{Https, Vault, fingerprint};
use secrecy::SecretString;

use crate::settings::AcmeSettings;

/// The name of the provider's secret.
pub(crate) const DNS_SECRET: &str = "acme-dns";
/// How long Cloudflare takes at most to show a record.
const CLOUDFLARE: Duration = Duration::from_secs(60);

/// The name of the key of an account on an authority's web site.
pub(crate) fn external_secret(directory: &str) -> String {
    let hash: String =
        fingerprint(directory.as_bytes()).chars().filter(char::is_ascii_hexdigit).take(16).collect();
    format!("acme-external-{}", hash.to_ascii_lowercase())
}

/// The names of everything that these settings have stored.
pub(crate) fn secrets(acme: &AcmeSettings) -> Vec<String> {
    let accounts = acme.authorities.iter().map(|one| external_secret(&one.directory));
    accounts.chain([DNS_SECRET.to_owned()]).collect()
}

/// See the module.
pub(super) struct Lazy {
    setup: DnsSetup,
    vault: Arc<dyn Vault>,
    https: Https,
    /// Where Cloudflare's API is, if it is elsewhere.
    cloudflare: Option<String>,
}

impl Lazy {
    pub(super) fn new(
        setup: DnsSetup,
        vault: &Arc<dyn Vault>,
        https: &Https,
        cloudflare: Option<&str>,
    ) -> Self {
        let cloudflare = cloudflare.map(str::to_owned);
        Self { setup, vault: Arc::clone(vault), https: https.clone(), cloudflare }
    }

    async fn provider(&self) -> Result<Box<dyn DnsProvider>, String> {
        Ok(match &self.setup {
            DnsSetup::Hook { program, settle } => {
                Box::new(Hook::new(program.into(), Duration::from_secs((*settle).into())))
            }
            DnsSetup::Cloudflare => {
                let usual = Cloudflare::new(self.https.clone(), self.secret().await?);
                match &self.cloudflare {
                    Some(api) => Box::new(usual.at(api)),
                    None => Box::new(usual),
                }
            }
            DnsSetup::Rfc2136 { server, zone, key_name, algorithm, settle } => {
                let server = server.parse().map_err(|_| format!("{server:?} is no address with a port"))?;
                let key = TsigKey {
                    name: key_name.clone(),
                    algorithm: algorithm.clone(),
                    secret: self.secret().await?,
                };
                Box::new(Rfc2136::new(server, zone, &key, Duration::from_secs((*settle).into()))?)
            }
        })
    }

    async fn secret(&self) -> Result<SecretString, String> {
        let vault = Arc::clone(&self.vault);
        let read = tokio::task::spawn_blocking(move || vault.get(DNS_SECRET)).await;
        match read.map_err(|error| error.to_string())? {
            Ok(Some(secret)) => Ok(secret),
            Ok(None) => Err("no secret is stored for the DNS provider".to_owned()),
            Err(error) => Err(format!("the secret of the DNS provider: {error}")),
        }
    }
}

#[async_trait]
impl DnsProvider for Lazy {
    async fn present(&self, name: &str, value: &str) -> Result<(), String> {
        self.provider().await?.present(name, value).await
    }

    async fn remove(&self, name: &str, value: &str) -> Result<(), String> {
        self.provider().await?.remove(name, value).await
    }

    fn settle(&self) -> Duration {
        match &self.setup {
            DnsSetup::Cloudflare => CLOUDFLARE,
            DnsSetup::Rfc2136 { settle, .. } | DnsSetup::Hook { settle, .. } => {
                Duration::from_secs((*settle).into())
            }
        }
    }
}
