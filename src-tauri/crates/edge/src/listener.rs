//! Listening sockets, and who is let in before a byte is read.
//!
//! Guarantees: IPv4 and IPv6 are sockets of their own (V6ONLY); a change of the set opens all new ones or none, keeps
//! the unchanged ones and their backlog untouched, and closes the rest; running out of descriptors stops neither the
//! accept loop nor a connection, and who comes then is turned away instead of left waiting; a flood of connections
//! leaves its turn to those that are served; a peer outside [`EdgeSettings::clients`](crate::EdgeSettings) or over its share is
//! dropped before TLS.

mod admission;

pub(crate) use admission::{Admission, Over, Permit, client_key};

use socket2::{Domain, Protocol, SockRef, Socket, TcpKeepalive, Type};
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// Connections that the kernel queues while we are busy.
const BACKLOG: i32 = 1024;
/// Connections that are taken in a row before those that are served get their turn.
const TURN: usize = 16;
/// A dead peer is noticed after about a minute and a half.
const KEEPALIVE: Duration = Duration::from_secs(30);
/// Whether a connection has the options of [`prepare`] from its listener.
pub(crate) const INHERITED: bool = cfg!(target_os = "linux");
/// First and longest pause after an accept that failed for want of descriptors or memory.
const BACK_OFF: (Duration, Duration) = (Duration::from_millis(10), Duration::from_secs(1));

/// A socket to listen on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Listener {
    /// Address and port. Port 0 takes any free one. IPv6 sockets never take IPv4 connections.
    pub address: SocketAddr,
    /// What is served there.
    pub kind: ListenerKind,
}

/// What a listening socket serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ListenerKind {
    /// TLS with HTTP/1.1, HTTP/2 and WebSocket. Plain HTTP is answered with the https link.
    Https,
    /// Plain HTTP that only leads to HTTPS.
    Redirect {
        /// The port of the HTTPS address that it leads to.
        https_port: u16,
    },
}

/// A socket that could not be opened. None of the others that were asked for with it is open either.
#[derive(Debug)]
pub struct ListenError {
    /// The one that failed.
    pub listener: Listener,
    /// Why.
    pub source: io::Error,
}

impl fmt::Display for ListenError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "cannot listen on {}", self.listener.address)
    }
}

impl std::error::Error for ListenError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.source)
    }
}

/// Takes accepted connections.
pub(crate) trait Accept: Send + Sync + 'static {
    /// A connection was accepted from a listener of this kind. Must return at once.
    fn accepted(&self, stream: TcpStream, peer: SocketAddr, kind: ListenerKind);

    /// The system had no connection to give: it, or this process, is short of something.
    fn failed(&self, error: &io::Error);
}

/// The open listeners.
pub(crate) struct Listeners {
    open: Vec<Open>,
    accept: Arc<dyn Accept>,
}

struct Open {
    /// As it was asked for, with port 0 where any would do.
    wanted: SocketAddr,
    bound: SocketAddr,
    kind: Arc<Mutex<ListenerKind>>,
    task: JoinHandle<()>,
}

impl Open {
    /// Whether this is the socket that is wanted: the same address, whatever it serves. Port 0 means another one each
    /// time, so there it is also the kind that tells them apart.
    fn is(&self, wanted: &Listener) -> bool {
        let any_port = wanted.address.port() == 0;
        self.bound == wanted.address
            || (any_port && self.wanted == wanted.address && *kind_of(&self.kind) == wanted.kind)
    }
}

impl Listeners {
    /// No listeners; those to come hand their connections to `accept`.
    pub(crate) fn new(accept: Arc<dyn Accept>) -> Self {
        Self { open: Vec::new(), accept }
    }

    /// What is open, with real ports.
    pub(crate) fn list(&self) -> Vec<Listener> {
        self.open.iter().map(|open| Listener { address: open.bound, kind: *kind_of(&open.kind) }).collect()
    }

    /// Makes the set of open listeners equal to `wanted`.
    pub(crate) async fn set(&mut self, wanted: &[Listener]) -> Result<(), ListenError> {
        let mut obsolete = std::mem::take(&mut self.open);
        let mut missing = Vec::new();
        let mut kinds = Vec::new();
        for listener in wanted {
            match obsolete.iter().position(|open| open.is(listener)) {
                Some(position) => {
                    let kept = obsolete.remove(position);
                    kinds.push((Arc::clone(&kept.kind), listener.kind));
                    self.open.push(kept);
                }
                None => missing.push(*listener),
            }
        }
        let fresh = match bind_all(&missing) {
            Ok(fresh) => {
                close(obsolete).await;
                fresh
            }
            // A wildcard and an address of the same port exclude each other: the old one has to go first.
            Err(error) if shares_a_port(&obsolete, &error.listener) => {
                let before: Vec<Listener> = obsolete
                    .iter()
                    .map(|open| Listener { address: open.bound, kind: *kind_of(&open.kind) })
                    .collect();
                close(obsolete).await;
                match bind_all(&missing) {
                    Ok(fresh) => fresh,
                    Err(error) => {
                        match bind_all(&before) {
                            Ok(again) => self.start(again),
                            Err(lost) => tracing::error!(%lost, "a listener could not be reopened"),
                        }
                        return Err(error);
                    }
                }
            }
            Err(error) => {
                self.open.extend(obsolete);
                return Err(error);
            }
        };
        for (kind, wanted) in kinds {
            *kind_of(&kind) = wanted;
        }
        self.start(fresh);
        Ok(())
    }

