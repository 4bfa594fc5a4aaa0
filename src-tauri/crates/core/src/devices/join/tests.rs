use time::OffsetDateTime;

use super::*;

fn at(seconds: i64) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(1_795_000_000 + seconds).unwrap()
}

fn seen(client: &str, agent: &str, last: i64) -> EdgeSighting {
    EdgeSighting {
        client: client.into(),
        host: "192.168.1.20:8443".into(),
        tls: "TLS 1.3".into(),
        agent: Some(agent.into()),
        first_seen: at(0),
        last_seen: at(last),
    }
}

fn pending(id: &str, ip: Option<&str>, asked: i64) -> Pending {
    Pending {
        request_id: format!("request-{id}"),
        device_id: id.into(),
        display_name: None,
        platform: Some("MacIntel".into()),
        device_family: None,
        client_id: None,
        client_mode: None,
        role: "operator".into(),
        roles: vec!["operator".into()],
        scopes: vec!["operator.read".into()],
        remote_ip: ip.map(Into::into),
        silent: false,
        is_repair: false,
        asked_at: Some(at(asked)),
    }
}

fn device(id: &str, label: Option<&str>, last: i64, connected: bool) -> Paired {
    Paired {
        device_id: id.into(),
        display_name: Some("Tray".into()),
        label: label.map(Into::into),
        platform: Some("ios".into()),
        device_family: None,
        client_id: None,
        client_mode: None,
        role: "operator".into(),
        roles: Vec::new(),
        scopes: Vec::new(),
        remote_ip: None,
        approved_via: Some("owner".into()),
        created_at: None,
        approved_at: None,
        last_seen_at: Some(at(last)),
        connected,
        tokens: Vec::new(),
    }
}

#[test]
fn the_newest_sighting_of_the_same_address_is_shown_and_names_the_device() {
    let devices = Devices { pending: vec![pending("a", Some("192.168.1.50"), 5)], paired: Vec::new() };
    let sightings = [
        seen("192.168.1.50", "Firefox on Linux", 1),
        seen("192.168.1.50", "Safari on iPhone", 9),
        seen("192.168.1.51", "Chrome on Mac", 10),
    ];

    let list = join(&devices, &sightings);

    assert_eq!(list.pending[0].name, "Safari on iPhone");
    assert_eq!(list.pending[0].via_edge.as_ref().unwrap().last_seen, at(9));
}

#[test]
fn a_device_that_the_edge_did_not_see_says_so() {
    let devices = Devices {
        pending: vec![pending("a", Some("192.168.1.99"), 5), pending("b", None, 6)],
        paired: Vec::new(),
    };

    let list = join(&devices, &[seen("192.168.1.50", "Safari on iPhone", 9)]);

    assert!(list.pending.iter().all(|device| device.via_edge.is_none()));
    assert_eq!(list.pending[0].name, "MacIntel");
}

#[test]
fn an_ipv4_mapped_address_is_the_same_client() {
    let devices = Devices { pending: vec![pending("a", Some("::ffff:192.168.1.50"), 5)], paired: Vec::new() };

    assert!(join(&devices, &[seen("192.168.1.50", "Safari on iPhone", 9)]).pending[0].via_edge.is_some());
}

#[test]
fn waiting_devices_are_oldest_first_and_paired_ones_connected_then_last_seen_first() {
    let devices = Devices {
        pending: vec![pending("young", None, 9), pending("old", None, 1)],
        paired: vec![
            device("long-ago", None, 1, false),
            device("now", Some("Kitchen iPad"), 2, true),
            device("recently", None, 8, false),
        ],
    };

    let list = join(&devices, &[]);

    let waiting: Vec<_> = list.pending.iter().map(|device| device.device_id.as_str()).collect();
    let paired: Vec<_> = list.paired.iter().map(|device| device.device_id.as_str()).collect();
    assert_eq!(waiting, ["old", "young"]);
    assert_eq!(paired, ["now", "recently", "long-ago"]);
    assert_eq!(list.paired[0].name, "Kitchen iPad");
    assert_eq!(list.paired[1].name, "Tray");
}
