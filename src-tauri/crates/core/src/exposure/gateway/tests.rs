use std::path::PathBuf;
use std::time::{Duration, Instant};

use gatehouse_openclaw::client::Hello;
use gatehouse_openclaw::discovery::{Auth, PortSource};

use super::*;

fn gateway(auth: Auth) -> Gateway {
    Gateway {
        config_path: PathBuf::from("/home/a/.openclaw/openclaw.json"),
        config_exists: true,
        state_dir: PathBuf::from("/home/a/.openclaw"),
        profile: None,
        port: 18789,
        port_source: PortSource::Default,
        bind: None,
        auth,
        token_source: Default::default(),
        base_path: None,
        program: None,
        program_source: None,
    }
}

fn up() -> Link {
    Link::Up {
        hello: Hello {
            version: "2026.9.6".into(),
            boot_id: "b".into(),
            config_path: Some("/elsewhere/openclaw.json".into()),
            state_dir: None,
            auth_mode: Some("token".into()),
            auth_method: Some("token".into()),
            scopes: Vec::new(),
            methods: Vec::new(),
            tick: Duration::from_secs(30),
        },
    }
}

fn down() -> Link {
    Link::Down { since: Instant::now(), why: "connection refused".into() }
}

fn holder() -> PortHolder {
    PortHolder {
        pid: Some(7),
        program: Some("nginx".into()),
        command: None,
        uid: None,
        listening: Vec::new(),
    }
}

fn nothing() -> Observed<'static> {
    Observed {
        address: ([127, 0, 0, 1], 18789).into(),
        gateway: None,
        undiscovered: None,
        link: None,
        health: None,
        holder: None,
        pid: None,
        own: false,
        child: None,
        service: None,
        installing: None,
    }
}

#[test]
fn every_combination_has_its_word() {
    use GatewayVerdict as V;
    let found = gateway(Auth::Token("t".into()));
    let secretless = gateway(Auth::Missing);
    let (up, down) = (up(), down());
    let refused = Link::Refused { code: "AUTH_TOKEN_MISMATCH".into(), detail: "token mismatch".into() };
    let other = GatewayHealth::NotGateway { what: "404 from nginx".into() };
    let holder = holder();
    let crashed = Child::CrashLoop { exits: 5, because: "exit 78".into(), output: Vec::new() };
    let base = || Observed { gateway: Some(&found), link: Some(&down), ..nothing() };
    let table = [
        ("connected", Observed { link: Some(&up), ..base() }, V::Running),
        ("secret refused", Observed { link: Some(&refused), ..base() }, V::AuthRefused),
        ("1013", Observed { link: Some(&Link::Starting), ..base() }, V::Starting),
        ("http only", Observed { health: Some(&GatewayHealth::Live), ..base() }, V::Starting),
        ("nothing listens", Observed { health: Some(&GatewayHealth::Refused), ..base() }, V::Stopped),
        ("not asked yet", base(), V::Starting),
        ("someone else", Observed { health: Some(&other), holder: Some(&holder), ..base() }, V::PortTaken),
        ("silence", Observed { health: Some(&GatewayHealth::Silent), ..base() }, V::Starting),
        (
            "silence of someone else",
            Observed { health: Some(&GatewayHealth::Silent), holder: Some(&holder), ..base() },
            V::PortTaken,
        ),
        (
            "no secret",
            Observed {
                gateway: Some(&secretless),
                link: None,
                health: Some(&GatewayHealth::Ready),
                ..base()
            },
            V::AuthRefused,
        ),
        ("nothing at all", Observed { health: Some(&GatewayHealth::Refused), ..nothing() }, V::NotFound),
        (
            "installing",
            Observed { installing: Some(&"Installing OpenClaw".into()), ..nothing() },
            V::Starting,
        ),
        (
            "child starts",
            Observed {
                child: Some(&Child::Starting { pid: 9 }),
                health: Some(&GatewayHealth::Refused),
                ..base()
            },
            V::Starting,
        ),
        (
            "child crashed",
            Observed { child: Some(&crashed), health: Some(&GatewayHealth::Refused), ..base() },
            V::Stopped,
        ),
    ];
    for (name, observed, verdict) in table {
        let summary = summary(&observed);

        assert_eq!(summary.verdict, verdict, "{name}");
        assert_eq!(problem(&summary).is_none(), verdict == V::Running, "{name}");
    }
}

#[test]
fn the_program_that_has_the_port_is_named() {
    let found = gateway(Auth::None);
    let (other, holder) = (GatewayHealth::NotGateway { what: "404".into() }, holder());
    let summary = summary(&Observed {
        gateway: Some(&found),
        health: Some(&other),
        holder: Some(&holder),
        ..nothing()
    });

    assert_eq!(summary.detail.as_deref(), Some("nginx (pid 7) listens on port 18789: it answers 404."));
    assert_eq!(summary.pid, None);
}

#[test]
fn a_running_gateway_is_believed_about_its_file_and_its_process() {
    let (found, up) = (gateway(Auth::None), up());

    let summary = summary(&Observed { gateway: Some(&found), link: Some(&up), pid: Some(812), ..nothing() });

    assert_eq!(summary.config_path.as_deref(), Some("/elsewhere/openclaw.json"));
    assert_eq!((summary.pid, summary.version.as_deref()), (Some(812), Some("2026.9.6")));
    assert_eq!(summary.url, "http://127.0.0.1:18789");
}
