//! A plan divided into shards: every run in one, pairs together, costs alike.

use records::record::{DatasetIdentity, Protocol, Resample, RunSpec};
use std::collections::{BTreeMap, BTreeSet};
use study::{
    plan::{CrossValidation, StudySpec, plan},
    shard::{Division, Shard},
    study_file::{ModelSpec, built_in_models},
};

fn dataset(name: &str, training_images: usize) -> DatasetIdentity {
    DatasetIdentity {
        name: name.to_owned(),
        sha256: name.to_owned(),
        training_images,
        test_images: 10_000,
        height: 28,
        width: 28,
        channels: 1,
        classes: 10,
    }
}

fn runs(
    models: &[ModelSpec],
    seeds: u64,
    folds: Option<CrossValidation>,
    dataset: &DatasetIdentity,
) -> Vec<RunSpec> {
    let study = StudySpec {
        models: models.to_vec(),
        protocol: Protocol::Sound,
        audit_selection: false,
        resample: Resample::None,
        cross_validation: folds,
        first_seed: 7,
        runs: folds.map_or(seeds, CrossValidation::runs),
    };
    plan(&study, dataset)
}

fn models(count: usize) -> Vec<ModelSpec> {
    let models = built_in_models();
    assert!(models.len() >= count, "{}", models.len());
    models[..count].to_vec()
}

/// Every run is in one shard, and runs of one seed are in the same one.
fn check(plans: &[&[RunSpec]], division: &Division, count: usize) {
    assert_eq!(division.shards.len(), plans.len());
    assert_eq!(division.costs.len(), count);
    for (shards, plan) in division.shards.iter().zip(plans) {
        assert_eq!(shards.len(), plan.len());
        let mut of_seed: BTreeMap<u64, BTreeSet<usize>> = BTreeMap::new();
        for (shard, run) in shards.iter().zip(*plan) {
            assert!((1..=count).contains(shard));
            of_seed.entry(run.seed).or_default().insert(*shard);
        }
        assert!(of_seed.values().all(|shards| shards.len() == 1), "pairs stay together");
    }
}

#[test]
fn ten_thousand_runs_over_a_thousand_shards() {
    let dataset = dataset("a", 60_000);
    for (number, seeds) in [(10, 1000), (5, 2000)] {
        let plan = runs(&models(number), seeds, None, &dataset);
        assert_eq!(plan.len(), 10_000);
        let division = Division::of(&[&plan], 1000).expect("every model fits");
        check(&[&plan], &division, 1000);
        assert_eq!(division.blocks as u64, seeds);
        assert_eq!(division.imbalance(), Some(0.0), "all seeds cost the same");
        // A pure function: nothing of this process is in it.
        assert_eq!(Division::of(&[&plan], 1000).expect("as before"), division);
    }
}

#[test]
fn data_sets_of_different_sizes_come_to_like_costs() {
    let sets = [dataset("small", 10_000), dataset("large", 240_000), dataset("middle", 60_000)];
    let plans: Vec<Vec<RunSpec>> = sets.iter().map(|set| runs(&models(4), 834, None, set)).collect();
    let plans: Vec<&[RunSpec]> = plans.iter().map(Vec::as_slice).collect();
    assert!(plans.iter().map(|plan| plan.len()).sum::<usize>() >= 10_000);
    for count in [1, 7, 64, 100, 278] {
        let division = Division::of(&plans, count).expect("every model fits");
        check(&plans, &division, count);
        let imbalance = division.imbalance().expect("work for all");
        assert!(imbalance <= 0.10, "{count} shards: {imbalance}");
    }
}

/// What a shard has is what its runs cost: whoever adds them up again comes to the same.
#[test]
fn costs_are_those_of_the_runs() {
    let plan = runs(&models(3), 10, None, &dataset("a", 60_000));
    let division = Division::of(&[&plan], 5).expect("every model fits");
    let alone = Division::of(&[&plan], 1).expect("every model fits").costs[0];
    assert_eq!(division.costs.iter().sum::<u128>(), alone);
    // A backward pass costs twice what a forward pass does: 55,000 images are learnt from and 5,000 tested on in every epoch, and 10,000
    // at the end.
    let by_hand = |run: &RunSpec| {
        let graph = run.architecture().graph(run.dataset.shape(), run.dataset.classes).expect("it fits");
        let image: u64 = graph.nodes.iter().map(|node| node.multiply_adds).sum();
        let epochs = run.recipe.epochs as u64;
        u128::from(image * (3 * 55_000 * epochs + 5_000 * epochs + 10_000))
    };
    assert_eq!(alone, plan.iter().map(by_hand).sum());
    // Twice the epochs cost twice as much but for the test at the end.
    let mut longer = plan.clone();
    longer.iter_mut().for_each(|run| run.recipe.epochs *= 2);
    let longer = Division::of(&[&longer], 1).expect("every model fits").costs[0];
    assert!(longer < 2 * alone && longer > 19 * alone / 10, "{longer} {alone}");
}

#[test]
fn more_shards_than_seeds_leave_some_without_work() {
    let plan = runs(&models(2), 3, None, &dataset("a", 60_000));
    let division = Division::of(&[&plan], 8).expect("every model fits");
    check(&[&plan], &division, 8);
    assert_eq!((division.blocks, division.imbalance()), (3, None));
    assert_eq!(division.costs.iter().filter(|cost| **cost == 0).count(), 5);
    let none = Division::of(&[&[]], 2).expect("nothing to fit");
    assert_eq!((none.blocks, none.imbalance()), (0, None));
}

#[test]
fn folds_are_divided_as_seeds_are() {
    let folds = CrossValidation { folds: 5, repeats: 4 };
    let plan = runs(&models(3), 0, Some(folds), &dataset("a", 60_000));
    let division = Division::of(&[&plan], 10).expect("every model fits");
    check(&[&plan], &division, 10);
    assert_eq!((division.blocks, division.imbalance()), (20, Some(0.0)));
}

#[test]
fn a_shard_is_written_as_a_fraction() {
    assert_eq!("3/8".parse(), Ok(Shard { number: 3, count: 8 }));
    assert_eq!(Shard { number: 3, count: 8 }.to_string(), "3/8");
    for wrong in
        ["", "3", "/", "0/8", "9/8", "-1/8", "3/8/2", "3/0", "3/1000001", "3/99999999999999999999", "a/b"]
    {
        let problem = wrong.parse::<Shard>().expect_err(wrong);
        assert!(problem.starts_with("I/N expected, such as 3/8"), "{problem}");
    }
}
