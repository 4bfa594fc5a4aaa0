use super::*;
use gatehouse_api::SecretText;
use std::collections::BTreeSet;

fn edit(key: &str, value: &str) -> ConfigEdit {
    ConfigEdit { key: key.to_owned(), value: Some(value.to_owned()) }
}

fn stored(edits: &[(&str, &str)]) -> Map<String, Value> {
    let edits: Vec<_> = edits.iter().map(|(key, value)| edit(key, value)).collect();
    edited(&Map::new(), &edits, false).unwrap()
}

#[test]
fn every_limit_of_the_edge_has_a_key_and_every_key_is_one_of_a_kind() {
    let shown = format!("{:#?}", Limits::default());
    let fields = shown.lines().filter_map(|line| line.strip_prefix("    ")?.split_once(':'));
    let fields: BTreeSet<String> = fields
        .filter(|(name, _)| !name.starts_with(' '))
        .map(|(name, _)| format!("limits.{}", name.replace('_', "-")))
        .collect();
    let keys: BTreeSet<String> =
        KEYS.iter().map(|key| key.name.to_owned()).filter(|name| name.starts_with("limits.")).collect();
    assert_eq!(keys, fields);
    assert_eq!(KEYS.iter().map(|key| key.name).collect::<BTreeSet<_>>().len(), KEYS.len());
    for key in KEYS {
        let about = (key.about)();
        assert!(about.ends_with('.') && about.starts_with(char::is_uppercase), "{}", key.name);
    }
}

#[test]
fn what_a_key_shows_it_takes_again_and_stores() {
    let mut config = EdgeConfig {
        proxy_protocol: vec!["10.0.0.0/24".parse().unwrap(), "2001:db8::1/128".parse().unwrap()],
        metrics_port: Some(9464),
        front: FrontProfile::tunnel("open sesame"),
        routes: "/v1 api body=1048576".parse().unwrap(),
        ..EdgeConfig::default()
    };
    for key in KEYS {
        let shown = key.get(&mut config);
        let mut copy = EdgeConfig::default();
        key.set(&mut copy, &shown).unwrap();
        assert_eq!(key.get(&mut copy), shown, "{}", key.name);
        let json = key.json(&mut config);
        assert_eq!(value::text(&json).as_deref(), Some(shown.as_str()), "{}", key.name);
        if let (Some(least), Some(most)) = key.range() {
            key.set(&mut copy, &least).unwrap();
            key.set(&mut copy, &most).unwrap();
        }
    }
}

#[test]
fn values_are_taken_within_their_range_and_in_one_meaning() {
    for (key, text, shown) in [
        ("limits.handshake", "1500ms", Some("1500ms")),
        ("limits.handshake", "60s", Some("1m")),
        ("limits.handshake", "61s", None),
        ("limits.handshake", "10", None),
        ("limits.handshake", "none", None),
        ("limits.handshake", "-1s", None),
        ("limits.handshake", "1.5s", None),
        ("limits.websocket-idle", "none", Some("none")),
        ("limits.websocket-idle", "24h", Some("1d")),
        ("limits.websocket-idle", "1s", None),
        ("limits.body-bytes", "20 MiB", Some("20MiB")),
        ("limits.body-bytes", "1048576", Some("1MiB")),
        ("limits.body-bytes", "1MB", None),
        ("limits.body-bytes", "99999999999999999999", None),
        ("limits.connections", "100", Some("100")),
        ("limits.connections", "0", None),
        ("limits.connections", "0x10", None),
        ("limits.connections", "1e3", None),
        ("websocket-over-h2", "off", Some("false")),
        ("websocket-over-h2", "maybe", None),
        ("metrics-port", "9464", Some("9464")),
        ("metrics-port", "80", None),
        ("metrics-port", "none", Some("none")),
        ("proxy-protocol", "10.0.0.5, fd00::/64", Some("10.0.0.5/32,fd00::/64")),
        ("proxy-protocol", "127.0.0.1", None),
        ("proxy-protocol", "0.0.0.0/0", None),
        ("proxy-protocol", "::1/128", None),
        ("proxy-protocol", "example.org", None),
        ("front", "cloudflare", Some("cloudflare")),
        ("front", "none", Some("none")),
        ("front", "nginx", None),
        ("front", "tunnel:abc", None),
        (
            "routes",
            "/v1 api; *.preview.example.net/ interactive port=18890",
            Some("*.preview.example.net/ interactive port=18890; /v1 api"),
        ),
        ("routes", "none", Some("none")),
        ("routes", "/v1 fast", None),
        ("routes", "/v1 api; /v1 interactive", None),
    ] {
        let mut config = EdgeConfig::default();
        let taken = keys::find(key).unwrap().set(&mut config, text);
        match shown {
            Some(shown) => {
                taken.unwrap();
                assert_eq!(keys::find(key).unwrap().get(&mut config), shown, "{key} {text}");
            }
            None => {
                let because = taken.unwrap_err();
                assert!(because.ends_with('.'), "{because}");
                assert_eq!(config, EdgeConfig::default(), "{key} {text}");
            }
        }
    }
}

