//! The numbers of the edge for a Prometheus on this machine.
//!
//! Guarantees: it listens on loopback only; it answers `GET /metrics` and nothing else; a web page cannot read it through
//! a name of its own (the Host must be a loopback name); few connections at a time, each with little time.

use std::convert::Infallible;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use bytes::Bytes;
use gatehouse_edge::Edge;
use gatehouse_edge::names::Authority;
use http::header::{ALLOW, CACHE_CONTROL, CONNECTION, CONTENT_TYPE, HOST, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

/// Connections at a time.
const MOST: usize = 4;
/// How long one may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// A port that is open. Dropping it closes it.
#[derive(Debug)]
pub(crate) struct MetricsPort {
    /// The port.
    pub(crate) port: u16,
    task: JoinHandle<()>,
}

impl MetricsPort {
    /// Opens the port.
    pub(crate) async fn open(port: u16, edge: Edge) -> Result<Self, (SocketAddr, io::Error)> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let listener = TcpListener::bind(address).await.map_err(|error| (address, error))?;
        Ok(Self { port, task: tokio::spawn(run(listener, edge)) })
    }
}

impl Drop for MetricsPort {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn run(listener: TcpListener, edge: Edge) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept(), if connections.len() < MOST => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(tokio::time::timeout(PATIENCE, connection(stream, edge.clone())));
                }
                Err(_) => tokio::time::sleep(Duration::from_millis(200)).await,
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn connection(stream: TcpStream, edge: Edge) {
    let service = service_fn(move |request| {
        let answer = answer(&request, || edge.metrics());
        async move { Ok::<_, Infallible>(answer) }
    });
    let served = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(PATIENCE)
        .max_buf_size(16 * 1024)
        .serve_connection(TokioIo::new(stream), service);
    if let Err(error) = served.await {
        tracing::debug!(%error, "a connection to the metrics port broke");
    }
}

fn answer<B>(request: &Request<B>, metrics: impl FnOnce() -> String) -> Response<Full<Bytes>> {
    let loopback =
        |host: &HeaderValue| Authority::parse(host.as_bytes()).is_some_and(|it| it.host.is_loopback());
    let mut hosts = request.headers().get_all(HOST).iter();
    let (status, text) = if !hosts.next().is_some_and(loopback) || hosts.next().is_some() {
        (StatusCode::MISDIRECTED_REQUEST, "Ask for 127.0.0.1.\n".to_owned())
    } else if request.uri().path() != "/metrics" {
        (StatusCode::NOT_FOUND, "There is only /metrics.\n".to_owned())
    } else if request.method() != Method::GET && request.method() != Method::HEAD {
        (StatusCode::METHOD_NOT_ALLOWED, "Only GET.\n".to_owned())
    } else {
        (StatusCode::OK, metrics())
    };
    let mut response = Response::new(Full::new(Bytes::from(text)));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    let kind = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    headers.insert(CONTENT_TYPE, kind);
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(CONNECTION, HeaderValue::from_static("close"));
    if status == StatusCode::METHOD_NOT_ALLOWED {
        headers.insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_metrics_are_served_and_only_to_this_machine() {
        for (method, target, host, status) in [
            ("GET", "/metrics", "127.0.0.1:9464", 200),
            ("GET", "/metrics", "localhost:9464", 200),
            ("GET", "/metrics", "[::1]:9464", 200),
            ("GET", "/metrics", "evil.example:9464", 421),
            ("GET", "/metrics", "", 421),
            ("GET", "/", "127.0.0.1:9464", 404),
            ("GET", "/v1/call", "127.0.0.1:9464", 404),
            ("POST", "/metrics", "127.0.0.1:9464", 405),
        ] {
            let request = Request::builder().method(method).uri(target).header(HOST, host).body(()).unwrap();
            assert_eq!(
                answer(&request, || "numbers\n".to_owned()).status(),
                status,
                "{method} {target} {host}"
            );
        }
        let without = Request::get("/metrics").body(()).unwrap();
        assert_eq!(answer(&without, String::new).status(), 421);
        let twice =
            Request::get("/metrics").header(HOST, "localhost").header(HOST, "evil.example").body(()).unwrap();
        assert_eq!(answer(&twice, String::new).status(), 421);
    }
}
