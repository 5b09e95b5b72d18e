//! `judge`, and `compare --with`: models that other programs trained.

use crate::common::{Bench, said};
use std::{fmt::Write, fs, path::Path};

/// Answers to 200 images of four classes, of which a run misses every so many-th, another each seed; with probabilities.
fn answers(folder: &Path, model: &str, seeds: std::ops::Range<u32>, every: u32) {
    fs::create_dir_all(folder.join(model)).expect("made");
    for seed in seeds {
        let mut table = "label,p_0,p_1,p_2,p_3\n".to_owned();
        for image in 0..200_u32 {
            let label = image % 4;
            let given = if (image * 7 + seed * 3) % every == 0 { (label + 1) % 4 } else { label };
            let values = [0, 1, 2, 3].map(|class| if class == given { "0.7" } else { "0.1" });
            writeln!(table, "{label},{}", values.join(",")).expect("text");
        }
        fs::write(folder.join(model).join(format!("seed-{seed}.csv")), table).expect("written");
    }
}

#[test]
fn models_of_other_programs_are_judged_and_reported_again() {
    let bench = Bench::new();
    answers(&bench.path().join("predictions"), "good", 0..4, 40);
    answers(&bench.path().join("predictions"), "bad", 0..4, 5);
    let judged = said(&mut bench.command(&["judge", "predictions", "--title", "Two of theirs"]));
    assert_eq!(judged.code, Some(0), "{}", judged.stderr);
    assert!(judged.stdout.contains("good beats bad by 17.50 points"), "{}", judged.stdout);
    // What nobody stated is in no table.
    assert!(!judged.stdout.contains("parameters") && !judged.stdout.contains('–'), "{}", judged.stdout);
    let summary = bench.json("Verdict/summary.json");
    assert_eq!(summary["models"][0]["name"], "bad", "by name: nobody ordered them");
    assert_eq!(summary["models"][1]["runs"][2]["imported"], "seed-2");
    assert_eq!(summary["comparisons"][0]["runs"], 4);
    assert!(summary["models"][0]["parameters"].is_null() && summary["protocol"].is_null());
    let expected = -(0.7_f64.ln() * 0.975 + 0.1_f64.ln() * 0.025);
    let loss = summary["models"][1]["loss"]["mean"].as_f64().expect("a loss");
    assert!((loss - expected).abs() < 1e-6, "{loss} for {expected}");
    let folder = bench.path().join("Verdict");
    for (name, there) in [
        ("Differences.png", true),
        ("Confusion_Matrices.png", true),
        ("Training_Time.png", false),
        ("Loss_Comparison.png", false),
    ] {
        assert_eq!(folder.join(name).exists(), there, "{name}");
    }
    let page = fs::read_to_string(folder.join("report.html")).expect("a page");
    assert!(
        page.contains("Two of theirs")
            && !page.contains("Learning curves")
            && !page.contains("Accuracy and cost")
    );
    assert!(page.contains("4 runs of another program, read from predictions/good/seed-0.csv"), "{page}");
    // Files and report do not need the answers any more.
    let (first, report) = (fs::read(folder.join("summary.json")), fs::read(folder.join("report.html")));
    fs::remove_dir_all(bench.path().join("predictions")).expect("removed");
    let again = said(&mut bench.command(&["report", "Verdict"]));
    assert_eq!((again.code, &again.stdout), (Some(0), &judged.stdout), "{}", again.stderr);
    assert_eq!(fs::read(folder.join("summary.json")).expect("a summary"), first.expect("a summary"));
    assert_eq!(fs::read(folder.join("report.html")).expect("a page"), report.expect("a page"));
    // A run that was changed is left out, and said.
    let imported =
        fs::read_dir(folder.join("imported")).expect("runs").next().expect("a run").expect("a run").path();
    let changed = fs::read_to_string(&imported).expect("text").replace("\"seed\": ", "\"seed\": 1");
    fs::write(&imported, changed).expect("written");
    let without = said(&mut bench.command(&["report", "Verdict"]));
    assert!(without.stderr.contains("left out"), "{}", without.stderr);
}

