//! Clients: TLS, HTTP/1.1, HTTP/2, raw WebSocket frames.

use super::{House, LONG};
use aws_lc_rs::digest;
use base64::Engine as _;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::crypto::CryptoProvider;
use rustls::{ClientConfig, RootCertStore};
use std::io;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

pub(crate) type Body = BoxBody<Bytes, io::Error>;
pub(crate) const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";

pub(crate) fn empty() -> Body {
    full("")
}

pub(crate) fn full(bytes: impl Into<Bytes>) -> Body {
    Full::new(bytes.into()).map_err(|never| match never {}).boxed()
}

pub(crate) fn get(uri: &str) -> Request<Body> {
    Request::get(uri).body(empty()).unwrap()
}

/// A TLS connection with this SNI (an address sends none) and this protocol.
pub(crate) async fn tls(house: &House, name: &str, alpn: &str) -> io::Result<TlsStream<TcpStream>> {
    tls_by(house, name, alpn, rustls::crypto::aws_lc_rs::default_provider()).await
}

/// The same for a client with this cryptography.
pub(crate) async fn tls_by(
    house: &House,
    name: &str,
    alpn: &str,
    provider: CryptoProvider,
) -> io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(house.certificates.root.clone()).unwrap();
    let mut config = ClientConfig::builder_with_provider(Arc::new(provider))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![alpn.as_bytes().to_vec()];
    let stream = TcpStream::connect(house.address).await?;
    stream.set_nodelay(true)?;
    TlsConnector::from(Arc::new(config)).connect(name.to_owned().try_into().unwrap(), stream).await
}

/// An HTTP/1.1 connection.
pub(crate) async fn h1(house: &House, name: &str) -> http1::SendRequest<Body> {
    let stream = tls(house, name, "http/1.1").await.unwrap();
    let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    sender
}

/// An HTTP/2 connection.
pub(crate) async fn h2(house: &House, name: &str) -> http2::SendRequest<Body> {
    let stream = tls(house, name, "h2").await.unwrap();
    let (sender, connection) = http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    sender
}

/// One request over HTTP/1.1 with Host [`super::NAME`], unless it has another one.
pub(crate) async fn over_h1(house: &House, mut request: Request<Body>) -> Response<Incoming> {
    request.headers_mut().entry("host").or_insert(super::NAME.parse().unwrap());
    let mut sender = h1(house, super::NAME).await;
    sender.send_request(request).await.unwrap()
}

/// One request over HTTP/2 for [`super::NAME`].
pub(crate) async fn over_h2(house: &House, request: Request<Body>) -> Response<Incoming> {
    let mut sender = h2(house, super::NAME).await;
    sender.send_request(absolute(request)).await.unwrap()
}

/// The request with `https://mini.local` before its path.
pub(crate) fn absolute(mut request: Request<Body>) -> Request<Body> {
    if request.uri().authority().is_none() {
        *request.uri_mut() = format!("https://{}{}", super::NAME, request.uri()).parse().unwrap();
    }
    request
}

pub(crate) async fn text(response: Response<Incoming>) -> String {
    let body = response.into_body().collect().await.unwrap().to_bytes();
    String::from_utf8(body.to_vec()).unwrap()
}

/// The code of an answer of the edge itself.
pub(crate) fn code(response: &Response<Incoming>) -> Option<&str> {
    response.headers().get("x-gatehouse-error").map(|code| code.to_str().unwrap())
}

/// Writes bytes on a fresh TLS connection and reads whatever comes until its end.
pub(crate) async fn raw(house: &House, bytes: &str) -> String {
    let mut stream = tls(house, super::NAME, "http/1.1").await.unwrap();
    stream.write_all(bytes.as_bytes()).await.unwrap();
    read_to_end(&mut stream).await
}

pub(crate) async fn read_to_end(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut all = Vec::new();
    let _ = tokio::time::timeout(LONG, stream.read_to_end(&mut all)).await.expect("it never ends");
    String::from_utf8_lossy(&all).into_owned()
}

/// The accept that belongs to a key, computed on its own.
pub(crate) fn accept(key: &str) -> String {
    let text = format!("{key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
    let hash = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, text.as_bytes());
    base64::engine::general_purpose::STANDARD.encode(hash)
}

/// The head of a WebSocket handshake, with these further lines.
pub(crate) fn handshake(path: &str, more: &str) -> String {
    format!(
        "GET {path} HTTP/1.1\r\nHost: {}:8443\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {KEY}\r\n{more}\r\n",
        super::NAME
    )
}

/// Reads a response head.
pub(crate) async fn read_head(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(error) => panic!("{error} after {:?}", String::from_utf8_lossy(&head)),
        }
    }
    String::from_utf8(head).unwrap()
}

/// An open WebSocket: a stream behind a checked 101.
pub(crate) async fn websocket(house: &House) -> TlsStream<TcpStream> {
    let mut stream = tls(house, super::NAME, "http/1.1").await.unwrap();
    stream.write_all(handshake("/ws", "").as_bytes()).await.unwrap();
    let head = read_head(&mut stream).await;
    assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
    assert_eq!(super::gateway::header(&head, "sec-websocket-accept"), Some(accept(KEY)));
    stream
}

/// A frame; clients mask.
pub(crate) fn frame(first: u8, masked: bool, payload: &[u8]) -> Vec<u8> {
    let bit = if masked { 0x80 } else { 0 };
    let mut out = vec![first];
    match payload.len() {
        n @ 0..=125 => out.push(bit | n as u8),
        n @ 126..=65535 => {
            out.push(bit | 126);
            out.extend((n as u16).to_be_bytes());
        }
        n => {
            out.push(bit | 127);
            out.extend((n as u64).to_be_bytes());
        }
    }
    if masked {
        let key = [0x11, 0x22, 0x33, 0x44];
        out.extend(key);
        out.extend(payload.iter().zip(key.iter().cycle()).map(|(byte, key)| byte ^ key));
    } else {
        out.extend(payload);
    }
    out
}

/// A close frame.
pub(crate) fn close(masked: bool, code: u16, reason: &str) -> Vec<u8> {
    frame(0x88, masked, &[&code.to_be_bytes(), reason.as_bytes()].concat())
}

/// Writes this and reads exactly as many bytes as expected.
pub(crate) async fn exchange<S>(stream: &mut S, send: &[u8], expect: usize) -> Vec<u8>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    stream.write_all(send).await.unwrap();
    stream.flush().await.unwrap();
    let mut got = vec![0; expect];
    tokio::time::timeout(LONG, stream.read_exact(&mut got)).await.expect("too few bytes").unwrap();
    got
}
