//! Who a user of this machine is: name, number, home folder.
//!
//! Guarantees: what the system's own user database says counts, never a variable, because the answer decides as whom a
//! job of the system runs. Starts a short-lived program: call it off the async threads.

use std::path::PathBuf;
use std::time::Duration;

use crate::{command, process};

const LIMIT: Duration = Duration::from_secs(5);

/// A user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// The login name.
    pub name: String,
    /// The id.
    pub uid: u32,
    /// The home folder.
    pub home: PathBuf,
}

impl Account {
    /// The user that this process acts as; `None` where the system does not know it.
    #[must_use]
    pub fn current() -> Option<Self> {
        entry(&process::uid().to_string())
    }

    /// The user of this name; `None` where there is none.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        // A number would be looked up as one, and a dash begins an option.
        let is_name = !name.is_empty()
            && !name.starts_with('-')
            && !name.bytes().all(|byte| byte.is_ascii_digit())
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-@".contains(&byte));
        if is_name { entry(name) } else { None }
    }
}

fn entry(key: &str) -> Option<Account> {
    let finished = if cfg!(target_os = "macos") {
        command::run("/usr/bin/id", &["-P", key], LIMIT)
    } else {
        command::run("/usr/bin/getent", &["passwd", key], LIMIT)
    };
    let finished = finished.ok().filter(command::Finished::succeeded)?;
    finished.stdout.lines().find_map(parse)
}

/// A line as in passwd(5); `id -P` of macOS (id(1)) has the ten fields of master.passwd(5). The home folder is the last
/// but one in both.
fn parse(line: &str) -> Option<Account> {
    let fields: Vec<&str> = line.trim_end().split(':').collect();
    if !matches!(fields.len(), 7 | 10) {
        return None;
    }
    let home = PathBuf::from(fields[fields.len() - 2]);
    let name = fields[0].to_owned();
    (!name.is_empty() && home.is_absolute()).then_some(())?;
    Some(Account { name, uid: fields[2].parse().ok()?, home })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_either_system_is_understood() {
        let ada = Account { name: "ada".into(), uid: 1000, home: PathBuf::from("/home/ada") };
        assert_eq!(parse("ada:x:1000:1000:Ada,,,:/home/ada:/bin/bash"), Some(ada));
        let mac = Account { name: "ada".into(), uid: 501, home: PathBuf::from("/Users/ada") };
        assert_eq!(parse("ada:********:501:20::0:0:Ada Lovelace:/Users/ada:/bin/zsh\n"), Some(mac));
        for odd in ["", "ada", "ada:x:many:1000::/home/ada:/bin/sh", ":x:1:1::/a:/b", "a:x:1:1::home:/b"] {
            assert_eq!(parse(odd), None, "{odd}");
        }
    }

    #[test]
    fn this_user_is_known_by_number_and_by_name() {
        let current = Account::current().unwrap();
        assert_eq!(current.uid, process::uid());
        assert_eq!(Account::named(&current.name), Some(current));
    }

    #[test]
    fn only_a_name_is_looked_up() {
        for odd in ["", "0", "-h", "root:x", "a b", "../root"] {
            assert_eq!(Account::named(odd), None, "{odd}");
        }
    }
}
