//! The gateway: its files, its protocol, its installation.

use gatehouse_api::{Code, ErrorEnvelope, Text, say};
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
        let away = |title: Text| ErrorEnvelope::new(Code::GatewayUnreachable, title, sentence(self));
        match self {
            Self::NotConnected => away(say!("core.gateway.not-connected"))
                .fix_with(say!("core.gateway.start"), "openclaw gateway start"),
            Self::Lost => {
                away(say!("core.gateway.lost")).fix_with(say!("core.look.change-made"), "gatehouse status")
            }
            Self::TimedOut { .. } => away(say!("core.gateway.timed-out"))
                .fix_with(say!("core.look.change-made"), "gatehouse status"),
            Self::Unavailable { retry_after, .. } => {
                let seconds = retry_after.map_or(2, |after| after.as_secs().max(1));
                away(say!("core.gateway.busy")).fix(say!("core.try-again-in", seconds = seconds))
            }
            Self::Refused { method, code, message, .. } => ErrorEnvelope::new(
                Code::GatewayRefused,
                say!("core.gateway.refused"),
                say!("core.gateway.refused-because", code = code, method = method, message = message),
            ),
            Self::TooLarge => {
                ErrorEnvelope::new(Code::GatewayRefused, say!("core.gateway.too-large"), sentence(self))
            }
            other => ErrorEnvelope::new(Code::Failed, say!("core.gateway.not-asked"), sentence(other)),
        }
    }
}

impl Explain for ConfigError {
    fn explain(&self) -> ErrorEnvelope {
        match self {
            Self::Missing { path } => {
                ErrorEnvelope::new(Code::GatewayNotFound, say!("core.config.missing"), sentence(self))
                    .evidence(path.display().to_string())
                    .fix_with(say!("core.config.missing-fix"), "openclaw onboard")
            }
            Self::Invalid { path, .. } => {
                ErrorEnvelope::new(Code::ConfigUnsupported, say!("core.config.invalid"), sentence(self))
                    .fix_with(say!("core.config.repair", path = path.display()), "openclaw config validate")
            }
            Self::Unsupported { .. } => {
                ErrorEnvelope::new(Code::ConfigUnsupported, say!("core.config.unsupported"), sentence(self))
                    .fix(say!("core.config.unsupported-fix"))
            }
            Self::Conflict => {
                ErrorEnvelope::new(Code::ConfigConflict, say!("core.config.conflict"), sentence(self))
                    .fix(say!("core.try-again"))
            }
            Self::Refused { .. } => {
                ErrorEnvelope::new(Code::GatewayRefused, say!("core.config.refused"), sentence(self))
            }
            Self::RateLimited { retry_after } => {
                let seconds = retry_after.map_or(60, |after| after.as_secs().max(1));
                ErrorEnvelope::new(Code::GatewayRefused, say!("core.config.rate-limited"), sentence(self))
                    .fix(say!("core.try-again-in", seconds = seconds))
            }
            Self::Io { path, source } => super::file(say!("core.doing.edit-config"), path, source),
            Self::Call(error) => error.explain(),
            Self::Answer { .. } => not_understood(self),
            other => ErrorEnvelope::new(Code::Failed, say!("core.config.failed"), sentence(other)),
        }
    }
}

impl Explain for DeviceError {
    fn explain(&self) -> ErrorEnvelope {
        match self {
            Self::NotFound { .. } => {
                ErrorEnvelope::new(Code::NotFound, say!("core.device.none"), sentence(self))
                    .fix_with(say!("core.look.list"), "gatehouse devices list")
            }
            Self::Widened { now } => ErrorEnvelope::new(
                Code::Widened,
                say!("core.device.widened"),
                say!("core.device.widened-because", role = now.role, scopes = now.scopes.join(", ")),
            )
            .fix_with(say!("core.device.widened-fix"), "gatehouse devices list --pending"),
            Self::NotSupported { because } => ErrorEnvelope::new(
                Code::GatewayRefused,
                say!("core.device.not-supported"),
                super::capital(because),
            ),
            Self::KeepsChanging => {
                ErrorEnvelope::new(Code::Failed, say!("core.device.keeps-changing"), sentence(self))
                    .fix(say!("core.device.keeps-changing-fix"))
            }
            Self::Answer { .. } => not_understood(self),
            Self::Call(error) => error.explain(),
            Self::Config(error) => error.explain(),
            other => ErrorEnvelope::new(Code::Failed, say!("core.device.failed"), sentence(other)),
        }
    }
}

