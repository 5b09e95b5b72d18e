//! Live progress on stderr: a bar at a terminal, plain lines elsewhere, nothing when asked to be quiet.

use crate::command::{
    bar::{Screen, State, Subject},
    curves::Curves,
    output,
};
use analysis::figures::{fixed, percent};
use records::{
    event::{EpochEnd, Event, Kind, Run, Step},
    record::RunSpec,
};
use std::time::Instant;

/// Shows what a study does.
pub(crate) struct Progress {
    screen: Screen,
    /// The runs that are being made, those that were begun first at the head.
    current: Vec<Current>,
    /// How many are made side by side.
    jobs: usize,
    /// Seconds that an epoch of each model took last, evaluation included.
    pace: Vec<(String, f64)>,
    /// Where they are shown.
    curves: Option<Curves>,
    /// The runs that are still to come.
    remaining: Vec<Planned>,
    /// Whether it was said that other programs are waited for.
    waiting: bool,
}

/// A run that is still to come.
struct Planned {
    model: String,
    seed: u64,
    epochs: usize,
}

/// The run that is being made.
struct Current {
    run: Run,
    epochs: usize,
    epoch_start: Instant,
    epochs_done: usize,
    /// Of the epoch, as a fraction.
    done: f64,
}

impl Current {
    /// Its place, its model, its seed, and where it is.
    fn in_epoch(&self, epoch: usize) -> Subject {
        let (place, at) = (place(&self.run), format!("epoch {epoch}/{}", self.epochs));
        Subject {
            before: format!("{place}: "),
            name: self.run.model.clone(),
            after: format!(", seed {}, {at}", self.run.seed),
            short: format!("{place}, {at}"),
        }
    }
}

impl Progress {
    /// For runs that are to be made in this order.
    pub(crate) fn new(plan: &[RunSpec], quiet: bool) -> Self {
        let planned =
            |run: &RunSpec| Planned { model: run.model.clone(), seed: run.seed, epochs: run.recipe.epochs };
        Self {
            screen: Screen::new(quiet),
            current: Vec::new(),
            jobs: 1,
            pace: Vec::new(),
            curves: None,
            remaining: plan.iter().map(planned).collect(),
            waiting: false,
        }
    }

    /// As [`Self::new`], with the curves of the runs where the terminal has room for them.
    pub(crate) fn with_curves(plan: &[RunSpec], quiet: bool) -> Self {
        Self { curves: Some(Curves::of(plan)), ..Self::new(plan, quiet) }
    }

    /// As [`Self::new`], for runs so many of which are made side by side.
    pub(crate) fn side_by_side(plan: &[RunSpec], jobs: usize, quiet: bool) -> Self {
        Self { jobs, ..Self::new(plan, quiet) }
    }

    /// Takes note of an event.
    pub(crate) fn event(&mut self, event: &Event) {
        match (&event.kind, event.run()) {
            (Kind::Started { epochs, .. }, Some(run)) => self.start(run, *epochs),
            (Kind::Step(step), Some(run)) => self.step(run, step),
            (Kind::Epoch(epoch), Some(run)) => self.epoch(run, epoch),
            (Kind::Finished(end), Some(run)) => {
                self.done(run);
                let made = if end.reused { "kept from before" } else { "done" };
                let kept = end.kept_epoch.map_or_else(String::new, |epoch| {
                    format!(" (tested: the weights after epoch {epoch} of {})", end.epochs)
                });
                self.screen.line(&format!(
                    "{}: {made}, test accuracy {} %, test loss {}, trained in {:.1} s{kept}",
                    label(run),
                    percent(end.test_accuracy),
                    fixed(end.test_loss, 4),
                    end.train_seconds
                ));
            }
            (Kind::Failed { reused, problem, .. }, Some(run)) => {
                self.done(run);
                let known = if *reused { " (known from before)" } else { "" };
                self.screen.line(&format!("{}: {problem}{known}", label(run)));
            }
            (Kind::Waiting { runs }, _) if !self.waiting => {
                self.waiting = true;
                let noun = if *runs == 1 { "run" } else { "runs" };
                self.screen.line(&format!("waiting for {runs} {noun} in other processes"));
            }
            (Kind::Note { text }, _) => self.screen.line(&format!("note: {text}")),
            _ => {}
        }
    }

    /// Takes the bar away.
    pub(crate) fn finish(&self) {
        self.screen.finish();
    }

    /// A run has come to its end.
    fn done(&mut self, run: &Run) {
        self.take(run);
        self.current.retain(|current| current.run.index != run.index);
        self.waiting = false;
    }

