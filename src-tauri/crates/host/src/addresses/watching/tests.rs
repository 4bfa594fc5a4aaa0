use std::collections::VecDeque;
use std::sync::Mutex;

use tokio::time::{Instant, timeout};

use super::*;

const PERIOD: Duration = Duration::from_secs(3);

fn at(last: u8) -> Vec<InterfaceAddress> {
    vec![InterfaceAddress::new("en0", [192, 168, 1, last].into(), 24)]
}

/// Follows scripted looks (the last one lasts) from the address that ends in 1.
fn following(
    looks: Vec<Option<u8>>,
) -> (watch::Receiver<Arc<[InterfaceAddress]>>, tokio::task::JoinHandle<()>) {
    let (sender, receiver) = watch::channel(Arc::from(at(1)));
    let looks = Arc::new(Mutex::new(VecDeque::from(looks)));
    let look = move || {
        let mut looks = looks.lock().unwrap();
        let next = if looks.len() > 1 { looks.pop_front().flatten() } else { looks[0] };
        std::future::ready(next.map(at))
    };
    let task = tokio::spawn(async move { follow(look, Alarm::none(), PERIOD, &sender).await });
    (receiver, task)
}

#[tokio::test(start_paused = true)]
async fn a_change_is_published_once_it_is_steady() {
    let started = Instant::now();
    let (mut receiver, _task) = following(vec![Some(1), Some(2), Some(3), Some(3)]);
    receiver.changed().await.unwrap();
    assert_eq!(receiver.borrow_and_update().to_vec(), at(3));
    assert_eq!(started.elapsed(), PERIOD * 2 + STEADY * 2);
    assert!(timeout(Duration::from_secs(60), receiver.changed()).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn an_address_that_comes_back_at_once_is_no_change() {
    let (mut receiver, _task) = following(vec![Some(2), Some(1), Some(1)]);
    assert!(timeout(Duration::from_secs(60), receiver.changed()).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_failed_look_changes_nothing() {
    let (mut receiver, _task) = following(vec![None, None, Some(2), None, Some(2)]);
    receiver.changed().await.unwrap();
    assert_eq!(receiver.borrow().to_vec(), at(2));
}

#[tokio::test(start_paused = true)]
async fn addresses_that_never_settle_are_published_all_the_same() {
    let looks = (0..200).map(|n| Some(2 + n % 2)).collect();
    let (mut receiver, _task) = following(looks);
    assert!(timeout(PERIOD * 2 + STEADY * MOST_LOOKS, receiver.changed()).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn it_ends_when_nobody_listens() {
    let (receiver, task) = following(vec![Some(1)]);
    drop(receiver);
    timeout(PERIOD, task).await.unwrap().unwrap();
}
