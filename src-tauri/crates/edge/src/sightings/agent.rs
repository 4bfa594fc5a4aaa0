//! A few words from a User-Agent.

/// Longest name of an app that is not a known browser, in characters.
const NAME_MAX: usize = 32;

/// Browser and system in short, for example `Safari on iPhone`; for other programs the first product, for example
/// `curl`. `None` where there is nothing that can be shown.
#[must_use]
pub fn short_agent(user_agent: &str) -> Option<Box<str>> {
    let has = |word: &str| user_agent.contains(word);
    // The more particular first: every browser claims to be the ones before it.
    let browser = [
        ("Edg/", "Edge"),
        ("EdgA/", "Edge"),
        ("EdgiOS/", "Edge"),
        ("OPR/", "Opera"),
        ("SamsungBrowser/", "Samsung Internet"),
        ("Vivaldi/", "Vivaldi"),
        ("Electron/", "Electron app"),
        ("CriOS/", "Chrome"),
        ("FxiOS/", "Firefox"),
        ("Firefox/", "Firefox"),
        ("HeadlessChrome/", "Chrome"),
        ("Chrome/", "Chrome"),
        ("Version/", "Safari"),
    ]
    .into_iter()
    .find(|(mark, name)| has(mark) && (*name != "Safari" || has("Safari/")))
    .map(|(_, name)| name);
    let system = [
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Android", "Android"),
        ("CrOS", "ChromeOS"),
        ("Macintosh", "Mac"),
        ("Darwin/", "Apple device"),
        ("Windows", "Windows"),
        ("Linux", "Linux"),
    ]
    .into_iter()
    .find(|(mark, _)| has(mark))
    .map(|(_, name)| name);
    let name = match browser {
        Some(name) => name.to_owned(),
        None => product(user_agent).or(system.map(|_| "App".to_owned()))?,
    };
    Some(match system {
        Some(system) => format!("{name} on {system}").into_boxed_str(),
        None => name.into_boxed_str(),
    })
}

/// The name of the first product, where it is one worth showing.
fn product(user_agent: &str) -> Option<String> {
    let name: String = user_agent
        .chars()
        .take_while(|character| character.is_ascii_alphanumeric() || "-_.".contains(*character))
        .take(NAME_MAX)
        .collect();
    (!name.is_empty() && name != "Mozilla").then_some(name)
}
