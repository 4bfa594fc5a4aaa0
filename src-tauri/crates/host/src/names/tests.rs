use super::*;

#[test]
fn the_host_name_is_one_lower_case_label() {
    for (name, label) in [
        ("Mini.fritz.box", Some("mini")),
        ("mini\n", Some("mini")),
        ("my-mac-2", Some("my-mac-2")),
        ("localhost", None),
        ("localhost.localdomain", None),
        ("", None),
        ("-x", None),
        ("Jürgens-Mac", None),
        ("a_b", None),
    ] {
        assert_eq!(first_label(name).as_deref(), label, "{name:?}");
    }
    assert_eq!(first_label(&"x".repeat(64)), None);
}

#[test]
fn this_machine_answers() {
    let names = host_names();
    assert_eq!(names.host, first_label(&rustix::system::uname().nodename().to_string_lossy()));
    assert!(names.local.is_none_or(|local| local.ends_with(".local")));
}

#[test]
fn a_numbered_name_is_one_that_another_device_has() {
    let names = |host: Option<&str>, local: &str| HostNames {
        host: host.map(str::to_owned),
        local: Some(local.to_owned()),
    };
    for (host, local, expected) in [
        (Some("mini"), "mini-2.local", Some(("mini.local", true))),
        (Some("mini-2"), "mini-2.local", Some(("mini.local", false))),
        (None, "mini-3.local", Some(("mini.local", false))),
        (Some("mini"), "mini.local", None),
        (Some("mini"), "mac-mini.local", None),
        (Some("other"), "mini-2.local", None),
        (Some("mini"), "mini-1.local", None),
    ] {
        let found = doubled(&names(host, local));
        let found = found.as_ref().map(|found| (found.base.as_str(), found.certain));
        assert_eq!(found, expected, "{host:?} {local}");
    }
    assert_eq!(doubled(&HostNames::default()), None);
}

#[cfg(target_os = "linux")]
mod avahi {
    use super::*;

    #[test]
    fn the_name_in_force_is_read_from_the_bus() {
        assert_eq!(avahi_answer("s \"mini-2.local\"\n").as_deref(), Some("mini-2"));
        assert_eq!(avahi_answer("s \"mini.example.com\"\n"), None);
        assert_eq!(avahi_answer(""), None);
    }

    #[test]
    fn its_configured_name_wins_and_another_domain_means_none() {
        let host = Some("mini");
        assert_eq!(avahi_label("", host).as_deref(), Some("mini"));
        assert_eq!(avahi_label("[server]\n#host-name=foo\n", host).as_deref(), Some("mini"));
        assert_eq!(avahi_label("[server]\nhost-name=Studio\n", host).as_deref(), Some("studio"));
        assert_eq!(avahi_label("[server]\ndomain-name=local\n", host).as_deref(), Some("mini"));
        assert_eq!(avahi_label("[server]\ndomain-name=alocal\n", host), None);
    }

    #[test]
    fn only_a_living_daemon_counts() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("pid");
        assert!(!avahi_runs(&file));
        std::fs::write(&file, format!("{}\n", i32::MAX)).unwrap();
        assert!(!avahi_runs(&file));
        std::fs::write(&file, format!("{}\n", crate::process::pid())).unwrap();
        assert!(avahi_runs(&file));
    }
}
