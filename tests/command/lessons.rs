//! The lessons: their file is held against the study files, the book and the glossary, and each lesson is run to see that what it says
//! will happen does.
//!
//! What a student is told to expect is one `check` each of `studies/lessons/lessons.json`, with limits far from what was measured, so
//! that it holds for other kernels and other seeds. `LESSON_SEED` sets the first seed, `LESSON_KERNELS` the instruction set.

use crate::common::{Bench, Said, said};
use serde_json::Value;
use std::{
    collections::BTreeSet,
    env, fs,
    path::{Path, PathBuf},
};
use study::study_file::StudyFile;

/// Variables to hold the lessons against other seeds and kernels by hand.
const SEED: &str = "LESSON_SEED";
const KERNELS: &str = "LESSON_KERNELS";

const VIEWS: [&str; 5] = ["compare", "draw", "inside", "errors", "change"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn folder() -> PathBuf {
    root().join("studies/lessons")
}

fn lessons() -> Vec<Value> {
    let text = fs::read_to_string(folder().join("lessons.json")).expect("it is there");
    let file: Value = serde_json::from_str(&text).expect("JSON");
    list(&file, "lessons").clone()
}

fn list<'a>(value: &'a Value, key: &str) -> &'a Vec<Value> {
    value[key].as_array().unwrap_or_else(|| panic!("{key}: a list expected, {} found", value[key]))
}

/// A text of one line, short enough to be read at a glance.
fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    let text = value[key].as_str().unwrap_or_else(|| panic!("{key}: a text expected in {value}"));
    assert!(!text.is_empty() && text.trim() == text && !text.contains('\n'), "{key}: {text}");
    assert!(text.chars().count() <= 700, "{key} is too long: {text}");
    text
}

fn has_keys(value: &Value, keys: &[&str]) {
    let there: BTreeSet<&str> = value.as_object().expect("an object").keys().map(String::as_str).collect();
    assert_eq!(there, keys.iter().copied().collect(), "{value}");
}

/// Words without line ends, so that a page may break its lines anywhere.
fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn every_lesson_is_whole() {
    let glossary = fs::read_to_string(root().join("docs/reference/glossary.md")).expect("it is there");
    let anchors: BTreeSet<String> = glossary
        .lines()
        .filter_map(|line| line.strip_prefix("## "))
        .map(|term| term.to_lowercase().replace(' ', "-"))
        .collect();
    let lessons = lessons();
    assert_eq!(lessons.len(), 10);
    let mut files = BTreeSet::from(["lessons.json".to_owned()]);
    for (lesson, number) in lessons.iter().zip(1..) {
        let number: u64 = number;
        has_keys(
            lesson,
            &[
                "number", "slug", "title", "study", "page", "view", "start", "minutes", "question", "see",
                "why", "next", "terms",
            ],
        );
        let (slug, title) = (text(lesson, "slug"), text(lesson, "title"));
        assert_eq!(lesson["number"], number);
        assert!(title.chars().count() <= 40, "{title}");
        assert_eq!(text(lesson, "study"), format!("{number:02}-{slug}.toml"));
        assert_eq!(text(lesson, "page"), format!("lessons/{number:02}-{slug}.md"));
        assert!(VIEWS.contains(&text(lesson, "view")));
        assert!(lesson["minutes"].as_u64().is_some_and(|minutes| (5..=60).contains(&minutes)));
        files.insert(text(lesson, "study").to_owned());

        let study =
            StudyFile::read(&folder().join(text(lesson, "study"))).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(study.title.as_deref(), Some(format!("Lesson {number}: {title}").as_str()));
        let models: BTreeSet<&str> =
            study.models.iter().map(|model| model.architecture.name.as_str()).collect();
        let start = lesson["start"]["seeds"].as_u64().expect("how many runs of each model to begin with");
        assert!((1..=study.runs).contains(&start));

        let page = fs::read_to_string(root().join("docs").join(text(lesson, "page"))).expect("it is there");
        let page = words(&page);
        let on_page =
            |text: &str| assert!(page.contains(&words(text)), "lesson {number}'s page lacks: {text}");
        on_page(&format!("# Lesson {number}: {title}"));
        on_page(&format!("mnist-study run studies/lessons/{number:02}-{slug}.toml --out "));

        let question = &lesson["question"];
        has_keys(question, &["text", "choices"]);
        on_page(text(question, "text"));
        let choices = list(question, "choices");
        assert!((3..=4).contains(&choices.len()));
        for choice in choices {
            has_keys(choice, &["text", "right", "answer"]);
            on_page(text(choice, "text"));
            on_page(text(choice, "answer"));
        }
        assert_eq!(choices.iter().filter(|choice| choice["right"] == true).count(), 1, "one answer is right");

        assert!((1..=4).contains(&list(lesson, "see").len()));
        for seen in list(lesson, "see") {
            has_keys(seen, &["text", "otherwise", "check"]);
            on_page(text(seen, "text"));
            text(seen, "otherwise");
            for model in ["model", "minus"].iter().filter_map(|key| named_model(&seen["check"], key)) {
                assert!(models.contains(model), "{model} is no model of {slug}");
            }
        }
        let why = list(lesson, "why");
        assert!((2..=4).contains(&why.len()));
        for paragraph in why {
            let paragraph = paragraph.as_str().expect("a paragraph");
            assert!((40..=700).contains(&paragraph.chars().count()), "{paragraph}");
            on_page(paragraph);
        }
        assert!((2..=3).contains(&list(lesson, "next").len()));
        for exercise in list(lesson, "next") {
            has_keys(exercise, &["exercise", "answer"]);
            on_page(text(exercise, "exercise"));
            on_page(text(exercise, "answer"));
        }
        assert!(!list(lesson, "terms").is_empty());
        for term in list(lesson, "terms") {
            let term = term.as_str().expect("a term");
            assert!(anchors.contains(term), "{term} is not in the glossary");
            on_page(&format!("../reference/glossary.md#{term}"));
        }
    }
    let there = fs::read_dir(folder()).expect("a folder");
    let there: BTreeSet<String> =
        there.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
    assert_eq!(there, files);
}

