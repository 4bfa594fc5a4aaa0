//! What would make an attempt fail, judged from facts: pure, so that it can be a table.
//!
//! A hindrance is what is certain: the name does not exist, leads to no public address, or its owner forbids it. What only
//! may hinder (an address that is not one of ours: we cannot see through a router) is a doubt and stops nothing.

use std::net::IpAddr;

use gatehouse_api::{Fix, PreflightFinding, Scope, Text, Weight, say};
use gatehouse_certs::acme::{Authorization, Cause, ChallengeKind, DnsFacts, Identifier, is_public};
use gatehouse_edge::is_cloudflare;
use time::OffsetDateTime;

/// What is known of one name.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Facts {
    pub(super) identifier: Identifier,
    /// What DNS says; `None` for an address.
    pub(super) dns: Option<DnsFacts>,
    /// What is the same for all names.
    pub(super) here: Here,
}

/// What is the same for all names.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Here {
    /// This machine's own public addresses.
    pub(super) own: Vec<IpAddr>,
    /// The ways that are open.
    pub(super) ways: Vec<ChallengeKind>,
    /// The HTTPS port.
    pub(super) https: Option<u16>,
    /// The plain port.
    pub(super) redirect: Option<u16>,
    /// The port of the home's router that leads to the HTTPS port.
    pub(super) mapped: Option<u16>,
    /// Whether only some networks get in.
    pub(super) limited: bool,
    /// For whom the address is open.
    pub(super) scope: Scope,
    pub(super) authority: Authority,
    pub(super) now: OffsetDateTime,
    /// A clock before this is wrong.
    pub(super) earliest: OffsetDateTime,
}

/// The authority that would be asked.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Authority {
    pub(super) name: String,
    /// What a CAA record must say; empty = the authority does not tell.
    pub(super) identities: Vec<String>,
    /// Our account there.
    pub(super) account: Option<String>,
    /// One that the user gave a certificate for may be on a private network.
    pub(super) private: bool,
    /// Why it cannot be reached.
    pub(super) unreachable: Option<String>,
    /// Whether it wants an account of its web site that is not there.
    pub(super) lacks_external: bool,
    /// Whether its terms are agreed to.
    pub(super) agreed: bool,
}

/// A finding, with what it would have been at the authority.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Judged {
    pub(super) finding: PreflightFinding,
    pub(super) cause: Cause,
}

struct Judge<'a> {
    name: Option<String>,
    here: &'a Here,
    all: Vec<Judged>,
}

/// What is the same for all names.
pub(super) fn judge_here(here: &Here) -> Vec<Judged> {
    let mut judge = Judge { name: None, here, all: Vec::new() };
    if here.now < here.earliest {
        judge.hinders(
            Cause::Local,
            say!("core.acme.pre.clock", now = here.now.date()),
            Some(say!("core.clock.fix")),
        );
    }
    let authority = &here.authority;
    if !authority.agreed {
        judge.hinders(
            Cause::Terms,
            say!("core.acme.pre.terms", authority = authority.name),
            Some(say!("core.acme.cause.terms")),
        );
    }
    match &authority.unreachable {
        Some(why) => judge.hinders(
            Cause::Unreachable,
            say!("core.acme.pre.unreachable", authority = authority.name, why = why),
            Some(say!("core.acme.cause.unreachable")),
        ),
        None => judge.good(say!("core.acme.pre.reachable", authority = authority.name)),
    }
    if authority.lacks_external {
        judge.hinders(
            Cause::ExternalAccount,
            say!("core.acme.pre.external", authority = authority.name),
            Some(say!("core.acme.cause.external")),
        );
    }
    judge.all
}

/// What one name is judged by.
pub(super) fn judge(facts: &Facts) -> Vec<Judged> {
    let mut judge = Judge { name: Some(facts.identifier.to_string()), here: &facts.here, all: Vec::new() };
    let here = &facts.here;
    let mut ways: Vec<ChallengeKind> =
        here.ways.iter().copied().filter(|way| way.can_prove(&facts.identifier)).collect();
    if ways.is_empty() {
        judge.hinders(Cause::NoChallenge, say!("core.acme.no-way"), Some(say!("core.acme.no-way-fix")));
        return judge.all;
    }
    if let Some(dns) = &facts.dns {
        for question in &dns.unanswered {
            judge.doubts(Cause::Dns, say!("core.acme.pre.unanswered", question = question), None);
        }
        allowed(&mut judge, &facts.identifier, dns, &mut ways);
        if ways.is_empty() {
            return judge.all;
        }
    }
    // A TXT record needs neither address nor port.
    if ways.contains(&ChallengeKind::Dns) {
        return judge.all;
    }
    match (&facts.identifier, &facts.dns) {
        (Identifier::Ip(ip), _) => address(&mut judge, *ip),
        (_, Some(dns)) => leads_here(&mut judge, dns, &ways),
        (_, None) => {}
    }
    ports(&mut judge, &ways);
    judge.all
}

