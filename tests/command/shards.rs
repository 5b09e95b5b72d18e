//! A study in shards: who makes which run, what is told of the rest, and how the parts come together.

use crate::common::{self, Bench, Said, said};
use records::{
    identity::run_id,
    record::RunRecord,
    store::{Kept, Store},
};
use serde_json::Value;
use std::{
    collections::BTreeSet,
    fs,
    io::{BufRead, BufReader},
    process::Stdio,
    time::{Duration, Instant},
};

const STUDY: &str = "title = \"Shards\"\nmodels = [\"mlp\", \"cnn\"]\ndataset = \"data\"\nseeds = 3\n\
                     recipe = { epochs = 2, batch_size = 32 }\n";

fn bench() -> Bench {
    let bench = Bench::new();
    fs::write(bench.path().join("s.toml"), STUDY).expect("written");
    bench
}

fn run(bench: &Bench, more: &[&str]) -> Said {
    said(bench.command(&["run", "s.toml"]).args(more))
}

fn records(bench: &Bench, out: &str) -> Vec<RunRecord> {
    let store = Store::of(&bench.path().join(out));
    let read = |id: String| store.read(&id).expect("sound").expect("there");
    store.identities().expect("records").into_iter().map(read).collect()
}

fn texts(value: &Value, list: &str, field: &str) -> Vec<String> {
    let text = |run: &Value| run[field].as_str().expect("text").to_owned();
    value[list].as_array().expect("a list").iter().map(text).collect()
}

#[test]
fn shards_of_one_folder_make_the_study() {
    let bench = bench();
    assert_eq!(run(&bench, &["--out", "single", "--quiet"]).code, Some(0));
    let mut seen = BTreeSet::new();
    for (shard, done) in [("2/3", 2), ("3/3", 4), ("1/3", 6)] {
        let made = run(&bench, &["--out", "out", "--shard", shard]);
        assert_eq!(made.code, Some(0), "{}", made.stderr);
        assert!(made.stderr.contains(&format!("note: shard {shard}: 2 of 6 runs\n")), "{}", made.stderr);
        assert!(
            made.stdout.starts_with(&format!("{done} of 6 runs of the study are done; ")),
            "{}",
            made.stdout
        );
        let lines = |text: &str| made.stderr.lines().filter(|line| line.contains(text)).count();
        assert_eq!((lines("epoch 1/2: "), lines("epoch 2/2: ")), (2, 2), "a line an epoch: {}", made.stderr);
        let there = records(&bench, "out");
        let new: Vec<&RunRecord> = there.iter().filter(|record| seen.insert(record.id.clone())).collect();
        let [one, other] = new[..] else { panic!("{} new records", new.len()) };
        assert_eq!(one.specification.seed, other.specification.seed, "pairs stay together");
        assert_ne!(one.specification.model, other.specification.model);
        assert!(!bench.path().join("out/report.md").exists(), "who has some of the runs reports nothing");
        let told = said(&mut bench.command(&["status", "out"]));
        let expected = if done == 6 { (Some(0), String::new()) } else { (Some(75), told.stderr.clone()) };
        assert_eq!((told.code, told.stderr.clone()), expected);
        assert!(told.stdout.starts_with("Shards: 6 runs\n"), "{}", told.stdout);
        assert!(told.stdout.contains(&format!("{done:>9}  done\n")), "{}", told.stdout);
        if done < 6 {
            assert_eq!(told.stdout.matches(": missing\n").count(), 6 - done, "{}", told.stdout);
            assert!(
                told.stderr.starts_with(&format!("note: out: {done} of 6 runs are done\n")),
                "{}",
                told.stderr
            );
        }
    }
    assert_eq!(said(&mut bench.command(&["report", "out"])).code, Some(0));
    assert_eq!(bench.fingerprints("out"), bench.fingerprints("single"));
    assert_eq!(bench.read("out/plan.json"), bench.read("single/plan.json"));
    let complete = said(&mut bench.command(&["status", "out", "--json"]));
    let complete: Value = serde_json::from_str(&complete.stdout).expect("JSON");
    assert_eq!((&complete["done"], &complete["missing"]), (&6.into(), &0.into()));
    assert_eq!(texts(&complete, "runs", "state"), ["done"; 6]);
}

