//! The tables of a report, as data.

use analysis::{
    Run,
    confusion::Confusion,
    measures::{ClassMeasures, Estimate, Measures},
    model::Model,
    ranking::Rank,
    verdict::{Adjustment, Comparison, Outcome},
};
use records::{question::Measure, record::Fold};

use crate::{
    Study,
    charts::{
        chart::{Chart, Quantity},
        figures::counted_over,
    },
    document::{Cell, Table},
    run_count,
    words::{
        learning::tested_of_all,
        names::ShortNames,
        numbers::{
            MISSING, average, confidence, difference_of, fixed, loss, margin_of, percent, probability,
            runs_of, seconds, shown, shown_seconds, signed_of, thousands, value_of, value_unit,
        },
        text::one_line,
    },
};

fn columns(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

pub(crate) fn figure(text: impl Into<String>) -> Cell {
    Cell::Figure(text.into())
}

pub(crate) fn words(text: impl Into<String>) -> Cell {
    Cell::Words(text.into())
}

fn missing() -> Cell {
    figure(MISSING)
}

fn count(count: Option<u64>) -> Cell {
    figure(count.map_or_else(|| MISSING.to_owned(), thousands))
}

/// A model by its place in the study.
pub(crate) fn model(study: &Study, place: usize) -> Cell {
    Cell::Model(place, one_line(study.models()[place].name))
}

/// The models and their places, the best by the measure that decides first; those without a finite value of it last.
fn best_first<'b, 'a>(study: &'b Study<'a>) -> Vec<(usize, &'b Model<'a>)> {
    let measure = study.analysis.decided_by;
    let sign = if measure.larger_is_better() { 1.0 } else { -1.0 };
    let mut models: Vec<(usize, &Model)> = study.models().iter().enumerate().collect();
    let value = |model: &Model| model.value(measure).map_or(f64::NEG_INFINITY, |value| sign * value.mean);
    models.sort_by(|(_, one), (_, other)| value(other).total_cmp(&value(one)));
    models
}

/// The measure that decides, where it has no column of its own in every table of models.
fn another_measure(study: &Study) -> Option<Measure> {
    let measure = study.analysis.decided_by;
    (![Measure::Accuracy, Measure::LogLoss].contains(&measure)).then_some(measure)
}

/// The column of the measure that decides, where the table of [`models`] has one beside accuracy and loss.
pub(crate) fn deciding_column(study: &Study) -> Option<String> {
    another_measure(study).map(heading)
}

/// The heading of a measure's column.
fn heading(measure: Measure) -> String {
    format!("{} ({})", measure.in_words(), value_unit(measure))
}

/// What the spreads of a table are.
pub(crate) fn spreads(study: &Study) -> String {
    match (study.analysis.repeated(), study.analysis.cross_validation) {
        (true, Some(folds)) => format!("Mean ± standard deviation over the folds ({})", folds.in_words()),
        (true, None) => "Mean ± standard deviation over the runs".to_owned(),
        (false, _) => "One run of each model".to_owned(),
    }
}

/// Columns of the table of models.
pub(crate) mod of_models {
    pub(crate) const MODEL: &str = "model";
    pub(crate) const RUNS: &str = "runs";
    pub(crate) const ACCURACY: &str = "test accuracy (%)";
    pub(crate) const LOSS: &str = "test loss (nats)";
    pub(crate) const TRAINING: &str = "training (s)";
    pub(crate) const EPOCH: &str = "per epoch (s)";
    pub(crate) const PARAMETERS: &str = "parameters";
    pub(crate) const MULTIPLY_ADDS: &str = "multiply-adds per image";
}

/// What each model reaches and costs, the best first.
pub(crate) fn models(study: &Study) -> Table {
    use of_models::*;
    let measure = another_measure(study);
    let mut rows: Vec<Vec<Cell>> = best_first(study)
        .into_iter()
        .map(|(place, of)| {
            let decides = measure.map(|measure| figure(shown(of.value(measure), value_of(measure))));
            let rest = [
                figure(shown(of.accuracy, percent)),
                figure(shown(of.loss, loss)),
                figure(shown_seconds(of.train_seconds)),
                figure(shown_seconds(of.epoch_seconds)),
                count(of.parameters),
                count(of.multiply_adds),
                figure(run_count(of.runs.len(), of.diverged)),
            ];
            std::iter::once(model(study, place)).chain(decides).chain(rest).collect()
        })
        .collect();
    for lost in &study.analysis.lost {
        let mut row = vec![words(one_line(lost.name))];
        row.extend((0..2 + measure.iter().count()).map(|_| figure("diverged")));
        row.extend((0..4).map(|_| missing()));
        row.push(figure(run_count(0, lost.diverged)));
        rows.push(row);
    }
    let mut columns = columns(&[MODEL, ACCURACY, LOSS, TRAINING, EPOCH, PARAMETERS, MULTIPLY_ADDS, RUNS]);
    columns.splice(1..1, deciding_column(study));
    Table { caption: spreads(study), columns, rows }
}

/// A table without what is not known of another program's runs, where there are no others.
pub(crate) fn known(study: &Study, table: Table) -> Table {
    if study.is_imported() { table.without_unknown() } else { table }
}

/// What each model costs, in the order of the models.
pub(crate) fn costs(study: &Study) -> Table {
    let rows = best_first(study).into_iter().map(|(place, of)| {
        vec![
            model(study, place),
            figure(shown(of.accuracy, percent)),
            count(of.parameters),
            count(of.multiply_adds),
            figure(shown_seconds(of.train_seconds)),
            figure(shown_seconds(of.evaluate_seconds)),
            figure(shown_seconds(of.total_seconds)),
        ]
    });
    let columns = columns(&[
        "model",
        "test accuracy (%)",
        "parameters",
        "multiply-adds per image",
        "training (s)",
        "evaluation (s)",
        "total (s)",
    ]);
    Table { caption: "What each model reaches and costs".to_owned(), columns, rows: rows.collect() }
}

/// The places that the decided pairs leave each model.
pub(crate) fn ranking(study: &Study) -> Table {
    let measure = study.analysis.decided_by;
    let place_of = |name: &str| study.models().iter().position(|model| model.name == name).unwrap_or(0);
    let rows = study.analysis.ranking.iter().map(|rank| {
        vec![
            words(places(rank)),
            model(study, place_of(&rank.model)),
            figure(value_of(measure)(rank.value)),
            words(group_letters(&rank.groups)),
        ]
    });
    Table {
        caption: "Possible ranks".to_owned(),
        columns: columns(&["rank", "model", &heading(measure), "groups"]),
        rows: rows.collect(),
    }
}

/// The places that a model may have: `1`, `2–3`.
pub(crate) fn places(rank: &Rank) -> String {
    if rank.best == rank.worst { rank.best.to_string() } else { format!("{}–{}", rank.best, rank.worst) }
}

/// `a`, `b`, … for the groups of a model.
fn group_letters(groups: &[usize]) -> String {
    let letter = |group: &usize| match u8::try_from(*group) {
        Ok(small @ 0..26) => char::from(b'a' + small).to_string(),
        _ => format!("({group})"),
    };
    groups.iter().map(letter).collect::<Vec<_>>().join(" ")
}

/// What the letters of [`ranking`] say.
pub(crate) const GROUPS: &str = "Two models share a letter if and only if these runs do not tell them apart or find them practically equal.";

/// What a pair is called: `cnn − lstm`.
fn pair(comparison: &Comparison) -> Cell {
    words(format!("{} − {}", one_line(&comparison.a), one_line(&comparison.b)))
}

/// The heading of a column of p-values that are adjusted alike.
fn p_heading(adjustment: Option<Adjustment>) -> &'static str {
    if adjustment == Some(Adjustment::Holm) { "p (Holm)" } else { "p (unadjusted)" }
}

