//! The tray's menu, icon and tooltip as data: pure functions of the snapshot, compared whole in tests.

use std::collections::HashMap;
use std::sync::LazyLock;

use gatehouse_api::{Actual, Address, Desired, GatewayVerdict, Scope, Snapshot};
use time::OffsetDateTime;

use crate::output::when::Clock;
use crate::words::Language;

/// What a click does. The ids are stable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Action {
    /// Show the waiting devices.
    Review,
    /// Show what needs attention.
    Problem,
    /// Open the owner's dashboard in the browser of this machine.
    Dashboard,
    /// Stop making the link for it.
    StopDashboard,
    /// Stop the change that is being made.
    Cancel,
    /// Put the clean address on the clipboard.
    CopyLink,
    /// Show the address as a QR code.
    Phone,
    /// Open the address for somebody.
    OpenTo(Scope),
    /// Turn HTTPS off, after a question.
    TurnOff,
    /// Answer 503 for so many seconds, or until told.
    Pause(Option<u64>),
    /// End the pause.
    Resume,
    /// Show the gateway.
    Gateway,
    /// Restart the gateway, after a question.
    RestartGateway,
    /// Host a core here, where none answers.
    StartCore,
    /// Undo the newest change, after a question.
    Undo,
    /// Show the window.
    Window,
    /// Show the settings.
    Settings,
    /// End this program, after saying what happens to HTTPS.
    Quit,
}

impl Action {
    /// The stable id.
    pub(crate) fn id(&self) -> String {
        match self {
            Self::Review => "devices.review".into(),
            Self::Problem => "problem.top".into(),
            Self::Dashboard => "open.dashboard".into(),
            Self::StopDashboard => "open.dashboard.stop".into(),
            Self::Cancel => "cancel".into(),
            Self::CopyLink => "link.copy".into(),
            Self::Phone => "link.qr".into(),
            Self::OpenTo(Scope::Mac) => "expose.mac".into(),
            Self::OpenTo(Scope::Lan) => "expose.lan".into(),
            Self::OpenTo(Scope::Internet) => "expose.internet".into(),
            Self::TurnOff => "expose.off".into(),
            Self::Pause(Some(seconds)) => format!("pause.{seconds}"),
            Self::Pause(None) => "pause.until-resume".into(),
            Self::Resume => "resume".into(),
            Self::Gateway => "gateway.show".into(),
            Self::RestartGateway => "gateway.restart".into(),
            Self::StartCore => "core.start".into(),
            Self::Undo => "undo".into(),
            Self::Window => "window".into(),
            Self::Settings => "settings".into(),
            Self::Quit => "quit".into(),
        }
    }
}

/// A row of the menu.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Entry {
    /// A dimmed line.
    Label {
        /// Its stable id.
        id: &'static str,
        /// Its text.
        text: String,
    },
    /// Something to click.
    Item {
        /// What it does.
        action: Action,
        /// Its text.
        text: String,
        /// Its key, as Tauri writes it.
        key: Option<&'static str>,
        /// Whether it bears a tick; `None` = it has no such mark.
        checked: Option<bool>,
    },
    /// A menu in the menu.
    Submenu {
        /// Its stable id.
        id: &'static str,
        /// Its text.
        text: String,
        /// Its rows.
        entries: Vec<Entry>,
    },
    /// A line.
    Separator,
}

/// One shape per state; no colour carries meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Icon {
    /// The shape.
    pub(crate) shape: Shape,
    /// Whether somebody waits: a dot in the corner.
    pub(crate) waiting: bool,
}

/// The shape of the icon.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Shape {
    /// Off, or no core.
    Off,
    /// A change is under way.
    Preparing,
    /// On and proven.
    On,
    /// On, with a problem.
    Degraded,
    /// Should be on and cannot be.
    Blocked,
    /// Paused.
    Paused,
}

/// Everything that the tray shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tray {
    /// The icon.
    pub(crate) icon: Icon,
    /// Text beside the icon: the number of waiting devices; empty = none.
    pub(crate) title: String,
    /// A full sentence for tooltip and VoiceOver.
    pub(crate) tooltip: String,
    /// The menu.
    pub(crate) menu: Vec<Entry>,
}

/// Whether HTTPS outlives this program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hosting {
    /// The core runs in this process.
    Here,
    /// The core runs elsewhere; this program only shows it.
    Elsewhere,
}

