//! The table of published sets, and how such sets are read from the cache.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use data::{
    CHECKSUMS_FILE, Checksums, Digest, Download, Error, LabelLayout, Origin, Published, find_published, idx,
    load_published, published, synthetic,
};
use sha2::{Digest as _, Sha256};

const NAMES: [&str; 4] = ["a-images.gz", "a-labels.gz", "b-images.gz", "b-labels.gz"];

fn leak(text: String) -> &'static str {
    Box::leak(text.into_boxed_str())
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The rows of QMNIST's labels: the class first, then numbers that are not to be taken for it.
fn label_rows(classes: &[i32]) -> Vec<u8> {
    let mut bytes = [idx::LABEL_ROWS_MAGIC, classes.len() as u32, 8].map(u32::to_be_bytes).concat();
    for (index, class) in classes.iter().enumerate() {
        bytes.extend([*class, 4, 1_000 + index as i32, 7, 55, 123_456, 0, 0].map(i32::to_be_bytes).concat());
    }
    bytes
}

/// Puts a set of six training and three test images of 2×3 pixels into `cache`.
fn put(
    cache: &Path,
    training_labels: Vec<u8>,
    test_labels: Vec<u8>,
    change: impl FnOnce(&mut Published),
) -> Published {
    let training: Vec<u8> = (0..36).collect();
    let files = [
        idx::write_images(&training, 6, [2, 3]),
        training_labels,
        idx::write_images(&training[..18], 3, [2, 3]),
        test_labels,
    ]
    .map(|file| idx::compress(&file));
    let mut set = Published {
        name: "toy",
        training_images: 6,
        test_images: 3,
        classes: &["x", "y", "z"],
        origin: Origin::Files(std::array::from_fn(|index| Download {
            name: NAMES[index],
            bytes: None,
            digest: Digest::Sha256(leak(sha256(&files[index]))),
            mirrors: &[],
        })),
        ..find_published("mnist").unwrap().clone()
    };
    fs::create_dir_all(set.folder(cache)).unwrap();
    for (name, file) in NAMES.iter().zip(&files) {
        fs::write(set.folder(cache).join(name), file).unwrap();
    }
    change(&mut set);
    set
}

fn bytes(labels: &[u8]) -> Vec<u8> {
    idx::write_labels(labels)
}

#[test]
fn the_table_is_sound() {
    let names: BTreeSet<&str> = published().iter().map(|set| set.name).collect();
    assert_eq!(names.len(), published().len(), "names are unique");
    for set in published() {
        let classes: BTreeSet<&&str> = set.classes.iter().collect();
        assert_eq!(classes.len(), set.classes.len(), "{}: classes have names of their own", set.name);
        for file in set.downloads() {
            let length = match file.digest {
                Digest::Sha256(_) => 64,
                Digest::Md5(_) => 32,
            };
            let digits = file.digest.digits();
            assert!(
                digits.len() == length && digits.bytes().all(|digit| b"0123456789abcdef".contains(&digit)),
                "{}: {digits}",
                set.name
            );
            assert!(!file.mirrors.is_empty() && file.mirrors.iter().all(|mirror| mirror.ends_with('/')));
        }
    }
    let digests: BTreeSet<&str> = published()
        .iter()
        .filter(|set| !matches!(set.origin, Origin::Archive { .. }))
        .flat_map(|set| set.downloads())
        .map(|file| file.digest.digits())
        .collect();
    assert_eq!(digests.len(), 38, "no digest stands for two files");
}

