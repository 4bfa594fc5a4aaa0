//! Frames of HTTP/2 as they stand in a case, and as they come back.
//!
//! `TYPE[+FLAG...] STREAM [TOKEN...]` is a frame; the lines below it that begin with two spaces are its fields, in HPACK
//! without indexing and without Huffman: `name = value`, `@get`, `@post`, `@connect` for the usual pseudo headers of one,
//! `~ TOKEN...` for bytes. A token is `0xHEX`, `"text"`, either with `N*` before it, or `len=N` for a length that lies.
//! `raw TOKEN...` is no frame, and `N times` repeats the next frame, in which `$` stands for 1, 3, 5...

use crate::hostile::script::unescape;

pub(super) const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

const ERRORS: [&str; 14] = [
    "NO_ERROR",
    "PROTOCOL_ERROR",
    "INTERNAL_ERROR",
    "FLOW_CONTROL_ERROR",
    "SETTINGS_TIMEOUT",
    "STREAM_CLOSED",
    "FRAME_SIZE_ERROR",
    "REFUSED_STREAM",
    "CANCEL",
    "COMPRESSION_ERROR",
    "CONNECT_ERROR",
    "ENHANCE_YOUR_CALM",
    "INADEQUATE_SECURITY",
    "HTTP_1_1_REQUIRED",
];

const TYPES: [&str; 10] =
    ["data", "headers", "priority", "rst", "settings", "push", "ping", "goaway", "window", "continuation"];

/// A frame that came.
pub(super) struct Frame {
    pub(super) kind: u8,
    pub(super) flags: u8,
    pub(super) stream: u32,
    pub(super) payload: Vec<u8>,
}

impl Frame {
    /// The first frame in these bytes, and how long it is.
    pub(super) fn read(bytes: &[u8]) -> Option<(Self, usize)> {
        let head = bytes.get(..9)?;
        let end = 9 + u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
        let payload = bytes.get(9..end)?.to_vec();
        let stream = u32::from_be_bytes([head[5], head[6], head[7], head[8]]) & 0x7fff_ffff;
        Some((Self { kind: head[3], flags: head[4], stream, payload }, end))
    }
}

pub(super) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    with_length(kind, flags, stream, payload, payload.len())
}

fn with_length(kind: u8, flags: u8, stream: u32, payload: &[u8], length: usize) -> Vec<u8> {
    let mut out = (length as u32).to_be_bytes()[1..].to_vec();
    out.extend([kind, flags]);
    out.extend(stream.to_be_bytes());
    out.extend(payload);
    out
}

/// SETTINGS that ask for answers without a dynamic table.
pub(super) fn settings_without_table() -> Vec<u8> {
    frame(4, 0, 0, &[0, 1, 0, 0, 0, 0])
}

/// The name of an error code.
pub(super) fn error_name(code: &[u8]) -> &'static str {
    let code = u32::from_be_bytes(code[..4].try_into().unwrap());
    ERRORS.get(code as usize).copied().unwrap_or("UNKNOWN")
}

/// The `:status` at the beginning of a block of fields.
pub(super) fn status(block: &[u8]) -> u16 {
    // The edge may begin with a change of its table's size.
    let block = if block[0] & 0xe0 == 0x20 { &block[1..] } else { block };
    match block[0] {
        indexed @ 0x88..=0x8e => [200, 204, 206, 304, 400, 404, 500][usize::from(indexed - 0x88)],
        _ => {
            let (huffman, length) = (block[1] & 0x80 != 0, usize::from(block[1] & 0x7f));
            let text = &block[2..2 + length];
            if huffman { digits(text) } else { std::str::from_utf8(text).unwrap().parse().unwrap() }
        }
    }
}

/// Three digits in HPACK's Huffman code: 5 bits for 0 to 2, 6 bits from 0x19 on for the others.
fn digits(bytes: &[u8]) -> u16 {
    let bits = bytes.iter().fold(0_u64, |bits, byte| bits << 8 | u64::from(*byte));
    let mut left = bytes.len() * 8;
    let mut number = 0;
    for _ in 0..3 {
        let five = (bits >> (left - 5)) & 0x1f;
        let digit = if five <= 2 {
            left -= 5;
            five
        } else {
            left -= 6;
            ((bits >> left) & 0x3f) - 0x19 + 3
        };
        number = number * 10 + digit as u16;
    }
    number
}

