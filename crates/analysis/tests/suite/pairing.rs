//! Which runs are compared, and what is said of the others.

use crate::fixture::{failed, judge, only_comparison, points, run, steady};
use analysis::verdict::{Coverage, Judgement, Outcome};
use records::record::{Protocol, RunRecord};

#[test]
fn runs_without_a_partner_are_left_out_and_named() {
    let mut records = steady(10_000, 0..2, 83);
    records.extend([5, 6].map(|seed| run("cnn", seed, 10_000, 0..500)));
    records.push(run("lstm", 9, 10_000, 0..500));
    let Judgement { comparisons, notes } = judge(&records, &[]);
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
fn a_run_that_diverged_is_named_where_its_partner_is_left_out_and_in_the_verdict() {
    let mut records = steady(10_000, 0..3, 83);
    records.retain(|run| !(run.specification.model == "lstm" && run.specification.seed == 1));
    let Judgement { comparisons, notes } = judge(&records, &[failed("lstm", 1, 2), failed("gone", 0, 1)]);
    assert_eq!(
        notes,
        ["cnn, seed 1: left out of the comparison with lstm: the run of lstm with the same seed diverged."]
    );
    assert_eq!(comparisons[0].diverged, [0, 1]);
    assert_eq!(
        comparisons[0].verdict,
        "cnn beats lstm by 0.83 points of test accuracy [0.65, 1.01] at 95 %, 2 paired runs; 1 run of lstm diverged and is left out, \
         which favours lstm."
    );
}

type Change = fn(&mut RunRecord);

#[test]
fn runs_of_another_setting_are_left_out_and_named() {
    let changes: [(&str, Change); 3] = [
        ("data", |run| run.specification.dataset.sha256 = "ffff".to_owned()),
        ("protocol", |run| run.specification.protocol = Protocol::Original),
        ("test labels", |run| run.test.labels[0] = 9),
    ];
    for (noun, change) in changes {
        let mut records = steady(10_000, 0..3, 83);
        change(&mut records[3]);
        let Judgement { comparisons, notes } = judge(&records, &[]);
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
        let Judgement { comparisons, notes } = judge(&apart, &[]);
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
    let Judgement { comparisons, notes } = judge(&records, &[]);
    assert_eq!((comparisons[0].runs, points(&comparisons[0])[1]), (3, 83));
    assert_eq!(notes.len(), 2, "{notes:?}");
    assert!(notes[0].starts_with("cnn, seed 0: ") && notes[1].starts_with("lstm, seed 0: "), "{notes:?}");
}

#[test]
fn runs_that_no_comparison_can_use_are_left_out_and_named() {
    let mut records = steady(10_000, 0..2, 83);
    records.push(run("lstm", 1, 10_000, 0..900));
    records.push(run("lstm", 2, 10_000, 0..900));
    records[5].specification.recipe.epochs = 1;
    records.push(run("cnn", 3, 10_000, []));
    records[6].test.predictions.pop();
    let Judgement { comparisons, notes } = judge(&records, &[]);
    assert_eq!((comparisons[0].runs, points(&comparisons[0])[1]), (2, 83));
    assert_eq!(
        notes,
        [
            "lstm, seed 1: left out: the model has another run with the same seed.",
            "lstm, seed 2: left out: its layers or recipe are not those of the model's first run.",
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
        .for_each(|run| run.specification.recipe.epochs = 9);
    assert_eq!(only_comparison(&records).runs, 3);
}

#[test]
fn runs_without_partners_are_compared_as_independent_ones() {
    let records: Vec<_> = (0..3)
        .map(|seed| run("cnn", seed, 1000, 0..10 + seed as usize))
        .chain((10..14).map(|seed| run("lstm", seed, 1000, 0..100 + seed as usize)))
        .collect();
    let Judgement { comparisons, notes } = judge(&records, &[]);
    let [comparison] = &comparisons[..] else { panic!("{notes:?}") };
    assert_eq!((comparison.runs, comparison.unpaired_runs), (0, Some([3, 4])));
    assert_eq!((comparison.outcome, comparison.interval_covers), (Outcome::ABetter, Coverage::RunsAndImages));
    assert!((comparison.difference - (111.5 - 11.0) / 1000.0).abs() < 1e-12, "{comparison:?}");
    assert!(
        comparison.verdict.contains("3 runs of cnn and 4 runs of lstm, not paired"),
        "{}",
        comparison.verdict
    );
    assert!(comparison.bootstrap_interval.is_none() && comparison.mcnemar_p_values.is_empty());
    // One shared seed makes a pair, and the others are left out.
    let mut paired = records;
    paired[3].specification.seed = 0;
    let Judgement { comparisons, notes } = judge(&paired, &[]);
    assert_eq!((comparisons[0].runs, comparisons[0].unpaired_runs), (1, None));
    assert!(notes.iter().any(|note| note.contains("left out of the comparison")), "{notes:?}");
    // One run each: the seeds' noise is not known.
    let one = [run("cnn", 1, 1000, 0..10), run("lstm", 2, 1000, 0..400)];
    let judged = judge(&one, &[]);
    assert_eq!(judged.comparisons[0].interval_covers, Coverage::Images);
    assert!(judged.comparisons[0].verdict.contains("not paired: seed noise unknown"));
}

#[test]
fn nothing_to_compare_is_said_or_empty() {
    assert_eq!(judge(&[], &[]), Judgement { comparisons: Vec::new(), notes: Vec::new() });
    assert_eq!(
        judge(&steady(100, 0..1, 9)[..1], &[]),
        Judgement { comparisons: Vec::new(), notes: Vec::new() }
    );
    let mut apart = [run("cnn", 1, 100, []), run("lstm", 2, 100, [])];
    apart[1].specification.dataset.sha256 = "other".to_owned();
    assert_eq!(
        judge(&apart, &[]).notes,
        ["cnn and lstm are not compared: they have no runs with the same seed."]
    );
    let empty = [run("cnn", 1, 100, []), run("lstm", 1, 0, [])];
    assert_eq!(
        judge(&empty, &[]).notes,
        [
            "lstm, seed 1: left out: its test labels and predictions do not match.",
            "cnn and lstm are not compared: no run of lstm can be used.",
        ]
    );
}
