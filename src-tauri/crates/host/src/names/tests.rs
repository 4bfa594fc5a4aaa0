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

#[cfg(target_os = "linux")]
mod avahi {
    use super::*;

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
