//! What must hold for any input, and what must be refused.

use proptest::prelude::*;
use stats::*;

fn cells(runs: std::ops::Range<usize>) -> impl Strategy<Value = Vec<Vec<i8>>> {
    (runs, 2usize..60).prop_flat_map(|(runs, images)| {
        prop::collection::vec(
            prop::collection::vec(prop_oneof![4 => Just(0i8), 1 => Just(1), 1 => Just(-1)], images),
            runs,
        )
    })
}

fn negated(cells: &[Vec<i8>]) -> PairedDifferences {
    PairedDifferences::new(
        &cells.iter().map(|run| run.iter().map(|cell| -cell).collect()).collect::<Vec<Vec<i8>>>(),
    )
    .unwrap()
}

fn close(a: f64, b: f64, scale: f64) -> bool {
    (a - b).abs() <= 1e-9 * scale.max(a.abs())
}

proptest! {
    #[test]
    fn t_intervals_scale_and_shift(values in prop::collection::vec(-1.0..1.0f64, 2..12), factor in 0.1..10.0f64, shift in -5.0..5.0f64) {
        let before = t_interval(&values, 0.95).unwrap();
        let moved: Vec<f64> = values.iter().map(|value| factor * value + shift).collect();
        let after = t_interval(&moved, 0.95).unwrap();
        prop_assert!(before.contains(mean(&values).unwrap()));
        prop_assert!(close(after.lower, factor * before.lower + shift, 100.0));
        prop_assert!(close(after.upper, factor * before.upper + shift, 100.0));
    }

    #[test]
    fn the_paired_test_agrees_with_its_interval(values in prop::collection::vec(-1.0..2.0f64, 2..12), confidence in 0.5..0.999f64) {
        let test = paired_t(&values, confidence).unwrap();
        prop_assume!((test.p_value - (1.0 - confidence)).abs() > 1e-9);
        prop_assert_eq!(test.interval.contains(0.0), test.p_value > 1.0 - confidence);
        let opposite = paired_t(&values.iter().map(|value| -value).collect::<Vec<_>>(), confidence).unwrap();
        prop_assert!(close(opposite.p_value, test.p_value, 0.0));
    }

    #[test]
    fn wilson_intervals_hold_the_proportion_and_mirror(trials in 1u64..5000, share in 0.0..=1.0f64, confidence in 0.5..0.999f64) {
        let successes = (share * trials as f64) as u64;
        let interval = wilson_interval(successes, trials, confidence).unwrap();
        let mirrored = wilson_interval(trials - successes, trials, confidence).unwrap();
        prop_assert!(interval.contains(successes as f64 / trials as f64));
        prop_assert!(interval.lower >= 0.0 && interval.upper <= 1.0 && interval.lower < interval.upper);
        prop_assert!(close(interval.lower, 1.0 - mirrored.upper, 1.0));
    }

    #[test]
    fn crossed_intervals_mirror_nest_and_match_their_p_value(cells in cells(1..6), confidence in 0.5..0.999f64) {
        let estimate = crossed_estimate(&PairedDifferences::new(&cells).unwrap());
        let opposite = crossed_estimate(&negated(&cells));
        let interval = estimate.interval(confidence).unwrap();
        prop_assert!(interval.contains(estimate.mean));
        prop_assert!(close(interval.lower, -opposite.interval(confidence).unwrap().upper, 1.0));
        prop_assert!(close(estimate.p_value(), opposite.p_value(), 0.0));
        let wider = estimate.interval(0.5 + 0.5 * confidence).unwrap();
        prop_assert!(wider.lower <= interval.lower && wider.upper >= interval.upper);
        let p_value = estimate.p_value();
        prop_assert!((0.0..=1.0).contains(&p_value));
        prop_assume!((p_value - (1.0 - confidence)).abs() > 1e-9);
        prop_assert_eq!(interval.contains(0.0), p_value > 1.0 - confidence);
    }

    #[test]
    fn crossed_estimates_ignore_the_order_of_runs_and_images(cells in cells(2..5)) {
        let mut shuffled: Vec<Vec<i8>> = cells.iter().rev().cloned().collect();
        for run in &mut shuffled {
            run.reverse();
        }
        let (a, b) = (PairedDifferences::new(&cells).unwrap(), PairedDifferences::new(&shuffled).unwrap());
        prop_assert_eq!(crossed_estimate(&a), crossed_estimate(&b));
    }

    #[test]
    fn bootstraps_repeat_and_mirror(cells in cells(1..5), seed in 0u64..100) {
        let differences = PairedDifferences::new(&cells).unwrap();
        let result = two_way_bootstrap(&differences, 0.9, 199, seed).unwrap();
        prop_assert_eq!(result, two_way_bootstrap(&differences, 0.9, 199, seed).unwrap());
        let opposite = two_way_bootstrap(&negated(&cells), 0.9, 199, seed).unwrap();
        prop_assert!(close(result.interval.lower, -opposite.interval.upper, 1.0));
        prop_assert_eq!(result.p_value, opposite.p_value);
        prop_assert!(result.p_value > 0.0 && result.p_value <= 1.0);
    }

    #[test]
    fn mcnemar_is_symmetric_and_falls_with_the_imbalance(small in 0u64..200, gap in 1u64..200) {
        let p_value = mcnemar_exact(small, small + gap);
        prop_assert_eq!(p_value, mcnemar_exact(small + gap, small));
        prop_assert!(p_value > 0.0 && p_value <= 1.0);
        prop_assert!(mcnemar_exact(small, small + gap + 1) <= p_value);
    }

    #[test]
    fn holm_keeps_order_and_its_levels_agree(p_values in prop::collection::vec(0.0..0.2f64, 1..9), significance in 0.01..0.2f64) {
        let adjusted = holm(&p_values).unwrap();
        let levels = holm_levels(&p_values, significance).unwrap();
        for i in 0..p_values.len() {
            prop_assert!(adjusted[i] >= p_values[i] && adjusted[i] <= 1.0);
            prop_assert!(levels[i] <= significance && levels[i] >= significance / p_values.len() as f64);
            prop_assert_eq!(p_values[i] <= levels[i], adjusted[i] <= significance);
            for j in 0..p_values.len() {
                prop_assert!(p_values[i] > p_values[j] || adjusted[i] <= adjusted[j]);
            }
        }
    }

    #[test]
    fn friedman_sees_ranks_only(table in prop::collection::vec(prop::collection::vec(0.0..1.0f64, 4), 2..9)) {
        let cubed: Vec<Vec<f64>> = table.iter().map(|row| row.iter().map(|value| value.powi(3) * 7.0).collect()).collect();
        let (a, b) = (friedman(&table).unwrap(), friedman(&cubed).unwrap());
        prop_assert_eq!(&a, &b);
        prop_assert!(close(a.mean_ranks.iter().sum::<f64>(), 10.0, 1.0));
    }

    #[test]
    fn expected_best_rises_to_the_maximum(scores in prop::collection::vec(0.0..1.0f64, 1..30)) {
        let expected = expected_best(&scores).unwrap();
        prop_assert!(close(expected[0], mean(&scores).unwrap(), 1.0));
        prop_assert!(close(*expected.last().unwrap(), scores.iter().copied().fold(0.0, f64::max), 1.0));
        prop_assert!(expected.windows(2).all(|pair| pair[1] >= pair[0] - 1e-12));
    }

    #[test]
    fn power_rises_with_runs_and_planning_finds_the_first(mean in 0.1..1.0f64, runs in 2u64..20) {
        let further = further_runs(mean, 1.0, runs, 0.05, 0.8).unwrap().unwrap();
        let power = |total| paired_t_power(mean, 1.0, total, 0.05).unwrap();
        prop_assert!(power(runs + further) >= 0.8);
        prop_assert!(further == 0 || power(runs + further - 1) < 0.8);
        prop_assert!(power(runs + 1) > power(runs));
    }
}

