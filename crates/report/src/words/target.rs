//! Which models are Pareto-optimal, and which reach the target.

use crate::{
    Study,
    words::{
        numbers::{confidence, counted, listed, percent, thousands},
        text::one_line,
    },
};
use analysis::{pareto::Standing, target::Attempt, verdict::Comparison};
use records::target::Target;

/// What the study asks to be reached, in words; nothing where it asks for nothing.
pub(crate) fn in_words(study: &Study) -> Option<String> {
    let Target {
        accuracy,
        max_parameters,
        max_multiply_adds,
        max_ram_bytes,
        max_flash_bytes,
        max_epochs,
        max_train_seconds,
    } = study.analysis.target?;
    let mut limits = Vec::new();
    let mut limit = |what: &str, most: Option<u64>| {
        if let Some(most) = most {
            limits.push(format!("{} {what}", thousands(most)));
        }
    };
    limit("parameters", max_parameters.map(|most| most as u64));
    limit("multiply-adds", max_multiply_adds);
    limit("bytes of RAM (int8 header)", max_ram_bytes.map(|most| most as u64));
    limit("bytes of flash (int8 header)", max_flash_bytes.map(|most| most as u64));
    limit("epochs", max_epochs.map(|most| most as u64));
    if let Some(seconds) = max_train_seconds {
        limits.push(format!("{seconds} s of training"));
    }
    let limits = if limits.is_empty() { String::new() } else { format!(" within {}", listed(&limits)) };
    Some(format!("{} % test accuracy{limits}", percent(accuracy)))
}

/// A sentence a model: in how many of its runs it reaches the target, and what stands against it.
pub(crate) fn sentences(study: &Study) -> Vec<String> {
    study.analysis.attempts.iter().map(sentence).collect()
}

fn sentence(attempt: &Attempt) -> String {
    let name = one_line(&attempt.model);
    if !attempt.exceeds.is_empty() {
        return format!("{name} is not within the limits: {}.", listed(&attempt.exceeds));
    }
    let passed = match (attempt.passed, attempt.runs) {
        (0, 1) => return format!("{name} does not reach it in its one run."),
        (1, 1) => return format!("{name} reaches it in its one run: one run says little."),
        (0, runs) => format!("in none of {runs} runs"),
        (passed, runs) if passed == runs => format!("in all {runs} runs"),
        (passed, runs) => format!("in {passed} of {}", counted(runs, "run")),
    };
    let [lower, upper] = attempt.interval;
    format!(
        "{name} reaches it {passed}; of further runs {} to {} % would, at {} confidence.",
        whole_percent(lower),
        whole_percent(upper),
        confidence(attempt.confidence)
    )
}

fn whole_percent(fraction: f64) -> String {
    format!("{:.0}", 100.0 * fraction)
}

