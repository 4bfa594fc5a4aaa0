//! The settings of the edge, and its numbers.

use gatehouse_api::{ConfigEdit, Configuration, ErrorEnvelope, Reply};

use super::Desk;
use super::changes::changing;
use crate::edge_config;
use crate::transaction::Intent;

pub(super) fn show(desk: &Desk) -> Reply {
    let stored = &desk.context.settings.current().edge;
    Reply::Configuration(Configuration {
        entries: edge_config::entries(stored),
        unknown: edge_config::unknown(stored),
    })
}

pub(super) async fn set(desk: &Desk, edits: Vec<ConfigEdit>, replace: bool) -> Result<Reply, ErrorEnvelope> {
    let intent = Intent::ConfigureEdge { edits, replace };
    changing(desk, false, desk.transactions.run(intent)).await.map(Reply::Change)
}

pub(super) fn metrics(desk: &Desk) -> Reply {
    Reply::Metrics { text: desk.door.metrics() }
}
