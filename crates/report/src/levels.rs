//! Every interval says its level, every p-value how it is adjusted: a walk over everything that a reader or a program is told.

use crate::{
    Format, Study,
    fixture::{Given, failed, judged, judged_by, record, records},
    markdown, page, paper, summary_json, terminal,
};
use records::{
    question::{Measure, Question},
    record::{Fold, Protocol, RunRecord},
    target::Target,
};
use serde_json::Value;

/// Where intervals begin and end in a text: two numbers between brackets.
fn intervals(text: &str) -> Vec<[usize; 2]> {
    let is_number = |part: &str| {
        let digits = part.trim_start_matches(['+', '-', '−']);
        !digits.is_empty() && digits.chars().all(|c| c.is_ascii_digit() || c == '.')
    };
    text.match_indices('[')
        .filter_map(|(start, _)| {
            let length = text[start..].find(']')?;
            let (lower, upper) = text[start + 1..start + length].split_once(", ")?;
            (is_number(lower) && is_number(upper)).then_some([start, start + length + 1])
        })
        .collect()
}

fn is_levelled(after: &str) -> bool {
    let level = after.strip_prefix(" at ").and_then(|rest| rest.split_once(['%', '\\']));
    level.is_some_and(|(number, _)| number.trim_end_matches([' ', '\u{a0}', '~']).parse::<f64>().is_ok())
}

/// Where a text says p without how it is adjusted.
fn bare_p(sentence: &str) -> bool {
    let says_p = sentence.match_indices("p ").any(|(at, _)| {
        let alone = sentence[..at].chars().next_back().is_none_or(|before| !before.is_alphanumeric());
        let rest = sentence[at + 2..].trim_start_matches(['=', '<', ' ']);
        alone && rest.len() < sentence.len() - at - 2 && rest.starts_with(|c: char| c.is_ascii_digit())
    });
    says_p && !sentence.contains("adjusted")
}

/// What is wrong with running text, sentence by sentence.
fn check_text(text: &str, faults: &mut Vec<String>) {
    for [start, end] in intervals(text) {
        if !is_levelled(&text[end..]) {
            faults.push(format!("no level: {}", around(text, start)));
        }
    }
    faults.extend(
        text.split(". ").filter(|sentence| bare_p(sentence)).map(|sentence| format!("bare p: {sentence}")),
    );
}

fn around(text: &str, at: usize) -> String {
    text[..at]
        .chars()
        .rev()
        .take(60)
        .collect::<Vec<_>>()
        .into_iter()
        .rev()
        .chain(text[at..].chars().take(40))
        .collect()
}

/// A table of texts: an interval has its level in its cell, in its column's heading or in a column of levels.
fn check_table(columns: &[String], rows: &[Vec<String>], faults: &mut Vec<String>) {
    let levels = columns.iter().any(|name| name == "level");
    for row in rows {
        for (cell, column) in row.iter().zip(columns) {
            let bare = intervals(cell).iter().any(|[_, end]| !is_levelled(&cell[*end..]));
            if bare && !levels && !column.contains(" at 95") {
                faults.push(format!("no level: {column}: {cell}"));
            }
        }
    }
    let bare = |name: &&String| {
        (*name == "p" || name.starts_with("p ")) && !name.contains("Holm") && !name.contains("unadjusted")
    };
    faults.extend(columns.iter().filter(bare).map(|name| format!("a column of bare p: {name}")));
}

/// Text between tags; a tag becomes a space.
fn untagged(html: &str) -> String {
    let mut text = String::new();
    for part in html.split('<') {
        let shown = part.split_once('>').map_or(part, |(_, shown)| shown);
        text.push(' ');
        text.push_str(shown);
    }
    text.replace("&lt;", "<").replace("&#39;", "'").split_whitespace().collect::<Vec<_>>().join(" ")
}

fn between<'a>(text: &'a str, start: &'a str, end: &'a str) -> impl Iterator<Item = &'a str> {
    text.split(start).skip(1).map(move |part| part.split(end).next().unwrap_or_default())
}

