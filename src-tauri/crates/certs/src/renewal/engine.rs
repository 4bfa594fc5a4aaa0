//! The loop around the decisions: it looks at the clock, asks authorities, keeps and serves what they give.

mod attempt;
mod purge;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration as StdDuration;

use arc_swap::ArcSwap;
use time::{Duration, OffsetDateTime};
use tokio::sync::{Notify, watch};

pub use self::purge::Traces;
use super::budget::Budget;
use super::entry::{Entry, load, name_of, save};
use super::plan::{Known, Next, next};
use super::record::Suggested;
use super::schedule::TICK;
use super::status::Status;
use super::{Preflight, Wanted};
use crate::acme::{
    AccountFacts, Accounts, Directory, Failure, HttpTokens, Identifier, Registration, Stage, TxtLookup, ask,
    is_public, next_question, pick,
};
use crate::{CertError, Https, LeafFacts, Resolver};

/// How long the loop sleeps between looks at the clock: a timer stands still while the machine sleeps.
const LOOK: StdDuration = StdDuration::from_secs(15);
/// After a question about renewal that failed, and no wish of the authority's.
const ASK_AFTER_FAILURE: Duration = Duration::hours(1);

/// Is told how far each order is; that an account was made concerns no name.
pub type StageWatcher = Arc<dyn Fn(&[Identifier], Stage) + Send + Sync>;

/// Keeps public certificates valid. One for each folder; the caller holds the lock.
pub struct Renewal {
    folder: PathBuf,
    https: Https,
    lookup: Arc<dyn TxtLookup>,
    resolver: Arc<Resolver>,
    tokens: Arc<HttpTokens>,
    accounts: Accounts,
    wanted: ArcSwap<Wanted>,
    entries: Mutex<BTreeMap<String, Entry>>,
    budget: Mutex<Budget>,
    status: watch::Sender<Vec<Status>>,
    working: tokio::sync::Mutex<()>,
    wake: Notify,
    /// Whoever waits for it stops working.
    given_up: Notify,
    watcher: Option<StageWatcher>,
    preflight: Option<Arc<dyn Preflight>>,
}

impl Renewal {
    /// Opens `folder`. Nothing is asked for and nothing served before [`Self::set`] says what is wanted.
    ///
    /// # Errors
    /// [`CertError::Io`] where the folder cannot be made.
    pub fn open(
        folder: &Path,
        resolver: Arc<Resolver>,
        https: Https,
        lookup: Arc<dyn TxtLookup>,
    ) -> Result<Self, CertError> {
        gatehouse_files::create_private_folder(folder).map_err(CertError::io(folder))?;
        let accounts =
            Accounts::open(&folder.join("accounts"), https.clone()).map_err(CertError::io(folder))?;
        let budget = load(&folder.join("budget.json")).unwrap_or_default();
        Ok(Self {
            folder: folder.to_path_buf(),
            https,
            lookup,
            resolver,
            tokens: Arc::default(),
            accounts,
            wanted: ArcSwap::default(),
            entries: Mutex::default(),
            budget: Mutex::new(budget),
            status: watch::channel(Vec::new()).0,
            working: tokio::sync::Mutex::default(),
            wake: Notify::new(),
            given_up: Notify::new(),
            watcher: None,
            preflight: None,
        })
    }

    /// Tells `watcher` how far each order is.
    #[must_use]
    pub fn with_watcher(mut self, watcher: StageWatcher) -> Self {
        let told = Arc::clone(&watcher);
        self.accounts = self.accounts.telling(Arc::new(move || told(&[], Stage::Registered)));
        self.watcher = Some(watcher);
        self
    }

    /// Has `preflight` look before every attempt that begins an order, until the certificate's end is near.
    #[must_use]
    pub fn with_preflight(mut self, preflight: Arc<dyn Preflight>) -> Self {
        self.preflight = Some(preflight);
        self
    }

    /// The texts that authorities may ask for on port 80.
    pub fn tokens(&self) -> Arc<HttpTokens> {
        self.tokens.clone()
    }

    /// What there is, and what comes next; changes as it changes.
    pub fn status(&self) -> watch::Receiver<Vec<Status>> {
        self.status.subscribe()
    }

    /// The accounts that authorities know.
    pub fn accounts(&self) -> Vec<AccountFacts> {
        self.accounts.list()
    }

