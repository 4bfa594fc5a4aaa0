//! The client of a rehearsal.

use super::RehearsalError;
use crate::headers::X_GATEHOUSE_ERROR;
use crate::settings::{EdgeSettings, FrontProxy};
use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, Version, header};
use http_body_util::Empty;
use hyper::body::Incoming;
use hyper::client::conn::http2;
use hyper::ext::Protocol;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, SignatureScheme};
use std::fmt::Display;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// A client that stands for nobody (RFC 5737), where a front proxy would name one and this machine has no address.
const NOBODY: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
/// A masked close frame with 1000 (RFC 6455 §5.5.1); its mask is zero.
const GOODBYE: [u8; 8] = [0x88, 0x82, 0, 0, 0, 0, 0x03, 0xe8];
const CLOSE: u8 = 0x8;

/// Connects to one of our own listeners.
pub(super) async fn connect(address: SocketAddr) -> Result<TcpStream, RehearsalError> {
    let stream = TcpStream::connect(address).await;
    stream.map_err(|error| RehearsalError::NotNow(format!("{address} cannot be reached: {error}")))
}

/// The way to the gateway's first frame and back.
pub(super) async fn converse(
    stream: TcpStream,
    settings: &EdgeSettings,
    address: SocketAddr,
    from: IpAddr,
) -> Result<(), RehearsalError> {
    let config = tls_config().map_err(failed("TLS"))?;
    let connector = TlsConnector::from(Arc::new(config));
    // An address sends no name and gets the default certificate.
    let stream = connector
        .connect(ServerName::from(address.ip()), stream)
        .await
        .map_err(failed("the TLS handshake"))?;
    if stream.get_ref().1.alpn_protocol() != Some(b"h2") {
        return Err(RehearsalError::Failed("HTTP/2 was not agreed on".to_owned()));
    }
    let (mut sender, connection) = http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
        .await
        .map_err(failed("the start of HTTP/2"))?;
    let connection = tokio::spawn(connection);
    let outcome = async {
        // Its answer proves that our settings have arrived; without them nobody may use an extended CONNECT.
        let first = sender.send_request(request(settings, address, from, None)).await;
        gateway_is_there(&first.map_err(failed("the first request"))?)?;
        let opened = sender.send_request(request(settings, address, from, Some("websocket"))).await;
        let opened = opened.map_err(failed("the extended CONNECT"))?;
        gateway_is_there(&opened)?;
        if opened.status() != http::StatusCode::OK {
            return Err(RehearsalError::Failed(format!("the extended CONNECT got {}", said(&opened))));
        }
        let upgraded = hyper::upgrade::on(opened).await.map_err(failed("the tunnel"))?;
        let mut socket = TokioIo::new(upgraded);
        first_frame(&mut socket).await?;
        // Whether the goodbye arrives does not matter any more.
        let _ = socket.write_all(&GOODBYE).await;
        let _ = socket.shutdown().await;
        Ok(())
    }
    .await;
    drop(sender);
    connection.abort();
    outcome
}

/// A request for the health path, or the extended `CONNECT`.
fn request(
    settings: &EdgeSettings,
    address: SocketAddr,
    from: IpAddr,
    protocol: Option<&'static str>,
) -> Request<Empty<Bytes>> {
    let mut request = Request::new(Empty::new());
    let path = if protocol.is_some() { &settings.websocket_path } else { &settings.health_path };
    let uri = format!("https://localhost:{}{path}", address.port());
    *request.uri_mut() = uri.parse().unwrap_or_default();
    *request.version_mut() = Version::HTTP_2;
    if let Some(protocol) = protocol {
        *request.method_mut() = Method::CONNECT;
        request.extensions_mut().insert(Protocol::from_static(protocol));
        request.headers_mut().insert(header::SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
    }
    if let FrontProxy::Trusted { client_header, .. } = &settings.front
        && settings.front.trusts(from)
    {
        let client = settings.own.v4.map_or(NOBODY, IpAddr::V4).to_string();
        if let Ok(client) = HeaderValue::try_from(client) {
            request.headers_mut().insert(client_header, client);
        }
    }
    request
}

/// The edge says 502, 503 or 504 where the gateway is away; the gateway itself says 503 while it starts.
fn gateway_is_there(response: &Response<Incoming>) -> Result<(), RehearsalError> {
    let bad_upgrade =
        response.headers().get(X_GATEHOUSE_ERROR).is_some_and(|code| code == "gateway-bad-upgrade");
    match response.status().as_u16() {
        502..=504 if !bad_upgrade => {
            Err(RehearsalError::NotNow(format!("the gateway is away ({})", said(response))))
        }
        _ => Ok(()),
    }
}

fn said(response: &Response<Incoming>) -> String {
    let code = response.headers().get(X_GATEHOUSE_ERROR).and_then(|code| code.to_str().ok());
    format!("{} {}", response.status().as_u16(), code.unwrap_or("from the gateway"))
}

/// Reads the beginning of the first frame: one of a server, and not a goodbye.
async fn first_frame(socket: &mut (impl AsyncRead + Unpin)) -> Result<(), RehearsalError> {
    let mut frame = [0; 2];
    socket.read_exact(&mut frame).await.map_err(failed("the first frame"))?;
    let [first, second] = frame;
    match first & 0x0f {
        CLOSE => {
            let mut code = [0; 2];
            let _ = socket.read_exact(&mut code).await;
            let code = u16::from_be_bytes(code);
            Err(RehearsalError::NotNow(format!("the gateway closed the WebSocket with {code}")))
        }
        1 | 2 | 9 if first & 0x70 == 0 && second & 0x80 == 0 => Ok(()),
        _ => Err(RehearsalError::Failed(format!("the first frame begins with {first:02x} {second:02x}"))),
    }
}

fn failed<E: Display>(what: &'static str) -> impl Fn(E) -> RehearsalError {
    move |error| RehearsalError::Failed(format!("{what} failed: {error}"))
}

fn tls_config() -> Result<ClientConfig, rustls::Error> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(OurOwn(provider)))
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec()];
    Ok(config)
}

/// Takes whatever certificate our own listener serves: whether devices trust it is another question, and nothing secret
/// goes this way.
#[derive(Debug)]
struct OurOwn(Arc<CryptoProvider>);

impl ServerCertVerifier for OurOwn {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
