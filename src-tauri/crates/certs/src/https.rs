//! A small HTTPS client for certificate authorities and DNS providers.
//!
//! Guarantees: every request ends within its time limit, whatever the other side does; a body past the limit is an error;
//! only `https` is spoken; redirects are not followed; no connection is kept, so a change of network leaves nothing stale.

use std::sync::Arc;

use arc_swap::ArcSwap;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, Uri};
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::{CertificateDer, ServerName};
use rustls_platform_verifier::{BuilderVerifierExt, Verifier};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// Whole answers of authorities are a few kilobytes; a chain of certificates stays under 20.
const LARGEST_BODY: usize = 512 * 1024;

/// Whom to believe about the other side's own certificate.
#[derive(Debug, Clone)]
pub enum Roots {
    /// Whom this system believes.
    System,
    /// These authorities alone: for a test.
    Only(Vec<CertificateDer<'static>>),
    /// Whom this system believes, and these: for a certificate authority inside a company.
    SystemAnd(Vec<CertificateDer<'static>>),
}

/// Sends requests, each over a connection of its own.
#[derive(Clone)]
pub struct Https {
    tls: Arc<ArcSwap<TlsConnector>>,
    limit: Duration,
}

/// Why there is no answer. Nothing of the request is in the text: it may hold secrets.
#[derive(Debug, thiserror::Error)]
pub enum HttpsError {
    /// The address is none that this client speaks to.
    #[error("{0} is no https address")]
    Address(String),
    /// Name look-up, connection or TLS failed.
    #[error("{host} cannot be reached: {detail}")]
    Unreachable {
        /// Name of the other side.
        host: String,
        /// What failed.
        detail: String,
    },
    /// It did not answer in time.
    #[error("{host} did not answer within {seconds} s")]
    TooSlow {
        /// Name of the other side.
        host: String,
        /// The limit.
        seconds: u64,
    },
    /// The answer broke off, was no HTTP, or was too large.
    #[error("the answer of {host} cannot be read: {detail}")]
    Unreadable {
        /// Name of the other side.
        host: String,
        /// What was wrong.
        detail: String,
    },
}

impl Https {
    /// A client that waits at most `limit` for each answer, connection included.
    ///
    /// # Errors
    /// The system's trust cannot be read, or one of `roots` is no certificate.
    pub fn new(roots: Roots, limit: Duration) -> Result<Self, String> {
        let tls = Arc::new(ArcSwap::from_pointee(connector(roots)?));
        Ok(Self { tls, limit })
    }

    /// Believes others from now on, in all clones.
    ///
    /// # Errors
    /// As [`Self::new`]; whom it believed before it believes still.
    pub fn trust(&self, roots: Roots) -> Result<(), String> {
        self.tls.store(Arc::new(connector(roots)?));
        Ok(())
    }

    /// Sends one request and reads the whole answer.
    ///
    /// # Errors
    /// [`HttpsError`]; an answer with an error status is an answer.
    pub async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpsError> {
        let host = request.uri().host().unwrap_or_default().to_owned();
        match tokio::time::timeout(self.limit, self.exchange(request)).await {
            Ok(answer) => answer,
            Err(_) => Err(HttpsError::TooSlow { host, seconds: self.limit.as_secs() }),
        }
    }

    async fn exchange(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpsError> {
        let uri = request.uri().clone();
        let (host, port) = target(&uri).ok_or_else(|| HttpsError::Address(uri.to_string()))?;
        let unreachable = |detail: String| HttpsError::Unreachable { host: host.clone(), detail };
        let unreadable = |detail: String| HttpsError::Unreadable { host: host.clone(), detail };
        let name = ServerName::try_from(host.clone()).map_err(|error| unreachable(error.to_string()))?;
        let tcp = TcpStream::connect((host.as_str(), port))
            .await
            .map_err(|error| unreachable(error.to_string()))?;
        let tls =
            self.tls.load_full().connect(name, tcp).await.map_err(|error| unreachable(error.to_string()))?;
        let (mut sender, connection) = http1::handshake::<_, Full<Bytes>>(TokioIo::new(tls))
            .await
            .map_err(|error| unreadable(error.to_string()))?;
        let driver = tokio::spawn(connection);
        let answer = sender.send_request(origin_form(request, &host, port)).await;
        let answer = match answer {
            Ok(answer) => answer,
            Err(error) => {
                driver.abort();
                return Err(unreadable(error.to_string()));
            }
        };
        let (parts, body) = answer.into_parts();
        let body = Limited::new(body, LARGEST_BODY).collect().await;
        driver.abort();
        let body = body.map_err(|error| unreadable(error.to_string()))?.to_bytes();
        Ok(Response::from_parts(parts, body))
    }
}

impl std::fmt::Debug for Https {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Https").field("limit", &self.limit).finish_non_exhaustive()
    }
}

fn connector(roots: Roots) -> Result<TlsConnector, String> {
    let said = |error: rustls::Error| error.to_string();
    let provider = Arc::new(default_provider());
    let builder = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(said)?;
    let mut config = match roots {
        Roots::System => builder.with_platform_verifier().map_err(said)?.with_no_client_auth(),
        Roots::SystemAnd(certificates) => {
            let verifier = Verifier::new_with_extra_roots(certificates, provider).map_err(said)?;
            builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier)).with_no_client_auth()
        }
        Roots::Only(certificates) => {
            let mut store = RootCertStore::empty();
            for certificate in certificates {
                store.add(certificate).map_err(said)?;
            }
            builder.with_root_certificates(store).with_no_client_auth()
        }
    };
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsConnector::from(Arc::new(config)))
}

fn target(uri: &Uri) -> Option<(String, u16)> {
    if uri.scheme_str() != Some("https") {
        return None;
    }
    let host = uri.host()?;
    let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    Some((host.to_owned(), uri.port_u16().unwrap_or(443)))
}

/// HTTP/1.1 wants the path in the request line and the name in `Host`.
fn origin_form(request: Request<Bytes>, host: &str, port: u16) -> Request<Full<Bytes>> {
    let (mut parts, body) = request.into_parts();
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
    let shown = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
    let shown = if port == 443 { shown } else { format!("{shown}:{port}") };
    if let Ok(value) = http::HeaderValue::from_str(&shown) {
        parts.headers.insert(http::header::HOST, value);
    }
    parts.uri = path.parse().unwrap_or_else(|_| Uri::from_static("/"));
    Request::from_parts(parts, Full::new(body))
}
