//! The gateway's token in the keychain, and the program by which the gateway asks for it.
//!
//! Guarantees: "there is none" is believed only where no marker says otherwise, so a token is never made anew because a
//! keychain was locked; a keychain that did not answer is not asked again by itself for a while; every call ends within
//! its limit. All calls may block: not for async threads.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use gatehouse_api::{Code, ErrorEnvelope, say};
use gatehouse_files::{create_private_folder, write_atomic};
use gatehouse_host::home::Home;
use gatehouse_host::secrets::{Found, Kind, Preference, SecretError, Secrets};
use gatehouse_openclaw::config::KeyPath;
use gatehouse_openclaw::discovery::{Auth, Gateway, TokenSource};
use secrecy::SecretString;
use serde_json::{Value, json};

use crate::errors::{self, Explain};

/// The name of the secret, and by which the gateway asks for it.
pub const NAME: &str = "gateway-token";
/// The token from before a change, until the new one has proven itself.
const ASIDE: &str = "gateway-token.before";
/// The gateway's name for our program.
const PROVIDER: &str = "gatehouse";
/// How long a keychain may take where nobody asked for the token.
const UNASKED: Duration = Duration::from_secs(3);
/// After a refusal nobody is asked again by itself for so long: each time may be a dialog.
const LEAVE_ALONE: Duration = Duration::from_secs(60);
/// How long the gateway waits for our program, in milliseconds, and we where we try it.
const PROGRAM_LIMIT: u64 = 10_000;
/// How long the core may take to answer that program; then the keychain itself is asked.
const STORED_LIMIT: Duration = Duration::from_secs(5);

/// See the module.
#[derive(Debug)]
pub struct TokenStore {
    secrets: Arc<Secrets>,
    home: PathBuf,
    helper: PathBuf,
    memory: Mutex<Memory>,
}

#[derive(Debug, Default)]
struct Memory {
    token: Option<SecretString>,
    refused: Option<(Instant, SecretError)>,
}

impl TokenStore {
    /// The token of one state folder. Asks nobody.
    pub fn new(secrets: Arc<Secrets>, home: &Home) -> Self {
        let (folder, helper) = (home.path().to_path_buf(), home.token_helper());
        Self { secrets, home: folder, helper, memory: Mutex::default() }
    }

    /// Where secrets are kept.
    pub(crate) fn kind(&self) -> Kind {
        self.secrets.kind()
    }

    /// Whether a token was ever stored, as its marker says. A marker that cannot be read counts as one.
    pub(crate) fn known(&self) -> bool {
        !matches!(self.secrets.known(NAME), Ok(None))
    }

    /// Asks for the token, because a person wants to know.
    pub(crate) fn ask(&self, limit: Duration) -> Result<Option<Found>, SecretError> {
        let found = self.secrets.find(NAME, limit);
        let mut memory = self.memory();
        match &found {
            Ok(found) => {
                memory.token = found.as_ref().map(|found| found.value.clone());
                memory.refused = None;
            }
            Err(error) => memory.refused = Some((Instant::now(), error.clone())),
        }
        drop(memory);
        found
    }

    /// The token as it was last seen, else as the keychain has it. Does not bother its owner again and again.
    pub(crate) fn held(&self) -> Result<Option<SecretString>, SecretError> {
        {
            let memory = self.memory();
            if let Some(token) = &memory.token {
                return Ok(Some(token.clone()));
            }
            if let Some((at, error)) = &memory.refused
                && at.elapsed() < LEAVE_ALONE
            {
                return Err(error.clone());
            }
        }
        if !self.known() {
            return Ok(None);
        }
        Ok(self.ask(UNASKED)?.map(|found| found.value))
    }

    /// Stores it.
    pub(crate) fn store(&self, token: &SecretString) -> Result<(), SecretError> {
        self.secrets.put(NAME, token)?;
        let mut memory = self.memory();
        memory.token = Some(token.clone());
        memory.refused = None;
        Ok(())
    }

