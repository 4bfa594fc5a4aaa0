//! Where HTTP/1 requests begin and end, read from the raw bytes before hyper parses them.
//!
//! hyper repairs what a careful recipient refuses: of two equal lengths it keeps one, beside an encoding it drops the
//! length, it takes LF for CRLF and cuts a fragment off a target. Whoever stands in front of us may have read such a
//! request differently, so it must not get as far as to be repaired. Guarantees: a byte is passed on only once
//! everything before it in its message could be read in exactly one way (RFC 9112 §2.2, §3, §5, §6, §7.1); the
//! connection ends with the first one that could not; nothing is copied but a line that arrives in pieces, and that
//! is bounded. Behind an offer of a WebSocket the bytes are somebody else's: no further request is taken on that
//! connection ([`super::Activity::expects`] holds hyper to that).

use crate::error::EdgeError;
use crate::gate::names_websocket;
use crate::settings::Limits;
use memchr::{memchr, memchr2};

/// Longest line of a chunk's size with its extensions, in bytes.
const CHUNK_LINE: usize = 256;
/// Trailer lines of one body.
const TRAILERS: usize = 64;

/// What comes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// A request line, or one empty line before it (RFC 9112 §2.2).
    Start { blank: bool },
    /// A header line, or the end of the head.
    Header,
    /// So many bytes of a body.
    Body(u64),
    /// The line with a chunk's size.
    ChunkSize,
    /// So many bytes of a chunk.
    Chunk(u64),
    /// The end of the line behind a chunk.
    ChunkEnd,
    /// A trailer line, or the end of the body, after so many trailers.
    Trailer(usize),
    /// Another protocol.
    Opaque,
    /// Nothing: the connection ends.
    Refused(EdgeError),
}

/// What the lines of a head have said about the body.
#[derive(Debug, Clone, Copy, Default)]
struct Head {
    http10: bool,
    length: Option<u64>,
    chunked: bool,
    websocket: bool,
}

/// The first byte that is not passed on, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Refusal {
    /// How many of the bytes shown may be passed on.
    pub(super) passed: usize,
    /// Why the next one may not.
    pub(super) error: EdgeError,
    /// Whether it happened in a head. Otherwise it was in a body, of which the head is with hyper already.
    pub(super) in_head: bool,
}

/// Follows the requests of one connection.
#[derive(Debug)]
pub(super) struct Framing {
    state: State,
    head: Head,
    /// The beginning of a line that did not arrive in one piece.
    line: Vec<u8>,
    line_max: usize,
    heads: u64,
}

