use super::*;
use proptest::prelude::*;

const GET: &str = "GET / HTTP/1.1\r\nHost: mini.local\r\n";
const POST: &str = "POST /x HTTP/1.1\r\nHost: mini.local\r\n";

/// What it says of these bytes, shown at once. Shown in any other pieces it must come to the same end.
fn see(bytes: &[u8]) -> Result<u64, (usize, EdgeError)> {
    let whole = in_pieces(bytes, usize::MAX);
    for size in [1, 2, 3, 7, 64] {
        let pieces = in_pieces(bytes, size);
        match (whole, pieces) {
            (Err((_, one)), Err((_, other))) => assert_eq!(one, other, "{size}"),
            (one, other) => assert_eq!(one, other, "{size}"),
        }
    }
    whole
}

fn in_pieces(bytes: &[u8], size: usize) -> Result<u64, (usize, EdgeError)> {
    let mut framing = Framing::new(&Limits::default());
    let mut seen = 0;
    for piece in bytes.chunks(size.min(bytes.len().max(1))) {
        framing.see(piece).map_err(|refusal| (seen + refusal.passed, refusal.error))?;
        seen += piece.len();
    }
    Ok(framing.heads())
}

#[test]
fn honest_requests_pass_one_after_the_other() {
    for (bytes, heads) in [
        (format!("{GET}\r\n{GET}\r\n"), 2),
        (format!("\r\n{GET}\r\n\r\n{GET}\r\n"), 2),
        (format!("{POST}Content-Length: 5\r\n\r\nhe\r\no{GET}\r\n"), 2),
        (format!("{POST}content-length:\t 0 \r\n\r\n{GET}\r\n"), 2),
        (format!("{POST}Transfer-Encoding: Chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n{GET}\r\n"), 2),
        (
            format!(
                "{POST}Transfer-Encoding: chunked\r\n\r\n00a;x=\"y z\"\r\n0123456789\r\n0\r\nX-Sum: 1\r\n\r\n{GET}\r\n"
            ),
            2,
        ),
        ("GET http://mini.local/x?y=%20 HTTP/1.0\r\nHost: mini.local\r\n\r\n".to_owned(), 1),
        (format!("{GET}Expect: 100-continue\r\nX: caf\u{e9}\r\nEmpty:\r\n\r\n"), 1),
        // Behind the offer of a WebSocket anything may follow.
        (format!("{GET}Connection: upgrade\r\nUpgrade: websocket\r\n\r\n\0\r\x01\n"), 1),
    ] {
        assert_eq!(see(bytes.as_bytes()), Ok(heads), "{bytes}");
    }
}

