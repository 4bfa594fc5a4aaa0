use super::*;

fn directory(profiles: &[&str]) -> Directory {
    let profiles: BTreeMap<&str, &str> = profiles.iter().map(|name| (*name, "")).collect();
    let json = serde_json::json!({ "newOrder": "https://ca/order", "meta": { "profiles": profiles } });
    serde_json::from_value(json).unwrap()
}

fn names(texts: &[&str]) -> Vec<Identifier> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

#[test]
fn the_profile_is_one_that_the_authority_offers() {
    let all = directory(&["classic", "tlsserver", "shortlived"]);
    assert_eq!(all.profile(&names(&["a.example"])).as_deref(), Some("tlsserver"));
    assert_eq!(all.profile(&names(&["a.example", "8.8.8.8"])).as_deref(), Some("shortlived"));
    assert_eq!(directory(&["classic"]).profile(&names(&["a.example"])), None);
    assert_eq!(directory(&[]).profile(&names(&["8.8.8.8"])), None);
}

#[test]
fn an_authority_is_named_by_its_id_or_by_its_directory() {
    assert_eq!(directory_of("letsencrypt").unwrap(), KNOWN[0].directory);
    assert_eq!(directory_of("https://ca.corp.example/dir").unwrap(), "https://ca.corp.example/dir");
    for wrong in ["", "nobody", "http://ca.example/dir", "https://"] {
        assert!(directory_of(wrong).is_err(), "{wrong}");
    }
    assert_eq!(authority_name(KNOWN[0].staging.unwrap()), "Let's Encrypt (staging)");
    assert_eq!(authority_name("https://ca.corp.example/dir"), "ca.corp.example");
}

#[test]
fn a_directory_without_anything_optional_is_one_and_html_is_none() {
    assert_eq!(serde_json::from_str::<Directory>(r#"{"newOrder":"x"}"#).unwrap().renewal_info, None);
    assert!(serde_json::from_str::<Directory>("<html>").is_err());
    assert!(serde_json::from_str::<Directory>("{}").is_err());
}
