//! Random search and TPE with successive halving, as functions of the trials made so far.
//!
//! [`History::suggest`] says what to try next, [`Halving`] whether a trial is worth its next epoch, [`ranking`] which was best,
//! [`importance`] what mattered. All of them are functions of a seed and of the [`Trial`]s before: a search that is
//! stopped and taken up again from its recorded trials goes on exactly as one that never stopped. Nothing here reads a
//! file or a clock, and nothing knows what is tried.
//!
//! ```
//! use search::{Dimension, Domain, History, Sampler, Score, Space, Trial, Value, ranking};
//!
//! let rate = Dimension { name: "learning_rate".into(), domain: Domain::LogUniform { low: 1e-4, high: 1e-1 } };
//! let space = Space::new(vec![rate])?;
//! let mut history = History::of(&space, []);
//! for _ in 0..30 {
//!     let point = history.suggest(Sampler::Tpe, 0).expect("a new point");
//!     let Value::Number(rate) = point[0] else { unreachable!() };
//!     let score = Score { value: -(rate.log10() + 2.0).abs(), penalty: 0.0 };
//!     history.push(Trial { point, length: 1, scores: vec![score], failed: false });
//! }
//! let Value::Number(best) = history.trials()[ranking(history.trials())[0]].point[0] else { unreachable!() };
//! assert!((0.005..0.02).contains(&best));
//! # Ok::<(), search::SpaceError>(())
//! ```
//!
//! # Why the library `tpe`
//! The densities, the split and the choice by their ratio are those of the crate `tpe`: it is kept up (2026), small, MIT,
//! takes the random numbers from its caller, and holds nothing but the trials told to it, so that its answers are a
//! function of the two. It follows Bergstra et al. 2011: a prior in every density, widths by neighbours, tails cut off at
//! the range. Its densities are held against SciPy in `tests/golden.rs`. It has one dimension an optimiser, no names, no
//! integers, no logarithms, no pruning and no memory of what was tried: that is what stands here.
//! The crate `optimizer` (1.0) has all of it and was not taken: its densities have neither prior nor bounds, so that what
//! was drawn beyond an end piles up on it, and its random numbers depend on how many were drawn since the process began,
//! so that a resumed search is another one.

#![cfg_attr(not(test), deny(clippy::disallowed_methods))]

mod halving;
mod importance;
mod sampler;
mod space;
mod trial;

pub use halving::Halving;
pub use importance::{Importance, MINIMUM_TRIALS, importance};
pub use sampler::{History, Sampler};
pub use space::{Dimension, Domain, Space, SpaceError, Value};
pub use trial::{Score, Trial, best_so_far, ranking};