fn named_model<'a>(check: &'a Value, key: &str) -> Option<&'a str> {
    match key {
        "minus" => check["minus"]["model"].as_str(),
        key => check[key].as_str(),
    }
}

/// A figure of a summary, as a check names it: of one model.
fn figure(summary: &Value, term: &Value) -> f64 {
    let models = list(summary, "models");
    let model = models
        .iter()
        .find(|model| model["name"] == term["model"])
        .unwrap_or_else(|| panic!("{term}: no such model in the summary"));
    let number = |value: &Value| value.as_f64().unwrap_or_else(|| panic!("{term}: no number: {value}"));
    let runs = || list(model, "runs").iter().map(|run| number(&run["test_accuracy"]));
    match text(term, "figure") {
        "test_accuracy" => number(&model["accuracy"]["mean"]),
        "test_loss" => number(&model["loss"]["mean"]),
        "train_accuracy" => number(&model["learning"]["train_accuracy"]),
        "validation_accuracy" => number(&model["learning"]["validation_accuracy"]),
        "calibration_error" => number(&model["calibration"]["error"]["mean"]),
        "confidence" => {
            let bins = list(&model["calibration"], "bins");
            let sum = |of: &dyn Fn(&Value) -> f64| bins.iter().map(of).sum::<f64>();
            sum(&|bin| number(&bin["confidence"]) * number(&bin["count"])) / sum(&|bin| number(&bin["count"]))
        }
        "optimism" => number(&model["selection_optimism"]),
        "parameters" => number(&model["parameters"]),
        "multiply_adds" => number(&model["multiply_adds"]),
        "diverged" => number(&model["diverged"]),
        "spread" => runs().fold(f64::NEG_INFINITY, f64::max) - runs().fold(f64::INFINITY, f64::min),
        other => panic!("no figure is called {other}"),
    }
}

