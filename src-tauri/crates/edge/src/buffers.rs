//! Buffers that are borrowed while bytes move.
//!
//! Guarantees: whoever has nothing to move holds none; unused ones are kept for the next bytes, per thread and few.

use std::cell::RefCell;
use std::ops::{Deref, DerefMut};

/// Bytes of one buffer: a message of 64 KiB with its frame's header and what TLS adds to it fits, so that one system call
/// carries all of it.
pub(crate) const SIZE: usize = 80 * 1024 - MARGIN;
/// Unused bytes before each. Allocators begin large blocks at a page, and on AMD's Zen 3 a `rep movsb` (what glibc and the
/// kernel copy with) to a place up to 32 bytes further into its page than the source is thirty times slower: the second
/// record in a buffer would be one.
const MARGIN: usize = 64;
/// Unused buffers kept per thread.
const KEPT: usize = 16;

thread_local! {
    static FREE: RefCell<Vec<Box<[u8]>>> = const { RefCell::new(Vec::new()) };
}

/// A borrowed buffer of [`SIZE`] bytes, with whatever was in it before. Dropped, it is given back.
pub(crate) struct Buffer(Box<[u8]>);

impl Buffer {
    /// A kept one, else a new one.
    pub(crate) fn borrow() -> Self {
        Self(FREE.with_borrow_mut(Vec::pop).unwrap_or_else(|| vec![0; MARGIN + SIZE].into_boxed_slice()))
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        let buffer = std::mem::take(&mut self.0);
        // At the end of a thread its list may be gone already.
        let _ = FREE.try_with(|free| {
            let mut free = free.borrow_mut();
            if free.len() < KEPT {
                free.push(buffer);
            }
        });
    }
}

impl Deref for Buffer {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.0.get(MARGIN..).unwrap_or_default()
    }
}

impl DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut [u8] {
        self.0.get_mut(MARGIN..).unwrap_or_default()
    }
}

/// A borrowed buffer with bytes that wait in it.
pub(crate) struct Filled {
    buffer: Buffer,
    start: usize,
    end: usize,
}

impl Filled {
    /// The first `count` bytes of this buffer.
    pub(crate) fn new(buffer: Buffer, count: usize) -> Self {
        let end = count.min(buffer.len());
        Self { buffer, start: 0, end }
    }

    /// An empty one.
    pub(crate) fn empty() -> Self {
        Self::new(Buffer::borrow(), 0)
    }

    /// What waits.
    pub(crate) fn rest(&self) -> &[u8] {
        self.buffer.get(self.start..self.end).unwrap_or_default()
    }

    /// What waits, to be changed in place.
    pub(crate) fn rest_mut(&mut self) -> &mut [u8] {
        self.buffer.get_mut(self.start..self.end).unwrap_or_default()
    }

    /// The room behind what waits, which moves to the front first.
    pub(crate) fn room(&mut self) -> &mut [u8] {
        if self.start > 0 {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        self.buffer.get_mut(self.end..).unwrap_or_default()
    }

    /// So many bytes of the room wait, too.
    pub(crate) fn grow(&mut self, count: usize) {
        self.end = (self.end + count).min(self.buffer.len());
    }

    /// Puts bytes behind those that wait, as many as there is room for. Says how many.
    pub(crate) fn append(&mut self, bytes: &[u8]) -> usize {
        let room = self.room();
        let count = bytes.len().min(room.len());
        if let (Some(room), Some(bytes)) = (room.get_mut(..count), bytes.get(..count)) {
            room.copy_from_slice(bytes);
        }
        self.grow(count);
        count
    }

    /// So many bytes wait no more.
    pub(crate) fn advance(&mut self, count: usize) {
        self.start = (self.start + count).min(self.end);
    }

    /// Whether nothing waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.start == self.end
    }
}

/// Unused buffers that this thread keeps.
#[cfg(test)]
pub(crate) fn kept() -> usize {
    FREE.with_borrow(Vec::len)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unused_buffers_are_kept_but_few() {
        let many: Vec<Buffer> = (0..KEPT * 2).map(|_| Buffer::borrow()).collect();
        drop(many);
        assert_eq!(kept(), KEPT);
        let one = Buffer::borrow();
        assert_eq!(one.len(), SIZE);
        assert_eq!(kept(), KEPT - 1);
        drop(one);
        assert_eq!(kept(), KEPT);
    }

    #[test]
    fn what_waits_is_taken_from_the_front() {
        let mut buffer = Buffer::borrow();
        buffer[..3].copy_from_slice(b"abc");
        let mut filled = Filled::new(buffer, 3);
        assert_eq!(filled.rest(), b"abc");
        filled.advance(1);
        assert_eq!(filled.rest(), b"bc");
        assert!(!filled.is_empty());
        filled.advance(2);
        assert!(filled.is_empty());
        assert_eq!(filled.rest(), b"");
    }

    #[test]
    fn room_is_what_lies_behind_after_what_waits_has_moved_to_the_front() {
        let mut filled = Filled::empty();
        assert_eq!(filled.append(b"abcd"), 4);
        filled.advance(2);
        assert_eq!(filled.room().len(), SIZE - 2);
        filled.room()[..2].copy_from_slice(b"ef");
        filled.grow(2);
        assert_eq!(filled.rest(), b"cdef");
        filled.rest_mut()[0] = b'C';
        assert_eq!(filled.append(&vec![b'x'; SIZE]), SIZE - 4);
        assert_eq!((filled.rest().len(), &filled.rest()[..5]), (SIZE, &b"Cdefx"[..]));
        assert!(filled.room().is_empty());
    }
}
