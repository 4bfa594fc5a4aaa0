//! The app's real window, driven through WebDriver (tauri-driver and WebKitGTK's own driver).
//!
//! Every call has a time limit. The window is drawn as a user's is: no variable switches off WebKit's compositing or its
//! renderer, with which the driver's pictures never come.

use std::net::Ipv4Addr;
use std::process::Stdio;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tokio::process::Child;

use crate::client::Line;
use crate::{Gatehouse, Machine, Screen, artifacts, eventually, need, within};

/// For one answer of the driver.
const ANSWER: Duration = Duration::from_secs(30);
/// Until something can be seen, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);
/// The driver's port, on a machine of the test's own.
const PORT: u16 = 4444;
/// How the protocol calls a reference to an element.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// The tray app, started by the driver, with its window open.
#[derive(Debug)]
pub struct Window {
    machine: Machine,
    session: String,
    _driver: Child,
}

impl Window {
    /// Starts the tray app of this state folder on a screen. It shows its window because it is its first start.
    pub async fn first_start(gatehouse: &Gatehouse, screen: &Screen) -> Self {
        let machine = gatehouse.machine().clone();
        let mut driver = gatehouse.command_of(&need::tauri_driver());
        screen.dress(driver.args(["--port", &PORT.to_string()]));
        let log =
            std::fs::File::create(gatehouse.home.with_extension("driver.log")).expect("a log can be made");
        let output = log.try_clone().expect("a log can be shared");
        let driver =
            driver.stdin(Stdio::null()).stdout(output).stderr(log).spawn().expect("the driver starts");
        let mut window = Self { machine, session: String::new(), _driver: driver };
        // WebKit's own driver, behind this one, listens later.
        eventually("the driver is ready", PATIENCE, async || window.call("GET", "/status", None).await.ok())
            .await;
        let options = json!({ "application": gatehouse.program() });
        let wanted = json!({ "capabilities": { "alwaysMatch": { "tauri:options": options } } });
        let session = window.call("POST", "/session", Some(wanted)).await.expect("the app starts");
        window.session = session["sessionId"].as_str().expect("a session").to_owned();
        window
    }

    /// Clicks the button that is called so, once there is one that can be clicked.
    pub async fn click_button(&self, name: &str) {
        let name = quoted(name);
        self.click(&format!("//button[normalize-space(.)={name} or @aria-label={name}][not(@disabled)]"))
            .await;
    }

    /// Goes to a page by its entry in the sidebar.
    pub async fn go(&self, page: &str) {
        self.click(&format!("//nav//a[.//span[normalize-space(.)={}]]", quoted(page))).await;
    }

    /// Chooses the radio button with this text beside it.
    pub async fn choose(&self, text: &str) {
        self.click(&format!("//label[.//strong[normalize-space(.)={}]]", quoted(text))).await;
    }

    /// Types into the field with this id.
    pub async fn type_into(&self, id: &str, text: &str) {
        let element = self.find(&format!("//*[@id={}]", quoted(id))).await;
        let value = json!({ "text": text });
        self.ask("POST", &format!("/element/{element}/value"), Some(value))
            .await
            .expect("the field takes text");
    }

    /// Everything that can be read.
    pub async fn text(&self) -> String {
        let script = json!({ "script": "return document.body.innerText.replace(/\\s+/g, ' ')", "args": [] });
        let text = self.ask("POST", "/execute/sync", Some(script)).await;
        text.ok().and_then(|text| text.as_str().map(str::to_owned)).unwrap_or_default()
    }

    /// Waits until `wanted` can be read.
    pub async fn reads(&self, wanted: &str) {
        let mut last = String::new();
        let begun = tokio::time::Instant::now();
        while begun.elapsed() < PATIENCE {
            last = self.text().await;
            if last.contains(wanted) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        self.picture("window-at-failure").await;
        panic!("waited in vain for \"{wanted}\"; the window says: {last}");
    }

    /// Keeps a picture of the window's contents under `artifacts/`.
    pub async fn picture(&self, name: &str) {
        let shot = self.ask("GET", "/screenshot", None).await.expect("a picture can be taken");
        let bytes = STANDARD.decode(shot.as_str().expect("a picture")).expect("a picture in base64");
        std::fs::write(artifacts().join(format!("{name}.png")), bytes).expect("the picture can be kept");
    }

    async fn click(&self, path: &str) {
        let clicked = async {
            eventually(path, PATIENCE, async || {
                let element = self.find(path).await;
                // It may have been drawn anew meanwhile, or something may lie above it for a moment.
                self.ask("POST", &format!("/element/{element}/click"), Some(json!({}))).await.ok()
            })
            .await
        };
        clicked.await;
    }

    async fn find(&self, path: &str) -> String {
        let wanted = json!({ "using": "xpath", "value": path });
        let mut last = String::new();
        let begun = tokio::time::Instant::now();
        while begun.elapsed() < PATIENCE {
            match self.ask("POST", "/element", Some(wanted.clone())).await {
                Ok(found) => return found[ELEMENT].as_str().expect("an element").to_owned(),
                Err(error) => last = error.to_string(),
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        self.picture("window-at-failure").await;
        panic!("waited in vain for {path}: {last}; the window says: {}", self.text().await);
    }

    async fn ask(&self, method: &str, path: &str, body: Option<Value>) -> Result<Value, Value> {
        self.call(method, &format!("/session/{}{path}", self.session), body).await
    }

    /// One call: its value, or the driver's error.
    async fn call(&self, method: &str, path: &str, body: Option<Value>) -> Result<Value, Value> {
        let body = body.map(|body| body.to_string()).unwrap_or_default();
        let asking = async {
            let stream = self.machine.connect((Ipv4Addr::LOCALHOST, PORT).into()).await.ok()?;
            let mut line = Line::over(stream);
            let length = body.len();
            line.send(format!(
                "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{PORT}\r\nContent-Type: application/json\r\n\
                 Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
            ))
            .await;
            line.answer().await
        };
        let answer = within(&format!("{method} {path}"), ANSWER, asking).await;
        let answer = answer.ok_or_else(|| json!("the driver does not answer"))?;
        let value = answer.json()["value"].clone();
        if answer.status == 200 { Ok(value) } else { Err(value) }
    }
}

/// As a text of XPath 1.0, which has no way to escape a quotation mark.
fn quoted(text: &str) -> String {
    if text.contains('\'') { format!("\"{text}\"") } else { format!("'{text}'") }
}
