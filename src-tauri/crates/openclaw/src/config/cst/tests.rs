use serde_json::json;

use super::super::apply::Operation;
use super::edit;

fn insert(index: usize, value: &str) -> Operation {
    Operation::Insert { path: "gateway.list".into(), index, value: value.to_owned() }
}

fn put(path: &str) -> Operation {
    Operation::Put { path: path.into(), value: json!({"list": ["x", "y"]}) }
}

#[test]
fn a_list_on_one_line_stays_on_one_line() {
    let text = "{ gateway: { list: [\"a\", 'b'] } } // end\n";

    assert_eq!(edit(text, &[insert(2, "c")]).unwrap(), "{ gateway: { list: [\"a\", 'b', \"c\"] } } // end\n");
}

#[test]
fn an_entry_goes_before_the_comments_that_end_a_list() {
    let text = "{\n  gateway: {\n    list: [\n      'a', // first\n      'b' // second\n      // last\n    ], // after\n  },\n}\n";
    let expected = "{\n  gateway: {\n    list: [\n      'a', // first\n      'b', // second\n      \"c\"\n      // last\n    ], // after\n  },\n}\n";

    assert_eq!(edit(text, &[insert(2, "c")]).unwrap(), expected);
}

#[test]
fn line_ends_of_windows_and_a_byte_order_mark_are_kept() {
    let text = "\u{feff}{\r\n\tgateway: {\r\n\t\tother: 1\r\n\t}\r\n}\r\n";

    let edited = edit(text, &[put("gateway.controlUi")]).unwrap();

    assert!(edited.starts_with('\u{feff}'));
    assert_eq!(edited.matches('\n').count(), edited.matches("\r\n").count(), "{edited:?}");
}

#[test]
fn a_new_object_is_laid_out_like_its_neighbours() {
    let text = "{\n  gateway: {\n    port: 1 // p\n    // q\n  }\n}\n";
    let expected = "{\n  gateway: {\n    port: 1, // p\n    \"controlUi\": {\n      \"list\": [\"x\", \"y\"]\n    }\n    // q\n  }\n}\n";

    assert_eq!(edit(text, &[put("gateway.controlUi")]).unwrap(), expected);
}

#[test]
fn a_path_that_the_text_does_not_have_is_an_error() {
    assert!(edit("{}", &[insert(0, "c")]).unwrap_err().contains("gateway.list"));
}

#[test]
fn a_text_that_is_not_understood_is_an_error() {
    assert!(edit("{ a: ", &[put("gateway")]).is_err());
}
