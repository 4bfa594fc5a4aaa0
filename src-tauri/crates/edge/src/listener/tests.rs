use super::*;
use crate::error::EdgeError;
use crate::metrics::TurnedAway;
use crate::settings::Limits;
use std::net::IpAddr;
use tokio::io::AsyncReadExt;
use tokio::sync::mpsc;

struct Taken(mpsc::UnboundedSender<(TcpStream, SocketAddr, ListenerKind)>);

impl Accept for Taken {
    fn failed(&self, _: &io::Error) {}

    fn accepted(&self, stream: TcpStream, peer: SocketAddr, kind: ListenerKind) {
        let _ = self.0.send((stream, peer, kind));
    }
}

type Accepted = mpsc::UnboundedReceiver<(TcpStream, SocketAddr, ListenerKind)>;

fn listeners() -> (Listeners, Accepted) {
    let (sender, receiver) = mpsc::unbounded_channel();
    (Listeners::new(Arc::new(Taken(sender))), receiver)
}

fn https(address: &str) -> Listener {
    Listener { address: address.parse().unwrap(), kind: ListenerKind::Https }
}

#[tokio::test]
async fn an_unchanged_listener_keeps_its_socket_and_backlog() {
    let (mut set, mut accepted) = listeners();
    set.set(&[https("127.0.0.1:0")]).await.unwrap();
    let [first] = set.list().try_into().unwrap();
    let _early = TcpStream::connect(first.address).await.unwrap();
    set.set(&[first, https("[::1]:0")]).await.unwrap();
    assert_eq!(set.list()[0], first);
    assert_eq!(set.list().len(), 2);
    assert!(accepted.recv().await.is_some());
}

#[tokio::test]
async fn ipv6_listeners_leave_the_same_ipv4_port_alone() {
    let (mut set, _accepted) = listeners();
    set.set(&[https("127.0.0.1:0")]).await.unwrap();
    let port = set.list()[0].address.port();
    set.set(&[https(&format!("127.0.0.1:{port}")), https(&format!("[::]:{port}"))]).await.unwrap();
    assert_eq!(set.list().len(), 2);
}

#[tokio::test]
async fn opens_all_new_listeners_or_none_and_names_the_one_that_failed() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let (mut set, _accepted) = listeners();
    set.set(&[https("127.0.0.1:0")]).await.unwrap();
    let before = set.list();
    let occupied = https(&taken.local_addr().unwrap().to_string());
    let error = set.set(&[https("[::1]:0"), occupied]).await.unwrap_err();
    assert_eq!(error.listener, occupied);
    assert_eq!(error.source.kind(), io::ErrorKind::AddrInUse);
    assert_eq!(set.list(), before);
    TcpStream::connect(before[0].address).await.unwrap();
}

#[tokio::test]
async fn a_closed_listener_frees_its_port() {
    let (mut set, _accepted) = listeners();
    set.set(&[https("127.0.0.1:0")]).await.unwrap();
    let address = set.list()[0].address;
    set.set(&[]).await.unwrap();
    assert!(set.list().is_empty());
    assert!(TcpStream::connect(address).await.is_err());
    std::net::TcpListener::bind(address).unwrap();
}

#[tokio::test]
async fn an_address_and_the_wildcard_of_its_port_take_turns() {
    let (mut set, _accepted) = listeners();
    set.set(&[https("127.0.0.1:0")]).await.unwrap();
    let port = set.list()[0].address.port();
    let wildcard = https(&format!("0.0.0.0:{port}"));
    set.set(&[wildcard]).await.unwrap();
    assert_eq!(set.list(), [wildcard]);
    let taken = std::net::TcpListener::bind("[::1]:0").unwrap();
    let occupied = https(&taken.local_addr().unwrap().to_string());
    let narrow = https(&format!("127.0.0.1:{port}"));
    assert!(set.set(&[narrow, occupied]).await.is_err());
    assert_eq!(set.list(), [wildcard], "what was open is open again");
}

#[tokio::test]
async fn a_change_of_kind_keeps_the_socket() {
    let (mut set, mut accepted) = listeners();
    set.set(&[https("127.0.0.1:0")]).await.unwrap();
    let address = set.list()[0].address;
    let redirect = Listener { address, kind: ListenerKind::Redirect { https_port: 8443 } };
    set.set(&[redirect]).await.unwrap();
    assert_eq!(set.list(), [redirect]);
    let mut client = TcpStream::connect(address).await.unwrap();
    let (stream, _, kind) = accepted.recv().await.unwrap();
    assert_eq!(kind, redirect.kind);
    drop(stream);
    assert_eq!(client.read(&mut [0; 1]).await.unwrap(), 0);
}

#[test]
fn a_client_over_its_share_is_refused_until_it_gives_a_place_back() {
    let admission = Arc::new(Admission::default());
    let limits = Limits { connections_per_client: 2, handshakes_per_client: 1, ..Limits::default() };
    let client: IpAddr = "192.0.2.1".parse::<IpAddr>().unwrap();
    let mut first = admission.admit(client, &limits).unwrap();
    assert_eq!(admission.admit(client, &limits).unwrap_err(), TurnedAway::Client, "one handshake at a time");
    first.handshake_done();
    let mut second = admission.admit(client, &limits).unwrap();
    second.handshake_done();
    let third = admission.admit(client, &limits).unwrap().over().unwrap();
    assert_eq!(third.error, EdgeError::TooManyConnections, "two connections");
    admission.admit("192.0.2.2".parse::<IpAddr>().unwrap(), &limits).unwrap();
    drop(first);
    admission.admit(client, &limits).unwrap();
}

#[test]
fn an_ipv6_network_is_one_client_and_loopback_is_none() {
    let admission = Arc::new(Admission::default());
    let limits = Limits { connections_per_client: 1, connections: 3, ..Limits::default() };
    let _first = admission.admit("2001:db8::1".parse::<IpAddr>().unwrap(), &limits).unwrap();
    let second = admission.admit("2001:db8::2".parse::<IpAddr>().unwrap(), &limits).unwrap();
    assert!(second.over().is_some());
    drop(second);
    let _local = admission.admit("127.0.0.1".parse::<IpAddr>().unwrap(), &limits).unwrap();
    let _again = admission.admit("::1".parse::<IpAddr>().unwrap(), &limits).unwrap();
    assert_eq!(admission.connections(), 3);
    assert_eq!(
        admission.admit("127.0.0.1".parse::<IpAddr>().unwrap(), &limits).unwrap_err(),
        TurnedAway::Total
    );
}

#[tokio::test]
async fn what_a_listener_says_about_its_connections_is_so() {
    let (mut set, mut accepted) = listeners();
    set.set(&[https("127.0.0.1:0")]).await.unwrap();
    let _client = TcpStream::connect(set.list()[0].address).await.unwrap();
    let (stream, _, _) = accepted.recv().await.unwrap();
    if !INHERITED {
        prepare(&stream);
    }
    let socket = SockRef::from(&stream);
    assert!(stream.nodelay().unwrap() && socket.keepalive().unwrap());
    assert_eq!(socket.tcp_keepalive_time().unwrap(), KEEPALIVE);
}
