//! A view's side of the control socket.

use std::{
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use bytes::Bytes;
use futures_util::{Stream, stream};
use http_body_util::{BodyExt, Full, Limited};
use hyper::{
    Method, Response, StatusCode,
    body::Incoming,
    client::conn::http1::{self, SendRequest},
    header,
};
use hyper_util::rt::TokioIo;
use tokio::{net::UnixStream, time::timeout};

use super::{ANSWER_BYTES, Answer, CoreVersion, PROTOCOL, Topic, server::KEEP_ALIVE_EVERY, sse::Decoder};
use crate::{Code, ErrorEnvelope, Event, Reply, Request, Text};

/// How long a core may take to say who it is and to begin a stream.
const HELLO_TIME: Duration = Duration::from_secs(5);
/// How long a stream may be silent before it counts as lost.
const SILENCE: Duration = KEEP_ALIVE_EVERY.saturating_mul(3);

/// A client of the core. Every call has a connection of its own, so that a client outlives its core.
#[derive(Debug, Clone)]
pub struct Client {
    path: PathBuf,
    core: CoreVersion,
}

impl Client {
    /// Finds the core at `path` and checks that both speak the same protocol.
    ///
    /// # Errors
    /// [`Code::NotRunning`] where nobody answers, [`Code::Permission`] where the socket belongs to another user,
    /// [`Code::Version`] where the core speaks another protocol, [`Code::Failed`] where it talks nonsense.
    pub async fn connect(path: &Path) -> Result<Self, ErrorEnvelope> {
        let body = timeout(HELLO_TIME, async {
            let response = send(path, Method::GET, "/v1/version", Bytes::new()).await?;
            if response.status() != StatusCode::OK {
                return Err(nonsense(path, crate::say!("core.socket.answered", status = response.status())));
            }
            read(path, response).await
        })
        .await
        .map_err(|_| silent(path))??;
        let core: CoreVersion = serde_json::from_slice(&body).map_err(|error| nonsense(path, error))?;
        if core.protocol != PROTOCOL {
            return Err(other_version(&core));
        }
        Ok(Self { path: path.to_owned(), core })
    }

    /// Who answered.
    #[must_use]
    pub fn core(&self) -> &CoreVersion {
        &self.core
    }

    /// Asks, and waits for the answer without a time limit: opening an address takes as long as it takes.
    ///
    /// # Errors
    /// What the core answered; or [`Code::NotRunning`] where it went away meanwhile.
    pub async fn call(&self, request: Request) -> Result<Reply, ErrorEnvelope> {
        let body = serde_json::to_vec(&request).map_err(|error| {
            ErrorEnvelope::new(Code::Failed, crate::say!("core.socket.not-written"), format!("{error}."))
        })?;
        let response = send(&self.path, Method::POST, "/v1/call", body.into()).await?;
        let body = read(&self.path, response).await?;
        match serde_json::from_slice(&body) {
            Ok(Answer::Ok(reply)) => Ok(reply),
            Ok(Answer::Error(error)) => Err(error),
            Err(_) if self.core.version != env!("CARGO_PKG_VERSION") => Err(other_version(&self.core)),
            Err(error) => Err(nonsense(&self.path, error)),
        }
    }

    /// Follows events of `topics`; the first is a snapshot, if that topic is among them.
    ///
    /// # Errors
    /// Those of [`Client::connect`].
    pub async fn events(&self, topics: &[Topic]) -> Result<Events, ErrorEnvelope> {
        let words: Vec<_> = topics.iter().map(|topic| topic.word()).collect();
        let uri = format!("/v1/events?topics={}", words.join(","));
        let response = timeout(HELLO_TIME, send(&self.path, Method::GET, &uri, Bytes::new()))
            .await
            .map_err(|_| silent(&self.path))??;
        if response.status() == StatusCode::OK {
            let (body, decoder) = (response.into_body(), Decoder::new(ANSWER_BYTES));
            return Ok(Events { body, decoder, ready: Vec::new().into_iter(), ended: None });
        }
        let body = read(&self.path, response).await?;
        match serde_json::from_slice(&body) {
            Ok(Answer::Error(error)) => Err(error),
            Ok(Answer::Ok(_)) => Err(nonsense(&self.path, crate::say!("core.socket.no-stream"))),
            Err(error) => Err(nonsense(&self.path, error)),
        }
    }
}

/// How a stream of events ended.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Ended {
    /// The core said that it stops.
    #[error("the core stopped")]
    Stopped,
    /// The connection ended without a word, or was silent for three keep-alives.
    #[error("the connection to the core was lost: {0}")]
    Lost(Text),
    /// What came is not a stream of events.
    #[error("the core's events make no sense: {0}")]
    Garbage(String),
}

/// A stream of events.
#[derive(Debug)]
pub struct Events {
    body: Incoming,
    decoder: Decoder,
    ready: std::vec::IntoIter<Event>,
    ended: Option<Ended>,
}

impl Events {
    /// The next event. After an end, the same end again.
    ///
    /// # Errors
    /// How the stream ended. [`Event::Stopping`] is an end, not an event.
    pub async fn next(&mut self) -> Result<Event, Ended> {
        loop {
            if let Some(ended) = &self.ended {
                return Err(ended.clone());
            }
            match self.ready.next() {
                Some(Event::Stopping) => self.ended = Some(Ended::Stopped),
                Some(event) => return Ok(event),
                None => self.read().await,
            }
        }
    }

