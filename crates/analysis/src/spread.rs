//! A figure over the runs of a model.

use serde::Serialize;

/// A mean and, from two values on, the sample standard deviation.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Spread {
    /// The arithmetic mean.
    pub mean: f64,
    /// The sample standard deviation, with n − 1 below the sum of squares; none of one value.
    #[serde(rename = "standard_deviation")]
    pub deviation: Option<f64>,
}

impl Spread {
    /// Of finite values; none when there is no value or one that is not finite.
    pub fn of(values: &[f64]) -> Option<Self> {
        let mean = stats::mean(values).ok().filter(|mean| mean.is_finite())?;
        let deviation =
            stats::sample_standard_deviation(values).ok().filter(|deviation| deviation.is_finite());
        Some(Self { mean, deviation })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deviation_needs_two_values() {
        assert_eq!(Spread::of(&[0.5]), Some(Spread { mean: 0.5, deviation: None }));
        let of_two = Spread::of(&[0.4, 0.6]).and_then(|spread| spread.deviation).expect("two values");
        assert!((of_two - 0.02f64.sqrt()).abs() < 1e-12);
        assert_eq!((Spread::of(&[]), Spread::of(&[0.5, f64::NAN])), (None, None));
    }
}
