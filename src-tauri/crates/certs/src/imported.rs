//! Certificates that the user brings: copied once, or watched where another program renews them.
//!
//! Guarantees: what is served was read whole, and its key belongs to it; a file that is half written, broken, or whose new
//! certificate is over is not served: the last good pair stays, and [`ImportStatus::problem`] says why. A change swaps the
//! pair and touches no connection. Of a watched pair nothing is copied: its key stays where the user keeps it.

mod bundle;
mod check;
mod error;
mod shelf;
mod stamp;
mod trust;

pub use bundle::Material;
pub use check::{Pair, Remark};
pub use error::ImportError;
pub use shelf::{Expiry, ImportSource, ImportStatus, Imports, expiry};
pub(crate) use stamp::Stamp;
pub use trust::{Verdict, verdict};

#[cfg(test)]
mod tests;
