//! The words of `gatehouse service`.

use clap::{Args, Subcommand, ValueEnum};
use gatehouse_api::PresenceScope;

#[derive(Debug, Subcommand)]
pub(crate) enum Service {
    /// Have the system start Gatehouse and keep it running; again = upgrade in place.
    Install(ServiceInstall),
    /// Take that back; settings and certificates stay.
    Uninstall(ServiceUninstall),
    /// Whether the system runs Gatehouse, and which one.
    Status(ServiceStatus),
    /// Whether this machine serves by itself, through the night and after a power cut.
    Readiness,
}

#[derive(Debug, Args)]
pub(crate) struct ServiceInstall {
    /// For this user, or for the machine from its start on.
    #[arg(long, value_name = "SCOPE", default_value = "user")]
    pub(crate) scope: ServiceScope,
    /// As whom it runs for the machine [default: who called sudo].
    #[arg(long, value_name = "NAME")]
    pub(crate) user: Option<String>,
    /// Show what would be done, and do nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ServiceUninstall {
    /// Which one [default: the one that is there].
    #[arg(long, value_name = "SCOPE")]
    pub(crate) scope: Option<ServiceScope>,
    /// As whom it runs for the machine [default: who called sudo].
    #[arg(long, value_name = "NAME")]
    pub(crate) user: Option<String>,
    /// Also close the address and remove settings, certificates, journal and logs.
    #[arg(long)]
    pub(crate) purge: bool,
    /// Show what would be done, and do nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ServiceStatus {
    /// Which one [default: all that are there].
    #[arg(long, value_name = "SCOPE")]
    pub(crate) scope: Option<ServiceScope>,
}

/// For whom the system runs Gatehouse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ServiceScope {
    /// For this user, from login on.
    User,
    /// For the machine, from its start on.
    System,
}

impl From<ServiceScope> for PresenceScope {
    fn from(scope: ServiceScope) -> Self {
        match scope {
            ServiceScope::User => Self::User,
            ServiceScope::System => Self::System,
        }
    }
}
