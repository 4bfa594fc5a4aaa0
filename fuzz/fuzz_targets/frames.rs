//! Any bytes as frames of a WebSocket: the observer sees the same however they are cut.
#![no_main]

use gatehouse_edge::fuzzing::close_of;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((&flags, rest)) = data.split_first() else { return };
    let client = flags & 1 != 0;
    let whole = close_of(&[rest], client);
    let step = usize::from(flags >> 1).max(1);
    let pieces: Vec<_> = rest.chunks(step).collect();
    assert_eq!(close_of(&pieces, client), whole);
    let bytes: Vec<_> = rest.chunks(1).collect();
    assert_eq!(close_of(&bytes, client), whole);
});
