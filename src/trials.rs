//! Live progress of a search on stderr: a bar at a terminal, a line a trial elsewhere, nothing when asked to be quiet.

use crate::bar::{Screen, State, Subject};
use records::trial::{Outcome, TrialRecord};
use study::tune::{Budget, TuneEvent};
use train::Event;

/// Shows what a search does.
pub(crate) struct TrialProgress {
    screen: Screen,
    budget: Budget,
    trial: Option<Trial>,
}

/// The trial that is being made.
struct Trial {
    subject: Subject,
    settings: String,
    epochs: usize,
}

impl TrialProgress {
    /// For a search of that budget.
    pub(crate) fn new(budget: Budget, quiet: bool) -> Self {
        Self { screen: Screen::new(quiet), budget, trial: None }
    }

    /// Takes note of an event.
    pub(crate) fn event(&mut self, event: &TuneEvent) {
        match event {
            TuneEvent::Started { name, number, settings, epochs } => {
                let (place, settings) = (self.place(*number), report::settings(settings));
                let subject = Subject {
                    name: (*name).to_owned(),
                    short: place.trim_start_matches([',', ' ']).to_owned(),
                    after: place,
                    ..Subject::default()
                };
                self.trial = Some(Trial { subject, settings, epochs: *epochs });
            }
            TuneEvent::Training(Event::Step { epoch, step, steps, train }) => {
                if let Some(trial) = self.trial.as_ref().filter(|_| self.screen.is_due()) {
                    self.screen.state(&State {
                        subject: &trial.subject,
                        done: Some((steps * (epoch - 1) + step) as f64 / (steps * trial.epochs) as f64),
                        facts: &[
                            format!("epoch {epoch}/{}", trial.epochs),
                            format!("accuracy {:.2} %", 100.0 * train.accuracy()),
                        ],
                        more: std::slice::from_ref(&trial.settings),
                    });
                }
            }
            TuneEvent::Training(Event::Epoch(_)) => {}
            TuneEvent::Finished { reused, record, .. } => {
                let made = if *reused { "kept from before, " } else { "" };
                let label = self.label(&record.model, record.number);
                self.line(&format!(
                    "{label}: {}: {made}{}",
                    report::settings(&record.settings),
                    ended(record)
                ));
            }
            TuneEvent::Note(note) => self.line(&format!("note: {note}")),
        }
    }

    /// Takes the bar away.
    pub(crate) fn finish(&self) {
        self.screen.finish();
    }

    fn label(&self, name: &str, number: Option<usize>) -> String {
        format!("{name}{}", self.place(number))
    }

    /// `, trial 1 of 30`; nothing for the model as it stands.
    fn place(&self, number: Option<usize>) -> String {
        match (number, self.budget) {
            (None, _) => String::new(),
            (Some(number), Budget::Trials(trials)) => format!(", trial {} of {trials}", number + 1),
            (Some(number), Budget::Seconds(_)) => format!(", trial {}", number + 1),
        }
    }

    fn line(&self, text: &str) {
        self.screen.line(text);
    }
}

/// How a trial ended, in words.
fn ended(record: &TrialRecord) -> String {
    let planned = record.specification.as_ref().map_or(0, |run| run.recipe.epochs);
    let how = match &record.outcome {
        Outcome::Finished => String::new(),
        Outcome::Stopped => format!(", stopped after epoch {} of {planned}", record.epochs.len()),
        Outcome::Diverged => return format!("diverged in epoch {}", record.epochs.len() + 1),
        Outcome::Unusable(problem) => return format!("no usable model: {problem}"),
    };
    let last = record
        .last()
        .map_or((f64::NAN, f64::NAN), |epoch| (epoch.validation_accuracy, epoch.validation_loss));
    format!(
        "validation accuracy {:.2} %, loss {:.4}, {:.1} s{how}",
        100.0 * last.0,
        last.1,
        record.total_seconds
    )
}
