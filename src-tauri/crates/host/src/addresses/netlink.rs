//! The kernel's word that links or addresses changed (rtnetlink(7)). What changed is read elsewhere: the messages only
//! wake us, so nothing in them is parsed or trusted.

use std::io;
use std::os::unix::net::UnixDatagram as StdDatagram;

use rustix::net::netlink::SocketAddrNetlink;
use rustix::net::{AddressFamily, SocketFlags, SocketType, bind, socket_with};
use tokio::net::UnixDatagram;

/// `RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR`
const GROUPS: u32 = 0x1 | 0x10 | 0x100;

/// A socket that becomes readable when something changes. tokio has no netlink sockets; its Unix datagram socket does
/// the same with the descriptor (readiness and `recv`) without unsafe code.
pub(super) struct Netlink(UnixDatagram);

impl Netlink {
    /// Needs a tokio runtime.
    pub(super) fn open() -> io::Result<Self> {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let socket = socket_with(AddressFamily::NETLINK, SocketType::RAW, flags, None)?;
        bind(&socket, &SocketAddrNetlink::new(0, GROUPS))?;
        Ok(Self(UnixDatagram::from_std(StdDatagram::from(socket))?))
    }

    /// Waits for the next change and takes every message that is there.
    pub(super) async fn changed(&mut self) -> io::Result<()> {
        let lost = rustix::io::Errno::NOBUFS.raw_os_error();
        self.0.readable().await?;
        let mut message = [0_u8; 8192];
        loop {
            match self.0.try_recv(&mut message) {
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // Messages were lost: all the more reason to look.
                Err(error) if error.raw_os_error() == Some(lost) => {}
                Err(error) => return Err(error),
            }
        }
    }
}
