//! Records: reports made from them, runs made again, kills, and what is done to them by hand.

use crate::common::{Bench, said};
use records::{
    identity::run_id,
    store::{Kept, Store},
};
use std::{
    collections::BTreeMap,
    fs,
    process::{Command, Stdio},
    time::Duration,
};

/// Every file of a folder that is not a record, weights or the plan, by name.
fn made(bench: &Bench, folder: &str) -> BTreeMap<String, Vec<u8>> {
    let names =
        bench.files(folder).into_iter().filter(|name| !["records", "models", "plan.json"].contains(&&**name));
    names
        .map(|name| {
            let bytes = fs::read(bench.path().join(folder).join(&name)).expect("a file");
            (name, bytes)
        })
        .collect()
}

#[test]
fn a_report_is_made_again_byte_for_byte() {
    let bench = Bench::new();
    // Not in the order of the alphabet, which the report must keep.
    let compared = said(&mut bench.compare("out", &["lstm", "cnn"]));
    assert_eq!(compared.code, Some(0), "{}", compared.stderr);
    let before = made(&bench, "out");
    assert!(
        before.contains_key("report.html") && before.contains_key("Hardest_Digits.png"),
        "{:?}",
        before.keys()
    );
    for name in before.keys() {
        fs::remove_file(bench.path().join("out").join(name)).expect("removed");
    }
    let reported = said(&mut bench.command(&["report", "out"]));
    assert_eq!(reported.code, Some(0), "{}", reported.stderr);
    assert_eq!(reported.stdout, compared.stdout);
    let after = made(&bench, "out");
    let differing: Vec<&String> =
        before.keys().filter(|name| before.get(*name) != after.get(*name)).collect();
    assert_eq!((differing, after.len()), (vec![], before.len()));
    let json = said(&mut bench.command(&["report", "out", "--json"]));
    assert_eq!(json.stdout, bench.read("out/summary.json"));
}

/// Every option that a report's command can name is one that `compare` takes.
#[test]
fn the_command_of_a_report_makes_the_same_runs() {
    let bench = Bench::new();
    let options = "compare mlp cnn --dataset data --epochs 1 --batch-size 32 --learning-rate 0.002 --seeds 2 --seed 3 --protocol sound \
                   --audit-selection --target 0.1 --max-parameters 9000000 --max-multiply-adds 9000000000 --max-epochs 1 \
                   --max-train-seconds 900 --out out";
    let made = said(&mut bench.command(&options.split(' ').collect::<Vec<_>>()));
    assert_eq!(made.code, Some(0), "{}", made.stderr);
    let report = bench.read("out/report.md");
    let command =
        report.lines().find_map(|line| line.strip_prefix("mnist-study compare ")).expect("a command");
    let again = said(bench.command(&["compare"]).args(command.split(' ')).args(["--out", "again"]));
    assert_eq!(again.code, Some(0), "{command}: {}", again.stderr);
    assert_eq!(bench.fingerprints("again"), bench.fingerprints("out"));
    let question = |folder: &str| bench.json(&format!("{folder}/plan.json"))["study"].clone();
    assert_eq!(question("again"), question("out"));
}

/// A picture that the folder's study has no figures for would be another study's.
#[test]
fn a_picture_of_an_earlier_study_is_removed() {
    let bench = Bench::new();
    let pictures = |models: &[&str]| {
        assert_eq!(said(&mut bench.compare("out", models)).code, Some(0));
        bench.files("out").into_iter().filter(|name| name.ends_with(".png")).collect::<Vec<_>>()
    };
    let two = pictures(&["mlp", "cnn"]);
    assert!(two.contains(&"Differences.png".to_owned()), "{two:?}");
    let one = pictures(&["mlp"]);
    assert!(
        !one.contains(&"Differences.png".to_owned()) && one.contains(&"Training_Time.png".to_owned()),
        "{one:?}"
    );
}

