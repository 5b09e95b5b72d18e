//! Scales and their ticks.

/// A tick: where it stands and what it says.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Tick {
    pub(crate) value: f64,
    pub(crate) label: String,
}

/// Maps a range of values to 0..=1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Scale {
    Linear { lower: f64, upper: f64 },
    Logarithmic { lower: f64, upper: f64 },
}

/// From this ratio on, the larger values of a linear axis leave the smaller ones no room to be told apart.
const LOGARITHMIC_FROM_RATIO: f64 = 20.0;

/// Room beyond the outermost values, as a part of their range.
const PADDING: f64 = 0.04;

/// What is smaller counts as nothing: beside it a double has no digits left to draw a scale with.
const SMALLEST: f64 = 1e-300;

impl Scale {
    /// Fits finite values. `floor` and `ceiling` are bounds that no padding crosses.
    pub(crate) fn linear(values: &[f64], floor: Option<f64>, ceiling: Option<f64>) -> Self {
        let (smallest, largest) = extent(values);
        let magnitude = smallest.abs().max(largest.abs());
        let range = largest - smallest;
        // One value has no range, and a range of rounding errors has no ticks: the axis shows the neighbourhood.
        let is_range = range > (magnitude * 1e-6).max(SMALLEST);
        let padding = if is_range { range * PADDING } else { (magnitude * 0.02).max(0.01) };
        let bounded_below = floor.filter(|floor| *floor <= smallest);
        let bounded_above = ceiling.filter(|ceiling| *ceiling >= largest);
        let mut lower = bounded_below.map_or(smallest - padding, |floor| floor.max(smallest - padding));
        let upper = bounded_above.map_or(largest + padding, |ceiling| ceiling.min(largest + padding));
        if upper - lower <= magnitude * 1e-6 {
            lower = upper - padding;
        }
        Scale::Linear { lower, upper }
    }

    /// Logarithmic where the values are positive and their ratio is large, else linear from zero or above.
    pub(crate) fn for_positive(values: &[f64]) -> Self {
        let (smallest, largest) = extent(values);
        if smallest < SMALLEST || largest / smallest < LOGARITHMIC_FROM_RATIO {
            return Scale::linear(values, Some(0.0), None);
        }
        let padding = (PADDING * (largest.ln() - smallest.ln())).exp();
        Scale::Logarithmic { lower: smallest / padding, upper: largest * padding }
    }

    /// Where a value lies between the lower end, 0, and the upper end, 1.
    pub(crate) fn fraction(&self, value: f64) -> f64 {
        match *self {
            Scale::Linear { lower, upper } => (value - lower) / (upper - lower),
            // Differences of logarithms: the quotient of the ends may be larger than any number.
            Scale::Logarithmic { lower, upper } => (value.ln() - lower.ln()) / (upper.ln() - lower.ln()),
        }
    }

    pub(crate) fn is_logarithmic(&self) -> bool {
        matches!(self, Scale::Logarithmic { .. })
    }

    /// About `wanted` ticks at round values, at most twice as many.
    pub(crate) fn ticks(&self, wanted: usize) -> Vec<Tick> {
        match *self {
            Scale::Linear { lower, upper } => linear_ticks(lower, upper, wanted),
            Scale::Logarithmic { lower, upper } => logarithmic_ticks(lower, upper, wanted),
        }
    }
}

fn extent(values: &[f64]) -> (f64, f64) {
    let smallest = values.iter().copied().reduce(f64::min).unwrap_or(0.0);
    let largest = values.iter().copied().reduce(f64::max).unwrap_or(1.0);
    (smallest, largest)
}

/// A step of 1, 2 or 5 times a power of ten: its first digit and its exponent.
fn round_step(least: f64) -> (f64, i32) {
    let exponent = least.log10().floor() as i32;
    let power = 10f64.powi(exponent);
    match [1.0, 2.0, 5.0].into_iter().find(|digit| digit * power >= least * (1.0 - 1e-9)) {
        Some(digit) => (digit, exponent),
        None => (1.0, exponent + 1),
    }
}

fn linear_ticks(lower: f64, upper: f64, wanted: usize) -> Vec<Tick> {
    let (digit, exponent) = round_step((upper - lower) / wanted.max(1) as f64);
    let step = digit * 10f64.powi(exponent);
    let slack = 1e-9;
    let (first, last) = ((lower / step - slack).ceil() as i64, (upper / step + slack).floor() as i64);
    (first..=last)
        .map(|index| {
            let value = index as f64 * step;
            Tick { value, label: label(value, exponent, lower.abs().max(upper.abs())) }
        })
        .collect()
}

fn logarithmic_ticks(lower: f64, upper: f64, wanted: usize) -> Vec<Tick> {
    let (first, last) = (lower.log10().floor() as i32, upper.log10().ceil() as i32);
    let decades = upper.log10() - lower.log10();
    let digits: &[f64] = match decades * 3.0 <= wanted as f64 * 1.5 {
        true => &[1.0, 2.0, 5.0],
        false => &[1.0],
    };
    let stride = (decades / wanted.max(1) as f64).ceil().max(1.0) as i32;
    let mut ticks = Vec::new();
    for exponent in (first..=last).filter(|exponent| exponent.rem_euclid(stride) == 0) {
        for digit in digits {
            let value = digit * 10f64.powi(exponent);
            if (lower..=upper).contains(&value) {
                ticks.push(Tick { value, label: label(value, exponent, value) });
            }
        }
    }
    ticks
}

