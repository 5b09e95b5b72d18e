//! Tables of text: a row an image, a column of labels, the other columns its pixels.

use crate::{
    Asked, Error, Images, Layout, MAXIMUM_BYTES, Reading,
    class_folders::{Entry, entries, is_hidden},
    finish::{Raw, RawPart, check_size},
    labels::Labels,
    pixels::interleave,
    words::{list, thousands},
};
use csv_core::{ReadRecordResult, ReaderBuilder};
use flate2::bufread::MultiGzDecoder;
use std::{
    collections::HashMap,
    fs::{self, File},
    io::{self, BufRead, BufReader, Read},
    path::{Path, PathBuf},
};

/// What each part's table is called, in the order of the parts.
const PART_NAMES: [&[&str]; 3] =
    [&["train", "training"], &["val", "valid", "validation"], &["test", "testing"]];

const SUFFIXES: [&str; 4] = [".csv", ".csv.gz", ".tsv", ".tsv.gz"];

/// Columns that hold labels, by their names in small letters; the first that there is counts.
const LABEL_COLUMNS: [&str; 4] = ["label", "labels", "class", "target"];

/// The longest row: 256×256 pixels of three colours, in quotes and with a decimal point, have less.
const LONGEST_ROW: usize = 4 << 20;

/// The most values of a row.
const MOST_VALUES: usize = 3 * 256 * 256 + 16;

/// Separators and line ends are told by as many bytes at most.
const FIRST_LINE: u64 = LONGEST_ROW as u64;

pub(crate) fn is_name(name: &str) -> bool {
    SUFFIXES.iter().any(|suffix| name.ends_with(suffix))
}

/// Whether a folder holds a table of training images.
pub(crate) fn is_folder(path: &Path) -> bool {
    tables(path).is_ok_and(|tables| tables.iter().any(Option::is_some))
}

/// The tables of the parts.
fn tables(path: &Path) -> Result<[Option<PathBuf>; 3], Error> {
    let shown = || path.display().to_string();
    let mut tables: [Option<PathBuf>; 3] = [None, None, None];
    let entries = fs::read_dir(path).map_err(|error| Error::unreadable(shown(), &error))?;
    let mut files: Vec<PathBuf> =
        entries.flatten().map(|entry| entry.path()).filter(|path| path.is_file()).collect();
    files.sort();
    for file in files {
        let name = file.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
        let Some(stem) = SUFFIXES.iter().find_map(|suffix| name.strip_suffix(suffix)) else { continue };
        let Some(part) = PART_NAMES.iter().position(|names| names.contains(&stem)) else { continue };
        if let Some(other) = &tables[part] {
            let name = |file: &Path| file.file_name().unwrap_or_default().to_string_lossy().into_owned();
            return Err(Error::Several {
                path: shown(),
                what: "table of a part",
                one: name(other),
                other: name(&file),
            });
        }
        tables[part] = Some(file);
    }
    Ok(tables)
}

pub(crate) fn read(path: &Path, reading: &Reading) -> Result<Raw, Error> {
    let mut raw = Raw::default();
    let mut told = Told { remarks: Vec::new(), spellings: Spellings::default(), left: MAXIMUM_BYTES };
    let tables = if path.is_dir() { tables(path)? } else { [Some(path.to_path_buf()), None, None] };
    if path.is_dir() {
        let taken = |entry: &Entry| tables.iter().flatten().any(|table| *table == entry.path);
        let others = entries(path)?.into_iter().filter(|entry| !is_hidden(&entry.name) && !taken(entry));
        let others: Vec<String> = others.map(|entry| entry.name).collect();
        if !others.is_empty() {
            told.remarks.push(format!("passed over beside the tables: {}", list(&others)));
        }
    }
    if tables[0].is_none() {
        let found =
            tables.iter().flatten().map(|table| table.display().to_string()).collect::<Vec<_>>().join(", ");
        return Err(Error::NoTraining { path: path.display().to_string(), expected: "train.csv", found });
    }
    for (table, part) in tables.iter().zip(&mut raw.parts) {
        if let Some(table) = table {
            *part = Some(read_table(table, reading, &mut told)?);
        }
    }
    raw.remarks = told.remarks;
    raw.remarks.extend(told.spellings.remark());
    Ok(raw)
}

