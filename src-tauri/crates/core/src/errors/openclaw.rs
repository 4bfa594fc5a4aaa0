//! The gateway: its files, its protocol, its installation.

use gatehouse_api::{Code, ErrorEnvelope};
use gatehouse_openclaw::client::CallError;
use gatehouse_openclaw::config::ConfigError;
use gatehouse_openclaw::devices::DeviceError;
use gatehouse_openclaw::discovery::DiscoveryError;
use gatehouse_openclaw::install::InstallError;
use gatehouse_openclaw::origin::NotAnOrigin;
use gatehouse_openclaw::program::ProgramError;
use gatehouse_openclaw::setup::SetupError;
use gatehouse_openclaw::supervise::SuperviseError;

use super::{Explain, sentence};

impl Explain for CallError {
    fn explain(&self) -> ErrorEnvelope {
        let away = |title: &str| ErrorEnvelope::new(Code::GatewayUnreachable, title, sentence(self));
        match self {
            Self::NotConnected => {
                away("The gateway is not connected").fix_with("Start the gateway.", "openclaw gateway start")
            }
            Self::Lost => away("The gateway went away before it answered")
                .fix_with("Look whether the change was made before you try again.", "gatehouse status"),
            Self::TimedOut { .. } => away("The gateway did not answer in time")
                .fix_with("Look whether the change was made before you try again.", "gatehouse status"),
            Self::Unavailable { retry_after, .. } => {
                let seconds = retry_after.map_or(2, |after| after.as_secs().max(1));
                away("The gateway is busy or restarting").fix(format!("Try again in {seconds} s."))
            }
            Self::Refused { method, code, message, .. } => ErrorEnvelope::new(
                Code::GatewayRefused,
                "The gateway refused the request",
                format!("It answered {code} to {method}: {message}"),
            ),
            Self::TooLarge => {
                ErrorEnvelope::new(Code::GatewayRefused, "The request is too large", sentence(self))
            }
            other => ErrorEnvelope::new(Code::Failed, "The gateway could not be asked", sentence(other)),
        }
    }
}

impl Explain for ConfigError {
    fn explain(&self) -> ErrorEnvelope {
        match self {
            Self::Missing { path } => ErrorEnvelope::new(
                Code::GatewayNotFound,
                "The gateway has no configuration file",
                sentence(self),
            )
            .evidence(path.display().to_string())
            .fix_with("Set OpenClaw up first.", "openclaw onboard"),
            Self::Invalid { path, .. } => ErrorEnvelope::new(
                Code::ConfigUnsupported,
                "The gateway's configuration cannot be edited",
                sentence(self),
            )
            .fix_with(format!("Repair {}.", path.display()), "openclaw config validate"),
            Self::Unsupported { .. } => ErrorEnvelope::new(
                Code::ConfigUnsupported,
                "The gateway's configuration has a part that Gatehouse must not edit",
                sentence(self),
            )
            .fix("Write this part out in the configuration file itself, or make the change by hand."),
            Self::Conflict => ErrorEnvelope::new(
                Code::ConfigConflict,
                "The gateway's configuration changed meanwhile",
                sentence(self),
            )
            .fix("Try again."),
            Self::Refused { .. } => ErrorEnvelope::new(
                Code::GatewayRefused,
                "The gateway refused the new configuration",
                sentence(self),
            ),
            Self::RateLimited { retry_after } => {
                let seconds = retry_after.map_or(60, |after| after.as_secs().max(1));
                ErrorEnvelope::new(
                    Code::GatewayRefused,
                    "The gateway takes no more changes now",
                    sentence(self),
                )
                .fix(format!("Try again in {seconds} s."))
            }
            Self::Io { path, source } => super::file("Editing the gateway's configuration", path, source),
            Self::Call(error) => error.explain(),
            Self::Answer { .. } => not_understood(self),
            other => {
                ErrorEnvelope::new(Code::Failed, "The configuration could not be edited", sentence(other))
            }
        }
    }
}

impl Explain for DeviceError {
    fn explain(&self) -> ErrorEnvelope {
        match self {
            Self::NotFound { .. } => {
                ErrorEnvelope::new(Code::NotFound, "There is no such device", sentence(self))
                    .fix_with("Look at the list.", "gatehouse devices list")
            }
            Self::Widened { now } => ErrorEnvelope::new(
                Code::Widened,
                "The device now asks for more than what you saw",
                format!("It asks as {} for {}.", now.role, now.scopes.join(", ")),
            )
            .fix_with("Look at it again, then decide.", "gatehouse devices list --pending"),
            Self::NotSupported { because } => ErrorEnvelope::new(
                Code::GatewayRefused,
                "The gateway cannot do that",
                super::capital(because),
            ),
            Self::KeepsChanging => ErrorEnvelope::new(
                Code::Failed,
                "The device replaces its request faster than it can be answered",
                sentence(self),
            )
            .fix("Close the page or app on the device, open it again, and try again."),
            Self::Answer { .. } => not_understood(self),
            Self::Call(error) => error.explain(),
            Self::Config(error) => error.explain(),
            other => ErrorEnvelope::new(Code::Failed, "The device was not changed", sentence(other)),
        }
    }
}

