use http::{HeaderName, Request};
use proptest::prelude::*;

use super::*;
use crate::error::EdgeError as E;

mod properties;
mod wire;

/// A request head in the making: `get("/").with("host", "localhost")`.
#[derive(Debug, Clone)]
struct Head {
    method: Method,
    version: Version,
    uri: Uri,
    headers: HeaderMap,
    protocol: Option<&'static str>,
}

impl Head {
    fn with(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        let value = HeaderValue::from_bytes(value.as_ref()).unwrap();
        self.headers.append(HeaderName::try_from(name).unwrap(), value);
        self
    }

    fn without(mut self, name: &str) -> Self {
        self.headers.remove(name);
        self
    }

    fn method(mut self, method: &str) -> Self {
        self.method = method.parse().unwrap();
        self
    }

    fn version(mut self, version: Version) -> Self {
        self.version = version;
        self
    }

    fn judge(&self) -> Result<Admitted, E> {
        let names = ServedNames {
            dns: ["mini.local".to_owned()].into(),
            below: std::collections::BTreeSet::new(),
            ips: ["192.168.1.10".parse().unwrap()].into(),
        };
        let head = RequestHead {
            method: &self.method,
            version: self.version,
            uri: &self.uri,
            headers: &self.headers,
            protocol: self.protocol,
        };
        let limits = Limits { body_bytes: 1000, ..Limits::default() };
        match judge(&head, &names, &limits) {
            Outcome::Admitted(admitted) => Ok(admitted),
            Outcome::Refused(refused) => {
                assert_eq!(refused.close, refused.error.closes());
                Err(refused.error)
            }
        }
    }

    fn kind(&self) -> Result<Kind, E> {
        self.judge().map(|admitted| admitted.kind)
    }

    fn length(&self) -> Result<Length, E> {
        self.judge().map(|admitted| admitted.length)
    }
}

fn bare(method: &str, uri: &str, version: Version) -> Head {
    Head {
        method: method.parse().unwrap(),
        version,
        uri: uri.parse().unwrap(),
        headers: HeaderMap::new(),
        protocol: None,
    }
}

fn get(uri: &str) -> Head {
    bare("GET", uri, Version::HTTP_11).with("host", "mini.local:8443")
}

fn post() -> Head {
    get("/v1").method("POST")
}

fn h2(method: &str) -> Head {
    bare(method, "https://mini.local:8443/", Version::HTTP_2)
}

fn websocket() -> Head {
    get("/")
        .with("connection", "keep-alive, Upgrade")
        .with("upgrade", "websocket")
        .with("sec-websocket-version", "13")
        .with("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==")
}

fn websocket_h2() -> Head {
    Head { protocol: Some("websocket"), ..h2("CONNECT").with("sec-websocket-version", "13") }
}

#[test]
fn ordinary_requests_pass() {
    let admitted = get("/chat?session=main&x=[1]|{2}").with("accept", "*/*").judge().unwrap();
    assert_eq!(
        admitted,
        Admitted {
            kind: Kind::Plain,
            host: HeaderValue::from_static("mini.local:8443"),
            loopback_name: false,
            length: Length::Empty,
        }
    );
    assert!(get("/").without("host").with("host", "localhost").judge().unwrap().loopback_name);
    assert!(get("/").version(Version::HTTP_10).judge().is_ok());
    assert_eq!(h2("GET").judge().unwrap().host, "mini.local:8443");
    for method in ["HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND"] {
        assert_eq!(get("/").method(method).kind(), Ok(Kind::Plain), "{method}");
    }
}

#[test]
fn hyper_s_own_types_are_understood() {
    let mut request = Request::builder()
        .method("CONNECT")
        .version(Version::HTTP_2)
        .uri("https://localhost/")
        .header("sec-websocket-version", "13")
        .body(())
        .unwrap();
    request.extensions_mut().insert(hyper::ext::Protocol::from_static("websocket"));
    let (parts, ()) = request.into_parts();
    let admitted = admit(&RequestHead::of(&parts), &ServedNames::default(), &Limits::default()).unwrap();
    assert_eq!(admitted.kind, Kind::WebSocketH2);
}

