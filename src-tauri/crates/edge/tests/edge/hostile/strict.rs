//! A reader of HTTP/1.1 requests that knows one way to read and takes no other.
//!
//! It shares no line with the edge. Whatever two servers might read differently, it refuses: so what it reads, everybody
//! reads alike. It also knows what a gateway believes of a proxy on loopback, and who may say so.

/// What stands at the beginning of bytes.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Read {
    /// One request, so many bytes long; whether it asks for a WebSocket.
    Request { length: usize, websocket: bool },
    /// The beginning of one.
    Incomplete,
    /// Something that can be read in more than one way, or not at all.
    Doubtful(String),
}

/// Headers that say who somebody is, where they come from, or what a hop thinks of the connection: the edge's to write or
/// nobody's. In any spelling.
const NOBODYS: [&str; 30] = [
    "cf-access-authenticated-user-email",
    "cf-connecting-ip",
    "cf-ipcountry",
    "client-ip",
    "expect",
    "fastly-client-ip",
    "forwarded",
    "forwarded-for",
    "front-end-https",
    "http2-settings",
    "keep-alive",
    "proxy-authorization",
    "proxy-connection",
    "remote-user",
    "tailscale-user-login",
    "te",
    "true-client-ip",
    "via",
    "x-auth-request-user",
    "x-client-ip",
    "x-cluster-client-ip",
    "x-forwarded-client-cert",
    "x-forwarded-port",
    "x-forwarded-user",
    "x-gatehouse-error",
    "x-openclaw-scopes",
    "x-original-url",
    "x-real-ip",
    "x-remote-user",
    "x-rewrite-url",
];

/// Headers of which two would be a choice.
const ONCE: [&str; 14] = [
    "authorization",
    "connection",
    "content-length",
    "content-type",
    "host",
    "origin",
    "sec-websocket-key",
    "sec-websocket-version",
    "transfer-encoding",
    "upgrade",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-request-id",
];

/// Reads one request. `local` = the edge may say that it came from this machine, by saying nothing.
pub(super) fn read(bytes: &[u8], local: bool) -> Read {
    match request(bytes, local) {
        Ok(Some((length, websocket))) => Read::Request { length, websocket },
        Ok(None) => Read::Incomplete,
        Err(doubt) => Read::Doubtful(doubt),
    }
}

type Doubt<T> = Result<T, String>;

fn request(bytes: &[u8], local: bool) -> Doubt<Option<(usize, bool)>> {
    let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else { return Ok(None) };
    let head = &bytes[..end];
    let mut lines = split(head)?.into_iter();
    request_line(lines.next().unwrap_or_default())?;
    let mut headers: Vec<(String, &[u8])> = Vec::new();
    for line in lines {
        headers.push(header(line)?);
    }
    let values = |name: &str| -> Vec<&[u8]> {
        headers.iter().filter(|(key, _)| key.replace('_', "-") == name).map(|(_, value)| *value).collect()
    };
    for name in ONCE {
        if values(name).len() > 1 {
            return Err(format!("{name} stands twice"));
        }
    }
    for name in NOBODYS {
        if !values(name).is_empty() {
            return Err(format!("{name} reached the gateway"));
        }
    }
    for (name, _) in &headers {
        let folded = name.replace('_', "-");
        if folded != *name && (ONCE.contains(&folded.as_str()) || folded.starts_with("x-forwarded")) {
            return Err(format!("{name} is a twin"));
        }
    }
    for name in ["host", "x-request-id"] {
        if values(name).len() != 1 {
            return Err(format!("not one {name}"));
        }
    }
    let attributed =
        ["x-forwarded-for", "x-forwarded-host", "x-forwarded-proto"].map(|name| values(name).len());
    match attributed {
        [1, 1, 1] => {}
        [0, 0, 0] if local => {}
        _ => return Err("the client is not attributed".to_owned()),
    }
    if attributed[0] == 1 {
        let client = std::str::from_utf8(values("x-forwarded-for")[0]).unwrap_or_default();
        let client: std::net::IpAddr = client.parse().map_err(|_| "x-forwarded-for is no address")?;
        if client.is_loopback()
            || values("x-forwarded-proto") != [b"https"]
            || values("x-forwarded-host") != values("host")
        {
            return Err("the client is attributed to nobody".to_owned());
        }
    }
    let websocket = upgrade(&values("upgrade"), &values("connection"), &values("sec-websocket-key"))?;
    let body = &bytes[end + 4..];
    let length = match (values("content-length").first(), values("transfer-encoding").first()) {
        (Some(_), Some(_)) => return Err("two lengths".to_owned()),
        (Some(length), None) => {
            let digits = length.iter().all(u8::is_ascii_digit) && (1..=15).contains(&length.len());
            let text = std::str::from_utf8(length).unwrap_or_default();
            let length = text.parse::<usize>().ok().filter(|_| digits).ok_or("no length")?;
            (body.len() >= length).then_some(length)
        }
        (None, Some(encoding)) if *encoding == b"chunked" => chunked(body)?,
        (None, Some(_)) => return Err("an encoding that is not chunked".to_owned()),
        (None, None) => Some(0),
    };
    if websocket && (length != Some(0)) {
        return Err("a handshake with a body".to_owned());
    }
    Ok(length.map(|length| (end + 4 + length, websocket)))
}

