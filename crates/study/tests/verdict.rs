//! Verdicts over constructed records, whose figures can be worked out by hand.
//!
//! Where `only` images are right for one model alone, the same ones in every run, the variance of the runs is 0 and that of the images
//! `(only + 2 - only²/N') / (N' (N' - 1))`, N' = images + 2. So 83 of 10,000 images give 0.83 ± 1.96 √(85 - 0.69) / 100.02 = 0.83 ± 0.18 points.

use std::ops::Range;
use study::record::{DatasetIdentity, Environment, Protocol, RECORD_SCHEMA, RunRecord, RunSpec, TestRecord};
use study::verdict::{Comparison, Coverage, Judgement, Outcome, judge};

/// A run that misses the images listed and takes ten seconds to train.
fn run(model: &str, seed: u64, images: usize, missed: impl IntoIterator<Item = usize>) -> RunRecord {
    let labels: Vec<u8> = (0..images).map(|image| (image % 10) as u8).collect();
    let mut predictions = labels.clone();
    for image in missed {
        predictions[image] = (labels[image] + 1) % 10;
    }
    let right = labels.iter().zip(&predictions).filter(|(label, given)| label == given).count();
    RunRecord {
        schema: RECORD_SCHEMA,
        id: format!("{model}-{seed}"),
        specification: RunSpec {
            model: model.to_owned(),
            dataset: DatasetIdentity {
                name: "mnist".to_owned(),
                sha256: "0123456789abcdef".to_owned(),
                training_images: 60_000,
                test_images: images,
                height: 28,
                width: 28,
                classes: 10,
            },
            protocol: Protocol::Sound,
            epochs: 3,
            batch_size: 64,
            learning_rate: 0.001,
            seed,
        },
        environment: Environment {
            cpu: "a processor".to_owned(),
            threads: 2,
            kernels: "avx2".to_owned(),
            version: "0.1.0".to_owned(),
        },
        parameters: 100_000,
        forward_flops: 1_000_000,
        epochs: Vec::new(),
        train_seconds: 10.0,
        evaluate_seconds: 1.0,
        total_seconds: 11.0,
        test: TestRecord {
            accuracy: right as f64 / images as f64,
            loss: 0.03,
            labels,
            predictions,
            probabilities: Vec::new(),
        },
        test_reads: 1,
        fingerprint: "fedcba9876543210".to_owned(),
        warnings: Vec::new(),
    }
}

/// Runs of both models, `cnn` without a miss and `lstm` with the same ones in each run.
fn steady(images: usize, seeds: Range<u64>, missed: usize) -> Vec<RunRecord> {
    seeds.flat_map(|seed| [run("cnn", seed, images, []), run("lstm", seed, images, 0..missed)]).collect()
}

fn only_comparison(records: &[RunRecord]) -> Comparison {
    let Judgement { mut comparisons, notes } = judge(records);
    assert_eq!((comparisons.len(), notes), (1, Vec::new()));
    comparisons.remove(0)
}

/// The same study with the models in the other order.
fn swapped(records: &[RunRecord]) -> Vec<RunRecord> {
    let mut records = records.to_vec();
    records.reverse();
    records
}

fn points(comparison: &Comparison) -> [i64; 3] {
    let hundredths = |fraction: f64| (fraction * 1e4).round() as i64;
    let [lower, upper] = comparison.interval;
    [hundredths(lower), hundredths(comparison.difference), hundredths(upper)]
}

#[test]
fn the_better_model_is_named_first_whatever_the_order() {
    let mut records = steady(10_000, 0..5, 83);
    records
        .iter_mut()
        .filter(|run| run.specification.model == "cnn")
        .for_each(|run| run.train_seconds = 13.0);
    let comparison = only_comparison(&records);
    let sentence = "cnn beats lstm by 0.83 points of test accuracy [0.65, 1.01], 5 paired runs; lstm trains 1.3× faster.";
    assert_eq!(comparison.verdict, sentence);
    assert_eq!((comparison.a.as_str(), comparison.b.as_str()), ("cnn", "lstm"));
    assert_eq!((comparison.outcome, comparison.runs), (Outcome::ABetter, 5));
    assert_eq!((comparison.confidence, comparison.interval_covers), (0.95, Coverage::RunsAndImages));
    assert_eq!((points(&comparison), comparison.train_seconds_ratio), ([65, 83, 101], 1.3));
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
        "cnn and lstm are practically equal: 0.00 points [-0.03, 0.03], 3 paired runs."
    );
    assert_eq!((comparison.outcome, comparison.p_value), (Outcome::PracticallyEqual, 1.0));
}

