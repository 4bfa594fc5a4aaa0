//! The task behind a client: connects, serves calls, connects again.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use tokio::sync::{broadcast, mpsc, oneshot, watch};
use tokio::time::{Instant as Moment, sleep, timeout, timeout_at};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use super::backoff::{Backoff, random_fraction};
use super::connect::{Failure, Socket, connect};
use super::frame::{self, Frame};
use super::{CallError, Endpoint, Hello, Link};
use crate::events::GatewayEvent;
use crate::identity::DeviceIdentity;

const SLOW: Duration = Duration::from_secs(15);
const SEND_LIMIT: Duration = Duration::from_secs(10);
/// For so long after a change of the gateway's secret or mode, old and new answers mix.
const UNSETTLED: Duration = Duration::from_secs(15);

/// A call on its way to the gateway.
pub(super) struct Call {
    pub(super) method: String,
    pub(super) params: Value,
    pub(super) answer: oneshot::Sender<Result<Value, CallError>>,
}

pub(super) struct Task {
    pub(super) endpoint: watch::Receiver<Endpoint>,
    pub(super) calls: mpsc::Receiver<Call>,
    pub(super) link: watch::Sender<Link>,
    pub(super) events: broadcast::Sender<GatewayEvent>,
    pub(super) identity: Option<Arc<DeviceIdentity>>,
}

/// Calls that wait for their answers: the method and where the answer goes, by request id.
type Waiting = HashMap<String, (String, oneshot::Sender<Result<Value, CallError>>)>;

/// Why a session ended.
enum End {
    /// Every handle is gone.
    Dropped,
    /// There is another endpoint.
    Moved,
    /// The gateway closed it.
    Closed { code: u16, reason: String },
    /// It broke or fell silent.
    Broken(String),
}

/// What came up while waiting.
enum Woken {
    Due,
    Moved,
    Dropped,
}

impl Task {
    pub(super) async fn run(mut self) {
        let mut backoff = Backoff::default();
        let mut unsettled_until: Option<Instant> = None;
        let mut as_device = false;
        loop {
            let endpoint = self.endpoint.borrow_and_update().clone();
            let identity = self.identity.clone().filter(|_| as_device);
            let attempt = tokio::select! {
                attempt = connect(&endpoint, identity.as_deref()) => attempt,
                woken = Self::interrupted(&mut self.endpoint, &mut self.calls) => match woken {
                    Woken::Dropped => return,
                    Woken::Moved | Woken::Due => continue,
                },
            };
            let wait = match attempt {
                Ok((socket, hello)) => {
                    let since = Instant::now();
                    match self.session(socket, hello).await {
                        End::Dropped => return,
                        End::Moved => {
                            backoff.reset();
                            self.link.send_replace(Link::Connecting);
                            continue;
                        }
                        end => {
                            if since.elapsed() > Duration::from_secs(1) {
                                backoff.reset();
                            }
                            self.after(end, since, &mut backoff, &mut unsettled_until)
                        }
                    }
                }
                Err(Failure::Unreachable { why }) => {
                    self.down(why);
                    backoff.next(random_fraction())
                }
                Err(Failure::Starting { retry_after }) => {
                    self.link.send_replace(Link::Starting);
                    retry_after.clamp(Duration::from_millis(100), SLOW)
                }
                Err(Failure::Refused { code, .. })
                    if !as_device && self.identity.is_some() && wants_device(&code) =>
                {
                    as_device = true;
                    Duration::ZERO
                }
                Err(Failure::Refused { code, .. })
                    if code.ends_with("_MISMATCH") && unsettled_until.is_some_and(|t| Instant::now() < t) =>
                {
                    Duration::from_secs(1)
                }
                Err(Failure::Refused { code, detail, retry_after }) => {
                    as_device = false;
                    self.link.send_replace(Link::Refused { code, detail });
                    retry_after.unwrap_or(SLOW).max(SLOW)
                }
            };
            match self.wait(wait).await {
                Woken::Due => {}
                Woken::Dropped => return,
                Woken::Moved => {
                    backoff.reset();
                    unsettled_until = None;
                    as_device = false;
                    self.link.send_replace(Link::Connecting);
                }
            }
        }
    }

