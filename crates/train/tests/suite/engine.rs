//! The training loop with another engine than the native one.

use crate::common::{NoClock, corpus, model, network, sets, train};
use nn::{Evaluation, InstructionSet, Model, MovingAverage, Optimiser, Target};
use rand_chacha::ChaCha8Rng;
use std::ops::ControlFlow;
use train::{
    CheckedRecipe, Engine, Event, Native, Recipe, Seeds, Subset, TestTimeAugmentation, Validation, fit,
    predict,
};

/// In double precision.
struct Double {
    model: Model<f64>,
    training: Option<(Optimiser<f64>, Option<MovingAverage<f64>>)>,
    kept: Vec<f64>,
    probabilities: Vec<f32>,
}

impl Double {
    fn of(model: Model<f64>) -> Self {
        Self { model, training: None, kept: Vec::new(), probabilities: Vec::new() }
    }
}

impl Engine for Double {
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
        self.model.set_class_weights(class_weights);
        self.model.set_dropout_seed(dropout_seed);
        self.model.set_label_smoothing(recipe.values().label_smoothing);
        let optimiser = Optimiser::new(&recipe.update_rule(), self.model.specs());
        let average =
            recipe.values().average_decay.map(|decay| MovingAverage::new(decay, self.model.parameters()));
        self.training = Some((optimiser, average));
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
        self.model.differentiate_drawn(images, |image, pixels| {
            let mut drawn = vec![0.0; pixels.len()];
            let target = draw(image, &mut drawn);
            pixels.iter_mut().zip(drawn).for_each(|(to, from)| *to = f64::from(from));
            target
        })
    }

    fn update(&mut self, schedule: f64) {
        let (optimiser, average) = self.training.as_mut().expect("begun");
        self.model.update(optimiser, schedule);
        if let Some(average) = average {
            self.model.add_to(average);
        }
    }

    fn exchange_average(&mut self) {
        if let Some((_, Some(average))) = &mut self.training {
            self.model.parameters_mut().swap_with_slice(average.values_mut());
        }
    }

    fn copy_parameters(&self, to: &mut Vec<f32>) {
        to.clear();
        to.extend(self.model.parameters().iter().map(|value| *value as f32));
    }

    fn keep_parameters(&mut self) {
        self.kept = self.model.parameters().to_vec();
    }

    fn restore_parameters(&mut self) {
        self.model.parameters_mut().copy_from_slice(&self.kept);
    }

    fn evaluate<'a>(&mut self, labels: &[u8], image: &(dyn Fn(usize) -> &'a [u8] + Sync)) -> Evaluation {
        self.model.set_batch(labels.len(), image);
        let evaluation = self.model.evaluate(labels);
        self.probabilities = self.model.probabilities().iter().map(|p| *p as f32).collect();
        evaluation
    }

    fn probabilities(&self) -> &[f32] {
        &self.probabilities
    }
}

/// Recipe, schedule, augmentation, average and early stopping are the loop's: with parameters of 64 bits it goes the way that it
/// goes with those of 32, up to their rounding.
#[test]
fn another_precision_trains_the_same() {
    let (set, corpus) = (InstructionSet::PORTABLE, corpus());
    // Nothing has a kink, over which a rounding could carry a value.
    let smooth = network("flatten, dense 16, tanh, dropout 0.2, dense classes");
    let mut recipes = crate::same::recipes();
    recipes.push(Recipe { epochs: 2, ..Recipe::default() });
    for (number, recipe) in recipes.into_iter().enumerate() {
        let mut single = model(set, &smooth);
        let fitted = train(&mut single, recipe.clone(), &corpus);
        let double = Model::new(set, &smooth, [28, 28], 10, 128).expect("it fits");
        let engine: &mut dyn Engine = &mut Double::of(double);
        let seeds = Seeds::of_run(7);
        seeds.initialise(engine);
        let checked = recipe.checked_for(Validation::HeldOut).expect("usable");
        let mut listener = |_: Event| ControlFlow::Continue(());
        let found = fit(engine, &checked, seeds, sets(&corpus), &NoClock, &mut listener).expect("trained");
        assert_eq!((found.epochs.len(), found.kept_epoch), (fitted.epochs.len(), fitted.kept_epoch));
        for (found, expected) in found.epochs.iter().zip(&fitted.epochs) {
            for (found, expected) in [(found.train, expected.train), (found.validation, expected.validation)]
            {
                let difference = (found.loss() - expected.loss()).abs();
                assert!(difference < 1e-4 * expected.loss(), "recipe {number}: {found:?}, {expected:?}");
            }
        }
        let test = Subset::all(corpus.test());
        let found = predict(engine, test, TestTimeAugmentation::FourShifts);
        let expected = predict(&mut Native::new(&mut single), test, TestTimeAugmentation::FourShifts);
        let far =
            found.probabilities.iter().zip(&expected.probabilities).map(|(one, other)| (one - other).abs());
        assert!(far.fold(0.0, f32::max) < 1e-3, "recipe {number}");
    }
}