    /// Forgets it, and takes the program away.
    pub(crate) fn forget(&self) -> Result<(), SecretError> {
        self.secrets.remove(NAME)?;
        *self.memory() = Memory::default();
        match fs::remove_file(&self.helper) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                tracing::warn!(path = %self.helper.display(), %error, "the gateway's program for its token stays");
            }
            Ok(()) | Err(_) => {}
        }
        Ok(())
    }

    /// Keeps the token from before a change.
    pub(crate) fn set_aside(&self, token: &SecretString) -> Result<(), SecretError> {
        self.secrets.put(ASIDE, token)
    }

    /// The token from before a change that has not proven itself.
    pub(crate) fn aside(&self) -> Result<Option<SecretString>, SecretError> {
        match self.secrets.known(ASIDE)? {
            Some(_) => self.secrets.get(ASIDE),
            None => Ok(None),
        }
    }

    /// Forgets the token from before a change.
    pub(crate) fn drop_aside(&self) -> Result<(), SecretError> {
        match self.secrets.known(ASIDE)? {
            Some(_) => self.secrets.remove(ASIDE),
            None => Ok(()),
        }
    }

    /// Whether the gateway asks our program.
    pub(crate) fn is_ours(&self, source: &TokenSource) -> bool {
        matches!(source, TokenSource::Program { command: Some(command), id } if *command == self.helper && id == NAME)
    }

    /// A gateway whose secret its files do not tell, with the token that is kept here.
    pub(crate) fn resolved(&self, gateway: Gateway) -> Gateway {
        if !matches!(gateway.auth, Auth::Unresolvable { .. }) || !self.known() {
            return gateway;
        }
        match self.held() {
            Ok(Some(token)) => Gateway { auth: Auth::Token(token), ..gateway },
            Ok(None) => gateway,
            Err(error) => Gateway {
                auth: Auth::Unresolvable { reason: errors::capital(&error.to_string()) },
                ..gateway
            },
        }
    }

    /// Where the token stands in the gateway's configuration, and what stands there.
    pub(crate) fn reference() -> Value {
        json!({"source": "exec", "provider": PROVIDER, "id": NAME})
    }

    /// Where the gateway's configuration names our program.
    pub(crate) fn provider_path() -> KeyPath {
        KeyPath::new(["secrets", "providers", PROVIDER])
    }

    /// How the gateway runs our program. Its environment is empty but for what is passed on: the session's bus leads to
    /// the Secret Service.
    pub(crate) fn provider(&self) -> Value {
        json!({
            "source": "exec",
            "command": self.helper.display().to_string(),
            "passEnv": ["HOME", "DBUS_SESSION_BUS_ADDRESS", "XDG_RUNTIME_DIR", "XDG_DATA_HOME", "TMPDIR"],
            "timeoutMs": PROGRAM_LIMIT,
        })
    }

    /// Writes the program that the gateway runs. The gateway wants a file of its own user that nobody else may write and
    /// that is no link: the installed program is root's on many a machine, so a small script leads to it.
    pub(crate) fn write_helper(&self) -> Result<(), ErrorEnvelope> {
        let program =
            std::env::current_exe().map(crate::presence::place).map_err(|error| self.not_written(&error))?;
        // What was there before leads to a program that is; this would not.
        if !program.exists() {
            let gone = io::Error::new(io::ErrorKind::NotFound, program.display().to_string());
            return Err(self.not_written(&gone));
        }
        let text = script(&self.home, &program);
        if fs::read_to_string(&self.helper).is_ok_and(|there| there == text) {
            return Ok(());
        }
        let folder = self.helper.parent().unwrap_or(&self.home);
        create_private_folder(folder)
            .and_then(|()| write_atomic(&self.helper, text.as_bytes(), 0o700))
            .map_err(|error| self.not_written(&error))
    }

    /// The program after an update of Gatehouse may be elsewhere.
    pub(crate) fn refresh_helper(&self) {
        if self.helper.exists()
            && let Err(error) = self.write_helper()
        {
            tracing::warn!(%error, "the gateway's program for its token could not be brought up to date");
        }
    }

    /// Runs the program as the gateway does, and makes sure that it gives `token`.
    pub(crate) fn try_helper(&self, token: &SecretString) -> Result<(), ErrorEnvelope> {
        use secrecy::ExposeSecret as _;
        let answer = self.run_helper().map_err(|error| self.not_answering(error.to_string()))?;
        let given = answer.pointer(&format!("/values/{NAME}")).and_then(Value::as_str);
        match given {
            Some(given) if given == token.expose_secret() => Ok(()),
            Some(_) => Err(self.not_answering("it gave another token".to_owned())),
            None => Err(self.not_answering("it gave no token".to_owned())),
        }
    }

    fn run_helper(&self) -> io::Result<Value> {
        let passed = ["HOME", "DBUS_SESSION_BUS_ADDRESS", "XDG_RUNTIME_DIR", "XDG_DATA_HOME", "TMPDIR"];
        let mut child = Command::new(&self.helper)
            .env_clear()
            .envs(passed.iter().filter_map(|name| Some((name, std::env::var_os(name)?))))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        if let Some(mut stdin) = child.stdin.take() {
            let request = json!({"protocolVersion": 1, "provider": PROVIDER, "ids": [NAME]});
            // A program that reads nothing may have answered all the same.
            let _ = stdin.write_all(request.to_string().as_bytes());
        }
        let until = Instant::now() + Duration::from_millis(PROGRAM_LIMIT);
        while child.try_wait()?.is_none() {
            if Instant::now() >= until {
                child.kill()?;
                child.wait()?;
                return Err(io::ErrorKind::TimedOut.into());
            }
            std::thread::park_timeout(Duration::from_millis(20));
        }
        let output = child.wait_with_output()?;
        serde_json::from_slice(&output.stdout).map_err(|_| io::Error::other("its answer is not readable"))
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn not_written(&self, error: &io::Error) -> ErrorEnvelope {
        errors::file(say!("core.token.helper-written"), &self.helper, error)
    }

    fn not_answering(&self, why: String) -> ErrorEnvelope {
        ErrorEnvelope::new(
            Code::Failed,
            say!("core.token.helper-fails"),
            say!("core.token.helper-fails-because", path = self.helper.display(), why = why),
        )
        .fix(say!("core.report"))
    }
}

