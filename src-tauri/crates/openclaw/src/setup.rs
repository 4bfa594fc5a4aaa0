//! Setup codes for the OpenClaw app on a phone.

use std::time::Duration;

use secrecy::SecretString;
use serde_json::{Value, json};
use time::OffsetDateTime;

use crate::client::{CallError, GatewayClient};

const LIMIT: Duration = Duration::from_secs(20);

/// A setup code. It holds a single-use token, never the shared one.
#[derive(Debug, Clone)]
pub struct SetupCode {
    /// The code.
    pub code: SecretString,
    /// Where it leads: `wss://host:port`.
    pub gateway_url: String,
    /// By which its use is asked for.
    pub setup_id: Option<String>,
    /// When it stops working.
    pub expires_at: Option<OffsetDateTime>,
}

/// Who used a setup code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Completion {
    /// The device.
    pub device_id: Option<String>,
    /// What it calls itself.
    pub name: Option<String>,
}

/// Why there is no code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SetupError {
    /// The gateway is too old to make a code for an address of the caller's, or has no such method.
    #[error("this gateway cannot make a setup code for an address of ours: {because}")]
    NotSupported {
        /// Its words.
        because: String,
    },
    /// The code leads to another address than asked for.
    #[error("the gateway's setup code leads to {url}")]
    LeadsElsewhere {
        /// Where to.
        url: String,
    },
    /// The answer has another form than the known one.
    #[error("the gateway's answer has no {what}")]
    Answer {
        /// What is missing.
        what: &'static str,
    },
    /// The call failed.
    #[error(transparent)]
    Call(#[from] CallError),
}

/// Asks for a code that leads to `address` (`https://host[:port]`). The address goes with the request: nothing in the
/// gateway's configuration changes.
///
/// # Errors
/// [`SetupError`].
pub async fn code(client: &GatewayClient, address: &str) -> Result<SetupCode, SetupError> {
    let params = json!({"publicUrl": address, "includeQr": false});
    let answer = client.call_within("device.pair.setupCode", params, LIMIT).await.map_err(refused)?;
    read(&answer, address)
}

/// Whether a code was used; `None` = not yet.
///
/// # Errors
/// [`SetupError`].
pub async fn completion(client: &GatewayClient, setup_id: &str) -> Result<Option<Completion>, SetupError> {
    let params = json!({"setupId": setup_id});
    let answer = client.call_within("device.pair.setupStatus", params, LIMIT).await.map_err(refused)?;
    let done = answer.get("completion").or_else(|| answer.get("deliveryUncertain"));
    let text = |done: &Value, key: &str| done.get(key).and_then(Value::as_str).map(str::to_owned);
    Ok(done.map(|done| Completion { device_id: text(done, "deviceId"), name: text(done, "deviceName") }))
}

fn read(answer: &Value, address: &str) -> Result<SetupCode, SetupError> {
    let text = |key: &str| answer.get(key).and_then(Value::as_str);
    let code = text("setupCode").ok_or(SetupError::Answer { what: "setupCode" })?;
    let gateway_url = text("gatewayUrl").ok_or(SetupError::Answer { what: "gatewayUrl" })?;
    let wanted = address.replacen("https://", "wss://", 1);
    if gateway_url.trim_end_matches('/') != wanted {
        return Err(SetupError::LeadsElsewhere { url: gateway_url.to_owned() });
    }
    let expires_at = answer
        .get("expiresAtMs")
        .and_then(Value::as_i64)
        .and_then(|ms| OffsetDateTime::from_unix_timestamp_nanos(i128::from(ms) * 1_000_000).ok());
    Ok(SetupCode {
        code: SecretString::from(code),
        gateway_url: gateway_url.to_owned(),
        setup_id: text("setupId").map(str::to_owned),
        expires_at,
    })
}

fn refused(error: CallError) -> SetupError {
    match error {
        CallError::Refused { message, .. }
            if message.contains("unexpected property") || message.contains("unknown method") =>
        {
            SetupError::NotSupported { because: message }
        }
        other => SetupError::Call(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(url: &str) -> Value {
        json!({"setupId": "s", "setupCode": "c0de", "gatewayUrl": url, "expiresAtMs": 1_795_177_007_262_i64})
    }

    #[test]
    fn a_code_must_lead_to_the_address_that_was_asked_for() {
        let address = "https://mini.local:8443";

        let code = read(&answer("wss://mini.local:8443"), address).unwrap();

        assert_eq!((code.setup_id.as_deref(), code.expires_at.is_some()), (Some("s"), true));
        assert!(!format!("{code:?}").contains("c0de"));
        for other in ["ws://mini.local:8443", "wss://mini.local", "wss://evil.example"] {
            let url = other.to_owned();
            assert_eq!(read(&answer(other), address).err(), Some(SetupError::LeadsElsewhere { url }));
        }
    }

    #[test]
    fn a_gateway_that_does_not_know_the_words_is_told_from_one_that_says_no() {
        let refusal = |message: &str| {
            refused(CallError::Refused {
                method: "device.pair.setupCode".into(),
                code: "INVALID_REQUEST".into(),
                message: message.into(),
                details: Box::default(),
            })
        };

        let old = refusal("invalid device.pair.setupCode params: at root: unexpected property 'publicUrl'");
        assert!(matches!(old, SetupError::NotSupported { .. }));
        assert!(matches!(refusal("unknown method: device.pair.setupCode"), SetupError::NotSupported { .. }));
        assert!(matches!(refusal("Gateway auth is not configured"), SetupError::Call(_)));
    }
}
