//! The texts have the shape that Apple's launchctl(1), the OpenClaw documentation and GitHub threads show (fact sheet
//! 4.4); none was recorded on a Mac by us.

use std::path::PathBuf;

use super::*;
use crate::jobs::Exit;
use crate::jobs::testkit::Script;

const RUNNING: &str = "gui/501/ai.openclaw.gateway = {\n\tactive count = 1\n\
    \tpath = /Users/me/Library/LaunchAgents/ai.openclaw.gateway.plist\n\ttype = LaunchAgent\n\tstate = running\n\n\
    \tprogram = /opt/homebrew/bin/node\n\targuments = {\n\t\t/opt/homebrew/bin/node\n\t\tgateway\n\t}\n\n\
    \tenvironment = {\n\t\tpid = 666\n\t\tOPENCLAW_TOKEN => secret\n\t}\n\n\tdomain = gui/501 [100005]\n\
    \tminimum runtime = 10\n\texit timeout = 5\n\truns = 3\n\tpid = 4242\n\tlast exit code = 0\n\n\
    \tspawn type = daemon (3)\n\tproperties = keepalive | runatload | inferred program\n}\n";
const GONE_TEXT: &str = "Could not find service \"ai.openclaw.gateway\" in domain for user gui: 501";

fn launchd(script: &Script) -> Launchd<&Script> {
    Launchd { scope: Scope::User, uid: 501, run: script }
}

#[test]
fn a_job_that_runs_is_told_by_its_own_lines_and_never_by_its_environment() {
    let job = print::job(RUNNING);
    assert_eq!(job.activity, Activity::Running);
    assert_eq!((job.pid, job.starts, job.starts_itself), (Some(4242), Some(3), Some(true)));
    assert_eq!(job.last_exit, Some(Exit::Status(0)));
    let file = PathBuf::from("/Users/me/Library/LaunchAgents/ai.openclaw.gateway.plist");
    assert_eq!(job.file, Some(file));
}

#[test]
fn every_way_to_end_is_read() {
    let exit =
        |line: &str| print::job(&format!("x = {{\n\tstate = waiting\n\truns = 2\n\t{line}\n}}\n")).last_exit;
    assert_eq!(exit("last exit code = (never exited)"), None);
    assert_eq!(exit("last exit code = 78: EX_CONFIG"), Some(Exit::Status(78)));
    assert_eq!(exit("last exit status = 1"), Some(Exit::Status(1)));
    assert_eq!(exit("last terminating signal = Killed: 9"), Some(Exit::Signal("Killed: 9".to_owned())));
}

#[test]
fn the_states_of_launchd_are_told_apart() {
    let state = |text: &str, runs: u32| {
        print::job(&format!("x = {{\n\tstate = {text}\n\truns = {runs}\n}}\n")).activity
    };
    assert_eq!(state("waiting", 0), Activity::Stopped);
    assert_eq!(state("waiting", 3), Activity::Waiting);
    assert_eq!(state("spawn scheduled", 7), Activity::Waiting);
    assert_eq!(state("SIGTERMed", 1), Activity::Stopping);
    assert_eq!(state("not running", 1), Activity::Stopped);
    assert_eq!(state("something new", 1), Activity::Other("something new".to_owned()));
}

#[test]
fn the_list_of_switched_off_jobs_is_read_in_its_old_and_new_form() {
    let new =
        "\tdisabled services = {\n\t\t\"com.a\" => enabled\n\t\t\"ai.openclaw.gateway\" => disabled\n\t}\n";
    let old = "\tdisabled services = {\n\t\t\"com.a\" => false\n\t\t\"ai.openclaw.gateway\" => true\n\t}\n";
    for text in [new, old] {
        assert!(print::is_disabled(text, "ai.openclaw.gateway"));
        assert!(!print::is_disabled(text, "com.a"));
        assert!(!print::is_disabled(text, "ai.openclaw"));
    }
}

#[test]
fn a_job_without_a_screen_session_is_found_in_the_users_domain() {
    let script = Script::new(&[
        ("print gui/501/", 125, "Domain does not support specified action"),
        ("print user/501/", 0, RUNNING),
        ("print-disabled user/501", 0, ""),
    ]);
    assert_eq!(launchd(&script).job("ai.openclaw.gateway").unwrap().unwrap().pid, Some(4242));
}

#[test]
fn a_job_that_is_nowhere_is_none_and_a_refusal_is_an_error() {
    let script = Script::new(&[("print", 113, GONE_TEXT)]);
    assert_eq!(launchd(&script).job("ai.openclaw.gateway").unwrap(), None);
    let script = Script::new(&[("print", 1, "Operation not permitted")]);
    assert!(matches!(launchd(&script).job("x"), Err(JobError::Permission { .. })));
}