impl Explain for DiscoveryError {
    fn explain(&self) -> ErrorEnvelope {
        match self {
            Self::NotFound { looked } => {
                let mut error = ErrorEnvelope::new(
                    Code::GatewayNotFound,
                    say!("core.discovery.none"),
                    say!("core.discovery.none-because"),
                );
                for path in looked {
                    error = error.evidence(path.display().to_string());
                }
                error.fix_with(say!("core.discovery.install"), "gatehouse serve --install")
            }
            Self::Config { path, .. } => {
                ErrorEnvelope::new(Code::ConfigUnsupported, say!("core.discovery.config"), sentence(self))
                    .fix_with(say!("core.config.repair", path = path.display()), "openclaw config validate")
            }
            Self::Variable { name, .. } => {
                ErrorEnvelope::new(Code::Usage, say!("core.discovery.variable", name = name), sentence(self))
                    .fix(say!("core.discovery.variable-fix", name = name))
            }
            other => ErrorEnvelope::new(Code::Failed, say!("core.discovery.failed"), sentence(other)),
        }
    }
}

impl Explain for InstallError {
    fn explain(&self) -> ErrorEnvelope {
        let title = say!("core.install.title");
        let failed = |code| ErrorEnvelope::new(code, title.clone(), sentence(self));
        match self {
            Self::NoNpm => failed(Code::GatewayNotFound).fix(say!("core.install.no-npm")),
            Self::NoNetwork { .. } => failed(Code::Failed).fix(say!("core.install.no-network")),
            Self::DiskFull => failed(Code::Storage).fix(say!("core.install.full")),
            Self::Npm { .. } | Self::TimedOut { .. } | Self::Broken { .. } => {
                failed(Code::Failed).fix(say!("core.install.again"))
            }
            Self::Io { path, source } => super::file(say!("core.doing.install"), path, source),
            other => ErrorEnvelope::new(Code::Failed, title, sentence(other)),
        }
    }
}

impl Explain for SuperviseError {
    fn explain(&self) -> ErrorEnvelope {
        match self {
            Self::Io { path, source } => super::file(say!("core.doing.start-gateway"), path, source),
            Self::PortTaken { port } => ErrorEnvelope::new(
                Code::PortTaken,
                say!("core.supervise.title"),
                say!("core.supervise.port", port = port),
            )
            .fix(say!("core.supervise.port-fix")),
            other => ErrorEnvelope::new(Code::Failed, say!("core.supervise.title"), sentence(other)),
        }
    }
}

impl Explain for ProgramError {
    fn explain(&self) -> ErrorEnvelope {
        match self {
            Self::Declined { why } => {
                ErrorEnvelope::new(Code::GatewayRefused, say!("core.program.declined"), super::capital(why))
                    .fix_with(say!("core.program.declined-fix"), "openclaw gateway status")
            }
            Self::Output { .. } => not_understood(self),
            other => ErrorEnvelope::new(Code::Failed, say!("core.program.failed"), sentence(other)),
        }
    }
}

impl Explain for SetupError {
    fn explain(&self) -> ErrorEnvelope {
        match self {
            Self::NotSupported { .. } => {
                ErrorEnvelope::new(Code::GatewayRefused, say!("core.setup.not-supported"), sentence(self))
                    .fix(say!("core.setup.not-supported-fix"))
            }
            Self::LeadsElsewhere { .. } => {
                ErrorEnvelope::new(Code::GatewayRefused, say!("core.setup.elsewhere"), sentence(self))
                    .fix(say!("core.setup.elsewhere-fix"))
            }
            Self::Answer { .. } => not_understood(self),
            Self::Call(error) => error.explain(),
            other => ErrorEnvelope::new(Code::Failed, say!("core.setup.failed"), sentence(other)),
        }
    }
}

impl Explain for NotAnOrigin {
    fn explain(&self) -> ErrorEnvelope {
        ErrorEnvelope::new(Code::Usage, say!("core.origin.not-one"), super::capital(&self.because))
            .fix(say!("core.origin.example"))
    }
}

fn not_understood(error: &impl std::fmt::Display) -> ErrorEnvelope {
    ErrorEnvelope::new(Code::GatewayRefused, say!("core.gateway.not-understood"), sentence(error))
        .fix(say!("core.gateway.not-understood-fix"))
}

#[cfg(test)]
mod tests;