/// The value of p, below a thousandth as `< 0.001`.
fn p_value(value: f64) -> Cell {
    figure(probability(value).trim_start_matches("= "))
}

/// Each pair: its difference, the interval that decides, and what that decides.
pub(crate) fn comparisons(study: &Study) -> Table {
    let measure = study.analysis.decided_by;
    let rows = study.analysis.comparisons.iter().map(|comparison| {
        let [difference, interval] = difference_of(comparison);
        vec![
            pair(comparison),
            figure(difference),
            figure(interval),
            figure(confidence(comparison.confidence)),
            p_value(comparison.p_value),
            figure(
                comparison.unpaired_runs.map_or_else(|| comparison.runs.to_string(), |_| runs_of(comparison)),
            ),
            words(outcome(comparison)),
        ]
    });
    let difference = format!("difference ({})", measure.unit());
    Table {
        caption: format!("Difference of mean {}, with the interval that decides", measure.in_words()),
        columns: columns(&[
            "pair",
            &difference,
            "interval",
            "level",
            p_heading(study.analysis.comparisons.first().map(|of| of.p_adjustment)),
            "paired runs",
            "outcome",
        ]),
        rows: rows.collect(),
    }
}

/// What other methods say of each pair, none of which decides.
pub(crate) fn tests(study: &Study) -> Table {
    let measure = study.analysis.decided_by;
    let rows = study.analysis.comparisons.iter().map(|comparison| {
        let interval =
            |interval: Option<[f64; 2]>| interval.map_or_else(missing, |of| figure(ends(measure, of)));
        let mcnemar: Vec<String> = comparison
            .mcnemar_p_values
            .iter()
            .map(|value| probability(*value).trim_start_matches("= ").to_owned())
            .collect();
        let ahead = comparison.outperforming.map_or_else(missing, |ahead| {
            let [of, lower, upper] =
                [ahead.probability, ahead.interval[0], ahead.interval[1]].map(|part| fixed(part, 2));
            figure(format!("{of} [{lower}, {upper}]"))
        });
        vec![
            pair(comparison),
            interval(comparison.bootstrap_interval),
            interval(comparison.paired_t.map(|test| test.interval)),
            comparison.paired_t.map_or_else(missing, |test| p_value(test.p_value)),
            ahead,
            if mcnemar.is_empty() { missing() } else { figure(mcnemar.join(", ")) },
        ]
    });
    Table {
        caption: format!(
            "Differences of {} ({}) by methods without a part in the decision",
            measure.in_words(),
            measure.unit()
        ),
        columns: columns(&[
            "pair",
            "two-way bootstrap at 95 %",
            "Student's t over runs at 95 %",
            "p (Student, unadjusted)",
            "P(first ahead) at 95 %",
            "p (McNemar, each pair of runs, unadjusted)",
        ]),
        rows: rows.collect(),
    }
    .without_unknown()
}

