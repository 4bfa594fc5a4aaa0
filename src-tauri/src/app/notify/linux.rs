//! The freedesktop notification server (Desktop Notifications Specification 1.2).

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};

use tauri::async_runtime::JoinHandle;
use tauri::{AppHandle, Manager};
use zbus::zvariant::Value;

use super::{Choice, Notification, Place, chosen, taken};

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

/// What is on the screen.
#[derive(Default)]
struct Shown(Mutex<BTreeMap<Place, Current>>);

#[derive(Default)]
struct Current {
    /// The server's number; 0 = none yet.
    id: u32,
    /// Waits for its end.
    task: Option<JoinHandle<()>>,
}

/// Shows it, in the place of the one before.
pub(super) fn show(app: &AppHandle, place: Place, notification: Notification) {
    app.manage(Shown::default());
    let shown = app.state::<Shown>();
    let mut shown = shown.0.lock().unwrap_or_else(PoisonError::into_inner);
    // What was clicked away or ran out is in nobody's way.
    shown.retain(|other, current| {
        *other == place || current.task.as_ref().is_some_and(|task| !task.inner().is_finished())
    });
    let current = shown.entry(place.clone()).or_default();
    // The new one takes over the number: a click on it must not be heard for the one before.
    if let Some(task) = current.task.take() {
        task.abort();
    }
    let app = app.clone();
    current.task = Some(tauri::async_runtime::spawn(async move {
        if let Err(error) = present(&app, &place, &notification).await {
            // No notification server is no fault: the tray and the window say the same.
            tracing::info!(%error, "no notification was shown");
        }
    }));
}

/// Takes back what is said of devices that wait.
pub(super) fn withdraw(app: &AppHandle) {
    app.manage(Shown::default());
    let waiting =
        app.state::<Shown>().0.lock().unwrap_or_else(PoisonError::into_inner).remove(&Place::Waiting);
    let Some(Current { id, task }) = waiting else { return };
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

async fn present(app: &AppHandle, place: &Place, notification: &Notification) -> zbus::Result<()> {
    let connection = zbus::Connection::session().await?;
    let server = NotificationsProxy::new(&connection).await?;
    let mut invoked = server.receive_action_invoked().await?;
    let mut closed = server.receive_notification_closed().await?;
    let number = |set: Option<u32>| {
        let shown = app.state::<Shown>();
        let mut shown = shown.0.lock().unwrap_or_else(PoisonError::into_inner);
        let number = shown.get_mut(place).map(|current| &mut current.id);
        number.map_or(0, |number| std::mem::replace(number, set.unwrap_or(*number)))
    };
    let replaces = number(None);
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
    number(Some(id));
    taken(app, place);
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
