//! The core's side of the control socket.

use std::{
    convert::Infallible,
    fs,
    future::Future,
    io,
    os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use futures_util::stream;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited, StreamBody, combinators::UnsyncBoxBody};
use hyper::{
    Method, StatusCode,
    body::{Frame, Incoming},
    header,
    service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    net::{UnixListener, UnixStream},
    sync::{Semaphore, broadcast, watch},
    task::JoinSet,
    time::{Instant, Interval, MissedTickBehavior, interval_at, timeout},
};

use super::{ANSWER_BYTES, Answer, CoreVersion, Handler, PROTOCOL, REQUEST_BYTES, Topic, sse};
use crate::{Code, ErrorEnvelope, Event, Reply, Request};

/// Connections served at once. All are of one user: the limit is against a program gone wild.
const CONNECTIONS: usize = 128;
/// How long running calls may take to end after a stop.
const GRACE: Duration = Duration::from_secs(3);
/// How long a caller may take to send the head of a request.
const HEAD_TIME: Duration = Duration::from_secs(10);
/// How long a caller may take to send the body of a request.
const BODY_TIME: Duration = Duration::from_secs(10);
/// How often a quiet event stream says that it lives.
pub(super) const KEEP_ALIVE_EVERY: Duration = Duration::from_secs(15);

type Body = UnsyncBoxBody<Bytes, Infallible>;
type Response = hyper::Response<Body>;

/// Serves the control socket at `path` until `stop` is ready; see [`ControlSocket`].
///
/// # Errors
/// Those of [`ControlSocket::bind`].
pub async fn serve(path: &Path, handler: Arc<dyn Handler>, stop: impl Future<Output = ()>) -> io::Result<()> {
    ControlSocket::bind(path)?.serve(handler, stop).await;
    Ok(())
}

/// A control socket that is bound and not served yet.
#[derive(Debug)]
pub struct ControlSocket {
    listener: UnixListener,
    path: PathBuf,
    /// Device and inode of the socket file, so that only our own is removed.
    file: (u64, u64),
    /// The only user who is served.
    pub(super) uid: u32,
}

impl ControlSocket {
    /// Binds the socket. Whoever calls this owns the lock of the state folder: a socket that lies at `path` is
    /// stale and is replaced.
    ///
    /// # Errors
    /// The folder is open to others or cannot be made, something other than a socket is at `path`, the path is too
    /// long for a socket (103 bytes on macOS, 107 on Linux), or the system refuses.
    pub fn bind(path: &Path) -> io::Result<Self> {
        private_folder(path)?;
        remove_stale(path)?;
        let listener = UnixListener::bind(path)?;
        fs::set_permissions(path, fs::Permissions::from_mode(0o600))?;
        let meta = fs::symlink_metadata(path)?;
        let uid = rustix::process::geteuid().as_raw();
        Ok(Self { listener, path: path.to_owned(), file: (meta.dev(), meta.ino()), uid })
    }

