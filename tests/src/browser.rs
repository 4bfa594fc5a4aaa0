//! Chromium, headless, on one of the machines, driven over its debugging pipe.
//!
//! It trusts an authority the way a user's browser does: from its own certificate store. No flag relaxes anything about
//! certificates.

use std::collections::HashMap;
use std::path::Path;
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout};
use tokio::sync::oneshot;

use crate::{Machine, artifacts, eventually, within};

const START: &str = r#"exec chromium --headless --no-sandbox --disable-gpu --disable-quic --no-first-run \
  --disable-background-networking --disable-component-update --disable-sync --disable-dev-shm-usage \
  --user-data-dir="$HOME/profile" --window-size=1280,900 --remote-debugging-pipe about:blank 3<&0 4>&1 >/dev/null 2>"$HOME/chromium.log""#;

const PATIENCE: Duration = Duration::from_secs(60);

type Waiting = Arc<Mutex<HashMap<u64, oneshot::Sender<Value>>>>;

/// A running browser.
#[derive(Debug)]
pub struct Browser {
    _child: Child,
    wire: tokio::sync::Mutex<Wire>,
    waiting: Waiting,
}

#[derive(Debug)]
struct Wire {
    stdin: ChildStdin,
    sent: u64,
}

/// One tab.
#[derive(Debug)]
pub struct Page<'browser> {
    browser: &'browser Browser,
    session: String,
}

impl Browser {
    /// Starts one on `machine` with an empty profile in `home`, whose store trusts the authority `ca` (PEM).
    pub async fn start(machine: &Machine, home: &Path, ca: &str) -> Self {
        trust(machine, home, ca).await;
        Self::untouched(machine, home).await
    }

    /// Starts one on `machine` for the user whose home folder is `home`, with the store that this user has.
    pub async fn untouched(machine: &Machine, home: &Path) -> Self {
        let mut child = machine
            .command("sh")
            .args(["-c", START])
            .env("HOME", home)
            .current_dir(home)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("chromium starts");
        let stdin = child.stdin.take().expect("the browser's input is ours");
        let stdout = child.stdout.take().expect("the browser's output is ours");
        let waiting = Waiting::default();
        tokio::spawn(listen(stdout, Arc::clone(&waiting)));
        Self { _child: child, wire: tokio::sync::Mutex::new(Wire { stdin, sent: 0 }), waiting }
    }

    /// Opens `url` in a new tab.
    pub async fn open(&self, url: &str) -> Page<'_> {
        let target = self.call(None, "Target.createTarget", json!({ "url": "about:blank" })).await;
        let attach = json!({ "targetId": target["targetId"], "flatten": true });
        let session = self.call(None, "Target.attachToTarget", attach).await;
        let session = session["sessionId"].as_str().expect("a session").to_owned();
        let page = Page { browser: self, session };
        page.go(url).await;
        page
    }

    async fn call(&self, session: Option<&str>, method: &str, params: Value) -> Value {
        let answer = {
            let mut wire = self.wire.lock().await;
            wire.sent += 1;
            let mut message = json!({ "id": wire.sent, "method": method, "params": params });
            if let Some(session) = session {
                message["sessionId"] = json!(session);
            }
            let (sender, answer) = oneshot::channel();
            self.waiting.lock().expect("no test panics here").insert(wire.sent, sender);
            let mut bytes = message.to_string().into_bytes();
            bytes.push(0);
            wire.stdin.write_all(&bytes).await.expect("the browser listens");
            answer
        };
        let answer = within(method, PATIENCE, answer).await.expect("the browser is there");
        assert!(answer["error"].is_null(), "{method}: {}", answer["error"]);
        answer["result"].clone()
    }
}

impl Page<'_> {
    /// Goes to `url`; gives the browser's error text, empty where the page came.
    pub async fn go(&self, url: &str) -> String {
        let gone = self.call("Page.navigate", json!({ "url": url })).await;
        gone["errorText"].as_str().unwrap_or_default().to_owned()
    }

    /// Evaluates a JavaScript expression; promises are awaited.
    pub async fn eval(&self, expression: &str) -> Value {
        let params = json!({ "expression": expression, "awaitPromise": true, "returnByValue": true });
        self.call("Runtime.evaluate", params).await["result"]["value"].clone()
    }

    /// Everything that can be read on the page, shadow roots included.
    pub async fn text(&self) -> String {
        let script = "(() => { const read = node => { let text = node.innerText ?? ''; \
            for (const below of node.querySelectorAll('*')) if (below.shadowRoot) \
            for (const child of below.shadowRoot.children) text += '\\n' + read(child); return text; }; \
            return document.body ? read(document.body).replace(/\\s+/g, ' ') : ''; })()";
        self.eval(script).await.as_str().unwrap_or_default().to_owned()
    }

    /// Waits until `wanted` can be read on the page; gives the whole text.
    pub async fn reads(&self, wanted: &str, limit: Duration) -> String {
        eventually(&format!("the page says \"{wanted}\""), limit, async || {
            let text = self.text().await;
            text.contains(wanted).then_some(text)
        })
        .await
    }

    /// Waits until a JavaScript expression is true.
    pub async fn holds(&self, expression: &str, limit: Duration) {
        eventually(expression, limit, async || (self.eval(expression).await == true).then_some(())).await;
    }

    /// Keeps a picture of the page under `artifacts/`.
    pub async fn picture(&self, name: &str) {
        let shot = self.call("Page.captureScreenshot", json!({ "format": "png" })).await;
        let bytes = STANDARD.decode(shot["data"].as_str().expect("a picture")).expect("a picture in base64");
        std::fs::write(artifacts().join(format!("{name}.png")), bytes).expect("the picture can be kept");
    }

    async fn call(&self, method: &str, params: Value) -> Value {
        self.browser.call(Some(&self.session), method, params).await
    }
}

async fn trust(machine: &Machine, home: &Path, ca: &str) {
    let store = home.join(".pki/nssdb");
    std::fs::create_dir_all(&store).expect("a certificate store can be made");
    let file = home.join("authority.pem");
    std::fs::write(&file, ca).expect("the authority can be written");
    let store = format!("sql:{}", store.display());
    let file = file.to_str().expect("a path of letters");
    let steps: [&[&str]; 2] = [
        &["-d", &store, "-N", "--empty-password"],
        &["-d", &store, "-A", "-t", "C,,", "-n", "Gatehouse", "-i", file],
    ];
    for arguments in steps {
        let done = machine.command("certutil").args(arguments).output().await.expect("certutil starts");
        assert!(done.status.success(), "certutil {arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
    }
}

async fn listen(stdout: ChildStdout, waiting: Waiting) {
    let mut messages = BufReader::new(stdout);
    let mut bytes = Vec::new();
    while messages.read_until(0, &mut bytes).await.is_ok_and(|count| count > 0) {
        bytes.pop();
        let message: Value = serde_json::from_slice(&bytes).unwrap_or_default();
        let asked = message["id"].as_u64().and_then(|id| waiting.lock().ok()?.remove(&id));
        if let Some(asked) = asked {
            let _ = asked.send(message);
        }
        bytes.clear();
    }
}
