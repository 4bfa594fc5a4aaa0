//! What the edge itself answers with: a small page for people, JSON for programs.
//!
//! Every answer carries `x-gatehouse-error` and `x-request-id`, is never stored, needs no script, and shows nothing of
//! the request but what was checked. A handshake is never answered with HTML, nor with a redirect: apps that connect
//! would show neither.

use bytes::Bytes;
use gatehouse_words::Language;
use http::{HeaderMap, HeaderValue, Method, Response, header};

use crate::error::EdgeError;
use crate::headers::{X_GATEHOUSE_ERROR, X_REQUEST_ID};
use crate::names::Authority;
use crate::request_id::RequestId;

/// Seconds after which a page asks again by itself, where the gateway will be back soon.
const RELOAD_SECONDS: u32 = 3;

/// Who will read the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reader {
    /// A program: JSON.
    Program,
    /// A person in a browser: HTML.
    Person {
        /// Whether asking again does nothing but ask again: a GET.
        repeatable: bool,
        /// What the browser likes best of what we have.
        language: Language,
    },
}

impl Reader {
    /// Who sent a request with these headers. Anything that asks for an upgrade is a program.
    #[must_use]
    pub fn of(method: &Method, headers: &HeaderMap) -> Self {
        let handshake = headers.contains_key(header::UPGRADE)
            || headers.contains_key(header::SEC_WEBSOCKET_VERSION)
            || *method == Method::CONNECT;
        if !handshake && accepts_html(headers) {
            let accepted = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
            let language = Language::of_accepted(accepted.unwrap_or_default());
            Self::Person { repeatable: *method == Method::GET, language }
        } else {
            Self::Program
        }
    }
}

/// What an answer is made of.
#[derive(Debug, Clone, Copy)]
pub struct Answer<'a> {
    /// Why the edge answers.
    pub error: EdgeError,
    /// For whom.
    pub reader: Reader,
    /// The request's id.
    pub id: RequestId,
    /// Seconds for `Retry-After`, where the caller knows better than [`EdgeError::retry_after`].
    pub retry_after: Option<u32>,
    /// Where to go instead: an `https://` URL from [`https_link`].
    pub link: Option<&'a str>,
}

impl Answer<'_> {
    /// The response, complete with its headers.
    #[must_use]
    pub fn response(&self) -> Response<Bytes> {
        let (kind, body) = match self.reader {
            Reader::Program => ("application/json", self.json()),
            Reader::Person { repeatable, language } => {
                ("text/html; charset=utf-8", self.html(repeatable, language))
            }
        };
        let mut response = Response::new(Bytes::from(body));
        *response.status_mut() = self.error.status();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
        headers.insert(
            header::CONTENT_SECURITY_POLICY,
            HeaderValue::from_static(
                "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; \
                 frame-ancestors 'none'",
            ),
        );
        headers.insert(X_GATEHOUSE_ERROR, HeaderValue::from_static(self.error.code()));
        headers.insert(X_REQUEST_ID, self.id.header());
        if let Some(seconds) = self.retry_after.or(self.error.retry_after()) {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        match self.error {
            EdgeError::WebSocketVersion => {
                headers.insert(header::SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
            }
            EdgeError::MethodRefused => {
                let methods = HeaderValue::from_static("GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
                headers.insert(header::ALLOW, methods);
            }
            _ => {}
        }
        response
    }

    fn json(&self) -> Vec<u8> {
        let mut error = serde_json::json!({
            "code": self.error.code(),
            "message": self.error.sentence(Language::English),
            "advice": self.error.advice(Language::English),
            "request_id": self.id.as_str(),
        });
        if let Some(link) = self.link {
            error["link"] = link.into();
        }
        let mut body =
            serde_json::json!({ "error": error, "answered_by": "gatehouse" }).to_string().into_bytes();
        body.push(b'\n');
        body
    }

    fn html(&self, repeatable: bool, language: Language) -> Vec<u8> {
        let (code, id, lang) = (self.error.code(), self.id.as_str(), language.tag());
        let (sentence, advice) = (self.error.sentence(language), self.error.advice(language));
        let text = |key| language.text(key, &[]);
        let (answered, request) = (text("edge.page.answered"), text("edge.page.request"));
        let waits = matches!(
            self.error,
            EdgeError::GatewayDown
                | EdgeError::GatewayRestarting
                | EdgeError::GatewayTimeout
                | EdgeError::GatewayBroke
                | EdgeError::ShuttingDown
        );
        let (refresh, note) = if waits && repeatable {
            (
                format!("<meta http-equiv=\"refresh\" content=\"{RELOAD_SECONDS}\">"),
                format!("<p>{}</p>", text("edge.page.again")),
            )
        } else {
            (String::new(), String::new())
        };
        let link = self.link.map_or_else(String::new, |link| {
            let link = escape(link);
            format!("<p><a href=\"{link}\">{link}</a></p>")
        });
        format!(
            "<!doctype html>\n<html lang=\"{lang}\"><head><meta charset=\"utf-8\">\
             <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\
             <meta name=\"robots\" content=\"noindex\">{refresh}<title>{sentence}</title><style>{STYLE}</style></head>\n\
             <body><main><h1>{sentence}</h1><p>{advice}</p>{link}{note}\
             <footer>{answered} <code>{code}</code><br>{request} <code>{id}</code></footer></main></body></html>\n"
        )
        .into_bytes()
    }
}

const STYLE: &str = ":root{color-scheme:light dark}\
    body{margin:0;font:17px/1.5 system-ui,sans-serif;background:Canvas;color:CanvasText}\
    main{max-width:34rem;margin:14vh auto;padding:0 1.25rem}h1{font-size:1.45rem;line-height:1.25}\
    footer{margin-top:2.5rem;font-size:.8rem;opacity:.7;overflow-wrap:anywhere}";

/// An `https://` link to the host that a request asked for, on `port`; `None` where that host is no proper one.
#[must_use]
pub fn https_link(host: &HeaderValue, port: u16, path_and_query: &str) -> Option<String> {
    use std::fmt::Write as _;

    use crate::names::Host;

    let mut link = match Authority::parse(host.as_bytes())?.host {
        Host::Dns(name) => format!("https://{name}"),
        Host::Ip(std::net::IpAddr::V4(address)) => format!("https://{address}"),
        Host::Ip(std::net::IpAddr::V6(address)) => format!("https://[{address}]"),
    };
    if port != 443 {
        let _ = write!(link, ":{port}");
    }
    let plain = path_and_query.starts_with('/') && path_and_query.bytes().all(|byte| byte.is_ascii_graphic());
    link.push_str(if plain { path_and_query } else { "/" });
    Some(link)
}

/// Whether `Accept` asks for HTML with more than no weight.
fn accepts_html(headers: &HeaderMap) -> bool {
    headers.get_all(header::ACCEPT).iter().any(|line| {
        line.as_bytes().split(|byte| *byte == b',').any(|range| {
            let mut parts = range.split(|byte| *byte == b';').map(<[u8]>::trim_ascii);
            let html = parts.next().is_some_and(|name| {
                name.eq_ignore_ascii_case(b"text/html") || name.eq_ignore_ascii_case(b"application/xhtml+xml")
            });
            html && !parts.any(|part| matches!(part, b"q=0" | b"q=0.0" | b"q=0.00" | b"q=0.000"))
        })
    })
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            _ => escaped.push(character),
        }
    }
    escaped
}

#[cfg(test)]
mod tests;