#[test]
fn runs_without_partners_are_compared_as_independent_ones() {
    let bench = Bench::new();
    answers(&bench.path().join("p"), "good", 0..3, 40);
    answers(&bench.path().join("p"), "bad", 10..15, 5);
    for measure in ["accuracy", "balanced-accuracy", "macro-f1", "log-loss"] {
        let judged = said(&mut bench.command(&["judge", "p", "--decide-by", measure, "--fresh"]));
        assert_eq!(judged.code, Some(0), "{}", judged.stderr);
        let told = judged.stdout.replace('\n', " ");
        assert!(
            told.contains("good beats bad by")
                && told.contains("5 runs of bad and 3 runs of good, not paired"),
            "{told}"
        );
        let summary = bench.json("Verdict/summary.json");
        assert_eq!(summary["comparisons"][0]["unpaired_runs"], serde_json::json!([5, 3]));
        assert!(summary["comparisons"][0]["seed_standard_error"].is_number());
        // The discussion speaks of the measure that decides.
        let report = bench.read("Verdict/report.md").replace('\n', " ");
        let told = match measure {
            "accuracy" => "good classifies ",
            "balanced-accuracy" => "good has a balanced accuracy of ",
            "macro-f1" => "good has a macro F1 of ",
            _ => "good has a log-loss of ",
        };
        assert!(report.contains(told), "{report}");
        assert_eq!(report.matches("against good: p").count(), 1, "{report}");
    }
}

#[test]
fn odd_answers_have_a_true_sentence() {
    let bench = Bench::new();
    let judge = |files: &[(&str, &str)]| {
        let _ = fs::remove_dir_all(bench.path().join("p"));
        for (name, text) in files {
            let path = bench.path().join("p").join(name);
            fs::create_dir_all(path.parent().expect("a folder")).expect("made");
            fs::write(path, text).expect("written");
        }
        let judged = said(&mut bench.command(&["judge", "p", "--fresh"]));
        assert_eq!(judged.code, Some(0), "{}", judged.stderr);
        assert!(!judged.stdout.contains("NaN") && !judged.stdout.contains("inf "), "{}", judged.stdout);
        judged.stdout.replace('\n', " ")
    };
    // The same answers.
    let same = "label,prediction\n0,0\n1,1\n2,1\n";
    let told = judge(&[("a.csv", same), ("b.csv", same)]);
    assert!(told.contains("same answer to every test image"), "{told}");
    assert!(told.contains("cannot tell a and b apart"), "{told}");
    // All wrong, all right.
    let told =
        judge(&[("a.csv", "label,prediction\n0,1\n1,0\n0,1\n1,0\n"), ("b.csv", "prediction\n0\n1\n0\n1\n")]);
    assert!(told.contains("1 paired run: test images only, seed noise unknown"), "{told}");
    // One class only.
    let told =
        judge(&[("a.csv", "label,prediction\n0,1\n1,1\n0,1\n1,1\n"), ("b.csv", "prediction\n0\n1\n0\n1\n")]);
    assert!(told.contains("a answers class 1 for every test image"), "{told}");
    // One image.
    let told = judge(&[("a.csv", "label,prediction\n0,1\n"), ("b.csv", "prediction\n0\n")]);
    assert!(told.contains("cannot tell") && told.contains("[-100.00, "), "{told}");
    // A single model.
    let told = judge(&[("a.csv", same)]);
    assert!(told.contains("a reaches 66.67 % test accuracy [20.77, 93.85] at 95 %, 1 run; the interval allows for other test images, not for other seeds."), "{told}");
}