/// What the tables of all parts share.
struct Told {
    remarks: Vec<String>,
    spellings: Spellings,
    /// Bytes of pixels that may still come.
    left: u64,
}

/// How each class is written in the tables.
#[derive(Default)]
struct Spellings {
    /// By class as it was met first.
    first: HashMap<String, Vec<u8>>,
    /// Classes that are written in several ways, the first two of them.
    several: Vec<(String, Vec<u8>, Vec<u8>)>,
}

impl Spellings {
    fn add(&mut self, class: &str, value: &[u8]) {
        match self.first.get(class) {
            None => {
                self.first.insert(class.to_owned(), value.to_vec());
            }
            Some(first) if first != value && self.several.iter().all(|(known, ..)| known != class) => {
                self.several.push((class.to_owned(), first.clone(), value.to_vec()));
            }
            Some(_) => {}
        }
    }

    fn remark(&self) -> Option<String> {
        let text = |value: &[u8]| format!("{:?}", String::from_utf8_lossy(value));
        let of = |(class, one, other): &(String, Vec<u8>, Vec<u8>)| {
            format!("{} and {} as {class}", text(one), text(other))
        };
        let several: Vec<String> = self.several.iter().map(of).collect();
        (!several.is_empty())
            .then(|| format!("labels that are written in several ways are one class: {}", list(&several)))
    }
}

fn read_table(path: &Path, reading: &Reading, told: &mut Told) -> Result<RawPart, Error> {
    let file = path.display().to_string();
    let of = |error: io::Error| Error::unreadable(&file, &error);
    let opened = File::open(path).map_err(of)?;
    let length = opened.metadata().map_err(of)?.len();
    let mut opened = BufReader::with_capacity(1 << 16, opened);
    if length == 0 {
        return Err(Error::EmptyFile { file, expected: "a table" });
    }
    // A browser may have unpacked what is still called .gz.
    let is_compressed = opened.fill_buf().map_err(of)?.starts_with(&[0x1f, 0x8b]);
    if is_compressed {
        let unpacked = BufReader::with_capacity(1 << 16, MultiGzDecoder::new(opened));
        Table::read(file, unpacked, None, reading, told)
    } else {
        Table::read(file, opened, Some(length), reading, told)
    }
}

/// What the columns of a table are.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Columns {
    /// How many there are.
    count: usize,
    label: usize,
    /// The column of a table's index, which is passed over.
    index: Option<usize>,
    height: usize,
    width: usize,
    channels: usize,
    /// Names, where there are some.
    names: Option<Vec<String>>,
}

struct Table<R> {
    file: String,
    input: R,
    core: csv_core::Reader,
    separator: u8,
    /// Line feeds that were read.
    line_feeds: u64,
    row: Vec<u8>,
    ends: Vec<usize>,
}

impl<R: BufRead> Table<R> {
    fn read(
        file: String,
        mut input: R,
        length: Option<u64>,
        reading: &Reading,
        told: &mut Told,
    ) -> Result<RawPart, Error> {
        let mut head = Vec::new();
        let read = input.by_ref().take(FIRST_LINE).read_until(b'\n', &mut head);
        read.map_err(|error| damaged(&file, &error))?;
        if head.starts_with(b"\xef\xbb\xbf") {
            head.drain(..3);
        }
        if let Some(found) = no_text(&head) {
            return Err(Error::Encoding { file, line: 1, found });
        }
        let separator = separator(&head);
        let mut table = Table {
            file,
            input: io::Cursor::new(head).chain(input),
            core: ReaderBuilder::new().delimiter(separator).build(),
            separator,
            line_feeds: 0,
            row: vec![0; 1 << 16],
            ends: vec![0; 1 << 12],
        };
        table.images(length, reading, told)
    }

