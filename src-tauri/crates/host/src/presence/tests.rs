use std::cell::RefCell;

use super::*;
use crate::jobs::{Activity, Reach};

fn presence(home: &Path, scope: Scope) -> Presence {
    Presence {
        scope,
        account: Account { name: "ada".to_owned(), uid: 501, home: home.to_owned() },
        program: PathBuf::from("/opt/gatehouse/bin/gatehouse"),
        version: "1.2.3".to_owned(),
        environment: BTreeMap::from([("PATH".to_owned(), "/opt/node 20/bin:/usr/bin".to_owned())]),
        config_home: None,
    }
}

/// A manager that runs what it is told to load.
#[derive(Default)]
struct Manager {
    loaded: RefCell<bool>,
    calls: RefCell<Vec<&'static str>>,
    absent: bool,
}

impl Manager {
    fn note(&self, call: &'static str) -> Result<(), JobError> {
        self.calls.borrow_mut().push(call);
        Ok(())
    }
}

impl ServiceManager for Manager {
    fn reach(&self) -> Result<Reach, JobError> {
        Ok(Reach::Full)
    }
    fn switch_off(&self, _: &str) -> Result<(), JobError> {
        self.note("switch_off")
    }
    fn job(&self, _: &str) -> Result<Option<Job>, JobError> {
        Ok(self.loaded.borrow().then(|| Job {
            activity: Activity::Running,
            pid: Some(7),
            file: None,
            starts_itself: Some(true),
            switched_off: false,
            last_exit: None,
            starts: None,
        }))
    }
    fn load(&self, _: &str, file: &Path) -> Result<(), JobError> {
        assert!(file.exists(), "the file stands before it is loaded");
        *self.loaded.borrow_mut() = true;
        self.note("load")
    }
    fn unload(&self, _: &str) -> Result<(), JobError> {
        if self.absent {
            return Err(JobError::NoManager { said: "No medium found".to_owned() });
        }
        *self.loaded.borrow_mut() = false;
        self.note("unload")
    }
    fn start(&self, _: &str) -> Result<(), JobError> {
        self.note("start")
    }
    fn stop(&self, _: &str) -> Result<(), JobError> {
        self.note("stop")
    }
    fn restart(&self, _: &str) -> Result<(), JobError> {
        self.note("restart")
    }
    fn files_removed(&self) -> Result<(), JobError> {
        self.note("files_removed")
    }
}

#[test]
fn a_second_installation_of_the_same_changes_and_restarts_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (presence, manager) = (presence(folder.path(), Scope::User), Manager::default());
    assert!(presence.install(&manager, false).unwrap().changed);
    assert!(!presence.install(&manager, false).unwrap().changed);
    assert_eq!(*manager.calls.borrow(), ["load"]);
    presence.install(&manager, true).unwrap();
    assert_eq!(*manager.calls.borrow(), ["load", "restart"]);
}

#[test]
fn another_program_or_variable_replaces_the_job() {
    let folder = tempfile::tempdir().unwrap();
    let (mut presence, manager) = (presence(folder.path(), Scope::User), Manager::default());
    presence.install(&manager, false).unwrap();
    presence.program = PathBuf::from("/opt/gatehouse 2/\"bin\"/100%$HOME/gatehouse");
    let installed = presence.install(&manager, false).unwrap();
    assert!(installed.changed);
    let stands = presence.stands().unwrap().unwrap();
    assert_eq!(stands.program.as_deref(), Some(&*presence.program));
    assert_eq!(*manager.calls.borrow(), ["load", "load"]);
}

#[test]
fn another_version_in_the_same_place_replaces_the_job_and_the_file_says_which() {
    let folder = tempfile::tempdir().unwrap();
    let (mut presence, manager) = (presence(folder.path(), Scope::User), Manager::default());
    assert_eq!(presence.stands().unwrap(), None);
    presence.install(&manager, false).unwrap();
    let stands = presence.stands().unwrap().unwrap();
    assert_eq!((stands.version.as_deref(), stands.same), (Some("1.2.3"), true));
    presence.version = "1.3.0".to_owned();
    assert!(!presence.stands().unwrap().unwrap().same);
    assert!(presence.install(&manager, false).unwrap().changed);
    assert_eq!(presence.stands().unwrap().unwrap().version.as_deref(), Some("1.3.0"));
    assert_eq!(*manager.calls.borrow(), ["load", "load"]);
}

#[test]
fn a_file_of_a_version_that_did_not_say_which_is_ours_too() {
    let old = b"# Written by Gatehouse; change it with: gatehouse service\n[Unit]\n";
    assert!(files::is_ours(old) && files::version(old).is_none());
    assert!(!files::is_ours(b"# Written by Gatehouse\n; change it with: gatehouse service\n"));
}

#[test]
fn what_goes_away_is_listed_as_far_as_it_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let (presence, manager) = (presence(folder.path(), Scope::User), Manager::default());
    assert!(presence.removes().is_empty());
    let file = presence.install(&manager, false).unwrap().file;
    assert_eq!(presence.removes(), [file]);
}

#[test]
fn removing_takes_the_file_away_and_twice_is_fine() {
    let folder = tempfile::tempdir().unwrap();
    let (presence, manager) = (presence(folder.path(), Scope::User), Manager::default());
    let file = presence.install(&manager, false).unwrap().file;
    assert_eq!(presence.uninstall(&manager).unwrap(), Some(file.clone()));
    assert!(!file.exists());
    assert_eq!(*manager.calls.borrow(), ["load", "unload", "files_removed"]);
    assert_eq!(presence.uninstall(&manager).unwrap(), None);
}

