//! QR codes for a terminal.

use qrcode::{Color, EcLevel, QrCode};

/// The code of `text`, with the quiet zone of four modules that readers need, dark on light on every terminal.
/// Half blocks with UTF-8 (two modules to a character), else two characters to a module. `None` = too long.
pub(crate) fn code(text: &str, utf8: bool, color: bool) -> Option<String> {
    let code = QrCode::with_error_correction_level(text, EcLevel::M).ok()?;
    let width = code.width();
    let colors = code.to_colors();
    let dark = |x: isize, y: isize| {
        let inside = |value: isize| usize::try_from(value).ok().filter(|value| *value < width);
        matches!((inside(x), inside(y)), (Some(x), Some(y)) if colors[y * width + x] == Color::Dark)
    };
    let (from, to) = (-QUIET, isize::try_from(width).ok()? + QUIET);
    let mut picture = String::new();
    let step = if utf8 { 2 } else { 1 };
    for y in (from..to).step_by(step) {
        if color {
            picture.push_str("\u{1b}[30;107m");
        }
        for x in from..to {
            if utf8 {
                picture.push(half_block(dark(x, y), dark(x, y + 1), color));
            } else {
                // Without colours, ink is taken for light on the usual dark terminal; `#` is what is left white.
                picture.push_str(if dark(x, y) == color { "##" } else { "  " });
            }
        }
        if color {
            picture.push_str("\u{1b}[0m");
        }
        picture.push('\n');
    }
    Some(picture)
}

const QUIET: isize = 4;

/// With colours, ink is black on white; without, ink is light on the usual dark terminal.
fn half_block(upper: bool, lower: bool, color: bool) -> char {
    match (upper == color, lower == color) {
        (true, true) => '\u{2588}',
        (true, false) => '\u{2580}',
        (false, true) => '\u{2584}',
        (false, false) => ' ',
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_equally_wide_and_fits_eighty_columns() {
        for (utf8, columns) in [(true, 80), (false, 80)] {
            let picture = code("https://192.168.100.200:8443", utf8, false).unwrap();
            let widths: Vec<_> = picture.lines().map(|line| line.chars().count()).collect();
            assert!(widths.iter().all(|width| *width == widths[0] && *width <= columns), "{widths:?}");
        }
    }

    #[test]
    fn without_utf8_it_is_ascii() {
        assert!(code("https://mini.local", false, false).unwrap().is_ascii());
    }

    #[test]
    fn the_modules_are_those_of_the_code() {
        let picture = code("https://mini.local", false, false).unwrap();
        let expected = QrCode::with_error_correction_level("https://mini.local", EcLevel::M).unwrap();
        let width = expected.width();
        let lines: Vec<Vec<char>> = picture.lines().map(|line| line.chars().collect()).collect();
        for y in 0..width {
            for x in 0..width {
                let is_dark = lines[y + 4][(x + 4) * 2] == ' ';
                assert_eq!(is_dark, expected[(x, y)] == Color::Dark, "module {x}, {y}");
            }
        }
        assert!(lines[..4].iter().flatten().all(|character| *character == '#'));
    }

    #[test]
    fn half_blocks_say_the_same_as_whole_ones() {
        let (half, whole) = (
            code("https://mini.local", true, false).unwrap(),
            code("https://mini.local", false, false).unwrap(),
        );
        let whole: Vec<Vec<char>> = whole.lines().map(|line| line.chars().collect()).collect();
        for (y, line) in half.lines().enumerate() {
            for (x, character) in line.chars().enumerate() {
                let ink = |y: usize| whole.get(y).is_some_and(|line| line[x * 2] == '#');
                let upper_lower = matches!(character, '\u{2588}' | '\u{2580}') == ink(2 * y);
                assert!(upper_lower, "{x}, {y}");
            }
        }
    }

    #[test]
    fn what_is_too_long_for_a_code_has_none() {
        assert!(code(&"x".repeat(4_000), true, false).is_none());
    }
}
