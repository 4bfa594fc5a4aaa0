use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use secrecy::ExposeSecret;
use tempfile::TempDir;

use super::{Auth, DiscoveryError, Environment, PortSource, ProgramSource, discover};

struct Machine {
    home: TempDir,
    environment: Environment,
}

impl Machine {
    fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        let environment = Environment { home: home.path().to_path_buf(), ..Environment::default() };
        Self { home, environment }
    }

    fn with_config(text: &str) -> Self {
        Self::new().file(".openclaw/openclaw.json", text)
    }

    fn file(self, name: &str, text: &str) -> Self {
        let path = self.home.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
        self
    }

    fn program(self, name: &str) -> Self {
        let machine = self.file(name, "#!/bin/sh\n");
        let path = machine.home.path().join(name);
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
        machine
    }

    fn variable(mut self, name: &str, value: &str) -> Self {
        self.environment.variables.insert(name.to_owned(), value.to_owned());
        self
    }

    fn auth(&self) -> Auth {
        discover(&self.environment).unwrap().auth
    }

    fn reason(&self) -> String {
        match self.auth() {
            Auth::Unresolvable { reason } => reason,
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn an_ordinary_installation_is_found() {
    let machine = Machine::with_config(
        "{ gateway: { port: 19000, bind: 'lan', auth: { mode: 'token', token: 'T' } } }",
    );

    let gateway = discover(&machine.environment).unwrap();

    assert_eq!(gateway.config_path, machine.home.path().join(".openclaw/openclaw.json"));
    assert_eq!(
        (gateway.port, gateway.port_source, gateway.bind.as_deref()),
        (19000, PortSource::Config, Some("lan"))
    );
    assert!(matches!(gateway.auth, Auth::Token(token) if token.expose_secret() == "T"));
    assert!(gateway.config_exists);
}

#[test]
fn variables_come_before_files() {
    let machine = Machine::with_config("{ gateway: { port: 19000 } }")
        .file("other/my.json", "{ gateway: { port: 19001 } }")
        .variable("OPENCLAW_CONFIG_PATH", "~/other/my.json")
        .variable("OPENCLAW_STATE_DIR", "~/state")
        .variable("OPENCLAW_GATEWAY_PORT", " 19002 ")
        .variable("OPENCLAW_GATEWAY_TOKEN", "from-env");

    let gateway = discover(&machine.environment).unwrap();

    assert_eq!(gateway.config_path, machine.home.path().join("other/my.json"));
    assert_eq!(gateway.state_dir, machine.home.path().join("state"));
    assert_eq!((gateway.port, gateway.port_source), (19002, PortSource::Environment));
    assert!(matches!(gateway.auth, Auth::Token(token) if token.expose_secret() == "from-env"));
}

#[test]
fn a_profile_has_a_folder_of_its_own() {
    let machine = Machine::with_config("{}")
        .file(".openclaw-work/openclaw.json", "{ gateway: { port: 19003 } }")
        .variable("OPENCLAW_PROFILE", "work");

    let gateway = discover(&machine.environment).unwrap();

    assert_eq!((gateway.port, gateway.profile.as_deref()), (19003, Some("work")));
}

#[test]
fn older_names_are_found() {
    let machine = Machine::new().file(".clawdbot/clawdbot.json", "{ gateway: { port: 19004 } }");

    let gateway = discover(&machine.environment).unwrap();

    assert_eq!(gateway.port, 19004);
    assert_eq!(gateway.state_dir, machine.home.path().join(".clawdbot"));
}

#[test]
fn a_program_without_a_configuration_is_a_gateway_and_nothing_at_all_is_not() {
    let machine = Machine::new().program("bin/openclaw");
    let path = machine.home.path().join("bin");
    let machine = machine.variable("PATH", path.to_str().unwrap());

    let gateway = discover(&machine.environment).unwrap();

    assert_eq!((gateway.config_exists, gateway.port), (false, 18789));
    assert_eq!(gateway.program_source, Some(ProgramSource::Path));
    if !Path::new("/usr/local/bin/openclaw").exists() && !Path::new("/opt/homebrew/bin/openclaw").exists() {
        let nothing = discover(&Machine::new().environment);
        assert!(matches!(nothing, Err(DiscoveryError::NotFound { looked }) if looked.len() == 4));
    }
}

#[test]
fn our_own_installation_is_the_last_choice() {
    let mut machine = Machine::with_config("{}")
        .program("own/node_modules/.bin/openclaw")
        .program(".openclaw/bin/openclaw");
    machine.environment.own_install = Some(machine.home.path().join("own"));

    let source = discover(&machine.environment).unwrap().program_source;

    assert_eq!(source, Some(ProgramSource::UsualPlace));
}

#[test]
fn every_kind_of_authentication_is_told_apart() {
    let kind = |auth: &str| {
        format!("{:?}", Machine::with_config(&format!("{{ gateway: {{ auth: {auth} }} }}")).auth())
    };

    assert_eq!(kind("{ password: 'P' }"), "Password");
    assert_eq!(kind("{ mode: 'none', token: 'T' }"), "None");
    assert_eq!(kind("{ mode: 'token' }"), "Missing");
    assert_eq!(kind("{}"), "Missing");
    assert_eq!(kind("{ mode: 'trusted-proxy', password: 'P' }"), "TrustedProxy with password");
    assert_eq!(kind("{ mode: 'token', token: 'T', password: 'P' }"), "Token");
    assert_eq!(kind("{ mode: 'password', token: 'T', password: 'P' }"), "Password");
}

#[test]
fn a_secret_that_cannot_be_read_here_says_why() {
    let reason = |auth: &str| Machine::with_config(&format!("{{ gateway: {{ auth: {auth} }} }}")).reason();

    assert!(reason("{ token: 'T', password: 'P' }").contains("both"));
    assert!(reason("{ token: '${MY_TOKEN}' }").contains("MY_TOKEN, which is not set"));
    assert!(reason("{ token: 'a${X}b' }").contains("put together"));
    assert!(reason("{ token: { source: 'exec', provider: 'k', id: 'value' } }").contains("program"));
    assert!(reason("{ token: '__OPENCLAW_REDACTED__' }").contains("placeholder"));
    assert!(reason("{ $include: './auth.json5' }").contains("$include"));
    assert!(reason("{ mode: 'magic' }").contains("magic"));
}

#[test]
fn a_variable_that_is_set_is_resolved() {
    for text in ["'${MY_TOKEN}'", "{ source: 'env', provider: 'default', id: 'MY_TOKEN' }"] {
        let machine = Machine::with_config(&format!("{{ gateway: {{ auth: {{ token: {text} }} }} }}"))
            .variable("MY_TOKEN", "resolved");
        assert!(matches!(machine.auth(), Auth::Token(token) if token.expose_secret() == "resolved"));
    }
}

#[test]
fn a_broken_file_and_a_broken_variable_are_errors_with_a_reason() {
    let broken = discover(&Machine::with_config("{ gateway: ").environment);
    let port = discover(&Machine::with_config("{}").variable("OPENCLAW_GATEWAY_PORT", "many").environment);

    assert!(matches!(broken, Err(DiscoveryError::Config { because, .. }) if because.contains("JSON5")));
    assert!(matches!(port, Err(DiscoveryError::Variable { because, .. }) if because.contains("many")));
}

#[test]
fn debug_shows_no_secret() {
    let machine = Machine::with_config("{ gateway: { auth: { token: 'very-secret' } } }")
        .variable("OPENCLAW_GATEWAY_TOKEN", "very-secret");

    let text = format!("{:?} {:?}", machine.environment, discover(&machine.environment).unwrap());

    assert!(!text.contains("very-secret"), "{text}");
}
