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
    page.item(format!("see https://{}", "x".repeat(60)));

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

#[test]
fn chinese_wraps_between_characters_and_stays_in_its_columns() {
    let mut page = Page::new();
    page.field("地址", "https://mini.local（本地网络，刚刚检查）");
    page.field("端口", "443：端口 80 被另一个程序占用，所以没有转发。");
    page.field("Cert", "有效");

    let text = page.render(PLAIN);

    for line in text.lines() {
        assert!(width::of(line) <= PLAIN.width, "{line} in {text}");
    }
    let begins = |value: &str| {
        let line = text.lines().find(|line| line.contains(value)).unwrap();
        width::of(&line[..line.find(value).unwrap()])
    };
    assert_eq!((begins("https"), begins("443"), begins("有效")), (FIELD, FIELD, FIELD));
    assert!(text.lines().all(|line| !line.trim_start().starts_with(['，', '。', '）', '：'])), "{text}");
}

#[test]
fn a_page_is_said_in_the_language_of_its_reader() {
    let page = Page::verdict(Tone::Good, gatehouse_api::say!("cli.actual.on"), "https://mini.local");

    assert_eq!(page.render(PLAIN), "On https://mini.local\n");
    let chinese = Look { language: crate::words::Language::SimplifiedChinese, ..PLAIN };
    assert_eq!(page.render(chinese), "已开启 https://mini.local\n");
}

#[test]
fn behind_a_chinese_mark_there_is_no_space() {
    let mut page = Page::new();
    page.toned(0, Tone::Strong, "下一步：", "请启动它。");
    page.toned(0, Tone::Strong, "Next:", "Start it.");

    assert_eq!(page.render(PLAIN), "下一步：请启动它。\nNext: Start it.\n");
}
