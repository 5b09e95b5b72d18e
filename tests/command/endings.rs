//! How the command ends: signals, time spent stopped, outputs that nobody takes, disks that are full.

use crate::common::{self, Bench, Said, said};
use records::{host, identity::short_hash};
use std::{
    fs,
    io::{BufRead, BufReader, Read},
    process::{Child, Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

/// Signals that ask for an end, and how the shells' convention has the process end then.
const SIGNALS: [(&str, i32); 5] = [("INT", 130), ("TERM", 143), ("HUP", 129), ("USR1", 138), ("XCPU", 152)];

/// A study that nobody waits for: thousands of runs, the first done within a second.
const ENDLESS: [&str; 11] =
    ["compare", "lstm", "mlp", "--dataset", "data", "--epochs", "2", "--seeds", "1000", "--out", "out"];

/// A process that is stopped when a test fails.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Running {
    /// The command with pipes on all sides.
    fn start(bench: &Bench, arguments: &[&str]) -> Self {
        let mut command = command(bench);
        Self::of(command.args(arguments))
    }

    fn of(command: &mut Command) -> Self {
        let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        Self(piped.spawn().expect("it runs"))
    }

    /// Lines of stderr, as they come.
    fn lines(&mut self) -> impl Iterator<Item = String> + use<> {
        BufReader::new(self.0.stderr.take().expect("a pipe")).lines().map_while(Result::ok)
    }

    fn send(&self, signal: &str) {
        common::send(signal, &self.0);
    }

    /// Waits for the end; what was written to stdout.
    fn end(&mut self) -> (ExitStatus, String) {
        let mut stdout = String::new();
        self.0.stdout.take().expect("a pipe").read_to_string(&mut stdout).expect("text");
        (self.0.wait().expect("it ends"), stdout)
    }
}

/// The command in the folder of a bench.
fn command(bench: &Bench) -> Command {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin("mnist-study"));
    command.current_dir(bench.path()).env_remove("MNIST_STUDY_KERNELS").env_remove("RUST_BACKTRACE");
    command
}

/// A shell that runs the command, which it finds in `$0`, with changed surroundings.
fn shell(bench: &Bench, script: &str) -> Said {
    let mut shell = assert_cmd::Command::new("sh");
    let program = assert_cmd::cargo::cargo_bin("mnist-study");
    said(shell.current_dir(bench.path()).args(["-c", script]).arg(program))
}

#[test]
fn every_signal_that_asks_for_an_end_leaves_a_report_of_what_is_finished() {
    for (signal, code) in SIGNALS {
        let bench = Bench::new();
        let mut study = Running::start(&bench, &ENDLESS);
        let mut lines = study.lines();
        assert!(lines.any(|line| line.starts_with("run 2/2000: mlp, seed 0: done")), "SIG{signal}");
        study.send(signal);
        let rest: Vec<String> = lines.collect();
        let (status, stdout) = study.end();
        assert_eq!(status.code(), Some(code), "SIG{signal}: {rest:?}");
        let [error, hint] = rest.last_chunk().expect("two lines");
        assert!(error.starts_with("error: ") && error.contains("interrupted in epoch"), "{error}");
        assert_eq!(
            hint,
            "hint: what was finished is kept: run the same command to continue (without --fresh)"
        );
        assert!(stdout.contains("lstm") && stdout.ends_with("Report: out/report.html\n"), "{stdout}");
        assert_eq!(bench.fingerprints("out").len(), bench.files("out/records").len());
        assert!(bench.files("out").contains(&"report.html".to_owned()), "SIG{signal}");
    }
}

#[test]
fn under_nohup_a_study_outlives_its_terminal() {
    let bench = Bench::new();
    let mut study = Command::new("sh");
    study.current_dir(bench.path()).args(["-c", "trap '' HUP; exec \"$0\" \"$@\""]);
    study.arg(assert_cmd::cargo::cargo_bin("mnist-study"));
    let arguments =
        ["compare", "lstm", "--dataset", "data", "--epochs", "40", "--seeds", "2", "--out", "out"];
    let mut study = Running::of(study.args(arguments));
    let mut lines = study.lines();
    assert!(lines.any(|line| line.starts_with("run 1/2: lstm, seed 0, epoch 1/40")));
    study.send("HUP");
    drop(lines);
    assert_eq!(study.end().0.code(), Some(0));
    assert_eq!(bench.fingerprints("out").len(), 2);
}

