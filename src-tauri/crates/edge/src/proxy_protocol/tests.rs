use super::*;
use proptest::prelude::*;

fn client(text: &str) -> Source {
    Source::Client(text.parse().unwrap())
}

fn v2(version: u8, family: u8, rest: &[u8]) -> Vec<u8> {
    let mut bytes = SIGNATURE.to_vec();
    bytes.extend([version, family]);
    bytes.extend(u16::try_from(rest.len()).unwrap().to_be_bytes());
    bytes.extend(rest);
    bytes
}

fn addresses_4() -> Vec<u8> {
    vec![192, 0, 2, 1, 198, 51, 100, 2, 0x12, 0x34, 0x01, 0xbb]
}

/// Reads from a stream in which TLS follows; says what is left of it.
async fn read_from(bytes: &[u8]) -> (io::Result<Source>, Vec<u8>) {
    let all = [bytes, b"\x16\x03\x01rest"].concat();
    let mut stream = all.as_slice();
    let read = read(&mut stream).await;
    (read, stream.to_vec())
}

#[test]
fn lines_are_read_in_one_way_or_not_at_all() {
    for (line, expected) in [
        ("PROXY TCP4 192.0.2.1 198.51.100.2 56324 443\r\n", Some(client("192.0.2.1:56324"))),
        ("PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n", Some(client("255.255.255.255:65535"))),
        ("PROXY TCP6 2001:db8::1 2001:db8::2 1 443\r\n", Some(client("[2001:db8::1]:1"))),
        ("PROXY TCP6 ::ffff:192.0.2.1 ::1 1 443\r\n", Some(client("192.0.2.1:1"))),
        ("PROXY UNKNOWN\r\n", Some(Source::Unknown)),
        ("PROXY UNKNOWN ffff::1 whatever 9 9\r\n", Some(Source::Unknown)),
        ("PROXY TCP4 192.0.2.1 198.51.100.2 56324 443\n", None),
        ("PROXY TCP4 192.0.2.1 198.51.100.2 56324 443", None),
        ("PROXY TCP4 192.0.2.1 198.51.100.2 56324 443 \r\n", None),
        ("PROXY TCP4  192.0.2.1 198.51.100.2 56324 443\r\n", None),
        ("PROXY  TCP4 192.0.2.1 198.51.100.2 56324 443\r\n", None),
        ("proxy TCP4 192.0.2.1 198.51.100.2 56324 443\r\n", None),
        ("PROXY TCP4 192.0.2.01 198.51.100.2 56324 443\r\n", None),
        ("PROXY TCP4 2001:db8::1 2001:db8::2 1 443\r\n", None),
        ("PROXY TCP6 192.0.2.1 198.51.100.2 1 443\r\n", None),
        ("PROXY TCP6 [2001:db8::1] ::1 1 443\r\n", None),
        ("PROXY TCP4 192.0.2.1 198.51.100.2 65536 443\r\n", None),
        ("PROXY TCP4 192.0.2.1 198.51.100.2 +1 443\r\n", None),
        ("PROXY TCP4 192.0.2.1 198.51.100.2 01 443\r\n", None),
        ("PROXY TCP4 192.0.2.1 198.51.100.2 1\r\n", None),
        ("PROXY UDP4 192.0.2.1 198.51.100.2 1 443\r\n", None),
        ("PROXY UNKNOWNX\r\n", None),
        ("PROXY \r\n", None),
        ("PROXY TCP4 192.0.2.1\0 198.51.100.2 1 443\r\n", None),
    ] {
        assert_eq!(version_1(line.as_bytes()).ok(), expected, "{line:?}");
    }
    let long = format!("PROXY UNKNOWN {}\r\n", "x".repeat(LINE - 16));
    assert_eq!(long.len(), LINE);
    assert_eq!(version_1(long.as_bytes()), Ok(Source::Unknown));
    let longer = format!("PROXY UNKNOWN {}\r\n", "x".repeat(LINE - 15));
    assert!(version_1(longer.as_bytes()).is_err());
}

