use super::*;

fn tally() -> Arc<Tally> {
    Arc::default()
}

#[tokio::test(start_paused = true)]
async fn waits_for_requests_and_cuts_websockets_after_them() {
    let tally = tally();
    let request = tally.request();
    let mut socket = tally.request();
    socket.becomes_websocket();
    let cut = tally.phase().at_least(Phase::Cut);
    let socket_task = tokio::spawn(async move {
        cut.await;
        drop(socket);
    });
    let draining = tally.phase().at_least(Phase::Draining);
    let request_task = tokio::spawn(async move {
        draining.await;
        tokio::time::sleep(Duration::from_secs(3)).await;
        drop(request);
    });
    let began = Instant::now();
    let drained = tally.drain(Duration::from_secs(10), || 0).await;
    assert_eq!(drained, Drained { finished: 1, cut: 1 });
    assert_eq!(began.elapsed(), Duration::from_secs(3));
    request_task.await.unwrap();
    socket_task.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn cuts_what_takes_longer_than_the_grace() {
    let tally = tally();
    let request = tally.request();
    let cut = tally.phase().at_least(Phase::Cut);
    let task = tokio::spawn(async move {
        cut.await;
        drop(request);
    });
    let began = Instant::now();
    let drained = tally.drain(Duration::from_secs(5), || 0).await;
    assert_eq!(drained, Drained { finished: 0, cut: 1 });
    assert_eq!(began.elapsed(), Duration::from_secs(5));
    task.await.unwrap();
}

#[tokio::test]
async fn serves_again_after_a_drain() {
    let tally = tally();
    assert_eq!(tally.drain(Duration::ZERO, || 0).await, Drained::default());
    let phase = tally.phase();
    assert_eq!(*phase.0.borrow(), Phase::Running);
}
