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
