//! Probabilities against what came true.

use crate::fixture::{model, with_predictions};
use analysis::{
    Run,
    calibration::{bins, brier, calibration_error},
};
use records::record::RunRecord;

/// Sixty images of two classes: half of them sure and right, half of them at 0.6 and right every second time.
fn half_sure() -> RunRecord {
    let labels: Vec<u8> = (0..60).map(|image| u8::from(image >= 30 && image % 2 == 0)).collect();
    let mut run = with_predictions("a", 1, &labels, &[0; 60]);
    run.specification.dataset.classes = 2;
    let row = |image: usize| if image < 30 { [65535, 0] } else { [39321, 26214] };
    run.test.probabilities = (0..60).flat_map(row).collect();
    run
}

#[test]
fn the_figures_are_those_worked_out_by_hand() {
    let run = half_sure();
    let bins = bins(&[Run::from(&run)]).expect("probabilities");
    assert_eq!(bins.iter().map(|bin| bin.count).collect::<Vec<_>>(), [4; 15]);
    // Errors sort before rights at the same confidence, so the gaps of the bins are 0.6, 0.1 or 0.4.
    let gap: f64 = bins.iter().map(|bin| (bin.accuracy - bin.confidence).abs() * 4.0).sum::<f64>() / 60.0;
    assert!((calibration_error(&Run::from(&run)).expect("probabilities") - gap).abs() < 1e-12);
    assert_eq!(bins.last().map(|bin| (bin.confidence, bin.accuracy)), Some((1.0, 1.0)));
    // Half of the images score 0, a quarter 2 · 0.4² and a quarter 2 · 0.6².
    let expected = 0.25 * 2.0 * 0.16 + 0.25 * 2.0 * 0.36;
    assert!((brier(&Run::from(&run)).expect("probabilities") - expected).abs() < 1e-5);
}

#[test]
fn without_probabilities_there_is_no_figure() {
    let mut run = half_sure();
    run.test.probabilities.pop();
    assert_eq!(
        (bins(&[Run::from(&run)]), brier(&Run::from(&run)), calibration_error(&Run::from(&run))),
        (None, None, None)
    );
    assert_eq!(model([&run, &half_sure()]).calibration, None, "one run has none");
    let both = model([&half_sure(), &half_sure()]).calibration.expect("probabilities");
    assert_eq!(both.brier.map(|spread| spread.mean), brier(&Run::from(&half_sure())));
    assert_eq!(both.bins.iter().map(|bin| bin.count).sum::<usize>(), 120);
}