#[test]
fn a_dry_run_tells_identities_and_a_run_is_made_by_one() {
    let bench = bench();
    let list = |more: &[&str]| {
        let listed = run(&bench, &[&["--dry-run", "--json", "--out", "out"], more].concat());
        assert_eq!(listed.code, Some(0), "{}", listed.stderr);
        serde_json::from_str::<Value>(&listed.stdout).expect("JSON")
    };
    let all = texts(&list(&[]), "runs", "id");
    assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), 6);
    let of_shards: Vec<String> = ["1/2", "2/2"]
        .into_iter()
        .flat_map(|shard| texts(&list(&["--shard", shard]), "runs", "id"))
        .collect();
    assert_eq!(of_shards.iter().collect::<BTreeSet<_>>(), all.iter().collect::<BTreeSet<_>>());
    assert_eq!(bench.files("."), ["data", "s.toml"], "nothing is written");
    let made = run(&bench, &["--only", &all[3], "--only", &all[0][..10], "--out", "out"]);
    assert_eq!(made.code, Some(0), "{}", made.stderr);
    let ids: Vec<String> = records(&bench, "out").into_iter().map(|record| record.id).collect();
    assert_eq!(ids.iter().collect::<BTreeSet<_>>(), [&all[3], &all[0]].into_iter().collect());
    for (only, expected) in
        [("0123456789abcdef", "the identity of a run of this study expected"), ("", "6 runs begin so")]
    {
        let refused = run(&bench, &["--only", only, "--out", "out"]);
        assert_eq!(refused.code, Some(2), "{}", refused.stderr);
        assert!(
            refused.stderr.starts_with(&format!("error: --only {only}: {expected}")),
            "{}",
            refused.stderr
        );
    }
    let again = run(&bench, &["--only", &all[0], "--fresh", "--out", "out"]);
    assert_eq!((again.code, again.stderr.matches(": done, test").count()), (Some(0), 1), "{}", again.stderr);
    for refused in [["--shard", "1/2", "--only", "x"], ["--shard", "1/2", "--fresh", "--quiet"]] {
        assert_eq!(run(&bench, &refused).code, Some(2));
    }
}

/// Under a scheduler: no terminal, no home, no network, nothing of the environment but its variables.
#[test]
fn a_task_is_told_what_it_is_by_its_environment() {
    let bench = bench();
    let task = |variables: &[(&str, &str)], more: &[&str]| {
        let mut command = bench.command(&["run", "s.toml", "--out", "out", "--shard", "auto"]);
        command.env_clear().envs(variables.iter().copied()).args(more);
        said(&mut command)
    };
    let of_slurm = [
        ("SLURM_JOB_ID", "71"),
        ("SLURM_ARRAY_JOB_ID", "70"),
        ("SLURM_ARRAY_TASK_ID", "3"),
        ("SLURM_ARRAY_TASK_COUNT", "3"),
        ("SLURM_ARRAY_TASK_MIN", "1"),
        ("SLURM_ARRAY_TASK_MAX", "3"),
        ("SLURM_RESTART_COUNT", "1"),
        ("SLURM_CPUS_PER_TASK", "1"),
    ];
    let made = task(&of_slurm, &[]);
    assert_eq!(made.code, Some(0), "{}", made.stderr);
    assert!(made.stderr.contains("note: shard 3/3 (by SLURM_ARRAY_TASK_ID): 2 of 6 runs"), "{}", made.stderr);
    for record in records(&bench, "out") {
        assert_eq!(record.environment.threads, 1);
        let place = record.environment.place.expect("a place");
        assert!(!place.host.is_empty());
        assert_eq!(place.task.expect("a task").to_string(), "Slurm job 70 task 3, begun again once");
    }
    let of_kubernetes =
        [("JOB_COMPLETION_INDEX", "0"), ("MNIST_STUDY_SHARDS", "3"), ("OMP_NUM_THREADS", "1")];
    let made = task(&of_kubernetes, &[]);
    assert!(
        made.stderr.contains("note: shard 1/3 (by JOB_COMPLETION_INDEX): 2 of 6 runs"),
        "{}",
        made.stderr
    );
    let of_hyperqueue = [("HQ_TASK_ID", "2"), ("HQ_JOB_ID", "5"), ("MNIST_STUDY_SHARDS", "3")];
    assert_eq!(task(&of_hyperqueue, &[]).code, Some(0));
    assert_eq!(said(&mut bench.command(&["status", "out"])).code, Some(0));
    let refused = task(&[], &[]);
    assert_eq!(refused.code, Some(2));
    assert!(
        refused.stderr.starts_with("error: --shard auto: the variables of a task of Slurm"),
        "{}",
        refused.stderr
    );
    // The report says where, once there is more than one place to tell.
    assert_eq!(said(&mut bench.command(&["report", "out"])).code, Some(0));
    let summary = bench.json("out/summary.json");
    let run = &summary["models"][0]["runs"][2]["place"];
    assert_eq!((&run["task"]["scheduler"], &run["task"]["number"]), (&"slurm".into(), &3.into()));
}