/// Until when a verb has ended that was asked to. It hears within a second; the rest is for machines that do much else.
const SOON: Duration = Duration::from_secs(8);

#[test]
fn every_verb_that_works_long_hears_a_signal() {
    let bench = Bench::new();
    let long = ["lstm", "--dataset", "data", "--epochs", "1000", "--batch-size", "8"];
    let train = [&["train", "--save", "x.safetensors"][..], &long].concat();
    let tune = [&["tune", "--out", "tuned"][..], &long].concat();
    // A verb, the line on stderr that shows it at work, what it says in the end.
    let table: [(&[&str], &str, &str); 4] = [
        (&train, "run 1/1: lstm, seed 0, epoch 1/1000", "model lstm, seed 0: interrupted in epoch"),
        (&tune, "", "model lstm, seed 0: interrupted in epoch"),
        (
            &["bench", "nano", "mlp", "--seconds", "600"],
            "note: measuring nano",
            "interrupted: 0 of 2 models measured",
        ),
        (&["speedrun", "nano", "--out", "fast"], "run 1/20: nano, seed 0, epoch 1", "interrupted in epoch"),
    ];
    for (arguments, at_work, end) in table {
        let mut verb = Running::start(&bench, arguments);
        let mut lines = verb.lines();
        match at_work {
            // It says nothing before its first trial is done, but its folder is made when the data is there.
            "" => {
                let made = bench.path().join("tuned/search.json");
                while !made.exists() {
                    std::thread::sleep(Duration::from_millis(50));
                }
                std::thread::sleep(Duration::from_secs(2));
            }
            _ => assert!(lines.any(|line| line.starts_with(at_work)), "{arguments:?}"),
        }
        let asked = Instant::now();
        verb.send("TERM");
        let rest: Vec<String> = lines.collect();
        let (status, _) = verb.end();
        assert!(asked.elapsed() < SOON, "{arguments:?}: {:?}", asked.elapsed());
        assert_eq!(status.code(), Some(143), "{arguments:?}: {rest:?}");
        let error = rest.iter().find(|line| line.starts_with("error: ")).expect("an error");
        assert!(error.contains(end), "{arguments:?}: {error}");
        assert!(rest.last().is_some_and(|line| line.starts_with("hint: ")), "{rest:?}");
    }
    assert!(!bench.path().join("x.safetensors").exists(), "half a training is no model");
}

#[test]
fn a_verb_that_waits_for_its_input_hears_a_signal_and_ends_at_once_with_the_second() {
    let bench = Bench::new();
    let model = ["train", "nano", "--epochs", "1", "--save", "nano.safetensors", "-q"];
    assert_eq!(said(&mut bench.command(&model)).code, Some(0));
    for signals in [&["TERM"][..], &["HUP", "TERM"]] {
        let mut verb = Running::start(&bench, &["predict", "nano.safetensors", "-"]);
        std::thread::sleep(Duration::from_secs(2));
        let asked = Instant::now();
        for (index, signal) in signals.iter().enumerate() {
            std::thread::sleep(Duration::from_millis(200 * index as u64));
            verb.send(signal);
        }
        let said: Vec<String> = verb.lines().collect();
        assert_eq!(verb.end().0.code(), Some(143));
        assert!(asked.elapsed() < SOON);
        // The second leaves no time for words.
        let expected: &[&str] = if signals.len() == 1 {
            &["error: interrupted by SIGTERM", "hint: run the same command again"]
        } else {
            &[]
        };
        assert_eq!(said, expected);
    }
}

#[test]
fn a_verification_that_is_interrupted_tells_what_was_confirmed() {
    let bench = Bench::new();
    let long = ["lstm", "--epochs", "60", "--seeds", "3"];
    assert_eq!(said(&mut bench.compare("out", &long)).code, Some(0));
    let mut verify = Running::start(&bench, &["verify", "out", "--all", "--json"]);
    let mut lines = verify.lines();
    assert!(lines.any(|line| line.starts_with("run 2/3: lstm, seed 1, epoch 1/60")));
    verify.send("TERM");
    let rest: Vec<String> = lines.collect();
    let (status, stdout) = verify.end();
    assert_eq!(status.code(), Some(143), "{rest:?}");
    let confirmed: serde_json::Value = serde_json::from_str(&stdout).expect("JSON");
    assert_eq!(confirmed["runs"].as_array().map(Vec::len), Some(1));
    assert_eq!(confirmed["runs"][0]["same"], true);
}