#[test]
fn one_wrong_value_stops_all_edits_and_every_wrong_one_is_named() {
    let edits = [
        edit("limits.connections", "100"),
        edit("limits.handshake", "1h"),
        edit("limits.connection", "7"),
        edit("nonsense", "7"),
    ];
    let error = edited(&Map::new(), &edits, false).unwrap_err();
    assert_eq!(error.code, Code::Usage);
    assert_eq!(error.because, "limits.handshake: 1h is not from 1s to 1m.");
    assert_eq!(
        error.evidence,
        ["There is no limits.connection; limits.connections may be meant.", "There is no nonsense."]
    );
}

#[test]
fn what_is_set_to_its_default_is_not_stored_and_unknown_keys_are_kept() {
    let mut before = stored(&[("limits.connections", "100"), ("limits.handshake", "5s")]);
    before.insert("later.key".to_owned(), Value::from(7));
    let after = edited(
        &before,
        &[edit("limits.handshake", "10s"), ConfigEdit { key: "limits.connections".into(), value: None }],
        false,
    )
    .unwrap();
    assert_eq!(Value::Object(after.clone()), serde_json::json!({"later.key": 7}));
    assert_eq!(unknown(&after), ["later.key"]);
    assert_eq!(
        differences(&before, &after),
        ["limits.handshake: 5s → 10s", "limits.connections: 100 → 4096"]
    );
    let replaced = edited(&before, &[edit("limits.headers", "5s"), edit("newer.key", "x")], true).unwrap();
    assert_eq!(
        Value::Object(replaced),
        serde_json::json!({"later.key": 7, "limits.headers": "5s", "newer.key": "x"})
    );
}

#[test]
fn what_was_written_by_hand_and_is_unusable_is_named_and_the_rest_counts() {
    let by_hand = serde_json::json!({
        "limits.connections": 77, "limits.handshake": 10, "limits.headers": {}, "websocket-over-h2": false,
    });
    let (config, unusable) = EdgeConfig::of(by_hand.as_object().unwrap());
    assert_eq!(config.limits.connections, 77);
    assert!(!config.websocket_over_h2);
    assert_eq!(config.limits.handshake, Limits::default().handshake);
    assert_eq!(unusable.iter().map(|it| it.key).collect::<Vec<_>>(), ["limits.handshake", "limits.headers"]);
    let shown = entries(by_hand.as_object().unwrap());
    assert_eq!(shown.iter().filter(|entry| entry.problem.is_some()).count(), 2);
    assert_eq!(shown.len(), KEYS.len());
}

#[test]
fn a_tunnel_is_known_by_a_secret_that_the_settings_do_not_hold() {
    let one = tunnel(None).unwrap();
    assert_ne!(one.secret.expose(), tunnel(None).unwrap().secret.expose());
    let kept = stored(&[("front", &one.setting)]);
    assert!(!kept["front"].as_str().unwrap().contains(one.secret.expose()), "{kept:?}");
    let own = SecretText::new("a secret of one's own, long enough");
    assert_eq!(tunnel(Some(&own)).unwrap_err().code, Code::Usage, "it has spaces");
    let own = SecretText::new(" open-sesame-and-close-again\n");
    assert_eq!(tunnel(Some(&own)).unwrap().secret.expose(), "open-sesame-and-close-again");
}

#[test]
fn a_front_proxy_and_routes_reach_the_edge() {
    let kept = stored(&[("front", "cloudflare"), ("routes", "/v1 api")]);
    let mut settings = EdgeSettings::new(([127, 0, 0, 1], 1).into());
    EdgeConfig::of(&kept).0.apply(&mut settings);
    assert_ne!(settings.front, gatehouse_edge::FrontProxy::None);
    assert_eq!(settings.routes.iter().count(), 1);
    EdgeConfig::default().apply(&mut settings);
    assert_eq!((settings.front, settings.routes.is_empty()), (gatehouse_edge::FrontProxy::None, true));
}
