//! What choosing the best epoch by the test images would have flattered.

use crate::{Run, learning, spread::Spread};
use records::record::{EpochRecord, Protocol};

/// The most accurate epoch on the test images, less that whose weights were tested, as a fraction; none where the test images
/// were not read after each.
pub fn optimism(run: &Run) -> Option<f64> {
    let protocol = run.protocol()?;
    let accuracy = |epoch: &EpochRecord| match protocol {
        Protocol::Sound | Protocol::Writers => epoch.test_accuracy,
        Protocol::Original => Some(epoch.validation_accuracy),
    };
    let all: Option<Vec<f64>> = run.epochs.iter().map(accuracy).collect();
    let all = all.filter(|all| all.iter().all(|value| value.is_finite()))?;
    let tested = run.epochs.iter().position(|epoch| Some(epoch.epoch) == learning::tested_epoch(run))?;
    Some(all.iter().copied().fold(f64::NEG_INFINITY, f64::max) - all[tested])
}

/// Over the runs of a model; none where a run lacks it.
pub(crate) fn optimism_of(runs: &[Run]) -> Option<Spread> {
    let all: Option<Vec<f64>> = runs.iter().map(|run| optimism(run)).collect();
    Spread::of(&all?)
}
