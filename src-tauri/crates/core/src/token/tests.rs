use std::os::unix::fs::PermissionsExt as _;

use gatehouse_host::home::Environment;
use secrecy::ExposeSecret as _;
use tempfile::TempDir;

use super::*;

struct Bench {
    folder: TempDir,
    home: Home,
}

impl Bench {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let environment =
            Environment { gatehouse_home: Some(folder.path().join("it's here")), ..Environment::default() };
        let home = Home::resolve(&environment).unwrap();
        home.create().unwrap();
        Self { folder, home }
    }

    fn store(&self) -> TokenStore {
        TokenStore::new(Arc::new(Secrets::open(&self.home.secrets(), Preference::File)), &self.home)
    }

    fn gateway(&self, source: TokenSource, auth: Auth) -> Gateway {
        let environment = gatehouse_openclaw::discovery::Environment {
            home: self.folder.path().to_path_buf(),
            ..Default::default()
        };
        fs::create_dir_all(self.folder.path().join(".openclaw")).unwrap();
        fs::write(self.folder.path().join(".openclaw/openclaw.json"), "{}").unwrap();
        let found = gatehouse_openclaw::discovery::discover(&environment).unwrap();
        Gateway { token_source: source, auth, ..found }
    }

    fn asking(&self, command: PathBuf) -> Gateway {
        let source = TokenSource::Program { command: Some(command), id: NAME.to_owned() };
        self.gateway(source, Auth::Unresolvable { reason: "a program".to_owned() })
    }
}

fn token(gateway: &Gateway) -> Option<String> {
    match &gateway.auth {
        Auth::Token(token) => Some(token.expose_secret().to_owned()),
        _ => None,
    }
}

#[test]
fn a_gateway_that_asks_our_program_is_known_by_the_stored_token() {
    let bench = Bench::new();
    let store = bench.store();
    let asking = bench.asking(bench.home.token_helper());
    assert!(store.is_ours(&asking.token_source));
    assert!(!store.is_ours(&bench.asking("/usr/bin/op".into()).token_source));
    assert_eq!(token(&store.resolved(asking.clone())), None);

    store.store(&"one".into()).unwrap();
    assert_eq!(token(&bench.store().resolved(asking)).as_deref(), Some("one"));

    let plain = bench.gateway(TokenSource::Plain, Auth::Token("two".into()));
    assert_eq!(token(&bench.store().resolved(plain)).as_deref(), Some("two"));
}

#[test]
fn a_token_that_is_gone_is_missing_and_the_reason_is_told() {
    let bench = Bench::new();
    bench.store().store(&"one".into()).unwrap();
    fs::remove_file(bench.home.secrets().join("gateway-token.secret")).unwrap();

    let store = bench.store();
    assert!(store.known());
    assert!(matches!(store.held(), Err(SecretError::Missing { .. })));
    let resolved = store.resolved(bench.asking(bench.home.token_helper()));
    assert!(matches!(&resolved.auth, Auth::Unresolvable { reason } if reason.contains("stored here before")));
    assert_eq!(stored(&bench.home).unwrap_err().code, Code::Failed);
}

#[test]
fn a_refusal_is_remembered_for_a_while_and_a_person_asks_anew() {
    let bench = Bench::new();
    bench.store().store(&"one".into()).unwrap();
    let file = bench.home.secrets().join("gateway-token.secret");
    fs::rename(&file, file.with_extension("away")).unwrap();
    let store = bench.store();
    assert!(store.held().is_err());
    fs::rename(file.with_extension("away"), &file).unwrap();

    assert!(store.held().is_err());
    assert!(store.ask(UNASKED).unwrap().is_some());
    assert!(store.held().unwrap().is_some());
}

#[test]
fn the_program_for_the_gateway_is_private_quoted_and_holds_no_secret() {
    let bench = Bench::new();
    let store = bench.store();
    store.store(&"hunter2-hunter2".into()).unwrap();
    store.write_helper().unwrap();

    let helper = bench.home.token_helper();
    let text = fs::read_to_string(&helper).unwrap();
    assert_eq!(fs::metadata(&helper).unwrap().permissions().mode() & 0o777, 0o700);
    assert!(text.contains(r"it'\''s here'") && !text.contains("hunter2"), "{text}");
    assert!(Command::new("sh").arg("-n").arg(&helper).status().unwrap().success());
    assert!(!store.provider().to_string().contains("hunter2"));

    store.forget().unwrap();
    assert!(!helper.exists() && !store.known());
    assert_eq!(stored(&bench.home).unwrap_err().code, Code::NotFound);
}

#[test]
fn the_program_is_believed_only_with_the_right_token() {
    let bench = Bench::new();
    let store = bench.store();
    let answers = |line: &str| {
        create_private_folder(store.helper.parent().unwrap()).unwrap();
        write_atomic(&store.helper, format!("#!/bin/sh\ncat >/dev/null\n{line}\n").as_bytes(), 0o700)
            .unwrap();
        store.try_helper(&"one".into())
    };
    answers(r#"echo '{"protocolVersion":1,"values":{"gateway-token":"one"}}'"#).unwrap();
    for wrong in [r#"echo '{"values":{"gateway-token":"two"}}'"#, "echo one", "exit 1"] {
        let error = answers(wrong).unwrap_err();
        assert!(!format!("{error:?}").contains("two"), "{error:?}");
    }
}

#[test]
fn what_was_set_aside_is_there_until_it_is_dropped() {
    let bench = Bench::new();
    let store = bench.store();
    assert!(store.aside().unwrap().is_none());
    store.drop_aside().unwrap();
    store.set_aside(&"old".into()).unwrap();
    assert_eq!(bench.store().aside().unwrap().unwrap().expose_secret(), "old");
    store.drop_aside().unwrap();
    assert!(bench.store().aside().unwrap().is_none());
}
