//! The freedesktop notification server (Desktop Notifications Specification 1.2).

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use tauri::async_runtime::JoinHandle;
use tauri::{AppHandle, Manager};
use zbus::zvariant::Value;

use super::{Choice, Notification, chosen};

#[zbus::proxy(
    interface = "org.freedesktop.Notifications",
    default_service = "org.freedesktop.Notifications",
    default_path = "/org/freedesktop/Notifications"
)]
trait Notifications {
    #[allow(clippy::too_many_arguments)]
    fn notify(
        &self,
        app_name: &str,
        replaces_id: u32,
        app_icon: &str,
        summary: &str,
        body: &str,
        actions: &[&str],
        hints: HashMap<&str, Value<'_>>,
        expire_timeout: i32,
    ) -> zbus::Result<u32>;
    fn close_notification(&self, id: u32) -> zbus::Result<()>;
    #[zbus(signal)]
    fn action_invoked(&self, id: u32, action_key: &str) -> zbus::Result<()>;
    #[zbus(signal)]
    fn notification_closed(&self, id: u32, reason: u32) -> zbus::Result<()>;
}

#[zbus::proxy(
    interface = "org.kde.StatusNotifierWatcher",
    default_service = "org.kde.StatusNotifierWatcher",
    default_path = "/StatusNotifierWatcher"
)]
trait StatusNotifierWatcher {
    #[zbus(property)]
    fn is_status_notifier_host_registered(&self) -> zbus::Result<bool>;
}

/// Whether a desktop is there that shows tray icons.
pub(crate) async fn has_tray_host() -> bool {
    let ask = async {
        let connection = zbus::Connection::session().await?;
        StatusNotifierWatcherProxy::new(&connection).await?.is_status_notifier_host_registered().await
    };
    ask.await.unwrap_or(false)
}

/// The notification on the screen, which a new one replaces, and the task that waits for its end.
#[derive(Default)]
struct Shown(Mutex<(u32, Option<JoinHandle<()>>)>);

/// Shows it, in the place of the one before.
pub(super) fn show(app: &AppHandle, notification: Notification) {
    app.manage(Shown::default());
    let shown = app.state::<Shown>();
    let mut shown = shown.0.lock().unwrap_or_else(PoisonError::into_inner);
    // The new one takes over the number: a click on it must not be heard for the one before.
    if let Some(task) = shown.1.take() {
        task.abort();
    }
    let app = app.clone();
    shown.1 = Some(tauri::async_runtime::spawn(async move {
        if let Err(error) = present(&app, &notification).await {
            // No notification server is no fault: the tray and the window say the same.
            tracing::info!(%error, "no notification was shown");
        }
    }));
}

/// Takes the one on the screen back.
pub(super) fn withdraw(app: &AppHandle) {
    app.manage(Shown::default());
    let (id, task) =
        std::mem::take(&mut *app.state::<Shown>().0.lock().unwrap_or_else(PoisonError::into_inner));
    if let Some(task) = task {
        task.abort();
    }
    if id == 0 {
        return;
    }
    tauri::async_runtime::spawn(async move {
        if let Ok(connection) = zbus::Connection::session().await
            && let Ok(server) = NotificationsProxy::new(&connection).await
        {
            let _ = server.close_notification(id).await;
        }
    });
}

async fn present(app: &AppHandle, notification: &Notification) -> zbus::Result<()> {
    let connection = zbus::Connection::session().await?;
    let server = NotificationsProxy::new(&connection).await?;
    let mut invoked = server.receive_action_invoked().await?;
    let mut closed = server.receive_notification_closed().await?;
    let replaces = app.state::<Shown>().0.lock().unwrap_or_else(PoisonError::into_inner).0;
    let mut actions = vec!["default", notification.choices.first().map_or("", |(_, text)| text)];
    actions.extend(notification.choices.iter().flat_map(|(choice, text)| [choice.id(), text.as_str()]));
    if notification.choices.is_empty() {
        actions.clear();
    }
    // The body is markup to most servers, the title to none.
    let body = notification.body.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let hints =
        HashMap::from([("desktop-entry", Value::from("gatehouse")), ("category", Value::from("device"))]);
    let id =
        server.notify("Gatehouse", replaces, "", &notification.title, &body, &actions, hints, -1).await?;
    app.state::<Shown>().0.lock().unwrap_or_else(PoisonError::into_inner).0 = id;
    loop {
        tokio::select! {
            Some(signal) = next(&mut invoked) => {
                let told = signal.args()?;
                if told.id == id {
                    let choice = notification.choices.iter().find(|(choice, _)| choice.id() == told.action_key);
                    chosen(app, notification, choice.map_or(Choice::Review, |(choice, _)| *choice));
                    // Some servers leave it on the screen.
                    return server.close_notification(id).await;
                }
            }
            Some(signal) = next(&mut closed) => {
                if signal.args()?.id == id {
                    return Ok(());
                }
            }
            else => return Ok(()),
        }
    }
}

async fn next<S: futures_util::Stream + Unpin>(stream: &mut S) -> Option<S::Item> {
    futures_util::StreamExt::next(stream).await
}
