//! The words of `gatehouse gateway`.

use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub(crate) enum Gateway {
    /// Where it is, which version, whether it answers, and who runs it.
    Status,
    /// Start it.
    Start,
    /// Stop it; everybody who uses it is cut off.
    Stop,
    /// Stop it and start it again.
    Restart,
    /// Have the system run it, by OpenClaw's own installer.
    Install,
    /// Take that service away, by OpenClaw's own installer; configuration and state stay.
    Uninstall,
    /// Mend how it is run; every step is shown first.
    Repair {
        /// Show what would be done, and do nothing.
        #[arg(long)]
        dry_run: bool,
    },
    /// The end of its log, without secrets.
    Log {
        /// Show what follows until interrupted.
        #[arg(long, short)]
        follow: bool,
        /// So many lines.
        #[arg(long, short = 'n', value_name = "N", default_value_t = 50)]
        #[arg(value_parser = clap::value_parser!(u16).range(1..=1000))]
        lines: u16,
    },
}
