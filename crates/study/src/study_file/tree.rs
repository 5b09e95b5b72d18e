//! TOML with the line of each value.

use super::limits::VALUE_DEPTH;
use serde_json::Value;
use toml::de::{DeTable, DeValue};
use toml_parser::{Source, lexer::TokenKind};

/// A value and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// Counted from 1.
    pub line: usize,
    /// What it is.
    pub content: Content,
}

/// What a node holds.
#[derive(Debug, Clone, PartialEq)]
pub enum Content {
    /// A text, a number, or true or false.
    Plain(Value),
    /// Several values.
    List(Vec<Node>),
    /// Values by name, in the order of the file.
    Table(Vec<(String, Node)>),
}

impl Node {
    /// Reads a file.
    ///
    /// # Errors
    /// The line, counted from 1, and what is wrong there.
    pub fn parse(text: &str) -> Result<Self, (usize, String)> {
        let lines = Lines::of(text);
        check_depth(text, &lines)?;
        let table = DeTable::parse(text).map_err(|error| {
            let offset = error.span().map_or(0, |span| span.start);
            (lines.at(offset), error.message().replace('\n', ", "))
        })?;
        convert_table(table.get_ref(), 1, &lines, 0)
    }

    /// What it is, in a word.
    pub fn kind(&self) -> &'static str {
        match &self.content {
            Content::Plain(Value::String(_)) => "a text",
            Content::Plain(Value::Bool(_)) => "true or false",
            Content::Plain(_) => "a number",
            Content::List(_) => "a list",
            Content::Table(_) => "a table",
        }
    }

    /// As JSON has it.
    pub fn to_json(&self) -> Value {
        match &self.content {
            Content::Plain(value) => value.clone(),
            Content::List(nodes) => Value::Array(nodes.iter().map(Self::to_json).collect()),
            Content::Table(entries) => {
                Value::Object(entries.iter().map(|(key, node)| (key.clone(), node.to_json())).collect())
            }
        }
    }
}

/// Where each line begins: found once, since every value asks for its line.
struct Lines(Vec<usize>);

impl Lines {
    fn of(text: &str) -> Self {
        Self(text.match_indices('\n').map(|(offset, _)| offset + 1).collect())
    }

    /// The line of a byte, counted from 1.
    fn at(&self, offset: usize) -> usize {
        1 + self.0.partition_point(|start| *start <= offset)
    }
}

/// Refuses what is nested deeper than any study, be it by brackets or by keys such as `a.a.a`, each part of which is a table
/// within the one before. The parser limits the brackets alone, and what it has made of very long keys cannot be taken apart
/// again without running out of stack.
fn check_depth(text: &str, lines: &Lines) -> Result<(), (usize, String)> {
    // Of the brackets around, and of the key that is being read or has the value that is.
    let (mut around, mut within) = (Vec::new(), 0);
    for token in Source::new(text).lex() {
        match token.kind() {
            TokenKind::Dot => within += 1,
            TokenKind::LeftSquareBracket | TokenKind::LeftCurlyBracket => {
                around.push(within + 1);
                within = 0;
            }
            TokenKind::RightSquareBracket | TokenKind::RightCurlyBracket => {
                around.pop();
                within = 0;
            }
            TokenKind::Comma | TokenKind::Newline => within = 0,
            _ => {}
        }
        if around.len() > VALUE_DEPTH || around.iter().sum::<usize>() + within > VALUE_DEPTH {
            return Err((lines.at(token.span().start()), too_deep()));
        }
    }
    Ok(())
}

fn too_deep() -> String {
    format!("lists, tables and parts of keys nested deeper than {VALUE_DEPTH}")
}

fn convert_table(table: &DeTable, line: usize, lines: &Lines, depth: usize) -> Result<Node, (usize, String)> {
    let entries = table.iter().map(|(key, value)| {
        let line = lines.at(key.span().start);
        Ok((key.get_ref().to_string(), convert(value.get_ref(), line, lines, depth)?))
    });
    Ok(Node { line, content: Content::Table(entries.collect::<Result<_, _>>()?) })
}

fn convert(value: &DeValue, line: usize, lines: &Lines, depth: usize) -> Result<Node, (usize, String)> {
    if depth > VALUE_DEPTH {
        return Err((line, too_deep()));
    }
    let content = match value {
        DeValue::String(text) => Content::Plain(Value::String(text.to_string())),
        DeValue::Boolean(truth) => Content::Plain(Value::Bool(*truth)),
        DeValue::Integer(number) => {
            let parsed = i64::from_str_radix(&number.as_str().replace('_', ""), number.radix());
            let number =
                parsed.map_err(|_| (line, format!("the number {number} is too large or too small")))?;
            Content::Plain(Value::from(number))
        }
        DeValue::Float(number) => {
            let parsed: Option<f64> = number.as_str().replace('_', "").parse().ok();
            let finite = parsed.filter(|number| number.is_finite());
            let number = finite.ok_or_else(|| (line, format!("a finite number expected, {number} found")))?;
            Content::Plain(Value::from(number))
        }
        DeValue::Datetime(date) => return Err((line, format!("no date is expected anywhere, {date} found"))),
        DeValue::Array(values) => {
            let nodes = values
                .iter()
                .map(|value| convert(value.get_ref(), lines.at(value.span().start), lines, depth + 1));
            Content::List(nodes.collect::<Result<_, _>>()?)
        }
        DeValue::Table(table) => return convert_table(table, line, lines, depth + 1),
    };
    Ok(Node { line, content })
}
