//! HTTP/2, with extended CONNECT (RFC 8441) for WebSockets.

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Request};
use http_body_util::{BodyExt, Empty};
use hyper::client::conn::http2::{self, SendRequest};
use hyper::ext::Protocol;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::Role;

use super::{Answer, Io, Socket, joined};

/// One HTTP/2 connection.
pub struct H2 {
    requests: SendRequest<Empty<Bytes>>,
}

impl H2 {
    pub(crate) async fn over(stream: impl Io + 'static) -> Self {
        let (requests, connection) =
            http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.expect("HTTP/2 is agreed on");
        tokio::spawn(connection);
        Self { requests }
    }

    /// Sends a GET for `authority` and reads the answer.
    pub async fn get(&mut self, authority: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
        let request = request(Method::GET, authority, path, headers);
        let response = self.requests.send_request(request).await.expect("the request is answered");
        let (parts, body) = response.into_parts();
        let fields = parts.headers.iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap_or("")));
        let headers = joined(fields);
        let body = body.collect().await.expect("the answer arrives whole").to_bytes();
        Answer { status: parts.status.as_u16(), headers, body }
    }

    /// Opens a WebSocket by extended CONNECT; `None` where that is refused or not understood.
    pub async fn websocket(&mut self, authority: &str, headers: &[(&str, &str)]) -> Option<Socket> {
        let mut request = request(Method::CONNECT, authority, "/", headers);
        request.extensions_mut().insert(Protocol::from_static("websocket"));
        request.headers_mut().insert("sec-websocket-version", HeaderValue::from_static("13"));
        let response =
            self.requests.send_request(request).await.ok().filter(|answer| answer.status() == 200)?;
        let stream = TokioIo::new(hyper::upgrade::on(response).await.expect("the stream becomes a tunnel"));
        let stream: Box<dyn Io> = Box::new(stream);
        Some(Socket::new(WebSocketStream::from_raw_socket(stream, Role::Client, None).await))
    }
}

fn request(method: Method, authority: &str, path: &str, headers: &[(&str, &str)]) -> Request<Empty<Bytes>> {
    let mut request = Request::builder()
        .method(method)
        .uri(format!("https://{authority}{path}"))
        .body(Empty::new())
        .expect("the request is well-formed");
    for (name, value) in headers {
        let name = HeaderName::from_bytes(name.to_ascii_lowercase().as_bytes()).expect("a header name");
        request.headers_mut().append(name, HeaderValue::from_str(value).expect("a header value"));
    }
    request
}