    fn images(&mut self, length: Option<u64>, reading: &Reading, told: &mut Told) -> Result<RawPart, Error> {
        let Some((first_line, values)) = self.next()? else { return Err(self.empty()) };
        let mut texts = Vec::with_capacity(values);
        for value in 0..values {
            texts.push(String::from_utf8(self.value(value).to_vec()).map_err(|_| self.encoding(first_line))?);
        }
        if let [alone] = &texts[..]
            && let Some(found) = other_separator(alone, None)
        {
            let (file, expected) = (self.file.clone(), "commas, semicolons or tabs");
            return Err(Error::Separator { file, line: first_line, expected, found });
        }
        let (columns, is_header) = columns(&self.file, &texts, reading, &mut told.remarks)?;
        check_size(&self.file, columns.height as u64, columns.width as u64)?;
        drop(texts);
        let mut row = if is_header { self.next()? } else { Some((first_line, values)) };
        let mut labels = Labels::default();
        let mut pixels = Vec::new();
        let area = columns.height * columns.width * columns.channels;
        // A value and what separates it are two bytes or more: so many rows a file has at most.
        let most = length.map(|length| length / (2 * area as u64) + 1);
        let mut bytes_read = 0_u64;
        while let Some((line, values)) = row {
            if values != columns.count {
                let row =
                    String::from_utf8_lossy(&self.row[..self.ends[..values].last().copied().unwrap_or(0)]);
                if let (1, Some(found)) = (values, other_separator(&row, Some(self.separator))) {
                    let (file, expected) = (self.file.clone(), separator_name(self.separator));
                    return Err(Error::Separator { file, line, expected, found });
                }
                let (expected, found) = (columns.count as u64, values as u64);
                return Err(Error::RowLength { file: self.file.clone(), line, expected, found });
            }
            if pixels.capacity() - pixels.len() < area {
                if (pixels.len() + area) as u64 > told.left {
                    return Err(Error::too_large(&self.file, None));
                }
                // As many rows as the file has at this length of a row, or a quarter more than there were.
                let estimate = length.map(|length| {
                    let rows = labels.len().max(1) as u64;
                    (length.saturating_sub(bytes_read) * rows / bytes_read.max(length / 64 + 1))
                        .min(most.unwrap_or(0))
                });
                let rows = estimate.unwrap_or(0).max(labels.len() as u64 / 4).max(16);
                let more = (rows as usize).saturating_mul(area).min(told.left as usize);
                pixels.try_reserve_exact(more).map_err(|_| Error::too_large(&self.file, None))?;
            }
            self.push_row(line, &columns, &mut pixels, &mut labels, &mut told.spellings)?;
            bytes_read += self.ends.get(values.wrapping_sub(1)).map_or(0, |end| *end as u64) + values as u64;
            row = self.next()?;
        }
        if labels.len() == 0 {
            return Err(self.empty());
        }
        pixels.shrink_to_fit();
        told.left -= pixels.len() as u64;
        if columns.channels == 3 && reading.layout == Some(Layout::ChannelsFirst) {
            interleave(&mut pixels, 3, columns.height * columns.width);
        }
        let Columns { height, width, channels, .. } = columns;
        Ok(RawPart {
            images: Images { pixels, count: labels.len(), height, width, channels },
            labels,
            names: None,
        })
    }

    fn push_row(
        &self,
        line: u64,
        columns: &Columns,
        pixels: &mut Vec<u8>,
        labels: &mut Labels,
        spellings: &mut Spellings,
    ) -> Result<(), Error> {
        let mut start = 0;
        for (column, end) in self.ends[..columns.count].iter().enumerate() {
            let value = &self.row[start..*end];
            start = *end;
            if column == columns.label {
                let label = label(value).ok_or_else(|| match std::str::from_utf8(value) {
                    Err(_) => self.encoding(line),
                    Ok(found) => Error::Label {
                        file: format!("{}, line {}", self.file, thousands(line)),
                        expected: "a class as a whole number or a name",
                        index: labels.len() as u64,
                        found: format!("{found:?}"),
                    },
                })?;
                labels.push(&label, &|| self.file.clone())?;
                spellings.add(&label, value);
            } else if columns.index != Some(column) {
                pixels.push(pixel(value).ok_or_else(|| self.no_pixel(line, column, columns, value))?);
            }
        }
        Ok(())
    }

