//! Addresses that this machine had not long ago: still answered to, in the certificate and among the gateway's origins, so
//! that a network that comes back finds everything as it was. After a day the gateway forgets their origins, and the next
//! certificate is made without them.
//!
//! Guarantees: only addresses that went away by themselves are kept, never one that the user closed; an origin is removed
//! only where Gatehouse added it.

use std::collections::BTreeMap;
use std::net::IpAddr;

use gatehouse_api::{AddressScope, ErrorEnvelope, KeptAddress};
use gatehouse_certs::{Names, Permitted};
use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime};

use crate::address_plan::{AddressPlan, NAMES_LIMIT};
use crate::context::Context;
use crate::errors::Explain;
use crate::settings::Settings;
use crate::transaction::off_thread;

/// How long they are kept.
pub const KEEP: Duration = Duration::DAY;
/// The most that are kept.
const MOST: usize = 12;

/// Until when an address is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptSettings {
    /// By the wall clock.
    #[serde(with = "time::serde::rfc3339")]
    pub until: OffsetDateTime,
}

/// The addresses of before that are kept beside those of `plan`, which this machine has now: pure.
pub(crate) fn next(
    settings: &Settings,
    plan: &AddressPlan,
    now: OffsetDateTime,
) -> BTreeMap<String, KeptSettings> {
    let here = |url: &str| plan.addresses.iter().any(|address| address.url == url);
    let mut kept = settings.kept.clone();
    for url in settings.last_addresses.iter().filter(|url| !here(url)) {
        kept.entry(url.clone()).or_insert(KeptSettings { until: now + KEEP });
    }
    kept.retain(|url, _| !here(url));
    // A clock that was set back keeps nothing for longer.
    kept.values_mut().for_each(|kept| kept.until = kept.until.min(now + KEEP));
    while kept.len() > MOST {
        let oldest = kept.iter().min_by_key(|(_, kept)| kept.until).map(|(url, _)| url.clone());
        kept.remove(&oldest.unwrap_or_default());
    }
    kept
}

/// What is advertised now and can go away by itself.
pub(crate) fn advertised(plan: &AddressPlan) -> Vec<String> {
    let leaves = |scope: AddressScope| scope != AddressScope::Mac;
    plan.addresses.iter().filter(|one| leaves(one.scope)).map(|one| one.url.clone()).collect()
}

/// The names of those that are still kept.
pub(crate) fn names(kept: &BTreeMap<String, KeptSettings>, now: OffsetDateTime) -> Names {
    let mut names = Names::default();
    for (url, _) in kept.iter().filter(|(_, kept)| now < kept.until) {
        let host = host(url);
        match host.parse::<IpAddr>() {
            Ok(ip) => _ = names.ips.insert(ip),
            Err(_) => _ = names.dns.insert(host.to_owned()),
        }
    }
    names
}

/// Answers to them, and puts them into the certificate as far as the authority may vouch for them.
pub(crate) fn include(plan: &mut AddressPlan, names: &Names) {
    plan.served.dns.extend(names.dns.iter().cloned());
    plan.served.ips.extend(names.ips.iter().copied());
    let permitted = Permitted::private();
    let room = NAMES_LIMIT.saturating_sub(plan.certificate.len());
    let new = names.dns.iter().filter(|name| permitted.allows_dns(name)).take(room);
    plan.certificate.dns.extend(new.cloned());
}

/// For views.
pub(crate) fn listed(settings: &Settings) -> Vec<KeptAddress> {
    let told = |(url, kept): (&String, &KeptSettings)| KeptAddress { url: url.clone(), until: kept.until };
    settings.kept.iter().map(told).collect()
}

/// When the next one is over.
pub(crate) fn due(settings: &Settings) -> Option<OffsetDateTime> {
    settings.kept.values().map(|kept| kept.until).min()
}

/// Those that are over.
pub(crate) fn over(settings: &Settings, now: OffsetDateTime) -> Vec<String> {
    settings.kept.iter().filter(|(_, kept)| kept.until <= now).map(|(url, _)| url.clone()).collect()
}

/// Writes what is advertised, and what is kept; only where that changed.
pub(crate) async fn remember(
    context: &Context,
    advertised: Vec<String>,
    kept: BTreeMap<String, KeptSettings>,
) -> Result<(), ErrorEnvelope> {
    let settings = context.settings.clone();
    let current = settings.current();
    if current.last_addresses == advertised && current.kept == kept {
        return Ok(());
    }
    let write = move || {
        settings.update(|settings| {
            settings.last_addresses = advertised;
            settings.kept = kept;
        })
    };
    off_thread(write).await?.map(|_| ()).map_err(|error| error.explain())
}