fn check_page(page: &str, faults: &mut Vec<String>) {
    let mut rest = String::new();
    // A drawing's intervals have their level below it.
    for (index, part) in page.split("<svg").enumerate() {
        rest.push_str(if index == 0 {
            part
        } else {
            part.split_once("</svg>").map_or("", |(_, after)| after)
        });
    }
    if page.contains("class=\"wide\"") && page.contains("A line the interval") {
        faults.push("a caption".to_owned());
    }
    for table in between(&rest, "<table", "</table>") {
        let head = table.split("</thead>").next().filter(|_| table.contains("<thead")).unwrap_or_default();
        let columns: Vec<String> =
            between(head, "<th ", "</th>").map(|cell| untagged(&format!("<{cell}"))).collect();
        let rows: Vec<Vec<String>> = between(table, "<tr>", "</tr>")
            .map(|row| {
                row.split("</t")
                    .map(untagged)
                    .filter(|cell| cell != "r>" && cell != "h>" && cell != "d>")
                    .collect()
            })
            .collect();
        if columns.is_empty() {
            // Facts: a sentence a row.
            rows.iter().for_each(|row| check_text(&row.join(" "), faults));
        } else {
            check_table(&columns, &rows, faults);
        }
    }
    let mut outside = String::new();
    for (index, part) in rest.split("<table").enumerate() {
        outside.push_str(if index == 0 {
            part
        } else {
            part.split_once("</table>").map_or("", |(_, after)| after)
        });
    }
    for block in
        outside.split("</p>").flat_map(|part| part.split("</li>")).flat_map(|part| part.split("</dd>"))
    {
        check_text(&untagged(block), faults);
    }
}

/// Every interval of a summary has a level beside it, every p-value an adjustment.
fn check_summary(value: &Value, path: &str, faults: &mut Vec<String>) {
    match value {
        Value::Array(items) => {
            items
                .iter()
                .enumerate()
                .for_each(|(at, item)| check_summary(item, &format!("{path}[{at}]"), faults));
        }
        Value::Object(fields) => {
            for (key, field) in fields {
                let path = format!("{path}.{key}");
                let beside = match key.as_str() {
                    key if key.ends_with("interval") => Some(key.replace("interval", "confidence")),
                    key if key.ends_with("p_value") => Some(key.replace("p_value", "p_adjustment")),
                    key if key.ends_with("p_values") => Some(key.replace("p_values", "p_adjustment")),
                    _ => None,
                };
                if beside
                    .is_some_and(|beside| !field.is_null() && fields.get(&beside).is_none_or(Value::is_null))
                {
                    faults.push(path.clone());
                }
                check_summary(field, &path, faults);
            }
        }
        _ => {}
    }
}

fn faults(study: &Study) -> Vec<String> {
    let mut faults = Vec::new();
    check_text(&terminal(study).split_whitespace().collect::<Vec<_>>().join(" "), &mut faults);
    for line in markdown(study).lines() {
        assert!(
            !line.starts_with('|') || intervals(line).is_empty(),
            "a table of Markdown has intervals: {line}"
        );
        check_text(line, &mut faults);
    }
    check_page(&page(study), &mut faults);
    for table in crate::render::paper::tables_of(study).iter().flat_map(|(_, tables)| tables) {
        let rows: Vec<Vec<String>> =
            table.rows.iter().map(|row| row.iter().map(|cell| cell.text().to_owned()).collect()).collect();
        check_table(&table.columns, &rows, &mut faults);
    }
    for file in paper(study, &[Format::Csv]) {
        let text = String::from_utf8(file.bytes).expect("text");
        let head = text.lines().next().unwrap_or_default();
        if head.contains("lower") && !head.contains("level")
            || head.contains("p_value") && !head.contains("p_adjustment")
        {
            faults.push(head.to_owned());
        }
    }
    let summary = serde_json::from_str(&summary_json(study)).expect("JSON");
    check_summary(&summary, "", &mut faults);
    faults
}

