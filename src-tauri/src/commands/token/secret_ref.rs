//! `gatehouse secret-ref`: the gateway asks for its token (an exec SecretRef of OpenClaw's, openclaw-gateway §7).
//!
//! A core that runs answers from memory, so that a keychain that locked meanwhile keeps no gateway from starting; else
//! the store itself is asked. Nothing here waits longer than the gateway does.

use std::{
    io::{self, IsTerminal, Read, Write},
    time::Duration,
};

use gatehouse_api::{Code, ErrorEnvelope, Reply, Request, SecretText, say, socket::Client};
use gatehouse_core::token::{self, NAME};
use gatehouse_host::home::Home;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

use crate::session::{Outcome, Session, Verdict};

/// How long a core may take: it has the token in its memory.
const CORE: Duration = Duration::from_secs(3);
/// A request is a few names.
const LONGEST: u64 = 64 * 1024;

/// Answers one request of the gateway's.
pub(crate) async fn run(session: &Session) -> Outcome {
    if io::stdout().is_terminal() {
        let because = say!("cli.secret-ref.terminal-because");
        return Err(ErrorEnvelope::new(Code::Usage, say!("cli.secret-ref.terminal"), because)
            .fix_with(say!("cli.secret-ref.terminal-fix"), "gatehouse token reveal --i-understand"));
    }
    let asked = tokio::task::spawn_blocking(requested).await.unwrap_or_default();
    let token = token(session).await?;
    let answer = answer(&asked, token.expose()).to_string();
    let mut stdout = io::stdout();
    stdout.write_all(answer.as_bytes()).and_then(|()| stdout.flush()).map_err(|error| {
        ErrorEnvelope::new(Code::Failed, say!("cli.secret-ref.not-written"), error.to_string())
    })?;
    Ok(Verdict::Done)
}

async fn token(session: &Session) -> Result<SecretText, ErrorEnvelope> {
    let home = session.home()?;
    let asked = async {
        let client = Client::connect(home.socket()).await?;
        client.call(Request::TokenReveal).await
    };
    match tokio::time::timeout(CORE, asked).await {
        Ok(Ok(Reply::Secret(token))) => Ok(token),
        // It may be of another make, or not there: the store is.
        Ok(_) | Err(_) => stored(home).await,
    }
}

async fn stored(home: Home) -> Result<SecretText, ErrorEnvelope> {
    let read = tokio::task::spawn_blocking(move || token::stored(&home)).await.map_err(|error| {
        ErrorEnvelope::new(Code::Failed, say!("cli.secret-ref.not-read"), error.to_string())
    })?;
    read.map(|token| SecretText::new(token.expose_secret()))
}

/// The ids of the request. One that is not understood asks for everything that there is.
fn requested() -> Vec<String> {
    let mut text = String::new();
    let read = io::stdin().take(LONGEST).read_to_string(&mut text);
    let request: Value = read.ok().and_then(|_| serde_json::from_str(&text).ok()).unwrap_or_default();
    let ids = request.get("ids").and_then(Value::as_array).into_iter().flatten();
    ids.filter_map(|id| id.as_str().map(str::to_owned)).collect()
}

/// The protocol of OpenClaw's exec providers, version 1.
fn answer(ids: &[String], token: &str) -> Value {
    let unknown = |id: &&String| id.as_str() != NAME;
    let errors: serde_json::Map<String, Value> =
        ids.iter().filter(unknown).map(|id| (id.clone(), json!({"code": "NOT_FOUND"}))).collect();
    let wanted = ids.is_empty() || ids.iter().any(|id| id == NAME);
    let values = if wanted { json!({NAME: token}) } else { json!({}) };
    json!({"protocolVersion": 1, "values": values, "errors": errors})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_token_is_given_and_other_names_are_not_found() {
        let ids = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect::<Vec<_>>();
        let both = answer(&ids(&["gateway-token", "openai"]), "t");
        assert_eq!(both["values"], json!({"gateway-token": "t"}));
        assert_eq!(both["errors"], json!({"openai": {"code": "NOT_FOUND"}}));
        assert_eq!(answer(&ids(&["openai"]), "t")["values"], json!({}));
        assert_eq!(answer(&[], "t")["values"], json!({"gateway-token": "t"}));
    }
}
