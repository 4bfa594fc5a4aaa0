//! The TypeScript types of the window, made from the Rust types. A difference fails this test.

use std::path::Path;

use ts_rs::{Config, TS};

use crate::*;

fn declarations() -> String {
    let config = Config::new().with_large_int("number");
    let mut text = String::from(
        "// Made from the Rust crate gatehouse-api; do not edit. Refresh: scripts/types\n/* eslint-disable */\n",
    );
    let mut declare = |docs: Option<String>, declaration: String| {
        text.push('\n');
        if let Some(docs) = docs {
            text.push_str(docs.trim_end());
            text.push('\n');
        }
        text.push_str("export ");
        text.push_str(&declaration);
        text.push('\n');
    };
    macro_rules! declare {
        ($($type:ty),* $(,)?) => { $( declare(<$type as TS>::docs(), <$type as TS>::decl(&config)); )* };
    }
    declare!(
        Text,
        Code,
        ErrorEnvelope,
        Fix,
        Scope,
        Desired,
        Actual,
        Cause,
        Proof,
        AddressScope,
        TrustedBy,
        Address,
        CertSummary,
        CertificateKind,
        CertificateState,
        OrderStage,
        RenewalWindow,
        Certificate,
        ImportFile,
        ImportFrom,
        CertificateRule,
        ClientCertificate,
        ClientCertificates,
        ClientForm,
        IssuedClient,
        ProofWay,
        DnsSetup,
        AcmeSetup,
        AcmeAuthority,
        KnownAuthority,
        AcmeDirectory,
        AcmeState,
        AcmeAttempt,
        Weight,
        PreflightFinding,
        Preflight,
        AcmeTest,
        GatewayVerdict,
        PresenceScope,
        PresenceState,
        Presence,
        AwakeState,
        ReadinessState,
        ReadinessPoint,
        AlwaysOn,
        GatewayServiceState,
        RepairStep,
        GatewayService,
        GatewayRepair,
        TokenPlace,
        TokenState,
        GatewayToken,
        TokenEdit,
        GatewaySummary,
        DeviceCounts,
        LastChange,
        ListenerSummary,
        Problem,
        MappingState,
        PortMapping,
        NetworkAddress,
        KeptAddress,
        PublicAddress,
        Network,
        Snapshot,
        StepId,
        PlanStep,
        Plan,
        StepState,
        ChangeKind,
        ChangeState,
        HistoryEntry,
        Change,
        EdgeSighting,
        PendingDevice,
        PairedDevice,
        ExpiredDevice,
        DeviceList,
        RevokeReport,
        OriginOwner,
        OriginEntry,
        OriginList,
        OriginSeen,
        OriginVerdict,
        OriginTest,
        Answerer,
        TlsFacts,
        WebSocketFacts,
        TrafficRecord,
        TrafficFilter,
        GatewayAction,
        GatewayLog,
        TrustedProxy,
        ClientRule,
        AccessFacts,
        TrustKind,
        TrustState,
        StaleAuthority,
        TrustPlace,
        TrustPlaces,
        Fingerprint,
        Fingerprints,
        Pin,
        Pins,
        Nearness,
        Expiring,
        TestStage,
        StageOutcome,
        StageResult,
        AddressTest,
        SecretText,
        SecretLink,
        PhoneSetup,
        PhoneSetupProgress,
        TrustInvite,
        TrustInviteProgress,
        ConfigKind,
        ConfigEntry,
        Configuration,
        ConfigEdit,
        Progress,
        Event,
        OpenRequest,
        ApproveAs,
        CaFormat,
        CaExport,
        Request,
        Reply,
    );
    text
}

#[test]
fn the_windows_types_are_those_of_the_api() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../ui/src/generated/api.ts");
    let fresh = declarations();
    if std::env::var_os("GATEHOUSE_REFRESH").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, &fresh).unwrap();
    }
    let stored = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(stored == fresh, "{} differs from the Rust types; run scripts/types", path.display());
}
