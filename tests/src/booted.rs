//! A machine that was booted: systemd is its first process, with logind, a bus, and user managers of its own.
//!
//! It is a [`Machine`] (a network namespace) whose programs share a process table and a set of mounts, too: `/etc`, `/run`,
//! `/var/lib/systemd`, `/var/log`, `/tmp` and `/opt` are its own, root's home is a folder of the test, the program under test is
//! in `/opt/gatehouse/bin`, and OpenClaw in `/opt/openclaw`. Nothing of it is left when it ends.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use tokio::process::{Child, Command};
use tokio::sync::{Mutex, MutexGuard};

use crate::{Machine, Net, eventually, need};

/// The program under test on a booted machine.
pub const PROGRAM: &str = "/opt/gatehouse/bin/gatehouse";
/// A second installation of it.
pub const OTHER_PROGRAM: &str = "/opt/gatehouse-2/bin/gatehouse";
/// Where the user `ada` lives, below the folder of the test.
const ADA: u32 = 1777;

/// Two machines, of which the first is booted.
#[derive(Debug)]
pub struct Booted {
    /// The machine.
    pub machine: Machine,
    net: Net,
    _init: Child,
    _turn: MutexGuard<'static, ()>,
}

/// One at a time: two that boot at once take each other's processor.
static TURN: Mutex<()> = Mutex::const_new(());
/// How often it is tried.
const BOOTS: usize = 3;
/// How long a boot may take; it takes a second or two.
const BOOT_TIME: Duration = Duration::from_secs(60);

/// Makes the mounts and becomes systemd. What is masked belongs to hardware, to a console, or to the machine around.
const BOOT: &str = r#"
set -eu
folder=$1 program=$2 openclaw=$3
group=$4
for tree in /sys/fs/cgroup/systemd /sys/fs/cgroup/unified /sys/fs/cgroup; do
  [ -e "$tree/cgroup.procs" ] || continue
  mkdir -p "$tree/$group" && echo $$ >"$tree/$group/cgroup.procs"
done
exec nsenter --net="/run/netns/$group" unshare --mount --pid --uts --fork --kill-child sh -euc '
folder=$1 program=$2 openclaw=$3
mount --make-rprivate /
mount -t tmpfs tmpfs /opt
for place in gatehouse gatehouse-2; do
  mkdir -p /opt/$place/bin
  : >/opt/$place/bin/gatehouse
  mount --bind "$program" /opt/$place/bin/gatehouse
done
mkdir /opt/openclaw
[ -z "$openclaw" ] || mount --bind "$openclaw" /opt/openclaw
# A temporary folder of its own, in which OpenClaw locks its state by path; the folder of the test stays where it is.
mkdir /opt/kept
mount --bind "$folder" /opt/kept
mount -t tmpfs -o mode=1777 tmpfs /tmp
mkdir -p "$folder"
mount --bind /opt/kept "$folder"
mkdir -p "$folder/boot" "$folder/root" "$folder/ada"
chown 1777:1777 "$folder/ada"
mount -t tmpfs tmpfs "$folder/boot"
mkdir "$folder/boot/etc" "$folder/boot/work"
mount -t overlay overlay -o "lowerdir=/etc,upperdir=$folder/boot/etc,workdir=$folder/boot/work" /etc
for place in /run /var/lib/systemd /var/log; do mount -t tmpfs tmpfs $place; done
mount --bind "$folder/root" /root
mount -t proc proc /proc
echo "ada:x:1777:1777::$folder/ada:/bin/sh" >>/etc/passwd
: >/etc/fstab
rm -rf /etc/systemd/system
mkdir /etc/systemd/system
printf "[Unit]\nRequires=dbus.socket basic.target\nAfter=basic.target\n" >/etc/systemd/system/test.target
for unit in systemd-udevd.service systemd-udev-trigger.service systemd-udevd-control.socket \
  systemd-udevd-kernel.socket systemd-resolved.service systemd-networkd.service systemd-timesyncd.service \
  systemd-journald-audit.socket systemd-tmpfiles-setup.service systemd-tmpfiles-setup-dev.service \
  systemd-tmpfiles-clean.timer systemd-sysctl.service systemd-modules-load.service systemd-remount-fs.service \
  systemd-random-seed.service systemd-update-utmp.service systemd-hwdb-update.service systemd-sysusers.service \
  systemd-journal-catalog-update.service systemd-update-done.service systemd-machine-id-commit.service \
  systemd-firstboot.service dev-hugepages.mount dev-mqueue.mount sys-kernel-debug.mount \
  sys-kernel-tracing.mount sys-fs-fuse-connections.mount sys-kernel-config.mount keyboard-setup.service \
  console-setup.service apparmor.service ldconfig.service networking.service ifupdown-pre.service \
  systemd-pstore.service systemd-binfmt.service proc-sys-fs-binfmt_misc.automount \
  systemd-boot-system-token.service kmod-static-nodes.service systemd-ask-password-console.path \
  systemd-ask-password-wall.path getty.target apt-daily.timer apt-daily-upgrade.timer tmp.mount; do
  ln -s /dev/null /etc/systemd/system/$unit
