//! Processes, and what the kernel says that they cost.

use crate::Outcome;
use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// A process that ends with this value, its children with it.
#[derive(Debug)]
pub struct Running {
    child: Child,
}

impl Running {
    /// Starts a program on one core. Its standard output and error go to a file.
    pub fn start(core: usize, program: &Path, arguments: &[String], log: &Path) -> Outcome<Self> {
        let output = fs::File::create(log)?;
        let child = Command::new("taskset")
            .args(["-c", &core.to_string()])
            .arg(program)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(output.try_clone()?)
            .stderr(output)
            .env("GOMAXPROCS", "1")
            .spawn()
            .map_err(|error| format!("{}: {error}", program.display()))?;
        Ok(Self { child })
    }

    /// Its standard input.
    pub fn input(&mut self) -> Outcome<&mut std::process::ChildStdin> {
        self.child.stdin.as_mut().ok_or_else(|| "no standard input".into())
    }

    /// Its id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// CPU time of all its processes, children included.
    pub fn cpu(&self) -> Duration {
        Duration::from_nanos(tree(self.id()).into_iter().map(nanoseconds).sum())
    }

    /// Memory of all its processes, shared pages in proportion, in bytes.
    pub fn memory(&self) -> u64 {
        tree(self.id()).into_iter().map(pss).sum()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        for id in tree(self.id()).into_iter().rev() {
            let _ = Command::new("kill").args(["-KILL", &id.to_string()]).stderr(Stdio::null()).status();
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A process and its descendants.
fn tree(root: u32) -> Vec<u32> {
    let mut all = vec![root];
    let mut next = 0;
    while let Some(id) = all.get(next).copied() {
        next += 1;
        let tasks = fs::read_dir(format!("/proc/{id}/task")).into_iter().flatten().flatten();
        for task in tasks {
            let children = fs::read_to_string(task.path().join("children")).unwrap_or_default();
            all.extend(children.split_whitespace().filter_map(|child| child.parse::<u32>().ok()));
        }
    }
    all
}

/// Time on a processor, summed over the threads that live.
fn nanoseconds(id: u32) -> u64 {
    let tasks = fs::read_dir(format!("/proc/{id}/task")).into_iter().flatten().flatten();
    tasks
        .filter_map(|task| fs::read_to_string(task.path().join("schedstat")).ok())
        .filter_map(|text| text.split_whitespace().next()?.parse::<u64>().ok())
        .sum()
}

fn pss(id: u32) -> u64 {
    let rollup = fs::read_to_string(format!("/proc/{id}/smaps_rollup")).unwrap_or_default();
    let line = rollup.lines().find_map(|line| line.strip_prefix("Pss:"));
    line.and_then(|rest| rest.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or(0) * 1024
}