impl Explain for DiscoveryError {
    fn explain(&self) -> ErrorEnvelope {
        match self {
            Self::NotFound { looked } => {
                let mut error = ErrorEnvelope::new(
                    Code::GatewayNotFound,
                    "No OpenClaw gateway was found",
                    "Neither a configuration file nor an openclaw program is where OpenClaw puts them.",
                );
                for path in looked {
                    error = error.evidence(path.display().to_string());
                }
                error.fix_with(
                    "Install OpenClaw, or let Gatehouse run one of its own.",
                    "gatehouse serve --install",
                )
            }
            Self::Config { path, .. } => ErrorEnvelope::new(
                Code::ConfigUnsupported,
                "The gateway's configuration cannot be read",
                sentence(self),
            )
            .fix_with(format!("Repair {}.", path.display()), "openclaw config validate"),
            Self::Variable { name, .. } => ErrorEnvelope::new(
                Code::Usage,
                format!("The environment variable {name} is not usable"),
                sentence(self),
            )
            .fix(format!("Correct or unset {name}, then restart Gatehouse.")),
            other => ErrorEnvelope::new(Code::Failed, "The gateway could not be found", sentence(other)),
        }
    }
}

impl Explain for InstallError {
    fn explain(&self) -> ErrorEnvelope {
        const TITLE: &str = "OpenClaw could not be installed";
        let failed = |code| ErrorEnvelope::new(code, TITLE, sentence(self));
        match self {
            Self::NoNpm => failed(Code::GatewayNotFound).fix("Install Node.js, then start Gatehouse again."),
            Self::NoNetwork { .. } => {
                failed(Code::Failed).fix("Connect to the internet, then start Gatehouse again.")
            }
            Self::DiskFull => {
                failed(Code::Storage).fix("Free about 1 GB of disk space, then start Gatehouse again.")
            }
            Self::Npm { .. } | Self::TimedOut { .. } | Self::Broken { .. } => {
                failed(Code::Failed).fix("Start Gatehouse again: it repairs what is there.")
            }
            Self::Io { path, source } => super::file("Installing OpenClaw", path, source),
            other => ErrorEnvelope::new(Code::Failed, TITLE, sentence(other)),
        }
    }
}

impl Explain for SuperviseError {
    fn explain(&self) -> ErrorEnvelope {
        match self {
            Self::Io { path, source } => super::file("Starting the gateway", path, source),
            Self::PortTaken { port } => ErrorEnvelope::new(
                Code::PortTaken,
                "The gateway could not be started",
                format!("Another program listens on port {port}."),
            )
            .fix("Stop that program, or set OPENCLAW_GATEWAY_PORT to another port."),
            other => ErrorEnvelope::new(Code::Failed, "The gateway could not be started", sentence(other)),
        }
    }
}

impl Explain for ProgramError {
    fn explain(&self) -> ErrorEnvelope {
        match self {
            Self::Declined { why } => {
                ErrorEnvelope::new(Code::GatewayRefused, "OpenClaw did not do it", super::capital(why))
                    .fix_with("See what it says of its service.", "openclaw gateway status")
            }
            Self::Output { .. } => not_understood(self),
            other => ErrorEnvelope::new(Code::Failed, "The openclaw program failed", sentence(other)),
        }
    }
}

impl Explain for SetupError {
    fn explain(&self) -> ErrorEnvelope {
        match self {
            Self::NotSupported { .. } => ErrorEnvelope::new(
                Code::GatewayRefused,
                "This gateway cannot make a setup code for our address",
                sentence(self),
            )
            .fix("Update OpenClaw, or connect the phone with its browser."),
            Self::LeadsElsewhere { .. } => ErrorEnvelope::new(
                Code::GatewayRefused,
                "The setup code leads to another address",
                sentence(self),
            )
            .fix("Take plugins.entries.device-pair.config.publicUrl out of the gateway's configuration."),
            Self::Answer { .. } => not_understood(self),
            Self::Call(error) => error.explain(),
            other => ErrorEnvelope::new(Code::Failed, "There is no setup code", sentence(other)),
        }
    }
}

impl Explain for NotAnOrigin {
    fn explain(&self) -> ErrorEnvelope {
        ErrorEnvelope::new(Code::Usage, "That is no browser origin", super::capital(&self.because))
            .fix("Write it as a browser shows it, for example https://mini.local:8443.")
    }
}

fn not_understood(error: &impl std::fmt::Display) -> ErrorEnvelope {
    ErrorEnvelope::new(Code::GatewayRefused, "The gateway's answer is not understood", sentence(error))
        .fix("Update Gatehouse: this gateway may be newer than it.")
}

#[cfg(test)]
mod tests;
