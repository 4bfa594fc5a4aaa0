//! macOS' Application Firewall. It decides for each program: `--listapps` says what was decided, and nothing of a
//! program that was not decided on. `--getappblocked` is of no use: it calls every program that is not listed permitted
//! (read in public bug reports, macOS 15 and 26; none was recorded on a Mac by us).

use std::path::Path;

use super::{Firewall, Kind, LIMIT, Verdict};
use crate::command;

const PROGRAM: &str = "/usr/libexec/ApplicationFirewall/socketfilterfw";

pub(super) fn ask(program: &Path) -> Option<Firewall> {
    let state = command::run(PROGRAM, &["--getglobalstate"], LIMIT).ok()?;
    let all = command::run(PROGRAM, &["--getblockall"], LIMIT).map(|it| it.stdout).unwrap_or_default();
    let listed = command::run(PROGRAM, &["--listapps"], LIMIT).map(|it| it.stdout).unwrap_or_default();
    judged(&state.stdout, &all, &listed, program)
}

/// `None` = it is off, or not known to be on.
fn judged(state: &str, all: &str, listed: &str, program: &Path) -> Option<Firewall> {
    let (_, state) = state.split_once("State = ")?;
    let blocks_all = state.starts_with('2') || blocks_all(all);
    if state.starts_with('0') {
        return None;
    }
    if blocks_all {
        let remedy = format!("sudo {PROGRAM} --setblockall off");
        return Some(Firewall { kind: Kind::Application, verdict: Verdict::Blocked, remedy });
    }
    let code = bundle(program);
    let verdict = match decided(listed, code).or_else(|| decided(listed, program)) {
        Some(true) => Verdict::Open,
        Some(false) => Verdict::Blocked,
        None => Verdict::Unknown,
    };
    let path = quoted(&code.to_string_lossy());
    let remedy = format!("sudo {PROGRAM} --add {path} && sudo {PROGRAM} --unblockapp {path}");
    Some(Firewall { kind: Kind::Application, verdict, remedy })
}

/// `Block all ENABLED!` up to macOS 13, `Firewall has block all state set to enabled.` since.
fn blocks_all(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    text.contains("block all") && text.contains("enabled") && !text.contains("disabled")
}

/// What stands in the list for a program: its path on one line, the decision in brackets on the next.
fn decided(listed: &str, program: &Path) -> Option<bool> {
    let mut lines = listed.lines().map(str::trim).filter(|line| !line.is_empty());
    while let Some(line) = lines.next() {
        let Some((number, path)) = line.split_once(':') else { continue };
        if number.trim().parse::<u32>().is_err() || Path::new(path.trim()) != program {
            continue;
        }
        let decision = lines.next()?.to_ascii_lowercase();
        return match (decision.contains("allow"), decision.contains("block")) {
            (true, false) => Some(true),
            (false, true) => Some(false),
            _ => None,
        };
    }
    None
}

/// The bundle that a program is in: that is what the firewall lists.
fn bundle(program: &Path) -> &Path {
    let is_bundle = |path: &&Path| path.extension().is_some_and(|extension| extension == "app");
    program.ancestors().find(is_bundle).unwrap_or(program)
}

fn quoted(path: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+".contains(c);
    if path.chars().all(plain) { path.to_owned() } else { format!("'{}'", path.replace('\'', "'\\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ON: &str = "Firewall is enabled. (State = 1) \n";
    const APP: &str = "/Applications/Gatehouse.app/Contents/MacOS/gatehouse";

    fn verdict(listed: &str) -> Verdict {
        judged(ON, "Firewall has block all state set to disabled.", listed, Path::new(APP)).unwrap().verdict
    }

    #[test]
    fn the_list_decides_in_the_form_of_macos_26_and_in_the_older_one() {
        // nix-darwin issue 1705 (2026-02), with our own paths.
        let new = "Total number of apps = 2\n1 : /usr/libexec/sshd-session\n             \
            (Block incoming connections)\n2 : /Applications/Gatehouse.app\n             (Allow incoming connections)\n";
        assert_eq!(verdict(new), Verdict::Open);
        assert_eq!(verdict(&new.replace("Allow", "Block")), Verdict::Blocked);
        assert_eq!(verdict(&new.replace("Gatehouse", "Other")), Verdict::Unknown);
        // As macOS 10.15 to 14 write it.
        let old = "ALF: total number of apps = 1 \n\n1 :  /Applications/Gatehouse.app \n \t ( Block incoming connections ) \n\n";
        assert_eq!(verdict(old), Verdict::Blocked);
        assert_eq!(verdict(""), Verdict::Unknown);
    }

    #[test]
    fn off_is_no_firewall_and_everything_blocked_is_told_with_its_switch() {
        let off = judged("Firewall is disabled. (State = 0) \n", "", "", Path::new(APP));
        assert_eq!(off, None);
        for all in ["Block all ENABLED! \n", "Firewall has block all state set to enabled. \n"] {
            let found = judged(ON, all, "", Path::new(APP)).unwrap();
            assert_eq!(found.verdict, Verdict::Blocked, "{all}");
            assert!(found.remedy.ends_with("--setblockall off"), "{}", found.remedy);
        }
        assert!(!blocks_all("Block all DISABLED! \n") && !blocks_all(""));
    }

    #[test]
    fn the_remedy_names_the_bundle_and_survives_a_shell() {
        let found =
            judged(ON, "", "", Path::new("/Users/ada/My Apps/Gatehouse.app/Contents/MacOS/gatehouse"));
        let remedy = found.unwrap().remedy;
        assert!(remedy.contains("--add '/Users/ada/My Apps/Gatehouse.app' && "), "{remedy}");
        assert_eq!(quoted("/a/it's"), r"'/a/it'\''s'");
    }
}
