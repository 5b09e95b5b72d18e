//! Live progress on stderr: a bar at a terminal, plain lines elsewhere, nothing when asked to be quiet.

use crate::{
    bar::{Screen, State, Subject},
    curves::Curves,
    output,
};
use analysis::figures::{fixed, percent};
use records::record::RunSpec;
use std::time::Instant;
use study::execute::StudyEvent;
use train::Event;

/// Shows what a study does.
pub(crate) struct Progress {
    screen: Screen,
    run: Option<Run>,
    /// Seconds that an epoch of each model took last, evaluation included.
    pace: Vec<(String, f64)>,
    /// Where they are shown.
    curves: Option<Curves>,
    /// The runs that are still to come, the current one included.
    remaining: Vec<RunSpec>,
    /// Whether it was said that other programs are waited for.
    waiting: bool,
}

/// The run that is being made.
struct Run {
    specification: RunSpec,
    /// In the plan: `run 1/6`.
    place: String,
    epoch_start: Instant,
    epochs_done: usize,
}

impl Run {
    /// Its place, its model, its seed, and where it is.
    fn in_epoch(&self, epoch: usize) -> Subject {
        let specification = &self.specification;
        let at = format!("epoch {epoch}/{}", specification.recipe.epochs);
        Subject {
            before: format!("{}: ", self.place),
            name: specification.model.clone(),
            after: format!(", seed {}, {at}", specification.seed),
            short: format!("{}, {at}", self.place),
        }
    }
}

impl Progress {
    /// For runs that are to be made in this order.
    pub(crate) fn new(plan: &[RunSpec], quiet: bool) -> Self {
        let screen = Screen::new(quiet);
        Self { screen, curves: None, run: None, pace: Vec::new(), remaining: plan.to_vec(), waiting: false }
    }

    /// As [`Self::new`], with the curves of the runs where the terminal has room for them.
    pub(crate) fn with_curves(plan: &[RunSpec], quiet: bool) -> Self {
        Self { curves: Some(Curves::of(plan)), ..Self::new(plan, quiet) }
    }

    /// Takes note of an event.
    pub(crate) fn event(&mut self, event: &StudyEvent) {
        match event {
            StudyEvent::Started { index, total, specification } => self.start(*index, *total, specification),
            StudyEvent::Training(Event::Step { epoch, step, steps, train }) => {
                self.step(*epoch, *step, *steps, train);
            }
            StudyEvent::Training(Event::Epoch(metrics)) => self.epoch(metrics),
            StudyEvent::Finished { index, total, reused, record } => {
                self.done(&record.specification);
                let made = if *reused { "kept from before" } else { "done" };
                let kept = record.kept_epoch.map_or_else(String::new, |epoch| {
                    format!(" (tested: the weights after epoch {epoch} of {})", record.epochs.len())
                });
                self.line(&format!(
                    "{}: {made}, test accuracy {} %, test loss {}, trained in {:.1} s{kept}",
                    label(*index, *total, &record.specification),
                    percent(record.test.accuracy),
                    fixed(record.test.loss, 4),
                    record.train_seconds
                ));
            }
            StudyEvent::Failed { index, total, reused, run } => {
                self.done(&run.specification);
                let known = if *reused { " (known from before)" } else { "" };
                self.line(&format!("{}: {}{known}", label(*index, *total, &run.specification), run.problem));
            }
            StudyEvent::Waiting { runs } => {
                if !self.waiting {
                    self.waiting = true;
                    let noun = if *runs == 1 { "run" } else { "runs" };
                    self.line(&format!("waiting for {runs} {noun} that other programs are making"));
                }
            }
            StudyEvent::Note(note) => self.line(&format!("note: {note}")),
        }
    }

    /// Takes the bar away.
    pub(crate) fn finish(&self) {
        self.screen.finish();
    }

    /// A run has come to its end.
    fn done(&mut self, specification: &RunSpec) {
        if let Some(place) = self.remaining.iter().position(|remaining| remaining == specification) {
            self.remaining.remove(place);
        }
        self.run = None;
        self.waiting = false;
    }

    fn start(&mut self, index: usize, total: usize, specification: &RunSpec) {
        self.run = Some(Run {
            specification: specification.clone(),
            place: place(index, total),
            epoch_start: Instant::now(),
            epochs_done: 0,
        });
    }

