//! Notifications about waiting devices: what to say is a pure function, how to say it is the system's.
//!
//! A notification never shows more than the panel and never does what the panel would not: Approve is offered only for
//! one device alone that came through the edge from the local network, is new, and asks for no administration.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "macos")]
mod macos;
mod wording;

#[cfg(target_os = "linux")]
use linux as system;
#[cfg(target_os = "macos")]
use macos as system;

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use gatehouse_api::{ApproveAs, DeviceList, ErrorEnvelope, Request};
use tauri::{AppHandle, Manager};

use super::{shared, window};
#[cfg(target_os = "linux")]
pub(crate) use linux::has_tray_host;
pub(crate) use wording::{Choice, Notification};

/// Which devices were told already.
#[derive(Debug, Default)]
pub(crate) struct Told(Mutex<BTreeSet<String>>);

/// Tells about devices that wait and were not told yet; takes back what was told when nobody waits any more.
pub(crate) fn devices(app: &AppHandle, devices: &DeviceList) {
    let told = app.state::<Told>();
    let mut told = told.0.lock().unwrap_or_else(PoisonError::into_inner);
    let now: BTreeSet<String> = devices.pending.iter().map(|device| device.device_id.clone()).collect();
    let fresh = now.difference(&told).next().is_some();
    *told = now;
    if devices.pending.is_empty() {
        system::withdraw(app);
    } else if fresh {
        system::show(app, wording::waiting(&devices.pending, shared(app).preferences.language()));
    }
}

/// Tells that something which the user asked for in the menu failed.
pub(crate) fn trouble(app: &AppHandle, error: &ErrorEnvelope) {
    tracing::warn!(code = ?error.code, title = %error.title, "an action of the menu failed");
    let notification =
        Notification { title: error.title.clone(), body: error.because.clone(), device: None, choices: Vec::new() };
    system::show(app, notification);
}

/// What the user chose on a notification.
fn chosen(app: &AppHandle, notification: &Notification, choice: Choice) {
    let Some(device) = notification.device.clone() else {
        return window::show_soon(app, Some("devices"));
    };
    let request = match choice {
        Choice::Review => return window::show_soon(app, Some("devices")),
        Choice::Deny => Request::DevicesDeny { device: device.device_id },
        Choice::Approve => Request::DevicesApprove {
            device: device.device_id,
            access: ApproveAs::Full,
            label: None,
            shown_scopes: Some(device.scopes),
        },
    };
    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        if let Err(error) = shared(&app).backend.call(request).await {
            trouble(&app, &error);
            window::show_soon(&app, Some("devices"));
        }
    });
}
