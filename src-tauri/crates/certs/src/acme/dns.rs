//! Setting the TXT records of dns-01.

mod cloudflare;
mod hook;
mod rfc2136;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

pub use cloudflare::Cloudflare;
pub use hook::Hook;
pub use rfc2136::{Rfc2136, TsigKey};

/// Whoever can set TXT records of a zone.
#[async_trait]
pub trait DnsProvider: Send + Sync {
    /// Adds a TXT record with this value beside those that the name has.
    ///
    /// # Errors
    /// A sentence without any secret.
    async fn present(&self, name: &str, value: &str) -> Result<(), String>;

    /// Removes the TXT record with this value; nothing happens where there is none.
    ///
    /// # Errors
    /// A sentence without any secret.
    async fn remove(&self, name: &str, value: &str) -> Result<(), String>;

    /// How long a record takes at most until the whole world sees it.
    fn settle(&self) -> Duration;
}

/// A way to see whether a record can be seen.
#[async_trait]
pub trait TxtLookup: Send + Sync {
    /// The TXT values of this name; empty where there are none or they cannot be asked for.
    async fn txt(&self, name: &str) -> Vec<String>;
}

const LOOK_EVERY: Duration = Duration::from_secs(2);

/// Waits until every `(name, value)` can be seen, or until the provider's time is over.
pub(crate) async fn settle(
    provider: &Arc<dyn DnsProvider>,
    lookup: &dyn TxtLookup,
    records: &[(String, String)],
) {
    let visible = async {
        for (name, value) in records {
            while !lookup.txt(name).await.contains(value) {
                tokio::time::sleep(LOOK_EVERY).await;
            }
        }
    };
    if tokio::time::timeout(provider.settle(), visible).await.is_err() {
        tracing::info!(
            "a challenge's DNS record cannot be seen from here yet; the authority is asked to look"
        );
    }
}
