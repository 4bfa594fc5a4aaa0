//! What DNS says of a name: its addresses, what it is an alias of, and which authorities it allows (CAA, RFC 8659).
//!
//! Guarantees: every question ends within its limit; nothing is answered from a cache that outlives the question, so that
//! what its owner just changed is seen; a question without an answer is told from an answer that there is nothing.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use async_trait::async_trait;
use hickory_resolver::TokioResolver;
use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolverConfig};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::rr::{Name, RData, RecordType};

use super::dns::TxtLookup;

const LIMIT: Duration = Duration::from_secs(5);

/// Asks name servers.
#[derive(Debug, Clone, Copy, Default)]
pub struct Dns {
    server: Option<SocketAddr>,
}

/// What a CAA record allows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authorization {
    /// Whether it is about wildcards alone (`issuewild`).
    pub wildcard: bool,
    /// The authority; empty = nobody.
    pub issuer: String,
    /// The ways that are allowed (`validationmethods`, RFC 8657); `None` = all.
    pub methods: Option<Vec<String>>,
    /// The account that is allowed (`accounturi`, RFC 8657); `None` = all.
    pub account: Option<String>,
}

/// What DNS says of a name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DnsFacts {
    /// Its addresses.
    pub addresses: Vec<IpAddr>,
    /// What it is an alias of.
    pub alias: Option<String>,
    /// What the nearest CAA records allow; `None` = there are none, and every authority is allowed.
    pub authorizations: Option<Vec<Authorization>>,
    /// Questions that nobody answered: what authorities see may be another thing.
    pub unanswered: Vec<String>,
}

/// An answer; `Err` = there was none.
type Records = Result<Vec<(Name, RData)>, String>;

impl Dns {
    /// Asks this server; `None` = those of the system.
    pub fn new(server: Option<SocketAddr>) -> Self {
        Self { server }
    }

    /// Everything that an authority will look at.
    pub async fn facts(&self, name: &str) -> DnsFacts {
        let mut facts = DnsFacts::default();
        for kind in [RecordType::A, RecordType::AAAA] {
            match self.ask(name, kind).await {
                Ok(records) => {
                    for (_, data) in records {
                        match data {
                            RData::A(ip) => facts.addresses.push(IpAddr::V4(ip.0)),
                            RData::AAAA(ip) => facts.addresses.push(IpAddr::V6(ip.0)),
                            RData::CNAME(to) => {
                                facts.alias = Some(to.0.to_string().trim_end_matches('.').to_owned());
                            }
                            _ => {}
                        }
                    }
                }
                Err(error) => facts.unanswered.push(format!("{kind} {name}: {error}")),
            }
        }
        match self.authorizations(name).await {
            Ok(found) => facts.authorizations = found,
            Err(error) => facts.unanswered.push(error),
        }
        facts
    }

    /// The nearest CAA records, from the name up (RFC 8659 §3).
    async fn authorizations(&self, name: &str) -> Result<Option<Vec<Authorization>>, String> {
        let mut at = Some(name);
        while let Some(here) = at.filter(|here| !here.is_empty()) {
            let records =
                self.ask(here, RecordType::CAA).await.map_err(|error| format!("CAA {here}: {error}"))?;
            let found: Vec<(String, String)> = records
                .into_iter()
                .filter_map(|(_, data)| match data {
                    RData::CAA(caa) => {
                        let value = String::from_utf8_lossy(&caa.value).into_owned();
                        Some((caa.tag.to_ascii_lowercase(), value))
                    }
                    _ => None,
                })
                .collect();
            if !found.is_empty() {
                return Ok(Some(found.iter().filter_map(|(tag, value)| authorization(tag, value)).collect()));
            }
            at = here.split_once('.').map(|(_, parent)| parent);
        }
        Ok(None)
    }

    async fn ask(&self, name: &str, kind: RecordType) -> Records {
        let mut name = Name::from_ascii(name).map_err(|error| error.to_string())?;
        name.set_fqdn(true);
        let resolver = self.resolver()?;
        match tokio::time::timeout(LIMIT, resolver.lookup(name, kind)).await {
            Err(_) => Err(format!("no answer within {} s", LIMIT.as_secs())),
            Ok(Ok(found)) => {
                Ok(found.answers().iter().map(|record| (record.name.clone(), record.data.clone())).collect())
            }
            Ok(Err(error)) if error.is_no_records_found() => Ok(Vec::new()),
            Ok(Err(error)) => Err(error.to_string()),
        }
    }

    fn resolver(&self) -> Result<TokioResolver, String> {
        let builder = match self.server {
            None => TokioResolver::builder_tokio().map_err(|error| error.to_string())?,
            Some(server) => {
                let mut udp = ConnectionConfig::udp();
                udp.port = server.port();
                let mut tcp = ConnectionConfig::tcp();
                tcp.port = server.port();
                let server = NameServerConfig::new(server.ip(), true, vec![udp, tcp]);
                let config = ResolverConfig::from_parts(None, Vec::new(), vec![server]);
                TokioResolver::builder_with_config(config, TokioRuntimeProvider::default())
            }
        };
        builder.build().map_err(|error| error.to_string())
    }
}

#[async_trait]
impl TxtLookup for Dns {
    async fn txt(&self, name: &str) -> Vec<String> {
        let records = self.ask(name, RecordType::TXT).await.unwrap_or_default();
        records
            .into_iter()
            .filter_map(|(_, data)| match data {
                RData::TXT(txt) => {
                    Some(txt.txt_data.iter().map(|part| String::from_utf8_lossy(part).into_owned()).collect())
                }
                _ => None,
            })
            .collect()
    }
}

/// Reads `issue` and `issuewild` (RFC 8659 §4.2, RFC 8657).
fn authorization(tag: &str, value: &str) -> Option<Authorization> {
    let wildcard = match tag {
        "issue" => false,
        "issuewild" => true,
        _ => return None,
    };
    let mut parts = value.split(';').map(str::trim);
    let issuer = parts.next().unwrap_or_default().trim_end_matches('.').to_ascii_lowercase();
    let (mut methods, mut account) = (None, None);
    for (key, value) in parts.filter_map(|part| part.split_once('=')) {
        match key.trim() {
            "validationmethods" => {
                methods = Some(value.split(',').map(|method| method.trim().to_ascii_lowercase()).collect());
            }
            "accounturi" => account = Some(value.trim().to_owned()),
            _ => {}
        }
    }
    Some(Authorization { wildcard, issuer, methods, account })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_caa_record_is_read_with_its_parameters() {
        let read = authorization(
            "issue",
            "LetsEncrypt.org; validationmethods=dns-01,tls-alpn-01; accounturi=https://ca.example/acct/1",
        );
        let methods = Some(vec!["dns-01".to_owned(), "tls-alpn-01".to_owned()]);
        let account = Some("https://ca.example/acct/1".to_owned());
        let issuer = "letsencrypt.org".to_owned();
        assert_eq!(read, Some(Authorization { wildcard: false, issuer, methods, account }));

        let nobody = authorization("issuewild", ";").unwrap();
        assert_eq!((nobody.wildcard, nobody.issuer.as_str()), (true, ""));
        assert_eq!(authorization("iodef", "mailto:a@example.org"), None);
    }
}
