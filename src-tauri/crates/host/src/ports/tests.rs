use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, TcpListener};

use super::*;

fn any_v4() -> IpAddr {
    Ipv4Addr::UNSPECIFIED.into()
}

#[test]
fn a_port_in_use_and_an_address_that_is_not_ours_are_told_apart() {
    let taken = TcpListener::bind((Ipv4Addr::UNSPECIFIED, 0)).unwrap();
    let port = taken.local_addr().unwrap().port();
    assert!(matches!(try_bind(SocketAddr::new(any_v4(), port)), Err(Refusal::InUse)));
    assert!(matches!(try_bind("198.51.100.77:0".parse().unwrap()), Err(Refusal::NoAddress)));
    drop(taken);
    try_bind(SocketAddr::new(any_v4(), port)).unwrap();
}

#[test]
fn ipv6_is_tried_alone() {
    let taken = TcpListener::bind((Ipv4Addr::UNSPECIFIED, 0)).unwrap();
    let port = taken.local_addr().unwrap().port();
    match try_bind(SocketAddr::new(Ipv6Addr::UNSPECIFIED.into(), port)) {
        Ok(()) | Err(Refusal::NoAddress) => {}
        Err(other) => panic!("{other}"),
    }
}

#[test]
fn permission_is_told_apart() {
    let error = io::Error::from(io::ErrorKind::PermissionDenied);
    assert!(matches!(Refusal::from(error), Refusal::Permission));
    let error = io::Error::from_raw_os_error(rustix::io::Errno::AFNOSUPPORT.raw_os_error());
    assert!(matches!(Refusal::from(error), Refusal::NoAddress));
}

#[test]
fn a_command_is_cut_before_its_options() {
    let words = ["node", "/opt/openclaw.mjs", "gateway", "run"];
    assert_eq!(without_options(words).as_deref(), Some("node /opt/openclaw.mjs gateway"));
    assert_eq!(without_options(["nginx", "--token", "x"]).as_deref(), Some("nginx"));
    assert_eq!(without_options([""]), None);
}

#[cfg(target_os = "linux")]
mod linux {
    use super::super::system::listening;
    use super::*;

    #[test]
    fn our_own_listener_is_found_with_our_name() {
        let ours = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = ours.local_addr().unwrap();
        let holder = holder(address.port()).unwrap();
        assert_eq!(holder.pid, Some(crate::process::pid()));
        assert_eq!(holder.uid, Some(crate::process::uid()));
        assert_eq!(holder.listening, [address]);
        let program = holder.program.unwrap();
        assert!(program.starts_with("gatehouse") || program.starts_with("ports::"), "{program}");
        assert!(holder.command.unwrap().contains("gatehouse"));
    }

    #[test]
    fn both_families_of_one_program_are_listed() {
        let v4 = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = v4.local_addr().unwrap().port();
        let Ok(v6) = TcpListener::bind((Ipv6Addr::LOCALHOST, port)) else { return };
        let holder = holder(port).unwrap();
        assert_eq!(holder.listening, [v4.local_addr().unwrap(), v6.local_addr().unwrap()]);
    }

    #[test]
    fn a_free_port_has_no_holder() {
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
        assert_eq!(holder(port), None);
    }

    #[test]
    #[cfg(target_endian = "little")]
    fn the_kernels_table_is_understood_and_rubbish_is_passed_over() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n\
            \x20  0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 4711 1 0\n\
            \x20  1: 0101A8C0:1F90 0201A8C0:D60E 01 00000000:00000000 00:00000000 00000000  1000        0 4712 1 0\n\
            \x20  2: 00000000000000000000000001000000:01BB 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4713 1 0\n\
            rubbish\n 3: zz:zz\n 4: 01:02 0 0A\n";
        let found: Vec<_> = listening(table).map(|s| (s.address.to_string(), s.uid, s.inode)).collect();
        assert_eq!(found, [("127.0.0.1:8080".to_owned(), 1000, 4711), ("[::1]:443".to_owned(), 0, 4713)]);
    }
}

mod lsof {
    use super::super::lsof::parse;

    #[test]
    fn both_families_of_the_first_program_are_listed() {
        let text = "p812\ncnginx\nu501\nf6\ntIPv4\nn*:443\nf7\ntIPv6\nn*:443\np900\ncnode\nu501\nf20\ntIPv6\nn[::1]:443\n";
        let holder = parse(text).unwrap();
        assert_eq!(
            (holder.pid, holder.program.as_deref(), holder.uid),
            (Some(812), Some("nginx"), Some(501))
        );
        assert_eq!(holder.listening, ["0.0.0.0:443".parse().unwrap(), "[::]:443".parse().unwrap()]);
    }

    #[test]
    fn a_specific_address_and_a_zone_are_understood() {
        let holder = parse("p1\ncx\nf3\ntIPv6\nn[fe80::1%lo0]:80\nf4\ntIPv4\nn127.0.0.1:80\n").unwrap();
        assert_eq!(holder.listening, ["127.0.0.1:80".parse().unwrap(), "[fe80::1]:80".parse().unwrap()]);
    }

    #[test]
    fn nothing_and_rubbish_give_nothing() {
        for text in ["", "\n\n", "n*:443", "p12\n", "p12\nnwhat\n", "é\n"] {
            assert_eq!(parse(text), None, "{text:?}");
        }
    }
}
