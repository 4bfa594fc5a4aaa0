//! A TLS session over its stream, after the handshake.
//!
//! It differs from the stream of tokio-rustls in what a system call carries and in what an idle session holds: one read
//! takes as much ciphertext as a borrowed buffer holds (rustls itself reads 4 KiB at a time), one write carries as many
//! records as the session may queue, and while nothing moves neither a buffer nor a grown record buffer stays.
//!
//! Guarantees: an end of stream without `close_notify` is an error ([`io::ErrorKind::UnexpectedEof`]), after every byte
//! that came before it; nothing is read while plaintext waits, and nothing is taken to be written while ciphertext
//! waits, so a slow reader slows its writer.

use crate::buffers::{Buffer, Filled};
use rustls::ServerConnection;
use std::io::{self, BufRead as _, IoSlice, Read, Write};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// What rustls reads at once, and keeps for the next record.
const SMALL: usize = 4096;

/// A server's TLS stream.
pub(crate) struct TlsStream<T> {
    io: T,
    session: ServerConnection,
    /// Ciphertext that was read and is not in the session yet.
    ahead: Option<Filled>,
    /// An error that came behind bytes which were handed out first.
    failed: Option<io::Error>,
    /// The session's record buffer is larger than it has to be.
    grown: bool,
    closing: bool,
}

impl<T> TlsStream<T> {
    /// A session whose handshake is complete.
    pub(crate) fn new(io: T, session: ServerConnection) -> Self {
        Self { io, session, ahead: None, failed: None, grown: false, closing: false }
    }

    /// What was agreed on.
    pub(crate) fn session(&self) -> &ServerConnection {
        &self.session
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> TlsStream<T> {
    /// Brings some ciphertext into the session. Ready also at the end of the stream, which the session then knows.
    fn poll_feed(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let ahead = match &mut self.ahead {
            Some(ahead) => ahead,
            None => {
                let mut buffer = Buffer::borrow();
                let mut target = ReadBuf::new(&mut buffer);
                ready!(Pin::new(&mut self.io).poll_read(cx, &mut target))?;
                let count = target.filled().len();
                if count == 0 {
                    self.session.read_tls(&mut io::empty())?;
                    return Poll::Ready(self.process(cx));
                }
                self.ahead.insert(Filled::new(buffer, count))
            }
        };
        let mut rest = ahead.rest();
        let taken = self.session.read_tls(&mut rest)?;
        self.grown |= taken == SMALL;
        ahead.advance(taken);
        if ahead.is_empty() {
            self.ahead = None;
        }
        Poll::Ready(self.process(cx))
    }

    fn process(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        let processed = self.session.process_new_packets();
        processed.map(|_| ()).map_err(|error| {
            // The alert that says why, if it can be written at once.
            let _ = self.poll_drain(cx);
            io::Error::new(io::ErrorKind::InvalidData, error)
        })
    }

    /// Ready when no ciphertext waits to be written.
    fn poll_drain(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.session.wants_write() {
            match self.session.write_tls(&mut Now { io: &mut self.io, cx }) {
                Ok(0) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Poll::Pending,
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
        Poll::Ready(Ok(()))
    }

    /// Lets the session take from `write` until nothing is left or its ciphertext cannot be written now.
    fn poll_take(
        &mut self,
        cx: &mut Context<'_>,
        total: usize,
        mut write: impl FnMut(&mut ServerConnection, usize) -> io::Result<usize>,
    ) -> Poll<io::Result<usize>> {
        let mut taken = 0;
        loop {
            match self.poll_drain(cx) {
                Poll::Ready(Ok(())) if taken == total => return Poll::Ready(Ok(taken)),
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending if taken == 0 => return Poll::Pending,
                Poll::Pending => return Poll::Ready(Ok(taken)),
            }
            let more = write(&mut self.session, taken)?;
            if more == 0 {
                return Poll::Ready(Ok(taken));
            }
            taken += more;
        }
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> AsyncRead for TlsStream<T> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        target: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = target.filled().len();
        let error = loop {
            if target.remaining() == 0 {
                return Poll::Ready(Ok(()));
            }
            if let Some(error) = this.failed.take() {
                break error;
            }
            let mut reader = this.session.reader();
            match reader.fill_buf() {
                // The peer said goodbye.
                Ok([]) => return Poll::Ready(Ok(())),
                Ok(plain) => {
                    let count = plain.len().min(target.remaining());
                    target.put_slice(plain.get(..count).unwrap_or_default());
                    reader.consume(count);
                    continue;
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => break error,
            }
            match this.poll_feed(cx) {
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(error)) => break error,
                Poll::Pending => {
                    if target.filled().len() > before {
                        return Poll::Ready(Ok(()));
                    }
                    if std::mem::take(&mut this.grown) {
                        // With nothing to read the session only lets go of what its last records needed.
                        let _ = this.session.read_tls(&mut Nothing);
                    }
                    return Poll::Pending;
                }
            }
        };
        if target.filled().len() > before {
            this.failed = Some(error);
            return Poll::Ready(Ok(()));
        }
        Poll::Ready(Err(error))
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> AsyncWrite for TlsStream<T> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.get_mut().poll_take(cx, bytes.len(), |session, taken| {
            session.writer().write(bytes.get(taken..).unwrap_or_default())
        })
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let total: usize = slices.iter().map(|slice| slice.len()).sum();
        // One pass: what is left over comes again.
        self.get_mut().poll_take(cx, total, |session, taken| {
            if taken == 0 { session.writer().write_vectored(slices) } else { Ok(0) }
        })
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        ready!(this.poll_drain(cx))?;
        Pin::new(&mut this.io).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if !std::mem::replace(&mut this.closing, true) {
            this.session.send_close_notify();
        }
        ready!(this.poll_drain(cx))?;
        match ready!(Pin::new(&mut this.io).poll_shutdown(cx)) {
            Err(error) if error.kind() != io::ErrorKind::NotConnected => Poll::Ready(Err(error)),
            _ => Poll::Ready(Ok(())),
        }
    }
}

/// A stream as a writer that does not wait.
struct Now<'a, 'b, T> {
    io: &'a mut T,
    cx: &'a mut Context<'b>,
}

impl<T: AsyncWrite + Unpin> Write for Now<'_, '_, T> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        now(Pin::new(&mut *self.io).poll_write(self.cx, bytes))
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        now(Pin::new(&mut *self.io).poll_write_vectored(self.cx, slices))
    }

    fn flush(&mut self) -> io::Result<()> {
        now(Pin::new(&mut *self.io).poll_flush(self.cx))
    }
}

fn now<V>(poll: Poll<io::Result<V>>) -> io::Result<V> {
    match poll {
        Poll::Ready(result) => result,
        Poll::Pending => Err(io::ErrorKind::WouldBlock.into()),
    }
}

/// A reader without bytes and without an end.
struct Nothing;

impl Read for Nothing {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(io::ErrorKind::WouldBlock.into())
    }
}

#[cfg(test)]
mod tests;
