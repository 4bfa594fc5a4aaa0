use super::*;

/// Answers the expected calls one after the other.
struct Script {
    answers: RefCell<VecDeque<(String, i32, String, String)>>,
}

impl Script {
    fn new(answers: &[(&str, i32, &str, &str)]) -> Self {
        let owned = |(call, status, out, err): &(&str, i32, &str, &str)| {
            ((*call).to_owned(), *status, (*out).to_owned(), (*err).to_owned())
        };
        Self { answers: RefCell::new(answers.iter().map(owned).collect()) }
    }

    fn all_asked(&self) -> bool {
        self.answers.borrow().is_empty()
    }
}

impl Run for Script {
    fn run(&self, program: &str, arguments: &[&str], _: Duration) -> io::Result<Finished> {
        let call = format!("{} {}", program.rsplit('/').next().unwrap(), arguments.join(" "));
        let (expected, status, stdout, stderr) = self.answers.borrow_mut().pop_front().unwrap();
        assert!(call.starts_with(&expected), "{call}, not {expected}");
        Ok(Finished { status: Some(status), stdout, stderr })
    }

    fn pause(&self, _: Duration) {}
}

fn places() -> Places {
    Places {
        home: PathBuf::from("/Users/ada"),
        data_home: None,
        root: PathBuf::from("/"),
        is_root: false,
        is_macos: true,
    }
}

/// As `find-certificate -a -Z` prints a certificate (SecurityTool's keychain_utilities.c).
fn listed(pem: &str) -> String {
    let (sha256, der) = certificates(pem.as_bytes()).remove(0);
    format!(
        "SHA-256 hash: {}\nSHA-1 hash: {}\nkeychain: \"/Users/ada/Library/Keychains/login.keychain-db\"\n\
         version: 512\nclass: 0x80001000 \nattributes:\n    \"alis\"<blob>=\"Gatehouse on mini, 2026-11-20\"\n    \
         \"labl\"<blob>=\"Gatehouse on mini, 2026-11-20\"\n",
        sha256.replace(':', ""),
        hex(&SHA1_FOR_LEGACY_USE_ONLY, &der, ""),
    )
}

const MISSING: &str =
    "security: SecKeychainSearchCopyNext: The specified item could not be found in the keychain.";
const DUMP: &str = "Number of trusted certs = 1\nCert 0: Gatehouse on mini, 2026-11-20\n   \
                    Number of trust settings : 1\n   Trust Setting 0:\n      Policy OID            : SSL\n      \
                    Result Type           : kSecTrustSettingsResultTrustRoot\n";

fn with_sample(root: &Root) -> Wanted {
    let sample = Sample { file: PathBuf::from("/certs/chain.pem"), host: "mini.local".to_owned() };
    Wanted { sample: Some(sample), ..wanted(root) }
}

#[test]
fn trust_is_added_in_the_users_domain_for_tls_only_and_then_tried() {
    let folder = TempDir::new().unwrap();
    let root = root_of(folder.path(), "ca", ONE);
    let add = format!(
        "security add-trusted-cert -r trustRoot -p ssl -k /Users/ada/Library/Keychains/login.keychain-db {}",
        root.file.display()
    );
    let verify = format!(
        "security verify-cert -c /certs/chain.pem -c {} -p ssl -n mini.local -L -q",
        root.file.display()
    );
    let script = Script::new(&[
        ("security find-certificate -a -Z -c Gatehouse on mini, ", 44, "", MISSING),
        (&verify, 1, "", "Cert Verify Result: CSSMERR_TP_NOT_TRUSTED"),
        ("launchctl managername", 0, "Aqua\n", ""),
        (&add, 0, "", ""),
        ("security find-certificate", 0, &listed(ONE), ""),
        (&verify, 0, "", ""),
    ]);

    let outcomes = places().trust_by(&script, &with_sample(&root), None);

    assert_eq!(outcomes[0].result, Ok(true));
    assert!(script.all_asked());
}

#[test]
fn outside_of_a_graphical_session_nothing_is_tried() {
    let folder = TempDir::new().unwrap();
    let root = root_of(folder.path(), "ca", ONE);
    let script = Script::new(&[
        ("security find-certificate", 44, "", MISSING),
        (
            "security dump-trust-settings",
            1,
            "",
            "SecTrustSettingsCopyCertificates: No Trust Settings were found.",
        ),
        ("launchctl managername", 0, "Background\n", ""),
    ]);

    let outcomes = places().trust_by(&script, &wanted(&root), None);

    assert_eq!(outcomes[0].result, Err(TrustError::NoSession));
    assert!(script.all_asked());
}

