//! The result as plain text for a terminal.

use crate::{
    Study,
    document::{Cell, Table},
    tables::{self, of_models, places},
    words::{
        learning, measures,
        names::ShortNames,
        plain::in_plain_words,
        selection, target,
        text::one_line,
        verdicts::{TOLD_AT_THE_HEAD, best_of_many, verdicts},
    },
};

const COLUMNS: usize = 80;
const GAP: usize = 2;
/// A table is wider than [`COLUMNS`] where its figures need it: none is cut but those that nothing real has.
const WIDEST_TABLE: usize = 132;

/// A table of the models and the verdicts, without colours: at most 80 columns wide, a table more where its figures need it.
pub fn terminal(study: &Study) -> String {
    let analysis = &study.analysis;
    let mut warnings = String::new();
    for warning in &analysis.warnings.before_verdicts {
        warnings.push_str(&wrapped(&one_line(&format!("warning: {warning}"))));
    }
    if analysis.models.is_empty() {
        return format!("No run has finished.\n{warnings}");
    }
    let ShortNames { names, note } = ShortNames::of(&analysis.models);
    let mut text = aligned(&models(study, &names));
    if let Some(note) = note {
        text.push_str(&wrapped(&note));
    }
    if let Some(mut measures) = tables::measures(study) {
        text.push('\n');
        name_shortly(&mut measures, &names);
        text.push_str(&aligned(&measures));
        text.extend(measures::sentence(study).map(|sentence| wrapped(&sentence)));
    }
    match analysis.cross_validation {
        Some(folds) => text.push_str(&wrapped(&format!(
            "mean ± standard deviation over folds; cross-validation: {}",
            folds.in_words()
        ))),
        None if analysis.repeated() => text.push_str("mean ± standard deviation over runs\n"),
        None => {}
    }
    if let Some(sentence) = study.original_sentence() {
        text.push_str(&wrapped(sentence));
    }
    let tested = learning::tested_weights(study);
    for sentence in tested.iter().take(TOLD_AT_THE_HEAD) {
        text.push_str(&wrapped(&one_line(sentence)));
    }
    if tested.len() > TOLD_AT_THE_HEAD {
        text.push_str(&wrapped("report.md tells after which epoch the other models were tested"));
    }
    if study.trained().any(|run| run.specification.audit_selection) {
        for sentence in selection::sentences(&analysis.models).iter().take(TOLD_AT_THE_HEAD) {
            text.push_str(&wrapped(sentence));
        }
    }
    if !warnings.is_empty() {
        text.push('\n');
        text.push_str(&warnings);
    }
    if let Some(words) = target::in_words(study) {
        text.push('\n');
        text.push_str(&wrapped(&format!("target: {words}")));
        for sentence in target::sentences(study) {
            text.push_str(&wrapped(&sentence));
        }
    }
    if analysis.comparisons.len() > TOLD_AT_THE_HEAD {
        text.push('\n');
        text.push_str(&wrapped(&best_of_many(study)));
        text.push_str(&wrapped("report.md and report.html list every pair"));
    } else {
        if analysis.comparisons.is_empty() {
            for (sentence, _) in verdicts(study) {
                text.push('\n');
                text.push_str(&wrapped(&sentence));
            }
        }
        for comparison in &analysis.comparisons {
            text.push('\n');
            text.push_str(&wrapped(&one_line(&comparison.verdict)));
            text.push_str(&wrapped(&one_line(&in_plain_words(comparison, study))));
        }
    }
    if analysis.models.len() > 2 {
        let places: Vec<String> = analysis
            .ranking
            .iter()
            .map(|rank| format!("{} ({})", one_line(&rank.model), places(rank)))
            .collect();
        text.push('\n');
        text.push_str(&wrapped(&format!("possible ranks: {}", places.join(", "))));
    }
    text
}

/// What fits beside each other: each model by its short name.
fn models(study: &Study, names: &[String]) -> Table {
    use of_models::*;
    let decides = tables::deciding_column(study);
    let columns = [MODEL, PARAMETERS].into_iter().chain(decides.as_deref());
    let columns: Vec<&str> = columns.chain([ACCURACY, LOSS, TRAINING, RUNS]).collect();
    let mut table = tables::known(study, tables::models(study).only(&columns));
    for name in table.columns.iter_mut().filter(|name| *name == LOSS) {
        // Its unit would take the room of the names.
        "test loss".clone_into(name);
    }
    name_shortly(&mut table, names);
    table
}

/// Each model by its short name.
fn name_shortly(table: &mut Table, names: &[String]) {
    for cell in table.rows.iter_mut().filter_map(|row| row.first_mut()) {
        if let Cell::Model(place, name) = cell {
            names[*place].clone_into(name);
        }
    }
}

