//! Measures beside accuracy, and verdicts by them.

use crate::fixture::{model, with_predictions};
use analysis::{
    Analysis,
    measures::imbalance,
    verdict::{Comparison, Outcome},
};
use records::{
    question::{Measure, Question},
    record::RunRecord,
};

/// 900 images of one class and 100 of another, of which a run misses so many.
fn unequal(model: &str, seed: u64, missed: [usize; 2]) -> RunRecord {
    let labels: Vec<u8> = (0..1000).map(|image| u8::from(image >= 900)).collect();
    let is_missed = |image: usize| image < missed[0] || (900..900 + missed[1]).contains(&image);
    let given: Vec<u8> = labels
        .iter()
        .enumerate()
        .map(|(image, label)| if is_missed(image) { 1 - label } else { *label })
        .collect();
    let mut run = with_predictions(model, seed, &labels, &given);
    run.specification.dataset.classes = 2;
    run
}

/// `a` knows the large class and 60 % of the small one, `b` 97 % and 90 %, up to an image from run to run.
fn study() -> Vec<RunRecord> {
    let of_seed = |seed: u64| {
        let more = seed as usize % 2;
        [unequal("a", seed, [0, 40 + more]), unequal("b", seed, [27 - more, 10])]
    };
    (0..4).flat_map(of_seed).collect()
}

fn judged(records: &[RunRecord], decide_by: Measure) -> (Comparison, Vec<String>) {
    let question = Question { decide_by, ..Question::default() };
    let mut analysis = Analysis::of(records, &[], &question, Vec::new());
    assert_eq!(analysis.decided_by, decide_by);
    (analysis.comparisons.remove(0), analysis.notes.of_study)
}

#[test]
fn a_model_has_every_measure() {
    let records = study();
    let of = model(records.iter().filter(|run| run.specification.model == "a"));
    let measures = of.measures.as_ref().expect("predictions");
    // Recalls 1 and 0.6 or 0.59.
    let balanced = measures.balanced_accuracy.expect("classes");
    assert!((balanced.spread.mean - 0.7975).abs() < 1e-12, "{balanced:?}");
    let [lower, upper] = balanced.interval.expect("four runs");
    let half = 3.182_446 * 0.0025 / 3f64.sqrt();
    assert!((upper - lower - 2.0 * half).abs() < 1e-8, "{balanced:?}");
    let [large, small] = measures.classes[..] else { panic!("two classes") };
    assert_eq!((large.images, small.images), (900, 100));
    assert_eq!(
        (large.recall.map(|recall| recall.mean), small.precision.map(|of| of.mean)),
        (Some(1.0), Some(1.0))
    );
    let f1 = |missed: f64| 2.0 * (100.0 - missed) / (200.0 - missed);
    let mean = (f1(40.0) + f1(41.0)) / 2.0;
    assert!((small.f1.expect("the class occurs").mean - mean).abs() < 1e-12);
    assert_eq!(measures.macro_auc, None, "no probabilities");
    assert_eq!(of.value(Measure::BalancedAccuracy), Some(balanced.spread));
    assert_eq!(model(&records[..1]).measures.and_then(|one| one.macro_f1).and_then(|f1| f1.interval), None);
}

/// By accuracy they are within 0.3 points of each other; of the small class `b` knows far more.
#[test]
fn another_measure_decides_otherwise() {
    let records = study();
    let (by_accuracy, _) = judged(&records, Measure::Accuracy);
    assert_eq!((by_accuracy.outcome, by_accuracy.mcnemar_p_values.len()), (Outcome::CannotTell, 4));
    let (balanced, _) = judged(&records, Measure::BalancedAccuracy);
    assert_eq!((balanced.outcome, balanced.measure), (Outcome::BBetter, Measure::BalancedAccuracy));
    // (0.7975) - (1 - 26.5/900 + 0.9)/2.
    assert!((balanced.difference - (0.7975 - (1.9 - 26.5 / 900.0) / 2.0)).abs() < 1e-12, "{balanced:?}");
    assert!(
        balanced.verdict.starts_with("b beats a by 13.78 points of balanced accuracy ["),
        "{}",
        balanced.verdict
    );
    assert!(balanced.mcnemar_p_values.is_empty(), "of accuracy alone");
    let [lower, upper] = balanced.interval;
    // The small class's part alone: 30.5 of its 100 images are known to one model only, half a point each.
    assert!((0.03..0.06).contains(&(0.5 * (upper - lower))), "{balanced:?}");
    let [from, to] = balanced.bootstrap_interval.expect("runs on the same images");
    assert!(((to - from) / (upper - lower) - 1.0).abs() < 0.15, "{balanced:?}");
    assert!(balanced.paired_t.is_some_and(|test| test.p_value < 0.001));

    let (f1, _) = judged(&records, Measure::MacroF1);
    assert!(f1.verdict.contains(" points of macro F1 ["), "{}", f1.verdict);
    let question = Question { decide_by: Measure::BalancedAccuracy, ..Question::default() };
    let analysis = Analysis::of(&records, &[], &question, Vec::new());
    let ranks: Vec<&str> = analysis.ranking.iter().map(|rank| rank.model.as_str()).collect();
    assert_eq!((ranks, analysis.ranking[1].value), (vec!["b", "a"], 0.7975));
    assert!(analysis.is_imbalanced());
}

