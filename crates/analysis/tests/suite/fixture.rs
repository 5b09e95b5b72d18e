//! Constructed records.

use analysis::{
    Run,
    model::Model,
    thresholds::Thresholds,
    verdict::{self, Comparison, Judgement},
};
use records::record::{
    DatasetIdentity, Environment, FailedRun, Protocol, RECORD_SCHEMA, RunRecord, RunSpec, TestRecord,
};
use spec::Recipe;
use spec::{LayerSpec, Units};
use std::ops::Range;

/// A run that misses the images listed and takes ten seconds to train.
pub fn run(model: &str, seed: u64, images: usize, missed: impl IntoIterator<Item = usize>) -> RunRecord {
    let labels: Vec<u8> = (0..images).map(|image| (image % 10) as u8).collect();
    let mut predictions = labels.clone();
    for image in missed {
        predictions[image] = (labels[image] + 1) % 10;
    }
    let right = labels.iter().zip(&predictions).filter(|(label, given)| label == given).count();
    RunRecord {
        schema: RECORD_SCHEMA,
        id: format!("{model}-{seed}"),
        specification: RunSpec {
            model: model.to_owned(),
            // Models of different names are different networks.
            layers: vec![LayerSpec::Dense {
                units: Units::Count(1 + model.len()),
                bias: !model.starts_with('l'),
            }],
            dataset: DatasetIdentity {
                name: "mnist".to_owned(),
                sha256: "0123456789abcdef".to_owned(),
                training_images: 60_000,
                test_images: images,
                height: 28,
                width: 28,
                channels: 1,
                classes: 10,
            },
            protocol: Protocol::Sound,
            recipe: Recipe { epochs: 3, batch_size: 64, ..Recipe::default() },
            seed,
            audit_selection: false,
            resample: records::record::Resample::None,
            fold: None,
        },
        environment: Environment {
            cpu: "a processor".to_owned(),
            threads: 2,
            kernels: "avx2".to_owned(),
            engine_revision: 1,
            operating_system: "linux".to_owned(),
            version: "0.1.0".to_owned(),
            jobs: None,
            place: None,
        },
        parameters: 100_000,
        multiply_adds: 1_000_000,
        epochs: Vec::new(),
        kept_epoch: None,
        train_seconds: 10.0,
        evaluate_seconds: 1.0,
        total_seconds: 11.0,
        test: TestRecord {
            accuracy: right as f64 / images as f64,
            loss: 0.03,
            images: Vec::new(),
            labels,
            predictions,
            probabilities: Vec::new(),
        },
        test_reads: 1,
        fingerprint: "fedcba9876543210".to_owned(),
        warnings: Vec::new(),
        data_warnings: Vec::new(),
        data_notes: Vec::new(),
        class_names: Vec::new(),
    }
}

/// Runs of both models, `cnn` without a miss and `lstm` with the same ones in each run.
pub fn steady(images: usize, seeds: Range<u64>, missed: usize) -> Vec<RunRecord> {
    seeds.flat_map(|seed| [run("cnn", seed, images, []), run("lstm", seed, images, 0..missed)]).collect()
}

pub fn only_comparison(records: &[RunRecord]) -> Comparison {
    let Judgement { mut comparisons, notes } = judge(records, &[]);
    assert_eq!((comparisons.len(), notes), (1, Vec::new()));
    comparisons.remove(0)
}

/// The same study with the models in the other order.
pub fn swapped(records: &[RunRecord]) -> Vec<RunRecord> {
    let mut records = records.to_vec();
    records.reverse();
    records
}

pub fn points(comparison: &Comparison) -> [i64; 3] {
    let hundredths = |fraction: f64| (fraction * 1e4).round() as i64;
    let [lower, upper] = comparison.interval;
    [hundredths(lower), hundredths(comparison.difference), hundredths(upper)]
}

/// A run of the model that diverged.
pub fn failed(model: &str, seed: u64, epoch: usize) -> FailedRun {
    let like = run(model, seed, 1, []);
    FailedRun {
        schema: RECORD_SCHEMA,
        id: like.id,
        specification: like.specification,
        environment: like.environment,
        epoch,
        problem: "the loss is infinite or not a number".to_owned(),
    }
}

/// By the thresholds of a study of MNIST, whatever the number of test images.
pub fn judge(records: &[RunRecord], failed: &[FailedRun]) -> Judgement {
    verdict::judge(records, failed, &Thresholds::default())
}

/// A model of these runs.
pub fn model<'a>(runs: impl IntoIterator<Item = &'a RunRecord>) -> Model<'a> {
    let runs = Run::all(runs);
    Model::of(runs[0].model, runs, 0, &Thresholds::default())
}

/// The models of a study.
pub fn models(records: &[RunRecord]) -> Vec<Model<'_>> {
    analysis::model::models(&Run::all(records), &[], &Thresholds::default()).0
}

/// A run with these labels and predictions.
pub fn with_predictions(model: &str, seed: u64, labels: &[u8], predictions: &[u8]) -> RunRecord {
    let mut record = run(model, seed, 1, []);
    (record.test.labels, record.test.predictions) = (labels.to_vec(), predictions.to_vec());
    let right = labels.iter().zip(predictions).filter(|(label, given)| label == given).count();
    record.test.accuracy = right as f64 / labels.len() as f64;
    record
}
