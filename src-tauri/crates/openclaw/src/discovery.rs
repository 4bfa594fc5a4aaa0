//! Finding the user's gateway: which file, which port, which secret, which program. Reads only.
//!
//! The rules are the gateway's own: `OPENCLAW_CONFIG_PATH`, `OPENCLAW_STATE_DIR`, `OPENCLAW_HOME`, `OPENCLAW_PROFILE`,
//! then `~/.openclaw`, then the older names. What a *running* gateway really uses is in
//! [`Hello`](crate::client::Hello).

mod auth;
mod places;
pub(crate) mod program;

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use secrecy::SecretString;
use serde_json::Value;

use crate::config::{ConfigError, View, file};

/// Where a gateway listens unless told otherwise.
pub const DEFAULT_PORT: u16 = 18789;
const DEV_PORT: u16 = 19001;

/// What the search starts from. Tests make their own; nothing else here reads the process environment.
#[derive(Clone, Default)]
pub struct Environment {
    /// Environment variables. `Debug` shows only their names.
    pub variables: BTreeMap<String, String>,
    /// The user's home folder.
    pub home: PathBuf,
    /// Gatehouse's own installation of OpenClaw, where it may be (see [`crate::install`]).
    pub own_install: Option<PathBuf>,
}

/// A gateway as its files describe it. Whether it runs is [`crate::probe`]'s business.
#[derive(Debug, Clone)]
pub struct Gateway {
    /// The configuration file; it need not exist.
    pub config_path: PathBuf,
    /// Whether it exists.
    pub config_exists: bool,
    /// The folder of state.
    pub state_dir: PathBuf,
    /// The profile, where one is chosen.
    pub profile: Option<String>,
    /// The port it listens on.
    pub port: u16,
    /// Where the port comes from.
    pub port_source: PortSource,
    /// `gateway.bind`; `None` = the default, loopback.
    pub bind: Option<String>,
    /// What it asks clients for.
    pub auth: Auth,
    /// Where `gateway.auth.token` comes from.
    pub token_source: TokenSource,
    /// `gateway.controlUi.basePath`.
    pub base_path: Option<String>,
    /// The `openclaw` program.
    pub program: Option<PathBuf>,
    /// Where the program was found.
    pub program_source: Option<ProgramSource>,
}

/// Where a port number comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PortSource {
    /// `OPENCLAW_GATEWAY_PORT`.
    Environment,
    /// `gateway.port`.
    Config,
    /// 18789.
    Default,
}

/// Where the shared token comes from. Holds no secret.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum TokenSource {
    /// There is none in the configuration.
    #[default]
    Absent,
    /// It stands there in plain text.
    Plain,
    /// A program gives it (a SecretRef of kind `exec`).
    Program {
        /// Which, where its provider is configured.
        command: Option<PathBuf>,
        /// What it is asked for.
        id: String,
    },
    /// A variable, or another kind of SecretRef.
    Elsewhere,
}

/// Where a program was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProgramSource {
    /// On `PATH`.
    Path,
    /// In a folder where installers put it.
    UsualPlace,
    /// Gatehouse's own installation.
    Own,
}

/// What the gateway asks clients for.
#[derive(Clone)]
pub enum Auth {
    /// A shared token.
    Token(SecretString),
    /// A shared password.
    Password(SecretString),
    /// Nothing: `auth.mode` is `none`.
    None,
    /// No secret is configured: the gateway invents one at each start that nobody can read.
    Missing,
    /// An identity header; the password is for local programs.
    TrustedProxy {
        /// The local password, where there is one.
        password: Option<SecretString>,
    },
    /// A secret exists but cannot be read here.
    Unresolvable {
        /// Why, as a sentence.
        reason: String,
    },
}

