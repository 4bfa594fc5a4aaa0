//! A tray icon: found and clicked as a person does it, and asked over the session bus (StatusNotifierItem, dbusmenu).

use std::collections::HashMap;
use std::time::Duration;

use zbus::Proxy;
use zbus::zvariant::{OwnedValue, Value};

use super::picture::Place;
use super::{PANEL, PATIENCE, Picture, Screen};
use crate::eventually;

/// A program's icon in the tray.
#[derive(Debug)]
pub struct Tray<'screen> {
    screen: &'screen Screen,
    owner: String,
    item: String,
}

/// A row of the tray's menu, with what is below it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MenuRow {
    /// Its number on the bus.
    pub id: i32,
    /// What it says; empty = a separating line.
    pub text: String,
    /// Whether it can be clicked.
    pub enabled: bool,
    /// Whether it bears a tick.
    pub ticked: bool,
}

type Layout = (i32, HashMap<String, OwnedValue>, Vec<OwnedValue>);

pub(super) async fn watcher(bus: &zbus::Connection) -> zbus::Result<Proxy<'static>> {
    const NAME: &str = "org.kde.StatusNotifierWatcher";
    zbus::proxy::Builder::new(bus)
        .destination(NAME)?
        .path("/StatusNotifierWatcher")?
        .interface(NAME)?
        .cache_properties(zbus::proxy::CacheProperties::No)
        .build()
        .await
}

impl<'screen> Tray<'screen> {
    pub(super) async fn find(screen: &'screen Screen) -> Option<Self> {
        let watcher = watcher(&screen.bus).await.ok()?;
        let items: Vec<String> = watcher.get_property("RegisteredStatusNotifierItems").await.ok()?;
        let item = items.into_iter().next()?;
        // `:1.7@/org/ayatana/…`, or without the `@`.
        let (owner, path) = item.split_at(item.find('/')?);
        Some(Self { screen, owner: owner.trim_end_matches('@').to_owned(), item: path.to_owned() })
    }

    /// The text beside the icon.
    pub async fn label(&self) -> String {
        self.proxy(&self.item, "org.kde.StatusNotifierItem")
            .await
            .get_property("XAyatanaLabel")
            .await
            .unwrap_or_default()
    }

    /// Every row of the menu in the order in which they are seen, submenus before what is in them.
    pub async fn rows(&self) -> Vec<MenuRow> {
        let (_, root): (u32, Layout) = self
            .menu()
            .await
            .call("GetLayout", &(0_i32, -1_i32, Vec::<String>::new()))
            .await
            .expect("the menu can be asked");
        let mut rows = Vec::new();
        flatten(root, &mut rows);
        // The first is the menu itself.
        rows.split_off(1)
    }

    /// Waits until a row says something that contains `wanted`.
    pub async fn says(&self, wanted: &str) -> MenuRow {
        eventually(&format!("the menu says \"{wanted}\""), PATIENCE, async || {
            self.rows().await.into_iter().find(|row| row.text.contains(wanted))
        })
        .await
    }

    /// Activates the row that says `text`, as an accessibility tool would.
    pub async fn activate(&self, text: &str) {
        let row = self.says(text).await;
        assert!(row.enabled, "{text} cannot be clicked");
        let nothing = Value::from(0_i32);
        let () = self
            .menu()
            .await
            .call("Event", &(row.id, "clicked", nothing, 0_u32))
            .await
            .expect("the row can be activated");
    }

    /// Where the icon is, found by what the program changed in the panel.
    pub async fn place(&self) -> Place {
        eventually("the icon can be seen", PATIENCE, async || {
            let panel = Place { x: 0, y: 0, width: 1280, height: PANEL };
            self.screen.settled().await.difference(&self.screen.empty, Some(panel)).await
        })
        .await
    }

    /// Opens the menu with a click, and gives the picture and where the menu is in it.
    pub async fn opened(&self) -> (Picture, Place) {
        let icon = self.place().await;
        let before = self.screen.settled().await;
        self.screen.click(icon.middle()).await;
        let below = Place { x: 0, y: PANEL, width: 1280, height: 800 - PANEL };
        eventually("the menu opens", Duration::from_secs(20), async || {
            let now = self.screen.settled().await;
            let menu = now.difference(&before, Some(below)).await?;
            Some((now, menu))
        })
        .await
    }

    async fn menu(&self) -> Proxy<'_> {
        let item = self.proxy(&self.item, "org.kde.StatusNotifierItem").await;
        let path: zbus::zvariant::OwnedObjectPath =
            item.get_property("Menu").await.expect("the item has a menu");
        self.proxy(path.as_str(), "com.canonical.dbusmenu").await
    }

    async fn proxy(&self, path: &str, interface: &'static str) -> Proxy<'_> {
        zbus::proxy::Builder::new(&self.screen.bus)
            .destination(self.owner.clone())
            .and_then(|proxy| proxy.path(path.to_owned()))
            .and_then(|proxy| proxy.interface(interface))
            .expect("names of the bus")
            .cache_properties(zbus::proxy::CacheProperties::No)
            .build()
            .await
            .expect("the program is on the bus")
    }
}

fn flatten((id, properties, children): Layout, rows: &mut Vec<MenuRow>) {
    let text =
        |name: &str| properties.get(name).and_then(|value| <&str>::try_from(value).ok()).unwrap_or_default();
    let is = |name: &str| properties.get(name).and_then(|value| bool::try_from(value).ok());
    rows.push(MenuRow {
        id,
        // An underscore marks the letter of a key.
        text: text("label").replace("__", "\u{1}").replace('_', "").replace('\u{1}', "_"),
        enabled: is("enabled").unwrap_or(true),
        ticked: properties.get("toggle-state").and_then(|value| i32::try_from(value).ok()) == Some(1),
    });
    for child in children {
        flatten(Value::from(child).try_into().expect("a row of the menu"), rows);
    }
}
