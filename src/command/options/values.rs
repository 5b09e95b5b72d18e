//! Values of options: names, and numbers within bounds.

use clap::ValueEnum;
use interchange::EPSILONS;
use nn::Preparation;
use train::{MAXIMUM_BATCH_SIZE, MAXIMUM_EPOCHS, Recipe};

/// The samplers by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum SamplerName {
    /// Tree-structured Parzen estimator: settings like the best trials' and unlike the others', after ten at random
    Tpe,
    /// Every setting at random
    Random,
}

/// Whether to show the plots.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Show {
    /// In the terminal where it can, else in the program that opens pictures; nothing when not at a terminal
    Auto,
    /// Not at all
    Never,
}

/// Which runs of a study keep their final weights.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum KeepModels {
    /// The last run of each model, that of the greatest seed or the last fold
    Last,
    /// Every run
    All,
    /// No run
    None,
}

/// The protocols by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ProtocolName {
    /// 55,000 images to train on, 5,000 selected at random to validate on, the test images read once after the last epoch
    Sound,
    /// As sound, but validated on the last 5,000 of the training file: by writers of their own, as the test images are
    Writers,
    /// 60,000 images to train on, the test images read after every epoch as if they were validation images
    Original,
}

impl From<ProtocolName> for records::record::Protocol {
    fn from(name: ProtocolName) -> Self {
        match name {
            ProtocolName::Sound => Self::Sound,
            ProtocolName::Writers => Self::Writers,
            ProtocolName::Original => Self::Original,
        }
    }
}

/// The measures that can decide by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum MeasureName {
    /// The fraction of test images that are classified correctly
    Accuracy,
    /// The mean over the classes of the fraction of their images that are classified correctly
    BalancedAccuracy,
    /// The mean over the classes of F1, the harmonic mean of precision and recall
    #[value(name = "macro-f1")]
    MacroF1,
    /// The mean of −ln(probability of the true class), in nats; lower is better
    LogLoss,
}

impl From<MeasureName> for records::question::Measure {
    fn from(name: MeasureName) -> Self {
        match name {
            MeasureName::Accuracy => Self::Accuracy,
            MeasureName::BalancedAccuracy => Self::BalancedAccuracy,
            MeasureName::MacroF1 => Self::MacroF1,
            MeasureName::LogLoss => Self::LogLoss,
        }
    }
}

/// The formats for a paper by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum FormatName {
    /// Tables to be put in by \input, and paper.tex, which shows all of them
    Latex,
    /// Tables of one observation a row, with every digit
    Csv,
    /// Figures for browsers and drawing programs
    Svg,
    /// Figures for LaTeX, which paper.tex shows too
    Pdf,
}

impl From<FormatName> for report::Format {
    fn from(name: FormatName) -> Self {
        match name {
            FormatName::Latex => Self::Latex,
            FormatName::Csv => Self::Csv,
            FormatName::Svg => Self::Svg,
            FormatName::Pdf => Self::Pdf,
        }
    }
}

/// What the products of a training are computed in, by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum PrecisionName {
    /// In float32 throughout
    Float32,
    /// Operands of most matrix products in a training step rounded to bfloat16, sums in float32; needs a processor with matrix tiles
    /// (Intel AMX)
    #[value(alias = "bfloat16")]
    Bf16,
}

impl From<PrecisionName> for train::Precision {
    fn from(name: PrecisionName) -> Self {
        match name {
            PrecisionName::Float32 => Self::Float32,
            PrecisionName::Bf16 => Self::Bf16,
        }
    }
}

/// The kinds of test-time augmentation by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum TestTimeAugmentationName {
    /// The image as it is
    None,
    /// Also its shifts by a pixel up, down, left and right; the mean of the probabilities answers
    FourShifts,
    /// Also its shifts by a pixel in all eight directions
    EightShifts,
}

