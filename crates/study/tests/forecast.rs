//! How long a plan will take: by records, by measurement, by what there is to compute.

use kernels::InstructionSet;
use records::{
    record::{Protocol, RunSpec},
    store::Store,
};
use std::{ops::ControlFlow, path::Path};
use study::{
    forecast::{Basis, Forecast},
    plan::{StudySpec, identify, plan},
    run::Session,
    study_file::StudyFile,
};
use tempfile::TempDir;

const STUDY: &str = r#"
models = ["wide", "narrow"]
recipe = { epochs = 2, batch_size = 32 }
[model.wide]
variables = { units = 256 }
layers = ["flatten", "dense {units}", "relu", "dense classes"]
grid = { learning_rate = [0.001, 0.01, 0.1] }
[model.narrow]
like = "wide"
variables = { units = 4 }
"#;

fn session(folder: &Path) -> Session {
    let corpus = data::synthetic(5, 960, 60, 10, 9, 3);
    data::write_directory(&corpus, folder).expect("the set is written");
    let source = data::Source::parse(&folder.display().to_string()).expect("a folder");
    Session::open(&source, InstructionSet::detect(), 1).expect("the set is sound")
}

fn runs(session: &Session, runs: u64) -> Vec<RunSpec> {
    let models = StudyFile::parse(STUDY, "a.toml").expect("a study").models;
    let study = StudySpec {
        models,
        protocol: Protocol::Sound,
        audit_selection: false,
        resample: records::record::Resample::None,
        cross_validation: None,
        first_seed: 0,
        runs,
    };
    plan(&study, &identify(session.corpus()))
}

fn go_on() -> ControlFlow<()> {
    ControlFlow::Continue(())
}

#[test]
fn models_of_one_size_are_measured_once_and_bounds_are_above() {
    let folder = TempDir::new().expect("a folder");
    let session = session(&folder.path().join("data"));
    let (plan, store) = (runs(&session, 2), Store::of(folder.path()));
    let bound = Forecast::of(&session, &plan, Some(&store), false).expect("it fits");
    assert_eq!(bound.runs.len(), 8);
    assert!(bound.runs.iter().all(|run| run.basis == Basis::Bound && !run.recorded) && !bound.is_estimate());
    let mut measured = bound.clone();
    measured.measure(&session, 60.0, &go_on).expect("it trains");
    assert!(measured.is_estimate() && measured.runs.iter().all(|run| run.basis == Basis::Measurement));
    for (measured, bound) in measured.runs.iter().zip(&bound.runs) {
        assert!(measured.seconds > 0.0 && measured.seconds < bound.seconds, "{measured:?} {bound:?}");
    }
    // Three learning rates, and the second seed of each.
    let wide: Vec<f64> = [0, 1, 2, 4, 5, 6].iter().map(|run| measured.runs[*run].seconds).collect();
    assert!(wide.iter().all(|seconds| *seconds == wide[0]), "{wide:?}");
    // 64 times the weights.
    assert!(measured.runs[3].seconds < wide[0], "{} {}", measured.runs[3].seconds, wide[0]);
    assert_eq!(std::fs::read_dir(folder.path()).expect("the folder").count(), 1, "nothing is kept");
}

#[test]
fn records_are_found_and_say_how_long_the_others_take() {
    let folder = TempDir::new().expect("a folder");
    let session = session(&folder.path().join("data"));
    let (plan, store) = (runs(&session, 3), Store::of(folder.path()));
    store.prepare().expect("a folder");
    let mut seconds = Vec::new();
    for run in [&plan[0], &plan[4]] {
        let record = session.run(run, &mut |_: train::Event| go_on()).expect("it trains").record;
        seconds.push(record.total_seconds);
        store.write(&record).expect("it is written");
    }
    let forecast = Forecast::of(&session, &plan, Some(&store), false).expect("it fits");
    let recorded: Vec<usize> = (0..12).filter(|run| forecast.runs[*run].recorded).collect();
    assert_eq!(recorded, [0, 4]);
    assert_eq!(forecast.left().count(), 10);
    let third = &forecast.runs[8];
    assert_eq!((third.seed, third.basis, third.seconds), (2, Basis::Records, seconds[0].max(seconds[1])));
    assert_eq!(forecast.runs[1].basis, Basis::Bound);
    let sum: f64 = forecast.left().map(|run| run.seconds).sum();
    assert_eq!(forecast.seconds_left(), sum);
    let fresh = Forecast::of(&session, &plan, Some(&store), true).expect("it fits");
    assert_eq!(fresh.left().count(), 12);
    // Of another number of threads they say nothing.
    let source = data::Source::parse(&folder.path().join("data").display().to_string()).expect("a folder");
    let other = Session::open(&source, InstructionSet::detect(), 2).expect("the set is sound");
    let forecast = Forecast::of(&other, &plan, Some(&store), false).expect("it fits");
    assert!(forecast.runs[0].recorded && forecast.runs[8].basis == Basis::Bound);
}

/// A break is heard at the next step, and what is not measured stays a bound.
#[test]
fn a_measurement_can_be_broken_off() {
    let folder = TempDir::new().expect("a folder");
    let session = session(&folder.path().join("data"));
    let (plan, store) = (runs(&session, 1), Store::of(folder.path()));
    let mut forecast = Forecast::of(&session, &plan, Some(&store), false).expect("it fits");
    forecast.measure(&session, 60.0, &|| ControlFlow::Break(())).expect("nothing is tried");
    assert!(forecast.runs.iter().all(|run| run.basis == Basis::Bound));
}