#[test]
fn a_folder_without_a_plan_is_reported_too() {
    let bench = Bench::new();
    assert_eq!(said(&mut bench.compare("out", &["lstm", "cnn"])).code, Some(0));
    let fingerprints = bench.fingerprints("out");
    for damage in [None, Some("{"), Some(r#"{"schema":9,"runs":[]}"#)] {
        let plan = bench.path().join("out/plan.json");
        match damage {
            None => fs::remove_file(&plan).expect("removed"),
            Some(text) => fs::write(&plan, text).expect("written"),
        }
        let reported = said(&mut bench.command(&["report", "out"]));
        assert_eq!(reported.code, Some(0), "{}", reported.stderr);
        assert_eq!(reported.stderr.contains("plan.json"), damage.is_some(), "{}", reported.stderr);
        let mut found = bench.fingerprints("out");
        found.sort();
        let mut expected = fingerprints.clone();
        expected.sort();
        assert_eq!(found, expected);
    }
}

#[test]
fn a_folder_without_records_is_a_failure() {
    let bench = Bench::new();
    for verb in ["report", "verify"] {
        let nowhere = said(&mut bench.command(&[verb, "nowhere"]));
        assert_eq!(nowhere.code, Some(1));
        assert_eq!(
            nowhere.stderr,
            "error: nowhere: no usable record\nhint: name a folder that `mnist-study compare` made, such as Results\n"
        );
        assert!(!bench.path().join("nowhere").exists());
        let inside = said(&mut bench.command(&[verb, "Results/records"]));
        assert!(
            inside.stderr.ends_with("hint: name the folder that it is in: Results\n"),
            "{}",
            inside.stderr
        );
    }
}

#[test]
fn records_of_another_study_are_left_out_and_counted() {
    let bench = Bench::new();
    assert_eq!(said(&mut bench.compare("out", &["lstm", "cnn"])).code, Some(0));
    let other = said(&mut bench.compare("out", &["lstm", "cnn", "--epochs", "1"]));
    assert_eq!(other.code, Some(0));
    assert!(
        other.stderr.contains("note: 4 records of runs that this study does not ask for left out"),
        "{}",
        other.stderr
    );
    assert_eq!(bench.fingerprints("out").len(), 4);
    assert_eq!(bench.files("out/records").len(), 8);
}

#[test]
fn a_missing_run_of_a_pair_is_named() {
    let bench = Bench::new();
    assert_eq!(said(&mut bench.compare("out", &["lstm", "cnn"])).code, Some(0));
    let lost = bench.json("out/plan.json")["runs"][1].clone();
    assert_eq!((lost["model"].as_str(), lost["seed"].as_u64()), (Some("cnn"), Some(0)));
    fs::remove_file(bench.path().join(format!("out/records/{}.json", lost["id"].as_str().expect("an id"))))
        .expect("removed");
    let reported = said(&mut bench.command(&["report", "out"]));
    assert_eq!(reported.code, Some(0), "{}", reported.stderr);
    for expected in [
        "note: 1 of 4 planned runs has no usable record (cnn seed 0): the command that began the study makes it",
        "cnn has no run with the same seed",
    ] {
        assert!(reported.stderr.contains(expected), "{}", reported.stderr);
    }
    let verified = said(&mut bench.command(&["verify", "out", "--all", "--quiet"]));
    assert_eq!(verified.code, Some(1), "{}", verified.stderr);
    assert!(
        verified.stderr.contains("error: 1 of 4 planned runs has no usable record"),
        "{}",
        verified.stderr
    );
    assert_eq!(
        said(&mut bench.command(&["verify", "out", "--quiet"])).code,
        Some(0),
        "one run was asked for"
    );
    let page = bench.read("out/report.html");
    assert!(page.contains("1 of 4 planned runs has no usable record"));
    assert_eq!(bench.json("out/summary.json")["comparisons"][0]["runs"], 1);
}

#[test]
fn a_changed_figure_is_caught() {
    let bench = Bench::new();
    assert_eq!(said(&mut bench.compare("out", &["lstm"])).code, Some(0));
    let name = bench.files("out/records").remove(0);
    let path = bench.path().join("out/records").join(&name);
    let text = fs::read_to_string(&path).expect("a record");
    let at = text.find("\"train_loss\": ").expect("a figure") + 14;
    let changed = format!("{}1{}", &text[..at], &text[at..]);
    fs::write(&path, changed).expect("written");
    let reported = said(&mut bench.command(&["report", "out"]));
    let expected = format!("out/records/{name}: changed since it was written: its content has the digest ");
    assert_eq!(reported.code, Some(0));
    assert!(
        reported.stderr.contains(&expected) && reported.stderr.contains(": left out"),
        "{}",
        reported.stderr
    );
    let verified = said(&mut bench.command(&["verify", "out"]));
    assert_eq!((verified.code, verified.stdout.as_str()), (Some(1), ""));
    assert!(verified.stderr.starts_with(&format!("error: {expected}")), "{}", verified.stderr);
    let again = said(&mut bench.compare("out", &["lstm"]));
    assert_eq!(again.code, Some(0));
    assert!(bench.read("out/report.md").contains(", trained again"), "the report says so");
    let aside = name.replace(".json", ".set-aside");
    assert!(
        again.stderr.contains(&format!("moved to out/records/{aside}, trained again")),
        "{}",
        again.stderr
    );
    assert!(bench.files("out/records").contains(&aside), "nothing is overwritten");
    assert_eq!(said(&mut bench.command(&["verify", "out", "--all"])).code, Some(0));
}

#[test]
fn runs_are_confirmed_on_any_number_of_threads() {
    let bench = Bench::new();
    assert_eq!(said(&mut bench.compare("out", &["lstm", "cnn", "--threads", "2"])).code, Some(0));
    let first = said(&mut bench.command(&["verify", "out", "--threads", "1"]));
    assert_eq!(first.code, Some(0), "{}", first.stderr);
    assert_eq!(first.stdout.lines().count(), 1);
    assert!(first.stdout.starts_with("lstm, seed 0: the same, fingerprint "), "{}", first.stdout);
    let all = said(&mut bench.command(&["verify", "out", "--all", "--threads", "3", "--json"]));
    assert_eq!(all.code, Some(0), "{}", all.stderr);
    let result: serde_json::Value = serde_json::from_str(&all.stdout).expect("JSON");
    let runs = result["runs"].as_array().expect("runs");
    assert_eq!(runs.len(), 4);
    assert!(runs.iter().all(|run| run["same"] == true && run["differences"] == serde_json::json!([])));
}

/// A record that is whole and says what no run gave.
#[test]
fn a_forged_record_is_caught() {
    let bench = Bench::new();
    assert_eq!(said(&mut bench.compare("out", &["lstm", "--seeds", "1"])).code, Some(0));
    let store = Store::of(&bench.path().join("out"));
    let id = store.identities().expect("records").remove(0);
    let honest = store.read(&id).expect("sound").expect("there");
    let mut forged = honest.clone();
    forged.test.accuracy = 1.0;
    forged.test.predictions.clone_from(&forged.test.labels);
    let classes = forged.specification.dataset.classes;
    forged.test.probabilities.fill(0);
    for (image, label) in forged.test.labels.iter().enumerate() {
        forged.test.probabilities[image * classes + usize::from(*label)] = u16::MAX;
    }
    let kept = store.write(&forged).expect("written");
    assert!(matches!(kept, Kept::InConflict(_)), "another result of the same run: {kept:?}");
    store.replace(&forged).expect("written");
    let verified = said(&mut bench.command(&["verify", "out"]));
    assert_eq!(verified.code, Some(1));
    assert!(verified.stdout.contains("NOT the same: test accuracy 1 recorded, "), "{}", verified.stdout);
    assert!(
        verified.stderr.contains(&format!("\nerror: record {id}: test accuracy 1 recorded")),
        "{}",
        verified.stderr
    );
    let mut foreign = honest.clone();
    foreign.fingerprint = "0".repeat(64);
    store.replace(&foreign).expect("written");
    assert!(said(&mut bench.command(&["verify", "out"])).stderr.contains("fingerprint 0000"));
    let mut elsewhere = honest.clone();
    elsewhere.environment.kernels = "mmx".into();
    elsewhere.id = run_id(&elsewhere.specification, &elsewhere.environment);
    store.replace(&elsewhere).expect("written");
    fs::remove_file(store.path(&id)).expect("there");
    fs::remove_file(bench.path().join("out/plan.json")).expect("there");
    let verified = said(&mut bench.command(&["verify", "out"]));
    assert_eq!(verified.code, Some(1));
    assert!(
        verified.stderr.contains("made with mmx") && verified.stderr.contains("hint: "),
        "{}",
        verified.stderr
    );
    fs::remove_file(store.path(&elsewhere.id)).expect("there");
    store.replace(&honest).expect("written");
    let other = data::synthetic(6, 240, 60, 14, 12, 3);
    data::write_directory(&other, &bench.path().join("other")).expect("the set is written");
    let verified = said(&mut bench.command(&["verify", "out", "--dataset", "other"]));
    assert!(verified.stderr.contains("made on data with SHA-256"), "{}", verified.stderr);
    assert_eq!(said(&mut bench.command(&["verify", "out"])).code, Some(0));
}

#[test]
fn an_audit_of_selection_is_marked_and_changes_no_weight() {
    let bench = Bench::new();
    assert_eq!(said(&mut bench.compare("plain", &["lstm", "cnn"])).code, Some(0));
    let audited = said(&mut bench.compare("audited", &["lstm", "cnn", "--audit-selection"]));
    assert_eq!(audited.code, Some(0), "{}", audited.stderr);
    assert_eq!(bench.fingerprints("plain"), bench.fingerprints("audited"));
    let sentence = "Reporting the epoch that the test images like best would show";
    assert!(!bench.read("plain/report.md").contains(sentence));
    assert!(
        bench.read("audited/report.md").contains(sentence)
            && bench.read("audited/report.html").contains(sentence)
    );
    for (folder, reads) in [("plain", 1), ("audited", 3)] {
        for name in bench.files(&format!("{folder}/records")) {
            let record = bench.json(&format!("{folder}/records/{name}"));
            assert_eq!(record["test_reads"], reads);
            assert_eq!(record["epochs"][0]["test_accuracy"].is_number(), folder == "audited");
            if folder == "audited" {
                assert_eq!(record["epochs"][1]["test_accuracy"], record["test"]["accuracy"]);
            }
        }
    }
    let flattered = &bench.json("audited/summary.json")["models"][0]["selection_optimism"];
    assert!(flattered.as_f64().is_some_and(|points| points >= 0.0), "{flattered}");
    assert!(bench.json("plain/summary.json")["models"][0]["selection_optimism"].is_null());
    assert_eq!(said(&mut bench.command(&["verify", "audited", "--all"])).code, Some(0));
    for (folder, told) in [("audited", true), ("plain", false)] {
        let reported = said(&mut bench.command(&["report", folder]));
        assert_eq!(
            reported.stdout.contains("Reporting the epoch that the test images like best"),
            told,
            "{folder}"
        );
    }
}

/// Killed at ten moments spread over its time, the same command ends as if nothing had happened.
#[cfg(unix)]
#[test]
fn a_kill_at_any_moment_loses_the_run_in_flight_alone() {
    let bench = Bench::new();
    let arguments = ["lstm", "cnn", "--epochs", "30", "--seeds", "4"];
    let start = std::time::Instant::now();
    assert_eq!(said(&mut bench.compare("whole", &arguments)).code, Some(0));
    let whole = start.elapsed();
    // A linear congruential step is random enough to spread the moments.
    let mut state = 20_261_123u64;
    for attempt in 0..10 {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let moment =
            Duration::from_secs_f64(whole.as_secs_f64() * (state >> 40) as f64 / (1u64 << 24) as f64);
        let mut study = Command::new(assert_cmd::cargo::cargo_bin("mnist-study"))
            .current_dir(bench.path())
            .args(["compare", "--dataset", "data", "--batch-size", "32", "--out", "killed", "--quiet"])
            .args(arguments)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("it runs");
        std::thread::sleep(moment);
        // SIGKILL; it may have ended before.
        let _ = study.kill();
        let status = study.wait().expect("it ends");
        assert!(status.code().is_none_or(|code| code == 0), "attempt {attempt}: {status}");
    }
    let finished = said(&mut bench.compare("killed", &arguments));
    assert_eq!(finished.code, Some(0), "{}", finished.stderr);
    assert_eq!(bench.fingerprints("killed"), bench.fingerprints("whole"));
    let strays = bench.files("killed").into_iter().chain(bench.files("killed/records"));
    let whole: Vec<String> = bench.files("whole/records");
    let records: Vec<String> = strays.filter(|name| whole.contains(name)).collect();
    assert_eq!(records, whole, "every record, once");
}
