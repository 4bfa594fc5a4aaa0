//! Text that must reach the person who asked, and nobody else.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A secret on its way to a view: a link that logs in, a setup code. In JSON it is the text itself; `Debug` shows
/// nothing of it, and there is no `Display`, so that it gets into no log by accident.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct SecretText(String);

impl SecretText {
    /// Wraps a secret.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The secret itself: for the screen of the person who asked.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretText(hidden)")
    }
}

#[cfg(test)]
mod tests {
    use super::SecretText;

    #[test]
    fn a_secret_is_in_the_answer_and_not_in_what_is_printed_of_it() {
        let secret = SecretText::new("https://localhost/#bootstrapToken=abc");

        assert_eq!(serde_json::to_string(&secret).unwrap(), r#""https://localhost/#bootstrapToken=abc""#);
        assert!(!format!("{secret:?}").contains("abc"));
    }
}
