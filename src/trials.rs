//! Live progress of a search on stderr: a bar at a terminal, a line a trial elsewhere, nothing when asked to be quiet.

use crate::progress::Style;
use records::trial::{Outcome, TrialRecord};
use study::tune::{Budget, TuneEvent};
use train::Event;

/// Shows what a search does.
pub(crate) struct TrialProgress {
    style: Style,
    budget: Budget,
    epochs: usize,
}

impl TrialProgress {
    /// For a search of that budget.
    pub(crate) fn new(budget: Budget, quiet: bool) -> Self {
        let style = Style::new(quiet, "{prefix} {bar:20} {wide_msg}");
        Self { style, budget, epochs: 0 }
    }

    /// Takes note of an event.
    pub(crate) fn event(&mut self, event: &TuneEvent) {
        match event {
            TuneEvent::Started { name, number, settings, epochs } => {
                self.epochs = *epochs;
                self.style.prefix(&self.label(name, *number));
                self.style.message(&report::settings(settings));
            }
            TuneEvent::Training(Event::Step { epoch, step, steps, .. }) => {
                if let Style::Bar(bar) = &self.style {
                    bar.set_length((steps * self.epochs) as u64);
                    bar.set_position((steps * (epoch - 1) + step) as u64);
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
        self.style.finish();
    }

    fn label(&self, name: &str, number: Option<usize>) -> String {
        match (number, self.budget) {
            (None, _) => name.to_owned(),
            (Some(number), Budget::Trials(trials)) => {
                format!("{name}, trial {number} ({}/{trials})", number + 1)
            }
            (Some(number), Budget::Seconds(_)) => format!("{name}, trial {number}"),
        }
    }

    fn line(&self, text: &str) {
        self.style.line(text);
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