/// Repetitions of four folds of two models.
fn folds() -> Vec<RunRecord> {
    let mut all = Vec::new();
    for (repeat, fold) in (1..=2).flat_map(|repeat| (1..=4).map(move |fold| (repeat, fold))) {
        for (model, error) in [("good", 0.03), ("poor", 0.2)] {
            let mut run = record(model, (10 * repeat + fold) as u64, 2, error, Protocol::Sound);
            run.specification.fold = Some(Fold { repeat, fold, folds: 4 });
            run.test.images = (0..1000).map(|image| 4 * image + fold as u32 - 1).collect();
            all.push(run);
        }
    }
    all
}

#[test]
fn every_interval_says_its_level_and_every_p_how_it_is_adjusted() {
    let many: Vec<(String, f64)> =
        (0..7).map(|model| (format!("m{model}"), 0.02 + 0.02 * model as f64)).collect();
    let many: Vec<(&str, f64)> = many.iter().map(|(name, error)| (name.as_str(), *error)).collect();
    let (two, three) = ([("cnn", 0.04), ("lstm", 0.12)], [("cnn", 0.04), ("lstm", 0.12), ("mlp", 0.08)]);
    let mut lost = vec![failed("cnn", 9, 2)];
    lost[0].specification.model = "cnn".to_owned();
    // Runs of which none has a partner.
    let mut apart = records(&two, 3, 2);
    let lonely = apart.iter_mut().filter(|run| run.specification.model == "lstm");
    lonely.for_each(|run| run.specification.seed += 100);
    let cases: Vec<(&str, Vec<RunRecord>)> = vec![
        ("two", records(&two, 4, 3)),
        ("three", records(&three, 3, 2)),
        ("many", records(&many, 3, 2)),
        ("one run", records(&two, 1, 2)),
        ("one model", records(&two[..1], 4, 2)),
        ("one model, one run", records(&two[..1], 1, 2)),
        ("alike", records(&[("a", 0.05), ("b", 0.05), ("c", 0.051)], 3, 2)),
        ("folds", folds()),
        ("apart", apart),
    ];
    let mut said = 0;
    for (name, records) in &cases {
        for measure in Measure::ALL {
            let study = judged_by(records, &lost, measure);
            assert_eq!(faults(&study), Vec::<String>::new(), "{name} by {}", measure.name());
            said += intervals(&markdown(&study)).len();
        }
    }
    assert!(said > 100, "{said} intervals were looked at");
    let target = Target {
        accuracy: 0.9,
        max_parameters: None,
        max_multiply_adds: None,
        max_ram_bytes: None,
        max_flash_bytes: None,
        max_epochs: None,
        max_train_seconds: None,
    };
    let question = Question { target: Some(target), ..Question::default() };
    let records = records(&two, 4, 2);
    let study = Given { records: &records, question, ..Given::default() }.study();
    assert_eq!(faults(&study), Vec::<String>::new());
    assert!(!judged(&records, &[]).analysis.comparisons.is_empty());
}

#[test]
fn what_lacks_a_level_is_found() {
    let found = |text: &str| {
        let mut faults = Vec::new();
        check_text(text, &mut faults);
        faults.len()
    };
    assert_eq!(found("by 0.83 points [0.66, 1.00] at 95 %, 5 runs; p < 0.001, adjusted by Holm's method"), 0);
    assert_eq!(found("by 0.83 points [0.66, 1.00], 5 runs"), 1);
    assert_eq!(found("a against b: p = 0.03 over 3 runs"), 1);
    let mut faults = Vec::new();
    check_table(
        &["pair".to_owned(), "interval".to_owned()],
        &[vec!["a".to_owned(), "[−0.1, 2]".to_owned()]],
        &mut faults,
    );
    check_table(&["p".to_owned()], &[vec!["0.1".to_owned()]], &mut faults);
    check_page(
        "<table><tbody><tr><th scope=\"row\">p</th><td>[1, 2]</td></tr></tbody></table><p>[1.0, 2.0]</p>",
        &mut faults,
    );
    check_summary(&serde_json::json!({ "a": { "interval": [0, 1], "p_value": 0.1 } }), "", &mut faults);
    assert_eq!(faults.len(), 6, "{faults:?}");
}
