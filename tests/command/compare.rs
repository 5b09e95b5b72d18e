//! The study itself.

use crate::common::{Bench, said};
use ::records::event::{Event, Kind};
use std::{collections::BTreeSet, fs};

#[test]
fn a_study_leaves_every_file_of_the_contract() {
    let bench = Bench::new();
    let said = said(&mut bench.compare("out", &[]));
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    assert!(said.stdout.contains("cnn") && said.stdout.contains("lstm"), "{}", said.stdout);
    assert!(
        !said.stderr.contains('\u{1b}') && !said.stderr.contains('\r'),
        "escape codes: {:?}",
        said.stderr
    );
    assert_eq!(said.stderr.matches(", epoch ").count(), 8, "a line an epoch: {}", said.stderr);
    for file in [
        "Accuracy_Comparison.png",
        "Loss_Comparison.png",
        "epochs.csv",
        "records",
        "report.md",
        "summary.json",
    ] {
        assert!(bench.files("out").contains(&file.to_owned()), "{file} is missing");
    }
    assert_eq!(bench.files("out/records").len(), 4);
    assert!(bench.files("out").iter().all(|name| !name.starts_with('.')), "a temporary file is left");

    let csv = bench.read("out/epochs.csv");
    let mut lines = csv.lines();
    assert_eq!(
        lines.next(),
        Some("model,seed,epoch,train_loss,train_accuracy,validation_loss,validation_accuracy,train_seconds")
    );
    assert_eq!(lines.count(), 8);
    for name in ["Accuracy_Comparison.png", "Loss_Comparison.png"] {
        let png = fs::read(bench.path().join("out").join(name)).expect("a picture");
        assert_eq!(&png[..8], b"\x89PNG\r\n\x1a\n", "{name}");
    }
}

#[test]
fn the_summary_keeps_the_contract() {
    let bench = Bench::new();
    let said = said(&mut bench.compare("out", &["--json", "--quiet"]));
    assert_eq!((said.code, said.stderr.as_str()), (Some(0), ""));
    let summary: serde_json::Value = serde_json::from_str(&said.stdout).expect("JSON on standard output");
    assert_eq!(summary, bench.json("out/summary.json"));
    assert_eq!(summary["schema"], 1);
    assert_eq!(summary["protocol"], "sound");
    assert!(summary["machine"]["cpu"].is_string() && summary["machine"]["kernels"].is_string());
    assert!(summary["machine"]["threads"].as_u64() >= Some(1));
    let models = summary["models"].as_array().expect("models");
    assert_eq!(models.len(), 2);
    for (model, name) in models.iter().zip(["cnn", "lstm"]) {
        assert_eq!(model["name"], name);
        assert!(model["parameters"].as_u64() > Some(10_000));
        let runs = model["runs"].as_array().expect("runs");
        assert_eq!(runs.len(), 2);
        for (run, seed) in runs.iter().zip(0..) {
            assert_eq!(run["seed"], seed);
            assert_eq!(run["epochs"].as_array().map(Vec::len), Some(2));
            for field in
                ["train_loss", "train_accuracy", "validation_loss", "validation_accuracy", "train_seconds"]
            {
                assert!(run["epochs"][0][field].is_f64(), "{field}");
            }
            let accuracy = run["test_accuracy"].as_f64().expect("a fraction");
            assert!((0.0..=1.0).contains(&accuracy));
            let train = run["train_seconds"].as_f64().expect("seconds");
            assert!(train > 0.0 && run["total_seconds"].as_f64() > Some(train));
            assert!(run["test_loss"].as_f64() > Some(0.0));
            assert_eq!(run["fingerprint"].as_str().map(str::len), Some(64));
        }
    }
    let comparison = &summary["comparisons"][0];
    assert_eq!((&comparison["a"], &comparison["b"]), (&models[0]["name"], &models[1]["name"]));
    let accuracy = |model: usize| -> f64 {
        (0..2)
            .map(|run| models[model]["runs"][run]["test_accuracy"].as_f64().expect("a fraction"))
            .sum::<f64>()
            / 2.0
    };
    let difference = comparison["difference"].as_f64().expect("a difference");
    assert!((difference - (accuracy(0) - accuracy(1))).abs() < 1e-12);
    let interval: Vec<f64> = comparison["interval"]
        .as_array()
        .expect("two ends")
        .iter()
        .filter_map(serde_json::Value::as_f64)
        .collect();
    assert!(interval.len() == 2 && interval[0] <= difference && difference <= interval[1], "{interval:?}");
    assert!((0.0..=1.0).contains(&comparison["p_value"].as_f64().expect("a p-value")));
    assert!(!comparison["verdict"].as_str().expect("a sentence").is_empty());
}

