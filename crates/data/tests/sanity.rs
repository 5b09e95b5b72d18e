//! Data that cannot be right, and what is said of it.

use std::path::Path;

use data::{
    Corpus, Dataset, Error, FILE_NAMES, Source, idx, load, load_directory, synthetic, write_directory,
};

const SIDE: usize = 6;

/// Images that differ by their class and their number, in rows of one shade: no two are alike.
fn image(class: usize, number: usize) -> Vec<u8> {
    let mut pixels = vec![0; SIDE * SIDE];
    pixels[class % 5 * SIDE..][..SIDE].fill(255);
    pixels[5 * SIDE] = (number % 250) as u8;
    pixels[5 * SIDE + 1] = (number / 250) as u8;
    pixels
}

/// A set with an image for each label; the numbers begin at `first`, so that parts share none.
fn set(name: &str, labels: &[usize], first: usize, classes: usize) -> Dataset {
    let images = labels.iter().enumerate().flat_map(|(index, label)| image(*label, first + index)).collect();
    let labels = labels.iter().map(|label| *label as u8).collect();
    Dataset::new(name, images, labels, [SIDE, SIDE], classes).expect("a set")
}

fn cycle(count: usize, classes: usize) -> Vec<usize> {
    (0..count).map(|index| index % classes).collect()
}

fn corpus(training: &[usize], test: &[usize], classes: usize) -> Corpus {
    let training = set("toy (training)", training, 0, classes);
    Corpus::new("toy", training, set("toy (test)", test, 40_000, classes)).expect("usable")
}

fn owned(corpus: &Corpus) -> Vec<String> {
    corpus.warnings().into_iter().map(str::to_owned).collect()
}

fn with_images(set: &Dataset, images: Vec<u8>) -> Dataset {
    let labels = set.labels().to_vec();
    Dataset::new(set.name(), images, labels, set.shape(), set.classes()).expect("a set")
}

fn with_labels(set: &Dataset, labels: Vec<u8>) -> Dataset {
    let images = set.images().to_vec();
    Dataset::new(set.name(), images, labels, set.shape(), set.classes()).expect("a set")
}

#[test]
fn nothing_is_said_of_a_sound_set() {
    assert_eq!(corpus(&cycle(400, 5), &cycle(300, 5), 5).warnings(), [""; 0]);
    assert_eq!(synthetic(3, 2_000, 500, 20, 20, 10).warnings(), [""; 0]);
}

#[test]
fn classes_without_images_are_told() {
    let said = corpus(&cycle(100, 4), &cycle(50, 5), 5);
    assert_eq!(
        said.warnings(),
        ["class 4 has no training image: its 10 test images (20.0 %) cannot be classified correctly"]
    );
    let said = corpus(&cycle(90, 3), &cycle(50, 5), 5);
    assert_eq!(
        said.warnings(),
        [
            "classes 3 and 4 have no training image: their 20 test images (40.0 %) cannot be classified correctly"
        ]
    );
    let said = corpus(&cycle(100, 5), &cycle(50, 4), 5);
    assert_eq!(said.warnings(), ["class 4 has no test image: test accuracy says nothing about it"]);
    let said = corpus(&cycle(100, 4), &cycle(50, 4), 5);
    assert_eq!(said.warnings(), ["class 4 has no image"]);
    let said = corpus(&cycle(100, 4), &[2; 50], 4);
    assert_eq!(said.warnings(), ["all 50 test images are of class 2: test accuracy is that of one class"]);
}

#[test]
fn a_class_of_hardly_any_images_is_told() {
    let mut labels = cycle(400, 4);
    labels[7] = 4;
    let said = corpus(&labels, &cycle(50, 5), 5);
    assert_eq!(
        said.warnings(),
        ["class 4 has only 1 training image, the median class 100: check for wrong labels"]
    );
}

#[test]
fn test_images_that_are_training_images_are_counted() {
    let training = set("toy (training)", &cycle(100, 5), 0, 5);
    let mut images = set("toy (test)", &cycle(50, 5), 40_000, 5).images().to_vec();
    images[..3 * SIDE * SIDE].copy_from_slice(&training.images()[..3 * SIDE * SIDE]);
    let test = with_images(&set("toy (test)", &cycle(50, 5), 40_000, 5), images);
    let said = Corpus::new("toy", training.clone(), test).expect("usable");
    assert_eq!(
        said.warnings(),
        ["3 of 50 test images (6.0 %) are also training images: test accuracy is overstated"]
    );
    let said = Corpus::new("toy", training.clone(), training.clone()).expect("usable");
    assert_eq!(
        said.warnings(),
        ["the test images are the training images: test accuracy only says what was memorised"]
    );
    let half = set("toy (test)", &cycle(50, 5), 0, 5);
    let said = Corpus::new("toy", training, half).expect("usable");
    assert_eq!(
        said.warnings(),
        ["every test image is also a training image: test accuracy only says what was memorised"]
    );
}