/// What every lesson of that number is told to show is there.
fn check(number: usize, summary: &Value) {
    let lessons = lessons();
    for seen in list(&lessons[number - 1], "see") {
        let check = &seen["check"];
        let limits = ["at_least", "at_most"].map(|key| check[key].as_f64());
        assert!(limits.iter().any(Option::is_some), "{check}: a limit is missing");
        let found = figure(summary, check)
            - if check["minus"].is_null() { 0.0 } else { figure(summary, &check["minus"]) };
        let told = format!("lesson {number}: {}\n{check}: {found} found", seen["text"]);
        assert!(limits[0].is_none_or(|least| found >= least), "{told}");
        assert!(limits[1].is_none_or(|most| found <= most), "{told}");
    }
}

/// Runs a lesson into `out` with as many runs as its file says, unless `more` says otherwise.
fn run(bench: &Bench, number: usize, more: &[&str]) -> Said {
    let lessons = lessons();
    let file = folder().join(text(&lessons[number - 1], "study"));
    let file = file.to_str().expect("a path in UTF-8");
    // Tests run side by side already, and the results do not depend on threads.
    let mut command = bench.command(&["run", file, "--out", "out", "--quiet", "--threads", "1"]);
    command.args(more);
    if let Ok(seed) = env::var(SEED) {
        command.args(["--seed", &seed]);
    }
    if let Ok(kernels) = env::var(KERNELS) {
        command.env("MNIST_STUDY_KERNELS", kernels);
    }
    said(&mut command)
}

/// Runs a lesson to its end and makes its checks.
fn pass(number: usize) -> (Bench, Value) {
    let bench = Bench::new();
    let ran = run(&bench, number, &[]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let summary = bench.json("out/summary.json");
    check(number, &summary);
    (bench, summary)
}

/// One run knows nothing of other seeds, and says so; five do.
#[test]
fn one_seed_or_five() {
    let bench = Bench::new();
    let ran = run(&bench, 1, &["--seeds", "1"]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let one = bench.json("out/summary.json");
    assert_eq!(one["comparisons"][0]["interval_covers"], "images");
    assert!(one["comparisons"][0]["seed_standard_error"].is_null());
    let verdict = one["comparisons"][0]["verdict"].as_str().expect("a sentence");
    assert!(verdict.contains("seed noise unknown"), "{verdict}");
    let before = bench.files("out/records");
    let ran = run(&bench, 1, &[]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert!(before.iter().all(|file| bench.files("out/records").contains(file)), "the first runs are kept");
    let five = bench.json("out/summary.json");
    assert_eq!(five["comparisons"][0]["interval_covers"], "runs-and-images");
    assert!(five["comparisons"][0]["seed_standard_error"].as_f64().expect("known") > 0.0);
    if env::var_os(SEED).is_none() {
        // The file's first seed misleads, as its page says: far enough for any kernels.
        assert_eq!(one["comparisons"][0]["outcome"], "b-better");
        assert_eq!(five["comparisons"][0]["outcome"], "cannot-tell");
    }
    check(1, &five);
}

/// What the test images choose is never worse on them.
#[test]
fn choosing_by_the_test_set() {
    let (bench, _) = pass(2);
    for file in bench.files("out/records") {
        let record = bench.json(&format!("out/records/{file}"));
        let after =
            list(&record, "epochs").iter().map(|epoch| epoch["test_accuracy"].as_f64().expect("audited"));
        assert!(after.fold(0.0, f64::max) >= record["test"]["accuracy"].as_f64().expect("a fraction"));
    }
    assert!(bench.read("out/report.md").contains("test images like best"));
}

#[test]
fn a_rate_too_high() {
    let (bench, _) = pass(3);
    // The report says so before any verdict.
    let report = bench.read("out/report.md");
    let told = ["for every test image", "not better than chance"].iter().any(|words| report.contains(words));
    assert!(told, "{report}");
}

#[test]
fn too_few_images() {
    pass(4);
}

#[test]
fn labels_shuffled() {
    let (bench, _) = pass(5);
    assert!(bench.read("out/report.md").contains("shuffled labels 1"));
}

#[test]
fn not_centred() {
    pass(6);
}

#[test]
fn dropout_at_test() {
    pass(7);
}

#[test]
fn width_against_depth() {
    pass(8);
}

#[test]
fn where_an_lstm_wins() {
    pass(9);
}

#[test]
fn calibration() {
    pass(10);
}
