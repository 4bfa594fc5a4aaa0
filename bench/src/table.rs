//! What was measured, and the table of it.

use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// One row: what, in which unit, and whether the edge wants little or much of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Row {
    /// Rows stand in this order.
    pub order: u32,
    /// What.
    pub what: &'static str,
    /// Of what is measured.
    pub unit: &'static str,
    /// Counts are compared by looking at them, not as ratios.
    pub is_count: bool,
}

/// Values by row, peer and round.
#[derive(Debug, Default)]
pub struct Results {
    peers: Vec<String>,
    rows: BTreeMap<Row, BTreeMap<String, Vec<f64>>>,
}

impl Results {
    /// Results of these peers, the edge first.
    pub fn of(peers: Vec<String>) -> Self {
        Self { peers, rows: BTreeMap::new() }
    }

    /// One value of one round.
    pub fn add(&mut self, row: Row, peer: &str, value: f64) {
        self.rows.entry(row).or_default().entry(peer.to_owned()).or_default().push(value);
    }

    /// Everything, for programs.
    pub fn json(&self) -> Value {
        let rows = self
            .rows
            .iter()
            .map(|(row, peers)| json!({ "what": row.what, "unit": row.unit, "peers": peers }));
        json!({ "peers": self.peers, "rows": rows.collect::<Vec<_>>() })
    }

    /// The table: medians, and in brackets what the edge needs of what the peer needs, with the spread of that ratio over
    /// the rounds.
    pub fn markdown(&self) -> String {
        let mut text = String::from("| |");
        for peer in &self.peers {
            let _ = write!(text, " {peer} |");
        }
        text.push_str("\n|---|");
        text.push_str(&"--:|".repeat(self.peers.len()));
        for (row, values) in &self.rows {
            let _ = write!(text, "\n| {}, {} |", row.what, row.unit);
            let own = self.peers.first().and_then(|edge| values.get(edge));
            for (column, peer) in self.peers.iter().enumerate() {
                let Some(values) = values.get(peer) else {
                    text.push_str(" – |");
                    continue;
                };
                let _ = write!(text, " {}", short(median(values)));
                if column > 0
                    && !row.is_count
                    && let Some(own) = own
                {
                    let ratios: Vec<f64> = own.iter().zip(values).map(|(own, theirs)| own / theirs).collect();
                    let _ = write!(text, " ({:.2}{})", median(&ratios), spread(&ratios));
                }
                text.push_str(" |");
            }
        }
        text.push('\n');
        text
    }
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    let upper = sorted.get(middle).copied().unwrap_or(f64::NAN);
    if sorted.len() % 2 == 1 {
        return upper;
    }
    let lower = middle.checked_sub(1).and_then(|lower| sorted.get(lower)).copied();
    lower.map_or(upper, |lower| f64::midpoint(lower, upper))
}

/// Half the way from the least to the most.
fn spread(values: &[f64]) -> String {
    if values.len() < 2 {
        return String::new();
    }
    let least = values.iter().copied().fold(f64::INFINITY, f64::min);
    let most = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    format!(" ± {:.2}", (most - least) / 2.0)
}

fn short(value: f64) -> String {
    if value >= 100.0 || value == 0.0 {
        format!("{value:.0}")
    } else if value >= 10.0 {
        format!("{value:.1}")
    } else {
        format!("{value:.2}")
    }
}
