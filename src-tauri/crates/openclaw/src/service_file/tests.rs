use std::fs;

use super::*;

/// Written by `openclaw gateway install` 2026.9.6 on systemd 252 (shortened).
const UNIT: &str = "[Unit]\nDescription=OpenClaw Gateway\nStartLimitBurst=10\n\n[Service]\n\
    ExecStart=/opt/oc/node_modules/node/bin/node --max-old-space-size=8192 /opt/oc/node_modules/openclaw/dist/index.js gateway --port 18789\n\
    Restart=always\nRestartPreventExitStatus=78\nEnvironment=OPENCLAW_GATEWAY_PORT=18789\n";

/// The property list of the same version (fact sheet, appendix C).
const PLIST: &str = "<plist version=\"1.0\"><dict>\n <key>Label</key><string>ai.openclaw.gateway</string>\n \
    <key>ProgramArguments</key><array>\n  <string>/bin/sh</string>\n  \
    <string>/Users/a&amp;b/.openclaw/service-env/ai.openclaw.gateway-env-wrapper.sh</string>\n  \
    <string>/opt/homebrew/bin/node</string>\n  \
    <string>/opt/homebrew/lib/node_modules/openclaw/dist/index.js</string>\n  <string>gateway</string>\
    <string>--port</string><string>18790</string></array>\n</dict></plist>";

fn environment(home: &Path, variables: &[(&str, &str)]) -> Environment {
    let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Environment { home: home.to_owned(), variables: variables.collect(), own_install: None }
}

#[test]
fn port_and_script_are_read_from_either_kind_of_file() {
    let unit = parse(UNIT);
    assert_eq!(unit.port, Some(18789));
    assert_eq!(unit.entry.as_deref(), Some(Path::new("/opt/oc/node_modules/openclaw/dist/index.js")));
    let plist = parse(PLIST);
    assert_eq!(plist.port, Some(18790));
    let entry = Path::new("/opt/homebrew/lib/node_modules/openclaw/dist/index.js");
    assert_eq!(plist.entry.as_deref(), Some(entry));
}

#[test]
fn a_port_may_stand_behind_an_equals_sign_or_in_a_variable_only_and_quotes_are_understood() {
    let quoted = "ExecStart=\"/opt/my node/node\" \"/opt/my oc/openclaw.mjs\" gateway --port=19000\n";
    let found = parse(quoted);
    assert_eq!(found.port, Some(19000));
    assert_eq!(found.entry.as_deref(), Some(Path::new("/opt/my oc/openclaw.mjs")));
    let variable = "ExecStart=/bin/oc gateway\nEnvironment=OPENCLAW_GATEWAY_PORT=19001\n";
    assert_eq!(parse(variable), ServiceFile { port: Some(19001), ..ServiceFile::default() });
    assert_eq!(parse("rubbish"), ServiceFile::default());
}

#[test]
fn names_follow_the_profile_and_the_variables() {
    let home = Path::new("/home/ada");
    let name = |variables: &[(&str, &str)], kind| ServiceName::of(&environment(home, variables), kind);
    let unit = name(&[], Kind::Unit);
    assert_eq!(unit.name, "openclaw-gateway.service");
    assert_eq!(unit.file, home.join(".config/systemd/user/openclaw-gateway.service"));
    let work = [("OPENCLAW_PROFILE", "work")];
    assert_eq!(name(&work, Kind::Unit).name, "openclaw-gateway-work.service");
    assert_eq!(name(&work, Kind::PropertyList).name, "ai.openclaw.work");
    assert_eq!(name(&[("OPENCLAW_PROFILE", "Default")], Kind::PropertyList).name, "ai.openclaw.gateway");
    assert_eq!(name(&[("OPENCLAW_SYSTEMD_UNIT", "mine")], Kind::Unit).name, "mine.service");
    let label = name(&[("OPENCLAW_LAUNCHD_LABEL", "com.me.oc")], Kind::PropertyList);
    assert_eq!(label.file, home.join("Library/LaunchAgents/com.me.oc.plist"));
}

#[test]
fn all_gateways_are_listed_and_no_other_service() {
    let home = tempfile::tempdir().unwrap();
    let environment = environment(home.path(), &[]);
    let units = home.path().join(".config/systemd/user");
    let agents = home.path().join("Library/LaunchAgents");
    fs::create_dir_all(&units).unwrap();
    fs::create_dir_all(&agents).unwrap();
    for name in ["openclaw-gateway.service", "clawdbot-gateway.service", "openclaw-node.service", "a.service"]
    {
        fs::write(units.join(name), UNIT).unwrap();
    }
    for name in
        ["ai.openclaw.gateway.plist", "ai.openclaw.node.plist", "com.clawdbot.gateway.plist", "x.plist"]
    {
        fs::write(agents.join(name), PLIST).unwrap();
    }
    let names = |kind| -> Vec<String> {
        ServiceName::all(&environment, kind).into_iter().map(|service| service.name).collect()
    };
    assert_eq!(names(Kind::Unit), ["clawdbot-gateway.service", "openclaw-gateway.service"]);
    assert_eq!(names(Kind::PropertyList), ["ai.openclaw.gateway", "com.clawdbot.gateway"]);
}

#[test]
fn the_version_is_that_of_the_installation_around_the_script() {
    let folder = tempfile::tempdir().unwrap();
    let package = folder.path().join("node_modules/openclaw");
    fs::create_dir_all(package.join("dist")).unwrap();
    fs::write(package.join("package.json"), r#"{"name":"openclaw","version":"2026.9.6"}"#).unwrap();
    let script = package.join("dist/index.js");
    fs::write(&script, "").unwrap();
    assert_eq!(version_of(&script).as_deref(), Some("2026.9.6"));

    let unit = UNIT.replace("/opt/oc/node_modules/openclaw/dist/index.js", script.to_str().unwrap());
    let service = ServiceName { name: "x.service".into(), file: folder.path().join("x.service") };
    assert_eq!(service.read().unwrap(), None);
    fs::write(&service.file, unit).unwrap();
    let found = service.read().unwrap().unwrap();
    assert!(found.entry_exists);
    assert_eq!(found.version.as_deref(), Some("2026.9.6"));

    fs::write(folder.path().join("openclaw"), "#!/bin/sh\n").unwrap();
    assert_eq!(version_of(&folder.path().join("openclaw")), None);
}

proptest::proptest! {
    #[test]
    fn no_text_makes_the_reader_panic(text in "(ExecStart=|<plist|<string>|</string>|--port|=|\"|'|\\\\| |\\n|[a-z0-9/é]){0,40}") {
        parse(&text);
    }
}
