//! The words of `gatehouse selftest`.

use std::path::PathBuf;

use clap::Args;

#[derive(Debug, Args)]
pub(crate) struct Selftest {
    /// Write the report to this file, to attach to an issue.
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Option<PathBuf>,
    /// Keep names and addresses of this machine in the report.
    #[arg(long)]
    pub(crate) full: bool,
}
