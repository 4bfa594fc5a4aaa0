use super::*;
use tokio::net::TcpListener;

/// A port on which nothing listens (and a moment later something may). Where this machine has more than one loopback
/// address, nobody else takes it meanwhile.
async fn closed_port() -> SocketAddr {
    let address = if cfg!(target_os = "linux") { "127.0.0.77:0" } else { "127.0.0.1:0" };
    TcpListener::bind(address).await.unwrap().local_addr().unwrap()
}

fn settings(gateway: SocketAddr) -> EdgeSettings {
    EdgeSettings { ready_path: "/ready".to_owned(), ..EdgeSettings::new(gateway) }
}

/// Lets so many requests wait for the gateway to be `needed`.
async fn waiting(
    hold: &Hold,
    gateway: SocketAddr,
    needed: Stage,
    count: usize,
) -> Vec<tokio::task::JoinHandle<Result<(), GaveUp>>> {
    let before = hold.inner.waiting.load(Ordering::Acquire);
    let waiters = (0..count).map(|_| {
        let hold = hold.clone();
        tokio::spawn(async move { hold.wait(&settings(gateway), needed, Duration::from_secs(15)).await })
    });
    let waiters = waiters.collect();
    while hold.inner.waiting.load(Ordering::Acquire) < before + count {
        tokio::task::yield_now().await;
    }
    waiters
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
    let waiters = waiting(&hold, gateway, Stage::Live, 50).await;
    assert!(hold.is_out(gateway, Stage::Live));
    let listener = TcpListener::bind(gateway).await.unwrap();
    assert!(answer(&listener, "503 Starting").await.starts_with("GET /healthz HTTP/1.1\r\n"));
    assert!(hold.is_out(gateway, Stage::Live), "an unhealthy answer is no recovery");
    answer(&listener, "200 OK").await;
    assert!(answer(&listener, "404 Not Found").await.starts_with("GET /ready HTTP/1.1\r\n"));
    for waiter in waiters {
        assert_eq!(waiter.await.unwrap(), Ok(()));
    }
    assert!(!hold.is_out(gateway, Stage::Ready), "a gateway that does not know the path is ready");
    assert_eq!(hold.inner.waiting.load(Ordering::Acquire), 0);
    let more = timeout(Duration::from_millis(100), listener.accept()).await;
    assert!(more.is_err(), "one prober, and it has finished");
}

#[tokio::test]
async fn websockets_wait_until_the_gateway_calls_itself_ready() {
    let gateway = closed_port().await;
    let hold = Hold::default();
    let requests = waiting(&hold, gateway, Stage::Live, 5).await;
    let websockets = waiting(&hold, gateway, Stage::Ready, 5).await;
    let listener = TcpListener::bind(gateway).await.unwrap();
    answer(&listener, "200 OK").await;
    answer(&listener, "503 Starting").await;
    for waiter in requests {
        assert_eq!(waiter.await.unwrap(), Ok(()));
    }
    assert!(hold.is_out(gateway, Stage::Ready) && !hold.is_out(gateway, Stage::Live));
    assert!(websockets.iter().all(|waiter| !waiter.is_finished()));
    answer(&listener, "200 OK").await;
    answer(&listener, "200 OK").await;
    for waiter in websockets {
        assert_eq!(waiter.await.unwrap(), Ok(()));
    }
    assert!(!hold.is_out(gateway, Stage::Ready));
}

#[tokio::test]
async fn a_gateway_that_goes_again_while_it_starts_is_out_again() {
    let gateway = closed_port().await;
    let hold = Hold::default();
    hold.suspect(&settings(gateway));
    hold.report(&settings(gateway));
    assert!(hold.is_out(gateway, Stage::Live));
}

#[tokio::test]
async fn nobody_waits_longer_than_its_limit() {
    let gateway = closed_port().await;
    let hold = Hold::default();
    let gave_up = hold.wait(&settings(gateway), Stage::Live, Duration::from_millis(120)).await;
    assert_eq!(gave_up, Err(GaveUp::TimeOver));
}

#[tokio::test]
async fn a_full_queue_is_said_at_once() {
    let gateway = closed_port().await;
    let hold = Hold::default();
    let first = waiting(&hold, gateway, Stage::Live, 1).await;
    let mut full = settings(gateway);
    full.limits.hold_queue = 1;
    assert_eq!(hold.wait(&full, Stage::Live, Duration::from_secs(15)).await, Err(GaveUp::QueueFull));
    first.iter().for_each(tokio::task::JoinHandle::abort);
}

#[tokio::test]
async fn another_gateway_address_is_another_outage() {
    let gateway = closed_port().await;
    let hold = Hold::default();
    hold.report(&settings(gateway));
    assert!(hold.is_out(gateway, Stage::Live));
    let other = closed_port().await;
    assert!(!hold.is_out(other, Stage::Ready));
}
