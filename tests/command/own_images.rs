//! A person's own photographs, from a folder to verdict, answer and export.

use crate::common::{Bench, said};
use data::FILE_NAMES;
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
        images[0]["notes"][0].as_str().is_some_and(|told| told.starts_with("resized from")),
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

/// A folder of parts, of which the validation part repeats a training image and the test part one of each.
fn parts(folder: &Path) {
    photographs(&folder.join("all"));
    for (part, numbers) in [("train", 0..24), ("val", 24..32), ("test", 32..40)] {
        for class in ["cat", "dog"] {
            fs::create_dir_all(folder.join(part).join(class)).expect("made");
            for number in numbers.clone() {
                let name = format!("{class}/person-{}-{number:02}.png", number / 4);
                fs::copy(folder.join("all").join(&name), folder.join(part).join(&name)).expect("copied");
            }
        }
    }
    let copy = |from: &str, to: &str| {
        fs::copy(folder.join(from), folder.join(to)).expect("copied");
    };
    copy("train/cat/person-0-00.png", "val/cat/copy.png");
    copy("train/dog/person-0-00.png", "test/dog/copy.png");
    copy("val/dog/person-6-24.png", "test/dog/other.png");
    fs::remove_dir_all(folder.join("all")).expect("removed");
    fs::write(folder.join("labels.csv"), "file,label\n").expect("written");
}

#[test]
fn a_stated_validation_part_is_learnt_from_only_where_that_is_told() {
    let bench = Bench::new();
    parts(&bench.path().join("pets"));
    let compare = |more: &[&str], out: &str| {
        let fixed =
            ["compare", "mlp", "lstm", "--dataset", "pets", "--resize", "8x8", "--epochs", "1", "--out", out];
        said(&mut bench.command(&[&fixed[..], more].concat()))
    };
    let stated = compare(&["--seeds", "1"], "stated");
    assert_eq!(stated.code, Some(0), "{}", stated.stderr);
    let used = "note: data set pets:resize=8x8: the data states 17 validation images, used as such\n";
    assert!(stated.stderr.contains(used), "{}", stated.stderr);
    let refused = compare(&["--seeds", "1", "--resample", "split"], "split");
    assert_eq!(refused.code, Some(1), "{}", refused.stderr);
    assert!(
        refused.stderr.contains("data without a validation part expected where runs draw their split, 17")
            && refused.stderr.contains("hint: draw the training images alone with --resample bootstrap"),
        "{}",
        refused.stderr
    );
    assert!(!bench.path().join("split").exists());
    assert_eq!(compare(&["--seeds", "1", "--resample", "bootstrap"], "bootstrap").code, Some(0));
    for (more, out, learns) in [
        (["--folds", "2"], "folds", "the data states 17 validation images: cross-validation deals them out"),
        (
            ["--protocol", "original"],
            "original",
            "the data states 17 validation images: the protocol original learns",
        ),
    ] {
        let told = compare(&more, out);
        assert_eq!(told.code, Some(0), "{}", told.stderr);
        assert_eq!(told.stderr.matches(learns).count(), 1, "{}", told.stderr);
        let report = bench.read(&format!("{out}/report.md"));
        assert!(
            report.contains(learns) && bench.read(&format!("{out}/report.html")).contains(learns),
            "{report}"
        );
    }
    assert!(!bench.read("stated/report.md").contains("deals them out"));
}

