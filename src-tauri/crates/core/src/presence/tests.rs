use std::cell::{Cell, RefCell};
use std::path::Path;

use gatehouse_host::account::Account;
use gatehouse_host::jobs::{Activity, Exit, Job as Known, JobError, Reach};

use super::*;

/// A service manager of which a test says what it knows.
#[derive(Default)]
struct Manager {
    known: RefCell<Option<Known>>,
    absent: Cell<bool>,
}

impl ServiceManager for Manager {
    fn reach(&self) -> Result<Reach, JobError> {
        Ok(Reach::Full)
    }
    fn job(&self, _: &str) -> Result<Option<Known>, JobError> {
        if self.absent.get() {
            return Err(JobError::NoManager { said: "Failed to connect to bus".to_owned() });
        }
        Ok(self.known.borrow().clone())
    }
    fn load(&self, _: &str, _: &Path) -> Result<(), JobError> {
        *self.known.borrow_mut() = Some(running(7));
        Ok(())
    }
    fn unload(&self, _: &str) -> Result<(), JobError> {
        *self.known.borrow_mut() = None;
        Ok(())
    }
    fn switch_off(&self, name: &str) -> Result<(), JobError> {
        self.unload(name)
    }
    fn start(&self, _: &str) -> Result<(), JobError> {
        Ok(())
    }
    fn stop(&self, _: &str) -> Result<(), JobError> {
        Ok(())
    }
    fn restart(&self, _: &str) -> Result<(), JobError> {
        Ok(())
    }
    fn files_removed(&self) -> Result<(), JobError> {
        Ok(())
    }
}

fn running(pid: u32) -> Known {
    Known {
        activity: Activity::Running,
        pid: Some(pid),
        file: None,
        starts_itself: Some(true),
        switched_off: false,
        last_exit: None,
        starts: Some(1),
    }
}

fn job(home: &Path, program: &str) -> Job {
    Job {
        scope: job::Scope::User,
        account: Account { name: "ada".to_owned(), uid: 501, home: home.to_owned() },
        program: PathBuf::from(program),
        version: "1.2.3".to_owned(),
        environment: BTreeMap::new(),
        config_home: None,
    }
}

fn keys(steps: &[Text]) -> Vec<&str> {
    steps.iter().filter_map(Text::key).map(|key| key.trim_start_matches("core.presence.step.")).collect()
}

#[test]
fn what_is_shown_is_what_is_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let (mut job, manager) = (job(folder.path(), "/usr/bin/env"), Manager::default());
    let steps = |job: &Job, running| {
        let plan = planned(job, &manager, running).unwrap();
        keys(&plan.steps).join(" ")
    };

    assert_eq!(steps(&job, None), "write start-login");
    assert_eq!(steps(&job, Some(99)), "stop-other write start-login");
    job.install(&manager, false).unwrap();
    assert_eq!(steps(&job, Some(7)), "");
    job.version = "1.3.0".to_owned();
    assert_eq!(steps(&job, Some(7)), "rewrite restart");
    *manager.known.borrow_mut() = None;
    assert_eq!(steps(&job, None), "rewrite start-login");
}

#[test]
fn a_program_that_does_not_last_and_a_machine_without_a_manager_are_refused_before_anything_is_done() {
    let folder = tempfile::tempdir().unwrap();
    let manager = Manager::default();
    let error = planned(&job(folder.path(), "/tmp/gatehouse"), &manager, None).unwrap_err();
    assert_eq!(error.code, Code::Usage);
    manager.absent.set(true);
    let error = planned(&job(folder.path(), "/usr/bin/env"), &manager, None).unwrap_err();
    assert_eq!(error.fix.unwrap().command.unwrap(), "sudo gatehouse service install --scope system");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn each_state_has_its_word_and_its_reason() {
    let folder = tempfile::tempdir().unwrap();
    let (job, manager) = (job(folder.path(), "/usr/bin/env"), Manager::default());
    let read = || state::read(&job, &manager, Some(true));
    assert_eq!(read().state, PresenceState::NotInstalled);
    job.install(&manager, false).unwrap();
    let presence = read();
    assert_eq!((presence.state, presence.pid, presence.problems.len()), (PresenceState::Running, Some(7), 0));
    assert_eq!(presence.version.as_deref(), Some("1.2.3"));

    let waiting =
        Known { activity: Activity::Waiting, pid: None, last_exit: Some(Exit::Status(6)), ..running(7) };
    *manager.known.borrow_mut() = Some(waiting.clone());
    let presence = read();
    assert_eq!(presence.state, PresenceState::Restarting);
    assert_eq!(presence.detail.unwrap().as_str(), "It ended with status 6.");
    *manager.known.borrow_mut() = Some(Known { switched_off: true, ..waiting });
    assert_eq!(read().state, PresenceState::SwitchedOff);
    *manager.known.borrow_mut() = None;
    assert_eq!(read().state, PresenceState::Stopped);
    manager.absent.set(true);
    assert_eq!(read().state, PresenceState::Unknown);
}

#[test]
fn what_needs_attention_is_told_with_what_mends_it() {
    let folder = tempfile::tempdir().unwrap();
    let (mut job, manager) = (job(folder.path(), "/opt/gone/gatehouse"), Manager::default());
    job.install(&manager, false).unwrap();
    let titles = |job: &Job, lingers| -> Vec<String> {
        let presence = state::read(job, &manager, lingers);
        presence.problems.iter().filter_map(|problem| problem.title.key()).map(str::to_owned).collect()
    };
    assert_eq!(titles(&job, Some(true)), ["core.presence.gone"]);
    job.program = PathBuf::from("/usr/bin/env");
    job.install(&manager, false).unwrap();
    assert_eq!(titles(&job, Some(false)), ["core.presence.linger"]);
    job.version = "2.0.0".to_owned();
    assert_eq!(titles(&job, None), ["core.presence.older"]);
    std::fs::write(job.file(), "[Service]\n").unwrap();
    assert_eq!(titles(&job, None), ["core.presence.foreign"]);
}

#[test]
fn the_link_of_homebrew_stays_and_its_folder_of_a_version_does_not() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().canonicalize().unwrap();
    let cellar = folder.join("Cellar/gatehouse/1.2.3/bin");
    std::fs::create_dir_all(&cellar).unwrap();
    std::fs::create_dir_all(folder.join("bin")).unwrap();
    let program = cellar.join("gatehouse");
    std::fs::write(&program, "").unwrap();
    assert_eq!(place(program.clone()), program);
    std::os::unix::fs::symlink(&program, folder.join("bin/gatehouse")).unwrap();
    assert_eq!(place(program.clone()), folder.join("bin/gatehouse"));
    let deleted = PathBuf::from(format!("{} (deleted)", program.display()));
    assert_eq!(place(deleted), program);
}