/// 20 of 100,000 images: 0.02 ± 1.96 √22 / 1000 points, beyond doubt above zero and too little to matter.
#[test]
fn a_sure_but_tiny_difference_is_practical_equality() {
    let comparison = only_comparison(&swapped(&steady(100_000, 0..3, 20)));
    assert_eq!(
        comparison.verdict,
        "lstm and cnn are practically equal: -0.02 points [-0.03, -0.01], 3 paired runs."
    );
    assert_eq!(comparison.outcome, Outcome::PracticallyEqual);
    assert!(comparison.p_value < 0.001);
}

/// Three pairs whose differences are 60, -20 and 20 images of 10,000, no image twice: `MS_runs` = (3600 + 400 + 400 - 60²/3)/10,002/2,
/// so the standard error of the runs is √(0.16/30,006) or 0.23 points, 4.30 times which is 0.99. With hardly any image noise, 80 % power
/// at a mean of half the deviation takes 34 pairs.
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
    let start = "cannot tell cnn and lstm apart: +0.20 points [-0.79, 1.19], 3 paired runs; a difference this small needs about ";
    assert_eq!(comparison.verdict, format!("{start}{more} more runs."));

    let opposite = only_comparison(&swapped(&records));
    assert_eq!(opposite.further_runs, Some(more));
    let start = "cannot tell lstm and cnn apart: -0.20 points [-1.19, 0.79], 3 paired runs; ";
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
        "cannot tell cnn and lstm apart: +0.10 points [-0.07, 0.27], 2 paired runs; \
         a difference this small needs more than these 10000 test images, however many runs."
    );
}

#[test]
fn one_run_says_what_it_leaves_out() {
    let comparison = only_comparison(&steady(10_000, 7..8, 83));
    assert_eq!(
        comparison.verdict,
        "cnn beats lstm by 0.83 points of test accuracy [0.65, 1.01], 1 paired run: test images only, seed noise unknown."
    );
    assert_eq!((comparison.interval_covers, comparison.runs), (Coverage::Images, 1));

    let undecided = only_comparison(&steady(10_000, 7..8, 4));
    assert_eq!(
        undecided.verdict,
        "cannot tell cnn and lstm apart: +0.04 points [-0.01, 0.09], 1 paired run: test images only, seed noise unknown."
    );
    assert_eq!(undecided.further_runs, None);
}

/// Six images: 0.06 ± 1.96 √8 / 100.02 points leave 0.0046, which two decimals would print as the zero that the interval excludes.
#[test]
fn the_printed_interval_never_denies_the_outcome() {
    let comparison = only_comparison(&steady(10_000, 0..1, 6));
    assert_eq!(
        comparison.verdict,
        "cnn beats lstm by 0.060 points of test accuracy [0.005, 0.115], 1 paired run: test images only, seed noise unknown."
    );
}

#[test]
fn times_are_told_apart_from_five_percent_on() {
    for (seconds, clause) in [
        (10.4, "runs."),
        (10.6, "runs; cnn trains 1.06× faster."),
        (11.0, "runs; cnn trains 1.1× faster."),
        (9.0, "runs; lstm trains 1.1× faster."),
        (1000.0, "runs; cnn trains 100× faster."),
        (0.0, "runs."),
    ] {
        let mut records = steady(1000, 0..2, 100);
        records
            .iter_mut()
            .filter(|run| run.specification.model == "lstm")
            .for_each(|run| run.train_seconds = seconds);
        let verdict = only_comparison(&records).verdict;
        assert!(verdict.ends_with(clause), "{seconds}: {verdict}");
    }
}

#[test]
fn times_of_different_machines_are_not_compared() {
    let mut records = steady(1000, 0..2, 100);
    records[1].train_seconds = 30.0;
    records[3].environment.threads = 8;
    let Judgement { comparisons, notes } = judge(&records);
    assert!(comparisons[0].verdict.ends_with("2 paired runs."), "{}", comparisons[0].verdict);
    assert_eq!(
        notes,
        [
            "The training times of cnn and lstm are not compared: the runs were made on different machines, threads or kernels."
        ]
    );
}

#[test]
fn runs_without_a_partner_are_left_out_and_named() {
    let mut records = steady(10_000, 0..2, 83);
    records.extend([5, 6].map(|seed| run("cnn", seed, 10_000, 0..500)));
    records.push(run("lstm", 9, 10_000, 0..500));
    let Judgement { comparisons, notes } = judge(&records);
    assert_eq!((comparisons[0].runs, points(&comparisons[0])[1]), (2, 83));
    assert_eq!(
        notes,
        [
            "cnn, seeds 5, 6: left out of the comparison with lstm: lstm has no run with the same seed.",
            "lstm, seed 9: left out of the comparison with cnn: cnn has no run with the same seed.",
        ]
    );
}

