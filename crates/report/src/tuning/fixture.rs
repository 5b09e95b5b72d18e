//! A search made by hand.

use records::{
    question::Measure,
    record::{DatasetIdentity, EpochRecord},
    trial::{Outcome, TrialRecord},
};
use search::{Halving, Sampler};
use serde_json::{Map, json};
use study::{
    study_file::{ModelTemplate, StudyFile},
    tune::{Candidate, Question, SettingSpace, Tuning},
};

use crate::fixture;

const STUDY: &str = r#"
[model.dense]
layers = ["flatten", "dense {units}", "relu", "dense classes"]
variables = { units = 16 }
recipe = { epochs = 3 }
[search]
learning_rate = { log = [1e-4, 1e-1] }
units = [8, 16, 32]
"#;

/// A trial whose validation accuracies, in per cent, were these.
pub(crate) fn trial(
    number: Option<usize>,
    learning_rate: f64,
    units: u64,
    outcome: Outcome,
    accuracies: &[f64],
) -> TrialRecord {
    let run = fixture::record("dense", 0, 1, 0.1, records::record::Protocol::Sound);
    let mut settings = Map::new();
    if number.is_some() {
        settings.insert("learning_rate".to_owned(), json!(learning_rate));
        settings.insert("units".to_owned(), json!(units));
    }
    let epoch = |(index, accuracy): (usize, &f64)| EpochRecord {
        epoch: index + 1,
        train_loss: 0.5,
        train_accuracy: 0.9,
        validation_loss: 1.0 - accuracy / 100.0,
        validation_accuracy: accuracy / 100.0,
        train_seconds: 1.0,
        validation_measure: None,
        test_accuracy: None,
    };
    let mut specification = run.specification.clone();
    specification.recipe.epochs = 3;
    TrialRecord {
        schema: records::trial::TRIAL_SCHEMA,
        search: "0123456789abcdef".to_owned(),
        model: "dense".to_owned(),
        number,
        settings,
        outcome,
        specification: Some(specification),
        parameters: 1000,
        epochs: accuracies.iter().enumerate().map(epoch).collect(),
        kept_epoch: accuracies.len(),
        train_seconds: accuracies.len() as f64,
        total_seconds: accuracies.len() as f64 + 0.5,
        environment: run.environment.clone(),
        warnings: Vec::new(),
        data_notes: Vec::new(),
    }
}

/// The model as it stands at 97 %, and the trials given.
pub(crate) fn tuning(sampler: Sampler, trials: Vec<TrialRecord>) -> Tuning {
    from_standing(sampler, trial(None, 0.0, 0, Outcome::Finished, &[90.0, 96.0, 97.0]), trials)
}

/// Of one model.
pub(crate) fn from_standing(sampler: Sampler, standing: TrialRecord, trials: Vec<TrialRecord>) -> Tuning {
    of(sampler, Measure::Accuracy, standing, trials)
}

/// Of one model, searched by another measure.
pub(crate) fn by_measure(decide_by: Measure, standing: TrialRecord, trials: Vec<TrialRecord>) -> Tuning {
    of(Sampler::Tpe, decide_by, standing, trials)
}

fn of(sampler: Sampler, decide_by: Measure, standing: TrialRecord, trials: Vec<TrialRecord>) -> Tuning {
    let study = StudyFile::parse(STUDY, "a.toml").expect("a study");
    let candidate = |template: &ModelTemplate| {
        let space =
            SettingSpace::of_file(template, &study.templates, &study.recipe, &study.search, &[], "a.toml");
        Candidate { template: template.clone(), shared: study.recipe.clone(), space: space.expect("a space") }
    };
    let question = Question {
        candidates: study.templates.iter().map(candidate).collect(),
        dataset: DatasetIdentity {
            name: "mnist".to_owned(),
            sha256: "5".repeat(64),
            training_images: 60_000,
            test_images: 10_000,
            height: 28,
            width: 28,
            channels: 1,
            classes: 10,
        },
        protocol: records::record::Protocol::Sound,
        decide_by,
        sampler,
        halving: Some(Halving::default()),
        round: 1,
        seed: 3,
        kernels: "portable".to_owned(),
    };
    Tuning::of(&question, vec![std::iter::once(standing).chain(trials).collect()]).expect("a model")
}

/// Four trials: one better than the model as it stands, one worse, one stopped and one diverged.
pub(crate) fn four_trials() -> Vec<TrialRecord> {
    vec![
        trial(Some(0), 0.01, 8, Outcome::Finished, &[91.0, 95.0, 96.0]),
        trial(Some(1), 0.002, 32, Outcome::Finished, &[92.0, 97.0, 98.25]),
        trial(Some(2), 0.0001, 16, Outcome::Stopped, &[80.0]),
        trial(Some(3), 0.1, 32, Outcome::Diverged, &[]),
    ]
}
