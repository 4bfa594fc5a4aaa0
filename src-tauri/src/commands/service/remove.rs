//! `gatehouse service uninstall`: what goes away is listed first; the state folder stays unless it is to go, too.

use gatehouse_api::{Code, ErrorEnvelope, PresenceChange, PresenceScope, PresenceState, Request, say};
use gatehouse_core::presence::{self, Wish};
use gatehouse_core::{Core, CoreOptions};

use super::{apart, running, show, steps, stop_core};
use crate::{
    args::ServiceUninstall,
    output::Page,
    session::{Outcome, Session, environment},
};

pub(super) async fn run(args: &ServiceUninstall, session: &mut Session) -> Outcome {
    let wish = which(args).await?;
    let (planned, purge) = (wish.clone(), args.purge);
    let (home, plan) =
        apart(move || Ok((presence::home(&planned)?, presence::plan_uninstall(&planned, purge)?))).await?;
    if args.dry_run {
        return Ok(show(&plan, say!("cli.service.would"), session));
    }
    if plan.steps.is_empty() {
        return Ok(show(&plan, say!("cli.word.unchanged"), session));
    }
    if purge {
        session.out.context(&steps(&plan));
        session.consent(say!("cli.service.ask-purge", folder = home.path().display())).await?;
        take_back(session).await?;
    }
    let going = wish.clone();
    let after = apart(move || presence::uninstall(&going)).await?;
    let mut keeps = plan.keeps.clone();
    if purge {
        session.forget_client();
        if running(session).await.is_some() {
            stop_core(session).await?;
        }
        let left = apart(move || presence::remove_home(&home)).await?;
        keeps.extend(left.iter().map(|path| say!("cli.service.not-ours", path = path.display())));
    }
    let done = PresenceChange { done: true, presence: after, keeps, ..plan };
    Ok(show(&done, say!("cli.word.removed"), session))
}

/// The one that is there, where nobody said which.
async fn which(args: &ServiceUninstall) -> Result<Wish, ErrorEnvelope> {
    let wish = |scope| super::wish(scope, args.user.as_ref());
    if let Some(scope) = args.scope {
        return wish(scope.into());
    }
    if args.user.is_some() {
        return wish(PresenceScope::System);
    }
    let user = wish(PresenceScope::User)?;
    let system = wish(PresenceScope::System)?;
    let asked = (user.clone(), system.clone());
    apart(move || {
        let there = |wish: &Wish| {
            presence::status(wish).is_ok_and(|presence| {
                !matches!(presence.state, PresenceState::NotInstalled | PresenceState::Unknown)
                    || presence.program.is_some()
            })
        };
        Ok(!there(&asked.0) && there(&asked.1))
    })
    .await
    .map(|is_system| if is_system { system } else { user })
}

/// Takes back what the gateway's configuration got, and forgets certificates and the authority's key: by the core that
/// runs, or by one that runs only for that.
async fn take_back(session: &mut Session) -> Result<(), ErrorEnvelope> {
    let close = Request::Close { purge: true };
    match session.client().await {
        Ok(_) => session.ask(close).await.map(drop),
        Err(error) if error.code == Code::NotRunning => {
            if !session.home()?.path().exists() {
                return Ok(());
            }
            session.out.remark(&Page::verdict(
                crate::output::Tone::Plain,
                say!("cli.word.note"),
                say!("cli.service.for-that"),
            ));
            let core =
                Core::start(CoreOptions { environment: environment(), ..CoreOptions::default() }).await?;
            let closed = core.handle().call(close).await;
            core.stop().await;
            closed.map(drop)
        }
        Err(error) => Err(error),
    }
}