/// What is known of the core.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Core<'a> {
    /// Nothing yet.
    Starting,
    /// None answers.
    Down,
    /// The app is ending.
    Stopping,
    /// Its state.
    Up(&'a Snapshot, Hosting),
}

/// The tray for what is known.
pub(crate) fn tray(core: Core<'_>, language: Language, clock: Clock, now: OffsetDateTime) -> Tray {
    let (snapshot, hosting) = match core {
        Core::Up(snapshot, hosting) => (snapshot, hosting),
        Core::Starting => return bare(language, Shape::Preparing, "menu.starting", true, &[]),
        Core::Stopping => return bare(language, Shape::Preparing, "menu.stopping", false, &[]),
        Core::Down => {
            let start = item(language, Action::StartCore, "core.start");
            return bare(language, Shape::Off, "core.down.title", true, &[start]);
        }
    };
    let pending = snapshot.devices.pending;
    let state = state_line(snapshot, language, clock);
    let tooltip = if pending == 0 {
        language.text("menu.tooltip", &[("state", &state)])
    } else {
        let waiting = language.count("devices.waiting-count", pending);
        language.text("menu.tooltip-waiting", &[("state", &state), ("waiting", &waiting)])
    };
    Tray {
        icon: Icon { shape: shape(&snapshot.actual), waiting: pending > 0 },
        title: if pending == 0 { String::new() } else { pending.to_string() },
        tooltip,
        menu: menu(snapshot, hosting, language, now, state),
    }
}

/// The tray without a core.
fn bare(language: Language, shape: Shape, key: &str, usable: bool, more: &[Entry]) -> Tray {
    let text = language.text(key, &[]);
    let mut menu = vec![Entry::Label { id: "status.line1", text: text.clone() }];
    if usable {
        menu.push(Entry::Separator);
        menu.extend_from_slice(more);
        menu.push(item(language, Action::Window, "menu.window"));
        menu.push(Entry::Separator);
        menu.push(item(language, Action::Quit, "menu.quit"));
    }
    let tooltip = language.text("menu.tooltip", &[("state", &text)]);
    Tray { icon: Icon { shape, waiting: false }, title: String::new(), tooltip, menu }
}

fn shape(actual: &Actual) -> Shape {
    match actual {
        Actual::Off => Shape::Off,
        Actual::Preparing { .. } => Shape::Preparing,
        Actual::On { .. } => Shape::On,
        Actual::Degraded { .. } => Shape::Degraded,
        Actual::Paused { .. } => Shape::Paused,
        Actual::Blocked { .. } => Shape::Blocked,
    }
}

fn menu(
    snapshot: &Snapshot,
    hosting: Hosting,
    language: Language,
    now: OffsetDateTime,
    state: String,
) -> Vec<Entry> {
    let mut rows = vec![Entry::Label { id: "status.line1", text: state }];
    if let Some(text) = second_line(snapshot, language) {
        rows.push(Entry::Label { id: "status.line2", text });
    }
    if let Some(problem) = snapshot.problems.first() {
        let text = format!("⚠ {}", short(&problem.title.in_language(language)));
        rows.push(Entry::Item { action: Action::Problem, text, key: None, checked: None });
    }
    rows.push(Entry::Separator);
    if snapshot.devices.pending > 0 {
        let text = language.count("menu.review", snapshot.devices.pending);
        rows.push(named(Action::Review, text));
        rows.push(Entry::Separator);
    }
    let running = matches!(snapshot.gateway.verdict, GatewayVerdict::Running);
    let changing = matches!(snapshot.actual, Actual::Preparing { .. });
    if best(snapshot).is_some() {
        if running {
            rows.push(item(language, Action::Dashboard, "menu.dashboard"));
        }
        rows.push(item(language, Action::CopyLink, "menu.copy-link"));
        rows.push(item(language, Action::Phone, "menu.phone"));
    }
    if rows.last() != Some(&Entry::Separator) {
        rows.push(Entry::Separator);
    }
    // One change is made at a time: while one is, it can be stopped, and no other begun.
    if changing {
        rows.push(item(language, Action::Cancel, "change.cancel"));
    } else {
        rows.push(expose(snapshot, language));
    }
    if snapshot.desired != Desired::Off && !changing {
        rows.push(match snapshot.actual {
            Actual::Paused { .. } => item(language, Action::Resume, "menu.resume"),
            _ => pause(language),
        });
    }
    rows.push(gateway(snapshot, language));
    if let Some(change) = snapshot.last_change.as_ref().filter(|_| !changing)
        && change.confirm_by.is_none()
        && change.undo_until.is_none_or(|until| now < until)
    {
        let text = language.text("menu.undo", &[("title", &short(&change.title.in_language(language)))]);
        rows.push(named(Action::Undo, text));
    }
    rows.push(Entry::Separator);
    rows.push(item(language, Action::Window, "menu.window"));
    rows.push(item(language, Action::Settings, "menu.settings"));
    rows.push(Entry::Separator);
    let quit = match (hosting, &snapshot.desired) {
        (_, Desired::Off) => "menu.quit",
        (Hosting::Elsewhere, Desired::Open { .. }) => "menu.quit-elsewhere",
        (Hosting::Here, Desired::Open { .. }) => "menu.quit-stops",
    };
    rows.push(item(language, Action::Quit, quit));
    rows
}