/// How the training times of each pair compare; none where no clocks can be compared.
pub(crate) fn training_times(study: &Study) -> Option<Table> {
    let compared =
        || study.analysis.comparisons.iter().filter_map(|of| Some((of, of.training_time.as_ref()?)));
    compared().next()?;
    let rows = compared().map(|(comparison, time)| {
        let interval = time.interval.map_or_else(missing, |ends| {
            let [lower, upper] = ends.map(|end| fixed(end, 2));
            figure(format!("[{lower}, {upper}]"))
        });
        vec![
            pair(comparison),
            figure(fixed(time.ratio, 2)),
            interval,
            time.interval.map_or_else(missing, |_| figure(confidence(time.confidence))),
            time.p_value.map_or_else(missing, p_value),
            figure(time.runs.to_string()),
        ]
    });
    Some(Table {
        caption: "Training time of the first of a pair over that of the second, on one kind of machine"
            .to_owned(),
        columns: columns(&[
            "pair",
            "ratio",
            "interval",
            "level",
            p_heading(compared().next().map(|(_, time)| time.p_adjustment)),
            "pairs of runs",
        ]),
        rows: rows.collect(),
    })
}

/// An interval of a difference in the measure's unit.
pub(crate) fn ends(measure: Measure, [lower, upper]: [f64; 2]) -> String {
    let shown = |end| signed_of(measure, end, measure.decimals());
    format!("[{}, {}]", shown(lower), shown(upper))
}