#[test]
fn a_shard_of_another_study_does_not_join() {
    let bench = bench();
    assert_eq!(run(&bench, &["--shard", "1/3", "--out", "out"]).code, Some(0));
    let plan = bench.read("out/plan.json");
    let other = STUDY.replace("Shards", "Slices");
    fs::write(bench.path().join("other.toml"), other).expect("written");
    let refused = said(&mut bench.command(&["run", "other.toml", "--shard", "2/3", "--out", "out"]));
    assert_eq!(refused.code, Some(1));
    assert!(
        refused.stderr.contains(
            "error: out: holds the study \"Shards\", not \"Slices\"\nhint: choose another folder with --out"
        ),
        "{}",
        refused.stderr
    );
    // The same title, other contents.
    fs::write(bench.path().join("other.toml"), STUDY.replace("epochs = 2", "epochs = 3")).expect("written");
    let refused = said(&mut bench.command(&["run", "other.toml", "--shard", "2/3", "--out", "out"]));
    assert!(refused.stderr.contains("with these settings, data or kernels"), "{}", refused.stderr);
    let mut portable = bench.command(&["run", "s.toml", "--shard", "2/3", "--out", "out"]);
    let portable = said(portable.env("MNIST_STUDY_KERNELS", "portable"));
    assert_eq!(portable.code, Some(1));
    assert!(portable.stderr.contains("this process computes with portable kernels"), "{}", portable.stderr);
    assert!(portable.stderr.contains("MNIST_STUDY_KERNELS"), "{}", portable.stderr);
    assert_eq!(bench.read("out/plan.json"), plan);
    // More seeds of the same study are added to.
    assert_eq!(run(&bench, &["--seeds", "4", "--shard", "4/4", "--out", "out"]).code, Some(0));
    assert_eq!(run(&bench, &["--shard", "1/3", "--out", "out"]).code, Some(0));
    let told = said(&mut bench.command(&["status", "out", "--json"]));
    let told: Value = serde_json::from_str(&told.stdout).expect("JSON");
    assert_eq!(told["runs"].as_array().map(Vec::len), Some(8), "four seeds are planned still");
}

