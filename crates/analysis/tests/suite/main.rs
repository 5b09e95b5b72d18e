//! Verdicts over constructed records, whose figures can be worked out by hand.
//!
//! Where `only` images are right for one model alone, the same ones in every run, the variance of the runs is 0 and that
//! of the images `(only + 2 - only²/N') / (N' (N' - 1))`, N' = images + 2. So 83 of 10,000 images give
//! 0.83 ± 1.96 √(85 - 0.69) / 100.02 = 0.83 ± 0.18 points.

mod across;
mod calibration;
mod confusion;
mod constraint;
mod ensemble;
mod fixture;
mod folds;
mod hard_images;
mod measures;
mod overlap;
mod pairing;
mod random;
mod ranks;
mod sanity;
mod selection;
mod speed;
mod thresholds;

use analysis::verdict::{Coverage, Judgement, Outcome};
use fixture::{judge, only_comparison, points, run, steady, swapped};
use records::record::RunRecord;
use std::ops::Range;

#[test]
fn the_better_model_is_named_first_whatever_the_order() {
    let mut records = steady(10_000, 0..5, 83);
    records
        .iter_mut()
        .filter(|run| run.specification.model == "cnn")
        .for_each(|run| run.train_seconds = 13.0);
    let comparison = only_comparison(&records);
    let sentence = "cnn beats lstm by 0.83 points of test accuracy [0.65, 1.01] at 95 %, 5 paired runs; lstm trains 1.3× faster [1.3, 1.3] at 95 %.";
    assert_eq!(comparison.verdict, sentence);
    assert_eq!((comparison.a.as_str(), comparison.b.as_str()), ("cnn", "lstm"));
    assert_eq!((comparison.outcome, comparison.runs), (Outcome::ABetter, 5));
    assert_eq!((comparison.confidence, comparison.interval_covers), (0.95, Coverage::RunsAndImages));
    assert_eq!((points(&comparison), comparison.corrected_for), ([65, 83, 101], 1));
    assert!(comparison.train_seconds_ratio.is_some_and(|ratio| (ratio - 1.3).abs() < 1e-12));
    assert!(comparison.p_value < 1e-10 && comparison.further_runs.is_none());
    // 2 / 2^83, the coin that falls on one side 83 times.
    assert_eq!(comparison.mcnemar_p_values.len(), 5);
    assert!(comparison.mcnemar_p_values.iter().all(|p| (p * 2f64.powi(82) - 1.0).abs() < 1e-9));

    let opposite = only_comparison(&swapped(&records));
    assert_eq!(opposite.verdict, sentence);
    assert_eq!((opposite.outcome, opposite.a.as_str()), (Outcome::BBetter, "lstm"));
    assert_eq!(opposite.difference, -comparison.difference);
    assert_eq!(opposite.interval, [-comparison.interval[1], -comparison.interval[0]]);
    assert_eq!(opposite.p_value, comparison.p_value);
}

#[test]
fn models_that_never_differ_are_practically_equal() {
    let comparison = only_comparison(&steady(10_000, 0..3, 0));
    assert_eq!(
        comparison.verdict,
        "cnn and lstm are practically equal: 0.00 points [-0.03, 0.03] at 95 %, 3 paired runs."
    );
    assert_eq!((comparison.outcome, comparison.p_value), (Outcome::PracticallyEqual, 1.0));
}

/// 20 of 100,000 images: 0.02 ± 1.96 √22 / 1000 points, beyond doubt above zero and too little to matter.
#[test]
fn a_sure_but_tiny_difference_is_practical_equality() {
    let comparison = only_comparison(&swapped(&steady(100_000, 0..3, 20)));
    assert_eq!(
        comparison.verdict,
        "lstm and cnn are practically equal: -0.02 points [-0.03, -0.01] at 95 %, 3 paired runs."
    );
    assert_eq!(comparison.outcome, Outcome::PracticallyEqual);
    assert!(comparison.p_value < 0.001);
}