/// What a comparison decides.
pub(crate) fn outcome(comparison: &Comparison) -> String {
    match comparison.outcome {
        Outcome::ABetter => format!("{} is better", one_line(&comparison.a)),
        Outcome::BBetter => format!("{} is better", one_line(&comparison.b)),
        Outcome::PracticallyEqual => {
            format!(
                "practically equal: within ±{}",
                margin_of(comparison.measure, comparison.equivalence_margin)
            )
        }
        Outcome::CannotTell => "cannot tell".to_owned(),
    }
}

/// The column of the folds of a cross-validation.
pub(crate) const FOLD: &str = "fold of repetition";

/// Every run, by model and seed, then those that diverged.
pub(crate) fn runs(study: &Study) -> Table {
    let has_folds = study.analysis.cross_validation.is_some();
    let fold = |fold: Option<Fold>| {
        let told = fold.map_or(MISSING.to_owned(), |fold| format!("{} of {}", fold.fold, fold.repeat));
        has_folds.then(|| figure(told))
    };
    let clock = |time: Option<f64>| figure(time.map_or_else(|| MISSING.to_owned(), seconds));
    let of_model = |(place, of): (usize, &Model)| -> Vec<Vec<Cell>> {
        let row = |run: &Run| {
            let called =
                run.seed().map_or_else(|| one_line(&run.partner.to_string()), |seed| seed.to_string());
            let first = [model(study, place), figure(called)];
            let known = |text: Option<String>| text.unwrap_or_else(|| MISSING.to_owned());
            let record = run.record();
            let rest = [
                figure(known(tested_of_all(run))),
                figure(percent(run.test.accuracy)),
                figure(known(
                    Some(run.test.loss).filter(|_| record.is_some() || !run.test.loss.is_nan()).map(loss),
                )),
                clock(run.train_seconds),
                clock(run.total_seconds),
                figure(known(record.map(|record| record.test_reads.to_string()))),
                Cell::Code(known(record.map(|record| record.fingerprint.chars().take(16).collect()))),
                Cell::Code(one_line(
                    record.map_or_else(|| run.imported().map_or("", |run| &run.source), |record| &record.id),
                )),
            ];
            first.into_iter().chain(fold(run.fold())).chain(rest).collect()
        };
        of.runs.iter().map(row).collect()
    };
    let mut rows: Vec<Vec<Cell>> = study.models().iter().enumerate().flat_map(of_model).collect();
    for run in study.analysis.failed {
        let mut row =
            vec![words(one_line(&run.specification.model)), figure(run.specification.seed.to_string())];
        row.extend(fold(run.specification.fold));
        row.push(figure(format!("diverged in epoch {}", run.epoch)));
        row.extend((0..5).map(|_| missing()));
        row.extend([Cell::Code(MISSING.to_owned()), Cell::Code(one_line(&run.id))]);
        rows.push(row);
    }
    let mut columns = columns(&[
        "model",
        "seed",
        "tested after epoch",
        "test accuracy (%)",
        "test loss (nats)",
        "training (s)",
        "total (s)",
        "reads of the test images",
        "fingerprint",
        "record",
    ]);
    columns.splice(2..2, has_folds.then(|| FOLD.to_owned()));
    Table {
        caption: "A fingerprint is the beginning of the SHA-256 of the final weights".to_owned(),
        columns,
        rows,
    }
}

/// [`runs`] without what is looked up in the records.
pub(crate) fn runs_in_short(study: &Study) -> Table {
    let fold = study.analysis.cross_validation.map(|_| FOLD);
    let columns = ["model", "seed"].into_iter().chain(fold).chain([
        "tested after epoch",
        "test accuracy (%)",
        "test loss (nats)",
        "training (s)",
        "total (s)",
        "fingerprint",
    ]);
    runs(study).only(&columns.collect::<Vec<_>>())
}

