//! One attempt to get a certificate, with what can be put right on the way.

use time::OffsetDateTime;

use super::{Renewal, draw, slot};
use crate::acme::{
    Cause, Directory, Failure, Identifier, Pending, Progress, Published, Solvers, Stage, Work, authority_name,
};
use crate::renewal::budget::Outcome;
use crate::renewal::schedule::Nearness;

/// How often an attempt puts something right and goes on: a lost account, a lost order, a profile that is gone.
const REPAIRS: u32 = 3;
/// Failures in a row after which an order that the authority cannot finish is given up for a new one.
const PATIENCE: u32 = 3;

impl Renewal {
    /// Asks one authority; keeps and serves what it gives, or remembers what went wrong.
    pub(super) async fn attempt(
        &self,
        name: &str,
        directory: &str,
        replaces: Option<String>,
        now: OffsetDateTime,
    ) {
        self.with(name, |entry| entry.asked = false);
        let result = self.repairing(name, directory, replaces, now).await;
        // The order took its time; what comes after counts from its end.
        let now = OffsetDateTime::now_utc().max(now);
        self.with(name, |entry| {
            entry.stage = None;
            if let Err(failure) = &result {
                tracing::warn!(authority = %authority_name(directory), cause = ?failure.cause, "no certificate");
                entry.record.failed(directory, failure, now, draw());
                if let Err(failure) = entry.save_record() {
                    tracing::warn!(%failure, "a failure could not be remembered");
                }
            }
        });
        self.publish(now);
    }

    async fn repairing(
        &self,
        name: &str,
        directory: &str,
        mut replaces: Option<String>,
        now: OffsetDateTime,
    ) -> Result<(), Failure> {
        let mut profiles = true;
        let mut round = 0;
        loop {
            let resumed =
                self.with(name, |entry| entry.pending().is_some_and(|one| one.order.is_some())) == Some(true);
            let failure = match self.once(name, directory, replaces.clone(), profiles, now).await {
                Ok(()) => return Ok(()),
                Err(failure) => failure,
            };
            round += 1;
            match failure.cause {
                _ if round > REPAIRS => return Err(failure),
                Cause::AccountLost => {
                    self.accounts.forget(directory)?;
                    replaces = None;
                }
                Cause::AlreadyReplaced => replaces = None,
                Cause::Profile => profiles = false,
                Cause::OrderLost => {}
                // While the program was away nobody answered: that says nothing about the name.
                cause if resumed && cause.counts() => {}
                _ => return Err(failure),
            }
            self.with(name, |entry| entry.drop_pending());
        }
    }

    async fn once(
        &self,
        name: &str,
        directory: &str,
        replaces: Option<String>,
        profiles: bool,
        now: OffsetDateTime,
    ) -> Result<(), Failure> {
        let wanted = self.wanted.load_full();
        let Some((identifiers, begun, failures)) = self.with(name, |entry| {
            let failures = entry.record.setbacks.get(directory).map_or(0, |one| one.in_row);
            (entry.identifiers.clone(), entry.pending(), failures)
        }) else {
            return Err(unwanted());
        };
        let left = begun.as_ref().map(|pending| pending.records.clone()).unwrap_or_default();
        let going = begun.filter(|pending| pending.fits(directory, &identifiers, now));
        let resumed = going.is_some();
        // Near its end a renewal is tried whatever was seen from here: what we see may be wrong, and the end is certain.
        let held = self.with(name, |entry| entry.held()).flatten();
        let early = held.is_none_or(|held| held.nearness(now) == Nearness::Far);
        if let Some(preflight) = self.preflight.as_ref().filter(|_| early && !resumed) {
            preflight.check(directory, &identifiers).await?;
        }
        if !resumed {
            let exempt = replaces.is_some();
            self.budget().begin(directory, &identifiers, exempt, now);
            self.save_budget()?;
        }
        self.stage(name, Stage::Begun);
        let registration = wanted.registrations.get(directory).cloned().unwrap_or_default();
        let mut worked = false;
        let result = async {
            let (account, transport) = self.accounts.get(directory, &registration).await?;
            let mut pending = match going {
                Some(pending) => pending,
                None => {
                    let about = Directory::fetch(&self.https, directory).await?;
                    let profile = about.profile(&identifiers).filter(|_| profiles);
                    let replaces = replaces.filter(|_| about.renewal_info.is_some());
                    let kept = match wanted.reuse_key {
                        true => self.with(name, |entry| entry.kept()).transpose()?.flatten(),
                        false => None,
                    };
                    let new = Pending::new(directory, &identifiers, profile, replaces, now)?;
                    new.keeping(kept).clearing(left.clone())
                }
            };
            if !resumed {
                self.save(name, &pending)?;
                self.stage(name, Stage::KeySaved);
            }
            let solvers = Solvers {
                kinds: wanted.ways.clone(),
                resolver: self.resolver.clone(),
                tokens: self.tokens.clone(),
                dns: wanted.dns.clone(),
            };
            let progress = Kept { renewal: self, name };
            let work = Work {
                account: &account,
                transport: &transport,
                solvers: &solvers,
                lookup: self.lookup.as_ref(),
                progress: &progress,
                failures,
            };
            worked = true;
            work.run(&mut pending).await
        }
        .await;
        match result {
            Ok(issued) => {
                self.keep(name, directory, &issued)?;
                self.budget().end(directory, &identifiers, Outcome::Issued);
                self.save_budget()
            }
            Err(failure) => {
                self.close(name, directory, &identifiers, &failure, failures)?;
                // An order that did not come to its work took nothing away, and nobody knows of its records any more.
                if !worked && self.with(name, |entry| entry.pending().is_none()) == Some(true) {
                    for one in Published::left(wanted.dns.as_ref(), &left) {
                        one.remove().await;
                    }
                }
                Err(failure)
            }
        }
    }

