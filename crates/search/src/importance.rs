use crate::{Domain, Space, Trial, Value};
use stats::kruskal_wallis;

/// How much a dimension mattered.
#[derive(Debug, Clone, PartialEq)]
pub struct Importance {
    /// The dimension's name.
    pub name: String,
    /// The share of the trials' order that this dimension alone explains, 0 to 1: ε² of the Kruskal–Wallis test, with what
    /// chance explains taken off, and 0 where that leaves less.
    pub share: f64,
    /// How likely a share as large is where the dimension does not matter.
    pub p_value: f64,
}

/// Fewer trials than this say nothing about importance: two groups of five.
pub const MINIMUM_TRIALS: usize = 10;

/// Trials in a group of neighbouring numbers: as many as the test's approximation wants.
const GROUP: usize = 5;

/// Groups of neighbouring numbers: an optimum in the middle shows with three, and more would leave each too few.
const GROUPS: usize = 4;

/// How much each dimension of a space mattered in these trials, in the space's order; none where it cannot be said: below
/// [`MINIMUM_TRIALS`], or where a dimension took too few different values.
///
/// The trials are ranked as by [`crate::ranking`], and the ranks compared between groups: the choices, or up to four
/// groups of as many trials with neighbouring numbers. What it does not see: dimensions that matter only together. What
/// bends it: a search that has found a good region looks there, so a dimension that mattered early is varied less later,
/// and its share falls. It says what mattered among these trials, not what would in another range.
///
/// Source: Kruskal and Wallis 1952, JASA 47, see [`stats::kruskal_wallis`]; the question and a costlier answer, which sees
/// dimensions together, in Hutter et al. 2014, "An efficient approach for assessing hyperparameter importance", ICML.
///
/// # Panics
/// When a trial's point is not one of the space.
pub fn importance(space: &Space, trials: &[Trial]) -> Vec<Option<Importance>> {
    assert!(trials.iter().all(|trial| space.holds(&trial.point)), "every trial is a point of the space");
    let ranks = ranks(trials);
    let of_dimension = |(index, dimension): (usize, &crate::Dimension)| {
        if trials.len() < MINIMUM_TRIALS {
            return None;
        }
        let values: Vec<Value> = trials.iter().map(|trial| trial.point[index]).collect();
        let result = kruskal_wallis(&groups(dimension.domain, &values, &ranks)).ok()?;
        Some(Importance {
            name: dimension.name.clone(),
            share: result.effect.clamp(0.0, 1.0),
            p_value: result.p_value,
        })
    };
    space.dimensions().iter().enumerate().map(of_dimension).collect()
}

/// For each trial how many are worse, equal ones alike.
fn ranks(trials: &[Trial]) -> Vec<f64> {
    let mut worst_first: Vec<usize> = (0..trials.len()).collect();
    worst_first.sort_by(|one, other| trials[*one].compare(&trials[*other]));
    let (mut ranks, mut worse) = (vec![0.0; trials.len()], 0);
    for equals in worst_first.chunk_by(|one, other| trials[*one].compare(&trials[*other]).is_eq()) {
        equals.iter().for_each(|trial| ranks[*trial] = worse as f64);
        worse += equals.len();
    }
    ranks
}

/// The ranks by the values they belong to. Choices that were tried once are left out: one rank is no group.
fn groups(domain: Domain, values: &[Value], ranks: &[f64]) -> Vec<Vec<f64>> {
    let mut sorted: Vec<(f64, f64)> =
        values.iter().zip(ranks).map(|(value, rank)| (domain.place_of(*value), *rank)).collect();
    sorted.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
    let equals = sorted.chunk_by(|a, b| a.0 == b.0).map(|run| run.iter().map(|pair| pair.1).collect());
    if let Domain::Choice { .. } = domain {
        return equals.filter(|group: &Vec<f64>| group.len() > 1).collect();
    }
    let count = (sorted.len() / GROUP).clamp(2, GROUPS);
    let mut groups = vec![Vec::new()];
    let mut placed = 0;
    for run in equals {
        // A group ends once it holds its share; equal numbers are never parted.
        if placed * count >= groups.len() * sorted.len() {
            groups.push(Vec::new());
        }
        placed += run.len();
        groups.last_mut().expect("one group from the beginning").extend(run);
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_fill_groups_and_equals_stay_together() {
        let domain = Domain::Integer { low: 0, high: 9 };
        let sizes = |values: &[i64]| -> Vec<usize> {
            let values: Vec<Value> = values.iter().copied().map(Value::Integer).collect();
            groups(domain, &values, &vec![0.0; values.len()]).iter().map(Vec::len).collect()
        };
        assert_eq!(sizes(&[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]), [5, 5]);
        assert_eq!(sizes(&[0, 0, 0, 0, 0, 0, 6, 7, 8, 9]), [6, 4]);
        assert_eq!(sizes(&[3; 12]), [12]);
        assert_eq!(sizes(&(0..40).map(|i| i % 10).collect::<Vec<_>>()), [12, 8, 12, 8]);
    }

    #[test]
    fn equal_trials_have_equal_ranks() {
        let trial = |value: f64| Trial {
            point: vec![],
            length: 1,
            scores: vec![crate::Score { value, penalty: 0.0 }],
            failed: value < 0.0,
        };
        let trials: Vec<Trial> = [0.5, 0.9, -1.0, 0.5, 0.1, -2.0, 0.9].into_iter().map(trial).collect();
        assert_eq!(ranks(&trials), [3.0, 5.0, 0.0, 3.0, 2.0, 0.0, 5.0]);
    }

    #[test]
    fn a_choice_tried_once_is_left_out() {
        let values = [0, 0, 1, 2, 2].map(Value::Choice);
        let found = groups(Domain::Choice { count: 3 }, &values, &[4.0, 3.0, 2.0, 1.0, 0.0]);
        assert_eq!(found, [vec![3.0, 4.0], vec![0.0, 1.0]]);
    }
}
