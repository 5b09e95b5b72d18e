//! The tests of cross-validation: against SciPy and scikit-learn's worked example (`golden/resampled/make.py`), and on simulated data.

use serde::Deserialize;
use stats::*;

#[derive(Deserialize)]
struct Golden {
    corrected: Vec<Corrected>,
    outperforming: Vec<Outperforms>,
}

#[derive(Deserialize)]
struct Corrected {
    differences: Vec<f64>,
    test_over_train: f64,
    confidence: f64,
    mean: f64,
    standard_error: f64,
    lower: f64,
    upper: f64,
    p_value: f64,
}

#[derive(Deserialize)]
struct Outperforms {
    differences: Vec<f64>,
    confidence: f64,
    probability: f64,
    lower: f64,
    upper: f64,
}

fn golden() -> Golden {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../golden/resampled/values.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

#[track_caller]
fn assert_close(found: f64, expected: f64) {
    let allowed = 1e-10 * expected.abs().max(1e-3);
    assert!((found - expected).abs() <= allowed, "{found} found, {expected} expected");
}

#[test]
fn corrected_tests_are_scipys() {
    let cases = golden().corrected;
    assert!(cases.len() >= 5 && cases[0].differences.len() == 100);
    for case in cases {
        let found = corrected_resampled_t(&case.differences, case.test_over_train).unwrap();
        assert_close(found.mean, case.mean);
        assert_close(found.standard_error, case.standard_error);
        let interval = found.interval(case.confidence).unwrap();
        assert_close(interval.lower, case.lower);
        assert_close(interval.upper, case.upper);
        assert_close(found.p_value(), case.p_value);
    }
}

#[test]
fn probabilities_of_outperforming_are_those_of_every_resample() {
    let cases = golden().outperforming;
    assert!(cases.len() >= 6);
    for case in cases {
        let found = probability_of_outperforming(&case.differences, case.confidence).unwrap();
        assert_close(found.probability, case.probability);
        assert_close(found.interval.lower, case.lower);
        assert_close(found.interval.upper, case.upper);
    }
}

#[test]
fn what_has_no_answer_is_refused() {
    assert!(corrected_resampled_t(&[0.1], 0.25).is_err() && corrected_resampled_t(&[0.1, 0.2], 0.0).is_err());
    assert!(corrected_resampled_t(&[0.1, f64::NAN], 0.25).is_err());
    assert_eq!(corrected_resampled_t(&[0.0, 0.0], 0.25).unwrap().p_value(), 1.0);
    assert_eq!(corrected_resampled_t(&[0.1, 0.1], 0.25).unwrap().p_value(), 0.0);
    assert!(probability_of_outperforming(&[], 0.95).is_err());
    assert!(probability_of_outperforming(&[0.1], 1.0).is_err());
}

/// Data sets of two classes with two features of the same distribution; one learner sees the first, the other the second, and each puts its
/// boundary halfway between the classes' means. On all data sets they are equally good.
struct Null {
    stream: IndexStream,
}

const IMAGES: usize = 100;

impl Null {
    fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (-self.stream.unit()).ln_1p()).sqrt();
        radius * (std::f64::consts::TAU * self.stream.unit()).cos()
    }

    /// The differences of the learners' accuracies, fold by fold.
    fn cross_validated(&mut self, folds: usize, repeats: usize) -> Vec<f64> {
        let images: Vec<(bool, [f64; 2])> = (0..IMAGES)
            .map(|image| {
                let class = image % 2 == 1;
                let centre = if class { 0.7 } else { -0.7 };
                (class, std::array::from_fn(|_| centre + self.normal()))
            })
            .collect();
        let mut order: Vec<usize> = (0..IMAGES).collect();
        let mut differences = Vec::new();
        for _ in 0..repeats {
            for last in (1..IMAGES).rev() {
                order.swap(last, self.stream.index(last as u32 + 1) as usize);
            }
            for fold in 0..folds {
                let is_test = |place: usize| place % folds == fold;
                let accuracy = |feature: usize| {
                    let mut sums = [(0.0, 0.0); 2];
                    let learnt = order.iter().enumerate().filter(|(place, _)| !is_test(*place));
                    for (_, image) in learnt {
                        let (class, values) = images[*image];
                        let sum = &mut sums[usize::from(class)];
                        *sum = (sum.0 + values[feature], sum.1 + 1.0);
                    }
                    let boundary = 0.5 * (sums[0].0 / sums[0].1 + sums[1].0 / sums[1].1);
                    let tested: Vec<_> =
                        order.iter().enumerate().filter(|(place, _)| is_test(*place)).collect();
                    let right = tested.iter().filter(|(_, image)| {
                        let (class, values) = images[**image];
                        (values[feature] > boundary) == class
                    });
                    right.count() as f64 / tested.len() as f64
                };
                differences.push(accuracy(0) - accuracy(1));
            }
        }
        differences
    }
}

/// How often the corrected test and the plain one find a difference at 5 % where there is none.
fn false_findings(folds: usize, repeats: usize, simulations: u64) -> [f64; 2] {
    let mut null = Null { stream: IndexStream::new(31) };
    let mut found = [0u64; 2];
    for _ in 0..simulations {
        let differences = null.cross_validated(folds, repeats);
        let corrected = corrected_resampled_t(&differences, 1.0 / (folds - 1) as f64).unwrap();
        found[0] += u64::from(corrected.p_value() <= 0.05);
        found[1] += u64::from(paired_t(&differences, 0.95).unwrap().p_value <= 0.05);
    }
    found.map(|count| count as f64 / simulations as f64)
}

#[test]
fn the_correction_keeps_false_findings_near_what_is_said() {
    for (folds, repeats, plainly) in [(5, 1, 0.03), (5, 3, 0.15), (10, 1, 0.03), (10, 10, 0.5)] {
        let [corrected, plain] = false_findings(folds, repeats, 4000);
        // 5 % and two standard errors of the simulations; the plain test's, so that the data sets are such as need the correction.
        assert!(corrected <= 0.057 && plain >= plainly, "{folds} × {repeats}: {corrected}, plainly {plain}");
    }
}
