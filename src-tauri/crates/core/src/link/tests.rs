use std::path::PathBuf;

use gatehouse_openclaw::discovery::PortSource;

use super::*;

fn gateway(port: u16, auth: Auth) -> Gateway {
    Gateway {
        config_path: PathBuf::from("/home/a/.openclaw/openclaw.json"),
        config_exists: true,
        state_dir: PathBuf::from("/home/a/.openclaw"),
        profile: None,
        port,
        port_source: PortSource::Config,
        bind: None,
        auth,
        token_source: Default::default(),
        base_path: None,
        program: None,
        program_source: None,
    }
}

#[tokio::test]
async fn a_new_secret_moves_the_living_connection() {
    let link = GatewayLink::default();

    link.update(Some(gateway(25001, Auth::Token("one".into()))));
    link.update(Some(gateway(25001, Auth::Token("two".into()))));

    assert_eq!(*link.connections.borrow(), 1);
    assert!(link.client().is_some());
    assert_eq!(link.address().port(), 25001);
}

#[tokio::test]
async fn without_a_secret_there_is_no_connection_and_the_error_says_why() {
    let link = GatewayLink::default();
    assert_eq!(link.connected().unwrap_err().code, Code::GatewayNotFound);

    link.update(Some(gateway(25001, Auth::Missing)));

    let error = link.connected().unwrap_err();
    assert_eq!(error.code, Code::GatewayAuth);
    assert_eq!(error.fix.unwrap().command.as_deref(), Some("gatehouse open --to lan"));
}

#[tokio::test]
async fn a_gateway_that_is_not_up_is_unreachable() {
    let link = GatewayLink::default();
    link.update(Some(gateway(25001, Auth::Token("one".into()))));

    assert_eq!(link.connected().unwrap_err().code, Code::GatewayUnreachable);
    let told = link.reached().await.unwrap_err();
    assert_eq!(told.code, Code::GatewayUnreachable);
    // That nothing listens there was waited for.
    let not_yet = say!("core.link.not-yet", address = link.address());
    assert_ne!(told.because.to_string(), not_yet.to_string());
}

#[tokio::test]
async fn a_gateway_that_went_away_takes_its_connection_along() {
    let link = GatewayLink::default();
    link.update(Some(gateway(25001, Auth::None)));

    link.update(None);

    assert_eq!(*link.connections.borrow(), 2);
    assert!(link.client().is_none());
    assert_eq!(link.address().port(), DEFAULT_PORT);
}
