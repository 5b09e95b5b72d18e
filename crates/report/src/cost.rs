//! What training costs, and what longer training buys.

use study::verdict::Outcome;

use crate::discussion::ranked;
use crate::learning::seconds_per_epoch;
use crate::numbers::{Spread, average, points, seconds, thousands, times};
use crate::text::markdown;
use crate::{Model, Study};

/// Times that differ by a smaller part are within what a shared machine does to them.
const EQUAL_TIMES: f64 = 0.05;

/// Above this part of its mean, a time's deviation is more than the usual noise of a quiet machine.
const UNSTEADY_TIME: f64 = 0.1;

/// What the times and sizes support saying.
pub(crate) fn sentences(study: &Study, models: &[Model]) -> Vec<String> {
    let mut sentences: Vec<String> = models.iter().filter_map(cost_of).collect();
    if !study.one_machine() {
        sentences.push(
            "The runs were not all made on one machine, so times are not set against each other.".to_owned(),
        );
        return sentences;
    }
    let by_time = ranked(models, false, |run| run.train_seconds);
    if let ([(fastest, least), .., (slowest, most)], true) =
        (by_time.as_slice(), by_time.iter().all(|(_, spread)| spread.mean > 0.0))
    {
        let (fast, slow) = (markdown(fastest.name), markdown(slowest.name));
        let ratio = most.mean / least.mean;
        let same = ratio < 1.0 + EQUAL_TIMES;
        sentences.push(match same {
            true => format!("{fast} and {slow} train equally long to within 5 %."),
            false => format!("{slow} takes {} as long to train as {fast}.", times(ratio)),
        });
        if !same {
            sentences.extend(worth(study, fastest, models));
        }
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
    let time = Spread::of(&model.figures(|run| run.train_seconds))?;
    let per_epoch = Spread::of(&model.figures(seconds_per_epoch));
    let per_epoch = per_epoch.map_or(String::new(), |time| format!(", {} s an epoch", seconds(time.mean)));
    Some(format!(
        "{} has {} parameters and trains in {} s{per_epoch}.",
        markdown(model.name),
        thousands(model.parameters() as u64),
        seconds(time.mean)
    ))
}

/// Whether time buys accuracy: said only where the runs decide who is more accurate.
fn worth(study: &Study, fastest: &Model, models: &[Model]) -> Option<String> {
    let best = ranked(models, true, |run| run.test.accuracy).first().map(|(model, _)| model.name)?;
    if best == fastest.name {
        return Some(format!("The fastest model, {}, also has the highest accuracy.", markdown(best)));
    }
    let comparison = study.comparisons.iter().find(|comparison| {
        [(&*comparison.a, &*comparison.b), (&*comparison.b, &*comparison.a)].contains(&(best, fastest.name))
    })?;
    let (best, fast) = (markdown(best), markdown(fastest.name));
    let gain = points(comparison.difference);
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
