//! The edge, nginx, Caddy and HAProxy side by side in one run, and the edge's own counters.
//!
//! One process measures and makes the load; the servers and the upstream are processes of their own, each server alone
//! on one core with one worker. What is compared is the CPU time that a server's processes spend per unit of work, from
//! the kernel's accounts, so that a busy machine adds noise but no bias; rounds interleave the servers.

pub mod edge;
pub mod load;
pub mod peers;
pub mod process;
pub mod run;
pub mod table;
pub mod tls;
pub mod upstream;

/// Whatever went wrong, for the person who runs the bench.
pub type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// One thread for everything.
///
/// # Errors
/// When the system has no descriptors left.
pub fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()
}
