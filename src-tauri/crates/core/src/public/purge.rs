//! What a purge takes away of public certificates, and how it is told before.

use gatehouse_api::{DnsSetup, Text, say};
use gatehouse_certs::VaultError;
use gatehouse_certs::acme::authority_name;

use super::{Public, secrets};

impl Public {
    /// What a purge would remove, a line each; nothing where there is nothing.
    pub(crate) fn traces(&self) -> Vec<Text> {
        let traces = self.renewal.traces();
        let mut lines: Vec<Text> = traces
            .accounts
            .iter()
            .map(|account| say!("core.purge.account", authority = authority_name(&account.directory)))
            .collect();
        if traces.certificates > 0 {
            lines.push(say!("core.purge.public", count = traces.certificates));
        }
        if !traces.is_empty {
            lines.push(say!("core.purge.attempts"));
        }
        if let Some(acme) = &self.settings.current().acme {
            lines.push(say!("core.purge.setup"));
            let secret = matches!(acme.dns, Some(DnsSetup::Cloudflare | DnsSetup::Rfc2136 { .. }))
                || acme.authorities.iter().any(|one| one.external_key_id.is_some());
            lines.extend(secret.then(|| say!("core.purge.secrets")));
        }
        lines
    }

    /// Forgets the secrets that the settings name. Blocks for the place where they are.
    ///
    /// # Errors
    /// Whatever that place says.
    pub(crate) fn forget_secrets(&self) -> Result<(), VaultError> {
        let acme = self.settings.current().acme.clone();
        acme.as_ref().map(secrets).unwrap_or_default().iter().try_for_each(|name| self.vault.remove(name))
    }
}
