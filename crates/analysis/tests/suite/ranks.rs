//! The order of several models.

use crate::fixture::{self, judge, run};
use analysis::{
    ranking::{Rank, ranking},
    verdict::Outcome,
};
use records::{question::Measure, record::RunRecord};

/// Three runs of each model, which misses that many of 10,000 images, the first ones, in each.
fn ranked(models: &[(&str, usize)]) -> Vec<Rank> {
    let records: Vec<RunRecord> = (0..3)
        .flat_map(|seed| models.iter().map(move |(name, missed)| run(name, seed, 10_000, 0..*missed)))
        .collect();
    ranking(&fixture::models(&records), &judge(&records, &[]).comparisons, Measure::Accuracy)
}

fn shown(ranks: &[Rank]) -> Vec<(&str, usize, usize, &[usize])> {
    ranks.iter().map(|rank| (rank.model.as_str(), rank.best, rank.worst, rank.groups.as_slice())).collect()
}

#[test]
fn models_far_apart_have_a_place_each() {
    let ranks = ranked(&[("worst", 900), ("best", 100), ("middle", 400)]);
    assert_eq!(shown(&ranks), [("best", 1, 1, &[0][..]), ("middle", 2, 2, &[1]), ("worst", 3, 3, &[2])]);
    assert!((ranks[0].accuracy - 0.99).abs() < 1e-12);
}

#[test]
fn models_that_cannot_be_told_apart_share_a_group() {
    let ranks = ranked(&[("a", 100), ("b", 103), ("c", 500)]);
    assert_eq!(shown(&ranks), [("a", 1, 2, &[0][..]), ("b", 1, 2, &[0]), ("c", 3, 3, &[1])]);
}

/// Each is close to its neighbour, and the ends are not close to each other.
#[test]
fn groups_overlap_where_closeness_is_not_transitive() {
    let ranks = ranked(&[("a", 100), ("b", 104), ("c", 108), ("d", 112)]);
    let groups: Vec<&[usize]> = ranks.iter().map(|rank| rank.groups.as_slice()).collect();
    assert_eq!(ranks.iter().map(|rank| rank.model.as_str()).collect::<Vec<_>>(), ["a", "b", "c", "d"]);
    assert!(groups.iter().any(|groups| groups.len() > 1), "{groups:?}");
    assert!(ranks[0].worst < 4 && ranks[3].best > 1, "{ranks:?}");
}

/// The last is decided against the second alone, so it shares a group with the first, which is not its neighbour.
#[test]
fn two_share_a_group_exactly_where_they_are_not_told_apart() {
    let records: Vec<RunRecord> = (0..3)
        .flat_map(|seed| {
            [("a", 100), ("b", 103), ("c", 500)].map(|(name, missed)| run(name, seed, 10_000, 0..missed))
        })
        .collect();
    let mut comparisons = judge(&records, &[]).comparisons;
    let ends = comparisons.iter_mut().find(|one| one.a == "a" && one.b == "c").expect("compared");
    assert_eq!(ends.outcome, Outcome::ABetter);
    ends.outcome = Outcome::CannotTell;
    let ranks = ranking(&fixture::models(&records), &comparisons, Measure::Accuracy);
    assert_eq!(shown(&ranks), [("a", 1, 3, &[0, 1][..]), ("b", 1, 2, &[0]), ("c", 2, 3, &[1])]);
}

#[test]
fn models_that_were_not_compared_are_not_told_apart() {
    let mut records = [run("a", 1, 1000, 0..10), run("b", 2, 1000, 0..900)];
    records[1].specification.dataset.sha256 = "other".to_owned();
    let ranks = ranking(&fixture::models(&records), &judge(&records, &[]).comparisons, Measure::Accuracy);
    assert_eq!(shown(&ranks), [("a", 1, 2, &[0][..]), ("b", 1, 2, &[0])]);
    assert_eq!(ranking(&[], &[], Measure::Accuracy), []);
}
