//! What passes through the edge, in the words of the api: metadata only. Told while somebody listens; the last records
//! are kept in memory for those who come later.

mod relay;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use crate::edge_config::EdgeConfig;
use crate::probe::is_made_up;
use crate::settings::SettingsStore;
use gatehouse_api::{Answerer, Event, TlsFacts, TrafficRecord, WebSocketFacts};
use gatehouse_edge::{AccessRecord, Answerer as EdgeAnswerer, EdgeError};
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;

pub(crate) use self::relay::TurnedAway;

/// Records that are kept.
pub(crate) const KEPT: usize = 500;

/// The last records. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(crate) struct Recent(Arc<Mutex<VecDeque<TrafficRecord>>>);

impl Recent {
    /// The last so many, oldest first.
    pub(crate) fn last(&self, limit: usize) -> Vec<TrafficRecord> {
        let records = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        records.iter().skip(records.len().saturating_sub(limit)).cloned().collect()
    }

    fn keep(&self, record: TrafficRecord) {
        let mut records = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if records.len() >= KEPT {
            records.pop_front();
        }
        records.push_back(record);
    }
}

/// Passes records on until the edge has gone. Missed records are missed: a viewer that wants all reads the log.
pub(crate) async fn follow(
    mut traffic: broadcast::Receiver<Arc<AccessRecord>>,
    recent: Recent,
    turned_away: TurnedAway,
    settings: Arc<SettingsStore>,
    events: broadcast::Sender<Event>,
) {
    loop {
        match traffic.recv().await {
            Ok(record) if is_own_question(&record) => {}
            Ok(record) => {
                if record.error == Some(EdgeError::TunnelUndeclared) {
                    turned_away.note(record.time, EdgeConfig::of(&settings.current().edge).0.front);
                }
                let record = of(&record);
                if events.receiver_count() > 0 {
                    let _ = events.send(Event::Traffic(Box::new(record.clone())));
                }
                recent.keep(record);
            }
            Err(RecvError::Lagged(_)) => {}
            Err(RecvError::Closed) => return,
        }
    }
}

/// What probes ask in a made-up name is nobody's traffic. The access log has it.
fn is_own_question(record: &AccessRecord) -> bool {
    let named = [Some(&record.host), record.origin.as_ref(), record.user_agent.as_ref()];
    named.into_iter().flatten().any(|name| is_made_up(name))
}

/// The record, without what must stay in memory: close reasons, origins, user agents.
pub(crate) fn of(record: &AccessRecord) -> TrafficRecord {
    TrafficRecord {
        time: record.time,
        id: record.id.to_string(),
        client: record.client.to_string(),
        client_certificate: record.client_certificate.as_deref().map(str::to_owned),
        method: record.method.to_string(),
        host: record.host.to_string(),
        path: record.path.to_string(),
        status: record.status.as_u16(),
        answered_by: match record.answered_by {
            EdgeAnswerer::Edge => Answerer::Edge,
            EdgeAnswerer::Gateway => Answerer::Gateway,
        },
        error: record.error.map(|error| error.code().to_owned()),
        bytes_in: record.bytes_in,
        bytes_out: record.bytes_out,
        ms: millis(record.duration),
        protocol: record.protocol.as_str().to_owned(),
        tls: record
            .tls
            .map(|tls| TlsFacts { version: tls.version.to_owned(), cipher: tls.cipher.to_owned() }),
        websocket: record.websocket.as_ref().map(|end| WebSocketFacts {
            close_code: end.close_code,
            closed_by: end.closed_by.as_str().to_owned(),
            duration_ms: millis(end.duration),
        }),
    }
}

fn millis(duration: std::time::Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
