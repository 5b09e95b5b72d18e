//! Records to test with: made up, but of the size and shape of real ones.

use crate::{Scene, Study, TestImages};
use analysis::{
    Analysis, Run,
    model::Model,
    thresholds::Thresholds,
    verdict::{Adjustment, Comparison, Coverage, Outcome, PairedRuns, TrainingTime},
};
use records::{
    question::{Measure, Question},
    record::{
        DatasetIdentity, Environment, EpochRecord, FailedRun, Protocol, RECORD_SCHEMA, RunRecord, RunSpec,
        TestRecord,
    },
};
use spec::Recipe;
use study::study_file::built_in_model;

/// What a study of a test is given; its verdicts need not follow from its records.
#[derive(Clone, Default)]
pub(crate) struct Given<'a> {
    pub(crate) records: &'a [RunRecord],
    pub(crate) failed: &'a [FailedRun],
    pub(crate) comparisons: &'a [Comparison],
    pub(crate) notes: &'a [String],
    pub(crate) images: Option<TestImages<'a>>,
    pub(crate) class_names: &'a [String],
    pub(crate) question: Question,
}

impl<'a> Given<'a> {
    pub(crate) fn study(&self) -> Study<'a> {
        let (notes, comparisons) = (self.notes.to_vec(), self.comparisons.to_vec());
        Study {
            question: self.question.clone(),
            analysis: Analysis::judged(self.records, self.failed, &self.question, notes, comparisons),
            images: self.images,
            class_names: self.class_names,
            reproduction: None,
        }
    }
}

/// A study whose verdicts follow from its records.
pub(crate) fn judged<'a>(records: &'a [RunRecord], failed: &'a [FailedRun]) -> Study<'a> {
    judged_by(records, failed, Measure::Accuracy)
}

/// The same by another measure.
pub(crate) fn judged_by<'a>(
    records: &'a [RunRecord],
    failed: &'a [FailedRun],
    decide_by: Measure,
) -> Study<'a> {
    let question = Question { decide_by, ..Question::default() };
    let analysis = Analysis::of(records, failed, &question, Vec::new());
    Study { question, analysis, images: None, class_names: &[], reproduction: None }
}

/// A model of these runs.
pub(crate) fn model<'a>(runs: &[&'a RunRecord]) -> Model<'a> {
    Model::of(&runs[0].specification.model, Run::all(runs.iter().copied()), 0, &Thresholds::default())
}

/// Steps of the generator behind the made-up figures; any full-period one does.
pub(crate) fn noise(state: &mut u64) -> f64 {
    *state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
    (*state >> 40) as f64 / (1u64 << 24) as f64 - 0.5
}

/// A run whose error falls from `error` by the power of the epoch's number.
pub(crate) fn record(model: &str, seed: u64, epochs: usize, error: f64, protocol: Protocol) -> RunRecord {
    let mut state = seed.wrapping_mul(97).wrapping_add(model.bytes().map(u64::from).sum());
    let epochs: Vec<EpochRecord> = (1..=epochs)
        .map(|epoch| {
            let left = error * (epoch as f64).powf(-0.7) * (1.0 + 0.15 * noise(&mut state));
            let lag = error * 2.5 * (epoch as f64).powf(-1.1) * (1.0 + 0.1 * noise(&mut state));
            EpochRecord {
                epoch,
                train_loss: lag * 3.3,
                train_accuracy: 1.0 - lag,
                validation_loss: left * 3.1,
                validation_accuracy: 1.0 - left,
                train_seconds: 8.0 + noise(&mut state),
                validation_measure: None,
                test_accuracy: None,
            }
        })
        .collect();
    let train_seconds = epochs.iter().map(|epoch| epoch.train_seconds).sum::<f64>();
    let last = epochs.last().copied();
    RunRecord {
        schema: RECORD_SCHEMA,
        id: format!("{model}-{seed}"),
        parameters: 1000 * (1 + model.len()),
        multiply_adds: 100_000 * (1 + model.len() as u64),
        train_seconds,
        evaluate_seconds: 1.0,
        total_seconds: train_seconds + 1.5,
        test: tested(last.map_or(1.0, |last| 1.0 - last.validation_accuracy), &mut state),
        test_reads: match protocol {
            Protocol::Sound | Protocol::Writers => 1,
            Protocol::Original => epochs.len() as u32,
        },
        fingerprint: format!("{state:016x}").repeat(4),
        warnings: Vec::new(),
        data_warnings: Vec::new(),
        data_notes: Vec::new(),
        class_names: Vec::new(),
        specification: RunSpec {
            model: model.to_owned(),
            layers: built_in_model(model).map_or(Vec::new(), |model| model.architecture.layers),
            dataset: DatasetIdentity {
                name: "mnist".to_owned(),
                sha256: "5".repeat(64),
                training_images: 60_000,
                test_images: 1000,
                height: 28,
                width: 28,
                channels: 1,
                classes: 10,
            },
            protocol,
            recipe: Recipe { epochs: epochs.len(), ..Recipe::default() },
            seed,
            audit_selection: false,
            resample: records::record::Resample::None,
            fold: None,
        },
        environment: Environment {
            cpu: "Example CPU".to_owned(),
            threads: 2,
            kernels: "avx512".to_owned(),
            engine_revision: 1,
            operating_system: "linux".to_owned(),
            version: "0.1.0".to_owned(),
            jobs: None,
            place: None,
        },
        epochs,
        kept_epoch: None,
    }
}

