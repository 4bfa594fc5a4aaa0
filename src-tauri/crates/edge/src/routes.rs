//! Which requests are treated in a way of their own: by host and path prefix.
//!
//! A table is resolved when settings are made; a request costs one look-up, and none where the table is empty. Guarantees:
//! a name that has routes of its own serves nothing else, and no spelling of a path gets around that (what is not in
//! its plain form fits no route of such a name); among routes that fit, an exact name wins over a wildcard, that over
//! none, and then the longest prefix; what fits no route is the gateway's, as if there were no table.

use crate::names::{Authority, Host};
use crate::settings::{RouteClass, ServedNames};
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

/// Routes that one table may hold.
pub const ROUTES_MAX: usize = 64;

/// One route, and what is different about it.
///
/// As text: `[name]/prefix class [port=N] [body=BYTES]`, for example `/v1 api`, `api.example.net/v1 api body=20971520`
/// or `*.preview.example.net/ interactive port=18890`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// The name it is for: lower-case, no port; `*.` stands for exactly one label. `None` = every name without routes
    /// of its own.
    pub host: Option<String>,
    /// The path, or the beginning of it up to a `/`.
    pub prefix: String,
    /// How patient the edge is.
    pub class: RouteClass,
    /// The port on loopback that serves it, where it is not the gateway's.
    pub port: Option<u16>,
    /// The largest request body, in bytes, where it is smaller than [`crate::Limits::body_bytes`].
    pub body_bytes: Option<u64>,
}

/// A table of routes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Routes {
    /// By name, or (`*.name`) by the name behind the first label; longest prefix first.
    named: BTreeMap<String, Vec<Route>>,
    /// For every other name; longest prefix first.
    any: Vec<Route>,
}

/// How one request is treated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Found<'a> {
    /// As this route says.
    Route(&'a Route),
    /// As if there were no table.
    Gateway,
    /// Its name has routes, and it fits none of them.
    Nothing,
}

impl Routes {
    /// Resolves a table.
    ///
    /// # Errors
    /// More than [`ROUTES_MAX`] routes, or two for the same name and prefix: in words.
    pub fn new(routes: impl IntoIterator<Item = Route>) -> Result<Self, String> {
        let mut table = Self::default();
        for (count, route) in routes.into_iter().enumerate() {
            if count >= ROUTES_MAX {
                return Err(format!("There are more than {ROUTES_MAX} routes."));
            }
            let list = match &route.host {
                Some(host) => table.named.entry(host.clone()).or_default(),
                None => &mut table.any,
            };
            if list.iter().any(|other| other.prefix == route.prefix) {
                return Err(format!(
                    "There are two routes for {}{}.",
                    route.host.unwrap_or_default(),
                    route.prefix
                ));
            }
            list.push(route);
            list.sort_by_key(|route| std::cmp::Reverse(route.prefix.len()));
        }
        Ok(table)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Route> {
        self.named.values().flatten().chain(&self.any)
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.named.is_empty() && self.any.is_empty()
    }

    /// Adds the names that have routes to those that are served.
    pub fn serve(&self, names: &mut ServedNames) {
        for host in self.named.keys() {
            match host.strip_prefix("*.") {
                Some(parent) => names.below.insert(parent.to_owned()),
                None => names.dns.insert(host.clone()),
            };
        }
    }

    /// The route of a request for `host` (a Host header) and `path`.
    pub(crate) fn find(&self, host: &[u8], path: &str) -> Found<'_> {
        if self.is_empty() {
            return Found::Gateway;
        }
        let own = match Authority::parse(host).map(|authority| authority.host) {
            Some(Host::Dns(name)) => self.of(&name),
            _ => None,
        };
        match own {
            Some(routes) if !is_plain(path) || routes.is_empty() => Found::Nothing,
            Some(routes) => routes.iter().find(|route| route.fits(path)).map_or(Found::Nothing, Found::Route),
            // Whoever resolves such a path behind us must not have been let around the limits of what it leads to.
            None if !is_plain(path) => self.of_any(&resolved(path)),
            None => self.of_any(path),
        }
    }

