//! Hostile bytes over HTTP/1.1.
//!
//! A line of a case is sent with CRLF behind it, unless it ends in a single backslash. Behind every case goes a request for
//! `/behind` on the same connection: it is answered where the connection may go on, and must vanish where it may not.
//! Verdicts, one for each answer, in order:
//!
//! - `refused STATUS [CODE]`: the edge answers so (`A|B` = either) and closes; nothing of it reaches the gateway;
//! - `answered STATUS CODE`: the edge answers so and the connection goes on;
//! - `forwarded`: exactly one request reaches the gateway; `switched`: one handshake does, and becomes a tunnel;
//! - `cut STATUS CODE`: refused when its beginning may have been passed on; the gateway never sees an end of it;
//! - `closed`: no answer at all.
//!
//! Options: `alone` sends nothing behind it, `ends` says that the connection ends all the same, `localhost` asks for that
//! name, `front` and `hurry` are settings of the edge.

use super::recorder::{Came, Recorder};
use super::script::{Case, read, show, unescape};
use super::{compare, finish, folder, house, prepare};
use crate::kit::client::{KEY, tls};
use crate::kit::gateway::header;
use crate::kit::{House, NAME};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const BEHIND: &str =
    "GET /behind HTTP/1.1\r\nHost: mini.local\r\nX-Client: 198.51.100.7\r\nConnection: close\r\n\r\n";

#[tokio::test]
async fn lengths_are_said_in_one_way_or_refused() {
    run("h1-lengths").await;
}

#[tokio::test]
async fn lines_are_lines_or_refused() {
    run("h1-lines").await;
}

#[tokio::test]
async fn a_request_is_for_one_host_and_one_target_or_refused() {
    run("h1-targets").await;
}

#[tokio::test]
async fn nobody_passes_for_somebody_else() {
    run("h1-identity").await;
}

#[tokio::test]
async fn an_upgrade_is_a_complete_websocket_or_none() {
    run("h1-upgrades").await;
}

async fn run(file: &str) {
    let recorder = Recorder::start().await;
    let house = house(&recorder).await;
    let (mut seen, mut failures, mut requests) = (String::new(), Vec::new(), 0);
    for case in read(&folder().join(format!("{file}.txt"))) {
        match judge(&house, &recorder, &case).await {
            Ok(came) => {
                for (text, count) in came {
                    requests += count;
                    if !text.is_empty() {
                        seen += &format!("## {}\n{text}\n", case.name);
                    }
                }
            }
            Err(why) => failures.push(format!("## {}\n{why}\n", case.name)),
        }
    }
    assert!(failures.is_empty(), "{} of them:\n{}", failures.len(), failures.join("\n"));
    compare(file, &seen);
    finish(house, recorder, requests).await;
}

/// What the gateway got, as text, and whether it counts as a request.
type Got = Vec<(String, usize)>;

async fn judge(house: &House, recorder: &Recorder, case: &Case) -> Result<Got, String> {
    prepare(house, case);
    let alone = case.has("alone");
    let name = if case.has("localhost") { "localhost" } else { NAME };
    let behind = if alone { String::new() } else { BEHIND.replace(NAME, name) };
    let answers = exchange(house, name, &bytes(case, &behind), alone.then_some(case.verdict.len())).await;
    let told = answers.iter().map(|answer| answer.head.as_str()).collect::<String>();
    let last = case.verdict.last().map_or("", |words| words[0].as_str());
    let goes_on = !alone && matches!(last, "forwarded" | "answered") && !case.has("ends");
    let expected: Vec<_> = case.verdict.iter().filter(|words| words[0] != "closed").collect();
    let reached: usize = expected
        .iter()
        .map(|words| match words[0].as_str() {
            "forwarded" => 1,
            "switched" => 2,
            _ => 0,
        })
        .sum();
    let came = recorder.take(reached + usize::from(goes_on)).await;
    let wrong = |what: String| Err(format!("{what}\nanswers:\n{told}gateway: {came:?}"));
    if answers.len() != expected.len() + usize::from(goes_on) {
        return wrong(format!("{} answers", answers.len()));
    }
    for (words, answer) in expected.iter().zip(&answers) {
        if !answer.fits(words) {
            return wrong(format!("not {words:?}"));
        }
    }
    if came.len() != reached + usize::from(goes_on) {
        return wrong(format!("{} things reached the gateway", came.len()));
    }
    if goes_on && !matches!(came.last(), Some(Came::Request(bytes)) if bytes.starts_with(b"GET /behind ")) {
        return wrong("the request behind it was lost".to_owned());
    }
    let mut got = Vec::new();
    for came in &came {
        match came {
            Came::Request(bytes) if bytes.starts_with(b"GET /behind ") => got.push((String::new(), 1)),
            Came::Request(bytes) => got.push((anonymous(bytes), 1)),
            Came::Tunnel(bytes) => got.push((format!("tunnel:\n{}", show(bytes)), 0)),
            Came::Doubtful(_) => return wrong("something doubtful reached the gateway".to_owned()),
        }
    }
    Ok(got)
}