#[test]
fn a_refusal_leaves_nothing_behind() {
    let bench = Bench::new();
    answers(&bench.path().join("p"), "good", 0..1, 40);
    fs::write(bench.path().join("p/good/seed-1.csv"), "label,p_0,p_1,p_2,p_3\n0,0.7,0.1,0.1,x\n")
        .expect("written");
    let refused = said(&mut bench.command(&["judge", "p"]));
    assert_eq!(refused.code, Some(1));
    assert!(
        refused.stderr.contains("p/good/seed-1.csv, line 2, column p_3: a number expected, `x` found"),
        "{}",
        refused.stderr
    );
    assert!(refused.stderr.contains("hint: "), "{}", refused.stderr);
    assert!(!bench.path().join("Verdict").exists());
    let wrong = said(&mut bench.command(&["judge", "=a.csv"]));
    assert!(wrong.stderr.contains("MODEL=FILE,FILE,… expected"), "{}", wrong.stderr);
}

#[test]
fn models_of_other_programs_stand_beside_own_ones() {
    let bench = Bench::new();
    // That of the bench's folder.
    let known = data::synthetic(5, 240, 60, 14, 12, 3);
    let labels = known.test().labels();
    fs::create_dir_all(bench.path().join("theirs/mlp")).expect("made");
    for seed in 0..2 {
        let rows: String = labels.iter().map(|label| format!("{label}\n")).collect();
        fs::write(bench.path().join(format!("theirs/mlp/seed-{seed}.csv")), format!("prediction\n{rows}"))
            .expect("written");
    }
    let compared = said(&mut bench.command(&[
        "compare",
        "mlp",
        "--dataset",
        "data",
        "--epochs",
        "1",
        "--seeds",
        "2",
        "--with",
        "theirs",
        "--out",
        "out",
    ]));
    assert_eq!(compared.code, Some(0), "{}", compared.stderr);
    assert!(compared.stderr.contains("the imported model is called mlp (imported)"), "{}", compared.stderr);
    // Answers without probabilities have no loss, and are compared all the same.
    assert!(!compared.stderr.contains("left out"), "{}", compared.stderr);
    let summary = bench.json("out/summary.json");
    assert_eq!(summary["models"][1]["name"], "mlp (imported)");
    assert_eq!(summary["models"][1]["accuracy"]["mean"], 1.0);
    let (difference, own) =
        (&summary["comparisons"][0]["difference"], &summary["models"][0]["accuracy"]["mean"]);
    let expected = own.as_f64().expect("an accuracy") - 1.0;
    assert!((difference.as_f64().expect("a difference") - expected).abs() < 1e-12, "{difference}");
    assert_eq!(summary["comparisons"][0]["runs"], 2, "by their seeds");
    let report = fs::read_to_string(bench.path().join("out/report.md")).expect("a report");
    assert!(report.contains(" --with mlp=theirs/mlp/seed-0.csv,theirs/mlp/seed-1.csv\n"), "{report}");
    // Answers to other images are refused before anything is trained.
    fs::write(bench.path().join("theirs/mlp/seed-1.csv"), "prediction\n1\n").expect("written");
    let refused = said(&mut bench.command(&[
        "compare",
        "mlp",
        "--dataset",
        "data",
        "--epochs",
        "1",
        "--with",
        "theirs",
        "--out",
        "other",
    ]));
    assert_eq!(refused.code, Some(1));
    assert!(
        refused.stderr.contains("rows, as in the data set") && !bench.path().join("other").exists(),
        "{}",
        refused.stderr
    );
}

