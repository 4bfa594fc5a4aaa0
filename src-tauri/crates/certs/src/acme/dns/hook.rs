//! A program of the user's own that sets TXT records.
//!
//! It is called as `PROGRAM present NAME VALUE` and `PROGRAM remove NAME VALUE`, with the same in
//! `GATEHOUSE_DNS_ACTION`, `GATEHOUSE_DNS_NAME` and `GATEHOUSE_DNS_VALUE`, and of the environment only `PATH`, `HOME` and
//! `LANG`. `NAME` ends without a dot; `VALUE` is public (it will stand in DNS). Secrets are the program's own affair: it
//! reads them from a file of its own. It has 60 seconds, and exit status 0 means done. `remove` must also succeed where
//! there is no such record.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use async_trait::async_trait;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::Command;

use super::DnsProvider;

const LIMIT: Duration = Duration::from_secs(60);
const MOST_OUTPUT: u64 = 2048;
const KEPT: [&str; 3] = ["PATH", "HOME", "LANG"];

/// Calls the program.
#[derive(Debug, Clone)]
pub struct Hook {
    program: PathBuf,
    settle: Duration,
    limit: Duration,
}

impl Hook {
    /// Calls `program`; its records are visible after `settle` at the latest.
    pub fn new(program: PathBuf, settle: Duration) -> Self {
        Self { program, settle, limit: LIMIT }
    }

    async fn call(&self, action: &str, name: &str, value: &str) -> Result<(), String> {
        let shown = self.program.display();
        if !self.program.is_absolute() {
            return Err(format!("{shown}: give the whole path of the program"));
        }
        let mut command = Command::new(&self.program);
        command.args([action, name, value]).env_clear();
        for key in KEPT {
            if let Some(value) = std::env::var_os(key) {
                command.env(key, value);
            }
        }
        let mut child = command
            .env("GATEHOUSE_DNS_ACTION", action)
            .env("GATEHOUSE_DNS_NAME", name)
            .env("GATEHOUSE_DNS_VALUE", value)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| format!("{shown} cannot be started: {error}"))?;
        let said = child.stderr.take();
        let ended = async {
            let said = match said {
                Some(stream) => bounded(stream).await,
                None => String::new(),
            };
            (child.wait().await, said)
        };
        match tokio::time::timeout(self.limit, ended).await {
            Err(_) => Err(format!("{shown} {action} did not end within {} s", self.limit.as_secs())),
            Ok((Err(error), _)) => Err(format!("{shown}: {error}")),
            Ok((Ok(status), _)) if status.success() => Ok(()),
            Ok((Ok(status), said)) => Err(format!("{shown} {action} ended with {status}: {}", said.trim())),
        }
    }
}

/// The first of what it says; the rest is read and forgotten, so that it never waits for us.
async fn bounded(mut stream: impl AsyncRead + Unpin) -> String {
    let mut said = Vec::new();
    let _ = (&mut stream).take(MOST_OUTPUT).read_to_end(&mut said).await;
    let _ = tokio::io::copy(&mut stream, &mut tokio::io::sink()).await;
    String::from_utf8_lossy(&said).into_owned()
}

#[async_trait]
impl DnsProvider for Hook {
    async fn present(&self, name: &str, value: &str) -> Result<(), String> {
        self.call("present", name, value).await
    }

    async fn remove(&self, name: &str, value: &str) -> Result<(), String> {
        self.call("remove", name, value).await
    }

    fn settle(&self) -> Duration {
        self.settle
    }
}
