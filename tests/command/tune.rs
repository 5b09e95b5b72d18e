//! A search end to end: its files, going on, and the study file that it ends in.

use crate::common::{self, Bench, Said, end, said};
use records::event::{Event, Kind};
use std::{fs, process::Child};

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

/// A search that goes on beside others.
fn start(bench: &Bench, out: &str, more: &[&str]) -> Child {
    common::start(bench, &[&["tune", "study.toml", "--out", out], more])
}

/// What the trials of a folder came to, without the times.
fn results(bench: &Bench, out: &str) -> Vec<serde_json::Value> {
    let of = |file: String| {
        let mut trial = bench.json(&format!("{out}/trials/{file}"));
        let epochs = trial["epochs"].as_array_mut().expect("epochs");
        epochs.iter_mut().for_each(|epoch| epoch["train_seconds"] = 0.into());
        let fields = trial.as_object_mut().expect("an object");
        for clock in ["train_seconds", "total_seconds", "environment", "digest"] {
            fields.remove(clock);
        }
        trial
    };
    bench.files(&format!("{out}/trials")).into_iter().map(of).collect()
}

const ROUNDS: [&str; 4] = ["--trials", "7", "--round", "4"];

#[test]
fn processes_on_one_folder_divide_a_search() {
    let bench = Bench::new();
    fs::write(bench.path().join("study.toml"), STUDY).expect("the file is written");
    assert_eq!(tune(&bench, "whole", &ROUNDS).code, Some(0));
    let both = [start(&bench, "out", &ROUNDS), start(&bench, "out", &ROUNDS)].map(end);
    let mut made = 0;
    for said in &both {
        assert_eq!(said.code, Some(0), "{}", said.stderr);
        made += said.stderr.lines().filter(|line| line.contains(": validation accuracy")).count();
    }
    assert_eq!(made, 8, "each trial once: {} {}", both[0].stderr, both[1].stderr);
    assert_eq!(results(&bench, "out"), results(&bench, "whole"));
    assert_eq!(bench.read("out/best.toml"), bench.read("whole/best.toml"));
    assert!(!bench.path().join("out/.mnist-study").exists(), "the claims are gone");
    let page = bench.read("out/tuning.md");
    assert!(page.contains("rounds of 4"), "{page}");
    assert_eq!(bench.json("out/tuning.json")["round"], 4);
}

#[test]
fn shards_in_folders_of_their_own_are_merged_to_the_search_of_one_process() {
    let bench = Bench::new();
    fs::write(bench.path().join("study.toml"), STUDY).expect("the file is written");
    let search = ["--trials", "5", "--sampler", "random", "--no-halving"];
    assert_eq!(tune(&bench, "whole", &search).code, Some(0));
    let shards = ["1/3", "2/3", "3/3"];
    for (shard, out) in shards.iter().zip(["a", "b", "c"]) {
        let mut command = bench.command(&["tune", "study.toml", "--out", out, "--shard", shard]);
        let ran = said(command.args(search));
        assert_eq!(ran.code, Some(0), "{}", ran.stderr);
        assert!(ran.stdout.contains(&format!("the trials of shard {shard} are done")), "{}", ran.stdout);
        assert!(!bench.path().join(out).join("tuning.json").exists(), "a shard reports nothing");
    }
    let status = said(&mut bench.command(&["status", "a"]));
    assert_eq!(status.code, Some(75), "{}", status.stderr);
    assert!(
        status.stdout.contains("small: baseline, 1 trial; missing before the last: 1, 2"),
        "{}",
        status.stdout
    );
    let merged = said(&mut bench.command(&["merge", "out", "b", "a"]));
    assert_eq!(merged.code, Some(0), "{}", merged.stderr);
    let merged = said(&mut bench.command(&["merge", "out", "c"]));
    assert!(merged.stdout.starts_with("6 trials of the search in out; "), "{}", merged.stdout);
    let status = said(&mut bench.command(&["status", "out", "--json"]));
    assert_eq!(status.code, Some(0), "{}", status.stderr);
    assert!(status.stdout.contains("\"trials\": 5"), "{}", status.stdout);
    let reported = said(bench.command(&["tune", "study.toml", "--out", "out"]).args(search));
    assert_eq!(reported.code, Some(0), "{}", reported.stderr);
    assert_eq!(reported.stderr.matches("kept from before").count(), 6, "{}", reported.stderr);
    assert_eq!(results(&bench, "out"), results(&bench, "whole"));
    assert_eq!(bench.read("out/best.toml"), bench.read("whole/best.toml"));

    assert_eq!(tune(&bench, "other", &["--trials", "1"]).code, Some(0));
    let refused = said(&mut bench.command(&["merge", "out", "other"]));
    assert_eq!(refused.code, Some(1), "{}", refused.stderr);
    assert!(
        refused.stderr.contains("other: holds another search than out: it differs in its"),
        "{}",
        refused.stderr
    );
}

