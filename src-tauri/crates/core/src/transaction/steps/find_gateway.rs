//! Finds the gateway, and asks its port whether it lives.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use gatehouse_api::{Code, ErrorEnvelope, StepId, Text, say};
use gatehouse_openclaw::client::Link;
use gatehouse_openclaw::discovery::{self, Auth, Gateway};
use gatehouse_openclaw::probe::{self, GatewayHealth};

use crate::context::Context;
use crate::errors::{self, Explain};
use crate::transaction::draft::{Draft, Found};
use crate::transaction::serve::off_thread;
use crate::transaction::step::{Prepared, Step};

/// See the module.
pub(crate) struct FindGateway {
    context: Context,
    tolerant: bool,
}

impl FindGateway {
    pub(crate) fn new(context: &Context) -> Self {
        Self { context: context.clone(), tolerant: false }
    }

    /// Goes on where there is no usable gateway: closing must not depend on it.
    pub(crate) fn tolerant(context: &Context) -> Self {
        Self { context: context.clone(), tolerant: true }
    }
}

#[async_trait]
impl Step for FindGateway {
    fn id(&self) -> StepId {
        StepId::FindGateway
    }

    fn title(&self) -> Text {
        say!("core.doing.find-gateway")
    }

    fn limit(&self) -> Duration {
        Duration::from_secs(20)
    }

    async fn prepare(&mut self, draft: &mut Draft) -> Result<Prepared, ErrorEnvelope> {
        let found = match find(&self.context).await {
            Ok(found) => found,
            Err(error) if self.tolerant => {
                let warnings = vec![errors::both(&error)];
                return Ok(Prepared { title: say!("core.find.none"), warnings, ..Prepared::default() });
            }
            Err(error) => return Err(error),
        };
        let gateway = &found.gateway;
        let mut prepared = Prepared {
            title: say!("core.find.at", port = gateway.port),
            details: vec![
                say!("core.find.configuration", path = gateway.config_path.display()),
                say!("core.find.secret", secret = secret(&gateway.auth)),
            ],
            ..Prepared::default()
        };
        match found.running {
            true => prepared.details.extend(version(&self.context)),
            false if self.tolerant => {}
            false => prepared.warnings.push(say!("core.find.not-running")),
        }
        draft.gateway = Some(found);
        Ok(prepared)
    }

    async fn apply(&mut self, _draft: &mut Draft) -> Result<Text, ErrorEnvelope> {
        Ok(Text::default())
    }
}

/// Finds it and hands it to the connection.
pub(crate) async fn find(context: &Context) -> Result<Found, ErrorEnvelope> {
    let environment = context.environment.load_full();
    let token = context.token.clone();
    let gateway: Gateway =
        off_thread(move || discovery::discover(&environment).map(|gateway| token.resolved(gateway)))
            .await?
            .map_err(|error| error.explain())?;
    context.link.update(Some(gateway.clone()));
    let running = match probe::health(context.link.address()).await {
        GatewayHealth::Ready | GatewayHealth::Live => true,
        GatewayHealth::Refused => false,
        GatewayHealth::Silent => {
            return Err(unusable(Code::GatewayUnreachable, gateway.port, say!("core.find.silent")));
        }
        GatewayHealth::NotGateway { what } => {
            return Err(unusable(Code::PortTaken, gateway.port, say!("core.find.not-ours", what = what)));
        }
    };
    Ok(Found { gateway: Arc::new(gateway), running })
}

fn secret(auth: &Auth) -> Text {
    match auth {
        Auth::Token(_) => say!("core.secret-kind.token"),
        Auth::Password(_) => say!("core.secret-kind.password"),
        Auth::TrustedProxy { .. } => say!("core.secret-kind.trusted-proxy"),
        Auth::Unresolvable { .. } => say!("core.secret-kind.unreadable"),
        Auth::None | Auth::Missing => say!("core.secret-kind.none"),
    }
}

fn version(context: &Context) -> Option<Text> {
    match &*context.link.client()?.status().borrow() {
        Link::Up { hello } => Some(format!("OpenClaw {}", hello.version).into()),
        Link::Down { .. } | Link::Connecting | Link::Starting | Link::Refused { .. } => None,
    }
}

fn unusable(code: Code, port: u16, why: Text) -> ErrorEnvelope {
    ErrorEnvelope::new(
        code,
        say!("core.find.unusable"),
        say!("core.find.unusable-because", port = port, why = why),
    )
    .fix_with(say!("core.find.unusable-fix"), "openclaw gateway status")
}
