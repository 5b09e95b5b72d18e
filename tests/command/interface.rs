//! Help, lists and completions.

use crate::common::{Bench, said};
use std::{
    fs,
    path::{Path, PathBuf},
};

#[test]
fn help_shows_a_newcomer_what_to_type() {
    let bench = Bench::new();
    let help = said(&mut bench.command(&["--help"]));
    assert_eq!((help.code, help.stderr.as_str()), (Some(0), ""));
    insta::assert_snapshot!("help", help.stdout);
    for verb in ["compare", "train", "evaluate", "predict", "export", "models", "datasets", "completions"] {
        let help = said(&mut bench.command(&[verb, "--help"]));
        assert_eq!((help.code, help.stderr.as_str()), (Some(0), ""), "{verb}");
        insta::assert_snapshot!(format!("help_{verb}"), help.stdout);
    }
}

#[test]
fn lists_say_what_there_is() {
    let bench = Bench::new();
    insta::assert_snapshot!("models", said(&mut bench.command(&["models"])).stdout);
    insta::assert_snapshot!("datasets", said(&mut bench.command(&["datasets"])).stdout);
    let models: serde_json::Value =
        serde_json::from_str(&said(&mut bench.command(&["models", "--json"])).stdout).expect("JSON");
    assert_eq!(models[1]["name"], "cnn");
    assert_eq!(models[1]["parameters"], 225_034);
    let layers = said(&mut bench.command(&["models", "--layers"])).stdout;
    assert!(layers.starts_with("conv FILTERS HxW ") && layers.contains("\nattention HEADS\n"), "{layers}");
    insta::assert_snapshot!(
        "models_describe",
        said(&mut bench.command(&["models", "--describe", "cnn"])).stdout
    );
    let lstm: serde_json::Value =
        serde_json::from_str(&said(&mut bench.command(&["models", "--describe", "lstm", "--json"])).stdout)
            .expect("JSON");
    assert_eq!(lstm["layers"][0]["output"], serde_json::json!([128]));
    assert_eq!(lstm["network"], serde_json::json!(["lstm 128", "dense classes"]));
    assert_eq!((&lstm["parameters"], &lstm["multiply_adds"]), (&81_674.into(), &2_237_696.into()));
    let unknown = said(&mut bench.command(&["models", "--describe", "ccn"]));
    assert_eq!(unknown.code, Some(2));
    assert!(unknown.stderr.contains("did you mean `cnn`?"), "{}", unknown.stderr);
    let datasets: serde_json::Value =
        serde_json::from_str(&said(&mut bench.command(&["datasets", "--json"])).stdout).expect("JSON");
    assert_eq!(datasets[0]["test_images"], 10_000);
    assert_eq!((&datasets[1]["here"], &datasets[3]["here"]), (&true.into(), &false.into()));
    assert_eq!((&datasets[1]["channels"], &datasets[3]["channels"]), (&3.into(), &1.into()));
    assert_eq!(datasets[3]["class_names"][0], "T-shirt/top");
    assert_eq!(datasets[5]["download_folder"], "cache/emnist");
    let fetch = said(&mut bench.command(&["datasets", "fetch", "--help"]));
    insta::assert_snapshot!("help_datasets_fetch", fetch.stdout);
}

#[test]
fn every_shell_gets_completions() {
    let bench = Bench::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = said(&mut bench.command(&["completions", shell]));
        assert_eq!(script.code, Some(0));
        assert!(
            script.stdout.contains("--learning-rate") || script.stdout.contains("learning-rate"),
            "{shell}"
        );
    }
}

#[test]
fn the_version_is_the_package_s() {
    let bench = Bench::new();
    assert_eq!(
        said(&mut bench.command(&["--version"])).stdout,
        concat!("mnist-study ", env!("CARGO_PKG_VERSION"), "\n")
    );
}

/// Libraries speak of things; options and verbs are the command's, whose hints stand in `src/command/hints.rs`. The places that are
/// still otherwise are counted here, and are to become fewer.
#[test]
fn libraries_name_no_option() {
    const STILL: [(&str, usize); 10] = [
        // What a page and a report tell a person is what to type.
        ("crates/browser/src/sets.rs", 1),
        // Remarks on data, which records keep as they are.
        ("crates/data/src/directory.rs", 3),
        // As the browser's.
        ("crates/page/src/read.rs", 2),
        ("crates/report/src/render/page/classes.rs", 1),
        ("crates/server/src/access.rs", 1),
        ("crates/server/src/datasets.rs", 2),
        ("crates/server/src/studio.rs", 1),
        // Where a study file's own mistakes are explained.
        ("crates/study/src/study_file/hints.rs", 1),
        ("crates/study/src/study_file/model.rs", 1),
        // What a written study file says of itself.
        ("crates/study/src/tune/outcome.rs", 1),
    ];
    /// Custom properties of the page's style sheet, which are spelled as options are.
    const STYLES: [&str; 4] = ["--share", "--own", "--model-", "--training-"];
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut folders: Vec<PathBuf> = fs::read_dir(root.join("crates"))
        .expect("crates")
        .map(|entry| entry.expect("an entry").path().join("src"))
        // The module of Python stands above the command, which it brings.
        .filter(|folder| !folder.ends_with("python/src"))
        .collect();
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder of sources") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).expect("text");
                let code = text.split("#[cfg(test)]").next().expect("a first part");
                let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
                let names = |line: &&str| {
                    let line = STYLES.iter().fold((*line).to_owned(), |line, style| line.replace(style, ""));
                    let followed = |mark: &str| {
                        let mut places = line.match_indices(mark);
                        places.any(|(place, _)| {
                            line[place + mark.len()..].starts_with(|letter: char| letter.is_ascii_lowercase())
                        })
                    };
                    followed("--") || followed("mnist-study ")
                };
                let count = lines.filter(names).count();
                let name = path.strip_prefix(root).expect("below it").display().to_string();
                found.extend((count > 0).then_some((name, count)));
            }
        }
    }
    found.sort();
    assert_eq!(found, STILL.map(|(name, count)| (name.to_owned(), count)));
}
