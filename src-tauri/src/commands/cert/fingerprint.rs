//! `gatehouse cert fingerprint`: what is compared before a device trusts the authority.

use gatehouse_api::{Reply, Request};
use serde_json::json;

use crate::{
    args::{FingerprintForm, Fingerprinting},
    output::{Form, qr},
    session::{Outcome, Session, Verdict, unexpected},
};

/// Words that are enough to read aloud: 64 bits.
const SPOKEN: usize = 8;
/// Words on a line.
const ROW: usize = 4;

/// Shows it.
pub(crate) async fn run(args: &Fingerprinting, session: &mut Session) -> Outcome {
    let Reply::Fingerprints(all) = session.ask(Request::CertFingerprints).await? else {
        return Err(unexpected());
    };
    let (of, chosen) = match all.authority {
        Some(authority) if !args.leaf => ("ca", authority),
        Some(_) | None => ("certificate", all.certificate),
    };
    let count = if args.all { chosen.words.len() } else { SPOKEN };
    let words: Vec<&str> = chosen.words.iter().take(count).map(String::as_str).collect();
    if session.out.form() != Form::Human {
        session.out.object(&json!({
            "of": of,
            "name": chosen.name,
            "sha256": chosen.sha256,
            "words": words,
            "public_key": chosen.public_key,
        }));
        return Ok(Verdict::Done);
    }
    let words: String = words.chunks(ROW).map(|row| row.join(" ") + "\n").collect();
    let form = args.format;
    match form {
        FingerprintForm::Colon => session.out.data(format!("{}\n", chosen.sha256).as_bytes()),
        FingerprintForm::Hex => {
            let hex = chosen.sha256.replace(':', "").to_ascii_lowercase();
            session.out.data(format!("{hex}\n").as_bytes());
        }
        FingerprintForm::Words | FingerprintForm::Qr => {}
    }
    if args.words || form == FingerprintForm::Words {
        session.out.data(words.as_bytes());
    }
    if args.qr || form == FingerprintForm::Qr {
        let look = session.out.look();
        let code = qr::code(&chosen.sha256, look.utf8, look.color).ok_or_else(unexpected)?;
        session.out.data(code.as_bytes());
    }
    Ok(Verdict::Done)
}
