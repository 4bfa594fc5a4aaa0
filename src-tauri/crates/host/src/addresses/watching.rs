//! When to look at the addresses, and when a change counts.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::sleep;

use super::InterfaceAddress;

/// A change counts when two looks that are this far apart agree.
const STEADY: Duration = Duration::from_secs(1);
/// Addresses that never settle are published after this many looks.
const MOST_LOOKS: u32 = 10;

/// What may wake us before the period is over.
pub(super) struct Alarm {
    #[cfg(target_os = "linux")]
    netlink: Option<super::netlink::Netlink>,
}

impl Alarm {
    /// The system's own notification, where there is one.
    pub(super) fn open() -> Self {
        Self {
            #[cfg(target_os = "linux")]
            netlink: super::netlink::Netlink::open()
                .inspect_err(|error| tracing::debug!(%error, "no change notification; looking at intervals"))
                .ok(),
        }
    }

    /// None: only the period counts.
    #[cfg(test)]
    pub(super) fn none() -> Self {
        Self {
            #[cfg(target_os = "linux")]
            netlink: None,
        }
    }

    #[cfg(target_os = "linux")]
    async fn rings(&mut self) {
        if let Some(netlink) = &mut self.netlink {
            match netlink.changed().await {
                Ok(()) => return,
                Err(error) => tracing::debug!(%error, "the change notification ended; looking at intervals"),
            }
            self.netlink = None;
        }
        std::future::pending().await
    }

    #[cfg(not(target_os = "linux"))]
    async fn rings(&mut self) {
        std::future::pending().await
    }
}

/// Looks again and again until every receiver of `sender` is gone. A look that fails changes nothing.
pub(super) async fn follow<Look, Looking>(
    mut look: Look,
    mut alarm: Alarm,
    period: Duration,
    sender: &watch::Sender<Arc<[InterfaceAddress]>>,
) where
    Look: FnMut() -> Looking,
    Looking: Future<Output = Option<Vec<InterfaceAddress>>>,
{
    loop {
        tokio::select! {
            () = sender.closed() => return,
            () = sleep(period) => {}
            () = alarm.rings() => {}
        }
        let Some(mut seen) = look().await else { continue };
        if sender.borrow().as_ref() == seen {
            continue;
        }
        for _ in 0..MOST_LOOKS {
            sleep(STEADY).await;
            let Some(again) = look().await else { continue };
            let steady = again == seen;
            seen = again;
            if steady {
                break;
            }
        }
        sender.send_if_modified(|published| {
            let changed = published.as_ref() != seen;
            if changed {
                *published = Arc::from(seen);
            }
            changed
        });
    }
}

#[cfg(test)]
mod tests;
