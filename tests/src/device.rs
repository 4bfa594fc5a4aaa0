//! A native device: a key of its own and the gateway's protocol v4, written from the protocol's description alone.

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::Socket;

/// An Ed25519 key; the same number gives the same key.
pub struct DeviceKey {
    pair: Ed25519KeyPair,
}

/// What a client says of itself when it connects.
#[derive(Debug, Clone)]
pub struct ConnectAs {
    /// `client.id`, from the gateway's closed list.
    pub client: &'static str,
    /// `client.mode`.
    pub mode: &'static str,
    /// `client.displayName`.
    pub name: &'static str,
    /// `client.platform`.
    pub platform: &'static str,
    /// What it asks for.
    pub scopes: &'static [&'static str],
    /// The shared token or, after pairing, the device's own.
    pub token: Option<String>,
    /// The device token in its own field.
    pub device_token: Option<String>,
}

/// What the gateway answered to a connect.
#[derive(Debug)]
pub enum Admission {
    /// Let in.
    In(Box<Device>),
    /// Refused: the error's `details.code` (else its code) and the whole error.
    Refused {
        /// For example `PAIRING_REQUIRED`.
        code: String,
        /// The gateway's error object.
        error: Value,
    },
}

/// A client that the gateway let in.
pub struct Device {
    socket: Socket,
    /// The payload of `hello-ok`.
    pub hello: Value,
    requests: u64,
}

impl std::fmt::Debug for Device {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Device").field("auth", &self.hello["auth"]["method"]).finish_non_exhaustive()
    }
}

impl ConnectAs {
    /// A phone's native app with the shared token, asking for everything.
    #[must_use]
    pub fn phone(token: &str) -> Self {
        Self {
            client: "openclaw-ios",
            mode: "ui",
            name: "Kitchen phone",
            platform: "ios",
            scopes: &[
                "operator.admin",
                "operator.read",
                "operator.write",
                "operator.approvals",
                "operator.pairing",
            ],
            token: Some(token.to_owned()),
            device_token: None,
        }
    }

    /// The same phone with the token that pairing gave it.
    #[must_use]
    pub fn paired_phone(device_token: &str) -> Self {
        Self { token: None, device_token: Some(device_token.to_owned()), ..Self::phone("") }
    }

    /// The gateway's own kind of client on loopback: full scopes with the token, no device.
    #[must_use]
    pub fn backend(token: &str) -> Self {
        Self {
            client: "gateway-client",
            mode: "backend",
            name: "Test",
            platform: "linux",
            ..Self::phone(token)
        }
    }
}

impl DeviceKey {
    /// The key with this number.
    #[must_use]
    pub fn number(number: u8) -> Self {
        Self { pair: Ed25519KeyPair::from_seed_unchecked(&[number; 32]).expect("32 bytes are a seed") }
    }

    /// SHA-256 of the public key, lower-case hex: the gateway's device id.
    #[must_use]
    pub fn id(&self) -> String {
        digest(&SHA256, self.public()).as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn public(&self) -> &[u8] {
        self.pair.public_key().as_ref()
    }

    fn signed(&self, as_: &ConnectAs, challenge: &Value) -> Value {
        let (nonce, at) = (challenge["nonce"].as_str().expect("a nonce"), &challenge["ts"]);
        let token = as_.token.as_deref().or(as_.device_token.as_deref()).unwrap_or("");
        let id = self.id();
        let text = format!(
            "v3|{id}|{}|{}|operator|{}|{at}|{token}|{nonce}|{}|",
            as_.client,
            as_.mode,
            as_.scopes.join(","),
            as_.platform,
        );
        json!({
            "id": id,
            "publicKey": URL_SAFE_NO_PAD.encode(self.public()),
            "signature": URL_SAFE_NO_PAD.encode(self.pair.sign(text.as_bytes())),
            "signedAt": at,
            "nonce": nonce,
        })
    }
}

impl Device {
    /// Introduces a client over an open WebSocket, with a device key or without one.
    pub async fn connect(mut socket: Socket, as_: &ConnectAs, key: Option<&DeviceKey>) -> Admission {
        let challenge = loop {
            match socket.next().await {
                Ok(message) if message["event"] == "connect.challenge" => break message["payload"].clone(),
                Ok(_) => {}
                Err(closed) => return Admission::closed(&closed),
            }
        };
        let mut auth = serde_json::Map::new();
        for (field, value) in [("token", &as_.token), ("deviceToken", &as_.device_token)] {
            if let Some(value) = value {
                auth.insert(field.into(), json!(value));
            }
        }
        let mut params = json!({
            "minProtocol": 4, "maxProtocol": 4, "role": "operator", "scopes": as_.scopes, "caps": [], "auth": auth,
            "client": {
                "id": as_.client, "version": "1.0.0", "platform": as_.platform, "mode": as_.mode,
                "displayName": as_.name,
            },
        });
        if let Some(key) = key {
            params["device"] = key.signed(as_, &challenge);
        }
        socket.send(&json!({ "type": "req", "id": "connect", "method": "connect", "params": params })).await;
        loop {
            match socket.next().await {
                Ok(message) if message["id"] == "connect" && message["ok"] == true => {
                    let hello = message["payload"].clone();
                    return Admission::In(Box::new(Self { socket, hello, requests: 0 }));
                }
                Ok(message) if message["id"] == "connect" => {
                    return Admission::refused(message["error"].clone());
                }
                Ok(_) => {}
                Err(closed) => return Admission::closed(&closed),
            }
        }
    }

    /// Calls a method: its payload, or its error object.
    pub async fn call(&mut self, method: &str, params: Value) -> Result<Value, Value> {
        self.requests += 1;
        let id = format!("r{}", self.requests);
        self.socket.send(&json!({ "type": "req", "id": id, "method": method, "params": params })).await;
        loop {
            match self.socket.next().await {
                Ok(message) if message["id"] == id.as_str() && message["ok"] == true => {
                    return Ok(message["payload"].clone());
                }
                Ok(message) if message["id"] == id.as_str() => return Err(message["error"].clone()),
                Ok(_) => {}
                Err(closed) => {
                    return Err(json!({ "code": "CLOSED", "close": closed.code, "reason": closed.reason }));
                }
            }
        }
    }

    /// The token that pairing gave this device.
    #[must_use]
    pub fn token(&self) -> String {
        self.hello["auth"]["deviceToken"].as_str().expect("a paired device has a token").to_owned()
    }

    /// The WebSocket below.
    pub fn socket(&mut self) -> &mut Socket {
        &mut self.socket
    }
}

impl Admission {
    fn refused(error: Value) -> Self {
        let code =
            error["details"]["code"].as_str().or(error["code"].as_str()).unwrap_or("unknown").to_owned();
        Self::Refused { code, error }
    }

    fn closed(closed: &crate::client::Closed) -> Self {
        Self::Refused {
            code: format!("CLOSED {}", closed.code),
            error: json!({ "close": closed.code, "reason": closed.reason }),
        }
    }

    /// The device, where it was let in. Fails the test where it was not.
    #[must_use]
    #[track_caller]
    pub fn let_in(self) -> Device {
        match self {
            Self::In(device) => *device,
            Self::Refused { code, error } => {
                panic!("expected to be let in, was refused with {code}: {error}")
            }
        }
    }

    /// The code of the refusal. Fails the test where the device was let in.
    #[must_use]
    #[track_caller]
    pub fn refused_with(self) -> String {
        match self {
            Self::In(device) => panic!("expected a refusal, was let in with {}", device.hello["auth"]),
            Self::Refused { code, .. } => code,
        }
    }
}
