//! Folders of four files, and the names on the command line.

use std::fs;
use std::path::Path;

use data::{
    Beside, Corpus, Dataset, Error, FILE_NAMES, Remedy, Source, idx, load, load_directory, synthetic,
    write_directory,
};

/// A folder with a valid corpus of 24 training and 8 test images of 5×4 pixels in 3 classes.
fn folder() -> (tempfile::TempDir, Corpus) {
    let folder = tempfile::tempdir().unwrap();
    let corpus = synthetic(3, 24, 8, 5, 4, 3);
    write_directory(&corpus, folder.path()).unwrap();
    (folder, corpus)
}

fn error_text(folder: &Path) -> String {
    load_directory(folder).unwrap_err().to_string()
}

#[test]
fn a_written_corpus_is_read_again() {
    let (folder, corpus) = folder();
    let source = Source::parse(folder.path().to_str().unwrap()).unwrap();
    let read = load(&source).unwrap();
    assert_eq!(read.name(), source.to_string());
    assert_eq!(read.sha256(), corpus.sha256());
    assert_eq!(read.classes(), 3);
    for (read, written) in [(read.training(), corpus.training()), (read.test(), corpus.test())] {
        assert_eq!((read.images(), read.labels()), (written.images(), written.labels()));
        assert_eq!((read.height(), read.width(), read.classes()), (5, 4, 3));
    }
    let mut names: Vec<_> =
        fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    let mut expected = FILE_NAMES;
    expected.sort_unstable();
    assert_eq!(names, expected, "no temporary file is left");
}

#[test]
fn writing_replaces_what_was_there_and_makes_missing_folders() {
    let (folder, _) = folder();
    let other = synthetic(4, 9, 6, 3, 3, 3);
    write_directory(&other, folder.path()).unwrap();
    assert_eq!(load_directory(folder.path()).unwrap().sha256(), other.sha256());
    let deep = folder.path().join("a/b");
    write_directory(&other, &deep).unwrap();
    assert_eq!(load_directory(&deep).unwrap().sha256(), other.sha256());
}

/// A folder in the place of the last file lets the last rename fail.
#[test]
fn a_failed_write_names_the_file_and_leaves_no_temporary_one() {
    let folder = tempfile::tempdir().unwrap();
    let blocked = folder.path().join(FILE_NAMES[3]);
    fs::create_dir(&blocked).unwrap();
    let error = write_directory(&synthetic(4, 9, 6, 3, 3, 3), folder.path()).unwrap_err();
    assert!(
        error.to_string().starts_with(&format!("{}: a writable place expected", blocked.display())),
        "{error}"
    );
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 4);
}

#[test]
fn compressed_and_misnamed_files_are_read() {
    let (folder, corpus) = folder();
    for name in FILE_NAMES {
        let raw = fs::read(folder.path().join(name)).unwrap();
        fs::remove_file(folder.path().join(name)).unwrap();
        // A browser may unpack a download and keep its name.
        let content = if name == FILE_NAMES[1] { raw } else { idx::compress(&raw) };
        fs::write(folder.path().join(format!("{name}.gz")), content).unwrap();
    }
    assert_eq!(load_directory(folder.path()).unwrap().sha256(), corpus.sha256());
    fs::write(folder.path().join(FILE_NAMES[0]), b"wrong").unwrap();
    assert!(
        matches!(load_directory(folder.path()), Err(Error::NotIdx { .. })),
        "the uncompressed file counts"
    );
}

#[test]
fn a_missing_file_is_named_with_both_names() {
    for name in FILE_NAMES {
        let (folder, _) = folder();
        fs::remove_file(folder.path().join(name)).unwrap();
        let error = load_directory(folder.path()).unwrap_err();
        let shown = folder.path().display();
        assert_eq!(error.to_string(), format!("{shown}: {name} or {name}.gz expected, neither found"));
        let name = name.to_owned();
        assert_eq!(error, Error::MissingFile { directory: shown.to_string(), name });
    }
}

