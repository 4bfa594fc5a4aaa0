//! `gatehouse gateway`: the gateway behind the address.

use gatehouse_api::{GatewaySummary, GatewayVerdict, Reply, Request};

use crate::{
    args::Gateway,
    output::{Page, words},
    session::{Outcome, Session, Verdict, unexpected},
};

/// Shows the gateway.
pub(crate) async fn run(command: &Gateway, session: &mut Session) -> Outcome {
    let Gateway::Status = command;
    let Reply::Gateway(gateway) = session.ask(Request::GatewayStatus).await? else {
        return Err(unexpected());
    };
    session.out.result(&page(&gateway), &gateway);
    Ok(match gateway.verdict {
        GatewayVerdict::Running => Verdict::Done,
        GatewayVerdict::Starting => Verdict::Warnings,
        GatewayVerdict::AuthRefused => Verdict::Told(gatehouse_api::Code::GatewayAuth),
        GatewayVerdict::Stopped => Verdict::Told(gatehouse_api::Code::GatewayUnreachable),
        GatewayVerdict::PortTaken => Verdict::Told(gatehouse_api::Code::PortTaken),
        GatewayVerdict::NotFound => Verdict::Told(gatehouse_api::Code::GatewayNotFound),
    })
}

fn page(gateway: &GatewaySummary) -> Page {
    let (tone, word) = words::gateway(gateway.verdict);
    let mut first = word.chars();
    let word: String =
        first.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(first).collect();
    let mut page = Page::verdict(tone, &word, &identity(gateway));
    if let Some(detail) = &gateway.detail {
        page.item(detail);
    }
    if let Some(path) = &gateway.config_path {
        page.field("Config", path);
    }
    if gateway.supervised {
        page.field("Run by", "Gatehouse");
    }
    page
}

/// The gateway as a part of the status.
pub(crate) fn summary(gateway: &GatewaySummary) -> Page {
    let mut page = Page::new();
    let (_, word) = words::gateway(gateway.verdict);
    page.field("Gateway", &format!("{word}, {}", identity(gateway)));
    if let Some(detail) = &gateway.detail {
        page.field("", detail);
    }
    page
}

fn identity(gateway: &GatewaySummary) -> String {
    let mut parts = Vec::new();
    if let Some(version) = &gateway.version {
        parts.push(format!("OpenClaw {version}"));
    }
    parts.push(gateway.url.clone());
    if let Some(pid) = gateway.pid {
        parts.push(format!("process {pid}"));
    }
    parts.join(", ")
}
