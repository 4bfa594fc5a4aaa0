//! The real machine, the real clock, and checkpoints that let everything pass.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use gatehouse_host::addresses::{self, InterfaceAddress};
use gatehouse_host::mapping;
use gatehouse_host::names::{self, HostNames};
use gatehouse_host::ports::{self, PortHolder, Refusal};
use rustix::process::{Pid, Signal, kill_process};
use time::OffsetDateTime;

use super::{Checkpoint, Clock, Machine};

/// This machine and its clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct System;

impl Machine for System {
    fn addresses(&self) -> io::Result<Vec<InterfaceAddress>> {
        addresses::list()
    }

    fn names(&self) -> HostNames {
        names::host_names()
    }

    fn holder(&self, port: u16) -> Option<PortHolder> {
        ports::holder(port)
    }

    fn ask_to_restart(&self, pid: u32) -> io::Result<()> {
        let pid = i32::try_from(pid).ok().and_then(Pid::from_raw).ok_or(io::ErrorKind::NotFound)?;
        Ok(kill_process(pid, Signal::USR2)?)
    }

    fn router(&self) -> Option<Ipv4Addr> {
        mapping::router()
    }

    fn try_bind(&self, address: SocketAddr) -> Result<(), Refusal> {
        ports::try_bind(address)
    }
}

/// The real clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> OffsetDateTime {
        OffsetDateTime::now_utc()
    }
}

/// Passes every checkpoint; a program that was built with debug assertions, which none that is shipped is, kills itself
/// (SIGKILL) at the one that `GATEHOUSE_TEST_ABORT_AT=<step>:<point>` names.
#[derive(Debug, Clone, Default)]
pub struct Pass {
    #[cfg(debug_assertions)]
    abort_at: Option<String>,
}

impl Pass {
    /// As the environment of this process says.
    #[must_use]
    pub fn from_process() -> Self {
        Self {
            #[cfg(debug_assertions)]
            abort_at: std::env::var("GATEHOUSE_TEST_ABORT_AT").ok(),
        }
    }
}

impl Checkpoint for Pass {
    fn reached(&self, step: &str, point: &str) {
        #[cfg(debug_assertions)]
        if self.abort_at.as_deref() == Some(&format!("{step}:{point}")) {
            let _ = kill_process(rustix::process::getpid(), Signal::KILL);
            std::process::abort();
        }
        tracing::trace!(step, point, "checkpoint");
    }
}
