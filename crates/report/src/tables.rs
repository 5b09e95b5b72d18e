//! The files for programs: `epochs.csv` and `summary.json`.

use analysis::verdict::{
    Attempt, Comparison, Ensemble, Rank, Standing, attempts, ensemble, ranking, standings,
};
use records::{
    record::{Environment, EpochRecord, FailedRun, RunRecord},
    target::Target,
};
use serde::Serialize;

use crate::{Model, Study, learning, selection, text::spreadsheet};

/// Version of `summary.json`'s layout.
pub const SUMMARY_SCHEMA: u32 = 1;

const EPOCHS_HEADER: [&str; 8] = [
    "model",
    "seed",
    "epoch",
    "train_loss",
    "train_accuracy",
    "validation_loss",
    "validation_accuracy",
    "train_seconds",
];

/// One row per epoch of every run, by model and seed: `epochs.csv`. Accuracies are fractions, times are seconds.
pub fn epochs_csv(study: &Study) -> String {
    let mut writer = csv::WriterBuilder::new().has_headers(false).from_writer(Vec::new());
    writer.write_record(EPOCHS_HEADER).expect("memory takes every row");
    for model in study.models() {
        for run in &model.runs {
            for epoch in &run.epochs {
                let row = (
                    spreadsheet(model.name),
                    run.specification.seed,
                    epoch.epoch,
                    epoch.train_loss,
                    epoch.train_accuracy,
                    epoch.validation_loss,
                    epoch.validation_accuracy,
                    epoch.train_seconds,
                );
                writer.serialize(row).expect("memory takes every row");
            }
        }
    }
    let bytes = writer.into_inner().expect("memory takes every row");
    String::from_utf8(bytes).expect("names and figures are text")
}

#[derive(Serialize)]
struct Summary<'a> {
    schema: u32,
    protocol: Option<&'static str>,
    dataset: Option<&'a str>,
    dataset_sha256: Option<&'a str>,
    machine: Option<Machine<'a>>,
    /// Each that a run was made on, in the order of the records.
    machines: Vec<Machine<'a>>,
    models: Vec<ModelSummary<'a>>,
    comparisons: &'a [Comparison],
    ranking: Vec<Rank>,
    /// What each model reaches and costs, and the Pareto fronts.
    standings: Vec<Standing>,
    target: Option<&'a Target>,
    /// Each model's runs against the target.
    attempts: Vec<Attempt>,
    /// Runs that diverged: they are in no figure.
    failed: Vec<FailedSummary<'a>>,
    notes: &'a [String],
    /// What must be known before a verdict is believed comes first.
    warnings: Vec<String>,
}

#[derive(Serialize, PartialEq)]
struct Machine<'a> {
    cpu: &'a str,
    threads: usize,
    kernels: &'a str,
    operating_system: &'a str,
    version: &'a str,
}

#[derive(Serialize)]
struct FailedSummary<'a> {
    model: &'a str,
    seed: u64,
    epoch: usize,
    problem: &'a str,
}

#[derive(Serialize)]
struct ModelSummary<'a> {
    name: &'a str,
    parameters: usize,
    runs: Vec<RunSummary<'a>>,
    /// The runs as one classifier, where there are two or more.
    ensemble: Option<Ensemble>,
    /// Mean optimism of the epoch that is best on the test images, as a fraction, where it was audited.
    selection_optimism: Option<f64>,
}

#[derive(Serialize)]
struct RunSummary<'a> {
    seed: u64,
    epochs: &'a [EpochRecord],
    /// After which epoch the weights stood that were tested.
    tested_epoch: Option<usize>,
    train_seconds: f64,
    total_seconds: f64,
    test_accuracy: f64,
    test_loss: f64,
    fingerprint: &'a str,
}

