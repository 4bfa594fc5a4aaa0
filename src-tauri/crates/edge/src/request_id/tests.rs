use std::collections::HashSet;

use super::*;

#[test]
fn an_id_is_a_uuid_of_version_7_with_its_time_in_front() {
    let id = RequestId::from_parts(0x0123_4567_89ab, u64::MAX, u64::MAX);
    assert_eq!(id.as_str(), "01234567-89ab-7fff-bfff-ffffffffffff");
    let id = RequestId::from_parts(0x0123_4567_89ab, 0, 0);
    assert_eq!(id.as_str(), "01234567-89ab-7000-8000-000000000000");
}

#[test]
fn ids_are_unique_across_threads() {
    let threads: Vec<_> = (0..4)
        .map(|_| std::thread::spawn(|| (0..20_000).map(|_| RequestId::new()).collect::<Vec<_>>()))
        .collect();
    let ids: HashSet<_> = threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect();
    assert_eq!(ids.len(), 80_000);
}

#[test]
fn later_ids_sort_behind_earlier_ones() {
    let early = RequestId::from_parts(1_000, u64::MAX, u64::MAX);
    let late = RequestId::from_parts(1_001, 0, 0);
    assert!(early < late);
}

#[test]
fn the_header_is_the_text_also_across_blocks() {
    for _ in 0..3 * BLOCK {
        let id = RequestId::new();
        assert_eq!(id.header(), id.as_str());
        assert_eq!(id.header().len(), LENGTH);
    }
}
