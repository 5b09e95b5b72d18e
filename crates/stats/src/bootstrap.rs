use crate::differences::PairedDifferences;
use crate::error::{StatsError, check_open_unit};
use crate::estimate::Interval;
use crate::random::IndexStream;
use crate::special::normal_quantile_two_sided;

/// The result of [`two_way_bootstrap`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BootstrapResult {
    /// Percentile interval of the mean difference, as fractions.
    pub interval: Interval,
    /// Two-sided p-value from the resamples beyond zero; never 0.
    pub p_value: f64,
    /// Standard deviation of the resampled means, as a fraction.
    pub standard_error: f64,
}

/// The paired two-way bootstrap: runs and images are both drawn again with replacement, and the mean difference is taken each time.
///
/// With multinomial weights wᵣ (n draws among n runs) and vᵢ (N draws among N images), each resample is
/// `d̄* = Σᵣ Σᵢ wᵣ vᵢ d[r,i] / (nN)`; with one run only the images are drawn. The interval runs from the ⌊(R+1)(1-c)/2⌋-th smallest of R
/// resamples to the ⌊(R+1)(1-c)/2⌋-th largest; `p = 2 (1 + min(#{d̄* ≤ 0}, #{d̄* ≥ 0})) / (R + 1)`, at most 1.
///
/// Exact, without visiting all N images: how many of the N draws fall on the K images where any run differs is binomial (N, K/N), and
/// only those draws are made. R = 10,000 for 5 runs × 10,000 images takes 10 to 25 ms at K = 300.
///
/// **With few runs this interval is too narrow**: resampling n runs finds (n-1)/n of their variance and normal instead of t tails. Over tables
/// with both noises `tests/coverage.rs` measures how far a 95 % interval falls short; [`crate::crossed_estimate`] does not.
///
/// Sources: Owen 2007, "The pigeonhole bootstrap", Annals of Applied Statistics 1; Davison & Hinkley 1997, "Bootstrap methods and their
/// application", equation 4.11 for the p-value.
///
/// # Errors
/// A `confidence` outside (0, 1), or fewer `resamples` than put one beyond each end: (R+1)(1-c)/2 < 1.
pub fn two_way_bootstrap(
    differences: &PairedDifferences,
    confidence: f64,
    resamples: usize,
    seed: u64,
) -> Result<BootstrapResult, StatsError> {
    let beyond = beyond(confidence, resamples)?;
    let mut sums = resampled_sums(differences, resamples, &mut IndexStream::new(seed));
    sums.sort_unstable();
    let cells = (differences.runs() * differences.images()) as f64;
    let below = sums.iter().filter(|&&sum| sum <= 0).count();
    let above = sums.iter().filter(|&&sum| sum >= 0).count();
    let count = resamples as f64;
    let centre = sums.iter().sum::<i64>() as f64 / count;
    let squares: f64 = sums.iter().map(|&sum| (sum as f64 - centre).powi(2)).sum();
    Ok(BootstrapResult {
        interval: Interval {
            lower: sums[beyond - 1] as f64 / cells,
            upper: sums[resamples - beyond] as f64 / cells,
        },
        p_value: (2.0 * (1 + below.min(above)) as f64 / (count + 1.0)).min(1.0),
        standard_error: (squares / (count - 1.0)).sqrt() / cells,
    })
}

/// How many resamples lie beyond each end of the interval.
fn beyond(confidence: f64, resamples: usize) -> Result<usize, StatsError> {
    check_open_unit("confidence", confidence)?;
    let tail = 0.5 * (1.0 - confidence);
    // The slack keeps 39 resamples enough for 95 %, where 40 × 0.025 rounds to just below 1.
    let beyond = ((resamples + 1) as f64 * tail + 1e-9).floor() as usize;
    if beyond == 0 {
        let expected = (1.0 / tail - 1.0 - 1e-6).ceil() as usize;
        return Err(StatsError::TooFew { what: "resamples", expected, found: resamples });
    }
    Ok(beyond)
}

