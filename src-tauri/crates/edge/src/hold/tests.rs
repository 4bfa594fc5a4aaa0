use super::*;
use tokio::net::TcpListener;

/// A port on which nothing listens (and a moment later something may).
async fn closed_port() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap()
}

async fn answer(listener: &TcpListener, status: &str) -> String {
    let (mut stream, _) = listener.accept().await.unwrap();
    let mut request = vec![0; 1024];
    let length = stream.read(&mut request).await.unwrap();
    stream.write_all(format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n").as_bytes()).await.unwrap();
    String::from_utf8_lossy(&request[..length]).into_owned()
}

#[tokio::test]
async fn all_waiters_wake_at_the_first_healthy_answer_of_one_prober() {
    let gateway = closed_port().await;
    let hold = Hold::default();
    let waiters: Vec<_> = (0..50)
        .map(|_| {
            let hold = hold.clone();
            tokio::spawn(async move { hold.wait(gateway, "/healthz", Duration::from_secs(15), 256).await })
        })
        .collect();
    while hold.inner.waiting.load(Ordering::Acquire) < 50 {
        tokio::task::yield_now().await;
    }
    assert!(hold.is_out(gateway));
    let listener = TcpListener::bind(gateway).await.unwrap();
    assert!(answer(&listener, "503 Starting").await.starts_with("GET /healthz HTTP/1.1\r\n"));
    assert!(hold.is_out(gateway), "an unhealthy answer is no recovery");
    answer(&listener, "200 OK").await;
    for waiter in waiters {
        assert_eq!(waiter.await.unwrap(), Ok(()));
    }
    assert!(!hold.is_out(gateway));
    assert_eq!(hold.inner.waiting.load(Ordering::Acquire), 0);
    let more = timeout(Duration::from_millis(100), listener.accept()).await;
    assert!(more.is_err(), "one prober, and it has finished");
}

#[tokio::test]
async fn nobody_waits_longer_than_its_limit() {
    let gateway = closed_port().await;
    let hold = Hold::default();
    let gave_up = hold.wait(gateway, "/healthz", Duration::from_millis(120), 1).await;
    assert_eq!(gave_up, Err(GaveUp::TimeOver));
}

#[tokio::test]
async fn a_full_queue_is_said_at_once() {
    let gateway = closed_port().await;
    let hold = Hold::default();
    let first = hold.clone();
    let waiting =
        tokio::spawn(async move { first.wait(gateway, "/healthz", Duration::from_secs(15), 1).await });
    while hold.inner.waiting.load(Ordering::Acquire) < 1 {
        tokio::task::yield_now().await;
    }
    assert_eq!(hold.wait(gateway, "/healthz", Duration::from_secs(15), 1).await, Err(GaveUp::QueueFull));
    waiting.abort();
}

#[tokio::test]
async fn another_gateway_address_is_another_outage() {
    let gateway = closed_port().await;
    let hold = Hold::default();
    hold.report(gateway, "/healthz");
    assert!(hold.is_out(gateway));
    let other = closed_port().await;
    assert!(!hold.is_out(other));
}
