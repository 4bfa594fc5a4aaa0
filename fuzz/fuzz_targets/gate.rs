//! Any head through gate, attribution and rewrite: what is admitted is, as the gateway gets it, one request for everybody.
//!
//! The text: a line of settings (first byte: version and peer), the request line, header lines.
#![no_main]

#[path = "../../src-tauri/crates/edge/tests/edge/hostile/strict.rs"]
#[allow(dead_code)]
mod strict;

use gatehouse_edge::attribution::attribute;
use gatehouse_edge::gate::{Kind, Outcome, RequestHead, judge};
use gatehouse_edge::headers::{RequestRewrite, rewrite_request};
use gatehouse_edge::{EdgeSettings, FrontProxy, OwnAddresses, Peer};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri, Version};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((&flags, text)) = data.split_first() else { return };
    let mut lines = text.split(|byte| *byte == b'\n');
    let Some(first) = lines.next() else { return };
    let mut words = first.splitn(2, |byte| *byte == b' ');
    let (Some(method), Some(target)) = (words.next(), words.next()) else { return };
    let (Ok(method), Ok(uri)) = (Method::from_bytes(method), Uri::try_from(target)) else { return };
    let mut headers = HeaderMap::new();
    for line in lines {
        let Some(colon) = line.iter().position(|byte| *byte == b':') else { continue };
        let name = HeaderName::from_bytes(&line[..colon]);
        let (Ok(name), Ok(value)) = (name, HeaderValue::from_bytes(&line[colon + 1..])) else { continue };
        headers.append(name, value);
    }
    let version = [Version::HTTP_11, Version::HTTP_2, Version::HTTP_10][usize::from(flags & 3) % 3];
    let loopback = flags & 4 != 0;
    let mut settings = EdgeSettings::new("127.0.0.1:1".parse().unwrap());
    settings.names.dns.insert("mini.local".to_owned());
    settings.own = OwnAddresses { v4: Some("192.0.2.10".parse().unwrap()), v6: None, all: Vec::new() };
    if flags & 8 != 0 {
        let client_header = HeaderName::from_static("x-forwarded-for");
        settings.front = FrontProxy::Trusted { peers: vec!["127.0.0.0/8".parse().unwrap()], client_header };
    }
    let protocol = (flags & 16 != 0).then_some("websocket");
    let head = RequestHead { method: &method, version, uri: &uri, headers: &headers, protocol };
    let Outcome::Admitted(admitted) = judge(&head, &settings.names, &settings.limits) else { return };
    let peer = Peer::new(if loopback { "127.0.0.1" } else { "198.51.100.7" }.parse().unwrap());
    let client = attribute(&peer, admitted.loopback_name, &headers, &settings.own, &settings.front);
    let Ok(client) = client else { return };
    let may_be_local = loopback && admitted.loopback_name && settings.front == FrontProxy::None;
    assert!(may_be_local || !client.is_local(), "a stranger is local");
    let id = HeaderValue::from_static("01a1f952-e47b-7a2f-98e0-842ff7ceac7c");
    let key = HeaderValue::from_static("dGhlIHNhbXBsZSBub25jZQ==");
    rewrite_request(&mut headers, &RequestRewrite {
        kind: admitted.kind,
        version,
        host: &admitted.host,
        client: &client,
        request_id: &id,
        identity_headers: &[],
        websocket_key: (admitted.kind == Kind::WebSocketH2).then_some(&key),
    });
    // As hyper writes it: origin form, and chunks where HTTP/2 gave no length.
    let method = if admitted.kind == Kind::WebSocketH2 { "GET" } else { method.as_str() };
    let target = uri.path_and_query().cloned().map_or_else(Uri::default, Uri::from);
    let target = if target.path().is_empty() { Uri::default() } else { target };
    let mut wire = format!("{method} {target} HTTP/1.1\r\n").into_bytes();
    for (name, value) in &headers {
        wire.extend([name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"].concat());
    }
    wire.extend(b"\r\n");
    if let strict::Read::Doubtful(doubt) = strict::read(&wire, may_be_local) {
        panic!("{doubt}\n{}", wire.escape_ascii());
    }
});