#[test]
fn binary_headers_are_read_in_one_way_or_not_at_all() {
    let mut six = vec![0; 36];
    six[..2].copy_from_slice(&[0x20, 0x01]);
    six[15] = 1;
    six[33] = 80;
    let tlv = |kind: u8, value: &[u8]| {
        let mut rest = addresses_4();
        rest.extend([kind, 0, u8::try_from(value.len()).unwrap()]);
        rest.extend(value);
        rest
    };
    for (version, family, rest, expected) in [
        (0x21, 0x11, addresses_4(), Some(client("192.0.2.1:4660"))),
        (0x21, 0x21, six, Some(client("[2001::1]:80"))),
        (0x21, 0x11, tlv(0xEE, b"unknown"), Some(client("192.0.2.1:4660"))),
        (0x21, 0x11, tlv(0x04, b""), Some(client("192.0.2.1:4660"))),
        (0x20, 0x00, vec![], Some(Source::Unknown)),
        (0x20, 0x11, addresses_4(), Some(Source::Unknown)),
        (0x20, 0xff, vec![1, 2, 3], Some(Source::Unknown)),
        (0x21, 0x00, vec![], Some(Source::Unknown)),
        (0x21, 0x11, addresses_4()[..11].to_vec(), None),
        (0x21, 0x21, addresses_4(), None),
        (0x21, 0x12, addresses_4(), None),
        (0x21, 0x31, vec![0; 216], None),
        (0x22, 0x11, addresses_4(), None),
        (0x11, 0x11, addresses_4(), None),
        (0x21, 0x11, [addresses_4(), vec![4, 0]].concat(), None),
        (0x21, 0x11, [addresses_4(), vec![4, 0, 9, 1]].concat(), None),
    ] {
        assert_eq!(version_2(version, family, &rest).ok(), expected, "{version:x} {family:x} {rest:?}");
    }
}

#[tokio::test]
async fn nothing_behind_the_header_is_consumed() {
    let line = b"PROXY TCP4 192.0.2.1 198.51.100.2 56324 443\r\n".to_vec();
    for header in [line, v2(0x21, 0x11, &addresses_4()), v2(0x20, 0, &[]), b"PROXY UNKNOWN\r\n".to_vec()] {
        let (read, left) = read_from(&header).await;
        read.unwrap();
        assert_eq!(left, b"\x16\x03\x01rest");
    }
}

#[tokio::test]
async fn what_is_no_header_ends_the_connection() {
    let too_long = v2(0x21, 0x11, &vec![0; LONGEST + 1]);
    let endless = [b"PROXY UNKNOWN ".as_slice(), &[b'x'; 500]].concat();
    for bytes in [
        b"".as_slice(),
        b"GET / HTTP/1.1\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\x00",
        b"\r\n\r\n\0\r\nQUIT\r",
        &too_long,
        &endless,
    ] {
        let mut stream = bytes;
        read(&mut stream).await.unwrap_err();
    }
}

proptest! {
    #[test]
    fn bytes_of_strangers_never_panic(line in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = version_1(&line);
        let _ = version_2(line.first().copied().unwrap_or(0x21), 0x11, &line);
        let _ = version_2(0x21, 0x21, &line);
    }

    #[test]
    fn every_address_survives_both_versions(
        source in any::<[u8; 4]>(), six in any::<[u16; 8]>(), port in any::<u16>(),
        tlv in proptest::collection::vec(any::<u8>(), 0..64),
    ) {
        let four = Ipv4Addr::from(source);
        let line = format!("PROXY TCP4 {four} 198.51.100.2 {port} 443\r\n");
        let expected = Source::Client(SocketAddr::new(four.into(), port));
        prop_assert_eq!(version_1(line.as_bytes()), Ok(expected));
        let mut rest = [source.as_slice(), &[1, 2, 3, 4], &port.to_be_bytes(), &[1, 187, 0xEE, 0]].concat();
        rest.push(u8::try_from(tlv.len()).unwrap());
        rest.extend(&tlv);
        prop_assert_eq!(version_2(0x21, 0x11, &rest), Ok(expected));
        rest.truncate(rest.len() - 1);
        prop_assert!(version_2(0x21, 0x11, &rest).is_err(), "a header that is cut is no header");

        let six = Ipv6Addr::from(six);
        let line = format!("PROXY TCP6 {six} ::1 {port} 443\r\n");
        let expected = Source::Client(SocketAddr::new(IpAddr::V6(six).to_canonical(), port));
        prop_assert_eq!(version_1(line.as_bytes()), Ok(expected));
        let rest = [six.octets().as_slice(), &[0; 16], &port.to_be_bytes(), &[1, 187]].concat();
        prop_assert_eq!(version_2(0x21, 0x21, &rest), Ok(expected));
    }

    #[test]
    fn a_line_with_one_byte_changed_is_no_other_client(at in 0_usize..45, byte in any::<u8>()) {
        let mut line = b"PROXY TCP4 192.0.2.1 198.51.100.2 56324 443\r\n".to_vec();
        let at = at % line.len();
        prop_assume!(!(11..20).contains(&at) && !(34..39).contains(&at) && line[at] != byte);
        line[at] = byte;
        if let Ok(source) = version_1(&line) {
            // Only the target may differ.
            prop_assert_eq!(source, client("192.0.2.1:56324"));
        }
    }
}
