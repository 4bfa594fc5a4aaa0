//! The listener of an invitation.

use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use aws_lc_rs::constant_time::verify_slices_are_equal;
use bytes::Bytes;
use gatehouse_api::say;
use gatehouse_api::words::Language;
use gatehouse_certs::{AuthorityFacts, PROFILE_TYPE};
use http::header::{
    ACCEPT_LANGUAGE, ALLOW, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HOST,
    REFERRER_POLICY, USER_AGENT, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use ipnet::IpNet;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::page;

/// Connections at a time.
const MOST: usize = 8;
/// How long a client may take for its request, and for its answer.
const PATIENCE: Duration = Duration::from_secs(10);
const ANSWERED: Duration = Duration::from_secs(30);
/// How often the clock on the wall is looked at.
const LOOK: Duration = Duration::from_secs(5);
/// Connections of one device at a time: one that is slow leaves room for another.
const MOST_OF_ONE: usize = 4;
/// Addresses that are remembered.
const REMEMBERED: usize = 16;

/// What is served, and to whom.
pub(super) struct Served {
    pub(super) authority: AuthorityFacts,
    /// The only `Host` that is answered.
    pub(super) host: String,
    pub(super) path: String,
    pub(super) networks: Vec<IpNet>,
    pub(super) own: Vec<IpAddr>,
    pub(super) seen: Arc<Mutex<Seen>>,
}

/// Who came by.
#[derive(Debug, Default)]
pub(super) struct Seen {
    pub(super) visitors: Vec<IpAddr>,
    pub(super) fetched: Vec<IpAddr>,
    /// Who has a connection now, once for each.
    open: Vec<IpAddr>,
    /// Given out, or being given out.
    profile: Claim,
    certificate: Claim,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Claim {
    #[default]
    Free,
    Taken,
    Done,
}

/// A place among the open connections, for as long as it is kept.
struct Admitted {
    peer: IpAddr,
    seen: Arc<Mutex<Seen>>,
}

impl Drop for Admitted {
    fn drop(&mut self) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(place) = seen.open.iter().position(|open| *open == self.peer) {
            seen.open.swap_remove(place);
        }
    }
}

/// In which form the authority is given out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Profile,
    Certificate,
}

enum Wanted {
    Page,
    File(Form),
}

impl Seen {
    fn claim(&mut self, form: Form) -> &mut Claim {
        match form {
            Form::Profile => &mut self.profile,
            Form::Certificate => &mut self.certificate,
        }
    }

    fn used_up(&self) -> bool {
        self.profile == Claim::Done && self.certificate == Claim::Done
    }
}

fn note(list: &mut Vec<IpAddr>, ip: IpAddr) {
    if !list.contains(&ip) && list.len() < REMEMBERED {
        list.push(ip);
    }
}

/// Serves until the time is over or both forms were given out.
pub(super) async fn run(listener: TcpListener, served: Served, open: Duration) {
    let served = Arc::new(served);
    let mut connections = JoinSet::new();
    let (over, begun) = (tokio::time::sleep(open), SystemTime::now());
    tokio::pin!(over);
    let mut looks = tokio::time::interval(LOOK);
    loop {
        tokio::select! {
            () = &mut over => break,
            // The timer stands still while the machine sleeps.
            _ = looks.tick() => if begun.elapsed().is_ok_and(|elapsed| elapsed >= open) { break },
            accepted = listener.accept(), if connections.len() < MOST => match accepted {
                Ok((stream, peer)) if served.lets_in(peer.ip()) => {
                    if let Some(place) = served.admit(peer.ip()) {
                        connections.spawn(connection(stream, place, Arc::clone(&served)));
                    }
                }
                Ok((_, peer)) => {
                    tracing::info!(peer = %peer.ip(), "a stranger asked for the certificate authority");
                }
                // Out of descriptors: those that are open will end.
                Err(_) => tokio::time::sleep(Duration::from_millis(200)).await,
            },
            Some(_) = connections.join_next() => if served.lock().used_up() { break },
        }
    }
    tracing::info!("the page of the certificate authority is closed");
}

/// One request. A form whose download broke off can be asked for again.
async fn connection(stream: TcpStream, place: Admitted, served: Arc<Served>) {
    let peer = place.peer;
    let given: Mutex<Option<Form>> = Mutex::new(None);
    let service = service_fn(|request: Request<Incoming>| {
        let (response, form) = served.answer(&request, peer);
        if form.is_some() {
            *given.lock().unwrap_or_else(PoisonError::into_inner) = form;
        }
        async move { Ok::<_, Infallible>(response) }
    });
    let serving = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(PATIENCE)
        .keep_alive(false)
        .max_buf_size(16 * 1024)
        .serve_connection(TokioIo::new(stream), service);
    let arrived = matches!(tokio::time::timeout(ANSWERED, serving).await, Ok(Ok(())));
    let given = *given.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(form) = given {
        let mut seen = served.lock();
        *seen.claim(form) = if arrived { Claim::Done } else { Claim::Free };
        if arrived {
            note(&mut seen.fetched, peer.to_canonical());
            tracing::info!(%peer, ?form, "a device got the certificate authority");
        }
    }
}

