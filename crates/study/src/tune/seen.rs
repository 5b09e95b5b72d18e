//! Trials as a search sees them.

use records::{
    record::EpochRecord,
    trial::{Outcome, TrialRecord},
};
use search::Score;

/// A trial; none where its settings are not a point of the search's space.
pub(super) fn trial(record: &TrialRecord, point: Option<Vec<search::Value>>) -> Option<search::Trial> {
    let length = record.specification.as_ref().map_or(1, |run| run.recipe.epochs);
    let mut scores: Vec<Score> = record.epochs.iter().map(score).collect();
    if let (Outcome::Finished, Some(kept)) = (&record.outcome, record.last()) {
        // Where the recipe itself ended early, the model would have stayed what it is; where it keeps the best parameters,
        // the last are not the model.
        scores.truncate(length - 1);
        scores.resize(length, score(kept));
    }
    let failed = matches!(record.outcome, Outcome::Diverged | Outcome::Unusable(_));
    Some(search::Trial { point: point?, length: length as u64, scores, failed })
}

/// What the search goes by: validation accuracy, and the loss between equal ones.
pub(super) fn score(epoch: &EpochRecord) -> Score {
    Score { value: epoch.validation_accuracy, penalty: epoch.validation_loss }
}
