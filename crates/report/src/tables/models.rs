//! Tables of models: what each reaches, costs and ranks.

use super::{best_first, columns, count, figure, missing, model, words};
use crate::{
    Study,
    document::{Cell, Table},
    run_count,
    words::{
        numbers::{loss, percent, shown, shown_seconds, value_of, value_unit},
        text::one_line,
    },
};
use analysis::{
    measures::{Estimate, Measures},
    ranking::Rank,
};
use records::question::Measure;

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_letters() {
        assert_eq!((group_letters(&[0, 2]).as_str(), group_letters(&[25, 26]).as_str()), ("a c", "z (26)"));
    }
}
