//! The same pages in Simplified Chinese, which words choose the language, and the catalogue of the command line.

use std::{collections::BTreeMap, fs, path::Path};

use gatehouse_api::{Reply, Request};
use time::OffsetDateTime;
use unicode_width::UnicodeWidthStr as _;

use crate::{
    core::{FakeCore, private_folder},
    fixtures,
    pages::page,
    run::{Ran, end, program, run_line},
};

/// Answers as [`fixtures::answer`], with moments of today.
fn core() -> FakeCore {
    let now = OffsetDateTime::now_utc();
    FakeCore::start(fixtures::on_at(now), move |request| {
        Some(match request {
            Request::Status => Ok(Reply::Status(Box::new(fixtures::on_at(now)))),
            Request::DevicesList => Ok(Reply::Devices(fixtures::devices_at(now))),
            Request::History { .. } => Ok(Reply::History(fixtures::history_at(now))),
            other => fixtures::answer(other),
        })
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_are_in_chinese_where_that_is_wanted() {
    let core = core();
    for (name, line) in [
        ("status-on", "status --lang zh-Hans"),
        ("plan", "--lang zh-Hans open --dry-run"),
        ("devices-list", "devices list --lang=zh-hans"),
        ("history", "history --lang zh-Hans"),
        ("config-get", "config get --lang zh-Hans"),
        ("front-status", "front status --lang zh-Hans"),
    ] {
        page(&format!("zh-Hans/{name}.txt"), &run_line(&core.path, line).await.stdout);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_is_in_chinese_with_the_same_exit_status_and_command() {
    let folder = private_folder();
    let ran = run_line(&folder.path().join("s"), "status --lang zh-Hans").await;

    assert_eq!(ran.status, 5);
    let text = ran.stderr.replace(folder.path().to_str().unwrap(), "/run");
    page("zh-Hans/error-not-running.txt", &text);
    assert!(text.ends_with("    gatehouse serve\n"), "{text}");

    let core = FakeCore::refusing(fixtures::verify_failed());
    let ran = run_line(&core.path, "open --yes --lang zh-Hans").await;
    assert_eq!((ran.status, ran.stdout.as_str()), (8, ""));
    assert!(ran.stderr.starts_with("已撤回："), "{ran:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_help_is_in_chinese_too() {
    let folder = private_folder();
    for line in ["open --help --lang zh-Hans", "--lang=zh-Hans open -h", "--lang zh-Hans help open"] {
        let ran = run_line(&folder.path().join("s"), line).await;

        assert_eq!((ran.status, ran.stderr.as_str()), (0, ""), "{line}: {ran:?}");
        assert!(ran.stdout.contains("用法：gatehouse open [OPTIONS]\n"), "{line}: {ran:?}");
        assert!(ran.stdout.contains("开放给谁 [可选值：mac, lan, internet] [默认：lan]"), "{line}: {ran:?}");
        assert!(ran.stdout.ends_with('\n') && !ran.stdout.contains("Print"), "{line}: {ran:?}");
    }
}

/// Scripts compare objects: no language changes them.
#[tokio::test(flavor = "multi_thread")]
async fn objects_are_the_same_in_every_language() {
    let core = FakeCore::usual();
    for line in ["confirm --json", "status --json", "devices approve --json"] {
        let english = run_line(&core.path, line).await;
        let chinese = run_line(&core.path, &format!("{line} --lang zh-Hans")).await;

        let alike = |ran: &Ran| ran.stdout.replace(" --lang zh-Hans", "");
        assert_eq!((alike(&english), english.status), (alike(&chinese), chinese.status), "{line}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_flag_comes_before_the_variable_and_that_before_the_locale() {
    let core = core();
    for (flag, variables, chinese) in [
        ("", &[][..], false),
        ("", &[("LANG", "zh_CN.UTF-8")], true),
        ("", &[("LANG", "zh_CN.UTF-8"), ("LC_MESSAGES", "C.UTF-8")], false),
        ("", &[("LANG", "zh_CN.UTF-8"), ("LC_MESSAGES", "C"), ("LC_ALL", "zh_CN.UTF-8")], true),
        ("", &[("LANG", "zh_TW.UTF-8")], false),
        ("", &[("LC_ALL", "C.UTF-8"), ("GATEHOUSE_LANG", "zh-Hans")], true),
        ("", &[("LANG", "zh_CN.UTF-8"), ("GATEHOUSE_LANG", "en")], false),
        ("", &[("LANG", "zh_CN.UTF-8"), ("GATEHOUSE_LANG", "")], true),
        ("--lang=en", &[("LANG", "zh_CN.UTF-8"), ("GATEHOUSE_LANG", "zh-Hans")], false),
        ("--lang=zh-Hans", &[("LC_ALL", "C"), ("GATEHOUSE_LANG", "en")], true),
    ] {
        let words: Vec<&str> = ["history", flag].into_iter().filter(|word| !word.is_empty()).collect();
        let mut program = program(&core.path, &words);
        program.env_remove("LC_ALL").envs(variables.iter().copied());
        let ran = end(program.spawn().unwrap()).await;

        assert_eq!(ran.status, 0, "{ran:?}");
        assert_eq!(ran.stdout.contains("最近的在前"), chinese, "{flag} {variables:?}: {}", ran.stdout);
        assert_eq!(ran.stdout.contains("newest first"), !chinese, "{flag} {variables:?}: {}", ran.stdout);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_language_that_there_is_not_is_a_usage_error_that_names_those_there_are() {
    let core = FakeCore::usual();
    let ran = run_line(&core.path, "status --lang fr").await;

    assert_eq!(ran.status, 2);
    assert!(ran.stderr.contains("en, zh-Hans"), "{ran:?}");
}

/// Names of values are of different lengths, in characters and in columns; the values begin below each other.
#[tokio::test(flavor = "multi_thread")]
async fn values_with_chinese_names_begin_in_the_same_column() {
    let core = core();
    let text = run_line(&core.path, "status --lang zh-Hans").await.stdout;
    let columns = |value: &str| {
        let line =
            text.lines().find(|line| line.contains(value)).unwrap_or_else(|| panic!("{value}: {text}"));
        line[..line.find(value).unwrap()].width()
    };

    for value in ["https://mini.local", "Gatehouse CA", "3 个连接"] {
        assert_eq!(columns(value), 13, "{value} in {text}");
    }
}

#[test]
fn every_text_of_the_command_line_is_used_and_is_there_in_both_languages() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |language: &str| -> BTreeMap<String, String> {
        let path = root.join(format!("../catalogue/cli/{language}.json"));
        serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
    };
    let (english, chinese) = (read("en"), read("zh-Hans"));
    let mut program = String::new();
    sources(&root.join("src"), &mut program);

    assert!(english.len() > 300, "{}", english.len());
    assert_eq!(english.keys().collect::<Vec<_>>(), chinese.keys().collect::<Vec<_>>());
    for (key, text) in &english {
        assert_eq!(places(text), places(&chinese[key]), "{key}");
        // The help asks by the names of commands and words; its own test looks at those.
        if key.starts_with("cli.help.") {
            continue;
        }
        let base = key.strip_suffix(".one").or(key.strip_suffix(".other")).unwrap_or(key);
        assert!(program.contains(&format!("\"{base}\"")), "nothing says {key}");
    }
}

/// What stands in braces, sorted.
fn places(text: &str) -> Vec<&str> {
    let ends = text.split('{').skip(1).filter_map(|rest| rest.split_once('}'));
    let mut places: Vec<&str> = ends.map(|(name, _)| name).collect();
    places.sort_unstable();
    places
}

fn sources(folder: &Path, text: &mut String) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, text);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            text.push_str(&fs::read_to_string(&path).unwrap());
        }
    }
}