fn expose(snapshot: &Snapshot, language: Language) -> Entry {
    let now = match &snapshot.desired {
        Desired::Off => None,
        Desired::Open { scope, .. } => Some(*scope),
    };
    let mut entries: Vec<Entry> =
        [(Scope::Mac, "scope.mac"), (Scope::Lan, "scope.lan"), (Scope::Internet, "scope.internet")]
            .into_iter()
            .map(|(scope, key)| Entry::Item {
                action: Action::OpenTo(scope),
                text: language.text(key, &[]),
                key: None,
                checked: Some(now == Some(scope)),
            })
            .collect();
    if now.is_some() {
        entries.push(Entry::Separator);
        entries.push(item(language, Action::TurnOff, "overview.close"));
    }
    Entry::Submenu { id: "expose", text: language.text("menu.open-to", &[]), entries }
}

fn pause(language: Language) -> Entry {
    let entries = vec![
        item(language, Action::Pause(Some(900)), "menu.pause-15"),
        item(language, Action::Pause(Some(3600)), "menu.pause-60"),
        item(language, Action::Pause(None), "menu.pause-open"),
    ];
    Entry::Submenu { id: "pause", text: language.text("menu.pause", &[]), entries }
}

fn gateway(snapshot: &Snapshot, language: Language) -> Entry {
    let gateway = &snapshot.gateway;
    let mut facts = vec![language.text(&format!("verdict.{}", verdict(gateway.verdict)), &[])];
    facts.extend(gateway.version.clone());
    facts.extend(gateway.pid.map(|pid| language.text("settings.process", &[("pid", &pid.to_string())])));
    let mut entries = vec![
        Entry::Label { id: "gateway.state", text: facts.join(" · ") },
        item(language, Action::Gateway, "menu.gateway"),
    ];
    let changing = matches!(snapshot.actual, Actual::Preparing { .. });
    if matches!(gateway.verdict, GatewayVerdict::Running) && !changing {
        entries.push(item(language, Action::RestartGateway, "menu.gateway-restart"));
    }
    Entry::Submenu { id: "gateway", text: language.text("page.gateway", &[]), entries }
}

fn verdict(verdict: GatewayVerdict) -> &'static str {
    match verdict {
        GatewayVerdict::Running => "running",
        GatewayVerdict::Starting => "starting",
        GatewayVerdict::AuthRefused => "auth-refused",
        GatewayVerdict::Stopped => "stopped",
        GatewayVerdict::PortTaken => "port-taken",
        GatewayVerdict::NotFound => "not-found",
    }
}

fn state_line(snapshot: &Snapshot, language: Language, clock: Clock) -> String {
    let scope = match &snapshot.desired {
        Desired::Off => None,
        Desired::Open { scope: Scope::Mac, .. } => Some("scope.mac"),
        Desired::Open { scope: Scope::Lan, .. } => Some("scope.address.lan"),
        Desired::Open { scope: Scope::Internet, .. } => Some("scope.internet"),
    };
    let scope = scope.map(|key| language.text(key, &[])).unwrap_or_default();
    match &snapshot.actual {
        Actual::Off => language.text("menu.state-off", &[]),
        Actual::Preparing { step, number, of } => {
            let step = serde_json::to_value(step)
                .ok()
                .and_then(|name| name.as_str().map(str::to_owned))
                .unwrap_or_default();
            let step = language.text(&format!("step.{step}"), &[]);
            language.text(
                "actual.preparing",
                &[("number", &number.to_string()), ("of", &of.to_string()), ("step", &step)],
            )
        }
        Actual::On { .. } => language.text("menu.state-on", &[("scope", &scope)]),
        Actual::Degraded { .. } => language.text("menu.state-degraded", &[("scope", &scope)]),
        Actual::Paused { until: None } => language.text("actual.paused", &[]),
        Actual::Paused { until: Some(until) } => {
            language.text("actual.paused-until", &[("time", &clock.time(*until))])
        }
        Actual::Blocked { cause } => {
            language.text("menu.state-blocked", &[("cause", &short(&cause.text.in_language(language)))])
        }
    }
}

