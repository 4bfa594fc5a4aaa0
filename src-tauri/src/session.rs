//! One run of the command line: its flags, its streams, its clock, its core.

use std::{
    collections::BTreeMap,
    future::Future,
    io::{self, IsTerminal},
    path::PathBuf,
};

use gatehouse_api::{
    Code, ErrorEnvelope, Reply, Request,
    socket::{Client, Ended},
};
use gatehouse_host::home::{Environment, Home};

use crate::{
    args::Globals,
    output::{Form, Out, when::Clock},
};

/// How a command ended that did what it was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// All is well.
    Done,
    /// Done, and something needs attention.
    Warnings,
    /// Told, and what was told has an exit status of its own: an address that is blocked.
    Told(Code),
}

impl Verdict {
    /// [`Self::Warnings`] where there are some.
    pub(crate) fn warned(warned: bool) -> Self {
        if warned { Self::Warnings } else { Self::Done }
    }

    /// The exit status (`design.md` §7).
    pub(crate) fn exit_status(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Warnings => 3,
            Self::Told(code) => code.exit_status(),
        }
    }
}

/// The end of a command.
pub(crate) type Outcome = Result<Verdict, ErrorEnvelope>;

/// The variables of this process as a core takes them; one that is no text cannot be meant for it.
pub(crate) fn environment() -> BTreeMap<String, String> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}

/// One run of the command line.
pub(crate) struct Session {
    pub(crate) globals: Globals,
    pub(crate) out: Out,
    pub(crate) clock: Clock,
    client: Option<Client>,
}

impl Session {
    pub(crate) fn new(globals: Globals, clock: Clock) -> Self {
        let out = Out::new(&globals);
        Self { globals, out, clock, client: None }
    }

    /// The connection to the core.
    pub(crate) async fn client(&mut self) -> Result<Client, ErrorEnvelope> {
        if let Some(client) = &self.client {
            return Ok(client.clone());
        }
        let path = self.socket()?;
        let client = self.in_time(Client::connect(&path)).await?;
        self.client = Some(client.clone());
        Ok(client)
    }

    /// Asks the core, and waits as long as `--timeout` allows.
    pub(crate) async fn ask(&mut self, request: Request) -> Result<Reply, ErrorEnvelope> {
        let client = self.client().await?;
        self.in_time(client.call(request)).await
    }

    /// Waits as long as `--timeout` allows.
    pub(crate) async fn in_time<T>(
        &self,
        answer: impl Future<Output = Result<T, ErrorEnvelope>>,
    ) -> Result<T, ErrorEnvelope> {
        let Some(limit) = self.globals.timeout else { return answer.await };
        tokio::time::timeout(limit, answer).await.unwrap_or_else(|_| {
            let because = format!("{} s have passed. What was begun goes on.", limit.as_secs());
            Err(ErrorEnvelope::new(Code::Failed, "There was no answer in time", because)
                .fix_with("See how far it got.", "gatehouse status"))
        })
    }

    /// Whether a person can be asked.
    pub(crate) fn can_ask(&self) -> bool {
        !self.globals.no_input
            && self.out.form() == Form::Human
            && io::stdin().is_terminal()
            && self.out.remarks_look().terminal
    }

    /// Asks a yes-or-no question. Anything but a yes is a no.
    pub(crate) async fn confirm(&mut self, question: &str) -> bool {
        self.out.question(&format!("{question} [y/N]"));
        let answer = line().await.unwrap_or_default();
        matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes")
    }

    /// Makes sure of a yes before something that cannot be taken back.
    pub(crate) async fn consent(&mut self, question: &str) -> Result<(), ErrorEnvelope> {
        if self.globals.yes {
            return Ok(());
        }
        if !self.can_ask() {
            return Err(ErrorEnvelope::new(Code::NeedsConfirmation, question, "There is nobody to ask.")
                .fix("Say it again with --yes."));
        }
        if self.confirm(question).await {
            return Ok(());
        }
        Err(ErrorEnvelope::new(Code::NeedsConfirmation, "Nothing was changed", "The answer was no."))
    }

    /// Where the core's control socket is.
    pub(crate) fn socket(&self) -> Result<PathBuf, ErrorEnvelope> {
        match &self.globals.socket {
            Some(path) => Ok(path.clone()),
            None => Ok(self.home()?.socket().to_owned()),
        }
    }

    /// The state folder.
    pub(crate) fn home(&self) -> Result<Home, ErrorEnvelope> {
        Home::resolve(&Environment::from_process()).map_err(|error| {
            ErrorEnvelope::new(Code::Usage, "There is no state folder", format!("{error}."))
                .fix("Set GATEHOUSE_HOME to a folder of your own.")
        })
    }
}

/// The next line that a person types; `None` at the end of input.
pub(crate) async fn line() -> Option<String> {
    let read = tokio::task::spawn_blocking(|| {
        let mut line = String::new();
        match io::stdin().read_line(&mut line) {
            Ok(0) | Err(_) => None,
            Ok(_) => Some(line),
        }
    });
    read.await.ok().flatten()
}

/// The answer fits another question: the core is of another make.
pub(crate) fn unexpected() -> ErrorEnvelope {
    ErrorEnvelope::new(
        Code::Version,
        "The answer does not fit the question",
        "The Gatehouse that runs seems to be of another version.",
    )
    .fix("Stop the one that runs and start it again.")
}

/// The end of a stream as an error.
pub(crate) fn ended(ended: &Ended) -> ErrorEnvelope {
    let code = match ended {
        Ended::Stopped | Ended::Lost(_) => Code::NotRunning,
        Ended::Garbage(_) => Code::Failed,
    };
    ErrorEnvelope::new(code, "There is nothing more to follow", format!("{}.", capital(&ended.to_string())))
        .fix_with("Start it again.", "gatehouse serve")
}

fn capital(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map(|first| first.to_uppercase().chain(characters).collect()).unwrap_or_default()
}