/// By the sets' publications.
#[test]
fn the_sets_have_the_published_sizes() {
    let sizes: Vec<(&str, [usize; 3], usize)> = published()
        .iter()
        .map(|set| {
            let images = [set.training_images, set.validation_images, set.test_images];
            (set.name, images, set.classes.len())
        })
        .collect();
    assert_eq!(
        sizes,
        [
            ("mnist", [60_000, 0, 10_000], 10),
            ("colored-mnist", [60_000, 0, 10_000], 10),
            ("shifted-mnist", [60_000, 0, 10_000], 10),
            ("fashion-mnist", [60_000, 0, 10_000], 10),
            ("kmnist", [60_000, 0, 10_000], 10),
            ("emnist-letters", [124_800, 0, 20_800], 26),
            ("emnist-balanced", [112_800, 0, 18_800], 47),
            ("emnist-byclass", [697_932, 0, 116_323], 62),
            ("emnist-digits", [240_000, 0, 40_000], 10),
            ("emnist-mnist", [60_000, 0, 10_000], 10),
            ("qmnist", [60_000, 0, 60_000], 10),
            ("cifar-10", [50_000, 0, 10_000], 10),
            ("cifar-100", [50_000, 0, 10_000], 100),
            ("svhn", [73_257, 0, 26_032], 10),
            ("pathmnist", [100_000, 10_004, 7_180], 9),
            ("pathmnist-64", [100_000, 10_004, 7_180], 9),
            ("dermamnist", [8_010, 1_003, 2_005], 7),
            ("dermamnist-64", [8_010, 1_003, 2_005], 7),
            ("octmnist", [108_309, 10_832, 1_000], 4),
            ("octmnist-64", [108_309, 10_832, 1_000], 4),
            ("pneumoniamnist", [5_232, 524, 624], 2),
            ("pneumoniamnist-64", [5_232, 524, 624], 2),
            ("retinamnist", [1_200, 120, 400], 5),
            ("retinamnist-64", [1_200, 120, 400], 5),
            ("breastmnist", [624, 78, 156], 2),
            ("breastmnist-64", [624, 78, 156], 2),
            ("bloodmnist", [13_671, 1_712, 3_421], 8),
            ("bloodmnist-64", [13_671, 1_712, 3_421], 8),
            ("tissuemnist", [189_106, 23_640, 47_280], 8),
            ("tissuemnist-64", [189_106, 23_640, 47_280], 8),
            ("organamnist", [41_052, 6_491, 17_778], 11),
            ("organamnist-64", [41_052, 6_491, 17_778], 11),
            ("organcmnist", [15_367, 2_392, 8_216], 11),
            ("organcmnist-64", [15_367, 2_392, 8_216], 11),
            ("organsmnist", [16_384, 2_452, 8_827], 11),
            ("organsmnist-64", [16_384, 2_452, 8_827], 11),
        ]
    );
    for set in published().iter().filter(|set| set.name.ends_with("-64")) {
        assert_eq!((set.shape.height, set.shape.width), (64, 64), "{}", set.name);
        let file = set.name.replace("-64", "_64.npz");
        assert_eq!(set.file_names().unwrap(), [file]);
    }
    let letters = find_published("emnist-letters").unwrap();
    assert_eq!((letters.first_label, letters.transposed), (1, true));
    assert_eq!(
        letters.file_names().unwrap(),
        [
            "emnist-letters-train-images-idx3-ubyte.gz",
            "emnist-letters-train-labels-idx1-ubyte.gz",
            "emnist-letters-test-images-idx3-ubyte.gz",
            "emnist-letters-test-labels-idx1-ubyte.gz",
        ]
    );
    assert_eq!(
        find_published("emnist-balanced").unwrap().classes[36..],
        ["a", "b", "d", "e", "f", "g", "h", "n", "q", "r", "t"]
    );
}

#[test]
fn a_set_is_read_as_it_was_published() {
    let folder = tempfile::tempdir().unwrap();
    let set = put(folder.path(), bytes(&[0, 1, 2, 0, 1, 2]), bytes(&[2, 1, 0]), |_| {});
    let corpus = load_published(&set, folder.path()).unwrap();
    assert_eq!(
        (corpus.name(), corpus.classes(), corpus.class_names()),
        ("toy", 3, &["x", "y", "z"].map(String::from)[..])
    );
    assert_eq!(corpus.training().name(), "toy (training)");
    assert_eq!(corpus.training().image(1), [6, 7, 8, 9, 10, 11]);
    assert_eq!(corpus.test().labels(), [2, 1, 0]);
    // A class without an image is a class nevertheless.
    let set = put(folder.path(), bytes(&[0, 1, 0, 1, 0, 1]), bytes(&[1, 0, 1]), |_| {});
    let corpus = load_published(&set, folder.path()).unwrap();
    assert_eq!(corpus.classes(), 3);
    assert!(corpus.warnings().contains(&"class z has no image"), "{:?}", corpus.warnings());
}