    fn step(&mut self, epoch: usize, step: usize, steps: usize, train: &nn::Evaluation) {
        let Some(run) = self.run.as_ref().filter(|_| self.screen.is_due()) else { return };
        let seconds = run.epoch_start.elapsed().as_secs_f64();
        let done = step as f64 / steps as f64;
        let left = self.seconds_left(run, done, seconds);
        let curves = self.curves.as_ref().zip(output::terminal());
        let curves = curves.and_then(|(curves, terminal)| curves.drawn(terminal));
        self.screen.state_below(
            curves,
            &State {
                subject: &run.in_epoch(epoch),
                done: Some(done),
                facts: &[
                    format!("accuracy {:.2} %", 100.0 * train.accuracy()),
                    format!("{} left", duration(left)),
                ],
                more: &[
                    format!("loss {:.4}", train.loss()),
                    format!("{} images/s", thousands(train.images as f64 / seconds.max(1e-9))),
                    format!("step {step}/{steps}"),
                ],
            },
        );
    }

    fn epoch(&mut self, metrics: &train::EpochMetrics) {
        let Some(run) = &mut self.run else { return };
        let seconds = run.epoch_start.elapsed().as_secs_f64();
        run.epoch_start = Instant::now();
        run.epochs_done += 1;
        let model = run.specification.model.clone();
        let subject = run.in_epoch(metrics.epoch);
        let (train, validation) = (&metrics.train, &metrics.validation);
        let (train_loss, validation_loss) = (fixed(train.loss(), 4), fixed(validation.loss(), 4));
        let (train_accuracy, validation_accuracy) =
            (percent(train.accuracy()), percent(validation.accuracy()));
        let took = format!("{:.1} s", metrics.train_seconds);
        let speed = format!("{} images/s", thousands(train.images as f64 / metrics.train_seconds.max(1e-9)));
        let all = format!(
            "{subject}: training loss {train_loss}, accuracy {train_accuracy} %; validation loss {validation_loss}, accuracy {validation_accuracy} %; {took}, {speed}"
        );
        let facts = [
            format!("validation accuracy {validation_accuracy} %"),
            took,
            format!("loss {validation_loss}"),
            format!("training accuracy {train_accuracy} %"),
            speed,
        ];
        if let Some(curves) = &mut self.curves {
            curves.epoch(&model, metrics.epoch, validation.accuracy());
        }
        match self.pace.iter_mut().find(|(name, _)| *name == model) {
            Some((_, pace)) => *pace = seconds,
            None => self.pace.push((model, seconds)),
        }
        self.screen.facts(&subject, &all, &facts);
    }

    /// Seconds that the study will still take, when `done` of the current epoch took `seconds`.
    ///
    /// A model that has not had an epoch yet is taken to be as fast as the current one.
    fn seconds_left(&self, run: &Run, done: f64, seconds: f64) -> f64 {
        let pace = |model: &str| self.pace.iter().find(|(name, _)| name == model).map(|(_, pace)| *pace);
        let here = pace(&run.specification.model).unwrap_or(seconds / done.max(1e-9));
        let this_run = here * (run.specification.recipe.epochs as f64 - run.epochs_done as f64 - done);
        let later: f64 = self
            .remaining
            .iter()
            .filter(|specification| **specification != run.specification)
            .map(|specification| {
                specification.recipe.epochs as f64 * pace(&specification.model).unwrap_or(here)
            })
            .sum();
        this_run + later
    }

    fn line(&self, text: &str) {
        self.screen.line(text);
    }
}

fn label(index: usize, total: usize, specification: &RunSpec) -> String {
    format!("{}: {}, seed {}", place(index, total), specification.model, specification.seed)
}

fn place(index: usize, total: usize) -> String {
    format!("run {}/{total}", index + 1)
}

/// 21,300 for 21300.4.
fn thousands(number: f64) -> String {
    report::thousands(number.round() as u64)
}

/// `42 s`, `3 min 5 s` or `2 h 10 min`.
pub(crate) fn duration(seconds: f64) -> String {
    let seconds = seconds.max(0.0).round() as u64;
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!(thousands(999.4), "999");
        assert_eq!(thousands(21_300.4), "21,300");
        assert_eq!(thousands(1_234_567.0), "1,234,567");
        assert_eq!(duration(59.4), "59 s");
        assert_eq!(duration(185.0), "3 min 5 s");
        assert_eq!(duration(7800.0), "2 h 10 min");
        assert_eq!(duration(-1.0), "0 s");
    }
}