/// The bytes of a case.
pub(super) fn parse(lines: &[String]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut lines = lines.iter().map(String::as_str).filter(|line| !line.is_empty()).peekable();
    while let Some(mut line) = lines.next() {
        let mut times = 1;
        if let Some(count) = line.strip_suffix(" times") {
            times = count.parse().unwrap();
            line = lines.next().unwrap();
        }
        let mut fields = Vec::new();
        while let Some(field) = lines.next_if(|line| line.starts_with("  ")) {
            fields.extend(self::field(&field[2..]));
        }
        for time in 0..times {
            out.extend(one(&line.replace('$', &(2 * time + 1).to_string()), &fields));
        }
    }
    out
}

fn one(line: &str, fields: &[u8]) -> Vec<u8> {
    let mut words = line.split(' ');
    let mut flags = words.next().unwrap().split('+');
    let name = flags.next().unwrap();
    if name == "raw" {
        return words.flat_map(token).collect();
    }
    let kind = match name.strip_prefix("type") {
        Some(number) => number.parse().unwrap(),
        None => {
            TYPES.iter().position(|known| *known == name).unwrap_or_else(|| panic!("no frame: {line}")) as u8
        }
    };
    let flags = flags.fold(0, |flags, flag| {
        flags
            | match flag {
                "ES" | "ACK" => 0x1,
                "EH" => 0x4,
                "PAD" => 0x8,
                "PRIO" => 0x20,
                other => panic!("no flag: {other}"),
            }
    });
    let stream = words.next().unwrap().parse().unwrap();
    let (mut payload, mut length) = (Vec::new(), None);
    for word in words {
        match word.strip_prefix("len=") {
            Some(lie) => length = Some(lie.parse().unwrap()),
            None => payload.extend(token(word)),
        }
    }
    payload.extend(fields);
    let length = length.unwrap_or(payload.len());
    with_length(kind, flags, stream, &payload, length)
}

fn token(word: &str) -> Vec<u8> {
    let (times, what) = match word.split_once('*') {
        Some((times, what)) if times.bytes().all(|byte| byte.is_ascii_digit()) => {
            (times.parse().unwrap(), what)
        }
        _ => (1, word),
    };
    let bytes = match what.strip_prefix("0x") {
        Some(hex) => {
            (0..hex.len() / 2).map(|at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).unwrap()).collect()
        }
        None => unescape(what.trim_matches('"')),
    };
    bytes.repeat(times)
}

fn field(line: &str) -> Vec<u8> {
    let usual = |method: &str| {
        let pseudo =
            [(":method", method), (":scheme", "https"), (":authority", "mini.local"), (":path", "/a")];
        pseudo.iter().flat_map(|(name, value)| literal(name.as_bytes(), value.as_bytes())).collect()
    };
    match line {
        "@get" => usual("GET"),
        "@post" => usual("POST"),
        "@connect" => [usual("CONNECT"), literal(b":protocol", b"websocket")].concat(),
        line => match line.strip_prefix("~ ") {
            Some(tokens) => tokens.split(' ').flat_map(token).collect(),
            None => {
                let (name, value) = line.split_once(" =").unwrap_or_else(|| panic!("no field: {line}"));
                literal(&unescape(name), &unescape(value.strip_prefix(' ').unwrap_or(value)))
            }
        },
    }
}

/// A field that is not indexed, with a new name.
fn literal(name: &[u8], value: &[u8]) -> Vec<u8> {
    [&[0][..], &integer(name.len()), name, &integer(value.len()), value].concat()
}

/// An integer with a prefix of 7 bits (RFC 7541 §5.1).
fn integer(number: usize) -> Vec<u8> {
    let Some(mut rest) = number.checked_sub(127) else { return vec![number as u8] };
    let mut out = vec![127];
    while rest >= 128 {
        out.push((rest % 128 + 128) as u8);
        rest /= 128;
    }
    out.push(rest as u8);
    out
}
