//! A TLS session over its stream.
//!
//! It differs from the stream of tokio-rustls in what a system call carries and in what an idle session holds: one read
//! takes as much ciphertext as a borrowed buffer holds (rustls itself reads 4 KiB at a time and keeps them), one write
//! carries as many records as fit in one, tickets go with the first bytes of data, and while nothing moves no buffer
//! stays.
//!
//! Guarantees: an end of stream without `close_notify` is an error ([`io::ErrorKind::UnexpectedEof`]), after every byte
//! that came before it; nothing is read while plaintext waits, and nothing is taken to be written while ciphertext
//! waits, so a slow reader slows its writer.

use super::session::{Met, ROOM, Session, Want};
use crate::buffers::Filled;
use rustls::{CommonState, ProtocolVersion, ServerConfig};
use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A server's TLS stream.
pub(crate) struct TlsStream<T> {
    io: T,
    session: Session,
    /// Plaintext for which its reader had no room.
    plain: Option<Filled>,
    /// An error that came behind bytes which were handed out first.
    failed: Option<io::Error>,
    closing: bool,
    /// Bytes of ciphertext that the system took.
    left: u64,
}

impl<T> TlsStream<T> {
    /// What was agreed on.
    pub(crate) fn facts(&self) -> &CommonState {
        self.session.facts()
    }

    /// Bytes of ciphertext that the system took since the stream began.
    pub(crate) fn left(&self) -> u64 {
        self.left
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> TlsStream<T> {
    /// Performs the handshake with a client that has sent these bytes so far.
    pub(super) async fn accept(io: T, config: Arc<ServerConfig>, first: Vec<u8>) -> io::Result<Box<Self>> {
        let session = Session::new(config, first).map_err(io::Error::other)?;
        let mut stream = Box::new(Self { io, session, plain: None, failed: None, closing: false, left: 0 });
        poll_fn(|cx| stream.poll_handshake(cx)).await?;
        if stream.facts().protocol_version() == Some(ProtocolVersion::TLSv1_3) {
            // Only tickets are left to be said: a client that goes away at once never needs them, and one that stays
            // gets them with the first answer.
            stream.session.be_patient();
        } else {
            poll_fn(|cx| stream.poll_drain(cx)).await?;
        }
        Ok(stream)
    }

    fn poll_handshake(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            let met = self.go_on(cx, Want::Read, None)?;
            if !self.facts().is_handshaking() {
                return Poll::Ready(Ok(()));
            }
            if met == Met::Plain {
                continue;
            }
            ready!(self.poll_drain(cx))?;
            if ready!(self.poll_fill(cx))? == 0 {
                return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into()));
            }
        }
    }

    /// Lets the session go on. Plaintext goes to `target` as far as there is room, else it waits.
    fn go_on(
        &mut self,
        cx: &mut Context<'_>,
        want: Want<'_>,
        mut target: Option<&mut ReadBuf<'_>>,
    ) -> io::Result<Met> {
        let Self { session, plain, .. } = self;
        let mut lost = false;
        let met = session.go_on(want, |record| {
            let mut record = record;
            if let Some(target) = &mut target {
                let (now, later) = record.split_at(record.len().min(target.remaining()));
                target.put_slice(now);
                record = later;
            }
            if !record.is_empty() {
                // It was read into one buffer, so it fits in one.
                lost |= plain.get_or_insert_with(Filled::empty).append(record) < record.len();
            }
        });
        let error = match met {
            Ok(met) if !lost => return Ok(met),
            Ok(_) => rustls::Error::General("more plaintext than ciphertext".to_owned()),
            Err(error) => error,
        };
        // The alert that says why, if it can be written at once.
        let _ = self.poll_drain(cx);
        Err(io::Error::new(io::ErrorKind::InvalidData, error))
    }

    /// Reads some ciphertext; 0 is the end of the stream.
    fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let mut filled = self.session.lend();
        let mut target = ReadBuf::new(filled.room());
        if target.remaining() == 0 {
            return Poll::Ready(Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "a message that is too long",
            )));
        }
        let result = Pin::new(&mut self.io).poll_read(cx, &mut target);
        let count = target.filled().len();
        match result {
            Poll::Ready(Ok(())) => {
                filled.grow(count);
                self.session.give(filled);
                Poll::Ready(Ok(count))
            }
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Pending => {
                self.session.keep(&filled);
                Poll::Pending
            }
        }
    }

    /// Ready when no ciphertext waits to be written, but for what may go with later data.
    fn poll_drain(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while let Some(output) = self.session.output() {
            let count = ready!(Pin::new(&mut self.io).poll_write(cx, output))?;
            if count == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.session.sent(count);
            self.left += count as u64;
        }
        Poll::Ready(Ok(()))
    }

    /// Encrypts some of these bytes. Nothing else waits to be written.
    fn encrypt(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> io::Result<usize> {
        loop {
            match self.go_on(cx, Want::Write(bytes), None)? {
                Met::Plain => {}
                Met::Open(count) => return Ok(count),
                Met::Waits => return Err(io::ErrorKind::BrokenPipe.into()),
            }
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
            if let Some(plain) = &mut this.plain {
                let rest = plain.rest();
                let count = rest.len().min(target.remaining());
                target.put_slice(rest.get(..count).unwrap_or_default());
                plain.advance(count);
                if plain.is_empty() {
                    this.plain = None;
                }
                continue;
            }
            if let Some(error) = this.failed.take() {
                break error;
            }
            match this.go_on(cx, Want::Read, Some(&mut *target)) {
                Ok(Met::Plain) => continue,
                // The peer said goodbye.
                Ok(_) if this.session.is_over() => return Poll::Ready(Ok(())),
                Ok(_) => {}
                Err(error) => break error,
            }
            match this.poll_fill(cx) {
                Poll::Ready(Ok(0)) => break io::ErrorKind::UnexpectedEof.into(),
                Poll::Ready(Ok(_)) => {}
                Poll::Ready(Err(error)) => break error,
                Poll::Pending if target.filled().len() > before => return Poll::Ready(Ok(())),
                Poll::Pending => return Poll::Pending,
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
        let this = self.get_mut();
        let mut taken = 0;
        loop {
            match this.poll_drain(cx) {
                Poll::Ready(Ok(())) if taken == bytes.len() => return Poll::Ready(Ok(taken)),
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending if taken == 0 => return Poll::Pending,
                Poll::Pending => return Poll::Ready(Ok(taken)),
            }
            taken += this.encrypt(cx, bytes.get(taken..).unwrap_or_default())?;
        }
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let mut some = slices.iter().filter(|slice| !slice.is_empty());
        let (first, second) = (some.next(), some.next());
        let (Some(_), Some(_)) = (first, second) else {
            return self.poll_write(cx, first.map_or(&[], |only| only));
        };
        ready!(self.poll_drain(cx))?;
        // One record for all of them, or as few as there can be.
        let mut joined = Filled::empty();
        for slice in slices {
            let room = ROOM - joined.rest().len();
            joined.append(slice.get(..room).unwrap_or(slice));
        }
        self.poll_write(cx, joined.rest())
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
            while matches!(this.go_on(cx, Want::Close, None), Ok(Met::Plain)) {}
        }
        ready!(this.poll_drain(cx))?;
        match ready!(Pin::new(&mut this.io).poll_shutdown(cx)) {
            Err(error) if error.kind() != io::ErrorKind::NotConnected => Poll::Ready(Err(error)),
            _ => Poll::Ready(Ok(())),
        }
    }
}

#[cfg(test)]
mod tests;
