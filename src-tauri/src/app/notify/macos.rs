//! The user notification centre of macOS (`UNUserNotificationCenter`).
//!
//! It exists only for a program in a bundle: a bare executable has the panel and the tray. The user is asked for
//! permission when there is something to tell for the first time, never before. Approve and Deny need an unlocked screen.
#![allow(unsafe_code)] // A delegate is an Objective-C class; each block says why it is sound.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::ptr::NonNull;
use std::sync::{Mutex, PoisonError};

use block2::{DynBlock, RcBlock};
use gatehouse_api::say;
use gatehouse_core::selftest::Notifications;
use objc2::rc::Retained;
use objc2::runtime::{Bool, NSObject, NSObjectProtocol, ProtocolObject};
use objc2::{AnyThread, DefinedClass, define_class, msg_send};
use objc2_foundation::{NSArray, NSBundle, NSError, NSSet, NSString};
use objc2_user_notifications::{
    UNAuthorizationOptions, UNAuthorizationStatus, UNMutableNotificationContent, UNNotification,
    UNNotificationAction, UNNotificationActionOptions, UNNotificationCategory, UNNotificationCategoryOptions,
    UNNotificationPresentationOptions, UNNotificationRequest, UNNotificationResponse, UNNotificationSettings,
    UNUserNotificationCenter, UNUserNotificationCenterDelegate,
};
use tauri::{AppHandle, Manager};

use super::{Choice, Notification, Place, chosen, taken};

/// Notifications that are remembered; of an older one only the page is shown.
const MOST: usize = 16;

/// What is on the screen, each with its number, and the last number that was given.
#[derive(Default)]
struct Shown(Mutex<(u64, Numbered)>);

type Numbered = BTreeMap<Place, (u64, Notification)>;

thread_local! {
    /// The centre holds its delegate weakly. The main thread, and so this, lives as long as the process.
    static DELEGATE: OnceCell<Retained<Delegate>> = const { OnceCell::new() };
}

struct Ivars {
    app: AppHandle,
}

define_class!(
    // SAFETY: NSObject may be subclassed by anything; the class has no `Drop`, and its only instance variable may be
    // used from any thread, as the methods below may be called.
    #[unsafe(super(NSObject))]
    #[thread_kind = AnyThread]
    #[name = "GatehouseNotificationDelegate"]
    #[ivars = Ivars]
    struct Delegate;

    // SAFETY: it adds nothing to what NSObject gives.
    unsafe impl NSObjectProtocol for Delegate {}

    // SAFETY: selectors and types are those of the protocol; both completion handlers are called exactly once.
    unsafe impl UNUserNotificationCenterDelegate for Delegate {
        #[unsafe(method(userNotificationCenter:willPresentNotification:withCompletionHandler:))]
        fn will_present(
            &self,
            _center: &UNUserNotificationCenter,
            _notification: &UNNotification,
            done: &DynBlock<dyn Fn(UNNotificationPresentationOptions)>,
        ) {
            // Also while the window has the focus: it may show another page.
            done.call((UNNotificationPresentationOptions::Banner | UNNotificationPresentationOptions::List,));
        }

        #[unsafe(method(userNotificationCenter:didReceiveNotificationResponse:withCompletionHandler:))]
        fn did_receive(
            &self,
            _center: &UNUserNotificationCenter,
            response: &UNNotificationResponse,
            done: &DynBlock<dyn Fn()>,
        ) {
            let number = response.notification().request().identifier().to_string();
            answered(&self.ivars().app, &number, &response.actionIdentifier().to_string());
            done.call(());
        }
    }
);

impl Delegate {
    fn new(app: AppHandle) -> Retained<Self> {
        let this = Self::alloc().set_ivars(Ivars { app });
        // SAFETY: `init` of NSObject takes nothing and gives the object that was allocated.
        unsafe { msg_send![super(this), init] }
    }
}

/// Answers to what was shown before the app was started again are heard, too. Must be called on the main thread.
pub(crate) fn listen(app: &AppHandle) {
    app.manage(Shown::default());
    let Some(center) = center() else {
        tracing::info!("not in a bundle: there are no notifications");
        return;
    };
    DELEGATE.with(|cell| {
        let delegate = cell.get_or_init(|| Delegate::new(app.clone()));
        center.setDelegate(Some(ProtocolObject::from_ref(&**delegate)));
    });
}

/// What the user said of our notifications. Asks the user nothing; waits for the system at most 5 s.
pub(crate) fn allowed() -> Notifications {
    let Some(center) = center() else {
        return Notifications::Unavailable(say!("core.selftest.notifications.no-bundle"));
    };
    let (sender, receiver) = std::sync::mpsc::channel();
    let tell = RcBlock::new(move |settings: NonNull<UNNotificationSettings>| {
        // SAFETY: the system hands over an object that lives as long as the call.
        let status = unsafe { settings.as_ref() }.authorizationStatus();
        let _ = sender.send(status);
    });
    center.getNotificationSettingsWithCompletionHandler(&tell);
    match receiver.recv_timeout(std::time::Duration::from_secs(5)) {
        Ok(UNAuthorizationStatus::NotDetermined) => Notifications::NotAsked,
        Ok(UNAuthorizationStatus::Denied) => Notifications::Refused,
        Ok(_) => Notifications::Allowed,
        Err(_) => Notifications::Unavailable(say!("core.selftest.notifications.silent")),
    }
}