    /// The same as a stream, whose last item is its end.
    pub fn into_stream(self) -> impl Stream<Item = Result<Event, Ended>> {
        stream::unfold(Some(self), |events| async move {
            let mut events = events?;
            match events.next().await {
                Ok(event) => Some((Ok(event), Some(events))),
                Err(ended) => Some((Err(ended), None)),
            }
        })
    }

    /// Waits for the next piece and takes it apart, or sets the end.
    async fn read(&mut self) {
        let frame = match timeout(SILENCE, self.body.frame()).await {
            Ok(Some(Ok(frame))) => frame,
            Ok(Some(Err(error))) => return self.end(Ended::Lost(error.to_string().into())),
            Ok(None) => return self.end(Ended::Lost(crate::say!("core.socket.ended"))),
            Err(_) => {
                return self.end(Ended::Lost(crate::say!("core.socket.silent", seconds = SILENCE.as_secs())));
            }
        };
        let Ok(data) = frame.into_data() else { return };
        match self.decoder.push(&data) {
            Ok(events) => self.ready = events.into_iter(),
            Err(error) => self.end(Ended::Garbage(error.to_string())),
        }
    }

    fn end(&mut self, ended: Ended) {
        self.ended = Some(ended);
    }
}

async fn send(
    path: &Path,
    method: Method,
    uri: &str,
    body: Bytes,
) -> Result<Response<Incoming>, ErrorEnvelope> {
    let mut sender = dial(path).await?;
    let request = hyper::Request::builder()
        .method(method)
        .uri(uri)
        .header(header::HOST, "gatehouse")
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::CONNECTION, "close")
        .body(Full::new(body))
        .map_err(|error| nonsense(path, error))?;
    sender.send_request(request).await.map_err(|error| broken(path, &error))
}

async fn dial(path: &Path) -> Result<SendRequest<Full<Bytes>>, ErrorEnvelope> {
    let stream = UnixStream::connect(path).await.map_err(|error| unreachable(path, &error))?;
    let owner = stream.peer_cred().map_err(|error| unreachable(path, &error))?.uid();
    if owner != rustix::process::geteuid().as_raw() {
        let because = crate::say!("core.socket.owner", owner = owner, place = path.display());
        return Err(ErrorEnvelope::new(Code::Permission, crate::say!("core.socket.other-user"), because)
            .fix(crate::say!("core.socket.other-user-fix")));
    }
    let (sender, connection) =
        http1::handshake(TokioIo::new(stream)).await.map_err(|error| broken(path, &error))?;
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "control socket: the connection broke");
        }
    });
    Ok(sender)
}

async fn read(path: &Path, response: Response<Incoming>) -> Result<Bytes, ErrorEnvelope> {
    match Limited::new(response.into_body(), ANSWER_BYTES).collect().await {
        Ok(body) => Ok(body.to_bytes()),
        Err(error) => match error.downcast::<hyper::Error>() {
            Ok(error) => Err(broken(path, &error)),
            Err(error) => Err(nonsense(path, error)),
        },
    }
}

fn unreachable(path: &Path, error: &io::Error) -> ErrorEnvelope {
    let place = path.display();
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => not_running(
            crate::say!("core.socket.not-running"),
            crate::say!("core.socket.nobody", place = place),
        ),
        io::ErrorKind::PermissionDenied => ErrorEnvelope::new(
            Code::Permission,
            crate::say!("core.socket.denied"),
            crate::say!("core.at-failed", place = place, error = error),
        )
        .fix(crate::say!("core.socket.denied-fix")),
        _ => ErrorEnvelope::new(
            Code::Failed,
            crate::say!("core.socket.failed"),
            crate::say!("core.at-failed", place = place, error = error),
        ),
    }
}

/// The connection broke after it was made: by its words either an end of the core, or something that is no core.
fn broken(path: &Path, error: &hyper::Error) -> ErrorEnvelope {
    if error.is_parse() {
        return nonsense(path, error);
    }
    not_running(crate::say!("core.socket.lost"), crate::say!("core.socket.lost-because"))
        .evidence(error.to_string())
}

fn not_running(title: crate::Text, because: impl Into<crate::Text>) -> ErrorEnvelope {
    ErrorEnvelope::new(Code::NotRunning, title, because)
        .fix_with(crate::say!("core.start-it"), "gatehouse serve")
}

fn silent(path: &Path) -> ErrorEnvelope {
    let because = crate::say!("core.socket.quiet", place = path.display(), seconds = HELLO_TIME.as_secs());
    ErrorEnvelope::new(Code::Failed, crate::say!("core.socket.no-answer"), because)
        .fix_with(crate::say!("core.socket.restart"), "gatehouse serve")
}

fn nonsense(path: &Path, error: impl std::fmt::Display) -> ErrorEnvelope {
    let because = crate::say!("core.socket.garbage", place = path.display());
    ErrorEnvelope::new(Code::Failed, crate::say!("core.socket.garbage-title"), because)
        .evidence(error.to_string())
}

fn other_version(core: &CoreVersion) -> ErrorEnvelope {
    let because = crate::say!(
        "core.socket.versions",
        theirs = core.version,
        pid = core.pid,
        ours = env!("CARGO_PKG_VERSION")
    );
    ErrorEnvelope::new(Code::Version, crate::say!("core.socket.updated"), because)
        .fix(crate::say!("core.socket.restart-running"))
}
