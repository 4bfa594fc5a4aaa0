//! Whether a port is ours on every address. A bind that succeeds is no proof: on macOS, and with options of the
//! socket elsewhere, another program that listens on one address of the port gets the connections to it.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use socket2::{Domain, Protocol, Socket, Type};

use super::Refusal;

/// Connecting to oneself takes no time; a firewall that swallows packets does.
const CONNECT: Duration = Duration::from_secs(2);
const ACCEPT: Duration = Duration::from_secs(1);
const STEP: Duration = Duration::from_millis(10);
/// More connections of strangers in a row than that are not looked through.
const STRANGERS: usize = 64;

/// Sockets that listen on one port of the wildcard address of both families.
#[derive(Debug)]
pub struct Wildcard {
    port: u16,
    v4: Option<TcpListener>,
    v6: Option<TcpListener>,
}

/// Who answered at an address.
#[derive(Debug)]
pub enum Reached {
    /// We.
    Ours,
    /// Somebody else took the connection.
    Another,
    /// Nobody: no connection came about.
    Nobody(io::Error),
}

impl Wildcard {
    /// Listens on `port`; 0 takes a free one. A family that this machine does not have is left out.
    ///
    /// # Errors
    /// The address that could not be had, and why; none is kept then.
    pub fn listen(port: u16) -> Result<Self, (SocketAddr, Refusal)> {
        let open = |ip: IpAddr, port: u16| {
            let address = SocketAddr::new(ip, port);
            match listener(address) {
                Ok(listener) => Ok(Some(listener)),
                Err(error) => match Refusal::from(error) {
                    Refusal::NoAddress => Ok(None),
                    refusal => Err((address, refusal)),
                },
            }
        };
        let v4 = open(Ipv4Addr::UNSPECIFIED.into(), port)?;
        let bound = v4.as_ref().and_then(|listener| listener.local_addr().ok());
        let v6 = open(Ipv6Addr::UNSPECIFIED.into(), bound.map_or(port, |address| address.port()))?;
        let port = bound
            .or_else(|| v6.as_ref().and_then(|listener| listener.local_addr().ok()))
            .map(|address| address.port())
            .ok_or((SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), port), Refusal::NoAddress))?;
        Ok(Self { port, v4, v6 })
    }

    /// The port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Who answers at this address of our port. Blocks for at most 3 s.
    #[must_use]
    pub fn who_answers(&self, ip: IpAddr) -> Reached {
        self.who_answers_at(SocketAddr::new(ip, self.port))
    }

    fn who_answers_at(&self, address: SocketAddr) -> Reached {
        let Some(listener) = (if address.is_ipv4() { &self.v4 } else { &self.v6 }) else {
            return Reached::Nobody(io::ErrorKind::AddrNotAvailable.into());
        };
        let client = match TcpStream::connect_timeout(&address, CONNECT) {
            Ok(client) => client,
            Err(error) => return Reached::Nobody(error),
        };
        let Ok(from) = client.local_addr() else {
            return Reached::Nobody(io::ErrorKind::NotConnected.into());
        };
        match accepts(listener, from) {
            true => Reached::Ours,
            false => Reached::Another,
        }
    }
}

/// Whether the connection that was made from `from` arrives here. Connections of others are closed.
fn accepts(listener: &TcpListener, from: SocketAddr) -> bool {
    let begun = Instant::now();
    for _ in 0..STRANGERS {
        loop {
            match listener.accept() {
                Ok((_, peer)) if same(peer, from) => return true,
                Ok(_) => break,
                Err(_) if begun.elapsed() > ACCEPT => return false,
                Err(_) => std::thread::park_timeout(STEP),
            }
        }
    }
    false
}

/// Addresses of IPv6 carry a zone and a flow on one side only.
fn same(one: SocketAddr, other: SocketAddr) -> bool {
    (one.ip().to_canonical(), one.port()) == (other.ip().to_canonical(), other.port())
}

fn listener(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    socket.listen(128)?;
    socket.set_nonblocking(true)?;
    Ok(socket.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_of_the_wildcard_is_ours_on_loopback() {
        let wildcard = Wildcard::listen(0).unwrap();
        assert!(matches!(wildcard.who_answers(Ipv4Addr::LOCALHOST.into()), Reached::Ours));
        assert!(wildcard.port() != 0);
    }

    #[test]
    fn a_connection_that_somebody_else_takes_is_not_ours() {
        let wildcard = Wildcard::listen(0).unwrap();
        let other = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let reached = wildcard.who_answers_at(other.local_addr().unwrap());
        assert!(matches!(reached, Reached::Another), "{reached:?}");
    }

    #[test]
    fn a_port_that_nobody_has_is_nobodys_and_a_held_one_is_refused() {
        let wildcard = Wildcard::listen(0).unwrap();
        let gone = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap();
        assert!(matches!(wildcard.who_answers_at(gone), Reached::Nobody(_)));
        let (address, refusal) = Wildcard::listen(wildcard.port()).unwrap_err();
        assert_eq!(address.port(), wildcard.port());
        assert!(matches!(refusal, Refusal::InUse), "{refusal}");
    }

    #[test]
    fn strangers_on_the_port_do_not_hide_that_it_is_ours() {
        let wildcard = Wildcard::listen(0).unwrap();
        let stranger = TcpStream::connect((Ipv4Addr::LOCALHOST, wildcard.port())).unwrap();
        assert!(matches!(wildcard.who_answers(Ipv4Addr::LOCALHOST.into()), Reached::Ours));
        drop(stranger);
    }
}
