//! The discussion: each sentence follows from the study's figures, and is left out where they do not support it.

use analysis::{
    confusion::most_confused,
    machine::MachineKind,
    model::Model,
    overlap::{Overlap, separated},
    verdict::{Comparison, Coverage, Outcome},
};

use records::question::Measure;

use crate::{
    Study,
    document::Section,
    words::{
        cost, learning,
        numbers::{
            Spread, adjustment, amount_of, average, counted, fixed, listed, loss, percent, points, points_to,
            probability, runs_of, thousands, times, value_of, value_unit,
        },
        plain::drawn_by,
        selection,
        text::one_line,
    },
};

/// The sections that have something to say.
pub(crate) fn discussion(study: &Study) -> Vec<Section> {
    let sections = [
        (heading_of(study.analysis.decided_by), decided(study)),
        ("Accuracy", accuracy(study)),
        ("Learning", study.models().iter().flat_map(learning::sentences).collect()),
        ("Cost", cost::sentences(study)),
        ("Errors", error_sentences(study)),
        ("The optimism of selecting on test data", selection::sentences(study.models())),
        ("Limitations", limits(study)),
    ];
    let sections = sections.into_iter().map(|(heading, sentences)| Section { heading, sentences });
    sections.filter(|section| !section.sentences.is_empty()).collect()
}

fn heading_of(measure: Measure) -> &'static str {
    match measure {
        Measure::Accuracy => "Accuracy",
        Measure::BalancedAccuracy => "Balanced accuracy",
        Measure::MacroF1 => "Macro F1",
        Measure::LogLoss => "Log-loss",
    }
}

/// How the models rank by the measure that decides, where it is another than accuracy.
fn decided(study: &Study) -> Vec<String> {
    let measure = study.analysis.decided_by;
    if measure.is_default() {
        return Vec::new();
    }
    let ranked = study.analysis.ranked(measure.larger_is_better(), |model| model.value(measure));
    let mut sentences = Vec::new();
    for (place, (model, spread)) in ranked.iter().enumerate() {
        let of_runs = match model.runs.len() {
            1 => "in one run".to_owned(),
            runs => format!("on average ({runs} runs)"),
        };
        let mut sentence = format!(
            "{} has a {} of {} {} {of_runs}",
            one_line(model.name),
            measure.in_words(),
            value_of(measure)(spread.mean),
            value_unit(measure)
        );
        if let Some((next, other)) = ranked.get(place + 1) {
            let lead = amount_of(measure, (spread.mean - other.mean).abs());
            let than = if measure.larger_is_better() { "more" } else { "less" };
            sentence.push_str(&format!(", {lead} {than} than {}", one_line(next.name)));
        }
        sentences.push(sentence + ".");
    }
    // Where accuracy decides, its own section says so.
    sentences.extend(study.analysis.comparisons.iter().map(tested));
    sentences
}

fn accuracy(study: &Study) -> Vec<String> {
    let by_accuracy = study.analysis.ranked(true, |model| model.accuracy);
    let mut sentences = Vec::new();
    for (place, (model, spread)) in by_accuracy.iter().enumerate() {
        let name = one_line(model.name);
        let of_runs = match model.runs.len() {
            1 => "in one run".to_owned(),
            runs => format!("on average ({runs} runs)"),
        };
        let mut sentence =
            format!("{name} classifies {} % of the test images correctly {of_runs}", percent(spread.mean));
        if let Some((next, below)) = by_accuracy.get(place + 1) {
            let lead = spread.mean - below.mean;
            let next_name = one_line(next.name);
            let decimals = decimals_of(study, model, next);
            match fixed(100.0 * lead, decimals).bytes().all(|byte| matches!(byte, b'0' | b'.')) {
                true => sentence.push_str(&format!(", as many as {next_name} to within 0.01 points")),
                false => {
                    sentence.push_str(&format!(", {} more than {next_name}", points_to(lead, decimals)));
                    sentence.push_str(&against_spread(lead, *spread, *below));
                }
            }
        }
        sentences.push(sentence + ".");
        if let Some((next, _)) = by_accuracy.get(place + 1) {
            sentences.extend(separation(model, next));
        }
    }
    sentences.extend(by_accuracy.iter().filter_map(|(model, spread)| together(model, spread.mean)));
    if study.analysis.decided_by.is_default() {
        sentences.extend(study.analysis.comparisons.iter().map(tested));
    }
    sentences.extend(loss_order(study, &by_accuracy));
    let unfinished = study.models().len() - by_accuracy.len();
    if unfinished > 0 {
        sentences.push(format!("{} without a finite test accuracy.", counted(unfinished, "model")));
    }
    if let Some(sentence) = study.original_sentence() {
        sentences.push(sentence.to_owned());
    }
    sentences
}

