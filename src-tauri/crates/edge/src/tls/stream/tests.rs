use super::*;
use crate::buffers;
use rcgen::{CertificateParams, KeyPair};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{PrivateKeyDer, ServerName};
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, HandshakeKind, RootCertStore, ServerConfig, SupportedProtocolVersion};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream as Client;

/// A pipe that counts how often something was written to it.
struct Counted {
    pipe: DuplexStream,
    writes: Arc<AtomicUsize>,
}

impl AsyncRead for Counted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.pipe).poll_read(cx, buf)
    }
}

impl AsyncWrite for Counted {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.writes.fetch_add(1, Ordering::Relaxed);
        Pin::new(&mut self.pipe).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.pipe).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.pipe).poll_shutdown(cx)
    }
}

type Pair = (Client<DuplexStream>, Box<TlsStream<Counted>>);

/// A client and our stream, over a pipe that holds this many bytes per direction.
async fn pair(pipe: usize) -> Pair {
    pair_with(pipe, &TLS13, &configs()).await
}

fn configs() -> (Arc<ServerConfig>, RootCertStore) {
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new([String::from("localhost")]).unwrap().self_signed(&key).unwrap();
    let mut server = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
        )
        .unwrap();
    server.ticketer = aws_lc_rs::Ticketer::new().unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(certificate.der().clone()).unwrap();
    (Arc::new(server), roots)
}

fn client_config(version: &'static SupportedProtocolVersion, roots: &RootCertStore) -> Arc<ClientConfig> {
    let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_protocol_versions(&[version])
        .unwrap()
        .with_root_certificates(roots.clone())
        .with_no_client_auth();
    Arc::new(config)
}

async fn pair_with(
    pipe: usize,
    version: &'static SupportedProtocolVersion,
    (server, roots): &(Arc<ServerConfig>, RootCertStore),
) -> Pair {
    let client = client_config(version, roots);
    connect(pipe, &client, server).await
}

async fn connect(pipe: usize, client: &Arc<ClientConfig>, server: &Arc<ServerConfig>) -> Pair {
    let (near, far) = duplex(pipe);
    let far = Counted { pipe: far, writes: Arc::default() };
    let connector = TlsConnector::from(Arc::clone(client));
    let (client, server) = tokio::join!(
        connector.connect(ServerName::try_from("localhost").unwrap(), near),
        TlsStream::accept(far, Arc::clone(server), Vec::new())
    );
    (client.unwrap(), server.unwrap())
}

fn pattern(length: usize) -> Vec<u8> {
    (0_u32..).map(|index| index.to_le_bytes()[(index % 3) as usize]).take(length).collect()
}

#[tokio::test]
async fn bytes_arrive_unchanged_in_both_directions_whatever_the_pipe_holds() {
    let configs = configs();
    for (pipe, version) in
        [(1_500, &TLS13), (5_000, &TLS13), (20_000, &TLS12), (20_000, &TLS13), (1_000_000, &TLS13)]
    {
        let (client, server) = pair_with(pipe, version, &configs).await;
        let sent = pattern(700_001);
        let (mut client_read, mut client_write) = tokio::io::split(client);
        let (mut server_read, mut server_write) = tokio::io::split(server);
        let (mut up, mut down) = (Vec::new(), Vec::new());
        let write_up = async {
            client_write.write_all(&sent).await.unwrap();
            client_write.shutdown().await.unwrap();
        };
        let write_down = async {
            server_write.write_all(&sent).await.unwrap();
            server_write.shutdown().await.unwrap();
        };
        let (_, _, first, second) = tokio::join!(
            write_up,
            write_down,
            server_read.read_to_end(&mut up),
            client_read.read_to_end(&mut down)
        );
        assert_eq!((first.unwrap(), second.unwrap()), (sent.len(), sent.len()), "{pipe}");
        assert!(up == sent && down == sent, "{pipe}");
    }
}

#[tokio::test]
async fn vectored_writes_arrive_in_order() {
    let (mut client, mut server) = pair(1_000_000).await;
    let (one, two) = (pattern(70_000), pattern(10_000));
    let slices = [IoSlice::new(&one), IoSlice::new(&two)];
    let taken = server.write_vectored(&slices).await.unwrap();
    server.flush().await.unwrap();
    let all = [one.clone(), two.clone()].concat();
    let mut read = vec![0; taken];
    client.read_exact(&mut read).await.unwrap();
    assert!(taken > 0 && read == all[..taken]);
}

#[tokio::test]
async fn a_stream_that_ends_without_goodbye_is_an_error_after_its_last_byte() {
    let (mut client, mut server) = pair(1_000_000).await;
    client.write_all(b"the last words").await.unwrap();
    client.flush().await.unwrap();
    drop(client);
    let mut read = Vec::new();
    let error = server.read_to_end(&mut read).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
    assert_eq!(read, b"the last words");
}

#[tokio::test]
async fn a_goodbye_is_an_end_and_the_other_direction_goes_on() {
    let (mut client, mut server) = pair(1_000_000).await;
    client.shutdown().await.unwrap();
    assert_eq!(server.read(&mut [0; 8]).await.unwrap(), 0);
    server.write_all(b"still here").await.unwrap();
    server.shutdown().await.unwrap();
    let mut read = Vec::new();
    client.read_to_end(&mut read).await.unwrap();
    assert_eq!(read, b"still here");
}

#[tokio::test]
async fn what_is_no_record_is_an_error() {
    let (client, mut server) = pair(1_000_000).await;
    let (mut pipe, _) = client.into_inner();
    pipe.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
    let error = server.read(&mut [0; 8]).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::InvalidData);
}

