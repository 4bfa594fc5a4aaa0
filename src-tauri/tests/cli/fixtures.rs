//! What the made-up core knows. The moments of JSON fixtures are fixed; those of pages are told from now.

mod answers;

use gatehouse_api::{
    AccessFacts, AcmeAttempt, AcmeAuthority, AcmeDirectory, AcmeState, AcmeTest, Actual, Address,
    AddressScope, AddressTest, AlwaysOn, Answerer, AwakeState, CaExport, CaFormat, Cause, CertSummary,
    Certificate, CertificateKind, CertificateRule, CertificateState, Change, ChangeKind, ChangeState,
    ClientCertificate, ClientCertificates, ClientRule, Code, ConfigEntry, ConfigKind, Configuration, Desired,
    DeviceCounts, DeviceList, DnsSetup, EdgeSighting, ErrorEnvelope, Event, ExpiredDevice, Fingerprint,
    Fingerprints, Fix, GatewayLog, GatewayRepair, GatewayService, GatewayServiceState, GatewaySummary,
    GatewayToken, GatewayVerdict, HistoryEntry, IssuedClient, KnownAuthority, LastChange, ListenerSummary,
    OriginEntry, OriginList, OriginOwner, OriginSeen, OriginTest, OriginVerdict, PairedDevice, PendingDevice,
    PhoneSetup, PhoneSetupProgress, Pin, Pins, Plan, PlanStep, Preflight, PreflightFinding, Problem,
    Progress, Proof, ProofWay, ReadinessPoint, ReadinessState, RepairStep, Reply, Request, RevokeReport,
    SCHEMA, Scope, SecretLink, SecretText, Snapshot, StageOutcome, StageResult, StaleAuthority, StepId,
    StepState, TestStage, TlsFacts, TokenPlace, TokenState, TrafficRecord, TrustInvite, TrustInviteProgress,
    TrustKind, TrustPlace, TrustPlaces, TrustState, TrustedBy, WebSocketFacts, Weight, say,
};
use gatehouse_api::{KeptAddress, MappingState, Network, NetworkAddress, PortMapping, PublicAddress};
use time::{Duration, OffsetDateTime, macros::datetime};

pub(crate) use self::answers::{answer, network, pins, untouched};

/// The key of the device that waits.
pub(crate) const PHONE: &str = "3f9a1c20b7d54e6f8091a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f7";
/// The key of another device that waits.
pub(crate) const TABLET: &str = "3f0b7d54e6f8091a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f7aa01";
/// The key of the device that is paired.
pub(crate) const LAPTOP: &str = "77c0ffee00112233445566778899aabbccddeeff00112233445566778899aabb";
/// The fingerprint of the authority.
pub(crate) const CA: &str = "0A:1B:2C:3D:4E:5F:60:71:82:93:A4:B5:C6:D7:E8:F9:\
                             0A:1B:2C:3D:4E:5F:60:71:82:93:A4:B5:C6:D7:E8:F9";

/// The present of JSON fixtures.
const THEN: OffsetDateTime = datetime!(2026-11-20 14:02:11 UTC);

/// A core that is open, at a fixed moment.
pub(crate) fn on() -> Snapshot {
    on_at(THEN)
}

/// A core that is open, with moments told from `now`.
pub(crate) fn on_at(now: OffsetDateTime) -> Snapshot {
    let proof = Proof {
        url: "https://mini.local".to_owned(),
        from: "192.168.1.20".to_owned(),
        protocol: "TLS 1.3, HTTP/1.1, WebSocket".to_owned(),
        at: now - Duration::seconds(130),
    };
    let address = |url: &str, scope, checked| Address {
        url: url.to_owned(),
        scope,
        verified_at: checked,
        trusted_by: TrustedBy::LocalCa,
    };
    Snapshot {
        schema: SCHEMA,
        version: "0.1.0".to_owned(),
        desired: Desired::Open {
            scope: Scope::Lan,
            hosts: vec!["chat.example.com".to_owned()],
            port: None,
            redirect_port: None,
            only: Vec::new(),
        },
        addresses: vec![
            address("https://mini.local", AddressScope::Lan, Some(proof.at)),
            address("https://192.168.1.20", AddressScope::Lan, Some(proof.at)),
            address("https://[fd00::20]", AddressScope::Lan, None),
        ],
        actual: Actual::On { proof },
        cert: Some(cert(now)),
        certificates: certificates(now),
        gateway: gateway(),
        devices: DeviceCounts { pending: 1, paired: 1 },
        last_change: Some(LastChange {
            id: "c7".to_owned(),
            title: "Open to local network".into(),
            at: now - Duration::seconds(290),
            undo_until: Some(now + Duration::days(1)),
            confirm_by: None,
        }),
        listener: Some(ListenerSummary {
            port: 443,
            port_reason: None,
            redirect_port: Some(80),
            redirect_reason: None,
            http2_websocket_reason: None,
            connections: 3,
            websockets: 1,
            connections_limit: None,
            limits: None,
        }),
        mapping: None,
        problems: Vec::new(),
        expiring: Vec::new(),
        secrets: "file".to_owned(),
        pid: 812,
    }
}