#[test]
fn runs_of_another_setting_are_left_out_and_named() {
    let changes: [(&str, fn(&mut RunRecord)); 3] = [
        ("data", |run| run.specification.dataset.sha256 = "ffff".to_owned()),
        ("protocol", |run| run.specification.protocol = Protocol::Original),
        ("test labels", |run| run.test.labels[0] = 9),
    ];
    for (noun, change) in changes {
        let mut records = steady(10_000, 0..3, 83);
        change(&mut records[3]);
        let Judgement { comparisons, notes } = judge(&records);
        assert_eq!(comparisons[0].runs, 2);
        assert_eq!(
            notes,
            [
                format!(
                    "cnn, seed 1: left out of the comparison with lstm: the run of lstm with the same seed was not made with the \
                     {noun} of the runs compared."
                ),
                format!(
                    "lstm, seed 1: left out of the comparison with cnn: it was not made with the {noun} of the runs compared."
                ),
            ]
        );

        let mut apart = steady(10_000, 0..1, 83);
        change(&mut apart[1]);
        let Judgement { comparisons, notes } = judge(&apart);
        assert!(comparisons.is_empty());
        assert_eq!(
            notes,
            [format!(
                "cnn and lstm are not compared: their runs with the same seed do not share their {noun}."
            )]
        );
    }
}

/// Runs of one setting are never averaged with runs of another, though each has its partner.
#[test]
fn the_setting_with_the_most_pairs_is_judged() {
    let mut records = steady(10_000, 0..1, 400);
    records.iter_mut().for_each(|run| run.specification.protocol = Protocol::Original);
    records.extend(steady(10_000, 0..3, 83));
    let Judgement { comparisons, notes } = judge(&records);
    assert_eq!((comparisons[0].runs, points(&comparisons[0])[1]), (3, 83));
    assert_eq!(notes.len(), 2, "{notes:?}");
    assert!(notes[0].starts_with("cnn, seed 0: ") && notes[1].starts_with("lstm, seed 0: "), "{notes:?}");
}

#[test]
fn runs_that_no_comparison_can_use_are_left_out_and_named() {
    let mut records = steady(10_000, 0..2, 83);
    records.push(run("lstm", 1, 10_000, 0..900));
    records.push(run("lstm", 2, 10_000, 0..900));
    records[5].specification.epochs = 1;
    records.push(run("cnn", 3, 10_000, []));
    records[6].test.predictions.pop();
    let Judgement { comparisons, notes } = judge(&records);
    assert_eq!((comparisons[0].runs, points(&comparisons[0])[1]), (2, 83));
    assert_eq!(
        notes,
        [
            "lstm, seed 1: left out: the model has another run with the same seed.",
            "lstm, seed 2: left out: its epochs, batch size or learning rate are not those of the model's first run.",
            "cnn, seed 3: left out: its test labels and predictions do not match.",
        ]
    );
}

#[test]
fn epochs_may_differ_between_models() {
    let mut records = steady(10_000, 0..3, 83);
    records
        .iter_mut()
        .filter(|run| run.specification.model == "lstm")
        .for_each(|run| run.specification.epochs = 9);
    assert_eq!(only_comparison(&records).runs, 3);
}

#[test]
fn nothing_to_compare_is_said_or_empty() {
    assert_eq!(judge(&[]), Judgement { comparisons: Vec::new(), notes: Vec::new() });
    assert_eq!(judge(&steady(100, 0..1, 9)[..1]), Judgement { comparisons: Vec::new(), notes: Vec::new() });
    let apart = [run("cnn", 1, 100, []), run("lstm", 2, 100, [])];
    assert_eq!(judge(&apart).notes, ["cnn and lstm are not compared: they have no runs with the same seed."]);
    let empty = [run("cnn", 1, 100, []), run("lstm", 1, 0, [])];
    assert_eq!(
        judge(&empty).notes,
        [
            "lstm, seed 1: left out: its test labels and predictions do not match.",
            "cnn and lstm are not compared: no run of lstm can be used.",
        ]
    );
}