    /// Says what is wanted: serves at once what is on disk for it, takes away what is wanted no more (its files stay), and
    /// wakes [`Self::run`]. Waits after failures end: something changed.
    ///
    /// # Errors
    /// [`CertError::Io`] where a folder cannot be made or read; nothing changed then.
    pub fn set(&self, wanted: Wanted, now: OffsetDateTime) -> Result<(), CertError> {
        let mut lists: Vec<Vec<Identifier>> = wanted.certificates.clone();
        for list in &mut lists {
            list.sort();
            list.dedup();
        }
        lists.retain(|list| !list.is_empty());
        let mut entries = self.entries();
        // All that can fail comes before the first change: an error leaves what was wanted before.
        let mut opened = BTreeMap::new();
        for list in &lists {
            let name = name_of(list);
            if !entries.contains_key(&name) {
                opened.insert(name, Entry::open(&self.public(), list)?);
            }
        }
        let mut kept = BTreeMap::new();
        for list in &lists {
            let name = name_of(list);
            let Some(mut entry) = entries.remove(&name).or_else(|| opened.remove(&name)) else { continue };
            entry.record.forgive();
            self.serve(&name, &entry);
            kept.insert(name, entry);
        }
        for name in entries.keys() {
            self.resolver.remove(&slot(name));
        }
        *entries = kept;
        self.serve_by_address(&entries);
        drop(entries);
        self.wanted.store(Arc::new(Wanted { certificates: lists, ..wanted }));
        self.publish(now);
        self.wake.notify_one();
        Ok(())
    }

    /// Registers with an authority, or finds the account that is there; where `registration` names another e-mail
    /// address the authority is told.
    ///
    /// # Errors
    /// Whatever the authority says.
    pub async fn register(&self, directory: &str, registration: &Registration) -> Result<(), Failure> {
        let _working = self.working.lock().await;
        self.accounts.get(directory, registration).await?;
        let known = self.accounts.list().into_iter().find(|account| account.directory == directory);
        if known.is_some_and(|known| !registration.email.is_empty() && known.email != registration.email) {
            self.accounts.set_email(directory, &registration.email).await?;
        }
        Ok(())
    }

    /// Replaces the key of an account.
    ///
    /// # Errors
    /// Whatever the authority says; some cannot do it.
    pub async fn roll_account_key(&self, directory: &str) -> Result<(), Failure> {
        let _working = self.working.lock().await;
        self.accounts.roll_key(directory).await
    }

    /// What an authority says of itself: its terms, whether it wants an external account, its profiles.
    ///
    /// # Errors
    /// It cannot be reached, or is none.
    pub async fn directory(&self, directory: &str) -> Result<Directory, Failure> {
        Directory::fetch(&self.https, directory).await
    }

    /// Asks for a new certificate for these names now: `force` whatever the age of the one that is served, otherwise only
    /// what is due, but without waiting after a failure. Budgets hold either way.
    pub fn ask_now(&self, identifiers: Option<&[Identifier]>, force: bool) {
        for entry in self.entries().values_mut() {
            if identifiers.is_none_or(|wanted| entry.identifiers == wanted) {
                entry.record.forgive();
                entry.asked = force;
            }
        }
        self.wake.notify_one();
    }

    /// Looks at the clock for ever, and does what is due. Dropping the future stops it; an order is then taken up later.
    pub async fn run(&self) {
        loop {
            let begun = OffsetDateTime::now_utc();
            self.tick(begun).await;
            let soonest = self.status.borrow().iter().filter_map(Status::next_attempt).min();
            let until = soonest.map_or(begun + TICK, |soonest| soonest.min(begun + TICK));
            loop {
                let now = OffsetDateTime::now_utc();
                if now >= until || now < begun - Duration::MINUTE {
                    break;
                }
                let left = (until - now).unsigned_abs().clamp(StdDuration::from_millis(100), LOOK);
                tokio::select! {
                    () = self.wake.notified() => break,
                    () = tokio::time::sleep(left) => {}
                }
            }
        }
    }

    /// Does what is due at `now`, one certificate after the other.
    pub async fn tick(&self, now: OffsetDateTime) {
        let _working = self.working.lock().await;
        let names: Vec<String> = self.entries().keys().cloned().collect();
        self.budget().believe(now);
        for name in names {
            tokio::select! {
                () = self.one(&name, now) => {}
                () = self.given_up.notified() => break,
            }
        }
        self.publish(OffsetDateTime::now_utc().max(now));
    }

    async fn one(&self, name: &str, now: OffsetDateTime) {
        if let Some(entry) = self.entries().get_mut(name) {
            entry.record.believe(now);
        }
        self.ask_about_renewal(name, now).await;
        if let Some(Next::Attempt { directory, replaces, .. }) = self.next(name, now) {
            self.attempt(name, &directory, replaces, now).await;
        }
    }

    fn public(&self) -> PathBuf {
        self.folder.join("public")
    }

    fn budget_path(&self) -> PathBuf {
        self.folder.join("budget.json")
    }

