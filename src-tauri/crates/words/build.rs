//! Turns `/catalogue` into one sorted table, so that the compiler can look a key up.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

type Catalogue = BTreeMap<String, String>;

/// The parts: the window with tray and notifications, the core, the command line, the edge's own pages.
const PARTS: [&str; 4] = ["", "core/", "cli/", "edge/"];

fn main() -> Result<(), Box<dyn Error>> {
    let root = Path::new(&env::var("CARGO_MANIFEST_DIR")?).join("../../../catalogue");
    println!("cargo::rerun-if-changed={}", root.display());
    let english = read(&root, "en")?;
    let chinese = read(&root, "zh-Hans")?;
    let mut entries: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (key, text) in &english {
        entries.insert(key, holes(text));
        // A text with a number is asked for without its form.
        if let Some(base) = key.strip_suffix(".other") {
            let mut holes = holes(text);
            if !holes.contains(&"count") {
                holes.push("count");
            }
            entries.insert(base, holes);
        }
    }
    let mut code = String::from("const ENTRIES: &[Entry] = &[\n");
    for (key, holes) in entries {
        writeln!(
            code,
            "Entry {{ key: {key:?}, english: {:?}, chinese: {:?}, holes: &{holes:?} }},",
            english.get(key),
            chinese.get(key)
        )?;
    }
    code.push_str("];\n");
    fs::write(PathBuf::from(env::var("OUT_DIR")?).join("entries.rs"), code)?;
    Ok(())
}

fn read(root: &Path, language: &str) -> Result<Catalogue, Box<dyn Error>> {
    let mut all = Catalogue::new();
    for part in PARTS {
        let path = root.join(format!("{part}{language}.json"));
        let text = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        let some: Catalogue =
            serde_json::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))?;
        for (key, text) in some {
            if all.insert(key.clone(), text).is_some() {
                return Err(format!("{}: {key} stands in another part, too", path.display()).into());
            }
        }
    }
    Ok(all)
}

/// The names in braces, each once.
fn holes(text: &str) -> Vec<&str> {
    let names: BTreeSet<&str> =
        text.split('{').skip(1).filter_map(|rest| rest.split_once('}')).map(|(name, _)| name).collect();
    names.into_iter().collect()
}
