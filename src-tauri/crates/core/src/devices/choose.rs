//! A device by its id or the beginning of it.

use gatehouse_api::{Code, ErrorEnvelope};

/// Fewer characters than this are too easily somebody else's.
const SHORTEST: usize = 4;

/// The one id that `wanted` stands for: it itself, or the only one that begins with it. Case and `:` do not matter.
///
/// # Errors
/// `usage` where it is too short or fits several, `not-found` where it fits none.
pub(crate) fn choose<'a>(
    wanted: &str,
    what: &str,
    ids: impl Iterator<Item = &'a str>,
) -> Result<String, ErrorEnvelope> {
    let wanted = wanted.trim().to_ascii_lowercase().replace(':', "");
    let mut fitting: Vec<&str> = ids.filter(|id| id.to_ascii_lowercase().starts_with(&wanted)).collect();
    fitting.sort_unstable();
    fitting.dedup();
    if let Some(exact) = fitting.iter().find(|id| id.eq_ignore_ascii_case(&wanted)) {
        return Ok((*exact).to_owned());
    }
    if wanted.len() < SHORTEST {
        return Err(usage(format!("{wanted:?} is too short to mean one device."))
            .fix(format!("Give at least {SHORTEST} characters of its id.")));
    }
    match fitting.as_slice() {
        [one] => Ok((*one).to_owned()),
        [] => Err(ErrorEnvelope::new(
            Code::NotFound,
            format!("No {what} device has this id"),
            format!("No id begins with {wanted}. A request expires after five minutes."),
        )
        .fix_with("Look at the list.", "gatehouse devices list")),
        several => {
            let mut error = usage(format!("{} devices have ids that begin with {wanted}.", several.len()))
                .fix("Give more characters of its id.");
            for id in several {
                error = error.evidence((*id).to_owned());
            }
            Err(error)
        }
    }
}

fn usage(because: String) -> ErrorEnvelope {
    ErrorEnvelope::new(Code::Usage, "It is not clear which device is meant", because)
}

#[cfg(test)]
mod tests;