/// A thousand test images of which about a fraction `error` is missed.
fn tested(error: f64, state: &mut u64) -> TestRecord {
    let labels: Vec<u8> = (0..1000).map(|image| (image % 10) as u8).collect();
    let predictions: Vec<u8> = labels
        .iter()
        .map(|label| if noise(state) + 0.5 < error { (label + 5) % 10 } else { *label })
        .collect();
    let right = labels.iter().zip(&predictions).filter(|(label, prediction)| label == prediction).count();
    let probability = |prediction, class| if class == prediction { 61_008 } else { 503 };
    let probabilities =
        predictions.iter().flat_map(|prediction| (0..10).map(move |class| probability(*prediction, class)));
    TestRecord {
        accuracy: right as f64 / 1000.0,
        loss: error * 3.0,
        images: Vec::new(),
        probabilities: probabilities.collect(),
        labels,
        predictions,
    }
}

/// `runs` runs of each model, from seed 1, under the sound protocol.
pub(crate) fn records(models: &[(&str, f64)], runs: u64, epochs: usize) -> Vec<RunRecord> {
    (1..=runs)
        .flat_map(|seed| {
            models.iter().map(move |(name, error)| record(name, seed, epochs, *error, Protocol::Sound))
        })
        .collect()
}

/// A comparison of two models over three pairs, `a` better by `difference`.
pub(crate) fn comparison(a: &str, b: &str, difference: f64) -> Comparison {
    Comparison {
        a: a.to_owned(),
        b: b.to_owned(),
        unpaired_runs: None,
        runs: 3,
        measure: Measure::Accuracy,
        difference,
        interval: [difference - 0.002, difference + 0.002],
        confidence: 0.95,
        equivalence_margin: 0.0005,
        interval_covers: Coverage::RunsAndImages,
        seed_standard_error: Some(0.0008),
        image_standard_error: Some(0.0006),
        bootstrap_interval: Some([difference - 0.0015, difference + 0.0015]),
        bootstrap_confidence: Some(0.95),
        paired_t: Some(PairedRuns {
            interval: [difference - 0.003, difference + 0.003],
            confidence: 0.95,
            p_value: 0.008,
            p_adjustment: Adjustment::None,
        }),
        outperforming: None,
        cross_validation: None,
        p_value: 0.0021,
        p_adjustment: Adjustment::None,
        mcnemar_p_values: vec![0.03, 0.0004, 0.2],
        mcnemar_p_adjustment: Adjustment::None,
        outcome: Outcome::ABetter,
        further_runs: None,
        corrected_for: 1,
        diverged: [0, 0],
        train_seconds_ratio: Some(1.3),
        training_time: Some(training_time(1.3)),
        verdict: format!(
            "{a} beats {b} by {:.2} points of test accuracy [0.63, 1.03] at 95 %, 3 paired runs.",
            difference * 100.0
        ),
    }
}

/// Clocks of which `a` shows so many times the seconds of `b`, beyond doubt.
pub(crate) fn training_time(ratio: f64) -> TrainingTime {
    TrainingTime {
        runs: 3,
        ratio,
        interval: Some([0.95 * ratio, 1.05 * ratio]),
        confidence: 0.95,
        p_value: Some(0.0004),
        p_adjustment: Adjustment::None,
        notable_ratio: 1.05,
        same_network: false,
    }
}

/// A run of the model that diverged.
pub(crate) fn failed(model: &str, seed: u64, epoch: usize) -> FailedRun {
    let like = record(model, seed, 1, 0.1, Protocol::Sound);
    FailedRun {
        schema: RECORD_SCHEMA,
        id: like.id,
        specification: like.specification,
        environment: like.environment,
        epoch,
        problem: "the loss is infinite or not a number".to_owned(),
    }
}

/// A run of one epoch with these labels and predictions.
pub(crate) fn with_predictions(model: &str, seed: u64, labels: &[u8], predictions: &[u8]) -> RunRecord {
    let mut record = record(model, seed, 1, 0.1, Protocol::Sound);
    record.test.loss = 0.1;
    (record.test.labels, record.test.predictions) = (labels.to_vec(), predictions.to_vec());
    let right = labels.iter().zip(predictions).filter(|(label, prediction)| label == prediction).count();
    record.test.accuracy = right as f64 / labels.len() as f64;
    record
}

/// The picture of a file's name, where the study has one.
fn picture(study: &Study, file: &str) -> Option<Scene> {
    crate::pictures(study).into_iter().find(|picture| picture.file == file).map(|picture| picture.scene)
}

pub(crate) fn difference_chart(study: &Study) -> Option<Scene> {
    picture(study, "Differences.png")
}

pub(crate) fn accuracy_chart(study: &Study) -> Option<Scene> {
    picture(study, "Accuracy_Comparison.png")
}

pub(crate) fn loss_chart(study: &Study) -> Option<Scene> {
    picture(study, "Loss_Comparison.png")
}

pub(crate) fn confusion_chart(study: &Study) -> Option<Scene> {
    picture(study, "Confusion_Matrices.png")
}

pub(crate) fn digits_chart(study: &Study) -> Option<Scene> {
    picture(study, "Hardest_Digits.png")
}
