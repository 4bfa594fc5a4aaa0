//! The program under test, with a state folder of its own.

use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tokio::process::{Child, Command};

use crate::{Machine, Screen, eventually, within};

/// Longer than any command's own limits.
const PATIENCE: Duration = Duration::from_secs(150);

/// Where the program is: `GATEHOUSE_TEST_PROGRAM`, else beside the running test.
#[must_use]
pub fn program() -> PathBuf {
    std::env::var_os("GATEHOUSE_TEST_PROGRAM").map_or_else(|| built("gatehouse"), PathBuf::from)
}

fn built(name: &str) -> PathBuf {
    let test = std::env::current_exe().expect("the test has a path");
    test.ancestors().nth(2).expect("target/<profile>/deps/<test>").join(name)
}

/// A state folder and, while `serve` runs, its process.
#[derive(Debug)]
pub struct Gatehouse {
    machine: Machine,
    program: PathBuf,
    /// `GATEHOUSE_HOME`.
    pub home: PathBuf,
    gateway_home: PathBuf,
    environment: Vec<(String, String)>,
    user: Option<u32>,
    served: Option<Child>,
}

/// A command that has ended.
#[derive(Debug, Clone)]
pub struct Ran {
    /// The exit status; 255 after a signal.
    pub code: i32,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

impl Gatehouse {
    /// A state folder for the gateway whose HOME is `gateway_home`. Nothing runs yet.
    #[must_use]
    pub fn new(machine: &Machine, home: &Path, gateway_home: &Path) -> Self {
        Self {
            machine: machine.clone(),
            program: program(),
            home: home.to_owned(),
            gateway_home: gateway_home.to_owned(),
            environment: Vec::new(),
            user: None,
            served: None,
        }
    }

    /// The same with a further environment variable for every command.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The same with another installation of the program.
    #[must_use]
    pub fn running(mut self, program: &Path) -> Self {
        self.program = program.to_owned();
        self
    }

    /// The same for a user of the machine, with a copy of the program that this user may run.
    #[must_use]
    pub fn of_user(mut self, user: u32, program: &Path) -> Self {
        self.user = Some(user);
        self.program = program.to_owned();
        self
    }

    /// The program, which dies at `place` (`<step>:<point>`) when it gets there. Only one with debug assertions does.
    #[must_use]
    pub fn dying_at(self, place: &str) -> Self {
        self.with("GATEHOUSE_TEST_ABORT_AT", place)
    }

    /// The same without the wish to die, for the start after the crash.
    pub fn is_sound_again(&mut self) {
        self.environment.retain(|(name, _)| name != "GATEHOUSE_TEST_ABORT_AT");
    }

    /// Starts `gatehouse serve` with further arguments, and waits until its control socket answers.
    pub async fn serve(&mut self, arguments: &[&str]) {
        self.launch(arguments);
        eventually("gatehouse serve answers", Duration::from_secs(60), async || {
            let ended = self.served.as_mut().and_then(|child| child.try_wait().ok().flatten());
            if let Some(status) = ended {
                panic!("gatehouse serve ended with {status}:\n{}", self.output());
            }
            self.status().await["pid"].is_u64().then_some(())
        })
        .await;
    }

    /// Starts `gatehouse serve` with further arguments and returns at once.
    pub fn launch(&mut self, arguments: &[&str]) {
        let mut command = self.command();
        command.arg("serve").args(arguments);
        self.spawn(command);
    }

    /// Starts the tray app on a screen, and waits until a core answers at the control socket: its own, or one that runs.
    pub async fn appear(&mut self, screen: &Screen) {
        self.start_app(screen);
        eventually("the tray app answers", Duration::from_secs(60), async || {
            assert!(self.is_running(), "the tray app ended:\n{}", self.output());
            self.status().await["pid"].is_u64().then_some(())
        })
        .await;
    }

    /// Starts the tray app on a screen and returns at once.
    pub fn start_app(&mut self, screen: &Screen) {
        let mut command = self.command();
        screen.dress(&mut command);
        self.spawn(command);
    }

    fn spawn(&mut self, mut command: Command) {
        let log =
            std::fs::File::options().create(true).append(true).open(self.log()).expect("a log can be made");
        let output = log.try_clone().expect("a log can be shared");
        let child = command.stdin(Stdio::null()).stdout(output).stderr(log).spawn();
        self.served = Some(child.expect("gatehouse starts"));
    }

