//! What a run learns while it is made.

use crate::{
    locked,
    studio::{Current, PAUSE, Studio},
};
use page::{Message, Weights};
use records::{event::Kind, record::RunSpec, store::FileError};
use std::{sync::Mutex, time::Instant};
use study::{execute::Keeping, run::FinishedRun};
use train::Engine;

/// Sees what a run learns, and leaves it on the board.
pub(crate) struct Looking<'a> {
    studio: &'a Studio,
    current: &'a Current,
    id: &'a str,
    run: &'a RunSpec,
    last: Mutex<Last>,
}

struct Last {
    /// When weights were put on the board.
    put: Option<Instant>,
    /// The epoch, and its steps that are done.
    at: (usize, usize),
    values: Vec<f32>,
}

impl<'a> Looking<'a> {
    /// At the run of that identity, which begins.
    pub(crate) fn new(studio: &'a Studio, current: &'a Current, id: &'a str, run: &'a RunSpec) -> Self {
        let last = Mutex::new(Last { put: None, at: (1, 0), values: Vec::new() });
        Self { studio, current, id, run, last }
    }

    /// Takes note of where the training is: a step is told after it was looked at.
    pub(crate) fn hear(&self, kind: &Kind) {
        match kind {
            Kind::Step(step) => locked(&self.last).at = (step.epoch, step.step),
            Kind::Epoch(epoch) => locked(&self.last).at = (epoch.epoch + 1, 0),
            _ => {}
        }
    }

    fn put(&self, epoch: usize, step: usize, finished: bool, values: Vec<f32>) {
        let (model, seed) = (self.run.model.clone(), self.run.seed);
        let weights = Weights { model: model.clone(), seed, epoch, step, finished, values };
        self.studio.board.put(self.id, weights);
        self.studio.tell(&Message::Weights { model, seed, epoch, step, finished });
    }
}

impl Keeping for Looking<'_> {
    fn look(&self, _: usize, engine: &dyn Engine) {
        let mut last = locked(&self.last);
        let now = Instant::now();
        if last.put.is_some_and(|before| now.duration_since(before) < PAUSE) {
            return;
        }
        last.put = Some(now);
        engine.copy_parameters(&mut last.values);
        let ((epoch, step), values) = (last.at, last.values.clone());
        drop(last);
        self.put(epoch, step + 1, false, values);
    }

    fn keep(&self, run: usize, finished: &FinishedRun) -> Result<(), FileError> {
        self.put(finished.record.epochs.len(), 0, true, finished.model.parameters().to_vec());
        let Current { session, runs, folder, .. } = self.current;
        self.studio.folders.keep(folder, runs, session.corpus(), run, finished)
    }
}