/// A core that is closed.
pub(crate) fn off_at(now: OffsetDateTime) -> Snapshot {
    Snapshot {
        desired: Desired::Off,
        actual: Actual::Off,
        addresses: Vec::new(),
        listener: None,
        last_change: None,
        devices: DeviceCounts::default(),
        ..on_at(now)
    }
}

/// A core with an address that works badly.
pub(crate) fn degraded_at(now: OffsetDateTime) -> Snapshot {
    let Actual::On { proof } = on_at(now).actual else { panic!("not on") };
    Snapshot {
        actual: Actual::Degraded { proof: Some(proof) },
        gateway: GatewaySummary {
            verdict: GatewayVerdict::Stopped,
            pid: None,
            detail: Some("Nothing listens on port 18789 for 40 s.".into()),
            ..gateway()
        },
        problems: vec![problem()],
        ..on_at(now)
    }
}

/// A core whose address cannot be opened.
pub(crate) fn blocked_at(now: OffsetDateTime) -> Snapshot {
    let text = "Port 443 is held by nginx (process 4711), and 8443 by java (process 4712).".into();
    Snapshot {
        actual: Actual::Blocked { cause: Cause { code: Code::PortTaken, text } },
        addresses: Vec::new(),
        listener: None,
        ..on_at(now)
    }
}

/// A core whose address is paused.
pub(crate) fn paused_at(now: OffsetDateTime) -> Snapshot {
    Snapshot { actual: Actual::Paused { until: Some(now + Duration::seconds(590)) }, ..on_at(now) }
}

/// A core that is opening an address on the second choice of ports.
pub(crate) fn preparing_at(now: OffsetDateTime) -> Snapshot {
    let listener = ListenerSummary {
        port: 8443,
        port_reason: Some("443 may be used only by the administrator".into()),
        redirect_port: None,
        redirect_reason: Some("80 is held by nginx (process 4711)".into()),
        http2_websocket_reason: None,
        connections: 0,
        websockets: 0,
        connections_limit: None,
        limits: None,
    };
    Snapshot {
        actual: Actual::Preparing { step: StepId::Configure, number: 6, of: 8 },
        addresses: Vec::new(),
        listener: Some(listener),
        last_change: None,
        ..on_at(now)
    }
}

fn problem() -> Problem {
    Problem {
        code: Code::GatewayUnreachable,
        title: "The gateway does not answer".into(),
        because: "Nothing listens on 127.0.0.1:18789 since 13:58, and no process of the gateway runs.".into(),
        fix: Some(Fix { text: "Start it.".into(), command: Some("openclaw gateway start".to_owned()) }),
    }
}

fn gateway() -> GatewaySummary {
    GatewaySummary {
        version: Some("2026.9.6".to_owned()),
        pid: Some(901),
        url: "http://127.0.0.1:18789".to_owned(),
        verdict: GatewayVerdict::Running,
        detail: None,
        config_path: Some("/Users/ada/.openclaw/openclaw.json".to_owned()),
        supervised: false,
        service: None,
    }
}

/// The local certificate.
pub(crate) fn cert(now: OffsetDateTime) -> CertSummary {
    CertSummary {
        issuer: "Gatehouse CA mini 4f2a".to_owned(),
        not_before: now - Duration::days(1),
        not_after: now + Duration::days(396) + Duration::hours(6),
        names: ["mini.local", "mini", "192.168.1.20", "fd00::20", "localhost"].map(str::to_owned).to_vec(),
        sha256: CA.replace("0A", "FF"),
        ca_sha256: Some(CA.to_owned()),
    }
}

