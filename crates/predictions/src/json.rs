//! JSON: an object of lists, or a list of objects.

use crate::{
    error::Error,
    files::read_whole,
    table::{Column, Meaning, Scores, Table, row_in_words},
};
use serde_json::{Map, Value};
use std::{collections::BTreeMap, path::Path};

/// No file of this kind is larger: a value takes several times its text in memory.
const MAXIMUM_BYTES: u64 = 256 << 20;

pub(crate) fn read(path: &Path) -> Result<Table, Error> {
    let bytes = read_whole(path, MAXIMUM_BYTES, "save the answers as npz or CSV")?;
    parse(&path.display().to_string(), &bytes)
}

pub(crate) fn parse(file: &str, bytes: &[u8]) -> Result<Table, Error> {
    let value: Value = serde_json::from_slice(bytes)
        .map_err(|error| Error::new(file, "JSON", error.to_string(), "save the file again"))?;
    let columns: BTreeMap<String, Vec<Value>> = match value {
        Value::Object(object) => of_lists(object, file)?,
        Value::Array(rows) => of_rows(rows, file)?,
        _ => return Err(shape(file, "a single value")),
    };
    let mut table = Table { file: file.to_owned(), ..Table::default() };
    let (mut others, mut each) = (Vec::new(), Vec::new());
    for (name, values) in columns {
        match Meaning::of(&name) {
            Meaning::Ids => table.ids = Some(values.iter().map(in_text).collect()),
            Meaning::Labels => table.labels = Some(classes(&values, file, "label")?),
            Meaning::Predictions => table.predictions = Some(classes(&values, file, "prediction")?),
            meaning @ (Meaning::Probabilities | Meaning::Logits) => {
                table.scores = Some(scores(&values, file, meaning == Meaning::Logits)?);
            }
            Meaning::ScoreOf(class) => each.push((class, values)),
            Meaning::Other => others.push(name),
        }
    }
    if !each.is_empty() {
        table.scores = Some(of_each_class(each, file)?);
    }
    if table.labels.is_none() && table.predictions.is_none() && table.scores.is_none() {
        return Err(shape(file, &format!("an object of {}", crate::listed(&others))));
    }
    if !others.is_empty() {
        table.remarks.push(format!("fields passed over: {}", crate::listed(&others)));
    }
    table.checked()
}

fn shape(file: &str, found: &str) -> Error {
    Error::new(
        file,
        "an object of lists, predictions or probabilities among them, or a list of objects",
        found,
        "write {\"labels\": [3, …], \"probabilities\": [[0.1, …], …]}",
    )
}

fn of_lists(object: Map<String, Value>, file: &str) -> Result<BTreeMap<String, Vec<Value>>, Error> {
    let list = |(name, value): (String, Value)| match value {
        Value::Array(values) => Ok(Some((name, values))),
        _ if Meaning::of(&name) == Meaning::Other => Ok(None),
        _ => Err(shape(file, &format!("no list as {}", name.escape_debug()))),
    };
    object.into_iter().map(list).filter_map(Result::transpose).collect()
}

fn of_rows(rows: Vec<Value>, file: &str) -> Result<BTreeMap<String, Vec<Value>>, Error> {
    let mut columns: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for (row, value) in rows.into_iter().enumerate() {
        let Value::Object(fields) = value else {
            return Err(shape(file, "another value").at(row_in_words(row)));
        };
        for (name, value) in fields {
            let column = columns.entry(name).or_default();
            if column.len() == row {
                column.push(value);
            }
        }
        if let Some((name, _)) = columns.iter().find(|(_, column)| column.len() != row + 1) {
            let found = format!("{} in some rows alone", name.escape_debug());
            return Err(Error::new(file, "the same fields in every row", found, "give it in every row")
                .at(row_in_words(row)));
        }
    }
    Ok(columns)
}

fn in_text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn classes(values: &[Value], file: &str, what: &str) -> Result<Column, Error> {
    let bad = |row: usize, value: &Value| {
        Error::new(
            file,
            format!("a number or a name as a {what}"),
            value.to_string(),
            "give each image one class",
        )
        .at(row_in_words(row))
    };
    if values.iter().all(Value::is_number) {
        let numbers: Vec<f64> = values.iter().filter_map(Value::as_f64).collect();
        return Column::of_numbers(&numbers, file, what);
    }
    let text = |(row, value): (usize, &Value)| match value {
        Value::String(text) => Ok(text.clone()),
        Value::Number(number) => Ok(number.to_string()),
        _ => Err(bad(row, value)),
    };
    Column::of_texts(values.iter().enumerate().map(text).collect::<Result<_, _>>()?, file, what)
}

fn number(value: &Value, file: &str, row: usize) -> Result<f32, Error> {
    let number = value.as_f64().map(|value| value as f32).filter(|value| value.is_finite());
    number.ok_or_else(|| {
        Error::new(file, "a finite number for every class", value.to_string(), "give each class its value")
            .at(row_in_words(row))
    })
}

fn scores(rows: &[Value], file: &str, stated_logits: bool) -> Result<Scores, Error> {
    let (mut values, mut classes) = (Vec::new(), 0);
    for (row, value) in rows.iter().enumerate() {
        let of_row = value.as_array().map_or(&[][..], Vec::as_slice);
        if row == 0 {
            classes = of_row.len();
        }
        if of_row.len() != classes || classes < 2 {
            let expected = match row {
                0 => "a list of a value for each of two classes or more".to_owned(),
                _ => format!("{classes} values, as in the first row,"),
            };
            let found = if value.is_array() { of_row.len().to_string() } else { "no list".to_owned() };
            return Err(Error::new(file, expected, found, "give each class its value").at(row_in_words(row)));
        }
        for value in of_row {
            values.push(number(value, file, row)?);
        }
    }
    Ok(Scores { values, classes, names: None, stated_logits })
}

/// Of a field a class.
fn of_each_class(mut each: Vec<(String, Vec<Value>)>, file: &str) -> Result<Scores, Error> {
    if each.iter().all(|(name, _)| name.parse::<usize>().is_ok()) {
        each.sort_by_key(|(name, _)| name.parse::<usize>().unwrap_or(0));
    }
    let (classes, rows) = (each.len(), each[0].1.len());
    if classes < 2 || each.iter().any(|(_, values)| values.len() != rows) {
        return Err(shape(file, "fields of probabilities of different lengths, or of one class"));
    }
    let mut values = Vec::with_capacity(classes * rows);
    for row in 0..rows {
        for (_, of_class) in &each {
            values.push(number(&of_class[row], file, row)?);
        }
    }
    let numbered = each.iter().enumerate().all(|(place, (name, _))| name.parse() == Ok(place));
    let names = (!numbered).then(|| each.into_iter().map(|(name, _)| name).collect());
    Ok(Scores { values, classes, names, stated_logits: false })
}