#[test]
fn transposed_images_are_turned_and_labels_are_counted_from_0() {
    let folder = tempfile::tempdir().unwrap();
    let set = put(folder.path(), bytes(&[1, 2, 3, 1, 2, 3]), bytes(&[3, 2, 1]), |set| {
        (set.transposed, set.first_label) = (true, 1);
    });
    let corpus = load_published(&set, folder.path()).unwrap();
    assert_eq!((corpus.training().height(), corpus.training().width()), (3, 2));
    // Two rows 6 7 8 and 9 10 11 in the file.
    assert_eq!(corpus.training().image(1), [6, 9, 7, 10, 8, 11]);
    assert_eq!(corpus.training().labels(), [0, 1, 2, 0, 1, 2]);
    assert_eq!(corpus.test().labels(), [2, 1, 0]);
}

#[test]
fn the_class_is_the_first_number_of_a_row() {
    let folder = tempfile::tempdir().unwrap();
    let rows = |set: &mut Published| set.labels = LabelLayout::Rows;
    let set = put(folder.path(), label_rows(&[0, 1, 2, 2, 1, 0]), label_rows(&[1, 1, 2]), rows);
    let corpus = load_published(&set, folder.path()).unwrap();
    assert_eq!(corpus.training().labels(), [0, 1, 2, 2, 1, 0]);
    assert_eq!(corpus.test().labels(), [1, 1, 2]);

    let path = set.folder(folder.path()).join(NAMES[3]);
    for (label, found) in [(3, "3"), (256, "256"), (-1, "4294967295")] {
        let set = put(folder.path(), label_rows(&[0; 6]), label_rows(&[1, 1, label]), rows);
        let error = load_published(&set, folder.path()).unwrap_err();
        let expected = format!("{}: labels from 0 to 2 expected, {found} found at index 2", path.display());
        assert_eq!(error.to_string(), expected);
    }
}

/// Numbers that a header cannot be believed: nothing is allocated by them.
#[test]
fn rows_of_labels_are_checked() {
    let read = |bytes: &[u8]| idx::read_label_rows("rows", bytes.to_vec()).map_err(|error| error.to_string());
    let file = label_rows(&[5, 0, 9]);
    assert_eq!(read(&file), Ok(vec![5, 0, 9]));
    assert_eq!(read(&idx::compress(&file)), Ok(vec![5, 0, 9]));
    assert_eq!(read(&file[..100]), Err("rows: 108 bytes expected, 100 found".to_owned()));
    assert_eq!(read(&file[..9]), Err("rows: 12 bytes expected, 9 found".to_owned()));
    assert_eq!(read(&[&file[..], &[0]].concat()), Err("rows: 108 bytes expected, 109 found".to_owned()));
    let changed = |place: usize, bytes: [u8; 4]| {
        let mut file = file.clone();
        file[place..place + 4].copy_from_slice(&bytes);
        file
    };
    assert_eq!(
        read(&changed(8, [0, 0, 0, 9])),
        Err("rows: rows of 8 numbers expected, of 9 found".to_owned())
    );
    assert_eq!(read(&changed(4, [0; 4])), Err("rows: at least 1 image expected, 0 found".to_owned()));
    let huge = changed(4, [255; 4]);
    assert_eq!(read(&huge), Err("rows: 137,438,953,452 bytes expected, 108 found".to_owned()));
    let huge = read(&idx::compress(&huge)).unwrap_err();
    assert_eq!(huge, "rows: at most 1,073,741,824 bytes expected, 137,438,953,452 found");
    let labels = read(&bytes(&[1, 2, 3]));
    assert_eq!(labels, Err("rows: magic number 0x00000c02 expected, 0x00000801 found".to_owned()));
}

