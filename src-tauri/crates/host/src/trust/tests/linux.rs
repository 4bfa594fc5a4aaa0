use super::*;

fn places(home: &TempDir, root: &TempDir) -> Places {
    Places {
        home: home.path().to_owned(),
        data_home: None,
        root: root.path().to_owned(),
        is_root: true,
        is_macos: false,
    }
}

fn certutil(database: &Path, arguments: &[&str]) -> String {
    let database = format!("sql:{}", database.display());
    let output = Command::new("certutil").args(["-d", &database]).args(arguments).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn database(folder: &Path, password: Option<&str>) {
    fs::create_dir_all(folder).unwrap();
    match password {
        None => certutil(folder, &["-N", "--empty-password"]),
        Some(password) => {
            let file = folder.join("password");
            fs::write(&file, password).unwrap();
            certutil(folder, &["-N", "-f", file.to_str().unwrap()])
        }
    };
}

fn browsers(outcomes: &[Outcome]) -> Vec<Result<bool, TrustError>> {
    let browser = |outcome: &&Outcome| outcome.place.kind != Kind::SystemStore;
    outcomes.iter().filter(browser).map(|outcome| outcome.result.clone()).collect()
}

#[test]
fn every_browser_database_of_the_user_is_found_filled_and_emptied_again() {
    if !has("/usr/bin/certutil") {
        return;
    }
    let (home, system) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let root = root_of(home.path(), "ca", ONE);
    for folder in [
        ".mozilla/firefox/abc.default-release",
        "snap/firefox/common/.mozilla/firefox/x.default",
        ".var/app/org.mozilla.firefox/.mozilla/firefox/y.default",
        "snap/chromium/current/.pki/nssdb",
        ".var/app/com.google.Chrome/.pki/nssdb",
        ".pki/nssdb",
    ] {
        database(&home.path().join(folder), None);
    }
    fs::create_dir_all(home.path().join(".mozilla/firefox/Crash Reports")).unwrap();
    let places = places(&home, &system);
    let wanted = wanted(&root);
    let state = || -> Vec<State> {
        let browser = |finding: &Finding| finding.place.kind != Kind::SystemStore;
        places.look(&wanted).into_iter().filter(browser).map(|finding| finding.state).collect()
    };

    assert_eq!(state(), vec![State::NotTrusted; 6]);
    assert_eq!(browsers(&places.trust(&wanted, None)), vec![Ok(true); 6]);
    assert_eq!(state(), vec![State::Trusted; 6]);
    assert_eq!(browsers(&places.trust(&wanted, None)), vec![Ok(false); 6], "a second time");
    let one = home.path().join(".pki/nssdb");
    assert_eq!(places.untrust(&wanted, Some(&one), false).len(), 1);
    assert_eq!(state().iter().filter(|state| **state == State::Trusted).count(), 5);
    let rest = browsers(&places.untrust(&wanted, None, false));
    assert_eq!(rest.iter().filter(|result| **result == Ok(true)).count(), 5);
    assert_eq!(state(), vec![State::NotTrusted; 6]);
}

#[test]
fn a_database_is_made_where_chromium_would_make_it() {
    if !has("/usr/bin/certutil") {
        return;
    }
    let (home, system) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let root = root_of(home.path(), "ca", ONE);
    let places = places(&home, &system);
    assert_eq!(places.look(&wanted(&root)).len(), 1, "only the system's store");
    fs::create_dir_all(system.path().join("usr/bin")).unwrap();
    fs::write(system.path().join("usr/bin/chromium"), "").unwrap();

    let outcomes = places.trust(&wanted(&root), None);

    assert_eq!(browsers(&outcomes), [Ok(true)]);
    assert!(home.path().join(".pki/nssdb/cert9.db").is_file());
}

#[test]
fn a_replaced_authority_of_the_same_name_is_told_apart_by_its_fingerprint_and_can_be_taken_out_alone() {
    if !has("/usr/bin/certutil") {
        return;
    }
    let (home, system) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let (old, new) = (root_of(home.path(), "old", ONE), root_of(home.path(), "new", TWO));
    let folder = home.path().join(".pki/nssdb");
    database(&folder, None);
    let other = home.path().join("other.pem");
    fs::write(&other, OTHER).unwrap();
    certutil(&folder, &["-A", "-n", "Somebody else", "-t", "C,,", "-a", "-i", other.to_str().unwrap()]);
    let places = places(&home, &system);
    let look = || places.look(&wanted(&new)).remove(1);

    assert_eq!(browsers(&places.trust(&wanted(&old), None)), [Ok(true)]);
    assert_eq!(look().state, State::NotTrusted, "the other one of this name is not ours");
    assert_eq!(look().stale, [Stale { name: old.name.clone(), sha256: old.sha256() }]);
    assert_eq!(browsers(&places.trust(&wanted(&new), None)), [Ok(true)]);
    assert_eq!(look().stale.len(), 1);

    assert_eq!(browsers(&places.untrust(&wanted(&new), None, true)), [Ok(true)]);
    assert_eq!(look().state, State::Trusted, "the one in use stays");
    assert_eq!(look().stale, []);
    assert_eq!(browsers(&places.untrust(&wanted(&new), None, false)), [Ok(true)]);
    assert_eq!(look().state, State::NotTrusted);
    assert!(certutil(&folder, &["-L"]).contains("Somebody else"), "what is not ours stays");
}

#[test]
fn one_that_is_there_without_trust_gets_it() {
    if !has("/usr/bin/certutil") {
        return;
    }
    let (home, system) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let root = root_of(home.path(), "ca", ONE);
    let folder = home.path().join(".pki/nssdb");
    database(&folder, None);
    certutil(&folder, &["-A", "-n", &root.name, "-t", ",,", "-a", "-i", root.file.to_str().unwrap()]);
    let places = places(&home, &system);
    assert_eq!(places.look(&wanted(&root))[1].state, State::NotTrusted);

    assert_eq!(browsers(&places.trust(&wanted(&root), None)), [Ok(true)]);

    assert!(certutil(&folder, &["-L"]).contains("C,,"));
}

#[test]
fn a_database_with_a_password_is_left_alone_and_says_why() {
    if !has("/usr/bin/certutil") {
        return;
    }
    let (home, system) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let root = root_of(home.path(), "ca", ONE);
    database(&home.path().join(".mozilla/firefox/p.default"), Some("secret"));

    let outcomes = browsers(&places(&home, &system).trust(&wanted(&root), None));

    assert!(matches!(&outcomes[..], [Err(TrustError::Protected { .. })]), "{outcomes:?}");
}

#[test]
fn a_damaged_database_cannot_be_said_anything_about() {
    if !has("/usr/bin/certutil") {
        return;
    }
    let (home, system) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let root = root_of(home.path(), "ca", ONE);
    let folder = home.path().join(".pki/nssdb");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("cert9.db"), "no database").unwrap();

    let found = places(&home, &system).look(&wanted(&root)).remove(1);

    assert!(matches!(found.state, State::Unknown(TrustError::Failed { .. })), "{found:?}");
}

