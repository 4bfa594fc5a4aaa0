//! The service of a gateway as OpenClaw's own installer wrote it: what it is called, where its file is, which port and
//! which installation the file names. Reads only; OpenClaw alone writes these files.
//!
//! Names and shapes are those of 2026.9.6 (fact sheet openclaw-gateway §8 and appendix C; the unit was recorded from
//! `openclaw gateway install` on systemd 252).

use std::io;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::discovery::Environment;

/// A description of a job is far smaller.
const LIMIT: u64 = 256 * 1024;
const PORT_VARIABLE: &str = "OPENCLAW_GATEWAY_PORT";

/// The kind of file that a service manager reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A property list of launchd, `NAME.plist`.
    PropertyList,
    /// A unit of the user's systemd, `NAME.service`.
    Unit,
}

/// A service by its name, and where its file belongs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceName {
    /// A launchd label or a systemd unit.
    pub name: String,
    /// The file; it need not exist.
    pub file: PathBuf,
}

/// What a file says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ServiceFile {
    /// The port that the gateway is started with, where it is named.
    pub port: Option<u16>,
    /// The script of OpenClaw that is started.
    pub entry: Option<PathBuf>,
    /// Whether that script is there.
    pub entry_exists: bool,
    /// The version of the installation that it belongs to.
    pub version: Option<String>,
}

impl ServiceName {
    /// The service of the gateway that these variables select.
    #[must_use]
    pub fn of(environment: &Environment, kind: Kind) -> Self {
        let profile =
            environment.get("OPENCLAW_PROFILE").filter(|profile| !profile.eq_ignore_ascii_case("default"));
        match kind {
            Kind::PropertyList => {
                let label = environment.get("OPENCLAW_LAUNCHD_LABEL").map(str::to_owned);
                Self::listed(
                    label.unwrap_or_else(|| match profile {
                        Some(profile) => format!("ai.openclaw.{profile}"),
                        None => "ai.openclaw.gateway".to_owned(),
                    }),
                    environment,
                    kind,
                )
            }
            Kind::Unit => {
                let unit = environment.get("OPENCLAW_SYSTEMD_UNIT").map(str::to_owned);
                let unit = unit.unwrap_or_else(|| match profile {
                    Some(profile) => format!("openclaw-gateway-{profile}"),
                    None => "openclaw-gateway".to_owned(),
                });
                let unit = if unit.ends_with(".service") { unit } else { format!("{unit}.service") };
                Self::listed(unit, environment, kind)
            }
        }
    }

    /// Every service of an OpenClaw gateway that has a file here, also of other profiles and of older names.
    #[must_use]
    pub fn all(environment: &Environment, kind: Kind) -> Vec<Self> {
        let Ok(entries) = std::fs::read_dir(folder(environment, kind)) else { return Vec::new() };
        let name = |entry: io::Result<std::fs::DirEntry>| {
            let name = entry.ok()?.file_name().into_string().ok()?;
            is_of_a_gateway(&name, kind).then(|| name.trim_end_matches(".plist").to_owned())
        };
        let mut names: Vec<String> = entries.filter_map(name).collect();
        names.sort();
        names.into_iter().map(|name| Self::listed(name, environment, kind)).collect()
    }

    fn listed(name: String, environment: &Environment, kind: Kind) -> Self {
        let file = match kind {
            Kind::PropertyList => format!("{name}.plist"),
            Kind::Unit => name.clone(),
        };
        Self { file: folder(environment, kind).join(file), name }
    }

    /// Reads its file; `None` where there is none.
    ///
    /// # Errors
    /// What the file system says.
    pub fn read(&self) -> io::Result<Option<ServiceFile>> {
        let Some(bytes) = gatehouse_files::read_bounded(&self.file, LIMIT)? else { return Ok(None) };
        let text = String::from_utf8_lossy(&bytes);
        let mut found = parse(&text);
        if let Some(entry) = &found.entry {
            found.entry_exists = entry.exists();
            found.version = version_of(entry);
        }
        Ok(Some(found))
    }
}

