//! The part of the configuration that Gatehouse shows and decides by.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::apply::at;

/// How the gateway authenticates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AuthMode {
    /// A shared token.
    Token,
    /// A shared password.
    Password,
    /// Nothing.
    None,
    /// An identity header of a trusted proxy.
    TrustedProxy,
}

/// The keys that Gatehouse looks at. `None` = not in the configuration. Holds no secret.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct View {
    /// `gateway.controlUi.allowedOrigins`.
    pub allowed_origins: Option<Vec<String>>,
    /// `gateway.trustedProxies`.
    pub trusted_proxies: Option<Vec<String>>,
    /// `gateway.allowRealIpFallback`.
    pub allow_real_ip_fallback: Option<bool>,
    /// `gateway.bind`.
    pub bind: Option<String>,
    /// `gateway.port`.
    pub port: Option<u16>,
    /// `gateway.mode`.
    pub mode: Option<String>,
    /// `gateway.auth.mode`.
    pub auth_mode: Option<AuthMode>,
    /// Whether `gateway.auth.token` is there, in whatever form.
    pub has_token: bool,
    /// Whether `gateway.auth.token` is a plain string (and so can be replaced by us).
    pub token_is_plain: bool,
    /// Whether `gateway.auth.password` is there, in whatever form.
    pub has_password: bool,
    /// `gateway.publicOrigin`.
    pub public_origin: Option<String>,
    /// `gateway.controlUi.basePath`.
    pub base_path: Option<String>,
    /// `gateway.controlUi.dangerouslyAllowHostHeaderOriginFallback`.
    pub host_header_origin_fallback: bool,
    /// `gateway.nodes.pairing.autoApproveLocal`; the gateway's default is `true`.
    pub auto_approve_local: bool,
    /// `gateway.auth.trustedProxy.deviceAutoApprove.enabled`.
    pub proxy_auto_approve: bool,
    /// `gateway.tls.enabled`.
    pub tls_enabled: bool,
    /// `gateway.tailscale.mode`, where it is not `off`.
    pub tailscale: Option<String>,
    /// `gateway.reload.mode`: with `off` an edit of the file needs a restart.
    pub reload_mode: Option<String>,
}

impl AuthMode {
    /// The mode by its name in the configuration.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "token" => Some(Self::Token),
            "password" => Some(Self::Password),
            "none" => Some(Self::None),
            "trusted-proxy" => Some(Self::TrustedProxy),
            _ => None,
        }
    }
}

impl View {
    /// The view of a configuration.
    #[must_use]
    pub fn of(config: &Value) -> Self {
        let get = |path: &str| at(config, &path.into());
        let text = |path: &str| get(path).and_then(Value::as_str).map(str::to_owned);
        let list = |path: &str| {
            Some(get(path)?.as_array()?.iter().filter_map(|item| item.as_str().map(str::to_owned)).collect())
        };
        let yes = |path: &str| get(path).and_then(Value::as_bool);
        Self {
            allowed_origins: list("gateway.controlUi.allowedOrigins"),
            trusted_proxies: list("gateway.trustedProxies"),
            allow_real_ip_fallback: yes("gateway.allowRealIpFallback"),
            bind: text("gateway.bind"),
            port: get("gateway.port").and_then(Value::as_u64).and_then(|port| u16::try_from(port).ok()),
            mode: text("gateway.mode"),
            auth_mode: text("gateway.auth.mode").as_deref().and_then(AuthMode::from_name),
            has_token: get("gateway.auth.token").is_some(),
            token_is_plain: get("gateway.auth.token")
                .and_then(Value::as_str)
                .is_some_and(|token| !token.is_empty() && !token.contains("${")),
            has_password: get("gateway.auth.password").is_some(),
            public_origin: text("gateway.publicOrigin"),
            base_path: text("gateway.controlUi.basePath"),
            host_header_origin_fallback: yes("gateway.controlUi.dangerouslyAllowHostHeaderOriginFallback")
                == Some(true),
            auto_approve_local: yes("gateway.nodes.pairing.autoApproveLocal") != Some(false),
            proxy_auto_approve: yes("gateway.auth.trustedProxy.deviceAutoApprove.enabled") == Some(true),
            tls_enabled: yes("gateway.tls.enabled") == Some(true),
            tailscale: text("gateway.tailscale.mode").filter(|mode| mode != "off"),
            reload_mode: text("gateway.reload.mode"),
        }
    }
}