#[test]
fn whatever_can_be_read_in_two_ways_is_refused() {
    use EdgeError as E;
    let chunked = format!("{POST}Transfer-Encoding: chunked\r\n\r\n");
    for (bytes, error) in [
        // Lengths.
        (format!("{POST}Content-Length: 5\r\nContent-Length: 5\r\n\r\n"), E::BadContentLength),
        (format!("{POST}Content-Length: 5\r\ncontent-length: 6\r\n\r\n"), E::BadContentLength),
        (format!("{POST}Content-Length: 5, 5\r\n\r\n"), E::BadContentLength),
        (format!("{POST}Content-Length: +5\r\n\r\n"), E::BadContentLength),
        (format!("{POST}Content-Length: 0x5\r\n\r\n"), E::BadContentLength),
        (format!("{POST}Content-Length:\r\n\r\n"), E::BadContentLength),
        (format!("{POST}Content-Length: 18446744073709551616\r\n\r\n"), E::BadContentLength),
        (format!("{POST}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"), E::AmbiguousLength),
        (format!("{POST}Transfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n"), E::AmbiguousLength),
        (
            format!("{POST}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n"),
            E::BadTransferEncoding,
        ),
        (format!("{POST}Transfer-Encoding: gzip, chunked\r\n\r\n"), E::BadTransferEncoding),
        (format!("{POST}Transfer-Encoding: identity\r\n\r\n"), E::BadTransferEncoding),
        (format!("{POST}Transfer-Encoding: chunked;x\r\n\r\n"), E::BadTransferEncoding),
        (format!("{POST}Transfer-Encoding:\x0bchunked\r\n\r\n"), E::BadTransferEncoding),
        ("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n".to_owned(), E::BadTransferEncoding),
        // Lines.
        ("GET / HTTP/1.1\nHost: mini.local\n\n".to_owned(), E::BadHeader),
        (format!("{GET}X: y\n\r\n"), E::BadHeader),
        (format!("{GET}X: y\rZ: z\r\n\r\n"), E::BadHeader),
        (format!("{GET}\r{GET}\r\n"), E::BadHeader),
        (format!("{GET}X: y\r\r\n\r\n"), E::BadHeader),
        (format!("{GET}X: y\r\n folded\r\n\r\n"), E::BadHeader),
        (format!("{GET}X: y\r\n\tfolded: z\r\n\r\n"), E::BadHeader),
        (format!("{GET}X : y\r\n\r\n"), E::BadHeader),
        (format!("{GET}X\t: y\r\n\r\n"), E::BadHeader),
        (format!("{GET}: y\r\n\r\n"), E::BadHeader),
        (format!("{GET}X\r\n\r\n"), E::BadHeader),
        (format!("{GET}X\0Y: z\r\n\r\n"), E::BadHeader),
        (format!("{GET}X\u{e9}: z\r\n\r\n"), E::BadHeader),
        (format!("\r\n\r\n{GET}\r\n"), E::BadTarget),
        // Request lines.
        ("GET  / HTTP/1.1\r\n\r\n".to_owned(), E::BadTarget),
        ("GET / HTTP/1.1 \r\n\r\n".to_owned(), E::BadTarget),
        ("GET /\tx HTTP/1.1\r\n\r\n".to_owned(), E::BadTarget),
        ("GET /a#b HTTP/1.1\r\n\r\n".to_owned(), E::BadTarget),
        ("GET /\u{e9} HTTP/1.1\r\n\r\n".to_owned(), E::BadTarget),
        ("GET /\r\n".to_owned(), E::BadTarget),
        (" GET / HTTP/1.1\r\n\r\n".to_owned(), E::BadTarget),
        ("G(T / HTTP/1.1\r\n\r\n".to_owned(), E::BadHeader),
        ("GET / http/1.1\r\n\r\n".to_owned(), E::BadHeader),
        ("GET / HTTP/1.10\r\n\r\n".to_owned(), E::BadHeader),
        ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned(), E::VersionRefused),
        // Chunks.
        (format!("{chunked}5\nhello\r\n0\r\n\r\n"), E::BadBody),
        (format!("{chunked}5\r\nhello0\r\n\r\n"), E::BadBody),
        (format!("{chunked}5\r\nhello\n0\r\n\r\n"), E::BadBody),
        (format!("{chunked}5 \r\nhello\r\n0\r\n\r\n"), E::BadBody),
        (format!("{chunked} 5\r\nhello\r\n0\r\n\r\n"), E::BadBody),
        (format!("{chunked}0x5\r\nhello\r\n0\r\n\r\n"), E::BadBody),
        (format!("{chunked}-5\r\nhello\r\n0\r\n\r\n"), E::BadBody),
        (format!("{chunked}\r\nhello\r\n0\r\n\r\n"), E::BadBody),
        (format!("{chunked}10000000000000005\r\nhello\r\n0\r\n\r\n"), E::BadBody),
        (format!("{chunked}5 ;x\r\nhello\r\n0\r\n\r\n"), E::BadBody),
        (format!("{chunked}5;\r\nhello\r\n0\r\n\r\n"), E::BadBody),
        (format!("{chunked}5; x\r\nhello\r\n0\r\n\r\n"), E::BadBody),
        (format!("{chunked}5;x\0y\r\nhello\r\n0\r\n\r\n"), E::BadBody),
        (format!("{chunked}5;x\ry\r\nhello\r\n0\r\n\r\n"), E::BadBody),
        (format!("{chunked}5;{}\r\nhello\r\n0\r\n\r\n", "x".repeat(300)), E::BadBody),
        (format!("{chunked}0\r\nContent-Length: 5\r\n\r\n"), E::BadBody),
        (format!("{chunked}0\r\n folded\r\n\r\n"), E::BadBody),
        (format!("{chunked}0\r\n{}\r\n", "x: y\r\n".repeat(TRAILERS + 1)), E::BadBody),
        (format!("{GET}X: {}", "x".repeat(64 * 1024)), E::HeadersTooLarge),
    ] {
        assert_eq!(see(bytes.as_bytes()).map_err(|(_, error)| error), Err(error), "{bytes}");
    }
}

