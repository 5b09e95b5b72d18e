//! What goes wrong, and what is said and kept then.

use crate::common::{self, Bench, Said, said};
use std::{
    fs,
    io::{BufRead, BufReader},
    process::{Command, Stdio},
};

fn assert_fails(said: &Said, code: i32, error: &str, hint: &str) {
    assert_eq!(said.code, Some(code), "{}", said.stderr);
    assert_eq!(said.stdout, "");
    let lines: Vec<&str> = said.stderr.lines().collect();
    assert_eq!(lines, [format!("error: {error}"), format!("hint: {hint}")]);
}

#[test]
fn unknown_names_are_suggested() {
    let bench = Bench::new();
    assert_fails(
        &said(&mut bench.command(&["compare", "cnnn"])),
        2,
        "model cnnn: no such model",
        "did you mean `cnn`? `mnist-study models` lists what there is",
    );
    assert_fails(
        &said(&mut bench.command(&["resnet"])),
        2,
        "model resnet: no such model",
        "did you mean `resnet-small`? `mnist-study models` lists what there is",
    );
    let none = said(&mut bench.command(&["transformer"]));
    assert_eq!((none.code, none.stderr.contains("hint: choose from mlp, cnn, lenet5, ")), (Some(2), true));
    assert_fails(
        &said(&mut bench.command(&["cnn", "cnn"])),
        2,
        "model cnn: named twice",
        "name each model once; --seeds sets how often each is trained",
    );
    let data = said(&mut bench.command(&["--dataset", "mnits"]));
    assert_eq!(data.code, Some(1));
    assert!(data.stderr.starts_with("error: ") && data.stderr.contains("mnits"), "{}", data.stderr);
    assert!(data.stderr.contains("mnist"), "the near name: {}", data.stderr);
    let kernels = said(bench.compare("out", &[]).env("MNIST_STUDY_KERNELS", "mmx"));
    assert_eq!(kernels.code, Some(2));
    assert!(kernels.stderr.starts_with("error: kernels `mmx`: expected one of "), "{}", kernels.stderr);
}

#[test]
fn unusable_values_are_wrong_usage() {
    let bench = Bench::new();
    for (arguments, expected) in [
        (["--seeds", "0"], "0 is not in 1..=1000"),
        (["--epochs", "0"], "a whole number from 1 to 10000 is expected"),
        (["--batch-size", "5000"], "a whole number from 1 to 4096 is expected"),
        (["--learning-rate", "-1"], "a number above 0 and at most 10 is expected"),
        (
            ["--equivalence-margin", "-1"],
            "percentage points (of log-loss nats) of 0.001 to below 100 are expected",
        ),
        (
            ["--equivalence-margin", "100"],
            "percentage points (of log-loss nats) of 0.001 to below 100 are expected",
        ),
        (["--learning-rate", "nan"], "a number above 0 and at most 10 is expected"),
        (["--precision", "float16"], "[possible values: float32, bf16]"),
        (["--threads", "0"], "a whole number from 1 to 1024 is expected"),
        (["--protocol", "holdout"], "[possible values: sound, writers, original]"),
    ] {
        let said = said(&mut bench.command(&arguments));
        assert_eq!(said.code, Some(2), "{arguments:?}");
        assert!(said.stderr.starts_with("error: ") && said.stderr.contains(expected), "{}", said.stderr);
    }
}

#[test]
fn images_too_small_for_a_model_are_told_before_any_work() {
    let bench = Bench::new();
    data::write_directory(&data::synthetic(1, 60, 20, 8, 8, 2), &bench.path().join("tiny")).expect("written");
    assert_fails(
        &said(&mut bench.command(&["--dataset", "tiny", "--out", "out"])),
        1,
        "model cnn, layer 6 (maxpool 2): windows of 2×2 do not fit an image of 1×1×64",
        "images of 28×28 pixels fit every built-in model: pass --resize 28x28, or another model",
    );
    assert!(!bench.path().join("out").exists());
}

#[test]
fn a_truncated_data_file_is_named() {
    let bench = Bench::new();
    let path = bench.path().join("data/t10k-images-idx3-ubyte");
    let bytes = fs::read(&path).expect("there");
    fs::write(&path, &bytes[..bytes.len() - 1]).expect("cut");
    let said = said(&mut bench.compare("out", &[]));
    assert_eq!(said.code, Some(1));
    assert!(
        said.stderr.contains("t10k-images-idx3-ubyte: 10,096 bytes expected, 10,095 found"),
        "{}",
        said.stderr
    );
}