#[test]
fn methods_that_open_tunnels_or_echo_are_refused() {
    assert_eq!(get("/").method(&"G".repeat(METHOD_MAX)).kind(), Ok(Kind::Plain));
    assert_eq!(get("/").method(&"G".repeat(METHOD_MAX + 1)).kind(), Err(E::MethodRefused));
    for method in ["TRACE", "TRACK", "PRI"] {
        assert_eq!(get("/").method(method).kind(), Err(E::MethodRefused), "{method}");
        assert_eq!(h2(method).kind(), Err(E::MethodRefused), "{method}");
    }
    let connect = bare("CONNECT", "mini.local:443", Version::HTTP_11).with("host", "mini.local:443");
    assert_eq!(connect.kind(), Err(E::MethodRefused));
    assert_eq!(h2("CONNECT").kind(), Err(E::MethodRefused));
    assert_eq!(Head { protocol: Some("websocket"), ..get("/") }.kind(), Err(E::MethodRefused));
    assert_eq!(get("/").version(Version::HTTP_09).kind(), Err(E::VersionRefused));
    assert_eq!(get("/").version(Version::HTTP_3).kind(), Err(E::VersionRefused));
}

#[test]
fn a_target_is_a_path_in_visible_ascii_or_a_url() {
    for (uri, verdict) in [
        ("/", Ok(())),
        ("/a/b%00?c=%0d%0a", Ok(())),
        ("//evil.example/x", Ok(())),
        ("/a;b=c,d:@!$&'()*+", Ok(())),
        ("/a?b?c/d`^|", Ok(())),
        ("https://mini.local:8443/x", Ok(())),
        ("http://mini.local:8443/x", Ok(())),
        ("*", Err(E::BadTarget)),
        ("ftp://mini.local:8443/x", Err(E::BadTarget)),
        ("mini.local:8443", Err(E::BadTarget)),
        ("/a\"b", Err(E::BadTarget)),
        ("/ä", Err(E::BadTarget)),
        ("/a?ä", Err(E::BadTarget)),
        ("https://other.example/x", Err(E::HostMismatch)),
        ("https://mini.local/x", Err(E::HostMismatch)),
        ("https://user@mini.local:8443/x", Err(E::BadHost)),
    ] {
        assert_eq!(get(uri).judge().map(|_| ()), verdict, "{uri}");
    }
    assert_eq!(get(&format!("/{}", "a".repeat(16 * 1024))).kind(), Err(E::TargetTooLong));
    assert_eq!(get("*").method("OPTIONS").kind(), Err(E::BadTarget));
}

#[test]
fn there_is_exactly_one_host_and_it_is_the_authority() {
    assert_eq!(get("/").without("host").kind(), Err(E::MissingHost));
    assert_eq!(get("/").without("host").version(Version::HTTP_10).kind(), Err(E::MissingHost));
    assert_eq!(get("https://mini.local:8443/").without("host").kind(), Err(E::MissingHost));
    assert_eq!(get("/").with("host", "mini.local:8443").kind(), Err(E::DuplicateHost));
    assert_eq!(get("/").with("host", "evil.example").kind(), Err(E::DuplicateHost));
    assert_eq!(get("/").without("host").with("host", "").kind(), Err(E::BadHost));
    assert_eq!(get("/").without("host").with("host", "mini.local, evil.example").kind(), Err(E::BadHost));
    assert_eq!(get("/").without("host").with("host", "mini.local@evil").kind(), Err(E::BadHost));

    assert_eq!(h2("GET").with("host", "MINI.local.:8443").kind(), Ok(Kind::Plain));
    assert_eq!(h2("GET").with("host", "mini.local").kind(), Err(E::HostMismatch));
    assert_eq!(h2("GET").with("host", "localhost:8443").kind(), Err(E::HostMismatch));
    assert_eq!(
        h2("GET").with("host", "mini.local:8443").with("host", "mini.local:8443").kind(),
        Err(E::DuplicateHost)
    );
    // HTTP/2 may do without `:authority`.
    let host_only = bare("GET", "/", Version::HTTP_2);
    assert_eq!(host_only.kind(), Err(E::MissingHost));
    assert_eq!(host_only.with("host", "mini.local").kind(), Ok(Kind::Plain));
}

