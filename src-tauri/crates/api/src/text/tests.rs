use super::*;

fn taken() -> Text {
    say!("core.port-held", port = 443_u16, holder = "nginx (pid 7)")
}

#[test]
fn a_text_is_the_catalogues_in_every_language() {
    let text = taken();

    assert_eq!(text, "Port 443 is held by nginx (pid 7).");
    assert_eq!(text.key(), Some("core.port-held"));
    assert_eq!(text.in_language(Language::SimplifiedChinese), "端口 443 被 nginx (pid 7) 占用。");
}

#[test]
fn what_is_within_a_text_changes_its_language_with_it() {
    let text = Text::list([taken(), "as it is".into()]);

    assert_eq!(text, "Port 443 is held by nginx (pid 7).; as it is");
    assert_eq!(text.in_language(Language::SimplifiedChinese), "端口 443 被 nginx (pid 7) 占用。；as it is");
}

#[test]
fn own_words_are_a_string_on_the_wire_and_ours_say_their_key() {
    let own = serde_json::to_value(Text::from("kitchen iPad")).unwrap();
    assert_eq!(own, "kitchen iPad");

    let ours = serde_json::to_value(taken()).unwrap();
    let expected = serde_json::json!({
        "key": "core.port-held",
        "args": {"port": "443", "holder": "nginx (pid 7)"},
        "text": "Port 443 is held by nginx (pid 7).",
    });
    assert_eq!(ours, expected);
    assert_eq!(serde_json::from_value::<Text>(expected).unwrap(), taken());
}

#[test]
fn a_key_of_a_newer_core_is_shown_in_its_english() {
    let newer = serde_json::json!({"key": "core.of-tomorrow", "args": {"x": "1"}, "text": "Tomorrow."});
    let text: Text = serde_json::from_value(newer).unwrap();

    assert_eq!(text.in_language(Language::SimplifiedChinese), "Tomorrow.");
}

#[test]
fn an_argument_that_an_older_core_does_not_give_leaves_its_english() {
    let older =
        serde_json::json!({"key": "core.port-held", "args": {"port": "443"}, "text": "Port 443 is held."});
    let text: Text = serde_json::from_value(older).unwrap();

    assert_eq!(text.in_language(Language::SimplifiedChinese), "Port 443 is held.");
}

#[test]
fn one_and_many_have_their_own_english() {
    assert_eq!(say!("devices.waiting-count", count = 1_usize), "1 device waiting");
    assert_eq!(say!("devices.waiting-count", count = 2_usize), "2 devices waiting");
}
