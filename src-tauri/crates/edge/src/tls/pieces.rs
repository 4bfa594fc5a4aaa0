//! TLS 1.3 with plaintext that goes into its record in small pieces.
//!
//! A copy of 4 KiB or more is `rep movsb` in glibc 2.36, and on AMD's Zen 3 that is three times slower than its vector
//! loop where the target is not aligned. In a record it never is: five bytes of header come first. Below 4 KiB every
//! C library uses the loop. What is copied and how it is encrypted stays rustls' work.

use rustls::crypto::cipher::{
    AeadKey, Iv, MessageDecrypter, MessageEncrypter, OutboundChunks, OutboundOpaqueMessage,
    OutboundPlainMessage, Tls13AeadAlgorithm, UnsupportedOperationError,
};
use rustls::{CipherSuiteCommon, ConnectionTrafficSecrets, Error, SupportedCipherSuite, Tls13CipherSuite};

/// Bytes of one piece.
const PIECE: usize = 2 * 1024;
/// Pieces of one record, which carries 16 KiB at most (RFC 8446 §5.1).
const PIECES: usize = 8;

/// The same suite, filling its records in pieces. Lives as long as the program, so it is for tables that are made once.
pub(super) fn in_pieces(suite: SupportedCipherSuite) -> SupportedCipherSuite {
    let SupportedCipherSuite::Tls13(&Tls13CipherSuite { ref common, hkdf_provider, aead_alg, quic }) = suite
    else {
        return suite;
    };
    SupportedCipherSuite::Tls13(Box::leak(Box::new(Tls13CipherSuite {
        common: CipherSuiteCommon {
            suite: common.suite,
            hash_provider: common.hash_provider,
            confidentiality_limit: common.confidentiality_limit,
        },
        hkdf_provider,
        aead_alg: Box::leak(Box::new(InPieces(aead_alg))),
        quic,
    })))
}

struct InPieces(&'static dyn Tls13AeadAlgorithm);

impl Tls13AeadAlgorithm for InPieces {
    fn encrypter(&self, key: AeadKey, iv: Iv) -> Box<dyn MessageEncrypter> {
        Box::new(Encrypter(self.0.encrypter(key, iv)))
    }

    fn decrypter(&self, key: AeadKey, iv: Iv) -> Box<dyn MessageDecrypter> {
        self.0.decrypter(key, iv)
    }

    fn key_len(&self) -> usize {
        self.0.key_len()
    }

    fn extract_keys(
        &self,
        key: AeadKey,
        iv: Iv,
    ) -> Result<ConnectionTrafficSecrets, UnsupportedOperationError> {
        self.0.extract_keys(key, iv)
    }

    fn fips(&self) -> bool {
        self.0.fips()
    }
}

struct Encrypter(Box<dyn MessageEncrypter>);

impl MessageEncrypter for Encrypter {
    fn encrypt(
        &mut self,
        message: OutboundPlainMessage<'_>,
        sequence: u64,
    ) -> Result<OutboundOpaqueMessage, Error> {
        let OutboundPlainMessage { typ, version, payload } = message;
        let mut pieces: [&[u8]; PIECES] = [&[]; PIECES];
        let payload = match payload {
            OutboundChunks::Single(whole) if whole.len() > PIECE && whole.len() <= PIECE * PIECES => {
                for (piece, part) in pieces.iter_mut().zip(whole.chunks(PIECE)) {
                    *piece = part;
                }
                OutboundChunks::new(&pieces)
            }
            other => other,
        };
        self.0.encrypt(OutboundPlainMessage { typ, version, payload }, sequence)
    }

    fn encrypted_payload_len(&self, payload_len: usize) -> usize {
        self.0.encrypted_payload_len(payload_len)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustls::crypto::aws_lc_rs::cipher_suite::TLS13_AES_256_GCM_SHA384 as PLAIN;
    use rustls::{ContentType, ProtocolVersion};

    fn record(suite: SupportedCipherSuite, payload: &[u8]) -> Vec<u8> {
        let SupportedCipherSuite::Tls13(suite) = suite else { panic!("TLS 1.3") };
        let mut encrypter = suite.aead_alg.encrypter(AeadKey::from([7; 32]), Iv::from([9; 12]));
        let message = OutboundPlainMessage {
            typ: ContentType::ApplicationData,
            version: ProtocolVersion::TLSv1_3,
            payload: OutboundChunks::Single(payload),
        };
        assert!(encrypter.encrypted_payload_len(payload.len()) > payload.len());
        encrypter.encrypt(message, 3).unwrap().encode()
    }

    #[test]
    fn a_record_filled_in_pieces_is_the_same_record() {
        for length in [0, 1, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE, 16_383, 16_384, 16_385] {
            let payload: Vec<u8> = (0..length).map(|index| (index % 251) as u8).collect();
            assert_eq!(record(in_pieces(PLAIN), &payload), record(PLAIN, &payload), "{length} bytes");
        }
    }
}