#[test]
fn copies_and_contradictions_among_training_images_are_counted() {
    let training = set("toy (training)", &cycle(100, 5), 0, 5);
    let mut images = training.images().to_vec();
    let (first, rest) = images.split_at_mut(50 * SIDE * SIDE);
    // Twenty images again, with the same labels; then one, with the label of its neighbour.
    rest[..20 * SIDE * SIDE].copy_from_slice(&first[..20 * SIDE * SIDE]);
    let twice = with_images(&training, images.clone());
    let test = set("toy (test)", &cycle(50, 5), 40_000, 5);
    let copies = "20 of 100 training images (20.0 %) repeat others: validation accuracy is overstated where copies are on both sides of the split";
    assert_eq!(Corpus::new("toy", twice.clone(), test.clone()).expect("usable").warnings(), [copies]);
    let mut labels = twice.labels().to_vec();
    labels[50] = 1;
    let said = Corpus::new("toy", with_labels(&twice, labels), test).expect("usable");
    assert_eq!(
        said.warnings(),
        [copies, "1 of 100 training images (1.0 %) has another label than an identical one"]
    );
}

#[test]
fn constant_and_dark_images_are_told() {
    let training = set("toy (training)", &cycle(100, 5), 0, 5);
    let test = set("toy (test)", &cycle(50, 5), 40_000, 5);
    let mut images = training.images().to_vec();
    for index in 0..4 {
        images[index * SIDE * SIDE..][..SIDE * SIDE].fill(10 * index as u8);
    }
    let said = Corpus::new("toy", with_images(&training, images), test.clone()).expect("usable");
    assert_eq!(
        said.warnings(),
        ["4 of 100 training images (4.0 %) are constant: every pixel has the same value"]
    );
    let fractions = |set: &Dataset| {
        with_images(set, set.images().iter().map(|pixel| u8::from(*pixel == 255) + pixel % 3).collect())
    };
    let said = Corpus::new("toy", fractions(&training), test.clone()).expect("usable");
    assert!(
        said.warnings()[0].starts_with("no pixel of the training images is above 2 (of 255)"),
        "{:?}",
        said.warnings()
    );

    let black = with_images(&training, vec![0; training.images().len()]);
    let error = Corpus::new("toy", black, test.clone()).expect_err("nothing to see");
    assert_eq!(error.to_string(), "toy (training): different images expected, all 100 are alike");
    let black = with_images(&test, vec![7; test.images().len()]);
    assert!(matches!(Corpus::new("toy", training, black), Err(Error::Alike { images: 50, .. })));
}

#[test]
fn labels_that_have_nothing_to_do_with_the_images_are_told() {
    let sound = synthetic(3, 2_000, 1_200, 20, 20, 10);
    // Every image gets the label of the next one: the counts stay, the order is another one.
    let shifted = |set: &Dataset| {
        let mut labels = set.labels().to_vec();
        labels.rotate_right(1);
        with_labels(set, labels)
    };
    let told = |training: Dataset, test: Dataset| owned(&Corpus::new("toy", training, test).expect("usable"));
    let said = |part: &str| {
        format!(
            "the {part} images of different classes are alike on average, as they would be under shuffled labels, or where objects lie anywhere in the image: look whether labels belong to their images"
        )
    };
    let (training, test) = (sound.training().clone(), sound.test().clone());
    assert_eq!(told(shifted(&training), test.clone()), [said("training")]);
    assert_eq!(told(training.clone(), shifted(&test)), [said("test")]);
    // Where a third of the labels are right, classes differ; too few images are not judged.
    let mut labels = shifted(&training).labels().to_vec();
    let right = training.len() / 3;
    labels[..right].copy_from_slice(&training.labels()[..right]);
    assert!(!told(with_labels(&training, labels), test.clone()).contains(&said("training")));
    let few = synthetic(3, 2_000, 899, 20, 20, 10);
    assert!(!told(few.training().clone(), shifted(few.test())).contains(&said("test")));
}

#[test]
fn parts_that_do_not_belong_together_are_told() {
    let sound = synthetic(3, 2_000, 1_200, 20, 20, 10);
    let warnings =
        |test: Dataset| owned(&Corpus::new("toy", sound.training().clone(), test).expect("usable"));
    let test = sound.test();
    let inverted = with_images(test, test.images().iter().map(|pixel| 255 - pixel).collect());
    let renumbered = with_labels(test, test.labels().iter().map(|label| (label + 1) % 10).collect());
    for (part, strange) in [(inverted, 6..=10), (renumbered, 10..=10)] {
        let [said] = &warnings(part)[..] else { panic!("one warning expected") };
        let (count, rest) =
            said.strip_prefix("the test images of ").expect("its words").split_once(' ').expect("words");
        assert!(strange.contains(&count.parse::<usize>().expect("a number")), "{said}");
        assert!(
            rest.starts_with("of 10 classes look, on average, like the training images of another class"),
            "{said}"
        );
    }
    // Two classes that were exchanged are not the most of ten.
    let exchanged = |label: &u8| if *label < 2 { 1 - label } else { *label };
    assert_eq!(warnings(with_labels(test, test.labels().iter().map(exchanged).collect())), [""; 0]);
}

