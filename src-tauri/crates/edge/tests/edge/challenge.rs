//! A certificate authority asks.

use crate::kit::client::read_to_end;
use crate::kit::gateway::Gateway;
use crate::kit::{NAME, settings, until};
use gatehouse_edge::{Challenges, Edge, EdgeOptions, HttpChallenges, Listener, ListenerKind};
use rcgen::{CertificateParams, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, RootCertStore};
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

const TOKEN: &str = "DGyRejmCefe7v4NfDGDKfA_-x";

#[derive(Debug)]
struct Waited;

impl HttpChallenges for Waited {
    fn key_authorization(&self, token: &str) -> Option<String> {
        (token == TOKEN).then(|| format!("{token}.thumb"))
    }
}

/// One certificate for everybody, another for authorities that ask for [`NAME`].
#[derive(Debug)]
struct Two {
    everyday: Arc<CertifiedKey>,
    challenge: Arc<CertifiedKey>,
}

impl ResolvesServerCert for Two {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let acme = hello.alpn().is_some_and(|offered| offered.eq([b"acme-tls/1".as_slice()]));
        if !acme {
            return Some(self.everyday.clone());
        }
        (hello.server_name() == Some(NAME)).then(|| self.challenge.clone())
    }
}

fn key() -> (Arc<CertifiedKey>, CertificateDer<'static>) {
    let key = KeyPair::generate().unwrap();
    let names = [NAME, "other.local"].map(str::to_owned);
    let leaf = CertificateParams::new(names).unwrap().self_signed(&key).unwrap().der().clone();
    let private = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let provider = rustls::crypto::aws_lc_rs::default_provider();
    (Arc::new(CertifiedKey::from_der(vec![leaf.clone()], private, &provider).unwrap()), leaf)
}

struct Asked {
    _edge: Edge,
    https: SocketAddr,
    plain: SocketAddr,
    everyday: CertificateDer<'static>,
    challenge: CertificateDer<'static>,
}

async fn asked(gateway: &Gateway) -> Asked {
    let ((everyday, everyday_der), (challenge, challenge_der)) = (key(), key());
    let options = EdgeOptions {
        challenges: Challenges { http: Some(Arc::new(Waited)), by_ends: None },
        ..EdgeOptions::default()
    };
    let edge =
        Edge::start(options, Arc::new(Two { everyday, challenge }), settings(gateway.address)).unwrap();
    let any = "127.0.0.1:0".parse().unwrap();
    let redirect = ListenerKind::Redirect { https_port: 443 };
    edge.listen(&[
        Listener { address: any, kind: ListenerKind::Https },
        Listener { address: any, kind: redirect },
    ])
    .await
    .unwrap();
    let at = |kind| edge.listening().iter().find(|one| one.kind == kind).unwrap().address;
    let (https, plain) = (at(ListenerKind::Https), at(redirect));
    Asked { _edge: edge, https, plain, everyday: everyday_der, challenge: challenge_der }
}

impl Asked {
    /// What a client sees that asks for `name` with these protocols: the leaf, and what comes after a request.
    async fn over_tls(
        &self,
        name: &str,
        alpn: &[&[u8]],
    ) -> std::io::Result<(CertificateDer<'static>, Vec<u8>)> {
        let mut roots = RootCertStore::empty();
        roots.add(self.everyday.clone()).unwrap();
        roots.add(self.challenge.clone()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = alpn.iter().map(|name| name.to_vec()).collect();
        let tcp = TcpStream::connect(self.https).await?;
        let name = ServerName::try_from(name.to_owned()).unwrap();
        let mut stream = TlsConnector::from(Arc::new(config)).connect(name, tcp).await?;
        let leaf = stream.get_ref().1.peer_certificates().unwrap()[0].clone();
        let request = format!("GET / HTTP/1.1\r\nHost: {NAME}\r\nConnection: close\r\n\r\n");
        let mut heard = Vec::new();
        if stream.write_all(request.as_bytes()).await.is_ok() {
            let _ = stream.read_to_end(&mut heard).await;
        }
        Ok((leaf, heard))
    }

    async fn plainly(&self, path: &str, host: &str) -> String {
        let mut stream = TcpStream::connect(self.plain).await.unwrap();
        stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n").as_bytes()).await.unwrap();
        read_to_end(&mut stream).await
    }
}

#[tokio::test]
async fn an_authority_gets_the_certificate_of_its_challenge_and_no_http() {
    let gateway = Gateway::echo().await;
    let house = asked(&gateway).await;

    let (leaf, heard) = house.over_tls(NAME, &[b"acme-tls/1"]).await.unwrap();

    assert_eq!(leaf, house.challenge);
    assert_eq!(heard, b"");
    assert!(gateway.heads().is_empty());
    assert!(house.over_tls("other.local", &[b"acme-tls/1"]).await.is_err(), "nobody waits for that name");
}

#[tokio::test]
async fn a_client_that_offers_more_than_the_challenge_is_an_everyday_client() {
    let gateway = Gateway::echo().await;
    let house = asked(&gateway).await;

    let (leaf, heard) = house.over_tls(NAME, &[b"acme-tls/1", b"http/1.1"]).await.unwrap();

    assert_eq!(leaf, house.everyday);
    assert!(heard.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&heard));
    until(|| gateway.heads().len() == 1).await;
}

#[tokio::test]
async fn a_token_that_is_waited_for_is_answered_whatever_the_host_and_no_other() {
    let gateway = Gateway::echo().await;
    let house = asked(&gateway).await;
    let path = format!("/.well-known/acme-challenge/{TOKEN}");

    for host in [NAME, "not-served-yet.example", "203.0.113.7"] {
        let answer = house.plainly(&path, host).await;
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
        assert!(answer.ends_with(&format!("\r\n\r\n{TOKEN}.thumb")), "{answer}");
    }
    for other in [
        "/.well-known/acme-challenge/unknown",
        "/.well-known/acme-challenge/",
        "/.well-known/acme-challenge/a%2e",
    ] {
        let answer = house.plainly(other, NAME).await;
        assert!(answer.starts_with("HTTP/1.1 308 "), "{answer}");
    }
    assert!(gateway.heads().is_empty());
}
