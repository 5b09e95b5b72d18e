//! Tables of a row an image.

use crate::{
    error::{Error, quoted},
    files::unreadable,
    table::{Column, Meaning, Scores, Table},
};
use csv::{ByteRecord, ReaderBuilder, Trim};
use flate2::read::MultiGzDecoder;
use std::{
    fs::File,
    io::{BufReader, Read},
    path::Path,
};

/// No table has more columns.
const MOST_COLUMNS: usize = 4096;

/// No table is larger once it is unpacked.
const MAXIMUM_BYTES: u64 = 4 << 30;

const HEADER: &str = "a first line that names columns: label, prediction, id, p_0, p_1, …";

pub(crate) fn read(path: &Path) -> Result<Table, Error> {
    let file = path.display().to_string();
    let opened = File::open(path).map_err(|problem| unreadable(&file, &problem))?;
    let raw = BufReader::with_capacity(1 << 16, opened);
    let packed = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("gz"));
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    let delimiter = if name.trim_end_matches(".gz").ends_with(".tsv") { b'\t' } else { b',' };
    let mut unpacked: Box<dyn Read> = if packed { Box::new(MultiGzDecoder::new(raw)) } else { Box::new(raw) };
    parse(&mut unpacked, MAXIMUM_BYTES, &file, delimiter)
}

/// Which columns there are, by their places.
#[derive(Default)]
struct Places {
    id: Option<usize>,
    label: Option<usize>,
    prediction: Option<usize>,
    scores: Vec<(usize, String)>,
    others: Vec<String>,
}

/// Reads a table of at most so many bytes.
fn parse(source: &mut dyn Read, maximum: u64, file: &str, delimiter: u8) -> Result<Table, Error> {
    let mut limited = source.take(maximum + 1);
    let table = parse_all(&mut limited, file, delimiter);
    // A table that was cut here would pass for a shorter one.
    match limited.limit() {
        0 => Err(Error::new(
            file,
            format!("at most {maximum} bytes"),
            "more",
            "split the table, or save it as npz",
        )),
        _ => table,
    }
}

fn parse_all(reader: impl Read, file: &str, delimiter: u8) -> Result<Table, Error> {
    let mut reader =
        ReaderBuilder::new().delimiter(delimiter).has_headers(false).trim(Trim::All).from_reader(reader);
    let mut record = ByteRecord::new();
    let refused = |error: csv::Error| {
        let line = error.position().map_or(0, csv::Position::line);
        let found = match error.kind() {
            csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
                return Error::new(
                    file,
                    format!("{expected_len} values, as in the first line,"),
                    len.to_string(),
                    "give each line a value of every column",
                )
                .at(format!("line {line}"));
            }
            csv::ErrorKind::Io(problem) => problem.to_string(),
            _ => error.to_string(),
        };
        Error::new(file, "a table of comma-separated values", found, "save the table again")
    };
    if !reader.read_byte_record(&mut record).map_err(refused)? {
        return Err(Error::new(file, HEADER, "an empty file", "save the answers again"));
    }
    if record.len() > MOST_COLUMNS {
        return Err(Error::new(
            file,
            format!("at most {MOST_COLUMNS} columns"),
            record.len().to_string(),
            "keep the columns of ids, labels, predictions and probabilities",
        ));
    }
    let header: Vec<String> = record.iter().map(|name| text(name, file, 1)).collect::<Result<_, _>>()?;
    let places = places(&header, file)?;
    let mut ids = places.id.map(|_| Vec::new());
    let mut labels: Option<Vec<String>> = places.label.map(|_| Vec::new());
    let mut predictions: Option<Vec<String>> = places.prediction.map(|_| Vec::new());
    let mut values: Vec<f32> = Vec::new();
    while reader.read_byte_record(&mut record).map_err(refused)? {
        let line = record.position().map_or(0, csv::Position::line);
        if record.len() == 1 && record.get(0).is_some_and(<[u8]>::is_empty) && header.len() > 1 {
            continue;
        }
        let cell = |place: usize| record.get(place).unwrap_or_default();
        for (column, place) in
            [(&mut ids, places.id), (&mut labels, places.label), (&mut predictions, places.prediction)]
        {
            if let (Some(column), Some(place)) = (column, place) {
                column.push(text(cell(place), file, line)?);
            }
        }
        for (place, _) in &places.scores {
            let cell = cell(*place);
            let value = std::str::from_utf8(cell).ok().and_then(|text| text.parse::<f32>().ok());
            match value.filter(|value| value.is_finite()) {
                Some(value) => values.push(value),
                None => {
                    return Err(Error::new(
                        file,
                        "a number",
                        quoted(&String::from_utf8_lossy(cell)),
                        "give each class a probability or a logit",
                    )
                    .at(format!("line {line}, column {}", header[*place].escape_debug())));
                }
            }
        }
    }
    let column = |values: Option<Vec<String>>, what: &str| {
        values.map(|values| Column::of_texts(values, file, what)).transpose()
    };
    let mut remarks = Vec::new();
    if !places.others.is_empty() {
        remarks.push(format!("columns passed over: {}", crate::listed(&places.others)));
    }
    let classes = places.scores.len();
    let names: Vec<String> = places.scores.into_iter().map(|(_, name)| name).collect();
    let numbered = names.iter().enumerate().all(|(place, name)| name.parse() == Ok(place));
    let scores = Scores { values, classes, names: (!numbered).then_some(names), stated_logits: false };
    Table {
        file: file.to_owned(),
        ids,
        labels: column(labels, "label")?,
        predictions: column(predictions, "prediction")?,
        scores: (classes > 0).then_some(scores),
        remarks,
    }
    .checked()
}

