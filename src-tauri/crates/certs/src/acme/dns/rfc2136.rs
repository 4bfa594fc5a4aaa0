//! DNS updates (RFC 2136) over TCP, signed with a shared key (TSIG, RFC 8945): what BIND, Knot, PowerDNS and others take.

use std::net::SocketAddr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hickory_proto::op::{Message, ResponseCode, update_message};
use hickory_proto::rr::rdata::TXT;
use hickory_proto::rr::rdata::tsig::TsigAlgorithm;
use hickory_proto::rr::{Name, RData, Record, RecordSet, TSigner};
use secrecy::{ExposeSecret, SecretString};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::DnsProvider;

const LIMIT: Duration = Duration::from_secs(15);
const TTL: u32 = 60;
/// How far the server's clock may be from ours, in seconds; what RFC 8945 recommends.
const FUDGE: u16 = 300;

/// The key that the server shares with us.
#[derive(Debug, Clone)]
pub struct TsigKey {
    /// Its name on the server.
    pub name: String,
    /// `hmac-sha256`, `hmac-sha384` or `hmac-sha512`.
    pub algorithm: String,
    /// The key, base64.
    pub secret: SecretString,
}

/// Sends signed updates.
#[derive(Clone)]
pub struct Rfc2136 {
    server: SocketAddr,
    zone: Name,
    signer: TSigner,
    settle: Duration,
}

impl Rfc2136 {
    /// Updates `zone` at `server`, usually port 53.
    ///
    /// # Errors
    /// The zone or the key's name is no DNS name, the algorithm is unknown or unsafe, or the key is no base64.
    pub fn new(server: SocketAddr, zone: &str, key: &TsigKey, settle: Duration) -> Result<Self, String> {
        let algorithm = match key.algorithm.to_ascii_lowercase().trim_end_matches('.') {
            "hmac-sha256" => TsigAlgorithm::HmacSha256,
            "hmac-sha384" => TsigAlgorithm::HmacSha384,
            "hmac-sha512" => TsigAlgorithm::HmacSha512,
            other => return Err(format!("{other:?} is no safe TSIG algorithm; use hmac-sha256")),
        };
        let secret = STANDARD
            .decode(key.secret.expose_secret().trim())
            .map_err(|_| "the TSIG key is no base64".to_owned())?;
        let signer = TSigner::new(secret, algorithm, name(&key.name)?, FUDGE)
            .map_err(|error| format!("the TSIG key: {error}"))?;
        Ok(Self { server, zone: name(zone)?, signer, settle })
    }

    fn record(&self, record: &str, value: &str) -> Result<RecordSet, String> {
        let name = name(record)?;
        if !self.zone.zone_of(&name) {
            return Err(format!("{record} is not in the zone {}", self.zone));
        }
        Ok(RecordSet::from(Record::from_rdata(name, TTL, RData::TXT(TXT::new(vec![value.to_owned()])))))
    }

    async fn send(&self, mut message: Message) -> Result<(), String> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_err(|error| error.to_string())?.as_secs();
        let verifier = message.finalize(&self.signer, now).map_err(|error| error.to_string())?;
        let bytes = message.to_vec().map_err(|error| error.to_string())?;
        let server = self.server;
        let answer = tokio::time::timeout(LIMIT, exchange(server, &bytes))
            .await
            .map_err(|_| format!("{server} did not answer within {} s", LIMIT.as_secs()))?
            .map_err(|error| format!("{server}: {error}"))?;
        let read = Message::from_vec(&answer)
            .map_err(|error| format!("the answer of {server} cannot be read: {error}"))?;
        match read.response_code {
            ResponseCode::NoError => {}
            ResponseCode::NotAuth => {
                return Err(format!("{server} refuses the key, or the clocks are more than 5 minutes apart"));
            }
            ResponseCode::Refused => return Err(format!("{server} refuses updates of {}", self.zone)),
            ResponseCode::NotZone => return Err(format!("{server} does not serve {}", self.zone)),
            code => return Err(format!("{server} answers {code}")),
        }
        match verifier {
            Some(mut verifier) => verifier
                .verify(&answer)
                .map(|_| ())
                .map_err(|error| format!("the answer of {server} is not signed with the key: {error}")),
            None => Ok(()),
        }
    }
}

#[async_trait]
impl DnsProvider for Rfc2136 {
    async fn present(&self, name: &str, value: &str) -> Result<(), String> {
        let records = self.record(name, value)?;
        self.send(update_message::append(records, self.zone.clone(), false, false)).await
    }

    async fn remove(&self, name: &str, value: &str) -> Result<(), String> {
        let records = self.record(name, value)?;
        self.send(update_message::delete_by_rdata(records, self.zone.clone(), false)).await
    }

    fn settle(&self) -> Duration {
        self.settle
    }
}

fn name(text: &str) -> Result<Name, String> {
    let mut name = Name::from_ascii(text).map_err(|error| format!("{text:?} is no DNS name: {error}"))?;
    name.set_fqdn(true);
    Ok(name)
}

/// One message over TCP, with its length in front (RFC 1035 §4.2.2).
async fn exchange(server: SocketAddr, message: &[u8]) -> std::io::Result<Vec<u8>> {
    let length = u16::try_from(message.len()).map_err(std::io::Error::other)?;
    let mut stream = TcpStream::connect(server).await?;
    stream.write_all(&[&length.to_be_bytes(), message].concat()).await?;
    let length = stream.read_u16().await?;
    let mut answer = vec![0; usize::from(length)];
    stream.read_exact(&mut answer).await?;
    Ok(answer)
}
