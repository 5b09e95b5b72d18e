//! What a study says before it trains, and what it does not begin unasked.

use crate::common::{Bench, said};
use std::{
    fs,
    io::{BufRead, BufReader},
    process::{Command, Stdio},
};

const GRID: &str = "models = [\"mlp\"]\ndataset = \"data\"\nseeds = 2\nrecipe = { epochs = 1 }\n\
                    [grid]\nlearning_rate = [0.001, 0.01]\n";

/// Ten thousand epochs of a thousand runs.
const LONG: &str = "models = [\"mlp\"]\ndataset = \"data\"\nseeds = 1000\nrecipe = { epochs = 10000 }\n";

fn bench_with(study: &str) -> Bench {
    let bench = Bench::new();
    fs::write(bench.path().join("study.toml"), study).expect("the file is written");
    bench
}

/// What would be refused is not listed as if it could be made.
#[test]
fn a_dry_run_refuses_what_a_run_refuses() {
    let text = "models = [\"mlp\"]\ndataset = \"data\"\nprotocol = \"original\"\nrecipe = { epochs = 3, early_stopping = 2 }\n";
    let bench = bench_with(text);
    for more in [&["--dry-run"][..], &[]] {
        let refused = said(bench.command(&["run", "study.toml", "--out", "out"]).args(more));
        assert_eq!((refused.code, refused.stdout.as_str()), (Some(2), ""), "{}", refused.stderr);
        assert!(
            refused.stderr.starts_with("error: early stopping: held-out validation images"),
            "{}",
            refused.stderr
        );
    }
    assert_eq!(bench.files("."), ["data", "study.toml"], "nothing is written");
}

#[test]
fn a_dry_run_lists_every_run_and_makes_none() {
    let bench = bench_with(GRID);
    let list = |more: &[&str]| {
        let mut command = bench.command(&["run", "study.toml", "--out", "out", "--dry-run"]);
        let listed = said(command.args(more));
        assert_eq!(listed.code, Some(0), "{}", listed.stderr);
        listed.stdout
    };
    let json = |more: &[&str]| -> serde_json::Value {
        serde_json::from_str(&list(&[&["--json"], more].concat())).expect("JSON")
    };
    let listed = json(&[]);
    assert_eq!(bench.files("."), ["data", "study.toml"], "nothing is written");
    let runs = listed["runs"].as_array().expect("runs");
    assert_eq!((runs.len(), &listed["to_train"], &listed["recorded"]), (4, &4.into(), &0.into()));
    for (run, (model, seed)) in runs.iter().zip([("0.001", 0), ("0.01", 0), ("0.001", 1), ("0.01", 1)]) {
        assert_eq!(
            (&run["dataset"], &run["seed"], &run["epochs"]),
            (&"data".into(), &seed.into(), &1.into())
        );
        assert_eq!(run["model"], format!("mlp learning_rate={model}"));
        assert_eq!((&run["recorded"], &run["basis"]), (&false.into(), &"measurement".into()));
    }
    let seconds = |run: &serde_json::Value| run["predicted_seconds"].as_f64().expect("seconds");
    assert!(runs.iter().all(|run| seconds(run) > 0.0), "{listed:#}");
    let sum: f64 = runs.iter().map(seconds).sum();
    assert!((sum - seconds(&listed)).abs() <= 1e-9 * sum);

    // One run a model; then those are recorded, and tell how long the others take.
    let made = said(&mut bench.command(&["run", "study.toml", "--seeds", "1", "--out", "out"]));
    assert_eq!(made.code, Some(0), "{}", made.stderr);
    assert!(
        made.stderr.starts_with("note: 2 runs to train, expected to take less than a minute\n"),
        "{}",
        made.stderr
    );
    let before = bench.files("out");
    let listed = json(&[]);
    let runs = listed["runs"].as_array().expect("runs");
    assert_eq!(
        runs.iter().map(|run| run["recorded"] == true).collect::<Vec<_>>(),
        [true, true, false, false]
    );
    assert!(runs[0]["predicted_seconds"].is_null());
    assert_eq!(runs[3]["basis"], "records");
    let record = &bench.json("out/summary.json")["models"][1]["runs"][0]["total_seconds"];
    assert_eq!(&runs[3]["predicted_seconds"], record);
    assert_eq!(json(&["--fresh"])["recorded"], 0);
    let table = list(&[]);
    let header = "run               model                    seed  epochs  record    predicted\n";
    assert!(table.starts_with(header), "{table}");
    assert!(table.contains("  mlp learning_rate=0.001     0       1  recorded          -\n"), "{table}");
    assert!(table.contains("\n\n2 runs to train (2 already recorded), expected to take about "), "{table}");
    assert_eq!(bench.files("out"), before);
    let more = said(&mut bench.command(&["run", "study.toml", "--out", "out"]));
    assert!(
        more.stderr.contains("note: 2 runs to train (2 already recorded), expected to take about "),
        "{}",
        more.stderr
    );
    let none = said(&mut bench.command(&["run", "study.toml", "--out", "out"]));
    assert!(none.stderr.starts_with("note: 4 runs, all recorded: nothing to train\n"), "{}", none.stderr);
}

