//! How a model is trained, as asked for and as checked.

use crate::{
    Augmentation, AugmentationError, OptimiserError, OptimiserSpec, PreparationSpec, Schedule, UpdateRule,
    named::name_or_table,
};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Most epochs that a recipe may ask for.
pub const MAXIMUM_EPOCHS: usize = 10_000;

/// Most images in a step: buffers grow with it.
pub const MAXIMUM_BATCH_SIZE: usize = 4096;

/// How a model is trained, not yet checked.
///
/// What is written of it holds its four principal values and, of the others, those that do something. An optimiser or a
/// schedule may be read from its name alone, `"sgd"`, or with constants, `{ kind = "sgd", momentum = 0.95 }`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Recipe {
    /// Passes over the training images.
    pub epochs: usize,
    /// Images in a step; the last step of an epoch may hold fewer.
    pub batch_size: usize,
    /// What moves the parameters, with its constants.
    #[serde(deserialize_with = "name_or_table")]
    pub optimiser: OptimiserSpec,
    /// Step size of the optimiser.
    pub learning_rate: f64,
    /// What the learning rate is multiplied by, step by step.
    #[serde(deserialize_with = "name_or_table", skip_serializing_if = "is_default")]
    pub schedule: Schedule,
    /// What draws weights to zero, as [`UpdateRule::weight_decay`] says.
    #[serde(skip_serializing_if = "is_default")]
    pub weight_decay: f64,
    /// How much of each answer is spread over all classes alike, a fraction.
    #[serde(skip_serializing_if = "is_default")]
    pub label_smoothing: f64,
    /// The largest norm of the gradient; a longer one is shortened.
    #[serde(skip_serializing_if = "is_default")]
    pub gradient_clip: Option<f64>,
    /// Decay of a moving average of all parameters, `nn::MovingAverage`, which is measured and kept in their place.
    #[serde(skip_serializing_if = "is_default")]
    pub average_decay: Option<f64>,
    /// Epochs in succession without a lower validation loss than any before, after which the training ends.
    #[serde(skip_serializing_if = "is_default")]
    pub early_stopping: Option<usize>,
    /// Whether the parameters after the epoch of the lowest validation loss are kept, instead of the last epoch's.
    #[serde(skip_serializing_if = "is_default")]
    pub keep_best: bool,
    /// What of an image is asked when validating and testing.
    #[serde(skip_serializing_if = "is_default")]
    pub test_time_augmentation: TestTimeAugmentation,
    /// What is done to the training images.
    #[serde(skip_serializing_if = "is_default")]
    pub augmentation: Augmentation,
    /// How much an image of a class counts in the gradient.
    #[serde(skip_serializing_if = "is_default")]
    pub class_weights: ClassWeights,
    /// What is made of pixels before the first layer reads them.
    #[serde(skip_serializing_if = "is_default")]
    pub preparation: PreparationSpec,
    /// How many of the training images are learnt from, each class in its proportion; none means all.
    #[serde(skip_serializing_if = "is_default")]
    pub training_images: Option<usize>,
    /// The fraction of the training images that exchange their labels at random: what can then be learnt of them is memorised.
    #[serde(skip_serializing_if = "is_default")]
    pub shuffled_labels: f64,
    /// What the products of a training step are computed in; everything else is float32.
    #[serde(skip_serializing_if = "is_default")]
    pub precision: Precision,
}

impl Default for Recipe {
    /// The study's: 5 epochs, batches of 128, Adam with a constant learning rate of 0.001.
    fn default() -> Self {
        Self {
            epochs: 5,
            batch_size: 128,
            optimiser: OptimiserSpec::default(),
            learning_rate: 1e-3,
            schedule: Schedule::default(),
            weight_decay: 0.0,
            label_smoothing: 0.0,
            gradient_clip: None,
            average_decay: None,
            early_stopping: None,
            keep_best: false,
            test_time_augmentation: TestTimeAugmentation::default(),
            augmentation: Augmentation::default(),
            class_weights: ClassWeights::default(),
            preparation: PreparationSpec::default(),
            training_images: None,
            shuffled_labels: 0.0,
            precision: Precision::default(),
        }
    }
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// What the matrix products of a training step are computed in. Parameters, the optimiser and every
/// evaluation are in float32 in either case.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Precision {
    /// Operands, products and sums in float32.
    #[default]
    Float32,
    /// Operands rounded to bfloat16, 8 bits of significand with float32's exponents, and their products added in float32. Not
    /// every layer is computed in it, and only processors with matrix tiles (Intel AMX) have it in hardware.
    Bf16,
}