#[test]
fn images_are_called_as_the_answers_call_them() {
    let bench = Bench::new();
    fs::create_dir_all(bench.path().join("p")).expect("made");
    fs::write(bench.path().join("p/a.csv"), "id,label,prediction\nx-17,0,1\ny<3,1,1\nz,1,1\n")
        .expect("written");
    fs::write(bench.path().join("p/b.csv"), "id,prediction\nz,1\ny<3,0\nx-17,1\n").expect("written");
    let judged = said(&mut bench.command(&["judge", "p"]));
    assert_eq!(judged.code, Some(0), "{}", judged.stderr);
    let page = bench.read("Verdict/report.html");
    assert!(page.contains("image x-17") && page.contains("image y&lt;3"), "{page}");
    let report = bench.read("Verdict/report.md").replace('\n', " ");
    assert!(report.contains("misses the same 1 test image, x-17."), "{report}");
    // The folds of one data set, and what they held back.
    let fold = |name: &str, rows: &str| {
        let path = bench.path().join("folds").join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        fs::write(path, format!("id,label,prediction\n{rows}")).expect("written");
    };
    for (model, wrong) in [("a", 0), ("b", 1)] {
        for number in 0..3 {
            let rows: String = (0..20)
                .map(|row| {
                    let label = row % 2;
                    let given = if (row + number * wrong) % (4 - wrong) == 0 { 1 - label } else { label };
                    format!("{},{label},{given}\n", 20 * number + row)
                })
                .collect();
            fold(&format!("{model}/fold-{number}.csv"), &rows);
        }
    }
    let widths = [&["--held-back", "0"][..], &[], &["--held-back", "0.5"]].map(|more| {
        let judged = said(&mut bench.command(&[&["judge", "folds", "--fresh"], more].concat()));
        assert_eq!(judged.code, Some(0), "{}", judged.stderr);
        assert_eq!(judged.stderr.contains("hold back 1/12"), more.is_empty(), "{}", judged.stderr);
        let interval = &bench.json("Verdict/summary.json")["comparisons"][0]["interval"];
        let end = |place: usize| interval[place].as_f64().expect("an end");
        end(1) - end(0)
    });
    assert!(widths[0] < widths[1] && widths[1] < widths[2], "{widths:?}");
}

#[test]
fn curves_of_other_programs_come_into_the_report() {
    let bench = Bench::new();
    let golden = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("golden/curves");
    let log = golden.join("keras/log.csv").display().to_string();
    answers(&bench.path().join("predictions"), "good", 0..2, 40);
    answers(&bench.path().join("predictions"), "bad", 0..2, 5);
    let import =
        |more: &[&str]| said(&mut bench.command(&[&["import", "keras-csvlog", &log], more].concat()));
    let imported = import(&["--to", "predictions/good/seed-0"]);
    assert_eq!(imported.code, Some(0), "{}", imported.stderr);
    assert!(
        imported.stdout.starts_with("predictions/good/seed-0.run.json: 4 epochs of run log\n")
            && imported.stdout.contains("validation loss is `val_loss`"),
        "{}",
        imported.stdout
    );
    // By the answers' own name too, and never over what is there without being asked.
    let again = import(&["--to", "predictions/good/seed-0.csv"]);
    assert!(
        again.stderr.contains("one that is there already found") && again.code == Some(1),
        "{}",
        again.stderr
    );
    let replaced = import(&["--to", "predictions/good/seed-0.csv", "--fresh", "--json"]);
    assert!(replaced.stderr.contains("seed-0.run.json: replaced"), "{}", replaced.stderr);
    let told: serde_json::Value = serde_json::from_str(&replaced.stdout).expect("JSON");
    assert_eq!((&told[0]["epochs"], &told[0]["run"]), (&4.into(), &"log".into()));
    for seed in ["good/seed-1", "bad/seed-0", "bad/seed-1"] {
        assert_eq!(import(&["--to", &format!("predictions/{seed}")]).code, Some(0));
    }
    let judged = said(&mut bench.command(&["judge", "predictions"]));
    assert_eq!(judged.code, Some(0), "{}", judged.stderr);
    let page = bench.read("Verdict/report.html");
    assert!(page.contains("Learning curves") && page.contains("curves read from"), "{page}");
    // Runs of one folder get files of their names; one of them is chosen by its name.
    let runs = golden.join("mlruns").display().to_string();
    let several = said(&mut bench.command(&["import", "mlflow", &runs, "--to", "several"]));
    assert_eq!(several.code, Some(0), "{}", several.stderr);
    assert_eq!(bench.files("several"), ["it_s_run_0.run.json", "it_s_run_1.run.json"]);
    let one = said(&mut bench.command(&["import", "mlflow", &runs, "--run", "it's run 1", "--to", "one"]));
    assert_eq!((one.code, &bench.json("one.run.json")["seed"]), (Some(0), &1.into()), "{}", one.stderr);
    let none = said(&mut bench.command(&["import", "mlflow", &runs, "--run", "x", "--to", "none"]));
    assert!(
        none.stderr.contains("one of the runs expected, `it's run 0`, `it's run 1` found"),
        "{}",
        none.stderr
    );
    // The log itself is not written over.
    let own = bench.path().join("a.run.json");
    fs::copy(golden.join("keras/log.csv"), &own).expect("copied");
    let own = said(&mut bench.command(&["import", "keras-csvlog", "a.run.json", "--to", "a", "--fresh"]));
    assert!(own.stderr.contains("a file of its own expected"), "{}", own.stderr);
}

