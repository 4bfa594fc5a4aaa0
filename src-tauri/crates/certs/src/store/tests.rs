use std::fs::{copy, create_dir, read_to_string, write};

use tempfile::TempDir;

use super::*;
use crate::authority::Authority;
use crate::issue::issue;
use crate::testkit::{names, now};
use crate::{Names, Permitted};

fn issued(wanted: &Names, at: OffsetDateTime) -> Issued {
    let (authority, key) = Authority::create("mini", &Permitted::private(), now()).unwrap();
    issue(&authority, &authority.unlock(&key).unwrap(), wanted, None, at).unwrap()
}

fn store() -> (TempDir, Store) {
    let folder = TempDir::new().unwrap();
    let store = Store::open(&folder.path().join("certs")).unwrap();
    (folder, store)
}

fn save(store: &Store, name: &str, later: i64) -> StoredLeaf {
    let at = now() + time::Duration::seconds(later);
    store.save_leaf(&issued(&names(&[name]), at), at).unwrap()
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn an_empty_folder_holds_nothing_and_is_private() {
    let (_folder, store) = store();
    assert!(store.best().unwrap().is_none());
    assert!(store.authority().unwrap().is_none());
    assert_eq!(mode(&store.folder), 0o700);
    assert_eq!(mode(&store.issued()), 0o700);
}

#[test]
fn a_saved_leaf_is_found_again_and_its_key_is_private() {
    let (_folder, store) = store();
    let saved = save(&store, "mini.local", 0);
    let found = Store::open(&store.folder).unwrap().best().unwrap().unwrap();
    assert_eq!((found.id, found.facts), (saved.id.clone(), saved.facts));
    assert_eq!(mode(&store.issued().join(&saved.id).join("key.pem")), 0o600);
    assert_eq!(mode(&store.issued().join(&saved.id)), 0o700);
    let meta = read_to_string(store.issued().join(&saved.id).join("meta.json")).unwrap();
    assert!(meta.contains("mini.local") && !meta.contains("PRIVATE"), "{meta}");
}

#[test]
fn a_crash_after_any_write_leaves_the_old_pair_or_the_new_one() {
    let (_folder, full) = store();
    let old = save(&full, "old.local", 0);
    let new = save(&full, "new.local", 10);
    let files = ["key.pem", "chain.pem", "meta.json"];
    for written in 0..=files.len() + 1 {
        let (_folder, store) = store();
        let copy_file = |id: &str, file: &str| {
            copy(full.issued().join(id).join(file), store.issued().join(id).join(file)).unwrap();
        };
        create_dir(store.issued().join(&old.id)).unwrap();
        files.iter().for_each(|file| copy_file(&old.id, file));
        create_dir(store.issued().join(&new.id)).unwrap();
        files.iter().take(written).for_each(|file| copy_file(&new.id, file));
        let pointer = if written > files.len() { &new.id } else { &old.id };
        write(store.current_path(), format!("{pointer}\n")).unwrap();
        // What the write that was interrupted left beside its target.
        write(store.issued().join(&new.id).join(".chain.pem.1-1.tmp"), b"half").unwrap();
        write(store.folder.join(".current.1-1.tmp"), b"0000").unwrap();

        let store = Store::open(&store.folder).unwrap();
        assert_eq!(&store.best().unwrap().unwrap().id, pointer, "after {written} writes");
        assert!(!store.folder.join(".current.1-1.tmp").exists());
    }
}

#[test]
fn a_crash_in_the_very_first_issue_leaves_nothing_or_the_whole_pair() {
    let (_folder, full) = store();
    let only = save(&full, "mini.local", 0);
    fs::remove_file(full.current_path()).unwrap();
    assert_eq!(full.best().unwrap().unwrap().id, only.id);
    fs::remove_file(full.issued().join(&only.id).join("chain.pem")).unwrap();
    assert!(full.best().unwrap().is_none());
}

#[test]
fn a_key_of_another_certificate_is_never_paired() {
    let (_folder, store) = store();
    let one = save(&store, "one.local", 0);
    let two = save(&store, "two.local", 10);
    let key = |id: &str| store.issued().join(id).join("key.pem");
    copy(key(&one.id), key(&two.id)).unwrap();
    let detail = store.load(&two.id).unwrap_err();
    assert!(detail.contains("does not belong"), "{detail}");
    assert_eq!(store.best().unwrap().unwrap().id, one.id);
}

#[test]
fn a_damaged_pointer_falls_back_to_the_newest_whole_leaf() {
    let (_folder, store) = store();
    save(&store, "old.local", 0);
    let id = save(&store, "new.local", 10).id;
    save(&store, "older.local", -10);
    for damage in ["", "../../etc", "no-such-id", "\u{0}\u{ff}"] {
        write(store.current_path(), damage).unwrap();
        assert_eq!(store.best().unwrap().unwrap().id, id, "{damage:?}");
    }
    write(store.current_path(), vec![b'x'; 300 * 1024]).unwrap();
    assert_eq!(store.best().unwrap().unwrap().id, id);
}

#[test]
fn each_kind_of_damage_says_which_file_it_is() {
    let (_folder, store) = store();
    let id = save(&store, "one.local", 0).id;
    let folder = store.issued().join(&id);
    let chain = fs::read(folder.join("chain.pem")).unwrap();
    for (file, bytes) in
        [("chain.pem", &b"rubbish"[..]), ("chain.pem", b""), ("key.pem", b""), ("key.pem", &chain)]
    {
        let before = fs::read(folder.join(file)).unwrap();
        write(folder.join(file), bytes).unwrap();
        let detail = store.load(&id).unwrap_err();
        assert!(detail.contains(file), "{file}: {detail}");
        write(folder.join(file), before).unwrap();
    }
    assert!(store.load(&id).is_ok());
}

#[test]
fn a_key_that_others_could_read_is_narrowed() {
    let (_folder, store) = store();
    let id = save(&store, "one.local", 0).id;
    let key = store.issued().join(&id).join("key.pem");
    fs::set_permissions(&key, Permissions::from_mode(0o644)).unwrap();
    assert!(store.best().unwrap().is_some());
    assert_eq!(mode(&key), 0o600);
}

#[test]
fn a_folder_that_others_could_enter_is_narrowed() {
    let (_folder, store) = store();
    fs::set_permissions(&store.folder, Permissions::from_mode(0o755)).unwrap();
    Store::open(&store.folder).unwrap();
    assert_eq!(mode(&store.folder), 0o700);
}

#[test]
fn a_failed_save_leaves_no_trace_and_the_old_leaf_current() {
    let (_folder, store) = store();
    let old = save(&store, "old.local", 0);
    fs::remove_file(store.current_path()).unwrap();
    create_dir(store.current_path()).unwrap();
    write(store.current_path().join("in-the-way"), b"").unwrap();
    let later = now() + time::Duration::seconds(10);
    let error = store.save_leaf(&issued(&names(&["new.local"]), later), later).unwrap_err();
    assert!(matches!(&error, CertError::Io { path, .. } if path == &store.current_path()), "{error}");
    assert_eq!(store.ids().unwrap(), [old.id]);
}

#[test]
fn purge_removes_everything_and_may_be_repeated() {
    let (_folder, store) = store();
    save(&store, "one.local", 0);
    store.save_authority("x").unwrap();
    store.purge().unwrap();
    store.purge().unwrap();
    assert!(store.best().unwrap().is_none() && store.authority().unwrap().is_none());
    let left: Vec<_> = fs::read_dir(&store.folder).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(left, ["issued"]);
}
