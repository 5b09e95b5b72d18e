//! Text from outside, such as the names of classes, models and files, without what a terminal would obey.

use std::borrow::Cow;

/// Text without what a terminal obeys: such characters are spelled out. Lines and tabs stay.
pub(crate) fn printable(text: &str) -> Cow<'_, str> {
    escaped(text, is_layout, |character| character.escape_unicode().to_string())
}

/// As [`printable`], on one line: for a name, which could else pass for lines of ours.
#[cfg(feature = "command")]
pub(crate) fn one_line(text: &str) -> Cow<'_, str> {
    escaped(
        text,
        |_| false,
        |character| match character {
            '\n' | '\r' | '\t' => character.escape_default().to_string(),
            _ => character.escape_unicode().to_string(),
        },
    )
}

/// As [`printable`], for JSON, whose values stay the same.
pub(crate) fn printable_json(text: &str) -> Cow<'_, str> {
    escaped(text, is_layout, |character| format!("\\u{:04x}", u32::from(character)))
}

/// What arranges text.
fn is_layout(character: char) -> bool {
    matches!(character, '\n' | '\t')
}

/// What a terminal obeys: C0 and C1 controls, DEL, and what changes the direction of the text that follows.
pub(crate) fn is_obeyed(character: char) -> bool {
    character.is_control() || matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn escaped(text: &str, kept: fn(char) -> bool, spell: fn(char) -> String) -> Cow<'_, str> {
    let is_spelled = |character: char| is_obeyed(character) && !kept(character);
    if !text.chars().any(is_spelled) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        match is_spelled(character) {
            true => safe.push_str(&spell(character)),
            false => safe.push(character),
        }
    }
    Cow::Owned(safe)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A title for the window, the cursor moved, colours by the one-character form, text turned around, a bell.
    const HOSTILE: &str = "a\u{1b}]0;x\u{7}\u{9b}2J\u{202e}b\u{2066}\u{7f}\r";

    #[test]
    fn what_a_terminal_obeys_is_spelled_out() {
        assert_eq!(printable("0–9, é, 数\n\tµs"), "0–9, é, 数\n\tµs");
        let expected = r"a\u{1b}]0;x\u{7}\u{9b}2J\u{202e}b\u{2066}\u{7f}\u{d}";
        assert_eq!(printable(HOSTILE), expected);
        #[cfg(feature = "command")]
        assert_eq!(one_line("x\nerror: y\tz\u{1b}[1m"), r"x\nerror: y\tz\u{1b}[1m");
    }

    #[test]
    fn json_keeps_its_value() {
        let value = serde_json::json!({ "name": HOSTILE, "lines": "a\nb" });
        let text = format!("{value:#}\n");
        let safe = printable_json(&text);
        assert!(text.chars().any(|character| is_obeyed(character) && character != '\n'));
        assert!(!safe.chars().any(|character| is_obeyed(character) && character != '\n'), "{safe}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&safe).expect("JSON"), value);
    }
}
