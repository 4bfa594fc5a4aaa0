//! The commands, one file each. A command asks the core, and shows what it answered; it decides nothing.

mod cert;
mod change;
mod close;
mod completions;
mod config;
mod confirm;
mod devices;
mod front;
mod gateway;
mod history;
mod link;
mod metrics;
mod network;
mod open;
mod origins;
mod pause;
mod plan;
mod secret;
mod selftest;
pub(crate) mod serve;
mod service;
mod status;
mod tail;
mod test;
mod token;
mod undo;
mod version;

use crate::{
    args::Command,
    log,
    session::{Outcome, Session},
};

/// Runs a command.
pub(crate) async fn run(command: Command, session: &mut Session) -> Outcome {
    let is_host = matches!(command, Command::Serve(_));
    if is_host || session.globals.verbose > 0 {
        log::start(&session.globals, session.out.remarks_look(), session.clock);
    }
    match command {
        Command::Serve(args) => serve::run(&args, session).await,
        Command::Open(args) => open::run(&args, session).await,
        Command::Close(args) => close::run(&args, session).await,
        Command::Status(args) => status::run(&args, session).await,
        Command::Pause(args) => pause::pause(&args, session).await,
        Command::Resume => pause::resume(session).await,
        Command::Confirm => confirm::run(session).await,
        Command::Undo(args) => undo::run(&args, session).await,
        Command::History(args) => history::run(&args, session).await,
        Command::Origins(command) => origins::run(command, session).await,
        Command::Devices(command) => devices::run(command, session).await,
        Command::Cert(command) => cert::run(command, session).await,
        Command::Gateway(command) => gateway::run(&command, session).await,
        Command::Token(command) => token::run(command, session).await,
        Command::SecretRef => token::secret_ref::run(session).await,
        Command::Service(command) => service::run(&command, session).await,
        Command::Link(args) => link::run(&args, session).await,
        Command::Tail(args) => tail::run(&args, session).await,
        Command::Test(args) => test::run(args, session).await,
        Command::Selftest(args) => selftest::run(&args, session).await,
        Command::Config(command) => config::run(command, session).await,
        Command::Front(command) => front::run(command, session).await,
        Command::Network(args) => network::run(&args, session).await,
        Command::Metrics => metrics::run(session).await,
        Command::Completions(args) => Ok(completions::run(&args, session)),
        Command::Version => Ok(version::run(session).await),
    }
}