impl Precision {
    /// Its name in study files, records and options.
    pub fn name(self) -> &'static str {
        match self {
            Self::Float32 => "float32",
            Self::Bf16 => "bf16",
        }
    }
}

impl fmt::Display for Precision {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// How much an image of a class counts in the gradient. Losses that are told are of images that count alike, so that those of
/// training and validation can be compared.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ClassWeights {
    /// All alike.
    #[default]
    None,
    /// n / (K n_c) for class c, of which n_c of the n training images are, where K classes occur: every class weighs the
    /// same together, and the mean weight of an image is 1 (King and Zeng 2001, as scikit-learn has it).
    Balanced,
}

impl ClassWeights {
    /// The weight of each of `classes` classes for training images of these labels; none where all count alike.
    ///
    /// # Panics
    /// When a label is not below `classes`.
    pub fn of(self, classes: usize, labels: impl Iterator<Item = u8>) -> Option<Vec<f64>> {
        if self == Self::None {
            return None;
        }
        let mut counts = vec![0_u64; classes];
        labels.for_each(|label| counts[usize::from(label)] += 1);
        let images = counts.iter().sum::<u64>() as f64;
        let occurring = counts.iter().filter(|count| **count > 0).count() as f64;
        // The weight of a class without images is never asked for.
        Some(counts.iter().map(|count| images / (occurring * (*count).max(1) as f64)).collect())
    }
}

/// Which versions of an image a model is asked about; the mean of the class probabilities is its answer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TestTimeAugmentation {
    /// The image.
    #[default]
    None,
    /// The image and its shifts by a pixel up, down, left and right.
    FourShifts,
    /// The image and its shifts by a pixel in all eight directions.
    EightShifts,
}

impl TestTimeAugmentation {
    /// Rows and columns that the image is moved by in each view beside itself; nothing where it is the only one.
    pub fn shifts(self) -> &'static [(isize, isize)] {
        match self {
            Self::None => &[],
            Self::FourShifts => &[(-1, 0), (0, -1), (0, 1), (1, 0)],
            Self::EightShifts => &[(-1, -1), (-1, 0), (-1, 1), (0, -1), (0, 1), (1, -1), (1, 0), (1, 1)],
        }
    }
}

/// Which images a training is validated on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Validation {
    /// Images that are neither learnt from nor tested on: choosing by them is sound.
    HeldOut,
    /// The test images: whatever is chosen by them flatters the test.
    TestImages,
}

/// A recipe whose every value is usable; the only form that `train::fit` takes.
#[derive(Debug, Clone, PartialEq)]
pub struct CheckedRecipe(Recipe);

impl CheckedRecipe {
    /// The values.
    pub fn values(&self) -> &Recipe {
        &self.0
    }

    /// How the parameters are moved.
    pub fn update_rule(&self) -> UpdateRule {
        let Recipe { optimiser, learning_rate, weight_decay, gradient_clip, .. } = self.0;
        UpdateRule { optimiser, learning_rate, weight_decay, gradient_clip }
    }
}