/// Every figure of a comparison of imported runs against SciPy and statsmodels; `golden/imported/make.py` made the values.
#[test]
fn figures_of_imported_runs_are_those_of_scipy_and_statsmodels() {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden/imported/values.json");
    let values: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(golden).expect("text")).expect("JSON");
    let bench = Bench::new();
    let classes = |list: &serde_json::Value| -> Vec<u64> {
        list.as_array().expect("classes").iter().map(|class| class.as_u64().expect("a class")).collect()
    };
    let labels = classes(&values["labels"]);
    for (model, runs) in values["answers"].as_object().expect("models") {
        fs::create_dir_all(bench.path().join("p").join(model)).expect("made");
        for (seed, given) in runs.as_object().expect("runs") {
            let rows = labels.iter().zip(classes(given)).map(|(label, given)| format!("{label},{given}\n"));
            let table = format!("label,prediction\n{}", rows.collect::<String>());
            fs::write(bench.path().join(format!("p/{model}/seed-{seed}.csv")), table).expect("written");
        }
    }
    let judged = said(&mut bench.command(&["judge", "p"]));
    assert_eq!(judged.code, Some(0), "{}", judged.stderr);
    let summary = bench.json("Verdict/summary.json");
    let expected = values["pairs"].as_array().expect("pairs");
    let found = summary["comparisons"].as_array().expect("comparisons");
    assert_eq!(found.len(), expected.len());
    let close = |found: &serde_json::Value, expected: &serde_json::Value, what: &str| {
        let [found, expected] = [found, expected].map(|value| value.as_f64().expect(what));
        // Roots and quantiles are found by steps.
        let tolerance = 1e-9 + 1e-6 * expected.abs();
        assert!((found - expected).abs() < tolerance, "{what}: {found} for {expected}");
    };
    for (found, expected) in found.iter().zip(expected) {
        assert_eq!((&found["a"], &found["b"]), (&expected["a"], &expected["b"]));
        for figure in ["difference", "seed_standard_error", "image_standard_error", "p_value", "confidence"] {
            close(&found[figure], &expected[figure], &format!("{figure} of {expected}"));
        }
        for end in [0, 1] {
            close(&found["interval"][end], &expected["interval"][end], &format!("end {end} of {expected}"));
        }
        if expected["paired_t"].is_null() {
            assert!(found["paired_t"].is_null() && found["unpaired_runs"].is_array(), "{found}");
            continue;
        }
        close(&found["paired_t"]["p_value"], &expected["paired_t"]["p_value"], "the paired t test");
        for end in [0, 1] {
            let [found, expected] = [found, expected].map(|of| &of["paired_t"]["interval"][end]);
            close(found, expected, "an end of the paired t test's interval");
        }
        let runs = expected["mcnemar"].as_array().expect("values");
        assert_eq!(found["mcnemar_p_values"].as_array().map(Vec::len), Some(runs.len()));
        for (place, expected) in runs.iter().enumerate() {
            close(&found["mcnemar_p_values"][place], expected, "McNemar's test");
        }
    }
}
