//! Whatever heads strangers invent: no panic, and what is admitted is unambiguous, before and after the rewrite.

use super::*;
use crate::attribution::Client;
use crate::headers::{RequestRewrite, rewrite_request};

const NAMES: [&str; 22] = [
    "host",
    "content-length",
    "transfer-encoding",
    "connection",
    "upgrade",
    "expect",
    "te",
    "trailer",
    "cookie",
    "authorization",
    "origin",
    "content-type",
    "sec-websocket-key",
    "sec-websocket-version",
    "keep-alive",
    "http2-settings",
    "content_length",
    "transfer_encoding",
    "x-forwarded-for",
    "x_forwarded_for",
    "proxy-connection",
    "x-own",
];

const VALUES: [&str; 28] = [
    "mini.local:8443",
    "mini.local",
    "localhost",
    "evil.example",
    "0",
    "5",
    "5, 5",
    "999999",
    "chunked",
    "gzip, chunked",
    "chunked ",
    "close",
    "upgrade",
    "keep-alive, Upgrade",
    "content-length",
    "transfer-encoding",
    "x-own",
    "websocket",
    "h2c",
    "13",
    "8",
    "100-continue",
    "dGhlIHNhbXBsZSBub25jZQ==",
    "127.0.0.1",
    "",
    "a\tb",
    "\u{e4}",
    "trailers",
];

fn any_head() -> impl Strategy<Value = Head> {
    let uri = prop::sample::select(vec![
        "/",
        "/a?b",
        "*",
        "//x",
        "https://mini.local:8443/",
        "http://localhost/",
        "https://evil.example/",
        "mini.local:443",
    ]);
    let method = prop::sample::select(vec!["GET", "HEAD", "POST", "CONNECT", "TRACE", "OPTIONS", "X"]);
    let version = prop::sample::select(vec![Version::HTTP_10, Version::HTTP_11, Version::HTTP_2]);
    let value = prop_oneof![
        4 => prop::sample::select(VALUES.to_vec()).prop_map(|text| text.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..12),
    ];
    let name = prop_oneof![
        6 => prop::sample::select(NAMES.to_vec()).prop_map(str::to_owned),
        1 => "[a-z_-]{1,12}",
    ];
    let protocol = prop::option::weighted(0.2, prop::sample::select(vec!["websocket", "foo"]));
    (method, uri, version, prop::collection::vec((name, value), 0..7), protocol, any::<bool>()).prop_map(
        |(method, uri, version, lines, protocol, hosted)| {
            let mut head = bare(method, uri, version);
            if hosted {
                head = head.with("host", "mini.local:8443");
            }
            for (name, value) in lines {
                if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::from_bytes(&value)) {
                    head.headers.append(name, value);
                }
            }
            Head { protocol, ..head }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn what_is_admitted_can_be_read_in_one_way_only(head in any_head()) {
        let Ok(admitted) = head.judge() else { return Ok(()) };
        let count = |headers: &HeaderMap, name: &str| headers.get_all(name).iter().count();
        prop_assert!(count(&head.headers, "host") <= 1);
        prop_assert!(count(&head.headers, "content-length") + count(&head.headers, "transfer-encoding") <= 1);
        prop_assert!(!head.headers.contains_key("content_length") && !head.headers.contains_key("transfer_encoding"));
        prop_assert!(Authority::parse(admitted.host.as_bytes()).is_some());
        prop_assert!(head.uri.path().starts_with('/'));
        if admitted.kind.is_websocket() {
            prop_assert!(count(&head.headers, "content-length") + count(&head.headers, "transfer-encoding") == 0);
        }

        let mut headers = head.headers.clone();
        let client = Client::Local("127.0.0.1".parse().unwrap());
        rewrite_request(&mut headers, &RequestRewrite {
            kind: admitted.kind,
            version: head.version,
            host: &admitted.host,
            client: &client,
            request_id: &HeaderValue::from_static("id"),
            identity_headers: &[],
            websocket_key: None,
        });
        prop_assert_eq!(count(&headers, "host"), 1);
        prop_assert_eq!(headers.get("host"), Some(&admitted.host));
        prop_assert_eq!(headers.contains_key("upgrade"), admitted.kind.is_websocket());
        prop_assert_eq!(headers.contains_key("connection"), admitted.kind.is_websocket());
        match admitted.length {
            Length::Known(bytes) => {
                prop_assert_eq!(count(&headers, "content-length"), 1);
                prop_assert_eq!(headers["content-length"].to_str().unwrap().parse::<u64>().unwrap(), bytes);
                prop_assert!(!headers.contains_key("transfer-encoding"));
            }
            Length::Unknown => prop_assert!(!headers.contains_key("content-length")),
            Length::Empty => prop_assert!(!headers.contains_key("transfer-encoding")),
        }
    }
}
