//! `gatehouse network`: where this machine is on its network, and what keeps others from reaching it.

use gatehouse_api::{
    MappingState, Network, PortMapping, PublicAddress, ReadinessState, Reply, Request, Text, say,
};

use crate::{
    args::NetworkArgs,
    output::{Page, Tone, when::Clock, words},
    session::{Outcome, Session, Verdict, unexpected},
};

/// Shows it, or has the router asked again.
pub(crate) async fn run(args: &NetworkArgs, session: &mut Session) -> Outcome {
    if args.renew {
        session.ask(Request::RenewMapping).await?;
    }
    let Reply::Network(network) = session.ask(Request::Network { ask: args.ask }).await? else {
        return Err(unexpected());
    };
    let attention = network.points.iter().filter(|point| point.state == ReadinessState::Attention).count();
    session.out.result(&page(&network, attention, session.clock), &network);
    Ok(Verdict::warned(attention > 0))
}

fn page(network: &Network, attention: usize, clock: Clock) -> Page {
    let mut page = match attention {
        0 => Page::verdict(Tone::Good, say!("cli.net.all"), say!("cli.net.about-all")),
        count => Page::verdict(Tone::Warn, say!("cli.net.some"), say!("cli.net.about-some", count = count)),
    };
    let names: Vec<&str> = network.host.iter().chain(&network.bonjour).map(String::as_str).collect();
    if !names.is_empty() {
        page.field(say!("cli.field.names"), names.join(", "));
    }
    for address in &network.addresses {
        let mut marks = vec![words::address_scope(address.reach)];
        marks.extend(address.open.then(|| say!("cli.net.open")));
        marks.extend(address.temporary.then(|| say!("cli.net.temporary")));
        marks.extend(address.deprecated.then(|| say!("cli.net.deprecated")));
        let marks = Text::list(marks);
        let line =
            say!("cli.net.address", address = address.address, interface = address.interface, marks = marks);
        page.field(say!("cli.field.address"), line);
    }
    for kept in &network.kept {
        let line = say!("cli.net.kept", url = kept.url, relative = clock.relative(kept.until));
        page.field(say!("cli.net.before"), line);
    }
    match (&network.mapping, &network.router) {
        (Some(port), _) => page.field(say!("cli.field.router"), mapping(port, clock)),
        (None, Some(router)) => page.field(say!("cli.field.router"), router),
        (None, None) => {}
    }
    for one in &network.public {
        page.field(say!("cli.net.public"), public(one));
    }
    for point in &network.points {
        words::point(&mut page, point);
    }
    page
}

fn public(one: &PublicAddress) -> Text {
    let source = match one.source.as_str() {
        "router" => say!("cli.net.by-router"),
        "interface" => say!("cli.net.by-interface"),
        url => url.into(),
    };
    match (&one.address, &one.problem) {
        (Some(address), None) => say!("cli.net.says", address = address, source = source),
        (Some(address), Some(problem)) => {
            say!("cli.net.says-but", address = address, source = source, problem = problem)
        }
        (None, Some(problem)) => say!("cli.net.silent", source = source, problem = problem),
        (None, None) => source,
    }
}

/// The router's port in one line.
pub(super) fn mapping(mapping: &PortMapping, clock: Clock) -> Text {
    match (mapping.state, mapping.renewed_at, mapping.retry_at) {
        (MappingState::Open, Some(renewed), _) => say!(
            "cli.map.open",
            external = mapping.external.clone().unwrap_or_default(),
            to = mapping.to,
            protocol = mapping.protocol.clone().unwrap_or_default(),
            router = mapping.router.clone().unwrap_or_default(),
            renewed = clock.relative(renewed)
        ),
        (MappingState::Failed, _, Some(retry)) => {
            say!("cli.map.failed", port = mapping.port, retry = clock.relative(retry))
        }
        _ => say!("cli.map.opening", port = mapping.port),
    }
}