/// A value that no training can use.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum RecipeError {
    /// Epochs of 0 or absurdly many.
    #[error("epochs: 1 to {MAXIMUM_EPOCHS} expected, {0} found")]
    Epochs(usize),
    /// A batch of 0 images or more than memory is made for.
    #[error("batch size: 1 to {MAXIMUM_BATCH_SIZE} expected, {0} found")]
    BatchSize(usize),
    /// A step size that is not positive, or not a number.
    #[error("learning rate: a number above 0 and at most 10 expected, {0} found")]
    LearningRate(f64),
    /// A constant of the optimiser.
    #[error("optimiser {0}")]
    Optimiser(#[from] OptimiserError),
    /// No images to learn from.
    #[error("training images: 1 or more expected, 0 found")]
    NoTrainingImages,
    /// An epoch's count of the schedule or of early stopping.
    #[error("{name}: 1 to {MAXIMUM_EPOCHS} epochs expected, {found} found")]
    EpochCount {
        /// The value's name.
        name: &'static str,
        /// What it is.
        found: usize,
    },
    /// Another number.
    #[error("{name}: {expected} expected, {found} found")]
    Value {
        /// The value's name.
        name: &'static str,
        /// What it may be.
        expected: &'static str,
        /// What it is.
        found: f64,
    },
    /// A value of the augmentation.
    #[error(transparent)]
    Augmentation(#[from] AugmentationError),
    /// Something that chooses by the validation images, where those are the test images.
    #[error(
        "{name}: held-out validation images expected, the test images validate this training: \
         what is chosen by them flatters the test"
    )]
    ChosenByTest {
        /// The value's name.
        name: &'static str,
    },
}

impl Recipe {
    /// The recipe, if every value is usable and nothing is chosen by test images.
    ///
    /// # Errors
    /// Names the first value that is not.
    pub fn checked_for(self, validation: Validation) -> Result<CheckedRecipe, RecipeError> {
        self.check()?;
        if validation == Validation::TestImages {
            let chosen = [(self.early_stopping.is_some(), "early stopping"), (self.keep_best, "keep best")];
            if let Some((_, name)) = chosen.into_iter().find(|(asked, _)| *asked) {
                return Err(RecipeError::ChosenByTest { name });
            }
        }
        Ok(CheckedRecipe(self))
    }

    /// Whether every value is usable, whatever validates the training.
    ///
    /// # Errors
    /// Names the first value that is not.
    pub fn check(&self) -> Result<(), RecipeError> {
        if !(1..=MAXIMUM_EPOCHS).contains(&self.epochs) {
            return Err(RecipeError::Epochs(self.epochs));
        }
        if !(1..=MAXIMUM_BATCH_SIZE).contains(&self.batch_size) {
            return Err(RecipeError::BatchSize(self.batch_size));
        }
        if !(self.learning_rate > 0.0 && self.learning_rate <= 10.0) {
            return Err(RecipeError::LearningRate(self.learning_rate));
        }
        self.optimiser.check()?;
        self.check_schedule()?;
        self.check_regularisation()?;
        self.check_images()?;
        self.augmentation.check()?;
        match self.early_stopping {
            Some(found) => check_epochs("early stopping", found),
            None => Ok(()),
        }
    }

    fn check_images(&self) -> Result<(), RecipeError> {
        if self.training_images == Some(0) {
            return Err(RecipeError::NoTrainingImages);
        }
        let shuffled = self.shuffled_labels;
        check_value("shuffled labels", "a number from 0 to 1", shuffled, (0.0..=1.0).contains(&shuffled))
    }

    fn check_schedule(&self) -> Result<(), RecipeError> {
        let fraction =
            |name, found| check_value(name, "a number from 0 to 1", found, (0.0..=1.0).contains(&found));
        match self.schedule {
            Schedule::Constant => Ok(()),
            Schedule::Step { every_epochs, factor } => {
                check_epochs("schedule every epochs", every_epochs)?;
                let usable = factor > 0.0 && factor <= 1.0;
                check_value("schedule factor", "a number above 0 and at most 1", factor, usable)
            }
            Schedule::Cosine { warm_up, final_fraction } => {
                fraction("schedule warm up", warm_up)?;
                fraction("schedule final fraction", final_fraction)
            }
            Schedule::OneCycle { warm_up, initial_fraction, final_fraction } => {
                fraction("schedule warm up", warm_up)?;
                fraction("schedule initial fraction", initial_fraction)?;
                fraction("schedule final fraction", final_fraction)
            }
        }
    }

