use std::net::Ipv4Addr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::*;

const IPHONE: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X)";

fn authority() -> AuthorityFacts {
    AuthorityFacts {
        name: "Gatehouse CA <mini>".to_owned(),
        created: OffsetDateTime::UNIX_EPOCH,
        not_after: OffsetDateTime::UNIX_EPOCH,
        sha256: gatehouse_certs::fingerprint(b"der"),
        pem: String::new(),
        der: b"der".to_vec(),
    }
}

async fn invited() -> (Invites, TrustInvite) {
    let invites = Invites::default();
    let ip = Ipv4Addr::LOCALHOST.into();
    let invite = invites.open(authority(), ip, &[], OffsetDateTime::UNIX_EPOCH).await.unwrap();
    (invites, invite)
}

/// Host and path of the page.
fn parts(invite: &TrustInvite) -> (String, String) {
    let rest = invite.url.strip_prefix("http://").unwrap();
    let slash = rest.find('/').unwrap();
    (rest[..slash].to_owned(), rest[slash..].to_owned())
}

async fn ask(invite: &TrustInvite, method: &str, end: &str, headers: &str) -> String {
    let (host, path) = parts(invite);
    raw(&host, &format!("{method} {path}{end} HTTP/1.1\r\nHost: {host}\r\n{headers}\r\n")).await
}