/// The token for the gateway where no core runs: straight from the store. Blocks for at most 10 s.
///
/// # Errors
/// Why it cannot be had; `not-found` where none was ever stored.
pub fn stored(home: &Home) -> Result<SecretString, ErrorEnvelope> {
    let secrets = Secrets::open(&home.secrets(), Preference::Keychain);
    match secrets.known(NAME).map_err(|error| error.explain())? {
        Some(_) => {}
        None => return Err(none_stored()),
    }
    let found = secrets.find(NAME, STORED_LIMIT).map_err(|error| error.explain())?;
    found.map(|found| found.value).ok_or_else(none_stored)
}

pub(crate) fn none_stored() -> ErrorEnvelope {
    ErrorEnvelope::new(Code::NotFound, say!("core.token.none-stored"), say!("core.token.none-stored-because"))
        .fix_with(say!("core.look.token"), "gatehouse token status")
}

/// It holds no secret.
fn script(home: &Path, program: &Path) -> String {
    let quoted = |path: &Path| format!("'{}'", path.display().to_string().replace('\'', r"'\''"));
    format!(
        "#!/bin/sh\n# Made by Gatehouse: gives the gateway its token. Holds no secret.\nexport GATEHOUSE_HOME={}\nexec {} secret-ref\n",
        quoted(home),
        quoted(program)
    )
}

#[cfg(test)]
mod tests;
