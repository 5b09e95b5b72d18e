use std::collections::BTreeMap;

use crate::error::{StatsError, check_count};

/// Which of two models was right on each image in each pair of runs, without the images on which they never differ.
///
/// A cell is `+1` where only the first model is right, `-1` where only the second is, else `0`. Images with the same column
/// of cells are exchangeable in every statistic, so each distinct column is kept once: its *pattern*.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PairedDifferences {
    runs: usize,
    images: usize,
    /// `[patterns, runs]`, each pattern with at least one cell that is not zero.
    patterns: Vec<i8>,
    /// The pattern of each image that has one, in image order.
    pattern_of: Vec<u32>,
}

impl PairedDifferences {
    /// Takes the cells, `cells[run][image]` in -1, 0, 1.
    ///
    /// # Errors
    /// No run, no image, runs of different lengths, more than `u32::MAX` images, or another value than -1, 0, 1.
    pub fn new<R: AsRef<[i8]>>(cells: &[R]) -> Result<Self, StatsError> {
        check_count("paired runs", 1, cells.len())?;
        let images = cells[0].as_ref().len();
        check_count("images", 1, images)?;
        if u32::try_from(images).is_err() {
            return Err(StatsError::OutOfRange {
                what: "images",
                expected: "at most 2^32 - 1",
                value: images as f64,
            });
        }
        for run in cells {
            let run = run.as_ref();
            if run.len() != images {
                return Err(StatsError::LengthMismatch {
                    what: "images of a run",
                    expected: images,
                    found: run.len(),
                });
            }
            if let Some(&cell) = run.iter().find(|cell| !(-1..=1).contains(*cell)) {
                return Err(StatsError::OutOfRange {
                    what: "difference of an image",
                    expected: "-1, 0 or 1",
                    value: f64::from(cell),
                });
            }
        }
        let mut known = BTreeMap::new();
        let (mut patterns, mut pattern_of) = (Vec::new(), Vec::new());
        for image in 0..images {
            let column: Vec<i8> = cells.iter().map(|run| run.as_ref()[image]).collect();
            if column.iter().any(|&cell| cell != 0) {
                let next = known.len() as u32;
                let pattern = *known.entry(column).or_insert_with_key(|column| {
                    patterns.extend_from_slice(column);
                    next
                });
                pattern_of.push(pattern);
            }
        }
        Ok(Self { runs: cells.len(), images, patterns, pattern_of })
    }

    /// Takes who was right, `first[run][image]` and `second[run][image]`.
    ///
    /// # Errors
    /// As [`PairedDifferences::new`], or when the two have different numbers of runs or images.
    pub fn from_correctness<R: AsRef<[bool]>>(first: &[R], second: &[R]) -> Result<Self, StatsError> {
        if first.len() != second.len() {
            return Err(StatsError::LengthMismatch {
                what: "runs",
                expected: first.len(),
                found: second.len(),
            });
        }
        let mut cells = Vec::with_capacity(first.len());
        for (a, b) in first.iter().zip(second) {
            let (a, b) = (a.as_ref(), b.as_ref());
            if a.len() != b.len() {
                return Err(StatsError::LengthMismatch { what: "images", expected: a.len(), found: b.len() });
            }
            cells.push(a.iter().zip(b).map(|(&a, &b)| i8::from(a) - i8::from(b)).collect::<Vec<i8>>());
        }
        Self::new(&cells)
    }

    /// Pairs of runs.
    pub fn runs(&self) -> usize {
        self.runs
    }

    /// Images in the test set.
    pub fn images(&self) -> usize {
        self.images
    }

    /// Mean cell: the first model's accuracy minus the second's, over all runs, as a fraction.
    pub fn mean(&self) -> f64 {
        self.run_sums().iter().sum::<i64>() as f64 / (self.runs * self.images) as f64
    }

    /// Accuracy difference of each pair of runs, as fractions.
    pub fn run_means(&self) -> Vec<f64> {
        self.run_sums().iter().map(|&sum| sum as f64 / self.images as f64).collect()
    }

    /// Of each pair of runs, the images that only the first model gets right and those that only the second does.
    pub fn discordant(&self) -> Vec<[u64; 2]> {
        let mut counts = vec![[0, 0]; self.runs];
        for column in self.columns() {
            for (count, &cell) in counts.iter_mut().zip(column) {
                count[0] += u64::from(cell > 0);
                count[1] += u64::from(cell < 0);
            }
        }
        counts
    }

    pub(crate) fn run_sums(&self) -> Vec<i64> {
        self.discordant().iter().map(|&[first, second]| first as i64 - second as i64).collect()
    }

    /// The columns of the images on which the models differ, in image order.
    pub(crate) fn columns(&self) -> impl Iterator<Item = &[i8]> {
        self.pattern_of.iter().map(|&pattern| self.pattern(pattern as usize))
    }

    pub(crate) fn pattern_of(&self) -> &[u32] {
        &self.pattern_of
    }

    pub(crate) fn patterns(&self) -> impl Iterator<Item = &[i8]> {
        self.patterns.chunks_exact(self.runs)
    }

    fn pattern(&self, index: usize) -> &[i8] {
        &self.patterns[index * self.runs..(index + 1) * self.runs]
    }
}
