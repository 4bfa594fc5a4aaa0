//! The texts that users see, by key, so that a test asks for what a thing is called and not for how it was called once.

use std::sync::OnceLock;

use serde_json::Value;

/// The English text with this key.
#[must_use]
pub fn words(key: &str) -> &'static str {
    static CATALOGUE: OnceLock<Value> = OnceLock::new();
    let catalogue = CATALOGUE.get_or_init(|| {
        serde_json::from_str(include_str!("../../catalogue/en.json")).expect("the catalogue is JSON")
    });
    catalogue[key].as_str().unwrap_or_else(|| panic!("the catalogue has no {key}"))
}

/// The English text with this key, with `values` in the places of their names.
#[must_use]
pub fn words_with(key: &str, values: &[(&str, &str)]) -> String {
    values
        .iter()
        .fold(words(key).to_owned(), |text, (name, value)| text.replace(&format!("{{{name}}}"), value))
}
