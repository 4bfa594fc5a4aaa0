//! A year of one certificate, with outages and sleeps, decided by the same functions as in life, from a record that is
//! written and read again.
//!
//! The authority here keeps its own count, as a token bucket like Let's Encrypt's, and fails the test where it would refuse.

use proptest::prelude::*;
use time::macros::datetime;
use time::{Duration, OffsetDateTime};

use super::budget::{Budget, Outcome};
use super::plan::{Known, Next, next};
use super::record::{Live, Record, Suggested};
use super::schedule::{TICK, Validity};
use crate::acme::{Cause, Failure, Identifier, Window, pick};

const START: OffsetDateTime = datetime!(2026-12-01 00:00 UTC);
const CA: &str = "https://ca.example/dir";
/// The longest that a renewal may take once nothing hinders it: the longest wait after a failure, a tenth of it, and ticks.
const GRACE: Duration = Duration::minutes(7 * 60);

/// What is wrong for a while.
#[derive(Debug, Clone, Copy)]
enum Disturbance {
    /// The machine sleeps: nobody looks at the clock.
    Sleep,
    /// The authority cannot be reached.
    Unreachable,
    /// It reaches us, and finds somebody else.
    Refused,
    /// It has a problem of its own.
    Broken,
    /// It says when to come back.
    Limited,
}

#[derive(Debug, Clone, Copy)]
struct Spell {
    from: OffsetDateTime,
    to: OffsetDateTime,
    what: Disturbance,
}

struct Year {
    now: OffsetDateTime,
    life: Duration,
    suggests: bool,
    spells: Vec<Spell>,
    dice: u64,
    held: Option<Validity>,
    record: Record,
    budget: Budget,
    names: Vec<Identifier>,
    authority: Authority,
    issued: u32,
    attempts: u32,
    expired: Duration,
    /// How long nothing has hindered a renewal that is due.
    free: Duration,
}

/// The authority's own books.
struct Authority {
    failures: Bucket,
    orders: Bucket,
    same_set: Bucket,
}

struct Bucket {
    size: f64,
    tokens: f64,
    refill: Duration,
    last: OffsetDateTime,
}

impl Bucket {
    fn new(size: u32, span: Duration) -> Self {
        Self { size: size.into(), tokens: size.into(), refill: span / f64::from(size), last: START }
    }

    fn take(&mut self, now: OffsetDateTime, what: &str) {
        let passed = (now - self.last).as_seconds_f64() / self.refill.as_seconds_f64();
        self.tokens = (self.tokens + passed).min(self.size) - 1.0;
        self.last = now;
        assert!(self.tokens >= 0.0, "over the authority's limit of {what} at {now}");
    }
}

impl Year {
    fn new(life: Duration, suggests: bool, spells: Vec<Spell>, dice: u64) -> Self {
        Self {
            now: START,
            life,
            suggests,
            spells,
            dice,
            held: None,
            record: Record::default(),
            budget: Budget::default(),
            names: vec!["home.example.org".parse().unwrap()],
            authority: Authority {
                failures: Bucket::new(5, Duration::HOUR),
                orders: Bucket::new(300, Duration::hours(3)),
                same_set: Bucket::new(5, Duration::WEEK),
            },
            issued: 0,
            attempts: 0,
            expired: Duration::ZERO,
            free: Duration::ZERO,
        }
    }

    fn draw(&mut self) -> f64 {
        self.dice = self.dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        f64::from(u32::try_from(self.dice >> 32).unwrap()) / f64::from(u32::MAX)
    }

    fn spell(&self) -> Option<Disturbance> {
        self.spells.iter().find(|spell| spell.from <= self.now && self.now < spell.to).map(|spell| spell.what)
    }

    fn run(&mut self, days: i64) {
        while self.now < START + Duration::days(days) {
            let asleep = matches!(self.spell(), Some(Disturbance::Sleep));
            let quiet = if asleep { None } else { self.tick() };
            if self.held.is_some_and(|held| self.now >= held.not_after) {
                self.expired += TICK;
            }
            self.blame();
            self.now += TICK;
            if let Some(until) = quiet {
                self.skip(until);
            }
        }
    }

    /// Goes over time in which nothing can happen: before the next moment, question, and disturbance.
    fn skip(&mut self, until: OffsetDateTime) {
        let question = self.record.ask_again.filter(|_| self.suggests);
        let spell = self.spells.iter().filter(|spell| spell.to > self.now).map(|spell| spell.from).min();
        let next = [Some(until), question, spell].into_iter().flatten().min().unwrap_or(until);
        if next > self.now + TICK * 2 {
            self.now = next - TICK;
        }
    }

    /// Says until when nothing is to be done.
    fn tick(&mut self) -> Option<OffsetDateTime> {
        self.budget.believe(self.now);
        self.record.believe(self.now);
        self.ask();
        let directories = [CA.to_owned()];
        let known = Known {
            identifiers: &self.names,
            directories: &directories,
            ways: &[crate::acme::ChallengeKind::TlsAlpn],
            held: self.held,
            asked: false,
            record: &self.record,
            budget: &self.budget,
        };
        let replaces = match next(&known, self.now) {
            Next::Attempt { replaces, .. } => replaces,
            Next::Wait { until } => return Some(until),
            Next::ClockWrong | Next::NoAuthority | Next::NoWay => return None,
        };
        self.budget.begin(CA, &self.names, replaces.is_some(), self.now);
        self.attempts += 1;
        match self.spell() {
            None => self.issue(replaces.is_some()),
            Some(what) => self.fail(what),
        }
        // A restart at any moment changes nothing.
        self.budget = serde_json::from_str(&serde_json::to_string(&self.budget).unwrap()).unwrap();
        self.record = serde_json::from_str(&serde_json::to_string(&self.record).unwrap()).unwrap();
        None
    }

