//! Which runs of two models are partners, and what a cross-validation is.

use crate::Run;
use records::record::Fold;
use serde::{Deserialize, Serialize};
use std::fmt;

/// What a run shares with its partner of another model: the fold of a cross-validation, else the seed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Partner<'a> {
    /// Runs of one seed.
    Seed(u64),
    /// Runs tested on one fold, whatever their seeds.
    Fold(Fold),
    /// Runs of another program that are called alike.
    Name(&'a str),
}

impl Partner<'_> {
    /// What partners share, after "the same".
    pub fn shared(self) -> &'static str {
        match self {
            Self::Seed(_) => "seed",
            Self::Fold(_) => "fold",
            Self::Name(_) => "name",
        }
    }

    /// What a run is called within its model: `seed 3`, `fold 2 of repetition 1`, `run b`.
    pub fn in_words(self) -> String {
        match self {
            Self::Seed(_) | Self::Fold(_) => format!("{} {self}", self.shared()),
            Self::Name(name) => format!("run {name}"),
        }
    }
}

impl fmt::Display for Partner<'_> {
    fn fmt(&self, out: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::Seed(seed) => write!(out, "{seed}"),
            Self::Fold(Fold { repeat, fold, .. }) => write!(out, "{fold} of repetition {repeat}"),
            Self::Name(name) => out.write_str(name),
        }
    }
}

/// How the images are divided into those that a run learns from and those that it is tested on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct CrossValidation {
    /// Folds of a division.
    pub folds: usize,
    /// Divisions.
    pub repeats: usize,
}

impl CrossValidation {
    /// That which runs are of; none where they are of none.
    pub fn of<'a, 'b: 'a>(runs: impl IntoIterator<Item = &'a Run<'b>>) -> Option<Self> {
        let folds = runs.into_iter().filter_map(|run| run.fold());
        let all =
            |(folds, repeats): (usize, usize), fold: Fold| (folds.max(fold.folds), repeats.max(fold.repeat));
        let (folds, repeats) = folds.fold((0, 0), all);
        (folds > 0).then_some(Self { folds, repeats })
    }

    /// The images of a fold over those that its runs learn from: those of the other folds but a twelfth, which is held back to
    /// validate on.
    pub fn test_over_train(self) -> f64 {
        12.0 / (11 * (self.folds.max(2) - 1)) as f64
    }

    /// In words: `5 folds`, `5 folds × 3 repetitions`.
    pub fn in_words(self) -> String {
        match self {
            Self { folds, repeats: 1 } => format!("{folds} folds"),
            Self { folds, repeats } => format!("{folds} folds × {repeats} repetitions"),
        }
    }
}

/// The runs that test each image once: of a cross-validation those of its first repetition, else all.
pub(crate) fn first_repeat<'a>(runs: &[Run<'a>]) -> Vec<Run<'a>> {
    let first = |run: &&Run| run.fold().is_none_or(|fold| fold.repeat == 1);
    runs.iter().filter(first).copied().collect()
}