    /// Closes all.
    pub(crate) async fn close(&mut self) {
        close(std::mem::take(&mut self.open)).await;
    }

    fn start(&mut self, fresh: Vec<(Listener, SocketAddr, TcpListener)>) {
        for (listener, bound, socket) in fresh {
            let kind = Arc::new(Mutex::new(listener.kind));
            let task = tokio::spawn(accept_loop(socket, Arc::clone(&kind), Arc::clone(&self.accept)));
            self.open.push(Open { wanted: listener.address, bound, kind, task });
        }
    }
}

fn kind_of(kind: &Mutex<ListenerKind>) -> std::sync::MutexGuard<'_, ListenerKind> {
    kind.lock().unwrap_or_else(PoisonError::into_inner)
}

fn shares_a_port(open: &[Open], listener: &Listener) -> bool {
    open.iter().any(|open| {
        open.bound.port() == listener.address.port() && open.bound.is_ipv4() == listener.address.is_ipv4()
    })
}

/// Closes sockets and waits until their ports are free.
async fn close(open: Vec<Open>) {
    for one in open {
        one.task.abort();
        let _ = one.task.await;
    }
}

fn bind_all(wanted: &[Listener]) -> Result<Vec<(Listener, SocketAddr, TcpListener)>, ListenError> {
    wanted
        .iter()
        .map(|listener| match bind(listener.address) {
            Ok((bound, socket)) => Ok((*listener, bound, socket)),
            Err(source) => Err(ListenError { listener: *listener, source }),
        })
        .collect()
}

/// Opens one socket. `SO_REUSEADDR` only lets us reopen a port whose last connections still linger; that the port is
/// really ours is proven from outside, not here (on BSD a wildcard bind succeeds beside another program's address).
fn bind(address: SocketAddr) -> io::Result<(SocketAddr, TcpListener)> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    if INHERITED {
        prepare(&socket);
    }
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    let listener = TcpListener::from_std(socket.into())?;
    Ok((listener.local_addr()?, listener))
}

/// Small writes leave at once, and a peer that vanished is noticed. Both only improve on what works without.
pub(crate) fn prepare<'a, S>(socket: &'a S)
where
    SockRef<'a>: From<&'a S>,
{
    let socket = SockRef::from(socket);
    let _ = socket.set_tcp_nodelay(true);
    let keepalive = TcpKeepalive::new().with_time(KEEPALIVE).with_interval(KEEPALIVE);
    let _ = socket.set_tcp_keepalive(&keepalive);
}

async fn accept_loop(socket: TcpListener, kind: Arc<Mutex<ListenerKind>>, accept: Arc<dyn Accept>) {
    let mut pause = BACK_OFF.0;
    let mut in_a_row = 0;
    let mut spare = Spare::new();
    loop {
        match socket.accept().await {
            Ok((stream, peer)) => {
                pause = BACK_OFF.0;
                let kind = *kind_of(&kind);
                accept.accepted(stream, peer, kind);
                in_a_row += 1;
                if in_a_row % TURN == 0 {
                    tokio::task::yield_now().await;
                }
            }
            Err(error) if is_about_one_connection(&error) => {}
            Err(error) => {
                accept.failed(&error);
                if is_want_of_descriptors(&error) {
                    spare.turn_away(&socket).await;
                }
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(BACK_OFF.1);
            }
        }
    }
}

/// A descriptor that is kept for the moment when there is none left: with it those who wait can be taken and closed,
/// so that they know at once.
struct Spare(Option<std::fs::File>);

impl Spare {
    fn new() -> Self {
        Self(std::fs::File::open("/dev/null").ok())
    }

    async fn turn_away(&mut self, socket: &TcpListener) {
        for _ in 0..TURN {
            if self.0.take().is_none() {
                break;
            }
            // Ends at once where nobody waits.
            let taken = tokio::time::timeout(Duration::ZERO, socket.accept()).await;
            let more = matches!(&taken, Ok(Ok(_)));
            drop(taken);
            *self = Self::new();
            if !more {
                break;
            }
        }
        if self.0.is_none() {
            *self = Self::new();
        }
    }
}

fn is_want_of_descriptors(error: &io::Error) -> bool {
    use rustix::io::Errno;
    matches!(Errno::from_io_error(error), Some(Errno::MFILE | Errno::NFILE))
}

/// Whether accept failed because of the connection that it took, not because of this process.
fn is_about_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset | io::ErrorKind::Interrupted
    )
}

#[cfg(test)]
mod tests;
