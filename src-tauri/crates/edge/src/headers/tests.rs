use proptest::prelude::*;

use super::*;

fn map(lines: &[(&str, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in lines {
        headers.append(HeaderName::try_from(*name).unwrap(), HeaderValue::try_from(*value).unwrap());
    }
    headers
}

fn remote() -> Client {
    Client::Remote {
        address: "192.168.1.50".parse().unwrap(),
        header: HeaderValue::from_static("192.168.1.50"),
    }
}

fn local() -> Client {
    Client::Local("127.0.0.1".parse().unwrap())
}

struct Case {
    kind: Kind,
    version: Version,
    client: Client,
}

const PLAIN: fn() -> Case = || Case { kind: Kind::Plain, version: Version::HTTP_11, client: remote() };

fn rewritten(lines: &[(&str, &str)], case: &Case) -> HeaderMap {
    let mut headers = map(lines);
    rewrite_request(
        &mut headers,
        &RequestRewrite {
            kind: case.kind,
            version: case.version,
            host: &HeaderValue::from_static("Mini.local:8443"),
            client: &case.client,
            request_id: &HeaderValue::from_static("our-id"),
            identity_headers: &[HeaderName::from_static("x-company-user")],
            websocket_key: Some(&HeaderValue::from_static("our-key")),
        },
    );
    headers
}

/// Name-sorted lines, for comparison with a literal.
fn lines(headers: &HeaderMap) -> Vec<(String, String)> {
    let mut lines: Vec<_> = headers
        .iter()
        .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
        .collect();
    lines.sort_by(|left, right| left.0.cmp(&right.0));
    lines
}

fn expect(headers: &HeaderMap, expected: &[(&str, &str)]) {
    let expected: Vec<_> =
        expected.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    assert_eq!(lines(headers), expected);
}

const HOSTILE: [&str; 45] = [
    "Forwarded",
    "Via",
    "X-Forwarded-For",
    "X-Forwarded-Host",
    "X-Forwarded-Proto",
    "X-Forwarded-Port",
    "X-Forwarded-Server",
    "X-Forwarded-User",
    "X-Forwarded-Anything",
    "X-Forwarded",
    "X-Real-IP",
    "X-Real-Port",
    "X-Original-Forwarded-For",
    "X-Original-URL",
    "X-Rewrite-URL",
    "True-Client-IP",
    "X-Client-IP",
    "X-Cluster-Client-IP",
    "Client-IP",
    "Fastly-Client-IP",
    "Fly-Client-IP",
    "CF-Connecting-IP",
    "Cf-Access-Jwt-Assertion",
    "CDN-Loop",
    "Tailscale-User-Login",
    "Tailscale-User-Name",
    "Tailscale-Funnel-Request",
    "Tailscale-Headers-Info",
    "X-OpenClaw-Scopes",
    "X-Request-Id",
    "X-Gatehouse-Error",
    "X-Remote-User",
    "Remote-User",
    "X-Auth-Request-User",
    "X-Company-User",
    "X_Forwarded_For",
    "x-forwarded_for",
    "X_ForwardedFor",
    "X_Real_IP",
    "Tailscale_User_Login",
    "X_OpenClaw_Scopes",
    "CF_Connecting_IP",
    "Sec_WebSocket_Key",
    "Proxy_Connection",
    "Content_Type",
];

#[test]
fn nothing_that_forwards_or_identifies_passes_in_any_spelling() {
    let mut sent = vec![("accept", "*/*")];
    for name in HOSTILE {
        sent.push((name, "127.0.0.1"));
        sent.push((name, "admin"));
    }
    expect(
        &rewritten(&sent, &PLAIN()),
        &[
            ("accept", "*/*"),
            ("host", "Mini.local:8443"),
            ("x-forwarded-for", "192.168.1.50"),
            ("x-forwarded-host", "Mini.local:8443"),
            ("x-forwarded-proto", "https"),
            ("x-request-id", "our-id"),
        ],
    );
    expect(
        &rewritten(&sent, &Case { client: local(), ..PLAIN() }),
        &[("accept", "*/*"), ("host", "Mini.local:8443"), ("x-request-id", "our-id")],
    );
}

#[test]
fn everything_else_passes_unchanged_and_in_order() {
    let sent = [
        ("accept", "text/html"),
        ("accept", "*/*"),
        ("authorization", "Bearer x"),
        ("content-length", "5"),
        ("content-type", "text/plain"),
        ("cookie", "a=b"),
        ("cookie", "c=d"),
        ("host", "Mini.local:8443"),
        ("origin", "https://Mini.local:8443"),
        ("session_id", "1"),
        ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
        ("x-forwarded", "gone"),
        ("x-openclaw-session-key", "main"),
    ];
    let mut expected: Vec<_> = sent.into_iter().filter(|(name, _)| *name != "x-forwarded").collect();
    expected.push(("x-request-id", "our-id"));
    expect(&rewritten(&sent, &Case { client: local(), ..PLAIN() }), &expected);
}

#[test]
fn hop_by_hop_headers_go_also_nominated_ones_but_never_protected_ones() {
    let sent = [
        ("connection", "close, x-own, Authorization"),
        ("connection", "cookie, x-forwarded-for, te, content-length, x-absent"),
        ("x-own", "1"),
        ("x-own", "2"),
        ("authorization", "Bearer x"),
        ("cookie", "a=b"),
        ("content-length", "5"),
        ("te", "trailers"),
        ("keep-alive", "timeout=5"),
        ("proxy-connection", "keep-alive"),
        ("proxy-authorization", "Basic x"),
        ("http2-settings", "x"),
        ("upgrade", "h2c"),
        ("expect", "100-continue"),
        ("transfer-encoding", "gzip"),
    ];
    expect(
        &rewritten(&sent, &Case { client: local(), ..PLAIN() }),
        &[
            ("authorization", "Bearer x"),
            ("content-length", "5"),
            ("cookie", "a=b"),
            ("host", "Mini.local:8443"),
            ("x-request-id", "our-id"),
        ],
    );
}

#[test]
fn a_chunked_body_stays_chunked() {
    let chunked =
        |sent: &[(&str, &str)]| rewritten(sent, &PLAIN()).get_all("transfer-encoding").iter().count();
    assert_eq!(chunked(&[("transfer-encoding", "Chunked")]), 1);
    assert_eq!(chunked(&[("transfer-encoding", "chunked"), ("transfer-encoding", "chunked")]), 0);
    assert_eq!(chunked(&[]), 0);
}

#[test]
fn a_handshake_over_http1_keeps_its_own_terms() {
    let sent = [
        ("connection", "keep-alive, Upgrade"),
        ("upgrade", "WebSocket"),
        ("sec-websocket-key", "k"),
        ("sec-websocket-version", "13"),
        ("sec-websocket-protocol", "a"),
        ("sec-websocket-protocol", "b"),
        ("sec-websocket-extensions", "permessage-deflate; client_max_window_bits"),
        ("origin", "https://x"),
        ("x-forwarded-for", "127.0.0.1"),
    ];
    expect(
        &rewritten(&sent, &Case { kind: Kind::WebSocketH1, ..PLAIN() }),
        &[
            ("connection", "Upgrade"),
            ("host", "Mini.local:8443"),
            ("origin", "https://x"),
            ("sec-websocket-extensions", "permessage-deflate; client_max_window_bits"),
            ("sec-websocket-key", "k"),
            ("sec-websocket-protocol", "a"),
            ("sec-websocket-protocol", "b"),
            ("sec-websocket-version", "13"),
            ("upgrade", "websocket"),
            ("x-forwarded-for", "192.168.1.50"),
            ("x-forwarded-host", "Mini.local:8443"),
            ("x-forwarded-proto", "https"),
            ("x-request-id", "our-id"),
        ],
    );
}

#[test]
fn a_handshake_over_http2_becomes_one_of_http1_with_our_key() {
    let sent = [
        ("sec-websocket-key", "theirs"),
        ("sec-websocket-version", "13"),
        ("sec-websocket-protocol", "a"),
        ("cookie", ""),
        ("cookie", "a=b"),
        ("cookie", "c=d"),
        ("cookie", "e"),
        ("cookie", ""),
    ];
    let case = Case { kind: Kind::WebSocketH2, version: Version::HTTP_2, client: local() };
    expect(
        &rewritten(&sent, &case),
        &[
            ("connection", "Upgrade"),
            ("cookie", "a=b; c=d; e"),
            ("host", "Mini.local:8443"),
            ("sec-websocket-key", "our-key"),
            ("sec-websocket-protocol", "a"),
            ("sec-websocket-version", "13"),
            ("upgrade", "websocket"),
            ("x-request-id", "our-id"),
        ],
    );
}

fn answered(lines: &[(&str, &str)], kind: Kind, switched: bool, hsts: bool) -> HeaderMap {
    let mut headers = map(lines);
    let request_id = HeaderValue::from_static("our-id");
    rewrite_response(&mut headers, &ResponseRewrite { kind, switched, request_id: &request_id, hsts });
    headers
}

#[test]
fn what_concerns_the_gateways_connection_does_not_leak_to_the_client() {
    let sent = [
        ("connection", "Upgrade, x-hop, set-cookie"),
        ("upgrade", "h2c"),
        ("keep-alive", "timeout=5"),
        ("transfer-encoding", "chunked"),
        ("x-hop", "1"),
        ("set-cookie", "a"),
        ("set-cookie", "b"),
        ("content-type", "text/html"),
        ("strict-transport-security", "max-age=1; includeSubDomains"),
        ("alt-svc", "h3=\":443\""),
        ("x-gatehouse-error", "forged"),
        ("x-request-id", "theirs"),
        ("trailer", "x-sum"),
    ];
    let kept = [
        ("content-type", "text/html"),
        ("set-cookie", "a"),
        ("set-cookie", "b"),
        ("trailer", "x-sum"),
        ("x-request-id", "our-id"),
    ];
    expect(&answered(&sent, Kind::Plain, false, false), &kept);
    // A refused handshake is an ordinary response.
    expect(&answered(&sent, Kind::WebSocketH1, false, false), &kept);
    let headers = answered(&sent, Kind::Plain, false, true);
    assert_eq!(headers.get_all("strict-transport-security").iter().collect::<Vec<_>>(), ["max-age=31536000"]);
}

#[test]
fn an_accepted_handshake_is_answered_in_the_clients_protocol() {
    let sent = [
        ("connection", "Upgrade"),
        ("upgrade", "websocket"),
        ("sec-websocket-accept", "x"),
        ("sec-websocket-protocol", "a"),
        ("sec-websocket-extensions", "permessage-deflate"),
    ];
    expect(
        &answered(&sent, Kind::WebSocketH1, true, false),
        &[
            ("connection", "Upgrade"),
            ("sec-websocket-accept", "x"),
            ("sec-websocket-extensions", "permessage-deflate"),
            ("sec-websocket-protocol", "a"),
            ("upgrade", "websocket"),
            ("x-request-id", "our-id"),
        ],
    );
    expect(
        &answered(&sent, Kind::WebSocketH2, true, false),
        &[
            ("sec-websocket-extensions", "permessage-deflate"),
            ("sec-websocket-protocol", "a"),
            ("x-request-id", "our-id"),
        ],
    );
}

#[test]
fn trailers_frame_route_and_identify_nothing() {
    let mut trailers = map(&[
        ("x-checksum", "1"),
        ("grpc-status", "0"),
        ("content-length", "5"),
        ("transfer-encoding", "chunked"),
        ("host", "x"),
        ("authorization", "x"),
        ("x-forwarded-for", "x"),
        ("x_real_ip", "x"),
        ("set-cookie", "x"),
        ("x-gatehouse-error", "x"),
        ("connection", "close"),
    ]);
    rewrite_trailers(&mut trailers);
    expect(&trailers, &[("grpc-status", "0"), ("x-checksum", "1")]);
}

fn any_line() -> impl Strategy<Value = (String, String)> {
    let hostile = prop::sample::select(HOSTILE.to_vec()).prop_map(str::to_owned);
    // The same names with any of their dashes written as underscores, in any case.
    let twisted = (prop::sample::select(HOSTILE.to_vec()), any::<u64>()).prop_map(|(name, bits)| {
        name.chars()
            .enumerate()
            .map(|(index, letter)| {
                let bit = bits >> (index % 64) & 1 == 1;
                match letter {
                    '-' | '_' => {
                        if bit {
                            '_'
                        } else {
                            '-'
                        }
                    }
                    _ if bit => letter.to_ascii_uppercase(),
                    _ => letter.to_ascii_lowercase(),
                }
            })
            .collect::<String>()
    });
    let name = prop_oneof![
        hostile,
        twisted,
        "[A-Za-z_-]{1,70}",
        "(x|X)[-_](f|F)orwarded[-_][a-z_-]{0,60}",
        Just("Connection".to_owned())
    ];
    let value = prop_oneof![
        "[ -~]{0,20}",
        "(x-forwarded-for|host|x-request-id|authorization|,| ){0,6}",
        Just("127.0.0.1".to_owned())
    ];
    (name, value)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn whatever_comes_in_a_remote_client_is_told_once_and_a_local_one_never(
        sent in prop::collection::vec(any_line(), 0..24),
        kind in prop::sample::select(vec![Kind::Plain, Kind::WebSocketH1, Kind::WebSocketH2]),
        version in prop::sample::select(vec![Version::HTTP_10, Version::HTTP_11, Version::HTTP_2]),
        is_local: bool,
    ) {
        let sent: Vec<_> = sent.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let client = if is_local { local() } else { remote() };
        let headers = rewritten(&sent, &Case { kind, version, client });
        let folded: Vec<String> = headers
            .iter()
            .map(|(name, _)| name.as_str().replace('_', "-"))
            .collect();
        let ours = if is_local { 0 } else { 1 };
        for name in ["x-forwarded-for", "x-forwarded-proto", "x-forwarded-host"] {
            prop_assert_eq!(folded.iter().filter(|seen| *seen == name).count(), ours, "{}", name);
        }
        if !is_local {
            prop_assert_eq!(&headers["x-forwarded-for"], "192.168.1.50");
            prop_assert_eq!(&headers["x-forwarded-host"], "Mini.local:8443");
        }
        let forwarding = folded.iter().filter(|name| {
            name.starts_with("x-forwarded") || name.starts_with("tailscale-") || name.starts_with("cf-")
                || ["forwarded", "x-real-ip", "x-openclaw-scopes", "x-company-user", "via"].contains(&name.as_str())
        });
        prop_assert_eq!(forwarding.count(), 3 * ours);
        prop_assert_eq!(folded.iter().filter(|name| *name == "host").count(), 1);
        prop_assert_eq!(&headers["host"], "Mini.local:8443");
        prop_assert_eq!(folded.iter().filter(|name| *name == "x-request-id").count(), 1);
        prop_assert_eq!(&headers["x-request-id"], "our-id");
    }

    #[test]
    fn a_rewrite_of_a_rewrite_changes_nothing(sent in prop::collection::vec(any_line(), 0..24)) {
        let sent: Vec<_> = sent.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let once = rewritten(&sent, &PLAIN());
        let again: Vec<_> = once.iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap())).collect();
        prop_assert_eq!(lines(&rewritten(&again, &PLAIN())), lines(&once));
    }
}