#[test]
fn the_only_image_of_a_part_is_called_so() {
    let said = corpus(&cycle(100, 4), &[2], 4);
    assert!(
        said.warnings().contains(&"the only test image is of class 2: test accuracy is that of one class"),
        "{:?}",
        said.warnings()
    );
}

#[test]
fn one_class_is_refused() {
    let test = set("toy (test)", &cycle(50, 5), 40_000, 5);
    let error = Corpus::new("toy", set("toy (training)", &[3; 100], 0, 5), test).expect_err("one class");
    assert_eq!(error.to_string(), "toy (training): at least 2 classes expected, all labels are 3");
}

/// In any folder, with any names: 28×28 pixels and labels 0 to 9 are enough.
fn digits(folder: &Path, transposed: bool) {
    let mnist = load(&Source::Mnist).expect("MNIST");
    let turned = |set: &Dataset, count: usize| {
        let images = set.images()[..count * 784].chunks_exact(784);
        let images = images.flat_map(|image| {
            (0..784)
                .map(|at| if transposed { image[at % 28 * 28 + at / 28] } else { image[at] })
                .collect::<Vec<_>>()
        });
        let labels = set.labels()[..count].to_vec();
        Dataset::new("digits", images.collect(), labels, [28, 28], 10).expect("a set")
    };
    let corpus = Corpus::new("digits", turned(mnist.training(), 3_000), turned(mnist.test(), 500));
    write_directory(&corpus.expect("usable"), folder).expect("written");
}

#[test]
fn digits_that_lie_on_their_side_are_told_and_turned() {
    let upright = tempfile::tempdir().expect("a folder");
    digits(upright.path(), false);
    let original = load_directory(upright.path()).expect("read");
    assert_eq!(original.warnings(), [""; 0]);
    let lying = tempfile::tempdir().expect("a folder");
    digits(lying.path(), true);
    let said = load_directory(lying.path()).expect("read");
    assert_eq!(
        said.warnings(),
        [
            "the images are digits that lie on their side, rows and columns exchanged, as EMNIST's published files hold them: \
          --transpose turns them upright"
        ]
    );
    let load_transposed = |folder: &Path| {
        let source = Source::parse(&format!("{}:transposed", folder.display())).expect("a folder");
        assert_eq!(Source::parse(&source.to_string()), Ok(source.clone()), "as records name it");
        load(&source).expect("read")
    };
    let turned = load_transposed(lying.path());
    assert_eq!((turned.sha256(), turned.warnings()), (original.sha256(), vec![]));
    assert!(turned.name().ends_with(":transposed"), "{}", turned.name());
    let wrong = load_transposed(upright.path());
    assert_eq!(wrong.warnings(), ["--transpose lays upright digits on their side: leave it out"]);
}

#[test]
fn files_of_emnist_are_known_by_their_names() {
    let folder = tempfile::tempdir().expect("a folder");
    write_directory(&synthetic(3, 260, 52, 12, 12, 26), folder.path()).expect("written");
    for name in FILE_NAMES {
        let theirs = format!("emnist-letters-{}", name.replace("t10k", "test"));
        std::fs::rename(folder.path().join(name), folder.path().join(theirs)).expect("renamed");
    }
    let said = load_directory(folder.path()).expect("read");
    assert_eq!(
        said.warnings(),
        [
            "files named as EMNIST's: EMNIST's published files hold every image transposed, rows and columns exchanged; \
          --transpose turns them upright"
        ]
    );
    let source = Source::parse(&format!("{}:transposed", folder.path().display()));
    assert_eq!(load(&source.expect("a folder")).expect("read").warnings(), [""; 0]);
}

#[test]
fn known_sets_are_upright() {
    let error = Source::parse("mnist:transposed").expect_err("upright");
    assert!(
        matches!(&error, Error::AsPublished { name, reading } if name == "mnist" && reading == ":transposed"),
        "{error}"
    );
    assert!(matches!(Source::parse("kmnist:grey"), Err(Error::AsPublished { .. })));
    assert!(matches!(Source::parse("no/such/folder:transposed"), Err(Error::NoFolder { .. })));
}

#[test]
fn a_folders_labels_are_the_names_of_its_classes() {
    let folder = tempfile::tempdir().expect("a folder");
    let counted = synthetic(3, 260, 52, 12, 12, 26);
    write_directory(&counted, folder.path()).expect("written");
    for (name, set) in [(FILE_NAMES[1], counted.training()), (FILE_NAMES[3], counted.test())] {
        let labels: Vec<u8> = set.labels().iter().map(|label| label + 1).collect();
        std::fs::write(folder.path().join(name), idx::write_labels(&labels)).expect("written");
    }
    let read = load_directory(folder.path()).expect("read");
    assert_eq!(
        (read.classes(), read.class_names()[0].as_str(), read.class_names()[25].as_str()),
        (26, "1", "26")
    );
    assert_eq!(read.training().labels(), counted.training().labels());
    assert_eq!(read.sha256(), counted.sha256(), "as the labels are used");
    assert_eq!(read.notes(), ["labels run from 1 to 26: 26 classes, each named by its label"]);
}