/// The decimals with which the difference of two models is told wherever it is.
fn decimals_of(study: &Study, one: &Model, other: &Model) -> usize {
    let comparison = study.analysis.comparison_of(one.name, other.name);
    comparison.filter(|comparison| comparison.measure.is_default()).map_or(2, Comparison::decimals)
}

/// What the runs of a model make as an ensemble, set against a single one.
fn together(model: &Model, single: f64) -> Option<String> {
    let ensemble = model.ensemble?;
    let gain = ensemble.accuracy - single;
    let against = match (percent(gain.abs()).as_str(), gain > 0.0) {
        ("0.00", _) => "as many as a single run in the mean".to_owned(),
        (_, true) => format!("{} more than a single run in the mean", points(gain)),
        (_, false) => format!("{} fewer than a single run in the mean", points(-gain)),
    };
    Some(format!(
        "The {} runs of {} as an ensemble, each image decided by their mean probabilities, classify {} % correctly: {against}.",
        ensemble.runs,
        one_line(model.name),
        percent(ensemble.accuracy)
    ))
}

/// The tests behind a verdict.
fn tested(comparison: &Comparison) -> String {
    let mut sentence = format!(
        "{} against {}: p {} over {} ({})",
        one_line(&comparison.a),
        one_line(&comparison.b),
        probability(comparison.p_value),
        runs_of(comparison),
        adjustment(comparison.p_adjustment)
    );
    if !comparison.mcnemar_p_values.is_empty() {
        let values: Vec<String> =
            comparison.mcnemar_p_values.iter().map(|value| probability(*value)).collect();
        sentence.push_str(&format!(
            "; McNemar's exact test on the images of each pair, of these trained models alone, unadjusted: p {}",
            listed(&values)
        ));
    }
    sentence + "."
}

fn against_spread(lead: f64, one: Spread, other: Spread) -> String {
    let (Some(one), Some(other)) = (one.deviation, other.deviation) else { return String::new() };
    let deviation = one.max(other);
    match lead / deviation {
        ratio if !ratio.is_finite() => String::new(),
        ratio if ratio >= 1.0 => format!(
            ", {} the larger of the two standard deviations over runs ({})",
            times(ratio),
            points(deviation)
        ),
        _ => {
            format!(", less than the larger of the two standard deviations over runs ({})", points(deviation))
        }
    }
}

/// Whether the worst run of one model is better than the best of the other.
fn separation(better: &Model, worse: &Model) -> Option<String> {
    let separated = separated(better, worse)?;
    let (better, worse) = (one_line(better.name), one_line(worse.name));
    Some(match separated {
        true => format!("Every run of {better} is more accurate than every run of {worse}."),
        false => {
            format!(
                "The runs overlap: the best run of {worse} is at least as accurate as the worst of {better}."
            )
        }
    })
}

fn loss_order(study: &Study, by_accuracy: &[(&Model, Spread)]) -> Option<String> {
    let by_loss = study.analysis.ranked(false, |model| model.loss);
    let ([(best, lowest), (second, next), ..], [(most_accurate, _), ..]) = (by_loss.as_slice(), by_accuracy)
    else {
        return None;
    };
    let (lowest, next) = (loss(lowest.mean), loss(next.mean));
    if lowest == next {
        return Some(format!(
            "The test losses of {} and {} are equal ({lowest}).",
            one_line(best.name),
            one_line(second.name)
        ));
    }
    let (name, second) = (one_line(best.name), one_line(second.name));
    Some(match best.name == most_accurate.name {
        true => format!("{name} also has the lowest test loss: {lowest} against {next} of {second}."),
        false => format!(
            "The lowest test loss is that of {name}, {lowest} against {next} of {second}: \
             accuracy and loss do not rank the models alike, as loss also counts how sure a wrong answer was."
        ),
    })
}

