//! A search end to end: its files, going on, and the study file that it ends in.

use crate::common::{Bench, Said, said};
use records::event::{Event, Kind};
use std::fs;

const STUDY: &str = r#"
dataset = "data"
recipe = { epochs = 3, batch_size = 32 }
[model.small]
variables = { width = 4 }
layers = ["flatten", "dense {width}", "relu", "dense classes"]
[search]
learning_rate = { log = [0.0001, 0.1] }
width = { choice = [2, 8] }
"#;

fn tune(bench: &Bench, out: &str, more: &[&str]) -> Said {
    let mut command = bench.command(&["tune", "study.toml", "--out", out, "--quiet"]);
    said(command.args(more))
}

#[test]
fn a_search_goes_on_and_its_result_runs() {
    let bench = Bench::new();
    fs::write(bench.path().join("study.toml"), STUDY).expect("the file is written");
    let first = tune(&bench, "part", &["--trials", "3"]);
    assert_eq!(first.code, Some(0), "{}", first.stderr);
    for file in ["best.toml", "search.json", "tuning.html", "tuning.json", "tuning.md", "trials"] {
        assert!(bench.files("part").contains(&file.to_owned()), "{file}: {:?}", bench.files("part"));
    }
    // Three more trials are those of a search of six from the beginning.
    let trials = bench.files("part/trials").len();
    assert_eq!(tune(&bench, "part", &["--trials", "6"]).code, Some(0));
    assert!(bench.files("part/trials").len() > trials);
    assert_eq!(tune(&bench, "whole", &["--trials", "6", "--threads", "1"]).code, Some(0));
    assert_eq!(bench.read("part/best.toml"), bench.read("whole/best.toml"));
    let tuned = bench.read("part/best.toml");
    assert!(tuned.contains("learning_rate"), "{tuned}");
    let ran = said(&mut bench.command(&["run", "part/best.toml", "--seeds", "1", "--out", "out", "--quiet"]));
    assert_eq!(ran.code, Some(0), "{}{tuned}", ran.stderr);
    let page = bench.read("part/tuning.html");
    assert!(page.contains("learning_rate") && page.contains("width"), "the page names what was searched");
}

/// The model as it stands and each trial begin, tell their epochs and end, under their numbers.
#[test]
fn events_are_told_to_other_programs() {
    let bench = Bench::new();
    fs::write(bench.path().join("study.toml"), STUDY).expect("the file is written");
    let told = || -> Vec<Event> {
        let ran = tune(&bench, "out", &["--trials", "2", "--no-halving", "--json-events", "events"]);
        assert_eq!(ran.code, Some(0), "{}", ran.stderr);
        bench.read("events").lines().map(|line| serde_json::from_str(line).expect("an event")).collect()
    };
    let names = |events: &[Event]| -> Vec<String> {
        let name = |event: &Event| {
            let trial = event.trial()?;
            assert_eq!((trial.model.as_str(), trial.trials), ("small", Some(2)));
            let number = trial.number.map_or("-".to_owned(), |number| number.to_string());
            match &event.kind {
                Kind::Started { epochs, settings } => {
                    Some(format!("{number} started {epochs} {}", settings.len()))
                }
                Kind::Epoch(end) => Some(format!("{number} epoch {}", end.epoch)),
                Kind::TrialFinished(end) => {
                    Some(format!("{number} ended {:?} {} {}", end.outcome, end.epochs, end.reused))
                }
                _ => None,
            }
        };
        events.iter().filter_map(name).collect()
    };
    let of = |number: &str, settings: usize| {
        let lines = ["started 3 SETTINGS", "epoch 1", "epoch 2", "epoch 3", "ended Finished 3 false"];
        lines.map(|line| format!("{number} {}", line.replace("SETTINGS", &settings.to_string())))
    };
    let first = told();
    assert_eq!(names(&first), [of("-", 0), of("0", 2), of("1", 2)].concat());
    assert!(first.iter().any(|event| matches!(event.kind, Kind::Step(_))));
    assert_eq!(names(&told()), ["-", "0", "1"].map(|number| format!("{number} ended Finished 3 true")));
}

