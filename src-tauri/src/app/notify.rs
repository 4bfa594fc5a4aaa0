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

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use gatehouse_api::{ApproveAs, DeviceList, ErrorEnvelope, ExpiredDevice, PendingDevice, Request, Snapshot};
use tauri::{AppHandle, Manager};
use time::OffsetDateTime;

use super::neighbour::Neighbour;
use super::{shared, window};
#[cfg(target_os = "linux")]
pub(crate) use linux::has_tray_host;
#[cfg(target_os = "macos")]
pub(crate) use macos::{allowed, listen};
pub(crate) use wording::{Choice, Notification};

/// After a notification there is none for so long: somebody who asks again and again is seen in the tray.
const QUIET: Duration = Duration::from_secs(60);

/// What no system took is offered again after so long.
const AGAIN: Duration = Duration::from_secs(600);

/// Where a notification stands: a newer one takes the place of the one before, and those of other places stay beside it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Place {
    /// Devices that wait.
    Waiting,
    /// A device whose time was over.
    Expired,
    /// Something that the user asked for and that failed.
    Trouble,
    /// A certificate, with the mark by which it is remembered that it was told.
    Certificate(String),
}

/// Which devices were told already, and when the last were.
#[derive(Debug, Default)]
pub(crate) struct Told(Mutex<Telling>);

#[derive(Debug, Default)]
struct Telling {
    devices: BTreeSet<String>,
    last: Option<Instant>,
    /// The newest expiry that was told, or was there before the app looked.
    expired: Option<OffsetDateTime>,
    has_looked: bool,
    /// When what is to be told of certificates was offered to the system.
    offered: BTreeMap<String, Instant>,
}

/// What is to be done about the devices that wait now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Due {
    Nothing,
    Show,
    Withdraw,
}

impl Telling {
    /// Whether the system is to be offered this now.
    fn offers(&mut self, mark: &str, now: Instant) -> bool {
        self.offered.retain(|_, at| now.duration_since(*at) < AGAIN);
        if self.offered.contains_key(mark) {
            return false;
        }
        self.offered.insert(mark.to_owned(), now);
        true
    }

    fn expired(&mut self, devices: &DeviceList) -> Option<ExpiredDevice> {
        let newest = devices.expired.first().cloned();
        let at = newest.as_ref().map(|device| device.at);
        let (before, looked) = (self.expired, std::mem::replace(&mut self.has_looked, true));
        self.expired = before.max(at);
        newest.filter(|_| looked && at > before)
    }

    fn due(&mut self, pending: &[PendingDevice], now: Instant) -> Due {
        let waiting: BTreeSet<String> = pending.iter().map(|device| device.device_id.clone()).collect();
        let (fresh, gone) =
            (!waiting.is_subset(&self.devices), waiting.is_empty() && !self.devices.is_empty());
        self.devices = waiting;
        if gone {
            return Due::Withdraw;
        }
        if !fresh || self.last.is_some_and(|last| now.duration_since(last) < QUIET) {
            return Due::Nothing;
        }
        self.last = Some(now);
        Due::Show
    }
}

/// Tells about devices that wait and were not told yet; takes back what was told when nobody waits any more.
pub(crate) fn devices(app: &AppHandle, devices: &DeviceList) {
    let told = app.state::<Told>();
    let due = told.0.lock().unwrap_or_else(PoisonError::into_inner).due(&devices.pending, Instant::now());
    match due {
        Due::Nothing => {}
        Due::Withdraw => system::withdraw(app),
        // Who asks there says it there.
        Due::Show if !Neighbour::of(app).leaves_it_to_us() => {}
        Due::Show => {
            let notification = wording::waiting(&devices.pending, shared(app).preferences.language());
            system::show(app, Place::Waiting, notification);
        }
    }
}

/// Tells once about a device that was revoked because its time was over. What was over before the app looked is no news.
pub(crate) fn expired(app: &AppHandle, devices: &DeviceList) {
    let told = app.state::<Told>();
    let news = told.0.lock().unwrap_or_else(PoisonError::into_inner).expired(devices);
    if let Some(device) = news {
        system::show(app, Place::Expired, wording::expired(&device, shared(app).preferences.language()));
    }
}