/// Shows it, in the place of the one before.
pub(super) fn show(app: &AppHandle, place: Place, notification: Notification) {
    let Some(center) = center() else { return };
    let app = app.clone();
    let granted = RcBlock::new(move |granted: Bool, _error: *mut NSError| {
        if granted.as_bool() {
            present(&app, &place, &notification);
            taken(&app, &place);
        } else {
            tracing::info!("notifications are not allowed; the tray and the window say the same");
        }
    });
    // Asks once; later it only tells what was answered.
    let wanted = UNAuthorizationOptions::Alert | UNAuthorizationOptions::Sound;
    center.requestAuthorizationWithOptions_completionHandler(wanted, &granted);
}

/// Takes back what is said of devices that wait.
pub(super) fn withdraw(app: &AppHandle) {
    let shown = app.state::<Shown>();
    let waiting = shown.0.lock().unwrap_or_else(PoisonError::into_inner).1.remove(&Place::Waiting);
    if let (Some((number, _)), Some(center)) = (waiting, center()) {
        remove(&center, number);
    }
}

fn present(app: &AppHandle, place: &Place, notification: &Notification) {
    let Some(center) = center() else { return };
    let (before, number, categories) = {
        let shown = app.state::<Shown>();
        let mut shown = shown.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (last, all) = &mut *shown;
        *last += 1;
        let before = all.insert(place.clone(), (*last, notification.clone()));
        while all.len() > MOST {
            let oldest = all.iter().min_by_key(|(_, (number, _))| *number).map(|(place, _)| place.clone());
            oldest.and_then(|oldest| all.remove(&oldest));
        }
        let categories: Vec<_> = all.values().map(|(number, shown)| category(*number, shown)).collect();
        (before, *last, categories)
    };
    if let Some((before, _)) = before {
        remove(&center, before);
    }
    // Each has buttons of its own; the set replaces the one before.
    center.setNotificationCategories(&NSSet::from_retained_slice(&categories));
    let id = NSString::from_str(&number.to_string());
    let content = UNMutableNotificationContent::new();
    content.setTitle(&NSString::from_str(&notification.title));
    content.setBody(&NSString::from_str(&notification.body));
    content.setCategoryIdentifier(&id);
    let request = UNNotificationRequest::requestWithIdentifier_content_trigger(&id, &content, None);
    center.addNotificationRequest_withCompletionHandler(&request, None);
}

fn category(number: u64, notification: &Notification) -> Retained<UNNotificationCategory> {
    let actions: Vec<_> = notification.choices.iter().map(|(choice, text)| action(*choice, text)).collect();
    UNNotificationCategory::categoryWithIdentifier_actions_intentIdentifiers_options(
        &NSString::from_str(&number.to_string()),
        &NSArray::from_retained_slice(&actions),
        &NSArray::new(),
        UNNotificationCategoryOptions::empty(),
    )
}

fn action(choice: Choice, text: &str) -> Retained<UNNotificationAction> {
    let options = match choice {
        Choice::Review => UNNotificationActionOptions::Foreground,
        Choice::Deny => {
            UNNotificationActionOptions::AuthenticationRequired | UNNotificationActionOptions::Destructive
        }
        Choice::Approve => UNNotificationActionOptions::AuthenticationRequired,
    };
    let (id, title) = (NSString::from_str(choice.id()), NSString::from_str(text));
    UNNotificationAction::actionWithIdentifier_title_options(&id, &title, options)
}

fn answered(app: &AppHandle, number: &str, action: &str) {
    let current = {
        let shown = app.state::<Shown>();
        let shown = shown.0.lock().unwrap_or_else(PoisonError::into_inner);
        shown.1.values().find(|(shown, _)| shown.to_string() == number).map(|(_, it)| it.clone())
    };
    let Some(notification) = current else { return super::window::show_soon(app, Some("devices")) };
    let choice = notification.choices.iter().find(|(choice, _)| choice.id() == action);
    chosen(app, &notification, choice.map_or(Choice::Review, |(choice, _)| *choice));
}

fn remove(center: &UNUserNotificationCenter, number: u64) {
    let ids = NSArray::from_retained_slice(&[NSString::from_str(&number.to_string())]);
    center.removeDeliveredNotificationsWithIdentifiers(&ids);
}

/// Outside of a bundle the system answers the question for the centre with an exception.
fn center() -> Option<Retained<UNUserNotificationCenter>> {
    NSBundle::mainBundle().bundleIdentifier()?;
    Some(UNUserNotificationCenter::currentNotificationCenter())
}
