//! A gateway that keeps every byte and answers what can be read in one way.

use super::strict::{self, Read};
use crate::kit::client::accept;
use crate::kit::until;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::AbortHandle;

/// What came on a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Came {
    /// One request, byte for byte.
    Request(Vec<u8>),
    /// Bytes that followed a handshake.
    Tunnel(Vec<u8>),
    /// Something that can be read in more than one way.
    Doubtful(String),
}

pub(super) struct Recorder {
    pub(super) address: SocketAddr,
    state: Arc<State>,
    accepting: AbortHandle,
}

#[derive(Default)]
struct State {
    came: Mutex<Vec<Came>>,
    open: AtomicUsize,
    requests: AtomicUsize,
}

impl Recorder {
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(State::default());
        let shared = state.clone();
        let accepting = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                shared.open.fetch_add(1, Ordering::SeqCst);
                let state = shared.clone();
                tokio::spawn(async move {
                    serve(stream, &state).await;
                    state.open.fetch_sub(1, Ordering::SeqCst);
                });
            }
        });
        Self { address, state, accepting: accepting.abort_handle() }
    }

    /// What came since the last time, at least this much of it.
    pub(super) async fn take(&self, least: usize) -> Vec<Came> {
        let enough = async {
            while self.state.came.lock().unwrap().len() < least {
                tokio::time::sleep(std::time::Duration::from_millis(1)).await;
            }
        };
        let _ = tokio::time::timeout(super::PATIENCE, enough).await;
        std::mem::take(&mut *self.state.came.lock().unwrap())
    }

    /// Waits for the end of all connections; says how many complete requests came in all.
    pub(super) async fn finish(self) -> usize {
        until(|| self.state.open.load(Ordering::SeqCst) == 0).await;
        self.accepting.abort();
        self.state.requests.load(Ordering::SeqCst)
    }
}

async fn serve(mut stream: TcpStream, state: &State) {
    let mut bytes = Vec::new();
    loop {
        match strict::read(&bytes, true) {
            Read::Incomplete => match stream.read_buf(&mut bytes).await {
                // The beginning of a request whose end never came is no request.
                Ok(0) | Err(_) => return,
                Ok(_) => {}
            },
            Read::Doubtful(why) => {
                let doubt = format!("{why}\n{}", bytes.escape_ascii());
                return state.came.lock().unwrap().push(Came::Doubtful(doubt));
            }
            Read::Request { length, websocket } => {
                let request: Vec<u8> = bytes.drain(..length).collect();
                let key = websocket.then(|| {
                    crate::kit::gateway::header(&String::from_utf8_lossy(&request), "sec-websocket-key")
                });
                if !request.starts_with(b"GET /healthz ") {
                    state.requests.fetch_add(1, Ordering::SeqCst);
                    state.came.lock().unwrap().push(Came::Request(request));
                }
                if let Some(key) = key.flatten() {
                    return tunnel(stream, &key, bytes, state).await;
                }
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
            }
        }
    }
}

/// Accepts a handshake and keeps whatever comes then.
async fn tunnel(mut stream: TcpStream, key: &str, mut bytes: Vec<u8>, state: &State) {
    let answer = format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {}\r\n\r\n",
        accept(key)
    );
    let _ = stream.write_all(answer.as_bytes()).await;
    while stream.read_buf(&mut bytes).await.is_ok_and(|read| read > 0) {}
    state.came.lock().unwrap().push(Came::Tunnel(bytes));
}