#[test]
fn folders_of_shards_are_merged_and_what_is_missing_is_told() {
    let bench = bench();
    for shard in 1..=3 {
        let (shard, out) = (format!("{shard}/3"), format!("shard-{shard}"));
        assert_eq!(run(&bench, &["--shard", &shard, "--out", &out, "--quiet"]).code, Some(0));
    }
    let merge = |arguments: &[&str]| said(bench.command(&["merge"]).args(arguments));
    let some = merge(&["all", "shard-3", "shard-1"]);
    assert_eq!(some.code, Some(0), "{}", some.stderr);
    let summary = bench.json("all/summary.json");
    assert_eq!(summary["missing"].as_array().map(Vec::len), Some(2), "{}", summary["missing"]);
    let missing = "2 of 6 planned runs are missing (cnn: seed 1; mlp: seed 1).";
    assert!(bench.read("all/report.md").contains(missing) && bench.read("all/report.html").contains(missing));
    assert!(some.stdout.contains("2 of 6 planned runs are missing"), "{}", some.stdout);
    assert!(summary["warnings"].to_string().contains("the comparison is biased"), "{}", summary["warnings"]);
    // What was merged before is kept.
    let all = merge(&["all", "shard-2"]);
    assert_eq!(all.code, Some(0), "{}", all.stderr);
    assert_eq!(run(&bench, &["--out", "single", "--quiet"]).code, Some(0));
    assert_eq!(bench.fingerprints("all"), bench.fingerprints("single"));
    assert_eq!(bench.json("all/summary.json")["missing"], Value::Array(Vec::new()));
    assert_eq!(said(&mut bench.command(&["status", "all"])).code, Some(0));
    for (inputs, expected) in [
        (vec!["new", "nowhere"], "error: nowhere: a results folder expected, nothing found\n"),
        (
            vec!["new", "shard-1", "data"],
            "error: data: a results folder expected, a folder without a plan found\n",
        ),
    ] {
        let refused = merge(&inputs);
        assert_eq!(refused.code, Some(1));
        assert!(refused.stderr.starts_with(expected), "{}", refused.stderr);
        assert!(!bench.path().join("new").exists(), "nothing is written");
    }
    assert_eq!(merge(&["new"]).code, Some(2));
}

/// What cannot be on sound machines: the same run, and other bits.
#[test]
fn results_that_differ_are_kept_and_in_no_figure() {
    let bench = bench();
    for (shard, out) in [("1/3", "a"), ("1/3", "b"), ("2/3", "b")] {
        assert_eq!(run(&bench, &["--shard", shard, "--out", out, "--quiet"]).code, Some(0));
    }
    let mut wrong =
        records(&bench, "b").into_iter().find(|record| record.specification.seed == 0).expect("a run");
    let right = wrong.fingerprint.clone();
    wrong.fingerprint = "0".repeat(64);
    assert_eq!(run_id(&wrong.specification, &wrong.environment), wrong.id);
    let store = Store::of(&bench.path().join("b"));
    assert!(matches!(store.write(&wrong), Ok(Kept::InConflict(_))));
    fs::remove_file(store.path(&wrong.id)).expect("there");
    let merged = said(&mut bench.command(&["merge", "all", "a", "b"]));
    assert_eq!(merged.code, Some(1), "{}", merged.stderr);
    let model = &wrong.specification.model;
    let expected = format!("error: model {model}, seed 0: two results of the same run: fingerprint ");
    assert!(merged.stderr.contains(&expected), "{}", merged.stderr);
    let summary = bench.json("all/summary.json");
    let conflicts = summary["conflicts"].as_array().expect("a list");
    assert_eq!((conflicts.len(), &conflicts[0]["id"]), (1, &wrong.id.as_str().into()));
    assert!(bench.fingerprints("all").iter().all(|(name, seed, _)| (name, *seed) != (model, 0)));
    for file in ["all/report.md", "all/report.html"] {
        let text = bench.read(file);
        assert!(text.contains("1 of 6 planned runs has results of different bits"), "{file}");
        assert!(
            text.contains("1 run without a partner of the same seed or fold is left out of the comparison."),
            "{file}"
        );
    }
    assert!(merged.stdout.contains("results of different bits"), "{}", merged.stdout);
    assert_eq!(bench.files("all/conflicts").len(), 1);
    // Nobody takes one of them for the result.
    let told = said(&mut bench.command(&["status", "all"]));
    assert!(told.stdout.contains(": in conflict: several records of different bits"), "{}", told.stdout);
    let run_again = run(&bench, &["--out", "all", "--shard", "1/1", "--quiet"]);
    assert_eq!(run_again.code, Some(1), "{}", run_again.stderr);
    assert!(
        run_again.stderr.contains(&format!("error: model {model}, seed 0: two results")),
        "{}",
        run_again.stderr
    );
    // A run that is made again settles it.
    for entry in ["records", "conflicts"] {
        fs::create_dir_all(bench.path().join("settled").join(entry)).expect("made");
        for file in bench.files(&format!("all/{entry}")) {
            let [from, to] = ["all", "settled"].map(|out| bench.path().join(out).join(entry).join(&file));
            fs::copy(from, to).expect("copied");
        }
    }
    fs::copy(bench.path().join("all/plan.json"), bench.path().join("settled/plan.json")).expect("copied");
    let settled = run(&bench, &["--out", "settled", "--only", &wrong.id, "--fresh", "--quiet"]);
    assert_eq!(settled.code, Some(0), "{}", settled.stderr);
    assert_eq!(bench.files("settled/conflicts").len(), 0);
    assert_eq!(records(&bench, "settled").iter().filter(|record| record.fingerprint == right).count(), 1);
    // The wrong one is removed, whichever it is called.
    for file in
        [format!("records/{}.json", wrong.id), format!("conflicts/{}", bench.files("all/conflicts")[0])]
    {
        let path = bench.path().join("all").join(file);
        if fs::read_to_string(&path).expect("a record").contains(&wrong.fingerprint) {
            fs::remove_file(path).expect("removed");
        }
    }
    assert_eq!(said(&mut bench.command(&["report", "all"])).code, Some(0));
    assert!(bench.fingerprints("all").iter().any(|(_, _, fingerprint)| *fingerprint == right));
}