/// Lines that end in CRLF, in which neither character stands alone.
fn split(head: &[u8]) -> Doubt<Vec<&[u8]>> {
    let mut lines = Vec::new();
    let mut rest = head;
    loop {
        let end = rest.windows(2).position(|pair| pair == b"\r\n").unwrap_or(rest.len());
        let line = &rest[..end];
        if line.iter().any(|byte| matches!(byte, 0..=8 | 10..=31 | 127)) {
            return Err(format!("a control character in {}", line.escape_ascii()));
        }
        lines.push(line);
        if end == rest.len() {
            return Ok(lines);
        }
        rest = &rest[end + 2..];
    }
}

fn request_line(line: &[u8]) -> Doubt<()> {
    let line = std::str::from_utf8(line).map_err(|_| "a request line that is no text")?;
    let words: Vec<_> = line.split(' ').collect();
    let [method, target, "HTTP/1.1"] = words[..] else { return Err(format!("a request line: {line:?}")) };
    let method_fits =
        !method.is_empty() && method.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'-');
    let target_fits =
        target.starts_with('/') && target.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#');
    if method_fits && target_fits { Ok(()) } else { Err(format!("a request line: {line:?}")) }
}

fn header(line: &[u8]) -> Doubt<(String, &[u8])> {
    let colon = line.iter().position(|byte| *byte == b':').ok_or("a line without a colon")?;
    let name = std::str::from_utf8(&line[..colon]).map_err(|_| "a name that is no text")?;
    let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    if name.is_empty() || !name.bytes().all(token) {
        return Err(format!("a header name: {name:?}"));
    }
    let value = &line[colon + 1..];
    let value = value.strip_prefix(b" ").unwrap_or(value);
    if value.trim_ascii() != value {
        return Err(format!("space around the value of {name}"));
    }
    Ok((name.to_ascii_lowercase(), value))
}

fn upgrade(upgrade: &[&[u8]], connection: &[&[u8]], key: &[&[u8]]) -> Doubt<bool> {
    match (upgrade, connection) {
        ([], []) => Ok(false),
        ([], [only]) if only.eq_ignore_ascii_case(b"keep-alive") || only.eq_ignore_ascii_case(b"close") => {
            Ok(false)
        }
        ([protocol], [only])
            if *protocol == b"websocket" && only.eq_ignore_ascii_case(b"upgrade") && key.len() == 1 =>
        {
            Ok(true)
        }
        _ => Err("an upgrade to something else".to_owned()),
    }
}

/// The length of a chunked body; lower-case sizes, no extension, and trailers that frame and identify nothing.
fn chunked(body: &[u8]) -> Doubt<Option<usize>> {
    let mut at = 0;
    loop {
        let Some(end) = body[at..].windows(2).position(|pair| pair == b"\r\n") else { return Ok(None) };
        let size = &body[at..at + end];
        if size.is_empty() || size.len() > 8 || !size.iter().all(u8::is_ascii_hexdigit) {
            return Err(format!("a chunk size: {}", size.escape_ascii()));
        }
        let size =
            usize::from_str_radix(&String::from_utf8_lossy(size), 16).map_err(|error| error.to_string())?;
        at += end + 2;
        if size == 0 {
            break;
        }
        if body.len() < at + size + 2 {
            return Ok(None);
        }
        if &body[at + size..at + size + 2] != b"\r\n" {
            return Err("a chunk without its end".to_owned());
        }
        at += size + 2;
    }
    loop {
        let Some(end) = body[at..].windows(2).position(|pair| pair == b"\r\n") else { return Ok(None) };
        let line = &body[at..at + end];
        at += end + 2;
        if line.is_empty() {
            return Ok(Some(at));
        }
        let (name, _) = header(line)?;
        let name = name.replace('_', "-");
        if ONCE.contains(&name.as_str()) || NOBODYS.contains(&name.as_str()) {
            return Err(format!("the trailer {name} reached the gateway"));
        }
    }
}
