//! One run of the command line: its flags, its streams, its clock, its core.

use std::{
    collections::BTreeMap,
    future::Future,
    io::{self, IsTerminal},
    path::PathBuf,
};

use gatehouse_api::{
    Code, ErrorEnvelope, Reply, Request, Text, say,
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

    /// The next question goes to whoever answers then.
    pub(crate) fn forget_client(&mut self) {
        self.client = None;
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
            let because = say!("cli.timeout.because", seconds = limit.as_secs());
            Err(ErrorEnvelope::new(Code::Failed, say!("cli.timeout.title"), because)
                .fix_with(say!("cli.timeout.fix"), "gatehouse status"))
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
    pub(crate) async fn confirm(&mut self, question: impl Into<Text>) -> bool {
        self.out.question(&say!("cli.ask", question = question.into()));
        let answer = line().await.unwrap_or_default();
        matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes" | "是")
    }

    /// Makes sure of a yes before something that cannot be taken back.
    pub(crate) async fn consent(&mut self, question: Text) -> Result<(), ErrorEnvelope> {
        if self.globals.yes {
            return Ok(());
        }
        if !self.can_ask() {
            return Err(ErrorEnvelope::new(Code::NeedsConfirmation, question, say!("cli.nobody"))
                .fix(say!("cli.say-yes")));
        }
        if self.confirm(question).await {
            return Ok(());
        }
        Err(ErrorEnvelope::new(Code::NeedsConfirmation, say!("cli.nothing-changed"), say!("cli.answered-no")))
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
            ErrorEnvelope::new(Code::Usage, say!("cli.home.title"), format!("{error}."))
                .fix(say!("cli.home.fix"))
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
    ErrorEnvelope::new(Code::Version, say!("cli.unexpected.title"), say!("cli.unexpected.because"))
        .fix(say!("core.socket.restart-running"))
}

/// The end of a stream as an error.
pub(crate) fn ended(ended: &Ended) -> ErrorEnvelope {
    let code = match ended {
        Ended::Stopped | Ended::Lost(_) => Code::NotRunning,
        Ended::Garbage(_) => Code::Failed,
    };
    ErrorEnvelope::new(code, say!("cli.ended.title"), said(ended))
        .fix_with(say!("cli.ended.fix"), "gatehouse serve")
}

fn said(ended: &Ended) -> Text {
    match ended {
        Ended::Stopped => say!("cli.ended.stopped"),
        Ended::Lost(why) => say!("cli.ended.lost", why = why),
        Ended::Garbage(what) => say!("cli.ended.garbage", what = what),
    }
}
