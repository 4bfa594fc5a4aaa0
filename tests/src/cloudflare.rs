//! Cloudflare's API on the authority's machine, as far as Gatehouse uses it: zones by name, and TXT records, which go on to
//! the authority's name server. What it answers is shaped as Cloudflare's documentation shows it.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use rustls::ServerConfig;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::{Value, json};
use tokio_rustls::TlsAcceptor;

use crate::Authority;

/// An address of its own on the authority's machine: a TLS client takes one address for one server.
pub(crate) const ADDRESS: Ipv4Addr = Ipv4Addr::new(192, 168, 77, 21);
const ZONE_ID: &str = "023e105f4ecef8ad9ca31a8372d0c353";

/// See the module. It answers until the test ends.
#[derive(Debug, Clone)]
pub struct Cloudflare {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    token: String,
    zone: String,
    /// Name and value by identifier.
    records: BTreeMap<String, (String, String)>,
    made: usize,
    refused: usize,
}

impl Cloudflare {
    /// One whose only user has this token, and this zone.
    pub async fn start(authority: Arc<Authority>, token: &str, zone: &str) -> Self {
        authority.machine().gain_address(ADDRESS.into());
        let address = SocketAddr::from((ADDRESS, 443));
        let listener = authority.machine().listen(address).await.expect("the port is free");
        let (token, zone) = (token.to_owned(), zone.to_owned());
        let state = State { token, zone, records: BTreeMap::new(), made: 0, refused: 0 };
        let state = Arc::new(Mutex::new(state));
        let tls = acceptor(&authority);
        let shared = Arc::clone(&state);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (tls, state, authority) = (tls.clone(), Arc::clone(&shared), Arc::clone(&authority));
                tokio::spawn(async move {
                    let Ok(stream) = tls.accept(stream).await else { return };
                    let service = service_fn(move |request| {
                        answer(Arc::clone(&state), Arc::clone(&authority), request)
                    });
                    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
                });
            }
        });
        Self { address, state }
    }

    /// Where it answers.
    #[must_use]
    pub fn url(&self) -> String {
        format!("https://{}/client/v4", self.address.ip())
    }

    /// Records that are there now, that were ever made, and requests that were refused.
    #[must_use]
    pub fn counts(&self) -> (usize, usize, usize) {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        (state.records.len(), state.made, state.refused)
    }
}

async fn answer(
    state: Arc<Mutex<State>>,
    authority: Arc<Authority>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, std::convert::Infallible> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map(|body| body.to_bytes()).unwrap_or_default();
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    let path = parts.uri.path().trim_start_matches("/client/v4").to_owned();
    let query: BTreeMap<String, String> = parts
        .uri
        .query()
        .unwrap_or_default()
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let secret = parts.headers.get("authorization").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let (reply, told) = {
        let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
        state.own(secret, parts.method.as_str(), &path, &query, &body)
    };
    if let Some((what, name, value)) = told {
        authority.tell(what, &name, &value).await;
    }
    Ok(reply)
}

/// What the name server is told: a word, a name and a value.
type Told = Option<(&'static str, String, String)>;

impl State {
    fn own(
        &mut self,
        secret: &str,
        method: &str,
        path: &str,
        query: &BTreeMap<String, String>,
        body: &Value,
    ) -> (Response<Full<Bytes>>, Told) {
        if secret != format!("Bearer {}", self.token) {
            self.refused += 1;
            return (refusal(403, 10000, "Authentication error"), None);
        }
        let records = format!("/zones/{ZONE_ID}/dns_records");
        let name = query.get("name").cloned().unwrap_or_default();
        match (method, path.strip_prefix(&records)) {
            ("GET", None) if path == "/zones" => {
                let known = (name == self.zone)
                    .then(|| json!({ "id": ZONE_ID, "name": self.zone, "status": "active" }));
                (success(json!(known.into_iter().collect::<Vec<_>>())), None)
            }
            ("GET", Some("")) => {
                let found = self.records.iter().filter(|(_, (record, _))| *record == name);
                // It shows the text of a record in quotation marks.
                let shown = |(id, (name, value)): (&String, &(String, String))| json!({ "id": id, "type": "TXT", "name": name, "content": format!("\"{value}\""), "ttl": 60 });
                (success(json!(found.map(shown).collect::<Vec<_>>())), None)
            }
            ("POST", Some("")) => {
                self.made += 1;
                let id = format!("{:032x}", self.made);
                let text = |field: &str| body[field].as_str().unwrap_or_default().to_owned();
                let (name, value) = (text("name"), text("content"));
                if body["type"] != "TXT" || !name.ends_with(&self.zone) {
                    return (refusal(400, 9005, "Content for a record is invalid"), None);
                }
                self.records.insert(id.clone(), (name.clone(), value.clone()));
                (success(json!({ "id": id, "name": name, "content": value })), Some(("set-txt", name, value)))
            }
            ("DELETE", Some(id)) => match self.records.remove(id.trim_start_matches('/')) {
                Some((name, value)) => (success(json!({ "id": id })), Some(("clear-txt", name, value))),
                None => (refusal(404, 81044, "Record does not exist."), None),
            },
            _ => (refusal(404, 7003, "Could not route to the request"), None),
        }
    }
}

fn success(result: Value) -> Response<Full<Bytes>> {
    reply(200, &json!({ "success": true, "errors": [], "messages": [], "result": result }))
}

fn refusal(status: u16, code: u32, message: &str) -> Response<Full<Bytes>> {
    let errors = json!([{ "code": code, "message": message }]);
    reply(status, &json!({ "success": false, "errors": errors, "messages": [], "result": null }))
}

fn reply(status: u16, body: &Value) -> Response<Full<Bytes>> {
    let response = Response::builder().status(status).header("content-type", "application/json");
    response.body(Full::new(Bytes::from(body.to_string()))).expect("the answer is well-formed")
}

fn acceptor(authority: &Authority) -> TlsAcceptor {
    let (chain, key) = authority.own();
    let chain: Vec<_> = CertificateDer::pem_slice_iter(chain.as_bytes())
        .collect::<Result<_, _>>()
        .expect("a certificate is PEM");
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).expect("a key is PEM");
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("the protocols fit")
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .expect("the key fits");
    TlsAcceptor::from(Arc::new(config))
}
