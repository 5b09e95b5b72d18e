//! Targets and Pareto fronts, on records made by hand.

use crate::fixture::{models, run};
use analysis::{pareto::standings, target::attempts};
use records::{record::RunRecord, target::Target};

fn sized(model: &str, seed: u64, missed: usize, parameters: usize, seconds: f64) -> RunRecord {
    let mut record = run(model, seed, 1000, 0..missed);
    record.parameters = parameters;
    record.multiply_adds = 10 * parameters as u64;
    record.train_seconds = seconds;
    record
}

const TARGET: Target = Target {
    accuracy: 0.99,
    max_parameters: Some(500),
    max_multiply_adds: None,
    max_ram_bytes: None,
    max_flash_bytes: None,
    max_epochs: None,
    max_train_seconds: Some(5.0),
};

#[test]
fn runs_that_reach_the_target_are_counted() {
    let records = [
        sized("large", 1, 0, 501, 1.0),
        sized("small", 1, 10, 500, 1.0),
        sized("slow", 1, 0, 100, 9.0),
        sized("small", 2, 11, 500, 1.0),
        sized("slow", 2, 0, 100, 5.0),
        sized("small", 3, 9, 500, 1.0),
    ];
    let attempts = attempts(&models(&records), &TARGET);
    let counts: Vec<(&str, usize, usize)> =
        attempts.iter().map(|one| (one.model.as_str(), one.passed, one.runs)).collect();
    assert_eq!(counts, [("small", 2, 3), ("slow", 1, 2), ("large", 0, 1)]);
    assert_eq!(attempts[2].exceeds, ["501 parameters, 500 allowed"]);
    // Only one of its runs is too slow.
    assert!(attempts[1].exceeds.is_empty());
    // Wilson's interval of 2 of 3, by R's prop.test without continuity correction.
    let [lower, upper] = attempts[0].interval;
    assert!((lower - 0.207_655).abs() < 1e-5 && (upper - 0.938_508).abs() < 1e-5, "{lower} {upper}");
}

#[test]
fn epochs_and_operations_are_limits_too() {
    let mut record = sized("m", 1, 0, 100, 1.0);
    let epoch = records::record::EpochRecord {
        epoch: 1,
        train_loss: 1.0,
        train_accuracy: 0.5,
        validation_loss: 1.0,
        validation_accuracy: 0.5,
        train_seconds: 1.0,
        validation_measure: None,
        test_accuracy: None,
    };
    record.epochs = vec![epoch; 3];
    let target = Target { max_parameters: None, max_epochs: Some(2), max_multiply_adds: Some(999), ..TARGET };
    let exceeds = &attempts(&models(&[record]), &target)[0].exceeds;
    assert_eq!(exceeds[..], ["1,000 multiply-adds, 999 allowed", "3 epochs, 2 allowed"]);
}

/// 28×28 pixels to a dense layer of 10: 784 bytes of image; 7,840 weights, with a bias and a unit of four bytes each to a
/// class.
#[test]
fn memory_of_the_int8_header_is_a_limit() {
    let of = |layers: &[&str], ram, flash| {
        let mut record = sized("m", 1, 0, 100, 1.0);
        record.specification.layers = layers.iter().map(|line| line.parse().expect("a layer")).collect();
        let limits = Target { max_parameters: None, max_ram_bytes: ram, max_flash_bytes: flash, ..TARGET };
        attempts(&models(&[record]), &limits).remove(0).exceeds
    };
    let dense = ["flatten", "dense classes"];
    assert!(of(&dense, Some(784), Some(7920)).is_empty());
    assert_eq!(
        of(&dense, Some(783), Some(7919)),
        ["784 bytes of RAM, 783 allowed", "7,920 bytes of flash, 7,919 allowed"]
    );
    let recurrent = of(&["lstm 8", "dense classes"], Some(9_999_999), None);
    assert_eq!(recurrent, ["no limit of memory can be checked: lstm1 has no form in whole numbers"]);
}

#[test]
fn a_front_holds_the_models_that_no_other_dominates() {
    let records = [
        sized("best", 1, 0, 900, 9.0),
        sized("dominated", 1, 20, 950, 8.0),
        sized("small", 1, 30, 100, 7.0),
        sized("equal", 1, 30, 100, 7.5),
        sized("worse", 1, 31, 100, 6.0),
    ];
    let standings = standings(&models(&records));
    let on = |front: fn(&analysis::pareto::Standing) -> bool| -> Vec<&str> {
        standings.iter().filter(|one| front(one)).map(|one| one.model.as_str()).collect()
    };
    assert_eq!(on(|one| one.front_by_parameters), ["best", "small", "equal"]);
    assert_eq!(on(|one| one.front_by_multiply_adds), ["best", "small", "equal"]);
    assert_eq!(on(|one| one.front_by_train_seconds), ["best", "dominated", "small", "worse"]);
}

#[test]
fn times_of_several_machines_are_neither_averaged_nor_on_a_front() {
    let mut records = [sized("a", 1, 0, 900, 9.0), sized("a", 2, 0, 900, 1.0), sized("b", 1, 20, 950, 8.0)];
    assert_eq!(standings(&models(&records))[0].train_seconds, Some(5.0));
    records[1].environment.threads = 64;
    let found = standings(&models(&records));
    assert_eq!((found[0].train_seconds, found[1].train_seconds), (None, Some(8.0)));
    assert!(found.iter().all(|one| !one.front_by_train_seconds));
}