/// Ended at moments spread over its time by signals of every kind, the same command comes to the same end, and nothing that
/// was finished is lost.
#[test]
fn a_signal_at_any_moment_loses_the_run_in_flight_alone() {
    let bench = Bench::new();
    let arguments = ["lstm", "mlp", "--epochs", "30", "--seeds", "4"];
    let start = Instant::now();
    assert_eq!(said(&mut bench.compare("whole", &arguments)).code, Some(0));
    let whole = start.elapsed();
    let mut kept = 0;
    for (attempt, (signal, code)) in SIGNALS.iter().cycle().take(10).enumerate() {
        let mut study = command(&bench);
        study.args(["compare", "--dataset", "data", "--batch-size", "32", "--out", "ended", "--quiet"]);
        let mut study = Running::of(study.args(arguments));
        // Before 50 ms nobody listens yet, and a signal has its usual effect.
        std::thread::sleep(Duration::from_millis(50) + whole.mul_f64((attempt * 7 % 10) as f64 / 10.0));
        study.send(signal);
        let (status, _) = study.end();
        let ended = status.code();
        assert!(ended == Some(*code) || ended == Some(0) || ended.is_none(), "SIG{signal}: {status}");
        if bench.path().join("ended/records").is_dir() {
            let records = bench.files("ended/records").len();
            assert!(records >= kept, "{records} of {kept} records after SIG{signal}");
            kept = records;
        }
    }
    assert_eq!(said(&mut bench.compare("ended", &arguments)).code, Some(0));
    assert_eq!(bench.fingerprints("ended"), bench.fingerprints("whole"));
    assert_eq!(bench.files("ended/records"), bench.files("whole/records"), "and no temporary file");
}

#[test]
fn time_spent_stopped_is_no_training_time() {
    let bench = Bench::new();
    let arguments =
        ["compare", "lstm", "--dataset", "data", "--epochs", "60", "--seeds", "1", "--out", "out"];
    let mut study = Running::start(&bench, &arguments);
    let mut lines = study.lines();
    let begun = Instant::now();
    assert!(lines.any(|line| line.starts_with("run 1/1: lstm, seed 0, epoch 2/60")));
    study.send("STOP");
    std::thread::sleep(Duration::from_secs(3));
    study.send("CONT");
    let rest: Vec<String> = lines.collect();
    let elapsed = begun.elapsed().as_secs_f64();
    assert_eq!(study.end().0.code(), Some(0), "{rest:?}");
    let record = bench.json(&format!("out/records/{}", bench.files("out/records")[0]));
    let warnings = record["warnings"].to_string();
    assert!(
        warnings.contains("the process was stopped for 3.") || warnings.contains("stopped for 2.9"),
        "{warnings}"
    );
    assert!(rest.iter().any(|line| line.contains("the process was stopped for")), "it is said: {rest:?}");
    let (train, total) = (record["train_seconds"].as_f64(), record["total_seconds"].as_f64());
    let (train, total) = (train.expect("seconds"), total.expect("seconds"));
    assert!(train > 0.0 && train <= total && total < elapsed - 2.8, "{train}, {total} of {elapsed}");
}

/// A study of two short runs, for a shell.
const TWO_RUNS: &str = "compare mlp --dataset data --epochs 1 --seeds 2 --out out";