#[test]
fn a_file_that_is_none_is_an_error() {
    let (folder, _) = folder();
    let path = folder.path().join(FILE_NAMES[1]);
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    assert_eq!(
        error_text(folder.path()),
        format!("{}: cannot read the file (not a plain file)", path.display())
    );
}

/// The file is sparse: it takes no space, but reading it would take two gigabytes of memory.
#[test]
fn a_huge_file_is_not_read() {
    let (folder, _) = folder();
    let path = folder.path().join(FILE_NAMES[0]);
    fs::File::create(&path).unwrap().set_len(1 << 31).unwrap();
    assert_eq!(
        error_text(folder.path()),
        format!("{}: at most 1,073,741,824 bytes expected, 2,147,483,648 found", path.display())
    );
}

#[test]
fn sets_that_do_not_belong_together_are_named() {
    let (folder, _) = folder();
    let path = |index: usize| folder.path().join(FILE_NAMES[index]);
    let shown = |index: usize| path(index).display().to_string();

    fs::write(path(3), idx::write_labels(&[2; 7])).unwrap();
    let expected = format!("{}: 8 labels expected, one for each image of {}, 7 found", shown(3), shown(2));
    assert_eq!(error_text(folder.path()), expected);

    fs::write(path(3), idx::write_labels(&[2; 8])).unwrap();
    fs::write(path(2), idx::write_images(&[0; 160], 8, [4, 5])).unwrap();
    let expected = format!("{}: images of 5×4 pixels expected, as in {}, 4×5 found", shown(2), shown(0));
    assert_eq!(error_text(folder.path()), expected);

    fs::write(path(2), idx::write_images(&[0; 160], 8, [5, 4])).unwrap();
    assert_eq!(
        error_text(folder.path()),
        format!("{} (test): different images expected, all 8 are alike", folder.path().display())
    );
    fs::write(path(1), idx::write_labels(&[3; 24])).unwrap();
    fs::write(path(3), idx::write_labels(&[3; 8])).unwrap();
    let expected = format!("{}: at least 2 classes expected, all labels are 3", folder.path().display());
    assert_eq!(error_text(folder.path()), expected);
}

#[test]
fn classes_are_those_that_occur_in_either_part() {
    let (folder, _) = folder();
    let path = |index: usize| folder.path().join(FILE_NAMES[index]);
    let labels: Vec<u8> = (0..24).map(|index| index % 2).collect();
    fs::write(path(1), idx::write_labels(&labels)).unwrap();
    fs::write(path(3), idx::write_labels(&[0, 1, 0, 1, 0, 1, 0, 255])).unwrap();
    let corpus = load_directory(folder.path()).unwrap();
    assert_eq!(corpus.class_names(), ["0", "1", "255"]);
    assert_eq!(corpus.test().labels(), [0, 1, 0, 1, 0, 1, 0, 2]);
    assert_eq!(
        corpus.remarks().iter().map(|remark| remark.to_string()).collect::<Vec<_>>(),
        [
            "note: labels are 0, 1 and 255: 3 classes, each named by its label",
            "warning: class 255 has no training image: its 1 test image (12.5 %) cannot be classified correctly",
        ]
    );
}

