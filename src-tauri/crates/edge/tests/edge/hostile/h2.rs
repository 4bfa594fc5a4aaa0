//! Hostile frames over HTTP/2.
//!
//! After the preface, our SETTINGS and the frames of a case comes a PING. Verdicts, in any order, and nothing else may
//! come:
//!
//! - `fine`: the PING is answered; `goaway CODE`: the connection ends with this error (`A|B` = either);
//! - `reset STREAM CODE`: the stream ends with this error and the connection goes on;
//! - `refused STREAM STATUS CODE`: the edge answers so, nothing reaches the gateway, and the connection goes on;
//! - `forwarded STREAM`: exactly one request reaches the gateway and is answered; `switched STREAM`: one handshake is;
//! - `cut STREAM CODE`: reset when its beginning may have been passed on; the gateway never sees an end of it;
//! - `closed`: the connection ends without a word.
//!
//! `@raw` sends no preface, `@quiet` no PING; `@flood` does not look at single streams.

mod frames;

use super::h1::anonymous;
use super::recorder::{Came, Recorder};
use super::script::{Case, read};
use super::{compare, finish, folder, house, prepare};
use crate::kit::client::tls;
use crate::kit::{House, NAME};
use frames::{Frame, PREFACE, error_name, frame, parse, settings_without_table};
use std::collections::BTreeSet;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const PING: &[u8; 8] = b"\0hostile";

#[tokio::test]
async fn pseudo_headers_and_fields_say_one_thing_or_are_refused() {
    run("h2-requests").await;
}

#[tokio::test]
async fn frames_are_those_of_rfc_9113_or_refused() {
    run("h2-frames").await;
}

#[tokio::test]
async fn streams_live_as_rfc_9113_says() {
    run("h2-streams").await;
}

#[tokio::test]
async fn floods_end_in_goaway() {
    run("h2-floods").await;
}

async fn run(file: &str) {
    let recorder = Recorder::start().await;
    let house = house(&recorder).await;
    let (mut seen, mut failures, mut requests) = (String::new(), Vec::new(), 0);
    for case in read(&folder().join(format!("{file}.txt"))) {
        match judge(&house, &recorder, &case).await {
            Ok(got) => {
                requests += got.len();
                for request in got {
                    seen += &format!("## {}\n{request}\n", case.name);
                }
            }
            Err(why) => failures.push(format!("## {}\n{why}\n", case.name)),
        }
    }
    assert!(failures.is_empty(), "{} of them:\n{}", failures.len(), failures.join("\n"));
    compare(file, &seen);
    finish(house, recorder, requests).await;
}

async fn judge(house: &House, recorder: &Recorder, case: &Case) -> Result<Vec<String>, String> {
    prepare(house, case);
    let mut send = Vec::new();
    if !case.has("raw") {
        send.extend(PREFACE);
        send.extend(settings_without_table());
    }
    send.extend(parse(&case.lines));
    if !case.has("quiet") {
        send.extend(frame(6, 0, 0, PING));
    }
    let wanted: BTreeSet<String> = case.verdict.iter().map(|words| words.join(" ")).collect();
    let count = |word: &str| case.verdict.iter().filter(|words| words[0] == word).count();
    let connection_lives = count("goaway") + count("closed") == 0;
    let mut expected = wanted.clone();
    if connection_lives && !case.has("quiet") {
        expected.insert("fine".to_owned());
    }
    let mut seen = talk(house, &send, &expected).await;
    if case.has("flood") {
        seen.retain(|event| !event.starts_with("reset "));
    }
    let least = count("forwarded") + count("switched") * 2;
    let mut came = recorder.take(least).await;
    let wrong = |what: &str| Err(format!("{what}\nwanted: {expected:?}\nseen: {seen:?}\ngateway: {came:?}"));
    if !matches(&expected, &seen) {
        return wrong("another answer");
    }
    let requests = came.iter().filter(|came| matches!(came, Came::Request(_))).count();
    let tunnels = came.iter().filter(|came| matches!(came, Came::Tunnel(_))).count();
    if requests != count("forwarded") + count("switched") || tunnels != count("switched") {
        return wrong("not what should reach the gateway");
    }
    if requests + tunnels != came.len() {
        return wrong("something doubtful reached the gateway");
    }
    let mut requests: Vec<_> = came
        .drain(..)
        .filter_map(|came| match came {
            Came::Request(bytes) => Some(anonymous(&bytes)),
            _ => None,
        })
        .collect();
    requests.sort();
    Ok(requests)
}