/// The host of a URL that we made.
fn host(url: &str) -> &str {
    let authority = url.strip_prefix("https://").unwrap_or(url);
    match authority.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or(rest),
        None => authority.split(':').next().unwrap_or(authority),
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, SocketAddr};

    use gatehouse_edge::{AllowedClients, OwnAddresses, ServedNames};
    use time::macros::datetime;

    use super::*;
    use crate::address_plan::PlannedAddress;

    const NOW: OffsetDateTime = datetime!(2026-11-28 12:00 UTC);

    fn plan(urls: &[&str]) -> AddressPlan {
        let address = |url: &&str| PlannedAddress {
            url: (*url).to_owned(),
            scope: AddressScope::Lan,
            host: host(url).to_owned(),
            connect: SocketAddr::from((Ipv4Addr::LOCALHOST, 443)),
        };
        AddressPlan {
            addresses: urls.iter().map(address).collect(),
            served: ServedNames::default(),
            clients: AllowedClients::LoopbackOnly,
            own: OwnAddresses::default(),
            certificate: Names::default(),
            public: Vec::new(),
            warnings: Vec::new(),
        }
    }

    fn settings(last: &[&str], kept: &[(&str, OffsetDateTime)]) -> Settings {
        Settings {
            last_addresses: last.iter().map(|url| (*url).to_owned()).collect(),
            kept: kept
                .iter()
                .map(|(url, until)| ((*url).to_owned(), KeptSettings { until: *until }))
                .collect(),
            ..Settings::default()
        }
    }

    #[test]
    fn an_address_that_went_is_kept_for_a_day_and_not_longer_by_going_twice() {
        let before = settings(&["https://192.168.1.20", "https://mini.local"], &[]);
        let kept = next(&before, &plan(&["https://mini.local", "https://10.0.0.5"]), NOW);
        assert_eq!(kept["https://192.168.1.20"].until, NOW + KEEP);
        assert_eq!(kept.len(), 1);
        let later = settings(&["https://mini.local"], &[("https://192.168.1.20", NOW + KEEP)]);
        let same = next(&later, &plan(&["https://mini.local"]), NOW + Duration::hours(5));
        assert_eq!(same["https://192.168.1.20"].until, NOW + KEEP);
        assert_eq!(over(&later, NOW + KEEP), ["https://192.168.1.20"]);
        assert_eq!(names(&later.kept, NOW).ips.len(), 1);
        assert!(names(&later.kept, NOW + KEEP).is_empty());
    }

    #[test]
    fn one_that_comes_back_is_no_longer_kept_and_a_clock_set_back_keeps_none_for_longer() {
        let before = settings(&[], &[("https://192.168.1.20", NOW + KEEP)]);
        assert!(next(&before, &plan(&["https://192.168.1.20"]), NOW).is_empty());
        let back = NOW - Duration::days(30);
        assert_eq!(next(&before, &plan(&[]), back)["https://192.168.1.20"].until, back + KEEP);
    }

    #[test]
    fn kept_ones_are_answered_to_and_those_of_the_internet_are_in_no_local_certificate() {
        let kept =
            settings(&[], &[("https://old.local:8443", NOW + KEEP), ("https://[fd00::7]:8443", NOW + KEEP)]);
        let mut plan = plan(&["https://mini.local"]);
        let names = names(&kept.kept, NOW);
        include(&mut plan, &names);
        assert!(plan.served.dns.contains("old.local") && plan.certificate.dns.contains("old.local"));
        assert!(plan.served.ips.contains(&"fd00::7".parse().unwrap()));
        let public = settings(&[], &[("https://gate.example.com", NOW + KEEP)]);
        include(&mut plan, &super::names(&public.kept, NOW));
        assert!(!plan.certificate.dns.contains("gate.example.com"));
    }

    #[test]
    fn no_more_than_a_dozen_are_kept() {
        let urls: Vec<String> = (0..30).map(|number| format!("https://10.0.0.{number}")).collect();
        let urls: Vec<&str> = urls.iter().map(String::as_str).collect();
        assert_eq!(next(&settings(&urls, &[]), &plan(&[]), NOW).len(), MOST);
    }
}