    fn no_pixel(&self, line: u64, column: usize, columns: &Columns, value: &[u8]) -> Error {
        const SHOWN: usize = 40;
        let number = thousands(column as u64 + 1);
        let column = match columns.names.as_ref().and_then(|names| names.get(column)) {
            Some(name) => format!("{number} ({name})"),
            None => number,
        };
        let found: String = String::from_utf8_lossy(value).chars().take(SHOWN).collect();
        Error::Value { file: self.file.clone(), line, column, found }
    }

    fn empty(&self) -> Error {
        Error::NoImages { path: self.file.clone() }
    }

    fn encoding(&self, line: u64) -> Error {
        Error::Encoding { file: self.file.clone(), line, found: "bytes of another encoding" }
    }
}

impl<R: BufRead> Table<R> {
    fn value(&self, index: usize) -> &[u8] {
        let start = if index == 0 { 0 } else { self.ends[index - 1] };
        &self.row[start..self.ends[index]]
    }

    /// Reads the next row that is not empty: its line, and how many values it has.
    fn next(&mut self) -> Result<Option<(u64, usize)>, Error> {
        self.skip_line_ends()?;
        let line = self.line_feeds + 1;
        let (mut written, mut values) = (0, 0);
        loop {
            let buffer = self.input.fill_buf().map_err(|error| damaged(&self.file, &error))?;
            let (result, read, more, ended) =
                self.core.read_record(buffer, &mut self.row[written..], &mut self.ends[values..]);
            self.line_feeds += buffer[..read].iter().map(|byte| u64::from(*byte == b'\n')).sum::<u64>();
            self.input.consume(read);
            (written, values) = (written + more, values + ended);
            match result {
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull if self.row.len() < LONGEST_ROW => {
                    self.row.resize(2 * self.row.len(), 0)
                }
                ReadRecordResult::OutputEndsFull if self.ends.len() < MOST_VALUES => {
                    self.ends.resize(2 * self.ends.len(), 0);
                }
                ReadRecordResult::OutputFull | ReadRecordResult::OutputEndsFull => {
                    return Err(Error::TooLarge {
                        file: format!("{}, line {}", self.file, thousands(line)),
                        of: "in a row",
                        limit: LONGEST_ROW as u64,
                        found: None,
                    });
                }
                ReadRecordResult::Record => return Ok(Some((line, values))),
                ReadRecordResult::End => return Ok(None),
            }
        }
    }

    /// Empty lines are passed over, and counted.
    fn skip_line_ends(&mut self) -> Result<(), Error> {
        loop {
            let buffer = self.input.fill_buf().map_err(|error| damaged(&self.file, &error))?;
            let ends = buffer.iter().take_while(|byte| matches!(**byte, b'\r' | b'\n')).count();
            self.line_feeds += buffer[..ends].iter().map(|byte| u64::from(*byte == b'\n')).sum::<u64>();
            let more = ends == buffer.len() && ends > 0;
            self.input.consume(ends);
            if !more {
                return Ok(());
            }
        }
    }
}

/// Only compressed data is damaged in the reading.
fn damaged(file: &str, error: &io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof => {
            Error::Damaged { file: file.to_owned(), format: "gzip", reason: error.to_string() }
        }
        _ => Error::unreadable(file, error),
    }
}

/// What a file is that is no text in UTF-8, by its first line.
fn no_text(head: &[u8]) -> Option<&'static str> {
    let begins = |mark: &[u8]| head.len() >= mark.len() && head[..mark.len()].eq_ignore_ascii_case(mark);
    if begins(b"\xff\xfe") || begins(b"\xfe\xff") {
        Some("text in UTF-16")
    } else if begins(b"PK\x03\x04") {
        Some("a zip archive, such as an Excel workbook,")
    } else if begins(b"<!doctype") || begins(b"<html") {
        Some("a web page (HTML)")
    } else if begins(b"\x1f\x8b") {
        Some("a file compressed by gzip twice")
    } else {
        head.contains(&0).then_some("a file of bytes")
    }
}