/// Whether the same happened as was wanted, where `A|B` is either.
fn matches(wanted: &BTreeSet<String>, seen: &BTreeSet<String>) -> bool {
    let fits = |wish: &str, event: &str| {
        let (wish, event): (Vec<_>, Vec<_>) = (wish.split(' ').collect(), event.split(' ').collect());
        wish.len() == event.len()
            && wish.iter().zip(&event).all(|(wish, word)| wish.split('|').any(|one| one == *word))
    };
    let as_seen = |wish: &String| match wish.split_once(' ') {
        Some(("cut", rest)) => format!("reset {rest}"),
        _ => wish.clone(),
    };
    let wishes: Vec<_> = wanted.iter().map(as_seen).collect();
    wishes.iter().all(|wish| seen.iter().any(|event| fits(wish, event)))
        && seen.iter().all(|event| wishes.iter().any(|wish| fits(wish, event)))
}

/// Sends bytes and collects what comes, until the connection ends or everything that was expected has come.
async fn talk(house: &House, send: &[u8], expected: &BTreeSet<String>) -> BTreeSet<String> {
    let stream = tls(house, NAME, "h2").await.unwrap();
    let (mut reading, mut writing) = tokio::io::split(stream);
    let mut talk = Talk::default();
    let writes = async {
        // The edge may close before everything was written.
        let _ = writing.write_all(send).await;
        let _ = writing.flush().await;
        std::future::pending::<()>().await;
    };
    let reads = async {
        let mut bytes = Vec::new();
        loop {
            while let Some((frame, length)) = Frame::read(&bytes) {
                bytes.drain(..length);
                talk.heard(&frame);
            }
            // A tunnel whose end has come already was one all the same.
            for wish in expected.iter().filter(|wish| wish.starts_with("switched ")) {
                if talk.events.remove(&wish.replace("switched", "forwarded")) {
                    talk.events.insert(wish.clone());
                }
            }
            let over = expected.iter().any(|wish| wish.starts_with("goaway") || wish == "closed");
            if !over && matches(expected, &talk.events) {
                return;
            }
            if reading.read_buf(&mut bytes).await.unwrap_or(0) == 0 {
                if !talk.events.iter().any(|event| event.starts_with("goaway")) {
                    talk.events.insert("closed".to_owned());
                }
                return;
            }
        }
    };
    tokio::select! {
        () = writes => {}
        done = tokio::time::timeout(super::PATIENCE, reads) => if done.is_err() {
            talk.events.insert("timeout".to_owned());
        }
    }
    talk.events
}

/// What was heard on a connection.
#[derive(Default)]
struct Talk {
    events: BTreeSet<String>,
    answers: std::collections::BTreeMap<u32, (u16, Vec<u8>)>,
}

impl Talk {
    fn heard(&mut self, frame: &Frame) {
        let stream = frame.stream;
        match frame.kind {
            0 => {
                if let Some((_, body)) = self.answers.get_mut(&stream) {
                    body.extend(&frame.payload);
                }
            }
            1 => {
                let status = frames::status(&frame.payload);
                self.answers.entry(stream).or_insert((status, Vec::new()));
                if status == 200 && frame.flags & 1 == 0 {
                    // A tunnel has no end to wait for.
                    self.events.insert(format!("switched {stream}"));
                }
            }
            3 => {
                let event = format!("reset {stream} {}", error_name(&frame.payload));
                // After a complete answer this is only "no need for the rest of the request".
                if event != format!("reset {stream} NO_ERROR") {
                    self.events.insert(event);
                }
            }
            6 if frame.flags & 1 != 0 && frame.payload == PING => {
                self.events.insert("fine".to_owned());
            }
            7 => {
                self.events.insert(format!("goaway {}", error_name(&frame.payload[4..])));
            }
            _ => {}
        }
        if matches!(frame.kind, 0 | 1) && frame.flags & 1 != 0 {
            self.answered(stream);
        }
    }

    fn answered(&mut self, stream: u32) {
        let Some((status, body)) = self.answers.remove(&stream) else { return };
        self.events.remove(&format!("switched {stream}"));
        let body = String::from_utf8_lossy(&body).into_owned();
        let event = match body.split_once("\"code\":\"").and_then(|(_, rest)| rest.split_once('"')) {
            Some((code, _)) => format!("refused {stream} {status} {code}"),
            None if status == 200 => format!("forwarded {stream}"),
            None => format!("refused {stream} {status}"),
        };
        self.events.insert(event);
    }
}
