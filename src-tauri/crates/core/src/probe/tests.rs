//! Probes through the real edge to something that behaves like a gateway, or just not.

mod gateway;

use gatehouse_api::Code;

use self::gateway::{Manners, start};
use super::{Check, full, light};
use crate::transaction::tests::house::House;

async fn open_with(manners: Manners) -> House {
    let house = House::new();
    house.named("mini.local").await;
    start(house.gateway(), manners).await;
    house
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_leads_to_the_gateway_is_proven() {
    let house = open_with(Manners::default()).await;
    let checked = light(house.context()).await;
    let proof = checked[0].outcome.as_ref().unwrap();
    assert!(proof.url.starts_with("https://mini.local:"), "{proof:?}");
    assert_eq!(proof.from, "127.0.0.1");
    assert_eq!(proof.protocol, "TLS 1.3, HTTP/1.1, WebSocket");

    let report = full(house.context(), true).await.unwrap();
    for check in
        [Check::Reach, Check::UnknownHost, Check::ForgedHeaders, Check::WrongOrigin, Check::RightOrigin]
    {
        assert!(report.evidence.iter().any(|line| line.check == check), "{check:?}: {report:?}");
    }
    assert!(report.warnings.is_empty(), "{report:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_is_not_there_is_not_proven() {
    let house = House::new();
    house.transactions().run(house.open(&[])).await.unwrap();
    let checked = light(house.context()).await;
    assert_eq!(checked[0].outcome.as_ref().unwrap_err().code, Code::VerifyFailed);
}

#[tokio::test(flavor = "multi_thread")]
async fn being_taken_for_local_fails_the_verification() {
    let house = open_with(Manners { takes_all_for_local: true, ..Manners::default() }).await;
    let error = full(house.context(), true).await.unwrap_err();
    assert_eq!(error.code, Code::VerifyFailed);
    assert!(error.because.contains("remote client"), "{error:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_refuses_our_own_origin_fails_the_verification() {
    let house = open_with(Manners { allows: Some("https://other.example"), ..Manners::default() }).await;
    let error = full(house.context(), true).await.unwrap_err();
    assert!(error.because.contains("CONTROL_UI_ORIGIN_NOT_ALLOWED"), "{error:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_allows_every_origin_is_a_warning() {
    let house = open_with(Manners { allows: Some("*"), ..Manners::default() }).await;
    let report = full(house.context(), true).await.unwrap();
    assert!(report.warnings[0].contains("contains *"), "{report:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_probed_while_nothing_is_served() {
    assert!(light(House::new().context()).await.is_empty());
}