#[test]
fn names_that_are_not_served_are_misdirected() {
    for host in
        ["evil.example", "mini.local.evil.example", "192.168.1.11", "127.0.0.2", "[fd00::1]", "a.localhost"]
    {
        assert_eq!(get("/").without("host").with("host", host).kind(), Err(E::UnknownHost), "{host}");
    }
    for host in ["192.168.1.10:1", "localhost:99", "127.0.0.1", "[::1]:8443", "MINI.LOCAL"] {
        assert_eq!(get("/").without("host").with("host", host).kind(), Ok(Kind::Plain), "{host}");
    }
}

#[test]
fn header_values_hold_no_controls_and_no_stray_spaces() {
    for value in [&b" a"[..], b"a ", b"\ta", b"a\t", b" "] {
        assert_eq!(get("/").with("x-a", value).kind(), Err(E::BadHeader), "{value:?}");
    }
    for value in [&b""[..], b"a b", b"a\tb", b"a,b;c=\"d\"", b"\xc3\xa4", b"\xff"] {
        assert_eq!(get("/").with("x-a", value).kind(), Ok(Kind::Plain), "{value:?}");
    }
    for name in ["content_length", "transfer_encoding", "Content_Length"] {
        assert_eq!(post().with(name, "5").kind(), Err(E::BadHeader), "{name}");
    }
    for name in ["session_id", "x_forwarded_for", "x-openclaw_scopes"] {
        assert_eq!(get("/").with(name, "5").kind(), Ok(Kind::Plain), "{name}");
    }
}

#[test]
fn headers_that_would_be_believed_stand_once() {
    for (name, value) in [
        ("authorization", "Bearer a"),
        ("origin", "https://mini.local:8443"),
        ("content-type", "text/plain"),
        ("expect", "100-continue"),
    ] {
        let once = post().with(name, value);
        assert_eq!(once.kind(), Ok(Kind::Plain), "{name}");
        assert_eq!(once.with(name, value).kind(), Err(E::DuplicateHeader), "{name}");
    }
    assert_eq!(get("/").with("cookie", "a=b").with("cookie", "c=d").kind(), Ok(Kind::Plain));
    assert_eq!(
        websocket().with("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==").kind(),
        Err(E::DuplicateHeader)
    );
    assert_eq!(websocket().with("sec-websocket-version", "13").kind(), Err(E::DuplicateHeader));
    assert_eq!(
        websocket().with("sec-websocket-protocol", "a").with("sec-websocket-protocol", "b").kind(),
        Ok(Kind::WebSocketH1)
    );
}

#[test]
fn too_many_or_too_large_headers_are_refused() {
    let many = (0..100).fold(get("/"), |head, index| head.with(&format!("x-{index}"), "1"));
    assert_eq!(many.kind(), Err(E::HeadersTooLarge));
    assert_eq!(get("/").with("x-a", "a".repeat(32 * 1024)).kind(), Err(E::HeadersTooLarge));
    assert_eq!(get("/").with("x-a", "a".repeat(31 * 1024)).kind(), Ok(Kind::Plain));
}

