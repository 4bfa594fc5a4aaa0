use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::Mutex;

use tempfile::TempDir;

use super::{InstallError, Progress, accepts_node, ensure, own_gateway, plan};
use crate::discovery::Environment;
use crate::testing;

/// A machine whose npm is a script.
struct Machine {
    root: TempDir,
    environment: Environment,
}

impl Machine {
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("bin")).unwrap();
        let mut environment = Environment { home: root.path().to_path_buf(), ..Environment::default() };
        environment.variables.insert("PATH".to_owned(), root.path().join("bin").display().to_string());
        Self { root, environment }
    }

    fn program(self, name: &str, script: &str) -> Self {
        testing::script(&self.root.path().join("bin").join(name), script);
        self
    }

    /// An npm that "installs" a node which runs scripts with sh, and an openclaw that knows its version.
    fn with_npm(self) -> Self {
        self.program(
            "npm",
            r#"echo "$@" >> ../npm.log; test -f package.json || exit 9
               mkdir -p node_modules/.bin; for last; do :; done
               case $last in
                 node@*) printf '#!/bin/sh\nexec /bin/sh "$@"\n' > node_modules/.bin/node; chmod 755 node_modules/.bin/node;;
                 openclaw@*) printf 'echo "OpenClaw %s (abc)"\n' "${last#*@}" > node_modules/.bin/openclaw
                             chmod 755 node_modules/.bin/openclaw;;
               esac"#,
        )
    }

    fn folder(&self) -> PathBuf {
        self.root.path().join("openclaw")
    }

    fn npm_runs(&self) -> Vec<String> {
        let log = fs::read_to_string(self.root.path().join("npm.log")).unwrap_or_default();
        log.lines().map(|line| line.rsplit(' ').next().unwrap().to_owned()).collect()
    }
}

#[test]
fn only_the_node_versions_that_openclaw_names_are_accepted() {
    for version in ["v24.16.0", "24.99.1", "v26.1.0", "v26.10.0\n", "27.0.0"] {
        assert!(accepts_node(version), "{version}");
    }
    for version in ["v24.15.9", "25.9.0", "26.0.9", "v20.20.2", "26.10.0-rc.1", "", "v26"] {
        assert!(!accepts_node(version), "{version}");
    }
}

#[tokio::test]
async fn node_and_openclaw_are_installed_and_a_second_run_does_nothing() {
    let machine = Machine::new().with_npm().program("node", "echo v20.20.2");
    let steps = Mutex::new(Vec::new());

    let first = ensure(&machine.folder(), &machine.environment, |step| steps.lock().unwrap().push(step))
        .await
        .unwrap();
    let second = ensure(&machine.folder(), &machine.environment, |_| ()).await.unwrap();

    assert_eq!(first, second);
    assert_eq!(machine.npm_runs(), ["node@26.10.0", "openclaw@2026.9.6"]);
    assert_eq!(
        *steps.lock().unwrap(),
        [Progress::InstallingNode, Progress::InstallingOpenClaw, Progress::Checking]
    );
    assert!(plan(&machine.folder(), &machine.environment).await.complete);
}

#[tokio::test]
async fn a_suitable_node_is_used_as_it_is() {
    let machine = Machine::new()
        .with_npm()
        .program("node", "case $1 in --version) echo v26.10.0;; *) exec /bin/sh \"$@\";; esac");

    let installed = ensure(&machine.folder(), &machine.environment, |_| ()).await.unwrap();

    assert_eq!(installed.node, machine.root.path().join("bin/node"));
    assert_eq!(machine.npm_runs(), ["openclaw@2026.9.6"]);
}