#[test]
fn values_that_are_not_finite_are_refused_by_position() {
    let values = [1.0, f64::NAN, 2.0];
    for error in [
        mean(&values).unwrap_err(),
        t_interval(&values, 0.95).unwrap_err(),
        paired_t(&values, 0.95).unwrap_err(),
        expected_best(&values).unwrap_err(),
        bayesian_signed_rank(&values, 0.0, 10, 0).unwrap_err(),
        friedman(&[values, values]).unwrap_err(),
        holm(&values).unwrap_err(),
    ] {
        assert!(matches!(error, StatsError::NotFinite { position: 1, .. }), "{error}");
    }
    assert!(mean(&[f64::INFINITY]).is_err());
}

#[test]
fn too_little_is_refused() {
    assert!(matches!(mean(&[]), Err(StatsError::TooFew { expected: 1, .. })));
    assert!(matches!(t_interval(&[1.0], 0.95), Err(StatsError::TooFew { expected: 2, found: 1, .. })));
    assert!(wilson_interval(0, 0, 0.95).is_err());
    assert!(wilson_interval(2, 1, 0.95).is_err());
    assert!(PairedDifferences::new::<Vec<i8>>(&[]).is_err());
    assert!(PairedDifferences::new(&[vec![0i8], vec![0, 1]]).is_err());
    assert!(PairedDifferences::new(&[vec![2i8]]).is_err());
    assert!(expected_best(&[]).is_err());
    assert!(friedman(&[[0.1, 0.2]]).is_err());
    assert!(bayesian_signed_rank(&[0.1], -1.0, 10, 0).is_err());
    assert!(further_runs(0.1, 0.0, 3, 0.05, 0.8).is_err());
    assert_eq!(holm(&[]).unwrap(), Vec::<f64>::new());
    for confidence in [0.0, 1.0, -0.5, f64::NAN] {
        assert!(t_interval(&[1.0, 2.0], confidence).is_err());
        assert!(wilson_interval(1, 2, confidence).is_err());
    }
}