/// Commas, semicolons or tabs, whichever the first line has most of outside of quotes.
fn separator(line: &[u8]) -> u8 {
    let mut quoted = false;
    let mut counts = [(0_usize, b','), (0, b';'), (0, b'\t')];
    for byte in line {
        quoted ^= *byte == b'"';
        if let Some((count, _)) = counts.iter_mut().find(|(_, separator)| separator == byte && !quoted) {
            *count += 1;
        }
    }
    // The first of equals is the last that `max_by_key` sees.
    counts.iter().rev().max_by_key(|(count, _)| count).map_or(b',', |(_, separator)| *separator)
}

/// What separates the values of a row in the place of `known`; none where nothing does.
fn other_separator(row: &str, known: Option<u8>) -> Option<&'static str> {
    let others = [b',', b';', b'\t', b'|', b':', b' '].into_iter().filter(|other| Some(*other) != known);
    others.into_iter().find(|other| row.trim().bytes().any(|byte| byte == *other)).map(separator_name)
}

fn separator_name(separator: u8) -> &'static str {
    match separator {
        b',' => "commas",
        b';' => "semicolons",
        b'\t' => "tabs",
        b'|' => "vertical bars",
        b':' => "colons",
        _ => "spaces",
    }
}

/// A whole number from 0 to 255, also as `7.0` and with spaces around.
fn pixel(value: &[u8]) -> Option<u8> {
    if let 1..=3 = value.len() {
        let mut number = 0_u32;
        for (place, byte) in value.iter().enumerate() {
            let digit = byte.wrapping_sub(b'0');
            if digit > 9 {
                break;
            }
            number = 10 * number + u32::from(digit);
            if place + 1 == value.len() {
                return u8::try_from(number).ok();
            }
        }
    }
    let number: f64 = std::str::from_utf8(value).ok()?.trim().parse().ok()?;
    (number.fract() == 0.0 && (0.0..=255.0).contains(&number)).then_some(number as u8)
}

/// The class of a label: a whole number without what else it was written with, or a name.
fn label(value: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(value).ok()?.trim();
    match text.parse::<f64>() {
        Ok(number) if number.fract() == 0.0 && number.abs() < 9e15 => Some((number as i64).to_string()),
        Ok(_) => None,
        Err(_) => (!text.is_empty()).then(|| text.to_owned()),
    }
}

fn is_number(text: &str) -> bool {
    text.trim().parse::<f64>().is_ok()
}

/// What the columns are, and whether the first row names them.
fn columns(
    file: &str,
    first: &[String],
    reading: &Reading,
    remarks: &mut Vec<String>,
) -> Result<(Columns, bool), Error> {
    let names: Vec<String> = first.iter().map(|name| name.trim().to_lowercase()).collect();
    let labelled = LABEL_COLUMNS.iter().find_map(|wanted| names.iter().position(|name| name == wanted));
    let is_counting =
        first.len() > 4 && first.iter().enumerate().all(|(index, name)| name.trim().parse() == Ok(index));
    let is_header = labelled.is_some() || is_counting || first.iter().skip(1).any(|name| !is_number(name));
    if is_counting {
        remarks.push(format!("{file}: the first row counts the columns (0, 1, 2, …) and is passed over"));
    }
    let index = (is_header && (names[0].is_empty() || names[0] == "unnamed: 0")).then_some(0);
    if index.is_some() {
        remarks.push(format!("{file}: the first column has no name, as a table's index, and is passed over"));
    }
    let count = first.len();
    let used = count - usize::from(index.is_some());
    let label = labelled.unwrap_or(if index.is_some() { 1 } else { 0 });
    let missing = || Error::MissingLabels {
        file: file.to_owned(),
        images: format!("rows of {} pixels", thousands(used as u64)),
    };
    let pixels = (used as u64).saturating_sub(1);
    let found = shape(pixels, reading.size);
    if labelled.is_none() && is_unlabelled(used as u64, reading.size) {
        return Err(missing());
    }
    let Some([height, width, channels]) = found else {
        return Err(Error::PixelColumns { file: file.to_owned(), columns: pixels, size: reading.size });
    };
    if labelled.is_none() && is_header && !is_counting {
        remarks.push(format!(
            "{file}: no column is called label, class or target: the first one is taken as the label"
        ));
    }
    if labelled.is_none() && !is_header {
        remarks.push(format!("{file}: there is no header: the first column is taken as the label"));
    }
    if let (1, Some(layout)) = (channels, reading.layout) {
        let found = format!("rows of {height}×{width} grey pixels");
        return Err(Error::Contradicted { file: file.to_owned(), asked: Asked::Layout(layout), found });
    }
    if channels == 3 {
        let order = match reading.layout {
            Some(Layout::ChannelsFirst) => "all of red, then green, then blue",
            _ => "red, green and blue of each pixel together",
        };
        remarks.push(format!(
            "{file}: {} columns are read as {height}×{width} pixels in colour, {order}",
            thousands(pixels)
        ));
    }
    let names = is_header.then(|| first.to_vec());
    Ok((Columns { count, label, index, height, width, channels, names }, is_header))
}

