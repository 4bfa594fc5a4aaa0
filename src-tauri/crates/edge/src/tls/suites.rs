//! Which cipher suite a session gets: ours to say, in the order of Mozilla's intermediate profile.
//!
//! AES-128 comes first: it is as safe as AES-256 here, and its key schedule runs on SHA-256, for which processors have
//! instructions and for SHA-384 most have not. A client that puts ChaCha20 before every AES suite has no AES instructions
//! itself, and gets ChaCha20 (RFC 8446 leaves the choice to the server).

use super::pieces::in_pieces;
use rustls::crypto::CryptoProvider;
use rustls::crypto::aws_lc_rs::{self, cipher_suite as suite};
use rustls::{CipherSuite, SupportedCipherSuite};
use std::sync::{Arc, LazyLock};

/// TLS 1.3, then TLS 1.2, each by preference.
const AES_FIRST: [SupportedCipherSuite; 9] = [
    suite::TLS13_AES_128_GCM_SHA256,
    suite::TLS13_AES_256_GCM_SHA384,
    suite::TLS13_CHACHA20_POLY1305_SHA256,
    suite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
    suite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
    suite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
    suite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
    suite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
    suite::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
];

/// The same, as we use them.
static OURS: LazyLock<[SupportedCipherSuite; 9]> = LazyLock::new(|| AES_FIRST.map(in_pieces));

/// The order for one client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// For those with AES instructions.
    AesFirst,
    /// For those without.
    ChachaFirst,
}

impl Order {
    /// Reads it from what the client offers; what we do not speak, as the values that browsers make up, does not count.
    pub(super) fn for_client(offered: &[CipherSuite]) -> Self {
        let first = offered.iter().find(|offer| AES_FIRST.iter().any(|ours| ours.suite() == **offer));
        if first.is_some_and(is_chacha) { Self::ChachaFirst } else { Self::AesFirst }
    }
}

fn is_chacha(suite: &CipherSuite) -> bool {
    matches!(
        suite,
        CipherSuite::TLS13_CHACHA20_POLY1305_SHA256
            | CipherSuite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256
            | CipherSuite::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256
    )
}

/// The same cryptography in both orders.
pub(super) struct Suites {
    aes: Arc<CryptoProvider>,
    chacha: Arc<CryptoProvider>,
}

impl Suites {
    pub(super) fn new() -> Self {
        let ordered = |order: Order| {
            let mut cipher_suites = OURS.to_vec();
            if order == Order::ChachaFirst {
                cipher_suites.sort_by_key(|suite| !is_chacha(&suite.suite()));
            }
            Arc::new(CryptoProvider { cipher_suites, ..aws_lc_rs::default_provider() })
        };
        Self { aes: ordered(Order::AesFirst), chacha: ordered(Order::ChachaFirst) }
    }

    pub(super) fn provider(&self, order: Order) -> Arc<CryptoProvider> {
        Arc::clone(match order {
            Order::AesFirst => &self.aes,
            Order::ChachaFirst => &self.chacha,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GREASE: CipherSuite = CipherSuite::Unknown(0x1a1a);

    #[test]
    fn chacha_is_for_those_who_put_it_before_every_aes_suite() {
        use CipherSuite as S;
        let cases: [(&[CipherSuite], Order); 6] = [
            (&[S::TLS13_AES_256_GCM_SHA384, S::TLS13_CHACHA20_POLY1305_SHA256], Order::AesFirst),
            (&[S::TLS13_CHACHA20_POLY1305_SHA256, S::TLS13_AES_128_GCM_SHA256], Order::ChachaFirst),
            (&[GREASE, S::TLS13_CHACHA20_POLY1305_SHA256, S::TLS13_AES_128_GCM_SHA256], Order::ChachaFirst),
            (
                &[S::TLS_RSA_WITH_AES_128_CBC_SHA, S::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256],
                Order::ChachaFirst,
            ),
            (&[GREASE], Order::AesFirst),
            (&[], Order::AesFirst),
        ];
        for (offered, order) in cases {
            assert_eq!(Order::for_client(offered), order, "{offered:?}");
        }
    }

    #[test]
    fn both_orders_hold_every_suite_of_the_library_and_no_other() {
        let names = |suites: &[SupportedCipherSuite]| {
            let mut names: Vec<u16> = suites.iter().map(|suite| suite.suite().into()).collect();
            names.sort_unstable();
            names
        };
        let all = names(&aws_lc_rs::default_provider().cipher_suites);
        let suites = Suites::new();
        assert_eq!(names(&suites.provider(Order::AesFirst).cipher_suites), all);
        assert_eq!(names(&suites.provider(Order::ChachaFirst).cipher_suites), all);
        let first = |order| suites.provider(order).cipher_suites.first().map(SupportedCipherSuite::suite);
        assert_eq!(first(Order::AesFirst), Some(CipherSuite::TLS13_AES_128_GCM_SHA256));
        assert_eq!(first(Order::ChachaFirst), Some(CipherSuite::TLS13_CHACHA20_POLY1305_SHA256));
    }
}
