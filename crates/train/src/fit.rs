//! The training loop.

use crate::{
    BatchOrder, CheckedRecipe, Engine, Recipe, Subset,
    early_stopping::EarlyStopping,
    evaluate::{evaluate, predict},
};
use data::{Augmenter, generator, shuffle};
use nn::{Evaluation, Target};
use rand_chacha::rand_core::Rng;
use std::{borrow::Cow, collections::BTreeSet, ops::ControlFlow};

/// A clock that only goes forward.
pub trait Clock {
    /// Seconds since a moment that stays the same.
    fn seconds(&self) -> f64;
}

/// The separate random streams of a run.
///
/// Two models trained from one run seed see the same images in the same order, augmented alike; their initial weights
/// and what dropout leaves out come from streams of their own, so that none depends on how many numbers another drew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seeds {
    run: u64,
}

impl Seeds {
    /// The streams of a run.
    pub fn of_run(seed: u64) -> Self {
        Self { run: seed }
    }

    /// Draws the initial parameters.
    pub fn initialise(self, engine: &mut dyn Engine) {
        engine.initialise(&mut generator(self.run, 0));
    }

    /// The seed of what dropout leaves out.
    fn dropout(self) -> u64 {
        generator(self.run, 2).next_u64()
    }

    /// The class that each image of the data set is taken for, when a fraction of those to learn from exchange theirs: of as many
    /// images as that is, chosen at random and in a random order, each gets the label of the next, the last that of the first.
    fn labels(self, images: Subset<'_>, fraction: f64) -> Cow<'_, [u8]> {
        let labels = images.dataset.labels();
        if fraction == 0.0 {
            return Cow::Borrowed(labels);
        }
        // An image that a bootstrap drew twice has one label.
        let indices: BTreeSet<u32> =
            (0..images.len()).map(|position| images.index(position) as u32).collect();
        let mut order: Vec<u32> = indices.into_iter().collect();
        shuffle(&mut order, &mut generator(self.run, 4));
        order.truncate((order.len() as f64 * fraction).round() as usize);
        let mut taken_for = labels.to_vec();
        for (image, next) in order.iter().zip(order.iter().cycle().skip(1)) {
            taken_for[*image as usize] = labels[*next as usize];
        }
        Cow::Owned(taken_for)
    }

    /// Brings the training images into the order of an epoch, counted from 1.
    fn shuffle(self, epoch: usize, indices: &mut [u32]) {
        // Even numbers are left for the streams that are drawn once a run; the augmenter's begin at 2³².
        shuffle(indices, &mut generator(self.run, 2 * epoch as u64 + 1));
    }
}

/// An epoch's figures.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EpochMetrics {
    /// Counted from 1.
    pub epoch: usize,
    /// Over the training images, each measured in the step that learnt from it: the loss that was minimised, by mixed and
    /// smoothed answers where there are such, and the accuracy by the heavier class of a mixture.
    pub train: Evaluation,
    /// Over the validation images after the epoch.
    pub validation: Evaluation,
    /// What [`Sets::measure`] says of the validation images after the epoch.
    pub measured: Option<f64>,
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

    /// Called after every step, before its event, with what has learnt so far; within the training clock as well. At first nothing.
    fn look(&mut self, engine: &dyn Engine) {
        let _ = engine;
    }
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
    /// The loss is infinite or not a number: nothing can be learnt from there.
    #[error("the loss is infinite or not a number after step {step} of epoch {epoch}")]
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
    /// Another measure of the validation images, beside their loss and accuracy; nothing depends on it.
    pub measure: Option<AnswerMeasure>,
    /// Measured after every epoch as well, for an audit: nothing depends on it.
    pub audit: Option<Subset<'a>>,
}

/// A measure of answers: from the class of each image, the class that each was given, and the number of classes.
pub type AnswerMeasure = fn(&[u8], &[u8], usize) -> f64;

