//! Tables of text as programs export them.

use super::meaning::{Point, Series};
use crate::{
    error::{Error, quoted},
    files::read_whole,
};
use csv::{ByteRecord, ReaderBuilder, Trim};
use std::{collections::BTreeSet, path::Path};

/// No table is larger.
const MAXIMUM_BYTES: u64 = 256 << 20;

/// No table has more columns: a chart of a thousand runs has three thousand.
const MOST_COLUMNS: usize = 1 << 16;

/// A table whose first line names its columns.
pub(super) struct Cells {
    pub(super) file: String,
    pub(super) header: Vec<String>,
    rows: Vec<ByteRecord>,
    /// Whether the last line was cut off.
    cut: bool,
}

/// A cell as a number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Cell {
    Empty,
    Number(f64),
    Text,
}

pub(super) fn cell(text: &str) -> Cell {
    match text.trim() {
        "" | "None" | "null" | "NA" | "N/A" => Cell::Empty,
        text => text.parse().map_or(Cell::Text, Cell::Number),
    }
}

impl Cells {
    pub(super) fn read(path: &Path, what: &str) -> Result<Self, Error> {
        super::check_file(path, what)?;
        let bytes = read_whole(path, MAXIMUM_BYTES, "export fewer columns, or a run a file")?;
        Self::parse(&path.display().to_string(), &bytes)
    }

    pub(super) fn parse(file: &str, bytes: &[u8]) -> Result<Self, Error> {
        if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
            return Err(Error::new(file, "text in UTF-8", "UTF-16", "save the table as UTF-8"));
        }
        // The mark that some programs put before UTF-8.
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let mut reader = ReaderBuilder::new()
            .delimiter(delimiter(bytes))
            .has_headers(false)
            .flexible(true)
            .trim(Trim::All)
            .from_reader(bytes);
        let mut rows = Vec::new();
        let mut record = ByteRecord::new();
        loop {
            let read = reader.read_byte_record(&mut record).map_err(|error| {
                Error::new(file, "a table of comma-separated values", error.to_string(), "save it again")
            })?;
            if !read {
                break;
            }
            let is_blank = record.len() == 1 && record.get(0).is_some_and(<[u8]>::is_empty);
            if !is_blank {
                rows.push(record.clone());
            }
        }
        if rows.is_empty() {
            return Err(Error::new(
                file,
                "a first line that names columns",
                "an empty file",
                "export it again",
            ));
        }
        let first = rows.remove(0);
        if first.len() > MOST_COLUMNS {
            let found = first.len().to_string();
            return Err(Error::new(
                file,
                format!("at most {MOST_COLUMNS} columns"),
                found,
                "export fewer columns",
            ));
        }
        let header = first.iter().map(|name| String::from_utf8_lossy(name).into_owned()).collect::<Vec<_>>();
        let mut distinct = BTreeSet::new();
        // pandas writes the rows' numbers in a first column without a name.
        if let Some(name) = header.iter().find(|name| !name.is_empty() && !distinct.insert(*name)) {
            let found = format!("{} again", quoted(name));
            return Err(Error::new(file, "each column once", found, "keep one of them").at("line 1"));
        }
        // A training under way writes its last line in pieces.
        let unfinished = !bytes.ends_with(b"\n") && rows.last().is_some_and(|row| row.len() < header.len());
        if unfinished {
            rows.pop();
        }
        if let Some(row) = rows.iter().find(|row| row.len() != header.len()) {
            return Err(Error::new(
                file,
                format!("{} values, as in the first line,", header.len()),
                row.len().to_string(),
                "keep the lines of one training, each with a value of every column",
            )
            .at(format!("line {}", line(row))));
        }
        Ok(Self { file: file.to_owned(), header, rows, cut: unfinished })
    }

    /// The place of the first column of one of these names, whatever their case.
    pub(super) fn place(&self, names: &[&str]) -> Option<usize> {
        names
            .iter()
            .find_map(|name| self.header.iter().position(|column| column.trim().eq_ignore_ascii_case(name)))
    }

    /// What is said of a last line that is not whole.
    pub(super) fn cut_note(&self) -> Option<String> {
        self.cut.then(|| "the last line is not whole, as of a training under way: left out".to_owned())
    }

    /// Refuses a table without a column, whose names are in words.
    pub(super) fn needs(&self, names: &[&str], what: &str, advice: &str) -> Result<usize, Error> {
        self.place(names)
            .ok_or_else(|| Error::new(&self.file, what, crate::listed(&self.header), advice).at("line 1"))
    }

    /// Each row's line and cells, by their columns.
    pub(super) fn rows(&self) -> impl Iterator<Item = (u64, impl Fn(usize) -> String)> {
        self.rows.iter().map(|row| {
            let text =
                |place: usize| String::from_utf8_lossy(row.get(place).unwrap_or_default()).into_owned();
            (line(row), text)
        })
    }

    /// A row's step, a whole number.
    pub(super) fn step(&self, text: &str, line: u64, column: usize) -> Result<i64, Error> {
        match cell(text) {
            // Doubles hold whole numbers up to here.
            Cell::Number(step) if step.fract() == 0.0 && step.abs() < 9e15 => Ok(step as i64),
            _ => Err(Error::new(
                &self.file,
                "a whole number",
                quoted(text),
                "export the curves by step or by epoch",
            )
            .at(format!("line {line}, column {}", self.header[column].escape_debug()))),
        }
    }

    /// The values of a column by the steps of another.
    pub(super) fn series(&self, name: &str, column: usize, steps: &[i64]) -> Series {
        let mut series = Series::new(name, &self.file, "line");
        for ((line, text), step) in self.rows().zip(steps) {
            series.push_text(*step, &text(column), line);
        }
        series
    }
}

