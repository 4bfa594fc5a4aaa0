//! Whole trays as text, for every state in both languages, against `golden.txt`. `GATEHOUSE_WRITE_GOLDEN=1` writes it.

use gatehouse_api::{
    AddressScope, Cause, CertSummary, Code, DeviceCounts, GatewaySummary, LastChange, Problem, Proof, StepId,
    TrustedBy,
};
use time::macros::datetime;

use super::*;

const NOW: OffsetDateTime = datetime!(2026-11-20 14:02:00 UTC);
const LANGUAGES: [(&str, Language); 2] =
    [("en", Language::English), ("zh-Hans", Language::SimplifiedChinese)];

fn off() -> Snapshot {
    Snapshot {
        schema: gatehouse_api::SCHEMA,
        version: "0.1.0".into(),
        desired: Desired::Off,
        actual: Actual::Off,
        addresses: Vec::new(),
        cert: None,
        certificates: Vec::new(),
        gateway: GatewaySummary {
            version: Some("2026.9.6".into()),
            pid: Some(812),
            url: "http://127.0.0.1:18789".into(),
            verdict: GatewayVerdict::Running,
            detail: None,
            config_path: None,
            supervised: false,
            service: None,
        },
        devices: DeviceCounts::default(),
        last_change: None,
        listener: None,
        mapping: None,
        problems: Vec::new(),
        expiring: Vec::new(),
        secrets: "keychain".into(),
        pid: 700,
    }
}

fn proof() -> Proof {
    Proof {
        url: "https://192.168.1.20".into(),
        from: "192.168.1.20".into(),
        protocol: "TLS 1.3, HTTP/1.1, WebSocket".into(),
        at: NOW,
    }
}

fn on() -> Snapshot {
    let address = |url: &str, scope| Address {
        url: url.into(),
        scope,
        verified_at: Some(NOW),
        trusted_by: TrustedBy::LocalCa,
    };
    Snapshot {
        desired: Desired::Open {
            scope: Scope::Lan,
            hosts: Vec::new(),
            port: None,
            redirect_port: None,
            only: Vec::new(),
        },
        actual: Actual::On { proof: proof() },
        addresses: vec![
            address("https://localhost", AddressScope::Mac),
            address("https://192.168.1.20", AddressScope::Lan),
        ],
        cert: Some(CertSummary {
            issuer: "Gatehouse on mini".into(),
            not_before: NOW,
            not_after: NOW + time::Duration::days(90),
            names: vec!["192.168.1.20".into()],
            sha256: "AB".into(),
            ca_sha256: None,
        }),
        last_change: Some(LastChange {
            id: "c1".into(),
            title: "Open to local network".into(),
            at: NOW,
            undo_until: Some(NOW + time::Duration::hours(1)),
            confirm_by: None,
        }),
        ..off()
    }
}

fn problem() -> Problem {
    Problem {
        code: Code::Certificate,
        title: "Phones cannot open live chat".into(),
        because: "They do not trust the authority yet.".into(),
        fix: None,
    }
}

/// Every state that the tray can be in.
fn states() -> Vec<(&'static str, Snapshot)> {
    let waiting = |pending, snapshot| Snapshot { devices: DeviceCounts { pending, paired: 3 }, ..snapshot };
    let gateway = |verdict| {
        let gateway = GatewaySummary { verdict, version: None, pid: None, ..off().gateway };
        Snapshot { gateway, ..off() }
    };
    let blocked = "Port 443 is used by OrbStack Helper (process 631), which this sentence goes on to tell at great length.";
    vec![
        ("off", off()),
        ("on", on()),
        ("on, one device waiting", waiting(1, on())),
        ("on, two devices waiting", waiting(2, on())),
        (
            "preparing",
            Snapshot { actual: Actual::Preparing { step: StepId::Verify, number: 7, of: 8 }, ..on() },
        ),
        (
            "degraded",
            Snapshot { actual: Actual::Degraded { proof: Some(proof()) }, problems: vec![problem()], ..on() },
        ),
        (
            "paused until",
            Snapshot { actual: Actual::Paused { until: Some(NOW + time::Duration::minutes(15)) }, ..on() },
        ),
        ("paused until told", Snapshot { actual: Actual::Paused { until: None }, ..on() }),
        (
            "blocked",
            Snapshot {
                actual: Actual::Blocked { cause: Cause { code: Code::PortTaken, text: blocked.into() } },
                ..on()
            },
        ),
        (
            "everything at once",
            waiting(
                2,
                Snapshot {
                    actual: Actual::Degraded { proof: None },
                    problems: vec![problem(), problem()],
                    ..on()
                },
            ),
        ),
        (
            "open to the internet",
            Snapshot {
                desired: Desired::Open {
                    scope: Scope::Internet,
                    hosts: vec!["ai.example.com".into()],
                    port: None,
                    redirect_port: None,
                    only: Vec::new(),
                },
                ..on()
            },
        ),
        (
            "undo is no longer offered",
            Snapshot {
                last_change: on().last_change.map(|change| LastChange { undo_until: Some(NOW), ..change }),
                ..on()
            },
        ),
        ("gateway stopped", gateway(GatewayVerdict::Stopped)),
        ("gateway starting", gateway(GatewayVerdict::Starting)),
        ("gateway refuses us", gateway(GatewayVerdict::AuthRefused)),
        ("port taken", gateway(GatewayVerdict::PortTaken)),
        ("no gateway", gateway(GatewayVerdict::NotFound)),
    ]
}

