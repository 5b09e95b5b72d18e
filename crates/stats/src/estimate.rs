use crate::error::{StatsError, check_count, check_finite, check_open_unit};
use crate::special::{normal_quantile_two_sided, t_quantile_two_sided, t_two_sided};

/// A range of plausible values, in the unit of what it estimates.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// Lower end.
    pub lower: f64,
    /// Upper end.
    pub upper: f64,
}

impl Interval {
    /// Whether `value` lies within, ends included.
    pub fn contains(&self, value: f64) -> bool {
        self.lower <= value && value <= self.upper
    }

    /// The part of it that lies within `[least, most]`, the values that are possible at all: it covers the truth just as often.
    pub fn within(self, least: f64, most: f64) -> Self {
        Self { lower: self.lower.clamp(least, most), upper: self.upper.clamp(least, most) }
    }

    pub(crate) fn around(centre: f64, half_width: f64) -> Self {
        Self { lower: centre - half_width, upper: centre + half_width }
    }
}

/// The arithmetic mean, `x̄ = Σ xᵢ / n`, in the values' unit.
///
/// # Errors
/// No value at all, or one that is not finite.
pub fn mean(values: &[f64]) -> Result<f64, StatsError> {
    check_count("mean", 1, values.len())?;
    check_finite("mean", values)?;
    let n = values.len() as f64;
    let first = values.iter().sum::<f64>() / n;
    // A second pass removes the rounding of the first, so equal values have exactly their value as mean.
    Ok(first + values.iter().map(|value| value - first).sum::<f64>() / n)
}

/// The sample standard deviation, `s = √(Σ (xᵢ - x̄)² / (n - 1))`, in the values' unit.
///
/// # Errors
/// Fewer than two values, or one that is not finite.
pub fn sample_standard_deviation(values: &[f64]) -> Result<f64, StatsError> {
    check_count("standard deviation", 2, values.len())?;
    let centre = mean(values)?;
    let squares: f64 = values.iter().map(|value| (value - centre).powi(2)).sum();
    Ok((squares / (values.len() - 1) as f64).sqrt())
}

/// Student's interval for a mean, `x̄ ± t(n-1, (1+c)/2) · s/√n`, in the values' unit.
///
/// Source: Student 1908, "The probable error of a mean".
///
/// # Errors
/// Fewer than two values, one that is not finite, or a `confidence` outside (0, 1).
pub fn t_interval(values: &[f64], confidence: f64) -> Result<Interval, StatsError> {
    check_open_unit("confidence", confidence)?;
    let deviation = sample_standard_deviation(values)?;
    let n = values.len() as f64;
    let quantile = t_quantile_two_sided(1.0 - confidence, n - 1.0);
    Ok(Interval::around(mean(values)?, quantile * deviation / n.sqrt()))
}

/// Wilson's interval for a proportion of `successes` among `trials`, as fractions.
///
/// With p = successes/trials and z the normal quantile at (1+c)/2:
/// `(p + z²/2n ± z √(p(1-p)/n + z²/4n²)) / (1 + z²/n)`.
///
/// Source: Wilson 1927, "Probable inference, the law of succession, and statistical inference", JASA 22.
///
/// # Errors
/// No trials, more successes than trials, or a `confidence` outside (0, 1).
pub fn wilson_interval(successes: u64, trials: u64, confidence: f64) -> Result<Interval, StatsError> {
    check_open_unit("confidence", confidence)?;
    if trials == 0 {
        return Err(StatsError::TooFew { what: "trials", expected: 1, found: 0 });
    }
    if successes > trials {
        return Err(StatsError::OutOfRange {
            what: "successes",
            expected: "at most the number of trials",
            value: successes as f64,
        });
    }
    let (n, z) = (trials as f64, normal_quantile_two_sided(1.0 - confidence));
    let p = successes as f64 / n;
    let scale = 1.0 + z * z / n;
    let centre = (p + z * z / (2.0 * n)) / scale;
    let half_width = z * (p * (1.0 - p) / n + z * z / (4.0 * n * n)).sqrt() / scale;
    // At 0 and at n one end is exact; rounding must not push it past the edge or off it.
    Ok(Interval {
        lower: if successes == 0 { 0.0 } else { (centre - half_width).max(0.0) },
        upper: if successes == trials { 1.0 } else { (centre + half_width).min(1.0) },
    })
}

/// The result of [`paired_t`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PairedT {
    /// Mean difference.
    pub mean: f64,
    /// Sample standard deviation of the differences.
    pub standard_deviation: f64,
    /// Student's interval of the mean difference.
    pub interval: Interval,
    /// Two-sided probability of a difference at least this large when the true one is zero.
    pub p_value: f64,
}

/// Student's paired test: the interval and the p-value of a mean of paired differences, in the values' unit.
///
/// `t = x̄ √n / s`, `p = P(|T(n-1)| ≥ |t|)`. Differences that are all equal have s = 0: then p is 0, or 1 when they are all zero.
///
/// It allows for what differs from pair to pair and for nothing else: pairs of runs tested on one set of images say nothing
/// about other images. [`crate::crossed_estimate`] does.
///
/// # Errors
/// Fewer than two differences, one that is not finite, or a `confidence` outside (0, 1).
pub fn paired_t(differences: &[f64], confidence: f64) -> Result<PairedT, StatsError> {
    let interval = t_interval(differences, confidence)?;
    let (mean, standard_deviation) = (mean(differences)?, sample_standard_deviation(differences)?);
    let n = differences.len() as f64;
    let p_value = match (mean == 0.0, standard_deviation == 0.0) {
        (true, _) => 1.0,
        (false, true) => 0.0,
        (false, false) => t_two_sided(mean * n.sqrt() / standard_deviation, n - 1.0),
    };
    Ok(PairedT { mean, standard_deviation, interval, p_value })
}