fn error_sentences(study: &Study) -> Vec<String> {
    let models = study.models();
    let mut sentences: Vec<String> = models.iter().filter_map(|model| confusion(study, model)).collect();
    sentences.extend(study.analysis.overlaps.iter().map(coincidence));
    let runs: usize = models.iter().map(|model| model.runs.len()).sum();
    if runs > 1
        && let Some(hard_images) = &study.analysis.hard_images
    {
        let images = hard_images.missed_by_every_run();
        sentences.push(match images.as_slice() {
            [] => "No test image is missed by every run of every model.".to_owned(),
            images => {
                let named = !study.analysis.image_names.is_empty();
                let name = |image: &usize| if named { study.image(*image) } else { image.to_string() };
                let first: Vec<String> = images.iter().take(10).map(name).collect();
                let shown = match (named, images.len()) {
                    (false, 1) => "at position ",
                    (true, count) if count == first.len() => "",
                    (true, _) => "the first ",
                    (false, count) if count == first.len() => "at positions ",
                    (false, _) => "the first at positions ",
                };
                let set = match (named, study.analysis.cross_validation) {
                    (true, _) => "",
                    (false, Some(_)) => " of the whole set, counted from 0",
                    (false, None) => " of the test file, counted from 0",
                };
                let runs = match study.analysis.cross_validation {
                    Some(_) => "Every model",
                    None => "Every run of every model",
                };
                format!(
                    "{runs} misses the same {}, {shown}{}{set}.",
                    counted(images.len(), "test image"),
                    listed(&first)
                )
            }
        });
    }
    sentences
}

fn confusion(study: &Study, model: &Model) -> Option<String> {
    let name = one_line(model.name);
    if model.runs.iter().all(|run| run.test.labels.is_empty()) {
        return None;
    }
    let Some((pairs, count)) = most_confused(&model.runs) else {
        return Some(format!("{name} misses no test image."));
    };
    let class = |class: u8| one_line(&study.class(usize::from(class)));
    let in_words = |(label, given): &(u8, u8)| format!("class {} for class {}", class(*label), class(*given));
    let shown: Vec<String> = pairs.iter().take(3).map(in_words).collect();
    let often = average(count as f64 / model.runs.len() as f64);
    let a_run = if model.runs.len() > 1 { " a run" } else { "" };
    let noun = if often == "1" { "image" } else { "images" };
    Some(match pairs.len() {
        1 => format!("{name} most often mistakes {} ({often} {noun}{a_run}).", shown[0]),
        2 | 3 => format!("{name} most often mistakes {} ({often} {noun}{a_run} each).", listed(&shown)),
        several => format!(
            "No pair of classes stands out among the errors of {name}: {several} are confused equally often, \
             {often} {noun}{a_run} each."
        ),
    })
}

fn coincidence(overlap: &Overlap) -> String {
    let (one, other) = (one_line(&overlap.a), one_line(&overlap.b));
    let in_pairs = match overlap.pairs {
        1 => String::new(),
        pairs => format!(", means over {pairs} pairs of runs"),
    };
    let (only_a, only_b) = (average(overlap.only_a), average(overlap.only_b));
    let both = average(overlap.both);
    let noun = if both == "1" { "test image" } else { "test images" };
    let mut sentence = format!(
        "Both {one} and {other} miss {both} {noun}, {one} alone {only_a}, {other} alone {only_b}{in_pairs}"
    );
    if overlap.both > 0.0 {
        sentence.push_str(&format!("; independent errors would coincide on {}", average(overlap.by_chance)));
        // Twice as many as by chance is more than the rounding of small counts.
        if overlap.both >= 2.0 * overlap.by_chance {
            sentence.push_str(", so the models find the same images hard");
        }
    }
    sentence + "."
}

/// Why a difference is not that of the figures beside it, where it is not.
fn rounding(study: &Study) -> Option<String> {
    let mean = |name: &str| {
        let model = study.models().iter().find(|model| model.name == name)?;
        let measure = study.analysis.decided_by;
        value_of(measure)(model.value(measure)?.mean).parse::<f64>().ok()
    };
    let differs = |comparison: &Comparison| {
        let (Some(a), Some(b)) = (mean(&comparison.a), mean(&comparison.b)) else { return false };
        let Comparison { measure, difference, .. } = comparison;
        let found = fixed(measure.scale() * difference, measure.decimals()).parse::<f64>();
        let half_a_unit = 0.5 * 0.1f64.powi(measure.decimals() as i32);
        found.is_ok_and(|found| ((a - b) - found).abs() > half_a_unit)
    };
    study.analysis.comparisons.iter().any(differs).then(|| {
        "Differences are taken before rounding and over paired runs alone, so they may not be those of the rounded means.".to_owned()
    })
}

