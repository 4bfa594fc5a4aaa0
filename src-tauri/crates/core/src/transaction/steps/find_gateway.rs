//! Finds the gateway, and asks its port whether it lives.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use gatehouse_api::{Code, ErrorEnvelope, StepId};
use gatehouse_openclaw::client::Link;
use gatehouse_openclaw::discovery::{self, Gateway};
use gatehouse_openclaw::probe::{self, GatewayHealth};

use crate::context::Context;
use crate::errors::Explain;
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

    fn title(&self) -> &'static str {
        "Looking for the gateway"
    }

    fn limit(&self) -> Duration {
        Duration::from_secs(20)
    }

    async fn prepare(&mut self, draft: &mut Draft) -> Result<Prepared, ErrorEnvelope> {
        let found = match find(&self.context).await {
            Ok(found) => found,
            Err(error) if self.tolerant => {
                let warnings = vec![format!("{}: {}", error.title, error.because)];
                return Ok(Prepared {
                    title: "There is no usable gateway.".into(),
                    warnings,
                    ..Prepared::default()
                });
            }
            Err(error) => return Err(error),
        };
        let gateway = &found.gateway;
        let mut prepared = Prepared {
            title: format!("The gateway is at 127.0.0.1:{}.", gateway.port),
            details: vec![
                format!("configuration: {}", gateway.config_path.display()),
                format!("secret: {:?}", gateway.auth),
            ],
            ..Prepared::default()
        };
        match found.running {
            true => prepared.details.extend(version(&self.context)),
            false if self.tolerant => {}
            false => prepared
                .warnings
                .push("The gateway is not running. The address answers as soon as it is started.".to_owned()),
        }
        draft.gateway = Some(found);
        Ok(prepared)
    }

    async fn apply(&mut self, _draft: &mut Draft) -> Result<String, ErrorEnvelope> {
        Ok(String::new())
    }
}

/// Finds it and hands it to the connection.
pub(crate) async fn find(context: &Context) -> Result<Found, ErrorEnvelope> {
    let environment = context.environment.load_full();
    let gateway: Gateway =
        off_thread(move || discovery::discover(&environment)).await?.map_err(|error| error.explain())?;
    context.link.update(Some(gateway.clone()));
    let running = match probe::health(context.link.address()).await {
        GatewayHealth::Ready | GatewayHealth::Live => true,
        GatewayHealth::Refused => false,
        GatewayHealth::Silent => {
            return Err(unusable(
                Code::GatewayUnreachable,
                gateway.port,
                "something listens there and does not answer".to_owned(),
            ));
        }
        GatewayHealth::NotGateway { what } => {
            return Err(unusable(
                Code::PortTaken,
                gateway.port,
                format!("something else answers there: {what}"),
            ));
        }
    };
    Ok(Found { gateway: Arc::new(gateway), running })
}

fn version(context: &Context) -> Option<String> {
    match &*context.link.client()?.status().borrow() {
        Link::Up { hello } => Some(format!("OpenClaw {}", hello.version)),
        Link::Down { .. } | Link::Connecting | Link::Starting | Link::Refused { .. } => None,
    }
}

fn unusable(code: Code, port: u16, why: String) -> ErrorEnvelope {
    ErrorEnvelope::new(
        code,
        "The gateway does not answer on its port",
        format!("It should be at 127.0.0.1:{port}, but {why}."),
    )
    .fix_with("Start the gateway, or give it a free port, then try again.", "openclaw gateway status")
}
