//! Whether a firewall of this system stands before a program that listens, and the exact command that lets others in.
//!
//! Guarantees: nothing is changed and nothing asks for a password; what only an administrator may read is told as not
//! known, never as open. Starts short-lived programs: call it off the async threads.

mod application;
mod nft;

use std::path::Path;
use std::time::Duration;

use crate::command;

const LIMIT: Duration = Duration::from_secs(5);

/// Which firewall.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// macOS' Application Firewall.
    Application,
    /// Uncomplicated Firewall.
    Ufw,
    /// firewalld.
    Firewalld,
    /// Rules of nftables that nobody of the above made.
    Nftables,
}

impl std::fmt::Display for Kind {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(match self {
            Self::Application => "Application Firewall",
            Self::Ufw => "ufw",
            Self::Firewalld => "firewalld",
            Self::Nftables => "nftables",
        })
    }
}

/// What it does with connections to the port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It lets them in.
    Open,
    /// It keeps them out.
    Blocked,
    /// Only an administrator may know, or it decides when somebody comes.
    Unknown,
}

/// A firewall that is switched on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Firewall {
    /// Which.
    pub kind: Kind,
    /// What it does with connections to the port.
    pub verdict: Verdict,
    /// What an administrator types to let others in.
    pub remedy: String,
}

/// The firewalls that are switched on, as far as they concern connections to `port` of `program`.
#[must_use]
pub fn firewalls(program: &Path, port: u16) -> Vec<Firewall> {
    if cfg!(target_os = "macos") {
        return application::ask(program).into_iter().collect();
    }
    // Both of the first two are nftables underneath: theirs are not told twice.
    let managed: Vec<Firewall> = [ufw(port), firewalld(port)].into_iter().flatten().collect();
    if managed.is_empty() { nft::ask(port).into_iter().collect() } else { managed }
}

fn ufw(port: u16) -> Option<Firewall> {
    let switched_on = std::fs::read_to_string("/etc/ufw/ufw.conf").is_ok_and(|text| ufw_enabled(&text));
    let rules = |name: &str| std::fs::read_to_string(Path::new("/etc/ufw").join(name)).ok();
    switched_on.then(|| Firewall {
        kind: Kind::Ufw,
        verdict: rules("user.rules").map_or(Verdict::Unknown, |text| ufw_verdict(&text, port)),
        remedy: format!("sudo ufw allow {port}/tcp"),
    })
}

/// `ENABLED=yes` in `/etc/ufw/ufw.conf` (ufw(8)).
fn ufw_enabled(text: &str) -> bool {
    text.lines().any(|line| line.trim().eq_ignore_ascii_case("ENABLED=yes"))
}

/// `/etc/ufw/user.rules`, which only root reads: `### tuple ### allow tcp 443 0.0.0.0/0 any 0.0.0.0/0 in`.
fn ufw_verdict(text: &str, port: u16) -> Verdict {
    for line in text.lines() {
        let Some(tuple) = line.strip_prefix("### tuple ### ") else { continue };
        let words: Vec<&str> = tuple.split_whitespace().collect();
        let [action, protocol, ports, ..] = words[..] else { continue };
        if matches!(protocol, "tcp" | "any") && names_port(ports, port) {
            return if action.starts_with("allow") { Verdict::Open } else { Verdict::Blocked };
        }
    }
    // What no rule names meets the default, which another file holds; ufw's own default keeps out.
    Verdict::Blocked
}

/// `443`, `80,443`, `8000:8100`, `any`.
fn names_port(text: &str, port: u16) -> bool {
    text.split(',').any(|part| match part.split_once(':') {
        Some((first, last)) => {
            first.parse().is_ok_and(|first: u16| first <= port)
                && last.parse().is_ok_and(|last: u16| port <= last)
        }
        None => part == "any" || part.parse() == Ok(port),
    })
}

fn firewalld(port: u16) -> Option<Firewall> {
    const PROGRAM: &str = "/usr/bin/firewall-cmd";
    let state = command::run(PROGRAM, &["--state"], LIMIT).ok()?;
    (state.stdout.trim() == "running").then(|| {
        let ask = format!("--query-port={port}/tcp");
        let named = command::run(PROGRAM, &[&ask], LIMIT).ok().and_then(|it| yes_or_no(&it.stdout));
        let service = (port == 443).then(|| command::run(PROGRAM, &["--query-service=https"], LIMIT).ok());
        let service = service.flatten().and_then(|it| yes_or_no(&it.stdout));
        Firewall {
            kind: Kind::Firewalld,
            verdict: match (named, service) {
                (Some(true), _) | (_, Some(true)) => Verdict::Open,
                (Some(false), _) => Verdict::Blocked,
                (None, _) => Verdict::Unknown,
            },
            remedy: format!(
                "sudo firewall-cmd --permanent --add-port={port}/tcp && sudo firewall-cmd --reload"
            ),
        }
    })
}

/// `firewall-cmd --query-…`: `yes` or `no` (firewall-cmd(1)).
fn yes_or_no(stdout: &str) -> Option<bool> {
    match stdout.trim() {
        "yes" => Some(true),
        "no" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ufw_is_read_where_that_is_allowed() {
        assert!(ufw_enabled("# /etc/ufw/ufw.conf\nENABLED=yes\nLOGLEVEL=low\n"));
        assert!(!ufw_enabled("ENABLED=no\n"));
        // Written by ufw 0.36.2 of Debian 12 for `ufw allow 443/tcp` and `ufw deny 8443/tcp`.
        let rules = "*filter\n### RULES ###\n\n### tuple ### allow tcp 443 0.0.0.0/0 any 0.0.0.0/0 in\n\
            -A ufw-user-input -p tcp --dport 443 -j ACCEPT\n\n\
            ### tuple ### deny tcp 8443 0.0.0.0/0 any 0.0.0.0/0 in\n-A ufw-user-input -p tcp --dport 8443 -j DROP\n";
        assert_eq!(ufw_verdict(rules, 443), Verdict::Open);
        assert_eq!(ufw_verdict(rules, 8443), Verdict::Blocked);
        assert_eq!(ufw_verdict(rules, 80), Verdict::Blocked);
        assert!(names_port("80,443", 443) && names_port("8000:9000", 8443) && !names_port("udp", 53));
    }

    #[test]
    fn the_answers_of_firewalld_are_read() {
        assert_eq!((yes_or_no("yes\n"), yes_or_no("no\n"), yes_or_no("")), (Some(true), Some(false), None));
    }
}
