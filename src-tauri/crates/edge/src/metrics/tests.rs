use super::*;
use std::collections::{HashMap, HashSet};

fn record(status: u16, error: Option<EdgeError>) -> AccessRecord {
    AccessRecord {
        time: time::OffsetDateTime::UNIX_EPOCH,
        id: crate::RequestId::new(),
        client: [192, 0, 2, 1].into(),
        peer: ([192, 0, 2, 1], 1).into(),
        method: http::Method::GET,
        host: "evil\"\n.example".into(),
        path: "/secret-path".into(),
        status: http::StatusCode::from_u16(status).unwrap(),
        answered_by: if error.is_some() { Answerer::Edge } else { Answerer::Gateway },
        error,
        bytes_in: 3,
        bytes_out: 5,
        duration: Duration::from_millis(7),
        protocol: Protocol::Http2,
        tls: None,
        client_certificate: None,
        websocket: None,
        origin: None,
        user_agent: None,
    }
}

/// The families of a page, read as strictly as `promtool check metrics` does: name, kind, and samples by series.
fn parse(text: &str) -> HashMap<String, (String, HashMap<String, f64>)> {
    assert!(text.ends_with('\n'), "the last line ends");
    let mut families: HashMap<String, (String, HashMap<String, f64>)> = HashMap::new();
    let mut current = String::new();
    let mut helped = HashSet::new();
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            let (name, help) = rest.split_once(' ').expect("a help text");
            assert!(help.ends_with('.') && !help.contains('\\'), "{line}");
            assert!(helped.insert(name.to_owned()), "{name} twice");
            continue;
        }
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').expect("a type");
            assert!(helped.contains(name), "help comes first: {name}");
            assert!(["counter", "gauge", "histogram"].contains(&kind), "{line}");
            assert_eq!(kind == "counter", name.ends_with("_total"), "{name}");
            let legal = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
            assert!(name.bytes().all(legal) && !name.starts_with(|c: char| c.is_ascii_digit()), "{name}");
            current = name.to_owned();
            families.insert(current.clone(), (kind.to_owned(), HashMap::new()));
            continue;
        }
        let (series, value) = line.rsplit_once(' ').expect("a sample");
        let name = series.split('{').next().unwrap();
        let (kind, samples) = families.get_mut(&current).expect("a family");
        let suffix = name.strip_prefix(current.as_str()).expect("samples follow their family");
        let allowed: &[&str] = if kind == "histogram" { &["_bucket", "_sum", "_count"] } else { &[""] };
        assert!(allowed.contains(&suffix), "{line}");
        if let Some(labels) = series.strip_prefix(name).filter(|labels| !labels.is_empty()) {
            let labels = labels.strip_prefix('{').and_then(|it| it.strip_suffix('}')).expect("braces");
            for label in labels.split(',') {
                let (label, quoted) = label.split_once('=').expect("a value");
                let value = quoted.strip_prefix('"').and_then(|it| it.strip_suffix('"')).expect("quotes");
                assert!(!label.starts_with("__") && !value.is_empty() && !value.contains('"'), "{line}");
            }
        }
        let old = samples.insert(series.to_owned(), value.parse().expect("a number"));
        assert_eq!(old, None, "{series} twice");
    }
    for (name, (kind, samples)) in &families {
        assert!(!samples.is_empty(), "{name} has no sample");
        if kind == "histogram" {
            check_histogram(name, text, samples);
        }
    }
    families
}

fn check_histogram(name: &str, text: &str, samples: &HashMap<String, f64>) {
    let prefix = format!("{name}_bucket{{le=\"");
    let buckets: Vec<(f64, f64)> = text
        .lines()
        .filter_map(|line| line.strip_prefix(&prefix))
        .map(|rest| {
            let (bound, count) = rest.split_once("\"} ").unwrap();
            (bound.replace("+Inf", "inf").parse().unwrap(), count.parse().unwrap())
        })
        .collect();
    assert!(buckets.windows(2).all(|pair| pair[0].0 < pair[1].0 && pair[0].1 <= pair[1].1), "{buckets:?}");
    let last = buckets.last().unwrap();
    assert!(last.0.is_infinite());
    assert_eq!(samples[&format!("{name}_count")], last.1);
    assert!(samples.contains_key(&format!("{name}_sum")));
}

