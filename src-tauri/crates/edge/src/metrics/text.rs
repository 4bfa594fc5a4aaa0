//! The Prometheus text format, version 0.0.4.

use std::fmt::Write as _;

/// A page of metrics that is being written. Names, labels and values of labels are ours, so nothing needs escaping.
#[derive(Debug)]
pub(crate) struct Exposition {
    text: String,
    name: &'static str,
}

impl Exposition {
    pub(super) fn new() -> Self {
        Self { text: String::with_capacity(16 * 1024), name: "" }
    }

    pub(super) fn counter(&mut self, name: &'static str, help: &str) -> &mut Self {
        self.family(name, "counter", help)
    }

    pub(super) fn gauge(&mut self, name: &'static str, help: &str) -> &mut Self {
        self.family(name, "gauge", help)
    }

    pub(super) fn histogram(&mut self, name: &'static str, help: &str) -> &mut Self {
        self.family(name, "histogram", help)
    }

    /// A value of the family that was begun last.
    pub(super) fn sample(&mut self, suffix: &str, labels: &[(&str, &str)], value: u64) {
        self.series(suffix, labels);
        let _ = writeln!(self.text, "{value}");
    }

    /// The same with a value in microseconds, said in seconds.
    pub(super) fn seconds(&mut self, suffix: &str, micros: u64) {
        self.series(suffix, &[]);
        let _ = writeln!(self.text, "{}.{:06}", micros / 1_000_000, micros % 1_000_000);
    }

    pub(super) fn finish(self) -> String {
        self.text
    }

    fn family(&mut self, name: &'static str, kind: &str, help: &str) -> &mut Self {
        self.name = name;
        // Writing to a String cannot fail.
        let _ = writeln!(self.text, "# HELP {name} {help}\n# TYPE {name} {kind}");
        self
    }

    fn series(&mut self, suffix: &str, labels: &[(&str, &str)]) {
        let _ = write!(self.text, "{}{suffix}", self.name);
        let mut open = '{';
        for (name, value) in labels {
            let _ = write!(self.text, "{open}{name}=\"{value}\"");
            open = ',';
        }
        if open == ',' {
            self.text.push('}');
        }
        self.text.push(' ');
    }
}
