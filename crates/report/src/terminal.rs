//! The result as plain text for a terminal.

use analysis::verdict::ranking;

use crate::{
    Study, learning,
    markdown::{TOLD_AT_THE_HEAD, best_of_many, places},
    names::ShortNames,
    numbers::{MISSING, loss, percent, shown, shown_seconds, thousands},
    plain::in_plain_words,
    selection, target,
    text::one_line,
};

const COLUMNS: usize = 80;
const GAP: usize = 2;
/// A longer name is cut: the figures beside it matter more.
/// A table is wider than [`COLUMNS`] where its figures need it: none is cut but those that nothing real has.
const WIDEST_TABLE: usize = 132;
const LONGEST_NAME: usize = 32;
const SHORTEST_NAME: usize = 8;

/// A table of the models and the verdicts, without colours: at most 80 columns wide, a table more where its figures need it.
pub fn terminal(study: &Study) -> String {
    let models = study.models();
    let mut warnings = String::new();
    for warning in study.sanity() {
        warnings.push_str(&wrapped(&one_line(&format!("warning: {warning}"))));
    }
    if models.is_empty() {
        return format!("No run has finished.\n{warnings}");
    }
    let header = ["model", "parameters", "test accuracy (%)", "test loss", "training (s)", "runs"];
    let mut rows = vec![header.map(str::to_owned)];
    let ShortNames { names, note } = ShortNames::of(&models);
    for (model, name) in models.iter().zip(names) {
        rows.push([
            name,
            thousands(model.parameters() as u64),
            shown(&model.figures(|run| run.test.accuracy), percent),
            shown(&model.figures(|run| run.test.loss), loss),
            shown_seconds(&model.seconds(|run| run.train_seconds)),
            study.run_count(model.name, model.runs.len()),
        ]);
    }
    for (name, _) in study.lost() {
        let cells = [MISSING, "diverged", "diverged", MISSING].map(str::to_owned);
        let [parameters, accuracy, loss, time] = cells;
        rows.push([one_line(name), parameters, accuracy, loss, time, study.run_count(name, 0)]);
    }
    let mut text = aligned(&mut rows);
    if let Some(note) = note {
        text.push_str(&wrapped(&note));
    }
    if study.repeated() {
        text.push_str("mean ± standard deviation over runs\n");
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
    if study.records.iter().any(|run| run.specification.audit_selection) {
        for sentence in selection::sentences(&models).iter().take(TOLD_AT_THE_HEAD) {
            text.push_str(&wrapped(&one_line(&sentence.replace('\\', ""))));
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
            text.push_str(&wrapped(&one_line(&sentence.replace('\\', ""))));
        }
    }
    if study.comparisons.len() > TOLD_AT_THE_HEAD {
        text.push('\n');
        text.push_str(&wrapped(&one_line(&best_of_many(study))));
        text.push_str(&wrapped("report.md and report.html list every pair"));
    } else {
        for comparison in study.comparisons {
            text.push('\n');
            text.push_str(&wrapped(&one_line(&comparison.verdict)));
            text.push_str(&wrapped(&one_line(&in_plain_words(comparison))));
        }
    }
    if models.len() > 2 {
        let ranks = ranking(study.records, study.comparisons);
        let places: Vec<String> =
            ranks.iter().map(|rank| format!("{} ({})", one_line(&rank.model), places(rank))).collect();
        text.push('\n');
        text.push_str(&wrapped(&format!("possible ranks: {}", places.join(", "))));
    }
    text
}

fn aligned<const N: usize>(rows: &mut [[String; N]]) -> String {
    let width = |text: &str| text.chars().count();
    let widest =
        |rows: &[[String; N]], column: usize| rows.iter().map(|row| width(&row[column])).max().unwrap_or(0);
    let figures: usize = (1..N).map(|column| widest(rows, column) + GAP).sum();
    let room = COLUMNS.saturating_sub(figures).clamp(SHORTEST_NAME, LONGEST_NAME);
    for row in rows.iter_mut() {
        if width(&row[0]) > room {
            row[0] = row[0].chars().take(room - 1).chain(['…']).collect();
        }
    }
    let mut text = String::new();
    for row in &*rows {
        let mut line = row[0].clone();
        let name = widest(rows, 0);
        line.extend(std::iter::repeat_n(' ', name - width(&row[0])));
        for (column, cell) in row.iter().enumerate().skip(1) {
            line.extend(std::iter::repeat_n(' ', GAP + widest(rows, column) - width(cell)));
            line.push_str(cell);
        }
        text.extend(line.chars().take(WIDEST_TABLE));
        text.push('\n');
    }
    text
}

/// Lines of at most [`COLUMNS`], broken between words, a word only where it alone is longer.
fn wrapped(sentence: &str) -> String {
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
    use crate::fixture::{comparison, record, records};
    use records::record::Protocol;

    #[test]
    fn the_table_is_aligned() {
        let records =
            records(&[("cnn", 0.012), ("a-model-with-a-name-far-too-long-for-a-table", 0.03)], 3, 5);
        let comparisons = [comparison("cnn", "lstm", 0.0083)];
        let text = terminal(&Study {
            records: &records,
            comparisons: &comparisons,
            notes: &[],
            images: None,
            ..Study::default()
        });
        insta::assert_snapshot!(text, @r"
        model         parameters  test accuracy (%)        test loss  training (s)  runs
        cnn                4,000       99.43 ± 0.12  0.0116 ± 0.0006    40.4 ± 0.3     3
        a-model-wit…      45,000       99.03 ± 0.06  0.0299 ± 0.0013    40.4 ± 0.8     3
        mean ± standard deviation over runs

        cnn beats lstm by 0.83 points of test accuracy [0.63, 1.03] at 95 %, 3 paired
        runs.
        Trained again with other seeds and tested on other images, cnn would be expected
        to beat lstm by 0.63 to 1.03 points.
        ");
    }

    #[test]
    fn the_original_protocol_is_named() {
        let records = [record("cnn", 1, 2, 0.05, Protocol::Original)];
        let text = terminal(&Study {
            records: &records,
            comparisons: &[],
            notes: &[],
            images: None,
            ..Study::default()
        });
        insta::assert_snapshot!(text, @r"
        model  parameters  test accuracy (%)  test loss  training (s)  runs
        cnn         4,000              96.40     0.0960          16.0     1
        Original protocol: the validation set is the test set, so validation figures are
        test figures.
        ");
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
