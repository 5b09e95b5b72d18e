//! Trials as a search sees them.

use records::{
    question::Measure,
    record::EpochRecord,
    trial::{Outcome, TrialRecord},
};
use search::Score;

/// A trial; none where its settings are not a point of the search's space.
pub(super) fn trial(
    record: &TrialRecord,
    measure: Measure,
    point: Option<Vec<search::Value>>,
) -> Option<search::Trial> {
    let length = record.specification.as_ref().map_or(1, |run| run.recipe.epochs);
    let mut scores: Vec<Score> = record.epochs.iter().map(|epoch| score(epoch, measure)).collect();
    if let (Outcome::Finished, Some(kept)) = (&record.outcome, record.last()) {
        // Where the recipe itself ended early, the model would have stayed what it is; where it keeps the best parameters,
        // the last are not the model.
        scores.truncate(length - 1);
        scores.resize(length, score(kept, measure));
    }
    let failed = matches!(record.outcome, Outcome::Diverged | Outcome::Unusable(_));
    Some(search::Trial { point: point?, length: length as u64, scores, failed })
}

/// What the search goes by: the measure that decides, of which more is better, and the loss between equal ones. Of the loss less is
/// better: its value is negative.
pub(super) fn score(epoch: &EpochRecord, measure: Measure) -> Score {
    let value = epoch.validation(measure).unwrap_or(f64::NEG_INFINITY);
    let sign = if measure.larger_is_better() { 1.0 } else { -1.0 };
    Score { value: sign * value, penalty: epoch.validation_loss }
}