fn text(bytes: &[u8], file: &str, line: u64) -> Result<String, Error> {
    // The mark that some programs put before UTF-8.
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    String::from_utf8(bytes.to_vec()).map_err(|_| {
        let is_utf16 = bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff");
        let found = if is_utf16 { "UTF-16" } else { "other bytes" };
        Error::new(file, "text in UTF-8", found, "save the table as UTF-8").at(format!("line {line}"))
    })
}

fn places(header: &[String], file: &str) -> Result<Places, Error> {
    let mut places = Places::default();
    for (place, name) in header.iter().enumerate() {
        let one = match Meaning::of(name) {
            Meaning::Ids => &mut places.id,
            Meaning::Labels => &mut places.label,
            Meaning::Predictions => &mut places.prediction,
            Meaning::ScoreOf(class) => {
                if places.scores.iter().any(|(_, known)| *known == class) {
                    return Err(twice(file, name));
                }
                places.scores.push((place, class));
                continue;
            }
            Meaning::Probabilities | Meaning::Logits | Meaning::Other => {
                places.others.push(name.clone());
                continue;
            }
        };
        if one.replace(place).is_some() {
            return Err(twice(file, name));
        }
    }
    // Numbered classes may stand in any order.
    if places.scores.iter().all(|(_, name)| name.parse::<usize>().is_ok()) {
        places.scores.sort_by_key(|(_, name)| name.parse::<usize>().unwrap_or(0));
    }
    if places.label.is_none() && places.prediction.is_none() && places.scores.is_empty() {
        let found = header.iter().take(8).map(|name| quoted(name)).collect::<Vec<_>>().join(", ");
        let other = header.len() == 1 && (header[0].contains(';') || header[0].contains('\t'));
        let advice = if other {
            "separate the values by commas"
        } else {
            "name the column of the classes that were given prediction, or those of the probabilities p_0, p_1, … or p_NAME"
        };
        return Err(Error::new(file, HEADER, found, advice).at("line 1"));
    }
    if places.scores.len() == 1 {
        return Err(Error::new(
            file,
            "a column of probabilities for every class",
            format!("only {}", quoted(&header[places.scores[0].0])),
            "give the probability of the other classes too",
        )
        .at("line 1"));
    }
    Ok(places)
}

fn twice(file: &str, name: &str) -> Error {
    Error::new(file, "each column once", format!("{} again", quoted(name)), "keep one of them").at("line 1")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_that_is_too_long_is_not_cut() {
        let text = "label,prediction\n0,1\n1,1\n";
        let read = |maximum| parse(&mut text.as_bytes(), maximum, "a.csv", b',');
        assert_eq!(read(text.len() as u64).expect("a table").rows(), 2);
        for maximum in [text.len() as u64 - 1, 21] {
            let refused = read(maximum).expect_err("longer").to_string();
            assert!(refused.contains(&format!("at most {maximum} bytes expected, more found")), "{refused}");
        }
    }
}
