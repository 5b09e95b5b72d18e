//! Tails and quantiles, all two-sided because every test and interval of this crate is.

use statrs::function::beta::beta_reg;
use statrs::function::erf::{erfc, erfc_inv};
use statrs::function::gamma::gamma_ur;

/// P(|Z| ≥ z) of the standard normal distribution.
pub(crate) fn normal_two_sided(z: f64) -> f64 {
    erfc(z.abs() / std::f64::consts::SQRT_2)
}

/// Φ(z).
pub(crate) fn normal_cumulative(z: f64) -> f64 {
    0.5 * erfc(-z / std::f64::consts::SQRT_2)
}

/// The z ≥ 0 with P(|Z| ≥ z) = `tail`.
pub(crate) fn normal_quantile_two_sided(tail: f64) -> f64 {
    std::f64::consts::SQRT_2 * erfc_inv(tail)
}

/// Above this many degrees of freedom the normal tail plus the first Cornish–Fisher term is exact to 1e-12,
/// while the continued fraction of the incomplete beta function would need ever more terms.
const MANY_DEGREES_OF_FREEDOM: f64 = 1e5;

/// P(|T| ≥ t) of Student's distribution.
pub(crate) fn t_two_sided(t: f64, degrees_of_freedom: f64) -> f64 {
    let squared = t * t;
    if squared == f64::INFINITY {
        return 0.0;
    }
    if degrees_of_freedom > MANY_DEGREES_OF_FREEDOM {
        return normal_two_sided(t.abs() * (1.0 - (squared + 1.0) / (4.0 * degrees_of_freedom)).max(0.0));
    }
    // The form whose argument is the smaller one keeps the digits that 1 - x would lose.
    if squared < degrees_of_freedom {
        1.0 - beta_reg(0.5, 0.5 * degrees_of_freedom, squared / (degrees_of_freedom + squared))
    } else {
        beta_reg(0.5 * degrees_of_freedom, 0.5, degrees_of_freedom / (degrees_of_freedom + squared))
    }
}

/// The t ≥ 0 with P(|T| ≥ t) = `tail`; infinity where that overflows.
pub(crate) fn t_quantile_two_sided(tail: f64, degrees_of_freedom: f64) -> f64 {
    let mut upper = 1.0;
    while t_two_sided(upper, degrees_of_freedom) > tail {
        upper *= 2.0;
        if upper > 1e150 {
            return f64::INFINITY;
        }
    }
    let mut lower = if upper > 1.0 { upper / 2.0 } else { 0.0 };
    // 60 halvings of an interval no wider than its upper end leave nothing that a double can tell.
    for _ in 0..60 {
        let middle = 0.5 * (lower + upper);
        if t_two_sided(middle, degrees_of_freedom) > tail {
            lower = middle;
        } else {
            upper = middle;
        }
    }
    0.5 * (lower + upper)
}

/// P(χ² ≥ `value`).
pub(crate) fn chi_squared_upper(value: f64, degrees_of_freedom: f64) -> f64 {
    if value <= 0.0 { 1.0 } else { gamma_ur(0.5 * degrees_of_freedom, 0.5 * value) }
}