    /// Serves calls and events until the connection ends. Whatever still waits for an answer then fails with `Lost`.
    async fn session(&mut self, mut socket: Socket, hello: Hello) -> End {
        let silence = hello.tick.saturating_mul(2);
        self.link.send_replace(Link::Up { hello });
        let mut waiting: Waiting = HashMap::new();
        let mut last_id = 0_u64;
        let mut heard = Moment::now();
        let end = loop {
            tokio::select! {
                received = timeout_at(heard + silence, socket.next()) => match received {
                    Err(_) => {
                        let frame = CloseFrame { code: CloseCode::from(4000), reason: "tick timeout".into() };
                        let _ = timeout(Duration::from_secs(1), socket.close(Some(frame))).await;
                        break End::Broken("the gateway fell silent".to_owned());
                    }
                    Ok(None) => break End::Broken("the gateway closed the connection".to_owned()),
                    Ok(Some(Err(error))) => break End::Broken(format!("the connection broke: {error}")),
                    Ok(Some(Ok(Message::Text(text)))) => {
                        heard = Moment::now();
                        self.received(&text, &mut waiting);
                    }
                    Ok(Some(Ok(Message::Close(close)))) => break match close {
                        Some(close) => End::Closed { code: close.code.into(), reason: close.reason.to_string() },
                        None => End::Broken("the gateway closed the connection".to_owned()),
                    },
                    Ok(Some(Ok(_))) => heard = Moment::now(),
                },
                call = self.calls.recv() => {
                    let Some(Call { method, params, answer }) = call else {
                        let _ = timeout(Duration::from_secs(1), socket.close(None)).await;
                        break End::Dropped;
                    };
                    last_id += 1;
                    let id = format!("g{last_id}");
                    let text = frame::request(&id, &method, &params);
                    if text.len() > super::connect::LARGEST_FRAME {
                        let _ = answer.send(Err(CallError::TooLarge));
                        continue;
                    }
                    waiting.retain(|_, (_, answer)| !answer.is_closed());
                    waiting.insert(id, (method, answer));
                    match timeout(SEND_LIMIT, socket.send(Message::text(text))).await {
                        Ok(Ok(())) => {}
                        Ok(Err(error)) => break End::Broken(format!("the connection broke: {error}")),
                        Err(_) => break End::Broken("the gateway stopped reading".to_owned()),
                    }
                }
                changed = self.endpoint.changed() => {
                    let _ = timeout(Duration::from_secs(1), socket.close(None)).await;
                    break if changed.is_ok() { End::Moved } else { End::Dropped };
                }
            }
        };
        if !matches!(end, End::Dropped | End::Moved) {
            self.link.send_replace(Link::Connecting);
        }
        for (_, (_, answer)) in waiting {
            let _ = answer.send(Err(CallError::Lost));
        }
        end
    }

    fn received(&self, text: &str, waiting: &mut Waiting) {
        match serde_json::from_str(text) {
            Ok(Frame::Res { id, ok, payload, error }) => {
                let Some((method, answer)) = waiting.remove(&id) else { return };
                let result =
                    if ok { Ok(payload) } else { Err(call_error(method, error.unwrap_or_default())) };
                let _ = answer.send(result);
            }
            Ok(Frame::Event { event, payload }) => {
                if let Some(event) = GatewayEvent::from_frame(event, payload) {
                    let _ = self.events.send(event);
                }
            }
            Ok(Frame::Other) => {}
            Err(error) => tracing::debug!(%error, "a frame of the gateway is not understood"),
        }
    }

    fn after(
        &self,
        end: End,
        since: Instant,
        backoff: &mut Backoff,
        unsettled_until: &mut Option<Instant>,
    ) -> Duration {
        match end {
            End::Closed { code: 4001 | 1012, .. } => {
                *unsettled_until = Some(Instant::now() + UNSETTLED);
                if since.elapsed() > Duration::from_secs(1) {
                    Duration::ZERO
                } else {
                    backoff.next(random_fraction())
                }
            }
            End::Closed { code: 1013, .. } => {
                self.link.send_replace(Link::Starting);
                Duration::from_millis(500)
            }
            End::Closed { code, reason } => {
                self.down(format!("the gateway closed the connection ({code} {reason})"));
                backoff.next(random_fraction())
            }
            End::Broken(why) => {
                self.down(why);
                backoff.next(random_fraction())
            }
            End::Dropped | End::Moved => Duration::ZERO,
        }
    }

    /// Keeps the moment since when it is down over repeated failures.
    fn down(&self, why: String) {
        self.link.send_modify(|link| {
            let since = match link {
                Link::Down { since, .. } => *since,
                Link::Connecting | Link::Starting | Link::Refused { .. } | Link::Up { .. } => Instant::now(),
            };
            *link = Link::Down { since, why };
        });
    }

    async fn wait(&mut self, duration: Duration) -> Woken {
        tokio::select! {
            () = sleep(duration) => Woken::Due,
            woken = Self::interrupted(&mut self.endpoint, &mut self.calls) => woken,
        }
    }

    /// Refuses calls until something happens that matters while there is no connection.
    async fn interrupted(
        endpoint: &mut watch::Receiver<Endpoint>,
        calls: &mut mpsc::Receiver<Call>,
    ) -> Woken {
        loop {
            tokio::select! {
                call = calls.recv() => match call {
                    Some(call) => {
                        let _ = call.answer.send(Err(CallError::NotConnected));
                    }
                    None => return Woken::Dropped,
                },
                changed = endpoint.changed() => {
                    return if changed.is_ok() { Woken::Moved } else { Woken::Dropped };
                }
            }
        }
    }
}

/// Whether the gateway lets nobody in without a device key.
fn wants_device(code: &str) -> bool {
    matches!(code, "DEVICE_IDENTITY_REQUIRED" | "NOT_PAIRED" | "AUTH_SCOPE_MISMATCH")
}

fn call_error(method: String, error: frame::RpcError) -> CallError {
    if error.code == "UNAVAILABLE" {
        CallError::Unavailable { retry_after: error.retry_after(), message: error.message }
    } else {
        CallError::Refused {
            method,
            code: error.code,
            message: error.message,
            details: Box::new(error.details),
        }
    }
}