#[test]
fn the_bootstrap_names_how_many_resamples_it_needs() {
    let differences = PairedDifferences::new(&[[1i8, 0, -1]]).unwrap();
    assert_eq!(
        two_way_bootstrap(&differences, 0.95, 38, 0),
        Err(StatsError::TooFew { what: "resamples", expected: 39, found: 38 })
    );
    assert!(two_way_bootstrap(&differences, 0.95, 39, 0).is_ok());
}

#[test]
fn models_that_never_differ_still_get_a_width() {
    let differences = PairedDifferences::new(&vec![vec![0i8; 10_000]; 3]).unwrap();
    let estimate = crossed_estimate(&differences);
    let interval = estimate.interval(0.95).unwrap();
    assert_eq!((estimate.mean, estimate.p_value()), (0.0, 1.0));
    // By hand: B = 2/N² up to terms of 1/N³, so the half-width is 1.96 √2 / N.
    assert!((interval.upper - 2.7718e-4).abs() < 1e-6, "{interval:?}");
}

/// Two runs that agree in their sums and on no image, 5 of 500 better each: luck, as McNemar's test of either finds too.
#[test]
fn runs_that_agree_by_luck_still_get_a_width() {
    let mut cells = [vec![0i8; 500], vec![0i8; 500]];
    for (run, cells) in cells.iter_mut().enumerate() {
        cells[20 * run..20 * run + 10].fill(1);
        cells[20 * run + 10..20 * run + 15].fill(-1);
    }
    let estimate = crossed_estimate(&PairedDifferences::new(&cells).unwrap());
    assert_eq!(estimate.run_standard_error, Some(0.0));
    let (p_value, exact) = (estimate.p_value(), mcnemar_exact(20, 10));
    assert!((p_value - exact).abs() < 0.05, "{p_value} {exact}");
}

#[test]
fn one_run_agrees_with_mcnemar_where_images_are_few() {
    for (first, second) in [(6usize, 0usize), (5, 0), (10, 2), (60, 40), (9, 9)] {
        let mut cells = vec![0i8; 10_000];
        cells[..first].fill(1);
        cells[first..first + second].fill(-1);
        let p_value = crossed_estimate(&PairedDifferences::new(&[cells]).unwrap()).p_value();
        let exact = mcnemar_exact(first as u64, second as u64);
        assert!((p_value - exact).abs() < 0.016, "{first} {second}: {p_value} {exact}");
    }
}

#[test]
fn more_runs_cannot_plan_away_image_noise() {
    // Every run differs on the same images, so all the noise is that of the images.
    let run: Vec<i8> = (0..1000).map(|image: usize| [1, 0, -1, 0, 1, -1, 0, 0, 0, 0][image % 10]).collect();
    let mut cells = vec![run; 3];
    cells[0][1] = 1;
    cells[1][7] = 1;
    let estimate = crossed_estimate(&PairedDifferences::new(&cells).unwrap());
    assert_eq!(crossed_further_runs(&estimate, 0.05, 0.8).unwrap(), None);
}

#[test]
fn planning_without_image_noise_is_the_paired_t_test() {
    let estimate = CrossedEstimate {
        mean: 0.5,
        runs: 4,
        images: 100,
        run_standard_error: Some(0.5),
        residual_standard_error: 0.0,
        image_standard_error: 0.0,
        largest: 1.0,
    };
    assert_eq!(
        crossed_further_runs(&estimate, 0.05, 0.8).unwrap(),
        further_runs(0.5, 1.0, 4, 0.05, 0.8).unwrap()
    );
    let one_run = CrossedEstimate { runs: 1, run_standard_error: None, ..estimate };
    assert_eq!(crossed_further_runs(&one_run, 0.05, 0.8).unwrap(), None);
}