/// A local certificate, and a public one that is not renewed in time.
pub(crate) fn certificates(now: OffsetDateTime) -> Vec<Certificate> {
    let local = cert(now);
    vec![
        Certificate {
            id: "local".to_owned(),
            kind: CertificateKind::Local,
            state: CertificateState::Valid,
            names: local.names,
            issuer: Some(local.issuer),
            not_before: Some(local.not_before),
            not_after: Some(local.not_after),
            life_left: Some(100),
            sha256: Some(local.sha256),
            authority: None,
            stage: None,
            window: None,
            source: None,
            key_type: None,
            trusted: None,
            next_attempt: Some(now + Duration::days(264)),
            problem: None,
        },
        Certificate {
            id: "acme:chat-example-com-0a1b2c3d4e5f".to_owned(),
            kind: CertificateKind::Acme,
            state: CertificateState::Expiring,
            names: vec!["chat.example.com".to_owned()],
            issuer: Some("E7".to_owned()),
            not_before: Some(now - Duration::days(70)),
            not_after: Some(now + Duration::days(20)),
            life_left: Some(23),
            sha256: Some(CA.replace("0A", "EE")),
            authority: Some("Let's Encrypt".to_owned()),
            stage: None,
            window: None,
            source: None,
            key_type: None,
            trusted: None,
            next_attempt: Some(now + Duration::hours(6)),
            problem: Some(Problem {
                code: Code::Certificate,
                title: "The certificate for chat.example.com is not renewed yet".into(),
                because: "Let's Encrypt: Timeout during connect.".into(),
                fix: Some(Fix {
                    text: "Forward port 443.".into(),
                    command: Some("gatehouse cert acme test".to_owned()),
                }),
            }),
        },
    ]
}

/// How public certificates are got.
pub(crate) fn acme(now: OffsetDateTime) -> AcmeState {
    AcmeState {
        ready: true,
        authorities: vec![AcmeAuthority {
            directory: "https://acme-v02.api.letsencrypt.org/directory".to_owned(),
            name: "Let's Encrypt".to_owned(),
            agreed: true,
            account: Some("https://acme-v02.api.letsencrypt.org/acme/acct/1".to_owned()),
            email: "ada@example.com".to_owned(),
            external_key_id: None,
            private: false,
        }],
        email: "ada@example.com".to_owned(),
        ways: vec![ProofWay::TlsAlpn, ProofWay::Dns],
        dns: Some(DnsSetup::Cloudflare),
        reuse_key: false,
        known: vec![KnownAuthority {
            id: "letsencrypt".to_owned(),
            name: "Let's Encrypt".to_owned(),
            directory: "https://acme-v02.api.letsencrypt.org/directory".to_owned(),
            external_account: false,
            staging: true,
        }],
        wanted: vec![vec!["chat.example.com".to_owned()]],
        certificates: certificates(now).split_off(1),
    }
}

/// What an authority says of itself.
pub(crate) fn acme_directory() -> AcmeDirectory {
    AcmeDirectory {
        directory: "https://acme-v02.api.letsencrypt.org/directory".to_owned(),
        name: "Let's Encrypt".to_owned(),
        terms: Some("https://letsencrypt.org/documents/terms.pdf".to_owned()),
        website: Some("https://letsencrypt.org".to_owned()),
        external_account: false,
        staging: true,
        agreed: false,
        account: None,
    }
}

/// A dry run that failed.
pub(crate) fn acme_test() -> AcmeTest {
    let finding = |weight, text: &str| PreflightFinding {
        name: Some("chat.example.com".to_owned()),
        weight,
        text: text.into(),
        fix: None,
    };
    let findings = vec![
        finding(Weight::Hindrance, "The name has no address in DNS."),
        finding(Weight::Good, "Port 443 is ours."),
    ];
    AcmeTest { preflight: Preflight { passed: false, findings }, authority: None, works: false, error: None }
}

/// The devices, at a fixed moment.
pub(crate) fn devices() -> DeviceList {
    devices_at(THEN)
}

/// The devices, with moments told from `now`.
pub(crate) fn devices_at(now: OffsetDateTime) -> DeviceList {
    let sighting = EdgeSighting {
        client: "192.168.1.34".to_owned(),
        host: "mini.local".to_owned(),
        tls: "TLS 1.3".to_owned(),
        agent: Some("Safari on iPhone".to_owned()),
        first_seen: now - Duration::seconds(200),
        last_seen: now - Duration::seconds(130),
    };
    let phone = PendingDevice {
        device_id: PHONE.to_owned(),
        request_id: "6f1c4a52-0001".to_owned(),
        name: "iPhone".to_owned(),
        platform: Some("ios".to_owned()),
        role: "operator".to_owned(),
        scopes: ["operator.read", "operator.write", "operator.admin"].map(str::to_owned).to_vec(),
        remote_ip: Some("192.168.1.34".to_owned()),
        via_edge: Some(sighting),
        is_repair: true,
        asked_at: Some(now - Duration::seconds(130)),
    };
    let laptop = PairedDevice {
        device_id: LAPTOP.to_owned(),
        request_id: None,
        name: "Küchen-Laptop".to_owned(),
        platform: Some("macos".to_owned()),
        role: "operator".to_owned(),
        scopes: ["operator.read", "operator.write"].map(str::to_owned).to_vec(),
        remote_ip: Some("192.168.1.40".to_owned()),
        via_edge: None,
        approved_via: Some("owner".to_owned()),
        connected: true,
        last_seen: Some(now - Duration::seconds(7_300)),
        expires_at: Some(now + Duration::days(7)),
    };
    let visitor = ExpiredDevice {
        device_id: TABLET.to_owned(),
        name: "Visitor's tablet".to_owned(),
        at: now - Duration::hours(3),
        can_return: false,
        note: "It is locked out: it would have to ask again, and you would see it.".into(),
    };
    DeviceList { pending: vec![phone], paired: vec![laptop], expired: vec![visitor] }
}

