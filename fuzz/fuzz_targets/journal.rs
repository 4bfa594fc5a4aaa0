//! Any bytes as a journal, as a crash or another version may leave them: reading and writing them again changes nothing more.
#![no_main]

use gatehouse_core::fuzzing::rewritten_journal;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let once = rewritten_journal(data);
    let twice = rewritten_journal(&once);
    assert!(once == twice, "{}\n{}", String::from_utf8_lossy(&once), String::from_utf8_lossy(&twice));
});
