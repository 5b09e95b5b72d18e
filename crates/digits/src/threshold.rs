//! Otsu's threshold.

/// Values are counted in this many parts.
const BINS: usize = 256;

/// The value that divides `values`, none of them negative, into a lower and an upper class of the greatest variance
/// between them, (μ₁ − μ₀)² p₀ p₁ with the classes' means μ and shares p; what is above it is in the upper class.
/// `None` when there are not two values that differ.
///
/// Otsu, "A Threshold Selection Method from Gray-Level Histograms" (1979).
pub(crate) fn otsu(values: impl Iterator<Item = f32> + Clone) -> Option<f32> {
    let (least, most) =
        values.clone().fold((f32::MAX, 0.0f32), |(least, most), value| (least.min(value), most.max(value)));
    if least >= most {
        return None;
    }
    let bin_width = (most - least) / BINS as f32;
    let mut histogram = [0.0; BINS];
    for value in values {
        histogram[(((value - least) / bin_width) as usize).min(BINS - 1)] += 1.0f64;
    }
    let total: f64 = histogram.iter().sum();
    let moment: f64 = histogram.iter().enumerate().map(|(bin, count)| bin as f64 * count).sum();
    let (mut count, mut sum) = (0.0, 0.0);
    let (mut greatest, mut first, mut last) = (0.0, 0, 0);
    for (bin, of_bin) in histogram[..BINS - 1].iter().enumerate() {
        count += of_bin;
        sum += bin as f64 * of_bin;
        let difference = (moment - sum) / (total - count) - sum / count;
        let variance = difference * difference * count * (total - count);
        if variance > greatest {
            (greatest, first) = (variance, bin);
        }
        if variance == greatest {
            last = bin;
        }
    }
    // Between classes with a gap all thresholds are as good: the middle one is the least chance of the data.
    Some(least + bin_width * (first + last + 2) as f32 / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_heaps_are_divided_in_the_middle_between_them() {
        let values = [0.1, 0.1, 0.12, 0.1, 0.9, 0.88];
        let threshold = otsu(values.into_iter()).expect("two classes");
        assert!((threshold - 0.5).abs() < 0.01, "{threshold}");
    }

    /// The best of all divisions of the values, tried one by one.
    #[test]
    fn no_division_has_a_greater_variance_between_its_classes() {
        let values: Vec<f32> =
            (0..200).map(|index| ((index * 37) % 101) as f32 / 101.0).map(|x| x * x).collect();
        let between = |threshold: f32| {
            let (upper, lower): (Vec<f32>, Vec<f32>) = values.iter().partition(|value| **value > threshold);
            let mean = |class: &[f32]| class.iter().sum::<f32>() / class.len() as f32;
            (mean(&upper) - mean(&lower)).powi(2) * upper.len() as f32 * lower.len() as f32
        };
        let found = between(otsu(values.iter().copied()).expect("two classes"));
        let best =
            values.iter().filter(|value| **value < 0.97).map(|value| between(*value)).fold(0.0, f32::max);
        assert!(found > 0.99 * best, "{found}, {best}");
    }

    #[test]
    fn one_value_is_not_divided() {
        assert_eq!(otsu([0.5, 0.5].into_iter()), None);
        assert_eq!(otsu(std::iter::empty()), None);
    }
}
