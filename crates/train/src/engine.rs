//! What computes a training.

use crate::CheckedRecipe;
use nn::{Evaluation, Model, MovingAverage, Optimiser, Target};
use rand_chacha::ChaCha8Rng;

/// A network with its parameters p, and what computes with them: all that [`crate::fit`], [`crate::evaluate`] and
/// [`crate::predict`] know of it. Another precision or another device is another implementation; batches, epochs,
/// schedules, augmentation and what is kept of a training stay as they are.
///
/// Images are `[height, width, channels]` bytes that the engine divides by 255, or such fractions that are drawn for it. A batch holds
/// 1 to [`Self::capacity`] images. Losses are softmax cross-entropies in nats. The same calls give the same bits.
pub trait Engine {
    /// Largest number of images in a batch.
    fn capacity(&self) -> usize;

    /// Number of classes.
    fn classes(&self) -> usize;

    /// Values of an image.
    fn image_length(&self) -> usize;

    /// Draws every parameter anew from `random`.
    fn initialise(&mut self, random: &mut ChaCha8Rng);

    /// Begins a training from the parameters as they are: the optimiser remembers no step, their average a is p, and what
    /// dropout leaves out is a function of `dropout_seed` and of the steps from here. Of the recipe it takes the optimiser with
    /// its constants, the label smoothing, the average's decay and, where it has a choice, the precision of the products, which
    /// `nn::check_precision` is asked about before. `class_weights` are as [`Model::set_class_weights`] has them.
    fn begin(&mut self, recipe: &CheckedRecipe, dropout_seed: u64, class_weights: Option<Vec<f64>>);

    /// Computes the gradient of the mean loss of a batch for [`Self::update`]: that of the images `image(0)`,
    /// `image(1)`, … against their labels. What comes back is the sum of the losses, before the update.
    fn differentiate_images<'a>(
        &mut self,
        labels: &[u8],
        image: &(dyn Fn(usize) -> &'a [u8] + Sync),
    ) -> Evaluation;

    /// As [`Self::differentiate_images`] for images that are drawn one by one: `draw` writes the pixels of the image of that
    /// number, of 0 to 1, and says what it is to be answered with. It is called once for each of `images`, in any order, on
    /// any thread.
    fn differentiate_drawn(
        &mut self,
        images: usize,
        draw: &(dyn Fn(usize, &mut [f32]) -> Target + Sync),
    ) -> Evaluation;

    /// Moves p against the last gradient, by the recipe's rule with its learning rate times `schedule`; then, where the recipe
    /// has an average, a ← d·a + (1 − d)·p as [`MovingAverage`] says.
    ///
    /// # Panics
    /// Before [`Self::begin`].
    fn update(&mut self, schedule: f64);

    /// Exchanges p with its average, where the recipe has one: measured is the average, learnt from is p.
    fn exchange_average(&mut self);

    /// Copies p, in single precision, into `to`, in the place of what was there.
    fn copy_parameters(&self, to: &mut Vec<f32>);

    /// Remembers p as it is, in the place of what was remembered before.
    fn keep_parameters(&mut self);

    /// Makes p what was remembered last.
    ///
    /// # Panics
    /// When nothing was.
    fn restore_parameters(&mut self);

    /// Loss and accuracy of a batch without learning from it.
    fn evaluate<'a>(&mut self, labels: &[u8], image: &(dyn Fn(usize) -> &'a [u8] + Sync)) -> Evaluation;

    /// The softmax `[image, class]` of the last batch that was evaluated; more rows than it had images may follow.
    fn probabilities(&self) -> &[f32];
}

/// This project's own engine in single precision: a [`Model`] on the processor's vector units, on the threads of the
/// `rayon` pool that calls it.
pub struct Native<'a> {
    model: &'a mut Model<f32>,
    optimiser: Option<Optimiser<f32>>,
    average: Option<MovingAverage<f32>>,
    kept: Option<Vec<f32>>,
}

impl<'a> Native<'a> {
    /// Computes with a model, in which all that is learnt stays.
    pub fn new(model: &'a mut Model<f32>) -> Self {
        Self { model, optimiser: None, average: None, kept: None }
    }

