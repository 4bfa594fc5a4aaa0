//! The gateway's configuration, and edits that can be taken back.
//!
//! An edit is applied in one of two ways that share all rules ([`edit`]): through the running gateway ([`rpc`]) or in
//! the file ([`file`]). Both compute, before anything is written, the inverse that removes exactly what the edit added.
//! An inverse that meets a value somebody changed meanwhile leaves it alone and reports [`Drift`].

mod apply;
mod cst;
pub mod edit;
mod error;
pub mod file;
mod path;
mod read;
pub mod rpc;
mod secret;
mod view;

pub use edit::{Drift, Edit, Expected, OnDrift, Removed};
pub use error::ConfigError;
pub use path::KeyPath;
pub use view::{AuthMode, View};

/// What the fuzzer drives.
#[cfg(fuzzing)]
pub mod fuzzing {
    use super::{Edit, OnDrift, apply, file, read};
    use serde_json::Value;

    /// The configuration in these bytes.
    #[must_use]
    pub fn parse(text: &[u8]) -> Option<Value> {
        read::parse(text).ok()
    }

    /// The text after edits, and what takes them back; `None` where they are refused.
    #[must_use]
    pub fn edit(text: &[u8], edits: &[Edit]) -> Option<(Vec<u8>, Vec<Edit>)> {
        let applied = apply::apply(&parse(text)?, edits, OnDrift::Leave).ok()?;
        Some((file::rewritten(text, &applied).ok()?, applied.inverse))
    }
}
