//! Rules of nftables. Only root reads those in force; what is loaded at start is in a file that everybody reads.

use super::{Firewall, Kind, LIMIT, Verdict};
use crate::command;

pub(super) fn ask(port: u16) -> Option<Firewall> {
    let in_force = command::run("/usr/sbin/nft", &["list", "ruleset"], LIMIT).ok();
    let in_force = in_force.filter(command::Finished::succeeded).map(|finished| finished.stdout);
    if let Some(rules) = in_force {
        return keeps_out(&rules, port).map(|verdict| told(&rules, verdict, port));
    }
    let loaded = command::run("/usr/bin/systemctl", &["is-active", "nftables.service"], LIMIT).ok()?;
    let file = std::fs::read_to_string("/etc/nftables.conf").ok()?;
    // The file may have changed since, and others add rules: its word is a hint.
    (loaded.stdout.trim() == "active" && keeps_out(&file, port).is_some())
        .then(|| told(&file, Verdict::Unknown, port))
}

fn told(rules: &str, verdict: Verdict, port: u16) -> Firewall {
    let (family, table, chain) = input_chain(rules).unwrap_or(("inet", "filter", "input"));
    let remedy = format!("sudo nft insert rule {family} {table} {chain} tcp dport {port} accept");
    Firewall { kind: Kind::Nftables, verdict, remedy }
}

/// Where rules of ours belong: the chain for what comes in that drops the rest.
fn input_chain(rules: &str) -> Option<(&str, &str, &str)> {
    let (mut table, mut chain) = (None, None);
    for line in rules.lines().map(str::trim) {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words[..] {
            ["table", family, name, "{"] => (table, chain) = (Some((family, name)), None),
            ["chain", name, "{"] => chain = Some(name),
            ["type", "filter", "hook", "input", ..] if drops(line) => {
                return table.zip(chain).map(|((family, name), chain)| (family, name, chain));
            }
            _ => {}
        }
    }
    None
}

/// Whether the policy of the chain, or its last rule, keeps out what no rule let in.
fn drops(line: &str) -> bool {
    line.contains("policy drop")
}

/// What the rules do with connections to the port; `None` = nothing here keeps anybody out.
///
/// Rules with conditions that this does not know (sets, maps, jumps) count as not known.
fn keeps_out(rules: &str, port: u16) -> Option<Verdict> {
    let (_, _, wanted) = input_chain(rules)?;
    let mut inside = false;
    let mut verdict = Verdict::Blocked;
    for line in rules.lines().map(str::trim) {
        if line.starts_with("chain ") {
            inside = line.split_whitespace().nth(1) == Some(wanted);
        } else if inside && line.contains(" dport ") && line.contains("tcp") && line.ends_with("accept") {
            match names(line, port) {
                Some(true) => return Some(Verdict::Open),
                Some(false) => {}
                None => verdict = Verdict::Unknown,
            }
        } else if inside && (line.contains("jump ") || line.contains("goto ") || line.contains(" vmap ")) {
            verdict = Verdict::Unknown;
        }
    }
    Some(verdict)
}

/// Whether `tcp dport 443 …`, `tcp dport { 80, 443 } …` or `tcp dport 8000-9000 …` names the port.
fn names(line: &str, port: u16) -> Option<bool> {
    let (_, rest) = line.split_once("dport ")?;
    let list = match rest.strip_prefix('{') {
        Some(rest) => rest.split_once('}')?.0,
        None => rest.split_whitespace().next()?,
    };
    let mut found = false;
    for part in list.split(',').map(str::trim) {
        let number = |text: &str| match text {
            "https" => Some(443),
            "http" => Some(80),
            "https-alt" => Some(8443),
            text => text.parse::<u16>().ok(),
        };
        match part.split_once('-').and_then(|(first, last)| number(first).zip(number(last))) {
            Some((first, last)) => found |= (first..=last).contains(&port),
            None => match number(part) {
                Some(named) => found |= named == port,
                // A service by its name, or a set: another port, as far as we know.
                None if part.starts_with('@') => return None,
                None => {}
            },
        }
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    // `nft list ruleset` of nftables 1.0.6 (Debian 12), after /usr/share/doc/nftables/examples/workstation.nft.
    const STRICT: &str = "table inet filter {\n\tchain input {\n\t\ttype filter hook input priority filter; policy drop;\n\
        \t\tiif \"lo\" accept\n\t\tct state established,related accept\n\t\ttcp dport { 22, 443 } ct state new accept\n\t}\n\n\
        \tchain forward {\n\t\ttype filter hook forward priority filter; policy drop;\n\t}\n}\n";

    #[test]
    fn a_chain_that_drops_keeps_out_what_no_rule_names() {
        assert_eq!(keeps_out(STRICT, 443), Some(Verdict::Open));
        assert_eq!(keeps_out(STRICT, 8443), Some(Verdict::Blocked));
        assert_eq!(input_chain(STRICT), Some(("inet", "filter", "input")));
        let remedy = told(STRICT, Verdict::Blocked, 8443).remedy;
        assert_eq!(remedy, "sudo nft insert rule inet filter input tcp dport 8443 accept");
    }

    #[test]
    fn a_chain_that_accepts_keeps_nobody_out_and_what_is_not_understood_is_not_known() {
        assert_eq!(keeps_out(&STRICT.replace("policy drop", "policy accept"), 8443), None);
        assert_eq!(keeps_out("", 443), None);
        let jumps = STRICT.replace("tcp dport { 22, 443 } ct state new accept", "tcp dport 22 jump services");
        assert_eq!(keeps_out(&jumps, 443), Some(Verdict::Unknown));
        let set = STRICT.replace("{ 22, 443 }", "@open");
        assert_eq!(keeps_out(&set, 443), Some(Verdict::Unknown));
        assert_eq!(names("tcp dport 8000-9000 accept", 8443), Some(true));
        assert_eq!(names("tcp dport ssh accept", 443), Some(false));
    }
}