/// No number of runs tells apart what is equally accurate.
#[test]
fn nothing_is_planned_for_a_difference_of_nothing() {
    let outlook = |missed: [Range<usize>; 2]| {
        let [a, b] = missed;
        let records: Vec<RunRecord> = (0..3)
            .flat_map(|seed| [run("cnn", seed, 1000, a.clone()), run("lstm", seed, 1000, b.clone())])
            .collect();
        let comparison = only_comparison(&records);
        assert_eq!(comparison.outcome, Outcome::CannotTell);
        comparison.verdict.contains("telling a difference of this size apart")
    };
    assert!(!outlook([0..10, 10..20]));
    assert!(outlook([0..10, 10..21]));
}

/// Three pairs whose differences are 60, -20 and 20 images of 10,000, no image twice: `MS_runs` is
/// (3600 + 400 + 400 - 60²/3)/10,002/2, so the standard error of the runs is √(0.16/30,006) or 0.23 points, 4.30 times
/// which is 0.99. With hardly any image noise, 80 % power at a mean of half the deviation takes 34 pairs.
#[test]
fn seed_noise_asks_for_more_runs() {
    let records: Vec<RunRecord> = [(80, 20), (30, 50), (50, 30)]
        .into_iter()
        .zip([0usize, 100, 200])
        .zip(1..)
        .flat_map(|(((only_cnn, only_lstm), from), seed)| {
            [
                run("cnn", seed, 10_000, from + only_cnn..from + only_cnn + only_lstm),
                run("lstm", seed, 10_000, from..from + only_cnn),
            ]
        })
        .collect();
    let comparison = only_comparison(&records);
    let more = comparison.further_runs.expect("a number of runs");
    assert_eq!(comparison.outcome, Outcome::CannotTell);
    assert_eq!(points(&comparison), [-79, 20, 119]);
    assert!((30..=33).contains(&more), "{more}");
    assert!(comparison.p_value > 0.05);
    let start = "cannot tell cnn and lstm apart: +0.20 points [-0.79, 1.19] at 95 %, 3 paired runs; telling a difference of this size apart needs about ";
    assert_eq!(comparison.verdict, format!("{start}{more} more runs."));

    let opposite = only_comparison(&swapped(&records));
    assert_eq!(opposite.further_runs, Some(more));
    let start = "cannot tell lstm and cnn apart: -0.20 points [-1.19, 0.79] at 95 %, 3 paired runs; ";
    assert!(opposite.verdict.starts_with(start), "{}", opposite.verdict);
}

/// 40 images against 30, the same in each run: more runs repeat what these have shown.
#[test]
fn image_noise_asks_for_more_images() {
    let records: Vec<RunRecord> = (0..2)
        .flat_map(|seed| [run("cnn", seed, 10_000, 0..30), run("lstm", seed, 10_000, 30..70)])
        .collect();
    let comparison = only_comparison(&records);
    assert_eq!((comparison.outcome, comparison.further_runs), (Outcome::CannotTell, None));
    assert_eq!(
        comparison.verdict,
        "cannot tell cnn and lstm apart: +0.10 points [-0.07, 0.27] at 95 %, 2 paired runs; \
         telling a difference of this size apart needs more than these 10000 test images, however many runs."
    );
}

#[test]
fn one_run_says_what_it_leaves_out() {
    let comparison = only_comparison(&steady(10_000, 7..8, 83));
    assert_eq!(
        comparison.verdict,
        "cnn beats lstm by 0.83 points of test accuracy [0.65, 1.01] at 95 %, 1 paired run: test images only, seed noise unknown."
    );
    assert_eq!((comparison.interval_covers, comparison.runs), (Coverage::Images, 1));

    let undecided = only_comparison(&steady(10_000, 7..8, 4));
    assert_eq!(
        undecided.verdict,
        "cannot tell cnn and lstm apart: +0.04 points [-0.01, 0.09] at 95 %, 1 paired run: test images only, seed noise unknown."
    );
    assert_eq!(undecided.further_runs, None);
}

/// Six images: 0.06 ± 1.96 √8 / 100.02 points leave 0.0046, which two decimals would print as the zero that the
/// interval excludes.
#[test]
fn the_printed_interval_never_denies_the_outcome() {
    let comparison = only_comparison(&steady(10_000, 0..1, 6));
    assert_eq!(
        comparison.verdict,
        "cnn beats lstm by 0.060 points of test accuracy [0.005, 0.115] at 95 %, 1 paired run: test images only, seed noise unknown."
    );
}

