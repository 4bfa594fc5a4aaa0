//! What a notification says and which buttons it has.

use gatehouse_api::{Certificate, ExpiredDevice, Expiring, Nearness, PendingDevice, Problem};

use crate::words::Language;

/// A notification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Notification {
    /// One line.
    pub(crate) title: String,
    /// One or two lines.
    pub(crate) body: String,
    /// The one device that it is about; `None` = several, or none.
    pub(crate) device: Option<PendingDevice>,
    /// Its buttons with their texts.
    pub(crate) choices: Vec<(Choice, String)>,
    /// The page of the window that shows more.
    pub(crate) page: &'static str,
}

/// A button.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Choice {
    /// Show the devices.
    Review,
    /// Deny it.
    Deny,
    /// Approve it as it asks.
    Approve,
}

impl Choice {
    /// Its stable id.
    pub(crate) fn id(self) -> &'static str {
        match self {
            Self::Review => "review",
            Self::Deny => "deny",
            Self::Approve => "approve",
        }
    }
}

/// The notification for the devices that wait; there is at least one.
pub(crate) fn waiting(pending: &[PendingDevice], language: Language) -> Notification {
    let review = (Choice::Review, language.text("notify.review", &[]));
    let [device] = pending else {
        return Notification {
            title: language.count("devices.waiting-count", pending.len()),
            body: pending.iter().map(|device| plain(&device.name)).collect::<Vec<_>>().join(", "),
            device: None,
            choices: vec![review],
            page: "devices",
        };
    };
    let admin = device.scopes.iter().any(|scope| scope == "operator.admin");
    let asks = language.text(if admin { "notify.asks-admin" } else { "notify.asks-less" }, &[]);
    let from = device.via_edge.as_ref().map(|seen| seen.client.clone()).or_else(|| device.remote_ip.clone());
    let from = from.map_or_else(|| language.text("devices.no-address", &[]), |ip| plain(&ip));
    let mut choices = vec![review, (Choice::Deny, language.text("devices.deny", &[]))];
    if may_approve(device) {
        choices.push((Choice::Approve, language.text("devices.approve", &[])));
    }
    Notification {
        title: language.text("notify.wants", &[("name", &plain(&device.name))]),
        body: format!("{from} · {asks}"),
        device: Some(device.clone()),
        choices,
        page: "devices",
    }
}

/// The notification for a device that was revoked because its time was over.
pub(crate) fn expired(device: &ExpiredDevice, language: Language) -> Notification {
    Notification {
        title: language.text("notify.expired", &[("name", &plain(&device.name))]),
        body: device.note.in_language(language),
        device: None,
        choices: vec![(Choice::Review, language.text("notify.review", &[]))],
        page: "devices",
    }
}

/// What there is to tell about certificates now, each with the mark by which it is remembered that it was told: of public
/// and imported ones their problem, of the local one and its authority how near the end is. A renewal that is merely due
/// comes by itself, and who opens an address sees that it has no certificate yet.
pub(crate) fn certificates(
    all: &[Certificate],
    ends: &[Expiring],
    language: Language,
) -> Vec<(String, Notification)> {
    let held = all.iter().filter(|one| one.not_after.is_some());
    let ailing = held.filter_map(|one| {
        let problem = one.problem.as_ref()?;
        let what = problem.title.key().map_or_else(|| problem.title.to_string(), str::to_owned);
        let sha256 = one.sha256.as_deref().unwrap_or_default();
        Some((format!("{} {what} {sha256}", one.id), certificate(problem, language)))
    });
    let ending = ends.iter().filter(|expiring| expiring.nearness > Nearness::Due);
    let ending = ending.map(|one| (mark(one), expiring(one, language)));
    ailing.chain(ending).collect()
}