    /// The model, whose times and operations are measured.
    pub fn model(&mut self) -> &mut Model<f32> {
        self.model
    }

    /// The logits `[images, classes]` of a batch.
    pub fn logits<'i>(&mut self, images: usize, image: &(dyn Fn(usize) -> &'i [u8] + Sync)) -> &[f32] {
        self.model.set_batch(images, image);
        self.model.forward(images)
    }

    /// The probabilities `[images, classes]` of a batch.
    pub fn classify<'i>(&mut self, images: usize, image: &(dyn Fn(usize) -> &'i [u8] + Sync)) -> &[f32] {
        // Labels count for the loss alone, which nobody asks about.
        self.evaluate(&vec![0; images], image);
        &self.model.probabilities()[..images * self.model.classes()]
    }

    /// Values that an update moves, and how many of them lie in memory, as [`Optimiser::step_values`] and
    /// [`Optimiser::step_footprint`] count them.
    ///
    /// # Panics
    /// Before [`Engine::begin`].
    pub fn step_values(&self) -> [usize; 2] {
        let optimiser = self.optimiser.as_ref().expect("a training has begun");
        [optimiser.step_values(), optimiser.step_footprint()]
    }
}

impl Engine for Native<'_> {
    fn capacity(&self) -> usize {
        self.model.capacity()
    }

    fn classes(&self) -> usize {
        self.model.classes()
    }

    fn image_length(&self) -> usize {
        self.model.input_length()
    }

    fn initialise(&mut self, random: &mut ChaCha8Rng) {
        self.model.initialise(random);
    }

    fn begin(&mut self, recipe: &CheckedRecipe, dropout_seed: u64, class_weights: Option<Vec<f64>>) {
        let values = recipe.values();
        self.model.set_class_weights(class_weights);
        self.model.set_dropout_seed(dropout_seed);
        self.model.set_label_smoothing(values.label_smoothing);
        self.model.set_precision(values.precision);
        self.optimiser = Some(Optimiser::new(&recipe.update_rule(), self.model.specs()));
        self.average = values.average_decay.map(|decay| MovingAverage::new(decay, self.model.parameters()));
    }

    fn differentiate_images<'a>(
        &mut self,
        labels: &[u8],
        image: &(dyn Fn(usize) -> &'a [u8] + Sync),
    ) -> Evaluation {
        self.model.differentiate_images(labels, image)
    }

    fn differentiate_drawn(
        &mut self,
        images: usize,
        draw: &(dyn Fn(usize, &mut [f32]) -> Target + Sync),
    ) -> Evaluation {
        self.model.differentiate_drawn(images, draw)
    }

    fn update(&mut self, schedule: f64) {
        let optimiser = self.optimiser.as_mut().expect("a training has begun");
        self.model.update(optimiser, schedule);
        if let Some(average) = &mut self.average {
            self.model.add_to(average);
        }
    }

    fn exchange_average(&mut self) {
        if let Some(average) = &mut self.average {
            self.model.parameters_mut().swap_with_slice(average.values_mut());
        }
    }

    fn copy_parameters(&self, to: &mut Vec<f32>) {
        to.clear();
        to.extend_from_slice(self.model.parameters());
    }

    fn keep_parameters(&mut self) {
        let parameters = self.model.parameters();
        match &mut self.kept {
            Some(kept) => kept.copy_from_slice(parameters),
            None => self.kept = Some(parameters.to_vec()),
        }
    }

    fn restore_parameters(&mut self) {
        let kept = self.kept.as_ref().expect("parameters are kept");
        self.model.parameters_mut().copy_from_slice(kept);
    }

    fn evaluate<'a>(&mut self, labels: &[u8], image: &(dyn Fn(usize) -> &'a [u8] + Sync)) -> Evaluation {
        self.model.set_batch(labels.len(), image);
        self.model.evaluate(labels)
    }

    fn probabilities(&self) -> &[f32] {
        self.model.probabilities()
    }
}