/// As other programs write them, by what stands in a folder and what is read of it.
#[test]
fn files_are_found_by_the_names_that_other_programs_give_them() {
    type Rename = fn(&str) -> String;
    let forms: [(&str, Rename); 8] = [
        ("Windows", |name| name.replace("-idx", ".idx")),
        ("EMNIST", |name| format!("emnist-letters-{}", name.replace("t10k", "test"))),
        ("test for t10k", |name| name.replace("t10k", "test")),
        ("a folder of the same name", |name| format!("{name}/{name}")),
        ("a folder of the other name", |name| format!("{}/{name}", name.replace("-idx", ".idx"))),
        ("upper case", str::to_uppercase),
        ("a second download", |name| format!("{name} (1)")),
        ("no ending", |name| name.split("-idx").next().unwrap().to_owned()),
    ];
    for (form, rename) in forms {
        for compressed in [false, true] {
            let (folder, corpus) = folder();
            for name in FILE_NAMES {
                let from = folder.path().join(name);
                let raw = fs::read(&from).unwrap();
                fs::remove_file(&from).unwrap();
                let to = match compressed {
                    true => folder.path().join(format!("{}.gz", rename(name))),
                    false => folder.path().join(rename(name)),
                };
                fs::create_dir_all(to.parent().unwrap()).unwrap();
                fs::write(&to, if compressed { idx::compress(&raw) } else { raw }).unwrap();
            }
            let read = load_directory(folder.path()).unwrap_or_else(|error| panic!("{form}: {error}"));
            assert_eq!(read.sha256(), corpus.sha256(), "{form}");
        }
    }
}

#[test]
fn names_that_leave_open_what_is_meant_are_an_error() {
    let (folder, _) = folder();
    let from = |index: usize| folder.path().join(FILE_NAMES[index]);
    fs::rename(from(0), folder.path().join("train-images.idx")).unwrap();
    fs::copy(folder.path().join("train-images.idx"), folder.path().join("Train-Images (2)")).unwrap();
    assert_eq!(
        error_text(folder.path()),
        format!(
            "{}: one file of training images expected, Train-Images (2) and train-images.idx found",
            folder.path().display()
        )
    );
    // Two sets, neither of which has the format's own names.
    let two = tempfile::tempdir().unwrap();
    for set in ["emnist-digits", "emnist-letters"] {
        write_directory(&synthetic(3, 24, 8, 5, 4, 3), two.path()).unwrap();
        for name in FILE_NAMES {
            fs::rename(two.path().join(name), two.path().join(format!("{set}-{name}"))).unwrap();
        }
    }
    let error = load_directory(two.path()).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "{}: one file of training images expected, emnist-digits-train-images-idx3-ubyte and \
             emnist-letters-train-images-idx3-ubyte found",
            two.path().display()
        )
    );
    assert!(matches!(error, Error::SeveralFiles { .. }));
    fs::remove_file(two.path().join("emnist-digits-t10k-labels-idx1-ubyte")).unwrap();
    load_directory(two.path()).expect("one of them is whole");
    fs::remove_file(two.path().join("emnist-letters-train-labels-idx1-ubyte")).unwrap();
    let error = error_text(two.path());
    assert!(error.contains("emnist-digits-test-labels-idx1-ubyte or "), "{error}");
}

#[test]
fn what_a_folder_holds_instead_is_named() {
    let said = |files: &[(&str, &[u8])]| {
        let folder = tempfile::tempdir().unwrap();
        for (name, content) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }
        let error = load_directory(folder.path()).unwrap_err();
        let text = error.to_string().replace(&folder.path().display().to_string(), "F");
        let names = "F: images in class folders, a CSV, npz or MATLAB file, CIFAR's binary files or IDX files expected, none found";
        let rest = text.strip_prefix(names).unwrap_or_else(|| panic!("{text}")).to_owned();
        let Error::Nothing { found, .. } = error else { panic!("{error}") };
        let remedy = match found {
            Some(Beside::Kind { kind, .. }) => Some(kind.remedy()),
            _ => None,
        };
        (rest, remedy)
    };
    let expect = |files: &[(&str, &[u8])], rest: &str, remedy: Option<Remedy>| {
        assert_eq!(said(files), (rest.to_owned(), remedy));
    };
    expect(&[("mine.csv", b"label,1"), ("b.txt", b"x")], ", but a CSV file: mine.csv", Some(Remedy::File));
    expect(
        &[("b.png", b"x"), ("a.PNG", b"x"), ("c.jpg", b"x"), (".hidden/a.png", b"")],
        ", but 3 files like a.PNG: image files",
        Some(Remedy::ClassFolders),
    );
    expect(&[("mnist.npz", b"PK")], ", but a NumPy archive (npz): mnist.npz", Some(Remedy::File));
    expect(&[("x.zip", b"PK\x03\x04")], ", but a zip archive: x.zip", Some(Remedy::Unpack));
    let several: &[(&str, &[u8])] = &[("a", b""), ("b", b""), ("c", b""), ("d", b""), ("e", b"")];
    expect(several, ", but a, b, c, d and 1 more", None);
    assert_eq!(said(&[]).0, "");
    let whole: Vec<(String, &[u8])> =
        FILE_NAMES.iter().map(|name| (format!("MNIST/raw/{name}"), &b""[..])).collect();
    let whole: Vec<(&str, &[u8])> = whole.iter().map(|(name, content)| (name.as_str(), *content)).collect();
    expect(&whole, ", but IDX files in F/MNIST/raw", None);
    expect(
        &[("cat/1.tga", b"x"), ("cat/2.tga", b"x"), ("dog/1.tga", b"x")],
        ", but 3 files like cat/1.tga: images of a kind that is not read",
        Some(Remedy::ImageKind),
    );
}

