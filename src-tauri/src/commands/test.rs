//! `gatehouse test`: one address, stage by stage.

use gatehouse_api::{AddressTest, Code, Reply, Request, StageOutcome, TestStage};

use crate::{
    args::Test,
    output::{Page, Tone, words},
    session::{Outcome, Session, Verdict, unexpected},
};

/// Tries the address and says where it fails.
pub(crate) async fn run(args: Test, session: &mut Session) -> Outcome {
    let request = Request::TestAddress { address: args.address };
    let Reply::AddressTest(test) = session.ask(request).await? else { return Err(unexpected()) };
    session.out.result(&page(&test), &test);
    let code = test.error.map_or(Code::VerifyFailed, |error| error.code);
    Ok(if test.works { Verdict::Done } else { Verdict::Told(code) })
}

fn page(test: &AddressTest) -> Page {
    let (tone, word) = if test.works { (Tone::Good, "Works:") } else { (Tone::Bad, "Fails:") };
    let mut page = Page::verdict(tone, word, &test.url);
    for result in &test.stages {
        let (tone, word) = match result.outcome {
            StageOutcome::Passed => (Tone::Good, "passed "),
            StageOutcome::Failed => (Tone::Bad, "failed "),
            StageOutcome::Skipped => (Tone::Faint, "skipped"),
        };
        let took = result.ms.map(|ms| format!(" {ms} ms")).unwrap_or_default();
        let saw = if result.saw.is_empty() { String::new() } else { format!(": {}", result.saw) };
        page.toned(2, tone, word, &format!("{}{took}{saw}", stage(result.stage)));
    }
    if let Some(error) = &test.error {
        page.toned(2, Tone::Bad, "Why:", &error.title);
        words::fix(&mut page, error.fix.as_deref());
    }
    page
}

fn stage(stage: TestStage) -> &'static str {
    match stage {
        TestStage::Tcp => "TCP",
        TestStage::Tls => "TLS",
        TestStage::Health => "gateway",
        TestStage::Websocket => "WebSocket",
    }
}
