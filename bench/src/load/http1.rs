//! Requests on HTTP/1.1 with raw bytes.

use super::{Stream, Tally, Target};
use crate::Outcome;
use crate::tls::NAME;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Instant, sleep_until};

fn request(path: &str) -> Vec<u8> {
    format!(
        "GET {path} HTTP/1.1\r\nHost: {NAME}\r\nUser-Agent: bench/1.0 (load)\r\nAccept: */*\r\nAccept-Encoding: gzip\r\n\r\n"
    )
    .into_bytes()
}

pub(super) async fn run(target: &Target, tally: &Tally) -> Outcome<()> {
    let mut stream = target.connect().await?;
    let request = request("/status");
    let mut input = Vec::with_capacity(4096);
    loop {
        stream.write_all(&request).await?;
        if answer(&mut stream, &mut input).await? != 200 {
            return Err("not 200".into());
        }
        tally.add(1);
    }
}

/// One request on a connection of its own; says the status.
pub async fn once(target: &Target, path: &str) -> Outcome<u16> {
    let mut stream = target.connect().await?;
    stream.write_all(&request(path)).await?;
    answer(&mut stream, &mut Vec::new()).await
}

/// So many requests one after the other, one every `pause`, on a connection that is opened again where it ends. Says
/// how many were not answered with 200.
pub async fn statuses(target: Target, count: usize, pause: Duration) -> usize {
    let mut stream = None;
    let mut failed = 0;
    let mut due = Instant::now();
    let mut input = Vec::new();
    for _ in 0..count {
        sleep_until(due).await;
        due = due.max(Instant::now() - pause) + pause;
        let status = async {
            let mut open = match stream.take() {
                Some(open) => open,
                None => target.connect().await?,
            };
            open.write_all(&request("/status")).await?;
            let status = answer(&mut open, &mut input).await?;
            stream = Some(open);
            Outcome::Ok(status)
        };
        if !matches!(status.await, Ok(200)) {
            failed += 1;
            stream = None;
            input.clear();
        }
    }
    failed
}

/// Reads one answer with a Content-Length to its end; says its status.
pub(super) async fn answer(stream: &mut Stream, input: &mut Vec<u8>) -> Outcome<u16> {
    let end = loop {
        if let Some(end) = head_end(input) {
            break end;
        }
        if stream.read_buf(input).await? == 0 {
            return Err("the connection ended".into());
        }
    };
    let head = std::str::from_utf8(input.get(..end).unwrap_or_default())?;
    let status = head.get(9..12).unwrap_or_default().parse()?;
    let total = end + content_length(head).ok_or("no length")?;
    while input.len() < total {
        if stream.read_buf(input).await? == 0 {
            return Err("the connection ended".into());
        }
    }
    input.drain(..total);
    Ok(status)
}

/// The length of a head with the empty line behind it.
pub(super) fn head_end(input: &[u8]) -> Option<usize> {
    input.windows(4).position(|window| window == b"\r\n\r\n").map(|end| end + 4)
}

fn content_length(head: &str) -> Option<usize> {
    head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().ok())?
    })
}