/// Opening a pipe would wait for its writer, and a device may have no end.
#[cfg(unix)]
#[test]
fn pipes_and_devices_are_not_read() {
    let (folder, _) = folder();
    let path = folder.path().join(FILE_NAMES[1]);
    fs::remove_file(&path).unwrap();
    std::os::unix::fs::symlink("/dev/zero", &path).unwrap();
    assert!(error_text(folder.path()).ends_with("(not a plain file)"));
    fs::remove_file(&path).unwrap();
    assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
    assert!(error_text(folder.path()).ends_with("(not a plain file)"));
    let error = Source::parse(path.to_str().unwrap()).unwrap_err();
    assert!(error.to_string().contains("neither a file nor a folder"), "{error}");
}

#[test]
fn names_are_known_folders_or_errors() {
    assert_eq!(Source::parse("mnist"), Ok(Source::Mnist));
    assert_eq!(Source::Mnist.to_string(), "mnist");
    let kmnist = Source::parse("kmnist").unwrap();
    assert!(matches!(&kmnist, Source::Published { set, .. } if set.name == "kmnist"));
    assert_eq!(
        Source::parse("cifar-10:grey:resize=28x28").unwrap().to_string(),
        "cifar-10:grey:resize=28x28"
    );
    assert!(matches!(Source::parse("cifar-10:transposed"), Err(Error::AsPublished { .. })));
    assert_eq!(kmnist.to_string(), "kmnist");

    let error = Source::parse("minst").unwrap_err();
    assert_eq!(
        error.to_string(),
        "dataset \"minst\": a known name or a file or folder of images expected, neither found"
    );
    for (name, meant) in [
        ("minst", Some("mnist")),
        ("MNIST", Some("mnist")),
        ("fashon-mnist", Some("fashion-mnist")),
        ("coloured-mnist", Some("colored-mnist")),
        ("something-else", None),
    ] {
        let error = Source::parse(name).unwrap_err();
        assert_eq!(error, Error::UnknownName { name: name.to_owned(), suggestion: meant });
    }
    for (name, told) in [
        ("chestmnist-64", "one class an image expected, any number of 14 findings an image found"),
        ("organmnist3d", "images expected, volumes of 28 or 64 slices found"),
    ] {
        assert_eq!(Source::parse(name).unwrap_err().to_string(), format!("dataset {name}: {told}"));
    }
    for path in ["./minst", "data/mnist", "~/mnist"] {
        let error = Source::parse(path).expect_err("nothing is there");
        assert_eq!(
            error.to_string(),
            format!("dataset {path:?}: a file or folder of images expected, nothing found there")
        );
    }
    assert!(matches!(Source::parse(""), Err(Error::UnknownName { suggestion: None, .. })));

    let file = tempfile::NamedTempFile::new().unwrap();
    let name = file.path().to_str().unwrap().to_owned();
    let said = |content: &[u8]| {
        fs::write(&name, content).unwrap();
        let error = Source::parse(&name).unwrap_err();
        let text = error.to_string().replace(&format!("{name:?}"), "F");
        let Error::NotADirectory { found, .. } = error else { panic!("{error}") };
        let remedy = found.map(|found| found.remedy());
        (text.replace("dataset F: a file or folder of images expected, ", ""), remedy)
    };
    assert_eq!(said(b""), ("a file found".to_owned(), None));
    assert_eq!(
        said(&idx::write_labels(&[1, 2])),
        ("an IDX file of labels found".to_owned(), Some(Remedy::Folder))
    );
    assert_eq!(said(b"\x80\x04").0, "a Python pickle found");
}

