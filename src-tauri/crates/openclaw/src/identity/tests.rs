use super::{DeviceIdentity, Login};

const NONCE: &str = "afaceb75-904e-4e22-9179-68b947e76173";

fn vector() -> (DeviceIdentity, Login<'static>) {
    let seed: Vec<u8> = (0..32).collect();
    let login = Login {
        client_id: "openclaw-macos",
        client_mode: "ui",
        role: "operator",
        scopes: &["operator.read", "operator.pairing"],
        signed_at: 1_795_166_182_020,
        token: "T0K",
        nonce: NONCE,
        platform: " macOS ",
        device_family: "Mac",
    };
    (DeviceIdentity::from_seed(&seed).unwrap(), login)
}

#[test]
fn id_and_public_key_are_those_of_the_gateways_own_builder() {
    let (identity, _) = vector();

    assert_eq!(identity.device_id(), "56475aa75463474c0285df5dbf2bcab73da651358839e9b77481b2eab107708c");
    assert_eq!(identity.public_key(), "A6EHv_POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg");
}

#[test]
fn the_v3_payload_trims_and_lowers_platform_and_family() {
    let (identity, login) = vector();
    let expected = "v3|56475aa75463474c0285df5dbf2bcab73da651358839e9b77481b2eab107708c|openclaw-macos|ui|operator|\
                    operator.read,operator.pairing|1795166182020|T0K|afaceb75-904e-4e22-9179-68b947e76173|macos|mac";

    assert_eq!(identity.payload_v3(&login), expected);
}

#[test]
fn both_signatures_are_those_of_the_gateways_own_builder() {
    let (identity, login) = vector();

    assert_eq!(
        identity.sign_v3(&login),
        "vF6q751xHTepWJHjyFYDve_Do-xsw3jFcM_4jHWbGWtZ6UFSFOwm0WwErqzYXWO0SA10y5mwoiJiNsyKRWtmBQ"
    );
    assert_eq!(
        identity.sign_v2(&login),
        "6n6Q7At0rKE8mE2AAOYzz1IcNlq09Y1ZA2DCrPXq9XGUkTlvQq6HhcmQRhbwLKa4dKMnEC0Lb592XTf4S9opDw"
    );
}

#[test]
fn debug_shows_the_id_and_not_the_key() {
    let (identity, _) = vector();

    let text = format!("{identity:?}");

    assert!(text.contains("56475aa7") && !text.contains("A6EHv") && !text.contains("seed"), "{text}");
}

#[test]
fn two_new_keys_differ() {
    let (a, b) = (DeviceIdentity::generate().unwrap(), DeviceIdentity::generate().unwrap());

    assert_ne!(a.device_id(), b.device_id());
}
