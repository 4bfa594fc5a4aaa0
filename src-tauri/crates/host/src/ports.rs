//! Who holds a TCP port, and whether we could.

use std::io;
use std::net::SocketAddr;

/// The program that listens on a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PortHolder {
    /// Its process id; `None` where the system does not tell us (another user's process).
    pub pid: Option<u32>,
    /// Short name ("nginx").
    pub program: Option<String>,
    /// Command line, without its arguments where those cannot be read.
    pub command: Option<String>,
    /// The user that owns the socket, where it is known.
    pub uid: Option<u32>,
    /// Addresses that it listens on, in a fixed order.
    pub listening: Vec<SocketAddr>,
}

/// Why a port cannot be bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// Another socket has it.
    InUse,
    /// The system keeps it for privileged programs.
    Permission,
    /// The address is not (or no longer) ours, or the family is switched off.
    NoAddress,
}

/// Who listens on TCP `port`; `None` = nobody that we can see. Blocks for at most 5 s.
pub fn holder(port: u16) -> Option<PortHolder> {
    let _ = port;
    None
}

/// Whether a listener on `address` could be opened right now; the socket is closed again at once.
///
/// # Errors
/// What the system said, where it is none of the known refusals.
pub fn try_bind(address: SocketAddr) -> io::Result<Result<(), Refusal>> {
    let _ = address;
    Ok(Ok(()))
}
