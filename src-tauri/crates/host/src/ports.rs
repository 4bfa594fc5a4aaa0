//! Who holds a TCP port, and whether we could.

use std::io;
use std::net::SocketAddr;

use socket2::{Domain, Protocol, Socket, Type};

pub mod owned;

#[cfg(target_os = "linux")]
#[path = "ports/linux.rs"]
mod system;

#[cfg(any(target_os = "macos", test))]
mod lsof;
#[cfg(target_os = "macos")]
use lsof as system;

/// The program that listens on a port.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PortHolder {
    /// Its process id; `None` where the system does not tell us (another user's process).
    pub pid: Option<u32>,
    /// Short name ("nginx").
    pub program: Option<String>,
    /// Command line up to its first option: what follows may be secret.
    pub command: Option<String>,
    /// The user that owns the socket, where it is known.
    pub uid: Option<u32>,
    /// Addresses that it listens on, in a fixed order.
    pub listening: Vec<SocketAddr>,
}

/// Why a port cannot be bound.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// Another socket has it.
    #[error("another program has it")]
    InUse,
    /// The system keeps it for privileged programs.
    #[error("the system keeps it for privileged programs")]
    Permission,
    /// The address is not (or no longer) ours, or its family is switched off.
    #[error("this machine does not have that address")]
    NoAddress,
    /// Something else.
    #[error("{0}")]
    Other(io::Error),
}

/// Who listens on TCP `port`, on any address; where several do, the one with the lowest address. `None` = nobody that
/// we can see: on macOS, programs of other users are not seen. Reads the process table; call it off the async threads.
pub fn holder(port: u16) -> Option<PortHolder> {
    system::holder(port)
}

/// Whether a listener on `address` could be opened right now, with the options that a server would use (IPv6 alone on
/// an IPv6 address). The socket is closed again at once; success is no promise.
///
/// # Errors
/// Why not.
pub fn try_bind(address: SocketAddr) -> Result<(), Refusal> {
    let bind = || {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
        if address.is_ipv6() {
            socket.set_only_v6(true)?;
        }
        socket.set_reuse_address(true)?;
        socket.bind(&address.into())?;
        socket.listen(1)
    };
    bind().map_err(Refusal::from)
}

impl From<io::Error> for Refusal {
    fn from(error: io::Error) -> Self {
        // A family that is switched off has no kind of its own in std.
        let family = rustix::io::Errno::AFNOSUPPORT.raw_os_error();
        match error.kind() {
            io::ErrorKind::AddrInUse => Self::InUse,
            io::ErrorKind::PermissionDenied => Self::Permission,
            io::ErrorKind::AddrNotAvailable => Self::NoAddress,
            _ if error.raw_os_error() == Some(family) => Self::NoAddress,
            _ => Self::Other(error),
        }
    }
}

/// The words of a command line before the first one that looks like an option; at most three.
fn without_options<'a>(words: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let words: Vec<&str> =
        words.into_iter().take_while(|word| !word.is_empty() && !word.starts_with('-')).take(3).collect();
    (!words.is_empty()).then(|| words.join(" "))
}

#[cfg(test)]
mod tests;
