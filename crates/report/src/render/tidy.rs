//! Tables for programs: one observation a row, one variable a column, every digit of every figure.
//!
//! Accuracies, precision, recall and levels are fractions, losses nats, times seconds. What is not known is empty.

use crate::{
    Study,
    words::{
        numbers::Spread,
        text::{one_line, spreadsheet},
    },
};
use analysis::{
    Run,
    measures::{Estimate, Measures, value},
    model::Model,
    verdict::{Adjustment, Comparison, Coverage, Outcome},
};
use records::question::Measure;
use serde::Serialize;
use stats::ClassCounts;

/// The files of [`all`], without their ending.
pub(crate) const TABLES: [&str; 6] = ["runs", "epochs", "models", "classes", "confusion", "comparisons"];

/// Each file with its text; `epochs` is at hand.
pub(crate) fn all(study: &Study, epochs: String) -> Vec<(&'static str, String)> {
    let texts = [runs(study), epochs, models(study), classes(study), confusion(study), comparisons(study)];
    TABLES.into_iter().zip(texts).collect()
}

fn table<R: Serialize>(header: &[&str], rows: impl IntoIterator<Item = R>) -> String {
    let mut writer = csv::WriterBuilder::new().has_headers(false).from_writer(Vec::new());
    writer.write_record(header).expect("memory takes every row");
    rows.into_iter().for_each(|row| writer.serialize(row).expect("memory takes every row"));
    let bytes = writer.into_inner().expect("memory takes every row");
    String::from_utf8(bytes).expect("names and figures are text")
}

/// A name in a cell.
fn name(name: &str) -> String {
    spreadsheet(&one_line(name)).into_owned()
}

/// A figure that is known.
fn known(figure: f64) -> Option<f64> {
    Some(figure).filter(|figure| !figure.is_nan())
}

/// Every measure that can decide, and what its column is called.
const MEASURES: [(Measure, &str); 4] = [
    (Measure::Accuracy, "accuracy"),
    (Measure::BalancedAccuracy, "balanced_accuracy"),
    (Measure::MacroF1, "macro_f1"),
    (Measure::LogLoss, "log_loss"),
];

fn runs(study: &Study) -> String {
    let mut rows = Vec::new();
    for run in study.models().iter().flat_map(|model| &model.runs) {
        let record = run.record();
        let of_measure = |(measure, _): (Measure, &str)| known(value(measure, run));
        let [accuracy, balanced_accuracy, macro_f1, log_loss] = MEASURES.map(of_measure);
        let fold = run.fold();
        rows.push((
            (
                name(run.model),
                name(&run.partner.to_string()),
                run.seed(),
                fold.map(|fold| fold.repeat),
                fold.map(|fold| fold.fold),
                "finished",
                None,
            ),
            (run.test.labels.len(), accuracy, balanced_accuracy, macro_f1, log_loss),
            (run.train_seconds, run.evaluate_seconds, run.total_seconds),
            (run.parameters, run.multiply_adds),
            match (record, run.imported()) {
                (Some(record), _) => (name(&record.id), "trained here".to_owned()),
                (None, imported) => {
                    imported.map_or_else(Default::default, |run| (name(&run.id), name(&run.source)))
                }
            },
        ));
    }
    for run in study.analysis.failed {
        let fold = run.specification.fold;
        rows.push((
            (
                name(&run.specification.model),
                run.specification.seed.to_string(),
                Some(run.specification.seed),
                fold.map(|fold| fold.repeat),
                fold.map(|fold| fold.fold),
                "diverged",
                Some(run.epoch),
            ),
            (0, None, None, None, None),
            (None, None, None),
            (None, None),
            (name(&run.id), "trained here".to_owned()),
        ));
    }
    let header = [
        "model",
        "run",
        "seed",
        "repeat",
        "fold",
        "status",
        "diverged_in_epoch",
        "test_images",
        "accuracy",
        "balanced_accuracy",
        "macro_f1",
        "log_loss",
        "train_seconds",
        "evaluate_seconds",
        "total_seconds",
        "parameters",
        "multiply_adds",
        "id",
        "source",
    ];
    table(&header, rows)
}

