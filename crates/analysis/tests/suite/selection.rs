//! What choosing by the test images would flatter.

use crate::fixture::{model, run};
use analysis::{Run, selection::optimism};
use records::record::{EpochRecord, Protocol, RunRecord};

fn with_epochs(validation: [f64; 3], test: [Option<f64>; 3]) -> RunRecord {
    let mut record = run("a", 1, 1000, 0..15);
    record.epochs = (0..3)
        .map(|epoch| EpochRecord {
            epoch: epoch + 1,
            train_loss: 1.0,
            train_accuracy: 0.9,
            validation_loss: 1.0,
            validation_accuracy: validation[epoch],
            train_seconds: 1.0,
            validation_measure: None,
            test_accuracy: test[epoch],
        })
        .collect();
    record
}

#[test]
fn the_best_epoch_is_set_against_the_one_that_was_tested() {
    let run = with_epochs([0.9; 3], [Some(0.97), Some(0.99), Some(0.985)]);
    let kept = RunRecord { kept_epoch: Some(1), ..run.clone() };
    assert!((optimism(&Run::from(&kept)).expect("audited") - 0.02).abs() < 1e-12);
    assert!((optimism(&Run::from(&run)).expect("audited") - 0.005).abs() < 1e-12);
    let of_two = model([&run, &kept]).selection_optimism.expect("audited");
    assert!((of_two.mean - 0.0125).abs() < 1e-12);
    let unread = with_epochs([0.9; 3], [None, Some(0.99), Some(0.985)]);
    assert_eq!((optimism(&Run::from(&unread)), model([&run, &unread]).selection_optimism), (None, None));
}

#[test]
fn under_the_original_protocol_validation_is_the_test() {
    let mut run = with_epochs([0.95, 0.97, 0.96], [None; 3]);
    run.specification.protocol = Protocol::Original;
    assert!((optimism(&Run::from(&run)).expect("read after every epoch") - 0.01).abs() < 1e-12);
}
