//! Clearing up that cannot be forgotten.
//!
//! A janitor is a small shell of its own process group that waits on a pipe held by the test. When the pipe closes,
//! because the janitor was dropped or because the test process died in whatever way, it ends every process in its
//! network namespaces, unmounts, and removes the namespaces and the folder.

use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

const SWEEP: &str = r#"
trap '' HUP INT TERM
folder=$1; shift
read -r _
for namespace; do
  for _ in 1 2 3 4 5 6 7 8 9 10; do
    pids=$(ip netns pids "$namespace" 2>/dev/null) && [ -n "$pids" ] || break
    kill -KILL $pids 2>/dev/null
    sleep 0.1
  done
  ip netns delete "$namespace" 2>/dev/null
  for group in /sys/fs/cgroup/*/"$namespace" /sys/fs/cgroup/"$namespace"; do
    [ -d "$group" ] && find "$group" -depth -type d -exec rmdir {} \;
  done
  rm -rf "/etc/netns/$namespace"
done
awk -v under="$folder/" 'index($2, under) == 1 { print $2 }' /proc/mounts | sort -r | while read -r mounted; do
  umount -l "$mounted"
done
rm -rf "$folder"
"#;

/// Removes namespaces, the processes in them, mounts and a folder when it is dropped or its owner dies.
#[derive(Debug)]
pub struct Janitor {
    shell: Child,
}

impl Janitor {
    /// Starts one for `namespaces` (they need not exist yet) and everything below `folder`.
    #[must_use]
    pub fn for_all(namespaces: &[&str], folder: &Path) -> Self {
        let shell = Command::new("sh")
            .args(["-c", SWEEP, "janitor"])
            .arg(folder)
            .args(namespaces)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .expect("a shell starts");
        Self { shell }
    }
}

impl Drop for Janitor {
    fn drop(&mut self) {
        if let Some(mut pipe) = self.shell.stdin.take() {
            let _ = pipe.write_all(b"now\n");
        }
        let _ = self.shell.wait();
    }
}
