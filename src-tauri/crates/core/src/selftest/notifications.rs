//! Whether a notification would be seen. None is shown, and nobody is asked for permission.

use gatehouse_api::{Text, say};

use super::Finding;

/// What the system says of our notifications.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notifications {
    /// They may be shown.
    Allowed,
    /// The user was not asked yet.
    NotAsked,
    /// The user said no.
    Refused,
    /// It cannot be asked from here, and why.
    Unavailable(Text),
}

pub(super) async fn check(told: Option<Notifications>) -> Finding {
    let told = match told {
        Some(told) => told,
        None => match asked().await {
            Ok(server) => {
                return Finding::passed([say!("core.selftest.notifications.server", server = server)]);
            }
            Err(told) => told,
        },
    };
    match told {
        Notifications::Allowed => Finding::passed([say!("core.selftest.notifications.allowed")]),
        Notifications::NotAsked => Finding::unknown(
            say!("core.selftest.notifications.not-asked"),
            say!("core.selftest.notifications.fix-not-asked"),
        ),
        Notifications::Refused => Finding::failed(
            say!("core.selftest.notifications.refused"),
            say!("core.selftest.notifications.fix-refused"),
        ),
        Notifications::Unavailable(why) => Finding::unknown(why, say!("core.selftest.notifications.fix")),
    }
}

/// The server of the desktop.
#[cfg(target_os = "linux")]
async fn asked() -> Result<String, Notifications> {
    use gatehouse_host::notifications::{Server, server};
    match server().await {
        Server::Answers(name) => Ok(name),
        Server::None => Err(Notifications::Unavailable(say!("core.selftest.notifications.none"))),
        Server::NoSession => Err(Notifications::Unavailable(say!("core.selftest.notifications.no-session"))),
        Server::Failed(why) => {
            Err(Notifications::Unavailable(say!("core.selftest.notifications.failed", why = why)))
        }
    }
}

/// Only the app in its bundle may ask macOS.
#[cfg(not(target_os = "linux"))]
async fn asked() -> Result<String, Notifications> {
    std::future::ready(Err(Notifications::Unavailable(say!("core.selftest.notifications.no-bundle")))).await
}