#[tokio::test]
async fn an_installation_that_does_not_run_is_made_anew() {
    let machine = Machine::new().program(
        "npm",
        r#"echo "$@" >> ../npm.log; test -f package.json || exit 9
           mkdir -p node_modules/.bin; for last; do :; done
           printf '#!/bin/sh\nexec /bin/sh "$@"\n' > node_modules/.bin/node; chmod 755 node_modules/.bin/node
           if test -f node_modules/broken; then printf 'exit 1\n'; else printf 'echo 2026.9.6\n'; fi > node_modules/.bin/openclaw
           chmod 755 node_modules/.bin/openclaw"#,
    );
    fs::create_dir_all(machine.folder().join("node_modules")).unwrap();
    fs::write(machine.folder().join("node_modules/broken"), "").unwrap();

    ensure(&machine.folder(), &machine.environment, |_| ()).await.unwrap();

    assert!(!machine.folder().join("node_modules/broken").exists());
    assert_eq!(machine.npm_runs().len(), 4);
}

#[tokio::test]
async fn failures_of_npm_are_told_apart_and_leave_no_marker() {
    let attempt = async |stderr: &str| {
        let machine = Machine::new().program("npm", &format!("echo '{stderr}' >&2; exit 1"));
        let error = ensure(&machine.folder(), &machine.environment, |_| ()).await.unwrap_err();
        assert!(!plan(&machine.folder(), &machine.environment).await.complete);
        error
    };

    assert!(matches!(attempt("npm error code ENOSPC").await, InstallError::DiskFull));
    assert!(matches!(attempt("npm error code EAI_AGAIN").await, InstallError::NoNetwork { .. }));
    let other = attempt("npm error code E404").await;
    assert!(matches!(&other, InstallError::Npm { detail, .. } if detail.contains("E404")), "{other}");
}

#[tokio::test]
async fn without_npm_the_error_says_so() {
    let machine = Machine::new();
    if plan(&machine.folder(), &machine.environment).await.npm.is_some() {
        println!("skipped: npm is in one of the usual places of this machine");
        return;
    }

    let error = ensure(&machine.folder(), &machine.environment, |_| ()).await.unwrap_err();

    assert!(matches!(error, InstallError::NoNpm));
}

#[test]
fn a_gateway_of_our_own_gets_a_strong_token_and_keeps_it() {
    let folder = tempfile::tempdir().unwrap();

    let first = own_gateway(folder.path(), 23456).unwrap();
    let second = own_gateway(folder.path(), 1).unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    let other = own_gateway(elsewhere.path(), 1).unwrap();

    let token = |own: &super::OwnGateway| {
        let config: serde_json::Value = serde_json::from_slice(&fs::read(&own.config_path).unwrap()).unwrap();
        config["gateway"]["auth"]["token"].as_str().unwrap().to_owned()
    };
    assert_ne!(token(&first), token(&other));
    assert!(token(&first).len() >= 43);
    assert_eq!((first.address.port(), second.address.port()), (23456, 23456));
    assert!(first.address.ip().is_loopback());
    assert_eq!(fs::metadata(&first.config_path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::metadata(&first.state_dir).unwrap().permissions().mode() & 0o777, 0o700);
}

#[test]
fn an_own_configuration_is_kept_whatever_its_user_made_of_the_token() {
    let folder = tempfile::tempdir().unwrap();
    let first = own_gateway(folder.path(), 23456).unwrap();
    for auth in [
        r#"{"mode":"token","token":{"source":"exec","provider":"gatehouse","id":"token"}}"#,
        r#"{"mode":"password","password":"x"}"#,
    ] {
        let config = format!(r#"{{"gateway":{{"mode":"local","port":23456,"auth":{auth}}}}}"#);
        fs::write(&first.config_path, &config).unwrap();

        assert_eq!(own_gateway(folder.path(), 1).unwrap().address.port(), 23456);
        assert_eq!(fs::read_to_string(&first.config_path).unwrap(), config);
    }
}

#[test]
fn an_own_configuration_that_is_not_usable_is_never_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let first = own_gateway(folder.path(), 23456).unwrap();
    fs::write(&first.config_path, "{ broken").unwrap();

    assert!(matches!(own_gateway(folder.path(), 23456), Err(InstallError::Broken { .. })));
    assert_eq!(fs::read_to_string(&first.config_path).unwrap(), "{ broken");
}