impl Framing {
    /// A connection that begins now.
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            state: State::Start { blank: false },
            head: Head::default(),
            line: Vec::new(),
            line_max: limits.header_bytes.max(limits.target_bytes + 64),
            heads: 0,
        }
    }

    /// Complete heads so far.
    pub(super) const fn heads(&self) -> u64 {
        self.heads
    }

    /// Why the connection ends.
    pub(super) const fn refusal(&self) -> Option<EdgeError> {
        match self.state {
            State::Refused(error) => Some(error),
            _ => None,
        }
    }

    /// Whether bytes of a request that has begun may still be under way.
    pub(super) const fn is_within(&self) -> bool {
        !matches!(self.state, State::Start { .. } | State::Opaque)
    }

    /// Shows it the next bytes of the connection.
    pub(super) fn see(&mut self, bytes: &[u8]) -> Result<(), Refusal> {
        let mut rest = bytes;
        while !rest.is_empty() {
            let before = self.state;
            match self.step(rest) {
                Ok(taken) => rest = rest.get(taken..).unwrap_or_default(),
                Err((passed, error)) => {
                    self.state = State::Refused(error);
                    self.line = Vec::new();
                    let in_head = matches!(before, State::Start { .. } | State::Header);
                    // hyper ignores what follows a chunk's size, so of that line it gets nothing.
                    let passed =
                        if in_head { bytes.len() - rest.len() + passed } else { bytes.len() - rest.len() };
                    return Err(Refusal { passed, error, in_head });
                }
            }
        }
        Ok(())
    }

    /// Takes the next part. Says its length; or how much of it may pass, and why the rest may not.
    fn step(&mut self, bytes: &[u8]) -> Result<usize, (usize, EdgeError)> {
        match &mut self.state {
            State::Opaque => Ok(bytes.len()),
            State::Refused(error) => Err((0, *error)),
            State::Body(left) | State::Chunk(left) => {
                let taken = usize::try_from(*left).unwrap_or(usize::MAX).min(bytes.len());
                *left -= taken as u64;
                if *left == 0 {
                    let chunked = matches!(self.state, State::Chunk(_));
                    self.state = if chunked { State::ChunkEnd } else { State::Start { blank: false } };
                }
                Ok(taken)
            }
            State::Start { .. } | State::Header | State::ChunkSize | State::ChunkEnd | State::Trailer(_) => {
                self.line(bytes)
            }
        }
    }

    /// Takes one line, or the part of it that is there.
    fn line(&mut self, bytes: &[u8]) -> Result<usize, (usize, EdgeError)> {
        let (text, taken) = if self.line.last() == Some(&b'\r') {
            if bytes.first() != Some(&b'\n') {
                return Err((0, self.malformed()));
            }
            (0, 1)
        } else {
            match memchr2(b'\r', b'\n', bytes) {
                Some(end) => match (bytes.get(end), bytes.get(end + 1)) {
                    (Some(b'\r'), Some(b'\n')) => (end, end + 2),
                    (Some(b'\r'), None) => return self.keep(bytes),
                    _ => return Err((end, self.malformed())),
                },
                None => return self.keep(bytes),
            }
        };
        let here = bytes.get(..text).unwrap_or_default();
        if self.line.is_empty() {
            self.complete(here).map_err(|error| (text, error))?;
        } else {
            let mut line = std::mem::take(&mut self.line);
            line.extend_from_slice(here);
            let line = line.strip_suffix(b"\r").unwrap_or(&line);
            self.complete(line).map_err(|error| (text, error))?;
        }
        Ok(taken)
    }

    /// Keeps the beginning of a line.
    fn keep(&mut self, bytes: &[u8]) -> Result<usize, (usize, EdgeError)> {
        let (max, error) = match self.state {
            State::ChunkEnd => (1, EdgeError::BadBody),
            State::ChunkSize => (CHUNK_LINE, EdgeError::BadBody),
            _ => (self.line_max, EdgeError::HeadersTooLarge),
        };
        if self.line.len() + bytes.len() > max {
            return Err((0, error));
        }
        self.line.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    /// What a line that does not end in CRLF is called here.
    const fn malformed(&self) -> EdgeError {
        match self.state {
            State::Start { .. } | State::Header => EdgeError::BadHeader,
            _ => EdgeError::BadBody,
        }
    }

    /// A whole line without its end.
    fn complete(&mut self, line: &[u8]) -> Result<(), EdgeError> {
        self.state = match (self.state, line) {
            (State::Start { blank: false }, []) => State::Start { blank: true },
            (State::Start { .. }, line) => {
                self.head = Head { http10: request_line(line)?, ..Head::default() };
                State::Header
            }
            (State::Header, []) => {
                self.heads += 1;
                self.body()
            }
            (State::Header, line) => {
                self.head.header(line)?;
                State::Header
            }
            (State::ChunkSize, line) => match chunk_size(line).ok_or(EdgeError::BadBody)? {
                0 => State::Trailer(0),
                size => State::Chunk(size),
            },
            (State::ChunkEnd, []) => State::ChunkSize,
            (State::Trailer(_), []) => State::Start { blank: false },
            (State::Trailer(count), line) if count < TRAILERS && trailer(line) => State::Trailer(count + 1),
            _ => return Err(EdgeError::BadBody),
        };
        Ok(())
    }

    /// What follows the head.
    const fn body(&self) -> State {
        match self.head {
            Head { websocket: true, .. } => State::Opaque,
            Head { chunked: true, .. } => State::ChunkSize,
            Head { length: Some(length @ 1..), .. } => State::Body(length),
            _ => State::Start { blank: false },
        }
    }
}

