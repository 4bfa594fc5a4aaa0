//! The one vocabulary of Gatehouse.
//!
//! Every view (window, tray, command line, notifications) asks with a [`Request`], is answered with a [`Reply`] or an
//! [`ErrorEnvelope`], and follows [`Event`]s. [`Snapshot`] is the whole state that a view may show. Nothing here
//! decides anything: the controller in `gatehouse-core` does.
//!
//! The JSON shapes are a public contract: `status --json` and its siblings print them, and the golden files under
//! `src-tauri/tests/golden` freeze them.

pub mod address_test;
pub mod always_on;
pub mod brought;
pub mod certificates;
pub mod change;
pub mod configuration;
pub mod devices;
pub mod error;
pub mod event;
pub mod gateway;
pub mod links;
pub mod network;
pub mod origins;
pub mod presence;
pub mod reply;
pub mod request;
pub mod secret;
pub mod snapshot;
pub mod socket;
pub mod text;
pub mod token;
pub mod traffic;
pub mod trust;

pub use address_test::{AddressTest, StageOutcome, StageResult, TestStage};
pub use always_on::{AlwaysOn, AwakeState, ReadinessPoint, ReadinessState};
pub use brought::{
    CertificateRule, ClientCertificate, ClientCertificates, ClientForm, ImportFile, ImportFrom, IssuedClient,
};
pub use certificates::{
    AcmeAttempt, AcmeAuthority, AcmeDirectory, AcmeSetup, AcmeState, AcmeTest, Certificate, CertificateKind,
    CertificateState, DnsSetup, KnownAuthority, OrderStage, Preflight, PreflightFinding, ProofWay,
    RenewalWindow, Weight,
};
pub use change::{Change, ChangeKind, ChangeState, HistoryEntry, Plan, PlanStep, StepId, StepState};
pub use configuration::{ConfigEdit, ConfigEntry, ConfigKind, Configuration};
pub use devices::{DeviceList, EdgeSighting, ExpiredDevice, PairedDevice, PendingDevice, RevokeReport};
pub use error::{Code, ErrorEnvelope, Fix};
pub use event::{Event, Progress};
pub use gateway::{
    AccessFacts, ClientRule, GatewayAction, GatewayLog, GatewayRepair, GatewayService, GatewayServiceState,
    RepairStep, TrustedProxy,
};
pub use links::{PhoneSetup, PhoneSetupProgress, SecretLink, TrustInvite, TrustInviteProgress};
pub use network::{KeptAddress, MappingState, Network, NetworkAddress, PortMapping, PublicAddress};
pub use origins::{OriginEntry, OriginList, OriginOwner, OriginSeen, OriginTest, OriginVerdict};
pub use presence::{Presence, PresenceChange, PresenceScope, PresenceState};
pub use reply::{CaExport, Reply};
pub use request::{ApproveAs, CaFormat, OpenRequest, Request};
pub use secret::SecretText;
pub use snapshot::{
    Actual, Address, AddressScope, Cause, CertSummary, Desired, DeviceCounts, GatewaySummary, GatewayVerdict,
    LastChange, ListenerSummary, Problem, Proof, Scope, Snapshot, TrustedBy,
};
pub use text::Text;
pub use token::{GatewayToken, TokenEdit, TokenPlace, TokenState};
pub use traffic::{Answerer, TlsFacts, TrafficFilter, TrafficRecord, WebSocketFacts};
pub use trust::{
    Expiring, Fingerprint, Fingerprints, Nearness, Pin, Pins, StaleAuthority, TrustKind, TrustPlace,
    TrustPlaces, TrustState,
};

/// The catalogue that [`Text`] comes from.
pub use gatehouse_words as words;

/// Version of every JSON object that Gatehouse prints. It changes only when a field changes its meaning or goes away.
pub const SCHEMA: u32 = 1;

#[cfg(test)]
mod typescript;