/// `summary.json`, also what `--json` prints. A figure that is not finite is null; without a record so are `protocol`,
/// `dataset` and `machine`, which describe the first record where records differ: a warning then says that they do.
pub fn summary_json(study: &Study) -> String {
    let first = study.records.first();
    let dataset = first.map(|record| &record.specification.dataset);
    let summary = Summary {
        schema: SUMMARY_SCHEMA,
        protocol: first.map(|record| record.specification.protocol.name()),
        dataset: dataset.map(|dataset| dataset.name.as_str()),
        dataset_sha256: dataset.map(|dataset| dataset.sha256.as_str()),
        machine: first.map(machine),
        machines: study.distinct(machine),
        models: study.models().iter().map(summarised).collect(),
        comparisons: study.comparisons,
        ranking: ranking(study.records, study.comparisons),
        standings: standings(study.records),
        target: study.question.target.as_ref(),
        attempts: study.question.target.map_or(Vec::new(), |target| attempts(study.records, &target)),
        failed: study.failed.iter().map(failed).collect(),
        notes: study.notes,
        warnings: study.sanity().into_iter().chain(study.warnings()).collect(),
    };
    let mut text = serde_json::to_string_pretty(&summary).expect("a summary has no key that is not text");
    text.push('\n');
    text
}

fn machine(record: &RunRecord) -> Machine<'_> {
    let Environment { cpu, threads, kernels, operating_system, version, .. } = &record.environment;
    Machine { cpu, threads: *threads, kernels, operating_system, version }
}

fn failed(run: &FailedRun) -> FailedSummary<'_> {
    let asked = &run.specification;
    FailedSummary { model: &asked.model, seed: asked.seed, epoch: run.epoch, problem: &run.problem }
}

fn summarised<'a>(model: &Model<'a>) -> ModelSummary<'a> {
    ModelSummary {
        name: model.name,
        parameters: model.parameters(),
        runs: model.runs.iter().copied().map(run_summary).collect(),
        ensemble: ensemble(&model.runs),
        selection_optimism: selection::of_model(model).map(|spread| spread.mean),
    }
}