/// Every tray there is: state, language, tray.
fn trays() -> Vec<(String, Tray)> {
    let clock = Clock::utc();
    let states = states();
    let mut trays = Vec::new();
    for (tag, language) in LANGUAGES {
        for (name, core) in [("starting", Core::Starting), ("down", Core::Down), ("stopping", Core::Stopping)]
        {
            trays.push((format!("{name}, {tag}"), tray(core, language, clock, NOW)));
        }
        for (name, snapshot) in &states {
            for (place, hosting) in [("here", Hosting::Here), ("elsewhere", Hosting::Elsewhere)] {
                let core = Core::Up(snapshot, hosting);
                trays.push((format!("{name}, {place}, {tag}"), tray(core, language, clock, NOW)));
            }
        }
    }
    trays
}

fn written(tray: &Tray) -> String {
    fn rows(entries: &[Entry], indent: &str, lines: &mut Vec<String>) {
        for entry in entries {
            lines.push(match entry {
                Entry::Separator => format!("{indent}—"),
                Entry::Label { id, text } => format!("{indent}({text})  #{id}"),
                Entry::Submenu { id, text, entries } => {
                    lines.push(format!("{indent}{text} ▸  #{id}"));
                    rows(entries, &format!("{indent}    "), lines);
                    continue;
                }
                Entry::Item { action, text, key, checked } => {
                    let tick = match checked {
                        None => "",
                        Some(true) => "[x] ",
                        Some(false) => "[ ] ",
                    };
                    let key = key.map(|key| format!("  {key}")).unwrap_or_default();
                    format!("{indent}{tick}{text}{key}  #{}", action.id())
                }
            });
        }
    }
    let dot = if tray.icon.waiting { " with dot" } else { "" };
    let mut lines = vec![format!(
        "  icon {:?}{dot}, title \"{}\", tooltip \"{}\"",
        tray.icon.shape, tray.title, tray.tooltip
    )];
    rows(&tray.menu, "  ", &mut lines);
    lines.join("\n")
}

fn texts(tray: &Tray) -> Vec<&str> {
    let rows = flat(&tray.menu).into_iter().filter_map(|entry| match entry {
        Entry::Label { text, .. } | Entry::Item { text, .. } | Entry::Submenu { text, .. } => {
            Some(text.as_str())
        }
        Entry::Separator => None,
    });
    rows.chain([tray.tooltip.as_str()]).collect()
}

#[test]
fn every_tray_is_as_it_was_written_down() {
    let now: String = trays().iter().map(|(name, tray)| format!("{name}\n{}\n\n", written(tray))).collect();
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/app/menu/golden.txt");
    if std::env::var_os("GATEHOUSE_WRITE_GOLDEN").is_some() {
        std::fs::write(&path, &now).unwrap();
    }
    let golden = std::fs::read_to_string(&path).unwrap();
    for (number, (was, is)) in golden.split("\n\n").zip(now.split("\n\n")).enumerate() {
        assert_eq!(was, is, "tray {number}");
    }
    assert_eq!(golden, now);
}

#[test]
fn no_text_is_a_key_that_is_missing_in_the_catalogue_and_none_has_a_hole() {
    for (name, tray) in trays() {
        for text in texts(&tray) {
            let bare = text.trim_start_matches("Gatehouse: ");
            let is_key = bare.contains('.')
                && bare
                    .chars()
                    .all(|char| char.is_ascii_lowercase() || char.is_ascii_digit() || ".-".contains(char));
            assert!(!text.is_empty() && !is_key && !text.contains('{'), "{name}: {text}");
        }
    }
}

#[test]
fn a_menu_is_a_menu_and_not_a_page() {
    for (name, tray) in trays() {
        let rows = tray.menu.iter().filter(|entry| **entry != Entry::Separator).count();
        assert!(rows <= 14, "{name}: {rows} rows");
        let beside = tray.menu.windows(2).any(|pair| pair == [Entry::Separator, Entry::Separator]);
        assert!(
            !beside && tray.menu.last() != Some(&Entry::Separator),
            "{name}: a line that divides nothing"
        );
        for text in texts(&tray) {
            assert!(text.chars().count() <= 90, "{name}: {text}");
        }
    }
}

