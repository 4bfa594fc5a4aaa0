//! A short name of browser and system from a User-Agent, for example `Safari on iPhone`.
//!
//! A name for people, never a fact to decide on: the header says what its sender likes. Its text is not passed on,
//! only names from the tables below are.

/// Browsers, the more special before the more general: Edge and Opera also say Chrome, Chrome also says Safari.
const BROWSERS: [(&str, &str); 14] = [
    ("EdgiOS/", "Edge"),
    ("EdgA/", "Edge"),
    ("Edg/", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Vivaldi/", "Vivaldi"),
    ("FxiOS/", "Firefox"),
    ("Firefox/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("HeadlessChrome/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("OpenClaw", "OpenClaw"),
    ("Safari/", "Safari"),
    ("curl/", "curl"),
];

/// Systems, the more special before the more general: iPhone and iPad also say Mac OS X, Android also says Linux.
const SYSTEMS: [(&str, &str); 9] = [
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("CrOS", "ChromeOS"),
    ("Windows", "Windows"),
    ("Macintosh", "Mac"),
    ("Mac OS X", "Mac"),
    ("Linux", "Linux"),
    ("FreeBSD", "FreeBSD"),
];

/// The name, where anything is recognised.
pub(crate) fn name(user_agent: &str) -> Option<String> {
    let find = |table: &[(&str, &'static str)]| {
        table.iter().find(|(mark, _)| user_agent.contains(mark)).map(|(_, name)| *name)
    };
    match (find(&BROWSERS), find(&SYSTEMS)) {
        (Some(browser), Some(system)) => Some(format!("{browser} on {system}")),
        (Some(one), None) | (None, Some(one)) => Some(one.to_owned()),
        (None, None) => None,
    }
}

#[cfg(test)]
mod tests;
