//! What of the data each run draws for itself, and cross-validation.

use clap::{Args, ValueEnum};
use records::record::Resample;
use study::plan::{CrossValidation, MAXIMUM_FOLDS};

/// How runs differ in their data.
#[derive(Debug, Clone, Copy, Default, Args)]
pub(crate) struct DivisionArguments {
    /// What of the data each run draws anew by its seed, alike for all models, so that verdicts hold for other draws too
    #[arg(long, value_enum, value_name = "WHAT")]
    pub(crate) resample: Option<ResampleName>,
    /// Cross-validate in the place of a test part: deal the images out to so many folds, test on each once
    #[arg(long, value_name = "N", value_parser = count(2, MAXIMUM_FOLDS), conflicts_with = "seeds")]
    pub(crate) folds: Option<usize>,
    /// How often a cross-validation deals the images out anew [default: 1]
    #[arg(long, value_name = "N", value_parser = count(1, 1000), requires = "folds")]
    pub(crate) repeats: Option<usize>,
}

/// What a run draws, by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ResampleName {
    /// Nothing: all runs divide the data alike
    None,
    /// Which of the training images are held back to validate on
    Split,
    /// The images to learn from, with replacement, as many as there are
    Bootstrap,
}

impl From<ResampleName> for Resample {
    fn from(name: ResampleName) -> Self {
        match name {
            ResampleName::None => Self::None,
            ResampleName::Split => Self::Split,
            ResampleName::Bootstrap => Self::Bootstrap,
        }
    }
}

/// Reads a number of that range.
fn count(least: usize, most: usize) -> impl Fn(&str) -> Result<usize, String> + Clone + Send + Sync {
    move |text| {
        let number = text.parse().ok().filter(|number| (least..=most).contains(number));
        number.ok_or_else(|| format!("a whole number of {least} to {most} is expected"))
    }
}

impl DivisionArguments {
    /// The cross-validation that is asked for.
    pub(crate) fn cross_validation(self) -> Option<CrossValidation> {
        Some(CrossValidation { folds: self.folds?, repeats: self.repeats.unwrap_or(1) })
    }
}
