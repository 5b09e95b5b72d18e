//! `docs/explanation/recompute.py` computes the verdicts of results folders again, from their records with NumPy and SciPy alone.

use crate::{environment::root, wheel::python};
use std::{fmt::Write, fs, path::Path, process::Command};

fn study(folder: &Path, arguments: &[&str]) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mnist-study"));
    // Runs that diverge end a command with 1, and are part of what is tested.
    let output =
        command.current_dir(folder).args(arguments).arg("--quiet").output().expect("the command runs");
    assert!(output.status.code().is_some_and(|code| code <= 1), "{arguments:?}: {output:?}");
}

/// What the script says of folders, and whether it agrees.
fn recompute(folder: &Path, studies: &[&str]) -> (String, bool) {
    let script = root().join("docs/explanation/recompute.py");
    let output = Command::new(python()).arg(script).args(studies).current_dir(folder).output();
    let output = output.expect("the script runs");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let agrees = output.status.success();
    assert!(agrees || output.status.code() == Some(1) && !said.is_empty(), "{output:?}");
    (said, agrees)
}

/// Answers of a model to 300 images of four classes of different sizes, each run of which misses others; with probabilities.
fn answers(folder: &Path, model: &str, runs: &[&str], every: usize, images: usize) {
    fs::create_dir_all(folder.join(model)).expect("made");
    for (number, run) in runs.iter().enumerate() {
        let mut table = "id,label,p_0,p_1,p_2,p_3\n".to_owned();
        for image in 0..images {
            let place = if run.starts_with("fold") { number * images + image } else { image };
            let label = [0, 0, 0, 1, 1, 2, 3][place % 7];
            let missed = (place * 7 + number * 5 + place / 11).is_multiple_of(every);
            let given = if missed { (label + 1) % 4 } else { label };
            let sure = 0.4 + 0.5 * ((place * 13 + number * 3) % 17) as f64 / 17.0;
            let rest = (1.0 - sure) / 3.0;
            let of_class = |class| if class == given { sure } else { rest };
            let values = [0, 1, 2, 3].map(|class| of_class(class).to_string());
            writeln!(table, "{place},{label},{}", values.join(",")).expect("text");
        }
        fs::write(folder.join(model).join(format!("{run}.csv")), table).expect("written");
    }
}

/// Paired seeds, three models under Holm's method, one run each, runs without partners, folds, a model that diverges, by every measure.
#[test]
fn verdicts_are_computed_again_from_the_records() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = folder.path();
    data::write_directory(&data::synthetic(5, 240, 60, 14, 12, 3), &at.join("data")).expect("written");
    let models = "[model.a]\nlayers = [\"flatten\", \"dense 3\"]\n[model.b]\nlayers = [\"flatten\", \"dense 8\", \"relu\", \"dense 3\"]\n\
                  [model.c]\nlike = \"b\"\n[model.c.recipe]\nlearning_rate = 0.05\n";
    // So large steps that some seeds end in infinities.
    let diverging = "[model.d]\nlayers = [\"flatten\", \"dense 128\", \"dense 128\", \"dense 128\", \"dense 3\"]\n[model.d.recipe]\nlearning_rate = 10.0\n\
                     optimiser = \"sgd\"\n";
    for (name, head, more) in [
        ("seeds", "seeds = 4", ""),
        ("one", "seeds = 1", ""),
        ("folds", "folds = 4\nrepeats = 2", ""),
        ("diverged", "seeds = 3", diverging),
    ] {
        let text =
            format!("dataset = \"data\"\n{head}\n[recipe]\nepochs = 2\nbatch_size = 32\n{models}{more}");
        fs::write(at.join(format!("{name}.toml")), text).expect("written");
        study(at, &["run", &format!("{name}.toml"), "--out", name]);
    }
    // Runs are paired by the number at the end of their names: these have none.
    let unlike = |letters: &str| letters.chars().map(|letter| format!("run-{letter}")).collect::<Vec<_>>();
    let named =
        |prefix: &str, count: usize| (0..count).map(|run| format!("{prefix}{run}")).collect::<Vec<_>>();
    for (name, runs_of_a, runs_of_b, images) in [
        ("judged", named("seed-", 4), named("seed-", 5), 300),
        ("unpaired", unlike("abc"), unlike("defg"), 300),
        ("lonely", unlike("a"), unlike("bcd"), 300),
        ("theirs", named("fold-", 4), named("fold-", 4), 70),
    ] {
        let predictions = at.join(format!("{name}-predictions"));
        for (model, runs, every) in [("good", runs_of_a, 23), ("poor", runs_of_b, 7)] {
            answers(&predictions, model, &runs.iter().map(String::as_str).collect::<Vec<_>>(), every, images);
        }
        let held_back: &[&str] = if name == "theirs" { &["--held-back", "0.2"] } else { &[] };
        study(at, &[&["judge", &format!("{name}-predictions"), "--out", name], held_back].concat());
    }
    let studies = [
        ("seeds", 3),
        ("one", 3),
        ("folds", 3),
        ("judged", 1),
        ("unpaired", 1),
        ("lonely", 1),
        ("theirs", 1),
    ];
    for measure in ["accuracy", "balanced-accuracy", "macro-f1", "log-loss"] {
        for (name, _) in studies {
            study(at, &["report", name, "--decide-by", measure]);
        }
        study(at, &["report", "diverged", "--decide-by", measure]);
        let mut names = studies.map(|(name, _)| name).to_vec();
        names.push("diverged");
        let (said, agrees) = recompute(at, &names);
        assert!(agrees, "{measure}: {said}");
        for (name, pairs) in studies {
            assert!(said.contains(&format!("{name}: {pairs} comparisons agree")), "{measure}: {said}");
        }
    }
    let summary = fs::read_to_string(at.join("unpaired/summary.json")).expect("a summary");
    assert!(summary.contains("\"unpaired_runs\""), "{summary}");
    assert!(fs::read_dir(at.join("diverged/failed")).is_ok_and(|runs| runs.count() > 0), "no run diverged");

    // A digit that is another is found.
    let changed = summary.replacen("\"p_value\": 0.", "\"p_value\": 0.1", 1);
    assert_ne!(changed, summary);
    fs::write(at.join("unpaired/summary.json"), changed).expect("written");
    let (said, agrees) = recompute(at, &["unpaired"]);
    assert!(!agrees && said.contains("p_value: computed"), "{said}");
}