/// Columns beneath each other. A name that the figures leave no room for stands whole on a line of its own.
fn aligned(table: &Table) -> String {
    let width = |text: &str| text.chars().count();
    let mut rows: Vec<Vec<String>> = vec![table.columns.clone()];
    rows.extend(table.rows.iter().map(|row| row.iter().map(|cell| cell.text().to_owned()).collect()));
    let widest = |column: usize| rows.iter().map(|row| width(&row[column])).max().unwrap_or(0);
    let widths: Vec<usize> = (0..table.columns.len()).map(widest).collect();
    let figures: usize = widths[1..].iter().map(|width| width + GAP).sum();
    let room = COLUMNS.saturating_sub(figures).max(width(&rows[0][0]));
    let fitting = rows.iter().map(|row| width(&row[0])).filter(|width| *width <= room);
    let names = fitting.max().unwrap_or(0);
    let mut text = String::new();
    for row in &rows {
        let mut line = row[0].clone();
        if width(&line) > room {
            text.extend(line.chars().take(WIDEST_TABLE));
            text.push('\n');
            line.clear();
        }
        line.extend(std::iter::repeat_n(' ', names - width(&line)));
        for (cell, column) in row.iter().zip(&widths).skip(1) {
            line.extend(std::iter::repeat_n(' ', GAP + column - width(cell)));
            line.push_str(cell);
        }
        text.extend(line.chars().take(WIDEST_TABLE));
        text.push('\n');
    }
    text
}

/// Lines of at most [`COLUMNS`], broken between words, a word only where it alone is longer.
pub(crate) fn wrapped(sentence: &str) -> String {
    let mut text = String::new();
    let mut used = 0;
    // A number stays with its per cent sign.
    let mut words: Vec<String> = Vec::new();
    for word in sentence.split_whitespace() {
        match words.last_mut().filter(|_| word.starts_with('%')) {
            Some(number) => number.push_str(&format!(" {word}")),
            None => words.push(word.to_owned()),
        }
    }
    for word in words {
        let letters: Vec<char> = word.chars().collect();
        for (index, part) in letters.chunks(COLUMNS).enumerate() {
            let space = usize::from(used > 0 && index == 0);
            if used + space + part.len() > COLUMNS {
                text.push('\n');
                used = 0;
            } else if space == 1 {
                text.push(' ');
                used += 1;
            }
            text.extend(part);
            used += part.len();
        }
    }
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{Given, comparison, record, records};
    use records::record::Protocol;

    #[test]
    fn the_table_is_aligned() {
        let records =
            records(&[("cnn", 0.012), ("a-model-with-a-name-far-too-long-for-a-table", 0.03)], 3, 5);
        let comparisons = [comparison("cnn", "lstm", 0.0083)];
        let text = terminal(
            &Given {
                records: &records,
                comparisons: &comparisons,
                notes: &[],
                images: None,
                ..Given::default()
            }
            .study(),
        );
        insta::assert_snapshot!(text, @r"
        model  parameters  test accuracy (%)        test loss  training (s)  runs
        cnn         4,000       99.43 ± 0.12  0.0116 ± 0.0006    40.4 ± 0.3     3
        a-model-with-a-name-far-too-long-for-a-table
                   45,000       99.03 ± 0.06  0.0299 ± 0.0013    40.4 ± 0.8     3
        mean ± standard deviation over runs

        cnn beats lstm by 0.83 points of test accuracy [0.63, 1.03] at 95 %, 3 paired
        runs.
        Trained again with other seeds and tested on other images, cnn would be expected
        to beat lstm by 0.63 to 1.03 points, at 95 % confidence.
        ");
    }

    #[test]
    fn the_original_protocol_is_named() {
        let records = [record("cnn", 1, 2, 0.05, Protocol::Original)];
        let text = terminal(
            &Given { records: &records, comparisons: &[], notes: &[], images: None, ..Given::default() }
                .study(),
        );
        insta::assert_snapshot!(text, @r"
        model  parameters  test accuracy (%)  test loss  training (s)  runs
        cnn         4,000              96.40     0.0960          16.0     1
        Original protocol: the validation set is the test set, so validation figures are
        test figures.

        cnn reaches 96.40 % test accuracy [95.06, 97.39] at 95 %, 1 run; the interval
        allows for other test images, not for other seeds.
        ");
    }

    #[test]
    fn long_names_stand_whole_and_the_table_within_the_terminal() {
        let long = ["a-network-of-one-size-and-depth", "a-network-of-one-size-and-width"];
        let records = records(&[(long[0], 0.012), (long[1], 0.03)], 3, 5);
        let text = terminal(&Given { records: &records, ..Given::default() }.study());
        assert!(long.iter().all(|name| text.contains(name)), "{text}");
        assert!(text.lines().all(|line| line.chars().count() <= COLUMNS), "{text}");
    }

    #[test]
    fn long_sentences_are_wrapped_between_words() {
        let text = wrapped(&format!("{} {} end", "word ".repeat(30), "x".repeat(250)));
        assert!(text.lines().all(|line| line.chars().count() <= COLUMNS), "{text}");
        assert_eq!(text.split_whitespace().filter(|word| *word == "word").count(), 30);
        assert_eq!(text.matches('x').count(), 250);
        assert!(text.ends_with("x end\n"), "{text}");
        let text = wrapped(&format!("{} at 95 %, 3 runs", "x".repeat(COLUMNS - 6)));
        assert!(text.contains("at\n95 %, 3 runs"), "{text}");
    }
}
