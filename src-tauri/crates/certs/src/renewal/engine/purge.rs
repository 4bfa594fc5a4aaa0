//! What is here of public certificates, and how it goes.

use std::fs;
use std::path::PathBuf;

use time::OffsetDateTime;
use tokio::sync::MutexGuard;

use super::Renewal;
use crate::CertError;
use crate::acme::{AccountFacts, Pending, Published};
use crate::renewal::Wanted;
use crate::renewal::budget::Budget;
use crate::renewal::entry::pending_in;
use crate::store::absent_is_fine;

/// What is on disk of public certificates, served or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Traces {
    /// Accounts whose keys are here.
    pub accounts: Vec<AccountFacts>,
    /// How many certificates have a folder.
    pub certificates: usize,
    /// Whether there is nothing at all.
    pub is_empty: bool,
}

impl Renewal {
    /// What is on disk, for whoever is asked whether it may go.
    pub fn traces(&self) -> Traces {
        let read = |folder: PathBuf| fs::read_dir(folder).into_iter().flatten().flatten();
        Traces {
            accounts: self.accounts.list(),
            certificates: read(self.public()).filter(|entry| entry.path().is_dir()).count(),
            is_empty: read(self.accounts.folder().to_path_buf()).next().is_none()
                && read(self.public()).next().is_none()
                && !self.budget_path().exists(),
        }
    }

    /// Wants nothing any more, gives up an order that is on its way, and has the records removed that orders left in DNS. It
    /// comes before the secret of whoever sets them goes.
    ///
    /// # Errors
    /// As [`Self::set`].
    pub async fn give_up(&self, now: OffsetDateTime) -> Result<(), CertError> {
        self.stop(now).await.map(drop)
    }

    /// Gives up as [`Self::give_up`] does, and removes accounts, keys, certificates and what is remembered of attempts. Open
    /// connections live on. The authorities keep the accounts; nobody here can use them.
    ///
    /// # Errors
    /// [`CertError::Io`]; calling it again goes on where it stopped.
    pub async fn purge(&self, now: OffsetDateTime) -> Result<(), CertError> {
        let _working = self.stop(now).await?;
        *self.budget() = Budget::default();
        for path in [self.public(), self.accounts.folder().to_path_buf()] {
            absent_is_fine(fs::remove_dir_all(&path)).map_err(CertError::io(&path))?;
        }
        let path = self.budget_path();
        absent_is_fine(fs::remove_file(&path)).map_err(CertError::io(&path))?;
        gatehouse_files::create_private_folder(self.accounts.folder())
            .and_then(|()| gatehouse_files::sync_folder(&self.folder))
            .map_err(CertError::io(&self.folder))
    }

    /// Nobody works while the answer is held.
    async fn stop(&self, now: OffsetDateTime) -> Result<MutexGuard<'_, ()>, CertError> {
        // Who sets records is wanted no more after the next line, and is still needed.
        let dns = self.wanted.load().dns.clone();
        self.set(Wanted::default(), now)?;
        self.given_up.notify_waiters();
        let working = self.working.lock().await;
        for pending in self.all_pending() {
            for one in Published::left(dns.as_ref(), &pending.records) {
                one.remove().await;
            }
        }
        Ok(working)
    }

    /// The orders on disk, also those of names that are wanted no more.
    fn all_pending(&self) -> Vec<Pending> {
        let folders = fs::read_dir(self.public()).into_iter().flatten().flatten();
        folders.filter_map(|folder| pending_in(&folder.path())).collect()
    }
}
