//! The edge as the core uses it: served through transactions, paused at once, watched by views.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use gatehouse_api::{EdgeSighting, OriginSeen, Text, say};
use gatehouse_edge::{
    AccessRecord, AllowedClients, ClientSighting, Counters, Edge, EdgeSettings, Listener, ListenerKind,
    OriginSighting, Pause, RehearsalError, WebSocketsOverHttp2,
};
use tokio::sync::broadcast;

use crate::context::{FrontDoor, Listeners};
use crate::edge_config::EdgeConfig;
use crate::metrics_port::MetricsPort;
use crate::settings::PauseSettings;

/// How long requests may go on when an address is closed.
const GRACE: Duration = Duration::from_secs(5);

/// See the module.
#[derive(Debug)]
pub(crate) struct Door {
    edge: Edge,
    metrics: tokio::sync::Mutex<Option<MetricsPort>>,
}

impl Door {
    pub(crate) fn new(edge: Edge) -> Self {
        Self { edge, metrics: tokio::sync::Mutex::default() }
    }

    /// Pauses, or ends a pause. A pause ends the WebSockets that are open: who is paused is out.
    pub(crate) fn pause(&self, pause: Option<PauseSettings>) {
        let paused = pause.map(|pause| Pause { until: pause.until.map(Into::into) });
        let pauses = paused.is_some();
        self.edge.change(|settings| settings.paused = paused);
        if pauses {
            self.edge.end_websockets();
        }
    }

    /// Who may connect; `None` = it does not listen.
    pub(crate) fn clients(&self) -> Option<AllowedClients> {
        (!self.edge.listening().is_empty()).then(|| self.edge.settings().clients.clone())
    }

    /// Why WebSocket over HTTP/2 is not offered; `None` = it is.
    pub(crate) fn http2_websocket_reason(&self) -> Option<Text> {
        match self.edge.websockets_over_http2() {
            WebSocketsOverHttp2::Offered => None,
            WebSocketsOverHttp2::Off => Some(say!("core.http2.off")),
            WebSocketsOverHttp2::Untested => Some(say!("core.http2.untested")),
            WebSocketsOverHttp2::Failed(why) => Some(say!("core.http2.failed", why = why)),
        }
    }

    /// Whether WebSocket over HTTP/2 could be offered and nobody has tried it with this gateway.
    pub(crate) fn wants_rehearsal(&self) -> bool {
        self.edge.websockets_over_http2() == WebSocketsOverHttp2::Untested
            && !self.edge.listening().is_empty()
    }

    /// Tries it.
    pub(crate) async fn rehearse(&self) -> Result<(), RehearsalError> {
        self.edge.rehearse().await
    }

    /// What it has done and is doing.
    pub(crate) fn counters(&self) -> Counters {
        self.edge.counters()
    }

    /// Its numbers, as Prometheus reads them.
    pub(crate) fn metrics(&self) -> String {
        self.edge.metrics()
    }

    /// Every request from now on, when it ends.
    pub(crate) fn traffic(&self) -> broadcast::Receiver<Arc<AccessRecord>> {
        self.edge.traffic()
    }

    /// Clients that came by, in the words of the api.
    pub(crate) fn sightings(&self) -> Vec<EdgeSighting> {
        self.edge.sightings().into_iter().map(client).collect()
    }

    /// Origins that came by, in the words of the api, without the one that probes make up.
    pub(crate) fn origins_seen(&self) -> Vec<OriginSeen> {
        let seen = self.edge.origins_seen().into_iter().map(origin);
        seen.filter(|seen| !crate::probe::is_made_up(&seen.origin)).collect()
    }
}

#[async_trait]
impl FrontDoor for Door {
    /// The settings come first: nobody who reaches a new address is told that its name is unknown. Where an address
    /// cannot be had, the old settings come back.
    async fn serve(
        &self,
        settings: EdgeSettings,
        listeners: &Listeners,
    ) -> Result<(), (SocketAddr, io::Error)> {
        let before = self.edge.settings();
        self.edge.apply(settings);
        match self.edge.listen(&wanted(listeners)).await {
            Ok(()) => Ok(()),
            Err(error) => {
                self.edge.apply(EdgeSettings::clone(&before));
                Err((error.listener.address, error.source))
            }
        }
    }

    async fn configure(&self, config: &EdgeConfig) -> Result<(), (SocketAddr, io::Error)> {
        let mut open = self.metrics.lock().await;
        if open.as_ref().map(|open| open.port) != config.metrics_port {
            let next = match config.metrics_port {
                Some(port) => Some(MetricsPort::open(port, self.edge.clone()).await?),
                None => None,
            };
            *open = next;
        }
        self.edge.change(|settings| config.apply(settings));
        Ok(())
    }

    async fn close(&self) {
        let drained = self.edge.drain(GRACE).await;
        tracing::info!(finished = drained.finished, cut = drained.cut, "the edge stopped listening");
    }

    fn clients_changed(&self) {
        self.edge.judge_clients_again();
    }

    fn listening(&self) -> Listeners {
        let mut listeners = Listeners::default();
        for listener in self.edge.listening() {
            match listener.kind {
                ListenerKind::Https => listeners.https.push(listener.address),
                ListenerKind::Redirect { .. } => listeners.redirect.push(listener.address),
            }
        }
        listeners
    }
}

fn wanted(listeners: &Listeners) -> Vec<Listener> {
    let https_port = listeners.https.first().map_or(443, SocketAddr::port);
    let https =
        listeners.https.iter().map(|address| Listener { address: *address, kind: ListenerKind::Https });
    let redirect = listeners
        .redirect
        .iter()
        .map(|address| Listener { address: *address, kind: ListenerKind::Redirect { https_port } });
    https.chain(redirect).collect()
}

fn client(sighting: ClientSighting) -> EdgeSighting {
    EdgeSighting {
        client: sighting.client.to_string(),
        host: sighting.host.into(),
        tls: sighting.tls.map_or_else(|| "no TLS".to_owned(), |version| format!("TLS {version}")),
        agent: sighting.user_agent.map(Into::into),
        first_seen: sighting.first_seen,
        last_seen: sighting.last_seen,
    }
}

fn origin(sighting: OriginSighting) -> OriginSeen {
    OriginSeen {
        origin: sighting.origin.into(),
        count: sighting.count,
        refused: sighting.refused,
        client: sighting.client.to_string(),
        last_seen: sighting.last_seen,
    }
}