#[test]
fn a_run_that_is_there_is_not_made_again() {
    let bench = Bench::new();
    assert_eq!(said(&mut bench.compare("out", &["--seeds", "1"])).code, Some(0));
    let first = bench.files("out/records");
    let read = |name: &String| bench.read(&format!("out/records/{name}"));
    let records: Vec<String> = first.iter().map(read).collect();

    let more = said(&mut bench.compare("out", &["--seeds", "2"]));
    assert_eq!(more.stderr.matches("kept from before").count(), 2, "{}", more.stderr);
    assert_eq!(bench.files("out/records").len(), 4);
    assert_eq!(first.iter().map(read).collect::<Vec<_>>(), records, "kept records are not written again");

    let fresh = said(&mut bench.compare("out", &["--seeds", "1", "--fresh"]));
    assert!(!fresh.stderr.contains("kept from before"), "{}", fresh.stderr);
    assert_ne!(first.iter().map(read).collect::<Vec<_>>(), records, "the clocks at least must differ");
}

#[test]
fn damaged_records_are_named_and_made_again() {
    let bench = Bench::new();
    assert_eq!(said(&mut bench.compare("out", &["--seeds", "1"])).code, Some(0));
    let before = bench.fingerprints("out");
    let names = bench.files("out/records");
    let path = |name: &str| bench.path().join("out/records").join(name);
    fs::write(path(&names[0]), "{").expect("damaged");
    let record = bench.read(&format!("out/records/{}", names[1])).replacen("\"seed\": 0", "\"seed\": 1", 1);
    fs::write(path(&names[1]), record).expect("tampered with");
    let again = said(&mut bench.compare("out", &["--seeds", "1"]));
    assert_eq!(again.code, Some(0));
    assert!(
        again
            .stderr
            .contains(&format!("{}: damaged", path(&names[0]).file_name().expect("a name").display()))
    );
    assert!(again.stderr.contains("its specification belongs to run"), "{}", again.stderr);
    assert_eq!(bench.fingerprints("out"), before);
}

#[test]
fn the_same_bits_on_any_number_of_threads() {
    let bench = Bench::new();
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    for threads in ["1", "2", "512"] {
        let said = said(&mut bench.compare(threads, &["--threads", threads]));
        assert_eq!(said.code, Some(0), "{}", said.stderr);
        assert_eq!(bench.fingerprints(threads), bench.fingerprints("1"), "{threads} threads");
        // As many as there are processors at most, and that is said.
        let asked: usize = threads.parse().expect("a number");
        let used = asked.min(processors);
        assert_eq!(bench.json(&format!("{threads}/summary.json"))["machine"]["threads"], used);
        let note = format!("note: --threads {asked}: using {used}, the number of available processors");
        assert_eq!(said.stderr.contains(&note), used < asked, "{}", said.stderr);
    }
    let fingerprints = bench.fingerprints("1");
    let distinct: std::collections::BTreeSet<&String> =
        fingerprints.iter().map(|(.., print)| print).collect();
    assert_eq!(distinct.len(), 4, "every model and seed gives weights of its own");
}

#[test]
fn the_protocol_decides_what_validates() {
    let bench = Bench::new();
    assert_eq!(
        said(&mut bench.compare("out", &["--seeds", "1", "--protocol", "original", "cnn"])).code,
        Some(0)
    );
    let summary = bench.json("out/summary.json");
    assert_eq!(summary["protocol"], "original");
    let run = &summary["models"][0]["runs"][0];
    assert_eq!(run["epochs"][1]["validation_accuracy"], run["test_accuracy"], "the test images validate");
    let record = bench.json(&format!("out/records/{}", bench.files("out/records")[0]));
    assert_eq!(record["test_reads"], 3, "two epochs and the end");

    assert_eq!(said(&mut bench.compare("sound", &["--seeds", "1", "cnn"])).code, Some(0));
    let only =
        |out: &str| bench.json(&format!("{out}/records/{}", bench.files(&format!("{out}/records"))[0]));
    let sound = only("sound");
    assert_eq!(sound["test_reads"], 1);
    let fingerprint = &summary["models"][0]["runs"][0]["fingerprint"];
    assert_ne!(sound["fingerprint"], *fingerprint, "other images were learnt");

    let asked = ["--seeds", "1", "--protocol", "writers", "cnn"];
    assert_eq!(said(&mut bench.compare("writers", &asked)).code, Some(0));
    let writers = only("writers");
    assert_eq!(
        (&writers["test_reads"], &writers["specification"]["protocol"]),
        (&1.into(), &"writers".into())
    );
    assert_ne!(writers["fingerprint"], sound["fingerprint"], "yet others");
    let page = bench.read("writers/report.md");
    assert!(page.contains("Protocol writers: the last part of each class"), "{page}");
}