fn second_line(snapshot: &Snapshot, language: Language) -> Option<String> {
    if !matches!(snapshot.gateway.verdict, GatewayVerdict::Running) {
        let verdict = language.text(&format!("verdict.{}", verdict(snapshot.gateway.verdict)), &[]);
        return Some(format!("{}: {verdict}", language.text("page.gateway", &[])));
    }
    best(snapshot).map(|address| address.url.clone())
}

/// All rows in the order in which they are seen, submenus before what is in them.
pub(crate) fn flat(entries: &[Entry]) -> Vec<&Entry> {
    let rows = entries.iter().flat_map(|entry| match entry {
        Entry::Submenu { entries, .. } => [vec![entry], flat(entries)].concat(),
        Entry::Label { .. } | Entry::Item { .. } | Entry::Separator => vec![entry],
    });
    rows.collect()
}

/// Whether one menu becomes the other by writing other texts and ticks into it.
pub(crate) fn is_alike(one: &[Entry], other: &[Entry]) -> bool {
    let alike = |(one, other): (&Entry, &Entry)| match (one, other) {
        (Entry::Separator, Entry::Separator) => true,
        (Entry::Label { id: one, .. }, Entry::Label { id: other, .. }) => one == other,
        (
            Entry::Item { action, key, checked, .. },
            Entry::Item { action: other, key: keys, checked: ticks, .. },
        ) => action == other && key == keys && checked.is_some() == ticks.is_some(),
        (Entry::Submenu { id, entries, .. }, Entry::Submenu { id: other, entries: others, .. }) => {
            id == other && is_alike(entries, others)
        }
        _ => false,
    };
    one.len() == other.len() && one.iter().zip(other).all(alike)
}

/// The address that is shown and copied: the first that others can use, else the first.
pub(crate) fn best(snapshot: &Snapshot) -> Option<&Address> {
    let others = |address: &&Address| !matches!(address.scope, gatehouse_api::AddressScope::Mac);
    snapshot.addresses.iter().find(others).or_else(|| snapshot.addresses.first())
}

fn item(language: Language, action: Action, key: &str) -> Entry {
    named(action, language.text(key, &[]))
}

fn named(action: Action, text: String) -> Entry {
    let key = accelerator(&action.id());
    Entry::Item { action, text, key, checked: None }
}

/// The key of an action, as Tauri writes it. Window and tray have it from one table.
pub(crate) fn accelerator(id: &str) -> Option<&'static str> {
    static KEYS: LazyLock<HashMap<String, String>> = LazyLock::new(|| {
        let table: HashMap<String, ActionRow> =
            serde_json::from_str(include_str!("../../../catalogue/actions.json")).unwrap_or_default();
        let key = |(id, row): (String, ActionRow)| Some((id, format!("CmdOrCtrl+{}", row.key?)));
        table.into_iter().filter_map(key).collect()
    });
    KEYS.get(id).map(String::as_str)
}

#[derive(serde::Deserialize)]
struct ActionRow {
    #[serde(default)]
    key: Option<String>,
}

/// The tray while the link for the dashboard is made: that is said where it was asked for, and can be stopped.
pub(crate) fn opening_dashboard(mut tray: Tray, language: Language) -> Tray {
    let asked = |entry: &Entry| matches!(entry, Entry::Item { action: Action::Dashboard, .. });
    if let Some(at) = tray.menu.iter().position(asked) {
        let label = Entry::Label { id: "open.dashboard", text: language.text("menu.dashboard-making", &[]) };
        tray.menu.splice(at..=at, [label, item(language, Action::StopDashboard, "menu.dashboard-cancel")]);
    }
    tray
}

/// At most 60 characters: a menu is not a page.
fn short(text: &str) -> String {
    if text.chars().count() <= 60 {
        return text.to_owned();
    }
    let mut cut: String = text.chars().take(59).collect();
    cut.push('…');
    cut
}

#[cfg(test)]
mod tests;