/// The notification about a certificate.
fn certificate(problem: &Problem, language: Language) -> Notification {
    let because = problem.because.in_language(language);
    let fix = problem.fix.as_ref().map(|fix| fix.text.in_language(language)).unwrap_or_default();
    Notification {
        title: language.text("notify.certificate", &[]),
        body: format!("{}\n{because}\n{fix}", problem.title.in_language(language)).trim_end().to_owned(),
        device: None,
        choices: vec![(Choice::Review, language.text("notify.certificates", &[]))],
        page: "certificates",
    }
}

/// The notification for a certificate that comes to its end.
fn expiring(expiring: &Expiring, language: Language) -> Notification {
    let title = match (expiring.authority, expiring.nearness) {
        (true, _) => "notify.expiring.ca",
        (false, Nearness::Due) => "notify.expiring.due",
        (false, Nearness::Near) => "notify.expiring.near",
        (false, Nearness::Close) => "notify.expiring.close",
        (false, Nearness::Over) => "notify.expiring.over",
    };
    Notification {
        title: language.text(title, &[]),
        body: language.text("notify.expiring.body", &[("date", &expiring.not_after.date().to_string())]),
        device: None,
        choices: vec![(Choice::Review, language.text("notify.certificates", &[]))],
        page: "certificates",
    }
}

/// By which it is remembered that this was told.
fn mark(expiring: &Expiring) -> String {
    format!("{:?} {}", expiring.nearness, expiring.sha256)
}

/// Whether a button may approve what nobody looked at in full.
fn may_approve(device: &PendingDevice) -> bool {
    let strong = ["operator.admin", "operator.pairing", "operator.talk.secrets"];
    let private = |ip: &str| match ip.parse() {
        Ok(std::net::IpAddr::V4(ip)) => ip.is_private() || ip.is_link_local(),
        Ok(std::net::IpAddr::V6(ip)) => ip.is_unique_local() || ip.is_unicast_link_local(),
        Err(_) => false,
    };
    device.role == "operator"
        && !device.is_repair
        && !device.scopes.iter().any(|scope| strong.contains(&scope.as_str()))
        && device.via_edge.as_ref().is_some_and(|seen| private(&seen.client))
}

