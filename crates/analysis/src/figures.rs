//! Figures as text: the one place that rounds, so that a figure reads alike wherever it stands.

/// `value` with so many decimals, rounded half away from zero; a zero has no sign.
///
/// A value that lies on a half but for the rounding of its last bits counts as that half: 0.2395 of a study is the same
/// figure whether it was summed over images or over runs, and so is its negative.
pub fn fixed(value: f64, decimals: usize) -> String {
    // Beyond these a double has no digits to spare, and nothing can be on a half.
    const LARGEST: f64 = 1e12;
    const SLACK: f64 = 1e-9;
    if !value.is_finite() {
        return "not finite".to_owned();
    }
    if value.abs() >= 1e9 {
        return format!("{value:.3e}");
    }
    let power = 10f64.powi(i32::try_from(decimals).unwrap_or(i32::MAX));
    let scaled = value.abs() * power;
    let rounded = if scaled < LARGEST { (scaled + 0.5 + SLACK).floor() / power } else { value.abs() };
    let text = format!("{rounded:.decimals$}");
    let is_zero = text.bytes().all(|byte| matches!(byte, b'0' | b'.'));
    if value < 0.0 && !is_zero { format!("-{text}") } else { text }
}

/// A fraction in per cent, two decimals, without the sign: 0.98765 is `98.77`.
pub fn percent(fraction: f64) -> String {
    fixed(100.0 * fraction, 2)
}

/// A whole number with commas: 1,199,882.
pub fn thousands(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A confidence in per cent with the digits that tell it from certainty: `95 %`, `98.3 %`, `99.94 %`.
pub fn confidence(confidence: f64) -> String {
    let left = 100.0 * (1.0 - confidence);
    // Two significant digits of what is left.
    let decimals = if left > 0.0 { (1 - left.log10().floor() as i32).clamp(0, 12) as usize } else { 0 };
    let text = fixed(100.0 * confidence, decimals);
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    format!("{text} %")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_are_rounded_alike_whatever_their_last_bits() {
        assert_eq!(fixed(2.395, 2), "2.40");
        for bits in [-4i64, -1, 0, 1, 4] {
            let value = f64::from_bits(2.395f64.to_bits().wrapping_add_signed(bits));
            assert_eq!((fixed(value, 2), fixed(-value, 2)), ("2.40".into(), "-2.40".into()), "{value:e}");
        }
        // Near a half without being one.
        assert_eq!((fixed(2.394_999, 2), fixed(2.395_001, 2)), ("2.39".into(), "2.40".into()));
    }

    #[test]
    fn figures_read_well() {
        assert_eq!(
            (fixed(-0.004, 2), fixed(-0.0, 0), fixed(0.5, 0)),
            ("0.00".into(), "0".into(), "1".into())
        );
        assert_eq!((fixed(f64::NAN, 2), fixed(1e30, 2)), ("not finite".into(), "1.000e30".into()));
        assert_eq!(fixed(0.1, 17), format!("{:.17}", 0.1));
        assert_eq!((percent(0.98765), percent(-0.0083)), ("98.77".into(), "-0.83".into()));
    }

    #[test]
    fn levels_keep_the_digits_that_matter() {
        for (level, text) in [
            (0.95, "95 %"),
            (0.975, "97.5 %"),
            (1.0 - 0.05 / 3.0, "98.3 %"),
            (1.0 - 0.05 / 6.0, "99.17 %"),
            (1.0 - 0.05 / 780.0, "99.9936 %"),
            (0.9, "90 %"),
        ] {
            assert_eq!(confidence(level), text);
        }
    }
}