    /// Serves until `stop` is ready. Calls that run then get a moment to end; event streams end at once. The socket
    /// file is removed at the end.
    pub async fn serve(self, handler: Arc<dyn Handler>, stop: impl Future<Output = ()>) {
        let slots = Arc::new(Semaphore::new(CONNECTIONS));
        let (stopping, stopped) = watch::channel(false);
        let mut connections = JoinSet::new();
        tokio::pin!(stop);
        loop {
            let accepted = tokio::select! {
                () = &mut stop => break,
                Some(_) = connections.join_next() => continue,
                accepted = self.accept(&slots) => accepted,
            };
            match accepted {
                Ok((stream, slot)) => {
                    let connection = connection(stream, Arc::clone(&handler), stopped.clone());
                    connections.spawn(async move {
                        connection.await;
                        drop(slot);
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "control socket: a connection could not be accepted");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }
        }
        let Self { listener, path, file, .. } = self;
        drop(listener);
        remove_own(&path, file);
        stopping.send_replace(true);
        let ended = timeout(GRACE, async { while connections.join_next().await.is_some() {} }).await;
        if ended.is_err() {
            tracing::warn!(calls = connections.len(), "control socket: cut calls that did not end in time");
        }
    }

    /// The next connection of our own user, and its slot.
    async fn accept(
        &self,
        slots: &Arc<Semaphore>,
    ) -> io::Result<(UnixStream, tokio::sync::OwnedSemaphorePermit)> {
        loop {
            let slot = Arc::clone(slots).acquire_owned().await.map_err(io::Error::other)?;
            let (stream, _) = self.listener.accept().await?;
            match stream.peer_cred() {
                Ok(peer) if peer.uid() == self.uid => return Ok((stream, slot)),
                Ok(peer) => tracing::warn!(uid = peer.uid(), "control socket: refused another user"),
                Err(error) => tracing::warn!(%error, "control socket: refused a caller without a user"),
            }
        }
    }
}

/// Makes sure that only we can look into the folder of this socket: makes it where it is missing, and refuses one that is open
/// to others, whose mode is not ours to change.
///
/// # Errors
/// It cannot be made, or is open to others.
pub fn private_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if let Err(error) = fs::DirBuilder::new().mode(0o700).create(folder)
        && error.kind() != io::ErrorKind::AlreadyExists
    {
        return Err(error);
    }
    let meta = fs::metadata(folder)?;
    let ours = meta.uid() == rustix::process::geteuid().as_raw();
    if !meta.is_dir() || !ours || meta.mode() & 0o077 != 0 {
        let why = format!("the folder {} must belong to you alone (mode 0700)", folder.display());
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, why));
    }
    Ok(())
}

