//! `gatehouse service readiness`: what will end the service one day, and what a person can do about it. Changes nothing.

use gatehouse_api::{AlwaysOn, AwakeState, ReadinessState, Reply, Request, say};
use gatehouse_core::readiness::always_on;

use super::apart;
use crate::{
    output::{Page, Tone, words},
    session::{Outcome, Session, Verdict, environment, unexpected},
};

pub(super) async fn run(session: &mut Session) -> Outcome {
    // A core that runs knows whether the machine is kept awake; everything else is the same without one.
    let all = match session.client().await {
        Ok(_) => match session.ask(Request::AlwaysOn).await? {
            Reply::AlwaysOn(all) => *all,
            _ => return Err(unexpected()),
        },
        Err(_) => apart(|| Ok(always_on(&environment(), AwakeState::NotNeeded))).await?,
    };
    let attention = all.points.iter().filter(|point| point.state == ReadinessState::Attention).count();
    session.out.result(&page(&all, attention), &all);
    Ok(Verdict::warned(attention > 0))
}

fn page(all: &AlwaysOn, attention: usize) -> Page {
    let mut page = match attention {
        0 => Page::verdict(Tone::Good, say!("cli.ready.all"), say!("cli.ready.about-all")),
        count => {
            Page::verdict(Tone::Warn, say!("cli.ready.some"), say!("cli.ready.about-some", count = count))
        }
    };
    for point in &all.points {
        words::point(&mut page, point);
    }
    page
}