/// What a training gave, beside the parameters that it left in the engine.
#[derive(Debug, Clone, PartialEq)]
pub struct Fitted {
    /// In their order; fewer than the recipe asked for where it ended early.
    pub epochs: Vec<EpochMetrics>,
    /// After which epoch the engine had the parameters that it has now, counted from 1.
    pub kept_epoch: usize,
}

/// Trains a network from the parameters that it has, as the recipe says, on the mean softmax cross-entropy of each batch.
///
/// Every epoch is a full shuffle of the training images, cut into batches, the last short one included; a batch is in
/// [`BatchOrder`]. After an epoch the validation images are measured, with the average of the parameters where the recipe
/// has one.
///
/// # Errors
/// When the listener breaks or a loss is no finite number.
///
/// # Panics
/// When a batch is larger than the engine's capacity, or images have another size than the network's, or are grey and the
/// augmentation is of colour images ([`spec::Augmentation::check_for`]).
pub fn fit(
    engine: &mut dyn Engine,
    recipe: &CheckedRecipe,
    seeds: Seeds,
    sets: Sets,
    clock: &dyn Clock,
    listener: &mut dyn Listener,
) -> Result<Fitted, Stopped> {
    let values = recipe.values();
    let class_weights = values.class_weights.of(engine.classes(), sets.training.labels().into_iter());
    engine.begin(recipe, seeds.dropout(), class_weights);
    let labels = seeds.labels(sets.training, values.shuffled_labels);
    let mut training = Training::new(values, seeds, sets.training, &labels);
    let mut choice = EarlyStopping::new(values);
    let mut epochs = Vec::with_capacity(values.epochs);
    for epoch in 1..=values.epochs {
        let start = clock.seconds();
        let train = training.epoch(engine, epoch, listener)?;
        let trained = clock.seconds();
        engine.exchange_average();
        let views = values.test_time_augmentation;
        let (validation, measured) = match sets.measure {
            None => (evaluate(engine, sets.validation, views), None),
            Some(measure) => {
                let (answers, labels) = (predict(engine, sets.validation, views), sets.validation.labels());
                (answers.evaluation, Some(measure(&labels, &answers.classes, engine.classes())))
            }
        };
        let audit = sets.audit.map(|images| evaluate(engine, images, views));
        if !(train.loss().is_finite() && validation.loss().is_finite()) {
            return Err(Stopped::Diverged { epoch, step: training.order.len().div_ceil(values.batch_size) });
        }
        if choice.add(validation.loss()) {
            engine.keep_parameters();
        }
        engine.exchange_average();
        let metrics = EpochMetrics {
            epoch,
            train,
            validation,
            measured,
            audit,
            train_seconds: trained - start,
            evaluate_seconds: clock.seconds() - trained,
        };
        epochs.push(metrics);
        let interrupted = listener.event(Event::Epoch(metrics)).is_break();
        if choice.is_over() {
            break;
        }
        if interrupted && epoch < values.epochs {
            return Err(Stopped::Interrupted { epoch: epoch + 1 });
        }
    }
    engine.exchange_average();
    let kept_epoch = choice.kept_epoch();
    if kept_epoch < epochs.len() {
        engine.restore_parameters();
    }
    Ok(Fitted { epochs, kept_epoch })
}

/// The learning half of [`fit`].
struct Training<'a> {
    recipe: &'a Recipe,
    seeds: Seeds,
    images: Subset<'a>,
    /// The class that each image of their data set is taken for.
    taken_for: &'a [u8],
    /// None where images are learnt as they are.
    augmenter: Option<Augmenter<'a>>,
    batch_order: BatchOrder,
    /// The training images' indices, and in the order of the epoch.
    unshuffled: Vec<u32>,
    order: Vec<u32>,
    /// Of a batch.
    labels: Vec<u8>,
}

