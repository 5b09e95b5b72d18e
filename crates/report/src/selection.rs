//! What choosing the best epoch by the test images would have flattered.

use records::record::{Protocol, RunRecord};

use crate::{
    Model, learning,
    numbers::{Spread, counted, percent, points},
    text::markdown,
};

/// The most accurate epoch on the test images, less that whose weights were tested; none where the test images were not read after each.
pub(crate) fn optimism(run: &RunRecord) -> Option<f64> {
    let accuracy = |epoch: &records::record::EpochRecord| match run.specification.protocol {
        Protocol::Sound | Protocol::Writers => epoch.test_accuracy,
        Protocol::Original => Some(epoch.validation_accuracy),
    };
    let all: Option<Vec<f64>> = run.epochs.iter().map(accuracy).collect();
    let all = all.filter(|all| all.iter().all(|value| value.is_finite()))?;
    let tested = run.epochs.iter().position(|epoch| Some(epoch.epoch) == learning::tested_epoch(run))?;
    Some(all.iter().copied().fold(f64::NEG_INFINITY, f64::max) - all[tested])
}

/// The mean over a model's runs, with its deviation; none where a run lacks it.
pub(crate) fn of_model(model: &Model) -> Option<Spread> {
    let all: Option<Vec<f64>> = model.runs.iter().map(|run| optimism(run)).collect();
    Spread::of(&all?)
}

/// What the runs support saying.
pub(crate) fn sentences(models: &[Model]) -> Vec<String> {
    let sentence = |model: &Model| {
        let spread = of_model(model)?;
        let name = markdown(model.name);
        let honest = Spread::of(&model.figures(|run| run.test.accuracy))?.mean;
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
    use crate::fixture::record;

    #[test]
    fn the_best_epoch_is_set_against_the_last() {
        let mut run = record("a", 1, 3, 0.05, Protocol::Sound);
        assert_eq!(optimism(&run), None);
        for (epoch, accuracy) in run.epochs.iter_mut().zip([0.97, 0.99, 0.985]) {
            epoch.test_accuracy = Some(accuracy);
        }
        run.test.accuracy = 0.985;
        let kept = RunRecord { kept_epoch: Some(1), ..run.clone() };
        assert!((optimism(&kept).expect("audited") - 0.02).abs() < 1e-12);
        assert!((optimism(&run).expect("audited") - 0.005).abs() < 1e-12);
        let sentence = sentences(&[Model { name: "a", runs: vec![&run] }]).concat();
        assert_eq!(
            sentence,
            "Reporting the epoch that the test images like best would show 99.00 % for a instead of 98.50 %: 0.50 points too \
             much, over 1 run."
        );
        run.epochs[0].test_accuracy = None;
        assert_eq!(optimism(&run), None);
        let original = record("a", 1, 3, 0.05, Protocol::Original);
        assert_eq!(optimism(&original), Some(0.0), "its error falls from epoch to epoch");
    }
}
