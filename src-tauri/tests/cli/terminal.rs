//! On a terminal: questions, progress in place, colours.

use std::{
    fs::{File, OpenOptions},
    io::{Read, Write},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use gatehouse_api::{ApproveAs, Code, ErrorEnvelope, Reply, Request, StepState};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use tokio::{process::Child, sync::mpsc};

use crate::{
    core::FakeCore,
    fixtures::{self, PHONE},
    run::{HANGS, program},
};

#[tokio::test(flavor = "multi_thread")]
async fn a_revocation_asks_and_takes_no_for_an_answer() {
    for (answer, status, revoked) in [("n\n", 4, false), ("\n", 4, false), ("y\n", 0, true)] {
        let core = FakeCore::usual();
        let mut terminal = Terminal::start(&core.path, &["devices", "revoke", "77c0"]);
        terminal.until("[y/N]").await;
        terminal.types(answer);

        assert_eq!(terminal.end().await, status, "{}", terminal.shown);
        let sent = core.seen().iter().any(|request| matches!(request, Request::DevicesRevoke { .. }));
        assert_eq!(sent, revoked, "{answer:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_approval_asks_and_asks_again_when_the_wish_widened() {
    let rounds = Arc::new(AtomicUsize::new(0));
    let core = FakeCore::start(fixtures::on(), {
        let rounds = Arc::clone(&rounds);
        move |request| {
            Some(match request {
                Request::DevicesList => {
                    let mut devices = fixtures::devices();
                    if rounds.load(Ordering::SeqCst) > 0 {
                        devices.pending[0].scopes.push("operator.pairing".to_owned());
                    }
                    Ok(Reply::Devices(devices))
                }
                Request::DevicesApprove { .. } if rounds.fetch_add(1, Ordering::SeqCst) == 0 => {
                    Err(ErrorEnvelope::new(Code::Widened, "It asks for more now", "See above."))
                }
                other => fixtures::answer(other),
            })
        }
    });
    let mut terminal = Terminal::start(&core.path, &["devices", "approve", "3f9a"]);

    terminal.until("Let it in? [y/N]").await;
    assert!(!terminal.shown.contains("Let other devices in"));
    terminal.types("y\n");
    terminal.until("Let other devices in").await;
    terminal.until("Let it in? [y/N]").await;
    terminal.types("yes\n");

    assert_eq!(terminal.end().await, 0, "{}", terminal.shown);
    let Some(Request::DevicesApprove { shown_scopes: Some(shown), .. }) = core.seen().pop() else {
        panic!("{:?}", core.seen())
    };
    assert!(shown.contains(&"operator.pairing".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watch_decides_about_each_device() {
    let approved = Arc::new(AtomicUsize::new(0));
    let core = FakeCore::start(fixtures::on(), {
        let approved = Arc::clone(&approved);
        move |request| {
            Some(match request {
                Request::DevicesList => {
                    let mut devices = fixtures::devices();
                    devices.pending.push(fixtures::tablet());
                    devices.pending.drain(..approved.load(Ordering::SeqCst));
                    Ok(Reply::Devices(devices))
                }
                Request::DevicesApprove { .. } | Request::DevicesDeny { .. } => {
                    approved.fetch_add(1, Ordering::SeqCst);
                    fixtures::answer(request)
                }
                other => fixtures::answer(other),
            })
        }
    });
    let mut terminal = Terminal::start(&core.path, &["devices", "watch", "--bell"]);

    terminal.until("waiting").await;
    terminal.until("[a/c/r/d/L]").await;
    terminal.types("r\n");
    terminal.until("Approved").await;
    terminal.until("iPad").await;
    terminal.until("[a/c/r/d/L]").await;
    terminal.types("d\n");
    terminal.until("Denied").await;
    core.events.send(gatehouse_api::Event::Stopping).unwrap();

    assert_eq!(terminal.end().await, 5);
    assert!(terminal.shown.contains('\u{7}') && !terminal.shown.contains("Gone"), "{}", terminal.shown);
    let decisions: Vec<_> =
        core.seen().into_iter().filter(|request| !matches!(request, Request::DevicesList)).collect();
    assert!(
        matches!(&decisions[..], [
            Request::DevicesApprove { device, access: ApproveAs::Read, .. },
            Request::DevicesDeny { device: denied },
        ] if device == PHONE && denied == fixtures::TABLET),
        "{decisions:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn steps_are_shown_in_place_and_colours_are_used() {
    for (color, colored) in [("auto", true), ("never", false)] {
        let sender = Arc::new(std::sync::OnceLock::<tokio::sync::broadcast::Sender<_>>::new());
        let events = Arc::clone(&sender);
        let core = FakeCore::start(fixtures::on(), move |request| {
            if matches!(request, Request::Open(_)) {
                for step in fixtures::steps(StepState::Done) {
                    events.get().unwrap().send(step).unwrap();
                }
            }
            Some(fixtures::answer(request))
        });
        sender.set(core.events.clone()).unwrap();
        let mut terminal = Terminal::start(&core.path, &["open", "--color", color]);

        assert_eq!(terminal.end().await, 0);
        assert!(terminal.shown.contains("\r\u{1b}[K"), "{:?}", terminal.shown);
        assert_eq!(terminal.shown.contains("\u{1b}[32m"), colored, "{:?}", terminal.shown);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_terminal_that_wants_no_input_is_not_asked() {
    let core = FakeCore::usual();
    let mut terminal = Terminal::start(&core.path, &["close", "--purge", "--no-input"]);

    assert_eq!(terminal.end().await, 4);
    assert_eq!(core.seen(), [Request::PlanClose { purge: true }]);
}

/// The program on a terminal of its own.
struct Terminal {
    child: Child,
    keys: File,
    pieces: mpsc::UnboundedReceiver<Vec<u8>>,
    shown: String,
    read: usize,
}

impl Terminal {
    fn start(socket: &Path, words: &[&str]) -> Self {
        let keys = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&keys).unwrap();
        unlockpt(&keys).unwrap();
        let name = ptsname(&keys, Vec::new()).unwrap().into_string().unwrap();
        let side = || OpenOptions::new().read(true).write(true).open(&name).unwrap();
        let mut command = program(socket, words);
        let child = command.stdin(side()).stdout(side()).stderr(side()).spawn().unwrap();
        // The command holds our ends of the terminal, which must be closed for it to end.
        drop(command);
        let keys = File::from(keys);
        let (sender, pieces) = mpsc::unbounded_channel();
        let mut screen = keys.try_clone().unwrap();
        std::thread::spawn(move || {
            let mut piece = [0; 4096];
            while let Ok(length @ 1..) = screen.read(&mut piece) {
                if sender.send(piece[..length].to_vec()).is_err() {
                    return;
                }
            }
        });
        Self { child, keys, pieces, shown: String::new(), read: 0 }
    }

    /// Waits until `text` is shown after what was waited for before.
    async fn until(&mut self, text: &str) {
        loop {
            if let Some(at) = self.shown[self.read..].find(text) {
                self.read += at + text.len();
                return;
            }
            let piece = tokio::time::timeout(HANGS, self.pieces.recv()).await.ok().flatten();
            let Some(piece) = piece else { panic!("{text:?} was not shown: {:?}", self.shown) };
            self.shown.push_str(&String::from_utf8_lossy(&piece));
        }
    }

    fn types(&mut self, text: &str) {
        self.keys.write_all(text.as_bytes()).unwrap();
    }

    /// Waits for the end and for the rest of what is shown.
    async fn end(&mut self) -> i32 {
        let status = tokio::time::timeout(HANGS, self.child.wait()).await.unwrap().unwrap();
        while let Some(piece) = tokio::time::timeout(HANGS, self.pieces.recv()).await.ok().flatten() {
            self.shown.push_str(&String::from_utf8_lossy(&piece));
        }
        status.code().unwrap()
    }
}