impl<'a> Training<'a> {
    fn new(recipe: &'a Recipe, seeds: Seeds, images: Subset<'a>, taken_for: &'a [u8]) -> Self {
        let augmenter = (!recipe.augmentation.is_none()).then(|| {
            let augmenter = Augmenter::new(&recipe.augmentation, images.dataset, seeds.run);
            augmenter.expect("a checked recipe that fits the images").with_labels(taken_for)
        });
        let unshuffled: Vec<u32> = (0..images.len()).map(|position| images.index(position) as u32).collect();
        Self {
            recipe,
            seeds,
            images,
            taken_for,
            augmenter,
            batch_order: BatchOrder::new(images.dataset),
            order: unshuffled.clone(),
            unshuffled,
            labels: vec![0; recipe.batch_size],
        }
    }

    fn epoch(
        &mut self,
        engine: &mut dyn Engine,
        epoch: usize,
        listener: &mut dyn Listener,
    ) -> Result<Evaluation, Stopped> {
        let Self { recipe, images, taken_for, augmenter, order, .. } = self;
        let dataset = images.dataset;
        // Each epoch's order is a function of the seed and its number alone.
        order.copy_from_slice(&self.unshuffled);
        self.seeds.shuffle(epoch, order);
        let steps = order.len().div_ceil(recipe.batch_size);
        let mut train = Evaluation::default();
        for (batch, step) in order.chunks_mut(recipe.batch_size).zip(1..) {
            self.batch_order.sort(batch);
            let label = |index: u32| taken_for[index as usize];
            train.add(match augmenter {
                Some(augmenter) => engine.differentiate_drawn(batch.len(), &|image, pixels| {
                    let drawn = augmenter.draw(epoch, batch, image, pixels);
                    let first_share = f64::from(drawn.weight);
                    Target { first: label(batch[image]), second: drawn.second, first_share }
                }),
                None => {
                    let labels = &mut self.labels[..batch.len()];
                    labels.iter_mut().zip(&*batch).for_each(|(to, index)| *to = label(*index));
                    engine.differentiate_images(labels, &|image| dataset.image(batch[image] as usize))
                }
            });
            if train.loss_sum.is_nan() {
                return Err(Stopped::Diverged { epoch, step });
            }
            let schedule = recipe.schedule.rate((epoch - 1) * steps + step - 1, steps, recipe.epochs);
            engine.update(schedule);
            listener.look(engine);
            if listener.event(Event::Step { epoch, step, steps, train }).is_break() {
                return Err(Stopped::Interrupted { epoch });
            }
        }
        Ok(train)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_exchanged_among_the_images_that_are_learnt_from() {
        let corpus = data::synthetic(5, 300, 40, 4, 4, 10);
        let images = corpus.training();
        let indices: Vec<u32> = (0..200).chain(0..100).collect();
        let some = Subset { dataset: images, indices: Some(&indices) };
        let labels = |fraction| Seeds::of_run(7).labels(some, fraction).into_owned();
        assert_eq!(labels(0.0), images.labels());
        let all = labels(1.0);
        assert_eq!(all, labels(1.0));
        assert_ne!(all, Seeds::of_run(8).labels(some, 1.0).into_owned());
        let sorted = |labels: &[u8]| {
            let mut labels = labels.to_vec();
            labels.sort_unstable();
            labels
        };
        assert_eq!(sorted(&all[..200]), sorted(&images.labels()[..200]), "as many of each class");
        assert_eq!(all[200..], images.labels()[200..], "others keep theirs");
        let changed = |labels: &[u8]| labels.iter().zip(images.labels()).filter(|(a, b)| a != b).count();
        // One of ten classes is the next image's too: 180 and 90 on average, with standard deviations of about 4 and 3.
        assert!((160..=200).contains(&changed(&all)), "{}", changed(&all));
        assert!((75..=100).contains(&changed(&labels(0.5))), "{}", changed(&labels(0.5)));
        assert_eq!(changed(&labels(0.001)), 0, "no image has anyone to exchange with");
    }
}
