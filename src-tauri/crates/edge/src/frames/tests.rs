use super::*;

fn frame(first: u8, mask: Option<[u8; 4]>, payload: &[u8]) -> Vec<u8> {
    let bit = if mask.is_some() { 0x80 } else { 0 };
    let mut out = vec![first];
    match payload.len() {
        n @ 0..=125 => out.push(bit | n as u8),
        n @ 126..=65535 => {
            out.push(bit | 126);
            out.extend((n as u16).to_be_bytes());
        }
        n => {
            out.push(bit | 127);
            out.extend((n as u64).to_be_bytes());
        }
    }
    if let Some(key) = mask {
        out.extend(key);
        out.extend(payload.iter().zip(key.iter().cycle()).map(|(byte, key)| byte ^ key));
    } else {
        out.extend(payload);
    }
    out
}

fn close_payload(code: u16, reason: &str) -> Vec<u8> {
    [&code.to_be_bytes(), reason.as_bytes()].concat()
}

#[test]
fn finds_the_close_after_frames_of_every_length_form_however_they_are_cut() {
    let key = Some([1, 2, 3, 4]);
    let mut stream = Vec::new();
    for length in [0, 1, 125, 126, 65_535, 65_536, 200_000] {
        stream.extend(frame(0x82, key, &vec![0x88; length]));
    }
    stream.extend(frame(0x01, key, b"first"));
    stream.extend(frame(0x89, key, b"ping inside a fragmented message"));
    stream.extend(frame(0x80, key, b"last"));
    stream.extend(frame(0x88, key, &close_payload(4001, "gateway auth changed")));
    for step in [1, 2, 3, 7, 1000, stream.len()] {
        let mut observer = Observer::new(Sender::Client);
        let seen: Vec<Close> = stream.chunks(step).filter_map(|chunk| observer.see(chunk)).collect();
        assert_eq!(seen, [Close { code: Some(4001), reason: "gateway auth changed".into() }], "step {step}");
    }
}

#[test]
fn reads_an_empty_close_and_a_close_without_reason() {
    let mut observer = Observer::new(Sender::Server);
    assert_eq!(observer.see(&frame(0x88, None, b"")), Some(Close { code: None, reason: String::new() }));
    let mut observer = Observer::new(Sender::Server);
    let close = observer.see(&frame(0x88, None, &close_payload(1000, "")));
    assert_eq!(close, Some(Close { code: Some(1000), reason: String::new() }));
}

#[test]
fn says_only_the_first_close() {
    let mut observer = Observer::new(Sender::Server);
    assert!(observer.see(&frame(0x88, None, &close_payload(1012, "service restart"))).is_some());
    assert_eq!(observer.see(&frame(0x88, None, &close_payload(1000, ""))), None);
}

#[test]
fn a_compressed_message_is_no_reason_to_stop() {
    let mut observer = Observer::new(Sender::Server);
    assert_eq!(observer.see(&frame(0xc1, None, b"deflated")), None);
    assert!(observer.see(&frame(0x88, None, &close_payload(1001, ""))).is_some());
}

#[test]
fn stops_at_the_first_frame_that_it_does_not_understand() {
    let wrong: [(&str, Vec<u8>); 6] = [
        ("reserved opcode", frame(0x83, None, b"x")),
        ("reserved control opcode", frame(0x8b, None, b"x")),
        ("fragmented control frame", frame(0x08, None, b"")),
        ("control frame over 125 bytes", frame(0x88, None, &[0; 126])),
        ("masked server frame", frame(0x82, Some([1, 2, 3, 4]), b"x")),
        ("reserved bit 2", frame(0xa2, None, b"x")),
    ];
    for (what, bytes) in wrong {
        let mut observer = Observer::new(Sender::Server);
        assert_eq!(observer.see(&bytes), None, "{what}");
        assert_eq!(observer.see(&frame(0x88, None, &close_payload(1000, ""))), None, "{what}");
    }
    let mut observer = Observer::new(Sender::Client);
    assert_eq!(observer.see(&frame(0x88, None, &close_payload(1000, ""))), None, "unmasked client frame");
}

proptest::proptest! {
    #[test]
    fn never_panics_and_cuts_do_not_matter(bytes: Vec<u8>, cut in 0usize..64) {
        let mut whole = Observer::new(Sender::Server);
        let mut parts = Observer::new(Sender::Server);
        let expected = whole.see(&bytes);
        let cut = cut.min(bytes.len());
        let (left, right) = bytes.split_at(cut);
        let first = parts.see(left);
        let second = parts.see(right);
        proptest::prop_assert_eq!(expected, first.or(second));
    }
}
