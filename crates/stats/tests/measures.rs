//! Every measure against scikit-learn; `golden/measures/make.py` made the values.

use serde::Deserialize;
use stats::*;

#[derive(Deserialize)]
struct Case {
    name: String,
    classes: usize,
    labels: Vec<u8>,
    given: Vec<u8>,
    probabilities: Vec<u16>,
    balanced_accuracy: f64,
    macro_f1: f64,
    kappa: Option<f64>,
    auc: Option<f64>,
    precision: Vec<f64>,
    recall: Vec<f64>,
    f1: Vec<f64>,
}

fn cases() -> Vec<Case> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../golden/measures/values.json");
    let cases: Vec<Case> = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    assert!(cases.len() >= 9);
    cases
}

#[test]
fn measures_are_scikit_learns() {
    for case in cases() {
        let close = |found: f64, expected: f64, what: &str| {
            assert!(
                (found - expected).abs() <= 1e-12,
                "{}, {what}: {found} found, {expected} expected",
                case.name
            );
        };
        let counts = ClassCounts::of(&case.labels, &case.given, case.classes).unwrap();
        close(counts.balanced_accuracy(), case.balanced_accuracy, "balanced accuracy");
        close(counts.macro_f1(), case.macro_f1, "macro F1");
        assert_eq!(counts.kappa().is_some(), case.kappa.is_some(), "{}", case.name);
        close(counts.kappa().unwrap_or(0.0), case.kappa.unwrap_or(0.0), "kappa");
        let auc = macro_auc(&case.labels, &case.probabilities, case.classes).unwrap();
        assert_eq!(auc.is_some(), case.auc.is_some(), "{}", case.name);
        close(auc.unwrap_or(0.0), case.auc.unwrap_or(0.0), "AUC");
        for class in 0..case.classes {
            close(counts.precision(class), case.precision[class], "precision");
            close(counts.recall(class), case.recall[class], "recall");
            close(counts.f1(class), case.f1[class], "F1");
        }
    }
}

#[test]
fn what_is_no_list_of_answers_is_refused() {
    assert!(ClassCounts::of(&[], &[], 2).is_err());
    assert!(ClassCounts::of(&[0, 1], &[0], 2).is_err());
    assert!(ClassCounts::of(&[0, 2], &[0, 0], 2).is_err() && ClassCounts::of(&[0, 1], &[0, 2], 2).is_err());
    assert!(macro_auc(&[0, 1], &[0.5; 3], 2).is_err() && macro_auc(&[2], &[0.5, 0.5], 2).is_err());
}