/// The same of any statistic: the mean over the drawn runs of `value(run, times)`, where `times` says how often an image of each of
/// so many kinds was drawn. `kind_of` is the kind of each image.
pub(crate) fn resample(
    kind_of: &[u32],
    kinds: usize,
    runs: usize,
    confidence: f64,
    resamples: usize,
    seed: u64,
    mut value: impl FnMut(usize, &[u32]) -> f64,
) -> Result<BootstrapResult, StatsError> {
    let beyond = beyond(confidence, resamples)?;
    let mut stream = IndexStream::new(seed);
    let images = kind_of.len() as u32;
    let (mut weights, mut times) = (vec![1u32; runs], vec![0u32; kinds]);
    let mut values: Vec<f64> = (0..resamples)
        .map(|_| {
            if runs > 1 {
                weights.fill(0);
                for _ in 0..runs {
                    weights[stream.index(runs as u32) as usize] += 1;
                }
            }
            times.fill(0);
            for _ in 0..images {
                times[kind_of[stream.index(images) as usize] as usize] += 1;
            }
            let drawn = weights.iter().enumerate().filter(|(_, weight)| **weight > 0);
            drawn.map(|(run, &weight)| f64::from(weight) * value(run, &times)).sum::<f64>() / runs as f64
        })
        .collect();
    values.sort_unstable_by(f64::total_cmp);
    let below = values.iter().filter(|value| **value <= 0.0).count();
    let above = values.iter().filter(|value| **value >= 0.0).count();
    let count = resamples as f64;
    Ok(BootstrapResult {
        interval: Interval { lower: values[beyond - 1], upper: values[resamples - beyond] },
        p_value: (2.0 * (1 + below.min(above)) as f64 / (count + 1.0)).min(1.0),
        standard_error: crate::sample_standard_deviation(&values)?,
    })
}

/// Of more discordant images than these the sum over the draws is taken from its normal limit: by the theorem of Berry and Esseen its
/// distribution is then wrong by less than half a per cent, and a million images take a moment.
const MOST_DRAWN: usize = 20_000;

/// As [`resampled_sums`], given the runs drawn by the normal distribution of the same mean and variance.
fn normal_sums(differences: &PairedDifferences, resamples: usize, stream: &mut IndexStream) -> Vec<i64> {
    let (runs, images) = (differences.runs(), differences.images() as f64);
    let mut times = vec![0.0; differences.patterns().count()];
    differences.pattern_of().iter().for_each(|&pattern| times[pattern as usize] += 1.0);
    let mut weights = vec![1i32; runs];
    (0..resamples)
        .map(|_| {
            if runs > 1 {
                weights.fill(0);
                for _ in 0..runs {
                    weights[stream.index(runs as u32) as usize] += 1;
                }
            }
            let (mut sum, mut squares) = (0.0, 0.0);
            for (pattern, times) in differences.patterns().zip(&times) {
                let score: i32 =
                    pattern.iter().zip(&weights).map(|(&cell, &weight)| i32::from(cell) * weight).sum();
                let score = f64::from(score);
                sum += times * score;
                squares += times * score * score;
            }
            let unit = stream.unit().max(f64::MIN_POSITIVE);
            let size = normal_quantile_two_sided(2.0 * unit.min(1.0 - unit));
            let deviation = (squares - sum * sum / images).max(0.0).sqrt();
            (sum + if unit < 0.5 { -size } else { size } * deviation).round() as i64
        })
        .collect()
}

/// `Σᵣ Σᵢ wᵣ vᵢ d[r,i]` of each resample.
fn resampled_sums(differences: &PairedDifferences, resamples: usize, stream: &mut IndexStream) -> Vec<i64> {
    let runs = differences.runs();
    let pattern_of = differences.pattern_of();
    let discordant = pattern_of.len() as u32;
    if pattern_of.len() > MOST_DRAWN {
        return normal_sums(differences, resamples, stream);
    }
    let hits = BinomialTable::new(differences.images(), pattern_of.len());
    let mut weights = vec![1i32; runs];
    let mut scores = Vec::new();
    (0..resamples)
        .map(|_| {
            if runs > 1 {
                weights.fill(0);
                for _ in 0..runs {
                    weights[stream.index(runs as u32) as usize] += 1;
                }
            }
            scores.clear();
            scores.extend(differences.patterns().map(|pattern| {
                pattern.iter().zip(&weights).map(|(&cell, &weight)| i32::from(cell) * weight).sum::<i32>()
            }));
            (0..hits.draw(stream))
                .map(|_| i64::from(scores[pattern_of[stream.index(discordant) as usize] as usize]))
                .sum()
        })
        .collect()
}

/// Draws from a binomial distribution by searching its cumulative sums.
struct BinomialTable {
    /// Cumulative probabilities of `first`, `first + 1`, …; the last is 1.
    cumulative: Vec<f64>,
    first: usize,
}