/// A second device that waits.
pub(crate) fn tablet() -> PendingDevice {
    let phone = devices().pending.remove(0);
    PendingDevice {
        device_id: TABLET.to_owned(),
        request_id: "6f1c4a52-0002".to_owned(),
        name: "iPad".to_owned(),
        scopes: vec!["operator.read".to_owned()],
        via_edge: None,
        is_repair: false,
        ..phone
    }
}

/// The history, with moments told from `now`.
pub(crate) fn history_at(now: OffsetDateTime) -> Vec<HistoryEntry> {
    let entry = |id: &str, kind, title: &str, state, at, details: &[&str]| HistoryEntry {
        id: id.to_owned(),
        kind,
        title: title.into(),
        state,
        at,
        undo_until: (state == ChangeState::Committed).then_some(now + Duration::days(1)),
        details: details.iter().map(|&detail| detail.into()).collect(),
    };
    let patch = [
        "gateway.controlUi.allowedOrigins += https://mini.local, https://192.168.1.20",
        "gateway.trustedProxies += 127.0.0.1, ::1",
    ];
    let (open, tried) = ("Open to local network", "Open to the internet as chat.example.com");
    vec![
        entry("c7", ChangeKind::Open, open, ChangeState::Committed, now - Duration::seconds(290), &patch),
        entry("c6", ChangeKind::Open, tried, ChangeState::RolledBack, now - Duration::hours(3), &[]),
        entry("c5", ChangeKind::Open, open, ChangeState::Undone, now - Duration::days(9), &patch),
    ]
}

/// A change that was made.
pub(crate) fn change() -> Change {
    Change {
        id: Some("c7".to_owned()),
        title: "Open to local network".into(),
        state: Some(ChangeState::Committed),
        warnings: Vec::new(),
        confirm_by: None,
    }
}

/// What opening says when it fails.
pub(crate) fn verify_failed() -> ErrorEnvelope {
    let because = "https://192.168.1.20 was reached and its certificate was not ours: another program \
                   answers on this address. Everything was rolled back.";
    ErrorEnvelope::new(Code::VerifyFailed, "The address did not prove itself", because)
        .evidence("TCP 192.168.1.20:443 connected in 1 ms")
        .evidence("TLS certificate of CN=router.local, SHA-256 77:88:99")
        .fix_with("Free the port, or choose another.", "gatehouse open --to lan --port 8443")
}

/// The steps of a change that opens.
pub(crate) fn steps(last: StepState) -> Vec<Event> {
    let step = |number, step, state, text: &str| {
        let text = text.into();
        Event::Progress(Progress { change: "c7".to_owned(), step, number, of: 8, state, text })
    };
    vec![
        step(1, StepId::FindGateway, StepState::Running, ""),
        step(1, StepId::FindGateway, StepState::Done, "OpenClaw 2026.9.6 at http://127.0.0.1:18789"),
        step(2, StepId::Authentication, StepState::Skipped, "it asks for a token"),
        step(7, StepId::Verify, StepState::Running, ""),
        step(7, StepId::Verify, last, "3 addresses reached from outside"),
    ]
}

/// A request that ended.
pub(crate) fn traffic(path: &str, status: u16) -> TrafficRecord {
    TrafficRecord {
        time: THEN,
        id: "01JD5M7Q2R".to_owned(),
        client: "192.168.1.34".to_owned(),
        client_certificate: None,
        method: "GET".to_owned(),
        host: "mini.local".to_owned(),
        path: path.to_owned(),
        status,
        answered_by: if status == 421 { Answerer::Edge } else { Answerer::Gateway },
        error: (status == 421).then(|| "host-unknown".to_owned()),
        bytes_in: 0,
        bytes_out: 5_120,
        ms: 12,
        protocol: if status == 101 { "HTTP/1.1" } else { "HTTP/2" }.to_owned(),
        tls: Some(TlsFacts { version: "1.3".to_owned(), cipher: "TLS13_AES_128_GCM_SHA256".to_owned() }),
        websocket: (status == 101).then(|| WebSocketFacts {
            close_code: Some(1006),
            closed_by: "client".to_owned(),
            duration_ms: 3 * 60_000,
        }),
    }
}