#[test]
fn runs_side_by_side_have_the_same_bits_and_marked_clocks() {
    let bench = bench();
    assert_eq!(run(&bench, &["--out", "single", "--quiet", "--threads", "2"]).code, Some(0));
    let made =
        run(&bench, &["--out", "out", "--jobs", "2", "--threads", "2", "--json-events", "events.jsonl"]);
    assert_eq!(made.code, Some(0), "{}", made.stderr);
    assert_eq!(bench.fingerprints("out"), bench.fingerprints("single"));
    for record in records(&bench, "out") {
        assert_eq!((record.environment.jobs, record.environment.threads), (Some(2), 1));
    }
    assert!(bench.read("out/report.md").contains("2 runs side by side"));
    assert_eq!(bench.json("out/summary.json")["machines"][0]["jobs"], 2);
    // Two runs were under way at once, and each event says of which it is.
    let mut open = BTreeSet::new();
    let mut most = 0;
    for line in bench.read("events.jsonl").lines() {
        let event: Value = serde_json::from_str(line).expect("JSON");
        match (event["kind"].as_str(), event["index"].as_u64()) {
            (Some("started"), Some(run)) => assert!(open.insert(run)),
            (Some("finished"), Some(run)) => assert!(open.remove(&run)),
            (Some("step" | "epoch"), Some(run)) => assert!(open.contains(&run), "{line}"),
            _ => {}
        }
        most = most.max(open.len());
    }
    assert_eq!((most, open.len()), (2, 0));
    // More than there are threads are as many as there are.
    let many = run(&bench, &["--out", "more", "--jobs", "9", "--threads", "2", "--seeds", "1"]);
    assert!(
        many.stderr.contains("note: --jobs 9: 2 side by side, as many as there are threads"),
        "{}",
        many.stderr
    );
    // Clocks of the two are of two kinds.
    assert_eq!(said(&mut bench.command(&["merge", "both", "single", "out"])).code, Some(0));
}

