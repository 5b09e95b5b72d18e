//! What training costs, and what longer training buys.

use analysis::{model::Model, verdict::Outcome};

use crate::{
    Study,
    words::{
        numbers::{
            adjustment, average, confidence, counted, fixed, points_to, probability, round_percent, seconds,
            thousands,
        },
        text::one_line,
    },
};

/// An interval whose ends differ by more than this factor says nothing but that the runs are too few.
const WIDEST: f64 = 100.0;

/// What the times and sizes support saying.
pub(crate) fn sentences(study: &Study) -> Vec<String> {
    let analysis = &study.analysis;
    let mut sentences: Vec<String> = analysis.models.iter().filter_map(cost_of).collect();
    if !analysis.one_machine() {
        sentences.push(
            "The runs were made on several kinds of machine, so mean times are not set against each other."
                .to_owned(),
        );
        return sentences;
    }
    let by_time = analysis.ranked(false, |model| model.train_seconds);
    if let [(fastest, _), .., (slowest, _)] = by_time.as_slice() {
        sentences.extend(against(study, fastest, slowest));
    }
    for (model, spread) in &by_time {
        if let Some(deviation) =
            spread.deviation.filter(|deviation| *deviation > analysis.thresholds.unsteady_time * spread.mean)
        {
            sentences.push(format!(
                "The training times of {} vary by {} % from run to run: the machine was not quiet.",
                one_line(model.name),
                average((100.0 * deviation / spread.mean).round())
            ));
        }
    }
    sentences
}

fn cost_of(model: &Model) -> Option<String> {
    let time = model.train_seconds?;
    let per_epoch =
        model.epoch_seconds.map_or(String::new(), |time| format!(", {} s an epoch", seconds(time.mean)));
    let size =
        model.parameters.map_or(String::new(), |count| format!("has {} parameters and ", thousands(count)));
    Some(format!("{} {size}trains in {} s{per_epoch}.", one_line(model.name), seconds(time.mean)))
}

/// The fastest model and the slowest by mean times, as far as the interval of their ratio supports it.
fn against(study: &Study, fastest: &Model, slowest: &Model) -> Vec<String> {
    let Some(comparison) = study.analysis.comparison_of(fastest.name, slowest.name) else {
        return Vec::new();
    };
    let (fast, slow) = (one_line(fastest.name), one_line(slowest.name));
    let Some(time) = &comparison.training_time else { return Vec::new() };
    if time.same_network {
        return vec![format!(
            "{fast} and {slow} are one network under two names: what their times differ by is the noise of the clock."
        )];
    }
    let Some([lower, upper]) = time.interval else {
        return vec![format!(
            "Whether {fast} trains faster than {slow} is not known from one pair of runs, which does not show how much times vary."
        )];
    };
    if let Some(faster) = time.faster() {
        let (faster_name, slower_name) =
            if faster.is_a { (&comparison.a, &comparison.b) } else { (&comparison.b, &comparison.a) };
        let [times, interval] = faster.shown();
        let mut sentences = vec![format!(
            "{} takes {times} times as long to train as {} {interval}, by the times of {} ({}).",
            one_line(slower_name),
            one_line(faster_name),
            counted(time.runs, "pair") + " of runs",
            time.p_value.map_or_else(String::new, |value| format!(
                "p {}, {}",
                probability(value),
                adjustment(time.p_adjustment)
            ))
        )];
        sentences.extend(worth(study, fastest));
        return sentences;
    }
    let [lower, upper] =
        if comparison.a == slowest.name { [lower, upper] } else { [1.0 / upper, 1.0 / lower] };
    if upper / lower > WIDEST {
        return vec![format!(
            "The training times of {fast} and {slow} cannot be told apart: {} of runs {} too few to bound their ratio.",
            counted(time.runs, "pair"),
            if time.runs == 1 { "is" } else { "are" }
        )];
    }
    let holds_one = lower <= 1.0 && upper >= 1.0;
    let result = match holds_one {
        true => "cannot be told apart".to_owned(),
        false => format!("differ by less than {}", round_percent(time.notable_ratio - 1.0)),
    };
    vec![format!(
        "The training times of {fast} and {slow} {result}: {slow} takes {} to {} times as long, at {}.",
        fixed(lower, 2),
        fixed(upper, 2),
        confidence(time.confidence)
    )]
}

/// Whether time buys accuracy: said only where the runs decide who is more accurate.
fn worth(study: &Study, fastest: &Model) -> Option<String> {
    let analysis = &study.analysis;
    let best = analysis.ranked(true, |model| model.accuracy).first().map(|(model, _)| model.name)?;
    if best == fastest.name {
        return Some(format!("The fastest model, {}, also has the highest accuracy.", one_line(best)));
    }
    // By another measure what is settled is not accuracy.
    let comparison =
        analysis.comparison_of(best, fastest.name).filter(|comparison| comparison.measure.is_default())?;
    // Longer only where the clocks say so beyond doubt, better only where the runs do.
    let faster = comparison.training_time.as_ref()?.faster()?;
    if (if faster.is_a { &comparison.a } else { &comparison.b }) != fastest.name {
        return None;
    }
    let (best, fast) = (one_line(best), one_line(fastest.name));
    let gain = points_to(comparison.difference, comparison.decimals());
    Some(match comparison.outcome {
        Outcome::ABetter | Outcome::BBetter => {
            format!("The longer training of {best} buys {gain} of accuracy over {fast}, the fastest.")
        }
        Outcome::PracticallyEqual => {
            format!("The longer training of {best} buys no accuracy that matters over {fast}, the fastest.")
        }
        Outcome::CannotTell => {
            format!("Whether the longer training of {best} buys any accuracy over {fast} is not settled.")
        }
    })
}