#[test]
fn a_dataset_is_checked() {
    let text = |images: usize, labels: &[u8], height, width, classes| {
        Dataset::new("toy", vec![0; images], labels.to_vec(), [height, width], classes)
            .unwrap_err()
            .to_string()
    };
    assert_eq!(text(4, &[0, 1], 0, 2, 2), "toy: images of 1×1 to 256×256 pixels expected, 0×2 found");
    assert_eq!(text(4, &[0, 1], 1, 257, 2), "toy: images of 1×1 to 256×256 pixels expected, 1×257 found");
    assert_eq!(text(4, &[0, 0], 1, 2, 1), "toy: 2 to 256 classes expected, 1 found");
    assert_eq!(text(4, &[0, 0], 1, 2, 257), "toy: 2 to 256 classes expected, 257 found");
    assert_eq!(text(0, &[], 1, 2, 2), "toy: at least 1 image expected, 0 found");
    assert_eq!(text(3, &[0, 1], 1, 2, 2), "toy: 4 values of pixels expected, 3 found");
    assert_eq!(text(6, &[0, 2, 3], 1, 2, 2), "toy: labels below 2 expected, 2 found at index 1");

    let toy =
        Dataset::new("toy", vec![1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], vec![0, 1], [2, 3], 2).unwrap();
    assert_eq!((toy.name(), toy.len(), toy.image_length(), toy.classes()), ("toy", 2, 6, 2));
    assert_eq!(toy.image(0), [1, 2, 3, 4, 5, 6]);
    assert_eq!(toy.image(1), [7, 8, 9, 10, 11, 12]);
}

#[test]
fn a_corpus_is_checked() {
    let set = |name: &str, height, width, classes| {
        Dataset::new(name, vec![0; height * width], vec![1], [height, width], classes).unwrap()
    };
    let text = |test| Corpus::new("toy", set("training", 2, 3, 4), test).unwrap_err().to_string();
    assert_eq!(text(set("test", 3, 2, 4)), "test: images of 2×3 pixels expected, as in training, 3×2 found");
    assert_eq!(text(set("test", 2, 3, 5)), "test: 4 classes expected, as in training, 5 found");
}

/// The expected value is that of `sha256sum` over the four files' digests in binary, computed in a shell.
#[test]
fn the_fingerprint_is_the_documented_one() {
    let set = |pixels: &[u8], labels: &[u8]| {
        Dataset::new("toy", pixels.to_vec(), labels.to_vec(), [1, 2], 2).unwrap()
    };
    let corpus = Corpus::new("toy", set(&[1, 2, 3, 4], &[0, 1]), set(&[5, 6], &[1])).unwrap();
    assert_eq!(corpus.sha256(), "6efe1b704c668d5037bd1818e8f50adf5566bfb19e045290eb4a7e1f2439e4a8");
    let exchanged = Corpus::new("toy", set(&[3, 4, 1, 2], &[0, 1]), set(&[5, 6], &[1])).unwrap();
    assert_ne!(exchanged.sha256(), corpus.sha256());
}
