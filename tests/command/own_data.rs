//! Data of one's own: what is said of it, how it is turned, what becomes of its labels.

use crate::common::{Bench, said};
use data::{FILE_NAMES, idx};
use std::{fs, path::Path};

/// The labels of the bench's folder, changed.
fn relabel(bench: &Bench, change: impl Fn(usize, u8) -> u8) {
    for name in [FILE_NAMES[1], FILE_NAMES[3]] {
        let path = bench.path().join("data").join(name);
        let labels = idx::read_labels(name, fs::read(&path).expect("there")).expect("labels");
        let labels: Vec<u8> = labels.iter().enumerate().map(|(index, label)| change(index, *label)).collect();
        fs::write(&path, idx::write_labels(&labels)).expect("written");
    }
}

/// A constant that is behind a reference gets into the program once for each codegen unit that reads it.
#[test]
fn the_program_holds_mnist_once() {
    let program = fs::read(assert_cmd::cargo::cargo_bin("mnist-study")).expect("the command is built");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("crates/embedded/files");
    let mut parts = 0;
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.extension().is_some_and(|extension| extension == "packed") {
            let packed = fs::read(&path).expect("read");
            let needle = &packed[packed.len() / 2..][..32];
            let count = program.windows(needle.len()).filter(|window| *window == needle).count();
            assert_eq!(count, 1, "{}", path.display());
            parts += 1;
        }
    }
    assert_eq!(parts, 7);
}

#[test]
fn labels_name_the_classes_in_records_reports_and_saved_models() {
    let bench = Bench::new();
    relabel(&bench, |_, label| 5 * label + 5);
    let told = "note: data set data: labels are 5, 10 and 15: 3 classes, each named by its label\n";
    let compared = said(&mut bench.compare("out", &["mlp", "lstm", "--seeds", "1", "--quiet"]));
    assert_eq!(compared.code, Some(0), "{}", compared.stderr);
    assert!(compared.stderr.starts_with(told), "{}", compared.stderr);
    let record = bench.files("out/records").remove(0);
    let record = bench.json(&format!("out/records/{record}"));
    let text = record.to_string();
    assert!(text.contains(r#""class_names":["5","10","15"]"#), "{text}");
    assert!(text.contains(&told["note: data set data: ".len()..told.len() - 1]), "{text}");

    // Without the data, the records say it.
    fs::rename(bench.path().join("data"), bench.path().join("moved")).expect("renamed");
    let report = said(&mut bench.command(&["report", "out", "--quiet"]));
    assert_eq!(report.code, Some(0), "{}", report.stderr);
    let page = bench.read("out/report.html");
    assert!(
        page.contains(r#"<th scope="col" title="15">15</th>"#) && !page.contains("(15)"),
        "the classes have their labels"
    );
    fs::rename(bench.path().join("moved"), bench.path().join("data")).expect("renamed");

    let train = ["train", "cnn", "--epochs", "5", "--dataset", "data", "--save", "m.safetensors", "--quiet"];
    let trained = said(&mut bench.command(&train));
    assert_eq!((trained.code, trained.stderr.as_str()), (Some(0), told));
    let evaluate = ["evaluate", "m.safetensors", "--dataset", "data", "--quiet"];
    let evaluated = said(&mut bench.command(&evaluate));
    assert!(evaluated.stdout.contains("class 15: "), "{}", evaluated.stdout);
    assert_eq!(evaluated.stderr, told, "model and data call the classes alike");
    // Other data with as many classes: which class is which is not known.
    relabel(&bench, |_, label| label / 5 - 1);
    let evaluated = said(&mut bench.command(&evaluate));
    assert_eq!(
        evaluated.stderr,
        "note: m.safetensors: class 0 is called 5 in the model and 0 in the data: classes are taken in their order, not by \
         name\n"
    );
}

#[test]
fn what_is_wrong_with_data_is_told_whatever_the_verb_and_however_quiet() {
    let bench = Bench::new();
    for (from, to) in [(FILE_NAMES[0], FILE_NAMES[2]), (FILE_NAMES[1], FILE_NAMES[3])] {
        let folder = bench.path().join("data");
        fs::copy(folder.join(from), folder.join(to)).expect("copied");
    }
    let told = "warning: data set data: the test images are the training images: test accuracy only says what was memorised\n";
    let verbs: [&[&str]; 3] = [
        &["train", "lstm", "--save", "m.safetensors", "--epochs", "1"],
        &["evaluate", "m.safetensors"],
        &["tune", "lstm", "--trials", "1", "--epochs", "1", "--out", "tuned"],
    ];
    for verb in verbs {
        let mut arguments = verb.to_vec();
        arguments.extend(["--dataset", "data", "--quiet"]);
        let said = said(&mut bench.command(&arguments));
        assert_eq!(said.code, Some(0), "{verb:?}: {}", said.stderr);
        assert_eq!(said.stderr.matches(told).count(), 1, "{verb:?}: {}", said.stderr);
    }
}

#[test]
fn data_without_an_answer_is_refused() {
    let bench = Bench::new();
    let compare = ["compare", "lstm", "mlp", "--dataset", "data", "--out", "out"];
    relabel(&bench, |_, _| 3);
    let one = said(&mut bench.command(&compare));
    assert_eq!(one.code, Some(1));
    assert!(
        one.stderr.starts_with("error: data: at least 2 classes expected, all labels are 3\n"),
        "{}",
        one.stderr
    );
    relabel(&bench, |index, _| (index % 3) as u8);
    let path = bench.path().join("data").join(FILE_NAMES[0]);
    fs::write(&path, idx::write_images(&vec![0; 240 * 14 * 12], 240, [14, 12])).expect("written");
    let alike = said(&mut bench.command(&compare));
    assert_eq!(alike.code, Some(1));
    assert!(
        alike.stderr.starts_with("error: data (training): different images expected, all 240 are alike\n"),
        "{}",
        alike.stderr
    );
    assert!(!bench.path().join("out").exists());
}

#[test]
fn a_folder_is_transposed_for_every_verb_and_named_so_in_records() {
    let bench = Bench::new();
    let train =
        ["train", "lstm", "--epochs", "1", "--dataset", "data", "--transpose", "--save", "m.safetensors"];
    assert_eq!(said(&mut bench.command(&train)).code, Some(0));
    let upright = said(&mut bench.command(&["evaluate", "m.safetensors", "--dataset", "data"]));
    assert_eq!(upright.code, Some(1));
    assert!(upright.stderr.contains("made for images of 12×14 pixels"), "{}", upright.stderr);
    let turned = said(&mut bench.command(&["evaluate", "m.safetensors", "--dataset", "data", "--transpose"]));
    assert_eq!(turned.code, Some(0), "{}", turned.stderr);

    let compared = said(&mut bench.compare("out", &["lstm", "mlp", "--seeds", "1", "--transpose"]));
    assert_eq!(compared.code, Some(0), "{}", compared.stderr);
    assert_eq!(bench.json("out/summary.json")["dataset"], "data:transposed");
    let verified = said(&mut bench.command(&["verify", "out"]));
    assert_eq!(verified.code, Some(0), "{}", verified.stderr);

    let known =
        said(&mut bench.command(&["train", "lstm", "--save", "x", "--dataset", "mnist", "--transpose"]));
    assert_eq!(known.code, Some(1));
    assert!(known.stderr.contains("hint: pass --dataset mnist alone"), "{}", known.stderr);
    let nothing = said(&mut bench.command(&["train", "lstm", "--save", "x", "--transpose"]));
    assert_eq!(nothing.code, Some(2), "{}", nothing.stderr);
}