#[test]
fn the_page_is_what_prometheus_reads() {
    let metrics = Metrics::new();
    metrics.accepted();
    metrics.handshake(Handshake::Full, Duration::from_micros(900));
    metrics.handshake(Handshake::Resumed, Duration::from_secs(60));
    metrics.handshake(Handshake::TimedOut, Duration::from_secs(10));
    metrics.first_byte(Duration::from_millis(20));
    metrics.ended(&record(200, None));
    metrics.ended(&record(429, Some(EdgeError::RateLimited)));
    metrics.turned_away(TurnedAway::Total);
    let text = metrics.text(&Present { connections: 3, ..Present::default() });
    let families = parse(&text);
    let value = |series: &str| {
        let family = series.split('{').next().unwrap();
        let family =
            ["_bucket", "_sum", "_count"].iter().find_map(|it| family.strip_suffix(it)).unwrap_or(family);
        families[family].1[series]
    };
    assert_eq!(value("gatehouse_connections"), 3.0);
    assert_eq!(value("gatehouse_connections_refused_total{reason=\"total\"}"), 1.0);
    assert_eq!(value("gatehouse_handshakes_total{result=\"timed-out\"}"), 1.0);
    assert_eq!(value("gatehouse_handshake_seconds_count"), 2.0);
    assert_eq!(value("gatehouse_handshake_seconds_bucket{le=\"0.0005\"}"), 0.0);
    assert_eq!(value("gatehouse_handshake_seconds_bucket{le=\"0.001\"}"), 1.0);
    assert_eq!(value("gatehouse_handshake_seconds_bucket{le=\"10\"}"), 1.0);
    assert_eq!(value("gatehouse_handshake_seconds_sum"), 60.0009);
    let requests = "gatehouse_requests_total{protocol=\"HTTP/2\"";
    assert_eq!(value(&format!("{requests},by=\"gateway\",class=\"2xx\"}}")), 1.0);
    assert_eq!(value(&format!("{requests},by=\"edge\",class=\"4xx\"}}")), 1.0);
    assert_eq!(value("gatehouse_refusals_total{code=\"rate-limited\"}"), 1.0);
    assert_eq!(value("gatehouse_bytes_total{direction=\"out\"}"), 10.0);
}

#[test]
fn no_client_makes_the_page_grow_or_finds_itself_in_it() {
    let metrics = Metrics::new();
    let before = metrics.text(&Present::default()).lines().count();
    for status in [100, 199, 200, 302, 404, 499, 599, 999] {
        metrics.ended(&record(status, None));
    }
    for error in EdgeError::ALL {
        metrics.ended(&record(error.status().as_u16(), Some(error)));
    }
    let after = metrics.text(&Present::default());
    assert_eq!(after.lines().count(), before);
    for secret in ["evil", "secret-path", "192.0.2.1"] {
        assert!(!after.contains(secret), "{secret}");
    }
}

#[test]
fn every_kind_has_its_own_place() {
    for (place, error) in EdgeError::ALL.iter().enumerate() {
        assert_eq!(*error as usize, place, "{error:?}");
    }
    for (place, why) in TurnedAway::ALL.iter().enumerate() {
        assert_eq!(*why as usize, place);
    }
    for (place, how) in Handshake::ALL.iter().enumerate() {
        assert_eq!(*how as usize, place);
    }
    for (place, protocol) in PROTOCOLS.iter().enumerate() {
        assert_eq!(*protocol as usize, place);
    }
    for (place, by) in ANSWERERS.iter().enumerate() {
        assert_eq!(*by as usize, place);
    }
    for (place, by) in CLOSERS.iter().enumerate() {
        assert_eq!(*by as usize, place);
    }
}

#[tokio::test(start_paused = true)]
async fn a_flood_of_refusals_is_one_line_of_the_log_now_and_then() {
    let metrics = Metrics::new();
    assert_eq!(metrics.turned_away(TurnedAway::Rate), Some(1));
    for _ in 0..100_000 {
        assert_eq!(metrics.turned_away(TurnedAway::Rate), None);
    }
    assert_eq!(metrics.turned_away(TurnedAway::Network), Some(1), "another reason is news");
    tokio::time::advance(LOG_EVERY).await;
    assert_eq!(metrics.turned_away(TurnedAway::Rate), Some(100_001));
}
