//! A passive observer of WebSocket frame boundaries (RFC 6455 §5.2).
//!
//! Guarantees: it only reads; it never delays, changes or holds the bytes it is shown; it copies nothing but the at
//! most 125 bytes of a close frame; payloads are skipped by arithmetic, not by looking at them. The first thing it
//! does not understand (a reserved opcode, a control frame that is too long or fragmented, a wrong mask bit) stops it
//! for good: from then on it says nothing, and the bytes go on as they were.

/// Longest payload of a control frame (RFC 6455 §5.5).
const MAX_CONTROL: usize = 125;
const OPCODE_CLOSE: u8 = 0x8;

/// What a close frame said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Close {
    /// The status code; none where the frame was empty.
    pub(crate) code: Option<u16>,
    /// The reason; bytes that are not UTF-8 are replaced.
    pub(crate) reason: String,
}

/// Which end sends the bytes: clients mask every frame, servers mask none (RFC 6455 §5.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sender {
    /// The bytes come from the WebSocket client.
    Client,
    /// The bytes come from the WebSocket server.
    Server,
}

#[derive(Debug)]
enum State {
    /// Collecting a frame header.
    Header,
    /// Skipping this many payload bytes.
    Skip(u64),
    /// Collecting the payload of a close frame.
    Close,
    /// Finished: a close frame was seen, or the framing was not understood.
    Done,
}

/// Follows the frames of one direction of one WebSocket.
#[derive(Debug)]
pub(crate) struct Observer {
    state: State,
    sender: Sender,
    /// Header bytes collected so far (2 + 8 + 4 at most).
    header: [u8; 14],
    have: u8,
    close: Option<Box<CloseFrame>>,
}

#[derive(Debug)]
struct CloseFrame {
    mask: [u8; 4],
    payload: Vec<u8>,
    wanted: usize,
}

impl Observer {
    /// An observer that waits for the first frame header.
    pub(crate) fn new(sender: Sender) -> Self {
        Self { state: State::Header, sender, header: [0; 14], have: 0, close: None }
    }

    /// Shows it the next bytes of the stream. Says the close frame once, when its last byte was seen.
    pub(crate) fn see(&mut self, mut bytes: &[u8]) -> Option<Close> {
        while !bytes.is_empty() {
            match &mut self.state {
                State::Done => return None,
                State::Skip(left) => {
                    let step = (*left).min(bytes.len() as u64);
                    *left -= step;
                    if *left == 0 {
                        self.state = State::Header;
                    }
                    bytes = bytes.get(usize::try_from(step).unwrap_or(usize::MAX)..).unwrap_or_default();
                }
                State::Header => {
                    let Some(slot) = self.header.get_mut(usize::from(self.have)) else {
                        self.state = State::Done;
                        return None;
                    };
                    *slot = bytes.first().copied().unwrap_or_default();
                    self.have += 1;
                    bytes = bytes.get(1..).unwrap_or_default();
                    if let Some(close) = self.header_grew() {
                        return Some(close);
                    }
                }
                State::Close => {
                    let Some(frame) = self.close.as_mut() else {
                        self.state = State::Done;
                        return None;
                    };
                    let take = bytes.len().min(frame.wanted - frame.payload.len());
                    let (now, rest) = bytes.split_at(take);
                    frame.payload.extend_from_slice(now);
                    bytes = rest;
                    if frame.payload.len() == frame.wanted {
                        return self.finish();
                    }
                }
            }
        }
        None
    }

    /// One more header byte arrived: moves on when the header is complete.
    fn header_grew(&mut self) -> Option<Close> {
        if self.have < 2 {
            return None;
        }
        let [first, second, ..] = self.header;
        let masked = second & 0x80 != 0;
        let short = second & 0x7f;
        let extended = match short {
            126 => 2,
            127 => 8,
            _ => 0,
        };
        if self.have == 2 && !self.plausible(first, masked, short) {
            self.state = State::Done;
            return None;
        }
        let length_end = 2 + extended;
        let whole = length_end + if masked { 4 } else { 0 };
        if usize::from(self.have) < whole {
            return None;
        }
        let length = match extended {
            0 => u64::from(short),
            _ => self.header[2..length_end].iter().fold(0u64, |sum, byte| (sum << 8) | u64::from(*byte)),
        };
        self.have = 0;
        if length > i64::MAX as u64 {
            self.state = State::Done;
            return None;
        }
        if first & 0x0f != OPCODE_CLOSE {
            self.state = if length == 0 { State::Header } else { State::Skip(length) };
            return None;
        }
        let mut mask = [0; 4];
        if masked {
            mask.copy_from_slice(&self.header[length_end..whole]);
        }
        let wanted = usize::from(short);
        self.close = Some(Box::new(CloseFrame { mask, payload: Vec::with_capacity(wanted), wanted }));
        self.state = State::Close;
        if wanted == 0 { self.finish() } else { None }
    }

    /// Whether the first two bytes can open a frame from this sender. RSV1 belongs to `permessage-deflate`.
    fn plausible(&self, first: u8, masked: bool, short: u8) -> bool {
        let opcode = first & 0x0f;
        let control = opcode & 0x8 != 0;
        let known = matches!(opcode, 0x0..=0x2 | 0x8..=0xa);
        let control_fits = !control || (usize::from(short) <= MAX_CONTROL && first & 0x80 != 0);
        known && control_fits && first & 0x30 == 0 && masked == (self.sender == Sender::Client)
    }

    fn finish(&mut self) -> Option<Close> {
        self.state = State::Done;
        let frame = self.close.take()?;
        let mut payload = frame.payload;
        for (byte, key) in payload.iter_mut().zip(frame.mask.iter().cycle()) {
            *byte ^= key;
        }
        let code = match payload.as_slice() {
            [high, low, ..] => Some(u16::from_be_bytes([*high, *low])),
            _ => None,
        };
        let reason = String::from_utf8_lossy(payload.get(2..).unwrap_or_default()).into_owned();
        Some(Close { code, reason })
    }
}

#[cfg(test)]
mod tests;