#[test]
fn loading_waits_for_the_old_job_to_be_gone_and_lifts_an_old_override_first() {
    let script = Script::new(&[
        ("print gui/501/x", 0, RUNNING), // it is there
        ("print gui/501/x", 0, RUNNING), // it drains
        ("print gui/501/x", 113, GONE_TEXT),
        ("print user/501/x", 113, GONE_TEXT),
        ("print gui/501", 0, "gui/501 = {"),
        ("bootout gui/501/x", 0, ""),
        ("enable gui/501/x", 0, ""),
        ("bootstrap gui/501 /p/x.plist", 0, ""),
    ]);
    launchd(&script).load("x", Path::new("/p/x.plist")).unwrap();
    let verbs: Vec<_> = script.calls().into_iter().filter(|call| !call.starts_with("print")).collect();
    assert_eq!(verbs, ["bootout gui/501/x", "enable gui/501/x", "bootstrap gui/501 /p/x.plist"]);
}

#[test]
fn a_bootstrap_that_says_five_although_the_job_is_there_is_no_failure() {
    let script = Script::new(&[
        ("print gui/501/x", 113, GONE_TEXT),
        ("print gui/501/x", 0, RUNNING),
        ("print user/501/x", 113, GONE_TEXT),
        ("print-disabled", 0, ""),
        ("print gui/501", 0, "gui/501 = {"),
        ("enable", 0, ""),
        ("bootstrap", 5, "Bootstrap failed: 5: Input/output error"),
    ]);
    launchd(&script).load("x", Path::new("/p/x.plist")).unwrap();
}

#[test]
fn a_bootstrap_that_fails_twice_is_told_in_launchctls_words() {
    let script = Script::new(&[
        ("print gui/501/x", 113, GONE_TEXT),
        ("print user/501/x", 113, GONE_TEXT),
        ("print gui/501", 0, "gui/501 = {"),
        ("enable", 0, ""),
        ("bootstrap", 5, "Bootstrap failed: 5: Input/output error"),
    ]);
    let error = launchd(&script).load("x", Path::new("/p/x.plist")).unwrap_err();
    assert!(error.to_string().contains("5: Input/output error"), "{error}");
}

#[test]
fn without_any_domain_there_is_no_manager() {
    let script = Script::new(&[("print", 112, "Could not find specified domain")]);
    let error = launchd(&script).load("x", Path::new("/p/x.plist")).unwrap_err();
    assert!(matches!(error, JobError::NoManager { .. }), "{error:?}");
}

#[test]
fn restarting_is_one_step_and_starting_lifts_an_override() {
    let script = Script::new(&[("print gui/501/x", 0, RUNNING), ("kickstart", 0, ""), ("enable", 0, "")]);
    launchd(&script).restart("x").unwrap();
    launchd(&script).start("x").unwrap();
    let verbs: Vec<_> = script.calls().into_iter().filter(|call| !call.starts_with("print")).collect();
    assert_eq!(verbs, ["kickstart -k gui/501/x", "enable gui/501/x", "kickstart gui/501/x"]);
}

#[test]
fn a_job_that_never_goes_away_is_told_after_the_time_limit() {
    let script = Script::new(&[("print", 0, RUNNING), ("bootout", 36, "Operation now in progress")]);
    assert!(matches!(launchd(&script).unload("x"), Err(JobError::TimedOut { what: "stop", .. })));
}

#[test]
fn a_login_on_the_screen_is_told_from_one_by_ssh() {
    let screen = Script::new(&[("print gui/501", 0, "gui/501 = {")]);
    assert_eq!(launchd(&screen).reach().unwrap(), Reach::Full);
    let ssh = Script::new(&[
        ("print gui/501", 125, "Domain does not support specified action"),
        ("print user/501", 0, "user/501 = {"),
    ]);
    assert_eq!(launchd(&ssh).reach().unwrap(), Reach::WithoutScreen);
    let nothing = Script::new(&[("print", 112, "Could not find specified domain")]);
    assert!(matches!(launchd(&nothing).reach(), Err(JobError::NoManager { .. })));
}

#[test]
fn switching_off_outlives_the_session() {
    let script = Script::new(&[
        ("print gui/501/x", 0, RUNNING),
        ("print gui/501/x", 113, GONE_TEXT),
        ("print user/501/x", 113, GONE_TEXT),
        ("print gui/501", 0, "gui/501 = {"),
        ("disable gui/501/x", 0, ""),
        ("bootout gui/501/x", 0, ""),
    ]);
    launchd(&script).switch_off("x").unwrap();
    let verbs: Vec<_> = script.calls().into_iter().filter(|call| !call.starts_with("print")).collect();
    assert_eq!(verbs, ["disable gui/501/x", "bootout gui/501/x"]);
}
