//! What is told at the head of a report.

use analysis::{model::Model, ranking::Rank, verdict::Outcome};

use crate::{
    Study,
    charts::curves::on_data,
    words::{
        numbers::{listed, percent, shown, value_of, value_unit},
        plain::{drawn_by, in_plain_words},
        text::one_line,
    },
};

/// The study's title, or what it compares.
pub(crate) fn title(study: &Study) -> String {
    if let Some(title) = &study.question.title {
        return one_line(title);
    }
    let names: Vec<String> = study.models().iter().map(|model| one_line(model.name)).collect();
    let on = on_data(study);
    match names.as_slice() {
        [] => "A study without runs".to_owned(),
        [only] => format!("{only}{on}"),
        names if names.len() <= 4 => format!("{} compared{on}", listed(names)),
        names => format!("{} models compared{on}", names.len()),
    }
}

/// Most comparisons that are each told at the head of a report.
pub(crate) const TOLD_AT_THE_HEAD: usize = 6;

/// One sentence a comparison, or one about the best model where they are many; a model alone gets its accuracy with an
/// interval. A comparison has what it means beside it, in plain words.
pub(crate) fn verdicts(study: &Study) -> Vec<(String, Option<String>)> {
    let comparisons = &study.analysis.comparisons;
    if let ([model], []) = (study.models(), comparisons.as_slice()) {
        return alone(model, study).into_iter().map(|sentence| (sentence, None)).collect();
    }
    if comparisons.is_empty() && study.models().len() > 1 {
        let why = study.analysis.notes.iter().find(|note| note.contains("not compared"));
        let why = why.map_or_else(
            || "The models are not compared: the notes say why.".to_owned(),
            |note| one_line(note),
        );
        return vec![(why, None)];
    }
    if comparisons.len() > TOLD_AT_THE_HEAD {
        return vec![(best_of_many(study), None)];
    }
    let meanings = comparisons.iter().map(|comparison| one_line(&in_plain_words(comparison, study)));
    every_verdict(study).into_iter().zip(meanings.map(Some)).collect()
}

pub(crate) fn every_verdict(study: &Study) -> Vec<String> {
    study.analysis.comparisons.iter().map(|comparison| one_line(&comparison.verdict)).collect()
}

/// Which of many models is the best by the measure that decides, and which others it beats beyond doubt.
pub(crate) fn best_of_many(study: &Study) -> String {
    let (best, others) = study.analysis.ranking.split_first().expect("there are comparisons");
    let beaten = |other: &Rank| {
        study.analysis.comparisons.iter().any(|comparison| match comparison.outcome {
            Outcome::ABetter => (&comparison.a, &comparison.b) == (&best.model, &other.model),
            Outcome::BBetter => (&comparison.b, &comparison.a) == (&best.model, &other.model),
            Outcome::PracticallyEqual | Outcome::CannotTell => false,
        })
    };
    let names = |beats: bool| -> Vec<String> {
        others.iter().filter(|other| beaten(other) == beats).map(|other| one_line(&other.model)).collect()
    };
    let (beats, undecided) = (names(true), names(false));
    let measure = study.analysis.decided_by;
    let mut sentence = format!(
        "{} has the {} mean {}, {} {}.",
        one_line(&best.model),
        if measure.larger_is_better() { "highest" } else { "lowest" },
        measure.in_words(),
        value_of(measure)(best.value),
        value_unit(measure)
    );
    if !beats.is_empty() {
        sentence.push_str(&format!(" It beats {}.", listed(&beats)));
    }
    if !undecided.is_empty() {
        sentence
            .push_str(&format!(" It is not told apart from {}, or practically equal.", listed(&undecided)));
    }
    sentence
}

fn alone(model: &Model, study: &Study) -> Option<String> {
    let (folds, drawn) = (study.analysis.cross_validation, drawn_by(study));
    let name = one_line(model.name);
    let accuracies = model.figures(|run| run.test.accuracy);
    let mean = shown(model.accuracy, percent);
    if let Some(folds) = folds {
        let corrected = stats::corrected_resampled_t(&accuracies, folds.test_over_train()).ok();
        let Some(interval) = corrected.and_then(|corrected| corrected.interval(0.95).ok()) else {
            return Some(format!("{name} reaches {mean} % test accuracy on 1 fold; an interval needs 2."));
        };
        return Some(format!(
            "{name} reaches {} % test accuracy [{}, {}] at 95 %, {}; the interval is corrected for training sets that overlap.",
            percent(model.accuracy?.mean),
            percent(interval.lower.max(0.0)),
            percent(interval.upper.min(1.0)),
            folds.in_words()
        ));
    }
    if let [run] = model.runs.as_slice() {
        let pairs = run.test.labels.iter().zip(&run.test.predictions);
        let right = pairs.filter(|(label, prediction)| label == prediction).count() as u64;
        let interval = stats::wilson_interval(right, run.test.labels.len() as u64, 0.95).ok()?;
        return Some(format!(
            "{name} reaches {mean} % test accuracy [{}, {}] at 95 %, 1 run; the interval allows for other test images, not for {drawn}.",
            percent(interval.lower),
            percent(interval.upper)
        ));
    }
    if model.runs.len() == 2 {
        return Some(format!(
            "{name} reaches {mean} % test accuracy, 2 runs; an interval over seeds needs 3."
        ));
    }
    let interval = stats::t_interval(&accuracies, 0.95).ok()?;
    Some(format!(
        "{name} reaches {} % test accuracy [{}, {}] at 95 %, {} runs; the interval allows for {drawn}, not for other test images.",
        percent(model.accuracy?.mean),
        percent(interval.lower.max(0.0)),
        percent(interval.upper.min(1.0)),
        model.runs.len()
    ))
}
