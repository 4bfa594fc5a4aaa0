use super::*;

const ALL: usize = 1000;

fn client(text: &str) -> Option<IpAddr> {
    Some(text.parse().unwrap())
}

fn limits() -> Limits {
    Limits {
        requests_per_client: 2,
        websockets_per_client: 1,
        request_rate: 10,
        request_burst: 100,
        ..Limits::default()
    }
}

fn refusal(taken: Result<Share, Refused>) -> EdgeError {
    taken.unwrap_err().error
}

#[tokio::test(start_paused = true)]
async fn requests_and_websockets_have_shares_of_their_own() {
    let shares = Arc::new(Shares::default());
    let (limits, one) = (limits(), client("192.0.2.1"));
    let first = shares.take(one, false, &limits, ALL).unwrap();
    let _second = shares.take(one, false, &limits, ALL).unwrap();
    assert_eq!(refusal(shares.take(one, false, &limits, ALL)), EdgeError::RateLimited);
    let socket = shares.take(one, true, &limits, ALL).unwrap();
    assert_eq!(refusal(shares.take(one, true, &limits, ALL)), EdgeError::TooManyWebSockets);
    drop((first, socket));
    let _third = shares.take(one, false, &limits, ALL).unwrap();
    let _socket = shares.take(one, true, &limits, ALL).unwrap();
}

#[tokio::test(start_paused = true)]
async fn who_shares_a_share() {
    // (one, other, whether they are one client)
    let table = [
        ("192.0.2.1", "192.0.2.1", true),
        ("192.0.2.1", "::ffff:192.0.2.1", true),
        ("192.0.2.1", "192.0.2.2", false),
        ("2001:db8::1", "2001:db8::ffff:1", true),
        ("2001:db8::1", "2001:db8:0:1::1", false),
        ("127.0.0.1", "127.0.0.1", false),
        ("::1", "::1", false),
    ];
    let limits = Limits { requests_per_client: 1, ..limits() };
    for (one, other, same) in table {
        let shares = Arc::new(Shares::default());
        let _held = shares.take(client(one), false, &limits, ALL).unwrap();
        assert_eq!(shares.take(client(other), false, &limits, ALL).is_err(), same, "{one} and {other}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_over_its_rate_is_told_when_to_come_back() {
    let shares = Arc::new(Shares::default());
    let limits = Limits { request_rate: 2, request_burst: 3, ..limits() };
    for _ in 0..3 {
        drop(shares.take(client("192.0.2.1"), false, &limits, ALL).unwrap());
    }
    let refused = shares.take(client("192.0.2.1"), false, &limits, ALL).unwrap_err();
    let after = Duration::from_millis(500);
    assert_eq!(refused, Refused { error: EdgeError::RateLimited, after: Some(after) });
    drop(shares.take(client("192.0.2.2"), false, &limits, ALL).unwrap());
    for _ in 0..100 {
        drop(shares.take(None, false, &limits, ALL).unwrap());
    }
    tokio::time::advance(after).await;
    drop(shares.take(client("192.0.2.1"), false, &limits, ALL).unwrap());
}

#[tokio::test(start_paused = true)]
async fn all_together_never_have_more_than_there_is_room_for() {
    let shares = Arc::new(Shares::default());
    let held = shares.take(client("192.0.2.1"), false, &limits(), 1).unwrap();
    assert_eq!(refusal(shares.take(client("192.0.2.2"), false, &limits(), 1)), EdgeError::TooManyConnections);
    assert_eq!(refusal(shares.take(None, false, &limits(), 1)), EdgeError::TooManyConnections);
    drop(held);
    drop(shares.take(None, false, &limits(), 1).unwrap());
}

#[tokio::test(start_paused = true)]
async fn clients_are_forgotten_when_nothing_of_them_counts_any_more() {
    let shares = Arc::new(Shares::default());
    let limits = limits();
    let kept = || shares.held().clients.len();
    for number in 0..FORGET_FROM as u32 {
        let address = IpAddr::from(std::net::Ipv4Addr::from(number | 0x0a00_0000));
        drop(shares.take(Some(address), false, &limits, ALL).unwrap());
    }
    assert_eq!(kept(), FORGET_FROM, "their rate still counts");
    tokio::time::advance(Duration::from_secs(1)).await;
    let _share = shares.take(client("192.0.2.1"), false, &limits, ALL).unwrap();
    assert_eq!(kept(), 1);
}