#[test]
fn the_length_of_a_body_is_said_once_and_plainly() {
    for (value, verdict) in [
        ("0", Ok(Length::Empty)),
        ("5", Ok(Length::Known(5))),
        ("0005", Err(E::BadContentLength)),
        ("00", Err(E::BadContentLength)),
        ("1000", Ok(Length::Known(1000))),
        ("1001", Err(E::BodyTooLarge)),
        ("18446744073709551615", Err(E::BodyTooLarge)),
        ("18446744073709551616", Err(E::BadContentLength)),
        ("18446744073709551619", Err(E::BadContentLength)),
        ("+5", Err(E::BadContentLength)),
        ("-5", Err(E::BadContentLength)),
        ("5, 5", Err(E::BadContentLength)),
        ("5 5", Err(E::BadContentLength)),
        ("0x5", Err(E::BadContentLength)),
        ("5e0", Err(E::BadContentLength)),
        ("5_0", Err(E::BadContentLength)),
        ("", Err(E::BadContentLength)),
        ("five", Err(E::BadContentLength)),
    ] {
        assert_eq!(post().with("content-length", value).length(), verdict, "{value}");
        assert_eq!(h2("POST").with("content-length", value).length(), verdict, "{value}");
    }
    for version in [Version::HTTP_11, Version::HTTP_2] {
        let twice = if version == Version::HTTP_2 { h2("POST") } else { post() };
        let twice = twice.with("content-length", "5").with("content-length", "5");
        assert_eq!(twice.length(), Err(E::BadContentLength));
    }
    assert_eq!(post().length(), Ok(Length::Empty));
    assert_eq!(h2("POST").length(), Ok(Length::Unknown));
}

#[test]
fn the_only_transfer_encoding_is_chunked_and_alone() {
    assert_eq!(post().with("transfer-encoding", "Chunked").length(), Ok(Length::Unknown));
    for value in [
        "gzip",
        "gzip, chunked",
        "chunked, chunked",
        "chunked;q=1",
        "xchunked",
        "chunked,",
        "identity",
        "",
        "\u{b}chunked",
    ] {
        let Ok(value) = HeaderValue::try_from(value) else { continue };
        let head = post().with("transfer-encoding", value.as_bytes());
        assert_eq!(head.length(), Err(E::BadTransferEncoding), "{value:?}");
    }
    let twice = post().with("transfer-encoding", "chunked").with("transfer-encoding", "chunked");
    assert_eq!(twice.length(), Err(E::BadTransferEncoding));
    let old = post().with("transfer-encoding", "chunked").version(Version::HTTP_10);
    assert_eq!(old.length(), Err(E::BadTransferEncoding));
    let both = post().with("transfer-encoding", "chunked").with("content-length", "5");
    assert_eq!(both.length(), Err(E::AmbiguousLength));
    let both = post().with("transfer-encoding", "x").with("content-length", "0");
    assert_eq!(both.length(), Err(E::AmbiguousLength));
}

#[test]
fn connection_names_no_header_that_must_arrive() {
    for value in
        ["close", "keep-alive", "Keep-Alive, TE", "te, , close", "x-own-thing", "Upgrade, HTTP2-Settings", ""]
    {
        assert_eq!(get("/").with("connection", value).kind(), Ok(Kind::Plain), "{value}");
    }
    for value in [
        "authorization",
        "close, Cookie",
        "host",
        "Content-Length",
        "content-type",
        "transfer-encoding",
        "Origin",
        "X-Forwarded-For",
        "x-forwarded-proto",
        "x_forwarded_for",
        "X-Real-IP",
        "forwarded",
        "Sec-WebSocket-Key",
        "X-OpenClaw-Scopes",
        "tailscale-user-login",
        "cf-connecting-ip",
        "x-request-id",
        "user-agent",
        "close\tx",
        "a b",
        "a;b",
        "\"x\"",
        "(",
    ] {
        assert_eq!(get("/").with("connection", value).kind(), Err(E::BadConnection), "{value}");
        assert_eq!(
            get("/").with("connection", "close").with("connection", value).kind(),
            Err(E::BadConnection),
            "{value}"
        );
    }
    assert_eq!(get("/").with("connection", vec!["a"; 17].join(",")).kind(), Err(E::BadConnection));
}

#[test]
fn http2_has_no_connection_headers() {
    for name in ["connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"] {
        assert_eq!(h2("GET").with(name, "x").kind(), Err(E::BadHeader), "{name}");
    }
    assert_eq!(h2("GET").with("te", "trailers").kind(), Ok(Kind::Plain));
}

#[test]
fn the_only_expectation_is_to_continue() {
    assert_eq!(post().with("expect", "100-Continue").kind(), Ok(Kind::Plain));
    for value in ["", "200-ok", "100-continue, x", "100-continue;x"] {
        assert_eq!(post().with("expect", value).kind(), Err(E::ExpectationRefused), "{value}");
    }
}