/// Tells once about every certificate that somebody must look at, also across starts of the app: one that could not be
/// renewed or ends, whoever issued it. What was so before the app looked is told as well: nobody may have seen it.
pub(crate) fn certificates(app: &AppHandle, snapshot: &Snapshot) {
    let shared = shared(app);
    let language = shared.preferences.language();
    for (mark, notification) in wording::certificates(&snapshot.certificates, &snapshot.expiring, language) {
        if shared.preferences.was_told(&mark) {
            continue;
        }
        let told = app.state::<Told>();
        let offers = told.0.lock().unwrap_or_else(PoisonError::into_inner).offers(&mark, Instant::now());
        if offers {
            system::show(app, Place::Certificate(mark), notification);
        }
    }
}

/// The system took it.
fn taken(app: &AppHandle, place: &Place) {
    if let Place::Certificate(mark) = place {
        shared(app).preferences.tell(mark);
    }
}

/// Tells that something which the user asked for in the menu failed.
pub(crate) fn trouble(app: &AppHandle, error: &ErrorEnvelope) {
    tracing::warn!(code = ?error.code, title = %error.title, "an action of the menu failed");
    let language = shared(app).preferences.language();
    let notification = Notification {
        title: error.title.in_language(language),
        body: error.because.in_language(language),
        device: None,
        choices: Vec::new(),
        page: "overview",
    };
    system::show(app, Place::Trouble, notification);
}

/// What the user chose on a notification.
fn chosen(app: &AppHandle, notification: &Notification, choice: Choice) {
    let Some(device) = notification.device.clone() else {
        return window::show_soon(app, Some(notification.page));
    };
    let request = match choice {
        Choice::Review => return window::show_soon(app, Some("devices")),
        Choice::Deny => Request::DevicesDeny { device: device.device_id },
        Choice::Approve => Request::DevicesApprove {
            expires_in: None,
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

#[cfg(test)]
mod tests {
    use super::wording::tests::device;
    use super::*;

    #[test]
    fn who_waits_is_told_once_and_taken_back_when_nobody_waits() {
        let (mut telling, now) = (Telling::default(), Instant::now());
        let waiting = [device(&["operator.read"])];

        assert_eq!(telling.due(&[], now), Due::Nothing);
        assert_eq!(telling.due(&waiting, now), Due::Show);
        assert_eq!(telling.due(&waiting, now + 2 * QUIET), Due::Nothing);
        assert_eq!(telling.due(&[], now + 2 * QUIET), Due::Withdraw);
        assert_eq!(telling.due(&waiting, now + 3 * QUIET), Due::Show);
    }

    #[test]
    fn what_the_system_did_not_take_is_offered_again_but_not_at_every_look() {
        let (mut telling, now) = (Telling::default(), Instant::now());

        assert!(telling.offers("Near AB", now) && telling.offers("Close CD", now), "each for itself");
        assert!(!telling.offers("Near AB", now + AGAIN / 2));
        assert!(telling.offers("Near AB", now + AGAIN));
        assert_eq!(telling.offered.len(), 1, "what is no more is forgotten");
    }

    #[test]
    fn an_expiry_is_told_once_and_one_from_before_is_not() {
        let device = |seconds| ExpiredDevice {
            device_id: "pad".into(),
            name: "Pad".into(),
            at: OffsetDateTime::UNIX_EPOCH + Duration::from_secs(seconds),
            can_return: false,
            note: gatehouse_api::Text::default(),
        };
        let list = |expired| DeviceList { expired, ..DeviceList::default() };
        let mut telling = Telling::default();

        assert_eq!(telling.expired(&list(vec![device(1)])), None);
        assert_eq!(telling.expired(&list(vec![device(2), device(1)])), Some(device(2)));
        assert_eq!(telling.expired(&list(vec![device(2), device(1)])), None);
        assert_eq!(telling.expired(&list(Vec::new())), None);
        assert_eq!(telling.expired(&list(vec![device(3)])), Some(device(3)));
    }

    #[test]
    fn somebody_who_asks_under_ever_new_names_does_not_fill_the_screen() {
        let (mut telling, now) = (Telling::default(), Instant::now());
        let asked = |number: u32| [PendingDevice { device_id: number.to_string(), ..device(&[]) }];

        let shown = (0..600).filter(|number| {
            telling.due(&asked(*number), now + Duration::from_secs((*number).into())) == Due::Show
        });

        assert_eq!(shown.count(), 10);
    }
}