/// Runs programs where the folders of the machine's store are those of `system`: in a mount namespace of their own.
struct Jail<'a>(&'a Path);

impl Jail<'_> {
    fn command(&self, script: &str) -> Command {
        let mut binds = String::new();
        for folder in ["usr/local/share/ca-certificates", "etc/ssl/certs"] {
            let inside = self.0.join(folder);
            binds += &format!("mount --bind \"{}\" /{folder} && ", inside.display());
        }
        // Whatever else listens for changes of the store belongs to the machine.
        let hooks = "/etc/ca-certificates/update.d";
        if Path::new(hooks).is_dir() {
            binds += &format!("mount -t tmpfs none {hooks} && ");
        }
        let mut command = Command::new("unshare");
        command.args(["-m", "sh", "-ec", &format!("{binds}{script}"), "sh"]);
        command.env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
        command
    }
}

impl Run for Jail<'_> {
    fn run(&self, program: &str, arguments: &[&str], _: Duration) -> io::Result<Finished> {
        let output = self.command("exec \"$@\"").arg(program).args(arguments).output()?;
        Ok(Finished {
            status: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        })
    }

    fn pause(&self, _: Duration) {}
}

/// The real `update-ca-certificates`, and the right to give it folders of our own.
fn has_store() -> bool {
    has("/usr/sbin/update-ca-certificates") && {
        let may = Command::new("unshare").args(["-m", "true"]).output().is_ok_and(|ran| ran.status.success());
        assert!(may || std::env::var_os("CI").is_none(), "no mount namespace can be made");
        may
    }
}