/// Where there are more than two models: those that are Pareto-optimal, by each cost.
pub(crate) fn fronts(study: &Study) -> Vec<String> {
    let standings = &study.analysis.standings;
    if standings.len() < 3 {
        return Vec::new();
    }
    let front = |cost: &str, on: fn(&Standing) -> bool, of: fn(&Standing) -> Option<f64>| {
        let mut members: Vec<&Standing> = standings.iter().filter(|one| on(one)).collect();
        if members.is_empty() {
            return None;
        }
        let cost_of = |one: &Standing| of(one).unwrap_or(f64::INFINITY);
        members.sort_by(|one, other| cost_of(one).total_cmp(&cost_of(other)));
        let names: Vec<String> = members
            .iter()
            .map(|one| format!("{} ({} %)", one_line(&one.model), percent(one.accuracy)))
            .collect();
        Some(format!("Pareto-optimal in mean test accuracy and {cost}: {}.", listed(&names)))
    };
    let mut sentences: Vec<String> = [
        front("parameters", |one| one.front_by_parameters, |one| one.parameters.map(|count| count as f64)),
        front(
            "multiply-adds",
            |one| one.front_by_multiply_adds,
            |one| one.multiply_adds.map(|count| count as f64),
        ),
    ]
    .into_iter()
    .flatten()
    .collect();
    // Whatever the means are, a model is no slower than another whose clock does not tell them apart.
    let told_apart = |comparison: &Comparison| {
        comparison.training_time.as_ref().is_some_and(|time| time.faster().is_some())
    };
    if !study.analysis.comparisons.is_empty()
        && study.analysis.one_machine()
        && study.analysis.comparisons.iter().all(told_apart)
    {
        sentences.extend(front(
            "mean training time",
            |one| one.front_by_train_seconds,
            |one| one.train_seconds,
        ));
    }
    if sentences.is_empty() {
        return sentences;
    }
    sentences.push("These are means as measured: a model may be on a front by chance.".to_owned());
    sentences
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{Given, comparison, records};
    use records::question::Question;

    fn asked(target: Target) -> Question {
        Question { target: Some(target), ..Question::default() }
    }

    const TARGET: Target = Target {
        accuracy: 0.9,
        max_parameters: None,
        max_multiply_adds: None,
        max_ram_bytes: None,
        max_flash_bytes: None,
        max_epochs: None,
        max_train_seconds: None,
    };

    #[test]
    fn a_target_is_said_with_its_limits_and_who_reaches_it() {
        let mut records = records(&[("small", 0.04), ("large", 0.02), ("bad", 0.5)], 3, 2);
        for record in records.iter_mut().filter(|record| record.specification.model == "large") {
            record.parameters = 30_000;
        }
        let limited = Target { max_parameters: Some(20_000), max_train_seconds: Some(1e9), ..TARGET };
        let sizes = records.iter_mut().filter(|record| record.specification.model != "large");
        sizes.for_each(|record| record.parameters = 9_000);
        let study = Given { records: &records, question: asked(limited), ..Given::default() }.study();
        assert_eq!(
            in_words(&study).as_deref(),
            Some("90.00 % test accuracy within 20,000 parameters and 1000000000 s of training")
        );
        assert_eq!(
            sentences(&study),
            [
                "small reaches it in all 3 runs; of further runs 44 to 100 % would, at 95 % confidence.",
                "large is not within the limits: 30,000 parameters, 20,000 allowed.",
                "bad reaches it in none of 3 runs; of further runs 0 to 56 % would, at 95 % confidence.",
            ]
        );
        assert_eq!(in_words(&Given { records: &records, ..Given::default() }.study()), None);
    }

    #[test]
    fn fronts_are_said_from_three_models_on() {
        let mut records = records(&[("a", 0.04), ("b", 0.02), ("c", 0.5)], 2, 2);
        for (record, size) in records.iter_mut().zip([10, 20, 30].into_iter().cycle()) {
            record.parameters = size;
            record.multiply_adds = 100 - size as u64;
            record.train_seconds = 1.0;
        }
        let pairs = [("a", "b"), ("a", "c"), ("b", "c")].map(|(a, b)| comparison(a, b, 0.01));
        let given = Given { records: &records, comparisons: &pairs, ..Given::default() };
        let said = fronts(&given.study());
        let named = |sentence: &str| -> Vec<&str> {
            ["a (", "b (", "c ("].into_iter().filter(|name| sentence.contains(*name)).collect()
        };
        assert_eq!(
            said.iter().map(|one| named(one)).collect::<Vec<_>>(),
            [vec!["a (", "b ("], vec!["b (", "c ("], vec!["b ("], vec![]]
        );
        // Clocks that do not tell two models apart put none of them on a front.
        let mut alike = pairs.clone();
        alike[1].training_time.as_mut().expect("clocks").same_network = true;
        assert_eq!(fronts(&Given { comparisons: &alike, ..given }.study()).len(), 3);
        assert!(fronts(&Given { records: &records[..2], ..Given::default() }.study()).is_empty());
    }
}