#[test]
fn of_a_refused_head_nothing_passes_that_would_complete_it() {
    let bytes = format!("{GET}\r\n{POST}Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello");
    let (passed, _) = see(bytes.as_bytes()).unwrap_err();
    assert!(bytes[..passed].ends_with("Content-Length: 5"), "{}", &bytes[..passed]);
    let bytes = "GET / HTTP/1.1\nHost: mini.local\n\n";
    assert_eq!(see(bytes.as_bytes()).unwrap_err().0, "GET / HTTP/1.1".len());
}

#[test]
fn of_a_refused_chunk_line_nothing_passes() {
    let head = format!("{POST}Transfer-Encoding: chunked\r\n\r\n");
    let mut framing = Framing::new(&Limits::default());
    let refusal = framing.see(format!("{head}0;x\0\r\n\r\n").as_bytes()).unwrap_err();
    assert_eq!((refusal.passed, refusal.in_head), (head.len(), false));
    assert_eq!(framing.refusal(), Some(EdgeError::BadBody));
    assert!(framing.see(b"\r\n").is_err(), "for good");
}

proptest! {
    #[test]
    fn how_bytes_are_cut_into_pieces_changes_nothing(
        parts in proptest::collection::vec(proptest::sample::select(vec![
            "GET / HTTP/1.1\r\n", "Host: a\r\n", "\r\n", "Content-Length: 3\r\n", "abc", "3\r\nabc\r\n", "0\r\n\r\n",
            "Transfer-Encoding: chunked\r\n", "\r", "\n", "X: y\r\n", "Upgrade: websocket\r\n", " ", "5", ":",
        ]), 0..24),
        size in 1..40_usize,
    ) {
        let bytes = parts.concat();
        let (whole, pieces) = (in_pieces(bytes.as_bytes(), usize::MAX), in_pieces(bytes.as_bytes(), size));
        match (whole, pieces) {
            (Err((_, one)), Err((_, other))) => prop_assert_eq!(one, other),
            (one, other) => prop_assert_eq!(one, other),
        }
    }
}

/// `cargo test --release -p gatehouse-edge framing_cost -- --ignored --nocapture`
#[test]
#[ignore = "a measurement"]
fn framing_cost() {
    let browser = format!(
        "{GET}Connection: keep-alive\r\nUser-Agent: Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 \
         (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36\r\nAccept: text/html,application/xhtml+xml,*/*;q=0.8\r\n\
         Accept-Encoding: gzip, deflate, br, zstd\r\nAccept-Language: en-US,en;q=0.9\r\nSec-Fetch-Mode: navigate\r\n\
         Cookie: session=0123456789abcdef0123456789abcdef\r\n\r\n"
    );
    for (name, bytes) in [("wrk", format!("{GET}\r\n")), ("browser", browser)] {
        let mut framing = Framing::new(&Limits::default());
        let count = 1_000_000_u32;
        let began = std::time::Instant::now();
        for _ in 0..count {
            framing.see(std::hint::black_box(bytes.as_bytes())).unwrap();
        }
        println!("{name}: {} bytes, {:?} per head", bytes.len(), began.elapsed() / count);
    }
}
