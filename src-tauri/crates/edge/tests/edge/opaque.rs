//! After the handshake the edge is glass: whatever frames pass, valid or not, both ends get byte for byte what the other
//! end sent, as if they were connected directly.
//!
//! Streams are made from a number, which a failure names; `GATEHOUSE_OPAQUE_SEED` begins elsewhere and
//! `GATEHOUSE_OPAQUE_STREAMS` makes more of them.

use crate::kit::client::*;
use crate::kit::gateway::{Call, Gateway, header};
use crate::kit::{House, LONG, NAME};
use http::{Method, Request, Version};
use hyper::ext::Protocol as Extended;
use hyper_util::rt::TokioIo;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// Lengths at which a frame changes its form, or a buffer its owner.
const LENGTHS: [usize; 14] =
    [0, 1, 2, 124, 125, 126, 127, 4096, 16_383, 16_384, 65_535, 65_536, 65_537, 1024 * 1024];

/// Numbers that look random (xorshift64*), the same for the same seed.
struct Dice(u64);

impl Dice {
    fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % limit
    }

    fn bytes(&mut self, length: usize) -> Vec<u8> {
        let pattern: Vec<u8> = (0..251).map(|_| self.below(256) as u8).collect();
        pattern.iter().copied().cycle().take(length).collect()
    }
}

/// The frames of one direction: most as RFC 6455 has them, some as nobody should send them.
fn direction(dice: &mut Dice, client: bool) -> Vec<u8> {
    let mut out = Vec::new();
    for _ in 0..1 + dice.below(12) {
        let kind = dice.below(20);
        let length = if kind < 2 { LENGTHS[dice.below(LENGTHS.len())] } else { LENGTHS[dice.below(7)] };
        let payload = dice.bytes(length);
        let masked = client != (dice.below(16) == 0);
        match kind {
            // Whole messages, text that is no UTF-8 among them.
            0..=4 => out.extend(frame(0x81 + dice.below(2) as u8, masked, &payload)),
            // A message in pieces, with a ping between them.
            5..=8 => {
                out.extend(frame(0x01, masked, &payload));
                out.extend(frame(0x89, masked, b"between"));
                out.extend(frame(0x00, masked, &payload));
                out.extend(frame(0x80, masked, b""));
            }
            9 | 10 => out.extend(frame(0x89, masked, &dice.bytes(125))),
            11 => out.extend(frame(0x8a, masked, b"")),
            // Closes of every sort, with more behind them.
            12 | 13 => {
                let codes = [1000, 1001, 1005, 1006, 1012, 1015, 3000, 4000, 4999, 0, 999, 65_535];
                out.extend(close(masked, codes[dice.below(codes.len())], "bye \u{fffd}"));
            }
            14 => out.extend(frame(0x88, masked, b"\x03")),
            // Control frames that are too long or in pieces, opcodes and bits that nobody knows.
            15 => out.extend(frame(0x89, masked, &dice.bytes(126))),
            16 => out.extend(frame(0x09, masked, b"piece")),
            17 => out.extend(frame([0x83, 0x8b, 0xc1, 0xf2, 0x80][dice.below(5)], masked, &payload)),
            // A length of 64 bits that never comes, a longer form than needed, and no frame at all.
            18 => out.extend([0x82, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 2, 3, 4]),
            _ => out.extend(dice.bytes(1 + length % 4096)),
        }
    }
    out
}

/// Writes in pieces of any size.
async fn write(mut to: impl AsyncWrite + Unpin, bytes: &[u8], mut dice: Dice) {
    let mut rest = bytes;
    while !rest.is_empty() {
        let most = [1, 3, 100, 5000, 70_000][dice.below(5)];
        let (piece, more) = rest.split_at(rest.len().min(1 + dice.below(most)));
        to.write_all(piece).await.unwrap();
        to.flush().await.unwrap();
        rest = more;
    }
}

async fn read(mut from: impl AsyncRead + Unpin, count: usize) -> Vec<u8> {
    let mut bytes = vec![0; count];
    let mut have = 0;
    while have < count {
        match from.read(&mut bytes[have..]).await {
            Ok(0) | Err(_) => break,
            Ok(more) => have += more,
        }
    }
    bytes.truncate(have);
    bytes
}

/// Both directions at once; what arrived.
async fn both(stream: impl AsyncRead + AsyncWrite, send: &[u8], expect: usize, seed: u64) -> Vec<u8> {
    let (from, to) = tokio::io::split(stream);
    let (got, ()) = tokio::join!(read(from, expect), write(to, send, Dice::new(seed ^ 0xc0ffee)));
    got
}

