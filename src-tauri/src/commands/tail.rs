//! `gatehouse tail`: requests as they end. Metadata only; a query was never kept.

use std::net::IpAddr;

use gatehouse_api::{Answerer, Code, ErrorEnvelope, Event, TrafficRecord, say, socket::Topic};

use crate::{
    args::Tail,
    output::{Form, Page, Tone, fields, plain::clip, when::Clock, when::span},
    session::{Outcome, Session, Verdict, ended},
};

/// Follows requests until interrupted.
pub(crate) async fn run(args: &Tail, session: &mut Session) -> Outcome {
    if session.out.form() == Form::Json {
        return Err(ErrorEnvelope::new(Code::Usage, say!("cli.stream.title"), say!("cli.stream.because"))
            .fix_with(say!("cli.stream.fix"), "gatehouse tail --jsonl"));
    }
    let client = session.client().await?;
    let mut events = client.events(&[Topic::Traffic]).await?;
    while !session.out.closed() {
        match events.next().await {
            Ok(Event::Traffic(record)) if wanted(args, &record) => match session.out.form() {
                Form::Human => session.out.page(&page(&record, session.clock)),
                Form::Json | Form::Lines => session.out.object(&fields(&*record)),
            },
            Ok(Event::Lagged { missed }) => {
                let about = say!("cli.tail.missed", missed = missed);
                session.out.remark(&Page::verdict(Tone::Warn, say!("cli.tail.missed-word"), &about));
            }
            Ok(_) => {}
            Err(end) => return Err(ended(&end)),
        }
    }
    Ok(Verdict::Done)
}

fn wanted(args: &Tail, record: &TrafficRecord) -> bool {
    let status = args.status.as_ref().is_none_or(|wanted| match wanted.strip_suffix("xx") {
        Some(class) => (record.status / 100).to_string() == class,
        None => record.status.to_string() == *wanted,
    });
    let who = args.who.is_none_or(|who| Answerer::from(who) == record.answered_by);
    let client = args
        .ip
        .is_none_or(|network| record.client.parse::<IpAddr>().is_ok_and(|client| network.contains(&client)));
    status && who && client && (!args.ws || record.websocket.is_some())
}

fn page(record: &TrafficRecord, clock: Clock) -> Page {
    let tone = match record.status {
        500.. => Tone::Bad,
        400..500 => Tone::Warn,
        _ => Tone::Good,
    };
    let by = match (record.answered_by, &record.error) {
        (Answerer::Gateway, _) => say!("cli.tail.gateway"),
        (Answerer::Edge, None) => say!("cli.tail.by-edge"),
        (Answerer::Edge, Some(error)) => say!("cli.tail.edge", error = error),
    };
    let what = format!("{} {}{}", record.method, clip(&record.host, 40), clip(&record.path, 60));
    let lasted = match &record.websocket {
        Some(socket) => {
            let code =
                socket.close_code.map_or_else(|| say!("cli.tail.no-code"), |code| code.to_string().into());
            let length = span(std::time::Duration::from_millis(socket.duration_ms));
            let (to, from) = (bytes(record.bytes_in), bytes(record.bytes_out));
            let who = &socket.closed_by;
            say!("cli.tail.websocket", who = who, code = code, length = length, to = to, from = from)
        }
        None => format!("{} ms", record.ms).into(),
    };
    let client = match &record.client_certificate {
        Some(name) => say!("cli.named-client", client = record.client, name = clip(name, 40)),
        None => record.client.as_str().into(),
    };
    let mut page = Page::new();
    let about =
        say!("cli.tail.line", status = record.status, what = what, by = by, lasted = lasted, client = client);
    page.toned(0, tone, clock.time(record.time), &about);
    page
}

/// A number of bytes in the largest unit that leaves something before the point.
fn bytes(count: u64) -> String {
    let units = [("GB", 1_000_000_000), ("MB", 1_000_000), ("kB", 1_000)];
    match units.iter().find(|(_, unit)| count >= *unit) {
        Some((name, unit)) => format!("{}.{} {name}", count / unit, count % unit * 10 / unit),
        None => format!("{count} B"),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::args::{Cli, Command};

    #[test]
    fn every_filter_must_fit() {
        for (words, fits) in [
            ("", true),
            ("--status 4xx", true),
            ("--status 404", true),
            ("--status 5xx", false),
            ("--status 403", false),
            ("--who edge", true),
            ("--who gateway", false),
            ("--ip 192.168.1.0/24", true),
            ("--ip 192.168.1.34", true),
            ("--ip 10.0.0.0/8", false),
            ("--ip ::/0", false),
            ("--ws", false),
            ("--status 4xx --who gateway", false),
        ] {
            let words = ["gatehouse", "tail"].into_iter().chain(words.split_whitespace());
            let Some(Command::Tail(args)) = Cli::parse_from(words.clone()).command else {
                panic!("not a tail")
            };
            assert_eq!(wanted(&args, &record()), fits, "{:?}", words.collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_client_with_a_certificate_is_called_by_its_name() {
        let clock = Clock::local();
        let named = TrafficRecord { client_certificate: Some("Ada's phone".to_owned()), ..record() };
        let line = |record: &TrafficRecord| format!("{:?}", page(record, clock));
        assert!(line(&named).contains("Ada's phone"));
        assert!(!line(&record()).contains("Ada"));
    }

    #[test]
    fn bytes_are_said_in_the_unit_that_fits() {
        for (count, text) in
            [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (25_999_999, "25.9 MB"), (1 << 40, "1099.5 GB")]
        {
            assert_eq!(bytes(count), text);
        }
    }

    fn record() -> TrafficRecord {
        TrafficRecord {
            time: time::OffsetDateTime::UNIX_EPOCH,
            id: "1".to_owned(),
            client: "192.168.1.34".to_owned(),
            client_certificate: None,
            method: "GET".to_owned(),
            host: "mini.local".to_owned(),
            path: "/".to_owned(),
            status: 404,
            answered_by: Answerer::Edge,
            error: None,
            bytes_in: 0,
            bytes_out: 0,
            ms: 1,
            protocol: "HTTP/2".to_owned(),
            tls: None,
            websocket: None,
        }
    }
}
