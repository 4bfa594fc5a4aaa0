//! Two hundred certificates, one after the other, under a thousand sockets and steady traffic.
//!
//! `scripts/swaps [SWAPS] [SOCKETS]` runs it. Each swap is a renewal of the local certificate by the command line; the
//! next handshake must show the new certificate, and nothing that is open may notice.

use std::time::{Duration, Instant};

use super::*;

/// What one swap took: the command, and the first handshake after it.
struct Swap {
    command: Duration,
    handshake: Duration,
}

#[tokio::test]
async fn a_thousand_sockets_and_steady_requests_live_through_two_hundred_certificates() {
    if !need::parts(&[Part::Machines, Part::OpenClaw, Part::Program]) {
        return;
    }
    let swaps = number("GATEHOUSE_SWAPS", 200);
    let sockets = number("GATEHOUSE_SOAK_SOCKETS", 1000);
    let (house, gatehouse) = open_house().await;
    let ca = gatehouse.ca().await;
    let (here, there) = (house.here.https(&ca), house.there.https(&ca));
    let tally = Arc::new(Tally::default());
    hold(&house, &gatehouse, &there, 1, sockets.min(FROM_THERE), &tally).await;
    hold(&house, &gatehouse, &here, 2, sockets.saturating_sub(FROM_THERE), &tally).await;
    traffic::steady(&there, house.here.v4, &tally);
    let opened = Instant::now();
    eventually("every socket has answered since the last one was opened", PATIENCE, async || {
        tally.all_since(opened).then_some(())
    })
    .await;
    let (alive, lost) = (tally.alive(), tally.lost.load(Ordering::SeqCst));
    println!(
        "{sockets} sockets are open: {alive} alive, {lost} lost; slowest sign of life {:?}",
        tally.slowest()
    );

    let begun = Instant::now();
    let mut seen = there.fingerprint(house.here.v4).await;
    let mut all = Vec::new();
    for number in 1..=swaps {
        let asked = Instant::now();
        let renewed = gatehouse.run(&["--json", "cert", "renew", "--yes"]).await.succeeds().json();
        let command = asked.elapsed();
        let shaken = Instant::now();
        let now = there.fingerprint(house.here.v4).await;
        all.push(Swap { command, handshake: shaken.elapsed() });
        assert_ne!(now, seen, "swap {number}: a fresh handshake shows the old certificate");
        assert!(
            renewed.to_string().contains(&now),
            "swap {number}: a fresh handshake shows another: {renewed}"
        );
        seen = now;
        if number % 20 == 0 {
            let (alive, failed) = (tally.alive(), tally.failed.load(Ordering::SeqCst));
            println!("{number} swaps after {} s: {alive} alive, {failed} failed", begun.elapsed().as_secs());
        }
    }
    let ended = Instant::now();
    eventually("every socket has answered since the last swap", PATIENCE, async || {
        tally.all_since(ended).then_some(())
    })
    .await;

    println!("slowest sign of life since: {:?}", tally.slowest());
    let reasons = tally.reasons();
    let (answered, failed) = (tally.answered.load(Ordering::SeqCst), tally.failed.load(Ordering::SeqCst));
    println!(
        "{swaps} swaps in {} s: {} of {sockets} sockets alive, {answered} requests answered, {failed} failed",
        (ended - begun).as_secs(),
        tally.alive(),
    );
    println!(
        "command: {}; next handshake: {}",
        spread(&all, |one| one.command),
        spread(&all, |one| one.handshake)
    );
    assert_eq!((tally.alive(), tally.lost.load(Ordering::SeqCst)), (sockets, 0), "sockets: {reasons:?}");
    assert_eq!(failed, 0, "requests: {reasons:?}");
    assert!(answered > swaps, "there was traffic");
}

/// Median and longest.
fn spread(all: &[Swap], of: impl Fn(&Swap) -> Duration) -> String {
    let mut times: Vec<u128> = all.iter().map(|one| of(one).as_millis()).collect();
    times.sort_unstable();
    let at = |index: usize| times.get(index).copied().unwrap_or_default();
    format!("median {} ms, longest {} ms", at(times.len() / 2), at(times.len().saturating_sub(1)))
}