fn remove_stale(path: &Path) -> io::Result<()> {
    match fs::symlink_metadata(path) {
        Ok(meta) if meta.file_type().is_socket() => fs::remove_file(path),
        Ok(_) => Err(io::Error::new(
            io::ErrorKind::AlreadyExists,
            format!("{} is in the way: it is not a socket", path.display()),
        )),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

fn remove_own(path: &Path, file: (u64, u64)) {
    let ours = fs::symlink_metadata(path).is_ok_and(|meta| (meta.dev(), meta.ino()) == file);
    if ours && let Err(error) = fs::remove_file(path) {
        tracing::warn!(%error, "control socket: the socket file stays behind");
    }
}

async fn connection(stream: UnixStream, handler: Arc<dyn Handler>, mut stopped: watch::Receiver<bool>) {
    let service = {
        let stopped = stopped.clone();
        service_fn(move |request| {
            let (handler, stopped) = (Arc::clone(&handler), stopped.clone());
            async move { Ok::<_, Infallible>(answer(request, handler, stopped).await) }
        })
    };
    let serving = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME)
        .max_buf_size(64 * 1024)
        .serve_connection(TokioIo::new(stream), service);
    tokio::pin!(serving);
    let result = tokio::select! {
        result = &mut serving => result,
        () = wait(&mut stopped) => {
            serving.as_mut().graceful_shutdown();
            serving.await
        }
    };
    if let Err(error) = result {
        tracing::debug!(%error, "control socket: a connection broke");
    }
}

/// Waits for the stop of the socket.
async fn wait(stopped: &mut watch::Receiver<bool>) {
    let _ = stopped.wait_for(|stopped| *stopped).await;
}

async fn answer(
    request: hyper::Request<Incoming>,
    handler: Arc<dyn Handler>,
    stopped: watch::Receiver<bool>,
) -> Response {
    match (request.uri().path(), request.method()) {
        ("/v1/call", &Method::POST) => call(request, handler).await,
        ("/v1/events", &Method::GET) => match topics(request.uri().query()) {
            Ok(topics) => events(handler.as_ref(), topics, stopped),
            Err(error) => refuse(StatusCode::BAD_REQUEST, error),
        },
        ("/v1/version", &Method::GET) => {
            let version = env!("CARGO_PKG_VERSION").to_owned();
            json(StatusCode::OK, &CoreVersion { protocol: PROTOCOL, version, pid: std::process::id() })
        }
        ("/v1/metrics", &Method::GET) => metrics(handler.as_ref()).await,
        ("/v1/call" | "/v1/events" | "/v1/version" | "/v1/metrics", method) => {
            let because = crate::say!("core.http.method", method = method);
            refuse(StatusCode::METHOD_NOT_ALLOWED, usage(crate::say!("core.http.bad"), because))
        }
        (path, _) => {
            let because = crate::say!("core.http.no-path", path = path);
            refuse(StatusCode::NOT_FOUND, usage(crate::say!("core.http.bad"), because))
        }
    }
}

async fn call(request: hyper::Request<Incoming>, handler: Arc<dyn Handler>) -> Response {
    // A web page can send a form to a development server that leads here, but no JSON without being asked first.
    let is_json =
        request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).is_some_and(
            |value| value.split(';').next().is_some_and(|kind| kind.trim() == "application/json"),
        );
    if !is_json {
        let error = usage(crate::say!("core.http.bad"), crate::say!("core.http.content-type"));
        return refuse(StatusCode::UNSUPPORTED_MEDIA_TYPE, error);
    }
    let body = Limited::new(request.into_body(), REQUEST_BYTES);
    let body = match timeout(BODY_TIME, body.collect()).await {
        Ok(Ok(body)) => body.to_bytes(),
        Ok(Err(error)) if error.is::<LengthLimitError>() => {
            let because = crate::say!("core.http.long", bytes = REQUEST_BYTES);
            return refuse(StatusCode::PAYLOAD_TOO_LARGE, usage(crate::say!("core.http.too-long"), because));
        }
        Ok(Err(error)) => {
            return refuse(
                StatusCode::BAD_REQUEST,
                usage(crate::say!("core.http.unread"), format!("{error}.")),
            );
        }
        Err(_) => {
            let because = crate::say!("core.http.slow", seconds = BODY_TIME.as_secs());
            return refuse(StatusCode::REQUEST_TIMEOUT, usage(crate::say!("core.http.unread"), because));
        }
    };
    let request: Request = match serde_json::from_slice(&body) {
        Ok(request) => request,
        Err(error) => {
            let because = crate::say!("core.http.unknown", error = error);
            return refuse(StatusCode::BAD_REQUEST, usage(crate::say!("core.http.bad"), because));
        }
    };
    // A task of its own: a caller that goes away stops no change halfway, and a panic is an answer.
    let answer = tokio::spawn(async move { handler.call(request).await }).await;
    match answer {
        Ok(Ok(reply)) => json(StatusCode::OK, &Answer::Ok(reply)),
        Ok(Err(error)) => json(StatusCode::OK, &Answer::Error(error)),
        Err(error) => {
            tracing::error!(%error, "control socket: a request ended with a fault");
            let because = crate::say!("core.http.fault");
            let error = ErrorEnvelope::new(Code::Failed, crate::say!("core.request.not-finished"), because);
            json(StatusCode::INTERNAL_SERVER_ERROR, &Answer::Error(error))
        }
    }
}

async fn metrics(handler: &dyn Handler) -> Response {
    match handler.call(Request::Metrics).await {
        Ok(Reply::Metrics { text }) => {
            let mut response = hyper::Response::new(Full::new(Bytes::from(text)).boxed_unsync());
            let kind = header::HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
            response.headers_mut().insert(header::CONTENT_TYPE, kind);
            response
        }
        Ok(_) => refuse(
            StatusCode::INTERNAL_SERVER_ERROR,
            usage(crate::say!("core.http.bad"), "The core has no metrics."),
        ),
        Err(error) => refuse(StatusCode::SERVICE_UNAVAILABLE, error),
    }
}

/// The topics of `?topics=snapshot,devices`; all without it.
fn topics(query: Option<&str>) -> Result<Vec<Topic>, ErrorEnvelope> {
    let Some(words) = query.unwrap_or("").split('&').find_map(|pair| pair.strip_prefix("topics=")) else {
        return Ok(Topic::ALL.to_vec());
    };
    words.split(',').filter(|word| !word.is_empty()).map(topic).collect()
}

