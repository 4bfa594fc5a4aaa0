//! Cloudflare's API: a token with the permission `Zone.DNS: Edit` for the zone.

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderValue, Method, Request};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::Value;

use super::DnsProvider;
use crate::https::Https;

/// Where Cloudflare answers.
const API: &str = "https://api.cloudflare.com/client/v4";
const SETTLE: Duration = Duration::from_secs(60);
const TTL: u32 = 60;

/// Sets records with an API token.
#[derive(Clone)]
pub struct Cloudflare {
    https: Https,
    api: String,
    token: SecretString,
}

#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    success: bool,
    #[serde(default)]
    errors: Vec<Said>,
    #[serde(default)]
    result: Value,
}

#[derive(Deserialize)]
struct Said {
    #[serde(default)]
    code: i64,
    #[serde(default)]
    message: String,
}

#[derive(Deserialize)]
struct Found {
    id: String,
    #[serde(default)]
    content: String,
}

impl Cloudflare {
    /// Sets records with this token.
    pub fn new(https: Https, token: SecretString) -> Self {
        Self { https, api: API.to_owned(), token }
    }

    /// Asks another address than Cloudflare's: one that speaks the same API.
    #[must_use]
    pub fn at(self, api: &str) -> Self {
        Self { api: api.trim_end_matches('/').to_owned(), ..self }
    }

    async fn ask(&self, method: Method, path: &str, body: Option<Value>) -> Result<Value, String> {
        let mut secret = HeaderValue::from_str(&format!("Bearer {}", self.token.expose_secret().trim()))
            .map_err(|_| "the Cloudflare token holds characters that no token has".to_owned())?;
        secret.set_sensitive(true);
        let body = body.map_or_else(Bytes::new, |body| Bytes::from(body.to_string()));
        let request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.api))
            .header(AUTHORIZATION, secret)
            .header(CONTENT_TYPE, "application/json")
            .body(body)
            .map_err(|error| error.to_string())?;
        let answer = self.https.send(request).await.map_err(|error| error.to_string())?;
        let status = answer.status();
        let read: Answer = serde_json::from_slice(answer.body())
            .map_err(|_| format!("Cloudflare answers HTTP {status} with something that is no JSON"))?;
        if read.success {
            return Ok(read.result);
        }
        let said: Vec<String> =
            read.errors.iter().map(|said| format!("{} ({})", said.message, said.code)).collect();
        let hint = match status.as_u16() {
            401 | 403 => "; the token needs the permission Zone.DNS: Edit for this zone",
            _ => "",
        };
        Err(format!("Cloudflare refuses (HTTP {status}): {}{hint}", said.join(", ")))
    }

    /// The zone that holds `name`: the longest of its parents that the token can see.
    async fn zone(&self, name: &str) -> Result<String, String> {
        let mut parent = name;
        while let Some((_, rest)) = parent.split_once('.') {
            if !rest.contains('.') {
                break;
            }
            let found = self.ask(Method::GET, &format!("/zones?name={rest}"), None).await?;
            let zones: Vec<Found> = serde_json::from_value(found).unwrap_or_default();
            if let Some(zone) = zones.into_iter().find(|zone| is_id(&zone.id)) {
                return Ok(zone.id);
            }
            parent = rest;
        }
        Err(format!("this Cloudflare token sees no zone that holds {name}"))
    }
}

#[async_trait]
impl DnsProvider for Cloudflare {
    async fn present(&self, name: &str, value: &str) -> Result<(), String> {
        let zone = self.zone(name).await?;
        let record = serde_json::json!({ "type": "TXT", "name": name, "content": value, "ttl": TTL });
        self.ask(Method::POST, &format!("/zones/{zone}/dns_records"), Some(record)).await.map(|_| ())
    }

    async fn remove(&self, name: &str, value: &str) -> Result<(), String> {
        let zone = self.zone(name).await?;
        let path = format!("/zones/{zone}/dns_records?type=TXT&name={name}");
        let found: Vec<Found> =
            serde_json::from_value(self.ask(Method::GET, &path, None).await?).unwrap_or_default();
        for record in found {
            if record.content.trim_matches('"') == value && is_id(&record.id) {
                self.ask(Method::DELETE, &format!("/zones/{zone}/dns_records/{}", record.id), None).await?;
            }
        }
        Ok(())
    }

    fn settle(&self) -> Duration {
        SETTLE
    }
}

/// What Cloudflare calls a thing; it becomes part of a path.
fn is_id(text: &str) -> bool {
    !text.is_empty() && text.len() <= 64 && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}
