//! Values of a file by what they must be.

use super::{
    Content, Node, StudyFileError,
    hints::{self, Place},
    reader::{Read, Reader},
};
use serde_json::Value;
use std::{collections::HashSet, ops::RangeInclusive};

pub(super) type Entries = [(String, Node)];

/// What is said where nothing better is known.
const REFERENCE: &str = "docs/reference/study-files.md says what each key may be";

impl Reader<'_> {
    pub(super) fn error(
        &self,
        line: usize,
        problem: impl Into<String>,
        hint: impl Into<String>,
    ) -> StudyFileError {
        StudyFileError::new(self.file, line, problem.into(), hint.into())
    }

    pub(super) fn expected<T>(&self, what: &str, expected: &str, node: &Node) -> Read<T> {
        self.expected_else(what, expected, node, REFERENCE)
    }

    /// As [`Self::expected`], with what to write instead.
    pub(super) fn expected_else<T>(
        &self,
        what: &str,
        expected: &str,
        node: &Node,
        hint: impl Into<String>,
    ) -> Read<T> {
        let found = match &node.content {
            Content::Plain(value) => value.to_string(),
            _ => node.kind().to_owned(),
        };
        Err(self.error(node.line, format!("{what}: {expected} expected, {found} found"), hint))
    }

    pub(super) fn get<'n>(&self, entries: &'n Entries, key: &str) -> Option<&'n Node> {
        entries.iter().find(|(name, _)| name == key).map(|(_, node)| node)
    }

    /// Refuses a key that has no place there.
    pub(super) fn known(&self, place: Place, entries: &Entries, keys: &[&str]) -> Read<()> {
        match entries.iter().find(|(key, _)| !keys.contains(&key.as_str())) {
            None => Ok(()),
            Some((key, node)) => Err(self.error(
                node.line,
                format!("{place} has no key `{key}`"),
                hints::for_key(place, key, node, keys),
            )),
        }
    }

    pub(super) fn table<'n>(&self, what: &str, node: &'n Node) -> Read<&'n Entries> {
        match &node.content {
            Content::Table(entries) => Ok(entries),
            _ => self.expected(what, "a table", node),
        }
    }

    /// A table of at most so many entries.
    pub(super) fn short_table<'n>(&self, what: &str, node: &'n Node, most: usize) -> Read<&'n Entries> {
        let entries = self.table(what, node)?;
        self.at_most(what, entries.len(), most, node.line)?;
        Ok(entries)
    }

    /// A list of at most so many values; `hint` says how to write one.
    pub(super) fn list<'n>(
        &self,
        what: &str,
        node: &'n Node,
        most: usize,
        hint: impl FnOnce() -> String,
    ) -> Read<&'n [Node]> {
        match &node.content {
            Content::List(nodes) => {
                self.at_most(what, nodes.len(), most, node.line)?;
                Ok(nodes)
            }
            _ => self.expected_else(what, "a list", node, hint()),
        }
    }

    pub(super) fn at_most(&self, what: &str, count: usize, most: usize, line: usize) -> Read<()> {
        if count <= most {
            return Ok(());
        }
        let problem = format!("{what}: at most {most} expected, {count} found");
        Err(self.error(line, problem, "divide the study into several files"))
    }

    /// A text of at most so many characters that can be printed on a line.
    pub(super) fn text(&self, what: &str, node: &Node, most: usize) -> Read<String> {
        match &node.content {
            Content::Plain(Value::String(text)) => {
                self.check_text(what, text, most, node.line)?;
                Ok(text.clone())
            }
            _ => self.expected(what, "a text", node),
        }
    }

    pub(super) fn check_text(&self, what: &str, text: &str, most: usize, line: usize) -> Read<()> {
        let length = text.chars().count();
        if length > most {
            let problem = format!("{what}: at most {most} characters expected, {length} found");
            return Err(self.error(line, problem, "shorten it"));
        }
        match text.chars().find(|character| is_unprintable(*character)) {
            None => Ok(()),
            Some(found) => Err(self.error(
                line,
                format!(
                    "{what}: a text on one line expected, the character U+{:04X} found",
                    u32::from(found)
                ),
                "leave out line breaks and other control characters",
            )),
        }
    }

    pub(super) fn truth(&self, entries: &Entries, key: &str) -> Read<Option<bool>> {
        match self.get(entries, key) {
            None => Ok(None),
            Some(Node { content: Content::Plain(Value::Bool(truth)), .. }) => Ok(Some(*truth)),
            Some(node) => self.expected_else(
                key,
                "true or false",
                node,
                format!("write `{key} = true` or leave it out"),
            ),
        }
    }

    pub(super) fn whole(
        &self,
        entries: &Entries,
        key: &str,
        range: RangeInclusive<u64>,
    ) -> Read<Option<u64>> {
        let Some(node) = self.get(entries, key) else { return Ok(None) };
        let number = match &node.content {
            Content::Plain(value) => value.as_u64().filter(|number| range.contains(number)),
            _ => None,
        };
        match number {
            Some(number) => Ok(Some(number)),
            None => self.expected_else(
                key,
                &format!("a whole number of {} to {}", range.start(), range.end()),
                node,
                hints::for_number(key),
            ),
        }
    }

    pub(super) fn all_different(&self, what: &str, line: usize, names: &[String]) -> Read<()> {
        let mut seen = HashSet::new();
        match names.iter().find(|name| !seen.insert(name.as_str())) {
            None => Ok(()),
            Some(name) => Err(self.error(line, format!("{what}: {name} is named twice"), "name each once")),
        }
    }
}

/// Whether a character would do something else on a terminal or in a report than stand there.
fn is_unprintable(character: char) -> bool {
    // Of those that are no control characters: line separators, and marks that turn the direction of what follows.
    character.is_control()
        || matches!(character, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}