fn topic(word: &str) -> Result<Topic, ErrorEnvelope> {
    Topic::ALL.into_iter().find(|topic| topic.word() == word).ok_or_else(|| {
        let known = Topic::ALL.map(Topic::word).join(", ");
        usage(crate::say!("core.http.bad"), crate::say!("core.http.topic", word = word, known = known))
    })
}

/// What an event stream needs to know between two events.
struct Feed {
    receiver: broadcast::Receiver<Event>,
    first: Option<Event>,
    topics: Vec<Topic>,
    alive: Interval,
    stopped: watch::Receiver<bool>,
    ended: bool,
}

fn events(handler: &dyn Handler, topics: Vec<Topic>, stopped: watch::Receiver<bool>) -> Response {
    // First subscribe, then look: so nothing falls between the snapshot and the first event.
    let receiver = handler.events();
    let first = Event::Snapshot(Box::new((*handler.snapshot()).clone()));
    let first = Topic::wants(&topics, &first).then_some(first);
    let mut alive = interval_at(Instant::now() + KEEP_ALIVE_EVERY, KEEP_ALIVE_EVERY);
    alive.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let feed = Feed { receiver, first, topics, alive, stopped, ended: false };
    let pieces = stream::unfold(feed, |mut feed| async move {
        let piece = feed.next().await?;
        Some((Ok::<_, Infallible>(Frame::data(piece)), feed))
    });
    let mut response = hyper::Response::new(StreamBody::new(pieces).boxed_unsync());
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, header::HeaderValue::from_static("text/event-stream"));
    headers.insert(header::CACHE_CONTROL, header::HeaderValue::from_static("no-store"));
    response
}

impl Feed {
    /// The next piece of the stream; `None` at its end.
    async fn next(&mut self) -> Option<Bytes> {
        if self.ended {
            return None;
        }
        if let Some(first) = self.first.take() {
            return self.piece(&first);
        }
        loop {
            let event = tokio::select! {
                event = self.receiver.recv() => match event {
                    Ok(event) => event,
                    Err(broadcast::error::RecvError::Lagged(missed)) => Event::Lagged { missed },
                    Err(broadcast::error::RecvError::Closed) => Event::Stopping,
                },
                _ = self.alive.tick() => return Some(Bytes::from_static(sse::KEEP_ALIVE)),
                () = wait(&mut self.stopped) => Event::Stopping,
            };
            if Topic::wants(&self.topics, &event) {
                return self.piece(&event);
            }
        }
    }

    fn piece(&mut self, event: &Event) -> Option<Bytes> {
        self.ended = matches!(event, Event::Stopping);
        self.alive.reset();
        match sse::encode(event) {
            Ok(bytes) => Some(bytes.into()),
            Err(error) => {
                tracing::error!(%error, "control socket: an event could not be written");
                None
            }
        }
    }
}

fn usage(title: crate::Text, because: impl Into<crate::Text>) -> ErrorEnvelope {
    ErrorEnvelope::new(Code::Usage, title, because)
}

fn refuse(status: StatusCode, error: ErrorEnvelope) -> Response {
    json(status, &Answer::Error(error))
}

fn json(status: StatusCode, value: &impl serde::Serialize) -> Response {
    let (status, bytes) = match serde_json::to_vec(value) {
        Ok(bytes) if bytes.len() <= ANSWER_BYTES => (status, bytes),
        Ok(_) | Err(_) => {
            let text = r#"{"error":{"code":"failed","title":"The answer could not be written","because":"It is too long or has no JSON."}}"#;
            (StatusCode::INTERNAL_SERVER_ERROR, text.as_bytes().to_vec())
        }
    };
    let mut response = hyper::Response::new(Full::new(Bytes::from(bytes)).boxed_unsync());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, header::HeaderValue::from_static("no-store"));
    response
}
