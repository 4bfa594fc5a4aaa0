use super::*;
use crate::jobs::testkit::Script;

/// `systemctl --user show` of systemd 252 (Debian 12) for a unit that runs, recorded.
const RUNNING: &str = "MainPID=31507\nNRestarts=0\nExecMainCode=0\nExecMainStatus=0\nResult=success\nLoadState=loaded\n\
    ActiveState=active\nSubState=running\nFragmentPath=/home/a/.config/systemd/user/openclaw-gateway.service\n\
    UnitFileState=enabled\n";

#[test]
fn a_unit_that_runs_is_told_with_its_process_and_file() {
    let job = parse(RUNNING).unwrap();
    assert_eq!(job.activity, Activity::Running);
    assert_eq!(job.pid, Some(31507));
    assert_eq!(job.file.as_deref(), Some(Path::new("/home/a/.config/systemd/user/openclaw-gateway.service")));
    assert_eq!((job.starts_itself, job.switched_off, job.starts), (Some(true), false, Some(0)));
    assert_eq!(job.last_exit, None);
}

#[test]
fn a_crash_loop_is_seen_while_the_manager_waits_and_after_it_gave_up() {
    let waiting = "LoadState=loaded\nActiveState=activating\nSubState=auto-restart\nMainPID=0\nNRestarts=4\n\
        ExecMainCode=1\nExecMainStatus=3\nUnitFileState=disabled\n";
    let job = parse(waiting).unwrap();
    assert_eq!(job.activity, Activity::Waiting);
    assert_eq!((job.pid, job.starts, job.last_exit), (None, Some(4), Some(Exit::Status(3))));
    assert_eq!(job.starts_itself, Some(false));

    let failed = "LoadState=loaded\nActiveState=failed\nSubState=failed\nMainPID=0\nNRestarts=5\nExecMainCode=2\n\
        ExecMainStatus=9\n";
    let job = parse(failed).unwrap();
    assert_eq!((job.activity, job.last_exit), (Activity::Failed, Some(Exit::Signal("9".to_owned()))));
    assert_eq!(job.starts_itself, None);
}

#[test]
fn a_unit_that_does_not_exist_is_none_and_one_that_is_masked_is_switched_off() {
    assert_eq!(parse("LoadState=not-found\nActiveState=inactive\nSubState=dead\n"), None);
    assert_eq!(parse(""), None);
    assert!(parse("LoadState=masked\nActiveState=inactive\n").unwrap().switched_off);
}

#[test]
fn words_of_a_newer_systemd_are_kept() {
    let job = parse("LoadState=loaded\nActiveState=dreaming\n").unwrap();
    assert_eq!(job.activity, Activity::Other("dreaming".to_owned()));
}

#[test]
fn a_failure_is_told_by_what_it_means() {
    let refused = |text: &str| {
        refusal(&["start"], &Finished { status: Some(1), stdout: String::new(), stderr: text.to_owned() })
    };
    assert!(matches!(refused("Failed to connect to bus: No medium found"), JobError::NoManager { .. }));
    let bus = "Failed to get properties: Process org.freedesktop.systemd1 exited with status 1";
    assert!(matches!(refused(bus), JobError::NoManager { .. }));
    let booted = "System has not been booted with systemd as init system (PID 1). Can't operate.";
    assert!(matches!(refused(booted), JobError::NoManager { .. }));
    let denied = "Failed to start x.service: Interactive authentication required.";
    assert!(matches!(refused(denied), JobError::Permission { .. }));
    assert!(matches!(
        refused("Failed to start x.service: Unit x.service is masked."),
        JobError::SwitchedOff { .. }
    ));
    assert!(matches!(refused("Failed to start x.service: Unit x.service not found."), JobError::NotFound));
    let other =
        refused("Job for x.service failed because\nthe control process exited\u{1b}[0m with error code.\n");
    let text = other.to_string();
    assert!(
        text.contains("control process exited") && !text.contains('\n') && !text.contains('\u{1b}'),
        "{text}"
    );
}

#[test]
fn loading_reads_the_files_again_before_it_enables_and_starts() {
    let script = Script::new(&[("--user", 0, RUNNING)]);
    let systemd = Systemd { scope: Scope::User, run: &script };
    systemd.load("a.service", Path::new("/unused")).unwrap();
    let verbs: Vec<_> =
        script.calls().iter().map(|call| call.split(' ').nth(3).unwrap_or_default().to_owned()).collect();
    assert_eq!(verbs, ["daemon-reload", "show", "enable", "reset-failed", "restart"]);
}

#[test]
fn the_systems_own_manager_is_asked_for_a_system_job_and_a_name_is_never_an_option() {
    let script = Script::new(&[("--system", 0, "LoadState=not-found\n")]);
    let systemd = Systemd { scope: Scope::System, run: &script };
    assert_eq!(systemd.job("--help").unwrap(), None);
    assert!(script.calls()[0].ends_with("-- --help"), "{:?}", script.calls());
}

#[test]
fn unloading_what_is_not_there_is_fine() {
    let script = Script::new(&[("--user --no-pager --no-ask-password show", 0, "LoadState=not-found\n")]);
    Systemd { scope: Scope::User, run: &script }.unload("a.service").unwrap();
    assert_eq!(script.calls().len(), 1);
}

#[test]
fn a_mask_is_lifted_before_a_unit_is_enabled() {
    let show = "--user --no-pager --no-ask-password show";
    let script = Script::new(&[(show, 0, "LoadState=masked\nActiveState=inactive\n"), ("--user", 0, "")]);
    Systemd { scope: Scope::User, run: &script }.load("a.service", Path::new("/unused")).unwrap();
    assert!(script.calls().iter().any(|call| call.ends_with("unmask --quiet -- a.service")));
}