    fn ask(&mut self) {
        let Some(held) = self.held.filter(|_| self.suggests) else { return };
        if self.spell().is_some() || self.record.ask_again.is_some_and(|again| again > self.now) {
            return;
        }
        let life = held.not_after - held.not_before;
        let window = Window { start: held.not_before + life / 2, end: held.not_before + life * 0.7 };
        let kept = self.record.suggested.as_ref().map(|one| one.pick);
        let draw = self.draw();
        let pick = pick(window, kept, held.not_after, draw);
        self.record.suggested = pick.map(|pick| Suggested { window, pick, explanation: None });
        self.record.ask_again = Some(self.now + Duration::hours(6));
    }

    fn issue(&mut self, replaces: bool) {
        if !replaces {
            self.authority.orders.take(self.now, "orders");
            self.authority.same_set.take(self.now, "certificates for the same names");
        }
        self.budget.end(CA, &self.names, Outcome::Issued);
        let not_before = self.now - Duration::HOUR;
        self.held = Some(Validity { not_before, not_after: not_before + self.life });
        self.issued += 1;
        let (directory, id) = (CA.to_owned(), Some(format!("a.{}", self.issued)));
        self.record.issued(Live { directory, id, sha256: String::new() }, self.now);
    }

    fn fail(&mut self, what: Disturbance) {
        let (cause, retry_after) = match what {
            Disturbance::Unreachable | Disturbance::Sleep => (Cause::Unreachable, None),
            Disturbance::Refused => (Cause::WrongAnswer, None),
            Disturbance::Broken => (Cause::Server, None),
            Disturbance::Limited => (Cause::RateLimited, Some(self.now + Duration::hours(2))),
        };
        if matches!(what, Disturbance::Refused | Disturbance::Broken) {
            self.authority.orders.take(self.now, "orders");
        }
        if cause.counts() {
            self.authority.failures.take(self.now, "failed authorizations");
        }
        match cause {
            Cause::Unreachable => self.budget.undo(CA, &self.names),
            cause if cause.counts() => self.budget.end(CA, &self.names, Outcome::Failed),
            _ => self.budget.end(CA, &self.names, Outcome::Free),
        }
        let failure = Failure { cause, detail: "simulated".into(), retry_after };
        let draw = self.draw();
        self.record.failed(CA, &failure, self.now, draw);
    }

    /// A certificate past its backstop is nobody's fault only while no stretch of undisturbed time was as long as a renewal
    /// may take.
    fn blame(&mut self) {
        let Some(held) = self.held else { return };
        if self.now < held.backstop() || self.spell().is_some() {
            self.free = Duration::ZERO;
            return;
        }
        self.free += TICK;
        assert!(
            self.free <= GRACE,
            "not renewed at {} although nothing hindered for {}",
            self.now,
            self.free
        );
    }
}

fn spells() -> impl Strategy<Value = Vec<Spell>> {
    let what = prop_oneof![
        Just(Disturbance::Sleep),
        Just(Disturbance::Unreachable),
        Just(Disturbance::Refused),
        Just(Disturbance::Broken),
        Just(Disturbance::Limited),
    ];
    let one = (0i64..365 * 24 * 60, 1i64..5 * 24 * 60, what).prop_map(|(from, length, what)| {
        let from = START + Duration::minutes(from);
        Spell { from, to: from + Duration::minutes(length), what }
    });
    proptest::collection::vec(one, 0..60)
}

#[test]
fn an_undisturbed_year_takes_as_many_certificates_as_it_must_and_none_more() {
    for (life, suggests, expected) in [
        (Duration::hours(160), false, 105..=112),
        (Duration::hours(160), true, 105..=112),
        (Duration::days(45), false, 12..=13),
        (Duration::days(45), true, 12..=17),
    ] {
        let mut year = Year::new(life, suggests, Vec::new(), 7);
        year.run(365);
        assert!(expected.contains(&year.issued), "{life}: {}", year.issued);
        assert_eq!((year.attempts, year.expired), (year.issued, Duration::ZERO));
    }
}

#[test]
fn a_refusal_of_a_whole_month_costs_few_attempts() {
    let month = Spell { from: START, to: START + Duration::days(30), what: Disturbance::Refused };
    let mut year = Year::new(Duration::days(45), false, vec![month], 3);
    year.run(30);
    assert!((100..160).contains(&year.attempts), "{}", year.attempts);
    year.run(31);
    assert_eq!(year.issued, 1);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_it_expires_only_where_nothing_could_be_done_and_no_limit_is_passed(
        spells in spells(), short in any::<bool>(), suggests in any::<bool>(), dice in any::<u64>(),
    ) {
        let life = if short { Duration::hours(160) } else { Duration::days(45) };
        let mut year = Year::new(life, suggests, spells, dice);
        year.run(365);
        prop_assert!(year.issued > 0);
    }
}
