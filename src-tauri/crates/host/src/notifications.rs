//! Whether this desktop shows notifications (Desktop Notifications Specification 1.2).

/// Who shows notifications.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Server {
    /// It runs and answers: its name and version.
    Answers(String),
    /// The session bus knows nobody.
    None,
    /// There is no session bus: no desktop.
    NoSession,
    /// It was asked and gave no answer that could be read.
    Failed(String),
}

/// Asks the session bus; shows nothing. Takes at most 5 s.
#[cfg(target_os = "linux")]
pub async fn server() -> Server {
    let limit = std::time::Duration::from_secs(5);
    tokio::time::timeout(limit, linux::ask())
        .await
        .unwrap_or_else(|_| Server::Failed(format!("no answer within {} s", limit.as_secs())))
}

#[cfg(target_os = "linux")]
mod linux {
    use super::Server;

    const NAME: &str = "org.freedesktop.Notifications";
    const PATH: &str = "/org/freedesktop/Notifications";

    pub(super) async fn ask() -> Server {
        let Ok(connection) = zbus::Connection::session().await else { return Server::NoSession };
        let reply = connection.call_method(Some(NAME), PATH, Some(NAME), "GetServerInformation", &()).await;
        match reply {
            Ok(message) => match message.body().deserialize::<(String, String, String, String)>() {
                Ok((name, _, version, _)) => Server::Answers(format!("{name} {version}")),
                Err(error) => Server::Failed(error.to_string()),
            },
            Err(error) if is_unknown(&error) => Server::None,
            Err(error) => Server::Failed(error.to_string()),
        }
    }

    fn is_unknown(error: &zbus::Error) -> bool {
        let text = error.to_string();
        text.contains("ServiceUnknown") || text.contains("NameHasNoOwner")
    }
}