impl From<TestTimeAugmentationName> for train::TestTimeAugmentation {
    fn from(name: TestTimeAugmentationName) -> Self {
        match name {
            TestTimeAugmentationName::None => Self::None,
            TestTimeAugmentationName::FourShifts => Self::FourShifts,
            TestTimeAugmentationName::EightShifts => Self::EightShifts,
        }
    }
}

/// Beyond this, threads only cost memory.
const MAXIMUM_THREADS: usize = 1024;

pub(crate) fn threads(text: &str) -> Result<usize, String> {
    whole_number(text, MAXIMUM_THREADS)
}

pub(crate) fn epochs(text: &str) -> Result<usize, String> {
    whole_number(text, MAXIMUM_EPOCHS)
}

/// A size in memory.
pub(crate) fn bytes(text: &str) -> Result<usize, String> {
    text.parse().map_err(|_| "a whole number of bytes expected, such as 16384".to_owned())
}

pub(crate) fn batch_size(text: &str) -> Result<usize, String> {
    whole_number(text, MAXIMUM_BATCH_SIZE)
}

fn whole_number(text: &str, maximum: usize) -> Result<usize, String> {
    let number = text.parse().ok().filter(|number| (1..=maximum).contains(number));
    number.ok_or_else(|| format!("a whole number from 1 to {maximum} is expected"))
}

pub(crate) fn minutes(text: &str) -> Result<f64, String> {
    let minutes = text.parse().ok().filter(|minutes| (0.01..=1e6).contains(minutes));
    minutes.ok_or_else(|| "a number from 0.01 to 1000000 is expected".to_owned())
}

pub(crate) fn points(text: &str) -> Result<f64, String> {
    let points = text.parse().ok().filter(|points| (0.001..100.0).contains(points));
    points.ok_or_else(|| {
        "percentage points (of log-loss nats) of 0.001 to below 100 are expected, such as 0.1".to_owned()
    })
}

pub(crate) fn accuracy(text: &str) -> Result<f64, String> {
    let accuracy = text.parse().ok().filter(|accuracy| *accuracy > 0.0 && *accuracy <= 1.0);
    accuracy.ok_or_else(|| "a fraction above 0 and at most 1 is expected, such as 0.994".to_owned())
}

pub(crate) fn seconds(text: &str) -> Result<f64, String> {
    let seconds = text.parse().ok().filter(|seconds: &f64| *seconds > 0.0 && seconds.is_finite());
    seconds.ok_or_else(|| "a number above 0 is expected".to_owned())
}

pub(crate) fn pixel_mean(text: &str) -> Result<f64, String> {
    let mean = text.parse().ok().filter(|mean| Preparation::new(&[*mean], &[1.0]).is_ok());
    mean.ok_or_else(|| {
        "a number from 0 to 1 is expected, as pixels are: divide one of 0..255 by 255".to_owned()
    })
}

pub(crate) fn pixel_std(text: &str) -> Result<f64, String> {
    let std = text.parse().ok().filter(|std| Preparation::new(&[0.0], &[*std]).is_ok());
    std.ok_or_else(|| {
        "a number from 0.00001 to 1 is expected, as pixels are 0 to 1: divide one of 0..255 by 255".to_owned()
    })
}

pub(crate) fn epsilon(text: &str) -> Result<f64, String> {
    let epsilon = text.parse().ok().filter(|epsilon| EPSILONS.contains(epsilon));
    epsilon.ok_or_else(|| "a number from 1e-12 to 0.1 is expected".to_owned())
}

pub(crate) fn bench_seconds(text: &str) -> Result<f64, String> {
    let seconds = text.parse().ok().filter(|seconds| (0.01..=3600.0).contains(seconds));
    seconds.ok_or_else(|| "a number from 0.01 to 3600 is expected".to_owned())
}

pub(crate) fn learning_rate(text: &str) -> Result<f64, String> {
    let expected = || "a number above 0 and at most 10 is expected".to_owned();
    let learning_rate = text.parse().map_err(|_| expected())?;
    match (Recipe { learning_rate, ..Recipe::default() }).check() {
        Ok(_) => Ok(learning_rate),
        Err(_) => Err(expected()),
    }
}