/// Gives the true class of each image this probability in words of 1/65535.
fn sure(mut run: RunRecord, of_truth: impl Fn(usize) -> u16) -> RunRecord {
    let rows = run.test.labels.iter().enumerate().flat_map(|(image, label)| {
        let own = of_truth(image);
        (0..2).map(move |class| if class == *label { own } else { 65_535 - own })
    });
    run.test.probabilities = rows.collect();
    let of_truth = (0..run.test.labels.len()).map(|image| -(f64::from(of_truth(image)) / 65_535.0).ln());
    run.test.loss = of_truth.sum::<f64>() / run.test.labels.len() as f64;
    run
}

#[test]
fn of_log_loss_less_is_better() {
    let mut records: Vec<RunRecord> = Vec::new();
    for seed in 0..3 {
        records.push(sure(unequal("a", seed, [0, 0]), |image| 60_000 + (image % 100) as u16));
        records.push(sure(unequal("b", seed, [0, 0]), |image| 50_000 + (image % 7 + seed as usize) as u16));
    }
    let (compared, _) = judged(&records, Measure::LogLoss);
    assert_eq!(compared.outcome, Outcome::ABetter);
    let losses = |model: &str| {
        let of_model = records.iter().filter(|run| run.specification.model == model);
        of_model.map(|run| run.test.loss).sum::<f64>() / 3.0
    };
    assert!((compared.difference - (losses("a") - losses("b"))).abs() < 1e-12, "{compared:?}");
    assert!(compared.difference < 0.0 && compared.interval[1] < 0.0);
    assert!(compared.verdict.starts_with("a beats b by 0.18"), "{}", compared.verdict);
    assert!(compared.verdict.contains(" nats of log-loss [0.18"), "{}", compared.verdict);
    assert_eq!(compared.equivalence_margin, 0.001);

    // Of a probability that was recorded as 0 half a step is taken, and the loss stays what was measured.
    let none = sure(unequal("c", 0, [0, 0]), |_| 65_535);
    let mut zero = none.clone();
    zero.test.probabilities[..2].copy_from_slice(&[0, 65_535]);
    zero.test.loss = 0.02;
    let others = [none, zero].map(|mut run| {
        run.specification.model = format!("c{}", run.test.loss);
        run
    });
    let (compared, _) = judged(&others, Measure::LogLoss);
    assert!(
        (compared.difference + 0.02).abs() < 1e-12 && compared.outcome == Outcome::CannotTell,
        "{compared:?}"
    );
}

#[test]
fn without_probabilities_log_loss_decides_nothing() {
    let question = Question { decide_by: Measure::LogLoss, ..Question::default() };
    let records = study();
    let analysis = Analysis::of(&records, &[], &question, Vec::new());
    assert_eq!(analysis.comparisons, []);
    let expected =
        "a, seeds 0, 1, 2, 3: left out: it has no finite loss, or no probabilities to its test labels.";
    assert!(analysis.notes.of_study.contains(&expected.to_owned()), "{:?}", analysis.notes);
}

#[test]
fn imbalance_is_of_the_classes_that_occur() {
    assert_eq!(imbalance(&[]), 1.0);
    assert_eq!(imbalance(&[3, 3, 7, 7]), 1.0);
    assert_eq!(imbalance(&[0, 0, 0, 0, 0, 9, 9]), 2.5);
}
