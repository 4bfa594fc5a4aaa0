//! Takes out of a report what tells whose machine it is: addresses other than loopback, the machine's names, the user's
//! name and home folder. What is replaced the same way was the same.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Mutex, PoisonError};

use gatehouse_api::Text;
use gatehouse_host::names;

use super::Check;

/// See the module.
pub(super) struct Redactor {
    /// Longest first; each with what stands in its place.
    words: Vec<(String, &'static str)>,
    /// The numbers that addresses got.
    addresses: Option<Mutex<BTreeMap<IpAddr, usize>>>,
}

impl Redactor {
    /// Leaves everything as it is.
    pub(super) fn nothing() -> Self {
        Self { words: Vec::new(), addresses: None }
    }

    /// Knows the names of this machine and its user.
    pub(super) async fn of_this_machine() -> Self {
        let found = tokio::task::spawn_blocking(names::host_names).await.unwrap_or_default();
        let home = std::env::home_dir().map(|home| home.to_string_lossy().into_owned());
        let variable = |name: &str| std::env::var(name).ok();
        Self::knowing(
            [found.local, found.host].into_iter().flatten(),
            [variable("USER"), variable("LOGNAME")].into_iter().flatten(),
            home,
        )
    }

    pub(super) fn knowing(
        hosts: impl IntoIterator<Item = String>,
        users: impl IntoIterator<Item = String>,
        home: Option<String>,
    ) -> Self {
        let mut words: Vec<(String, &'static str)> = Vec::new();
        words.extend(home.filter(|home| home.len() > 1).map(|home| (home, "~")));
        words.extend(hosts.into_iter().map(|host| (host, "<this-machine>")));
        // Everybody's root.
        words.extend(users.into_iter().filter(|user| user != "root").map(|user| (user, "<user>")));
        words.retain(|(word, _)| !word.is_empty());
        words.sort_by_key(|(word, _)| std::cmp::Reverse(word.len()));
        Self { words, addresses: Some(Mutex::default()) }
    }

    pub(super) fn check(&self, check: Check) -> Check {
        let Some(numbers) = &self.addresses else { return check };
        let clean = |text: &str| self.clean(text, numbers);
        let text = |text: Text| text.with_own_words(&clean);
        Check {
            saw: check.saw.into_iter().map(text).collect(),
            because: check.because.map(text),
            fix: check.fix.map(text),
            ..check
        }
    }

    fn clean(&self, text: &str, numbers: &Mutex<BTreeMap<IpAddr, usize>>) -> String {
        let mut text = text.to_owned();
        for (word, instead) in &self.words {
            text = replaced(&text, word, instead);
        }
        without_addresses(&text, numbers)
    }
}

/// Whole words only, whatever their case: a machine called "port" does not make this unreadable.
fn replaced(text: &str, word: &str, instead: &str) -> String {
    let (lower, word) = (text.to_ascii_lowercase(), word.to_ascii_lowercase());
    let is_part = |c: char| c.is_alphanumeric() || c == '-' || c == '_';
    let mut result = String::with_capacity(text.len());
    let mut rest = 0;
    for (at, _) in lower.match_indices(&word) {
        let end = at + word.len();
        let before = lower[..at].chars().next_back().is_some_and(is_part);
        let after = lower[end..].chars().next().is_some_and(is_part);
        if at < rest || before || after {
            continue;
        }
        result.push_str(&text[rest..at]);
        result.push_str(instead);
        rest = end;
    }
    result.push_str(&text[rest..]);
    result
}

fn without_addresses(text: &str, numbers: &Mutex<BTreeMap<IpAddr, usize>>) -> String {
    let is_part = |c: char| c.is_ascii_hexdigit() || matches!(c, '.' | ':');
    let mut result = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        let begin = rest.find(is_part).unwrap_or(rest.len());
        let (other, tail) = rest.split_at(begin);
        result.push_str(other);
        let end = tail.find(|c| !is_part(c)).unwrap_or(tail.len());
        let (token, next) = tail.split_at(end);
        // A zone is the name of an interface, and "bed" is a word: only what parses counts.
        let glued = other.ends_with(|c: char| c.is_alphanumeric());
        match address(token).filter(|_| !glued) {
            Some((ip, after)) if !ip.is_loopback() && !ip.is_unspecified() => {
                let mut numbers = numbers.lock().unwrap_or_else(PoisonError::into_inner);
                let next = numbers.len() + 1;
                let number = *numbers.entry(ip).or_insert(next);
                result.push_str(&format!("<address-{number}>{after}"));
            }
            Some(_) | None => result.push_str(token),
        }
        rest = next;
    }
    result
}

/// An address at the beginning of a token, and what follows it: a port, the mark that ends a sentence.
fn address(token: &str) -> Option<(IpAddr, &str)> {
    if let Ok(socket) = token.parse::<SocketAddr>() {
        let at = token.rfind(':')?;
        return Some((socket.ip().to_canonical(), &token[at..]));
    }
    let bare = token.trim_end_matches(['.', ':']);
    let (ip, length) = match (token.parse::<IpAddr>(), bare.parse::<IpAddr>()) {
        (Ok(ip), _) => (ip, token.len()),
        (Err(_), Ok(ip)) => (ip, bare.len()),
        (Err(_), Err(_)) => {
            let (socket, length) = (bare.parse::<SocketAddr>().ok()?, bare.rfind(':')?);
            (socket.ip(), length)
        }
    };
    Some((ip.to_canonical(), &token[length..]))
}
