//! The texts have the form that Apple's manual pages and support threads show; none was recorded on a Mac by us.

use super::*;

#[test]
fn the_user_who_is_logged_in_by_itself_is_read_and_nobody_is_an_answer() {
    assert_eq!(auto_login(true, "ada\n", ""), Some(Some("ada".to_owned())));
    let none = "The domain/default pair of (/Library/Preferences/com.apple.loginwindow, autoLoginUser) does not exist\n";
    assert_eq!(auto_login(false, "", none), Some(None));
    assert_eq!(auto_login(false, "", "Could not read domain\n"), None);
}

#[test]
fn the_lock_of_the_disk_is_read() {
    assert_eq!(file_vault("FileVault is On.\n"), Some(true));
    assert_eq!(file_vault("FileVault is Off.\nEncryption in progress: Percent completed = 4\n"), Some(false));
    assert_eq!(file_vault("Error: not permitted\n"), None);
}

#[test]
fn the_settings_on_mains_power_count_and_those_on_battery_do_not() {
    let portable = "Battery Power:\n sleep                1\n autorestart          0\nAC Power:\n \
        Sleep On Power Button 1\n autorestart          1\n powernap             1\n sleep                10\n";
    assert_eq!(mains(portable), Mains { restarts: Some(true), sleep: Some(10) });
    let desktop =
        "AC Power:\n sleep                0 (sleep prevented by caffeinate)\n autorestart          0\n";
    assert_eq!(mains(desktop), Mains { restarts: Some(false), sleep: Some(0) });
    assert_eq!(mains("rubbish"), Mains::default());
}

#[test]
fn the_state_of_the_firewall_is_read() {
    assert_eq!(firewall_state("Firewall is disabled. (State = 0)\n"), Some(Firewall::Off));
    assert_eq!(firewall_state("Firewall is enabled. (State = 1)\n"), Some(Firewall::On));
    let all = "Firewall is blocking all non-essential incoming connections. (State = 2)\n";
    assert_eq!(firewall_state(all), Some(Firewall::BlocksAll));
    assert_eq!(firewall_state(""), None);
}

#[test]
fn sleep_lid_and_updates_are_read_and_what_is_not_known_is_nothing() {
    assert_eq!(can_sleep("static\n"), Some(true));
    assert_eq!(can_sleep("masked\n"), Some(false));
    assert_eq!(can_sleep(""), None);
    assert_eq!(property("s \"suspend\"\n").as_deref(), Some("suspend"));
    assert_eq!(property("s \"a\u{1b}[0m\""), None);
    assert_eq!(property("Failed to get property\n"), None);
    assert_eq!((switch("1\n"), switch("0\n"), switch("")), (Some(true), Some(false), None));
}

#[test]
fn lingering_is_asked_for_a_name_only() {
    assert_eq!(of_linux("../../etc").lingers, None);
    assert_eq!(of_linux("").lingers, None);
}