/// Every example of the manual is an event, and is written as it stands there.
#[test]
fn the_manual_of_events_is_true() {
    let manual = include_str!("../../docs/reference/events.md");
    let examples: Vec<&str> = manual.lines().filter(|line| line.starts_with('{')).collect();
    assert_eq!(examples.len(), 9);
    for example in examples {
        let event: Event = serde_json::from_str(example).expect(example);
        assert_eq!(serde_json::to_string(&event).expect("plain values"), example);
    }
}

#[test]
fn what_cannot_be_searched_is_told() {
    let bench = Bench::new();
    fs::write(bench.path().join("study.toml"), STUDY.replace("learning_rate = {", "learning_rat = {"))
        .expect("the file is written");
    let wrong = tune(&bench, "out", &["--trials", "1"]);
    assert_eq!(wrong.code, Some(1), "{}", wrong.stderr);
    assert!(wrong.stderr.contains("error: study.toml, line 8: "), "{}", wrong.stderr);
    assert!(wrong.stderr.contains("learning_rat"), "{}", wrong.stderr);
    assert!(!bench.path().join("out/trials").exists(), "nothing is made");
}

#[test]
fn what_a_search_cannot_go_through_is_refused() {
    let bench = Bench::new();
    let write =
        |name: &str, text: &str| fs::write(bench.path().join(name), text).expect("the file is written");
    write("study.toml", &format!("{STUDY}[model.plain]\nlayers = [\"flatten\", \"dense classes\"]\n"));
    // A setting of another model's is no hindrance.
    let text = bench.read("study.toml").replace("learning_rate = { log = [0.0001, 0.1] }\n", "");
    write("width.toml", &text);
    let of = |names: &[&str]| {
        let words =
            [&["tune"], names, &["--trials", "1", "--epochs", "1", "--out", "out", "--quiet", "--fresh"]]
                .concat();
        said(&mut bench.command(&words))
    };
    let one = of(&["width.toml:small"]);
    assert_eq!(one.code, Some(0), "{}", one.stderr);
    let nothing = of(&["width.toml:plain"]);
    assert!(nothing.stderr.contains("at least 1 dimension expected"), "{}", nothing.stderr);

    write("grid.toml", &format!("{STUDY}[grid]\nbatch_size = [16, 32]\n"));
    let grid = of(&["grid.toml"]);
    assert_eq!(grid.code, Some(2), "{}", grid.stderr);
    assert!(grid.stderr.contains("grid.toml: has a grid"), "{}", grid.stderr);

    write("other.toml", &STUDY.replace("\"data\"", "\"other\"").replace("model.small", "model.large"));
    let clash = of(&["study.toml:small", "other.toml"]);
    assert_eq!(clash.code, Some(2), "{}", clash.stderr);
    assert!(
        clash.stderr.contains("other.toml: its data set is other, that of the models before it data"),
        "{}",
        clash.stderr
    );
    assert_eq!(of(&["study.toml:small", "other.toml", "--dataset", "data"]).code, Some(0));

    write(
        "writers.toml",
        &format!("protocol = \"writers\"\n{}", STUDY.replace("model.small", "model.large")),
    );
    let clash = of(&["study.toml:small", "writers.toml"]);
    let told = "writers.toml: its protocol is writers, that of the models before it sound";
    assert!(clash.stderr.contains(told), "{}", clash.stderr);
    assert_eq!(of(&["study.toml:small", "writers.toml", "--protocol", "writers"]).code, Some(0));
    assert_eq!(bench.json("out/search.json")["protocol"], "writers");
    let original = of(&["study.toml:small", "--protocol", "original"]);
    assert_eq!(original.code, Some(2), "{}", original.stderr);
    assert!(original.stderr.contains("nothing is chosen by them"), "{}", original.stderr);
}