impl Served {
    fn lock(&self) -> std::sync::MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place for one more connection of this client; `None` = it has enough.
    fn admit(&self, peer: IpAddr) -> Option<Admitted> {
        let mut seen = self.lock();
        if seen.open.iter().filter(|open| **open == peer).count() >= MOST_OF_ONE {
            return None;
        }
        seen.open.push(peer);
        Some(Admitted { peer, seen: Arc::clone(&self.seen) })
    }

    /// This machine, and the networks that it is attached to.
    pub(super) fn lets_in(&self, peer: IpAddr) -> bool {
        let peer = peer.to_canonical();
        peer.is_loopback()
            || self.own.contains(&peer)
            || self.networks.iter().any(|network| network.contains(&peer))
    }

    fn answer<B>(&self, request: &Request<B>, peer: IpAddr) -> (Response<Full<Bytes>>, Option<Form>) {
        let Some(wanted) = self.wanted(request) else { return (plain(StatusCode::NOT_FOUND), None) };
        if request.method() != Method::GET {
            let mut response = plain(StatusCode::METHOD_NOT_ALLOWED);
            response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET"));
            return (response, None);
        }
        let text = |name: HeaderName| {
            request.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
        };
        let language = Language::of_accepted(text(ACCEPT_LANGUAGE));
        match wanted {
            Wanted::Page => {
                note(&mut self.lock().visitors, peer.to_canonical());
                let html =
                    page::html(&self.authority, &self.path, page::is_apple(text(USER_AGENT)), language);
                (with_type(Bytes::from(html), "text/html; charset=utf-8"), None)
            }
            Wanted::File(form) => {
                let mut seen = self.lock();
                let claim = seen.claim(form);
                if *claim != Claim::Free {
                    return (plain(StatusCode::GONE), None);
                }
                *claim = Claim::Taken;
                (self.file(form, language), Some(form))
            }
        }
    }

    /// Only the right name and the right path are answered, in a time that tells nothing about the path.
    fn wanted<B>(&self, request: &Request<B>) -> Option<Wanted> {
        let mut hosts = request.headers().get_all(HOST).iter();
        let host = hosts.next().filter(|_| hosts.next().is_none())?.to_str().ok()?;
        // In absolute form the target names a host, too.
        let target = request.uri().authority().map_or(host, |authority| authority.as_str());
        if ![host, target].iter().all(|name| name.eq_ignore_ascii_case(&self.host)) {
            return None;
        }
        let path = request.uri().path();
        let (start, end) = path.split_at_checked(self.path.len())?;
        verify_slices_are_equal(start.as_bytes(), self.path.as_bytes()).ok()?;
        match end {
            "" | "/" => Some(Wanted::Page),
            page::PROFILE => Some(Wanted::File(Form::Profile)),
            page::CERTIFICATE => Some(Wanted::File(Form::Certificate)),
            _ => None,
        }
    }

    fn file(&self, form: Form, language: Language) -> Response<Full<Bytes>> {
        match form {
            Form::Profile => {
                let description = say!("core.profile.description").in_language(language);
                with_type(Bytes::from(self.authority.apple_profile(&description)), PROFILE_TYPE)
            }
            Form::Certificate => {
                let der = Bytes::from(self.authority.der.clone());
                let mut response = with_type(der, "application/x-x509-ca-cert");
                let name = HeaderValue::from_static("attachment; filename=\"gatehouse-ca.crt\"");
                response.headers_mut().insert(CONTENT_DISPOSITION, name);
                response
            }
        }
    }
}

fn plain(status: StatusCode) -> Response<Full<Bytes>> {
    let text = match status {
        StatusCode::GONE => "This was downloaded already. Make a new invitation.\n",
        _ => "",
    };
    let mut response = with_type(Bytes::from_static(text.as_bytes()), "text/plain; charset=utf-8");
    *response.status_mut() = status;
    response
}

fn with_type(body: Bytes, media: &'static str) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body));
    for (name, value) in [
        (CONTENT_TYPE, media),
        (CACHE_CONTROL, "no-store"),
        (CONTENT_SECURITY_POLICY, "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (X_FRAME_OPTIONS, "DENY"),
        (REFERRER_POLICY, "no-referrer"),
    ] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}