#[test]
fn what_security_says_about_a_dialog_that_was_not_answered_is_understood() {
    let folder = TempDir::new().unwrap();
    let root = root_of(folder.path(), "ca", ONE);
    let no_session = Err(TrustError::NoSession);
    for (words, expected) in [
        // actions/runner-images #4734; PeculiarVentures/fortify #475.
        ("SecTrustSettingsSetTrustSettings: errSecInternalComponent", &no_session),
        (
            "SecTrustSettingsSetTrustSettings: The authorization was denied since no user interaction was possible.",
            &no_session,
        ),
        (
            "SecTrustSettingsSetTrustSettings: The authorization was canceled by the user.",
            &Err(TrustError::Cancelled {
                said: "SecTrustSettingsSetTrustSettings: The authorization was canceled by the user.".into(),
            }),
        ),
        (
            "Error reading file x",
            &Err(TrustError::Failed { program: "security".into(), said: "Error reading file x".into() }),
        ),
    ] {
        let script = Script::new(&[
            ("security find-certificate", 44, "", MISSING),
            ("security dump-trust-settings", 0, "", ""),
            ("launchctl managername", 0, "Aqua\n", ""),
            ("security add-trusted-cert", 1, "", words),
        ]);
        let outcomes = places().trust_by(&script, &wanted(&root), None);
        assert_eq!(&outcomes[0].result, expected, "{words}");
    }
}

#[test]
fn a_yes_of_the_tool_without_effect_is_no_success() {
    let folder = TempDir::new().unwrap();
    let root = root_of(folder.path(), "ca", ONE);
    let script = Script::new(&[
        ("security find-certificate", 44, "", MISSING),
        ("security verify-cert", 1, "", ""),
        ("launchctl managername", 0, "Aqua\n", ""),
        ("security add-trusted-cert", 0, "", ""),
        ("security find-certificate", 0, &listed(ONE), ""),
        ("security verify-cert", 1, "", ""),
    ]);

    let outcomes = places().trust_by(&script, &with_sample(&root), None);

    assert_eq!(outcomes[0].result, Err(TrustError::NotEffective));
}

#[test]
fn without_a_certificate_to_try_the_settings_decide_and_the_replaced_authority_is_told() {
    let folder = TempDir::new().unwrap();
    let root = root_of(folder.path(), "ca", ONE);
    let both = listed(ONE) + &listed(TWO);
    let look = |dump: &str| {
        let script = Script::new(&[
            ("security find-certificate", 0, &both, ""),
            ("security dump-trust-settings", 0, dump, ""),
        ]);
        places().look_by(&script, &wanted(&root)).remove(0)
    };

    assert_eq!(look(DUMP).state, State::Trusted);
    assert_eq!(look(&DUMP.replace("mini", "maxi")).state, State::NotTrusted);
    assert_eq!(look(DUMP).stale.len(), 1);
    assert_eq!(look(DUMP).stale[0].sha256, sha256_of(TWO));
}

#[test]
fn only_the_certificate_of_this_hash_is_removed() {
    let folder = TempDir::new().unwrap();
    let root = root_of(folder.path(), "ca", ONE);
    let (both, sha1) = (listed(ONE) + &listed(TWO), root.sha1());
    let delete =
        format!("security delete-certificate -Z {sha1} -t /Users/ada/Library/Keychains/login.keychain-db");
    let remove = format!("security remove-trusted-cert {}", root.file.display());
    let script = Script::new(&[
        ("security find-certificate", 0, &both, ""),
        ("security dump-trust-settings", 0, DUMP, ""),
        ("security find-certificate", 0, &both, ""),
        (&remove, 0, "", ""),
        (&delete, 0, "", ""),
        ("security find-certificate", 0, &listed(TWO), ""),
    ]);

    let outcomes = places().untrust_by(&script, &wanted(&root), None, false);

    assert_eq!(outcomes[0].result, Ok(true));
    assert!(script.all_asked());
}

#[test]
fn where_there_is_nothing_to_remove_nothing_is_deleted() {
    let folder = TempDir::new().unwrap();
    let root = root_of(folder.path(), "ca", ONE);
    let script = Script::new(&[
        ("security find-certificate", 44, "", MISSING),
        ("security dump-trust-settings", 0, "", ""),
        ("security find-certificate", 44, "", MISSING),
        // actions/runner-images #4734.
        (
            "security remove-trusted-cert",
            1,
            "",
            "SecTrustSettingsRemoveTrustSettings: No Trust Settings were found.",
        ),
    ]);

    let outcomes = places().untrust_by(&script, &wanted(&root), None, false);

    assert_eq!(outcomes[0].result, Ok(false));
    assert!(script.all_asked());
}

#[test]
fn a_name_with_letters_beyond_ascii_is_read() {
    let folder = TempDir::new().unwrap();
    let root = Root { name: "Gatehouse on Küche, x".into(), ..root_of(folder.path(), "ca", ONE) };
    let label =
        "\"labl\"<blob>=0x476174656861757365206F6E204BC3BC6368652C2078  \"Gatehause on K\\303\\274che, x\"";
    let text = listed(TWO).replace("\"labl\"<blob>=\"Gatehouse on mini, 2026-11-20\"", label);
    let script = Script::new(&[
        ("security find-certificate", 0, &text, ""),
        ("security dump-trust-settings", 0, "", ""),
    ]);
    let wanted = Wanted { prefix: "Gatehause on Küche, ".into(), ..wanted(&root) };

    let found = places().look_by(&script, &wanted).remove(0);

    assert_eq!(found.stale[0].name, "Gatehause on Küche, x");
}
