//! What the edge asks the certificates of public authorities.

use std::net::IpAddr;
use std::sync::Arc;

use gatehouse_certs::Resolver;
use gatehouse_edge::{ByEnds, CertificateSource, HttpChallenges};

/// What waits on the redirect port.
#[derive(Debug)]
pub(super) struct Tokens(pub(super) Arc<gatehouse_certs::acme::HttpTokens>);

impl HttpChallenges for Tokens {
    fn key_authorization(&self, token: &str) -> Option<String> {
        self.0.get(token)
    }
}

/// A client that comes from a public address, or to one, and sends no name uses a public address.
#[derive(Debug)]
pub(super) struct Ends(pub(super) Arc<Resolver>);

impl ByEnds for Ends {
    fn certificates(&self, peer: IpAddr, local: IpAddr) -> Option<CertificateSource> {
        self.0.at(local, peer)
    }
}