/// Measures beside accuracy; none where accuracy says what matters: the classes have about as many test images, and it decides.
pub(crate) fn measures(study: &Study) -> Option<Table> {
    let analysis = &study.analysis;
    let matters = analysis.is_imbalanced() || another_measure(study).is_some();
    if !matters || study.models().iter().all(|model| model.measures.is_none()) {
        return None;
    }
    let rows = best_first(study).into_iter().map(|(place, of)| {
        let estimate = |of_measures: fn(&Measures) -> Option<Estimate>| {
            of.measures.as_ref().and_then(of_measures).map(|estimate| estimate.spread)
        };
        vec![
            model(study, place),
            figure(shown(estimate(|measures| measures.balanced_accuracy), percent)),
            figure(shown(estimate(|measures| measures.macro_f1), percent)),
            figure(shown(estimate(|measures| measures.macro_auc), loss)),
            figure(shown(estimate(|measures| measures.kappa), loss)),
        ]
    });
    Some(Table {
        caption: spreads(study),
        columns: columns(&["model", "balanced accuracy (%)", "macro F1 (%)", "ROC AUC", "kappa"]),
        rows: rows.collect(),
    })
}

/// Precision, recall and F1 of each class, where [`measures`] are shown.
pub(crate) fn class_measures(study: &Study) -> Option<Table> {
    measures(study)?;
    let of_model = |(place, of): (usize, &Model)| -> Vec<Vec<Cell>> {
        let classes = of.measures.iter().flat_map(|measures| measures.classes.iter().enumerate());
        let row = |(class, of): (usize, &ClassMeasures)| {
            vec![
                model(study, place),
                words(study.class(class)),
                figure(thousands(of.images)),
                figure(shown(of.precision, percent)),
                figure(shown(of.recall, percent)),
                figure(shown(of.f1, percent)),
            ]
        };
        classes.map(row).collect()
    };
    Some(Table {
        caption: "Each class, in per cent".to_owned(),
        columns: columns(&["model", "class", "test images", "precision", "recall", "F1"]),
        rows: study.models().iter().enumerate().flat_map(of_model).collect(),
    })
}

/// What a chart of curves shows.
pub(crate) fn values(chart: &Chart) -> Table {
    let shown = |value: f64| match chart.quantity {
        Quantity::Accuracy => fixed(value, 2),
        Quantity::Loss => fixed(value, 4),
    };
    let mut rows = Vec::new();
    for curve in &chart.curves {
        rows.extend(curve.pieces.iter().flatten().map(|value| {
            vec![
                Cell::Model(curve.model, chart.names[curve.model].clone()),
                words(if curve.training { "training" } else { chart.validation }),
                figure(format!("{}", value.epoch)),
                figure(value.runs.to_string()),
                figure(shown(value.mean)),
                figure(shown(value.smallest)),
                figure(shown(value.largest)),
            ]
        }));
    }
    let caption = match chart.quantity {
        Quantity::Accuracy => "Accuracy in per cent",
        Quantity::Loss => "Loss in nats",
    };
    let columns = ["model", "images", "epoch", "runs", "mean", "smallest", "largest"];
    Table { caption: caption.to_owned(), columns: columns.map(str::to_owned).to_vec(), rows }
}

/// Where the bars of [`recall`] begin: at the hundred's lower part, where the differences are.
pub(crate) fn floor_of_bars(study: &Study) -> f64 {
    let confusions = study.models().iter().filter_map(|model| model.confusion.as_ref());
    let recalls = confusions.flat_map(|of| (0..of.classes).filter_map(|class| of.recall(class)));
    (recalls.fold(1.0, f64::min) * 20.0 - 0.5).floor().max(0.0) / 20.0
}

/// How many images of each class every model recognises; none where no model has been tested.
pub(crate) fn recall(study: &Study) -> Option<Table> {
    let all: Vec<(usize, &Confusion)> = study
        .models()
        .iter()
        .enumerate()
        .filter_map(|(place, model)| Some((place, model.confusion.as_ref()?)))
        .collect();
    let classes = all.iter().map(|(_, confusion)| confusion.classes).max()?;
    let floor = floor_of_bars(study);
    let share = |recall: Option<f64>| recall.map_or(0.0, |recall| (recall - floor) / (1.0 - floor).max(1e-9));
    let mut columns = vec!["class".to_owned()];
    let names = ShortNames::of(study.models()).names;
    columns.extend(all.iter().map(|(place, _)| names[*place].clone()));
    let rows = (0..classes).map(|class| {
        let of_models = all.iter().map(|(place, confusion)| {
            let recall = (class < confusion.classes).then(|| confusion.recall(class)).flatten();
            Cell::Bar(*place, share(recall), recall.map_or(MISSING.to_owned(), percent))
        });
        std::iter::once(words(study.class(class))).chain(of_models).collect()
    });
    let rows = rows.collect();
    let caption = "Images of each class that are recognised, in per cent".to_owned();
    Some(Table { caption, columns, rows })
}

