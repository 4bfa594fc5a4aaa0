//! Server-sent events as they stand in the HTML standard, as far as the control socket uses them: `data:` lines,
//! comments, an empty line after each event.

use crate::Event;

/// One event as it goes over the wire. The JSON of an event holds no raw line break, so that one `data:` line does.
pub(super) fn encode(event: &Event) -> Result<Vec<u8>, serde_json::Error> {
    let mut bytes = b"data: ".to_vec();
    serde_json::to_writer(&mut bytes, event)?;
    bytes.extend_from_slice(b"\n\n");
    Ok(bytes)
}

/// A comment, which tells a quiet stream from a dead one.
pub(super) const KEEP_ALIVE: &[u8] = b": keep-alive\n\n";

/// Puts events together from pieces of any size.
#[derive(Debug, Default)]
pub(super) struct Decoder {
    line: Vec<u8>,
    data: Vec<u8>,
    limit: usize,
}

/// What is wrong with a stream.
#[derive(Debug, thiserror::Error)]
pub(super) enum DecodeError {
    /// An event is longer than the limit.
    #[error("an event is longer than {0} bytes")]
    TooLong(usize),
    /// It is not an event.
    #[error("not an event: {0}")]
    NotAnEvent(#[from] serde_json::Error),
}

impl Decoder {
    /// A decoder that refuses events longer than `limit` bytes.
    pub(super) fn new(limit: usize) -> Self {
        Self { line: Vec::new(), data: Vec::new(), limit }
    }

    /// Takes a piece of the stream and returns the events that it completes.
    pub(super) fn push(&mut self, piece: &[u8]) -> Result<Vec<Event>, DecodeError> {
        let mut events = Vec::new();
        let mut rest = piece;
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            self.extend_line(&rest[..end])?;
            rest = &rest[end + 1..];
            if let Some(event) = self.end_line()? {
                events.push(event);
            }
        }
        self.extend_line(rest)?;
        Ok(events)
    }

    fn extend_line(&mut self, bytes: &[u8]) -> Result<(), DecodeError> {
        if self.line.len() + self.data.len() + bytes.len() > self.limit {
            return Err(DecodeError::TooLong(self.limit));
        }
        self.line.extend_from_slice(bytes);
        Ok(())
    }

    fn end_line(&mut self) -> Result<Option<Event>, DecodeError> {
        let mut line = std::mem::take(&mut self.line);
        if line.last() == Some(&b'\r') {
            line.pop();
        }
        if line.is_empty() {
            let data = std::mem::take(&mut self.data);
            if data.is_empty() {
                return Ok(None);
            }
            let event = serde_json::from_slice(&data)?;
            return Ok(Some(event));
        }
        if let Some(value) = line.strip_prefix(b"data:") {
            if !self.data.is_empty() {
                self.data.push(b'\n');
            }
            self.data.extend_from_slice(value.strip_prefix(b" ").unwrap_or(value));
        }
        Ok(None)
    }
}
