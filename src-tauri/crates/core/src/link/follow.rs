//! Reports the state of the connection and what the gateway announces, also across a change of connections.

use std::sync::Arc;

use gatehouse_openclaw::client::{GatewayClient, Link};
use gatehouse_openclaw::events::GatewayEvent;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::mpsc;

use super::GatewayLink;
use crate::controller::message::{Fact, Message};

/// Follows until the controller has gone.
pub(crate) async fn follow(link: Arc<GatewayLink>, messages: mpsc::Sender<Message>) {
    let mut connections = link.connections.subscribe();
    loop {
        connections.mark_unchanged();
        let replaced = connections.changed();
        tokio::select! {
            gone = one(link.client(), &messages) => if gone { return },
            end = replaced => if end.is_err() { return },
        }
    }
}

/// Follows one connection, or the want of one, for ever. Answers whether the controller has gone.
async fn one(client: Option<GatewayClient>, messages: &mpsc::Sender<Message>) -> bool {
    let Some(client) = client else {
        return match tell(messages, Fact::Link(None)).await {
            true => std::future::pending().await,
            false => true,
        };
    };
    let (mut status, mut events) = (client.status(), client.events());
    drop(client);
    let first = status.borrow_and_update().clone();
    if !told(messages, first).await {
        return true;
    }
    loop {
        let there = tokio::select! {
            changed = status.changed() => match changed {
                Ok(()) => {
                    let link = status.borrow_and_update().clone();
                    told(messages, link).await
                }
                Err(_) => std::future::pending().await,
            },
            event = events.recv() => match event {
                Ok(event) => tell(messages, Fact::Announced(event)).await,
                Err(RecvError::Lagged(_)) => tell(messages, Fact::Announced(GatewayEvent::Presence)).await,
                Err(RecvError::Closed) => std::future::pending().await,
            },
        };
        if !there {
            return true;
        }
    }
}

async fn told(messages: &mpsc::Sender<Message>, link: Link) -> bool {
    tell(messages, Fact::Link(Some(link))).await
}

async fn tell(messages: &mpsc::Sender<Message>, fact: Fact) -> bool {
    messages.send(Message::Fact(fact)).await.is_ok()
}
