//! Live progress of a search on stderr: a bar at a terminal, a line a trial elsewhere, nothing when asked to be quiet.

use crate::command::bar::{Screen, State, Subject};
use records::{
    event::{Event, Kind, Step, Trial, TrialEnd},
    trial::Outcome,
};

/// Shows what a search does.
pub(crate) struct TrialProgress {
    screen: Screen,
    /// The trial that is being made.
    current: Option<Current>,
    /// Whether it was said that others are waited for.
    waiting: bool,
}

/// A trial as it goes on.
struct Current {
    subject: Subject,
    settings: String,
    epochs: usize,
}

impl TrialProgress {
    /// Before the first trial.
    pub(crate) fn new(quiet: bool) -> Self {
        Self { screen: Screen::new(quiet), current: None, waiting: false }
    }

    /// Takes note of an event.
    pub(crate) fn event(&mut self, event: &Event) {
        self.waiting &= event.trial().is_none();
        match (&event.kind, event.trial()) {
            (Kind::Started { epochs, settings }, Some(trial)) => {
                let settings = report::settings(settings);
                self.current = Some(Current { subject: subject(trial), settings, epochs: *epochs });
            }
            (Kind::Step(step), _) => self.step(step),
            (Kind::TrialFinished(end), Some(trial)) => {
                let made = if end.reused { "kept from before, " } else { "" };
                let settings = report::settings(&end.settings);
                self.screen.line(&format!("{}: {settings}: {made}{}", subject(trial), in_words(end)));
            }
            (Kind::Waiting { runs }, _) if !self.waiting => {
                self.waiting = true;
                let noun = if *runs == 1 { "trial" } else { "trials" };
                self.screen.line(&format!("waiting for {runs} {noun} of other processes"));
            }
            (Kind::Note { text }, _) => self.screen.line(&format!("note: {text}")),
            _ => {}
        }
    }

    /// Takes the bar away.
    pub(crate) fn finish(&self) {
        self.screen.finish();
    }

    fn step(&self, step: &Step) {
        let Some(current) = self.current.as_ref().filter(|_| self.screen.is_due()) else { return };
        let Current { subject, settings, epochs } = current;
        self.screen.state(&State {
            subject,
            done: Some((step.steps * (step.epoch - 1) + step.step) as f64 / (step.steps * epochs) as f64),
            facts: &[
                format!("epoch {}/{epochs}", step.epoch),
                format!("accuracy {:.2} %", 100.0 * step.train_accuracy),
            ],
            more: std::slice::from_ref(settings),
        });
    }
}

/// `cnn, trial 1 of 30`; the model's name alone as it stands.
fn subject(trial: &Trial) -> Subject {
    let place = match (trial.number, trial.trials) {
        (None, _) => None,
        (Some(number), Some(trials)) => Some(format!("trial {} of {trials}", number + 1)),
        (Some(number), None) => Some(format!("trial {}", number + 1)),
    };
    Subject {
        before: String::new(),
        name: trial.model.clone(),
        after: place.as_ref().map_or_else(String::new, |place| format!(", {place}")),
        short: place.unwrap_or_default(),
    }
}

/// How a trial ended, in words.
fn in_words(end: &TrialEnd) -> String {
    let how = match &end.outcome {
        Outcome::Finished => String::new(),
        Outcome::Stopped => {
            format!(", stopped after epoch {} of {}", end.epochs, end.planned_epochs.unwrap_or_default())
        }
        Outcome::Diverged => return format!("diverged in epoch {}", end.epochs + 1),
        Outcome::Unusable(problem) => return format!("no usable model: {problem}"),
    };
    format!(
        "validation accuracy {:.2} %, loss {:.4}, {:.1} s{how}",
        100.0 * end.validation_accuracy.unwrap_or(f64::NAN),
        end.validation_loss.unwrap_or(f64::NAN),
        end.total_seconds
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trials_are_counted_from_one() {
        let trial = |number, trials| Trial { number, trials, model: "cnn".into(), seed: 0 };
        assert_eq!(subject(&trial(None, Some(6))).to_string(), "cnn");
        assert_eq!(subject(&trial(Some(0), Some(6))).to_string(), "cnn, trial 1 of 6");
        assert_eq!(subject(&trial(Some(5), None)).to_string(), "cnn, trial 6");
    }
}