#[tokio::test]
async fn an_idle_stream_holds_no_buffer() {
    let (mut client, mut server) = pair(1_000_000).await;
    client.write_all(&pattern(200_000)).await.unwrap();
    client.flush().await.unwrap();
    let mut read = vec![0; 200_000];
    server.read_exact(&mut read).await.unwrap();
    let waiting = std::future::poll_fn(|cx| {
        let mut byte = [0];
        let mut target = ReadBuf::new(&mut byte);
        Poll::Ready(Pin::new(&mut server).poll_read(cx, &mut target).is_pending())
    });
    assert!(waiting.await);
    assert!(server.plain.is_none() && server.session.holds() == 0);
}

#[tokio::test]
async fn a_reader_that_does_not_read_stops_the_writer() {
    let (_client, mut server) = pair(10_000).await;
    let chunk = pattern(100_000);
    let mut taken = 0;
    let blocked = std::future::poll_fn(|cx| {
        loop {
            match Pin::new(&mut server).poll_write(cx, &chunk) {
                Poll::Ready(count) => taken += count.unwrap(),
                Poll::Pending => return Poll::Ready(()),
            }
        }
    });
    blocked.await;
    // What the pipe holds, and what the session may queue.
    assert!(taken > 10_000 && taken < 10_000 + 2 * buffers::SIZE, "{taken}");
}

#[tokio::test]
async fn a_part_of_a_record_is_kept_and_no_buffer_with_it() {
    let (client, mut server) = pair(1_000_000).await;
    let (mut pipe, mut session) = client.into_inner();
    let mut record = Vec::new();
    std::io::Write::write_all(&mut session.writer(), b"in two parts").unwrap();
    session.write_tls(&mut record).unwrap();
    let (first, second) = record.split_at(10);
    pipe.write_all(first).await.unwrap();
    let waiting = std::future::poll_fn(|cx| {
        let mut byte = [0];
        let mut target = ReadBuf::new(&mut byte);
        Poll::Ready(Pin::new(&mut server).poll_read(cx, &mut target).is_pending())
    });
    assert!(waiting.await);
    assert_eq!(server.session.holds(), first.len());
    pipe.write_all(second).await.unwrap();
    let mut read = [0; 12];
    server.read_exact(&mut read).await.unwrap();
    assert_eq!(&read, b"in two parts");
}

#[tokio::test]
async fn tickets_leave_with_the_first_data_and_work() {
    let (server, roots) = configs();
    let config = client_config(&TLS13, &roots);
    for kind in [HandshakeKind::Full, HandshakeKind::Resumed] {
        let (mut client, mut stream) = connect(1_000_000, &config, &server).await;
        assert_eq!(stream.facts().handshake_kind(), Some(kind));
        let before = stream.io.writes.load(Ordering::Relaxed);
        stream.flush().await.unwrap();
        stream.write_all(b"hello").await.unwrap();
        stream.flush().await.unwrap();
        assert_eq!(stream.io.writes.load(Ordering::Relaxed), before + 1);
        let mut read = [0; 5];
        client.read_exact(&mut read).await.unwrap();
        assert_eq!(&read, b"hello");
    }
}

#[tokio::test]
async fn tickets_leave_with_the_goodbye_where_there_is_no_data() {
    let (mut client, mut server) = pair(1_000_000).await;
    let before = server.io.writes.load(Ordering::Relaxed);
    server.shutdown().await.unwrap();
    assert_eq!(server.io.writes.load(Ordering::Relaxed), before + 1);
    assert_eq!(client.read(&mut [0; 8]).await.unwrap(), 0);
}

#[tokio::test]
async fn a_key_update_is_answered_and_the_bytes_go_on() {
    let (mut client, mut server) = pair(1_000_000).await;
    for _ in 0..3 {
        client.get_mut().1.refresh_traffic_keys().unwrap();
        client.write_all(b"there").await.unwrap();
        client.flush().await.unwrap();
        let mut read = [0; 5];
        server.read_exact(&mut read).await.unwrap();
        assert_eq!(&read, b"there");
        server.write_all(b"and back").await.unwrap();
        let mut read = [0; 8];
        client.read_exact(&mut read).await.unwrap();
        assert_eq!(&read, b"and back");
    }
}

#[tokio::test]
async fn what_has_arrived_is_not_lost_to_a_writer() {
    let (mut client, mut server) = pair(1_000_000).await;
    let sent = pattern(60_000);
    client.write_all(&sent).await.unwrap();
    client.flush().await.unwrap();
    let mut read = vec![0; 10];
    server.read_exact(&mut read).await.unwrap();
    server.write_all(b"written in between").await.unwrap();
    let mut rest = vec![0; sent.len() - read.len()];
    server.read_exact(&mut rest).await.unwrap();
    assert!([read, rest].concat() == sent);
    let mut answer = [0; 18];
    client.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"written in between");
}

#[tokio::test]
async fn an_altered_record_is_an_error_and_the_client_is_told() {
    let (client, mut server) = pair(1_000_000).await;
    let (mut pipe, mut session) = client.into_inner();
    let mut record = Vec::new();
    std::io::Write::write_all(&mut session.writer(), b"hello").unwrap();
    session.write_tls(&mut record).unwrap();
    *record.last_mut().unwrap() ^= 1;
    pipe.write_all(&record).await.unwrap();
    let error = server.read(&mut [0; 8]).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    assert_eq!(server.write(b"x").await.unwrap_err().kind(), io::ErrorKind::BrokenPipe);
    drop(server);
    let mut told = Vec::new();
    pipe.read_to_end(&mut told).await.unwrap();
    session.read_tls(&mut told.as_slice()).unwrap();
    let alert = session.process_new_packets().unwrap_err();
    assert_eq!(alert, rustls::Error::AlertReceived(rustls::AlertDescription::BadRecordMac));
}
