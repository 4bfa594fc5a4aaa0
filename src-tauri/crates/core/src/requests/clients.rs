//! Certificates of clients: which names want them, and who has one of ours.

use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use gatehouse_api::{
    CertificateRule as RuleView, ClientCertificate, ClientCertificates, ClientForm, Code, ErrorEnvelope,
    IssuedClient, Problem, Reply, SecretText, say,
};
use gatehouse_certs::clients::{ClientFacts, ClientRule};
use gatehouse_edge::names::{Authority, Host};
use secrecy::{ExposeSecret, SecretString};
use time::{Duration, OffsetDateTime};

use super::imports::{absolute, bring};
use super::{Desk, blocking};
use crate::errors::{Explain, capital};
use crate::transaction::Bringing;

/// The longest life of a client's certificate.
const LONGEST: u32 = 3650;
/// Characters that nobody mistakes for others; 32 of them, so that each is worth five bits.
const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
/// Five bits each.
const PASSWORD_LETTERS: usize = 24;

pub(super) fn list(desk: &Desk) -> Reply {
    let rules = &desk.context.brought.rules;
    Reply::Clients(ClientCertificates {
        rules: rules
            .status()
            .into_iter()
            .map(|status| RuleView {
                host: status.host,
                ca: status.rule.ca.map(|path| path.display().to_string()),
                crls: status.rule.crls.iter().map(|path| path.display().to_string()).collect(),
                problem: status.problem.map(|text| capital(&text).into()),
                crl_due: status.crl_due,
            })
            .collect(),
        certificates: rules.authority().issued().into_iter().map(view).collect(),
    })
}

/// A name wants certificates from now on.
pub(super) async fn require(
    desk: &Desk,
    host: &str,
    ca: Option<String>,
    crls: Vec<String>,
) -> Result<Reply, ErrorEnvelope> {
    let host = host_of(host)?;
    let rule = ClientRule {
        ca: ca.as_deref().map(absolute).transpose()?,
        crls: crls.iter().map(|path| absolute(path)).collect::<Result<_, _>>()?,
    };
    let own = rule.ca.is_none();
    let nobody = desk.context.brought.rules.authority().issued().iter().all(|one| one.revoked_at.is_some());
    if own && nobody {
        return Err(ErrorEnvelope::new(
            Code::Usage,
            say!("core.clients.none"),
            say!("core.clients.none-because"),
        )
        .fix_with(say!("core.clients.none-fix"), "gatehouse cert clients issue LABEL --out FILE"));
    }
    let (brought, checked) = (desk.context.brought.clone(), rule.clone());
    blocking(move || {
        brought.rules.check(&checked).map_err(|why| {
            ErrorEnvelope::new(Code::Certificate, say!("core.clients.unusable"), capital(&why))
                .fix(say!("core.clients.unusable-fix"))
        })
    })
    .await?;
    let mut remarks = Vec::new();
    let served = desk.context.served.load_full();
    let known = served.is_some_and(|served| served.plan.addresses.iter().any(|one| one.host == host));
    if !known {
        remarks.push(say!("core.clients.not-open", host = &host));
    }
    bring(desk, Bringing::Require { host, rule, remarks }).await
}

/// A name wants none from now on.
pub(super) async fn release(desk: &Desk, host: &str) -> Result<Reply, ErrorEnvelope> {
    let host = host_of(host)?;
    if !desk.context.settings.current().client_certificates.contains_key(&host) {
        return Err(ErrorEnvelope::new(
            Code::NotFound,
            say!("core.clients.not-asked", host = &host),
            say!("core.clients.not-asked-because"),
        )
        .fix_with(say!("core.look.list"), "gatehouse cert clients list"));
    }
    bring(desk, Bringing::Release { host }).await
}

/// Gives a client a certificate.
pub(super) async fn issue(
    desk: &Desk,
    label: String,
    days: u32,
    form: ClientForm,
    password: Option<SecretText>,
) -> Result<Reply, ErrorEnvelope> {
    let label = label.trim().to_owned();
    if label.is_empty() || label.chars().count() > 64 || label.chars().any(char::is_control) {
        return Err(ErrorEnvelope::new(
            Code::Usage,
            say!("core.clients.label"),
            say!("core.clients.label-because"),
        ));
    }
    if !(1..=LONGEST).contains(&days) {
        let because = say!("core.clients.days-because", most = LONGEST);
        return Err(ErrorEnvelope::new(Code::Usage, say!("core.clients.days"), because));
    }
    let (brought, now) = (desk.context.brought.clone(), desk.context.clock.now());
    let issued = blocking(move || {
        let host = gatehouse_host::names::host_names().host.unwrap_or_else(|| "this machine".to_owned());
        let life = Duration::days(days.into());
        let issued =
            brought.rules.authority().issue(&label, &host, life, now).map_err(|error| error.explain())?;
        let (content, made_up) = match form {
            ClientForm::Pem => (issued.pem().expose_secret().as_bytes().to_vec(), None),
            ClientForm::Pkcs12 | ClientForm::Pkcs12Old => {
                let made_up = if password.is_none() { Some(made_up()?) } else { None };
                let given = password.as_ref().map(|password| password.expose().to_owned());
                let text = SecretString::from(given.or_else(|| made_up.clone()).unwrap_or_default());
                let old = form == ClientForm::Pkcs12Old;
                (issued.pkcs12(&text, old).map_err(|error| error.explain())?, made_up)
            }
        };
        Ok(IssuedClient {
            certificate: view(issued.facts.clone()),
            content: SecretText::new(STANDARD.encode(content)),
            password: made_up.map(SecretText::new),
        })
    })
    .await?;
    refresh(desk).await;
    tracing::info!(client = %issued.certificate.sha256, "a client was given a certificate");
    Ok(Reply::ClientIssued(issued))
}

