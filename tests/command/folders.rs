//! A results folder: whose it is, what is reused in it, several programs in it, and runs that fail.

use crate::common::{self, Bench, Said, end, said};
use std::{
    fs,
    io::{BufRead, BufReader},
    process::{Child, Command},
    time::{Duration, Instant},
};

/// A comparison that goes on beside others.
fn start(bench: &Bench, more: &[&str]) -> Child {
    common::start(bench, &[&["compare", "--dataset", "data", "--batch-size", "32"], more])
}

fn wait_for(what: &str, mut there: impl FnMut() -> bool) {
    let start = Instant::now();
    while !there() {
        assert!(start.elapsed() < Duration::from_secs(60), "{what}: not within a minute");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Runs that a command trained itself.
fn trained(said: &Said) -> usize {
    said.stderr.lines().filter(|line| line.contains(": done, test accuracy")).count()
}

#[test]
fn records_are_reused_on_any_number_of_threads() {
    let bench = Bench::new();
    let first = said(&mut bench.compare("out", &["mlp", "cnn", "--threads", "1"]));
    assert_eq!((first.code, trained(&first)), (Some(0), 4), "{}", first.stderr);
    let (before, report) = (bench.fingerprints("out"), bench.read("out/report.md"));
    let again = said(&mut bench.compare("out", &["mlp", "cnn", "--threads", "2"]));
    assert_eq!((again.code, trained(&again)), (Some(0), 0), "{}", again.stderr);
    assert_eq!(again.stderr.matches("kept from before").count(), 4);
    assert_eq!((bench.fingerprints("out"), bench.read("out/report.md")), (before.clone(), report));
    // Other instructions come to other bits: both results stay.
    let mut portable = bench.compare("out", &["mlp", "cnn"]);
    let portable = said(portable.env("MNIST_STUDY_KERNELS", "portable"));
    assert_eq!((portable.code, trained(&portable)), (Some(0), 4), "{}", portable.stderr);
    assert_eq!(bench.files("out/records").len(), 8);
    let back = said(&mut bench.compare("out", &["mlp", "cnn"]));
    assert_eq!((trained(&back), bench.fingerprints("out")), (0, before));
}

#[test]
fn two_studies_at_once_in_one_folder_are_refused_with_both_names() {
    let bench = Bench::new();
    let first = start(&bench, &["mlp", "cnn", "--epochs", "40", "--seeds", "3", "--out", "out"]);
    wait_for("a plan", || bench.path().join("out/plan.json").exists());
    // It would be done before the second has started, on a machine that is quick to train and slow to start.
    common::send("STOP", &first);
    let second = said(&mut bench.compare("out", &["lstm"]));
    common::send("CONT", &first);
    assert_eq!(second.code, Some(1), "{}", second.stderr);
    for expected in
        ["error: out: the study \"compare mlp cnn\" is being run here", "\"compare lstm\"", "--out"]
    {
        assert!(second.stderr.contains(expected), "{}", second.stderr);
    }
    let first = end(first);
    assert_eq!((first.code, trained(&first)), (Some(0), 6), "{}", first.stderr);
    assert!(first.stdout.contains("\nmlp ") && !first.stdout.contains("lstm"), "{}", first.stdout);
    // Afterwards the folder is free, and what was there is kept.
    let then = said(&mut bench.compare("out", &["lstm"]));
    assert_eq!(then.code, Some(0), "{}", then.stderr);
    assert!(then.stderr.contains("6 records of runs that this study does not ask for left out"));
    assert!(!bench.path().join("out/.mnist-study").exists(), "the locks are gone");
}

#[test]
fn equal_commands_at_once_make_each_run_once() {
    for programs in [2, 4] {
        let bench = Bench::new();
        let arguments = ["mlp", "cnn", "--epochs", "20", "--seeds", "4", "--out", "out"];
        let all: Vec<Child> = (0..programs).map(|_| start(&bench, &arguments)).collect();
        let all: Vec<Said> = all.into_iter().map(end).collect();
        assert!(all.iter().all(|said| said.code == Some(0)), "{}", all[0].stderr);
        assert_eq!(all.iter().map(trained).sum::<usize>(), 8, "of {programs}");
        // The first to end may have ended before the others began to write: what they all print in the end is the same study.
        assert_eq!(bench.files("out/records").len(), 8);
        assert_eq!(bench.fingerprints("out").len(), 8);
        let alone = said(&mut bench.compare("alone", &["mlp", "cnn", "--epochs", "20", "--seeds", "4"]));
        assert_eq!((alone.code, bench.fingerprints("alone")), (Some(0), bench.fingerprints("out")));
    }
}

#[test]
fn commands_of_one_study_with_other_seeds_both_keep_their_runs() {
    let bench = Bench::new();
    let of = |seed: &str| {
        start(&bench, &["mlp", "cnn", "--epochs", "40", "--seeds", "2", "--seed", seed, "--out", "out"])
    };
    let first = of("0");
    wait_for("a plan", || bench.path().join("out/plan.json").exists());
    let second = of("2");
    let (first, second) = (end(first), end(second));
    for said in [&first, &second] {
        assert_eq!((said.code, trained(said)), (Some(0), 4), "{}", said.stderr);
    }
    // The one that ends first says so; should they end at one moment, neither does.
    let others =
        |said: &Said| said.stderr.matches("note: another program makes runs of this study in out").count();
    assert!(others(&first) + others(&second) <= 1, "{}{}", first.stderr, second.stderr);
    let reported = said(&mut bench.command(&["report", "out"]));
    assert_eq!(reported.code, Some(0));
    let runs: Vec<(String, u64)> =
        bench.fingerprints("out").into_iter().map(|(model, seed, _)| (model, seed)).collect();
    let expected: Vec<(String, u64)> =
        ["mlp", "cnn"].iter().flat_map(|model| (0..4).map(|seed| ((*model).to_owned(), seed))).collect();
    assert_eq!(runs, expected);
}

/// The first process is stopped in mid-run, so that the second has to wait, and then killed.
#[cfg(unix)]
#[test]
fn a_run_whose_program_was_killed_is_made_by_the_one_that_waited() {
    let bench = Bench::new();
    let arguments = ["mlp", "--epochs", "1000", "--seeds", "1", "--out", "out"];
    let mut first = start(&bench, &arguments);
    // Not before it trains: until then it may hold what the second needs to get as far as waiting.
    let mut telling = BufReader::new(first.stderr.take().expect("piped")).lines().map_while(Result::ok);
    assert!(telling.any(|line| line.contains(", epoch ")));
    common::send("STOP", &first);
    let mut second = start(&bench, &arguments);
    let mut told = BufReader::new(second.stderr.take().expect("piped")).lines().map_while(Result::ok);
    assert!(told.any(|line| line == "waiting for 1 run in other processes"));
    first.kill().expect("killed");
    first.wait().expect("it ends");
    let stderr = told.collect::<Vec<_>>().join("\n");
    let second = Said { stderr, ..end(second) };
    assert_eq!((second.code, trained(&second)), (Some(0), 1), "{}", second.stderr);
    assert!(!bench.path().join("out/.mnist-study").exists(), "the locks are gone");
}

#[test]
fn a_titled_study_is_not_replaced_by_another_unasked() {
    let bench = Bench::new();
    for (file, title) in
        [("a.toml", "title = \"Depth\"\n"), ("b.toml", "title = \"Width\"\n"), ("c.toml", "")]
    {
        let text =
            format!("{title}models = [\"mlp\"]\ndataset = \"data\"\nseeds = 1\nrecipe = {{ epochs = 1 }}\n");
        fs::write(bench.path().join(file), text).expect("written");
    }
    let run =
        |file: &str, more: &[&str]| said(bench.command(&["run", file, "--out", "out", "--quiet"]).args(more));
    assert_eq!(run("a.toml", &[]).code, Some(0));
    assert_eq!(run("a.toml", &["--seeds", "2"]).code, Some(0), "its own");
    let plan = bench.read("out/plan.json");
    for (file, asked) in [("b.toml", "Width"), ("c.toml", "compare mlp")] {
        let refused = run(file, &[]);
        assert_eq!(refused.code, Some(1));
        let expected = format!("error: out: holds the study \"Depth\", not \"{asked}\"\nhint: ");
        assert!(refused.stderr.starts_with(&expected), "{}", refused.stderr);
        assert!(refused.stderr.contains("--out") && refused.stderr.contains("--fresh"), "{}", refused.stderr);
        assert_eq!(bench.read("out/plan.json"), plan);
    }
    assert_eq!(run("b.toml", &["--fresh"]).code, Some(0));
    assert!(bench.read("out/report.md").starts_with("# Width"));
}

#[test]
fn a_folder_with_other_peoples_files_is_left_alone() {
    for name in ["report.md", "summary.json", "plan.json", "parts.json", "epochs.csv", "Training_Time.png"] {
        let bench = Bench::new();
        fs::create_dir(bench.path().join("mine")).expect("a folder");
        fs::write(bench.path().join("mine").join(name), "precious").expect("written");
        fs::write(bench.path().join("mine/notes.txt"), "mine").expect("written");
        let refused = said(&mut bench.compare("mine", &["mlp"]));
        assert_eq!(refused.code, Some(1));
        assert!(
            refused
                .stderr
                .contains(&format!("error: mine: holds {name}, and no records of this program\nhint: ")),
            "{}",
            refused.stderr
        );
        assert_eq!(bench.read(&format!("mine/{name}")), "precious");
        assert_eq!(bench.files("mine").len(), 2, "nothing is added");
    }
    // A folder with other files alone is as good as an empty one.
    let bench = Bench::new();
    fs::create_dir(bench.path().join("mine")).expect("a folder");
    fs::write(bench.path().join("mine/notes.txt"), "mine").expect("written");
    assert_eq!(said(&mut bench.compare("mine", &["mlp"])).code, Some(0));
}

#[test]
fn a_plan_that_was_changed_is_not_believed() {
    let bench = Bench::new();
    assert_eq!(said(&mut bench.compare("out", &["mlp", "--seeds", "1"])).code, Some(0));
    let plan = bench.read("out/plan.json");
    let start = plan.find("    {\n").expect("a run");
    let run = &plan[start..plan.find("\n  ],").expect("the end of the runs")];
    let four = plan.replacen(run, &[run; 4].join(",\n"), 1);
    let renamed = plan.replacen("\"name\": \"compare", "\"name\": \"contrast", 1);
    for (changed, told) in [(four, "is planned twice"), (renamed, "changed since it was written")] {
        assert_ne!(changed, plan);
        fs::write(bench.path().join("out/plan.json"), &changed).expect("written");
        let reported = said(&mut bench.command(&["report", "out"]));
        assert_eq!(reported.code, Some(0), "{}", reported.stderr);
        assert!(reported.stderr.contains(told), "{}", reported.stderr);
        assert_eq!(bench.fingerprints("out").len(), 1, "the record counts once");
        let quiet = said(&mut bench.command(&["report", "out", "--quiet"]));
        assert!(quiet.stderr.contains(told), "{}", quiet.stderr);
    }
}

#[test]
fn a_lost_record_is_told_when_all_else_is_quiet() {
    let bench = Bench::new();
    assert_eq!(said(&mut bench.compare("out", &["mlp", "cnn"])).code, Some(0));
    let name = bench.files("out/records").remove(0);
    let path = bench.path().join("out/records").join(&name);
    let bytes = fs::read(&path).expect("a record");
    fs::write(&path, &bytes[..bytes.len() / 2]).expect("written");
    let reported = said(&mut bench.command(&["report", "out", "--quiet"]));
    assert_eq!(reported.code, Some(0));
    assert!(
        reported.stderr.starts_with(&format!("note: out/records/{name}: damaged: ")),
        "{}",
        reported.stderr
    );
    let [_, missing] = reported.stderr.lines().collect::<Vec<_>>()[..] else { panic!("{}", reported.stderr) };
    assert!(missing.contains("planned runs has no usable record ("), "{missing}");
}

#[test]
fn networks_of_one_name_are_told_apart() {
    let bench = Bench::new();
    for (units, seeds) in [(8, 2), (12, 2)] {
        let text = format!(
            "models = [\"m\"]\ndataset = \"data\"\nseeds = {seeds}\nrecipe = {{ epochs = 1 }}\n[model.m]\nlayers = [\"flatten\", \"dense {units}\", \
             \"relu\", \"dense classes\"]\n"
        );
        fs::write(bench.path().join("s.toml"), text).expect("written");
        assert_eq!(said(&mut bench.command(&["run", "s.toml", "--out", "out", "--quiet"])).code, Some(0));
    }
    fs::remove_file(bench.path().join("out/plan.json")).expect("there");
    let reported = said(&mut bench.command(&["report", "out"]));
    assert_eq!(reported.code, Some(0), "{}", reported.stderr);
    let note = "note: 2 models of different layers, recipes or data are named m: they are told apart as m (1) to m (2)";
    assert!(reported.stderr.contains(note), "{}", reported.stderr);
    let summary = bench.json("out/summary.json");
    let models = summary["models"].as_array().expect("models");
    let names: Vec<_> = models.iter().map(|model| model["name"].as_str()).collect();
    assert_eq!(names, [Some("m (1)"), Some("m (2)")]);
    assert_ne!(models[0]["parameters"], models[1]["parameters"]);
    assert!(models.iter().all(|model| model["runs"].as_array().map(Vec::len) == Some(2)));
}

#[test]
fn a_run_that_diverges_leaves_the_others_alone() {
    let bench = Bench::new();
    // Without a nonlinearity nothing holds the weights back.
    let text = "models = [\"bad\", \"mlp\"]\ndataset = \"data\"\nseeds = 2\nrecipe = { epochs = 2, batch_size = 8 }\n[model.bad]\n\
                layers = [\"flatten\", \"dense 128\", \"dense 128\", \"dense 128\", \"dense classes\"]\n[model.bad.recipe]\n\
                optimiser = \"sgd\"\nlearning_rate = 10\n";
    fs::write(bench.path().join("s.toml"), text).expect("written");
    let run = |more: &[&str]| said(bench.command(&["run", "s.toml", "--out", "out"]).args(more));
    let first = run(&[]);
    assert_eq!(first.code, Some(1), "{}", first.stderr);
    assert_eq!(trained(&first), 2, "{}", first.stderr);
    assert!(
        first.stderr.contains("error: model bad, seed 0: the loss is infinite or not a number"),
        "{}",
        first.stderr
    );
    assert!(first.stderr.contains("; another run failed too\nhint: "), "{}", first.stderr);
    assert_eq!(bench.files("out/records").len(), 2);
    let report = bench.read("out/report.md");
    // The same bits would diverge again: it is known, and not tried.
    let again = run(&[]);
    assert_eq!((again.code, trained(&again)), (Some(1), 0));
    assert!(again.stderr.contains("(known from before)"), "{}", again.stderr);
    assert_eq!(bench.read("out/report.md"), report);
    let fresh = run(&["--fresh"]);
    assert_eq!((fresh.code, trained(&fresh)), (Some(1), 2));
    assert!(!fresh.stderr.contains("(known from before)"), "{}", fresh.stderr);
    // Nothing but failures is a failure that says so.
    let alone = text.replace("[\"bad\", \"mlp\"]", "[\"bad\"]");
    fs::write(bench.path().join("s.toml"), alone).expect("written");
    let alone = run(&["--out", "alone"]);
    assert_eq!(alone.code, Some(1));
    assert!(
        alone.stderr.contains("error: model bad, seed 0: the loss is infinite or not a number"),
        "{}",
        alone.stderr
    );
    let reported = said(&mut bench.command(&["report", "alone"]));
    assert!(
        reported.stderr.contains("alone: no run came to a result; model bad, seed 0: "),
        "{}",
        reported.stderr
    );
}

#[cfg(unix)]
#[test]
fn pipes_and_devices_in_a_folder_end_the_report_at_once() {
    let bench = Bench::new();
    assert_eq!(said(&mut bench.compare("out", &["mlp", "--seeds", "1"])).code, Some(0));
    let plan = bench.path().join("out/plan.json");
    for make in [["mkfifo", "out/plan.json", ""], ["ln", "-s", "/dev/zero"]] {
        fs::remove_file(&plan).expect("there");
        let mut command = Command::new(make[0]);
        command.current_dir(bench.path()).args(make[1..].iter().filter(|argument| !argument.is_empty()));
        if make[0] == "ln" {
            command.arg("out/plan.json");
        }
        assert!(command.status().expect("it runs").success());
        let start = Instant::now();
        let reported = said(&mut bench.command(&["report", "out"]));
        assert_eq!(reported.code, Some(0), "{}", reported.stderr);
        assert!(reported.stderr.contains("plan.json: a plain file is expected"), "{}", reported.stderr);
        assert!(start.elapsed() < Duration::from_secs(10));
    }
}
