//! Estimates, intervals, paired tests and planning.
//!
//! Every function takes plain `f64` values or signs, never a network, and returns an error for input that has no answer
//! (too few values, a value that is not finite) instead of a NaN. Nothing here reads a clock, a file or the
//! system's random numbers: the Monte Carlo functions take a seed and repeat bit for bit.
//!
//! ```
//! let differences = [0.0081, 0.0090, 0.0078, 0.0085, 0.0081];
//! let result = stats::paired_t(&differences, 0.95)?;
//! assert!(result.interval.lower > 0.007 && result.p_value < 0.001);
//! # Ok::<(), stats::StatsError>(())
//! ```

mod answers;
mod bayes;
mod bootstrap;
mod crossed;
mod differences;
mod error;
mod estimate;
mod groups;
mod hypothesis;
mod letters;
mod measures;
mod planning;
mod random;
mod resampled;
mod special;
mod tuning;
mod unpaired;

pub use answers::{CountMeasure, PairedAnswers, PairedLosses};
pub use bayes::{SignedRankPosterior, bayesian_signed_rank};
pub use bootstrap::{BootstrapResult, two_way_bootstrap};
pub use crossed::{CrossedEstimate, crossed_estimate};
pub use differences::PairedDifferences;
pub use error::StatsError;
pub use estimate::{
    Interval, PairedT, mean, paired_t, sample_standard_deviation, t_interval, wilson_interval,
};
pub use groups::{KruskalWallis, kruskal_wallis};
pub use hypothesis::{Friedman, friedman, holm, holm_levels, mcnemar_exact};
pub use letters::compact_letters;
pub use measures::{ClassCounts, macro_auc};
pub use planning::{crossed_further_runs, further_runs, paired_t_power};
pub use random::IndexStream;
pub use resampled::{
    CorrectedResampledT, MEANINGFUL, Outperforming, corrected_resampled_t, probability_of_outperforming,
};
pub use tuning::expected_best;
pub use unpaired::{UnpairedEstimate, pseudovalues, unpaired_estimate};
