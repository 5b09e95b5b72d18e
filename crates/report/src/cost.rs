//! What training costs, and what longer training buys.

use analysis::verdict::{Comparison, Outcome};

use crate::{
    Model, Study,
    discussion::ranked,
    learning::seconds_per_epoch,
    numbers::{
        Spread, adjustment, average, confidence, counted, fixed, points_to, probability, seconds, thousands,
    },
    text::markdown,
};

/// Above this part of its mean, a time's deviation is more than the usual noise of a quiet machine.
const UNSTEADY_TIME: f64 = 0.1;

/// An interval whose ends differ by more than this factor says nothing but that the runs are too few.
const WIDEST: f64 = 100.0;

/// What the times and sizes support saying.
pub(crate) fn sentences(study: &Study, models: &[Model]) -> Vec<String> {
    let mut sentences: Vec<String> = models.iter().filter_map(cost_of).collect();
    if !study.one_machine() {
        sentences.push(
            "The runs were made on several kinds of machine, so mean times are not set against each other."
                .to_owned(),
        );
        return sentences;
    }
    let by_time = ranked(models, false, |run| run.train_seconds);
    if let [(fastest, _), .., (slowest, _)] = by_time.as_slice() {
        sentences.extend(against(study, fastest, slowest, models));
    }
    for (model, spread) in &by_time {
        if let Some(deviation) = spread.deviation.filter(|deviation| *deviation > UNSTEADY_TIME * spread.mean)
        {
            sentences.push(format!(
                "The training times of {} vary by {} % from run to run: the machine was not quiet.",
                markdown(model.name),
                average((100.0 * deviation / spread.mean).round())
            ));
        }
    }
    sentences
}

fn cost_of(model: &Model) -> Option<String> {
    let time = Spread::of(&model.seconds(|run| run.train_seconds))?;
    let per_epoch = Spread::of(&model.seconds(seconds_per_epoch));
    let per_epoch = per_epoch.map_or(String::new(), |time| format!(", {} s an epoch", seconds(time.mean)));
    Some(format!(
        "{} has {} parameters and trains in {} s{per_epoch}.",
        markdown(model.name),
        thousands(model.parameters() as u64),
        seconds(time.mean)
    ))
}

/// The fastest model and the slowest by mean times, as far as the interval of their ratio supports it.
fn against(study: &Study, fastest: &Model, slowest: &Model, models: &[Model]) -> Vec<String> {
    let Some(comparison) = comparison_of(study, fastest.name, slowest.name) else { return Vec::new() };
    let (fast, slow) = (markdown(fastest.name), markdown(slowest.name));
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
            markdown(slower_name),
            markdown(faster_name),
            counted(time.runs, "pair") + " of runs",
            time.p_value.map_or_else(String::new, |value| format!(
                "p {}, {}",
                probability(value),
                adjustment(comparison)
            ))
        )];
        sentences.extend(worth(study, fastest, models));
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
    let result = if holds_one { "cannot be told apart" } else { "differ by less than 5 %" };
    vec![format!(
        "The training times of {fast} and {slow} {result}: {slow} takes {} to {} times as long, at {}.",
        fixed(lower, 2),
        fixed(upper, 2),
        confidence(time.confidence)
    )]
}

fn comparison_of<'a>(study: &Study<'a>, one: &str, other: &str) -> Option<&'a Comparison> {
    study.comparisons.iter().find(|comparison| {
        [(&*comparison.a, &*comparison.b), (&*comparison.b, &*comparison.a)].contains(&(one, other))
    })
}

/// Whether time buys accuracy: said only where the runs decide who is more accurate.
fn worth(study: &Study, fastest: &Model, models: &[Model]) -> Option<String> {
    let best = ranked(models, true, |run| run.test.accuracy).first().map(|(model, _)| model.name)?;
    if best == fastest.name {
        return Some(format!("The fastest model, {}, also has the highest accuracy.", markdown(best)));
    }
    let comparison = comparison_of(study, best, fastest.name)?;
    // Longer only where the clocks say so beyond doubt, better only where the runs do.
    let faster = comparison.training_time.as_ref()?.faster()?;
    if (if faster.is_a { &comparison.a } else { &comparison.b }) != fastest.name {
        return None;
    }
    let (best, fast) = (markdown(best), markdown(fastest.name));
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