#[test]
fn sets_of_other_sizes_or_labels_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join("toy").join(name).display().to_string();
    let set = put(folder.path(), bytes(&[0, 1, 2, 0, 1, 2]), bytes(&[1; 3]), |set| set.test_images = 4);
    let error = load_published(&set, folder.path()).unwrap_err();
    assert_eq!(error.to_string(), format!("{}: 4 labels expected, 3 found", path(NAMES[3])));
    let set = put(folder.path(), bytes(&[0; 6]), bytes(&[1, 3, 0]), |_| {});
    let error = load_published(&set, folder.path()).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("{}: labels from 0 to 2 expected, 3 found at index 1", path(NAMES[3]))
    );
    let set = put(folder.path(), bytes(&[1, 1, 0, 1, 1, 1]), bytes(&[1; 3]), |set| set.first_label = 1);
    let error = load_published(&set, folder.path()).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("{}: labels from 1 to 3 expected, 0 found at index 2", path(NAMES[1]))
    );
}

#[test]
fn files_that_are_absent_or_changed_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let set = put(folder.path(), bytes(&[0, 1, 2, 0, 1, 2]), bytes(&[1; 3]), |_| {});
    assert!(set.is_here(folder.path()));
    let path = set.folder(folder.path()).join(NAMES[0]);
    let other = synthetic(1, 6, 3, 2, 3, 3);
    let other = idx::compress(&idx::write_images(other.training().images(), 6, [2, 3]));
    fs::write(&path, &other).unwrap();
    let error = load_published(&set, folder.path()).unwrap_err();
    let Error::WrongDigest { file, found, .. } = &error else { panic!("{error}") };
    assert_eq!((file, found), (&path.display().to_string(), &sha256(&other)));
    fs::remove_file(&path).unwrap();
    assert!(!set.is_here(folder.path()));
    let error = load_published(&set, folder.path()).unwrap_err();
    let shown = folder.path().join("toy");
    assert_eq!(
        error.to_string(),
        format!("dataset toy: {} with a-images.gz expected, not found", shown.display())
    );
    assert!(matches!(error, Error::NotFetched { .. }));
}

#[test]
fn digests_of_unpacked_files_are_those_that_were_noted() {
    let folder = tempfile::tempdir().unwrap();
    let set = put(folder.path(), bytes(&[0, 1, 2, 0, 1, 2]), bytes(&[1; 3]), |set| {
        let archive = Download { name: "all.zip", bytes: None, digest: Digest::Sha256(""), mirrors: &[] };
        set.origin = Origin::Archive { folder: "all", archive, members: NAMES };
    });
    assert!(!set.is_here(folder.path()), "without the digests nothing vouches for the files");
    assert!(matches!(load_published(&set, folder.path()), Err(Error::NotFetched { .. })));
    let mut sums = Checksums::default();
    for name in NAMES {
        sums.push(name, sha256(&fs::read(set.folder(folder.path()).join(name)).unwrap()));
    }
    assert_eq!(Checksums::parse(&sums.to_string()), sums);
    let file = set.folder(folder.path()).join(CHECKSUMS_FILE);
    fs::write(&file, sums.to_string()).unwrap();
    assert!(set.is_here(folder.path()));
    load_published(&set, folder.path()).unwrap();
    let lines: Vec<String> = sums.to_string().lines().map(str::to_owned).collect();
    fs::write(&file, lines[..3].join("\n")).unwrap();
    let error = load_published(&set, folder.path()).unwrap_err();
    assert!(error.to_string().contains("SHA256SUMS with a line for b-labels.gz expected"), "{error}");
}

