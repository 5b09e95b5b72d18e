//! Where figures become statements: each threshold of an analysis, in one place.

use crate::{Run, by_name::by_name, spread::Spread};
use records::question::{Measure, Question};
use serde::Serialize;

/// What an analysis decides by. [`Thresholds::of`] gives those of a study; what its question sets takes the place of a default.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Thresholds {
    /// What decides which of two models is better; [`crate::Analysis`] names it.
    #[serde(skip)]
    pub decide_by: Measure,
    /// Overall level of the decisions of a study: 0.05.
    pub significance: f64,
    /// Confidence of the intervals that have no part in a decision: 0.95.
    pub confidence: f64,
    /// The chance of telling models apart for which further runs are planned: 0.8.
    pub power: f64,
    /// Half the region of practical equivalence, a fraction, of log-loss nats: models whose difference lies within it are practically equal.
    pub equivalence_margin: f64,
    /// Validation accuracies, as fractions and ascending, of which is told when they are first reached.
    pub milestones: Vec<f64>,
    /// A model that trains faster by less than this factor gains its user nothing worth a clause: 1.05.
    pub notable_time_ratio: f64,
    /// Smaller relative changes of a validation loss are within what the order of the batches does to it: 0.02.
    pub flat_loss: f64,
    /// Above this part of its mean, a time's deviation is more than the usual noise of a quiet machine: 0.1.
    pub unsteady_time: f64,
    /// Where the largest class has at least so many times the test images of the smallest, the data is called imbalanced: 2.
    pub imbalance: f64,
}

/// 5 of MNIST's 10,000 test images: less than the 15 whose labels people dispute.
const EQUIVALENCE_MARGIN: f64 = 0.0005;

/// A tenth of a per cent of the probability that the true class gets, in the geometric mean.
const EQUIVALENCE_MARGIN_NATS: f64 = 0.001;

/// A point of accuracy is never nothing, however few the test images.
const LARGEST_MARGIN: f64 = 0.01;

/// The accuracies that are told of, as fractions: those around the best that a study reaches.
const ROUND_ACCURACIES: [f64; 12] = [0.1, 0.2, 0.5, 0.7, 0.8, 0.9, 0.95, 0.97, 0.98, 0.99, 0.995, 0.998];

/// So many of them are told of.
const MILESTONES: usize = 3;

impl Default for Thresholds {
    /// Those of a study of MNIST.
    fn default() -> Self {
        Self {
            decide_by: Measure::default(),
            significance: 0.05,
            confidence: 0.95,
            power: 0.8,
            equivalence_margin: EQUIVALENCE_MARGIN,
            milestones: vec![0.97, 0.98, 0.99],
            notable_time_ratio: 1.05,
            flat_loss: 0.02,
            unsteady_time: 0.1,
            imbalance: 2.0,
        }
    }
}

impl Thresholds {
    /// As the question sets them, or as the data suggests: the margin of equivalence is 0.05 points, or one test image where
    /// that is more, and at most 1 point, or 0.001 nats of log-loss; the milestones are three round accuracies, the last of which is the first beyond
    /// the best mean validation accuracy of any model.
    pub fn of<'a, R: Into<Run<'a>>>(runs: impl IntoIterator<Item = R>, question: &Question) -> Self {
        let records = Run::all(runs);
        let fewest_images = records.iter().map(|run| run.test.labels.len()).min().unwrap_or(0);
        Self {
            decide_by: question.decide_by,
            equivalence_margin: match (question.equivalence_margin_points, question.decide_by) {
                (Some(margin), measure) => margin / measure.scale(),
                (None, Measure::LogLoss) => EQUIVALENCE_MARGIN_NATS,
                (None, _) => equivalence_margin(fewest_images),
            },
            milestones: milestones(&records),
            ..Self::default()
        }
    }
}

/// The margin for so many test images, as a fraction, unless a question sets it.
pub(crate) fn equivalence_margin(images: usize) -> f64 {
    let one_image = if images > 0 { 1.0 / images as f64 } else { 0.0 };
    EQUIVALENCE_MARGIN.max(one_image).min(LARGEST_MARGIN)
}

/// Three round accuracies around the best mean of a model's validation accuracies in one epoch.
fn milestones(records: &[Run]) -> Vec<f64> {
    let best = by_name(records)
        .into_iter()
        .filter_map(|(_, runs)| {
            let most = |run: &Run| {
                let accuracies = run.epochs.iter().map(|epoch| epoch.validation_accuracy);
                accuracies.filter(|value| value.is_finite()).fold(0.0, f64::max)
            };
            Spread::of(&runs.iter().map(most).collect::<Vec<_>>())
        })
        .map(|spread| spread.mean)
        .fold(0.0, f64::max);
    let beyond = ROUND_ACCURACIES.iter().position(|round| *round > best);
    let end = beyond.map_or(ROUND_ACCURACIES.len(), |place| place + 1).max(MILESTONES);
    ROUND_ACCURACIES[end - MILESTONES..end].to_vec()
}