#[test]
fn how_data_was_read_is_a_note_and_what_is_wrong_with_it_a_warning() {
    let bench = Bench::new();
    parts(&bench.path().join("pets"));
    let compared = said(&mut bench.command(&[
        "compare",
        "mlp",
        "lstm",
        "--dataset",
        "pets",
        "--resize",
        "8x8",
        "--epochs",
        "1",
        "--seeds",
        "1",
        "--out",
        "out",
    ]));
    assert_eq!(compared.code, Some(0), "{}", compared.stderr);
    let notes =
        ["passed over beside the parts: labels.csv", "the data states 17 validation images, used as such"];
    let warnings = [
        "1 of 18 test images (5.6 %) is also a training image: test accuracy is overstated",
        "1 of 17 validation images (5.9 %) is also a training image: validation accuracy is overstated",
        "1 of 18 test images (5.6 %) is also a validation image: test accuracy is overstated",
    ];
    let summary = bench.json("out/summary.json");
    let (markdown, page) = (bench.read("out/report.md"), bench.read("out/report.html"));
    let list = |of: &Value, name: &str| -> Vec<String> {
        let list = of[name].as_array().expect("a list").iter();
        list.map(|sentence| sentence.as_str().expect("a sentence").to_owned()).collect()
    };
    let inspected = said(&mut bench.command(&["datasets", "inspect", "pets", "--resize", "8x8", "--json"]));
    for of in [&summary, &json(&inspected.stdout)] {
        for (named, other, sentences) in [("notes", "warnings", &notes[..]), ("warnings", "notes", &warnings)]
        {
            for sentence in sentences {
                assert!(list(of, named).contains(&(*sentence).to_owned()), "{sentence}: {of:#}");
                assert!(!list(of, other).contains(&(*sentence).to_owned()), "{sentence}: {of:#}");
            }
        }
    }
    for note in notes {
        assert!(
            compared.stderr.contains(&format!("note: data set pets:resize=8x8: {note}\n")),
            "{}",
            compared.stderr
        );
        assert!(
            markdown.contains(&format!("- {note}\n")) && page.contains(&format!("<li>{note}</li>")),
            "{note}"
        );
    }
    for warning in warnings {
        assert!(
            compared.stderr.contains(&format!("warning: data set pets:resize=8x8: {warning}\n")),
            "{}",
            compared.stderr
        );
        assert!(markdown.contains(&format!("> **Warning.** {warning}\n")), "{warning}: {markdown}");
        assert!(page.contains(&format!("<strong>Warning. </strong>{warning}</p>")), "{warning}");
    }
}

#[test]
fn a_file_of_groups_says_which_of_its_rows_are_of_no_image() {
    let bench = Bench::new();
    photographs(&bench.path().join("pets"));
    let mut rows = "image,group\n".to_owned();
    for class in ["cat", "dog"] {
        for number in 0..40 {
            let image = format!("{class}/person-{}-{number:02}.png", number / 4);
            rows.push_str(&format!("{image},{}\n", number / 4));
        }
    }
    rows.push_str("cat/gone.png,3\ndog/gone.png,4\n");
    fs::write(bench.path().join("groups.csv"), rows).expect("written");
    let inspected = said(&mut bench.command(&[
        "datasets",
        "inspect",
        "pets",
        "--resize",
        "8x8",
        "--groups",
        "groups.csv",
    ]));
    assert_eq!(inspected.code, Some(0), "{}", inspected.stderr);
    for note in [
        "note: groups.csv: the first line, of image, is taken as a header\n",
        "note: groups.csv: 2 of 82 rows are of no image, cat/gone.png for example\n",
    ] {
        assert!(inspected.stdout.contains(note), "{}", inspected.stdout);
    }
}

#[test]
fn what_a_picture_has_beside_its_first_image_is_told_by_predict() {
    let bench = Bench::new();
    photographs(&bench.path().join("pets"));
    let train =
        ["train", "mlp", "--dataset", "pets", "--resize", "8x8", "--epochs", "1", "--save", "m.safetensors"];
    assert_eq!(said(&mut bench.command(&train)).code, Some(0));
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden/pictures");
    fs::create_dir(bench.path().join("new")).expect("made");
    for name in ["3.gif", "cmyk.jpg"] {
        fs::copy(golden.join(name), bench.path().join("new").join(name)).expect("copied");
    }
    fs::write(bench.path().join("new/notes.txt"), "x").expect("written");
    let answered = said(&mut bench.command(&["predict", "m.safetensors", "new", "--json"]));
    assert_eq!(answered.code, Some(0), "{}", answered.stderr);
    for note in [
        "note: 1 of 2 images: the first of its 3 frames or pages is read, new/3.gif for example\n",
        "note: 1 of 2 images: converted from the colours of print (CMYK) to red, green and blue, new/cmyk.jpg for example\n",
        "note: new: 1 entry that is no image file is passed over: notes.txt\n",
    ] {
        assert!(answered.stderr.contains(note), "{}", answered.stderr);
    }
    let answered = json(&answered.stdout);
    assert_eq!(answered["images"][0]["notes"][0], "the first of its 3 frames or pages is read");
    assert_eq!(answered["images"][0]["warnings"], serde_json::json!([]));
}

