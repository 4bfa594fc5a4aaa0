use gatehouse_openclaw::discovery::{Environment, discover};

use super::*;

fn look(place: TokenPlace, auth: Auth, stored: Option<Result<Found, SecretError>>) -> Look {
    let home = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(home.path().join(".openclaw")).unwrap();
    std::fs::write(home.path().join(".openclaw/openclaw.json"), "{}").unwrap();
    let environment = Environment { home: home.path().to_path_buf(), ..Environment::default() };
    let gateway = Gateway { auth, ..discover(&environment).unwrap() };
    Look { gateway, running: true, place, stored }
}

fn kept(value: &str, replaced: bool) -> Option<Result<Found, SecretError>> {
    Some(Ok(Found { value: value.into(), store: Kind::Keychain, replaced }))
}

#[test]
fn every_state_of_the_token_is_told_apart() {
    let token = || Auth::Token("one".into());
    let away = || Auth::Unresolvable { reason: "a program".to_owned() };
    let failed = |error: SecretError| Some(Err(error));
    let gone = || SecretError::Missing { name: "gateway-token".to_owned() };
    use TokenPlace::{Configuration, Elsewhere, NotUsed, Nowhere, Store};
    for (place, auth, stored, expected) in [
        (Configuration, token(), None, TokenState::Known),
        (Configuration, token(), kept("one", false), TokenState::Known),
        (Configuration, token(), kept("two", false), TokenState::Replaced),
        (Configuration, token(), failed(gone()), TokenState::Known),
        (Store, token(), kept("one", false), TokenState::Known),
        (Store, token(), kept("two", true), TokenState::Replaced),
        (Store, away(), failed(SecretError::Locked("x".into())), TokenState::Locked),
        (Store, away(), failed(SecretError::Denied("x".into())), TokenState::Denied),
        (Store, away(), failed(gone()), TokenState::Missing),
        (Store, away(), failed(SecretError::Unavailable("x".into())), TokenState::Unavailable),
        (Store, away(), None, TokenState::Missing),
        (Elsewhere, away(), None, TokenState::Unknown),
        (Elsewhere, token(), None, TokenState::Known),
        (Elsewhere, token(), kept("one", false), TokenState::Known),
        (Nowhere, Auth::Missing, None, TokenState::Absent),
        (NotUsed, Auth::Password("p".into()), None, TokenState::Absent),
    ] {
        let looked = look(place, auth, stored);
        let told = describe(&looked, None, 2, Kind::Keychain);
        assert_eq!(told.state, expected, "{place:?} {:?}", looked.gateway.auth);
        assert!(!told.title.is_empty() && !told.because.is_empty(), "{told:?}");
        let needs_somebody = !matches!(expected, TokenState::Known) && place != NotUsed;
        assert!(!needs_somebody || told.fix.is_some(), "{told:?}");
    }
}

#[test]
fn a_known_token_that_the_gateway_does_not_take_is_told() {
    let looked = look(TokenPlace::Configuration, Auth::Token("one".into()), None);
    let (good, bad) =
        (describe(&looked, Some(true), 1, Kind::File), describe(&looked, Some(false), 1, Kind::File));
    assert_ne!(good.title, bad.title);
    assert_eq!(bad.fix.unwrap().command.as_deref(), Some("gatehouse token import --secret-file -"));
    assert_eq!((good.store.as_str(), good.signs_out.len()), ("file", 2));
}
