//! A client's stream as hyper gets it: with marks for the watchdog, and on HTTP/1 without a byte that could be read in
//! two ways.
//!
//! What [`Framing`] refuses does not reach hyper. In a head a byte follows that hyper must refuse, too, so that its
//! answer comes in its turn, behind those of earlier requests, and in our words; in a body the read fails, so that
//! whoever waits for the body answers. Then the connection ends, and what the client still sends is thrown away for a
//! moment: closed at once, its system would be told to forget an answer that it has not read.

use super::activity::Activity;
use super::framing::{Framing, Refusal};
use super::own_words::instead_of;
use super::rewound::Rewound;
use crate::settings::Limits;
use crate::tls::TlsStream;
use std::future::Future as _;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Sleep, sleep};

/// In any part of a head a byte that no parser takes, and an end, so that it looks.
const POISON: &[u8] = b"\0\r\n\r\n";
/// How long a client may go on sending what nobody reads after the connection has ended for us.
const LINGER: Duration = Duration::from_secs(2);
/// Bytes thrown away at once.
const WASTE: usize = 8 * 1024;

/// A client's stream: TLS or plain.
pub(crate) struct ClientIo<T> {
    stream: T,
    activity: Arc<Activity>,
    /// What [`Progress`] said last.
    left: u64,
    /// HTTP/1 only.
    http1: Option<Box<Http1>>,
}

/// A stream that says how many bytes have left it: one that holds back what the client does not take yet.
pub(crate) trait Progress {
    /// So many since it began; 0 always where nothing is held back.
    fn left(&self) -> u64;
}

impl<T> Progress for Box<TlsStream<T>> {
    fn left(&self) -> u64 {
        self.as_ref().left()
    }
}

impl Progress for Rewound {
    fn left(&self) -> u64 {
        0
    }
}

struct Http1 {
    framing: Framing,
    /// The client's address, for the log.
    peer: SocketAddr,
    /// What hyper gets to read in place of what was refused.
    poison: &'static [u8],
    /// Set once a body was refused.
    broken: bool,
    /// Our words in place of hyper's, and how many bytes of them are written.
    instead: Option<(Vec<u8>, usize)>,
    lingers: Option<Pin<Box<Sleep>>>,
}

/// A client's TLS stream as the tunnel gets it.
pub(crate) type ClientTls = ClientIo<Box<TlsStream<TcpStream>>>;

impl<T> ClientIo<T> {
    /// A stream that carries HTTP/1.
    pub(crate) fn http1(stream: T, activity: Arc<Activity>, peer: SocketAddr, limits: &Limits) -> Self {
        let http1 = Http1 {
            framing: Framing::new(limits),
            peer,
            poison: &[],
            broken: false,
            instead: None,
            lingers: None,
        };
        Self { stream, activity, left: 0, http1: Some(Box::new(http1)) }
    }

    /// A stream that carries HTTP/2.
    pub(crate) fn http2(stream: T, activity: Arc<Activity>) -> Self {
        Self { stream, activity, left: 0, http1: None }
    }

    /// The stream without marks.
    pub(crate) fn into_inner(self) -> T {
        self.stream
    }
}

impl Http1 {
    /// Bytes that come in place of further ones. Says whether there are any, an end or an error included.
    fn is_over(&mut self, buf: &mut ReadBuf<'_>) -> Option<io::Result<()>> {
        if self.broken {
            return Some(Err(io::Error::new(io::ErrorKind::InvalidData, "the framing of the body is wrong")));
        }
        self.framing.refusal()?;
        let (now, later) = self.poison.split_at(self.poison.len().min(buf.remaining()));
        buf.put_slice(now);
        self.poison = later;
        Some(Ok(()))
    }

    /// Looks at the bytes behind `before`, and takes away what hyper must not see.
    fn look(&mut self, activity: &Activity, buf: &mut ReadBuf<'_>, before: usize) -> io::Result<()> {
        let heads = self.framing.heads();
        let seen = self.framing.see(buf.filled().get(before..).unwrap_or_default());
        let complete = self.framing.heads() - heads;
        if complete > 0 {
            activity.heads(complete);
        }
        let Err(Refusal { passed, error, in_head }) = seen else { return Ok(()) };
        tracing::debug!(peer = %self.peer, code = error.code(), in_head, "bytes that could be read in two ways");
        buf.set_filled(before + passed);
        if in_head {
            self.poison = POISON;
        } else {
            self.broken = true;
        }
        match passed {
            0 => self.is_over(buf).unwrap_or(Ok(())),
            _ => Ok(()),
        }
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for ClientIo<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if let Some(http1) = &mut this.http1
            && let Some(over) = http1.is_over(buf)
        {
            return Poll::Ready(over);
        }
        let before = buf.filled().len();
        let result = Pin::new(&mut this.stream).poll_read(cx, buf);
        if buf.filled().len() > before {
            this.activity.read();
            if let Some(http1) = &mut this.http1 {
                http1.look(&this.activity, buf, before)?;
            }
        }
        result
    }
}

impl<T: AsyncWrite + Unpin> ClientIo<T> {
    /// Writes our words where hyper writes its own; ready at once where there are none. Says whether it did.
    fn poll_instead(&mut self, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<bool>> {
        let Some(http1) = &mut self.http1 else { return Poll::Ready(Ok(false)) };
        if http1.instead.is_none() {
            if self.activity.is_answering() {
                return Poll::Ready(Ok(false));
            }
            let Some(words) = instead_of(buf, http1.framing.refusal(), http1.peer) else {
                return Poll::Ready(Ok(false));
            };
            http1.instead = Some((words, 0));
        }
        while let Some((words, written)) = &mut http1.instead {
            let rest = words.get(*written..).unwrap_or_default();
            if rest.is_empty() {
                http1.instead = None;
                break;
            }
            let count = ready!(Pin::new(&mut self.stream).poll_write(cx, rest))?;
            if count == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            *written += count;
        }
        Poll::Ready(Ok(true))
    }
}

impl<T: Progress> ClientIo<T> {
    fn wrote(&mut self, blocked: bool) {
        let left = self.stream.left();
        self.activity.write(blocked, left != self.left);
        self.left = left;
    }
}

impl<T: AsyncRead + AsyncWrite + Progress + Unpin> AsyncWrite for ClientIo<T> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        if ready!(self.poll_instead(cx, buf))? {
            return Poll::Ready(Ok(buf.len()));
        }
        let result = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.wrote(result.is_pending());
        result
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if let [only] = bufs
            && ready!(self.poll_instead(cx, only))?
        {
            return Poll::Ready(Ok(only.len()));
        }
        let result = Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        self.wrote(result.is_pending());
        result
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let result = Pin::new(&mut self.stream).poll_flush(cx);
        self.wrote(result.is_pending());
        if matches!(result, Poll::Ready(Ok(()))) {
            self.activity.flushed();
        }
        result
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let Some(http1) = this.http1.as_mut().filter(|http1| http1.framing.is_within()) else {
            return Pin::new(&mut this.stream).poll_shutdown(cx);
        };
        if http1.lingers.is_none() {
            ready!(Pin::new(&mut this.stream).poll_shutdown(cx))?;
        }
        let lingers = http1.lingers.get_or_insert_with(|| Box::pin(sleep(LINGER)));
        if lingers.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Ok(()));
        }
        let mut waste = [0; WASTE];
        loop {
            let mut buf = ReadBuf::new(&mut waste);
            match Pin::new(&mut this.stream).poll_read(cx, &mut buf) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Ok(())) if !buf.filled().is_empty() => {}
                Poll::Ready(_) => return Poll::Ready(Ok(())),
            }
        }
    }
}
