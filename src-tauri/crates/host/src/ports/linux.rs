//! `/proc/net/tcp`, `/proc/net/tcp6` and the descriptors of every process that we may look at (proc(5)).

use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::{PortHolder, without_options};

/// One listening socket.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Listening {
    pub(super) address: SocketAddr,
    pub(super) uid: u32,
    pub(super) inode: u64,
}

pub(super) fn holder(port: u16) -> Option<PortHolder> {
    let tables = ["/proc/net/tcp", "/proc/net/tcp6"].map(|path| fs::read_to_string(path).unwrap_or_default());
    let mut sockets: Vec<Listening> =
        tables.iter().flat_map(|table| listening(table)).filter(|s| s.address.port() == port).collect();
    sockets.sort();
    let first = sockets.first()?.clone();
    let Some(pid) = owner(first.inode) else {
        let listening = sockets
            .iter()
            .filter(|socket| socket.inode == first.inode)
            .map(|socket| socket.address)
            .collect();
        return Some(PortHolder { uid: Some(first.uid), listening, ..PortHolder::default() });
    };
    let listening = sockets
        .iter()
        .filter(|socket| socket.inode == first.inode || owner(socket.inode) == Some(pid))
        .map(|socket| socket.address)
        .collect();
    Some(PortHolder {
        pid: Some(pid),
        program: fs::read_to_string(format!("/proc/{pid}/comm")).ok().map(|name| name.trim().to_owned()),
        command: command_of(pid),
        uid: Some(first.uid),
        listening,
    })
}

fn command_of(pid: u32) -> Option<String> {
    let bytes = fs::read(format!("/proc/{pid}/cmdline")).ok()?;
    let text = String::from_utf8_lossy(&bytes);
    without_options(text.split('\0'))
}

/// The process with the lowest id that has this socket open.
fn owner(inode: u64) -> Option<u32> {
    let wanted = format!("socket:[{inode}]");
    let mut pids: Vec<u32> = fs::read_dir("/proc")
        .ok()?
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .collect();
    pids.sort_unstable();
    pids.into_iter().find(|pid| {
        let Ok(descriptors) = fs::read_dir(format!("/proc/{pid}/fd")) else { return false };
        descriptors.flatten().any(|entry| {
            fs::read_link(entry.path()).is_ok_and(|target| target.as_os_str() == wanted.as_str())
        })
    })
}

/// The listening sockets of a table; lines that are not understood are passed over.
pub(super) fn listening(table: &str) -> impl Iterator<Item = Listening> {
    table.lines().skip(1).filter_map(|line| {
        const LISTEN: &str = "0A";
        let mut fields = line.split_whitespace();
        let address = fields.nth(1)?;
        let state = fields.nth(1)?;
        let uid = fields.nth(3)?.parse().ok()?;
        let inode = fields.nth(1)?.parse().ok()?;
        let address = address_of(address)?;
        (state == LISTEN).then_some(Listening { address, uid, inode })
    })
}

/// `0100007F:1F90`: each group of 32 bits in the byte order of the machine, the port in plain hexadecimal.
fn address_of(text: &str) -> Option<SocketAddr> {
    let (address, port) = text.split_once(':')?;
    let port = u16::from_str_radix(port, 16).ok()?;
    let mut bytes = Vec::with_capacity(16);
    for group in address.as_bytes().chunks(8) {
        let group = u32::from_str_radix(std::str::from_utf8(group).ok()?, 16).ok()?;
        bytes.extend(group.to_ne_bytes());
    }
    let ip: IpAddr = match bytes.len() {
        4 => Ipv4Addr::from(<[u8; 4]>::try_from(bytes).ok()?).into(),
        16 => Ipv6Addr::from(<[u8; 16]>::try_from(bytes).ok()?).into(),
        _ => return None,
    };
    Some(SocketAddr::new(ip, port))
}
