//! What choosing the best epoch by the test images would have flattered.

use analysis::model::Model;

use crate::words::{
    numbers::{counted, percent, points},
    text::one_line,
};

/// What the runs support saying.
pub(crate) fn sentences(models: &[Model]) -> Vec<String> {
    let sentence = |model: &Model| {
        let spread = model.selection_optimism?;
        let name = one_line(model.name);
        let honest = model.accuracy?.mean;
        let deviation =
            spread.deviation.map_or(String::new(), |deviation| format!(" ± {}", percent(deviation)));
        Some(format!(
            "Reporting the epoch that the test images like best would show {} % for {name} instead of {} %: {}{deviation} too \
             much, over {}.",
            percent(honest + spread.mean),
            percent(honest),
            points(spread.mean),
            counted(model.runs.len(), "run")
        ))
    };
    models.iter().filter_map(sentence).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{model, record};
    use records::record::Protocol;

    #[test]
    fn the_best_epoch_is_set_against_the_one_that_was_tested() {
        let mut run = record("a", 1, 3, 0.05, Protocol::Sound);
        for (epoch, accuracy) in run.epochs.iter_mut().zip([0.97, 0.99, 0.985]) {
            epoch.test_accuracy = Some(accuracy);
        }
        run.test.accuracy = 0.985;
        assert_eq!(
            sentences(&[model(&[&run])]).concat(),
            "Reporting the epoch that the test images like best would show 99.00 % for a instead of 98.50 %: 0.50 points too \
             much, over 1 run."
        );
    }
}
