use statrs::function::beta::beta_reg;

use crate::error::{StatsError, check_count, check_finite, check_open_unit};
use crate::special::chi_squared_upper;

/// McNemar's exact test: the p-value of `only_first` and `only_second` images that just one of two models gets right.
///
/// Under equal accuracy the smaller count k of n = `only_first + only_second` is the tail of a fair coin:
/// `p = min(1, 2 P(X ≤ k))`, X ~ binomial(n, 1/2). Without discordant images p = 1.
///
/// Source: McNemar 1947, Psychometrika 12, in its exact binomial form.
pub fn mcnemar_exact(only_first: u64, only_second: u64) -> f64 {
    let (k, n) = (only_first.min(only_second), only_first + only_second);
    if only_first == only_second {
        return 1.0;
    }
    // P(X ≤ k) = I(1/2; n - k, k + 1); unequal counts keep n - k at 1 or more.
    (2.0 * beta_reg((n - k) as f64, (k + 1) as f64, 0.5)).min(1.0)
}

/// Holm's correction: each p-value adjusted so that comparing it with α bounds the chance of any false rejection by α.
///
/// With p₍₁₎ ≤ … ≤ p₍ₘ₎: `p̃₍ᵢ₎ = min(1, max over j ≤ i of (m - j + 1) p₍ⱼ₎)`, returned in the input's order.
///
/// Source: Holm 1979, "A simple sequentially rejective multiple test procedure", Scandinavian Journal of Statistics 6.
///
/// # Errors
/// A p-value that is not finite or lies outside [0, 1].
pub fn holm(p_values: &[f64]) -> Result<Vec<f64>, StatsError> {
    let order = ascending_p_values(p_values)?;
    let mut adjusted = vec![0.0; p_values.len()];
    let mut largest: f64 = 0.0;
    for (rank, &index) in order.iter().enumerate() {
        largest = largest.max((p_values.len() - rank) as f64 * p_values[index]).min(1.0);
        adjusted[index] = largest;
    }
    Ok(adjusted)
}

/// The level at which Holm's procedure with overall level `significance` tests each p-value, in the input's order.
///
/// The i-th smallest of m is tested at `α / (m - i + 1)`, up to the first that is not rejected; the procedure stops there, and that level
/// holds for all that follow. So `p ≤ level` exactly where `holm(p) ≤ significance`, and an interval of confidence `1 - level`
/// holds zero exactly where Holm does not reject. One such interval covers its own difference with at least 1 - α;
/// all of them together are not a simultaneous confidence set.
///
/// # Errors
/// As [`holm`], or a `significance` outside (0, 1).
pub fn holm_levels(p_values: &[f64], significance: f64) -> Result<Vec<f64>, StatsError> {
    check_open_unit("significance", significance)?;
    let order = ascending_p_values(p_values)?;
    let mut levels = vec![0.0; p_values.len()];
    let mut stopped = None;
    for (rank, &index) in order.iter().enumerate() {
        let level = stopped.unwrap_or(significance / (p_values.len() - rank) as f64);
        levels[index] = level;
        if p_values[index] > level {
            stopped = Some(level);
        }
    }
    Ok(levels)
}

fn ascending_p_values(p_values: &[f64]) -> Result<Vec<usize>, StatsError> {
    check_finite("p-values", p_values)?;
    if let Some(&value) = p_values.iter().find(|value| !(0.0..=1.0).contains(*value)) {
        return Err(StatsError::OutOfRange { what: "p-value", expected: "a value from 0 to 1", value });
    }
    let mut order: Vec<usize> = (0..p_values.len()).collect();
    order.sort_by(|&a, &b| p_values[a].total_cmp(&p_values[b]));
    Ok(order)
}

/// The result of [`friedman`].
#[derive(Debug, Clone, PartialEq)]
pub struct Friedman {
    /// Friedman's χ², corrected for ties.
    pub statistic: f64,
    /// Upper tail of χ² with one degree of freedom less than there are models.
    pub p_value: f64,
    /// Mean rank of each model; 1 is the highest score.
    pub mean_ranks: Vec<f64>,
}

/// Friedman's test: do k models differ over n datasets, `scores[dataset][model]`, higher being better?
///
/// Scores are ranked within each dataset, equal ones sharing their mean rank. With rank sums Rⱼ,
/// `χ² = (12 Σ Rⱼ² / (nk(k+1)) - 3n(k+1)) / (1 - Σ(t³ - t) / (nk(k²-1)))`, t the sizes of groups of equal scores;
/// where all scores of every dataset are equal, χ² = 0. The χ² approximation wants n > 10 or k > 5.
///
/// Sources: Friedman 1937, JASA 32; tie correction as in Conover 1999, "Practical nonparametric statistics", section 5.8;
/// use for classifiers in Demšar 2006, JMLR 7.
///
/// # Errors
/// Fewer than two datasets or models, datasets of different lengths, or a score that is not finite.
pub fn friedman<R: AsRef<[f64]>>(scores: &[R]) -> Result<Friedman, StatsError> {
    check_count("datasets", 2, scores.len())?;
    let models = scores[0].as_ref().len();
    check_count("models", 2, models)?;
    let mut rank_sums = vec![0.0; models];
    let mut tied = 0.0;
    for dataset in scores {
        let dataset = dataset.as_ref();
        if dataset.len() != models {
            return Err(StatsError::LengthMismatch {
                what: "models of a dataset",
                expected: models,
                found: dataset.len(),
            });
        }
        check_finite("scores", dataset)?;
        for (sum, score) in rank_sums.iter_mut().zip(dataset) {
            let above = dataset.iter().filter(|other| *other > score).count() as f64;
            let equal = dataset.iter().filter(|other| *other == score).count() as f64;
            *sum += above + 0.5 * (equal + 1.0);
            // Summed over the t members of a group this is t³ - t.
            tied += equal * equal - 1.0;
        }
    }
    let (n, k) = (scores.len() as f64, models as f64);
    let correction = 1.0 - tied / (n * k * (k * k - 1.0));
    let squares: f64 = rank_sums.iter().map(|sum| sum * sum).sum();
    let uncorrected = 12.0 * squares / (n * k * (k + 1.0)) - 3.0 * n * (k + 1.0);
    let statistic = if correction > 0.0 { (uncorrected / correction).max(0.0) } else { 0.0 };
    Ok(Friedman {
        statistic,
        p_value: chi_squared_upper(statistic, k - 1.0),
        mean_ranks: rank_sums.iter().map(|sum| sum / n).collect(),
    })
}
