use crate::crossed::{p_value, squared_of_runs};
use crate::error::{StatsError, check_count, check_finite, check_open_unit};
use crate::estimate::Interval;
use crate::measures::ClassCounts;
use crate::special::normal_quantile_two_sided;

/// The difference of two models whose runs share their test images and nothing else, with the sources of its uncertainty apart; made by
/// [`unpaired_estimate`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct UnpairedEstimate {
    /// Mean of the first model's runs less that of the second's.
    pub mean: f64,
    /// Runs of each model.
    pub runs: [usize; 2],
    /// Images in the test set.
    pub images: usize,
    /// Standard error of each model's mean from its runs' seeds; unknown with one run.
    pub run_standard_errors: [Option<f64>; 2],
    /// The least that these can be, seeds without any effect on a whole run; 0 with one run.
    pub residual_standard_errors: [f64; 2],
    /// Standard error of the difference from the choice of test images; it also holds what the seed of an only run did to single images.
    pub image_standard_error: f64,
    /// No true difference is larger, in either direction.
    pub largest: f64,
}

/// The difference of two models' means over runs that are not paired, of cells `[run][image]`: whether an image was answered correctly, what
/// it cost, or a [`pseudovalues`] of a measure.
///
/// The cells of a model are taken as in [`crate::crossed_estimate`], `x[r,i] = μ + aᵣ + bᵢ + e[r,i]`, the runs of the two models as
/// independent of each other. With the mean squares of each model's own table of n runs and N images, `A = MS_runs/(nN)` and
/// `R = MS_residual/(nN)`; with Dᵢ the difference of the two models' means on image i, `B = max(s²(D)/N - R₁ - R₂, 0)`, since s²(D) holds the
/// residual of both. Before s²(D) is taken, two invented images are added on which the models differ by `added` and by `-added`, as there.
/// A model's A and R are unknown with one run.
///
/// # Errors
/// No run, no image, runs of different lengths, or a value that is not finite.
pub fn unpaired_estimate(
    first: &[Vec<f64>],
    second: &[Vec<f64>],
    added: f64,
    largest: f64,
) -> Result<UnpairedEstimate, StatsError> {
    let images = first.first().map_or(0, Vec::len);
    for model in [first, second] {
        check_count("runs", 1, model.len())?;
        check_count("images", 1, images)?;
        for run in model {
            if run.len() != images {
                let what = "images of a run";
                return Err(StatsError::LengthMismatch { what, expected: images, found: run.len() });
            }
            check_finite("cells", run)?;
        }
    }
    let [one, other] = [first, second].map(OfModel::of);
    let mean = one.mean - other.mean;
    let padded = images as f64 + 2.0;
    let grand = mean * images as f64 / padded;
    let mut squares = (added - grand).powi(2) + (added + grand).powi(2);
    for (a, b) in one.of_images.iter().zip(&other.of_images) {
        squares += (a - b - grand).powi(2);
    }
    let residuals = [one.residual, other.residual];
    let image_variance = squares / (padded - 1.0) / padded - residuals.iter().sum::<f64>();
    Ok(UnpairedEstimate {
        mean,
        runs: [first.len(), second.len()],
        images,
        run_standard_errors: [one.runs, other.runs].map(|variance| variance.map(f64::sqrt)),
        residual_standard_errors: residuals.map(f64::sqrt),
        image_standard_error: image_variance.max(0.0).sqrt(),
        largest,
    })
}

/// What a model's own table says of the variance of its mean.
struct OfModel {
    mean: f64,
    of_images: Vec<f64>,
    /// From the runs; none with one.
    runs: Option<f64>,
    /// Of it, from what runs did to single images.
    residual: f64,
}

impl OfModel {
    fn of(cells: &[Vec<f64>]) -> Self {
        let (n, images) = (cells.len() as f64, cells[0].len());
        let mut of_images = vec![0.0; images];
        for run in cells {
            of_images.iter_mut().zip(run).for_each(|(sum, cell)| *sum += cell / n);
        }
        let mean = of_images.iter().sum::<f64>() / images as f64;
        if cells.len() == 1 {
            return Self { mean, of_images, runs: None, residual: 0.0 };
        }
        let of_runs: Vec<f64> = cells.iter().map(|run| run.iter().sum::<f64>() / images as f64).collect();
        let square_runs: f64 = of_runs.iter().map(|of| (of - mean).powi(2)).sum();
        let square_residual: f64 = cells
            .iter()
            .zip(&of_runs)
            .map(|(run, of_run)| {
                let residuals =
                    run.iter().zip(&of_images).map(|(cell, of_image)| cell - of_run - of_image + mean);
                residuals.map(|residual| residual * residual).sum::<f64>()
            })
            .sum();
        let mean_square = square_residual / (n - 1.0) / (images as f64 - 1.0).max(1.0);
        Self {
            mean,
            of_images,
            runs: Some(square_runs / (n - 1.0) / n),
            residual: mean_square / (n * images as f64),
        }
    }
}

impl UnpairedEstimate {
    /// The interval at a `confidence` in (0, 1): `d̄ ± √(Σ max(t² A, z² R) + z² B)`, the sum over both models, t with n - 1 degrees of
    /// freedom of each (Banerjee 1960, as in [`crate::CrossedEstimate::interval`]); of a model of one run there is no such term.
    ///
    /// # Errors
    /// A `confidence` outside (0, 1).
    pub fn interval(&self, confidence: f64) -> Result<Interval, StatsError> {
        check_open_unit("confidence", confidence)?;
        let squared = self.squared_half_width(normal_quantile_two_sided(1.0 - confidence), 1.0 - confidence);
        Ok(Interval::around(self.mean, squared.sqrt()).within(-self.largest, self.largest))
    }