/// The folders of a system of its own.
fn debian() -> TempDir {
    let system = TempDir::new().unwrap();
    for folder in ["usr/local/share/ca-certificates", "etc/ssl/certs"] {
        fs::create_dir_all(system.path().join(folder)).unwrap();
    }
    system
}

#[test]
fn the_systems_store_takes_it_and_gives_it_back() {
    if !has_store() {
        return;
    }
    let (home, system) = (TempDir::new().unwrap(), debian());
    let jail = Jail(system.path());
    let (old, new) = (root_of(home.path(), "old", ONE), root_of(home.path(), "new", TWO));
    let (places, anchors) = (places(&home, &system), system.path().join("usr/local/share/ca-certificates"));
    fs::write(anchors.join("custom.crt"), OTHER).unwrap();
    let trust = |root: &Root| places.trust_by(&jail, &wanted(root), None).remove(0).result;
    let untrust = |stale: bool| places.untrust_by(&jail, &wanted(&new), None, stale).remove(0).result;
    let look = || places.look(&wanted(&new)).remove(0);
    let bundle = || fs::read(system.path().join("etc/ssl/certs/ca-certificates.crt")).unwrap();
    let holds = |pem: &str| certificates(&bundle()).iter().any(|(sha256, _)| *sha256 == sha256_of(pem));

    assert_eq!(look().state, State::NotTrusted);
    assert_eq!(trust(&old), Ok(true));
    assert_eq!(trust(&new), Ok(true));
    assert!(holds(ONE) && holds(TWO) && holds(OTHER));
    assert_eq!((look().state, look().stale.len()), (State::Trusted, 1));
    assert_eq!(untrust(true), Ok(true));
    assert!(!holds(ONE) && holds(TWO));
    assert_eq!(untrust(false), Ok(true));
    assert_eq!((look().state, look().stale), (State::NotTrusted, Vec::new()));
    assert!(holds(OTHER), "what is not ours stays");
    assert_eq!(untrust(false), Ok(false));
}

#[test]
fn who_is_not_root_is_told_what_root_must_run_and_that_is_what_root_would_do() {
    if !has_store() {
        return;
    }
    let (home, system) = (TempDir::with_prefix("a b'c").unwrap(), debian());
    let root = root_of(home.path(), "ca", ONE);
    let places = Places { is_root: false, ..places(&home, &system) };
    let command = |outcomes: Vec<Outcome>| match &outcomes[0].result {
        Err(TrustError::NeedsRoot { command }) => command.replace("sudo ", ""),
        other => panic!("{other:?}"),
    };
    let run = |command: &str| {
        let ran = Jail(system.path()).command(command).output().unwrap();
        assert!(ran.status.success(), "{command}: {}", String::from_utf8_lossy(&ran.stderr));
    };

    run(&command(places.trust(&wanted(&root), None)));
    assert_eq!(places.look(&wanted(&root))[0].state, State::Trusted);
    run(&command(places.untrust(&wanted(&root), None, false)));
    assert_eq!(places.look(&wanted(&root))[0].state, State::NotTrusted);
}

#[test]
fn a_system_without_a_store_that_is_known_cannot_be_said_anything_about() {
    let (home, system) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let root = root_of(home.path(), "ca", ONE);

    let found = places(&home, &system).look(&wanted(&root)).remove(0);

    assert!(matches!(found.state, State::Unknown(TrustError::NoTool { .. })), "{found:?}");
}
