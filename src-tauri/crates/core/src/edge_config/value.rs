//! Values as people write them, and as they are stored.

use std::time::Duration;

use serde_json::Value;

/// What nothing is called.
pub(super) const NONE: &str = "none";

const TIMES: [(&str, u64); 5] = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];
const SIZES: [(&str, u64); 4] = [("TiB", 1 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];

/// A stored value as a person would write it.
pub(super) fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(on) => Some(on.to_string()),
        Value::Array(list) => {
            let words: Option<Vec<&str>> = list.iter().map(Value::as_str).collect();
            words.map(|words| if words.is_empty() { NONE.to_owned() } else { words.join(",") })
        }
        Value::Null | Value::Object(_) => None,
    }
}

/// `90s`, `1500ms`, `2h`.
pub(super) fn duration(text: &str) -> Option<Duration> {
    let (number, unit) = split(text)?;
    let (_, factor) = TIMES.iter().find(|(name, _)| *name == unit)?;
    number.checked_mul(*factor).map(Duration::from_millis)
}

/// In the largest unit that fits.
pub(super) fn duration_text(duration: Duration) -> String {
    let millis = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    if millis == 0 {
        return "0s".to_owned();
    }
    in_largest(millis, &TIMES).unwrap_or_else(|| format!("{millis}ms"))
}

/// `65536`, `64KiB`, `256MiB`.
pub(super) fn size(text: &str) -> Option<u64> {
    let (number, unit) = split(text)?;
    let factor = match unit {
        "" | "B" => 1,
        unit => SIZES.iter().find(|(name, _)| *name == unit)?.1,
    };
    number.checked_mul(factor)
}

/// In the largest unit that fits.
pub(super) fn size_text(bytes: u64) -> String {
    in_largest(bytes, &SIZES).filter(|_| bytes > 0).unwrap_or_else(|| bytes.to_string())
}

fn in_largest(value: u64, units: &[(&str, u64)]) -> Option<String> {
    let (name, factor) = units.iter().find(|(_, factor)| value.is_multiple_of(*factor))?;
    Some(format!("{}{name}", value / factor))
}

/// Digits and what follows them.
fn split(text: &str) -> Option<(u64, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    Some((number.parse().ok()?, unit.trim_start()))
}
