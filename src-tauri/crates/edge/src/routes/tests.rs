use super::*;

fn table() -> Routes {
    "/v1 api; /v1/chat interactive; api.example.net/v1 api body=1000; *.preview.example.net/ interactive port=18890; \
     shop.preview.example.net/ api"
        .parse()
        .unwrap()
}

fn find(host: &str, path: &str) -> Option<String> {
    match table().find(host.as_bytes(), path) {
        Found::Route(route) => Some(route.to_string()),
        Found::Gateway => Some("gateway".to_owned()),
        Found::Nothing => None,
    }
}

#[test]
fn the_longest_prefix_of_the_most_exact_name_wins() {
    for (host, path, route) in [
        ("mini.local:8443", "/", "gateway"),
        ("mini.local", "/v1", "/v1 api"),
        ("mini.local", "/v1/models", "/v1 api"),
        ("mini.local", "/v10", "gateway"),
        ("mini.local", "/v1/chat/x", "/v1/chat interactive"),
        ("mini.local", "/./v1/models", "/v1 api"),
        ("mini.local", "/x/../v1", "/v1 api"),
        ("mini.local", "//v1/models", "/v1 api"),
        ("mini.local", "/%2e/v1%2Fmodels", "/v1 api"),
        ("mini.local", "/v1/%2E%2e/chat", "gateway"),
        ("mini.local", "/../..", "gateway"),
        ("192.0.2.1", "/v1", "/v1 api"),
        ("API.example.net.:8443", "/v1/models", "api.example.net/v1 api body=1000"),
        ("x7.preview.example.net", "/any/thing", "*.preview.example.net/ interactive port=18890"),
        ("shop.preview.example.net", "/", "shop.preview.example.net/ api"),
        ("a.b.preview.example.net", "/", "gateway"),
        ("preview.example.net", "/", "gateway"),
    ] {
        assert_eq!(find(host, path).as_deref(), Some(route), "{host}{path}");
    }
}

#[test]
fn a_name_with_routes_serves_nothing_else_however_it_is_spelled() {
    for path in [
        "/",
        "/v10",
        "/V1",
        "/chat",
        "/v1/../chat",
        "/v1/./x",
        "/v1/%2e%2e/chat",
        "/v1/%2E./chat",
        "/v1%2fx",
        "/v1/..%2fchat",
        "/v1/%252e%252e/chat",
        "//v1",
        "/v1//../chat",
        "/v1/..%5cchat",
    ] {
        assert_eq!(find("api.example.net", path), None, "{path}");
    }
    assert!(find("api.example.net", "/v1/a..b/%20").is_some());
}

#[test]
fn a_table_reads_what_it_writes() {
    assert_eq!(table().to_string().parse::<Routes>().unwrap(), table());
    assert!(" ; ".parse::<Routes>().unwrap().is_empty());
    let mut names = ServedNames::default();
    table().serve(&mut names);
    let serves = |host: &str| names.serves(&Authority::parse(host.as_bytes()).unwrap().host);
    assert!(serves("api.example.net") && serves("x7.preview.example.net"));
    assert!(!serves("a.b.preview.example.net") && !serves("preview.example.net") && !serves("example.net"));
}

#[test]
fn what_is_no_route_is_told_why() {
    for (text, why) in [
        ("/v1", "is no route"),
        ("v1 api", "has no path"),
        ("/v1 fast", "neither interactive nor api"),
        ("/v1/../x api", "no plain path"),
        ("/v1?x api", "no plain path"),
        ("127.0.0.1/ api", "no name of a host"),
        ("api.example.net:8443/ api", "no name of a host"),
        ("*.net/ api", "no name of a host"),
        ("a.*.net/ api", "no name of a host"),
        ("/v1 api port=0", "no usable number"),
        ("/v1 api port=70000", "no usable number"),
        ("/v1 api body=x", "no usable number"),
        ("/v1 api host=x", "neither port"),
        ("/v1 api; /v1 interactive", "two routes"),
    ] {
        let said = text.parse::<Routes>().unwrap_err();
        assert!(said.contains(why), "{text}: {said}");
    }
    let many: Vec<String> = (0..=ROUTES_MAX).map(|number| format!("/{number} api")).collect();
    assert!(many.join(";").parse::<Routes>().unwrap_err().contains("more than"));
}