    fn check_regularisation(&self) -> Result<(), RecipeError> {
        let below_one = |name, found| {
            check_value(name, "a number from 0 and below 1", found, (0.0..1.0).contains(&found))
        };
        // A rate times a decay of 1 and more would turn the weights' signs.
        let decay = self.weight_decay;
        let rate = match self.optimiser {
            OptimiserSpec::Muon(muon) => self.learning_rate.max(muon.adam_learning_rate),
            OptimiserSpec::Sgd(_)
            | OptimiserSpec::RmsProp(_)
            | OptimiserSpec::Adam(_)
            | OptimiserSpec::AdamW(_) => self.learning_rate,
        };
        let usable = (0.0..=1.0).contains(&decay) && rate * decay < 1.0;
        check_value("weight decay", "a number from 0 to 1, below 1 / learning rate", decay, usable)?;
        below_one("label smoothing", self.label_smoothing)?;
        if let Some(clip) = self.gradient_clip {
            check_value("gradient clip", "a number above 0", clip, clip > 0.0 && clip.is_finite())?;
        }
        match self.average_decay {
            Some(decay) => below_one("average decay", decay),
            None => Ok(()),
        }
    }
}

fn check_value(
    name: &'static str,
    expected: &'static str,
    found: f64,
    usable: bool,
) -> Result<(), RecipeError> {
    if usable { Ok(()) } else { Err(RecipeError::Value { name, expected, found }) }
}

