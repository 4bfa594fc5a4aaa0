//! A device by its id or the beginning of it.

use gatehouse_api::{Code, ErrorEnvelope, Text, say};

/// Fewer characters than this are too easily somebody else's.
const SHORTEST: usize = 4;

/// The one id that `wanted` stands for: it itself, or the only one that begins with it. Case and `:` do not matter.
///
/// # Errors
/// `usage` where it is too short or fits several, `not-found` where it fits none.
pub(crate) fn choose<'a>(
    wanted: &str,
    none: Text,
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
        return Err(usage(say!("core.choose.short", wanted = wanted))
            .fix(say!("core.choose.short-fix", shortest = SHORTEST)));
    }
    match fitting.as_slice() {
        [one] => Ok((*one).to_owned()),
        [] => Err(ErrorEnvelope::new(Code::NotFound, none, say!("core.choose.none", wanted = wanted))
            .fix_with(say!("core.look.list"), "gatehouse devices list")),
        several => {
            let mut error = usage(say!("core.choose.many", count = several.len(), wanted = wanted))
                .fix(say!("core.choose.many-fix"));
            for id in several {
                error = error.evidence((*id).to_owned());
            }
            Err(error)
        }
    }
}

fn usage(because: Text) -> ErrorEnvelope {
    ErrorEnvelope::new(Code::Usage, say!("core.choose.title"), because)
}

#[cfg(test)]
mod tests;
