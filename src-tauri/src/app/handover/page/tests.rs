use std::os::unix::fs::PermissionsExt as _;

use super::*;

const SECRET: &str = "b00t5trap-0123456789";

/// Arguments and environments of every process that this user may read, as one text.
fn every_process() -> String {
    let mut all = String::new();
    for process in std::fs::read_dir("/proc").unwrap().flatten() {
        for file in ["cmdline", "environ"] {
            let bytes = std::fs::read(process.path().join(file)).unwrap_or_default();
            all.push_str(&String::from_utf8_lossy(&bytes));
        }
    }
    all
}

/// A browser that notes what it was given and stays.
fn browser(folder: &Path) -> PathBuf {
    let path = folder.join("browser");
    let script = "#!/bin/sh\nprintf %s \"$1\" > \"$0.tmp\"; cat \"$1\" > \"$0.page\"; mv \"$0.tmp\" \"$0.given\"; sleep 5; :\n";
    // Another process writes it: a file that is open for writing while a neighbouring test forks cannot be executed.
    let mut child = std::process::Command::new("/bin/sh")
        .args(["-c", "cat > \"$0\" && chmod 755 \"$0\""])
        .arg(&path)
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    io::Write::write_all(&mut child.stdin.take().unwrap(), script.as_bytes()).unwrap();
    assert!(child.wait().unwrap().success());
    path
}

async fn until(what: impl Fn() -> bool) {
    let waited = async {
        while !what() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), waited).await.expect("it never came to that");
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_link_that_logs_in_is_in_no_arguments_and_no_environment() {
    let folder = tempfile::tempdir().unwrap();
    let (browser, private) = (browser(folder.path()), folder.path().join("private"));
    let url = format!("https://localhost/#bootstrapToken={SECRET}&bootstrapProfile=owner");

    open(&url, &private, browser.to_str().unwrap(), Duration::from_secs(60)).await.unwrap();
    let given = folder.path().join("browser.given");
    until(|| given.exists()).await;

    let page = PathBuf::from(std::fs::read_to_string(&given).unwrap());
    let processes = every_process();
    assert!(processes.contains(page.to_str().unwrap()), "the browser runs");
    assert!(!processes.contains(SECRET));
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&page), mode(&private)), (0o600, 0o700));
    let text = std::fs::read_to_string(folder.path().join("browser.page")).unwrap();
    assert!(text.contains(&url.replace('&', "&amp;")), "{text}");
}

#[tokio::test]
async fn the_page_is_gone_soon_after() {
    let folder = tempfile::tempdir().unwrap();
    let pages = || std::fs::read_dir(folder.path()).unwrap().count();

    open("https://localhost/#x", folder.path(), "true", Duration::from_millis(50)).await.unwrap();
    open("https://localhost/#y", folder.path(), "true", Duration::from_secs(60)).await.unwrap();

    assert_eq!(pages(), 2);
    until(|| pages() == 1).await;
    let left = std::fs::read_dir(folder.path()).unwrap().next().unwrap().unwrap().path();
    assert!(
        std::fs::read_to_string(left).unwrap().contains("/#y"),
        "the second one stays for its own minute"
    );
}

#[tokio::test]
async fn a_browser_that_is_not_there_is_told_and_leaves_no_page() {
    let folder = tempfile::tempdir().unwrap();

    let error = open("https://localhost/#x", folder.path(), "/no/such/program", KEPT).await.unwrap_err();

    assert!(error.because.contains("/no/such/program"));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn a_link_cannot_break_out_of_the_page() {
    let text = text("https://localhost/#\"><script>alert(1)</script>");

    assert!(!text.contains("\"><script>alert"), "{text}");
}
