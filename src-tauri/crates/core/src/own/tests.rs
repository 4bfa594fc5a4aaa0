use std::path::PathBuf;

use gatehouse_openclaw::discovery::{Auth, PortSource};

use super::*;

fn found(program: bool) -> Result<Gateway, DiscoveryError> {
    Ok(Gateway {
        config_path: PathBuf::from("/home/a/.openclaw/openclaw.json"),
        config_exists: true,
        state_dir: PathBuf::from("/home/a/.openclaw"),
        profile: None,
        port: 18789,
        port_source: PortSource::Default,
        bind: None,
        auth: Auth::None,
        token_source: Default::default(),
        base_path: None,
        program: program.then(|| PathBuf::from("/usr/bin/openclaw")),
        program_source: None,
    })
}

fn nothing() -> Result<Gateway, DiscoveryError> {
    Err(DiscoveryError::NotFound { looked: Vec::new() })
}

fn unreadable() -> Result<Gateway, DiscoveryError> {
    Err(DiscoveryError::Config { path: PathBuf::from("/x"), because: "no JSON5".into() })
}

#[test]
fn one_of_our_own_runs_only_where_the_user_has_none_and_allows_it() {
    use GatewayHealth::{Ready, Refused};
    let other = GatewayHealth::NotGateway { what: "404".into() };
    let table = [
        ("nothing here", wanted(true, &nothing(), &Refused, false), true),
        ("not asked for", wanted(false, &nothing(), &Refused, false), false),
        ("a program is installed", wanted(true, &found(true), &Refused, false), false),
        ("only a left-over configuration", wanted(true, &found(false), &Refused, false), true),
        ("a gateway runs without a program", wanted(true, &found(false), &Ready, false), false),
        ("ours was left behind by a crash", wanted(true, &nothing(), &Ready, true), true),
        ("another program has the port", wanted(true, &nothing(), &other, false), true),
        ("a configuration that cannot be read", wanted(true, &unreadable(), &Refused, false), false),
        ("installed after ours was", wanted(true, &found(true), &Refused, true), false),
    ];
    for (name, answer, expected) in table {
        assert_eq!(answer, expected, "{name}");
    }
}
