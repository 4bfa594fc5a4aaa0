//! What a person can do about each way in which an authority gives no certificate.

use gatehouse_api::{Code, ErrorEnvelope, Fix, say};
use gatehouse_certs::acme::{Cause, authority_name};

/// What a person can do.
pub(super) fn advice(cause: Cause) -> Fix {
    let alone = |text| Fix { text, command: None };
    let with = |text, command: &str| Fix { text, command: Some(command.to_owned()) };
    match cause {
        Cause::Unreachable => alone(say!("core.acme.cause.unreachable")),
        Cause::Slow => alone(say!("core.acme.cause.slow")),
        Cause::Server => alone(say!("core.acme.cause.server")),
        Cause::RateLimited => {
            with(say!("core.acme.cause.rate-limited"), "gatehouse cert acme setup --ca NAME --agree-tos")
        }
        Cause::Connection => with(say!("core.acme.cause.connection"), "gatehouse cert acme test"),
        Cause::WrongAnswer => with(say!("core.acme.cause.wrong-answer"), "gatehouse cert acme test"),
        Cause::Tls => with(say!("core.acme.cause.tls"), "gatehouse cert acme setup --way http-01"),
        Cause::Dns => with(say!("core.acme.cause.dns"), "gatehouse cert acme test"),
        Cause::Caa => alone(say!("core.acme.cause.caa")),
        Cause::Rejected => alone(say!("core.acme.cause.rejected")),
        Cause::BadRequest => with(say!("core.acme.cause.bad-request"), "gatehouse cert acme log"),
        Cause::Profile | Cause::AlreadyReplaced | Cause::OrderLost => alone(say!("core.acme.cause.again")),
        Cause::UserAction => alone(say!("core.acme.cause.user-action")),
        Cause::ExternalAccount => with(
            say!("core.acme.cause.external"),
            "gatehouse cert acme setup --ca NAME --eab-kid ID --secret-file -",
        ),
        Cause::Terms => with(say!("core.acme.cause.terms"), "gatehouse cert acme setup --agree-tos"),
        Cause::AccountLost => with(say!("core.acme.cause.account"), "gatehouse cert acme account"),
        Cause::Contact => {
            with(say!("core.acme.cause.contact"), "gatehouse cert acme account --email ADDRESS")
        }
        Cause::BadNonce => alone(say!("core.acme.cause.nonce")),
        Cause::NoChallenge => with(say!("core.acme.no-way-fix"), "gatehouse cert acme setup --help"),
        Cause::DnsProvider => with(say!("core.acme.cause.provider"), "gatehouse cert acme test"),
        Cause::Local => alone(say!("core.acme.cause.local")),
    }
}

/// An attempt that failed, for somebody who waits for it.
pub(crate) fn explained(names: &str, directory: &str, cause: Cause, detail: &str) -> ErrorEnvelope {
    let said = say!(
        "core.acme.said",
        authority = authority_name(directory),
        detail = crate::errors::capital(detail)
    );
    let mut error = ErrorEnvelope::new(Code::Certificate, say!("core.acme.none", names = names), said);
    error.fix = Some(Box::new(advice(cause)));
    error
}
