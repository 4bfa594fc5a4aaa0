use std::cell::RefCell;
use std::process::{Child, Command};

use super::*;
use crate::jobs::{Activity, Reach};

/// A manager whose jobs are real processes, and that can be told to fail at a verb.
#[derive(Default)]
struct Manager {
    child: RefCell<Option<Child>>,
    calls: RefCell<Vec<&'static str>>,
    fails_at: std::cell::Cell<Option<&'static str>>,
    restarts_nothing: std::cell::Cell<bool>,
}

impl Manager {
    fn call(&self, verb: &'static str) -> Result<(), JobError> {
        self.calls.borrow_mut().push(verb);
        match self.fails_at.get() == Some(verb) {
            true => Err(JobError::Permission { said: verb.to_owned() }),
            false => Ok(()),
        }
    }

    fn start_it(&self) {
        *self.child.borrow_mut() = Some(Command::new("/bin/sleep").arg("60").spawn().unwrap());
    }

    fn end_it(&self) {
        if let Some(mut child) = self.child.borrow_mut().take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }
}

impl Drop for Manager {
    fn drop(&mut self) {
        self.end_it();
    }
}

impl ServiceManager for Manager {
    fn reach(&self) -> Result<Reach, JobError> {
        Ok(Reach::Full)
    }
    fn switch_off(&self, _: &str) -> Result<(), JobError> {
        self.call("switch_off")
    }
    fn job(&self, name: &str) -> Result<Option<Job>, JobError> {
        assert_eq!(name, NAME);
        Ok(self.child.borrow().as_ref().map(|child| Job {
            activity: Activity::Running,
            pid: Some(child.id()),
            file: None,
            starts_itself: Some(true),
            switched_off: false,
            last_exit: None,
            starts: None,
        }))
    }
    fn load(&self, _: &str, file: &Path) -> Result<(), JobError> {
        assert!(file.exists());
        self.call("load")?;
        self.start_it();
        Ok(())
    }
    fn unload(&self, _: &str) -> Result<(), JobError> {
        self.call("unload")?;
        self.end_it();
        Ok(())
    }
    fn start(&self, _: &str) -> Result<(), JobError> {
        self.call("start")
    }
    fn stop(&self, _: &str) -> Result<(), JobError> {
        self.call("stop")
    }
    fn restart(&self, _: &str) -> Result<(), JobError> {
        self.call("restart")?;
        if !self.restarts_nothing.get() {
            self.end_it();
            self.start_it();
        }
        Ok(())
    }
    fn files_removed(&self) -> Result<(), JobError> {
        self.call("files_removed")
    }
}

fn there() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("units").join(NAME);
    (folder, file)
}

#[test]
fn a_round_trip_loads_restarts_and_leaves_nothing() {
    let (manager, (_folder, file)) = (Manager::default(), there());
    let seen = round_trip_with(&manager, &file).unwrap();
    assert_ne!(seen.first, seen.second);
    assert_eq!(*manager.calls.borrow(), ["load", "restart", "unload", "files_removed"]);
    assert!(!file.exists() && manager.child.borrow().is_none());
}

#[test]
fn what_a_killed_trial_left_behind_is_taken_away_first() {
    let (manager, (_folder, file)) = (Manager::default(), there());
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(&file, "left").unwrap();
    manager.start_it();
    assert!(remove(&manager, &file).unwrap());
    assert!(!file.exists() && manager.child.borrow().is_none());
    assert!(!remove(&manager, &file).unwrap());
}

#[test]
fn a_manager_that_fails_halfway_is_left_without_the_job() {
    let (manager, (_folder, file)) = (Manager::default(), there());
    manager.fails_at.set(Some("restart"));
    assert!(matches!(round_trip_with(&manager, &file), Err(TrialError::Job(JobError::Permission { .. }))));
    assert!(!file.exists() && manager.child.borrow().is_none());
}

#[test]
fn a_manager_that_says_yes_and_does_nothing_is_found_out() {
    let (manager, (_folder, file)) = (Manager::default(), there());
    manager.restarts_nothing.set(true);
    assert!(matches!(round_trip_with(&manager, &file), Err(TrialError::Untrue("was not restarted"))));
    assert!(!file.exists() && manager.child.borrow().is_none());
}

#[test]
fn the_property_list_is_one() {
    let value = plist::Value::from_reader_xml(property_list().as_bytes()).unwrap();
    let job = value.as_dictionary().unwrap();
    assert_eq!(job.get("Label").and_then(plist::Value::as_string), Some(NAME));
    assert!(!job.contains_key("KeepAlive"), "it ends by itself");
    assert!(!unit().contains("Restart"), "it ends by itself");
}