/// Nine images told apart from none would do for two models (p = 0.0066), and eight from none (p = 0.0115); Holm doubles the second.
#[test]
fn three_models_are_corrected_by_holm() {
    let missed = [("cnn", 0..0), ("lstm", 0..60), ("mlp", 52..60)];
    let records: Vec<RunRecord> =
        missed.iter().map(|(model, missed)| run(model, 1, 10_000, missed.clone())).collect();
    let alone = |a: usize, b: usize| only_comparison(&[records[a].clone(), records[b].clone()]);
    let pairs = [alone(0, 1), alone(0, 2), alone(1, 2)];
    let Judgement { comparisons, notes } = judge(&records);
    let names: Vec<(&str, &str)> =
        comparisons.iter().map(|comparison| (comparison.a.as_str(), comparison.b.as_str())).collect();
    assert_eq!(names, [("cnn", "lstm"), ("cnn", "mlp"), ("lstm", "mlp")]);
    for (index, factor) in [(0, 3.0), (2, 2.0), (1, 1.0)] {
        let (corrected, plain) = (&comparisons[index], &pairs[index]);
        assert!((corrected.p_value - factor * plain.p_value).abs() <= 1e-12 * plain.p_value, "{index}");
        assert!((corrected.confidence - (1.0 - 0.05 / factor)).abs() < 1e-12, "{index}");
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
    let comparison = &judge(&records).comparisons[0];
    assert_eq!(comparison.outcome, Outcome::CannotTell);
    assert!(comparison.interval[1] > 0.0 && comparison.p_value > 0.05);
}

/// Repeatable numbers for the random studies below.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

#[test]
fn outcome_p_value_interval_and_sentence_agree_in_random_studies() {
    let mut numbers = Numbers(1);
    let mut seen = [0; 4];
    for _ in 0..400 {
        let images = [500, 3000, 40_000][numbers.below(3) as usize];
        let (models, seeds) = (2 + numbers.below(2), 1 + numbers.below(4));
        let rates: Vec<u64> = (0..models).map(|_| 1 + numbers.below(24)).collect();
        let hard: Vec<usize> = (0..30).map(|_| numbers.below(images) as usize).collect();
        let records: Vec<RunRecord> = (0..seeds)
            .flat_map(|seed| rates.iter().enumerate().map(move |(model, &rate)| (seed, model, rate)))
            .map(|(seed, model, rate)| {
                let mut missed: Vec<usize> =
                    hard.iter().copied().filter(|_| numbers.below(24) < rate).collect();
                missed.push(numbers.below(images) as usize);
                run(["cnn", "lstm", "mlp"][model], seed, images as usize, missed)
            })
            .collect();
        for comparison in judge(&records).comparisons {
            seen[comparison.outcome as usize] += 1;
            agree(&comparison);
        }
    }
    assert!(seen.iter().all(|&count| count > 20), "{seen:?}");
}

fn agree(comparison: &Comparison) {
    let [lower, upper] = comparison.interval;
    let excludes_zero = lower > 0.0 || upper < 0.0;
    assert_eq!(excludes_zero, comparison.p_value <= 0.05, "{comparison:?}");
    assert!(lower < comparison.difference && comparison.difference < upper, "{comparison:?}");
    assert!((0.95..0.984).contains(&comparison.confidence), "{comparison:?}");
    assert_ne!(comparison.further_runs, Some(0));
    let (winner, loser) = match comparison.outcome {
        Outcome::BBetter => (&comparison.b, &comparison.a),
        _ => (&comparison.a, &comparison.b),
    };
    let (start, end) = (comparison.verdict.find('[').expect("["), comparison.verdict.find(']').expect("]"));
    let printed: Vec<f64> = comparison.verdict[start + 1..end]
        .split(", ")
        .map(|number| number.parse().expect("a number"))
        .collect();
    let within = printed[0] >= -0.05 && printed[1] <= 0.05;
    let beginning = match comparison.outcome {
        Outcome::PracticallyEqual => {
            assert!(within, "{comparison:?}");
            format!("{winner} and {loser} are practically equal: ")
        }
        Outcome::CannotTell => {
            assert!(!excludes_zero && !within && printed[0] <= 0.0 && printed[1] >= 0.0, "{comparison:?}");
            format!("cannot tell {winner} and {loser} apart: ")
        }
        Outcome::ABetter | Outcome::BBetter => {
            assert!(excludes_zero && !within && printed[0] > 0.0, "{comparison:?}");
            format!("{winner} beats {loser} by ")
        }
    };
    assert!(comparison.verdict.starts_with(&beginning), "{}", comparison.verdict);
    assert!(!comparison.verdict.contains("-0.00,"), "{}", comparison.verdict);
}
