//! Any text as the gateway's configuration, and any edits of it: what is edited means exactly what was asked for, and the
//! inverse makes it mean what it meant before.
#![no_main]

use arbitrary::{Arbitrary, Result, Unstructured};
use gatehouse_openclaw::config::fuzzing::{edit, parse};
use gatehouse_openclaw::config::{Edit, KeyPath};
use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};

const KEYS: [&str; 8] = ["gateway", "controlUi", "allowedOrigins", "auth", "token", "a", "", "ключ"];
const VALUES: [&str; 8] =
    ["https://mini.local", "*", "", "\"quoted\"", "line\nend", "\\", "127.0.0.1/32", "// no comment"];

#[derive(Debug)]
struct Edits(Vec<Edit>);

impl<'a> Arbitrary<'a> for Edits {
    fn arbitrary(input: &mut Unstructured<'a>) -> Result<Self> {
        let count = input.int_in_range(1..=4)?;
        (0..count).map(|_| one(input)).collect::<Result<_>>().map(Self)
    }
}

fn one(input: &mut Unstructured<'_>) -> Result<Edit> {
    let depth = input.int_in_range(1..=3)?;
    let keys = (0..depth).map(|_| input.choose(&KEYS)).collect::<Result<Vec<_>>>()?;
    let path = KeyPath::new(keys.into_iter().copied());
    let count = input.int_in_range(0..=3)?;
    let values = (0..count).map(|_| input.choose(&VALUES).map(|text| (*text).to_owned()));
    let values = values.collect::<Result<Vec<_>>>()?;
    Ok(match input.int_in_range(0..=3)? {
        0 => Edit::AddToArray { path, values },
        1 => Edit::RemoveFromArray { path, values },
        2 => Edit::Remove { path },
        _ => Edit::Set { path, value: value(input, values)? },
    })
}

fn value(input: &mut Unstructured<'_>, values: Vec<String>) -> Result<Value> {
    Ok(match input.int_in_range(0..=5)? {
        0 => Value::Null,
        1 => json!(input.arbitrary::<bool>()?),
        2 => json!(input.arbitrary::<i32>()?),
        3 => json!(values),
        4 => json!({ "nested": { "values": values } }),
        _ => json!(values.concat()),
    })
}

fuzz_target!(|data: &[u8]| {
    let at = data.iter().position(|byte| *byte == 0).unwrap_or(data.len());
    let (text, rest) = data.split_at(at);
    let Some(before) = parse(text) else { return };
    let Ok(Edits(edits)) = Edits::arbitrary(&mut Unstructured::new(rest.get(1..).unwrap_or_default())) else { return };
    let Some((after, inverse)) = edit(text, &edits) else { return };
    let Some((undone, _)) = edit(&after, &inverse) else {
        panic!("it cannot be taken back: {edits:?}\n{}", String::from_utf8_lossy(&after));
    };
    assert_eq!(parse(&undone), Some(before), "{edits:?}\n{}", String::from_utf8_lossy(&after));
});