    /// Runs one command to its end.
    pub async fn run(&self, arguments: &[&str]) -> Ran {
        self.finish(self.command(), arguments).await
    }

    /// Runs one command on a screen to its end.
    pub async fn run_on(&self, screen: &Screen, arguments: &[&str]) -> Ran {
        let mut command = self.command();
        screen.dress(&mut command);
        self.finish(command, arguments).await
    }

    async fn finish(&self, mut command: Command, arguments: &[&str]) -> Ran {
        let work = command.args(arguments).stdin(Stdio::null()).output();
        let output =
            within(&format!("gatehouse {arguments:?}"), PATIENCE, work).await.expect("gatehouse starts");
        Ran {
            code: output.status.code().unwrap_or(255),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// `status --json`.
    pub async fn status(&self) -> Value {
        self.run(&["--json", "status"]).await.json()
    }

    /// Waits until the status is as `wanted` says; gives that status.
    pub async fn status_when(&self, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        eventually(what, Duration::from_secs(60), async || {
            let status = self.status().await;
            wanted(&status).then_some(status)
        })
        .await
    }

    /// The certificate authority, as a user exports it for a device (PEM).
    pub async fn ca(&self) -> String {
        let file = self.home.with_extension("ca.pem");
        let name = file.to_str().expect("a path of letters");
        self.run(&["cert", "export", "--ca", name]).await.succeeds();
        std::fs::read_to_string(file).expect("the authority was exported")
    }

    /// Waits until `serve` ends by itself.
    pub async fn ends(&mut self) -> ExitStatus {
        let mut child = self.served.take().expect("gatehouse serve runs");
        within("the end of gatehouse serve", PATIENCE, child.wait()).await.expect("gatehouse serve ends")
    }

    /// Presses Ctrl-C and waits until `serve` has ended.
    pub async fn interrupt(&mut self) -> ExitStatus {
        self.signal(Signal::INT);
        self.ends().await
    }

    /// Ends `serve` as a power cut would.
    pub async fn dies(&mut self) {
        self.signal(Signal::KILL);
        self.ends().await;
    }

    /// Ends `serve` as a power cut would, while commands wait for it.
    pub fn loses_power(&self) {
        self.signal(Signal::KILL);
    }

    /// Whether `serve` still runs.
    pub fn is_running(&mut self) -> bool {
        self.served.as_mut().is_some_and(|child| matches!(child.try_wait(), Ok(None)))
    }

    /// Process id of `serve`.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.served.as_ref().and_then(Child::id).expect("gatehouse serve runs")
    }

    /// What `serve` has printed.
    #[must_use]
    pub fn output(&self) -> String {
        std::fs::read_to_string(self.log()).unwrap_or_default()
    }

    fn log(&self) -> PathBuf {
        self.home.with_extension("output.log")
    }

    fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.pid()).ok().and_then(Pid::from_raw).expect("a process id");
        kill_process(pid, signal).expect("gatehouse serve can be told");
    }

    /// The machine that it runs on.
    pub(crate) fn machine(&self) -> &Machine {
        &self.machine
    }

    /// Where the program is.
    pub(crate) fn program(&self) -> &Path {
        &self.program
    }

    fn command(&self) -> Command {
        self.command_of(&self.program)
    }

    /// Any program, with the environment that this one has.
    pub(crate) fn command_of(&self, program: &Path) -> Command {
        let mut command = match self.user {
            None => self.machine.command(program),
            Some(user) => {
                let mut command = self.machine.command("setpriv");
                command.args([format!("--reuid={user}"), format!("--regid={user}"), "--clear-groups".into()]);
                command.arg(program);
                command
            }
        };
        command
            .env("HOME", &self.gateway_home)
            .env("GATEHOUSE_HOME", &self.home)
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .current_dir(&self.gateway_home);
        command
    }
}

impl Ran {
    /// Fails the test unless the command ended with 0.
    #[track_caller]
    pub fn succeeds(self) -> Self {
        self.ends_with(0)
    }

    /// Fails the test unless the command ended with `code`.
    #[track_caller]
    pub fn ends_with(self, code: i32) -> Self {
        assert_eq!(self.code, code, "standard output:\n{}\nstandard error:\n{}", self.out, self.err);
        self
    }

    /// Standard output as one JSON value; `null` where it is none.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_default()
    }

    /// Everything that was printed.
    #[must_use]
    pub fn text(&self) -> String {
        format!("{}{}", self.out, self.err)
    }
}
