//! What the program asks the core for, and what it does not ask without a yes.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    sync::atomic::{AtomicBool, Ordering},
};

use gatehouse_api::{
    ApproveAs, CaFormat, Code, ErrorEnvelope, GatewayAction, OpenRequest, Reply, Request, Scope, SecretText,
    TokenEdit,
};

use crate::{
    core::FakeCore,
    fixtures::{self, LAPTOP, PHONE},
    run::{end, program, run, run_line},
};

#[tokio::test(flavor = "multi_thread")]
async fn words_become_requests() {
    let open = |scope| OpenRequest {
        scope,
        hosts: Vec::new(),
        port: None,
        redirect_port: None,
        map_port: None,
        only: Vec::new(),
        confirm_within: None,
    };
    let full = OpenRequest {
        hosts: ["a.example", "fd00::1"].map(str::to_owned).to_vec(),
        port: Some(8443),
        redirect_port: Some(0),
        map_port: None,
        only: vec!["192.168.1.0/24".to_owned()],
        confirm_within: Some(90),
        ..open(Scope::Internet)
    };
    let words = "open --to internet --host a.example --ip fd00::1 --port 8443 --redirect-port 0 \
                 --only 192.168.1.0/24 --confirm-within 90s";
    for (line, first) in [
        ("open", Request::Open(open(Scope::Lan))),
        (words, Request::Open(full.clone())),
        ("open --dry-run", Request::PlanOpen(open(Scope::Lan))),
        ("close", Request::Close { purge: false }),
        ("close --purge --yes", Request::Close { purge: true }),
        ("close --purge --dry-run", Request::PlanClose { purge: true }),
        ("pause", Request::Pause { seconds: None }),
        ("pause --for 2h", Request::Pause { seconds: Some(7_200) }),
        ("undo", Request::Undo { id: None, force_drift: false }),
        ("undo --last", Request::Undo { id: None, force_drift: false }),
        ("undo c7 --force-drift", Request::Undo { id: Some("c7".to_owned()), force_drift: true }),
        ("history --limit 3", Request::History { limit: 3 }),
        ("origins seen --refused", Request::OriginsSeen { refused_only: true }),
        ("gateway stop", Request::GatewayControl { action: GatewayAction::Stop }),
        ("gateway log", Request::GatewayLog { lines: 50 }),
        ("gateway log -n 7", Request::GatewayLog { lines: 7 }),
        ("token status", Request::TokenStatus),
        ("token import", Request::TokenImport { secret: None }),
        ("token generate", Request::TokenChange(TokenEdit::Generate)),
        ("token rotate --dry-run", Request::PlanTokenChange(TokenEdit::Rotate { secret: None })),
        ("token use-secret-ref", Request::TokenChange(TokenEdit::UseStore)),
        ("token plain --dry-run", Request::PlanTokenChange(TokenEdit::UsePlain)),
        ("link --kind owner --yes", Request::DashboardLink { address: None }),
        ("link --kind trust", Request::TrustInvite),
    ] {
        let core = FakeCore::usual();
        let ran = run_line(&core.path, line).await;
        assert_eq!(core.seen().first(), Some(&first), "{line}: {ran:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn opening_over_ssh_reverts_unless_confirmed() {
    for (words, expected) in [(&["open"][..], Some(120)), (&["open", "--confirm-within", "0"], None)] {
        let core = FakeCore::usual();
        let mut command = program(&core.path, words);
        command.env("SSH_CONNECTION", "192.168.1.5 50000 192.168.1.20 22");
        end(command.spawn().unwrap()).await;

        let Some(Request::Open(request)) = core.seen().into_iter().next() else { panic!("nothing opened") };
        assert_eq!(request.confirm_within, expected, "{words:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_comes_from_a_file_or_standard_input_and_is_shown_only_on_purpose() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    fs::write(&file, "my-own-token-0123456789\n").unwrap();
    let core = FakeCore::usual();
    let line = format!("token rotate --yes --secret-file {}", file.display());
    let ran = run_line(&core.path, &line).await;
    let edit = TokenEdit::Rotate { secret: Some(SecretText::new("my-own-token-0123456789")) };
    assert!(core.seen().contains(&Request::TokenChange(edit)), "{ran:?}");
    assert!(!format!("{ran:?}").contains("my-own-token"), "{ran:?}");

    let ran = run_line(&core.path, "token reveal").await;
    assert_eq!(ran.status, 2, "{ran:?}");
    let ran = run_line(&core.path, "token rotate").await;
    assert_eq!(ran.status, 4, "{ran:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tunnel_gets_a_secret_that_is_shown_once_and_the_core_gets_its_digest() {
    let front = |core: &FakeCore| match core.seen().pop() {
        Some(Request::ConfigSet { edits, replace: false }) if edits.len() == 1 && edits[0].key == "front" => {
            edits[0].value.clone().unwrap()
        }
        other => panic!("{other:?}"),
    };
    let core = FakeCore::usual();
    let made = run_line(&core.path, "front tunnel --json").await.json();
    let (secret, told) = (made["secret"].as_str().unwrap().to_owned(), front(&core));
    assert_eq!((secret.len(), &made["header"]), (43, &"x-gatehouse-tunnel".into()), "{made}");
    assert!(told.starts_with("tunnel:") && told.len() == 71 && !told.contains(&secret), "{told}");
    let page = run_line(&core.path, "front tunnel").await;
    assert_ne!(front(&core), told, "it is another one");
    assert!(page.stdout.contains("    x-gatehouse-tunnel: "), "{page:?}");

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("secret");
    fs::write(&file, "open-sesame-and-close-again\n").unwrap();
    let line = format!("front tunnel --json --secret-file {}", file.display());
    let ran = run_line(&core.path, &line).await;
    assert!(!format!("{ran:?}").contains("open-sesame"), "{ran:?}");
    assert_eq!(front(&core), "tunnel:c01abb82f8c7536b88db4b4130d5ec97d4ee1aba838407f6ac21f4698d239869");

    fs::write(&file, "short").unwrap();
    let asked = core.seen().len();
    assert_eq!(run_line(&core.path, &line).await.status, 2);
    assert_eq!(core.seen().len(), asked, "nothing is declared then");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_taken_back_needs_a_yes() {
    for line in
        ["devices revoke 77c0", "close --purge", "devices revoke 77c0 --no-input", "close --purge --json"]
    {
        let core = FakeCore::usual();
        let ran = run_line(&core.path, line).await;

        assert_eq!(ran.status, 4, "{line}: {ran:?}");
        let asks = |request: &Request| matches!(request, Request::DevicesList | Request::PlanClose { .. });
        let changes = core.seen().into_iter().filter(|request| !asks(request));
        assert_eq!(changes.count(), 0, "{line}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn revoking_says_whether_the_device_can_return() {
    let core = FakeCore::usual();

    let ran = run_line(&core.path, "devices revoke 77c0 --yes").await;
    assert_eq!(ran.status, 0);
    assert!(
        ran.stdout.starts_with("Revoked Küchen-Laptop (77c0ffee0011)\n  Caution: It may know"),
        "{ran:?}"
    );
    assert!(ran.stdout.contains(&format!("gatehouse devices revoke {LAPTOP} --rotate-token")), "{ran:?}");

    let ran = run_line(&core.path, "devices revoke --match laptop --rotate-token -y").await;
    assert_eq!((ran.status, ran.stdout.as_str()), (0, "Revoked Küchen-Laptop (77c0ffee0011)\n"));
    let device = LAPTOP.to_owned();
    assert!(core.seen().contains(&Request::DevicesRevoke { device, rotate_token: true }));
}

#[tokio::test(flavor = "multi_thread")]
async fn approving_shows_and_sends_exactly_what_was_shown() {
    let core = FakeCore::usual();

    let ran =
        run(&core.path, &["devices", "approve", "3F9A", "--as", "chat", "--label", "Kitchen iPhone"]).await;

    assert_eq!(ran.status, 0);
    let full = ran.stderr.find("! Full control").unwrap();
    assert!(full < ran.stderr.find("- Read conversations").unwrap(), "{}", ran.stderr);
    let shown = ["operator.read", "operator.write", "operator.admin"].map(str::to_owned).to_vec();
    let expected = Request::DevicesApprove {
        device: PHONE.to_owned(),
        access: ApproveAs::Chat,
        label: Some("Kitchen iPhone".to_owned()),
        shown_scopes: Some(shown),
        expires_in: None,
    };
    assert_eq!(core.seen().last(), Some(&expected));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_that_widened_its_wish_is_shown_again_and_not_let_in_by_the_same_yes() {
    let widened = std::sync::Arc::new(AtomicBool::new(false));
    let core = FakeCore::start(fixtures::on(), move |request| {
        Some(match request {
            Request::DevicesList => {
                let mut devices = fixtures::devices();
                let more = ["operator.pairing"].into_iter().filter(|_| widened.load(Ordering::SeqCst));
                devices.pending[0].scopes.extend(more.map(str::to_owned));
                Ok(Reply::Devices(devices))
            }
            Request::DevicesApprove { .. } => {
                widened.store(true, Ordering::SeqCst);
                Err(ErrorEnvelope::new(
                    Code::Widened,
                    "It asks for more now",
                    "It also asks to let others in.",
                ))
            }
            other => fixtures::answer(other),
        })
    });

    let ran = run_line(&core.path, "devices approve 3f9a --yes").await;

    assert_eq!(ran.status, 4);
    assert!(ran.stderr.contains("! Let other devices in"), "{}", ran.stderr);
    let approvals =
        core.seen().into_iter().filter(|request| matches!(request, Request::DevicesApprove { .. }));
    assert_eq!(approvals.count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_devices_that_fit_are_never_guessed_between() {
    let core = FakeCore::start(fixtures::on(), |request| {
        Some(match request {
            Request::DevicesList => {
                let mut devices = fixtures::devices();
                devices.pending.push(fixtures::tablet());
                Ok(Reply::Devices(devices))
            }
            other => fixtures::answer(other),
        })
    });
    for line in ["devices approve 3f", "devices deny --match 192.168.1.34"] {
        let ran = run_line(&core.path, line).await;
        assert_eq!(ran.status, 2, "{ran:?}");
        assert!(ran.stderr.contains("iPhone") && ran.stderr.contains("iPad"), "{ran:?}");
    }
    assert_eq!(run_line(&core.path, "devices deny 9999").await.status, 1);
    assert_eq!(run(&core.path, &["devices", "deny", ""]).await.status, 1);
    assert!(core.seen().iter().all(|request| *request == Request::DevicesList));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_authority_is_written_as_a_file_that_everybody_may_read() {
    let core = FakeCore::usual();
    let ran = run_line(&core.path, "cert export --ca ca.der --format der").await;

    assert_eq!(ran.status, 0, "{ran:?}");
    assert!(ran.stdout.starts_with("Written ca.der\n"), "{ran:?}");
    let path = core.folder.path().join("ca.der");
    assert_eq!(fs::read(&path).unwrap(), [0, 1, 2, 3, 4]);
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o644);

    let ran = run_line(&core.path, "cert export --ca -").await;
    assert_eq!(ran.stdout, "-----BEGIN CERTIFICATE-----\nAAECAwQ=\n-----END CERTIFICATE-----\n");

    let ran = run_line(&core.path, "cert export --ca no/such/folder/ca.pem").await;
    assert_eq!((ran.status, ran.stdout.as_str()), (1, ""));
}

#[tokio::test(flavor = "multi_thread")]
async fn fingerprints_are_bare_values_for_scripts() {
    let core = FakeCore::usual();
    let colon = run_line(&core.path, "cert fingerprint").await.stdout;
    let hex = run_line(&core.path, "cert fingerprint --format hex").await.stdout;

    assert_eq!(colon, format!("{}\n", fixtures::CA));
    assert_eq!(hex, fixtures::CA.replace(':', "").to_lowercase() + "\n");
    assert!(run_line(&core.path, "cert fingerprint --leaf").await.stdout.starts_with("FF:1B"));
    assert!(run_line(&core.path, "cert fingerprint --format qr").await.stdout.contains('\u{2588}'));
    let words = run_line(&core.path, "cert fingerprint --format words").await.stdout;
    assert_eq!(words, "word0 word1 word2 word3\nword4 word5 word6 word7\n");
    let all = run_line(&core.path, "cert fingerprint --words --all --qr").await.stdout;
    assert!(all.starts_with(fixtures::CA) && all.contains("word31\n") && all.contains('\u{2588}'), "{all}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_that_logs_in_goes_into_a_pipe_only_when_told_so() {
    for kind in ["owner", "app"] {
        for form in ["", " --json"] {
            let core = FakeCore::usual();

            let refused = run_line(&core.path, &format!("link --kind {kind}{form}")).await;
            assert_eq!(refused.status, 4, "{refused:?}");
            assert!(core.seen().is_empty(), "no token is made that nobody may see");

            let shown = run_line(&core.path, &format!("link --kind {kind}{form} --yes")).await;
            assert_eq!(shown.status, 0, "{shown:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_kind_of_device_gets_the_file_that_it_takes_and_is_told_what_to_do() {
    for (device, format, step) in [
        ("ios", CaFormat::Mobileconfig, "Profile Downloaded"),
        ("mac", CaFormat::Mobileconfig, "Device Management"),
        ("android", CaFormat::Der, "Encryption & credentials"),
        ("windows", CaFormat::Der, "certutil -user"),
        ("linux", CaFormat::Pem, "update-ca-certificates"),
        ("firefox", CaFormat::Pem, "Authorities"),
        ("node", CaFormat::Pem, "NODE_EXTRA_CA_CERTS"),
        ("java", CaFormat::Pem, "keytool"),
    ] {
        let core = FakeCore::usual();
        let ran = run_line(&core.path, &format!("cert export --ca ca.file --for {device}")).await;
        assert_eq!(ran.status, 0, "{ran:?}");
        assert!(ran.stdout.contains(step), "{device}: {}", ran.stdout);
        let language = Some("en".to_owned());
        assert_eq!(core.seen(), [Request::CertExportCa { format, language }], "{device}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn trust_is_asked_for_in_the_place_that_is_named_and_a_dry_run_only_looks() {
    for (line, asked) in [
        ("cert trust", Request::TrustAdd { place: None }),
        ("cert trust --place /a/b", Request::TrustAdd { place: Some("/a/b".to_owned()) }),
        ("cert untrust", Request::TrustRemove { place: None, stale: false }),
        ("cert untrust --stale", Request::TrustRemove { place: None, stale: true }),
        ("cert trust --dry-run", Request::TrustShow),
        ("cert untrust --dry-run", Request::TrustShow),
    ] {
        let core = FakeCore::usual();
        run_line(&core.path, line).await;
        assert_eq!(core.seen(), [asked], "{line}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_that_apps_remember_is_replaced_only_after_a_yes() {
    let core = FakeCore::usual();
    let refused = run_line(&core.path, "cert renew --reuse-key").await;
    assert_eq!(refused.status, 4, "{refused:?}");
    assert!(refused.stderr.contains("Ada's iPhone"), "{refused:?}");
    assert!(!core.seen().iter().any(|request| matches!(request, Request::CertRenew { .. })));

    assert_eq!(run_line(&core.path, "cert renew --reuse-key --yes").await.status, 0);
    assert!(core.seen().contains(&Request::CertRenew { reuse_key: true }));
}