fn run_summary(run: &RunRecord) -> RunSummary<'_> {
    RunSummary {
        seed: run.specification.seed,
        epochs: &run.epochs,
        tested_epoch: learning::tested_epoch(run),
        train_seconds: run.train_seconds,
        total_seconds: run.total_seconds,
        test_accuracy: run.test.accuracy,
        test_loss: run.test.loss,
        fingerprint: &run.fingerprint,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{comparison, record, records};
    use records::record::Protocol;
    use serde_json::Value;

    fn study(records: &[RunRecord]) -> Study<'_> {
        Study { records, comparisons: &[], notes: &[], images: None, ..Study::default() }
    }

    type Row = (String, u64, usize, f64, f64, f64, f64, f64);

    #[test]
    fn the_epochs_read_back_are_those_of_the_records() {
        let mut records = records(&[("cnn, \"wide\"\nnet", 0.05), ("lstm", 0.12)], 2, 3);
        records[0].epochs[1].train_loss = f64::INFINITY;
        let text = epochs_csv(&study(&records));
        let header =
            "model,seed,epoch,train_loss,train_accuracy,validation_loss,validation_accuracy,train_seconds\n";
        assert!(text.starts_with(header), "{text}");
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let read: Vec<Row> =
            reader.deserialize().collect::<Result<_, _>>().expect("rows of the header's shape");
        let models = study(&records).models();
        let expected: Vec<_> = models
            .iter()
            .flat_map(|model| {
                model.runs.iter().flat_map(|run| run.epochs.iter().map(move |epoch| (run, epoch)))
            })
            .map(|(run, epoch)| {
                let asked = &run.specification;
                let (loss, accuracy) = (epoch.train_loss, epoch.train_accuracy);
                let (validation_loss, validation) = (epoch.validation_loss, epoch.validation_accuracy);
                let seconds = epoch.train_seconds;
                (
                    asked.model.clone(),
                    asked.seed,
                    epoch.epoch,
                    loss,
                    accuracy,
                    validation_loss,
                    validation,
                    seconds,
                )
            })
            .collect();
        assert_eq!(read.len(), 12);
        assert_eq!(read, expected);
    }

    #[test]
    fn the_summary_keeps_the_contract() {
        let mut records = records(&[("cnn", 0.05), ("lstm", 0.12)], 2, 3);
        records[0].epochs[2].validation_loss = f64::NAN;
        records[3].warnings.push("timed under load".to_owned());
        let comparisons = [comparison("cnn", "lstm", 0.07)];
        let notes = ["interrupted".to_owned()];
        let text = summary_json(&Study {
            records: &records,
            comparisons: &comparisons,
            notes: &notes,
            images: None,
            ..Study::default()
        });
        assert!(text.ends_with("}\n"));
        let value: Value = serde_json::from_str(&text).expect("JSON");
        let keys = |value: &Value| value.as_object().expect("an object").keys().cloned().collect::<Vec<_>>();
        let machine = &value["machine"];
        let run = &value["models"][1]["runs"][1];
        let compared = &value["comparisons"][0];
        for (found, wanted) in [
            (
                &value,
                &["schema", "protocol", "dataset", "machine", "models", "comparisons", "notes", "warnings"][..],
            ),
            (machine, &["cpu", "threads", "kernels"]),
            (&value["models"][0], &["name", "parameters", "runs"]),
            (
                run,
                &[
                    "seed",
                    "epochs",
                    "train_seconds",
                    "total_seconds",
                    "test_accuracy",
                    "test_loss",
                    "fingerprint",
                ],
            ),
            (&run["epochs"][0], &EPOCHS_HEADER[2..]),
            (compared, &["a", "b", "difference", "interval", "p_value", "verdict"]),
        ] {
            let found = keys(found);
            assert!(wanted.iter().all(|key| found.contains(&(*key).to_owned())), "{wanted:?} in {found:?}");
        }
        assert_eq!((value["schema"].as_u64(), value["protocol"].as_str()), (Some(1), Some("sound")));
        assert_eq!((value["dataset"].as_str(), machine["threads"].as_u64()), (Some("mnist"), Some(2)));
        assert_eq!(run["seed"].as_u64(), Some(2));
        assert_eq!(run["test_accuracy"].as_f64(), Some(records[3].test.accuracy));
        assert_eq!(run["fingerprint"].as_str(), Some(records[3].fingerprint.as_str()));
        assert_eq!(run["epochs"][2]["train_loss"].as_f64(), Some(records[3].epochs[2].train_loss));
        assert!(value["models"][0]["runs"][0]["epochs"][2]["validation_loss"].is_null());
        assert_eq!(compared["difference"].as_f64(), Some(0.07));
        assert_eq!(value["notes"][0].as_str(), Some("interrupted"));
        assert_eq!(value["warnings"][0].as_str(), Some("lstm, seed 2: timed under load"));
    }

    #[test]
    fn without_a_record_what_describes_records_is_null() {
        let value: Value = serde_json::from_str(&summary_json(&study(&[]))).expect("JSON");
        assert!(value["protocol"].is_null() && value["dataset"].is_null() && value["machine"].is_null());
        assert_eq!(value["models"].as_array().map(Vec::len), Some(0));
    }

    #[test]
    fn records_that_differ_are_warned_of() {
        let mut records =
            [record("cnn", 1, 1, 0.1, Protocol::Sound), record("cnn", 2, 1, 0.1, Protocol::Original)];
        records[1].environment.cpu = "Another CPU".to_owned();
        let value: Value = serde_json::from_str(&summary_json(&study(&records))).expect("JSON");
        let warnings: Vec<&str> =
            value["warnings"].as_array().expect("a list").iter().filter_map(Value::as_str).collect();
        assert_eq!(
            warnings,
            [
                "The runs follow different protocols: their figures are not comparable.",
                "The runs were made on several kinds of machine: their times are neither averaged nor compared.",
            ]
        );
    }
}
