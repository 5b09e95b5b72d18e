//! Every closed form against SciPy and NumPy; `golden/stats/make.py` made the values.

use serde::Deserialize;
use stats::*;

#[derive(Deserialize)]
struct Golden {
    t: Vec<TCase>,
    wilson: Vec<WilsonCase>,
    mcnemar: Vec<McnemarCase>,
    holm: Vec<HolmCase>,
    friedman: Vec<FriedmanCase>,
    kruskal_wallis: Vec<KruskalWallisCase>,
    power: Vec<PowerCase>,
    further_runs: Vec<FurtherRunsCase>,
    expected_best: Vec<ExpectedBestCase>,
    crossed: Vec<CrossedCase>,
    signed_rank: Vec<SignedRankCase>,
}

#[derive(Deserialize)]
struct TCase {
    values: Vec<f64>,
    confidence: f64,
    mean: f64,
    standard_deviation: f64,
    lower: f64,
    upper: f64,
    p_value: f64,
}

#[derive(Deserialize)]
struct WilsonCase {
    successes: u64,
    trials: u64,
    confidence: f64,
    lower: f64,
    upper: f64,
}

#[derive(Deserialize)]
struct McnemarCase {
    only_first: u64,
    only_second: u64,
    p_value: f64,
}

#[derive(Deserialize)]
struct HolmCase {
    p_values: Vec<f64>,
    adjusted: Vec<f64>,
}

#[derive(Deserialize)]
struct FriedmanCase {
    scores: Vec<Vec<f64>>,
    statistic: f64,
    p_value: f64,
    mean_ranks: Vec<f64>,
}

#[derive(Deserialize)]
struct KruskalWallisCase {
    groups: Vec<Vec<f64>>,
    statistic: f64,
    p_value: f64,
    effect: f64,
}

#[derive(Deserialize)]
struct PowerCase {
    mean: f64,
    standard_deviation: f64,
    runs: u64,
    significance: f64,
    power: f64,
}

#[derive(Deserialize)]
struct FurtherRunsCase {
    mean: f64,
    standard_deviation: f64,
    runs: u64,
    further: u64,
}

#[derive(Deserialize)]
struct ExpectedBestCase {
    scores: Vec<f64>,
    expected: Vec<f64>,
}

#[derive(Deserialize)]
struct CrossedCase {
    cells: Vec<Vec<i8>>,
    mean: f64,
    run_standard_error: Option<f64>,
    residual_standard_error: f64,
    image_standard_error: f64,
    lower: f64,
    upper: f64,
    p_value: f64,
}

#[derive(Deserialize)]
struct SignedRankCase {
    differences: Vec<f64>,
    region: f64,
    equivalent: f64,
    first_better: f64,
    second_better: f64,
}

fn golden() -> Golden {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../golden/stats/values.json");
    let golden: Golden = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    assert!(
        golden.t.len() >= 15
            && golden.wilson.len() >= 18
            && golden.mcnemar.len() >= 9
            && golden.crossed.len() >= 5
    );
    golden
}

/// Relative to the larger of the value and `scale`.
#[track_caller]
fn assert_close(found: f64, expected: f64, scale: f64) {
    let allowed = 1e-10 * expected.abs().max(scale);
    assert!((found - expected).abs() <= allowed, "{found} found, {expected} expected, ±{allowed}");
}

#[test]
fn t_intervals_and_tests() {
    for case in golden().t {
        let scale = case.standard_deviation;
        assert_close(mean(&case.values).unwrap(), case.mean, scale);
        assert_close(sample_standard_deviation(&case.values).unwrap(), case.standard_deviation, scale);
        let interval = t_interval(&case.values, case.confidence).unwrap();
        assert_close(interval.lower, case.lower, scale);
        assert_close(interval.upper, case.upper, scale);
        let test = paired_t(&case.values, case.confidence).unwrap();
        assert_eq!(test.interval, interval);
        assert_close(test.p_value, case.p_value, 0.0);
    }
}

#[test]
fn wilson_intervals() {
    for case in golden().wilson {
        let interval = wilson_interval(case.successes, case.trials, case.confidence).unwrap();
        assert_close(interval.lower, case.lower, 1e-3);
        assert_close(interval.upper, case.upper, 1e-3);
    }
}

#[test]
fn mcnemar_p_values() {
    for case in golden().mcnemar {
        assert_close(mcnemar_exact(case.only_first, case.only_second), case.p_value, 0.0);
    }
}

#[test]
fn holm_adjustments() {
    for case in golden().holm {
        for (found, expected) in holm(&case.p_values).unwrap().into_iter().zip(case.adjusted) {
            assert_close(found, expected, 0.0);
        }
    }
}

#[test]
fn friedman_tests() {
    for case in golden().friedman {
        let found = friedman(&case.scores).unwrap();
        assert_close(found.statistic, case.statistic, 0.0);
        assert_close(found.p_value, case.p_value, 0.0);
        for (found, expected) in found.mean_ranks.into_iter().zip(case.mean_ranks) {
            assert_close(found, expected, 0.0);
        }
    }
}

#[test]
fn kruskal_wallis_tests() {
    for case in golden().kruskal_wallis {
        let found = kruskal_wallis(&case.groups).unwrap();
        assert_close(found.statistic, case.statistic, 1.0);
        assert_close(found.p_value, case.p_value, 0.0);
        assert_close(found.effect, case.effect, 1.0);
    }
}

#[test]
fn power_of_the_paired_t_test() {
    for case in golden().power {
        let found = paired_t_power(case.mean, case.standard_deviation, case.runs, case.significance).unwrap();
        assert_close(found, case.power, 1.0);
    }
}

#[test]
fn further_runs_of_the_paired_t_test() {
    for case in golden().further_runs {
        let found = further_runs(case.mean, case.standard_deviation, case.runs, 0.05, 0.8).unwrap();
        assert_eq!(found, Some(case.further));
    }
}

#[test]
fn expected_best_of_every_subset() {
    for case in golden().expected_best {
        let found = expected_best(&case.scores).unwrap();
        assert_eq!(found.len(), case.expected.len());
        for (found, expected) in found.into_iter().zip(case.expected) {
            assert_close(found, expected, 0.0);
        }
    }
}

#[test]
fn crossed_estimates() {
    for case in golden().crossed {
        let found = crossed_estimate(&PairedDifferences::new(&case.cells).unwrap());
        assert_close(found.mean, case.mean, 0.0);
        assert_eq!(found.run_standard_error.is_some(), case.run_standard_error.is_some());
        if let (Some(found), Some(expected)) = (found.run_standard_error, case.run_standard_error) {
            assert_close(found, expected, 0.0);
        }
        assert_close(found.residual_standard_error, case.residual_standard_error, 1e-6);
        assert_close(found.image_standard_error, case.image_standard_error, 0.0);
        let interval = found.interval(0.95).unwrap();
        assert_close(interval.lower, case.lower, 0.01);
        assert_close(interval.upper, case.upper, 0.01);
        assert_close(found.p_value(), case.p_value, 0.0);
    }
}

#[test]
fn signed_rank_posteriors() {
    for case in golden().signed_rank {
        let found = bayesian_signed_rank(&case.differences, case.region, 40_000, 1).unwrap();
        // Five standard errors of a fraction of 40,000 draws.
        let allowed = 0.0125;
        for (found, expected) in [
            (found.equivalent, case.equivalent),
            (found.first_better, case.first_better),
            (found.second_better, case.second_better),
        ] {
            assert!((found - expected).abs() < allowed, "{found} found, {expected} expected");
        }
    }
}
