//! The W3C trace context (Trace Context level 1, §2 and §3): passed on where it is valid.
//!
//! Whoever traces sends one `traceparent`; `tracestate` means nothing without it. Both are a client's claim and say
//! nothing about who it is: the request's own id stays ours.

use http::{HeaderMap, HeaderName};

const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
const TRACESTATE: HeaderName = HeaderName::from_static("tracestate");
/// `00-<32 hex>-<16 hex>-<2 hex>`.
const LENGTH: usize = 55;
/// What a vendor may put into `tracestate` and has to be passed on (§3.3.1.5), in bytes.
const STATE_MAX: usize = 512;

/// Removes a trace context that is not exactly one valid `traceparent`, and `tracestate` with it.
pub(super) fn keep_valid(headers: &mut HeaderMap) {
    let mut parents = headers.get_all(TRACEPARENT).iter();
    let valid = parents.next().is_some_and(|parent| is_valid(parent.as_bytes())) && parents.next().is_none();
    if !valid {
        headers.remove(TRACEPARENT);
        headers.remove(TRACESTATE);
        return;
    }
    let state: usize = headers.get_all(TRACESTATE).iter().map(|line| line.len() + 1).sum();
    if state > STATE_MAX + 1 {
        headers.remove(TRACESTATE);
    }
}

/// Version 00 has exactly this form; a later one may go on behind a further dash (§4.3); `ff` is none.
fn is_valid(parent: &[u8]) -> bool {
    let hex = |part: &[u8]| part.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    let Some((head, rest)) = parent.split_at_checked(LENGTH) else { return false };
    let ([a, b, b'-', trace @ .., b'-', _, _], [_, _, b'-', ..]) = (head, head) else { return false };
    let Some((trace, span)) = trace.split_at_checked(32) else { return false };
    let [b'-', span @ ..] = span else { return false };
    let whole = match [*a, *b] {
        [b'f', b'f'] => false,
        [b'0', b'0'] => rest.is_empty(),
        _ => rest.is_empty() || rest.first() == Some(&b'-'),
    };
    let zero = |part: &[u8]| part.iter().all(|byte| *byte == b'0');
    let flags = head.get(LENGTH - 2..).unwrap_or_default();
    whole && hex(&[*a, *b]) && hex(trace) && hex(span) && hex(flags) && !zero(trace) && !zero(span)
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    const GOOD: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    fn kept(lines: &[(&'static str, &str)]) -> Vec<String> {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(*name, HeaderValue::from_str(value).unwrap());
        }
        keep_valid(&mut headers);
        headers.keys().map(|name| name.as_str().to_owned()).collect()
    }

    #[test]
    fn a_valid_context_passes_with_its_state() {
        let both = ["traceparent", "tracestate"];
        assert_eq!(kept(&[("traceparent", GOOD), ("tracestate", "a=1"), ("tracestate", "b=2")]), both);
        assert_eq!(kept(&[("traceparent", &format!("cc{}-more", &GOOD[2..])), ("tracestate", "a=1")]), both);
        assert_eq!(kept(&[("traceparent", &format!("cc{}", &GOOD[2..]))]), ["traceparent"]);
        assert_eq!(kept(&[("traceparent", GOOD), ("tracestate", &"a".repeat(513))]), ["traceparent"]);
    }

    #[test]
    fn an_invalid_context_does_not_pass_and_takes_its_state_along() {
        let upper = GOOD.to_uppercase();
        for parent in [
            "",
            "00",
            &GOOD[..54],
            &format!("{GOOD}-more"),
            &format!("{GOOD}0"),
            &format!("cc{}0", &GOOD[2..]),
            &format!("ff{}", &GOOD[2..]),
            &format!("0g{}", &GOOD[2..]),
            &upper,
            &GOOD.replace('-', "_"),
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
            "00-0af7651916cd43dd8448eb211c80319c0b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0x",
        ] {
            assert!(kept(&[("traceparent", parent), ("tracestate", "a=1")]).is_empty(), "{parent}");
        }
        assert!(kept(&[("traceparent", GOOD), ("traceparent", GOOD)]).is_empty(), "two of them");
        assert!(kept(&[("tracestate", "a=1")]).is_empty(), "no parent");
    }
}
