//! Names made safe for where they are written.

use std::borrow::Cow;

/// A name on one line: control characters become spaces, and an empty name is still seen.
pub(crate) fn one_line(name: &str) -> String {
    let line: String = name.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    if line.trim().is_empty() { "(no name)".to_owned() } else { line }
}

/// A name or a sentence as Markdown text, in a table or out of it, at the start of a line or within it.
pub(crate) fn markdown(text: &str) -> String {
    let characters: Vec<char> = one_line(text).trim().chars().collect();
    let leading_digits = characters.iter().take_while(|character| character.is_ascii_digit()).count();
    let mut escaped = String::new();
    for (index, character) in characters.iter().copied().enumerate() {
        let next = characters.get(index + 1);
        let is_markup = match character {
            '\\' | '`' | '*' | '_' | '|' | '~' | '#' | '$' => true,
            // Brackets are markup only as a link, and a verdict's interval is easier to read without backslashes.
            ']' => !next.is_some_and(|next| matches!(next, ' ' | ',' | '.' | ';')),
            '-' | '+' | '=' => index == 0,
            // A number at the beginning of an item, which another renderer would count on from.
            '.' | ')' => index > 0 && index == leading_digits && next.is_none_or(|next| next.is_whitespace()),
            _ => false,
        };
        match character {
            // What can begin a tag, or the name of a character; as in p < 0.001 they are nothing but themselves.
            '<' if next.is_some_and(|next| next.is_alphabetic() || "/!?".contains(*next)) => {
                escaped.push_str("&lt;");
            }
            '&' if next.is_some_and(|next| next.is_alphanumeric() || *next == '#') => {
                escaped.push_str("&amp;")
            }
            '>' if index == 0 => escaped.push_str("&gt;"),
            _ if is_markup => escaped.extend(['\\', character]),
            _ => escaped.push(character),
        }
    }
    escaped
}

/// A name as a cell of a spreadsheet, which would take it for a formula where it begins as one: an apostrophe in front says
/// that it is text.
pub(crate) fn spreadsheet(name: &str) -> Cow<'_, str> {
    match name.trim_start().starts_with(['=', '+', '-', '@']) {
        true => Cow::Owned(format!("'{name}")),
        false => Cow::Borrowed(name),
    }
}

/// A text whose first letter is a capital.
pub(crate) fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markdown_markup_is_escaped() {
        assert_eq!(markdown("a<b|c_d\n*e*"), r"a&lt;b\|c\_d \*e\*");
        assert_eq!(markdown(""), "(no name)");
        assert_eq!(markdown("by 0.83 points [0.66, 1.00], 5 runs"), "by 0.83 points [0.66, 1.00], 5 runs");
        assert_eq!(markdown("![a](b) [c]"), r"![a\](b) [c\]");
        assert_eq!((markdown("- a-b").as_str(), markdown("1. a.b").as_str()), (r"\- a-b", r"1\. a.b"));
    }

    #[test]
    fn a_cell_is_no_formula() {
        for name in ["=cmd|' /C calc'!A0", "@SUM(A1)", "+1", "-1", "\t=1"] {
            assert_eq!(spreadsheet(name), format!("'{name}"));
        }
        assert_eq!(spreadsheet("cnn learning_rate=0.01"), "cnn learning_rate=0.01");
    }
}
