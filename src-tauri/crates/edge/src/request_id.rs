//! Request ids: made here, never taken from a client.
//!
//! An id is the 36-character text of a UUID version 7 (RFC 9562): sorted by time, unique across restarts. It is no
//! secret and not meant to be unguessable.

use std::cell::RefCell;
use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::time::{SystemTime, UNIX_EPOCH};

use bytes::BytesMut;
use http::HeaderValue;

const LENGTH: usize = 36;
/// Header values are cut from blocks of this many ids, so that most requests allocate nothing for theirs.
const BLOCK: usize = 64;
const HEX: &[u8; 16] = b"0123456789abcdef";

/// The id of one request.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RequestId([u8; LENGTH]);

struct Source {
    state: u64,
    block: BytesMut,
}

thread_local! {
    static SOURCE: RefCell<Source> = RefCell::new(Source {
        // RandomState is seeded by the system: a random start that differs between threads and processes.
        state: RandomState::new().hash_one(std::thread::current().id()),
        block: BytesMut::new(),
    });
}

impl RequestId {
    /// A new id.
    #[must_use]
    pub fn new() -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let millis = u64::try_from(since.as_millis()).unwrap_or(u64::MAX);
        let (high, low) = SOURCE.with_borrow_mut(|source| (source.next(), source.next()));
        Self::from_parts(millis, high, low)
    }

    /// The id of a time and randomness: 48 bits of milliseconds, 12 and 62 bits of randomness.
    #[must_use]
    pub fn from_parts(millis: u64, high: u64, low: u64) -> Self {
        let first = (millis << 16) | 0x7000 | (high & 0x0fff);
        let second = (low & 0x3fff_ffff_ffff_ffff) | 0x8000_0000_0000_0000;
        let mut bytes = [0_u8; 16];
        bytes[..8].copy_from_slice(&first.to_be_bytes());
        bytes[8..].copy_from_slice(&second.to_be_bytes());
        let mut text = [b'-'; LENGTH];
        let mut at = 0;
        for (index, byte) in bytes.into_iter().enumerate() {
            if matches!(index, 4 | 6 | 8 | 10) {
                at += 1;
            }
            text[at] = HEX[usize::from(byte >> 4)];
            text[at + 1] = HEX[usize::from(byte & 15)];
            at += 2;
        }
        Self(text)
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// The id as a header value. Make it once per request and clone it: clones share it.
    #[must_use]
    pub fn header(&self) -> HeaderValue {
        let bytes = SOURCE.with_borrow_mut(|source| {
            if source.block.capacity() < LENGTH {
                source.block = BytesMut::with_capacity(BLOCK * LENGTH);
            }
            source.block.extend_from_slice(&self.0);
            source.block.split().freeze()
        });
        HeaderValue::from_maybe_shared(bytes).unwrap_or(HeaderValue::from_static("-"))
    }
}

impl Default for RequestId {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl fmt::Debug for RequestId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl Source {
    /// SplitMix64: every state is visited once, so one thread never repeats itself within a millisecond.
    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

#[cfg(test)]
mod tests;