/// A figure of a model over its runs.
struct Figure {
    name: &'static str,
    estimate: Option<Estimate>,
}

fn models(study: &Study) -> String {
    let of_model = |model: &Model| {
        let alone = |spread: Option<Spread>| {
            spread.map(|spread| Estimate { spread, interval: None, confidence: None })
        };
        let measured = |of: fn(&Measures) -> Option<Estimate>| model.measures.as_ref().and_then(of);
        let figures = [
            Figure { name: "accuracy", estimate: alone(model.accuracy) },
            Figure { name: "log_loss", estimate: alone(model.loss) },
            Figure { name: "balanced_accuracy", estimate: measured(|of| of.balanced_accuracy) },
            Figure { name: "macro_f1", estimate: measured(|of| of.macro_f1) },
            Figure { name: "macro_auc", estimate: measured(|of| of.macro_auc) },
            Figure { name: "kappa", estimate: measured(|of| of.kappa) },
            Figure { name: "train_seconds", estimate: alone(model.train_seconds) },
            Figure { name: "evaluate_seconds", estimate: alone(model.evaluate_seconds) },
            Figure { name: "total_seconds", estimate: alone(model.total_seconds) },
        ];
        let (model_name, runs, diverged) = (name(model.name), model.runs.len(), model.diverged);
        figures.into_iter().filter_map(move |Figure { name, estimate }| {
            let Estimate { spread, interval, confidence } = estimate?;
            let [lower, upper] = interval.map_or([None; 2], |ends| ends.map(Some));
            Some((
                model_name.clone(),
                name,
                runs,
                diverged,
                spread.mean,
                spread.deviation,
                lower,
                upper,
                confidence,
            ))
        })
    };
    let header =
        ["model", "measure", "runs", "diverged", "mean", "standard_deviation", "lower", "upper", "level"];
    table(&header, study.models().iter().flat_map(of_model))
}

/// The runs with the counts of their answers, where these are to their own labels.
fn counted<'b, 'a: 'b>(study: &'b Study<'a>) -> impl Iterator<Item = (&'b Run<'a>, ClassCounts)> {
    study.models().iter().flat_map(|model| &model.runs).filter_map(|run| {
        Some((run, ClassCounts::of(&run.test.labels, &run.test.predictions, run.data.classes).ok()?))
    })
}

fn classes(study: &Study) -> String {
    let rows = counted(study).flat_map(|(run, counts)| {
        (0..counts.classes()).map(move |class| {
            (
                name(run.model),
                name(&run.partner.to_string()),
                class,
                name(&study.class(class)),
                counts.images(class),
                counts.precision(class),
                counts.recall(class),
                counts.f1(class),
            )
        })
    });
    table(&["model", "run", "class", "class_name", "test_images", "precision", "recall", "f1"], rows)
}

fn confusion(study: &Study) -> String {
    let mut rows = Vec::new();
    for (run, counts) in counted(study) {
        let classes = counts.classes();
        let mut images = vec![0u64; classes * classes];
        for (label, given) in run.test.labels.iter().zip(&run.test.predictions) {
            images[usize::from(*label) * classes + usize::from(*given)] += 1;
        }
        let cells = images.into_iter().enumerate().filter(|(_, images)| *images > 0);
        rows.extend(cells.map(|(cell, images)| {
            let (label, given) = (cell / classes, cell % classes);
            let (model, partner) = (name(run.model), name(&run.partner.to_string()));
            (model, partner, label, name(&study.class(label)), given, name(&study.class(given)), images)
        }));
    }
    table(&["model", "run", "label", "label_name", "prediction", "prediction_name", "test_images"], rows)
}

/// What one method says of a pair of models.
#[derive(Default, Serialize)]
struct Said {
    model_a: String,
    model_b: String,
    quantity: &'static str,
    method: &'static str,
    decides: bool,
    run: Option<String>,
    paired_runs: usize,
    runs_a: Option<usize>,
    runs_b: Option<usize>,
    estimate: Option<f64>,
    lower: Option<f64>,
    upper: Option<f64>,
    level: Option<f64>,
    covers: Option<&'static str>,
    p_value: Option<f64>,
    p_adjustment: Option<&'static str>,
    comparisons: Option<usize>,
    standard_error_runs: Option<f64>,
    standard_error_images: Option<f64>,
    equivalence_margin: Option<f64>,
    outcome: Option<&'static str>,
    further_runs: Option<u64>,
}

