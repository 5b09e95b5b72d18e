//! Products with real numbers in whole ones.

/// A real number of 0 to a quarter as multiplier / 2^(32 + shift), 1 ≤ shift ≤ 30: of its product with 32 bits the upper word
/// is then all that is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Factor {
    pub(crate) multiplier: i32,
    pub(crate) shift: u8,
}

/// What a factor is below.
pub(super) const LIMIT: f64 = 0.25;

impl Factor {
    /// The nearest one whose multiplier has 31 bits, or fewer where that would shift too far.
    ///
    /// # Panics
    /// When the number is not of 0 to a quarter.
    pub(crate) fn of(number: f64) -> Self {
        assert!((0.0..LIMIT).contains(&number), "a factor of {number}");
        let (_, exponent) = libm::frexp(number);
        let shift = (-1 - exponent).clamp(1, 30);
        let multiplier = libm::round(libm::scalbn(number, 32 + shift));
        Self { multiplier: multiplier.min(f64::from(i32::MAX)) as i32, shift: shift as u8 }
    }

    /// The product with a sum, rounded, ties up.
    pub(crate) fn times(self, sum: i32) -> i32 {
        let upper = ((i64::from(sum) * i64::from(self.multiplier)) >> 32) as i32;
        (upper + (1 << (self.shift - 1))) >> self.shift
    }
}

/// Two real numbers of 0 to 1024 as multipliers below 2^22 of one power of two.
pub(super) fn on_one_shift(numbers: [f64; 2]) -> ([i32; 2], u8) {
    let (_, exponent) = libm::frexp(numbers[0].max(numbers[1]));
    let shift = (21 - exponent).clamp(1, 30);
    (numbers.map(|number| libm::round(libm::scalbn(number, shift)) as i32), shift as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn factors_are_the_nearest() {
        for number in [0.25f64.next_down(), 0.249_999_999_9, 0.125, 0.1, 1e-3, 2.5e-9, 1e-18, 0.0] {
            let factor = Factor::of(number);
            assert!((1..=30).contains(&factor.shift), "{factor:?}");
            let found = f64::from(factor.multiplier) / 2f64.powi(32 + i32::from(factor.shift));
            let precision = if number > 1e-9 { number * 1e-9 } else { 2f64.powi(-62) };
            assert!((found - number).abs() <= precision, "{number}: {found}");
            for sum in [0, 1, -1, 12_345, -98_765, i32::MAX - 1, i32::MIN + 1] {
                let exact = number * f64::from(sum);
                assert!((f64::from(factor.times(sum)) - exact).abs() <= 1.5, "{sum} times {number}");
            }
        }
        assert_eq!([-12, -4, 4, 12].map(|sum| Factor::of(0.125).times(sum)), [-1, 0, 1, 2]);
    }

    #[test]
    fn two_numbers_share_a_shift() {
        for numbers in [[1.0, 0.25], [0.0, 1023.0], [1e-4, 3e-5], [1e-9, 1e-12]] {
            let (multipliers, shift) = on_one_shift(numbers);
            for (multiplier, number) in multipliers.into_iter().zip(numbers) {
                assert!((0..1 << 22).contains(&multiplier));
                let found = f64::from(multiplier) / 2f64.powi(i32::from(shift));
                assert!((found - number).abs() <= 2f64.powi(-i32::from(shift) - 1), "{number}: {found}");
            }
        }
    }
}
