//! The real core in the foreground, without a gateway.

use std::path::Path;

use rustix::process::{Pid, Signal, kill_process};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
};

use crate::{
    core::private_folder,
    run::{HANGS, end, program, run_line},
};

#[tokio::test(flavor = "multi_thread")]
async fn a_foreground_core_answers_refuses_a_second_one_and_stops_on_a_signal() {
    let folder = private_folder();
    let socket = folder.path().join("control.sock");
    let mut child = serve(&socket).spawn().unwrap();
    let welcome = first_line(&mut child).await;

    assert_eq!(welcome, "Off only programs on this machine reach the gateway");
    let status = run_line(&socket, "status --json").await;
    // No gateway is a thing to see to, also while nothing is open.
    assert_eq!((status.status, &status.json()["actual"]["state"]), (3, &"off".into()));
    let second = end(serve(&socket).spawn().unwrap()).await;
    assert_eq!(second.status, 6, "{second:?}");
    assert!(second.stderr.contains(&child.id().unwrap().to_string()), "{second:?}");

    let watch = program(&socket, &["status", "--watch"]).spawn().unwrap();
    signal(&child, Signal::TERM);
    let ended = end(child).await;
    assert_eq!(ended.status, 0, "{ended:?}");
    assert!(!socket.exists());
    assert_eq!(end(watch).await.status, 5);
    assert_eq!(run_line(&socket, "status").await.status, 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn opening_without_a_gateway_is_told_with_its_reason() {
    let folder = private_folder();
    let socket = folder.path().join("control.sock");
    let mut child = serve(&socket).spawn().unwrap();
    first_line(&mut child).await;

    let ran = run_line(&socket, "open --to mac --port 26443 --redirect-port 0 --json").await;

    assert_eq!((ran.status, &ran.json()["error"]["code"]), (5, &"gateway-not-found".into()), "{ran:?}");
    signal(&child, Signal::INT);
    assert_eq!(end(child).await.status, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_core_that_was_killed_is_found_not_running_and_can_be_started_again() {
    let folder = private_folder();
    let socket = folder.path().join("control.sock");
    let mut child = serve(&socket).spawn().unwrap();
    first_line(&mut child).await;

    child.kill().await.unwrap();

    assert!(socket.exists());
    assert_eq!(run_line(&socket, "status").await.status, 5);
    let mut again = serve(&socket).spawn().unwrap();
    first_line(&mut again).await;
    assert_eq!(run_line(&socket, "status").await.status, 3);
    signal(&again, Signal::TERM);
    assert_eq!(end(again).await.status, 0);
}

/// The core in a home of its own, which holds no gateway.
fn serve(socket: &Path) -> Command {
    let mut command = program(socket, &["serve"]);
    command.env("OPENCLAW_GATEWAY_PORT", "26998");
    command
}

async fn first_line(child: &mut Child) -> String {
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    tokio::time::timeout(HANGS, lines.next_line()).await.unwrap().unwrap().unwrap()
}

fn signal(child: &Child, signal: Signal) {
    let pid = Pid::from_raw(i32::try_from(child.id().unwrap()).unwrap()).unwrap();
    kill_process(pid, signal).unwrap();
}