/// A set in another format than IDX: as NumPy wrote it (golden/containers), 9 training and 5 test images.
#[test]
fn a_set_in_a_format_of_its_own_is_verified_and_read() {
    let cache = tempfile::tempdir().unwrap();
    let archive =
        fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../golden/containers/keras.npz")).unwrap();
    let set = |sha256: &str, training_images| {
        let digest = Digest::Sha256(leak(sha256.to_owned()));
        let files = vec![Download { name: "toy.npz", bytes: None, digest, mirrors: &[] }];
        Published {
            name: "toy",
            training_images,
            test_images: 5,
            classes: &["x", "y", "z"],
            origin: Origin::Containers(files.leak()),
            ..find_published("cifar-10").unwrap().clone()
        }
    };
    let digest = sha256(&archive);
    let load = |set: &Published| load_published(set, cache.path());
    assert!(matches!(load(&set(&digest, 9)), Err(Error::NotFetched { file, .. }) if file == "toy.npz"));
    fs::create_dir_all(cache.path().join("toy")).unwrap();
    fs::write(cache.path().join("toy/toy.npz"), &archive).unwrap();
    let corpus = load(&set(&digest, 9)).unwrap();
    assert_eq!((corpus.class_names(), corpus.test().len()), (&["x", "y", "z"].map(str::to_owned)[..], 5));
    assert!(matches!(load(&set(&digest, 8)), Err(Error::SetSize { expected: 8, found: 9, .. })));
    assert!(matches!(load(&set(&sha256(b"other"), 9)), Err(Error::WrongDigest { .. })));
}

/// A set that states validation images and whose publisher states an MD5, as MedMNIST's; the digest is that of `md5sum`.
#[test]
fn stated_validation_images_are_the_last_for_training() {
    let cache = tempfile::tempdir().unwrap();
    let archive = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../golden/containers/medmnist.npz");
    fs::create_dir_all(cache.path().join("toy")).unwrap();
    fs::copy(&archive, cache.path().join("toy/toy.npz")).unwrap();
    let set = |digits: &'static str, validation_images| {
        let files =
            vec![Download { name: "toy.npz", bytes: None, digest: Digest::Md5(digits), mirrors: &[] }];
        Published {
            name: "toy",
            training_images: 13,
            validation_images,
            test_images: 5,
            classes: &["x", "y", "z"],
            origin: Origin::Containers(files.leak()),
            ..find_published("bloodmnist").unwrap().clone()
        }
    };
    let digits = "b812cf476a17e4c0936b6b0c04ec983a";
    let corpus = load_published(&set(digits, 4), cache.path()).unwrap();
    assert_eq!((corpus.training().len(), corpus.validation_images(), corpus.test().len()), (13, Some(4), 5));
    assert_eq!(corpus.class_names(), ["x", "y", "z"]);
    // A file that a person has of it is the same data.
    assert_eq!(corpus.sha256(), data::load_path(&archive, &data::Reading::default()).unwrap().sha256());
    assert!(
        corpus.notes().iter().any(|told| told.starts_with("the data states 4 validation images")),
        "{:?}",
        corpus.notes()
    );
    let reading = data::Reading::parse("resize=4x3").unwrap();
    let cache_path = cache.path().to_owned();
    let source =
        data::Source::Published { set: Box::leak(Box::new(set(digits, 4))), cache: cache_path, reading };
    let small = data::load(&source).unwrap();
    assert_eq!((small.name(), small.training().height(), small.training().width()), ("toy:resize=4x3", 4, 3));
    let refused = |set: &Published| load_published(set, cache.path()).unwrap_err();
    assert!(matches!(refused(&set(digits, 3)), Error::SetSize { expected: 10, found: 9, .. }));
    let wrong = refused(&set("900150983cd24fb0d6963f7d28e17f72", 4)).to_string();
    let told = format!("toy.npz: MD5 900150983cd24fb0d6963f7d28e17f72 expected, {digits} found");
    assert!(wrong.ends_with(&told), "{wrong}");
}
