use super::*;
use std::future::pending;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::task::JoinHandle;

const RULES: Rules = Rules { half_open: Duration::from_secs(10), idle: None };

/// A tunnel between two in-memory pipes: (the client's end, the gateway's end, the running tunnel).
fn tunnel(capacity: usize) -> (DuplexStream, DuplexStream, JoinHandle<Outcome>) {
    tunnel_with(capacity, b"", b"", pending())
}

fn tunnel_with(
    capacity: usize,
    from_client: &'static [u8],
    from_gateway: &'static [u8],
    cut: impl Future<Output = ()> + Send + 'static,
) -> (DuplexStream, DuplexStream, JoinHandle<Outcome>) {
    let (client, near_client) = duplex(capacity);
    let (gateway, near_gateway) = duplex(capacity);
    let client_side = Side { io: near_client, early: Bytes::from_static(from_client) };
    let gateway_side = Side { io: near_gateway, early: Bytes::from_static(from_gateway) };
    (client, gateway, tokio::spawn(run(client_side, gateway_side, RULES, cut)))
}

async fn read_to_end(stream: &mut DuplexStream) -> Vec<u8> {
    let mut all = Vec::new();
    stream.read_to_end(&mut all).await.unwrap();
    all
}

#[tokio::test]
async fn passes_bytes_both_ways_and_counts_them() {
    let (mut client, mut gateway, task) = tunnel(64);
    let request = vec![7u8; 100_000];
    let answer = vec![9u8; 200_000];
    let (sent, answered) = (request.clone(), answer.clone());
    let far = tokio::spawn(async move {
        let mut got = vec![0; 100_000];
        gateway.read_exact(&mut got).await.unwrap();
        gateway.write_all(&answered).await.unwrap();
        gateway.shutdown().await.unwrap();
        assert!(read_to_end(&mut gateway).await.is_empty());
        got
    });
    client.write_all(&sent).await.unwrap();
    assert_eq!(read_to_end(&mut client).await, answer);
    client.shutdown().await.unwrap();
    assert_eq!(far.await.unwrap(), request);
    let outcome = task.await.unwrap();
    assert_eq!((outcome.bytes_in, outcome.bytes_out), (100_000, 200_000));
    assert_eq!(outcome.closed_by, Some(End::Gateway));
}

#[tokio::test]
async fn bytes_that_came_with_the_handshake_go_first() {
    let (mut client, mut gateway, _task) = tunnel_with(1024, b"early up,", b"early down,", pending());
    client.write_all(b"later up").await.unwrap();
    gateway.write_all(b"later down").await.unwrap();
    let mut up = [0; 17];
    gateway.read_exact(&mut up).await.unwrap();
    assert_eq!(&up, b"early up,later up");
    let mut down = [0; 21];
    client.read_exact(&mut down).await.unwrap();
    assert_eq!(&down, b"early down,later down");
}

#[tokio::test]
async fn one_end_may_finish_while_the_other_still_talks() {
    let (mut client, mut gateway, task) = tunnel(1024);
    client.write_all(b"last words").await.unwrap();
    client.shutdown().await.unwrap();
    assert_eq!(read_to_end(&mut gateway).await, b"last words");
    gateway.write_all(b"answer").await.unwrap();
    drop(gateway);
    assert_eq!(read_to_end(&mut client).await, b"answer");
    assert_eq!(task.await.unwrap().closed_by, Some(End::Client));
}

#[tokio::test(start_paused = true)]
async fn a_half_open_end_is_cut_only_after_silence() {
    let started = Instant::now();
    let (mut client, mut gateway, task) = tunnel(1024);
    client.shutdown().await.unwrap();
    for _ in 0..5 {
        tokio::time::sleep(Duration::from_secs(9)).await;
        gateway.write_all(b"still here").await.unwrap();
        let mut got = [0; 10];
        client.read_exact(&mut got).await.unwrap();
    }
    let outcome = task.await.unwrap();
    assert_eq!(started.elapsed().as_secs(), 55);
    assert_eq!(outcome.bytes_out, 50);
}

#[tokio::test(start_paused = true)]
async fn silence_alone_never_ends_a_tunnel() {
    let (mut client, mut gateway, _task) = tunnel(1024);
    tokio::time::sleep(Duration::from_secs(7 * 24 * 3600)).await;
    client.write_all(b"x").await.unwrap();
    let mut got = [0; 1];
    gateway.read_exact(&mut got).await.unwrap();
}

#[tokio::test]
async fn the_first_close_frame_names_who_closed() {
    let (mut client, mut gateway, task) = tunnel(1024);
    gateway.write_all(&[0x88, 6, 0x0f, 0xa1, b'b', b'y', b'e', b'!']).await.unwrap();
    let mut got = [0; 8];
    client.read_exact(&mut got).await.unwrap();
    client.write_all(&[0x88, 0x82, 0, 0, 0, 0, 0x03, 0xe8]).await.unwrap();
    drop(client);
    assert_eq!(read_to_end(&mut gateway).await.len(), 8);
    drop(gateway);
    let outcome = task.await.unwrap();
    assert_eq!(outcome.close, Some(Close { code: Some(4001), reason: "bye!".into() }));
    assert_eq!(outcome.closed_by, Some(End::Gateway));
}

#[tokio::test]
async fn a_reader_that_stops_stops_the_writer() {
    let (mut client, gateway, _task) = tunnel(1024);
    let endless = tokio::spawn(async move {
        let mut sent = 0usize;
        let block = [0u8; 1024];
        loop {
            let write = tokio::time::timeout(Duration::from_millis(200), client.write(&block)).await;
            match write {
                Ok(Ok(n)) => sent += n,
                Ok(Err(_)) | Err(_) => return sent,
            }
        }
    });
    let sent = endless.await.unwrap();
    // Two pipes of 1 KiB and one buffer.
    assert!(sent <= crate::buffers::SIZE + 2 * 1024, "{sent} bytes went nowhere");
    drop(gateway);
}

#[tokio::test]
async fn a_cut_says_goodbye_and_is_ours() {
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let (mut client, mut gateway, task) = tunnel_with(1024, b"", b"", async move { _ = stopped.await });
    client.write_all(b"x").await.unwrap();
    let mut got = [0; 1];
    gateway.read_exact(&mut got).await.unwrap();
    stop.send(()).unwrap();
    let outcome = task.await.unwrap();
    assert_eq!(outcome.closed_by, Some(End::Edge));
    assert!(read_to_end(&mut client).await.is_empty());
    assert!(read_to_end(&mut gateway).await.is_empty());
}

#[tokio::test]
async fn an_idle_tunnel_holds_no_buffer() {
    let (mut client, mut gateway, task) = tunnel(1024);
    client.write_all(b"x").await.unwrap();
    let mut got = [0; 1];
    gateway.read_exact(&mut got).await.unwrap();
    // Both directions run on this thread and have nothing to read: what they used lies in the free list.
    tokio::task::yield_now().await;
    assert_eq!(crate::buffers::kept(), 1);
    task.abort();
}