#[test]
fn where_there_is_no_manager_what_was_never_installed_needs_none() {
    let folder = tempfile::tempdir().unwrap();
    let presence = presence(folder.path(), Scope::User);
    let nobody = Manager { absent: true, ..Manager::default() };
    assert_eq!(presence.uninstall(&nobody).unwrap(), None);
    presence.install(&Manager::default(), false).unwrap();
    assert!(
        matches!(presence.uninstall(&nobody), Err(PresenceError::Job(_))),
        "a file that stands may be loaded"
    );
}

#[test]
fn a_file_that_somebody_else_wrote_is_neither_replaced_nor_removed() {
    let folder = tempfile::tempdir().unwrap();
    let (presence, manager) = (presence(folder.path(), Scope::User), Manager::default());
    let file = presence.file();
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(&file, "[Service]\nExecStart=/bin/true\n").unwrap();
    assert!(matches!(presence.install(&manager, false), Err(PresenceError::Foreign(_))));
    assert!(matches!(presence.uninstall(&manager), Err(PresenceError::Foreign(_))));
    assert_eq!(std::fs::read(&file).unwrap(), b"[Service]\nExecStart=/bin/true\n");
    assert!(manager.calls.borrow().is_empty());
}

#[test]
fn a_program_that_will_not_stay_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    for place in [
        "/Volumes/Gatehouse/Gatehouse.app/Contents/MacOS/gatehouse",
        "/private/var/folders/x/T/AppTranslocation/1/d/Gatehouse.app/Contents/MacOS/gatehouse",
        "/tmp/gatehouse",
        "gatehouse",
    ] {
        let presence = Presence { program: PathBuf::from(place), ..presence(folder.path(), Scope::User) };
        let error = presence.install(&Manager::default(), false).unwrap_err();
        assert!(matches!(error, PresenceError::Fleeting(_)), "{place}: {error}");
        assert!(!presence.file().exists());
    }
}

#[test]
fn the_unit_runs_as_the_user_with_one_right_and_keeps_odd_paths_whole() {
    let mut presence = presence(Path::new("/home/ada"), Scope::System);
    presence.environment.insert("GATEHOUSE_HOME".to_owned(), "/srv/a \"b\"\\100%".to_owned());
    let unit = files::unit(&presence).unwrap();
    for line in [
        "ExecStart=\"/opt/gatehouse/bin/gatehouse\" serve --color never",
        "User=ada",
        "AmbientCapabilities=CAP_NET_BIND_SERVICE",
        "Environment=\"GATEHOUSE_HOME=/srv/a \\\"b\\\"\\\\100%%\"",
        "Environment=\"PATH=/opt/node 20/bin:/usr/bin\"",
        "Environment=\"HOME=/home/ada\"",
        "WantedBy=multi-user.target",
    ] {
        assert!(unit.lines().any(|found| found == line), "{line}\n{unit}");
    }
    presence.scope = Scope::User;
    let unit = files::unit(&presence).unwrap();
    assert!(
        !unit.contains("User=") && !unit.contains("Capabilit") && unit.contains("WantedBy=default.target")
    );
}

#[test]
fn nothing_gets_a_line_of_its_own_into_the_unit() {
    let mut presence = presence(Path::new("/home/ada"), Scope::System);
    presence.environment.insert("PATH".to_owned(), "/bin\nExecStartPre=/bin/evil".to_owned());
    assert!(matches!(files::unit(&presence), Err(PresenceError::Unwritable { .. })));
    presence.environment.clear();
    presence.account.name = "ada\nUser=root".to_owned();
    assert!(matches!(files::unit(&presence), Err(PresenceError::Unwritable { .. })));
}

#[test]
fn the_property_list_says_what_launchd_needs() {
    let presence = presence(Path::new("/Users/ada"), Scope::User);
    let text = files::property_list(&presence).unwrap();
    assert!(files::is_ours(&text));
    assert_eq!(files::program(&text).as_deref(), Some(&*presence.program));
    assert_eq!(files::version(&text).as_deref(), Some("1.2.3"));
    let plist::Value::Dictionary(job) = plist::Value::from_reader_xml(&text[..]).unwrap() else {
        panic!("a dictionary");
    };
    assert_eq!(job.get("Label").and_then(plist::Value::as_string), Some(LABEL));
    assert_eq!(job.get("ProcessType").and_then(plist::Value::as_string), Some("Interactive"));
    assert_eq!(job.get("KeepAlive").and_then(plist::Value::as_boolean), Some(true));
    assert!(job.contains_key("LimitLoadToSessionType") && !job.contains_key("UserName"));
    let daemon = Presence { scope: Scope::System, ..presence };
    let text = files::property_list(&daemon).unwrap();
    let plist::Value::Dictionary(job) = plist::Value::from_reader_xml(&text[..]).unwrap() else {
        panic!("a dictionary");
    };
    assert_eq!(job.get("UserName").and_then(plist::Value::as_string), Some("ada"));
    assert!(!job.contains_key("LimitLoadToSessionType"));
}

/// What the package for Debian brings and what an installation writes are the same job.
#[test]
fn the_units_of_the_package_say_what_an_installation_writes() {
    let lines = |text: &str| -> Vec<String> {
        let lines = text.lines().filter(|line| !line.starts_with('#') && !line.starts_with("Environment="));
        lines.map(|line| line.replace("User=ada", "User=%i")).collect()
    };
    let mut presence = presence(Path::new("/home/ada"), Scope::User);
    presence.program = PathBuf::from("/usr/bin/gatehouse");
    let packaged = include_str!("../../../../../packaging/linux/gatehouse.service");
    assert_eq!(lines(packaged), lines(&files::unit(&presence).unwrap()));
    presence.scope = Scope::System;
    let packaged = include_str!("../../../../../packaging/linux/gatehouse@.service");
    assert_eq!(lines(packaged), lines(&files::unit(&presence).unwrap()));
}
