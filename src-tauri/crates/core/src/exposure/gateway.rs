//! One word, and one sentence, for the state of the gateway: from what its files say, what its port answers, what our
//! connection to it says, and who holds its port.

use std::net::SocketAddr;

use gatehouse_api::{
    Code, ErrorEnvelope, GatewayService, GatewayServiceState, GatewaySummary, GatewayVerdict, Problem, Text,
    say,
};
use gatehouse_host::ports::PortHolder;
use gatehouse_openclaw::client::Link;
use gatehouse_openclaw::discovery::Gateway;
use gatehouse_openclaw::probe::GatewayHealth;
use gatehouse_openclaw::supervise::State as Child;

use crate::errors;

/// What was observed. The newest of each.
#[derive(Debug, Clone)]
pub(crate) struct Observed<'a> {
    /// Where it listens, or would.
    pub(crate) address: SocketAddr,
    /// What its files say.
    pub(crate) gateway: Option<&'a Gateway>,
    /// Why they say nothing.
    pub(crate) undiscovered: Option<&'a ErrorEnvelope>,
    /// Our connection; `None` = no secret is known.
    pub(crate) link: Option<&'a Link>,
    /// What its port answers; `None` = not asked yet.
    pub(crate) health: Option<&'a GatewayHealth>,
    /// Who listens on its port, where that was asked.
    pub(crate) holder: Option<&'a PortHolder>,
    /// Its process id, as it told us.
    pub(crate) pid: Option<u32>,
    /// Whether it is one of our own.
    pub(crate) own: bool,
    /// What our child does.
    pub(crate) child: Option<&'a Child>,
    /// Who runs it, where that was looked at.
    pub(crate) service: Option<&'a GatewayService>,
    /// What an installation does now.
    pub(crate) installing: Option<&'a Text>,
}

/// The summary.
pub(crate) fn summary(observed: &Observed<'_>) -> GatewaySummary {
    let (verdict, detail) = verdict(observed);
    let hello = match observed.link {
        Some(Link::Up { hello }) => Some(hello),
        Some(Link::Down { .. } | Link::Connecting | Link::Starting | Link::Refused { .. }) | None => None,
    };
    let config_path = hello
        .and_then(|hello| hello.config_path.clone())
        .or_else(|| observed.gateway.map(|gateway| gateway.config_path.display().to_string()));
    let child = match observed.child {
        Some(Child::Starting { pid } | Child::Running { pid }) => Some(*pid),
        Some(Child::Restarting { .. } | Child::CrashLoop { .. } | Child::Stopped) | None => None,
    };
    let ours =
        matches!(verdict, GatewayVerdict::Running | GatewayVerdict::Starting | GatewayVerdict::AuthRefused);
    let holder = observed.holder.filter(|_| ours).and_then(|holder| holder.pid);
    GatewaySummary {
        version: hello.map(|hello| hello.version.clone()),
        pid: observed.pid.filter(|_| hello.is_some()).or(child).or(holder),
        url: format!("http://{}", observed.address),
        verdict,
        detail,
        config_path,
        supervised: observed.own,
        service: observed.service.cloned().map(Box::new),
    }
}

fn verdict(observed: &Observed<'_>) -> (GatewayVerdict, Option<Text>) {
    if let Some(what) = observed.installing {
        return (GatewayVerdict::Starting, Some(what.clone()));
    }
    match observed.link {
        Some(Link::Up { .. }) => return (GatewayVerdict::Running, None),
        Some(Link::Refused { code, detail }) => {
            return (
                GatewayVerdict::AuthRefused,
                Some(say!("core.gateway.answered", code = code, detail = detail)),
            );
        }
        Some(Link::Starting) => return (GatewayVerdict::Starting, Some(starting(observed))),
        Some(Link::Down { .. } | Link::Connecting) | None => {}
    }
    match observed.health {
        Some(GatewayHealth::Ready | GatewayHealth::Live) => match (observed.gateway, observed.link) {
            (Some(gateway), None) => {
                let error = crate::link::no_secret(&gateway.auth);
                (GatewayVerdict::AuthRefused, Some(error.because))
            }
            _ => (GatewayVerdict::Starting, Some(starting(observed))),
        },
        Some(GatewayHealth::NotGateway { what }) => (
            GatewayVerdict::PortTaken,
            Some(taken(observed, &say!("core.gateway.answers-what", what = what))),
        ),
        Some(GatewayHealth::Silent) if observed.holder.is_some_and(foreign) => {
            (GatewayVerdict::PortTaken, Some(taken(observed, &say!("core.gateway.no-answer"))))
        }
        // A gateway that starts on a busy machine accepts connections long before it answers them.
        Some(GatewayHealth::Silent) => {
            (GatewayVerdict::Starting, Some(say!("core.gateway.silent", url = observed.address)))
        }
        Some(GatewayHealth::Refused) | None => stopped(observed),
    }
}

