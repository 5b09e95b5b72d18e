use crate::error::{StatsError, check_count, check_finite, check_open_unit};
use crate::estimate::{Interval, mean, sample_standard_deviation};
use crate::special::{t_quantile_two_sided, t_two_sided};

/// The difference of two models over the folds of a cross-validation; made by [`corrected_resampled_t`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CorrectedResampledT {
    /// Mean difference.
    pub mean: f64,
    /// Folds, those of every repetition.
    pub folds: usize,
    /// Its standard error, allowing for training sets that overlap: `√((1/n + test/train) s²)`.
    pub standard_error: f64,
}

/// The corrected resampled t test of the differences over the k folds of each of r repetitions, `test_over_train` being the images of a
/// fold over those that its models learnt from: 1/(k - 1) where they learn from all others.
///
/// Folds share training images, so their differences are correlated and the plain variance s²/n of their mean, n = kr, is too small,
/// without end as repetitions are added. With `(1/n + test/train) s²` in its place and n - 1 degrees of freedom, `t = d̄ / √…`. The
/// correction is a heuristic: the correlation is taken to be test/(test + train), and no unbiased estimate of it exists (Bengio &
/// Grandvalet 2004). Among 4,000 simulated data sets of 100 images on which two learners are equally good, the tests found a difference
/// at 5 % in so many per cent (standard error 0.3; `tests/resampled.rs`):
///
/// | folds × repetitions | corrected | plain |
/// |---|---|---|
/// | 5 × 1 | 1.3 | 5.0 |
/// | 5 × 3 | 2.6 | 27.3 |
/// | 10 × 1 | 1.1 | 4.7 |
/// | 10 × 10 | 4.0 | 54.5 |
///
/// Sources: Nadeau & Bengio 2003, "Inference for the generalization error", Machine Learning 52; Bouckaert & Frank 2004, PAKDD, for
/// repeated cross-validation.
///
/// # Errors
/// Fewer than two differences, one that is not finite, or a ratio that is not a positive number.
pub fn corrected_resampled_t(
    differences: &[f64],
    test_over_train: f64,
) -> Result<CorrectedResampledT, StatsError> {
    if !(test_over_train.is_finite() && test_over_train > 0.0) {
        return Err(StatsError::OutOfRange {
            what: "test over training images",
            expected: "a positive number",
            value: test_over_train,
        });
    }
    let deviation = sample_standard_deviation(differences)?;
    let n = differences.len();
    Ok(CorrectedResampledT {
        mean: mean(differences)?,
        folds: n,
        standard_error: (1.0 / n as f64 + test_over_train).sqrt() * deviation,
    })
}

impl CorrectedResampledT {
    /// The interval of the mean difference at a `confidence` in (0, 1), in the values' unit.
    ///
    /// # Errors
    /// A `confidence` outside (0, 1).
    pub fn interval(&self, confidence: f64) -> Result<Interval, StatsError> {
        check_open_unit("confidence", confidence)?;
        let quantile = t_quantile_two_sided(1.0 - confidence, self.degrees_of_freedom());
        Ok(Interval::around(self.mean, quantile * self.standard_error))
    }

    /// The two-sided p-value. Differences that are all equal have no error: then it is 0, or 1 when they are all zero.
    pub fn p_value(&self) -> f64 {
        match (self.mean == 0.0, self.standard_error == 0.0) {
            (true, _) => 1.0,
            (false, true) => 0.0,
            (false, false) => t_two_sided(self.mean / self.standard_error, self.degrees_of_freedom()),
        }
    }

    fn degrees_of_freedom(&self) -> f64 {
        (self.folds - 1) as f64
    }
}

/// How often one model is ahead of another; made by [`probability_of_outperforming`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Outperforming {
    /// The fraction of pairs in which the first model is ahead, ties counted half.
    pub probability: f64,
    /// Its percentile interval by the bootstrap over pairs.
    pub interval: Interval,
}

/// The probability that a run of the first model outperforms its partner of the second, from their differences (positive: the first is
/// ahead): `(#{d > 0} + #{d = 0}/2) / n`, with the percentile interval of the bootstrap over the n pairs.
///
/// The bootstrap is computed exactly: among n pairs drawn with replacement the number of half wins is a sum of n independent draws, whose
/// distribution is their convolution. The interval's ends are the smallest values with at least (1 - c)/2 and (1 + c)/2 of it at or below
/// them. Where all pairs agree it has no width, whatever their number: it takes some 29 pairs to tell 0.75 from 0.5 with errors of 5 %.
/// Where pairs are folds of a cross-validation they are not independent, and it is too narrow.
///
/// Source: Bouthillier et al. 2021, "Accounting for variance in machine learning benchmarks", MLSys 3, who call a difference significant
/// where the interval lies above 0.5, and meaningful where it also reaches beyond 0.75 ([`MEANINGFUL`]); there ties count as none.
///
/// # Errors
/// No difference, one that is not finite, or a `confidence` outside (0, 1).
pub fn probability_of_outperforming(
    differences: &[f64],
    confidence: f64,
) -> Result<Outperforming, StatsError> {
    check_open_unit("confidence", confidence)?;
    check_count("pairs", 1, differences.len())?;
    check_finite("differences", differences)?;
    let n = differences.len();
    let share = |is_one: fn(f64) -> bool| {
        differences.iter().filter(|difference| is_one(**difference)).count() as f64 / n as f64
    };
    let [lost, tied, won] = [share(|d| d < 0.0), share(|d| d == 0.0), share(|d| d > 0.0)];
    // Of 0 to 2n half wins.
    let mut distribution = vec![1.0];
    for _ in 0..n {
        let mut next = vec![0.0; distribution.len() + 2];
        for (halves, probability) in distribution.iter().enumerate() {
            next[halves] += lost * probability;
            next[halves + 1] += tied * probability;
            next[halves + 2] += won * probability;
        }
        distribution = next;
    }
    let end = |part: f64| {
        // The slack takes the rounding of the sums, which must not move an end past a value that is exactly on it.
        const SLACK: f64 = 1e-12;
        let mut below = 0.0;
        let at = distribution.iter().position(|probability| {
            below += probability;
            below >= part - SLACK
        });
        at.unwrap_or(2 * n) as f64 / (2 * n) as f64
    };
    let tail = 0.5 * (1.0 - confidence);
    Ok(Outperforming {
        probability: won + 0.5 * tied,
        interval: Interval { lower: end(tail), upper: end(1.0 - tail) },
    })
}

/// From this probability of outperforming on, a difference matters: Bouthillier et al. 2021.
pub const MEANINGFUL: f64 = 0.75;