/// One after the other in one folder: each makes what it can and says that it is to be begun again.
#[test]
fn shards_wait_for_each_other_round_by_round() {
    let bench = Bench::new();
    fs::write(bench.path().join("study.toml"), STUDY).expect("the file is written");
    assert_eq!(tune(&bench, "whole", &ROUNDS).code, Some(0));
    let shard = |shard: &str| tune(&bench, "out", &[&ROUNDS[..], &["--shard", shard]].concat());
    // Shard 1 has the baseline and, as the files count, trials 1, 3 and 5; of the first round, trials 0 to 3, it lacks 0 and 2 then.
    let first = shard("1/2");
    assert_eq!(first.code, Some(75), "{}", first.stderr);
    assert!(
        first.stderr.contains(
            "shard 1/2: 2 trials of other shards expected before its next ones, and no process makes them"
        ),
        "{}",
        first.stderr
    );
    assert!(
        first.stderr.contains("run this command again when the other shards have made theirs"),
        "{}",
        first.stderr
    );
    // The other one finds all that it needs, and has no more to do when it has made its own.
    assert_eq!(shard("2/2").code, Some(0));
    assert!(!bench.path().join("out/tuning.json").exists(), "one trial is left");
    assert_eq!(shard("1/2").code, Some(0));
    assert_eq!(results(&bench, "out"), results(&bench, "whole"));
    assert_eq!(bench.read("out/best.toml"), bench.read("whole/best.toml"), "who ends last reports");
    for more in [["--fresh"].as_slice(), &["--minutes", "1"]] {
        let refused = tune(&bench, "out", &[&["--shard", "1/2"], more].concat());
        assert_eq!(refused.code, Some(2), "{}", refused.stderr);
    }
}

/// The first process is stopped in mid-trial, so that the second has to wait, and then killed.
#[cfg(unix)]
#[test]
fn the_trial_of_a_killed_process_is_made_by_the_one_that_waited() {
    use std::{
        io::{BufRead, BufReader},
        time::{Duration, Instant},
    };
    let bench = Bench::new();
    let text = STUDY.replace("epochs = 3", "epochs = 1000");
    fs::write(bench.path().join("study.toml"), text).expect("the file is written");
    let arguments = ["--trials", "1", "--no-halving"];
    let mut first = start(&bench, "out", &arguments);
    let begun = Instant::now();
    let claim = bench.path().join("out/.mnist-study/small-as-it-stands.claim");
    while !claim.exists() {
        assert!(begun.elapsed() < Duration::from_secs(60), "a claim within a minute");
        std::thread::sleep(Duration::from_millis(2));
    }
    common::send("STOP", &first);
    assert!(claim.exists(), "stopped in the middle");
    let mut second = start(&bench, "out", &arguments);
    let mut told = BufReader::new(second.stderr.take().expect("piped")).lines().map_while(Result::ok);
    // It makes the trial meanwhile, which does not depend on the model as it stands.
    assert!(told.any(|line| line == "waiting for 1 trial of other processes"));
    first.kill().expect("killed");
    first.wait().expect("it ends");
    let told: Vec<String> = told.collect();
    assert!(second.wait().expect("it ends").success(), "{told:?}");
    assert_eq!(bench.files("out/trials").len(), 2);
    assert!(!bench.path().join("out/.mnist-study").exists(), "the claims are gone");
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
