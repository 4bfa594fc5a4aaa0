//! The PROXY protocol, versions 1 and 2 (haproxy's `proxy-protocol.txt`): a front proxy that passes TCP on says first
//! who connected to it.
//!
//! Guarantees: a header is read from declared peers only, and they must send one; it is taken in exactly one way or the
//! connection ends; nothing behind it is consumed; a version 1 line has at most 107 bytes and a version 2 header at most
//! [`LONGEST`]; unknown TLVs are skipped; a connection that the proxy makes for itself (`LOCAL`, `UNKNOWN`) stands for no
//! client.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use tokio::io::{AsyncRead, AsyncReadExt};

/// What begins every version 2 header.
const SIGNATURE: [u8; 12] = *b"\r\n\r\n\0\r\nQUIT\n";
/// Longest version 1 line, its end included.
const LINE: usize = 107;
/// Longest version 2 header that is read, without its first 16 bytes. The addresses take 36 at most, a TLS TLV with a
/// client certificate's name some hundred.
pub const LONGEST: usize = 4096;

/// Why a header is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no PROXY header: {0}")]
pub struct Malformed(&'static str);

impl From<Malformed> for io::Error {
    fn from(error: Malformed) -> Self {
        Self::new(io::ErrorKind::InvalidData, error)
    }
}

/// For whom the proxy connects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// For this client.
    Client(SocketAddr),
    /// For itself, or for somebody it cannot name.
    Unknown,
}

/// Reads the header at the beginning of a connection, and nothing behind it.
pub(crate) async fn read(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Source> {
    let mut start = [0; SIGNATURE.len()];
    // Both versions are longer: the shortest line is `PROXY UNKNOWN\r\n`.
    stream.read_exact(&mut start).await?;
    if start == SIGNATURE {
        let mut fixed = [0; 4];
        stream.read_exact(&mut fixed).await?;
        let length = usize::from(u16::from_be_bytes([fixed[2], fixed[3]]));
        if length > LONGEST {
            return Err(Malformed("it is too long").into());
        }
        let mut rest = vec![0; length];
        stream.read_exact(&mut rest).await?;
        return Ok(version_2(fixed[0], fixed[1], &rest)?);
    }
    if !start.starts_with(b"PROXY ") {
        return Err(Malformed("it begins with neither signature").into());
    }
    let mut line = start.to_vec();
    while !line.ends_with(b"\n") {
        if line.len() == LINE {
            return Err(Malformed("the line is too long").into());
        }
        // One at a time: what follows belongs to TLS.
        line.push(stream.read_u8().await?);
    }
    Ok(version_1(&line)?)
}

/// Reads a whole version 1 line, its end included.
///
/// # Errors
/// It is not exactly such a line.
pub fn version_1(line: &[u8]) -> Result<Source, Malformed> {
    if line.len() > LINE {
        return Err(Malformed("the line is too long"));
    }
    let line = line.strip_suffix(b"\r\n").ok_or(Malformed("the line does not end"))?;
    let line = std::str::from_utf8(line).map_err(|_| Malformed("it is not text"))?;
    let rest = line.strip_prefix("PROXY ").ok_or(Malformed("it does not begin with PROXY"))?;
    if rest == "UNKNOWN" || rest.starts_with("UNKNOWN ") {
        return Ok(Source::Unknown);
    }
    let mut words = rest.split(' ');
    let mut word = || words.next().ok_or(Malformed("a field is missing"));
    let (family, source, target) = (word()?, word()?, word()?);
    let (port, target_port) = (word()?, word()?);
    if words.next().is_some() {
        return Err(Malformed("there are too many fields"));
    }
    let address = |text: &str| -> Option<IpAddr> {
        match family {
            "TCP4" => text.parse::<Ipv4Addr>().ok().map(IpAddr::V4),
            "TCP6" => text.parse::<Ipv6Addr>().ok().map(IpAddr::V6),
            _ => None,
        }
    };
    let bad_address = Malformed("an address is not of its family");
    let source = address(source).ok_or(bad_address)?;
    address(target).ok_or(bad_address)?;
    decimal_port(target_port)?;
    Ok(Source::Client(SocketAddr::new(source.to_canonical(), decimal_port(port)?)))
}

/// A port as digits, without sign or leading zero.
fn decimal_port(text: &str) -> Result<u16, Malformed> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    let port = plain.then(|| text.parse().ok()).flatten();
    port.ok_or(Malformed("a port is no port"))
}

/// Reads a version 2 header: the bytes of version with command and of family with transport, and what the length covers.
///
/// # Errors
/// It is not exactly such a header.
pub fn version_2(version: u8, family: u8, rest: &[u8]) -> Result<Source, Malformed> {
    let local = match version {
        0x20 => true,
        0x21 => false,
        _ => return Err(Malformed("version or command is unknown")),
    };
    if local {
        // Whatever follows is to be ignored (§2.2).
        return Ok(Source::Unknown);
    }
    let cut = Malformed("the addresses are cut off");
    let (source, tlvs) = match family {
        0x11 => {
            let (addresses, tlvs) = rest.split_first_chunk::<12>().ok_or(cut)?;
            let [a, b, c, d, _, _, _, _, high, low, _, _] = *addresses;
            (SocketAddr::from(([a, b, c, d], u16::from_be_bytes([high, low]))), tlvs)
        }
        0x21 => {
            let (addresses, tlvs) = rest.split_first_chunk::<36>().ok_or(cut)?;
            let (source, ports) = addresses.split_first_chunk::<16>().ok_or(cut)?;
            let port = ports.get(16..18).and_then(|port| port.try_into().ok()).ok_or(cut)?;
            let address = IpAddr::from(*source).to_canonical();
            (SocketAddr::new(address, u16::from_be_bytes(port)), tlvs)
        }
        0x00 => return Ok(Source::Unknown),
        _ => return Err(Malformed("only TCP over IPv4 and IPv6 is served")),
    };
    skip(tlvs)?;
    Ok(Source::Client(source))
}

/// Goes over TLVs: each must end where the next begins, the last where the header ends.
fn skip(mut tlvs: &[u8]) -> Result<(), Malformed> {
    while let Some((head, rest)) = tlvs.split_first_chunk::<3>() {
        let length = usize::from(u16::from_be_bytes([head[1], head[2]]));
        tlvs = rest.get(length..).ok_or(Malformed("a TLV is cut off"))?;
    }
    if tlvs.is_empty() { Ok(()) } else { Err(Malformed("a TLV is cut off")) }
}

#[cfg(test)]
mod tests;
