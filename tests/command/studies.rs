//! Study files end to end: every kind of layer, grids, targets, several data sets, what is wrong.

use crate::common::{Bench, said};
use std::fs;

/// Every kind of layer in three small networks for images of 14×12 pixels.
const STUDY: &str = r#"
title = "Every layer"
models = ["picture", "sequence", "tokens"]
dataset = "data"
seeds = 2
recipe = { epochs = 1, batch_size = 32 }
target = { accuracy = 0.05, max_parameters = 5000 }

[model.picture]
layers = [
  "conv 8 3x3 same no bias", "batchnorm", "relu",
  { residual = ["depthwise 3x3 same", "silu", "conv 8 1x1 groups 2"] },
  "leaky relu 0.1", "maxpool 2",
  "conv 8 3x3 dilation 2 same", "gelu", "avgpool 2 stride 1",
  { residual = ["conv 12 3x3 stride 2 same"], shortcut = ["conv 12 1x1 stride 2"] },
  "sigmoid", "global maxpool", "dropout 0.1", "dense classes",
]

[model.sequence]
layers = ["columns", "gru 8 bidirectional sequence", "lstm 6 sequence", "rnn 5", "tanh", "dense classes no bias"]

[model.tokens]
variables = { blocks = 1 }
layers = [
  "patches 2", "dense 8", "position",
  { repeat = "{blocks}", layers = [
    { residual = ["layernorm", "attention 2"] },
    { residual = ["layernorm", "dense 12", "gelu", "dense 8"] },
    { residual = ["transpose", "dense 42", "transpose"] },
  ] },
  "global avgpool", "dense classes",
]
[model.tokens.recipe]
optimiser = { kind = "sgd", momentum = 0.8 }
schedule = "cosine"
weight_decay = 0.01
label_smoothing = 0.1
gradient_clip = 1.0
average_decay = 0.9
augmentation = { shift = 1, rotation = 5, mixup = 0.2 }
test_time_augmentation = "four-shifts"
"#;

fn bench_with(study: &str) -> Bench {
    let bench = Bench::new();
    fs::write(bench.path().join("study.toml"), study).expect("the file is written");
    bench
}

#[test]
fn every_layer_trains_and_is_confirmed() {
    let bench = bench_with(STUDY);
    let ran = said(&mut bench.command(&["run", "study.toml", "--out", "out", "--quiet"]));
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert!(ran.stdout.contains("target: 5.00 % test accuracy within 5,000 parameters"), "{}", ran.stdout);
    let report = bench.read("out/report.md");
    assert!(report.starts_with("# Every layer\n"), "{report}");
    assert!(report.contains("\n## Pareto fronts\n"));
    assert!(
        report.contains("SGD (momentum 0.8) with learning rate 0.001, augmentation (mixup 0.2"),
        "{report}"
    );
    assert!(bench.read("out/report.html").contains("Every layer"));
    let summary = bench.json("out/summary.json");
    assert_eq!(summary["attempts"].as_array().map(Vec::len), Some(3));
    assert_eq!(summary["standings"].as_array().map(Vec::len), Some(3));
    assert_eq!(summary["target"]["max_parameters"], 5000);
    // A record holds all that its run needs, whatever becomes of the file.
    fs::remove_file(bench.path().join("study.toml")).expect("it is there");
    let verified = said(&mut bench.command(&["verify", "out", "--all", "--threads", "1", "--quiet"]));
    assert_eq!(verified.code, Some(0), "{}{}", verified.stdout, verified.stderr);
    // The report needs nothing but the folder.
    let before = bench.read("out/report.md");
    let again = said(&mut bench.command(&["report", "out", "--quiet"]));
    assert_eq!((again.code, bench.read("out/report.md")), (Some(0), before));
}

#[test]
fn runs_that_are_there_are_kept() {
    let bench = bench_with("models = [\"cnn\"]\ndataset = \"data\"\nseeds = 1\nrecipe = { epochs = 1 }\n");
    let run = |more: &[&str]| {
        let mut command = bench.command(&["run", "study.toml", "--out", "out"]);
        said(command.args(more))
    };
    assert_eq!(run(&[]).code, Some(0));
    let first = bench.fingerprints("out");
    let more = run(&["--seeds", "2"]);
    assert_eq!(more.stderr.matches(", epoch 1/1: ").count(), 1, "one new run: {}", more.stderr);
    assert_eq!(bench.fingerprints("out")[..1], first[..]);
    // The same model by name is the same run.
    let compared = said(&mut bench.command(&[
        "compare",
        "cnn",
        "--dataset",
        "data",
        "--epochs",
        "1",
        "--seeds",
        "1",
        "--out",
        "out",
    ]));
    assert!(!compared.stderr.contains(", epoch "), "{}", compared.stderr);
}

