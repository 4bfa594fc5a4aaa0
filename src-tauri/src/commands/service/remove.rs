//! `gatehouse service uninstall`: what goes away is listed first; the state folder stays unless it is to go, too.

use gatehouse_api::{
    Code, ErrorEnvelope, PresenceChange, PresenceScope, PresenceState, Reply, Request, TokenEdit, TokenPlace,
    say,
};
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
        Ok(_) => {
            let status = session.ask(Request::TokenStatus).await;
            if asks_us(&status) {
                session.ask(PLAIN).await?;
                session.out.remark(&token_is_back());
            }
            session.ask(close).await.map(drop)
        }
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
            let handle = core.handle();
            let gone = async {
                if asks_us(&handle.call(Request::TokenStatus).await) {
                    handle.call(PLAIN).await?;
                    session.out.remark(&token_is_back());
                }
                handle.call(close).await.map(drop)
            };
            let gone = gone.await;
            core.stop().await;
            gone
        }
        Err(error) => Err(error),
    }
}

/// What the gateway is given back before the program and the store go that it asks for its token.
const PLAIN: Request = Request::TokenChange(TokenEdit::UsePlain);

/// Whether the gateway asks us for its token: without us it would not start again, and a file's copy is the only one.
fn asks_us(status: &Result<Reply, ErrorEnvelope>) -> bool {
    matches!(status, Ok(Reply::Token(token)) if token.place == TokenPlace::Store)
}

fn token_is_back() -> Page {
    Page::verdict(crate::output::Tone::Plain, say!("cli.word.note"), say!("cli.service.token-back"))
}