/// `exponent` is that of the last digit that matters, `magnitude` the largest value on the axis.
fn label(value: f64, exponent: i32, magnitude: f64) -> String {
    if magnitude >= 1e5 || (exponent < -4 && magnitude < 1e-3) {
        let digits =
            if value == 0.0 { 0 } else { (value.abs().log10().floor() as i32 - exponent).clamp(0, 9) };
        return if value == 0.0 { "0".to_owned() } else { format!("{value:.*e}", digits as usize) };
    }
    let text = format!("{value:.*}", (-exponent).max(0) as usize);
    if value == 0.0 { text.trim_start_matches('-').to_owned() } else { text }
}

/// Ticks of an axis of whole numbers from `first` to `last`: every one, or the first and then round ones.
pub(crate) fn counting_ticks(first: f64, last: f64, wanted: usize) -> Vec<Tick> {
    let (digit, exponent) = round_step(((last - first) / wanted.max(1) as f64).max(1.0));
    let step = digit * 10f64.powi(exponent.max(0));
    let start = (first / step).ceil() as i64;
    let end = (last / step).floor() as i64;
    let mut values: Vec<f64> = (start..=end).map(|index| index as f64 * step).collect();
    // The first epoch is worth a label wherever the next one leaves it room.
    if values.first().is_none_or(|value| *value > first && value - first >= step * 0.5) {
        values.insert(0, first);
    }
    values.into_iter().map(|value| Tick { value, label: label(value, 0, value) }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn labels(ticks: &[Tick]) -> Vec<&str> {
        ticks.iter().map(|tick| tick.label.as_str()).collect()
    }

    #[test]
    fn linear_ticks_are_round() {
        assert_eq!(labels(&linear_ticks(91.3, 99.6, 6)), ["92", "94", "96", "98"]);
        assert_eq!(labels(&linear_ticks(0.0, 0.32, 6)), ["0.0", "0.1", "0.2", "0.3"]);
        assert_eq!(labels(&linear_ticks(-0.1, 0.1, 4)), ["-0.10", "-0.05", "0.00", "0.05", "0.10"]);
        assert_eq!(labels(&linear_ticks(0.0, 3e6, 3)), ["0", "1e6", "2e6", "3e6"]);
        assert_eq!(
            labels(&linear_ticks(99.85, 99.97, 6)),
            ["99.86", "99.88", "99.90", "99.92", "99.94", "99.96"]
        );
    }

    #[test]
    fn logarithmic_ticks_are_round() {
        assert_eq!(labels(&logarithmic_ticks(0.018, 0.7, 6)), ["0.02", "0.05", "0.1", "0.2", "0.5"]);
        assert_eq!(
            labels(&logarithmic_ticks(0.008, 3e4, 7)),
            ["0.01", "0.1", "1", "10", "100", "1000", "10000"]
        );
        assert_eq!(
            labels(&logarithmic_ticks(1e-12, 1e12, 6)),
            ["1e-12", "1e-8", "0.0001", "1", "10000", "1e8", "1e12"]
        );
    }

    #[test]
    fn epochs_are_counted() {
        assert_eq!(labels(&counting_ticks(1.0, 1.0, 12)), ["1"]);
        assert_eq!(labels(&counting_ticks(1.0, 5.0, 12)), ["1", "2", "3", "4", "5"]);
        assert_eq!(
            labels(&counting_ticks(1.0, 100.0, 12)),
            ["1", "10", "20", "30", "40", "50", "60", "70", "80", "90", "100"]
        );
        assert_eq!(labels(&counting_ticks(1.0, 15.0, 12)), ["1", "2", "4", "6", "8", "10", "12", "14"]);
    }

    #[test]
    fn losses_get_a_logarithmic_axis_only_where_it_helps() {
        assert!(Scale::for_positive(&[0.02, 0.5]).is_logarithmic());
        assert!(!Scale::for_positive(&[0.05, 0.5]).is_logarithmic());
        assert!(!Scale::for_positive(&[0.0, 0.5]).is_logarithmic());
        assert_eq!(Scale::for_positive(&[0.0, 0.5]), Scale::Linear { lower: 0.0, upper: 0.52 });
    }

    #[test]
    fn padding_stays_within_what_a_quantity_can_be() {
        let Scale::Linear { lower, upper } = Scale::linear(&[90.0, 99.9], None, Some(100.0)) else {
            unreachable!()
        };
        assert!((lower - 89.604).abs() < 1e-9 && upper == 100.0);
    }

    proptest! {
        #[test]
        fn every_scale_maps_its_values_into_the_picture(
            values in prop::collection::vec(prop_oneof![-1e15..1e15f64, 0.0..1.0f64, 1e-9..1e-6f64, Just(1e-300), Just(7e-309)], 1..8),
        ) {
            for scale in [Scale::linear(&values, Some(0.0), Some(100.0)), Scale::for_positive(&values)] {
                for value in &values {
                    prop_assert!((-1e-9..=1.0 + 1e-9).contains(&scale.fraction(*value)), "{scale:?} {value}");
                }
                let ticks = scale.ticks(6);
                prop_assert!((1..=13).contains(&ticks.len()), "{scale:?} {ticks:?}");
                prop_assert!(ticks.windows(2).all(|pair| pair[0].label != pair[1].label), "{ticks:?}");
                for tick in ticks {
                    prop_assert!((-1e-6..=1.0 + 1e-6).contains(&scale.fraction(tick.value)));
                }
            }
        }
    }
}
