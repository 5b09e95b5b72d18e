//! Which of two models is better, by how much, and how surely.

use serde::{Deserialize, Serialize};

/// Two models of a study, judged on their paired runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// The first model.
    pub a: String,
    /// The second model.
    pub b: String,
    /// Pairs of runs that share their seed.
    pub runs: usize,
    /// Mean test accuracy of `a` minus that of `b`, over the paired runs, as a fraction.
    pub difference: f64,
    /// 95 % interval of the difference: lower and upper end, as fractions.
    pub interval: [f64; 2],
    /// What the interval allows for.
    pub interval_covers: Coverage,
    /// Two-sided, corrected by Holm's method when a study makes several comparisons.
    pub p_value: f64,
    /// The decision behind the sentence.
    pub outcome: Outcome,
    /// When the runs cannot tell: about how many more of each model would, at 80 % power.
    pub further_runs: Option<u64>,
    /// Mean training seconds of `a` divided by those of `b`.
    pub train_seconds_ratio: f64,
    /// The result in one sentence.
    pub verdict: String,
}

/// The sources of variation that an interval allows for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Coverage {
    /// One run of each model: other test images, not other seeds.
    Images,
    /// Several runs: other seeds and other test images.
    RunsAndImages,
}

/// What the paired runs support.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// The whole interval lies above zero.
    ABetter,
    /// The whole interval lies below zero.
    BBetter,
    /// The whole interval lies within ±0.05 points.
    PracticallyEqual,
    /// The interval holds zero.
    CannotTell,
}
