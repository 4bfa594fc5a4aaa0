//! A scripted authority: it believes everything, offers profiles and renewal information, and says what it is told to say.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use rcgen::{
    BasicConstraints, CertificateParams, CertificateSigningRequestParams, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair,
};
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::{CertificateDer, CertificateSigningRequestDer, PrivateKeyDer};
use serde_json::{Value, json};
use time::{Duration, OffsetDateTime};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// An answer that it gives once, instead of its own.
pub(crate) struct Line {
    pub(crate) path: &'static str,
    pub(crate) status: u16,
    pub(crate) retry_after: Option<String>,
    pub(crate) body: String,
}

impl Line {
    /// A problem document.
    pub(crate) fn problem(path: &'static str, status: u16, kind: &str) -> Self {
        let body =
            json!({ "type": format!("urn:ietf:params:acme:error:{kind}"), "detail": kind, "status": status });
        Self { path, status, retry_after: None, body: body.to_string() }
    }
}

struct State {
    base: String,
    issuer: Issuer<'static, KeyPair>,
    /// Answers that come before its own, each once.
    lines: VecDeque<Line>,
    /// Status, `Retry-After` and body of every answer about renewal; `None` = it offers no renewal information.
    renewal: Option<(u16, String, String)>,
    profiles: Value,
    /// What was asked for: path and payload.
    heard: Vec<(String, Value)>,
    life: Duration,
    chain: Option<String>,
}

/// The authority, running until the runtime ends.
#[derive(Clone)]
pub(crate) struct Script {
    pub(crate) directory: String,
    pub(crate) root: CertificateDer<'static>,
    state: Arc<Mutex<State>>,
}

impl Script {
    pub(crate) async fn start() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let root = params.self_signed(&key).unwrap().der().clone();
        let issuer = Issuer::new(params, key);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("https://localhost:{}", listener.local_addr().unwrap().port());
        let tls = acceptor(&issuer);
        let state = State {
            base: base.clone(),
            issuer,
            lines: VecDeque::new(),
            renewal: None,
            profiles: json!({ "classic": "", "tlsserver": "", "shortlived": "" }),
            heard: Vec::new(),
            life: Duration::days(45),
            chain: None,
        };
        let state = Arc::new(Mutex::new(state));
        let shared = state.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (tls, state) = (tls.clone(), shared.clone());
                tokio::spawn(async move {
                    let Ok(stream) = tls.accept(stream).await else { return };
                    let service = service_fn(move |request| answer(state.clone(), request));
                    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
                });
            }
        });
        Self { directory: format!("{base}/directory"), root, state }
    }

    /// Says this once, before its own answers.
    pub(crate) fn say(&self, line: Line) {
        self.state.lock().unwrap().lines.push_back(line);
    }

    /// Answers questions about renewal like this from now on.
    pub(crate) fn suggest(&self, status: u16, retry_after: &str, body: &str) {
        self.state.lock().unwrap().renewal = Some((status, retry_after.to_owned(), body.to_owned()));
    }

    /// Suggests this window.
    pub(crate) fn window(&self, start: OffsetDateTime, end: OffsetDateTime, retry_after: &str) {
        let text = |at: OffsetDateTime| {
            at.replace_nanosecond(0).unwrap().format(&time::format_description::well_known::Rfc3339).unwrap()
        };
        let body = json!({ "suggestedWindow": { "start": text(start), "end": text(end) } });
        self.suggest(200, retry_after, &body.to_string());
    }

    pub(crate) fn profiles(&self, profiles: Value) {
        self.state.lock().unwrap().profiles = profiles;
    }

    /// Issues for this long from now on.
    pub(crate) fn life(&self, life: Duration) {
        self.state.lock().unwrap().life = life;
    }

    /// The payloads of all requests to this path.
    pub(crate) fn heard(&self, path: &str) -> Vec<Value> {
        let state = self.state.lock().unwrap();
        state.heard.iter().filter(|(at, _)| at == path).map(|(_, payload)| payload.clone()).collect()
    }

    /// How many requests came to paths that begin like this.
    pub(crate) fn count(&self, path: &str) -> usize {
        self.state.lock().unwrap().heard.iter().filter(|(at, _)| at.starts_with(path)).count()
    }
}