    fn of_any(&self, path: &str) -> Found<'_> {
        self.any.iter().find(|route| route.fits(path)).map_or(Found::Gateway, Found::Route)
    }

    fn of(&self, name: &str) -> Option<&Vec<Route>> {
        self.named.get(name).or_else(|| {
            let (_, parent) = name.split_once('.')?;
            self.named
                .iter()
                .find(|(host, _)| host.strip_prefix("*.") == Some(parent))
                .map(|(_, routes)| routes)
        })
    }
}

impl Route {
    fn fits(&self, path: &str) -> bool {
        path.strip_prefix(self.prefix.as_str())
            .is_some_and(|rest| rest.is_empty() || self.prefix.ends_with('/') || rest.starts_with('/'))
    }
}

/// Whether nobody who resolves dots, slashes and escapes could take a path for another one.
fn is_plain(path: &str) -> bool {
    let escape = |text: &str| {
        let text = text.to_ascii_lowercase();
        ["%2e", "%2f", "%5c", "%25"].iter().any(|escape| text.contains(escape))
    };
    !path.contains("//") && !path.split('/').any(|part| part == "." || part == "..") && !escape(path)
}

/// The path as one takes it who resolves dots, doubled slashes and the escapes of both.
fn resolved(path: &str) -> String {
    let mut path = path.to_owned();
    for (escape, meaning) in
        [("%2e", "."), ("%2E", "."), ("%2f", "/"), ("%2F", "/"), ("%5c", "/"), ("%5C", "/")]
    {
        path = path.replace(escape, meaning);
    }
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => _ = parts.pop(),
            part => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}

impl FromStr for Route {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut words = text.split_ascii_whitespace();
        let (Some(place), Some(class)) = (words.next(), words.next()) else {
            return Err(format!("“{text}” is no route, such as: /v1 api"));
        };
        let at =
            place.find('/').ok_or_else(|| format!("“{place}” has no path: write a / behind the name."))?;
        let (host, prefix) = place.split_at(at);
        let visible =
            prefix.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'?' | b'#' | b';'));
        if !visible || !is_plain(prefix) {
            return Err(format!("“{prefix}” is no plain path."));
        }
        let class = match class {
            "interactive" => RouteClass::Interactive,
            "api" => RouteClass::Api,
            other => return Err(format!("“{other}” is neither interactive nor api.")),
        };
        let mut route =
            Self { host: host_name(host)?, prefix: prefix.to_owned(), class, port: None, body_bytes: None };
        for word in words {
            let number = |text: &str| format!("“{text}” is no usable number.");
            match word.split_once('=') {
                Some(("port", value)) => {
                    let port = value.parse().ok().filter(|port| *port != 0);
                    route.port = Some(port.ok_or_else(|| number(value))?);
                }
                Some(("body", value)) => route.body_bytes = Some(value.parse().map_err(|_| number(value))?),
                _ => return Err(format!("“{word}” is neither port=N nor body=BYTES.")),
            }
        }
        Ok(route)
    }
}

/// A DNS name in its one form, with `*.` in front or without.
fn host_name(text: &str) -> Result<Option<String>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    let (star, name) = text.strip_prefix("*.").map_or(("", text), |name| ("*.", name));
    match Authority::parse(name.as_bytes()) {
        Some(Authority { host: Host::Dns(name), port: None }) if star.is_empty() || name.contains('.') => {
            Ok(Some(format!("{star}{name}")))
        }
        _ => Err(format!("“{text}” is no name of a host.")),
    }
}

impl fmt::Display for Route {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let class = match self.class {
            RouteClass::Interactive => "interactive",
            RouteClass::Api => "api",
        };
        write!(formatter, "{}{} {class}", self.host.as_deref().unwrap_or_default(), self.prefix)?;
        if let Some(port) = self.port {
            write!(formatter, " port={port}")?;
        }
        match self.body_bytes {
            Some(bytes) => write!(formatter, " body={bytes}"),
            None => Ok(()),
        }
    }
}

/// Routes with `;` between them; empty = none.
impl FromStr for Routes {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let routes = text.split(';').map(str::trim).filter(|text| !text.is_empty()).map(Route::from_str);
        Self::new(routes.collect::<Result<Vec<_>, _>>()?)
    }
}

impl fmt::Display for Routes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (count, route) in self.iter().enumerate() {
            if count > 0 {
                formatter.write_str("; ")?;
            }
            route.fmt(formatter)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
