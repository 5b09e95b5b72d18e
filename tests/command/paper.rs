//! `report --format`: tables and figures for a paper.

use crate::common::{Bench, said};
use std::fs;

#[test]
fn formats_are_written_where_they_are_asked_for_and_kept_up_to_date() {
    let bench = Bench::new();
    let compared = said(&mut bench.compare("out", &["mlp", "cnn", "--quiet"]));
    assert_eq!(compared.code, Some(0), "{}", compared.stderr);
    let before = bench.files("out");
    assert!(!before.contains(&"paper".to_owned()));
    let report = |formats: &[&str]| {
        let said = said(bench.command(&["report", "out", "--quiet"]).args(formats));
        assert_eq!(said.code, Some(0), "{}", said.stderr);
        said.stdout
    };
    assert_eq!(report(&[]), compared.stdout);
    assert_eq!(bench.files("out"), before);

    let told = report(&["--format", "latex,csv", "--format", "pdf"]);
    assert!(told.ends_with(&format!("For a paper: {}\n", "out/paper")), "{told}");
    let files = bench.files("out/paper");
    for name in
        ["paper.tex", "models.tex", "comparisons.tex", "comparisons.csv", "runs.csv", "Differences.pdf"]
    {
        assert!(files.contains(&name.to_owned()), "{name}: {files:?}");
    }
    assert!(!files.iter().any(|name| name.ends_with(".svg")), "{files:?}");
    let paper = bench.read("out/paper/paper.tex");
    for name in files.iter().filter(|name| name.ends_with(".pdf")) {
        assert!(paper.contains(&format!("{{{name}}}")), "{name}");
    }
    for name in files.iter().filter_map(|name| name.strip_suffix(".tex")).filter(|name| *name != "paper") {
        assert!(paper.contains(&format!("\\input{{{name}}}")), "{name}");
    }
    let summary = bench.json("out/summary.json");
    let table = bench.read("out/paper/comparisons.csv");
    let p_value = summary["comparisons"][0]["p_value"].as_f64().expect("a p-value");
    let printed = table.lines().nth(1).expect("a row").split(',').filter_map(|cell| cell.parse::<f64>().ok());
    assert!(printed.into_iter().any(|figure| figure == p_value), "{p_value}: {table}");

    // Another format takes the place of these; what is somebody else's stays.
    fs::write(bench.path().join("out/paper/notes.tex"), "mine").expect("written");
    report(&["--format", "svg"]);
    let files = bench.files("out/paper");
    assert!(files.iter().all(|name| name.ends_with(".svg") || name == "notes.tex"), "{files:?}");
    assert!(files.contains(&"Differences.svg".to_owned()) && files.contains(&"notes.tex".to_owned()));

    // A report of more runs has figures of more runs, without being asked again.
    let drawn = bench.read("out/paper/Differences.svg");
    assert!(
        drawn.contains("2 runs a model") && drawn.contains("@font-face") && !drawn.contains("var(--"),
        "{drawn}"
    );
    let compared = said(&mut bench.compare("out", &["mlp", "cnn", "--quiet", "--seeds", "3"]));
    assert_eq!(compared.code, Some(0), "{}", compared.stderr);
    assert!(bench.read("out/paper/Differences.svg").contains("3 runs a model"));
}

#[test]
fn every_part_of_a_study_over_several_sets_has_its_own() {
    let bench = Bench::new();
    let other = data::synthetic(9, 240, 60, 14, 12, 3);
    data::write_directory(&other, &bench.path().join("other")).expect("the set is written");
    let study = "datasets = [\"data\", \"other\"]\nmodels = [\"mlp\"]\nseeds = 1\nrecipe = { epochs = 1 }\n";
    fs::write(bench.path().join("study.toml"), study).expect("written");
    let ran = said(&mut bench.command(&["run", "study.toml", "--out", "out", "--quiet"]));
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let reported = said(&mut bench.command(&["report", "out", "--format", "csv", "--quiet"]));
    assert_eq!(reported.code, Some(0), "{}", reported.stderr);
    for part in ["data", "other"] {
        assert!(bench.read(&format!("out/{part}/paper/runs.csv")).lines().count() == 2, "{part}");
    }
}