#[test]
fn models_of_a_file_serve_every_verb() {
    let bench = bench_with(STUDY);
    let described = said(&mut bench.command(&["models", "--describe", "study.toml:picture"])).stdout;
    assert!(described.contains("\n    depthwise 3x3 same"), "nested: {described}");
    // A size that they do not fit is told with the line of the layer.
    let wrong = said(&mut bench.command(&["models", "--describe", "study.toml:sequences"]));
    assert_eq!(wrong.code, Some(2));
    assert!(wrong.stderr.contains("hint: did you mean `sequence`?"), "{}", wrong.stderr);
    let arguments =
        ["train", "study.toml:sequence", "--dataset", "data", "--save", "s.safetensors", "--json"];
    let trained = said(&mut bench.command(&arguments));
    assert_eq!(trained.code, Some(0), "{}", trained.stderr);
    fs::remove_file(bench.path().join("study.toml")).expect("it is there");
    // The file of weights alone knows its layers.
    let evaluated = said(&mut bench.command(&["evaluate", "s.safetensors", "--dataset", "data", "--json"]));
    assert_eq!(evaluated.code, Some(0), "{}", evaluated.stderr);
    let json = |text: &str| -> serde_json::Value { serde_json::from_str(text).expect("JSON") };
    assert_eq!(json(&trained.stdout)["test_accuracy"], json(&evaluated.stdout)["test_accuracy"]);
    assert_eq!(json(&trained.stdout)["fingerprint"], json(&evaluated.stdout)["fingerprint"]);
}

#[test]
fn several_data_sets_have_a_folder_each() {
    let study = "models = [\"mlp\", \"other\"]\ndatasets = [\"data\", \"more\"]\nseeds = 1\nrecipe = { epochs = 1 }\n\
                 [model.other]\nlike = \"mlp\"\nvariables = { units = 16 }\n";
    let bench = bench_with(study);
    let corpus = data::synthetic(9, 240, 60, 14, 12, 3);
    data::write_directory(&corpus, &bench.path().join("more")).expect("the set is written");
    let ran = said(&mut bench.command(&[
        "run",
        "study.toml",
        "--out",
        "out",
        "--quiet",
        "--json-events",
        "events",
    ]));
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    // One log of all: each line says of which set it is.
    let events: Vec<serde_json::Value> =
        bench.read("events").lines().map(|line| serde_json::from_str(line).expect("an event")).collect();
    for dataset in ["data", "more"] {
        let ends = events.iter().filter(|event| event["dataset"] == dataset && event["kind"] == "finished");
        assert_eq!(ends.count(), 2, "{dataset}");
    }
    let own = said(&mut bench.command(&["run", "study.toml", "--out", "out", "--json-events", "study.toml"]));
    assert!(own.code == Some(2) && bench.read("study.toml") == study, "{}", own.stderr);
    for folder in ["out/data", "out/more"] {
        assert!(bench.files(folder).contains(&"report.html".to_owned()), "{folder}");
    }
    assert_ne!(bench.fingerprints("out/data"), bench.fingerprints("out/more"));
    assert!(ran.stdout.contains("mean rank  model\n"), "{}", ran.stdout);
    assert!(bench.read("out/across.md").contains("| model | mean rank | data (%) | more (%) |"));
    let json = said(&mut bench.command(&["run", "study.toml", "--out", "out", "--quiet", "--json"]));
    let across: serde_json::Value = serde_json::from_str(&json.stdout).expect("one JSON value");
    assert_eq!(across, bench.json("out/across.json"));
    assert_eq!(across["models"].as_array().map(Vec::len), Some(2));

    let files = ["across.md", "across.json", "data/report.html", "more/summary.json"];
    let before = files.map(|file| bench.read(&format!("out/{file}")));
    files.iter().for_each(|file| fs::remove_file(bench.path().join("out").join(file)).expect("it is there"));
    let reported = said(&mut bench.command(&["report", "out", "--quiet"]));
    assert_eq!(reported.code, Some(0), "{}", reported.stderr);
    assert_eq!(reported.stdout, ran.stdout);
    assert_eq!(files.map(|file| bench.read(&format!("out/{file}"))), before);

    let verified = said(&mut bench.command(&["verify", "out", "--all", "--quiet", "--json"]));
    assert_eq!(verified.code, Some(0), "{}", verified.stderr);
    let verified: serde_json::Value = serde_json::from_str(&verified.stdout).expect("one JSON value");
    assert_eq!(verified["runs"].as_array().map(Vec::len), Some(4));

    let parts = "[{ \"dataset\": \"data\", \"folder\": \"../data\" }]";
    fs::write(bench.path().join("out/parts.json"), parts).expect("it is written");
    let damaged = said(&mut bench.command(&["report", "out"]));
    assert_eq!(damaged.code, Some(1));
    assert!(
        damaged.stderr.contains("parts.json: damaged: `../data` is not the name of a folder"),
        "{}",
        damaged.stderr
    );
    // Another study in the folder leaves nothing of the one before.
    let one =
        said(&mut bench.command(&["run", "study.toml", "--dataset", "data", "--out", "out", "--quiet"]));
    assert_eq!(one.code, Some(0), "{}", one.stderr);
    assert!(!bench.files("out").contains(&"parts.json".to_owned()));
}

