//! What the gateway asks clients for, as far as its file and the environment say.

use secrecy::SecretString;
use serde_json::Value;

use super::{Auth, Environment, TokenSource};
use crate::config::AuthMode;

const REDACTED: &str = "__OPENCLAW_REDACTED__";

pub(super) fn read(environment: &Environment, config: &Value) -> Auth {
    let get = |key: &str| config.pointer(&format!("/gateway/auth/{key}")).filter(|value| !value.is_null());
    if let Some(part) = included(config) {
        return unresolvable(format!("{part} comes from another file ($include)"));
    }
    let token = Found::of(environment, get("token"), "OPENCLAW_GATEWAY_TOKEN", "the token");
    let password = Found::of(environment, get("password"), "OPENCLAW_GATEWAY_PASSWORD", "the password");
    let mode = match get("mode") {
        None => None,
        Some(mode) => match mode.as_str().and_then(AuthMode::from_name) {
            Some(mode) => Some(mode),
            None => return unresolvable(format!("gateway.auth.mode is {mode}, which is not known")),
        },
    };
    match mode {
        Some(AuthMode::Token) => token.into_auth(Auth::Token),
        Some(AuthMode::Password) => password.into_auth(Auth::Password),
        Some(AuthMode::None) => Auth::None,
        Some(AuthMode::TrustedProxy) => Auth::TrustedProxy { password: password.value() },
        None => match (&token, &password) {
            (Found::Nothing, Found::Nothing) => Auth::Missing,
            (_, Found::Nothing) => token.into_auth(Auth::Token),
            (Found::Nothing, _) => password.into_auth(Auth::Password),
            (_, _) => unresolvable(
                "both a token and a password are set, but gateway.auth.mode is not: the gateway refuses to start"
                    .to_owned(),
            ),
        },
    }
}

/// Where the token comes from, as the file says.
pub(super) fn token_source(config: &Value) -> TokenSource {
    let text =
        |value: &Value, key: &str| value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    match config.pointer("/gateway/auth/token") {
        None | Some(Value::Null) => TokenSource::Absent,
        Some(Value::String(token)) if token.trim().is_empty() => TokenSource::Absent,
        Some(Value::String(token)) if token.contains("${") => TokenSource::Elsewhere,
        Some(Value::String(_)) => TokenSource::Plain,
        Some(reference) if text(reference, "source") == "exec" => {
            let providers = config.pointer("/secrets/providers");
            let provider = providers.and_then(|providers| providers.get(text(reference, "provider")));
            let command = provider.and_then(|provider| provider.get("command")?.as_str());
            TokenSource::Program { command: command.map(Into::into), id: text(reference, "id") }
        }
        Some(_) => TokenSource::Elsewhere,
    }
}

enum Found {
    Nothing,
    Value(SecretString),
    Elsewhere(String),
}

impl Found {
    /// The configuration is asked first, then the environment.
    fn of(environment: &Environment, value: Option<&Value>, variable: &str, what: &str) -> Self {
        match value {
            None => environment.get(variable).map_or(Self::Nothing, |text| Self::Value(text.into())),
            Some(Value::String(text)) if text.trim().is_empty() => Self::Nothing,
            Some(Value::String(text)) if text.contains(REDACTED) => Self::Elsewhere(format!(
                "{what} in the file is only the gateway's placeholder for a hidden value"
            )),
            Some(Value::String(text)) if text.contains("${") => Self::variable(environment, text, what),
            Some(Value::String(text)) => Self::Value(text.as_str().into()),
            Some(Value::Object(reference)) => Self::reference(environment, reference, what),
            Some(_) => Self::Elsewhere(format!("{what} is no text")),
        }
    }

    fn variable(environment: &Environment, text: &str, what: &str) -> Self {
        let name = text.strip_prefix("${").and_then(|rest| rest.strip_suffix('}'));
        match name {
            Some(name) if !name.contains(['$', '{', '}']) => match environment.get(name) {
                Some(value) => Self::Value(value.into()),
                None => Self::Elsewhere(format!("{what} is in the variable {name}, which is not set here")),
            },
            Some(_) | None => Self::Elsewhere(format!("{what} is put together from variables")),
        }
    }

    fn reference(environment: &Environment, reference: &serde_json::Map<String, Value>, what: &str) -> Self {
        let text = |key: &str| reference.get(key).and_then(Value::as_str).unwrap_or_default();
        match (text("source"), text("id")) {
            ("env", id) => match environment.get(id) {
                Some(value) => Self::Value(value.into()),
                None => Self::Elsewhere(format!("{what} is in the variable {id}, which is not set here")),
            },
            ("exec", _) => Self::Elsewhere(format!("{what} comes from a program (a SecretRef of kind exec)")),
            (source, _) => {
                Self::Elsewhere(format!("{what} comes from elsewhere (a SecretRef of kind {source:?})"))
            }
        }
    }

    fn value(self) -> Option<SecretString> {
        match self {
            Self::Value(value) => Some(value),
            Self::Nothing | Self::Elsewhere(_) => None,
        }
    }

    fn into_auth(self, known: impl Fn(SecretString) -> Auth) -> Auth {
        match self {
            Self::Value(value) => known(value),
            Self::Nothing => Auth::Missing,
            Self::Elsewhere(reason) => unresolvable(reason),
        }
    }
}

fn included(config: &Value) -> Option<&'static str> {
    [("", "the configuration"), ("/gateway", "gateway"), ("/gateway/auth", "gateway.auth")]
        .into_iter()
        .find(|(pointer, _)| config.pointer(pointer).is_some_and(|part| part.get("$include").is_some()))
        .map(|(_, name)| name)
}

fn unresolvable(reason: String) -> Auth {
    Auth::Unresolvable { reason }
}
