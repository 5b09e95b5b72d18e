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
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct CrossValidation {
    /// Folds of a division.
    pub folds: usize,
    /// Divisions.
    pub repeats: usize,
    /// Which fraction of the other folds' images a run holds back to validate on; not in files where it is that of this program's own.
    #[serde(default = "own_share", skip_serializing_if = "is_own_share")]
    pub held_back: f64,
}

/// What this program holds back.
const OWN_SHARE: f64 = 1.0 / 12.0;

fn own_share() -> f64 {
    OWN_SHARE
}

fn is_own_share(share: &f64) -> bool {
    *share == OWN_SHARE
}

impl CrossValidation {
    /// Of this program's own runs.
    pub fn own(folds: usize, repeats: usize) -> Self {
        Self { folds, repeats, held_back: OWN_SHARE }
    }

    /// That which runs are of; none where they are of none.
    pub fn of<'a, 'b: 'a>(runs: impl IntoIterator<Item = &'a Run<'b>>) -> Option<Self> {
        let folds = runs.into_iter().filter_map(|run| Some((run.fold()?, run.held_back())));
        folds.fold(None, |all: Option<Self>, (fold, held_back)| {
            let all = all.unwrap_or(Self::own(0, 0));
            Some(Self {
                folds: all.folds.max(fold.folds),
                repeats: all.repeats.max(fold.repeat),
                held_back: held_back.unwrap_or(all.held_back),
            })
        })
    }

    /// The images of a fold over those that its runs learn from: those of the other folds but for what is held back to validate on.
    pub fn test_over_train(self) -> f64 {
        let others = (self.folds.max(2) - 1) as f64;
        match is_own_share(&self.held_back) {
            true => 12.0 / (11.0 * others),
            false => 1.0 / ((1.0 - self.held_back) * others),
        }
    }

    /// In words: `5 folds`, `5 folds × 3 repetitions`.
    pub fn in_words(self) -> String {
        match self {
            Self { folds, repeats: 1, .. } => format!("{folds} folds"),
            Self { folds, repeats, .. } => format!("{folds} folds × {repeats} repetitions"),
        }
    }
}

/// The runs that test each image once: of a cross-validation those of its first repetition, else all.
pub(crate) fn first_repeat<'a>(runs: &[Run<'a>]) -> Vec<Run<'a>> {
    let first = |run: &&Run| run.fold().is_none_or(|fold| fold.repeat == 1);
    runs.iter().filter(first).copied().collect()
}
