//! A gateway of our own: its state, its configuration and its token, all inside one folder.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use gatehouse_files::{PRIVATE, create_private_folder, write_atomic};
use secrecy::ExposeSecret;
use serde_json::json;

use super::{InstallError, storage};
use crate::digest::fresh_token;
use crate::discovery::{Environment, discover};

/// A home for a gateway of our own: its own state folder and configuration.
#[derive(Debug, Clone)]
pub struct OwnGateway {
    /// `OPENCLAW_STATE_DIR`.
    pub state_dir: PathBuf,
    /// `OPENCLAW_CONFIG_PATH`.
    pub config_path: PathBuf,
    /// Where it listens.
    pub address: SocketAddr,
}

/// Makes sure that `folder` has a state folder and a configuration for a gateway of our own: loopback, a fresh strong
/// token, the port. An existing configuration is kept as it is, with its port, whatever its
/// user made of its token.
///
/// # Errors
/// [`InstallError::Io`], [`InstallError::DiskFull`]; [`InstallError::Broken`] where an existing configuration is not
/// usable.
pub fn own_gateway(folder: &Path, port: u16) -> Result<OwnGateway, InstallError> {
    let state_dir = folder.join("state");
    let config_path = state_dir.join("openclaw.json");
    create_private_folder(&state_dir).map_err(|source| storage(&state_dir, source))?;
    if config_path.exists() {
        return existing(state_dir, config_path);
    }
    let token = fresh_token()
        .ok_or_else(|| storage(&config_path, io::Error::other("the system gives no random numbers")))?;
    let config = json!({
        "gateway": {
            "mode": "local",
            "port": port,
            "bind": "loopback",
            "auth": {"mode": "token", "token": token.expose_secret()},
        },
    });
    let text = format!("{config:#}\n");
    write_atomic(&config_path, text.as_bytes(), PRIVATE).map_err(|source| storage(&config_path, source))?;
    Ok(OwnGateway { state_dir, config_path, address: SocketAddr::from((Ipv4Addr::LOCALHOST, port)) })
}

fn existing(state_dir: PathBuf, config_path: PathBuf) -> Result<OwnGateway, InstallError> {
    let environment = Environment {
        variables: [("OPENCLAW_CONFIG_PATH".to_owned(), config_path.display().to_string())].into(),
        home: state_dir.clone(),
        own_install: None,
    };
    let unusable = |detail: String| InstallError::Broken { detail };
    let gateway = discover(&environment).map_err(|error| unusable(error.to_string()))?;
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, gateway.port));
    Ok(OwnGateway { state_dir, config_path, address })
}
