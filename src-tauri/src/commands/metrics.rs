//! `gatehouse metrics`: the numbers of the edge, as Prometheus reads them.

use gatehouse_api::{Reply, Request};
use serde_json::json;

use crate::{
    output::Form,
    session::{Outcome, Session, Verdict, unexpected},
};

/// Prints them.
pub(crate) async fn run(session: &mut Session) -> Outcome {
    let Reply::Metrics { text } = session.ask(Request::Metrics).await? else { return Err(unexpected()) };
    match session.out.form() {
        Form::Human => session.out.data(text.as_bytes()),
        Form::Json | Form::Lines => session.out.object(&json!({"prometheus": text})),
    }
    Ok(Verdict::Done)
}
