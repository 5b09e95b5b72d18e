//! Measures of a model beside its accuracy.

use crate::{Run, calibration::unit, partner::CrossValidation, spread::Spread};
use records::question::Measure;
use serde::Serialize;
use stats::ClassCounts;

/// Measures over the runs of a model; [`stats::ClassCounts`] and [`stats::macro_auc`] have their formulas.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Measures {
    /// Mean recall over the classes that have test images, a fraction.
    pub balanced_accuracy: Option<Estimate>,
    /// Mean F1 over the classes that have a test image or were given to one, a fraction.
    pub macro_f1: Option<Estimate>,
    /// Mean area under the ROC curve, each class against the rest; none where a run has no probabilities, or every image is of one class.
    pub macro_auc: Option<Estimate>,
    /// Agreement beyond chance; none where a run gives every image its only class.
    pub kappa: Option<Estimate>,
    /// Each class, in its order.
    pub classes: Vec<ClassMeasures>,
}

/// Measures of one class.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct ClassMeasures {
    /// Its test images.
    pub images: u64,
    /// Of the images that were given the class, the fraction that is of it; 0 for a run that gives it to none.
    pub precision: Option<Spread>,
    /// Of the images of the class, the fraction that was given it; 0 without any.
    pub recall: Option<Spread>,
    /// The harmonic mean of both; 0 for a class that does not occur.
    pub f1: Option<Spread>,
}

/// A figure over the runs of a model, with the interval of its mean.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Estimate {
    /// Mean and standard deviation.
    #[serde(flatten)]
    pub spread: Spread,
    /// Student's interval at `confidence` of the mean over other seeds, for the same test images; of a cross-validation corrected for training
    /// sets that overlap ([`stats::corrected_resampled_t`]). From three runs on.
    pub interval: Option<[f64; 2]>,
    /// 0.95, where there is an interval.
    pub confidence: Option<f64>,
}

/// Of intervals that decide nothing.
const CONFIDENCE: f64 = 0.95;

/// With two runs an interval of one degree of freedom would say nothing.
const FEWEST_RUNS: usize = 3;

impl Estimate {
    /// Of figures that lie from `least` to 1.
    fn of(values: &[f64], folds: Option<CrossValidation>, least: f64) -> Option<Self> {
        let interval = match folds {
            None => stats::t_interval(values, CONFIDENCE).ok(),
            Some(folds) => {
                let corrected = stats::corrected_resampled_t(values, folds.test_over_train());
                corrected.and_then(|corrected| corrected.interval(CONFIDENCE)).ok()
            }
        };
        let interval =
            interval.filter(|_| values.len() >= FEWEST_RUNS).map(|interval| interval.within(least, 1.0));
        Some(Self {
            spread: Spread::of(values)?,
            interval: interval.map(|interval| [interval.lower, interval.upper]),
            confidence: interval.map(|_| CONFIDENCE),
        })
    }
}