#[test]
fn threads_are_as_the_environment_says() {
    let bench = bench();
    let with = |variables: &[(&str, &str)], more: &[&str]| {
        let mut command = bench.command(&["run", "s.toml", "--seeds", "1", "--fresh", "--out", "out"]);
        command.env_remove("OMP_NUM_THREADS").env_remove("SLURM_CPUS_PER_TASK");
        let said = said(command.envs(variables.iter().copied()).args(more));
        assert_eq!(said.code, Some(0), "{}", said.stderr);
        (records(&bench, "out")[0].environment.threads, said.stderr)
    };
    let available = std::thread::available_parallelism().map_or(1, usize::from);
    assert_eq!(with(&[], &[]).0, available);
    let (threads, told) = with(&[("OMP_NUM_THREADS", "1"), ("SLURM_CPUS_PER_TASK", "2")], &[]);
    assert_eq!(threads, 1);
    let expected = format!("note: OMP_NUM_THREADS 1: using 1 of {available} available processors");
    assert!(available == 1 || told.contains(&expected), "{told}");
    assert_eq!(with(&[("SLURM_CPUS_PER_TASK", "1")], &[]).0, 1);
    let (threads, told) = with(&[("OMP_NUM_THREADS", "1")], &["--threads", "2"]);
    assert_eq!(threads, available.min(2));
    assert!(!told.contains("OMP_NUM_THREADS"), "{told}");
    // And as the processors say that the process may use.
    if cfg!(target_os = "linux") {
        let mut kept = assert_cmd::Command::new("taskset");
        kept.current_dir(bench.path())
            .args(["--cpu-list", "0"])
            .arg(assert_cmd::cargo::cargo_bin("mnist-study"));
        kept.args(["run", "s.toml", "--seeds", "1", "--fresh", "--out", "out", "--quiet"]);
        kept.env_remove("OMP_NUM_THREADS").env_remove("SLURM_CPUS_PER_TASK");
        let output = kept.output().expect("it runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(records(&bench, "out")[0].environment.threads, 1);
    }
}

#[test]
fn a_job_file_is_printed_for_each_scheduler() {
    let bench = bench();
    let script = |arguments: &[&str]| said(bench.command(&["script"]).args(arguments));
    for scheduler in ["slurm", "hyperqueue", "kubernetes", "parallel"] {
        let printed =
            script(&[scheduler, "s.toml", "--shards", "3", "--out", "my results", "--", "--seeds", "9"]);
        assert_eq!(printed.code, Some(0), "{}", printed.stderr);
        let text = printed.stdout;
        assert!(!text.contains("@SHARDS@") && !text.contains("@OUT@"), "{text}");
        let seeds = if scheduler == "kubernetes" { "--yes, \"--seeds\", \"9\"]" } else { "--yes --seeds 9" };
        assert!(text.contains(seeds), "{text}");
        assert!(scheduler == "kubernetes" || text.contains("--out 'my results'"), "{text}");
        assert!(text.contains("for the largest shard on this machine"), "{text}");
    }
    assert!(
        script(&["kubernetes", "s.toml", "--shards", "3"])
            .stdout
            .contains("    title = \"Shards\"\n    models = ")
    );
    for scheduler in ["slurm", "hyperqueue", "kubernetes", "parallel"] {
        let mut command = bench.command(&["script", scheduler, "s.toml", "--shards", "3"]);
        let printed = said(command.env("MNIST_STUDY_KERNELS", "portable")).stdout;
        let shell = "env MNIST_STUDY_KERNELS=portable mnist-study run s.toml";
        let pod = "- name: MNIST_STUDY_KERNELS\n              value: \"portable\"";
        assert!(printed.contains(if scheduler == "kubernetes" { pod } else { shell }), "{printed}");
    }
    // A text that lines cannot give again is quoted.
    fs::write(bench.path().join("odd.toml"), format!("# \u{85}\u{1f642}\t\\\r\n{STUDY}\n")).expect("written");
    let odd = script(&["kubernetes", "odd.toml", "--shards", "3"]);
    assert!(
        odd.stdout.contains("  study.toml: \"# \\u0085\\U0001f642\\u0009\\\\\\u000d\\ntitle = \\\"Shards"),
        "{}",
        odd.stdout
    );
    assert!(odd.stderr.contains("note: a pod has no data set data: "), "{}", odd.stderr);
    let uneven = script(&["slurm", "s.toml", "--shards", "2"]);
    assert!(uneven.stderr.contains("has 100 % more work than the smallest"), "{}", uneven.stderr);
    let few = script(&["slurm", "s.toml", "--shards", "9"]);
    assert!(few.stderr.contains("so only 3 of 9 shards have work"), "{}", few.stderr);
    for (arguments, expected) in [
        (
            vec!["slurm", "s.toml", "--shards", "3", "--", "--shard", "1/3"],
            "--shard: the job file passes its own --shard",
        ),
        (
            vec!["slurm", "s.toml", "--shards", "3", "--", "--sedes", "1"],
            "unexpected argument '--sedes' found",
        ),
        (vec!["slurm", "s.toml", "--shards", "3", "--out", "a\nb"], "without control characters expected"),
        (vec!["slurm", "nowhere.toml", "--shards", "3"], "nowhere.toml: "),
    ] {
        let refused = script(&arguments);
        assert!(matches!(refused.code, Some(1 | 2)) && refused.stdout.is_empty(), "{}", refused.stdout);
        assert!(refused.stderr.contains(expected), "{}", refused.stderr);
    }
}

#[test]
fn a_study_over_several_data_sets_is_divided_as_a_whole() {
    let bench = Bench::new();
    let corpus = data::synthetic(6, 480, 60, 14, 12, 3);
    data::write_directory(&corpus, &bench.path().join("more")).expect("the set is written");
    let text = STUDY.replace("dataset = \"data\"", "datasets = [\"data\", \"more\"]");
    fs::write(bench.path().join("s.toml"), text).expect("written");
    for shard in ["1/2", "2/2"] {
        let made = run(&bench, &["--shard", shard, "--out", &format!("shard-{}", &shard[..1])]);
        assert_eq!(made.code, Some(0), "{}", made.stderr);
        assert!(made.stdout.contains(" of 12 runs of the study are done; "), "{}", made.stdout);
    }
    let merged = said(&mut bench.command(&["merge", "all", "shard-2", "shard-1"]));
    assert_eq!(merged.code, Some(0), "{}", merged.stderr);
    assert_eq!(run(&bench, &["--out", "single", "--quiet"]).code, Some(0));
    for part in ["data", "more"] {
        let of = |out: &str| bench.fingerprints(&format!("{out}/{part}"));
        assert_eq!((of("all"), of("all").len()), (of("single"), 6));
    }
    assert!(bench.path().join("all/across.md").exists());
    assert_eq!(said(&mut bench.command(&["status", "all"])).code, Some(0));
    // Nothing takes the place of a study over several.
    let single = STUDY.replace("Shards", "Another");
    fs::write(bench.path().join("single.toml"), single).expect("written");
    for more in [&["--shard", "1/1"][..], &[]] {
        let refused = said(bench.command(&["run", "single.toml", "--out", "shard-1"]).args(more));
        assert_eq!(refused.code, Some(1), "{}", refused.stderr);
        let expected = "error: shard-1: holds the study \"a study over data, more\", not \"Another\"";
        assert!(refused.stderr.contains(expected), "{}", refused.stderr);
    }
    // A part that has no runs yet is told, and the rest is reported.
    fs::remove_dir_all(bench.path().join("shard-2/more/records")).expect("removed");
    let reported = said(&mut bench.command(&["report", "shard-2"]));
    assert_eq!(reported.code, Some(0), "{}", reported.stderr);
    assert!(bench.read("shard-2/across.md").contains("more: no run has come to a result."));
    assert!(bench.read("shard-2/across.md").contains("data: of 6 planned runs "));
    fs::remove_dir_all(bench.path().join("shard-2/more")).expect("removed");
    let merged = said(&mut bench.command(&["merge", "some", "shard-2", "shard-1"]));
    assert_eq!(merged.code, Some(0), "{}", merged.stderr);
    let part = said(&mut bench.command(&["status", "shard-1", "--json"]));
    let part: Value = serde_json::from_str(&part.stdout).expect("JSON");
    assert_eq!(part["done"].as_u64().zip(part["missing"].as_u64()).map(|(one, other)| one + other), Some(12));
    let refused = said(&mut bench.command(&["merge", "other", "shard-1", "single/data"]));
    assert_eq!(refused.code, Some(1), "a part is another study");
}

/// Testing many images takes longer than a scheduler waits, and asks nobody: the task ends all the same, and the next one goes on.
#[cfg(unix)]
#[test]
fn a_task_ends_within_a_second_wherever_it_is() {
    let bench = Bench::new();
    let corpus = data::synthetic(6, 120, 30_000, 28, 28, 3);
    data::write_directory(&corpus, &bench.path().join("tested")).expect("the set is written");
    let text = "models = [\"resnet-small\"]\ndataset = \"tested\"\nseeds = 2\nrecipe = { epochs = 1, batch_size = 32 }\n";
    fs::write(bench.path().join("s.toml"), text).expect("written");
    let mut took = Vec::new();
    for (signal, code) in [("INT", 130), ("TERM", 143), ("USR1", 138)] {
        let mut command = std::process::Command::new(assert_cmd::cargo::cargo_bin("mnist-study"));
        command.current_dir(bench.path());
        command.args(["run", "s.toml", "--shard", "1/2", "--out", "out", "--threads", "1"]);
        let mut task = command.stderr(Stdio::piped()).spawn().expect("it runs");
        let stderr = task.stderr.take().expect("piped");
        let mut lines = BufReader::new(stderr).lines().map_while(Result::ok);
        assert!(lines.any(|line| line.contains("epoch 1/1: ")), "it trains");
        // Now the test images are read.
        std::thread::sleep(Duration::from_millis(100));
        let sent = Instant::now();
        common::send(signal, &task);
        let status = task.wait().expect("it ends");
        took.push(sent.elapsed());
        assert_eq!(status.code(), Some(code), "{}", lines.collect::<Vec<_>>().join("\n"));
        assert_eq!(bench.files("out/records").len(), 0);
    }
    // Other tests may hold one of them up.
    assert!(took.iter().min() < Some(&Duration::from_secs(1)), "{took:?}");
    let done = run(&bench, &["--shard", "1/2", "--out", "out", "--quiet"]);
    assert_eq!((done.code, bench.files("out/records").len()), (Some(0), 1), "{}", done.stderr);
}

#[test]
fn a_damaged_plan_is_guessed_by_no_shard_and_mended_by_the_study() {
    let bench = bench();
    assert_eq!(run(&bench, &["--shard", "1/3", "--out", "out", "--quiet"]).code, Some(0));
    let plan = bench.read("out/plan.json");
    let damaged = plan.replace("Shards", "Shapes");
    fs::write(bench.path().join("out/plan.json"), &damaged).expect("written");
    let merge = ["merge", "out", "out"];
    for refused in [&["run", "s.toml", "--shard", "2/3", "--out", "out"][..], &["status", "out"], &merge] {
        let refused = said(&mut bench.command(refused));
        assert_eq!(refused.code, Some(1), "{}", refused.stderr);
        assert!(refused.stderr.contains("out/plan.json: changed since it was written"), "{}", refused.stderr);
        assert_eq!(refused.stderr.matches("plan.json").count(), 1, "{}", refused.stderr);
        assert_eq!(bench.read("out/plan.json"), damaged, "left alone");
    }
    assert_eq!(run(&bench, &["--out", "out", "--quiet"]).code, Some(0));
    assert_eq!(bench.read("out/plan.json"), plan);
    // Records that no plan explains are not merged over.
    fs::remove_file(bench.path().join("out/plan.json")).expect("there");
    assert_eq!(run(&bench, &["--shard", "1/3", "--out", "other", "--quiet"]).code, Some(0));
    let refused = said(&mut bench.command(&["merge", "out", "other"]));
    assert!(
        refused.stderr.contains("error: out: a results folder expected, records without a plan found"),
        "{}",
        refused.stderr
    );
}

/// What is said of pairs is what the comparison did.
#[test]
fn runs_that_nobody_pairs_are_not_said_to_be_left_out() {
    let bench = bench();
    let listed = run(&bench, &["--dry-run", "--json"]);
    let listed: Value = serde_json::from_str(&listed.stdout).expect("JSON");
    let ids = texts(&listed, "runs", "id");
    let some = |out: &str, runs: &[usize]| {
        let only = runs.iter().flat_map(|run| ["--only", &ids[*run]]);
        let arguments: Vec<&str> = only.chain(["--out", out, "--quiet"]).collect();
        assert_eq!(run(&bench, &arguments).code, Some(0));
        assert_eq!(said(&mut bench.command(&["report", out])).code, Some(0));
        (bench.json(&format!("{out}/summary.json")), bench.read(&format!("{out}/report.md")))
    };
    // mlp of the first seed, cnn of the others: none has a partner, and all are compared.
    let (summary, report) = some("apart", &[0, 3, 5]);
    assert_eq!(summary["comparisons"][0]["unpaired_runs"], serde_json::json!([1, 2]));
    assert!(!report.contains("without a partner"), "{report}");
    let (summary, report) = some("paired", &[0, 1, 2, 3, 4]);
    assert_eq!(summary["comparisons"][0]["runs"], 2);
    assert!(
        report.contains("1 run without a partner of the same seed or fold is left out of the comparison."),
        "{report}"
    );
}
