//! The training loop.

use crate::{BatchOrder, CheckedRecipe, Subset, evaluate::evaluate};
use data::{generator, shuffle};
use nn::{Evaluation, Model, Optimiser};
use std::ops::ControlFlow;

/// A clock that only goes forward.
pub trait Clock {
    /// Seconds since a moment that stays the same.
    fn seconds(&self) -> f64;
}

/// The separate random streams of a run.
///
/// Two models trained from one run seed see the same images in the same order; their initial weights come from a
/// stream of their own, so that neither depends on how many numbers the other drew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seeds {
    run: u64,
}

impl Seeds {
    /// The streams of a run.
    pub fn of_run(seed: u64) -> Self {
        Self { run: seed }
    }

    /// Draws the model's initial parameters.
    pub fn initialise(self, model: &mut Model<f32>) {
        model.initialise(&mut generator(self.run, 0));
    }

    /// Brings the training images into the order of an epoch, counted from 1.
    fn shuffle(self, epoch: usize, indices: &mut [u32]) {
        // Even numbers are left for the streams that are drawn once a run.
        shuffle(indices, &mut generator(self.run, 2 * epoch as u64 + 1));
    }
}

/// An epoch's figures.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EpochMetrics {
    /// Counted from 1.
    pub epoch: usize,
    /// Over the training images, each measured in the step that learnt from it.
    pub train: Evaluation,
    /// Over the validation images after the epoch.
    pub validation: Evaluation,
    /// Over the images of [`Sets::audit`] after the epoch.
    pub audit: Option<Evaluation>,
    /// Shuffling, drawing batches, forward, backward and update.
    pub train_seconds: f64,
    /// The validation, and the audit.
    pub evaluate_seconds: f64,
}

/// What [`fit`] tells as it goes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Event {
    /// A step is done.
    Step {
        /// Counted from 1.
        epoch: usize,
        /// Steps done in this epoch.
        step: usize,
        /// Steps of every epoch.
        steps: usize,
        /// The epoch so far.
        train: Evaluation,
    },
    /// An epoch is done and validated.
    Epoch(EpochMetrics),
}

/// Receives events; breaking stops the training after the step.
pub trait Listener {
    /// Called after every step and every epoch, within the training clock: be quick.
    fn event(&mut self, event: Event) -> ControlFlow<()>;
}

impl<F: FnMut(Event) -> ControlFlow<()>> Listener for F {
    fn event(&mut self, event: Event) -> ControlFlow<()> {
        self(event)
    }
}

/// Why a training ended early.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Stopped {
    /// The listener asked for it.
    #[error("interrupted in epoch {epoch}")]
    Interrupted {
        /// Counted from 1.
        epoch: usize,
    },
    /// The loss is no longer a number: nothing can be learnt from there.
    #[error("the loss is not a number after step {step} of epoch {epoch}")]
    Diverged {
        /// Counted from 1.
        epoch: usize,
        /// Counted from 1.
        step: usize,
    },
}

/// The images of a training.
#[derive(Debug, Clone, Copy)]
pub struct Sets<'a> {
    /// What is learnt from.
    pub training: Subset<'a>,
    /// What is measured after every epoch.
    pub validation: Subset<'a>,
    /// Measured after every epoch as well, for an audit: nothing depends on it.
    pub audit: Option<Subset<'a>>,
}

/// Trains `model` from the parameters that it has, by Adam on the mean softmax cross-entropy of each batch.
///
/// Every epoch is a full shuffle of the training images, cut into batches, the last short one included; a batch is in
/// [`BatchOrder`]. After an epoch the validation images are measured. The model's capacity must hold a batch.
///
/// # Errors
/// When the listener breaks or the loss is not a number.
///
/// # Panics
/// When a batch is larger than the model's capacity, or images have another size than the model's.
pub fn fit(
    model: &mut Model<f32>,
    recipe: &CheckedRecipe,
    seeds: Seeds,
    sets: Sets,
    clock: &dyn Clock,
    listener: &mut dyn Listener,
) -> Result<Vec<EpochMetrics>, Stopped> {
    let recipe = recipe.values();
    let training = sets.training;
    let mut optimiser = Optimiser::new(model.parameters().len());
    let mut order: Vec<u32> = (0..training.len()).map(|position| training.index(position) as u32).collect();
    let unshuffled = order.clone();
    let batch_order = BatchOrder::new(training.dataset);
    let mut labels = vec![0; recipe.batch_size];
    let steps = order.len().div_ceil(recipe.batch_size);
    let mut epochs = Vec::with_capacity(recipe.epochs);
    for epoch in 1..=recipe.epochs {
        let start = clock.seconds();
        // Each epoch's order is a function of the seed and its number alone.
        order.copy_from_slice(&unshuffled);
        seeds.shuffle(epoch, &mut order);
        let mut train = Evaluation::default();
        for (batch, step) in order.chunks_mut(recipe.batch_size).zip(1..) {
            batch_order.sort(batch);
            let labels = &mut labels[..batch.len()];
            for (label, index) in labels.iter_mut().zip(&*batch) {
                *label = training.dataset.labels()[*index as usize];
            }
            let image = |image: usize| training.dataset.image(batch[image] as usize);
            train.add(model.differentiate_images(labels, image));
            if train.loss_sum.is_nan() {
                return Err(Stopped::Diverged { epoch, step });
            }
            model.update(&mut optimiser, recipe.learning_rate);
            if listener.event(Event::Step { epoch, step, steps, train }).is_break() {
                return Err(Stopped::Interrupted { epoch });
            }
        }
        let trained = clock.seconds();
        let validation = evaluate(model, sets.validation);
        let audit = sets.audit.map(|images| evaluate(model, images));
        let metrics = EpochMetrics {
            epoch,
            train,
            validation,
            audit,
            train_seconds: trained - start,
            evaluate_seconds: clock.seconds() - trained,
        };
        epochs.push(metrics);
        if listener.event(Event::Epoch(metrics)).is_break() && epoch < recipe.epochs {
            return Err(Stopped::Interrupted { epoch: epoch + 1 });
        }
    }
    Ok(epochs)
}