#[test]
fn an_output_folder_that_cannot_be_made_is_told_before_any_work() {
    let bench = Bench::new();
    fs::write(bench.path().join("taken"), "a file").expect("written");
    let taken = said(&mut bench.compare("taken", &[]));
    assert_eq!(taken.code, Some(1));
    assert!(taken.stderr.contains("\nerror: taken/records: "), "{}", taken.stderr);
    assert!(taken.stderr.contains("hint: ") && !taken.stderr.contains("epoch"), "{}", taken.stderr);
    if cfg!(target_os = "linux") {
        // Nobody may make a folder there, root included.
        let forbidden = said(&mut bench.compare("/proc/results", &[]));
        assert_eq!(forbidden.code, Some(1));
        assert!(forbidden.stderr.contains("\nerror: /proc/results/records: "), "{}", forbidden.stderr);
    }
}

/// A limit on the size of a file stands in for a full disk: writing stops in the middle of the first record.
#[cfg(unix)]
#[test]
fn a_disk_that_fills_up_leaves_no_half_file() {
    let bench = Bench::new();
    let program = assert_cmd::cargo::cargo_bin("mnist-study");
    let output = Command::new("sh")
        .current_dir(bench.path())
        .args(["-c", "trap '' XFSZ; ulimit -f 1; exec \"$0\" \"$@\""])
        .arg(program)
        .args(["compare", "--dataset", "data", "--epochs", "1", "--seeds", "1", "--out", "out", "--quiet"])
        .output()
        .expect("a shell");
    let stderr = String::from_utf8(output.stderr).expect("text");
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(stderr.starts_with("error: out/records/") && stderr.contains("hint: "), "{stderr}");
    assert_eq!(bench.files("out/records"), [""; 0], "nothing half-written is left");
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_standard_output_is_a_failure_and_a_closed_one_is_not() {
    let bench = Bench::new();
    let program = assert_cmd::cargo::cargo_bin("mnist-study");
    let full = fs::OpenOptions::new().write(true).open("/dev/full").expect("a full device");
    let output = Command::new(&program).arg("models").stdout(full).output().expect("it runs");
    assert_eq!(output.status.code(), Some(75));
    assert!(String::from_utf8_lossy(&output.stderr).starts_with("error: standard output: "));
    let mut closed = Command::new(&program)
        .args(["completions", "bash"])
        .current_dir(bench.path())
        .stdout(Stdio::piped())
        .spawn()
        .expect("it runs");
    drop(closed.stdout.take());
    assert_eq!(closed.wait().expect("it ends").code(), Some(0));
}

/// After the first run is done, Ctrl-C: the run in flight is lost, the first is kept and reported.
#[cfg(unix)]
#[test]
fn an_interrupted_study_keeps_what_is_finished() {
    let bench = Bench::new();
    let mut study = Command::new(assert_cmd::cargo::cargo_bin("mnist-study"))
        .current_dir(bench.path())
        .args(["lstm", "cnn", "--dataset", "data", "--epochs", "200", "--seeds", "50", "--out", "out"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it runs");
    let mut stderr = BufReader::new(study.stderr.take().expect("a pipe")).lines().map_while(Result::ok);
    assert!(stderr.any(|line| line.starts_with("run 1/100: lstm, seed 0: done")));
    common::send("INT", &study);
    let rest: Vec<String> = stderr.collect();
    let output = study.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(130), "{rest:?}");
    assert!(
        rest.iter().any(|line| line.starts_with("error: ") && line.contains("interrupted in epoch")),
        "{rest:?}"
    );
    assert!(rest.iter().any(|line| line.starts_with("hint: ")), "{rest:?}");
    assert!(String::from_utf8_lossy(&output.stdout).contains("lstm"), "what is finished is reported");
    assert!(!bench.fingerprints("out").is_empty());
    assert_eq!(bench.fingerprints("out").len(), bench.files("out/records").len());
    assert!(
        bench.read("out/report.md").contains("of 100 planned runs have no usable record ("),
        "the report says that it is not whole"
    );
}
