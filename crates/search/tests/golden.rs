//! The densities that the search relies on, against NumPy and SciPy; `golden/search/make.py` made the values.

use serde::Deserialize;
use tpe::density_estimation::{BuildDensityEstimator, DefaultEstimatorBuilder, DensityEstimator};
use tpe::range::Range;

#[derive(Deserialize)]
struct Golden {
    parzen: Vec<ParzenCase>,
    histogram: Vec<HistogramCase>,
}

#[derive(Deserialize)]
struct ParzenCase {
    points: Vec<f64>,
    places: Vec<f64>,
    log_density: Vec<f64>,
}

#[derive(Deserialize)]
struct HistogramCase {
    count: usize,
    choices: Vec<usize>,
    log_probability: Vec<f64>,
}

fn golden() -> Golden {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../golden/search/values.json");
    let golden: Golden = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    assert!(golden.parzen.len() >= 6 && golden.histogram.len() >= 4);
    golden
}

#[track_caller]
fn assert_densities(
    builder: DefaultEstimatorBuilder,
    range: Range,
    points: Vec<f64>,
    cases: &[(f64, f64)],
    allowed: f64,
) {
    let Ok(estimator) = builder.build_density_estimator(points.into_iter(), range);
    for &(place, expected) in cases {
        let found = estimator.log_pdf(place);
        assert!((found - expected).abs() <= allowed, "at {place}: {found} found, {expected} expected");
    }
}

/// To 1e-6: the library's error function is good to 1.5e-7, and the mass inside the range is at least a quarter.
#[test]
fn parzen_densities() {
    for case in golden().parzen {
        let places: Vec<(f64, f64)> = case.places.into_iter().zip(case.log_density).collect();
        assert_eq!(places.len(), 6);
        assert_densities(tpe::parzen_estimator(), tpe::range(0.0, 1.0).unwrap(), case.points, &places, 1e-6);
    }
}

#[test]
fn choices_are_counted_with_one_more_for_each() {
    for case in golden().histogram {
        assert_eq!(case.log_probability.len(), case.count);
        let places: Vec<(f64, f64)> =
            case.log_probability.into_iter().enumerate().map(|(choice, log)| (choice as f64, log)).collect();
        let choices = case.choices.into_iter().map(|choice| choice as f64).collect();
        let range = tpe::categorical_range(case.count).unwrap();
        assert_densities(tpe::histogram_estimator(), range, choices, &places, 1e-12);
    }
}
