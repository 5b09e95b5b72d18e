//! Sine, cosine, exponential and logarithm from additions, multiplications, divisions and square roots alone: those of
//! a system's library differ between systems in their last bit, and an augmented image must not.

use std::f64::consts::{LN_2, SQRT_2};

/// 1 / n! for n below 26.
const RECIPROCAL_FACTORIALS: [f64; 26] = {
    let mut values = [1.0; 26];
    let (mut n, mut factorial) = (1, 1.0);
    while n < values.len() {
        factorial *= n as f64;
        values[n] = 1.0 / factorial;
        n += 1;
    }
    values
};

/// Sine and cosine of an angle from −π to π, to 1e-12: the first 13 terms of their power series, the next being below
/// π²⁵/25! = 1.8e-13 and π²⁶/26! = 2.1e-14.
pub(super) fn sine_cosine(angle: f64) -> (f64, f64) {
    let square = angle * angle;
    let series = |parity: usize| {
        let terms = RECIPROCAL_FACTORIALS[..25].iter().skip(parity).step_by(2).rev();
        terms.fold(0.0, |sum, term| term - square * sum)
    };
    (angle * series(1), series(0))
}

/// eˣ to a relative error of 1e-15 (for |x| up to 1: 4e-16); 0 below and infinity above what an `f64` holds.
pub(super) fn exponential(x: f64) -> f64 {
    // Beyond, the result is 0 or infinity, and the power of two would overflow its integer.
    if x.abs() > 700.0 {
        return if x > 0.0 { f64::INFINITY } else { 0.0 };
    }
    let exponent = (x / LN_2).round();
    let remainder = x - exponent * LN_2;
    let series = RECIPROCAL_FACTORIALS[..16].iter().rev().fold(0.0, |sum, term| term + remainder * sum);
    series * power_of_two(exponent as i32)
}

/// 2ⁿ for n from −1022 to 1023.
fn power_of_two(exponent: i32) -> f64 {
    f64::from_bits(((exponent + 1023) as u64) << 52)
}

/// ln x for a normal x > 0, to 1e-15 of 1 or of its value: x = m 2ⁿ with m in √½..√2, and
/// ln m = 2 artanh s = 2 (s + s³/3 + s⁵/5 + …) with s = (m − 1) / (m + 1), |s| < 0.172.
pub(super) fn logarithm(x: f64) -> f64 {
    const FRACTION: u64 = (1 << 52) - 1;
    let bits = x.to_bits();
    let mut exponent = (bits >> 52) as i32 - 1023;
    let mut mantissa = f64::from_bits((bits & FRACTION) | 1.0_f64.to_bits());
    if mantissa > SQRT_2 {
        mantissa *= 0.5;
        exponent += 1;
    }
    let s = (mantissa - 1.0) / (mantissa + 1.0);
    let series = (0..12).rev().fold(0.0, |sum, n| 1.0 / f64::from(2 * n + 1) + s * s * sum);
    2.0 * s * series + f64::from(exponent) * LN_2
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::f64::consts::PI;

    #[test]
    fn sines_and_cosines_are_the_library_s() {
        for step in -1000..=1000 {
            let angle = PI * f64::from(step) / 1000.0;
            let (sine, cosine) = sine_cosine(angle);
            let error = (sine - angle.sin()).abs().max((cosine - angle.cos()).abs());
            assert!(error < 1e-12, "{angle}: {error}");
        }
        assert_eq!(sine_cosine(0.0), (0.0, 1.0));
    }

    #[test]
    fn exponentials_are_the_library_s() {
        for step in -6999..=6999 {
            let x = f64::from(step) / 10.0;
            let error = exponential(x) / x.exp() - 1.0;
            assert!(error.abs() < 1e-13, "{x}: {error}");
        }
        assert_eq!((exponential(0.0), exponential(f64::INFINITY)), (1.0, f64::INFINITY));
        assert_eq!((exponential(701.0), exponential(-1e300)), (f64::INFINITY, 0.0));
    }

    #[test]
    fn logarithms_are_the_library_s() {
        for step in -300..=300 {
            for mantissa in [1.0, 1.0000001, 1.2, SQRT_2, 1.5, 1.9999999] {
                let x = mantissa * 2.0_f64.powi(step);
                let error = (logarithm(x) - x.ln()).abs();
                assert!(error < 1e-15 * x.ln().abs().max(1.0), "{x}: {error}");
            }
        }
        assert_eq!(logarithm(1.0), 0.0);
    }
}
