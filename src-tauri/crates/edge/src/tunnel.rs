//! The byte tunnel behind an accepted WebSocket upgrade.
//!
//! Guarantees: bytes pass unchanged and in order in both directions; a buffer is borrowed only while bytes move (an
//! idle tunnel holds none); a slow reader slows its writer (at most one buffer waits per direction); the end of one
//! direction is passed on as the end of that direction, and the other one may finish as long as bytes still move
//! ([`Rules::half_open`]); the first close frame of either side is noted, never touched; silence alone ends nothing
//! unless [`Rules::idle`] says so.

use crate::buffers::{Buffer, Filled};
use crate::frames::{Close, Observer, Sender};
use bytes::{Buf, Bytes};
use std::future::{Future, poll_fn};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep};

/// Time for the goodbye on the wire when the edge itself cuts a tunnel.
const GOODBYE: Duration = Duration::from_secs(1);

/// Who ended the tunnel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// The client closed, vanished or sent the first close frame.
    Client,
    /// The gateway did.
    Gateway,
    /// We did: drain, or a half-open end that stayed silent.
    Edge,
}

/// Limits of a tunnel.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rules {
    /// How long one direction may stay silent after the other one ended.
    pub(crate) half_open: Duration,
    /// How long both directions together may stay silent. `None`: for ever.
    pub(crate) idle: Option<Duration>,
}

/// One end of the tunnel: its stream, and bytes that were read behind the handshake already.
#[derive(Debug)]
pub(crate) struct Side<T> {
    /// The stream.
    pub(crate) io: T,
    /// Bytes of the new protocol that arrived together with the handshake.
    pub(crate) early: Bytes,
}

/// What happened in the tunnel.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// Bytes from the client to the gateway.
    pub(crate) bytes_in: u64,
    /// Bytes from the gateway to the client.
    pub(crate) bytes_out: u64,
    /// The first close frame.
    pub(crate) close: Option<Close>,
    /// Who ended it: the sender of the first close frame, else the end that closed first.
    pub(crate) closed_by: Option<End>,
}

/// Moves bytes until both directions ended or `cut` is ready.
pub(crate) fn run<C, U>(
    client: Side<C>,
    gateway: Side<U>,
    rules: Rules,
    cut: impl Future<Output = ()>,
) -> impl Future<Output = Outcome>
where
    C: AsyncRead + AsyncWrite + Unpin,
    U: AsyncRead + AsyncWrite + Unpin,
{
    let mut tunnel = Tunnel {
        up: Half::new(client.early, Sender::Client),
        down: Half::new(gateway.early, Sender::Server),
        client: client.io,
        gateway: gateway.io,
        outcome: Outcome::default(),
        rules,
        silence: None,
    };
    // An async function would keep its arguments beside what is made of them, for as long as the tunnel lives.
    let mut cut = Box::pin(cut);
    async move {
        let finished = poll_fn(|cx| {
            if cut.as_mut().poll(cx).is_ready() {
                return Poll::Ready(false);
            }
            tunnel.poll(cx).map(|()| true)
        })
        .await;
        if !finished {
            tunnel.outcome.closed_by.get_or_insert(End::Edge);
            let goodbye = poll_fn(|cx| {
                let client = Pin::new(&mut tunnel.client).poll_shutdown(cx);
                let gateway = Pin::new(&mut tunnel.gateway).poll_shutdown(cx);
                if client.is_ready() && gateway.is_ready() { Poll::Ready(()) } else { Poll::Pending }
            });
            let _ = tokio::time::timeout(GOODBYE, goodbye).await;
        }
        tunnel.outcome.bytes_in = tunnel.up.moved;
        tunnel.outcome.bytes_out = tunnel.down.moved;
        std::mem::take(&mut tunnel.outcome)
    }
}

struct Tunnel<C, U> {
    client: C,
    gateway: U,
    up: Half,
    down: Half,
    outcome: Outcome,
    rules: Rules,
    /// Running only while silence is limited.
    silence: Option<Silence>,
}

/// The watch over a silence that is limited.
struct Silence {
    /// What had moved when the timer was set.
    moved: u64,
    limit: Duration,
    timer: Pin<Box<Sleep>>,
}

impl<C, U> Tunnel<C, U>
where
    C: AsyncRead + AsyncWrite + Unpin,
    U: AsyncRead + AsyncWrite + Unpin,
{
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let close = self.up.poll(cx, &mut self.client, &mut self.gateway);
        self.note(End::Client, close, self.up.end);
        let close = self.down.poll(cx, &mut self.gateway, &mut self.client);
        self.note(End::Gateway, close, self.down.end);
        // A reader that failed (not: ended) is a peer that is gone, so nothing can be written to it either.
        let lost = (self.up.ended && self.up.reader_lost) || (self.down.ended && self.down.reader_lost);
        if lost || (self.up.ended && self.down.ended) {
            return Poll::Ready(());
        }
        let half_open = self.up.end.is_some() || self.down.end.is_some();
        let limit = if half_open { Some(self.rules.half_open) } else { self.rules.idle };
        limit.map_or(Poll::Pending, |limit| self.poll_silence(cx, limit))
    }

    /// Keeps who came first: a close frame, else an end of stream or a failure.
    fn note(&mut self, reader: End, close: Option<Close>, end: Option<Ended>) {
        if let Some(close) = close
            && self.outcome.close.is_none()
        {
            self.outcome.close = Some(close);
            self.outcome.closed_by.get_or_insert(reader);
        }
        let writer = if reader == End::Client { End::Gateway } else { End::Client };
        match end {
            Some(Ended::Reader) => _ = self.outcome.closed_by.get_or_insert(reader),
            Some(Ended::Writer) => _ = self.outcome.closed_by.get_or_insert(writer),
            None => {}
        }
    }

    fn poll_silence(&mut self, cx: &mut Context<'_>, limit: Duration) -> Poll<()> {
        let moved = self.up.moved + self.down.moved;
        let silence = self.silence.get_or_insert_with(|| {
            let timer = Box::pin(tokio::time::sleep(limit));
            Silence { moved, limit, timer }
        });
        if silence.moved != moved || silence.limit != limit {
            silence.moved = moved;
            silence.limit = limit;
            silence.timer.as_mut().reset(Instant::now() + limit);
        }
        ready!(silence.timer.as_mut().poll(cx));
        self.outcome.closed_by.get_or_insert(End::Edge);
        Poll::Ready(())
    }
}

