//! What a request gets.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::{
    AccessFacts, AcmeAttempt, AcmeDirectory, AcmeState, AcmeTest, AddressTest, AlwaysOn, CaFormat,
    CertSummary, Certificate, Change, ClientCertificate, ClientCertificates, Configuration, DeviceList,
    Fingerprints, GatewayLog, GatewayRepair, GatewaySummary, GatewayToken, HistoryEntry, IssuedClient,
    Network, OriginList, OriginSeen, OriginTest, PairedDevice, PhoneSetup, PhoneSetupProgress, Pins, Plan,
    Preflight, RevokeReport, SecretLink, SecretText, Snapshot, TrafficRecord, TrustInvite,
    TrustInviteProgress, TrustPlaces,
};

/// What a request gets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(tag = "kind", content = "data", rename_all = "kebab-case")]
pub enum Reply {
    /// The whole state.
    Status(Box<Snapshot>),
    /// A plan.
    Plan(Plan),
    /// A change that was made.
    Change(Change),
    /// What was done, newest first.
    History(Vec<HistoryEntry>),
    /// The gateway's allowed origins.
    Origins(OriginList),
    /// Origins that were seen.
    OriginsSeen(Vec<OriginSeen>),
    /// Whether an origin gets in.
    OriginTest(OriginTest),
    /// All devices.
    Devices(DeviceList),
    /// One device, after it was approved or renamed.
    Device(Box<PairedDevice>),
    /// A device was denied.
    Denied {
        /// Which.
        device_id: String,
    },
    /// A device was revoked.
    Revoked(RevokeReport),
    /// The certificate that is served; `None` = none yet.
    Cert(Option<CertSummary>),
    /// All certificates.
    Certificates(Vec<Certificate>),
    /// Which names want certificates from their clients, and who has one.
    Clients(ClientCertificates),
    /// A client's new certificate.
    ClientIssued(IssuedClient),
    /// A client's certificate was taken back.
    ClientRevoked(ClientCertificate),
    /// How public certificates are got.
    Acme(Box<AcmeState>),
    /// What an authority says of itself.
    AcmeDirectory(AcmeDirectory),
    /// What was found before an attempt is spent.
    Preflight(Preflight),
    /// A dry run.
    AcmeTest(Box<AcmeTest>),
    /// Attempts, newest first.
    AcmeLog(Vec<AcmeAttempt>),
    /// The local certificate authority.
    Ca(CaExport),
    /// Fingerprints.
    Fingerprints(Box<Fingerprints>),
    /// Apps that remember certificates.
    Pins(Pins),
    /// Where this machine trusts the authority.
    TrustPlaces(TrustPlaces),
    /// The gateway.
    Gateway(GatewaySummary),
    /// The gateway's shared token, without the token itself.
    Token(Box<GatewayToken>),
    /// The gateway's shared token.
    Secret(SecretText),
    /// What a repair does, or did.
    GatewayRepair(Box<GatewayRepair>),
    /// The end of the gateway's log.
    GatewayLog(GatewayLog),
    /// A link that logs in.
    Link(SecretLink),
    /// How far an address could be reached.
    AddressTest(AddressTest),
    /// A setup code.
    PhoneSetup(PhoneSetup),
    /// Whether a setup code was used.
    PhoneSetupStatus(PhoneSetupProgress),
    /// An invitation to trust the certificate authority.
    Invite(TrustInvite),
    /// How far the invitation got.
    InviteStatus(TrustInviteProgress),
    /// Requests, oldest first.
    Traffic(Vec<TrafficRecord>),
    /// Who gets to the gateway.
    Access(AccessFacts),
    /// The settings of the edge.
    Configuration(Configuration),
    /// The numbers of the edge.
    Metrics {
        /// In the Prometheus text format, version 0.0.4.
        text: String,
    },
    /// Whether the address stays reachable by itself.
    AlwaysOn(Box<AlwaysOn>),
    /// Where this machine is on its network.
    Network(Box<Network>),
    /// Done, nothing to say.
    Done,
}

/// The local certificate authority, ready for a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct CaExport {
    /// PEM text, or the profile; `DER` requests carry it in base64.
    pub content: String,
    /// In which form.
    pub format: CaFormat,
    /// Common name.
    pub name: String,
    /// SHA-256, upper-case hex with colons.
    pub sha256: String,
    /// Last moment of validity.
    #[serde(with = "time::serde::rfc3339")]
    #[cfg_attr(test, ts(type = "string"))]
    pub not_after: OffsetDateTime,
}