fn check_epochs(name: &'static str, found: usize) -> Result<(), RecipeError> {
    if (1..=MAXIMUM_EPOCHS).contains(&found) { Ok(()) } else { Err(RecipeError::EpochCount { name, found }) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Validation::{HeldOut, TestImages};

    #[test]
    fn every_unusable_value_is_named() {
        let recipe = Recipe::default();
        assert_eq!(recipe.clone().checked_for(HeldOut).map(|checked| checked.values().clone()), Ok(recipe));
        let error = |recipe: Recipe| recipe.check().expect_err("unusable").to_string();
        let default = Recipe::default;
        assert_eq!(error(Recipe { epochs: 0, ..default() }), "epochs: 1 to 10000 expected, 0 found");
        assert_eq!(error(Recipe { epochs: 10_001, ..default() }), "epochs: 1 to 10000 expected, 10001 found");
        assert_eq!(error(Recipe { batch_size: 0, ..default() }), "batch size: 1 to 4096 expected, 0 found");
        assert_eq!(
            error(Recipe { batch_size: 4097, ..default() }),
            "batch size: 1 to 4096 expected, 4097 found"
        );
        for learning_rate in [0.0, -1e-3, 11.0, f64::INFINITY, f64::NAN] {
            assert_eq!(
                error(Recipe { learning_rate, ..default() }),
                format!("learning rate: a number above 0 and at most 10 expected, {learning_rate} found")
            );
        }
        assert_eq!(
            error(Recipe { weight_decay: -0.1, ..default() }),
            "weight decay: a number from 0 to 1, below 1 / learning rate expected, -0.1 found"
        );
        let turned = Recipe { weight_decay: 0.5, learning_rate: 2.0, ..Recipe::default() };
        assert!(turned.check().is_err(), "it would turn the weights' signs");
        assert_eq!(
            error(Recipe { label_smoothing: 1.0, ..default() }),
            "label smoothing: a number from 0 and below 1 expected, 1 found"
        );
        for clip in [0.0, f64::INFINITY] {
            assert_eq!(
                error(Recipe { gradient_clip: Some(clip), ..default() }),
                format!("gradient clip: a number above 0 expected, {clip} found")
            );
        }
        assert_eq!(
            error(Recipe { training_images: Some(0), ..default() }),
            "training images: 1 or more expected, 0 found"
        );
        for shuffled_labels in [-0.1, 1.1] {
            assert_eq!(
                error(Recipe { shuffled_labels, ..default() }),
                format!("shuffled labels: a number from 0 to 1 expected, {shuffled_labels} found")
            );
        }
        assert_eq!(
            error(Recipe { average_decay: Some(1.0), ..default() }),
            "average decay: a number from 0 and below 1 expected, 1 found"
        );
        assert_eq!(
            error(Recipe { early_stopping: Some(0), ..default() }),
            "early stopping: 1 to 10000 epochs expected, 0 found"
        );
        let augmentation = Augmentation { shift: -1.0, ..Augmentation::default() };
        assert_eq!(
            error(Recipe { augmentation, ..default() }),
            "augmentation shift: 0 to 256 expected, -1 found"
        );
        let optimiser = OptimiserSpec::Sgd(crate::SgdConstants { momentum: 1.0, nesterov: false });
        assert_eq!(
            error(Recipe { optimiser, ..default() }),
            "optimiser sgd momentum: a number from 0 and below 1 expected, 1 found"
        );
    }

    #[test]
    fn every_unusable_value_of_a_schedule_is_named() {
        let error =
            |schedule| Recipe { schedule, ..Recipe::default() }.check().expect_err("unusable").to_string();
        let step = |every_epochs, factor| Schedule::Step { every_epochs, factor };
        assert_eq!(error(step(0, 0.1)), "schedule every epochs: 1 to 10000 epochs expected, 0 found");
        assert_eq!(error(step(1, 0.0)), "schedule factor: a number above 0 and at most 1 expected, 0 found");
        let cosine = |warm_up, final_fraction| Schedule::Cosine { warm_up, final_fraction };
        assert_eq!(error(cosine(1.1, 0.0)), "schedule warm up: a number from 0 to 1 expected, 1.1 found");
        assert_eq!(
            error(cosine(0.1, f64::NAN)),
            "schedule final fraction: a number from 0 to 1 expected, NaN found"
        );
        let cycle = |warm_up, initial_fraction, final_fraction| Schedule::OneCycle {
            warm_up,
            initial_fraction,
            final_fraction,
        };
        assert_eq!(
            error(cycle(-0.1, 0.1, 0.0)),
            "schedule warm up: a number from 0 to 1 expected, -0.1 found"
        );
        assert_eq!(
            error(cycle(0.1, 2.0, 0.0)),
            "schedule initial fraction: a number from 0 to 1 expected, 2 found"
        );
        assert_eq!(
            error(cycle(0.1, 0.1, 2.0)),
            "schedule final fraction: a number from 0 to 1 expected, 2 found"
        );
    }

    /// scikit-learn's `compute_class_weight("balanced", classes=[0, 1, 2], y=[0, 0, 0, 0, 1, 1, 2, 2])`.
    #[test]
    fn balanced_classes_weigh_the_same_together() {
        let labels = || [0, 0, 0, 0, 1, 1, 2, 2].into_iter();
        let weights = ClassWeights::Balanced.of(3, labels()).expect("weights");
        assert_eq!(weights, [8.0 / 12.0, 8.0 / 6.0, 8.0 / 6.0]);
        assert_eq!(ClassWeights::Balanced.of(4, labels()).expect("weights")[..3], weights);
        assert_eq!(ClassWeights::None.of(3, labels()), None);
    }

    #[test]
    fn nothing_is_chosen_by_test_images() {
        let stopping = Recipe { early_stopping: Some(3), ..Recipe::default() };
        let best = Recipe { keep_best: true, ..Recipe::default() };
        for (recipe, name) in [(stopping, "early stopping"), (best, "keep best")] {
            assert!(recipe.clone().checked_for(HeldOut).is_ok());
            assert_eq!(recipe.checked_for(TestImages), Err(RecipeError::ChosenByTest { name }));
        }
        assert_eq!(
            RecipeError::ChosenByTest { name: "keep best" }.to_string(),
            "keep best: held-out validation images expected, the test images validate this training: what is \
             chosen by them flatters the test"
        );
        assert!(Recipe::default().checked_for(TestImages).is_ok());
    }

    #[test]
    fn a_recipe_is_written_shortly_and_read_back() {
        let default = serde_json::to_string(&Recipe::default()).expect("plain values");
        assert_eq!(
            default,
            r#"{"epochs":5,"batch_size":128,"optimiser":{"kind":"adam","beta_1":0.9,"beta_2":0.999,"epsilon":1e-7},"learning_rate":0.001}"#
        );
        let full = Recipe {
            optimiser: OptimiserSpec::Muon(crate::MuonConstants::default()),
            schedule: Schedule::OneCycle { warm_up: 0.2, initial_fraction: 0.1, final_fraction: 0.01 },
            weight_decay: 0.01,
            label_smoothing: 0.1,
            gradient_clip: Some(1.0),
            average_decay: Some(0.99),
            early_stopping: Some(3),
            keep_best: true,
            test_time_augmentation: TestTimeAugmentation::EightShifts,
            augmentation: Augmentation { shift: 2.0, ..Augmentation::default() },
            class_weights: ClassWeights::Balanced,
            preparation: PreparationSpec::Standardise,
            training_images: Some(500),
            shuffled_labels: 0.2,
            precision: Precision::Bf16,
            ..Recipe::default()
        };
        let text = serde_json::to_string(&full).expect("plain values");
        assert_eq!(serde_json::from_str::<Recipe>(&text).expect("what was written"), full, "{text}");
    }

    /// Identities of records follow from what is written.
    #[test]
    fn a_precision_is_written_where_it_is_not_the_usual_one() {
        let written = |precision| {
            let recipe = Recipe { precision, ..Recipe::default() };
            let text = serde_json::to_string(&recipe).expect("plain values");
            assert_eq!(serde_json::from_str::<Recipe>(&text).expect("what was written"), recipe);
            text
        };
        assert!(!written(Precision::Float32).contains("precision"));
        assert!(written(Precision::Bf16).ends_with(r#","precision":"bf16"}"#));
        for precision in [Precision::Float32, Precision::Bf16] {
            let read: Precision = serde_json::from_value(precision.name().into()).expect("its name");
            assert_eq!((read, read.to_string()), (precision, precision.name().to_owned()));
        }
    }

    #[test]
    fn names_stand_for_their_constants() {
        let read = |text: &str| serde_json::from_str::<Recipe>(text);
        assert_eq!(read("{}").expect("all default"), Recipe::default());
        let recipe = read(r#"{"optimiser": "sgd", "schedule": "cosine"}"#).expect("usable");
        assert_eq!(recipe.optimiser, OptimiserSpec::Sgd(crate::SgdConstants::default()));
        assert_eq!(recipe.schedule, Schedule::Cosine { warm_up: 0.0, final_fraction: 0.0 });
        let recipe = read(r#"{"schedule": {"kind": "one-cycle", "warm_up": 0.5}}"#).expect("usable");
        let expected = Schedule::OneCycle { warm_up: 0.5, initial_fraction: 0.04, final_fraction: 0.0 };
        assert_eq!(recipe.schedule, expected);
        for (text, problem) in [
            (r#"{"epoch": 3}"#, "unknown field `epoch`"),
            (r#"{"optimiser": "adagrad"}"#, "unknown variant `adagrad`"),
            (r#"{"optimiser": {"kind": "sgd", "speed": 1}}"#, "unknown field `speed`"),
            (r#"{"schedule": {"kind": "cosine", "cold_down": 1}}"#, "unknown field `cold_down`"),
            (r#"{"schedule": "step"}"#, "missing field `every_epochs`"),
            (r#"{"precision": "float16"}"#, "unknown variant `float16`, expected `float32` or `bf16`"),
            (r#"{"optimiser": 3}"#, "invalid type: integer `3`, expected a name, or a table"),
        ] {
            let error = read(text).expect_err("unusable").to_string();
            assert!(error.starts_with(problem), "{text}: {error}");
        }
    }
}