/// CAA: whether the owner allows this authority, and which ways.
fn allowed(judge: &mut Judge<'_>, one: &Identifier, dns: &DnsFacts, ways: &mut Vec<ChallengeKind>) {
    let Some(all) = &dns.authorizations else { return };
    let authority = &judge.here.authority;
    let wildcard = matches!(one, Identifier::Wildcard(_));
    let special = wildcard && all.iter().any(|one| one.wildcard);
    let relevant: Vec<&Authorization> = all.iter().filter(|one| one.wildcard == special).collect();
    if relevant.is_empty() {
        return;
    }
    if authority.identities.is_empty() {
        judge.doubts(Cause::Caa, say!("core.acme.pre.caa-unknown", authority = authority.name), None);
        return;
    }
    let names =
        |one: &&&Authorization| authority.identities.iter().any(|id| id.eq_ignore_ascii_case(&one.issuer));
    let ours: Vec<&Authorization> = relevant.iter().filter(names).copied().collect();
    let listed: Vec<&str> =
        relevant.iter().map(|one| one.issuer.as_str()).filter(|one| !one.is_empty()).collect();
    if ours.is_empty() {
        let identity = authority.identities.join(" / ");
        let listed = if listed.is_empty() { "–".to_owned() } else { listed.join(", ") };
        judge.hinders(
            Cause::Caa,
            say!("core.acme.pre.caa", authority = authority.name, allowed = listed),
            Some(say!("core.acme.pre.caa-fix", identity = identity)),
        );
        ways.clear();
        return;
    }
    let account = |one: &&&Authorization| match (&one.account, &authority.account) {
        (Some(wanted), Some(account)) => wanted == account,
        // There is no account yet: it is certain to be another one.
        (Some(_), None) => false,
        (None, _) => true,
    };
    let ours: Vec<&Authorization> = ours.iter().filter(account).copied().collect();
    if ours.is_empty() {
        judge.hinders(
            Cause::Caa,
            say!("core.acme.pre.caa-account"),
            Some(say!("core.acme.pre.caa-account-fix")),
        );
        ways.clear();
        return;
    }
    let may = |way: &ChallengeKind| {
        ours.iter()
            .any(|one| one.methods.as_ref().is_none_or(|methods| methods.iter().any(|it| it == word(*way))))
    };
    ways.retain(may);
    if ways.is_empty() {
        let methods: Vec<String> =
            ours.iter().flat_map(|one| one.methods.clone().unwrap_or_default()).collect();
        judge.hinders(
            Cause::Caa,
            say!("core.acme.pre.caa-methods", methods = methods.join(", ")),
            Some(say!("core.acme.pre.caa-methods-fix")),
        );
    } else {
        judge.good(say!("core.acme.pre.caa-good", authority = authority.name));
    }
}