impl Head {
    fn header(&mut self, line: &[u8]) -> Result<(), EdgeError> {
        let (name, value) = field(line).ok_or(EdgeError::BadHeader)?;
        match name.len() {
            14 if name.eq_ignore_ascii_case(b"content-length") => {
                let length = number(value).ok_or(EdgeError::BadContentLength)?;
                if self.length.replace(length).is_some() {
                    return Err(EdgeError::BadContentLength);
                }
            }
            17 if name.eq_ignore_ascii_case(b"transfer-encoding") => {
                let chunked = value.eq_ignore_ascii_case(b"chunked");
                if !chunked || self.http10 || std::mem::replace(&mut self.chunked, true) {
                    return Err(EdgeError::BadTransferEncoding);
                }
            }
            7 if name.eq_ignore_ascii_case(b"upgrade") => self.websocket |= names_websocket(value),
            _ => return Ok(()),
        }
        if self.chunked && self.length.is_some() { Err(EdgeError::AmbiguousLength) } else { Ok(()) }
    }
}

/// `method SP target SP version`, each in plain characters. Says whether the version is 1.0.
fn request_line(line: &[u8]) -> Result<bool, EdgeError> {
    let mut parts = line.split(|byte| *byte == b' ');
    let (Some(method), Some(target), Some(version), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(EdgeError::BadTarget);
    };
    if !is_token(method) {
        return Err(EdgeError::BadHeader);
    }
    let plain = |byte: &u8| byte.is_ascii_graphic() && *byte != b'#';
    if target.is_empty() || !target.iter().all(plain) {
        return Err(EdgeError::BadTarget);
    }
    match version {
        b"HTTP/1.1" => Ok(false),
        b"HTTP/1.0" => Ok(true),
        [b'H', b'T', b'T', b'P', b'/', b'0'..=b'9', b'.', b'0'..=b'9'] => Err(EdgeError::VersionRefused),
        _ => Err(EdgeError::BadHeader),
    }
}

/// `name ":" OWS value OWS`. A line that begins with white space continues the one before: nobody reads that alike.
fn field(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let colon = memchr(b':', line)?;
    let (name, value) = (line.get(..colon)?, line.get(colon + 1..)?);
    is_token(name).then(|| (name, trim(value)))
}

fn trim(mut value: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = value {
        value = rest;
    }
    value
}

/// RFC 9110 §5.6.2.
fn is_token(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().all(|byte| TOKEN[usize::from(*byte)])
}

const TOKEN: [bool; 256] = {
    let mut token = [false; 256];
    let mut byte = 0;
    while byte < 128 {
        #[allow(clippy::cast_possible_truncation, reason = "below 128")]
        let character = byte as u8;
        token[byte] = character.is_ascii_alphanumeric()
            || matches!(
                character,
                b'!' | b'#'
                    | b'$'
                    | b'%'
                    | b'&'
                    | b'\''
                    | b'*'
                    | b'+'
                    | b'-'
                    | b'.'
                    | b'^'
                    | b'_'
                    | b'`'
                    | b'|'
                    | b'~'
            );
        byte += 1;
    }
    token
};

/// Digits only, within 64 bits.
fn number(text: &[u8]) -> Option<u64> {
    let plain = !text.is_empty() && text.iter().all(u8::is_ascii_digit);
    plain.then(|| std::str::from_utf8(text).ok()?.parse().ok())?
}

/// Hexadecimal digits within 64 bits, then nothing, or extensions in visible characters.
fn chunk_size(line: &[u8]) -> Option<u64> {
    let digits = line.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
    let (size, extensions) = line.split_at_checked(digits)?;
    let visible = |byte: &u8| byte.is_ascii_graphic() || matches!(byte, b' ' | b'\t');
    let plain = match extensions {
        [] => true,
        [b';', name, ..] => {
            is_token(&[*name]) && extensions.len() < CHUNK_LINE && extensions.iter().all(visible)
        }
        _ => false,
    };
    (plain && (1..=16).contains(&digits))
        .then(|| u64::from_str_radix(std::str::from_utf8(size).ok()?, 16).ok())?
}

/// A trailer that does not frame.
fn trailer(line: &[u8]) -> bool {
    field(line).is_some_and(|(name, _)| {
        ![&b"content-length"[..], b"transfer-encoding", b"host"].iter().any(|f| name.eq_ignore_ascii_case(f))
    })
}

#[cfg(test)]
mod tests;