#[cfg(target_os = "linux")]
#[test]
fn a_study_goes_on_where_nobody_takes_what_it_says() {
    for (place, code) in [
        ("2> /dev/full", "0"),
        ("2>&-", "0"),
        (">&-", "0"),
        (">&- 2>&- <&-", "0"),
        ("> /dev/full", "75"),
        ("> /dev/full 2> /dev/full", "75"),
        // Pipes whose reader has gone.
        ("2> pipe", "0"),
        ("> pipe", "0"),
        ("> pipe 2>&1", "0"),
    ] {
        let bench = Bench::new();
        // The reader of the pipe is there until the study has opened it.
        let reader = if place.contains("pipe") { "sleep 0.3 < pipe &" } else { "" };
        let script = format!("mkfifo pipe; {reader} \"$0\" {TWO_RUNS} {place}; echo $? > code");
        let shell = shell(&bench, &script);
        assert_eq!(bench.read("code").trim(), code, "{place}: {}", shell.stderr);
        assert_eq!(bench.fingerprints("out").len(), 2, "{place}");
        let reported = said(&mut bench.command(&["report", "out", "--json"]));
        assert_eq!(reported.code, Some(0), "{place}: nothing was written into a record: {}", reported.stderr);
        assert_eq!(bench.files("out/records").len(), 2, "{place}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_standard_output_is_a_failure_of_every_verb() {
    let bench = Bench::new();
    let verbs = [
        "train mlp --dataset data --epochs 1 --save mlp.safetensors",
        "evaluate mlp.safetensors --dataset data",
        "export mlp.safetensors --onnx mlp.onnx --json",
        TWO_RUNS,
        "report out",
        "verify out --all",
        "tune mlp --dataset data --epochs 1 --trials 1",
        "models",
        "models --layers --json",
        "datasets",
        "completions bash",
        "--help",
        "--version",
        "train --help",
    ];
    for verb in verbs {
        let full = shell(&bench, &format!("\"$0\" {verb} > /dev/full"));
        assert_eq!(full.code, Some(75), "{verb}: {}", full.stderr);
        let errors: Vec<&str> = full.stderr.lines().filter(|line| line.starts_with("error: ")).collect();
        assert_eq!(errors, ["error: standard output: No space left on device (os error 28)"], "{verb}");
        let closed = shell(&bench, &format!("\"$0\" {verb} > /dev/full 2>&-"));
        assert_eq!(closed.code, Some(75), "{verb} without stderr");
        let gone = shell(&bench, &format!("{{ \"$0\" {verb}; echo $? > code; }} 2> /dev/null | true"));
        assert_eq!((gone.code, bench.read("code").trim()), (Some(0), "0"), "{verb} | true");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_standard_output_stops_no_study_over_several_data_sets() {
    let bench = Bench::new();
    let other = data::synthetic(6, 240, 60, 14, 12, 3);
    data::write_directory(&other, &bench.path().join("other")).expect("the set is written");
    let file = "datasets = [\"data\", \"other\"]\nseeds = 1\nmodels = [\"small\", \"mlp\"]\n[recipe]\nepochs = 1\n\
                [model.small]\nlayers = [\"flatten\", \"dense 8\", \"dense classes\"]\n";
    fs::write(bench.path().join("study.toml"), file).expect("written");
    let full = shell(&bench, "\"$0\" run study.toml --out out > /dev/full");
    assert_eq!(full.code, Some(75), "{}", full.stderr);
    assert!(full.stderr.contains("\nerror: standard output: "), "{}", full.stderr);
    for written in ["out/data/report.md", "out/other/report.md", "out/across.md"] {
        assert!(bench.path().join(written).is_file(), "{written}: {}", full.stderr);
    }
}

/// A limit on the size of files stands in for a full disk. The signal that comes with it is not to kill.
#[test]
fn a_file_that_does_not_fit_is_named_and_so_is_what_was_lost_after_it() {
    let bench = Bench::new();
    let none = shell(&bench, &format!("ulimit -f 1; \"$0\" {TWO_RUNS} --quiet"));
    assert_eq!(none.code, Some(1), "{}", none.stderr);
    assert!(none.stderr.starts_with("error: out/records/"), "{}", none.stderr);
    assert!(none.stderr.contains("\nhint: allow larger files"), "{}", none.stderr);
    // Enough for records, not for weights: the record of the run whose weights do not fit is kept.
    let weights = shell(&bench, &format!("ulimit -f 40; \"$0\" {TWO_RUNS} --quiet --keep-models all"));
    assert_eq!(weights.code, Some(1), "{}", weights.stderr);
    let error = weights.stderr.lines().find(|line| line.starts_with("error: ")).expect("an error");
    assert!(error.starts_with("error: out/models/mlp-seed0-"), "{error}");
    assert_eq!((bench.files("out/records").len(), bench.files("out/models").len()), (1, 0));
    // Enough for records and tables, not for pages and pictures: what fits is written, what does not is named.
    let some = shell(&bench, &format!("ulimit -f 40; \"$0\" {TWO_RUNS} --quiet --keep-models none"));
    assert_eq!(some.code, Some(1), "{}", some.stderr);
    assert_eq!(bench.fingerprints("out").len(), 2, "{}", some.stderr);
    let error = some.stderr.lines().find(|line| line.starts_with("error: ")).expect("an error");
    assert!(
        error.starts_with("error: out/report.html: ") && error.contains("out/Accuracy_Comparison.png"),
        "{error}"
    );
    assert!(!error.contains("report.md") && bench.files("out").contains(&"report.md".to_owned()), "{error}");
    let strays: Vec<String> =
        bench.files("out").into_iter().filter(|name| name.starts_with(".mnist-study-")).collect();
    assert_eq!(strays, [""; 0], "nothing half-written is left");
}

/// The record that could not be kept is the failure; that nothing could be reported either is a note.
#[test]
fn the_record_that_was_lost_is_named_first() {
    let bench = Bench::new();
    let mut study = Running::start(&bench, &ENDLESS);
    let mut lines = study.lines();
    assert!(lines.any(|line| line.starts_with("run 1/2000: lstm, seed 0: done")));
    let records = bench.path().join("out/records");
    fs::rename(&records, bench.path().join("out/before")).expect("moved");
    fs::write(&records, "no folder").expect("written");
    let rest: Vec<String> = lines.collect();
    assert_eq!(study.end().0.code(), Some(1), "{rest:?}");
    let at = |start: &str| rest.iter().position(|line| line.starts_with(start));
    let (note, error) = (at("note: what was finished could not be reported: "), at("error: out/records/"));
    assert!(note.is_some() && note < error && error.is_some_and(|line| line + 2 == rest.len()), "{rest:?}");
    assert_eq!(
        rest.last().map(String::as_str),
        Some("hint: a file is where a folder is needed: choose another folder with --out")
    );
}

/// What processes left that were killed while they wrote goes with the next write.
#[test]
fn temporary_files_of_killed_processes_are_swept() {
    let bench = Bench::new();
    fs::create_dir_all(bench.path().join("out/records")).expect("made");
    let machine = short_hash(&host::name());
    for (folder, random) in [("out", "aB3dE6"), ("out/records", "000000")] {
        let name = format!("{folder}/.mnist-study-{machine}-{random}");
        fs::write(bench.path().join(name), "half a record").expect("written");
    }
    assert_eq!(shell(&bench, &format!("\"$0\" {TWO_RUNS} --quiet")).code, Some(0));
    let strays: Vec<String> = bench.files("out").into_iter().chain(bench.files("out/records")).collect();
    assert!(!strays.iter().any(|name| name.starts_with(".mnist-study-")), "{strays:?}");
}

/// Names of files and folders come from outside.
#[test]
fn no_name_from_outside_commands_the_terminal() {
    let bench = Bench::new();
    let hostile = "d\u{1b}]0;x\u{7}\u{9b}2J\u{202e}\n```\n<img src=x>|`=";
    fs::rename(bench.path().join("data"), bench.path().join(hostile)).expect("moved");
    let is_safe = |place: &str, text: &str| {
        let obeyed = |character: char| {
            (character.is_control() && !"\n\t".contains(character))
                || ('\u{202a}'..='\u{202e}').contains(&character)
        };
        assert!(!text.contains(obeyed), "{place}: {text:?}");
    };
    let compare =
        ["compare", "mlp", "lstm", "--epochs", "1", "--seeds", "2", "--out", "out", "--dataset", hostile];
    for more in [&[][..], &["--json"]] {
        let said = said(bench.command(&compare).args(more));
        assert_eq!(said.code, Some(0), "{}", said.stderr);
        is_safe("stdout", &said.stdout);
        is_safe("stderr", &said.stderr);
    }
    assert_eq!(bench.json("out/summary.json")["dataset"], *hostile, "JSON keeps the name");
    for file in ["report.md", "report.html", "epochs.csv", "summary.json"] {
        is_safe(file, &bench.read(&format!("out/{file}")));
    }
    assert!(!bench.read("out/report.html").contains("<img src=x"));
    // Between fences of its own, where nothing is markup.
    assert_eq!(bench.read("out/report.md").matches("\n```").count(), 2);
    let two_lines = "\u{1b}[31m\nerror: mine";
    let wrong: [&[&str]; 6] = [
        &["compare", two_lines],
        &["compare", "--seeds", two_lines],
        &["evaluate", two_lines],
        &["predict", two_lines, two_lines],
        &["report", two_lines],
        &["run", two_lines],
    ];
    for arguments in wrong {
        let said = said(&mut bench.command(arguments));
        assert!(matches!(said.code, Some(1 | 2)), "{arguments:?}");
        is_safe(arguments[0], &said.stderr);
        // The parser of the command line repeats an argument with its line breaks.
        if arguments[1] != "--seeds" {
            assert_eq!(said.stderr.matches("\nerror:").count(), 0, "{}", said.stderr);
        }
    }
}
