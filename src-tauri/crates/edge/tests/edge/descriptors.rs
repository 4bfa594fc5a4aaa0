//! A process without descriptors: what is open goes on, who comes is turned away, and everything is as before afterwards.

use crate::kit::client::*;
use crate::kit::gateway::{Call, Gateway};
use crate::kit::{House, LONG, NAME, https, settings, until};
use gatehouse_edge::{Edge, EdgeOptions, LogOptions};
use rustix::process::{Resource, Rlimit, setrlimit};
use std::fs::File;
use std::process::Command;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpSocket;

/// Set in the process that has few descriptors.
const CHILD: &str = "GATEHOUSE_TEST_FEW_DESCRIPTORS";
const FEW: u64 = 256;

async fn serve(mut call: Call) {
    while let Some(head) = call.head().await {
        if head.starts_with("GET /ws ") {
            call.accept(&head).await;
            let (mut from, mut to) = call.stream.split();
            let _ = tokio::io::copy(&mut from, &mut to).await;
            return;
        }
        call.ok("hello").await;
    }
}

#[test]
fn established_sockets_and_the_log_survive_when_descriptors_run_out() {
    if std::env::var_os(CHILD).is_some() {
        setrlimit(Resource::Nofile, Rlimit { current: Some(FEW), maximum: Some(FEW) }).unwrap();
        tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap().block_on(run_out());
        return;
    }
    let name = "descriptors::established_sockets_and_the_log_survive_when_descriptors_run_out";
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture"])
        .env(CHILD, "1")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&child.stdout).into_owned() + &String::from_utf8_lossy(&child.stderr);
    assert!(child.status.success() && said.contains("1 passed"), "{said}");
}

async fn run_out() {
    let folder = tempfile::tempdir().unwrap();
    let gateway = Gateway::start(serve).await;
    let mut house = House::open(gateway.address).await;
    let options =
        EdgeOptions { log: Some(LogOptions::new(folder.path().to_owned())), ..EdgeOptions::default() };
    let edge = Edge::start(options, house.certificates.clone(), settings(gateway.address)).unwrap();
    edge.listen(&[https("127.0.0.1:0")]).await.unwrap();
    (house.address, house.edge) = (edge.listening()[0].address, edge);
    let limit = house.edge.counters().connections_limit;
    assert!(limit < FEW / 2, "{limit} connections and their gateway's side fit into {FEW} descriptors");

    let mut socket = websocket(&house).await;
    let mut kept = tls(&house, NAME, "http/1.1").await.unwrap();
    let request = format!("GET / HTTP/1.1\r\nHost: {NAME}\r\n\r\n");
    let ask = async |stream: &mut tokio_rustls::client::TlsStream<tokio::net::TcpStream>| {
        stream.write_all(request.as_bytes()).await.unwrap();
        let head = read_head(stream).await;
        stream.read_exact(&mut [0; 5]).await.unwrap();
        head
    };
    assert!(ask(&mut kept).await.starts_with("HTTP/1.1 200 "));

    // Sockets of clients that will come, then everything else is used up.
    let coming: Vec<TcpSocket> = (0..8).map(|_| TcpSocket::new_v4().unwrap()).collect();
    let mut taken = Vec::new();
    while let Ok(file) = File::open("/dev/null") {
        taken.push(file);
    }
    for socket in coming {
        let mut stream = socket.connect(house.address).await.unwrap();
        let read = tokio::time::timeout(LONG, stream.read(&mut [0; 1])).await.expect("it is left waiting");
        assert_eq!(read.unwrap_or(0), 0, "turned away at once");
    }
    let ping = frame(0x89, true, b"still there");
    assert_eq!(exchange(&mut socket, &ping, ping.len()).await, ping);
    assert!(ask(&mut kept).await.starts_with("HTTP/1.1 200 "));
    let log = folder.path().join("access.jsonl");
    drop(taken.pop());
    until(|| std::fs::read_to_string(&log).is_ok_and(|text| text.lines().count() == 2)).await;
    assert!(house.edge.metrics().contains("gatehouse_accept_errors_total"));

    drop(taken);
    let mut again = tls(&house, NAME, "http/1.1").await.unwrap();
    assert!(ask(&mut again).await.starts_with("HTTP/1.1 200 "));
    assert_eq!(exchange(&mut socket, &ping, ping.len()).await, ping);
}