    /// Asks the issuer when the certificate should be renewed, where it is time to ask.
    async fn ask_about_renewal(&self, name: &str, now: OffsetDateTime) {
        let asked = self.with(name, |entry| {
            let live = entry.record.live.clone()?;
            let due = entry.record.ask_again.is_none_or(|again| again <= now);
            let kept = entry.record.suggested.as_ref().map(|one| one.pick);
            due.then_some((live.directory, live.id?, entry.held()?, kept))
        });
        let Some(Some((directory, id, held, kept))) = asked else { return };
        let answer = match Directory::fetch(&self.https, &directory).await {
            Ok(Directory { renewal_info: Some(url), .. }) => ask(&self.https, &url, &id, now).await.map(Some),
            Ok(_) => Ok(None),
            Err(failure) => Err(failure),
        };
        self.with(name, |entry| {
            match answer {
                Ok(Some(said)) => {
                    let pick = pick(said.window, kept, held.not_after, draw());
                    // A window that nobody can mean takes back what was suggested before.
                    entry.record.suggested = pick.map(|pick| Suggested {
                        window: said.window,
                        pick,
                        explanation: said.explanation.clone(),
                    });
                    entry.record.ask_again = Some(said.ask_again);
                }
                Ok(None) => entry.record.ask_again = Some(next_question(None, now)),
                Err(failure) => {
                    tracing::info!(%failure, "the authority says nothing about renewal");
                    let again = failure.retry_after.unwrap_or(now + ASK_AFTER_FAILURE);
                    entry.record.ask_again = Some(next_question(Some(again), now));
                }
            }
            entry.save_record()
        });
    }

    /// What comes next for this certificate.
    fn next(&self, name: &str, now: OffsetDateTime) -> Option<Next> {
        let wanted = self.wanted.load();
        let budget = self.budget().clone();
        let ways = wanted.open_ways();
        self.with(name, |entry| {
            let known = Known {
                identifiers: &entry.identifiers,
                directories: &wanted.directories,
                ways: &ways,
                held: entry.held(),
                asked: entry.asked,
                record: &entry.record,
                budget: &budget,
            };
            next(&known, now)
        })
    }

    fn publish(&self, now: OffsetDateTime) {
        let names: Vec<String> = self.entries().keys().cloned().collect();
        let all: Vec<Status> = names
            .iter()
            .filter_map(|name| {
                let next = self.next(name, now)?;
                self.with(name, |entry| Status {
                    name: name.clone(),
                    identifiers: entry.identifiers.clone(),
                    facts: entry.leaf.as_ref().map(|leaf| leaf.facts.clone()),
                    nearness: entry.held().map(|held| held.nearness(now)),
                    stage: entry.stage,
                    next,
                    record: entry.record.clone(),
                })
            })
            .collect();
        self.status.send_if_modified(|old| {
            let changed = *old != all;
            *old = all;
            changed
        });
    }

    fn serve(&self, name: &str, entry: &Entry) {
        if let Some(served) = entry.served() {
            self.resolver.set(&slot(name), served);
        }
    }

    /// Clients that use a public address send no name: the certificate for such an address is for them.
    fn serve_by_address(&self, entries: &BTreeMap<String, Entry>) {
        let by_address = entries.values().find(|entry| {
            entry.identifiers.iter().any(|one| matches!(one, Identifier::Ip(ip) if is_public(*ip)))
        });
        self.resolver.set_public_default(by_address.and_then(Entry::served));
    }

    fn save_budget(&self) -> Result<(), Failure> {
        save(&self.budget_path(), &*self.budget())
    }

    fn with<T>(&self, name: &str, work: impl FnOnce(&mut Entry) -> T) -> Option<T> {
        self.entries().get_mut(name).map(work)
    }

    fn entries(&self) -> MutexGuard<'_, BTreeMap<String, Entry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn budget(&self) -> MutexGuard<'_, Budget> {
        self.budget.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The certificate that is served for exactly these names.
    pub fn current(&self, identifiers: &[Identifier]) -> Option<Arc<LeafFacts>> {
        let mut sorted = identifiers.to_vec();
        sorted.sort();
        self.with(&name_of(&sorted), |entry| entry.leaf.as_ref().map(|leaf| leaf.facts.clone()))?
    }
}

impl std::fmt::Debug for Renewal {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Renewal").field("folder", &self.folder).finish_non_exhaustive()
    }
}

/// The resolver's slot of a certificate.
fn slot(name: &str) -> String {
    format!("acme:{name}")
}

/// A random number in `0.0..1.0`.
fn draw() -> f64 {
    let mut bytes = [0_u8; 4];
    if aws_lc_rs::rand::fill(&mut bytes).is_err() {
        return 0.5;
    }
    f64::from(u32::from_le_bytes(bytes)) / (f64::from(u32::MAX) + 1.0)
}

#[cfg(test)]
mod tests;