fn stopped(observed: &Observed<'_>) -> (GatewayVerdict, Option<Text>) {
    match observed.child {
        Some(Child::Starting { .. }) => {
            return (GatewayVerdict::Starting, Some(say!("core.gateway.was-started")));
        }
        Some(Child::Restarting { because, .. }) => {
            return (GatewayVerdict::Starting, Some(say!("core.gateway.restarting", because = because)));
        }
        Some(Child::CrashLoop { exits, because, .. }) => {
            let detail = say!("core.gateway.gave-up", count = exits, because = because);
            return (GatewayVerdict::Stopped, Some(detail));
        }
        Some(Child::Running { .. } | Child::Stopped) | None => {}
    }
    match (observed.gateway, observed.undiscovered) {
        (None, Some(error)) if error.code != Code::GatewayNotFound => {
            (GatewayVerdict::Stopped, Some(error.because.clone()))
        }
        (None, _) => (GatewayVerdict::NotFound, Some(say!("core.gateway.not-here"))),
        (Some(_), _) if observed.health.is_none() => (GatewayVerdict::Starting, None),
        (Some(_), _) => {
            (GatewayVerdict::Stopped, Some(say!("core.gateway.nothing-listens", url = observed.address)))
        }
    }
}

/// A program that is surely no gateway. OpenClaw is `node` until it gives itself a name.
fn foreign(holder: &PortHolder) -> bool {
    holder.program.as_deref().is_some_and(|program| {
        let program = program.to_ascii_lowercase();
        !program.contains("openclaw") && !program.starts_with("node") && !program.contains("mainthread")
    })
}

fn starting(observed: &Observed<'_>) -> Text {
    match observed.child {
        Some(Child::Restarting { because, .. }) => say!("core.gateway.restarting", because = because),
        _ => say!("core.gateway.not-accepting"),
    }
}

fn taken(observed: &Observed<'_>, what: &Text) -> Text {
    let port = observed.address.port();
    match observed.holder {
        None => say!("core.gateway.other-program", port = port, what = what),
        Some(holder) => {
            let name = holder.program.as_deref().map_or_else(|| say!("core.another-program"), Text::from);
            let name = match holder.pid {
                Some(pid) => say!("core.holder.pid", program = name, pid = pid),
                None => name,
            };
            say!("core.gateway.named-program", name = name, port = port, what = what)
        }
    }
}

/// Whether the gateway can serve.
pub(crate) fn running(verdict: GatewayVerdict) -> bool {
    match verdict {
        GatewayVerdict::Running => true,
        // Clients with secrets of their own are served; only we are locked out.
        GatewayVerdict::AuthRefused => true,
        GatewayVerdict::Starting
        | GatewayVerdict::Stopped
        | GatewayVerdict::PortTaken
        | GatewayVerdict::NotFound => false,
    }
}

/// Whether it is on its way up, as far as is known.
pub(crate) fn may_come(verdict: GatewayVerdict) -> bool {
    match verdict {
        GatewayVerdict::Running | GatewayVerdict::AuthRefused | GatewayVerdict::Starting => true,
        GatewayVerdict::Stopped | GatewayVerdict::PortTaken | GatewayVerdict::NotFound => false,
    }
}

/// What is wrong with how the gateway is run, where that says more than the verdict.
pub(crate) fn service_problem(summary: &GatewaySummary) -> Option<Problem> {
    use GatewayServiceState as State;
    let service = summary.service.as_deref()?;
    let stopped = summary.verdict == GatewayVerdict::Stopped;
    let told = match service.state {
        State::Duplicate | State::TwoServices | State::VersionDrift => true,
        State::CrashLoop
        | State::SwitchedOff
        | State::NotLoaded
        | State::Stopped
        | State::NoSession
        | State::PortDrift => stopped,
        State::Runs
        | State::Starting
        | State::Own
        | State::HandStarted
        | State::NoManager
        | State::PortTaken
        | State::NotInstalled => false,
    };
    told.then(|| Problem {
        code: if stopped { Code::GatewayUnreachable } else { Code::GatewayRefused },
        title: service.title.clone(),
        because: service.because.clone(),
        fix: service.fix.clone(),
    })
}

/// The verdict as something that needs attention; `None` while all is well.
pub(crate) fn problem(summary: &GatewaySummary) -> Option<Problem> {
    if summary.verdict == GatewayVerdict::Stopped
        && let Some(problem) = service_problem(summary)
    {
        return Some(problem);
    }
    let because = summary.detail.clone().unwrap_or_else(|| say!("core.gateway.belongs", url = summary.url));
    let error = |code, title: Text| ErrorEnvelope::new(code, title, because.clone());
    let error = match summary.verdict {
        GatewayVerdict::Running => return None,
        GatewayVerdict::Starting => error(Code::GatewayUnreachable, say!("core.gateway.starting"))
            .fix(say!("core.gateway.starting-fix")),
        GatewayVerdict::AuthRefused => {
            error(Code::GatewayAuth, say!("core.gateway.auth")).fix(say!("core.gateway.auth-fix"))
        }
        GatewayVerdict::Stopped if summary.supervised => {
            error(Code::GatewayUnreachable, say!("core.gateway.down")).fix(say!("core.gateway.down-fix"))
        }
        GatewayVerdict::Stopped => error(Code::GatewayUnreachable, say!("core.gateway.down"))
            .fix_with(say!("core.start-it"), "openclaw gateway start"),
        GatewayVerdict::PortTaken => {
            error(Code::PortTaken, say!("core.gateway.port-taken")).fix(say!("core.gateway.port-taken-fix"))
        }
        GatewayVerdict::NotFound => error(Code::GatewayNotFound, say!("core.gateway.not-installed"))
            .fix_with(say!("core.discovery.install"), "gatehouse serve --install"),
    };
    Some(errors::problem(error))
}

#[cfg(test)]
mod tests;