/// Why no gateway was found.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DiscoveryError {
    /// Neither a configuration nor a program.
    #[error("no OpenClaw gateway is installed or configured here")]
    NotFound {
        /// Where was looked, in order.
        looked: Vec<PathBuf>,
    },
    /// The configuration exists but cannot be understood.
    #[error("{} cannot be read: {because}", path.display())]
    Config {
        /// The file.
        path: PathBuf,
        /// Why.
        because: String,
    },
    /// A variable has a value that makes no sense.
    #[error("{name} is not usable: {because}")]
    Variable {
        /// Its name.
        name: &'static str,
        /// Why.
        because: String,
    },
}

impl Environment {
    /// The environment of this process.
    #[must_use]
    pub fn from_process() -> Self {
        let variables: BTreeMap<String, String> = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        let home = variables.get("HOME").map(PathBuf::from).unwrap_or_default();
        Self { variables, home, own_install: None }
    }

    /// A variable, trimmed; an empty one counts as not set, as the gateway sees it.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(|value| value.trim()).filter(|value| !value.is_empty())
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Environment")
            .field("variables", &self.variables.keys().collect::<Vec<_>>())
            .field("home", &self.home)
            .field("own_install", &self.own_install)
            .finish()
    }
}

impl fmt::Debug for Auth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Token(_) => "Token",
            Self::Password(_) => "Password",
            Self::None => "None",
            Self::Missing => "Missing",
            Self::TrustedProxy { password: Some(_) } => "TrustedProxy with password",
            Self::TrustedProxy { password: None } => "TrustedProxy",
            Self::Unresolvable { .. } => "Unresolvable",
        })
    }
}

/// Finds the gateway.
///
/// # Errors
/// [`DiscoveryError`]; a missing configuration file is no error while the program is there.
pub fn discover(environment: &Environment) -> Result<Gateway, DiscoveryError> {
    let places = places::find(environment);
    let (program, program_source) = program::find(environment).unzip();
    let config = match file::read_bytes(&places.config_path) {
        Ok(bytes) => Some(file::object(&places.config_path, &bytes).map_err(unreadable)?),
        Err(ConfigError::Missing { .. }) => None,
        Err(error) => return Err(unreadable(error)),
    };
    if config.is_none() && program.is_none() {
        return Err(DiscoveryError::NotFound { looked: places.looked });
    }
    let empty = Value::Object(serde_json::Map::new());
    let gateway = config.as_ref().unwrap_or(&empty);
    let view = View::of(gateway);
    let (port, port_source) = port(environment, &view, places.profile.as_deref())?;
    Ok(Gateway {
        config_exists: config.is_some(),
        auth: auth::read(environment, gateway),
        token_source: auth::token_source(gateway),
        base_path: view.base_path,
        bind: view.bind,
        port,
        port_source,
        program,
        program_source,
        config_path: places.config_path,
        state_dir: places.state_dir,
        profile: places.profile,
    })
}

fn port(
    environment: &Environment,
    view: &View,
    profile: Option<&str>,
) -> Result<(u16, PortSource), DiscoveryError> {
    const NAME: &str = "OPENCLAW_GATEWAY_PORT";
    if let Some(text) = environment.get(NAME) {
        return match text.parse() {
            Ok(port) if port != 0 => Ok((port, PortSource::Environment)),
            Ok(_) | Err(_) => {
                Err(DiscoveryError::Variable { name: NAME, because: format!("{text:?} is no port number") })
            }
        };
    }
    Ok(match view.port {
        Some(port) => (port, PortSource::Config),
        None if profile == Some("dev") => (DEV_PORT, PortSource::Default),
        None => (DEFAULT_PORT, PortSource::Default),
    })
}

fn unreadable(error: ConfigError) -> DiscoveryError {
    match error {
        ConfigError::Invalid { path, because } => DiscoveryError::Config { path, because },
        ConfigError::Io { path, source } => DiscoveryError::Config { path, because: source.to_string() },
        other => DiscoveryError::Config { path: PathBuf::new(), because: other.to_string() },
    }
}

#[cfg(test)]
mod tests;
