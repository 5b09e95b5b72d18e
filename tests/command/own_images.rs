//! A person's own photographs, from a folder to verdict, answer and export.

use crate::common::{Bench, said};
use image::{Rgb, RgbImage};
use serde_json::Value;
use std::{fs, path::Path};

/// Two classes that no one would confuse, in pictures of several sizes: a red or a blue spot on a grey ground. Those of four
/// neighbouring numbers are of one person.
fn photographs(folder: &Path) {
    for (class, colour) in [("cat", [200, 40, 40]), ("dog", [40, 40, 200])] {
        fs::create_dir_all(folder.join(class)).expect("made");
        for number in 0..40_u32 {
            let (height, width) = (16 + number % 3, 16);
            let picture = RgbImage::from_fn(width, height, |x, y| {
                let inside = x.abs_diff(5 + number % 7) < 5 && y.abs_diff(5 + number % 6) < 5;
                let shade = ((x * 7 + y * 13 + number * 29) % 40) as u8;
                let value = if inside { colour } else { [120, 120, 120] };
                Rgb(value.map(|value: u8| value.saturating_add(shade)))
            });
            let name = format!("person-{}-{number:02}.png", number / 4);
            picture.save(folder.join(class).join(name)).expect("written");
        }
    }
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

#[test]
fn from_a_folder_to_verdict_answer_and_export() {
    let bench = Bench::new();
    photographs(&bench.path().join("pets"));
    let sizes = said(&mut bench.command(&["compare", "mlp", "lstm", "--dataset", "pets", "--out", "out"]));
    assert_eq!(sizes.code, Some(1));
    assert!(sizes.stderr.contains("images of one size expected"), "{}", sizes.stderr);
    assert!(sizes.stderr.contains("hint: pass --resize 16x16"), "{}", sizes.stderr);
    assert!(!bench.path().join("out").exists());

    let set = ["--dataset", "pets", "--resize", "12x12"];
    let compare = [
        &["compare", "mlp", "lstm", "--epochs", "4", "--batch-size", "16", "--seeds", "2", "--out", "out"],
        &set[..],
    ];
    let compared = said(&mut bench.command(&compare.concat()));
    assert_eq!(compared.code, Some(0), "{}", compared.stderr);
    assert!(
        compared.stderr.contains("80 of 80 images are resized")
            || compared.stderr.contains("images are resized from 3 sizes to 12×12"),
        "{}",
        compared.stderr
    );
    assert!(compared.stderr.contains("there is no test part: 16 of 80 images"), "{}", compared.stderr);
    let summary = bench.json("out/summary.json");
    assert_eq!(summary["dataset"], "pets:resize=12x12");
    let report = fs::read_to_string(bench.path().join("out/report.md")).expect("a report");
    assert!(report.contains("--dataset pets:resize=12x12"), "{report}");
    assert!(
        report.contains("64 training and 16 test images of 12 × 12 pixels in colour in 2 classes"),
        "{report}"
    );
    let verified = said(&mut bench.command(&["verify", "out"]));
    assert_eq!(verified.code, Some(0), "{}", verified.stderr);

    let train =
        [&["train", "mlp", "--epochs", "8", "--batch-size", "16", "--save", "m.safetensors"], &set[..]]
            .concat();
    assert_eq!(said(&mut bench.command(&train)).code, Some(0));
    let answered = said(&mut bench.command(&["predict", "m.safetensors", "pets/cat", "pets/dog", "--json"]));
    assert_eq!(answered.code, Some(0), "{}", answered.stderr);
    let answered = json(&answered.stdout);
    let images = answered["images"].as_array().expect("images");
    let right = images.iter().filter(|image| {
        image["file"].as_str().is_some_and(|file| file.contains(image["class"].as_str().unwrap_or("?")))
    });
    assert!(images.len() == 80 && right.count() >= 76, "{answered:#}");
    assert!(
        images[0]["warnings"][0].as_str().is_some_and(|told| told.starts_with("resized from")),
        "{answered:#}"
    );

    let evaluated = said(&mut bench.command(&[&["evaluate", "m.safetensors", "--json"], &set[..]].concat()));
    assert_eq!(evaluated.code, Some(0), "{}", evaluated.stderr);
    let exported = ["export", "m.safetensors", "--onnx", "m.onnx", "--c-header", "m.h", "--pytorch", "m.py"];
    let exported = said(&mut bench.command(&exported));
    assert_eq!(exported.code, Some(0), "{}", exported.stderr);
    let header = fs::read_to_string(bench.path().join("m.h")).expect("a header");
    assert!(header.contains("_CHANNELS 3") && header.contains("\"cat\", \"dog\""), "{}", &header[..900]);
}

#[test]
fn groups_stay_whole_and_folds_test_every_image() {
    let bench = Bench::new();
    photographs(&bench.path().join("pets"));
    let study = r#"
        dataset = 'pets:resize=12x12:groups=person-(\d+)'
        folds = 4
        repeats = 2
        decide_by = "balanced-accuracy"
        [recipe]
        epochs = 2
        batch_size = 16
        class_weights = "balanced"
        preparation = "standardise"
        [model.small]
        layers = ["flatten", "dense 16", "relu", "dense classes"]
        [model.least]
        layers = ["flatten", "dense classes"]
    "#;
    fs::write(bench.path().join("study.toml"), study).expect("written");
    let ran = said(&mut bench.command(&["run", "study.toml", "--out", "out"]));
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert!(ran.stdout.contains("corrected resampled t test"), "{}", ran.stdout);
    assert!(ran.stderr.contains("the images are of 10 groups"), "{}", ran.stderr);
    let summary = bench.json("out/summary.json");
    assert_eq!(summary["cross_validation"], serde_json::json!({ "folds": 4, "repeats": 2 }));
    assert_eq!(summary["models"][0]["runs"].as_array().map(Vec::len), Some(8));
    // Every image is tested once a repeat, none by a run that learnt from its person.
    let mut tested = [Vec::new(), Vec::new()];
    for entry in fs::read_dir(bench.path().join("out/records")).expect("records") {
        let path = entry.expect("an entry").path();
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        let record = json(&fs::read_to_string(path).expect("a record"));
        let (run, test) = (&record["specification"], &record["test"]);
        if run["model"] == "least" {
            let repeat = run["fold"]["repeat"].as_u64().expect("a repeat") as usize;
            tested[repeat - 1].extend(
                test["images"]
                    .as_array()
                    .expect("places")
                    .iter()
                    .map(|place| place.as_u64().expect("a place")),
            );
        }
    }
    for mut places in tested {
        places.sort_unstable();
        assert_eq!(places, (0..80).collect::<Vec<u64>>());
    }
    let verified = said(&mut bench.command(&["verify", "out"]));
    assert_eq!(verified.code, Some(0), "{}", verified.stderr);
    let both = said(&mut bench.command(&["compare", "mlp", "lstm", "--folds", "3", "--seeds", "2"]));
    assert_eq!(both.code, Some(2), "{}", both.stderr);
    let original = ["compare", "mlp", "lstm", "--folds", "3", "--protocol", "original", "--dataset", "data"];
    assert_eq!(said(&mut bench.command(&original)).code, Some(2));
}

#[test]
fn runs_that_draw_their_data_differ_by_seed_and_are_paired() {
    let bench = Bench::new();
    photographs(&bench.path().join("pets"));
    let compare = |resample: &str, out: &str| {
        let arguments = [
            "compare",
            "mlp",
            "lstm",
            "--dataset",
            "pets",
            "--resize",
            "12x12",
            "--epochs",
            "1",
            "--batch-size",
            "16",
            "--seeds",
            "2",
            "--resample",
            resample,
            "--out",
            out,
        ];
        let compared = said(&mut bench.command(&arguments));
        assert_eq!(compared.code, Some(0), "{}", compared.stderr);
        let summary = bench.json(&format!("{out}/summary.json"));
        let prints = |model: usize| -> Vec<String> {
            let runs = summary["models"][model]["runs"].as_array().expect("runs");
            runs.iter().map(|run| run["fingerprint"].to_string()).collect()
        };
        [prints(0), prints(1)].concat()
    };
    let plain = compare("none", "plain");
    let (split, bootstrap) = (compare("split", "split"), compare("bootstrap", "bootstrap"));
    for (one, other) in [(&plain, &split), (&plain, &bootstrap), (&split, &bootstrap)] {
        assert!(one.iter().zip(other).all(|(one, other)| one != other), "{one:?} {other:?}");
    }
    let report = fs::read_to_string(bench.path().join("bootstrap/report.md")).expect("a report");
    assert!(report.contains("--resample bootstrap"), "{report}");
}

/// A model whose recipe standardises its images answers the same from its file.
#[test]
fn a_preparation_goes_with_the_model() {
    let bench = Bench::new();
    photographs(&bench.path().join("pets"));
    let study = r#"
        [model.prepared]
        layers = ["flatten", "dense classes"]
        recipe = { epochs = 3, batch_size = 16, preparation = "standardise" }
    "#;
    fs::write(bench.path().join("study.toml"), study).expect("written");
    let set = ["--dataset", "pets", "--resize", "12x12"];
    let train = [&["train", "study.toml:prepared", "--save", "m.safetensors"], &set[..]].concat();
    let trained = said(&mut bench.command(&train));
    assert_eq!(trained.code, Some(0), "{}", trained.stderr);
    let evaluated = said(&mut bench.command(&[&["evaluate", "m.safetensors", "--json"], &set[..]].concat()));
    assert_eq!(evaluated.code, Some(0), "{}", evaluated.stderr);
    let evaluated = json(&evaluated.stdout);
    assert_eq!(evaluated["preparation"]["mean"].as_array().map(Vec::len), Some(3), "{evaluated:#}");
    let told =
        format!("test accuracy {:.2} %", 100.0 * evaluated["test_accuracy"].as_f64().expect("a number"));
    assert!(trained.stdout.contains(&told), "{told}: {}", trained.stdout);
    for lists in [
        "{ mean = [0.5, 0.4, 0.3], std = [0.2, 0.2, 0.2] }",
        "{ deviation = [0.2, 0.2, 0.2], mean = [0.5, 0.4, 0.3] }",
    ] {
        fs::write(bench.path().join("study.toml"), study.replace("\"standardise\"", lists)).expect("written");
        let given = said(&mut bench.command(&train));
        assert_eq!(given.code, Some(0), "{}", given.stderr);
        let told = said(&mut bench.command(&[&["evaluate", "m.safetensors", "--json"], &set[..]].concat()));
        let expected = serde_json::json!({ "mean": [0.5, 0.4, 0.3], "std": [0.2, 0.2, 0.2] });
        assert_eq!(json(&told.stdout)["preparation"], expected, "{}", told.stderr);
    }
    let wrong = study.replace("\"standardise\"", "{ mean = [0.5], std = [0.2] }");
    fs::write(bench.path().join("study.toml"), wrong).expect("written");
    let refused = said(&mut bench.command(&train));
    assert_eq!(refused.code, Some(1));
    assert!(refused.stderr.contains("means of 3 channels expected"), "{}", refused.stderr);
}

/// What was once read without a word, or waited for ever.
#[test]
fn odd_folders_are_told_or_refused() {
    let bench = Bench::new();
    photographs(&bench.path().join("pets"));
    let inspect = |path: &str| said(&mut bench.command(&["datasets", "inspect", path, "--resize", "8x8"]));
    assert_eq!(inspect("pets").code, Some(0));
    let sized =
        said(&mut bench.command(&["datasets", "inspect", "pets", "--resize", "8x8", "--size", "4x4"]));
    assert_eq!(sized.code, Some(1));
    assert!(
        sized.stderr.contains("expected where `size` is asked for")
            && sized.stderr.contains("leave out --size"),
        "{}",
        sized.stderr
    );
    // One class in two Unicode forms of its name.
    for (name, from) in [("cafe\u{301}", "cat"), ("caf\u{e9}", "dog")] {
        fs::create_dir(bench.path().join("pets").join(name)).expect("made");
        fs::copy(
            bench.path().join(format!("pets/{from}/person-0-00.png")),
            bench.path().join("pets").join(name).join(format!("{from}.png")),
        )
        .expect("copied");
    }
    let joined = inspect("pets");
    assert_eq!(joined.code, Some(0), "{}", joined.stderr);
    assert!(
        joined.stdout.contains("in another Unicode form are one class")
            || joined.stderr.contains("in another Unicode form are one class"),
        "{}",
        joined.stderr
    );
    // A folder whose name is that of the other with a word behind it.
    fs::create_dir(bench.path().join("pets:resize=8x8")).expect("made");
    let both = inspect("pets");
    assert_eq!(both.code, Some(1), "{}", both.stderr);
    assert!(
        both.stderr.contains("one path expected, both pets:resize=8x8 and pets found"),
        "{}",
        both.stderr
    );
    fs::remove_dir(bench.path().join("pets:resize=8x8")).expect("removed");
    let one = said(&mut bench.command(&["datasets", "inspect", "pets:resize=8x8:groups=(png)"]));
    assert_eq!(one.code, Some(1));
    assert!(one.stderr.contains("a group that can be held back"), "{}", one.stderr);
    #[cfg(unix)]
    {
        use std::{ffi::OsStr, os::unix::ffi::OsStrExt, process::Command};
        let pipe = bench.path().join("pets/cat/pipe.png");
        assert!(Command::new("mkfifo").arg(&pipe).status().expect("mkfifo").success());
        let pipe_told = inspect("pets");
        assert_eq!(pipe_told.code, Some(1), "{}", pipe_told.stderr);
        assert!(
            pipe_told.stderr.contains("pipe.png") && pipe_told.stderr.contains("not a plain file"),
            "{}",
            pipe_told.stderr
        );
        fs::remove_file(pipe).expect("removed");
        let strange = bench.path().join("pets").join(OsStr::from_bytes(b"bad\xff"));
        if fs::create_dir(&strange).is_ok() {
            let named = inspect("pets");
            assert_eq!(named.code, Some(1), "{}", named.stderr);
            assert!(named.stderr.contains("a name in UTF-8 expected"), "{}", named.stderr);
        }
    }
}