/// A table of more classes is read by nobody.
const MOST_CLASSES: usize = 32;

/// Which classes each model takes for which: a row a true class, a column a class given.
pub(crate) fn confusions(study: &Study) -> Vec<Table> {
    let of_model = |model: &Model| {
        let confusion = model.confusion.as_ref().filter(|confusion| confusion.classes <= MOST_CLASSES)?;
        let classes = || (0..confusion.classes).map(|class| study.class(class));
        let shown = |label, given| match (confusion.at(label, given), label == given) {
            (images, true) => figure(format!("{images:.0}")),
            (images, false) if images > 0.0 => figure(average(images)),
            _ => figure(""),
        };
        let row = |(label, class): (usize, String)| {
            std::iter::once(words(class))
                .chain((0..confusion.classes).map(|given| shown(label, given)))
                .collect()
        };
        Some(Table {
            caption: format!(
                "Confusion of {}: rows are true classes, columns the classes given; test images, {}",
                one_line(model.name),
                counted_over(study)
            ),
            columns: std::iter::once(String::new()).chain(classes()).collect(),
            rows: classes().enumerate().map(row).collect(),
        })
    };
    study.models().iter().filter_map(of_model).collect()
}

/// How far each model's probabilities can be believed; none where no model has any.
pub(crate) fn calibration(study: &Study) -> Option<Table> {
    if study.models().iter().all(|model| model.calibration.is_none()) {
        return None;
    }
    let rows = study.models().iter().enumerate().map(|(place, of)| {
        let calibration = of.calibration.as_ref();
        vec![
            model(study, place),
            figure(shown(of.loss, loss)),
            figure(shown(calibration.and_then(|calibration| calibration.brier), loss)),
            figure(shown(calibration.and_then(|calibration| calibration.error), percent)),
        ]
    });
    Some(Table {
        caption: format!(
            "Smaller is better; calibration error over {} bins of equal mass",
            analysis::calibration::BINS
        ),
        columns: columns(&[
            "model",
            "negative log-likelihood (nats)",
            "Brier score",
            "calibration error (points)",
        ]),
        rows: rows.collect(),
    })
}

/// The bins of [`calibration`].
pub(crate) fn bins(study: &Study) -> Table {
    let of_model = |(place, of): (usize, &Model)| -> Vec<Vec<Cell>> {
        let bins = of.calibration.iter().flat_map(|calibration| &calibration.bins);
        bins.map(|bin| {
            vec![
                model(study, place),
                figure(percent(bin.confidence)),
                figure(percent(bin.accuracy)),
                figure(thousands(bin.count as u64)),
            ]
        })
        .collect()
    };
    Table {
        caption: "Bins".to_owned(),
        columns: columns(&["model", "mean confidence (%)", "correct (%)", "predictions"]),
        rows: study.models().iter().enumerate().flat_map(of_model).collect(),
    }
}

/// Accuracy on the labels as they are and as people prefer them; none where nobody's preference is known.
pub(crate) fn corrected(study: &Study) -> Option<Table> {
    let corrected = study.analysis.hard_images.as_ref()?.corrected.as_ref()?;
    let rows = study.models().iter().zip(corrected).enumerate().map(|(place, (of, corrected))| {
        vec![model(study, place), figure(shown(of.accuracy, percent)), figure(shown(*corrected, percent))]
    });
    Some(Table {
        caption: "Accuracy in per cent on the labels as they are, and with the ten labels replaced for which people prefer another"
            .to_owned(),
        columns: columns(&["model", "original labels", "corrected labels"]),
        rows: rows.collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_letters() {
        assert_eq!((group_letters(&[0, 2]).as_str(), group_letters(&[25, 26]).as_str()), ("a c", "z (26)"));
    }
}
