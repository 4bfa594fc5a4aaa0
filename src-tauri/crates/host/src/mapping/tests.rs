use super::*;

#[test]
fn every_kind_of_address_is_known() {
    for (address, expected) in [
        ("44.55.66.77", Class::Public),
        ("100.63.255.255", Class::Public),
        ("100.64.0.9", Class::Shared),
        ("100.127.255.255", Class::Shared),
        ("100.128.0.0", Class::Public),
        ("10.0.0.1", Class::Private),
        ("172.31.0.1", Class::Private),
        ("172.32.0.1", Class::Public),
        ("192.168.1.2", Class::Private),
        ("192.0.0.2", Class::Tunnelled),
        ("192.0.2.1", Class::Unusable),
        ("198.19.0.1", Class::Unusable),
        ("203.0.113.7", Class::Unusable),
        ("169.254.1.1", Class::Unusable),
        ("127.0.0.1", Class::Unusable),
        ("0.0.0.0", Class::Unusable),
        ("224.0.0.1", Class::Unusable),
        ("255.255.255.255", Class::Unusable),
    ] {
        assert_eq!(class(address.parse().unwrap()), expected, "{address}");
    }
}

#[tokio::test]
async fn a_machine_that_is_no_router_is_silent() {
    let here = Ipv4Addr::LOCALHOST;
    let wanted = Wanted { router: here, here, port: 8443, external_port: 8443 };
    let error = open(wanted).await.unwrap_err();
    assert!(matches!(error, MappingError::Silent { router } if router == here), "{error:?}");
}
