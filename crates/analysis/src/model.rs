//! The runs of a study, model by model.

use crate::{
    Run,
    by_name::by_name,
    calibration::Calibration,
    confusion::Confusion,
    ensemble::{Ensemble, ensemble},
    learning::{self, Learning},
    machine::MachineKind,
    measures::{Estimate, Measures},
    partner::first_repeat,
    selection,
    spread::Spread,
    thresholds::Thresholds,
};
use records::{
    question::Measure,
    record::{EpochRecord, FailedRun, Fold, Place},
};
use serde::{Serialize, Serializer};

/// A model of a study: its runs and what they come to. Figures over runs are none where a run's is not finite.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Model<'a> {
    /// What the study calls it.
    pub name: &'a str,
    /// Weights and biases: those of the first run; a model's runs share their architecture. None where that is not known.
    pub parameters: Option<u64>,
    /// By seed, of a cross-validation by repetition and fold, in ascending order.
    #[serde(serialize_with = "run_figures")]
    pub runs: Vec<Run<'a>>,
    /// The runs as one classifier, where there are two or more.
    pub ensemble: Option<Ensemble>,
    /// By how much the epoch that is best on the test images would have flattered the model, where that was measured, as a
    /// fraction.
    #[serde(serialize_with = "mean_alone")]
    pub selection_optimism: Option<Spread>,
    /// Runs that diverged: they are in no figure.
    pub diverged: usize,
    /// Multiply-adds of an image, forward; none where they are not known.
    pub multiply_adds: Option<u64>,
    /// Test accuracy, as a fraction.
    pub accuracy: Option<Spread>,
    /// Test loss, in nats.
    pub loss: Option<Spread>,
    /// Measures beside accuracy and loss; none where a run has no predictions to its test images.
    pub measures: Option<Measures>,
    /// Seconds of training. None of the times is there where the runs come from several kinds of machine, whose clocks are never
    /// averaged.
    pub train_seconds: Option<Spread>,
    /// Seconds of training in an epoch.
    pub epoch_seconds: Option<Spread>,
    /// Seconds of evaluation.
    pub evaluate_seconds: Option<Spread>,
    /// Seconds in all.
    pub total_seconds: Option<Spread>,
    /// How far the probabilities can be believed; none where a run has none.
    pub calibration: Option<Calibration>,
    /// Which classes are taken for which; none without test images.
    pub confusion: Option<Confusion>,
    /// What the epochs tell.
    pub learning: Learning,
}

impl<'a> Model<'a> {
    /// What these runs come to, of which so many more diverged.
    pub fn of(name: &'a str, mut runs: Vec<Run<'a>>, diverged: usize, thresholds: &Thresholds) -> Self {
        runs.sort_by_key(|run| run.partner);
        let once = first_repeat(&runs);
        let figure = |figure: &dyn Fn(&Run) -> f64| Spread::of(&runs.iter().map(figure).collect::<Vec<_>>());
        let one_machine = MachineKind::all(&runs).len() <= 1;
        let seconds = |seconds: &dyn Fn(&Run) -> Option<f64>| {
            figure(&|run| seconds(run).unwrap_or(f64::NAN)).filter(|_| one_machine)
        };
        Self {
            name,
            parameters: runs.first().and_then(|run| run.parameters),
            ensemble: ensemble(&runs),
            selection_optimism: selection::optimism_of(&runs),
            diverged,
            multiply_adds: runs.first().and_then(|run| run.multiply_adds),
            accuracy: figure(&|run| run.test.accuracy),
            loss: figure(&|run| run.test.loss),
            measures: Measures::of(&runs),
            train_seconds: seconds(&|run| run.train_seconds),
            epoch_seconds: seconds(&|run| Some(run.train_seconds? / run.epochs.len() as f64)),
            evaluate_seconds: seconds(&|run| run.evaluate_seconds),
            total_seconds: seconds(&|run| run.total_seconds),
            calibration: Calibration::of(&runs),
            confusion: Confusion::of(&once),
            learning: Learning::of(&runs, thresholds),
            runs,
        }
    }

    /// A measure over the runs.
    pub fn value(&self, measure: Measure) -> Option<Spread> {
        let estimate = |of: fn(&Measures) -> Option<Estimate>| self.measures.as_ref().and_then(of);
        match measure {
            Measure::Accuracy => self.accuracy,
            Measure::LogLoss => self.loss,
            Measure::BalancedAccuracy => estimate(|measures| measures.balanced_accuracy).map(|of| of.spread),
            Measure::MacroF1 => estimate(|measures| measures.macro_f1).map(|of| of.spread),
        }
    }

    /// A figure of every run, by seed.
    pub fn figures(&self, figure: impl Fn(&Run) -> f64) -> Vec<f64> {
        self.runs.iter().map(figure).collect()
    }
}

/// A model of which every run diverged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct LostModel<'a> {
    /// What the study calls it.
    pub name: &'a str,
    /// Its runs.
    pub diverged: usize,
}

/// The models in the order of their first record, whose place is also their colour; apart from them those of which every run
/// diverged, in the order of their first.
pub fn models<'a>(
    records: &[Run<'a>],
    failed: &'a [FailedRun],
    thresholds: &Thresholds,
) -> (Vec<Model<'a>>, Vec<LostModel<'a>>) {
    let diverged = |name: &str| failed.iter().filter(|run| run.specification.model == name).count();
    let models: Vec<Model> = by_name(records)
        .into_iter()
        .map(|(name, runs)| Model::of(name, runs, diverged(name), thresholds))
        .collect();
    let mut lost: Vec<LostModel> = Vec::new();
    for name in failed.iter().map(|run| run.specification.model.as_str()) {
        let known =
            models.iter().any(|model| model.name == name) || lost.iter().any(|lost| lost.name == name);
        if !known {
            lost.push(LostModel { name, diverged: diverged(name) });
        }
    }
    (models, lost)
}

/// What programs are told of a run.
#[derive(Serialize)]
struct RunFigures<'a> {
    seed: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fold: Option<Fold>,
    /// What an imported run is called; there is no such field where this program made it.
    #[serde(skip_serializing_if = "Option::is_none")]
    imported: Option<&'a str>,
    epochs: &'a [EpochRecord],
    /// After which epoch the weights stood that were tested.
    tested_epoch: Option<usize>,
    train_seconds: Option<f64>,
    total_seconds: Option<f64>,
    test_accuracy: f64,
    test_loss: f64,
    fingerprint: Option<&'a str>,
    /// On which machine, as which task; there is no such field where that is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    place: Option<&'a Place>,
}

fn run_figures<S: Serializer>(runs: &[Run], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(runs.iter().map(|run| RunFigures {
        seed: run.seed(),
        fold: run.fold(),
        imported: run.imported().map(|imported| imported.run.as_str()),
        epochs: run.epochs,
        tested_epoch: learning::tested_epoch(run),
        train_seconds: run.train_seconds,
        total_seconds: run.total_seconds,
        test_accuracy: run.test.accuracy,
        test_loss: run.test.loss,
        fingerprint: run.record().map(|record| record.fingerprint.as_str()),
        place: run.place(),
    }))
}

fn mean_alone<S: Serializer>(spread: &Option<Spread>, serializer: S) -> Result<S::Ok, S::Error> {
    spread.map(|spread| spread.mean).serialize(serializer)
}
