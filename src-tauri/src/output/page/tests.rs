use super::*;

const PLAIN: Look =
    Look { terminal: false, color: false, utf8: true, width: 40, language: crate::words::Language::English };

#[test]
fn lines_wrap_below_their_beginning() {
    let mut page = Page::verdict(Tone::Good, "On", "https://mini.local");
    page.field("Checked", "2 min ago from 192.168.1.20 over TLS 1.3");

    let text = page.render(PLAIN);

    assert_eq!(
        text,
        "On https://mini.local\n  Checked    2 min ago from 192.168.1.20\n             over TLS 1.3\n"
    );
}

#[test]
fn a_word_longer_than_the_line_is_not_torn() {
    let mut page = Page::new();
    page.item(&format!("see https://{}", "x".repeat(60)));

    assert_eq!(page.render(PLAIN), format!("  see\n    https://{}\n", "x".repeat(60)));
}

#[test]
fn a_stranger_cannot_make_lines_or_colours() {
    let mut page = Page::new();
    page.field("Name", "a\nOn\u{1b}[2Jb");

    assert_eq!(page.render(PLAIN), "  Name       a\\u{a}On\\u{1b}[2Jb\n");
}

#[test]
fn colours_go_around_words_only_where_they_are_shown() {
    let page = Page::verdict(Tone::Bad, "Blocked", "no");

    assert_eq!(page.render(PLAIN), "Blocked no\n");
    assert_eq!(page.render(Look { color: true, ..PLAIN }), "\u{1b}[31mBlocked\u{1b}[0m no\n");
}