async fn answer(
    state: Arc<Mutex<State>>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, std::convert::Infallible> {
    let path = request.uri().path().to_owned();
    let body = request.into_body().collect().await.map(|body| body.to_bytes()).unwrap_or_default();
    let mut state = state.lock().unwrap();
    let payload = payload(&body);
    state.heard.push((path.clone(), payload.clone()));
    if let Some(at) = state.lines.iter().position(|line| path.starts_with(line.path)) {
        let line = state.lines.remove(at).unwrap();
        let response = reply(line.status, line.body);
        return Ok(match line.retry_after {
            Some(wait) => with(response, "retry-after", &wait),
            None => response,
        });
    }
    Ok(state.own(&path, &payload))
}

impl State {
    fn own(&mut self, path: &str, payload: &Value) -> Response<Full<Bytes>> {
        let base = self.base.clone();
        let order = |status: &str| {
            let mut order = json!({
                "status": status, "identifiers": [], "authorizations": [], "finalize": format!("{base}/finalize"),
                "certificate": format!("{base}/cert"),
            });
            if let Some(replaces) = payload.get("replaces") {
                order["replaces"] = replaces.clone();
            }
            order.to_string()
        };
        match path {
            "/directory" => {
                let mut directory = json!({
                    "newNonce": format!("{base}/nonce"), "newAccount": format!("{base}/account"),
                    "newOrder": format!("{base}/new-order"), "revokeCert": format!("{base}/revoke"),
                    "keyChange": format!("{base}/key"), "meta": { "profiles": self.profiles },
                });
                if self.renewal.is_some() {
                    directory["renewalInfo"] = json!(format!("{base}/renewal"));
                }
                reply(200, directory.to_string())
            }
            "/nonce" => reply(200, String::new()),
            "/account" => with(
                reply(201, json!({ "status": "valid" }).to_string()),
                "location",
                &format!("{base}/acct/1"),
            ),
            "/acct/1" => reply(200, json!({ "status": "valid" }).to_string()),
            "/new-order" => with(reply(201, order("ready")), "location", &format!("{base}/order/1")),
            "/order/1" => reply(200, order(if self.chain.is_some() { "valid" } else { "ready" })),
            "/finalize" => {
                self.issue(payload);
                reply(200, order("valid"))
            }
            "/cert" => reply(200, self.chain.take().unwrap_or_default()),
            path if path.starts_with("/renewal/") => match &self.renewal {
                Some((status, wait, body)) => with(reply(*status, body.clone()), "retry-after", wait),
                None => reply(404, "{}".to_owned()),
            },
            _ => reply(404, "{}".to_owned()),
        }
    }

    fn issue(&mut self, payload: &Value) {
        let csr = URL_SAFE_NO_PAD.decode(payload["csr"].as_str().unwrap()).unwrap();
        let csr = CertificateSigningRequestDer::from(csr);
        let mut request = CertificateSigningRequestParams::from_der(&csr).unwrap();
        request.params.not_before = OffsetDateTime::now_utc() - Duration::HOUR;
        request.params.not_after = request.params.not_before + self.life;
        request.params.use_authority_key_identifier_extension = true;
        let serial = OffsetDateTime::now_utc().unix_timestamp_nanos().to_be_bytes();
        request.params.serial_number = Some(rcgen::SerialNumber::from_slice(&serial));
        self.chain = Some(request.signed_by(&self.issuer).unwrap().pem());
    }
}

fn payload(body: &[u8]) -> Value {
    let envelope: Value = serde_json::from_slice(body).unwrap_or_default();
    let encoded = envelope["payload"].as_str().unwrap_or_default();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(encoded).unwrap_or_default()).unwrap_or_default()
}

fn reply(status: u16, body: String) -> Response<Full<Bytes>> {
    let response = Response::builder().status(status).header("replay-nonce", "nonce");
    response.body(Full::new(Bytes::from(body))).unwrap()
}

fn with(mut response: Response<Full<Bytes>>, name: &'static str, value: &str) -> Response<Full<Bytes>> {
    response.headers_mut().insert(name, value.parse().unwrap());
    response
}

fn acceptor(issuer: &Issuer<'static, KeyPair>) -> TlsAcceptor {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(["localhost".to_owned()]).unwrap();
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let leaf = params.signed_by(&key, issuer).unwrap().der().clone();
    let private = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![leaf], private)
        .unwrap();
    TlsAcceptor::from(Arc::new(config))
}