    /// The two-sided p-value: the level α at which the end of the interval of confidence 1 - α reaches zero.
    pub fn p_value(&self) -> f64 {
        p_value(self.mean, |z, tail| self.squared_half_width(z, tail))
    }

    fn squared_half_width(&self, z: f64, tail: f64) -> f64 {
        let of_runs = |model: usize| {
            let (of_runs, residual) = (self.run_standard_errors[model], self.residual_standard_errors[model]);
            squared_of_runs(self.runs[model], of_runs, residual, z, tail)
        };
        of_runs(0) + of_runs(1) + (z * self.image_standard_error).powi(2)
    }
}

/// The jackknife's pseudovalues of a measure that is a function of the counts of each class, `N m - (N - 1) m without image i`, moved so
/// that their mean is m: cells for [`unpaired_estimate`]. For accuracy they are 1 where the image is answered correctly, else 0.
///
/// # Errors
/// Labels and answers of different lengths, or a class of `classes` or more.
pub fn pseudovalues(
    labels: &[u8],
    given: &[u8],
    classes: usize,
    measure: crate::CountMeasure,
) -> Result<Vec<f64>, StatsError> {
    let mut counts = ClassCounts::of(labels, given, classes)?;
    let (whole, images) = (measure(&counts), labels.len() as f64);
    let mut known = vec![None; classes * classes];
    let mut values: Vec<f64> = labels
        .iter()
        .zip(given)
        .map(|(&label, &answer)| {
            *known[usize::from(label) * classes + usize::from(answer)].get_or_insert_with(|| {
                counts.remove(label, answer);
                let without = measure(&counts);
                counts.add(label, answer, 1);
                images * whole - (images - 1.0) * without
            })
        })
        .collect();
    let moved = whole - values.iter().sum::<f64>() / images;
    values.iter_mut().for_each(|value| *value += moved);
    Ok(values)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{PairedDifferences, crossed_estimate};

    fn cells(answers: &[&[u8]]) -> Vec<Vec<f64>> {
        answers.iter().map(|run| run.iter().map(|&right| f64::from(right)).collect()).collect()
    }

    #[test]
    fn one_run_of_each_is_a_pair() {
        let (one, other) = (cells(&[&[1, 1, 0, 1, 1, 0, 1, 1]]), cells(&[&[1, 0, 0, 0, 1, 1, 1, 1]]));
        let unpaired = unpaired_estimate(&one, &other, 1.0, 1.0).expect("runs");
        let right = |run: &[Vec<f64>]| run[0].iter().map(|cell| *cell > 0.5).collect::<Vec<bool>>();
        let table = PairedDifferences::from_correctness(&[right(&one)], &[right(&other)]).expect("a pair");
        let paired = crossed_estimate(&table);
        assert_eq!(unpaired.run_standard_errors, [None, None]);
        let near = |one: f64, other: f64| (one - other).abs() < 1e-12;
        assert!(
            near(unpaired.mean, paired.mean)
                && near(unpaired.image_standard_error, paired.image_standard_error)
        );
        assert!(near(unpaired.p_value(), paired.p_value()));
    }

    #[test]
    fn the_parts_are_those_worked_out_by_hand() {
        // Runs of 3/4 and 1/4, and of 1/2 twice.
        let one = cells(&[&[1, 1, 1, 0], &[1, 0, 0, 0]]);
        let other = cells(&[&[1, 1, 0, 0], &[0, 0, 1, 1]]);
        let found = unpaired_estimate(&one, &other, 1.0, 1.0).expect("runs");
        assert!(found.mean.abs() < 1e-15);
        // Means 0.75 and 0.25: variance 0.125, over two runs 0.0625.
        assert_eq!(found.run_standard_errors, [Some(0.25), Some(0.0)]);
        // Residuals ±0.25 of four cells a run: 8 · 0.0625 = 0.5, over 3 degrees of freedom and 8 cells.
        assert!((found.residual_standard_errors[0].powi(2) - 0.5 / 3.0 / 8.0).abs() < 1e-15);
        assert!((found.residual_standard_errors[1].powi(2) - 2.0 / 3.0 / 8.0).abs() < 1e-15);
        assert_eq!(found.p_value(), 1.0);
        let interval = found.interval(0.95).expect("an interval");
        assert!(interval.lower < 0.0 && interval.upper > 0.0);
    }

    #[test]
    fn pseudovalues_of_accuracy_are_the_answers() {
        let accuracy: crate::CountMeasure = |counts| {
            let right: f64 =
                (0..counts.classes()).map(|class| counts.recall(class) * counts.images(class) as f64).sum();
            right / (0..counts.classes()).map(|class| counts.images(class)).sum::<u64>() as f64
        };
        let values = pseudovalues(&[0, 0, 1, 1, 1], &[0, 1, 1, 1, 0], 2, accuracy).expect("answers");
        for (value, expected) in values.iter().zip([1.0, 0.0, 1.0, 1.0, 0.0]) {
            assert!((value - expected).abs() < 1e-12, "{values:?}");
        }
    }
}
