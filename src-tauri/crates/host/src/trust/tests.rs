use std::cell::RefCell;
use std::collections::VecDeque;
use std::fs;
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

use super::*;

const ONE: &str = include_str!("testdata/one.pem");
/// Of the same name, by another key.
const TWO: &str = include_str!("testdata/two.pem");
const OTHER: &str = include_str!("testdata/other.pem");

fn root_of(folder: &Path, name: &str, pem: &str) -> Root {
    let file = folder.join(format!("{name}.pem"));
    fs::write(&file, pem).unwrap();
    let der = certificates(pem.as_bytes()).remove(0).1;
    Root { name: "Gatehouse on mini, 2026-11-20".to_owned(), der, file }
}

fn wanted(root: &Root) -> Wanted {
    Wanted { root: Some(root.clone()), sample: None, prefix: "Gatehouse on mini, ".to_owned() }
}

fn sha256_of(pem: &str) -> String {
    certificates(pem.as_bytes()).remove(0).0
}

fn has(program: &str) -> bool {
    let there = Path::new(program).exists();
    assert!(there || std::env::var_os("CI").is_none(), "{program} is missing");
    there
}
mod linux;
mod macos;