/// What a case sends.
fn bytes(case: &Case, behind: &str) -> Vec<u8> {
    let mut send = Vec::new();
    for line in &case.lines {
        match line.strip_suffix('\\').filter(|rest| !rest.ends_with('\\')) {
            Some(rest) => send.extend(unescape(rest)),
            None => send.extend([unescape(line).as_slice(), b"\r\n"].concat()),
        }
    }
    send.extend(behind.as_bytes());
    send
}

/// A request without its id and a key that the edge made.
pub(super) fn anonymous(bytes: &[u8]) -> String {
    let text = show(bytes);
    text.lines()
        .map(|line| match line.split_once(": ") {
            Some(("x-request-id", _)) => "x-request-id: ID\n".to_owned(),
            Some(("sec-websocket-key", key)) if key != KEY => "sec-websocket-key: KEY\n".to_owned(),
            _ => format!("{line}\n"),
        })
        .collect()
}

struct Answer {
    status: u16,
    code: Option<String>,
    head: String,
}

impl Answer {
    /// Whether it is what a verdict says.
    fn fits(&self, words: &[String]) -> bool {
        let passed = self.code.is_none() && matches!(self.status, 200 | 101);
        let status = |wish: &String| wish.split('|').any(|wish| wish.parse() == Ok(self.status));
        match words {
            [word] => passed && matches!(word.as_str(), "forwarded" | "switched"),
            // Whatever it is called, it is said to be ours.
            [_, wish] => status(wish) && self.code.is_some(),
            [_, wish, code] => status(wish) && self.code.as_ref() == Some(code),
            _ => false,
        }
    }
}

/// Sends bytes and reads answers until the connection ends, or until there are as many as wanted.
async fn exchange(house: &House, name: &str, send: &[u8], wanted: Option<usize>) -> Vec<Answer> {
    let mut stream = tls(house, name, "http/1.1").await.unwrap();
    // The edge may have closed before everything was written.
    let _ = stream.write_all(send).await;
    let mut bytes = Vec::new();
    let reading = async {
        loop {
            let answers = parse(&bytes);
            if wanted.is_some_and(|wanted| answers.len() >= wanted) {
                return answers;
            }
            if stream.read_buf(&mut bytes).await.unwrap_or(0) == 0 {
                return parse(&bytes);
            }
        }
    };
    // What never ends lacks an answer, or has one too many.
    match tokio::time::timeout(super::PATIENCE, reading).await {
        Ok(answers) => answers,
        Err(_) => {
            let mut answers = parse(&bytes);
            answers.push(Answer { status: 0, code: None, head: "(it never ends)\n".to_owned() });
            answers
        }
    }
}

/// The complete final answers.
fn parse(bytes: &[u8]) -> Vec<Answer> {
    let mut answers = Vec::new();
    let mut rest = bytes;
    while let Some(end) = rest.windows(4).position(|four| four == b"\r\n\r\n") {
        let head = String::from_utf8(rest[..end + 2].to_vec()).unwrap();
        let status: u16 = head[9..12].parse().unwrap();
        rest = &rest[end + 4..];
        if status == 100 {
            continue;
        }
        let length: usize = header(&head, "content-length").map_or(0, |length| length.parse().unwrap());
        if rest.len() < length {
            break;
        }
        rest = &rest[length..];
        answers.push(Answer { status, code: header(&head, "x-gatehouse-error"), head });
    }
    answers
}