/// The pairs differ on 60, 8 and 52 images: Holm tests them at a third, the whole and a half of 5 %.
#[test]
fn three_models_are_corrected_by_holm() {
    let missed = [("cnn", 0..0), ("lstm", 0..60), ("mlp", 52..60)];
    let records: Vec<RunRecord> =
        missed.iter().map(|(model, missed)| run(model, 1, 10_000, missed.clone())).collect();
    let alone = |a: usize, b: usize| only_comparison(&[records[a].clone(), records[b].clone()]);
    let pairs = [alone(0, 1), alone(0, 2), alone(1, 2)];
    let Judgement { comparisons, notes } = judge(&records, &[]);
    let names: Vec<(&str, &str)> =
        comparisons.iter().map(|comparison| (comparison.a.as_str(), comparison.b.as_str())).collect();
    assert_eq!(names, [("cnn", "lstm"), ("cnn", "mlp"), ("lstm", "mlp")]);
    for (index, factor) in [(0, 3.0), (2, 2.0), (1, 1.0)] {
        let (corrected, plain) = (&comparisons[index], &pairs[index]);
        assert!((corrected.p_value - factor * plain.p_value).abs() <= 1e-12 * plain.p_value, "{index}");
        assert!((corrected.confidence - (1.0 - 0.05 / factor)).abs() < 1e-12, "{index}");
        let level = [" at 98.3 %", " at 95 %", " at 97.5 %"][index];
        assert!(corrected.verdict.contains(level) && corrected.corrected_for == 3, "{}", corrected.verdict);
        assert!(corrected.interval[0] < plain.interval[0] || factor == 1.0, "{index}");
        assert_eq!(
            (corrected.difference, &corrected.mcnemar_p_values),
            (plain.difference, &plain.mcnemar_p_values)
        );
    }
    assert_eq!(
        comparisons.iter().map(|comparison| comparison.outcome).collect::<Vec<_>>(),
        [Outcome::ABetter, Outcome::ABetter, Outcome::BBetter]
    );
    assert_eq!(
        notes,
        [
            "3 comparisons: p-values are corrected by Holm's method, and each interval is widened to the level at which that method \
          tests it."
        ]
    );
}

/// Six images decide between two models, not among three that are alike.
#[test]
fn many_comparisons_make_a_verdict_harder() {
    let records = [run("cnn", 1, 10_000, 0..6), run("lstm", 1, 10_000, []), run("mlp", 1, 10_000, [0])];
    assert_eq!(only_comparison(&records[..2]).outcome, Outcome::BBetter);
    let comparison = &judge(&records, &[]).comparisons[0];
    assert_eq!(comparison.outcome, Outcome::CannotTell);
    assert!(comparison.interval[1] > 0.0 && comparison.p_value > 0.05);
}

/// The other methods beside the deciding one, on differences of 80, 83 and 86 images: t = 83 √3 / 3 at two degrees of
/// freedom, whose interval is 83 ± 4.3027 · 3 / √3 images.
#[test]
fn the_other_methods_are_carried_along() {
    let records: Vec<RunRecord> = [80, 83, 86]
        .into_iter()
        .zip(1..)
        .flat_map(|(missed, seed)| [run("cnn", seed, 10_000, 0..0), run("lstm", seed, 10_000, 0..missed)])
        .collect();
    let comparison = only_comparison(&records);
    let test = comparison.paired_t.expect("three runs");
    let half = 4.302_652_73 * 3.0 / 3f64.sqrt();
    for (found, expected) in test.interval.into_iter().zip([83.0 - half, 83.0 + half]) {
        assert!((found * 10_000.0 - expected).abs() < 1e-4, "{found}");
    }
    assert!((test.p_value - 0.000_435).abs() < 1e-5, "{}", test.p_value);
    let [lower, upper] = comparison.bootstrap_interval.expect("runs on the same images");
    assert!(lower > 0.006 && lower < 0.0083 && upper > 0.0083 && upper < 0.0105, "{lower} {upper}");
    assert!(comparison.seed_standard_error.is_some_and(|error| error > 0.0 && error < 0.001));
    assert!(comparison.image_standard_error.is_some_and(|error| error > 0.0005 && error < 0.0012));
    assert_eq!(comparison, only_comparison(&records), "the same resamples each time");

    let one = only_comparison(&records[..2]);
    assert_eq!((one.paired_t, one.seed_standard_error), (None, None));
}