    /// A run is no longer to come.
    fn take(&mut self, run: &Run) {
        let is_it = |planned: &Planned| planned.seed == run.seed && planned.model == run.model;
        if let Some(place) = self.remaining.iter().position(is_it) {
            self.remaining.remove(place);
        }
    }

    fn start(&mut self, run: &Run, epochs: usize) {
        self.take(run);
        let epoch_start = Instant::now();
        self.current.push(Current { run: run.clone(), epochs, epoch_start, epochs_done: 0, done: 0.0 });
    }

    fn step(&mut self, run: &Run, step: &Step) {
        let done = step.step as f64 / step.steps as f64;
        let Some(place) = self.current.iter().position(|current| current.run.index == run.index) else {
            return;
        };
        self.current[place].done = done;
        // Of several the first alone has the bar: it would jump from one to the other.
        if place > 0 || !self.screen.is_due() {
            return;
        }
        let current = &self.current[0];
        let seconds = current.epoch_start.elapsed().as_secs_f64();
        let left = self.seconds_left();
        let curves = self.curves.as_ref().zip(output::terminal());
        let curves = curves.and_then(|(curves, terminal)| curves.drawn(terminal));
        self.screen.state_below(
            curves,
            &State {
                subject: &current.in_epoch(step.epoch),
                done: Some(done),
                facts: &[
                    format!("accuracy {:.2} %", 100.0 * step.train_accuracy),
                    format!("{} left", duration(left)),
                ],
                more: &[
                    match self.jobs {
                        1 => format!("loss {:.4}", step.train_loss),
                        _ => format!("{} runs side by side", self.current.len()),
                    },
                    format!("{} images/s", thousands(step.images as f64 / seconds.max(1e-9))),
                    format!("step {}/{}", step.step, step.steps),
                ],
            },
        );
    }

    fn epoch(&mut self, run: &Run, epoch: &EpochEnd) {
        let is_it = |current: &&mut Current| current.run.index == run.index;
        let Some(current) = self.current.iter_mut().find(is_it) else { return };
        let seconds = current.epoch_start.elapsed().as_secs_f64();
        (current.epoch_start, current.done) = (Instant::now(), 0.0);
        current.epochs_done += 1;
        let (subject, model) = (current.in_epoch(epoch.epoch), &current.run.model);
        let [train_loss, validation_loss] =
            [epoch.train_loss, epoch.validation_loss].map(|loss| fixed(loss, 4));
        let [train_accuracy, validation_accuracy] =
            [epoch.train_accuracy, epoch.validation_accuracy].map(percent);
        let took = format!("{:.1} s", epoch.train_seconds);
        let speed = format!("{} images/s", thousands(epoch.images as f64 / epoch.train_seconds.max(1e-9)));
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
            curves.epoch(model, epoch.epoch, epoch.validation_accuracy);
        }
        match self.pace.iter_mut().find(|(name, _)| name == model) {
            Some((_, pace)) => *pace = seconds,
            None => self.pace.push((model.clone(), seconds)),
        }
        self.screen.facts(&subject, &all, &facts);
    }

    /// Seconds that the study will still take.
    ///
    /// A model that has not had an epoch yet is taken to be as fast as the first of the current ones.
    fn seconds_left(&self) -> f64 {
        let pace = |model: &str| self.pace.iter().find(|(name, _)| name == model).map(|(_, pace)| *pace);
        let Some(first) = self.current.first() else { return 0.0 };
        let here = pace(&first.run.model)
            .unwrap_or(first.epoch_start.elapsed().as_secs_f64() / first.done.max(1e-9));
        let of_current = |current: &Current| {
            let epochs = current.epochs as f64 - current.epochs_done as f64 - current.done;
            epochs * pace(&current.run.model).unwrap_or(here)
        };
        let later = |planned: &Planned| planned.epochs as f64 * pace(&planned.model).unwrap_or(here);
        let all: f64 =
            self.current.iter().map(of_current).sum::<f64>() + self.remaining.iter().map(later).sum::<f64>();
        let longest = self.current.iter().map(of_current).fold(0.0, f64::max);
        (all / self.jobs as f64).max(longest)
    }
}

fn label(run: &Run) -> String {
    format!("{}: {}, seed {}", place(run), run.model, run.seed)
}

/// Of a run in its plan.
fn place(run: &Run) -> String {
    format!("run {}/{}", run.index + 1, run.total)
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