done
exec env -i container=test PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd --system --unit=test.target \
  --log-target=console --show-status=no
' sh "$folder" "$program" "$openclaw"
"#;

impl Booted {
    /// Boots, and waits until systemd says that it is up. On a busy machine a boot can hang on something of the machine
    /// around it; then it is made anew.
    pub async fn new() -> Self {
        let mut turn = TURN.lock().await;
        for _ in 1..BOOTS {
            match Self::boot(turn).await {
                Ok(booted) => return booted,
                Err(again) => turn = again,
            }
        }
        Self::boot(turn).await.unwrap_or_else(|_| panic!("systemd does not come up in {BOOTS} boots"))
    }

    async fn boot(turn: MutexGuard<'static, ()>) -> Result<Self, MutexGuard<'static, ()>> {
        let net = Net::new();
        let openclaw = need::openclaw().unwrap_or_default();
        let log = net.folder.join("boot.log");
        let output = std::fs::File::create(&log).expect("a log can be made");
        let init = Command::new("sh")
            .args(["-c", BOOT, "boot"])
            .args([net.folder.as_os_str(), crate::program().as_os_str(), openclaw.as_os_str()])
            .arg(net.here.namespace())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .stdin(Stdio::null())
            .stdout(output.try_clone().expect("a log can be shared"))
            .stderr(output)
            .kill_on_drop(true)
            .spawn()
            .expect("a shell starts");
        let outer = init.id().expect("it has just been started");
        let first = eventually("a first process", Duration::from_secs(20), async || child(outer)).await;
        let machine = net.here.booted(first);
        let booted = Self { machine, net, _init: init, _turn: turn };
        let begun = Instant::now();
        loop {
            let said = booted.say("systemctl", &["is-system-running"]).await;
            if ["running", "degraded"].contains(&said.trim()) {
                return Ok(booted);
            }
            if begun.elapsed() > BOOT_TIME {
                let log = std::fs::read_to_string(&log).unwrap_or_default();
                let jobs = booted.say("systemctl", &["list-jobs", "--no-pager"]).await;
                eprintln!("systemd says {said:?} after {BOOT_TIME:?}; its jobs: {jobs}\nits log: {log}");
                return Err(booted._turn);
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    /// A folder of the test; the same path inside and outside.
    #[must_use]
    pub fn folder(&self, name: &str) -> PathBuf {
        self.net.folder.join(name)
    }

    /// The machine at the other end of the wire.
    #[must_use]
    pub fn there(&self) -> &Machine {
        &self.net.there
    }

    /// Root's home, from outside.
    #[must_use]
    pub fn home(&self) -> PathBuf {
        self.folder("root")
    }

    /// Where the user [`Self::ada`] lives.
    #[must_use]
    pub fn home_of_ada(&self) -> PathBuf {
        self.folder("ada")
    }

    /// An ordinary user.
    #[must_use]
    pub fn ada(&self) -> u32 {
        ADA
    }

    /// Root's jobs run from now on, whoever is logged in. Waits until the user manager is up.
    pub async fn lingers(&self) {
        self.say("loginctl", &["enable-linger", "root"]).await;
        eventually("root's own systemd is up", Duration::from_secs(30), async || {
            (self.user("is-system-running", &[]).await.trim() == "running").then_some(())
        })
        .await;
    }

    /// Has a user manager without lingering, as a login would give.
    pub async fn logs_in(&self) {
        self.say("systemctl", &["start", "user@0.service"]).await;
    }

    /// What a short program says.
    pub async fn say(&self, program: &str, arguments: &[&str]) -> String {
        let output = self.machine.command(program).args(arguments).output().await.expect("it starts");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// What root's own systemd says.
    pub async fn user(&self, verb: &str, arguments: &[&str]) -> String {
        let mut command = self.machine.command("systemctl");
        command.env("XDG_RUNTIME_DIR", "/run/user/0").args(["--user", verb]).args(arguments);
        let output = command.output().await.expect("systemctl starts");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// The main process of a unit of root's own systemd; `None` = none.
    pub async fn main_pid(&self, unit: &str) -> Option<u32> {
        let shown = self.user("show", &["--property", "MainPID", "--value", unit]).await;
        shown.trim().parse().ok().filter(|pid| *pid != 0)
    }
}

fn child(of: u32) -> Option<u32> {
    let list = std::fs::read_to_string(Path::new("/proc").join(format!("{of}/task/{of}/children"))).ok()?;
    list.split_whitespace().next()?.parse().ok()
}
