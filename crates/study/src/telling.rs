//! What a training tells, as events of the run or the trial that it is.

use records::{
    event::{EpochEnd, Event, Kind, Run, Step, Work},
    record::RunSpec,
};

/// Makes the events of one run or trial; a step's costs nothing but its figures.
#[derive(Debug)]
pub struct Telling {
    event: Event,
}

impl Telling {
    /// Of this run or trial, which begins.
    pub fn of(work: Work, started: Kind) -> Self {
        Self { event: Event { work: Some(work), kind: started } }
    }

    /// Of the run of a specification, at its place in a plan.
    pub fn of_run(index: usize, total: usize, specification: &RunSpec) -> Self {
        Self::of(Work::Run(Run::of(index, total, specification)), Kind::started(specification))
    }

    /// What happened last.
    pub fn event(&self) -> &Event {
        &self.event
    }

    /// Something else happened.
    pub fn of_kind(&mut self, kind: Kind) -> &Event {
        self.event.kind = kind;
        &self.event
    }

    /// The training told something.
    pub fn of_training(&mut self, event: train::Event) -> &Event {
        self.of_kind(match event {
            train::Event::Step { epoch, step, steps, train } => Kind::Step(Step {
                epoch,
                step,
                steps,
                images: train.images,
                train_loss: train.loss(),
                train_accuracy: train.accuracy(),
            }),
            train::Event::Epoch(metrics) => Kind::Epoch(EpochEnd {
                epoch: metrics.epoch,
                images: metrics.train.images,
                train_loss: metrics.train.loss(),
                train_accuracy: metrics.train.accuracy(),
                validation_loss: metrics.validation.loss(),
                validation_accuracy: metrics.validation.accuracy(),
                train_seconds: metrics.train_seconds,
            }),
        })
    }
}