impl Series {
    /// Adds what a cell says: nothing where it is empty, and no number only when the series is used.
    pub(super) fn push_text(&mut self, step: i64, text: &str, at: u64) {
        match cell(text) {
            Cell::Empty => {}
            Cell::Number(value) => self.points.push(Point { step, value, at }),
            Cell::Text => {
                self.wrong.get_or_insert((at, text.to_owned()));
            }
        }
    }
}

fn line(row: &ByteRecord) -> u64 {
    row.position().map_or(0, csv::Position::line)
}

/// What separates the names in the first line: a comma, a semicolon or a tabulator.
fn delimiter(bytes: &[u8]) -> u8 {
    let mut counts = [(b',', 0), (b';', 0), (b'\t', 0)];
    let mut is_quoted = false;
    for byte in bytes.iter().take_while(|byte| !b"\r\n".contains(byte)) {
        is_quoted ^= *byte == b'"';
        for (delimiter, count) in &mut counts {
            *count += usize::from(byte == delimiter && !is_quoted);
        }
    }
    // The first of equals.
    counts.iter().rev().max_by_key(|(_, count)| count).map_or(b',', |(delimiter, _)| *delimiter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn separators_marks_and_ends_of_lines_are_told() {
        for text in
            ["a,b\n1,2\n", "a;b\r\n1;2\r\n", "a\tb\n1\t2", "\u{feff}\"a\",\"b\"\n\n1,2\n", "a,b\n1,2\n3"]
        {
            let cells = Cells::parse("f", text.as_bytes()).expect(text);
            assert_eq!(
                (&cells.header[..], cells.rows.len()),
                (&["a".to_owned(), "b".to_owned()][..], 1),
                "{text}"
            );
            assert_eq!(cells.cut, text.ends_with('3'));
        }
        assert_eq!(delimiter(b"\"a;b;c\",d"), b',');
        for (text, told) in [
            (&b""[..], "an empty file"),
            (b"\n\n", "an empty file"),
            (b"a,b\n1,2\n3\n", "line 3: 2 values, as in the first line, expected, 1 found"),
            (b"\xff\xfea\0", "UTF-16"),
        ] {
            let refused = Cells::parse("f", text).err().expect("refused").to_string();
            assert!(refused.contains(told), "{refused}");
        }
    }
}
