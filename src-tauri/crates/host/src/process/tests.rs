use super::*;

#[test]
fn we_are_alive_and_an_impossible_process_is_not() {
    assert!(is_alive(pid()));
    assert!(is_alive(1));
    assert!(!is_alive(0));
    assert!(!is_alive(u32::MAX));
    assert!(!is_alive(i32::MAX.unsigned_abs()));
}

#[test]
fn a_process_that_ended_is_not_alive() {
    let mut child = std::process::Command::new("/bin/sh").args(["-c", "exit"]).spawn().unwrap();
    let pid = child.id();
    child.wait().unwrap();
    assert!(!is_alive(pid));
}

#[test]
fn the_descriptor_limit_only_grows_and_says_what_holds() {
    let before = getrlimit(Resource::Nofile);
    let now = raise_descriptor_limit().unwrap();
    let after = getrlimit(Resource::Nofile);
    assert_eq!(after.current.unwrap_or(u64::MAX), now);
    assert!(after.current.unwrap_or(u64::MAX) >= before.current.unwrap_or(u64::MAX));
    assert_eq!(after.maximum, before.maximum);
    assert!(now >= DESCRIPTORS.min(before.maximum.unwrap_or(u64::MAX)));
    assert_eq!(raise_descriptor_limit().unwrap(), now);
}

#[test]
fn a_process_comes_from_itself_and_its_parent_and_not_from_a_stranger() {
    let mut child = std::process::Command::new("/bin/sleep").arg("30").spawn().unwrap();
    assert!(comes_from(child.id(), child.id()));
    assert!(comes_from(child.id(), pid()));
    assert!(!comes_from(pid(), child.id()));
    child.kill().unwrap();
    child.wait().unwrap();
}