/// A stranger's text on one line, at most 60 characters, without markup that a notification server would read.
fn plain(text: &str) -> String {
    text.chars()
        .filter(|char| !char.is_control() && !matches!(char, '<' | '>' | '&' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'))
        .take(60)
        .collect()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in super::super) fn device(scopes: &[&str]) -> PendingDevice {
        PendingDevice {
            device_id: "ab".repeat(32),
            request_id: "r1".into(),
            name: "iPhone".into(),
            platform: None,
            role: "operator".into(),
            scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(),
            remote_ip: Some("192.168.1.34".into()),
            via_edge: Some(gatehouse_api::EdgeSighting {
                client: "192.168.1.34".into(),
                host: "mini.local".into(),
                tls: "TLS 1.3".into(),
                agent: None,
                first_seen: time::OffsetDateTime::UNIX_EPOCH,
                last_seen: time::OffsetDateTime::UNIX_EPOCH,
            }),
            is_repair: false,
            asked_at: None,
        }
    }

    #[test]
    fn a_certificate_is_told_once_for_each_thing_that_is_wrong_with_it_and_anew_after_it_was_replaced() {
        let ailing = |title: &str, sha256: &str| Certificate {
            id: "acme:a".into(),
            kind: gatehouse_api::CertificateKind::Acme,
            state: gatehouse_api::CertificateState::Expiring,
            names: vec!["a.example".into()],
            issuer: None,
            not_before: None,
            not_after: Some(time::OffsetDateTime::UNIX_EPOCH),
            life_left: None,
            sha256: Some(sha256.into()),
            authority: None,
            stage: None,
            window: None,
            source: None,
            key_type: None,
            trusted: None,
            next_attempt: None,
            problem: Some(Problem {
                code: gatehouse_api::Code::Certificate,
                title: title.into(),
                because: "Unreachable.".into(),
                fix: None,
            }),
        };
        let end = |nearness| Expiring {
            sha256: "CD".into(),
            authority: false,
            nearness,
            not_after: time::OffsetDateTime::UNIX_EPOCH,
        };
        let marks = |all: &[Certificate], ends: &[Expiring]| -> Vec<String> {
            certificates(all, ends, Language::English).into_iter().map(|(mark, _)| mark).collect()
        };

        let first = marks(&[ailing("not renewed", "AB")], &[end(Nearness::Due)]);
        assert_eq!(first, marks(&[ailing("not renewed", "AB")], &[]), "what is only due is not told");
        assert_ne!(first, marks(&[ailing("ends soon", "AB")], &[]));
        assert_ne!(first, marks(&[ailing("not renewed", "EF")], &[]), "it was replaced in between");
        let missing = Certificate { not_after: None, ..ailing("none yet", "AB") };
        assert!(marks(&[missing], &[]).is_empty(), "who opens an address sees that it has none");
        let both = marks(&[ailing("not renewed", "AB")], &[end(Nearness::Near)]);
        assert!(both.len() == 2 && both.contains(&first[0]));
        assert_ne!(marks(&[], &[end(Nearness::Near)]), marks(&[], &[end(Nearness::Close)]));
    }

    fn approvable(device: &PendingDevice) -> bool {
        waiting(std::slice::from_ref(device), Language::English)
            .choices
            .iter()
            .any(|(choice, _)| *choice == Choice::Approve)
    }

    #[test]
    fn a_plain_new_device_of_the_local_network_can_be_approved_from_the_notification() {
        assert!(approvable(&device(&["operator.read", "operator.write"])));
    }

    #[test]
    fn whoever_asks_for_administration_is_looked_at_first() {
        assert!(!approvable(&device(&["operator.read", "operator.admin"])));
        assert!(!approvable(&device(&["operator.pairing"])));
    }

    #[test]
    fn a_node_a_known_key_or_a_stranger_is_looked_at_first() {
        let node = PendingDevice { role: "node".into(), ..device(&[]) };
        let known = PendingDevice { is_repair: true, ..device(&[]) };
        let unseen = PendingDevice { via_edge: None, ..device(&[]) };
        let mut far = device(&[]);
        if let Some(seen) = &mut far.via_edge {
            seen.client = "203.0.113.9".into();
        }
        for device in [node, known, unseen, far] {
            assert!(!approvable(&device), "{device:?}");
        }
    }

    #[test]
    fn two_devices_are_only_reviewed() {
        let shown = waiting(&[device(&[]), device(&[])], Language::English);
        assert_eq!(shown.title, "2 devices waiting");
        assert_eq!(shown.choices.iter().map(|(choice, _)| *choice).collect::<Vec<_>>(), [Choice::Review]);
    }

    #[test]
    fn each_certificate_and_each_share_of_its_life_has_a_mark_of_its_own() {
        let of = |sha256: &str, nearness| Expiring {
            sha256: sha256.into(),
            authority: false,
            nearness,
            not_after: time::OffsetDateTime::UNIX_EPOCH,
        };
        let marks = [
            mark(&of("AB", Nearness::Near)),
            mark(&of("AB", Nearness::Close)),
            mark(&of("CD", Nearness::Near)),
        ];
        assert!(marks[0] != marks[1] && marks[0] != marks[2]);
        let told = expiring(&of("AB", Nearness::Close), Language::English);
        assert_eq!((told.title.as_str(), told.page), ("The certificate expires very soon", "certificates"));
        assert_eq!(told.body, "It is valid until 1970-01-01.");
    }

    #[test]
    fn a_name_cannot_bring_markup_or_turn_the_line_around() {
        let evil = PendingDevice { name: "<b>Root</b>\u{202e}\n&amp;".into(), ..device(&[]) };
        assert_eq!(waiting(&[evil], Language::English).title, "bRoot/bamp; wants to connect");
    }
}
