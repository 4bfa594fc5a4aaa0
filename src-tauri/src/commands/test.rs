//! `gatehouse test`: one address, stage by stage.

use gatehouse_api::{AddressTest, Code, Reply, Request, StageOutcome, TestStage, Text, say};

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
    let (tone, word) =
        if test.works { (Tone::Good, say!("cli.test.works")) } else { (Tone::Bad, say!("cli.test.fails")) };
    let mut page = Page::verdict(tone, word, &test.url);
    for result in &test.stages {
        let (tone, word) = match result.outcome {
            StageOutcome::Passed => (Tone::Good, say!("cli.test.passed")),
            StageOutcome::Failed => (Tone::Bad, say!("cli.test.failed")),
            StageOutcome::Skipped => (Tone::Faint, say!("cli.test.skipped")),
        };
        let took = result.ms.map(|ms| format!(" {ms} ms")).unwrap_or_default();
        let saw = if result.saw.is_empty() { String::new() } else { format!(": {}", result.saw) };
        page.toned(2, tone, word, say!("cli.test.line", stage = stage(result.stage), took = took, saw = saw));
    }
    if let Some(error) = &test.error {
        page.toned(2, Tone::Bad, say!("cli.test.why"), &error.title);
        words::fix(&mut page, error.fix.as_deref());
    }
    page
}

fn stage(stage: TestStage) -> Text {
    match stage {
        TestStage::Tcp => "TCP".into(),
        TestStage::Tls => "TLS".into(),
        TestStage::Health => say!("cli.test.gateway"),
        TestStage::Websocket => "WebSocket".into(),
    }
}
