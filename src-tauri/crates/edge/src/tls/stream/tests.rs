use super::*;
use crate::buffers;
use rcgen::{CertificateParams, KeyPair};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio_rustls::client::TlsStream as Client;
use tokio_rustls::{TlsAcceptor, TlsConnector};

/// A client and our stream, over a pipe that holds this many bytes per direction; the tickets have to fit.
async fn pair(pipe: usize) -> (Client<DuplexStream>, TlsStream<DuplexStream>) {
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new([String::from("localhost")]).unwrap().self_signed(&key).unwrap();
    let provider = Arc::new(aws_lc_rs::default_provider());
    let server = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
        )
        .unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(certificate.der().clone()).unwrap();
    let client = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let (near, far) = duplex(pipe);
    let bound = |session: &mut ServerConnection| session.set_buffer_limit(Some(buffers::SIZE));
    let acceptor = TlsAcceptor::from(Arc::new(server));
    let connector = TlsConnector::from(Arc::new(client));
    let (client, server) = tokio::join!(
        connector.connect(ServerName::try_from("localhost").unwrap(), near),
        acceptor.accept_with(far, bound)
    );
    let (io, session) = server.unwrap().into_inner();
    (client.unwrap(), TlsStream::new(io, session))
}

fn pattern(length: usize) -> Vec<u8> {
    (0_u32..).map(|index| index.to_le_bytes()[(index % 3) as usize]).take(length).collect()
}

#[tokio::test]
async fn bytes_arrive_unchanged_in_both_directions_whatever_the_pipe_holds() {
    for pipe in [1_500, 5_000, 20_000, 1_000_000] {
        let (client, server) = pair(pipe).await;
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
    assert!(server.ahead.is_none() && !server.grown);
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