impl Measures {
    /// None where a run has no predictions to its test images.
    pub fn of(runs: &[Run]) -> Option<Self> {
        let counts: Vec<ClassCounts> = runs.iter().map(|run| class_counts(run)).collect::<Option<_>>()?;
        let classes = counts.iter().map(ClassCounts::classes).min()?;
        let over_runs =
            |figure: &dyn Fn(&ClassCounts) -> f64| counts.iter().map(figure).collect::<Vec<f64>>();
        // Of a cross-validation an image is tested once in each repetition.
        let tested = |class| match CrossValidation::of(runs) {
            None => counts[0].images(class),
            Some(_) => {
                let first = |(run, _): &(&Run, &ClassCounts)| run.fold().is_some_and(|fold| fold.repeat == 1);
                runs.iter().zip(&counts).filter(first).map(|(_, counts)| counts.images(class)).sum()
            }
        };
        let of_class = |class: usize| {
            let spread = |figure: fn(&ClassCounts, usize) -> f64| {
                Spread::of(&over_runs(&|counts| figure(counts, class)))
            };
            ClassMeasures {
                images: tested(class),
                precision: spread(ClassCounts::precision),
                recall: spread(ClassCounts::recall),
                f1: spread(ClassCounts::f1),
            }
        };
        let folds = CrossValidation::of(runs);
        let estimate = |values: &[f64], least| Estimate::of(values, folds, least);
        let areas: Option<Vec<f64>> = runs.iter().map(|run| macro_auc(run)).collect();
        let kappas: Option<Vec<f64>> = counts.iter().map(ClassCounts::kappa).collect();
        Some(Self {
            balanced_accuracy: estimate(&over_runs(&ClassCounts::balanced_accuracy), 0.0),
            macro_f1: estimate(&over_runs(&ClassCounts::macro_f1), 0.0),
            macro_auc: areas.and_then(|areas| estimate(&areas, 0.0)),
            kappa: kappas.and_then(|kappas| estimate(&kappas, -1.0)),
            classes: (0..classes).map(of_class).collect(),
        })
    }
}

/// As many classes as the data has, or a run's answers need.
pub(crate) fn classes_of<'a>(runs: impl IntoIterator<Item = Run<'a>>) -> usize {
    let of_run = |run: Run| {
        let highest = run.test.labels.iter().chain(&run.test.predictions).max();
        run.data.classes.max(highest.map_or(0, |class| usize::from(*class) + 1))
    };
    runs.into_iter().map(of_run).max().unwrap_or(0)
}

fn class_counts(run: &Run) -> Option<ClassCounts> {
    let classes = classes_of([*run]);
    ClassCounts::of(&run.test.labels, &run.test.predictions, classes).ok()
}

fn macro_auc(run: &Run) -> Option<f64> {
    let classes = run.data.classes;
    stats::macro_auc(&run.test.labels, &run.test.probabilities, classes).ok().flatten()
}

/// A run's value of a measure; not a number where it has none.
pub fn value(measure: Measure, run: &Run) -> f64 {
    match measure {
        Measure::Accuracy => run.test.accuracy,
        Measure::LogLoss => run.test.loss,
        Measure::BalancedAccuracy => class_counts(run).map_or(f64::NAN, |counts| counts.balanced_accuracy()),
        Measure::MacroF1 => class_counts(run).map_or(f64::NAN, |counts| counts.macro_f1()),
    }
}

/// What each test image contributes to a run's log-loss, in nats, so that the mean is the loss that was recorded.
///
/// Recorded probabilities come in steps of 1/65535: of one below half a step it is not known how far below, and half a step is taken.
/// None where there are no probabilities to the test images, or the loss is not finite.
pub(crate) fn losses(run: &Run) -> Option<Vec<f64>> {
    let (classes, test) = (run.data.classes, &run.test);
    let complete = !test.labels.is_empty()
        && test.probabilities.len() == test.labels.len() * classes
        && test.labels.iter().all(|label| usize::from(*label) < classes);
    if !complete || !test.loss.is_finite() {
        return None;
    }
    let half_a_step = 0.5 * unit(1);
    let rows = test.probabilities.chunks_exact(classes).zip(&test.labels);
    let losses: Vec<f64> =
        rows.map(|(row, label)| -unit(row[usize::from(*label)]).max(half_a_step).ln()).collect();
    let rest = test.loss - losses.iter().sum::<f64>() / losses.len() as f64;
    Some(losses.into_iter().map(|loss| loss + rest).collect())
}

/// How many times the test images of the smallest class the largest has, of the classes that have any: 1 where all have as many.
pub fn imbalance(labels: &[u8]) -> f64 {
    let mut counts = [0u64; 256];
    labels.iter().for_each(|label| counts[usize::from(*label)] += 1);
    let there = || counts.iter().copied().filter(|count| *count > 0);
    there().max().unwrap_or(1) as f64 / there().min().unwrap_or(1) as f64
}
