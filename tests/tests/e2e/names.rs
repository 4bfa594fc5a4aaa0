//! Which names are served, and how the edge marks what it says itself.

use std::net::Ipv4Addr;

use crate::shared::open_house;

#[tokio::test]
async fn an_unknown_name_gets_421_from_near_and_far() {
    let Some(open) = open_house().await else { return };
    for (client, address) in [(open.there(), open.house.here.v4), (open.here(), Ipv4Addr::LOCALHOST)] {
        for host in ["evil.example", "192.168.77.99", "192.168.77.10.evil.example", "localhost.evil.example"]
        {
            let answer = client.h1(address).await.get(host, "/healthz", &[]).await;
            assert_eq!(
                (answer.status, answer.edge_error()),
                (421, "unknown-host"),
                "HTTP/1.1, {host}: {answer:?}"
            );
            let answer = client.h2(address).await.get(host, "/healthz", &[]).await;
            assert_eq!(
                (answer.status, answer.edge_error()),
                (421, "unknown-host"),
                "HTTP/2, {host}: {answer:?}"
            );
            let refused = client.websocket_as(address, host, &[]).await.err().expect("no upgrade");
            assert_eq!(refused.status, 421, "upgrade, {host}");
        }
    }
}

#[tokio::test]
async fn a_request_with_two_hosts_is_refused() {
    let Some(open) = open_house().await else { return };
    let mut line = open.there().h1(open.house.here.v4).await;

    line.send("GET /readyz HTTP/1.1\r\nHost: 192.168.77.10\r\nHost: 127.0.0.1\r\n\r\n").await;

    assert_eq!(line.answer().await.expect("an answer").status, 400);
}

#[tokio::test]
async fn an_unknown_server_name_never_gets_a_certificate_of_another_name() {
    let Some(open) = open_house().await else { return };
    let refused = open.there().tls(open.house.here.v4.into(), "evil.example", &["http/1.1"]).await;

    assert!(refused.is_err(), "a client that verifies names must not get through");
}

#[tokio::test]
async fn every_answer_has_one_request_id_and_says_who_made_it() {
    let Some(open) = open_house().await else { return };
    let client = open.there();

    let ours = client.h1(open.house.here.v4).await.get("evil.example", "/", &[]).await;
    let theirs = client.get_with(open.house.here.v4, "/healthz", &[("X-Request-Id", "mine")]).await;

    assert!(!ours.header("x-request-id").is_empty());
    assert!(!theirs.header("x-request-id").is_empty());
    assert_ne!(theirs.header("x-request-id"), "mine");
    assert_ne!(theirs.header("x-request-id"), ours.header("x-request-id"));
    assert_eq!(theirs.edge_error(), "");
}

#[tokio::test]
async fn plain_http_is_sent_to_https() {
    let Some(open) = open_house().await else { return };
    let stream = open.house.there.connect((open.house.here.v4, 80).into()).await.expect("port 80 is open");

    let answer = gatehouse_tests::Line::over(stream).get("192.168.77.10", "/chat?x=1", &[]).await;

    assert!([301, 307, 308].contains(&answer.status), "{answer:?}");
    assert_eq!(answer.header("location"), "https://192.168.77.10/chat?x=1");
}

#[tokio::test]
async fn the_access_log_has_a_line_for_a_request_and_no_query() {
    let Some(open) = open_house().await else { return };
    let answer = open.there().get(open.house.here.v4, "/healthz?token=not-for-logs").await;
    let id = answer.header("x-request-id").to_owned();

    let line =
        gatehouse_tests::eventually("the line is written", std::time::Duration::from_secs(10), async || {
            let mut folders = vec![open.gatehouse.home.join("logs")];
            while let Some(folder) = folders.pop() {
                for entry in std::fs::read_dir(folder).ok()?.flatten() {
                    let path = entry.path();
                    if path.is_dir() {
                        folders.push(path);
                    } else if let Some(line) =
                        std::fs::read_to_string(path).ok()?.lines().find(|line| line.contains(&id))
                    {
                        return serde_json::from_str::<serde_json::Value>(line).ok();
                    }
                }
            }
            None
        })
        .await;

    assert_eq!(line["client"], open.house.there.v4.to_string());
    assert_eq!(line["method"], "GET");
    assert_eq!(line["path"], "/healthz");
    assert_eq!(line["status"], 200);
    assert!(!line.to_string().contains("not-for-logs"), "{line}");
}