const COMPARED: [&str; 22] = [
    "model_a",
    "model_b",
    "quantity",
    "method",
    "decides",
    "run",
    "paired_runs",
    "runs_a",
    "runs_b",
    "estimate",
    "lower",
    "upper",
    "level",
    "covers",
    "p_value",
    "p_adjustment",
    "comparisons",
    "standard_error_runs",
    "standard_error_images",
    "equivalence_margin",
    "outcome",
    "further_runs",
];

fn comparisons(study: &Study) -> String {
    let all = &study.analysis.comparisons;
    let times = all.iter().filter_map(|one| one.training_time.as_ref()?.p_value).count();
    table(&COMPARED, all.iter().flat_map(|comparison| said(comparison, times)))
}

/// `times` is how many tests of training times there are.
fn said(comparison: &Comparison, times: usize) -> Vec<Said> {
    let of_pair = |quantity, method| Said {
        model_a: name(&comparison.a),
        model_b: name(&comparison.b),
        quantity,
        method,
        paired_runs: comparison.runs,
        runs_a: comparison.unpaired_runs.map(|[of_a, _]| of_a),
        runs_b: comparison.unpaired_runs.map(|[_, of_b]| of_b),
        ..Said::default()
    };
    let between =
        |said: Said, [lower, upper]: [f64; 2]| Said { lower: Some(lower), upper: Some(upper), ..said };
    let quantity =
        MEASURES.iter().find(|(measure, _)| *measure == comparison.measure).map_or("", |(_, name)| name);
    let adjusted = |adjustment: Adjustment| match adjustment {
        Adjustment::None => "none",
        Adjustment::Holm => "holm",
    };
    let deciding = match (comparison.interval_covers, comparison.unpaired_runs) {
        (Coverage::Folds, _) => "corrected-resampled-t",
        (_, Some(_)) => "unpaired",
        (_, None) => "crossed",
    };
    let mut all = vec![between(
        Said {
            decides: true,
            estimate: Some(comparison.difference),
            level: Some(comparison.confidence),
            covers: Some(match comparison.interval_covers {
                Coverage::Images => "images",
                Coverage::RunsAndImages => "runs-and-images",
                Coverage::Folds => "folds",
            }),
            p_value: Some(comparison.p_value),
            p_adjustment: Some(adjusted(comparison.p_adjustment)),
            comparisons: Some(comparison.corrected_for),
            standard_error_runs: comparison.seed_standard_error,
            standard_error_images: comparison.image_standard_error,
            equivalence_margin: Some(comparison.equivalence_margin),
            outcome: Some(match comparison.outcome {
                Outcome::ABetter => "a-better",
                Outcome::BBetter => "b-better",
                Outcome::PracticallyEqual => "practically-equal",
                Outcome::CannotTell => "cannot-tell",
            }),
            further_runs: comparison.further_runs,
            ..of_pair(quantity, deciding)
        },
        comparison.interval,
    )];
    if let Some(interval) = comparison.bootstrap_interval {
        let (estimate, level) = (Some(comparison.difference), comparison.bootstrap_confidence);
        all.push(between(Said { estimate, level, ..of_pair(quantity, "two-way-bootstrap") }, interval));
    }
    if let Some(test) = comparison.paired_t {
        let (estimate, p_value, p_adjustment) =
            (Some(comparison.difference), Some(test.p_value), Some(adjusted(test.p_adjustment)));
        let level = Some(test.confidence);
        let said = Said { estimate, level, p_value, p_adjustment, ..of_pair(quantity, "paired-t") };
        all.push(between(said, test.interval));
    }
    if let Some(ahead) = comparison.outperforming {
        let (estimate, level) = (Some(ahead.probability), Some(ahead.confidence));
        let said = Said { estimate, level, ..of_pair("probability_of_outperforming", "bootstrap-of-pairs") };
        all.push(between(said, ahead.interval));
    }
    for (place, p_value) in comparison.mcnemar_p_values.iter().enumerate() {
        all.push(Said {
            run: Some((place + 1).to_string()),
            p_value: Some(*p_value),
            p_adjustment: Some(adjusted(comparison.mcnemar_p_adjustment)),
            ..of_pair(quantity, "mcnemar-exact")
        });
    }
    if let Some(time) = &comparison.training_time {
        let said = Said {
            paired_runs: time.runs,
            estimate: Some(time.ratio),
            level: time.interval.map(|_| time.confidence),
            p_value: time.p_value,
            p_adjustment: time.p_value.map(|_| adjusted(time.p_adjustment)),
            comparisons: time.p_value.map(|_| times),
            ..of_pair("training_time_ratio", "t-of-logarithms")
        };
        all.push(match time.interval {
            Some(interval) => between(said, interval),
            None => said,
        });
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{judged, records};
    use std::collections::BTreeMap;

    fn read(text: &str) -> Vec<BTreeMap<String, String>> {
        csv::Reader::from_reader(text.as_bytes())
            .deserialize()
            .collect::<Result<_, _>>()
            .expect("rows of the header's shape")
    }

    /// Every figure that the analysis has of a pair stands in some row, to the last digit.
    #[test]
    fn pairs_read_back_as_they_were_judged() {
        let records = records(&[("cnn", 0.03), ("lstm, \"b\"", 0.12), ("mlp", 0.08)], 4, 2);
        let study = judged(&records, &[]);
        let rows = read(&comparisons(&study));
        let number = |row: &BTreeMap<String, String>, column: &str| row[column].parse::<f64>().ok();
        for comparison in &study.analysis.comparisons {
            let of_pair = |method: &str| {
                rows.iter()
                    .filter(|row| {
                        (&row["model_a"], &row["model_b"]) == (&comparison.a, &comparison.b)
                            && row["method"] == method
                    })
                    .collect::<Vec<_>>()
            };
            let [deciding] = of_pair("crossed")[..] else { panic!("{rows:?}") };
            for (column, expected) in [
                ("estimate", comparison.difference),
                ("lower", comparison.interval[0]),
                ("upper", comparison.interval[1]),
                ("level", comparison.confidence),
                ("p_value", comparison.p_value),
                ("comparisons", 3.0),
            ] {
                assert_eq!(number(deciding, column), Some(expected), "{column}");
            }
            assert_eq!((deciding["decides"].as_str(), deciding["p_adjustment"].as_str()), ("true", "holm"));
            let [student] = of_pair("paired-t")[..] else { panic!("{rows:?}") };
            assert_eq!(number(student, "p_value"), comparison.paired_t.map(|test| test.p_value));
            assert_eq!(of_pair("mcnemar-exact").len(), 4);
            assert_eq!(of_pair("t-of-logarithms").len(), 1);
        }
        // No interval without its level, no p without its adjustment.
        for row in &rows {
            assert_eq!(row["lower"].is_empty(), row["level"].is_empty(), "{row:?}");
            assert_eq!(row["p_value"].is_empty(), row["p_adjustment"].is_empty(), "{row:?}");
        }
    }

    #[test]
    fn counts_add_up() {
        let records = records(&[("cnn", 0.03), ("lstm", 0.12)], 2, 2);
        let failed = [crate::fixture::failed("cnn", 9, 2)];
        let study = judged(&records, &failed);
        let sum = |text: &str| {
            read(text).iter().map(|row| row["test_images"].parse::<u64>().expect("a count")).sum::<u64>()
        };
        assert_eq!((sum(&confusion(&study)), sum(&classes(&study)), sum(&runs(&study))), (4000, 4000, 4000));
        let runs = read(&runs(&study));
        assert_eq!(runs.len(), 5);
        assert_eq!((runs[4]["status"].as_str(), runs[4]["diverged_in_epoch"].as_str()), ("diverged", "2"));
        let accuracy: f64 = runs[0]["accuracy"].parse().expect("a figure");
        assert_eq!(accuracy, records[0].test.accuracy);
    }
}