    /// Stores and serves a new certificate. What is remembered follows; a crash in between is put right at the start.
    fn keep(&self, name: &str, directory: &str, issued: &crate::issue::Issued) -> Result<(), Failure> {
        let now = OffsetDateTime::now_utc();
        let stored = self.with(name, |entry| entry.store(issued, now));
        stored.unwrap_or_else(|| Err(unwanted()))?;
        self.stage(name, Stage::Stored);
        let entries = self.entries();
        let served = entries.get(name).and_then(|entry| entry.served());
        if let Some(served) = served {
            self.resolver.set(&slot(name), served);
        }
        self.serve_by_address(&entries);
        drop(entries);
        self.stage(name, Stage::Served);
        let kept = self.with(name, |entry| {
            if let Some(live) = entry.live(directory) {
                entry.record.issued(live, now);
            }
            entry.save_record()?;
            entry.drop_pending();
            if let Some(leaf) = &entry.leaf {
                let authority = authority_name(directory);
                tracing::info!(%authority, not_after = %leaf.facts.not_after, "a public certificate is served");
            }
            Ok(())
        });
        kept.unwrap_or(Ok(()))
    }

    /// Closes the account of a failed attempt. An order that may still come to something is kept.
    fn close(
        &self,
        name: &str,
        directory: &str,
        identifiers: &[Identifier],
        failure: &Failure,
        failures: u32,
    ) -> Result<(), Failure> {
        let passing = matches!(
            failure.cause,
            Cause::Slow | Cause::Unreachable | Cause::BadNonce | Cause::Server | Cause::Local
        );
        let alive = passing
            && failures < PATIENCE
            && self.with(name, |entry| entry.pending().is_some_and(|one| one.order.is_some())) == Some(true);
        if alive {
            return Ok(());
        }
        let placed = self.with(name, |entry| {
            let placed = entry.pending().is_some_and(|one| one.order.is_some());
            entry.drop_pending();
            placed
        });
        match failure.cause {
            Cause::Unreachable if placed != Some(true) => self.budget().undo(directory, identifiers),
            cause if cause.counts() => self.budget().end(directory, identifiers, Outcome::Failed),
            _ => self.budget().end(directory, identifiers, Outcome::Free),
        }
        self.save_budget()
    }

    fn save(&self, name: &str, pending: &Pending) -> Result<(), Failure> {
        // Nobody would find what this order sets, were it not on disk.
        self.with(name, |entry| entry.save_pending(pending)).unwrap_or_else(|| Err(unwanted()))
    }

    fn stage(&self, name: &str, stage: Stage) {
        let identifiers = self.with(name, |entry| {
            entry.stage = Some(stage);
            entry.identifiers.clone()
        });
        self.publish(OffsetDateTime::now_utc());
        if let (Some(watcher), Some(identifiers)) = (&self.watcher, identifiers) {
            watcher(&identifiers, stage);
        }
    }

    /// Goes the whole way with an authority whose certificates nobody trusts, and throws the result away: what would
    /// hinder a real one shows without counting against its limits.
    ///
    /// # Errors
    /// What would have hindered a real attempt.
    pub async fn rehearse(
        &self,
        directory: &str,
        identifiers: &[Identifier],
        now: OffsetDateTime,
    ) -> Result<(), Failure> {
        let _working = self.working.lock().await;
        let wanted = self.wanted.load_full();
        if let Err(until) = self.budget().allows(directory, identifiers, false, now) {
            let detail = "too many rehearsals in a short time";
            return Err(Failure { retry_after: Some(until), ..Failure::new(Cause::RateLimited, detail) });
        }
        self.budget().begin(directory, identifiers, false, now);
        self.save_budget()?;
        let registration = wanted.registrations.get(directory).cloned().unwrap_or_default();
        let result = async {
            let (account, transport) = match self.accounts.get(directory, &registration).await {
                Err(failure) if failure.cause == Cause::AccountLost => {
                    self.accounts.forget(directory)?;
                    self.accounts.get(directory, &registration).await?
                }
                other => other?,
            };
            let about = Directory::fetch(&self.https, directory).await?;
            let profile = about.profile(identifiers);
            let mut pending = Pending::new(directory, identifiers, profile, None, now)?;
            let solvers = Solvers {
                kinds: wanted.ways.clone(),
                resolver: self.resolver.clone(),
                tokens: self.tokens.clone(),
                dns: wanted.dns.clone(),
            };
            let work = Work {
                account: &account,
                transport: &transport,
                solvers: &solvers,
                lookup: self.lookup.as_ref(),
                progress: &Unkept,
                failures: 0,
            };
            work.run(&mut pending).await
        }
        .await;
        let outcome = match &result {
            Ok(_) => Outcome::Issued,
            Err(failure) if failure.cause.counts() => Outcome::Failed,
            Err(_) => Outcome::Free,
        };
        self.budget().end(directory, identifiers, outcome);
        self.save_budget()?;
        result.map(|_| ())
    }
}

fn unwanted() -> Failure {
    Failure::new(Cause::Local, "this certificate is not wanted any more")
}

/// An order that is kept on disk.
struct Kept<'a> {
    renewal: &'a Renewal,
    name: &'a str,
}

impl Progress for Kept<'_> {
    fn stage(&self, stage: Stage) {
        self.renewal.stage(self.name, stage);
    }

    fn save(&self, pending: &Pending) -> Result<(), Failure> {
        self.renewal.save(self.name, pending)
    }
}

/// An order of a rehearsal.
struct Unkept;

impl Progress for Unkept {
    fn stage(&self, _: Stage) {}

    fn save(&self, _: &Pending) -> Result<(), Failure> {
        Ok(())
    }
}