async fn raw(host: &str, request: &str) -> String {
    let mut stream = TcpStream::connect(host).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

async fn closed(invites: &Invites) {
    while invites.progress().open {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn the_page_shows_the_fingerprint_and_the_file_that_fits_the_device() {
    let (invites, invite) = invited().await;

    let phone = ask(&invite, "GET", "", &format!("User-Agent: {IPHONE}\r\n")).await;
    let other = ask(&invite, "GET", "", "User-Agent: Android\r\nAccept-Language: zh-CN,en\r\n").await;

    assert!(phone.contains(&invite.ca_sha256) && phone.contains("Gatehouse CA &lt;mini&gt;"), "{phone}");
    assert!(phone.contains("class=\"get\" href=\"/t/") && phone.contains(".mobileconfig\">Download"));
    assert!(other.contains(".crt\">下载") && other.contains("lang=\"zh-Hans\""), "{other}");
    let spoken = invite.ca_words.join(" ");
    assert!(invite.ca_words.len() == 8 && phone.contains(&spoken) && other.contains(&spoken), "{phone}");
    assert!(phone.to_ascii_lowercase().contains("cache-control: no-store"));
    assert_eq!(invites.progress().visitors, ["127.0.0.1"]);
    assert!(invites.progress().fetched.is_empty());
}

#[tokio::test]
async fn each_form_is_given_out_once_and_the_page_closes_when_both_were() {
    let (invites, invite) = invited().await;

    let profile = ask(&invite, "GET", page::PROFILE, "").await;
    let again = ask(&invite, "GET", page::PROFILE, "").await;
    let certificate = ask(&invite, "GET", page::CERTIFICATE, "").await;

    assert!(
        profile.contains("application/x-apple-aspen-config") && profile.contains("com.apple.security.root")
    );
    assert!(again.starts_with("HTTP/1.1 410"), "{again}");
    assert!(certificate.contains("application/x-x509-ca-cert") && certificate.ends_with("\r\n\r\nder"));
    closed(&invites).await;
    assert!(TcpStream::connect(parts(&invite).0).await.is_err());
    assert_eq!(invites.progress().fetched, ["127.0.0.1"]);
}

#[tokio::test]
async fn nothing_else_is_served() {
    let (_invites, invite) = invited().await;
    let (host, path) = parts(&invite);

    for (request, status) in [
        (format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n"), "404"),
        (format!("GET {}x HTTP/1.1\r\nHost: {host}\r\n\r\n", &path[..path.len() - 1]), "404"),
        (format!("GET {path}/x HTTP/1.1\r\nHost: {host}\r\n\r\n"), "404"),
        (format!("GET {path}{} HTTP/1.1\r\nHost: evil.example\r\n\r\n", page::PROFILE), "404"),
        (format!("GET {path}{} HTTP/1.1\r\nHost: {host}\r\nHost: {host}\r\n\r\n", page::PROFILE), "4"),
        (format!("GET http://evil.example{path}{} HTTP/1.1\r\nHost: {host}\r\n\r\n", page::PROFILE), "404"),
        (format!("GET /t/..{path}{} HTTP/1.1\r\nHost: {host}\r\n\r\n", page::PROFILE), "404"),
        (format!("GET /{path}{} HTTP/1.1\r\nHost: {host}\r\n\r\n", page::PROFILE), "404"),
        (format!("GET /%74{}{} HTTP/1.1\r\nHost: {host}\r\n\r\n", &path[2..], page::PROFILE), "404"),
        (format!("GET {}{} HTTP/1.1\r\nHost: {host}\r\n\r\n", path.to_uppercase(), page::PROFILE), "404"),
        (format!("GET {path}{}/ HTTP/1.1\r\nHost: {host}\r\n\r\n", page::PROFILE), "404"),
        (format!("GET {path}/..{} HTTP/1.1\r\nHost: {host}\r\n\r\n", page::PROFILE), "404"),
        (format!("GET {path};{} HTTP/1.1\r\nHost: {host}\r\n\r\n", page::PROFILE), "404"),
        (format!("GET {path}%00 HTTP/1.1\r\nHost: {host}\r\n\r\n"), "404"),
        (format!("GET {path} HTTP/1.1\r\n\r\n"), "404"),
        (format!("POST {path} HTTP/1.1\r\nHost: {host}\r\ncontent-length: 0\r\n\r\n"), "405"),
        (format!("OPTIONS {path}{} HTTP/1.1\r\nHost: {host}\r\n\r\n", page::CERTIFICATE), "405"),
        (format!("HEAD {path}{} HTTP/1.1\r\nHost: {host}\r\n\r\n", page::PROFILE), "405"),
    ] {
        let answer = raw(&host, &request).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{request}: {answer}");
    }
    let profile = ask(&invite, "GET", page::PROFILE, "").await;
    assert!(profile.starts_with("HTTP/1.1 200"), "nothing of that was a download: {profile}");
}

#[tokio::test]
async fn an_invitation_ends_when_its_time_is_over_or_another_is_made() {
    let (invites, first) = invited().await;
    let (host, _) = parts(&first);
    let second =
        invites.open(authority(), Ipv4Addr::LOCALHOST.into(), &[], OffsetDateTime::UNIX_EPOCH).await.unwrap();
    assert_ne!(first.url, second.url);
    let old =
        ask(&TrustInvite { url: first.url.replace(&host, &parts(&second).0), ..first }, "GET", "", "").await;
    assert!(old.starts_with("HTTP/1.1 404"), "{old}");
    assert_eq!(second.expires_at, OffsetDateTime::UNIX_EPOCH + OPEN);

    tokio::time::pause();
    tokio::time::advance(OPEN + Duration::from_secs(1)).await;
    closed(&invites).await;
}

#[test]
fn strangers_are_not_let_in() {
    let address = |ip: &str, prefix, kind| InterfaceAddress {
        interface: "en0".to_owned(),
        ip: ip.parse().unwrap(),
        prefix,
        kind,
        temporary: false,
        deprecated: false,
    };
    let addresses = [address("192.168.1.5", 24, Kind::Private), address("203.0.113.7", 24, Kind::Global)];
    let served = Served {
        authority: authority(),
        host: String::new(),
        path: String::new(),
        networks: neighbours(&addresses),
        own: addresses.iter().map(|address| address.ip).collect(),
        seen: Arc::default(),
    };

    for (peer, expected) in [
        ("127.0.0.1", true),
        ("192.168.1.77", true),
        ("::ffff:192.168.1.77", true),
        ("203.0.113.7", true),
        ("203.0.113.8", false),
        ("192.168.2.77", false),
        ("fe80::1", false),
    ] {
        assert_eq!(served.lets_in(peer.parse().unwrap()), expected, "{peer}");
    }
}

#[tokio::test]
async fn no_listener_is_opened_on_a_public_address() {
    let public = InterfaceAddress {
        interface: "lo".to_owned(),
        ip: Ipv4Addr::LOCALHOST.into(),
        prefix: 8,
        kind: Kind::Global,
        temporary: false,
        deprecated: false,
    };
    let invites = Invites::default();

    let refused = invites
        .open(authority(), public.ip, std::slice::from_ref(&public), OffsetDateTime::UNIX_EPOCH)
        .await
        .unwrap_err();

    assert_eq!(refused.code, Code::Failed);
    assert!(!invites.progress().open);
}

#[tokio::test]
async fn a_stranger_gets_no_byte_and_counts_as_nobody() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let seen = Arc::new(Mutex::new(Seen::default()));
    let served = Served {
        authority: authority(),
        host: address.to_string(),
        path: "/t/x".to_owned(),
        networks: vec!["10.0.0.0/8".parse().unwrap()],
        own: Vec::new(),
        seen: Arc::clone(&seen),
    };
    assert!(!served.lets_in("203.0.113.8".parse().unwrap()));
    // Whoever comes from 127.0.0.2 is this machine, so the rule is asked about and not the network.
    for public in
        ["8.8.8.8", "2001:4860:4860::8888", "100.64.0.1", "169.254.0.1", "11.0.0.1", "::ffff:8.8.8.8"]
    {
        assert!(!served.lets_in(public.parse().unwrap()), "{public}");
    }
    assert!(seen.lock().unwrap().visitors.is_empty());
}

#[tokio::test]
async fn two_downloads_at_the_same_time_are_one() {
    let (_invites, invite) = invited().await;

    let (one, two) =
        tokio::join!(ask(&invite, "GET", page::PROFILE, ""), ask(&invite, "GET", page::PROFILE, ""));

    let given = [&one, &two].iter().filter(|answer| answer.starts_with("HTTP/1.1 200")).count();
    assert_eq!(given, 1, "{one}\n{two}");
}

#[tokio::test]
async fn a_slow_client_holds_nobody_up_takes_nothing_and_is_cut() {
    let (invites, invite) = invited().await;
    let (host, path) = parts(&invite);
    let mut slow = Vec::new();
    for _ in 0..16 {
        let mut stream = TcpStream::connect(&host).await.unwrap();
        stream
            .write_all(format!("GET {path}{} HTTP/1.1\r\nHost: {host}\r\n", page::PROFILE).as_bytes())
            .await
            .ok();
        slow.push(stream);
    }
    // Those past the limit are closed at once; four wait for the rest of their request.
    let mut closed = 0;
    for stream in &mut slow {
        let mut byte = [0_u8; 1];
        let read = tokio::time::timeout(Duration::from_millis(300), stream.read(&mut byte)).await;
        closed += usize::from(matches!(read, Ok(Ok(0) | Err(_))));
    }
    assert_eq!(closed, 12);
    drop(slow);
    tokio::time::sleep(Duration::from_millis(200)).await;

    let profile = ask(&invite, "GET", page::PROFILE, "").await;
    assert!(profile.starts_with("HTTP/1.1 200"), "{profile}");
    assert!(invites.progress().open);
}

#[tokio::test]
async fn a_client_that_never_finishes_its_request_is_cut_in_time() {
    let (_invites, invite) = invited().await;
    let (host, path) = parts(&invite);
    let mut stream = TcpStream::connect(&host).await.unwrap();
    stream.write_all(format!("GET {path} HTTP/1.1\r\n").as_bytes()).await.unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(11)).await;
    tokio::time::resume();

    let mut rest = Vec::new();
    let ended = tokio::time::timeout(Duration::from_secs(5), stream.read_to_end(&mut rest)).await;

    assert!(ended.is_ok(), "it is still open");
    assert!(!String::from_utf8_lossy(&rest).starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn the_profile_says_what_it_is_in_the_language_of_the_device() {
    let (_invites, invite) = invited().await;

    let profile = ask(&invite, "GET", page::PROFILE, "Accept-Language: zh-CN\r\n").await;

    assert!(profile.contains("让本设备信任"), "{profile}");
}
