//! Files of answers as people write them, and as they go wrong.

use predictions::{Assembled, Error, KnownImages, Source, assemble, find, read};
use records::record::Fold;
use std::{fs, path::Path};

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) -> &Self {
        let path = self.0.path().join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        fs::write(path, content).expect("written");
        self
    }

    fn assembled(&self) -> Result<Assembled, Error> {
        assemble(find(self.0.path())?.sources, None, None)
    }

    fn refused(&self) -> String {
        match self.assembled() {
            Ok(assembled) => panic!("{assembled:?}"),
            Err(error) => error.to_string().replace(&format!("{}/", self.0.path().display()), ""),
        }
    }
}

/// A file of one array, as NumPy's format version 1 has it.
fn npy(description: &str, shape: &str, bytes: &[u8]) -> Vec<u8> {
    let mut head = format!("{{'descr': '{description}', 'fortran_order': False, 'shape': {shape}, }}");
    while (10 + head.len() + 1) % 64 != 0 {
        head.push(' ');
    }
    head.push('\n');
    [b"\x93NUMPY\x01\x00", &(head.len() as u16).to_le_bytes()[..], head.as_bytes(), bytes].concat()
}

fn floats(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

const PROBABILITIES: [f32; 9] = [0.5, 0.25, 0.25, 0.125, 0.75, 0.125, 0.25, 0.5, 0.25];

/// The same answers to three images in every kind of file: labels 0, 1, 2, predictions 0, 1, 1.
#[test]
fn every_kind_of_file_says_the_same() {
    let folder = Folder::new();
    let logits: Vec<f32> = PROBABILITIES.iter().map(|value| value.ln() + 3.0).collect();
    folder
        .write("labels.npy", npy("<i8", "(3,)", &[0_i64, 1, 2].map(i64::to_le_bytes).concat()))
        .write(
            "p/a/seed-1.csv",
            "\u{feff}label,p_0,p_1,p_2\r\n0,0.5,0.25,0.25\r\n1,0.125,0.75,0.125\r\n2,0.25,0.5,0.25\r\n",
        )
        .write("p/b/seed-1.npy", npy("<f4", "(3, 3)", &floats(&PROBABILITIES)))
        .write("p/c/seed-1.npy", npy("<f4", "(3, 3)", &floats(&logits)))
        .write(
            "p/d/seed-1.json",
            r#"{"probabilities": [[0.5, 0.25, 0.25], [0.125, 0.75, 0.125], [0.25, 0.5, 0.25]], "predictions": [0, 1, 1]}"#,
        )
        .write(
            "p/e/seed-1.json",
            r#"[{"p_0": 0.5, "p_2": 0.25, "p_1": 0.25}, {"p_0": 0.125, "p_1": 0.75, "p_2": 0.125}, {"p_0": 0.25, "p_1": 0.5, "p_2": 0.25}]"#,
        )
        // Columns in another order, one of them passed over.
        .write(
            "p/f/seed-1.tsv",
            "p_2\tp_1\tp_0\tnote\n0.25\t0.25\t0.5\tx\n0.125\t0.75\t0.125\ty\n0.25\t0.5\t0.25\tz\n",
        );
    let tensor = |values: &[f32]| {
        let bytes = floats(values);
        let view = safetensors::tensor::TensorView::new(safetensors::Dtype::F32, vec![3, 3], &bytes);
        safetensors::serialize([("logits", view.expect("a tensor"))], None).expect("a file")
    };
    folder.write("p/g/seed-1.safetensors", tensor(&logits));
    let sources = find(&folder.0.path().join("p")).expect("files").sources;
    let labels = read(&folder.0.path().join("labels.npy")).expect("labels");
    let runs = assemble(sources, Some(labels), None).expect("answers").runs;
    assert_eq!(runs.len(), 7);
    for run in &runs {
        assert_eq!(
            (run.seed, run.test.accuracy, &run.test.predictions[..]),
            (Some(1), 2.0 / 3.0, &[0, 1, 1][..])
        );
        assert_eq!(run.test.labels, [0, 1, 2]);
        assert_eq!(
            run.test.probabilities,
            [32768, 16384, 16384, 8192, 49151, 8192, 16384, 32768, 16384],
            "{}",
            run.model
        );
        let loss = -(0.5_f64.ln() + 0.75_f64.ln() + 0.25_f64.ln()) / 3.0;
        assert!((run.test.loss - loss).abs() < 1e-6, "{}: {} for {loss}", run.model, run.test.loss);
    }
    assert_eq!(
        runs[2].notes,
        ["values that are no probabilities are taken as logits: their softmax is used"]
    );
    assert_eq!(runs[5].notes, ["columns passed over: `note`"]);
    assert!(runs[6].notes.is_empty(), "stated logits are no guess: {:?}", runs[6].notes);
}

#[test]
fn rows_are_aligned_by_ids() {
    let folder = Folder::new();
    folder
        .write("a/seed-0.csv", "id,label,prediction\nx,cat,cat\ny,dog,cat\nz,owl,owl\n")
        .write("b/seed-0.csv", "prediction,id\nowl,z\ndog,y\ncat,x\n");
    let runs = folder.assembled().expect("answers").runs;
    assert_eq!((runs[0].test.accuracy, runs[1].test.accuracy), (2.0 / 3.0, 1.0));
    assert_eq!(runs[1].test.predictions, [0, 1, 2]);
    assert_eq!(runs[0].class_names, ["cat", "dog", "owl"]);
    assert_eq!(runs[0].test_set, runs[1].test_set);
    assert!(runs[0].test.loss.is_nan() && runs[0].test.probabilities.is_empty());
    assert_eq!(runs[1].notes, ["rows are put into the order of the ids of the labels"]);
}

#[test]
fn folds_are_told_by_their_names_and_images() {
    let folder = Folder::new();
    for model in ["a", "b"] {
        folder
            .write(&format!("{model}/fold-0.csv"), "id,label,prediction\n1,0,0\n3,1,0\n")
            .write(&format!("{model}/fold-1.csv"), "id,label,prediction\n2,1,1\n0,0,0\n");
    }
    let runs = folder.assembled().expect("answers").runs;
    let fold = |fold| Some(Fold { repeat: 1, fold, folds: 2 });
    assert_eq!(runs.iter().map(|run| run.fold).collect::<Vec<_>>(), [fold(1), fold(2), fold(1), fold(2)]);
    assert_eq!((&runs[0].test.images[..], &runs[1].test.images[..]), (&[0, 1][..], &[2, 3][..]));
    assert_eq!(runs[1].test.labels, [1, 0]);
    assert_eq!(runs[0].test_set.images, 4);
    // What was held back to validate on decides how much the training sets overlap.
    assert!(folder.assembled().expect("answers").notes.iter().any(|note| note.contains("hold back 1/12")));
    for run in ["a/fold-0", "a/fold-1", "b/fold-0", "b/fold-1"] {
        folder.write(&format!("{run}.run.json"), r#"{"held_back": 0}"#);
    }
    let stated = folder.assembled().expect("answers");
    assert!(
        stated.runs.iter().all(|run| run.held_back == Some(0.0)) && stated.notes.is_empty(),
        "{stated:?}"
    );
    folder.write("b/fold-1.run.json", r#"{"held_back": 0.1}"#);
    let refused = folder.assembled().expect_err("two shares").to_string();
    assert!(refused.contains("states it, 0, expected, 0.1 found"), "{refused}");
    // Without ids they stand one behind the other.
    let folder = Folder::new();
    folder
        .write("a/fold-1.csv", "label,prediction\n0,0\n1,0\n")
        .write("a/fold-2.csv", "label,prediction\n1,1\n1,0\n0,0\n");
    let runs = folder.assembled().expect("answers").runs;
    assert_eq!((&runs[0].test.images[..], &runs[1].test.images[..]), (&[0, 1][..], &[2, 3, 4][..]));
    // On the same images they are runs like others.
    let folder = Folder::new();
    for fold in [1, 2] {
        folder.write(&format!("a/fold-{fold}.csv"), "label,prediction\n0,0\n1,0\n");
    }
    let assembled = folder.assembled().expect("answers");
    assert!(
        assembled.runs.iter().all(|run| run.fold.is_none()) && assembled.notes[0].contains("same images")
    );
}

#[test]
fn runs_are_paired_by_what_their_names_share() {
    let folder = Folder::new();
    for (model, letter) in [("resnet", "r"), ("vit", "v")] {
        for run in [9, 10] {
            folder.write(&format!("{model}/{letter}{run}.csv"), "label,prediction\n0,0\n1,0\n");
        }
    }
    let assembled = folder.assembled().expect("answers");
    let names: Vec<&str> = assembled.runs.iter().map(|run| run.run.as_str()).collect();
    assert_eq!(names, ["9", "10", "9", "10"]);
    assert_eq!(assembled.notes, ["Runs are paired by the number at the end of their files' names."]);
    // One run of each leaves nothing to choose.
    let folder = Folder::new();
    folder.write("mine.csv", "label,prediction\n0,0\n1,0\n").write("theirs.csv", "prediction\n0\n1\n");
    let runs = folder.assembled().expect("answers").runs;
    assert_eq!(
        runs.iter().map(|run| (&*run.model, &*run.run)).collect::<Vec<_>>(),
        [("mine", "1"), ("theirs", "1")]
    );
}

#[test]
fn what_is_stated_beside_the_answers_is_kept() {
    let folder = Folder::new();
    folder
        .write("a/one.csv", "label,prediction\n0,0\n1,0\n")
        .write(
            "a/one.run.json",
            r#"{"seed": 7, "parameters": 12, "train_seconds": 3.5, "epochs": [{"val_loss": 0.5}]}"#,
        )
        .write("b/two/predictions.csv", "prediction\n0\n1\n")
        .write("b/two/run.json", r#"{"seed": 7, "machine": "a laptop"}"#)
        .write("b/notes.txt", "x");
    let found = find(folder.0.path()).expect("files");
    assert!(found.notes[0].contains("`b/notes.txt`"), "{:?}", found.notes);
    let runs = assemble(found.sources, None, None).expect("answers").runs;
    assert_eq!((runs[0].seed, runs[0].parameters, runs[0].train_seconds), (Some(7), Some(12), Some(3.5)));
    assert_eq!((runs[0].epochs[0].validation_loss, runs[0].epochs[0].train_loss.is_nan()), (0.5, true));
    assert_eq!((runs[1].seed, runs[1].machine.as_deref(), &*runs[1].run), (Some(7), Some("a laptop"), "two"));
}

#[test]
fn labels_may_be_a_text_of_a_class_a_line() {
    let folder = Folder::new();
    folder
        .write("m/seed-0.csv", "prediction\ncat\ndog\n")
        .write("y.txt", "\u{feff}cat\r\n cat\n")
        .write("z.txt", "cat\n\n");
    let labels = |name: &str| predictions::read_labels(&folder.0.path().join(name));
    let sources = find(&folder.0.path().join("m")).expect("files").sources;
    let runs = assemble(sources, Some(labels("y.txt").expect("labels")), None).expect("answers").runs;
    assert_eq!(
        (runs[0].test.accuracy, &runs[0].class_names[..]),
        (0.5, &["cat".to_owned(), "dog".to_owned()][..])
    );
    let refused = labels("z.txt").expect_err("a line without a class").to_string();
    assert!(refused.contains("row 2") && refused.ends_with("nothing found"), "{refused}");
    let missing = labels("no.txt").expect_err("nothing").to_string();
    assert!(missing.ends_with("a file of answers expected, nothing found"), "{missing}");
}

#[test]
fn ids_may_be_the_files_of_a_data_set() {
    let names = ["cat".to_owned(), "dog".to_owned()];
    let judged = |files: [&str; 3], ids: [&str; 3]| {
        let files = files.map(str::to_owned);
        let known = KnownImages {
            name: "pets",
            sha256: "ab",
            files: &files,
            labels: &[0, 0, 1],
            class_names: &names,
            classes: 2,
        };
        let folder = Folder::new();
        let [one, other, third] = ids;
        folder.write("a.csv", &format!("id,prediction\n{one},dog\n{other},cat\n{third},dog\n"));
        let path = folder.0.path().join("a.csv");
        let source = Source::of("a", "1", &path).expect("a source");
        let assembled = assemble(vec![source], None, Some(known));
        assembled.map(|assembled| assembled.runs[0].clone()).map_err(|error| error.to_string())
    };
    let files = ["test/cat/7.png", "test/cat/8.png", "test/dog/7.png"];
    // Answered in another order, by as much of the path as a program wrote.
    for ids in [
        ["test/dog/7.png", "test/cat/8.png", "test/cat/7.png"],
        ["dog/7.png", "8.png", "cat/7.png"],
        ["/data/pets/test/dog/7.png", "8", "cat\\7"],
    ] {
        let run = judged(files, ids).expect("answers");
        assert_eq!(
            (&run.test.predictions[..], &run.image_names[..]),
            (&[1, 0, 1][..], &files.map(str::to_owned)[..]),
            "{ids:?}"
        );
        run.check().expect("possible");
    }
    for (ids, found) in [
        // Two images are called so.
        (
            ["7.png", "8.png", "7.png"],
            "the file of a test image as id, such as `test/cat/7.png`, expected, `7.png` found",
        ),
        // A place, where names are numbers.
        (["0", "1", "2"], "the file of a test image as id, such as `test/cat/7.png`, expected, `0` found"),
        // Of another folder.
        (
            ["train/dog/7.png", "cat/8.png", "cat/7.png"],
            "such as `test/cat/7.png`, expected, `train/dog/7.png` found",
        ),
        (["dog/7.png", "test/dog/7.png", "8.png"], "each id once expected, `test/dog/7.png` again found"),
    ] {
        let refused = judged(files, ids).expect_err("no such image");
        assert!(refused.contains(found), "{refused}");
    }
    let by_place = judged(["a.png", "b.png", "c.png"], ["2", "1", "0"]).expect("answers");
    assert_eq!(by_place.test.predictions, [1, 0, 1]);
}

#[test]
fn answers_are_held_against_a_known_data_set() {
    let names = ["0".to_owned(), "1".to_owned(), "2".to_owned()];
    let known = KnownImages {
        name: "set",
        sha256: "ab",
        files: &[],
        labels: &[2, 0, 1],
        class_names: &names,
        classes: 3,
    };
    let judged = |content: &str| {
        let folder = Folder::new();
        folder.write("a.csv", content);
        let path = folder.0.path().join("a.csv");
        let source = Source::of("a", "1", &path).expect("a source");
        assemble(vec![source], None, Some(known))
            .map(|assembled| assembled.runs[0].clone())
            .map_err(|error| error.to_string())
    };
    let run = judged("prediction\n2\n1\n1\n").expect("answers");
    assert_eq!(
        (run.test.accuracy, run.test_set.sha256.as_str(), &run.test.labels[..]),
        (2.0 / 3.0, "ab", &[2, 0, 1][..])
    );
    let by_id = judged("id,prediction\n2,1\n0,2\n1,1\n").expect("answers");
    assert_eq!(by_id.test.predictions, run.test.predictions);
    for (content, expected) in [
        ("prediction\n2\n1\n", "3 rows, as in the data set set, expected, 2 found"),
        (
            "label,prediction\n2,2\n1,1\n1,1\n",
            "row 2 (the first is 1): label 0, as in the data set set, expected, 1 found",
        ),
        ("id,prediction\n0,1\n1,1\n3,1\n", "the place of a test image as id, 0 to 2, expected, `3` found"),
        ("id,prediction\n0,1\n1,1\n", "3 rows, as in the data set set, expected, 2 found"),
        (
            "prediction\n2\n3\n1\n",
            "row 2 (the first is 1): a class of `0`, `1`, `2` as a prediction expected, 3 found",
        ),
    ] {
        let refused = judged(content).expect_err(content);
        assert!(refused.contains(expected), "{refused}");
    }
}

/// Every refusal names the first thing that is wrong.
#[test]
fn what_cannot_be_right_is_refused() {
    let csv = |content: &str| {
        let folder = Folder::new();
        folder.write("a/1.csv", content);
        folder.refused()
    };
    for (content, expected) in [
        ("", "a/1.csv: a first line that names columns"),
        ("label,prediction\n", "answers to one image or more expected, none found"),
        (
            "a,b\n1,2\n",
            "line 1: a first line that names columns: label, prediction, id, p_0, p_1, … expected, `a`, `b` found",
        ),
        ("label;prediction\n1;2\n", "line 1: a first line that names columns"),
        ("label,prediction\n0,1\n1\n", "line 3: 2 values, as in the first line, expected, 1 found"),
        (
            "label,prediction\n0,1\n,1\n",
            "row 2 (the first is 1): a class as a whole number from 0 on or a name as a label expected, nothing found",
        ),
        ("label,label,prediction\n0,0,1\n", "line 1: each column once expected, `label` again found"),
        ("label,p_0\n0,1\n", "line 1: a column of probabilities for every class expected, only `p_0` found"),
        ("label,p_0,p_1\n0,0.5,x\n", "line 2, column p_1: a number expected, `x` found"),
        ("label,p_0,p_1\n0,0.5,nan\n", "line 2, column p_1: a number expected, `nan` found"),
        (
            "label,p_0,p_1\n0,0.5,0.5\n1,0.5,0.2\n",
            "row 2 (the first is 1): probabilities that sum to 1 expected, a sum of 0.7000 found",
        ),
        (
            "label,p_0,p_1\n2,0.5,0.5\n",
            "row 1 (the first is 1): a class from 0 to 1 as a label expected, 2 found",
        ),
        (
            "label,prediction,p_0,p_1\n0,1,0.9,0.1\n",
            "row 1 (the first is 1): the class of the highest value, 0, as prediction expected, 1 found",
        ),
        ("prediction\n0\n1\n", "row 1 (the first is 1): the true class of every image expected, none found"),
        (
            "id,label,prediction\nx,0,0\nx,1,1\n",
            "row 2 (the first is 1): each id once expected, `x` again found",
        ),
        ("label\n0\n1\n", "predictions or probabilities expected, labels alone found"),
        ("label,prediction\ncat,cat\ncat,cat\n", "2 to 256 classes expected, 1 found"),
    ] {
        let refused = csv(content);
        assert!(refused.contains(expected), "{content:?}: {refused}");
    }
    let with = |other: &str, first: &str| {
        let folder = Folder::new();
        folder.write("a/seed-1.csv", first).write("b/seed-1.csv", other);
        folder.refused()
    };
    let (plain, with_ids) = ("label,prediction\n0,0\n1,1\n", "id,label,prediction\nx,0,0\ny,1,1\n");
    for (other, first, expected) in [
        ("prediction\n0\n1\n1\n", plain, "b/seed-1.csv: 2 rows, as in a/seed-1.csv, expected, 3 found"),
        ("prediction\n0\n", plain, "b/seed-1.csv: 2 rows, as in a/seed-1.csv, expected, 1 found"),
        (
            "label,prediction\n0,0\n0,1\n",
            plain,
            "b/seed-1.csv, row 2 (the first is 1): label 1, as in a/seed-1.csv, expected, 0 found",
        ),
        ("prediction\n0\n1\n", with_ids, "b/seed-1.csv: ids, as a/seed-1.csv has them, expected, none found"),
        (
            "id,prediction\nx,0\nz,1\n",
            with_ids,
            "b/seed-1.csv, row 2 (the first is 1): an id of a/seed-1.csv expected, `z` found",
        ),
        (
            "id,prediction\nx,0\n",
            with_ids,
            "b/seed-1.csv: an answer to image `y`, as in a/seed-1.csv, expected, none, in 1 rows found",
        ),
        (
            "p_0,p_1,p_2\n1,0,0\n1,0,0\n",
            "label,p_0,p_1\n0,1,0\n1,0,1\n",
            "b/seed-1.csv: values of 2 classes, as in the other files or the data, expected, 3 found",
        ),
        (
            "p_cat,p_dog\n1,0\n1,0\n",
            "label,p_cat,p_owl\ncat,1,0\nowl,0,1\n",
            "a column of `owl` expected, `cat`, `dog` found",
        ),
    ] {
        let refused = with(other, first);
        assert!(refused.contains(expected), "{other:?}: {refused}");
    }
    let array = |bytes: Vec<u8>| {
        let folder = Folder::new();
        folder.write("labels/1.csv", "label,prediction\n0,0\n1,0\n").write("a/1.npy", bytes);
        folder.refused()
    };
    for (bytes, expected) in [
        (
            npy("<f4", "(2, 2)", &floats(&[0.5, 0.5, f32::NAN, 0.5])),
            "row 2 (the first is 1): a finite number for every class expected, NaN found",
        ),
        (
            npy("<f4", "(2,)", &floats(&[0.5, 1.5])),
            "row 2 (the first is 1): probabilities of the second of two classes, from 0 to 1 expected, 1.5 found",
        ),
        (
            npy("<f4", "(2, 2, 2)", &floats(&[0.5; 8])),
            "an array [images, classes] expected, an array of shape [2, 2, 2] found",
        ),
        (
            npy("<i8", "(2,)", &[0_i64, -1].map(i64::to_le_bytes).concat()),
            "row 2 (the first is 1): a class as a whole number from 0 on or a name as a prediction expected, `-1` found",
        ),
        (npy("|O", "(2,)", &[]), "pickle"),
        (npy("<f4", "(2, 2)", &floats(&[0.5; 3])), "bytes expected"),
        (npy("<f4", "(4611686018427387904, 2)", &[]), "expected"),
        (b"\x93NUMPY".to_vec(), "breaks off"),
    ] {
        let refused = array(bytes);
        assert!(refused.to_lowercase().contains(&expected.to_lowercase()), "{expected}: {refused}");
    }
    assert!(
        find(Path::new("no such folder"))
            .expect_err("none")
            .to_string()
            .contains("a folder that can be read expected")
    );
    assert!(find(Folder::new().0.path()).expect_err("empty").to_string().contains("files of answers"));
}