#[test]
fn an_instruction_set_can_be_forced() {
    let bench = Bench::new();
    let said = said(bench.compare("out", &["--seeds", "1", "cnn"]).env("MNIST_STUDY_KERNELS", "portable"));
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    assert_eq!(bench.json("out/summary.json")["machine"]["kernels"], "portable");
}

/// Every run begins, tells each of its epochs and ends, in the order in which that happens, with the figures of its record.
#[test]
fn events_are_told_to_other_programs() {
    let bench = Bench::new();
    let arguments = ["mlp", "cnn", "--dataset", "data", "--epochs", "2", "--seeds", "1", "--out", "out"];
    let events = |more: &[&str]| -> Vec<Event> {
        let options = ["--quiet", "--json-events", "events"];
        let ran = said(bench.command(&arguments).args(options).args(more));
        assert_eq!(ran.code, Some(0), "{}", ran.stderr);
        bench.read("events").lines().map(|line| serde_json::from_str(line).expect("an event")).collect()
    };
    let told = events(&[]);
    let names = |told: &[Event]| -> Vec<String> {
        let name = |event: &Event| {
            let model = event.run().map_or("", |run| run.model.as_str());
            Some(match &event.kind {
                Kind::Started { epochs, .. } => format!("{model} started {epochs}"),
                Kind::Epoch(end) => format!("{model} epoch {}", end.epoch),
                Kind::Finished(end) => format!("{model} finished {}", end.reused),
                Kind::Step(_) | Kind::Note { .. } => return None,
                other => format!("{model} {other:?}"),
            })
        };
        told.iter().filter_map(name).collect()
    };
    let expected = ["mlp started 2", "mlp epoch 1", "mlp epoch 2", "mlp finished false"];
    let of = |model: &str| expected.map(|line| line.replace("mlp", model));
    assert_eq!(names(&told), [of("mlp"), of("cnn")].concat());
    let fingerprints: Vec<String> =
        bench.fingerprints("out").into_iter().map(|(.., fingerprint)| fingerprint).collect();
    let ends: Vec<String> = told
        .iter()
        .filter_map(|event| match &event.kind {
            Kind::Finished(end) => Some(end.fingerprint.clone()),
            _ => None,
        })
        .collect();
    assert_eq!(BTreeSet::from_iter(&ends), BTreeSet::from_iter(&fingerprints));
    assert_eq!(names(&events(&[])), ["mlp finished true", "cnn finished true"]);
    // A place that cannot be written to is told before any run.
    let lost =
        said(&mut bench.command(&["mlp", "--dataset", "data", "--json-events", "no/such/folder/events"]));
    assert!(lost.code == Some(1) && lost.stderr.contains("no/such/folder/events"), "{}", lost.stderr);
    assert!(lost.stderr.contains("pass another one with --json-events"), "{}", lost.stderr);
    // Nor does it stand in the place of what is read or kept.
    let record = format!("out/records/{}", bench.files("out/records")[0]);
    for kept in ["data/train-labels-idx1-ubyte", "out/plan.json", "out/report.html", &record, "-"] {
        let before = fs::read(bench.path().join(kept)).ok();
        let refused = said(bench.command(&arguments).args(["--json-events", kept]));
        assert!(
            refused.code == Some(2) && refused.stderr.contains("--json-events"),
            "{kept}: {}",
            refused.stderr
        );
        assert_eq!(fs::read(bench.path().join(kept)).ok(), before, "{kept}");
    }
    // What takes no more ends the log and not the study.
    let full = said(&mut bench.command(&[
        "mlp",
        "--dataset",
        "data",
        "--epochs",
        "1",
        "--json-events",
        "/dev/full",
    ]));
    assert_eq!(full.code, Some(0), "{}", full.stderr);
    assert!(full.stderr.contains("note: /dev/full: No space left on device"), "{}", full.stderr);
    assert_eq!(full.stderr.matches("no more events are written").count(), 1);
}