/// The version of the installation that a file of OpenClaw (its program, its script) belongs to; `None` where no
/// `package.json` of OpenClaw is near, as with a wrapper of the user's.
#[must_use]
pub fn version_of(file: &Path) -> Option<String> {
    let file = file.canonicalize().ok()?;
    file.ancestors().skip(1).take(3).find_map(|folder| {
        let bytes = gatehouse_files::read_bounded(&folder.join("package.json"), LIMIT).ok()??;
        let package: Value = serde_json::from_slice(&bytes).ok()?;
        (package.get("name")?.as_str()? == "openclaw")
            .then(|| package.get("version")?.as_str().map(str::to_owned))?
    })
}

fn folder(environment: &Environment, kind: Kind) -> PathBuf {
    match kind {
        Kind::PropertyList => environment.home.join("Library/LaunchAgents"),
        Kind::Unit => {
            let config = environment.get("XDG_CONFIG_HOME").map(PathBuf::from);
            let config = config.filter(|path| path.is_absolute());
            config.unwrap_or_else(|| environment.home.join(".config")).join("systemd/user")
        }
    }
}

/// `ai.openclaw.node` and its like are other services of OpenClaw.
fn is_of_a_gateway(file: &str, kind: Kind) -> bool {
    match kind {
        Kind::PropertyList => {
            let Some(label) = file.strip_suffix(".plist") else { return false };
            let other = ["node", "mac", "stack"].iter().any(|name| label == format!("ai.openclaw.{name}"));
            (label.starts_with("ai.openclaw.") && !other) || label.contains("clawdbot")
        }
        Kind::Unit => {
            let gateway = ["openclaw-gateway", "clawdbot-gateway", "moltbot-gateway"];
            file.ends_with(".service") && gateway.iter().any(|name| file.starts_with(name))
        }
    }
}

/// Both kinds of file name the words of the command line in order, the one as `<string>` elements, the other on the line
/// `ExecStart=`.
fn parse(text: &str) -> ServiceFile {
    let words: Vec<String> = if text.contains("<plist") { strings(text) } else { command(text) };
    let after = |flag: &str| words.iter().position(|word| word == flag).and_then(|at| words.get(at + 1));
    let joined = words.iter().find_map(|word| word.strip_prefix("--port="));
    let port = after("--port").map(String::as_str).or(joined).and_then(|port| port.parse().ok());
    let variable = || {
        let (_, rest) = text.split_once(&format!("{PORT_VARIABLE}="))?;
        let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
        digits.parse().ok()
    };
    let is_entry = |word: &&String| {
        let path = Path::new(word.as_str());
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        path.is_absolute() && (matches!(name, "index.js" | "entry.js" | "openclaw.mjs" | "openclaw"))
    };
    let entry = words.iter().find(is_entry).map(PathBuf::from);
    ServiceFile { port: port.or_else(variable), entry, ..ServiceFile::default() }
}

fn strings(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some((_, after)) = rest.split_once("<string>") {
        let Some((word, next)) = after.split_once("</string>") else { break };
        let word = word.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"");
        found.push(word.replace("&apos;", "'").replace("&amp;", "&"));
        rest = next;
    }
    found
}

/// The words of `ExecStart=`, which systemd.service(5) separates by spaces and may quote.
fn command(text: &str) -> Vec<String> {
    let line = text.lines().find_map(|line| line.trim().strip_prefix("ExecStart=")).unwrap_or_default();
    let mut words = Vec::new();
    let mut word = String::new();
    let mut quote = None;
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        match (c, quote) {
            ('\\', _) => word.extend(chars.next()),
            (c, Some(open)) if c == open => quote = None,
            ('"' | '\'', None) => quote = Some(c),
            (c, None) if c.is_whitespace() => {
                if !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
            }
            (c, _) => word.push(c),
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

#[cfg(test)]
mod tests;
