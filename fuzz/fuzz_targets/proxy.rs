//! Any bytes as a PROXY header: read without a panic, and a version 1 line that is taken names what it says.
#![no_main]

use gatehouse_edge::proxy_protocol::{Source, version_1, version_2};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    if let Ok(Source::Client(client)) = version_1(data) {
        let text = std::str::from_utf8(data).expect("a line that is taken is text");
        let words: Vec<_> = text.trim_end_matches("\r\n").split(' ').collect();
        assert_eq!(words.len(), 6, "{text:?}");
        assert_eq!(words[2].parse(), Ok(client.ip()), "{text:?}");
        assert_eq!(words[4].parse(), Ok(client.port()), "{text:?}");
    }
    let [version, family, rest @ ..] = data else { return };
    let _ = version_2(*version, *family, rest);
});
