use proptest::prelude::*;

use super::*;

fn accepting(accept: &'static str) -> HeaderMap {
    HeaderMap::from_iter([(header::ACCEPT, HeaderValue::from_static(accept))])
}

fn answer(error: EdgeError, reader: Reader) -> Response<Bytes> {
    Answer { error, reader, id: RequestId::from_parts(1, 2, 3), retry_after: None, link: None }.response()
}

fn text(response: &Response<Bytes>) -> &str {
    std::str::from_utf8(response.body()).unwrap()
}

const fn person(repeatable: bool, language: Language) -> Reader {
    Reader::Person { repeatable, language }
}

const PERSON: Reader = person(true, Language::English);
const CAREFUL: Reader = person(false, Language::English);

#[test]
fn html_is_only_for_those_who_ask_for_it() {
    let of = |accept| Reader::of(&Method::GET, &accepting(accept));
    for accept in [
        "text/html",
        "Text/HTML, */*;q=0.1",
        "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
        "application/json;q=0.5, text/html ; q=0.1",
    ] {
        assert_eq!(of(accept), PERSON, "{accept}");
    }
    for accept in
        ["*/*", "application/json", "text/html;q=0", "text/html; q=0.000", "text/htmlx", "", "x=text/html"]
    {
        assert_eq!(of(accept), Reader::Program, "{accept}");
    }
    assert_eq!(Reader::of(&Method::GET, &HeaderMap::new()), Reader::Program);
    assert_eq!(Reader::of(&Method::POST, &accepting("text/html")), CAREFUL);
}

#[test]
fn a_person_reads_the_language_that_the_browser_likes_best() {
    let mut headers = accepting("text/html");
    headers.insert(header::ACCEPT_LANGUAGE, HeaderValue::from_static("zh-CN,zh;q=0.9,en;q=0.8"));
    let reader = Reader::of(&Method::GET, &headers);
    assert_eq!(reader, person(true, Language::SimplifiedChinese));
    for error in EdgeError::ALL {
        let response = answer(error, reader);
        let page = text(&response);
        assert!(page.contains("<html lang=\"zh-Hans\">") && page.contains(error.code()), "{page}");
        assert!(page.contains(&error.sentence(Language::SimplifiedChinese)), "{page}");
        assert!(!page.contains("edge."), "a key without a text: {page}");
    }
    let program = answer(EdgeError::Paused, Reader::Program);
    assert!(text(&program).contains("This address is paused."), "programs compare English");
}

#[test]
fn a_handshake_is_never_answered_with_html() {
    for name in ["upgrade", "sec-websocket-version"] {
        let mut headers = accepting("text/html");
        headers.insert(name, HeaderValue::from_static("x"));
        assert_eq!(Reader::of(&Method::GET, &headers), Reader::Program);
    }
    assert_eq!(Reader::of(&Method::CONNECT, &accepting("text/html")), Reader::Program);
}

#[test]
fn every_answer_says_that_it_is_ours() {
    for error in EdgeError::ALL {
        for reader in [Reader::Program, PERSON, CAREFUL] {
            let response = answer(error, reader);
            assert_eq!(response.status(), error.status());
            let headers = response.headers();
            assert_eq!(headers["x-gatehouse-error"], error.code());
            assert_eq!(headers["x-request-id"], "00000000-0001-7002-8000-000000000003");
            assert_eq!(headers["cache-control"], "no-store");
            assert_eq!(headers["x-content-type-options"], "nosniff");
            assert!(!text(&response).contains("<script"));
            assert!(
                text(&response).contains(error.code())
                    && text(&response).contains(&error.sentence(Language::English))
            );
            assert_eq!(headers.contains_key("retry-after"), error.retry_after().is_some());
        }
    }
}

#[test]
fn programs_read_json() {
    let response = answer(EdgeError::GatewayRestarting, Reader::Program);
    assert_eq!(response.headers()["content-type"], "application/json");
    let body: serde_json::Value = serde_json::from_slice(response.body()).unwrap();
    assert_eq!(
        body,
        serde_json::json!({
            "error": {
                "code": "gateway-restarting",
                "message": "The OpenClaw gateway is restarting.",
                "advice": "Wait a few seconds.",
                "request_id": "00000000-0001-7002-8000-000000000003",
            },
            "answered_by": "gatehouse",
        })
    );
}

#[test]
fn a_page_that_waits_for_the_gateway_reloads_itself_if_that_is_harmless() {
    let reloads = |error, reader| text(&answer(error, reader)).contains("http-equiv=\"refresh\"");
    for error in [EdgeError::GatewayDown, EdgeError::GatewayRestarting, EdgeError::ShuttingDown] {
        assert!(reloads(error, PERSON), "{error:?}");
        assert!(!reloads(error, CAREFUL), "{error:?}");
    }
    for error in
        [EdgeError::UnknownHost, EdgeError::TunnelUndeclared, EdgeError::Paused, EdgeError::BadTarget]
    {
        assert!(!reloads(error, PERSON), "{error:?}");
    }
}

#[test]
fn particular_refusals_say_what_would_be_accepted() {
    let response = answer(EdgeError::WebSocketVersion, Reader::Program);
    assert_eq!(response.headers()["sec-websocket-version"], "13");
    assert!(answer(EdgeError::MethodRefused, Reader::Program).headers().contains_key("allow"));
    let response = Answer {
        error: EdgeError::Paused,
        reader: PERSON,
        id: RequestId::new(),
        retry_after: Some(600),
        link: None,
    }
    .response();
    assert_eq!(response.headers()["retry-after"], "600");
}

#[test]
fn links_lead_to_checked_hosts_only() {
    let link = |host, port, path| https_link(&HeaderValue::try_from(host).unwrap(), port, path);
    assert_eq!(link("Mini.local:80", 8443, "/a?b").as_deref(), Some("https://mini.local:8443/a?b"));
    assert_eq!(link("mini.local", 443, "/").as_deref(), Some("https://mini.local/"));
    assert_eq!(link("192.168.1.10:80", 443, "x").as_deref(), Some("https://192.168.1.10/"));
    assert_eq!(link("[fd00::1]:80", 8443, "/").as_deref(), Some("https://[fd00::1]:8443/"));
    assert_eq!(link("a/b", 443, "/"), None);
    assert_eq!(link("user@host", 443, "/"), None);
}

proptest! {
    #[test]
    fn nothing_a_stranger_writes_becomes_markup(path in "/[ -~]{0,40}") {
        let link = https_link(&HeaderValue::from_static("mini.local"), 443, &path).unwrap();
        let plain = answer(EdgeError::HttpsRequired, PERSON);
        let with = Answer {
            error: EdgeError::HttpsRequired,
            reader: PERSON,
            id: RequestId::from_parts(1, 2, 3),
            retry_after: None,
            link: Some(&link),
        }
        .response();
        let count = |response: &Response<Bytes>, mark: char| text(response).matches(mark).count();
        // One paragraph and one link: four tags, two quotes.
        prop_assert_eq!(count(&with, '<') - count(&plain, '<'), 4);
        prop_assert_eq!(count(&with, '>') - count(&plain, '>'), 4);
        prop_assert_eq!(count(&with, '"') - count(&plain, '"'), 2);
    }
}