/// Where the name leads. Authorities prefer IPv6, and do not fall back once anything answers there.
fn leads_here(judge: &mut Judge<'_>, dns: &DnsFacts, ways: &[ChallengeKind]) {
    let here = judge.here;
    let shown = |ips: &[IpAddr]| ips.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    if dns.addresses.is_empty() {
        if dns.unanswered.is_empty() {
            let text = match &dns.alias {
                Some(alias) => say!("core.acme.pre.alias-nowhere", alias = alias),
                None => say!("core.acme.pre.no-address"),
            };
            judge.hinders(Cause::Dns, text, Some(say!("core.acme.pre.no-address-fix")));
        }
        return;
    }
    let private: Vec<IpAddr> = dns.addresses.iter().copied().filter(|ip| !is_public(*ip)).collect();
    if !private.is_empty() && !here.authority.private {
        let text = say!("core.acme.pre.private", addresses = shown(&private));
        let fix = Some(say!("core.acme.pre.private-fix"));
        match private.len() == dns.addresses.len() {
            true => judge.hinders(Cause::Connection, text, fix),
            false => judge.doubts(Cause::Connection, text, fix),
        }
    }
    let proxied: Vec<IpAddr> = dns.addresses.iter().copied().filter(|ip| is_cloudflare(*ip)).collect();
    if !proxied.is_empty() {
        let fix = Some(say!("core.acme.pre.proxied-fix"));
        let text = say!("core.acme.pre.proxied", addresses = shown(&proxied));
        match ways == [ChallengeKind::TlsAlpn] {
            true => judge.hinders(Cause::WrongAnswer, text, fix),
            false => judge.doubts(Cause::WrongAnswer, text, fix),
        }
        return;
    }
    for v6 in [false, true] {
        let named: Vec<IpAddr> =
            dns.addresses.iter().copied().filter(|ip| ip.is_ipv6() == v6 && is_public(*ip)).collect();
        let own: Vec<IpAddr> = here.own.iter().copied().filter(|ip| ip.is_ipv6() == v6).collect();
        if named.is_empty() {
            continue;
        }
        if named.iter().any(|ip| own.contains(ip)) {
            judge.good(say!("core.acme.pre.ours", addresses = shown(&named)));
        } else if v6 {
            // IPv6 knows no translation: an address that is none of ours leads elsewhere.
            let text = say!("core.acme.pre.stale-v6", addresses = shown(&named));
            judge.doubts(Cause::Connection, text, Some(say!("core.acme.pre.stale-v6-fix")));
        } else if !own.is_empty() {
            let text = say!("core.acme.pre.elsewhere", addresses = shown(&named), own = shown(&own));
            judge.doubts(Cause::WrongAnswer, text, Some(say!("core.acme.pre.elsewhere-fix")));
        } else {
            judge.good(say!("core.acme.pre.router", addresses = shown(&named)));
        }
    }
}

fn address(judge: &mut Judge<'_>, ip: IpAddr) {
    if judge.here.own.contains(&ip) {
        judge.good(say!("core.acme.pre.ours", addresses = ip));
    } else if ip.is_ipv6() {
        let text = say!("core.acme.pre.stale-v6", addresses = ip);
        judge.doubts(Cause::Connection, text, Some(say!("core.acme.pre.stale-v6-fix")));
    } else {
        judge.good(say!("core.acme.pre.router", addresses = ip));
    }
}

/// Authorities come to 443 and 80, whatever the port here.
fn ports(judge: &mut Judge<'_>, ways: &[ChallengeKind]) {
    let here = judge.here;
    if here.scope != Scope::Internet && !here.authority.private {
        judge.hinders(Cause::Connection, say!("core.acme.pre.scope"), Some(say!("core.acme.pre.scope-fix")));
        return;
    }
    // Nobody says from where an authority comes, and it comes from several places at once.
    if here.limited && !here.authority.private {
        judge.hinders(
            Cause::Connection,
            say!("core.acme.pre.limited"),
            Some(say!("core.acme.pre.limited-fix")),
        );
        return;
    }
    let pairs = [(ChallengeKind::TlsAlpn, here.https, 443_u16), (ChallengeKind::Http, here.redirect, 80)];
    for (way, port, asked) in pairs {
        let Some(port) = port.filter(|_| ways.contains(&way)) else { continue };
        let through_router = way == ChallengeKind::TlsAlpn && here.mapped == Some(asked);
        match port == asked || through_router {
            true => judge.good(say!("core.acme.pre.port", port = asked)),
            false => judge.doubts(
                Cause::Connection,
                say!("core.acme.pre.other-port", asked = asked, port = port),
                Some(say!("core.acme.pre.other-port-fix", asked = asked, port = port)),
            ),
        }
    }
}

impl Judge<'_> {
    fn good(&mut self, text: Text) {
        self.push(Weight::Good, Cause::Local, text, None);
    }

    fn doubts(&mut self, cause: Cause, text: Text, fix: Option<Text>) {
        self.push(Weight::Doubt, cause, text, fix);
    }

    fn hinders(&mut self, cause: Cause, text: Text, fix: Option<Text>) {
        self.push(Weight::Hindrance, cause, text, fix);
    }

    fn push(&mut self, weight: Weight, cause: Cause, text: Text, fix: Option<Text>) {
        let fix = fix.map(|text| Fix { text, command: None });
        self.all
            .push(Judged { finding: PreflightFinding { name: self.name.clone(), weight, text, fix }, cause });
    }
}

fn word(way: ChallengeKind) -> &'static str {
    match way {
        ChallengeKind::TlsAlpn => "tls-alpn-01",
        ChallengeKind::Http => "http-01",
        ChallengeKind::Dns => "dns-01",
    }
}

#[cfg(test)]
mod tests;