/// Takes a client's certificate back: who is connected with it is out.
pub(super) async fn revoke(desk: &Desk, client: &str) -> Result<Reply, ErrorEnvelope> {
    let all = desk.context.brought.rules.authority().issued();
    let serial = find(&all, client)?;
    let (brought, now) = (desk.context.brought.clone(), desk.context.clock.now());
    let wanted = serial.clone();
    blocking(move || {
        let serials = [wanted];
        brought.rules.authority().set_revoked(&serials, Some(now)).map_err(|error| error.explain())
    })
    .await?;
    refresh(desk).await;
    let revoked =
        desk.context.brought.rules.authority().issued().into_iter().find(|one| one.serial == serial);
    let revoked = revoked.ok_or_else(|| none(client))?;
    tracing::info!(client = %revoked.sha256, "a client's certificate was taken back");
    Ok(Reply::ClientRevoked(view(revoked)))
}

/// One that is in force, by its serial number, the beginning of that, or its label.
fn find(all: &[ClientFacts], wanted: &str) -> Result<String, ErrorEnvelope> {
    let in_force = || all.iter().filter(|one| one.revoked_at.is_none());
    let lower = wanted.to_ascii_lowercase();
    let labelled: Vec<_> = in_force().filter(|one| one.label == wanted).collect();
    let found = match labelled.is_empty() {
        false => labelled,
        true => in_force().filter(|one| lower.len() >= 4 && one.serial.starts_with(&lower)).collect(),
    };
    match found.as_slice() {
        [one] => Ok(one.serial.clone()),
        [] => Err(none(wanted)),
        several => {
            let serials: Vec<&str> = several.iter().map(|one| one.serial.as_str()).collect();
            let because = say!("core.clients.several-because", serials = serials.join(", "));
            Err(ErrorEnvelope::new(Code::Usage, say!("core.clients.several", client = wanted), because))
        }
    }
}

fn none(wanted: &str) -> ErrorEnvelope {
    ErrorEnvelope::new(
        Code::NotFound,
        say!("core.clients.unknown", client = wanted),
        say!("core.clients.unknown-because"),
    )
    .fix_with(say!("core.look.list"), "gatehouse cert clients list")
}

async fn refresh(desk: &Desk) {
    let (brought, now) = (desk.context.brought.clone(), desk.context.clock.now());
    let _ = blocking(move || Ok(brought.refresh(now))).await;
    desk.context.door.clients_changed();
}

/// A name as it is compared: lower-case, without port. The names of this machine for itself ask nobody.
fn host_of(text: &str) -> Result<String, ErrorEnvelope> {
    let text = text.trim();
    let bare = text.strip_prefix("https://").unwrap_or(text).trim_end_matches('/');
    let bracketed = match bare.parse::<std::net::Ipv6Addr>() {
        Ok(ip) => format!("[{ip}]"),
        Err(_) => bare.to_owned(),
    };
    let parsed = Authority::parse(bracketed.as_bytes());
    match parsed.map(|authority| authority.host) {
        Some(host) if host.is_loopback() => Err(ErrorEnvelope::new(
            Code::Usage,
            say!("core.clients.loopback"),
            say!("core.clients.loopback-because"),
        )),
        Some(Host::Dns(name)) => Ok(name.into_owned()),
        Some(Host::Ip(ip)) => Ok(ip.to_string()),
        None => Err(ErrorEnvelope::new(
            Code::Usage,
            say!("core.host.not-a-name", name = text),
            say!("core.host.example"),
        )),
    }
}

/// 120 random bits, in letters that can be typed on a phone.
fn made_up() -> Result<String, ErrorEnvelope> {
    let mut random = [0_u8; PASSWORD_LETTERS];
    SystemRandom::new().fill(&mut random).map_err(|_| {
        ErrorEnvelope::new(Code::Failed, say!("core.internal.title"), say!("core.clients.no-random"))
    })?;
    let letter = |byte: &u8| char::from(LETTERS[usize::from(byte & 31)]);
    Ok(random.iter().map(letter).collect())
}

fn view(facts: ClientFacts) -> ClientCertificate {
    ClientCertificate {
        serial: facts.serial,
        label: facts.label,
        sha256: facts.sha256,
        issued_at: facts.issued_at,
        not_after: facts.not_after,
        revoked_at: facts.revoked_at,
    }
}

/// What is wrong with the rules, or will be soon.
pub(crate) fn problems(desk: &Desk, now: OffsetDateTime) -> Vec<Problem> {
    let soon = Duration::days(1);
    let mut problems = Vec::new();
    for status in desk.context.brought.rules.status() {
        let host = &status.host;
        if let Some(why) = &status.problem {
            problems.push(Problem {
                code: Code::Certificate,
                title: say!("core.clients.problem", host = host),
                because: capital(why).into(),
                fix: Some(gatehouse_api::Fix { text: say!("core.clients.unusable-fix"), command: None }),
            });
        }
        match status.crl_due {
            Some(due) if due < now => problems.push(Problem {
                code: Code::Certificate,
                title: say!("core.clients.crl-over", host = host, date = due.date()),
                because: say!("core.clients.crl-because"),
                fix: Some(gatehouse_api::Fix { text: say!("core.clients.crl-fix"), command: None }),
            }),
            Some(due) if due - now < soon => problems.push(Problem {
                code: Code::Certificate,
                title: say!("core.clients.crl-soon", host = host, date = due.date()),
                because: say!("core.clients.crl-because"),
                fix: Some(gatehouse_api::Fix { text: say!("core.clients.crl-fix"), command: None }),
            }),
            _ => {}
        }
    }
    problems
}