fn limits(study: &Study) -> Vec<String> {
    let models = study.models();
    let mut sentences = Vec::new();
    if let Some(sentence) = rounding(study) {
        sentences.push(sentence);
    }
    let single: Vec<String> =
        models.iter().filter(|model| model.runs.len() == 1).map(|model| one_line(model.name)).collect();
    if !single.is_empty() {
        let verb = if single.len() == 1 { "was" } else { "were" };
        sentences.push(format!(
            "{} {verb} trained once only: how much another seed would change the figures is unknown.",
            listed(&single)
        ));
    }
    if study.analysis.comparisons.iter().any(|comparison| comparison.interval_covers == Coverage::Images) {
        sentences.push(format!(
            "Intervals from one pair of runs allow for other test images, not for {}.",
            drawn_by(study)
        ));
    }
    for comparison in study.analysis.comparisons.iter().filter(|one| one.outcome == Outcome::CannotTell) {
        let (a, b) = (one_line(&comparison.a), one_line(&comparison.b));
        let more = comparison.further_runs.map_or(String::new(), |runs| {
            format!(
                "; about {} more {} of each would tell, if the difference is as measured",
                thousands(runs),
                if runs == 1 { "run" } else { "runs" }
            )
        });
        sentences.push(match comparison.measure {
            Measure::Accuracy => format!("It is not settled which of {a} and {b} is more accurate{more}."),
            measure => {
                format!("It is not settled which of {a} and {b} is better by {}{more}.", measure.in_words())
            }
        });
    }
    if models.len() > 1
        && let [(batch_size, learning_rate)] = study
            .distinct(|run| (run.specification.recipe.batch_size, run.specification.recipe.learning_rate))
            .as_slice()
    {
        sentences.push(format!(
            "All models share batch size {batch_size} and learning rate {learning_rate}; with settings chosen for each, the order may differ."
        ));
    }
    if let ([environment, ..], true) =
        (study.distinct(|run| MachineKind::of(&run.environment)).as_slice(), study.analysis.one_machine())
    {
        let effect = if models.len() > 1 { "may rank them differently" } else { "will need others" };
        sentences.push(format!(
            "Times were taken on {} with {}; another machine {effect}.",
            one_line(environment.cpu),
            counted(environment.threads.unwrap_or(1), "thread")
        ));
    }
    sentences
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{Given, comparison, records, training_time, with_predictions};
    use analysis::verdict::TrainingTime;
    use records::record::RunRecord;

    fn all(records: &[RunRecord], comparisons: &[Comparison]) -> String {
        let sections =
            discussion(&Given { records, comparisons, notes: &[], images: None, ..Given::default() }.study());
        sections.into_iter().flat_map(|section| section.sentences).collect::<Vec<_>>().join("\n")
    }

    fn compared(outcome: Outcome, further_runs: Option<u64>) -> Comparison {
        let training_time = Some(training_time(3.0));
        Comparison { outcome, further_runs, training_time, ..comparison("slow", "fast", 0.01) }
    }

    #[test]
    fn classes_have_their_names() {
        let records = [with_predictions("a", 1, &[0, 1, 1], &[0, 1, 0])];
        let class_names = ["0".to_owned(), "coat".to_owned()];
        let study = Given { records: &records, class_names: &class_names, ..Given::default() }.study();
        assert_eq!(
            confusion(&study, &study.models()[0]).expect("an error"),
            "a most often mistakes class coat for class 0 (1 image)."
        );
        let page = crate::page(&study);
        assert!(page.contains("<th scope=\"row\">coat</th>") && page.contains("<th scope=\"row\">0</th>"));
    }

    #[test]
    fn ties_are_called_ties() {
        let labels = [1, 2, 3, 4];
        let runs = [with_predictions("a", 1, &labels, &labels), with_predictions("b", 1, &labels, &labels)];
        let text = all(&runs, &[]);
        assert!(text.contains(
            "a classifies 100.00 % of the test images correctly in one run, as many as b to within"
        ));
        assert!(text.contains("The test losses of a and b are equal"), "{text}");
        assert!(text.contains("a misses no test image."), "{text}");
        assert!(text.contains("Both a and b miss 0 test images, a alone 0, b alone 0."), "{text}");
        assert!(text.contains("No test image is missed by every run of every model."), "{text}");
        assert!(text.contains("a and b were trained once only"), "{text}");
        assert!(!text.contains("also has the lowest"), "{text}");
    }

    #[test]
    fn what_time_buys_follows_the_outcome() {
        let mut runs = records(&[("slow", 0.04), ("fast", 0.12)], 2, 2);
        runs.iter_mut()
            .filter(|run| run.specification.model == "slow")
            .for_each(|run| run.train_seconds = 60.0);
        runs.iter_mut()
            .filter(|run| run.specification.model == "fast")
            .for_each(|run| run.train_seconds = 20.0);
        let text = all(&runs, &[compared(Outcome::ABetter, None)]);
        let ratio = "slow takes 3.0 times as long to train as fast [2.9, 3.2] at 95 %, by the times of 3 pairs of runs";
        assert!(text.contains(ratio), "{text}");
        assert!(text.contains("buys 1.00 point of accuracy over fast, the fastest."), "{text}");
        assert!(!text.contains("which of slow"), "{text}");
        let text = all(&runs, &[compared(Outcome::CannotTell, Some(18))]);
        assert!(text.contains("buys any accuracy over fast is not settled."), "{text}");
        assert!(
            text.contains("which of slow and fast is more accurate; about 18 more runs of each"),
            "{text}"
        );
        let text = all(&runs, &[compared(Outcome::PracticallyEqual, None)]);
        assert!(text.contains("buys no accuracy that matters"), "{text}");
        runs[1].environment.cpu = "Another CPU".to_owned();
        let text = all(&runs, &[]);
        assert!(!text.contains("as long to train") && text.contains("several kinds of machine"), "{text}");
    }

    #[test]
    fn what_clocks_do_not_decide_is_not_claimed() {
        let mut runs = records(&[("slow", 0.04), ("fast", 0.12)], 2, 2);
        runs.iter_mut()
            .zip([60.0, 20.0].into_iter().cycle())
            .for_each(|(run, seconds)| run.train_seconds = seconds);
        let said = |change: fn(&mut TrainingTime)| {
            let mut comparison = compared(Outcome::ABetter, None);
            change(comparison.training_time.as_mut().expect("clocks"));
            all(&runs, &[comparison])
        };
        for (change, words) in [
            (
                (|time| time.interval = Some([0.9, 9.0])) as fn(&mut TrainingTime),
                "The training times of fast and slow cannot be told apart: slow takes 0.90 to 9.00 times as long, at 95 %.",
            ),
            (
                |time| (time.ratio, time.interval) = (1.02, Some([1.01, 1.03])),
                "The training times of fast and slow differ by less than 5 %: slow takes 1.01 to 1.03 times as long, at 95 %.",
            ),
            (
                |time| time.interval = None,
                "Whether fast trains faster than slow is not known from one pair of runs",
            ),
            (|time| time.same_network = true, "fast and slow are one network under two names"),
        ] {
            let text = said(change);
            assert!(text.contains(words), "{words}: {text}");
            assert!(!text.contains("longer training") && !text.contains("as long to train"), "{text}");
        }
    }

    /// 98.45 − 97.46 = 0.99, but 98.445 − 97.455 is rounded to 0.99 as well and 98.454 − 97.445 to 1.01.
    #[test]
    fn a_difference_that_is_not_that_of_the_rounded_figures_is_explained() {
        let mut runs = records(&[("a", 0.05), ("b", 0.05)], 1, 2);
        (runs[0].test.accuracy, runs[1].test.accuracy) = (0.98454, 0.97445);
        let explained = "Differences are taken before rounding";
        let text = all(&runs, &[comparison("a", "b", 0.98454 - 0.97445)]);
        assert!(text.contains("1.01 points more than b") && text.contains(explained), "{text}");
        (runs[0].test.accuracy, runs[1].test.accuracy) = (0.9845, 0.9746);
        assert!(!all(&runs, &[comparison("a", "b", 0.0099)]).contains(explained));
    }

    #[test]
    fn overlapping_runs_and_unsteady_times_are_told() {
        let mut runs = records(&[("a", 0.05), ("b", 0.05)], 2, 2);
        for (run, accuracy) in runs.iter_mut().zip([0.98, 0.975, 0.97, 0.971]) {
            run.test.accuracy = accuracy;
        }
        runs[0].train_seconds = 10.0;
        runs[2].train_seconds = 20.0;
        let text = all(&runs, &[]);
        assert!(
            text.contains("The runs overlap: the best run of b is at least as accurate as the worst of a.")
        );
        assert!(
            text.contains("less than the larger of the two standard deviations over runs (0.71 points)"),
            "{text}"
        );
        assert!(text.contains("The training times of a vary by 47 % from run to run"), "{text}");
    }
}