#[test]
fn ids_and_keys_are_given_once() {
    for (name, tray) in trays() {
        let rows = flat(&tray.menu);
        let mut ids = std::collections::BTreeSet::new();
        let mut keys = std::collections::BTreeSet::new();
        for entry in rows {
            let (id, key) = match entry {
                Entry::Label { id, .. } | Entry::Submenu { id, .. } => ((*id).to_owned(), None),
                Entry::Item { action, key, .. } => (action.id(), *key),
                Entry::Separator => continue,
            };
            assert!(ids.insert(id.clone()), "{name}: {id} twice");
            assert!(key.is_none_or(|key| keys.insert(key)), "{name}: {key:?} twice");
        }
    }
}

#[test]
fn nothing_in_it_is_secret_or_leads_to_a_secret() {
    for (name, tray) in trays() {
        for text in texts(&tray) {
            assert!(
                !text.contains(['#', '?']) && !text.to_ascii_lowercase().contains("token="),
                "{name}: {text}"
            );
        }
    }
}

#[test]
fn who_waits_is_seen_without_opening_anything() {
    let snapshot = Snapshot { devices: DeviceCounts { pending: 2, paired: 0 }, ..on() };
    let tray = tray(Core::Up(&snapshot, Hosting::Here), Language::English, Clock::utc(), NOW);

    assert!(tray.icon.waiting);
    assert_eq!(tray.title, "2");
    assert_eq!(tray.tooltip, "Gatehouse: On · local network, 2 devices waiting");
}

#[test]
fn the_address_for_others_comes_before_that_of_this_machine() {
    assert_eq!(best(&on()).map(|address| address.url.as_str()), Some("https://192.168.1.20"));
    assert_eq!(best(&off()), None);
}

#[test]
fn a_menu_is_rewritten_only_where_its_rows_stay_the_same() {
    let menu = |snapshot: &Snapshot, language| {
        tray(Core::Up(snapshot, Hosting::Here), language, Clock::utc(), NOW).menu
    };
    let [english, chinese] = LANGUAGES.map(|(_, language)| menu(&on(), language));
    let preparing = |step, number| Snapshot { actual: Actual::Preparing { step, number, of: 8 }, ..on() };
    let [sixth, seventh] = [preparing(StepId::Configure, 6), preparing(StepId::Verify, 7)];
    let internet = Snapshot {
        desired: Desired::Open {
            scope: Scope::Internet,
            hosts: Vec::new(),
            port: None,
            redirect_port: None,
            only: Vec::new(),
        },
        ..on()
    };
    let waiting = Snapshot { devices: DeviceCounts { pending: 1, paired: 0 }, ..on() };
    let paused = Snapshot { actual: Actual::Paused { until: None }, ..on() };

    assert!(is_alike(&english, &chinese));
    assert!(is_alike(&menu(&sixth, Language::English), &menu(&seventh, Language::English)));
    assert!(!is_alike(&english, &menu(&sixth, Language::English)));
    assert!(is_alike(&english, &menu(&internet, Language::English)));
    assert!(!is_alike(&english, &menu(&waiting, Language::English)));
    assert!(!is_alike(&english, &menu(&paused, Language::English)));
    assert!(!is_alike(&english, &menu(&off(), Language::English)));
}

#[test]
fn while_the_link_is_made_the_dashboard_can_be_stopped_and_not_asked_for_again() {
    let before = tray(Core::Up(&on(), Hosting::Here), Language::English, Clock::utc(), NOW);
    let now = opening_dashboard(before.clone(), Language::English);

    let ids = |tray: &Tray| -> Vec<String> {
        let actions = flat(&tray.menu).into_iter().filter_map(|entry| match entry {
            Entry::Item { action, .. } => Some(action.id()),
            Entry::Label { .. } | Entry::Submenu { .. } | Entry::Separator => None,
        });
        actions.collect()
    };
    assert!(ids(&before).contains(&"open.dashboard".to_owned()));
    assert!(!ids(&now).contains(&"open.dashboard".to_owned()));
    assert!(ids(&now).contains(&"open.dashboard.stop".to_owned()));
}

#[test]
fn a_change_that_waits_for_its_confirmation_is_not_offered_for_undo() {
    let change = on().last_change.map(|change| LastChange { confirm_by: Some(NOW), ..change });
    let snapshot = Snapshot { last_change: change, ..on() };
    let tray = tray(Core::Up(&snapshot, Hosting::Here), Language::English, Clock::utc(), NOW);

    assert!(!flat(&tray.menu).iter().any(|entry| matches!(entry, Entry::Item { action: Action::Undo, .. })));
}

#[test]
fn keys_come_from_the_table_that_the_window_has_too() {
    assert_eq!(accelerator("open.dashboard"), Some("CmdOrCtrl+O"));
    assert_eq!(accelerator("undo"), Some("CmdOrCtrl+Z"));
    assert_eq!(accelerator("expose.lan"), None);
}
