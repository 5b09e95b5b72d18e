//! `speedrun`: seconds to a test accuracy.

use super::{comparison::last_seed, named::find_one, session};
use crate::command::{
    failure::{self, Failure},
    interrupt,
    options::{
        DatasetArguments, OutputArguments, RecipeArguments,
        values::{accuracy, threads},
    },
    output,
    progress::Progress,
};
use clap::{Args, ValueHint};
use records::{
    event::{Event, Kind},
    folder::{Entry, StudyFolder},
    identity::run_id,
    imported::Imports,
    question::Question,
    record::{FailedRun, Protocol, RunRecord},
    results::describe_failure,
};
use serde_json::json;
use std::{path::PathBuf, slice, time::Instant};
use study::{
    execute::execute,
    plan::{StudySpec, identify, plan},
    study_file::MAXIMUM_RUNS,
};

/// `speedrun`.
#[derive(Debug, Args)]
#[command(args_override_self = true)]
pub(crate) struct SpeedrunArguments {
    /// The model: a built-in one, or a study file's, FILE.toml:NAME
    #[arg(default_value = "fast")]
    pub(crate) model: String,
    #[command(flatten)]
    pub(crate) data: DatasetArguments,
    /// What the mean test accuracy must reach, a fraction
    #[arg(long, value_name = "X", default_value_t = 0.99, value_parser = accuracy)]
    pub(crate) target: f64,
    /// Runs
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=MAXIMUM_RUNS))]
    pub(crate) seeds: u64,
    /// Seed of the first run; the next runs count up from it
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) seed: u64,
    /// Folder that the records go to
    #[arg(long, value_name = "DIR", default_value = "Speedrun", value_hint = ValueHint::DirPath)]
    pub(crate) out: PathBuf,
    /// Threads to compute with [default: one for each processor]
    #[arg(long, value_name = "N", value_parser = threads)]
    pub(crate) threads: Option<usize>,
    #[command(flatten)]
    pub(crate) output: OutputArguments,
}

/// Trains once from each seed, always anew, and says how long it took and what was reached.
///
/// A run's seconds are everything from the start of the process to the last update but the decoding of the data and the
/// measuring of validation and test images: what this process took before its first run is added to each.
pub(crate) fn run(arguments: &SpeedrunArguments, process_start: Instant) -> Result<(), Failure> {
    last_seed(arguments.seed, arguments.seeds)?;
    let model = find_one(&arguments.model, &RecipeArguments::default())?;
    let session = session(
        &arguments.data.name(),
        arguments.threads,
        std::slice::from_ref(&model),
        arguments.output.quiet,
    )?;
    let study = StudySpec {
        models: vec![model],
        protocol: Protocol::Sound,
        audit_selection: false,
        resample: records::record::Resample::None,
        cross_validation: None,
        first_seed: arguments.seed,
        runs: arguments.seeds,
    };
    let runs = plan(&study, &identify(session.corpus()));
    let folder = StudyFolder::open(
        &arguments.out,
        &Question::default(),
        Some((&runs, &session.environment())),
        Imports::default(),
        Entry::Replace,
    )?;
    let mut progress = Progress::new(&runs, arguments.output.quiet);
    let _finishing = interrupt::finish_step();
    let start_seconds = process_start.elapsed().as_secs_f64() - session.loading_seconds();
    let mut finished: Vec<String> = Vec::new();
    let mut listener = |event: &Event| {
        progress.event(event);
        if let (Kind::Finished(_), Some(run)) = (&event.kind, event.run()) {
            finished.push(run_id(&runs[run.index], &session.environment()));
        }
        interrupt::flow()
    };
    let all: Vec<usize> = (0..runs.len()).collect();
    let executed = execute(slice::from_ref(&session), &runs, &all, &folder, true, &(), &mut listener);
    progress.finish();
    let read = finished.iter().map(|id| folder.store().read(id));
    let records: Result<Vec<Option<RunRecord>>, String> = read.collect();
    let records = records.map_err(|problem| Failure::new(problem, "run the same command again"))?;
    let records: Vec<RunRecord> = records.into_iter().flatten().collect();
    if records.is_empty() {
        return ended(&executed?.failed);
    }
    for warning in records.iter().flat_map(|record| &record.warnings).take(3) {
        output::note(warning);
    }
    let said = Speedrun::of(&records, arguments.target, start_seconds);
    let told = match arguments.output.json {
        true => output::json(&format!("{:#}\n", said.to_json(&records))),
        false => output::result(&format!("{}\nrecords: {}\n", said.in_words(), arguments.out.display())),
    };
    // What was finished before an interruption is told too.
    failure::before_report(executed.map_err(Failure::from).and_then(|executed| ended(&executed.failed)), told)
}