#[test]
fn what_is_wrong_with_a_file_is_told_before_any_work() {
    let bench = bench_with("[model.deep]\nlayers = [\n  \"conv 4 3x3\",\n  \"conv 4 13x13\",\n]\n");
    for (arguments, code, error, hint) in [
        (
            &["run", "study.toml", "--dataset", "data"][..],
            1,
            "error: study.toml, line 4: model deep, layer 2 (conv 4 13x13): a kernel of 13x13 does not fit an image of \
             12×10×4\n",
            "hint: `mnist-study models --describe study.toml` shows the shapes",
        ),
        (&["run", "nothing.toml"], 1, "error: nothing.toml: No such file", "hint: pass a study file"),
        (
            &["compare", "study.toml:deap"],
            2,
            "error: study.toml: no model deap",
            "hint: did you mean `deep`?",
        ),
    ] {
        let said = said(&mut bench.command(arguments));
        assert_eq!(said.code, Some(code), "{arguments:?}: {}", said.stderr);
        assert!(said.stderr.contains(error), "{}", said.stderr);
        assert!(said.stderr.contains(hint), "{}", said.stderr);
        assert_eq!(bench.files("."), ["data", "study.toml"], "nothing is made");
    }
}

#[test]
fn a_target_cuts_recipes_short() {
    let bench = Bench::new();
    let arguments = ["compare", "mlp", "--dataset", "data", "--seeds", "1", "--out", "out", "--quiet"];
    let mut command = bench.command(&arguments);
    let said = said(command.args(["--target", "0.9999", "--max-epochs", "1", "--max-parameters", "10"]));
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    let summary = bench.json("out/summary.json");
    assert_eq!(summary["models"][0]["runs"][0]["epochs"].as_array().map(Vec::len), Some(1));
    assert_eq!(summary["attempts"][0]["passed"], 0);
    assert!(said.stdout.contains("is not within the limits: "), "{}", said.stdout);
}

/// Each file that is there to be copied says what it means to, for MNIST.
#[test]
fn the_studies_of_the_repository_fit() {
    let studies = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("studies");
    let bench = Bench::new();
    let mut count = 0;
    let entries =
        [studies.clone(), studies.join("lessons")].map(|folder| fs::read_dir(folder).expect("a folder"));
    for entry in entries.into_iter().flatten() {
        let path = entry.expect("an entry").path();
        let path = path.to_str().expect("text");
        if !path.ends_with(".toml") {
            continue;
        }
        let described = said(&mut bench.command(&["models", "--describe", path]));
        assert_eq!(described.code, Some(0), "{path}: {}", described.stderr);
        count += 1;
    }
    assert!(count >= 17, "{count} studies");
}

#[test]
fn a_speedrun_keeps_records_that_are_confirmed() {
    let bench = Bench::new();
    // Of one epoch on all of MNIST by the smallest network that learns anything.
    fs::write(
        bench.path().join("small.toml"),
        "[model.small]\nlayers = [\"avgpool 7\", \"flatten\", \"dense classes\"]\nrecipe = { epochs = 1 }\n",
    )
    .expect("the file is written");
    let arguments = ["speedrun", "small.toml", "--seeds", "2", "--json", "--quiet", "--out", "speed"];
    let ran = said(&mut bench.command(&arguments));
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let said_json: serde_json::Value = serde_json::from_str(&ran.stdout).expect("JSON");
    assert_eq!(said_json["reached"], false);
    let runs = said_json["runs"].as_array().expect("runs");
    assert_eq!(runs.len(), 2);
    for run in runs {
        let seconds = run["seconds"].as_f64().expect("a number");
        let start = said_json["start_seconds"].as_f64().expect("a number");
        assert!(seconds >= start + run["train_seconds"].as_f64().expect("a number"), "{run}");
    }
    let verified = said(&mut bench.command(&["verify", "speed", "--quiet"]));
    assert_eq!(verified.code, Some(0), "{}", verified.stderr);
}
