//! Texts from files, as what is written has them: one function for each language, so that a name is never more than text.

use std::fmt::Write;

/// Characters of a text in a message, at most.
const LONGEST_SHOWN: usize = 200;

/// In a message: control characters, line breaks and directions of writing by their escapes, the end cut off where it is
/// long.
pub(crate) fn shown(text: &str) -> String {
    let mut shown = String::new();
    for letter in text.chars().take(LONGEST_SHOWN) {
        match letter {
            '"' | '\'' | '\\' => shown.push(letter),
            _ => shown.extend(letter.escape_debug()),
        }
    }
    if text.chars().nth(LONGEST_SHOWN).is_some() {
        shown.push('…');
    }
    shown
}

/// Names in a message, at most, one after the other.
const MOST_LISTED: usize = 8;

/// Texts in a message, with how many more there are.
pub(crate) fn listed(texts: &[String]) -> String {
    let text = texts[..texts.len().min(MOST_LISTED)].join(", ");
    match texts.len().saturating_sub(MOST_LISTED) {
        0 => text,
        more => format!("{text} and {more} more"),
    }
}

/// Whether a message shows the text as it is, but for its length.
pub(crate) fn is_plain(text: &str) -> bool {
    text.chars().all(|letter| matches!(letter, '"' | '\'' | '\\') || letter.escape_debug().len() == 1)
}

/// A string literal of Python, of one line.
pub(crate) fn python_string(text: &str) -> String {
    let mut quoted = String::from("\"");
    for letter in text.chars() {
        let _ = match letter {
            '"' | '\\' => write!(quoted, "\\{letter}"),
            ' '..='~' => write!(quoted, "{letter}"),
            _ if letter.is_alphanumeric() => write!(quoted, "{letter}"),
            _ => write!(quoted, "\\U{:08x}", u32::from(letter)),
        };
    }
    quoted + "\""
}

/// A string literal of C, of one line.
pub(crate) fn c_string(text: &str) -> String {
    let mut quoted = String::from("\"");
    for byte in text.bytes() {
        let _ = match byte {
            // Two question marks could begin a trigraph.
            b'"' | b'\\' | b'?' => write!(quoted, "\\{}", char::from(byte)),
            b' '..=b'~' => write!(quoted, "{}", char::from(byte)),
            // Octal escapes end after three digits, so that nothing that follows belongs to them.
            _ => write!(quoted, "\\{byte:03o}"),
        };
    }
    quoted + "\""
}

/// A name that C takes, and ONNX, whose names are to be those of C.
pub(crate) fn identifier(text: &str) -> String {
    let mut identifier: String =
        text.chars().map(|letter| if letter.is_ascii_alphanumeric() { letter } else { '_' }).collect();
    if !identifier.starts_with(|letter: char| letter.is_ascii_alphabetic()) {
        identifier.insert_str(0, "model_");
    }
    identifier
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_hold_no_control_characters() {
        assert_eq!(shown("a\x1b[2J\n\"b\" \u{202e}é"), "a\\u{1b}[2J\\n\"b\" \\u{202e}é");
        assert_eq!(shown(&"x".repeat(201)), format!("{}…", "x".repeat(200)));
        assert!(is_plain("tiny \"ä\" units=3\\"));
        for text in ["\x1b", "a\nb", "\u{202e}", "\u{7f}", "\u{2028}"] {
            assert!(!is_plain(text), "{text:?}");
        }
    }

    #[test]
    fn literals_end_where_they_should() {
        assert_eq!(python_string("a\"\"\"\nb\\\u{2028}é"), r#""a\"\"\"\U0000000ab\\\U00002028é""#);
        assert_eq!(c_string("\"; \\ ??/ é\n1"), r#""\"; \\ \?\?/ \303\251\0121""#);
    }

    #[test]
    fn identifiers_are_of_letters_digits_and_lines() {
        for (text, expected) in [
            ("deep-cnn", "deep_cnn"),
            ("5x5", "model_5x5"),
            ("_", "model__"),
            ("a*/ int b;", "a___int_b_"),
            ("é", "model__"),
            ("", "model_"),
        ] {
            assert_eq!(identifier(text), expected);
        }
    }
}
