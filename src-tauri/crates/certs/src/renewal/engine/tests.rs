use std::fs;

use async_trait::async_trait;
use tempfile::TempDir;

use super::*;
use crate::Roots;
use crate::acme::{ChallengeKind, DnsProvider, Pending};
use crate::testkit::{Zone, now};

const CA: &str = "https://127.0.0.1:9/dir";

struct Blind;

#[async_trait]
impl TxtLookup for Blind {
    async fn txt(&self, _: &str) -> Vec<String> {
        Vec::new()
    }
}

fn renewal(folder: &Path) -> Renewal {
    let https = Https::new(Roots::Only(Vec::new()), StdDuration::from_secs(1)).unwrap();
    Renewal::open(folder, Arc::default(), https, Arc::new(Blind)).unwrap()
}

fn names(text: &str) -> Vec<Identifier> {
    vec![text.parse().unwrap()]
}

fn wanted(all: &[&str]) -> Wanted {
    Wanted { certificates: all.iter().map(|one| names(one)).collect(), ..Wanted::default() }
}

/// What a crash leaves of every order.
fn leave_records(renewal: &Renewal, zone: &Zone) {
    for (name, entry) in &*renewal.entries() {
        let record = (format!("_acme-challenge.{name}"), "value".to_owned());
        zone.add(&record);
        let pending = Pending::new(CA, &entry.identifiers, None, None, now()).unwrap();
        entry.save_pending(&pending.clearing(vec![record])).unwrap();
    }
}

fn held(renewal: &Renewal) -> Vec<String> {
    renewal.entries().values().map(|entry| entry.identifiers[0].to_string()).collect()
}

#[test]
fn a_disk_error_changes_nothing_that_is_wanted_and_the_same_wish_is_taken_over_afterwards() {
    let folder = TempDir::new().unwrap();
    let renewal = renewal(folder.path());
    renewal.set(wanted(&["a.example.org"]), now()).unwrap();
    let blocked = renewal.public().join(name_of(&names("b.example.org")));
    fs::write(&blocked, "a file where a folder belongs").unwrap();
    let both = wanted(&["a.example.org", "b.example.org"]);

    assert!(matches!(renewal.set(both.clone(), now()), Err(CertError::Io { .. })));
    assert_eq!(held(&renewal), ["a.example.org"]);

    fs::remove_file(&blocked).unwrap();
    renewal.set(both, now()).unwrap();
    assert_eq!(renewal.status().borrow().len(), 2);
}

#[tokio::test]
async fn a_purge_removes_the_records_that_orders_left_also_those_of_names_that_are_wanted_no_more() {
    let folder = TempDir::new().unwrap();
    let renewal = renewal(folder.path());
    let zone: Arc<Zone> = Arc::default();
    let dns: Arc<dyn DnsProvider> = zone.clone();
    let with_dns = |all: &[&str]| Wanted { dns: Some(dns.clone()), ..wanted(all) };
    renewal.set(with_dns(&["a.example.org", "b.example.org"]), now()).unwrap();
    leave_records(&renewal, &zone);
    renewal.set(with_dns(&["a.example.org"]), now()).unwrap();
    assert_eq!(zone.records().len(), 2);

    renewal.purge(now()).await.unwrap();

    assert!(zone.records().is_empty());
    assert!(renewal.traces().is_empty);
}

#[tokio::test]
async fn an_order_that_is_forgotten_before_it_works_leaves_no_record() {
    let folder = TempDir::new().unwrap();
    let renewal = renewal(folder.path());
    let zone: Arc<Zone> = Arc::default();
    let registration = Registration { agreed: true, ..Registration::default() };
    let wanted = Wanted {
        directories: vec![CA.to_owned()],
        registrations: BTreeMap::from([(CA.to_owned(), registration)]),
        ways: vec![ChallengeKind::Dns],
        dns: Some(zone.clone()),
        ..wanted(&["a.example.org"])
    };
    renewal.set(wanted, now()).unwrap();
    leave_records(&renewal, &zone);

    renewal.tick(now()).await;

    assert!(renewal.status().borrow()[0].last_setback().is_some());
    assert!(renewal.entries().values().all(|entry| entry.pending().is_none()));
    assert!(zone.records().is_empty());
}