impl BinomialTable {
    /// `trials` draws, each a hit with probability `hits / trials`.
    ///
    /// Built from the mode outwards by `P(k+1)/P(k) = (n-k)/(k+1) · p/(1-p)`: additions, products and quotients only, so the table is
    /// the same on every machine. Outcomes below 1e-30 of the mode's probability cannot be drawn with 53 bits and are left out.
    fn new(trials: usize, hits: usize) -> Self {
        if hits == 0 || hits == trials {
            return Self { cumulative: vec![1.0], first: hits };
        }
        let odds = hits as f64 / (trials - hits) as f64;
        let ratio_above = |k: usize| (trials - k) as f64 / (k + 1) as f64 * odds;
        const NEGLIGIBLE: f64 = 1e-30;
        let mut below = Vec::new();
        let (mut k, mut probability) = (hits, 1.0);
        while k > 0 {
            probability /= ratio_above(k - 1);
            if probability < NEGLIGIBLE {
                break;
            }
            k -= 1;
            below.push(probability);
        }
        let first = k;
        let mut cumulative: Vec<f64> = below.into_iter().rev().chain([1.0]).collect();
        (k, probability) = (hits, 1.0);
        while k < trials {
            probability *= ratio_above(k);
            if probability < NEGLIGIBLE {
                break;
            }
            k += 1;
            cumulative.push(probability);
        }
        let mut sum = 0.0;
        for value in &mut cumulative {
            sum += *value;
            *value = sum;
        }
        for value in &mut cumulative {
            *value /= sum;
        }
        Self { cumulative, first }
    }

    fn draw(&self, stream: &mut IndexStream) -> usize {
        let unit = stream.unit();
        self.first + self.cumulative.partition_point(|&value| value <= unit).min(self.cumulative.len() - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_normal_limit_is_that_of_the_draws() {
        // 4,000 discordant images of two runs: both ways give the same interval up to the noise of 10,000 resamples.
        let cell = |run: usize, image: usize| match (image * 7 + run) % 25 {
            0..3 => 1_i8,
            3..5 => -1,
            _ => 0,
        };
        let cells: Vec<Vec<i8>> =
            (0..2).map(|run| (0..20_000).map(|image| cell(run, image)).collect()).collect();
        let table = PairedDifferences::new(&cells).expect("cells");
        let ends = |mut sums: Vec<i64>| {
            sums.sort_unstable();
            [sums[249] as f64, sums[5_000] as f64, sums[9_750] as f64]
        };
        let drawn = ends(resampled_sums(&table, 10_000, &mut IndexStream::new(1)));
        let normal = ends(normal_sums(&table, 10_000, &mut IndexStream::new(2)));
        let width = drawn[2] - drawn[0];
        for (drawn, normal) in drawn.iter().zip(normal) {
            assert!((drawn - normal).abs() < 0.04 * width, "{drawn} and {normal} of {width}");
        }
    }

    /// The binomial shortcut against drawing every image and run one by one.
    #[test]
    fn resamples_as_the_plain_bootstrap_does() {
        let cells: [Vec<i8>; 3] = std::array::from_fn(|run| {
            (0..200).map(|image: usize| [0, 0, 1, 0, -1, 1, 0][(image * (run + 2)) % 7]).collect()
        });
        let differences = PairedDifferences::new(&cells).unwrap();
        let fast = resampled_sums(&differences, 20_000, &mut IndexStream::new(1));
        let mut stream = IndexStream::new(2);
        let plain: Vec<i64> = (0..20_000)
            .map(|_| {
                let runs: [usize; 3] = std::array::from_fn(|_| stream.index(3) as usize);
                (0..200)
                    .map(|_| {
                        let image = stream.index(200) as usize;
                        runs.iter().map(|&run| i64::from(cells[run][image])).sum::<i64>()
                    })
                    .sum()
            })
            .collect();
        let (fast, plain) = (moments(&fast), moments(&plain));
        // Four standard errors of a mean and of a standard deviation of 20,000 draws.
        assert!((fast.0 - plain.0).abs() < 4.0 * plain.1 * (2.0f64 / 20_000.0).sqrt(), "{fast:?} {plain:?}");
        assert!((fast.1 / plain.1 - 1.0).abs() < 4.0 / 20_000f64.sqrt(), "{fast:?} {plain:?}");
    }

    fn moments(sums: &[i64]) -> (f64, f64) {
        let values: Vec<f64> = sums.iter().map(|&sum| sum as f64).collect();
        (crate::mean(&values).unwrap(), crate::sample_standard_deviation(&values).unwrap())
    }

    #[test]
    fn binomial_draws_have_the_binomial_moments() {
        for (trials, hits) in [(10, 3), (1000, 20), (10_000, 9_990), (5, 0), (5, 5)] {
            let table = BinomialTable::new(trials, hits);
            let mut stream = IndexStream::new(7);
            let draws: Vec<i64> = (0..20_000).map(|_| table.draw(&mut stream) as i64).collect();
            let (mean, deviation) = moments(&draws);
            let expected = (hits as f64 * (trials - hits) as f64 / trials as f64).sqrt();
            assert!(
                (mean - hits as f64).abs() <= 4.0 * expected / 20_000f64.sqrt(),
                "{trials} {hits} {mean}"
            );
            assert!(
                (deviation - expected).abs() <= 0.03 * expected,
                "{trials} {hits} {deviation} {expected}"
            );
        }
    }
}
