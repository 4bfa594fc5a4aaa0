//! Any text as an origin: the canonical form is canonical, is one that browsers can send, and lets itself in.
#![no_main]

use gatehouse_openclaw::origin::{Match, canonical, is_private_host, match_rule, never_matches};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let (text, host) = text.split_once('\n').unwrap_or((text, "mini.local"));
    is_private_host(host);
    never_matches(text);
    match_rule(&[text.to_owned()], text, host, false);
    let Ok(sent) = canonical(text) else { return };
    assert_eq!(canonical(&sent).as_ref(), Ok(&sent), "{text:?}");
    assert_eq!(never_matches(&sent), None, "{text:?}");
    assert_eq!(match_rule(std::slice::from_ref(&sent), &sent, host, false), Match::Listed, "{text:?}");
    assert!(sent.bytes().all(|byte| byte.is_ascii_graphic() && !byte.is_ascii_uppercase()), "{sent:?}");
    assert!(match_rule(&[], &sent, "other.example", false) == Match::Refused, "{sent:?}");
});