#[test]
fn a_complete_websocket_handshake_is_one() {
    assert_eq!(websocket().kind(), Ok(Kind::WebSocketH1));
    let noisy = websocket()
        .without("upgrade")
        .with("upgrade", "WebSocket")
        .with("sec-websocket-extensions", "permessage-deflate");
    assert_eq!(noisy.kind(), Ok(Kind::WebSocketH1));
    // The bits beyond the sixteenth byte are not looked at.
    let noisy =
        websocket().without("sec-websocket-key").with("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZR==");
    assert_eq!(noisy.kind(), Ok(Kind::WebSocketH1));
    assert_eq!(websocket_h2().kind(), Ok(Kind::WebSocketH2));
    assert_eq!(websocket_h2().with("sec-websocket-key", "whatever").kind(), Ok(Kind::WebSocketH2));
}

#[test]
fn an_incomplete_websocket_handshake_is_refused() {
    let key = |value: &str| websocket().without("sec-websocket-key").with("sec-websocket-key", value);
    for head in [
        websocket().without("connection"),
        websocket().without("connection").with("connection", "close"),
        websocket().without("sec-websocket-key"),
        websocket().without("sec-websocket-version"),
        websocket().method("POST"),
        websocket().method("HEAD"),
        websocket().version(Version::HTTP_10),
        websocket().with("content-length", "5"),
        websocket().with("content-length", "0"),
        websocket().with("transfer-encoding", "chunked"),
        websocket().with("upgrade", "h2c"),
        websocket().without("upgrade").with("upgrade", "h2c, websocket"),
        key(""),
        key("dGhlIHNhbXBsZSBub25jZQ="),
        key("dGhlIHNhbXBsZSBub25jZQ"),
        key("dGhlIHNhbXBsZSBub25jZ==="),
        key("dGhlIHNhbXBsZSBub25j!Q=="),
        key("dGhlIHNhbXBsZSBub25jZSBsb25nZXI="),
        key("dGhlIHNhbXBsZSBub25jZSBsb25nZQ=="),
        key("YQ=="),
        key("dGhlIHNhbXBsZSBub25jZA==, x"),
    ] {
        assert_eq!(head.kind(), Err(E::BadWebSocket), "{head:?}");
    }
    for version in ["8", "14", "013", "13, 8", ""] {
        let head = websocket().without("sec-websocket-version").with("sec-websocket-version", version);
        assert_eq!(head.kind(), Err(E::WebSocketVersion), "{version}");
    }
    assert_eq!(websocket_h2().with("content-length", "0").kind(), Err(E::BadWebSocket));
    assert_eq!(websocket_h2().without("sec-websocket-version").kind(), Err(E::BadWebSocket));
    assert_eq!(Head { protocol: Some("connect-udp"), ..websocket_h2() }.kind(), Err(E::UpgradeRefused));
    assert_eq!(Head { protocol: Some("WebSocket"), ..websocket_h2() }.kind(), Err(E::UpgradeRefused));
}

#[test]
fn other_upgrades_are_ignored_where_nothing_hangs_on_them() {
    let h2c = get("/")
        .with("connection", "Upgrade, HTTP2-Settings")
        .with("upgrade", "h2c")
        .with("http2-settings", "AAMAAABkAAQ");
    assert_eq!(h2c.kind(), Ok(Kind::Plain));
    assert_eq!(h2c.clone().method("HEAD").kind(), Ok(Kind::Plain));
    assert_eq!(get("/").with("upgrade", "foo").kind(), Ok(Kind::Plain));
    assert_eq!(get("/").with("upgrade", "").kind(), Ok(Kind::Plain));
    assert_eq!(h2c.clone().method("POST").kind(), Err(E::UpgradeRefused));
    assert_eq!(h2c.clone().with("content-length", "5").kind(), Err(E::UpgradeRefused));
    assert_eq!(h2c.with("transfer-encoding", "chunked").kind(), Err(E::UpgradeRefused));
}
