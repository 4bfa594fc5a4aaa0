//! One address, stage by stage, for somebody who wants to know where it fails.

use std::time::Instant;

use gatehouse_api::{AddressTest, ErrorEnvelope, StageOutcome, StageResult, TestStage};

use super::error::{Check, ProbeError};
use super::trust::{Trust, dial, secure, within};
use super::{http, socket};
use crate::address_plan::PlannedAddress;
use crate::context::Context;

const STAGES: [TestStage; 4] = [TestStage::Tcp, TestStage::Tls, TestStage::Health, TestStage::Websocket];

/// Tries the address with this URL; `None` = it is not served. The request and the WebSocket are made on connections of
/// their own, so the time of each includes TCP and TLS.
pub async fn stages(context: &Context, url: &str) -> Option<AddressTest> {
    let served = context.served.load_full()?;
    let address = served.plan.addresses.iter().find(|address| address.url == url)?;
    let mut done = Done { url: url.to_owned(), stages: Vec::new() };
    let failed = match Trust::of(context) {
        Ok(trust) => done
            .attempt(address, &trust, context.brought.asks(&address.host))
            .await
            .err()
            .map(|error| error.explain()),
        Err(error) => Some(error.explain()),
    };
    Some(done.end(failed))
}

struct Done {
    url: String,
    stages: Vec<StageResult>,
}

impl Done {
    async fn attempt(
        &mut self,
        address: &PlannedAddress,
        trust: &Trust,
        asks: bool,
    ) -> Result<(), ProbeError> {
        let begun = Instant::now();
        let dialled = within(address, Check::Reach, dial(address)).await;
        let (tcp, from) = self.note(TestStage::Tcp, begun, dialled, |(_, from)| {
            format!("{} → {}", from.ip().to_canonical(), address.connect)
        })?;

        let begun = Instant::now();
        let secured = within(address, Check::Reach, secure(address, trust, tcp, from)).await;
        let secured = secured.and_then(|(_, facts)| match trust.is_ours(address, &facts.leaf_sha256) {
            true => Ok(facts),
            false => {
                Err(ProbeError::OtherCertificate { url: address.url.clone(), sha256: facts.leaf_sha256 })
            }
        });
        self.note(TestStage::Tls, begun, secured, |facts| {
            format!("{}, SHA-256 {}", facts.version, facts.leaf_sha256)
        })?;

        // It wants a certificate that we do not have.
        if asks {
            return Ok(());
        }
        let begun = Instant::now();
        let healthy = http::health(address, trust).await;
        self.note(TestStage::Health, begun, healthy, |()| "GET /healthz: 200".to_owned())?;

        let begun = Instant::now();
        let challenged = socket::challenge(address, trust).await;
        self.note(TestStage::Websocket, begun, challenged, |()| "connect.challenge".to_owned())
    }

    fn note<T>(
        &mut self,
        stage: TestStage,
        begun: Instant,
        result: Result<T, ProbeError>,
        saw: impl FnOnce(&T) -> String,
    ) -> Result<T, ProbeError> {
        let (outcome, saw) = match &result {
            Ok(value) => (StageOutcome::Passed, saw(value)),
            Err(error) => (StageOutcome::Failed, error.to_string()),
        };
        let ms = u64::try_from(begun.elapsed().as_millis()).ok();
        self.stages.push(StageResult { stage, outcome, ms, saw });
        result
    }

    fn end(mut self, error: Option<ErrorEnvelope>) -> AddressTest {
        for stage in STAGES.into_iter().skip(self.stages.len()) {
            self.stages.push(StageResult {
                stage,
                outcome: StageOutcome::Skipped,
                ms: None,
                saw: String::new(),
            });
        }
        AddressTest { url: self.url, works: error.is_none(), stages: self.stages, error }
    }
}
