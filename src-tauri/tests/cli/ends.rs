//! How the program ends when something around it is broken.

use std::{fs::File, os::fd::OwnedFd, path::PathBuf, process::Stdio};

use gatehouse_api::Request;
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{UnixListener, UnixStream},
};

use crate::{
    core::{FakeCore, private_folder},
    run::{HANGS, end, program, run, run_line},
};

#[tokio::test(flavor = "multi_thread")]
async fn no_words_are_a_usage_error_with_the_help() {
    let folder = private_folder();
    let socket = folder.path().join("s");

    let ran = run(&socket, &[]).await;
    assert_eq!((ran.status, ran.stdout.as_str()), (2, ""));
    assert!(ran.stderr.contains("Usage: gatehouse"), "{ran:?}");

    let ran = run(&socket, &["--help"]).await;
    assert_eq!((ran.status, ran.stderr.as_str()), (0, ""));
    assert!(ran.stdout.lines().all(|line| line.chars().count() <= 80), "{}", ran.stdout);
    assert_eq!(run(&socket, &["--version"]).await.stdout, "gatehouse 0.1.0\n");
    assert_eq!(run(&socket, &["open", "--to", "moon"]).await.status, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_finder_adds_is_dropped() {
    let core = FakeCore::usual();
    assert_eq!(run(&core.path, &["-psn_0_12345", "status"]).await.status, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_version_needs_no_core() {
    let folder = private_folder();
    let ran = run_line(&folder.path().join("s"), "version").await;

    assert_eq!((ran.status, ran.stdout.as_str()), (0, "gatehouse 0.1.0\n  Running    no\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_went_away_is_no_failure() {
    for line in ["status", "status --json", "history", "completions zsh", "link --qr", "version"] {
        let core = FakeCore::usual();
        let words: Vec<_> = line.split(' ').collect();
        let child = program(&core.path, &words).stdout(closed_pipe()).spawn().unwrap();
        let ran = end(child).await;

        assert_eq!((ran.status, ran.stderr.as_str()), (0, ""), "{line}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_is_made_even_where_nobody_reads_about_it() {
    let core = FakeCore::usual();
    let mut command = program(&core.path, &["close"]);
    let status = command.stdout(closed_pipe()).stderr(closed_pipe()).spawn().unwrap().wait().await.unwrap();

    assert_eq!(status.code(), Some(0));
    assert_eq!(core.seen(), [Request::Close { purge: false }]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_whose_reader_went_away_keeps_its_status() {
    let folder = private_folder();
    let mut command = program(&folder.path().join("s"), &["status"]);
    let status = command.stdout(closed_pipe()).stderr(closed_pipe()).spawn().unwrap().wait().await.unwrap();

    assert_eq!(status.code(), Some(5));
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_under_the_result_is_a_failure() {
    let core = FakeCore::usual();
    let full = File::options().write(true).open("/dev/full").unwrap();
    let ran = end(program(&core.path, &["status"]).stdout(full).spawn().unwrap()).await;

    assert_eq!(ran.status, 1);
    assert!(ran.stderr.starts_with("Failed: the result could not be written"), "{ran:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_core_is_told_without_a_panic() {
    let answers: [&[u8]; 5] = [
        b"",
        b"\x00\xff\xfe garbage \r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello",
        b"HTTP/1.1 500 Internal Server Error\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 99999\r\n\r\n{\"protocol\":1",
    ];
    for answer in answers {
        let (socket, _folder) = canned(answer);
        let ran = run_line(&socket, "status").await;

        assert!(matches!(ran.status, 1 | 5), "{answer:?}: {ran:?}");
        assert!(ran.stdout.is_empty() && !ran.stderr.contains("panicked"), "{answer:?}: {ran:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_core_of_another_version_is_named() {
    let body = r#"{"protocol":2,"version":"3.0.0","pid":12}"#;
    let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    let (socket, _folder) = canned(Box::leak(answer.into_boxed_str()).as_bytes());

    let ran = run_line(&socket, "status").await;

    assert_eq!(ran.status, 1);
    assert!(ran.stderr.contains("Version 3.0.0 runs (process 12); this is version 0.1.0."), "{ran:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_core_that_dies_while_it_opens_is_told() {
    let core = FakeCore::start(crate::fixtures::on(), |_| None);
    let child = program(&core.path, &["open"]).spawn().unwrap();
    core.was_asked(1).await;

    core.kill();

    let ran = end(child).await;
    assert_eq!(ran.status, 5);
    assert!(ran.stderr.starts_with("Stopped: Gatehouse went away before it answered"), "{ran:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn waiting_has_an_end_where_one_was_asked_for() {
    let core = FakeCore::start(crate::fixtures::on(), |_| None);
    for line in ["status --timeout 1s", "open --timeout 1s"] {
        let ran = run_line(&core.path, line).await;
        assert_eq!(ran.status, 1, "{ran:?}");
        assert!(ran.stderr.starts_with("Failed: There was no answer in time"), "{ran:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relative_state_folder_is_refused() {
    let folder = private_folder();
    let mut command = program(&folder.path().join("s"), &["status"]);
    command.env_remove("GATEHOUSE_SOCKET").env("GATEHOUSE_HOME", "here");
    let ran = end(command.spawn().unwrap()).await;

    assert_eq!(ran.status, 2, "{ran:?}");
    assert!(ran.stderr.contains("GATEHOUSE_HOME must be an absolute path"), "{ran:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn scripts_for_shells_are_understood_by_them() {
    let folder = private_folder();
    for shell in ["bash", "zsh", "fish"] {
        let ran = run(&folder.path().join("s"), &["completions", shell]).await;
        assert_eq!(ran.status, 0);
        assert!(ran.stdout.contains("gatehouse") && ran.stdout.contains("devices"), "{shell}");
        let path = folder.path().join(shell);
        std::fs::write(&path, ran.stdout).unwrap();
        let checked =
            tokio::process::Command::new(shell).arg("-n").arg(&path).stderr(Stdio::inherit()).status().await;
        match checked {
            Ok(status) => assert!(status.success(), "{shell}"),
            Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::NotFound, "{shell}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_foreground_core_or_a_broken_home_ends_with_its_reason() {
    let folder = private_folder();
    let file = folder.path().join("file");
    File::create(&file).unwrap();
    let mut command = program(&folder.path().join("s"), &["serve"]);
    command.env("GATEHOUSE_HOME", file.join("home"));

    let ran = end(command.spawn().unwrap()).await;

    assert_ne!(ran.status, 0);
    assert!(!ran.stderr.is_empty() && !ran.stderr.contains("panicked"), "{ran:?}");
}

/// The write end of a pipe that nobody reads.
fn closed_pipe() -> Stdio {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    Stdio::from(OwnedFd::from(writer))
}

/// A socket that answers everything with the same bytes.
fn canned(answer: &'static [u8]) -> (PathBuf, TempDir) {
    let folder = private_folder();
    let path = folder.path().join("s");
    let listener = UnixListener::bind(&path).unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(tokio::time::timeout(HANGS, respond(stream, answer)));
        }
    });
    (path, folder)
}

async fn respond(mut stream: UnixStream, answer: &[u8]) {
    let mut head = [0; 4096];
    let _ = stream.read(&mut head).await;
    let _ = stream.write_all(answer).await;
}