#[test]
fn a_dry_run_of_several_data_sets_names_them_and_fetches_none() {
    let bench = bench_with("models = [\"mlp\"]\ndatasets = [\"data\", \"more\"]\nseeds = 1\n");
    let corpus = data::synthetic(9, 240, 60, 14, 12, 3);
    data::write_directory(&corpus, &bench.path().join("more")).expect("the set is written");
    let listed = said(&mut bench.command(&["run", "study.toml", "--dry-run"]));
    assert_eq!(listed.code, Some(0), "{}", listed.stderr);
    let rows: Vec<&str> = listed.stdout.lines().filter(|line| line.contains(" mlp ")).collect();
    assert!(
        rows.len() == 2 && rows[0].starts_with("data ") && rows[1].starts_with("more "),
        "{}",
        listed.stdout
    );
    assert_eq!(bench.files("."), ["data", "more", "study.toml"]);
    let absent = said(&mut bench.command(&["compare", "mlp", "--dataset", "kmnist", "--dry-run"]));
    assert_eq!(absent.code, Some(1));
    assert!(absent.stderr.contains("error: data set kmnist: not on this machine"), "{}", absent.stderr);
    assert!(
        absent.stderr.contains("hint: fetch it first: mnist-study datasets fetch kmnist"),
        "{}",
        absent.stderr
    );
}

#[test]
fn a_study_of_more_than_an_hour_is_not_begun_unasked() {
    let bench = bench_with(LONG);
    let refused = said(&mut bench.command(&["run", "study.toml", "--out", "out"]));
    assert_eq!(refused.code, Some(2), "{}", refused.stderr);
    assert!(
        refused.stderr.contains("error: 1,000 runs to train, expected to take about "),
        "{}",
        refused.stderr
    );
    assert!(refused.stderr.contains("--yes") && refused.stderr.contains("--dry-run"), "{}", refused.stderr);
    assert_eq!(bench.files("."), ["data", "study.toml"], "nothing is written");

    let mut child = Command::new(assert_cmd::cargo::cargo_bin("mnist-study"))
        .current_dir(bench.path())
        .args(["run", "study.toml", "--out", "out", "--yes"])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command runs");
    let lines = BufReader::new(child.stderr.take().expect("a pipe")).lines();
    let begun = lines.map_while(Result::ok).any(|line| line.contains("mlp, seed 0, epoch 1/10000: "));
    child.kill().expect("it runs still");
    child.wait().expect("it has ended");
    assert!(begun);
}

#[test]
fn seeds_beyond_all_numbers_are_refused() {
    let bench = Bench::new();
    for arguments in [
        &["compare", "mlp", "--dataset", "data", "--seed", "18446744073709551614", "--seeds", "3"][..],
        &["speedrun", "--seed", "18446744073709551614", "--seeds", "3"],
    ] {
        let refused = said(&mut bench.command(arguments));
        assert_eq!(refused.code, Some(2), "{}", refused.stderr);
        let error = "error: --seed 18446744073709551614: 3 runs count up from it, and the largest seed is ";
        assert!(refused.stderr.contains(error), "{}", refused.stderr);
        assert!(
            refused.stderr.contains("hint: pass a --seed of at most 18446744073709551613"),
            "{}",
            refused.stderr
        );
    }
    assert_eq!(bench.files("."), ["data"]);
}

#[test]
fn options_and_keys_that_would_be_lost_are_named() {
    let bench = bench_with(&format!("{GRID}[search]\nbatch_size = [16, 32]\n"));
    for verb in ["run", "compare"] {
        let refused =
            said(&mut bench.command(&[verb, "study.toml", "--learning-rate", "0.1", "--out", "out"]));
        assert_eq!(refused.code, Some(2), "{}", refused.stderr);
        let error = "error: --learning-rate: study.toml varies learning_rate in a grid\n\
                     hint: leave out --learning-rate, or learning_rate in the grid\n";
        assert_eq!(refused.stderr, error);
    }
    let ran = said(&mut bench.command(&["run", "study.toml", "--dry-run"]));
    assert!(ran.stderr.contains("note: [search] is for `mnist-study tune`"), "{}", ran.stderr);
    let compared = said(&mut bench.command(&["compare", "study.toml", "--dataset", "data", "--dry-run"]));
    let note = "note: study.toml: only its models are taken, not dataset, seeds; `mnist-study run study.toml` takes all\n";
    assert!(compared.stderr.contains(note), "{}", compared.stderr);
}
