//! The part of the configuration that Gatehouse shows and decides by.

use serde::{Deserialize, Serialize};

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
    /// `gateway.tls.enabled`.
    pub tls_enabled: bool,
    /// `gateway.tailscale.mode`, where it is not `off`.
    pub tailscale: Option<String>,
    /// `gateway.reload.mode`: with `off` an edit of the file needs a restart.
    pub reload_mode: Option<String>,
}
