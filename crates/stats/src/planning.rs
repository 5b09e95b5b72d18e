use statrs::function::gamma::ln_gamma;

use crate::crossed::CrossedEstimate;
use crate::error::{StatsError, check_count, check_finite, check_open_unit};
use crate::special::{normal_cumulative, normal_quantile_two_sided, t_quantile_two_sided};

/// Plans beyond this many runs are answered with `None`: nobody trains a pair of models so often to tell them apart.
const MOST_RUNS: u64 = 10_000;

/// Power of the two-sided paired t-test: the probability that `runs` pairs reject at `significance` when the true mean difference is
/// `mean` and the pairs scatter by `standard_deviation`, both in the same unit.
///
/// `P(|T| > t)` for T noncentral t with n - 1 degrees of freedom and noncentrality `mean √n / standard_deviation`, t the critical value,
/// computed as the expectation of a normal tail over the χ distribution of the sample's deviation.
///
/// Source: Cohen 1988, "Statistical power analysis", chapter 2; Johnson, Kotz & Balakrishnan 1995, "Continuous univariate distributions",
/// volume 2, chapter 31.
///
/// # Errors
/// Fewer than two runs, a mean that is not finite, a deviation that is not a positive number, or a `significance` outside (0, 1).
pub fn paired_t_power(
    mean: f64,
    standard_deviation: f64,
    runs: u64,
    significance: f64,
) -> Result<f64, StatsError> {
    check_finite("mean", &[mean])?;
    check_deviation(standard_deviation)?;
    check_open_unit("significance", significance)?;
    check_count("runs", 2, runs as usize)?;
    Ok(Design { mean, deviation: standard_deviation, image_error: 0.0, significance }.power(runs))
}

/// How many further paired runs a paired t-test needs for `power`, if the true difference and scatter are the observed ones.
///
/// The smallest m ≥ `runs` with [`paired_t_power`] ≥ `power`, minus `runs`; `None` above 10,000 runs. `mean` and `standard_deviation` are in
/// the same unit. Planning from an observed difference is a rough guide, not a promise: the difference is itself uncertain.
///
/// # Errors
/// As [`paired_t_power`], or a `power` outside (0, 1).
pub fn further_runs(
    mean: f64,
    standard_deviation: f64,
    runs: u64,
    significance: f64,
    power: f64,
) -> Result<Option<u64>, StatsError> {
    check_finite("mean", &[mean])?;
    check_deviation(standard_deviation)?;
    check_open_unit("significance", significance)?;
    check_open_unit("power", power)?;
    Ok(Design { mean, deviation: standard_deviation, image_error: 0.0, significance }
        .further_runs(runs, power))
}

/// The same for the interval of a [`CrossedEstimate`]: how many further paired runs until it would exclude zero with probability `power`.
///
/// More runs shrink the runs' part of the variance as 1/m and leave the images' part as it is, so `None` means that the noise of the test
/// images alone hides the difference (or that 10,000 runs would not do). `None` too with one run, whose seed noise is unknown.
///
/// # Errors
/// A `significance` or `power` outside (0, 1).
pub fn crossed_further_runs(
    estimate: &CrossedEstimate,
    significance: f64,
    power: f64,
) -> Result<Option<u64>, StatsError> {
    check_open_unit("significance", significance)?;
    check_open_unit("power", power)?;
    let Some(run_error) = estimate.run_standard_error else { return Ok(None) };
    let runs = estimate.runs as u64;
    let design = Design {
        mean: estimate.mean,
        deviation: run_error.max(estimate.residual_standard_error) * (runs as f64).sqrt(),
        image_error: estimate.image_standard_error,
        significance,
    };
    Ok(design.further_runs(runs, power))
}

fn check_deviation(value: f64) -> Result<(), StatsError> {
    if value.is_finite() && value > 0.0 {
        Ok(())
    } else {
        Err(StatsError::OutOfRange { what: "standard deviation", expected: "a positive number", value })
    }
}

/// A true difference, its scatter from run to run, and a standard error that no run removes.
struct Design {
    mean: f64,
    deviation: f64,
    image_error: f64,
    significance: f64,
}

impl Design {
    fn further_runs(&self, runs: u64, power: f64) -> Option<u64> {
        if self.power(MOST_RUNS) < power {
            return None;
        }
        // Power grows with the runs: halve the range between too few and enough.
        let start = runs.max(2);
        if self.power(start) >= power {
            return Some(start - runs);
        }
        let (mut too_few, mut enough) = (start, MOST_RUNS.max(start + 1));
        while enough - too_few > 1 {
            let middle = too_few + (enough - too_few) / 2;
            if self.power(middle) >= power {
                enough = middle;
            } else {
                too_few = middle;
            }
        }
        Some(enough - runs)
    }

    /// `E[Φ((δ - h(S))/σ) + Φ((-δ - h(S))/σ)]`, S² = χ²(n-1)/(n-1), `h(S)² = t² S² s²/n + z² B` the interval's half-width, `σ² = s²/n + B`.
    fn power(&self, runs: u64) -> f64 {
        let degrees_of_freedom = (runs - 1) as f64;
        let run_variance = self.deviation * self.deviation / runs as f64;
        let image_variance = self.image_error * self.image_error;
        let error = (run_variance + image_variance).sqrt();
        if error == 0.0 {
            return if self.mean == 0.0 { 0.0 } else { 1.0 };
        }
        let t = t_quantile_two_sided(self.significance, degrees_of_freedom);
        let z = normal_quantile_two_sided(self.significance);
        expectation_over_chi(degrees_of_freedom, self.mean.abs() / error, |scale| {
            let half_width = ((t * scale).powi(2) * run_variance + z * z * image_variance).sqrt();
            normal_cumulative((self.mean - half_width) / error)
                + normal_cumulative((-self.mean - half_width) / error)
        })
    }
}

/// `E[f(S)]` for S² = χ²(ν)/ν, where f changes over no less than about 1/`sharpness` in ln S.
///
/// In u = ln S the density `∝ exp(ν (u - e²ᵘ/2))` is analytic and falls off at both ends faster than any power, where the trapezoid rule
/// converges geometrically once its step resolves f: five points a change leave less than 1e-10 (compared with SciPy's noncentral t in
/// `tests/golden.rs`).
fn expectation_over_chi(degrees_of_freedom: f64, sharpness: f64, f: impl Fn(f64) -> f64) -> f64 {
    const FEWEST_POINTS: f64 = 600.0;
    // A millisecond's work; a change too sharp for it has a power next to 0 or 1.
    const MOST_POINTS: f64 = 20_000.0;
    // exp(-42) is below the rounding of 1; the left tail falls like exp(νu), the right one faster than exp(-νu²).
    const NEGLIGIBLE: f64 = 42.0;
    let nu = degrees_of_freedom;
    let lower = -(NEGLIGIBLE / nu + (2.0 * NEGLIGIBLE / nu).sqrt());
    let upper = (NEGLIGIBLE / nu).sqrt();
    let points = (5.0 * sharpness * (upper - lower)).ceil().clamp(FEWEST_POINTS, MOST_POINTS);
    let step = (upper - lower) / points;
    let log_scale = std::f64::consts::LN_2 + 0.5 * nu * (0.5 * nu).ln() - ln_gamma(0.5 * nu);
    (0..=points as usize)
        .map(|point| {
            let u = lower + step * point as f64;
            let log_density = log_scale + nu * (u - 0.5 * (2.0 * u).exp());
            step * log_density.exp() * f(u.exp())
        })
        .sum()
}