/// A run that diverged has no accuracy, and one that is not in the mean makes the mean another one's.
fn ended(failed: &[FailedRun]) -> Result<(), Failure> {
    match failed.first() {
        None => Ok(()),
        Some(first) => Err(Failure::new(
            format!("{}; it is not in the mean", describe_failure(first)),
            "change the model's recipe: a smaller learning rate usually helps",
        )),
    }
}

/// What the runs came to.
struct Speedrun {
    target: f64,
    start_seconds: f64,
    seconds: Spread,
    accuracy: Spread,
}

/// Of several figures.
struct Spread {
    mean: f64,
    deviation: Option<f64>,
    least: f64,
    greatest: f64,
}

impl Spread {
    fn of(values: &[f64]) -> Self {
        Self {
            mean: stats::mean(values).unwrap_or(f64::NAN),
            deviation: stats::sample_standard_deviation(values).ok(),
            least: values.iter().copied().fold(f64::INFINITY, f64::min),
            greatest: values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        }
    }

    fn to_json(&self) -> serde_json::Value {
        json!({ "mean": self.mean, "deviation": self.deviation, "least": self.least, "greatest": self.greatest })
    }
}

fn seconds(record: &RunRecord, start_seconds: f64) -> f64 {
    start_seconds + record.total_seconds - record.evaluate_seconds
}

impl Speedrun {
    fn of(records: &[RunRecord], target: f64, start_seconds: f64) -> Self {
        let all: Vec<f64> = records.iter().map(|record| seconds(record, start_seconds)).collect();
        let accuracies: Vec<f64> = records.iter().map(|record| record.test.accuracy).collect();
        Self { target, start_seconds, seconds: Spread::of(&all), accuracy: Spread::of(&accuracies) }
    }

    fn in_words(&self) -> String {
        let Spread { mean, deviation, least, greatest } = &self.accuracy;
        let spread = deviation.map_or(String::new(), |deviation| format!(" ± {:.2}", 100.0 * deviation));
        let verdict = if *mean >= self.target { "reached" } else { "not reached" };
        // Without the last digits of a product of fractions.
        let target = (1e6 * self.target).round() / 1e4;
        format!(
            "mean test accuracy {:.3}{spread} % (least {:.2}, greatest {:.2}): {target} % {verdict}\n\
             {:.2} s a run (least {:.2}, greatest {:.2}), of which {:.2} s before the first step of a process; \
             decoding the data and measuring images are not counted",
            100.0 * mean,
            100.0 * least,
            100.0 * greatest,
            self.seconds.mean,
            self.seconds.least,
            self.seconds.greatest,
            self.start_seconds,
        )
    }

    fn to_json(&self, records: &[RunRecord]) -> serde_json::Value {
        let runs: Vec<_> = records
            .iter()
            .map(|record| {
                json!({
                    "seed": record.specification.seed,
                    "seconds": seconds(record, self.start_seconds),
                    "train_seconds": record.train_seconds,
                    "test_accuracy": record.test.accuracy,
                    "test_loss": record.test.loss,
                    "fingerprint": record.fingerprint,
                })
            })
            .collect();
        json!({
            "model": records[0].specification.model,
            "protocol": Protocol::Sound.name(),
            "environment": records[0].environment,
            "recipe": records[0].specification.recipe,
            "target": self.target,
            "reached": self.accuracy.mean >= self.target,
            "start_seconds": self.start_seconds,
            "seconds": self.seconds.to_json(),
            "test_accuracy": self.accuracy.to_json(),
            "runs": runs,
        })
    }
}
