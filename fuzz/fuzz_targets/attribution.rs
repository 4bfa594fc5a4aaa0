//! Any chain of forwarding headers: with a proxy in front nobody is local, nobody is loopback, and whatever a stranger wrote
//! to the left of the right-most hop that is not trusted changes nothing.
#![no_main]

use gatehouse_edge::attribution::attribute;
use gatehouse_edge::{Client, FrontProxy, OwnAddresses, Peer};
use http::{HeaderMap, HeaderName, HeaderValue};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((&flags, text)) = data.split_first() else { return };
    let name = ["x-forwarded-for", "forwarded", "cf-connecting-ip", "x-original-forwarded-for"][usize::from(flags & 3)];
    let name = HeaderName::from_static(name);
    let peers: Vec<ipnet::IpNet> =
        ["127.0.0.0/8", "10.0.0.0/8", "fd00::/8"].map(|network| network.parse().unwrap()).to_vec();
    let front = FrontProxy::Trusted { peers: peers.clone(), client_header: name.clone() };
    let own = OwnAddresses { v4: Some("192.0.2.10".parse().unwrap()), v6: None, all: Vec::new() };
    let peer = Peer::new("127.0.0.1".parse().unwrap());
    let mut headers = HeaderMap::new();
    for line in text.split(|byte| *byte == b'\n') {
        if let Ok(value) = HeaderValue::from_bytes(line) {
            headers.append(&name, value);
        }
    }
    let told = attribute(&peer, flags & 4 != 0, &headers, &own, &front);
    let Ok(client) = told else { return };
    let Client::Remote { address, header } = &client else { panic!("local behind a proxy") };
    assert!(!address.is_loopback() && !address.is_unspecified() && !address.is_multicast(), "{address}");
    assert_eq!(header.to_str().unwrap().parse(), Ok(*address));
    if flags & 3 == 2 {
        return;
    }
    // A list: what stands to its left is not looked at.
    assert!(!peers.iter().any(|network| network.contains(address)), "a trusted hop is no client");
    let mut more = HeaderMap::new();
    more.append(&name, HeaderValue::from_static("127.0.0.1, garbage"));
    for value in headers.get_all(&name) {
        more.append(&name, value.clone());
    }
    assert_eq!(attribute(&peer, flags & 4 != 0, &more, &own, &front), Ok(client));
});