/// Which peer made a direction end.
#[derive(Debug, Clone, Copy)]
enum Ended {
    Reader,
    Writer,
}

/// Bytes that were read and not written yet.
enum Waiting {
    Nothing,
    Early(Bytes),
    Read(Filled),
}

/// One direction.
struct Half {
    waiting: Waiting,
    observer: Observer,
    moved: u64,
    unflushed: bool,
    /// Set as soon as one peer ended this direction; after the reader's end the writer is still to be told.
    end: Option<Ended>,
    ended: bool,
    reader_lost: bool,
}

impl Half {
    fn new(early: Bytes, sender: Sender) -> Self {
        let waiting = if early.is_empty() { Waiting::Nothing } else { Waiting::Early(early) };
        let observer = Observer::new(sender);
        Self { waiting, observer, moved: 0, unflushed: false, end: None, ended: false, reader_lost: false }
    }

    /// Moves what can be moved now. Says a close frame that went by.
    fn poll(
        &mut self,
        cx: &mut Context<'_>,
        reader: &mut (impl AsyncRead + Unpin),
        writer: &mut (impl AsyncWrite + Unpin),
    ) -> Option<Close> {
        let mut close = None;
        if !self.ended && self.poll_move(cx, reader, writer, &mut close).is_ready() {
            self.ended = true;
            self.waiting = Waiting::Nothing;
        }
        close
    }

    /// Ready when this direction has ended and its writer was told.
    fn poll_move(
        &mut self,
        cx: &mut Context<'_>,
        reader: &mut (impl AsyncRead + Unpin),
        writer: &mut (impl AsyncWrite + Unpin),
        close: &mut Option<Close>,
    ) -> Poll<()> {
        loop {
            if ready!(self.poll_write(cx, writer, close)).is_err() {
                self.end.get_or_insert(Ended::Writer);
                return Poll::Ready(());
            }
            if self.end.is_some() {
                // Whether the goodbye arrives does not matter any more.
                return Pin::new(&mut *writer).poll_shutdown(cx).map(|_| ());
            }
            let mut buffer = Buffer::borrow();
            let mut target = ReadBuf::new(&mut buffer);
            match Pin::new(&mut *reader).poll_read(cx, &mut target) {
                Poll::Pending => {
                    drop(buffer);
                    if self.unflushed {
                        if ready!(Pin::new(&mut *writer).poll_flush(cx)).is_err() {
                            self.end = Some(Ended::Writer);
                            return Poll::Ready(());
                        }
                        self.unflushed = false;
                    }
                    return Poll::Pending;
                }
                Poll::Ready(Ok(())) => {
                    let end = target.filled().len();
                    if end == 0 {
                        self.end = Some(Ended::Reader);
                        continue;
                    }
                    if let Some(seen) = self.observer.see(target.filled()) {
                        *close = Some(seen);
                    }
                    self.waiting = Waiting::Read(Filled::new(buffer, end));
                }
                Poll::Ready(Err(error)) => {
                    self.end = Some(Ended::Reader);
                    // A TLS peer that leaves without close_notify only ended its stream: all its bytes arrived.
                    self.reader_lost = error.kind() != io::ErrorKind::UnexpectedEof;
                }
            }
        }
    }

    /// Ready when nothing waits to be written.
    fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        writer: &mut (impl AsyncWrite + Unpin),
        close: &mut Option<Close>,
    ) -> Poll<io::Result<()>> {
        loop {
            let written = match &mut self.waiting {
                Waiting::Nothing => return Poll::Ready(Ok(())),
                Waiting::Early(bytes) => {
                    let written = ready!(Pin::new(&mut *writer).poll_write(cx, bytes))?;
                    if let Some(seen) = self.observer.see(bytes.get(..written).unwrap_or_default()) {
                        *close = Some(seen);
                    }
                    bytes.advance(written);
                    if bytes.is_empty() {
                        self.waiting = Waiting::Nothing;
                    }
                    written
                }
                Waiting::Read(filled) => {
                    let written = ready!(Pin::new(&mut *writer).poll_write(cx, filled.rest()))?;
                    filled.advance(written);
                    if filled.is_empty() {
                        self.waiting = Waiting::Nothing;
                    }
                    written
                }
            };
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.unflushed = true;
            self.moved += written as u64;
        }
    }
}

#[cfg(test)]
mod tests;
