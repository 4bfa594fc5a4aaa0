//! Clients that send exactly what a test says, well-behaved or hostile, from a machine of the test's choice.

mod h1;
mod h2;
mod https;
mod socket;

use std::collections::BTreeMap;

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite};

pub use h1::Line;
pub use h2::H2;
pub use https::Https;
pub(crate) use socket::{Closed, upgrade};
pub use socket::{Socket, UpgradeRefused};

/// A byte stream, whatever is below it.
pub trait Io: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Io for T {}

/// An HTTP response, read to its end.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// Header fields by lower-case name; several of one name are joined with `, `.
    pub headers: BTreeMap<String, String>,
    /// The body.
    pub body: Bytes,
}

impl Answer {
    /// A header field, or an empty text.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    /// The body as text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON; `null` where it is none.
    #[must_use]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// The code of an error that the edge itself made; empty where the gateway answered.
    #[must_use]
    pub fn edge_error(&self) -> &str {
        self.header("x-gatehouse-error")
    }
}

fn joined<'a>(fields: impl Iterator<Item = (&'a str, &'a str)>) -> BTreeMap<String, String> {
    let mut headers = BTreeMap::<String, String>::new();
    for (name, value) in fields {
        headers
            .entry(name.to_ascii_lowercase())
            .and_modify(|all| {
                all.push_str(", ");
                all.push_str(value);
            })
            .or_insert_with(|| value.to_owned());
    }
    headers
}