#[test]
fn names_that_could_be_meant_otherwise_are_told_and_printed_so_that_they_can_be_typed() {
    let bench = Bench::new();
    photographs(&bench.path().join("colored-mnist"));
    let known = said(&mut bench.command(&["datasets", "inspect", "colored-mnist"]));
    let note = "note: data set colored-mnist: the known set is read, and colored-mnist in this folder passed over: \
                ./colored-mnist names that\n";
    assert!(known.code == Some(0) && known.stderr.contains(note), "{}", known.stderr);
    let own = said(&mut bench.command(&["datasets", "inspect", "./colored-mnist", "--resize", "8x8"]));
    assert!(
        own.code == Some(0) && own.stdout.contains("cat") && !own.stderr.contains("passed over"),
        "{}",
        own.stderr
    );
    fs::rename(bench.path().join("colored-mnist"), bench.path().join("-x")).expect("renamed");
    let compared = said(&mut bench.command(&[
        "compare",
        "mlp",
        "lstm",
        "--dataset=-x",
        "--resize",
        "8x8",
        "--epochs",
        "1",
        "--seeds",
        "1",
        "--out",
        "out",
    ]));
    assert_eq!(compared.code, Some(0), "{}", compared.stderr);
    let report = bench.read("out/report.md");
    let command = report.lines().find(|line| line.starts_with("mnist-study compare")).expect("a command");
    assert!(command.contains(" --dataset ./-x:resize=8x8 "), "{command}");
    let again: Vec<&str> = command.split(' ').skip(1).chain(["--out", "again"]).collect();
    assert_eq!(said(&mut bench.command(&again)).code, Some(0), "{command}");
    assert_eq!(bench.fingerprints("out"), bench.fingerprints("again"));
}

#[test]
fn idx_files_without_a_test_part_have_one_set_apart() {
    let bench = Bench::new();
    for name in [FILE_NAMES[2], FILE_NAMES[3]] {
        fs::remove_file(bench.path().join("data").join(name)).expect("removed");
    }
    let inspected = said(&mut bench.command(&["datasets", "inspect", "data", "--test-fraction", "0.25@3"]));
    assert_eq!(inspected.code, Some(0), "{}", inspected.stderr);
    assert!(inspected.stdout.contains("note: there is no test part: "), "{}", inspected.stdout);
    assert!(inspected.stdout.contains("drawn by seed 3"), "{}", inspected.stdout);
    let most = said(&mut bench.command(&["datasets", "inspect", "data", "--test-fraction", "0.9999"]));
    assert_eq!(most.code, Some(1));
    assert!(
        most.stderr.starts_with("error: data set data:test=0.9999, test part: 1 to ")
            && most.stderr.contains("hint: pass a smaller --test-fraction"),
        "{}",
        most.stderr
    );
    // Half a test part is a mistake.
    fs::write(bench.path().join("data").join(FILE_NAMES[2]), b"").expect("written");
    let half = said(&mut bench.command(&["datasets", "inspect", "data"]));
    assert!(
        half.stderr.contains("t10k-labels-idx1-ubyte or t10k-labels-idx1-ubyte.gz expected"),
        "{}",
        half.stderr
    );
}