/// Whether that many columns are the pixels of an image without a label. A grey square less one may be colours: it is asked about.
fn is_unlabelled(columns: u64, size: Option<[usize; 2]>) -> bool {
    let is_grey = |columns| shape(columns, size).is_some_and(|[_, _, channels]| channels == 1);
    if size.is_some() {
        return shape(columns.saturating_sub(1), size).is_none() && shape(columns, size).is_some();
    }
    columns > 1
        && !is_grey(columns - 1)
        && shape(columns, None).is_some()
        && (is_grey(columns) || shape(columns - 1, None).is_none())
}

/// Height, width and channels of so many pixels.
fn shape(pixels: u64, size: Option<[usize; 2]>) -> Option<[usize; 3]> {
    let of = |area: u64, channels: usize| {
        let side = area.isqrt();
        match size {
            Some([height, width]) => {
                (height as u64 * width as u64 == area).then_some([height, width, channels])
            }
            None => (side > 0 && side * side == area).then_some([side as usize, side as usize, channels]),
        }
    };
    of(pixels, 1).or_else(|| pixels.is_multiple_of(3).then(|| of(pixels / 3, 3)).flatten())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pixels_are_whole_numbers_of_a_byte() {
        for (value, expected) in [
            ("0", Some(0)),
            ("255", Some(255)),
            ("007", Some(7)),
            ("0007", Some(7)),
            (" 12 ", Some(12)),
            ("12.0", Some(12)),
            ("2.55e2", Some(255)),
            ("256", None),
            ("-1", None),
            ("0.5", None),
            ("", None),
            ("nan", None),
            ("1a", None),
            ("é", None),
        ] {
            assert_eq!(pixel(value.as_bytes()), expected, "{value:?}");
        }
    }

    #[test]
    fn labels_are_numbers_or_names() {
        let of = |value: &str| label(value.as_bytes());
        assert_eq!(of("3.0").as_deref(), Some("3"));
        assert_eq!(of(" cat ").as_deref(), Some("cat"));
        assert_eq!(of("-1").as_deref(), Some("-1"));
        assert_eq!([of(""), of("3.5"), of("nan"), of("inf")], [None, None, None, None]);
    }

    #[test]
    fn the_separator_is_the_one_most_frequent() {
        assert_eq!(
            [separator(b"a,b,c"), separator(b"a;b;c"), separator(b"a\tb"), separator(b"a")],
            [b',', b';', b'\t', b',']
        );
        assert_eq!(separator(b"\"a,b,c\";d;e"), b';');
    }

    #[test]
    fn a_square_of_pixels_without_a_label_is_told() {
        assert!(is_unlabelled(784, None) && is_unlabelled(49, None) && is_unlabelled(3072, None));
        assert!(!is_unlabelled(785, None) && !is_unlabelled(3073, None) && !is_unlabelled(2, None));
        assert!(is_unlabelled(6, Some([2, 3])) && !is_unlabelled(7, Some([2, 3])));
    }
}
