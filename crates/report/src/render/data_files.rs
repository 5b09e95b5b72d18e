//! The files for programs: `epochs.csv` and `summary.json`.

use crate::{Study, words::text::spreadsheet};

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

/// The columns after these of a cross-validation.
const FOLD_HEADER: [&str; 2] = ["repeat", "fold"];

/// One row per epoch of every run, by model and seed: `epochs.csv`. Accuracies are fractions, times are seconds.
pub fn epochs_csv(study: &Study) -> String {
    let mut writer = csv::WriterBuilder::new().has_headers(false).from_writer(Vec::new());
    let folds = study.analysis.cross_validation.iter().flat_map(|_| FOLD_HEADER);
    writer.write_record(EPOCHS_HEADER.into_iter().chain(folds)).expect("memory takes every row");
    for model in study.models() {
        for run in &model.runs {
            // What another program did not log stays empty.
            let known = |figure: f64| Some(figure).filter(|_| !(figure.is_nan() && run.record().is_none()));
            for epoch in run.epochs {
                let row = (
                    spreadsheet(model.name),
                    run.seed().map_or_else(
                        || spreadsheet(&run.partner.to_string()).into_owned(),
                        |seed| seed.to_string(),
                    ),
                    epoch.epoch,
                    known(epoch.train_loss),
                    known(epoch.train_accuracy),
                    known(epoch.validation_loss),
                    known(epoch.validation_accuracy),
                    known(epoch.train_seconds),
                );
                let written = match (study.analysis.cross_validation, run.fold()) {
                    (None, _) => writer.serialize(row),
                    (Some(_), fold) => {
                        writer.serialize((row, fold.map(|of| of.repeat), fold.map(|of| of.fold)))
                    }
                };
                written.expect("memory takes every row");
            }
        }
    }
    let bytes = writer.into_inner().expect("memory takes every row");
    String::from_utf8(bytes).expect("names and figures are text")
}

/// `summary.json`, also what `--json` prints: the serialisation of the study's [`analysis::Analysis`].
pub fn summary_json(study: &Study) -> String {
    let mut text =
        serde_json::to_string_pretty(&study.analysis).expect("an analysis has no key that is not text");
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{Given, comparison, record, records};
    use records::record::{Protocol, RunRecord};
    use serde_json::Value;

    fn study(records: &[RunRecord]) -> Study<'_> {
        Given { records, comparisons: &[], notes: &[], images: None, ..Given::default() }.study()
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
        let study = study(&records);
        let models = study.models();
        let expected: Vec<_> = models
            .iter()
            .flat_map(|model| {
                model.runs.iter().flat_map(|run| run.epochs.iter().map(move |epoch| (run, epoch)))
            })
            .map(|(run, epoch)| {
                let asked = run.specification().expect("made here");
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
        let text = summary_json(
            &Given {
                records: &records,
                comparisons: &comparisons,
                notes: &notes,
                images: None,
                ..Given::default()
            }
            .study(),
        );
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