/// A stream's two directions.
fn streams(seed: u64) -> (Vec<u8>, Vec<u8>) {
    let mut dice = Dice::new(seed);
    (direction(&mut dice, true), direction(&mut dice, false))
}

/// A gateway that sends the second direction of the stream named in the path, and keeps what it gets.
async fn gateway(got: Arc<Mutex<Vec<u8>>>) -> Gateway {
    Gateway::start(move |mut call: Call| {
        let got = got.clone();
        async move {
            let Some(head) = call.head_or_health().await else { return };
            if head.starts_with("GET /first ") {
                return call.ok("").await;
            }
            let seed: u64 = head.split(['/', ' ']).nth(2).unwrap().parse().unwrap();
            assert_eq!(header(&head, "upgrade").as_deref(), Some("websocket"));
            call.accept(&head).await;
            let (theirs, ours) = streams(seed);
            let early = call.early();
            let rest = both(&mut call.stream, &ours, theirs.len() - early.len(), seed + 1).await;
            *got.lock().unwrap() = [early, rest].concat();
            // The end of the stream tells the test that everything is here.
        }
    })
    .await
}

fn first_difference(left: &[u8], right: &[u8]) -> String {
    let at = left.iter().zip(right).take_while(|(left, right)| left == right).count();
    format!("{} and {} bytes, equal up to {at}", left.len(), right.len())
}

fn seeds() -> std::ops::Range<u64> {
    let number =
        |name, otherwise| std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise);
    let begin = number("GATEHOUSE_OPAQUE_SEED", 1);
    begin..begin + number("GATEHOUSE_OPAQUE_STREAMS", 40)
}

#[tokio::test]
async fn every_byte_passes_both_ways_over_http1() {
    let got = Arc::default();
    let gateway = gateway(Arc::clone(&got)).await;
    let house = House::open(gateway.address).await;
    for seed in seeds() {
        let (ours, theirs) = streams(seed);
        let passed = async {
            let mut stream = tls(&house, NAME, "http/1.1").await.unwrap();
            stream.write_all(handshake(&format!("/{seed}"), "").as_bytes()).await.unwrap();
            let head = read_head(&mut stream).await;
            assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
            let answer = both(&mut stream, &ours, theirs.len(), seed).await;
            read_to_end(&mut stream).await;
            answer
        };
        let answer =
            tokio::time::timeout(LONG, passed).await.unwrap_or_else(|_| panic!("stream {seed} stands still"));
        let arrived = std::mem::take(&mut *got.lock().unwrap());
        assert!(answer == theirs, "stream {seed} to the client: {}", first_difference(&answer, &theirs));
        assert!(arrived == ours, "stream {seed} to the gateway: {}", first_difference(&arrived, &ours));
    }
    house.until_open(0, 0).await;
}

#[tokio::test]
async fn every_byte_passes_both_ways_over_http2() {
    let got = Arc::default();
    let gateway = gateway(Arc::clone(&got)).await;
    let house = House::open(gateway.address).await;
    house.change(|settings| settings.websocket_over_h2 = gatehouse_edge::Http2WebSockets::Offered);
    let mut client = h2(&house, NAME).await;
    text(client.send_request(absolute(get("/first"))).await.unwrap()).await;
    for seed in seeds() {
        let (ours, theirs) = streams(seed);
        let connect = Request::builder()
            .method(Method::CONNECT)
            .version(Version::HTTP_2)
            .uri(format!("https://{NAME}:8443/{seed}"))
            .extension(Extended::from_static("websocket"))
            .header("sec-websocket-version", "13")
            .body(empty())
            .unwrap();
        let passed = async {
            let response = client.send_request(connect).await.unwrap();
            assert_eq!(response.status(), 200);
            let mut stream = TokioIo::new(hyper::upgrade::on(response).await.unwrap());
            let answer = both(&mut stream, &ours, theirs.len(), seed).await;
            read_to_end(&mut stream).await;
            answer
        };
        let answer =
            tokio::time::timeout(LONG, passed).await.unwrap_or_else(|_| panic!("stream {seed} stands still"));
        let arrived = std::mem::take(&mut *got.lock().unwrap());
        assert!(answer == theirs, "stream {seed} to the client: {}", first_difference(&answer, &theirs));
        assert!(arrived == ours, "stream {seed} to the gateway: {}", first_difference(&arrived, &ours));
    }
    house.until_open(1, 0).await;
}
