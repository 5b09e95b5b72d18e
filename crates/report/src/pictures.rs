//! Tests of the pictures, by what a reader would see: measured with another SVG library than the one that paints them.

use analysis::verdict::{Comparison, Outcome};
use records::record::{Protocol, RunRecord};
use resvg::usvg::{self, Node, Rect, fontdb};

use crate::{
    ContactSheet, Scene, SheetImage, SheetRow, TestImages,
    charts::{canvas::Canvas, chart::Quantity, curves, forest, plots},
    contact_sheet,
    fixture::{
        Given, accuracy_chart, comparison, confusion_chart, digits_chart, loss_chart, record, records,
        with_predictions,
    },
};

const LONG: &str = "a-convolutional-network-with-a-name-that-no-legend-has-room-for";

const CLOTHES: [&str; 10] = [
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
];

/// Studies of every shape that a chart must be able to show.
fn cases() -> Vec<(&'static str, Vec<RunRecord>)> {
    let two: &[(&str, f64)] = &[("cnn", 0.05), ("lstm", 0.12)];
    let six: &[(&str, f64)] = &[
        ("cnn", 0.03),
        ("lstm", 0.12),
        ("mlp", 0.08),
        ("vit", 0.2),
        ("stacked-lstm", 0.1),
        ("deep-cnn", 0.025),
    ];
    let escaped: &[(&str, f64)] = &[("a<b|c & \"d\"", 0.05), (LONG, 0.06), ("line\nbreak", 0.07), ("", 0.09)];
    let names: Vec<String> = (0..40).map(|index| format!("model-{index}-{}", "x".repeat(index))).collect();
    let forty: Vec<(&str, f64)> = names.iter().map(|name| (name.as_str(), 0.05)).collect();
    let mut diverged = records(two, 3, 5);
    for epoch in &mut diverged[1].epochs[2..] {
        epoch.train_loss = f64::NAN;
        epoch.validation_loss = f64::INFINITY;
        epoch.validation_accuracy = 0.098;
    }
    diverged[5].epochs.iter_mut().for_each(|epoch| epoch.validation_loss *= 1e7);
    let mut lost = records(two, 1, 2);
    lost.iter_mut().flat_map(|record| &mut record.epochs).for_each(|epoch| {
        (epoch.train_loss, epoch.validation_loss) = (f64::NAN, f64::NAN);
        (epoch.train_accuracy, epoch.validation_accuracy) = (f64::NAN, f64::NAN);
    });
    let called = |models: &[(&str, f64)], runs: u64, names: [&str; 10]| {
        let mut records = records(models, runs, 1);
        records.iter_mut().for_each(|run| run.class_names = names.map(str::to_owned).to_vec());
        records
    };
    let labels = ["0", "5", "10", "15", "20", "25", "30", "35", "40", "250"];
    let original = [("cnn", 0.05), ("lstm", 0.12)];
    let original = original.map(|(name, error)| record(name, 1, 5, error, Protocol::Original));
    vec![
        ("two-models", records(two, 3, 5)),
        ("one-run", records(two, 1, 5)),
        ("one-epoch", records(two, 1, 1)),
        ("one-epoch-runs", records(six, 3, 1)),
        ("one-model", records(&two[..1], 1, 5)),
        ("six-models", records(six, 3, 20)),
        ("hundred-epochs", records(six, 2, 100)),
        ("hundred-epochs-two", records(two, 5, 100)),
        ("names", records(escaped, 1, 3)),
        ("forty-models", records(&forty, 1, 3)),
        ("diverged", diverged),
        ("all-lost", lost),
        ("original", original.to_vec()),
        ("labels", called(two, 2, labels)),
        ("one-model-labels", called(&two[..1], 3, labels)),
        ("class-names", called(two, 2, CLOTHES)),
        ("one-model-class-names", called(&two[..1], 1, CLOTHES)),
        ("six-models-class-names", called(six, 3, CLOTHES)),
        ("long-class-names", called(&escaped[..3], 3, [LONG; 10])),
        ("empty", Vec::new()),
    ]
}

fn scenes() -> Vec<(String, Scene)> {
    let mut scenes = Vec::new();
    for (name, records) in cases() {
        let pixels = vec![90; 1000 * 784];
        let images = Some(TestImages { pixels: &pixels, shape: [28, 28].into(), is_ink: true });
        let class_names = records.first().map_or(&[][..], |run| &run.class_names);
        let comparisons = compared(&records);
        let study =
            Given { records: &records, comparisons: &comparisons, images, class_names, ..Given::default() }
                .study();
        for canvas in [Canvas::Picture, Canvas::Paper] {
            for picture in crate::pictures_on(&study, canvas) {
                scenes.push((format!("{name}-{}-{canvas:?}", picture.file), picture.scene));
            }
        }
        for canvas in [Canvas::Wide, Canvas::Narrow] {
            let mut push =
                |what: &str, scene: Scene| scenes.push((format!("{name}-{what}-{canvas:?}"), scene));
            if let Some(scene) = forest::scene(&study, canvas) {
                push("differences", scene);
            }
            push("accuracy", curves::chart(&study, Quantity::Accuracy).expect("epochs").scene(canvas));
            push("loss", curves::chart(&study, Quantity::Loss).expect("epochs").scene(canvas));
            for (what, scene) in
                [("time", plots::against_time(&study, canvas)), ("size", plots::against_size(&study, canvas))]
            {
                if let Some(scene) = scene {
                    push(what, scene);
                }
            }
            if let Some(scene) = plots::calibration(study.models(), canvas) {
                push("calibration", scene);
            }
        }
    }
    scenes.extend(sheets());
    scenes
}

/// Every pair of models: of every outcome, from differences that no axis shows to whole ones, and some that are no number.
fn compared(records: &[RunRecord]) -> Vec<Comparison> {
    let mut names: Vec<&str> = Vec::new();
    for run in records {
        if !names.contains(&run.specification.model.as_str()) {
            names.push(&run.specification.model);
        }
    }
    let outcomes = [
        Outcome::ABetter,
        Outcome::CannotTell,
        Outcome::PracticallyEqual,
        Outcome::BBetter,
        Outcome::ABetter,
    ];
    let differences = [0.0083, -0.0001, 0.00002, -0.3, f64::NAN];
    let mut comparisons = Vec::new();
    for (index, a) in names.iter().enumerate() {
        for b in &names[index + 1..] {
            let kind = comparisons.len() % outcomes.len();
            let compared = comparison(a, b, differences[kind]);
            comparisons.push(Comparison { outcome: outcomes[kind], ..compared });
        }
    }
    comparisons
}

/// Sheets of images: upright and lying ones, long and short words, with and without lines below.
fn sheets() -> Vec<(String, Scene)> {
    let sheet = |height: usize, width: usize, label: &str, captions: &[&str]| {
        let captions: Vec<String> = captions.iter().map(|caption| (*caption).to_owned()).collect();
        let image = |captions: &[String]| SheetImage {
            pixels: (0..height * width).map(|pixel| (pixel * 7) as u8).collect(),
            captions: captions.to_vec(),
        };
        let images = [vec![image(&[])], vec![image(&captions); 9]].concat();
        let row = |heading: Option<&str>| SheetRow {
            heading: heading.map(str::to_owned),
            label: label.to_owned(),
            images: images.clone(),
        };
        contact_sheet(&ContactSheet {
            title: format!("Augmented training images of {label}"),
            subtitle: label.repeat(9),
            columns: ["original".to_owned(), "as drawn in epochs 1 to 9".to_owned()],
            rows: vec![row(Some("each alone")), row(None), row(Some("together")), row(None)],
            shape: [height, width].into(),
            is_ink: true,
        })
    };
    vec![
        ("sheet-digits".to_owned(), sheet(28, 28, "7", &[])),
        (
            "sheet-mixed".to_owned(),
            sheet(14, 12, "elastic 34, smoothness 4", &["61 % 7", "39 % T-shirt/top or so"]),
        ),
        ("sheet-lying".to_owned(), sheet(9, 40, LONG, &["7"])),
    ]
}

fn tree(scene: &Scene) -> usvg::Tree {
    let mut fonts = fontdb::Database::new();
    fonts.load_font_data(dejavu::sans::regular().to_vec());
    let options = usvg::Options { fontdb: std::sync::Arc::new(fonts), ..usvg::Options::default() };
    usvg::Tree::from_str(&scene.to_svg(), &options).expect("a chart is valid SVG")
}

fn text_boxes(group: &usvg::Group, boxes: &mut Vec<(String, Rect)>) {
    for node in group.children() {
        match node {
            Node::Group(group) => text_boxes(group, boxes),
            Node::Text(text) => {
                let content = text.chunks().iter().map(|chunk| chunk.text()).collect();
                boxes.push((content, text.abs_bounding_box()));
            }
            _ => {}
        }
    }
}

#[test]
fn every_text_is_inside_and_none_covers_another() {
    for (name, scene) in scenes() {
        let mut boxes = Vec::new();
        text_boxes(tree(&scene).root(), &mut boxes);
        assert!(boxes.len() > 3, "{name}: {boxes:?}");
        for (index, (content, one)) in boxes.iter().enumerate() {
            let (right, bottom) = (scene.width as f32 - 10.0, scene.height as f32 - 10.0);
            let inside =
                one.left() >= 10.0 && one.top() >= 6.0 && one.right() <= right && one.bottom() <= bottom;
            assert!(inside, "{name}: \"{content}\" is clipped: {one:?}");
            for (other_content, other) in &boxes[..index] {
                let apart = one.left() > other.right()
                    || other.left() > one.right()
                    || one.top() > other.bottom()
                    || other.top() > one.bottom();
                assert!(apart, "{name}: \"{content}\" covers \"{other_content}\": {one:?} {other:?}");
            }
        }
    }
}

#[test]
fn the_painter_shows_what_the_svg_says() {
    for (name, scene) in scenes() {
        let painted = scene.painted();
        let mut reference = resvg::tiny_skia::Pixmap::new(scene.width, scene.height).expect("a size");
        resvg::render(&tree(&scene), usvg::Transform::identity(), &mut reference.as_mut());
        let differing = painted
            .data()
            .chunks_exact(4)
            .zip(reference.data().chunks_exact(4))
            .filter(|(one, other)| one.iter().zip(*other).any(|(one, other)| one.abs_diff(*other) > 64))
            .count();
        assert!(differing < 1500, "{name}: {differing} pixels differ");
    }
}

#[test]
fn a_png_is_a_picture_of_the_right_size_and_not_blank() {
    let records = records(&[("cnn", 0.05)], 1, 5);
    let scene = accuracy_chart(
        &Given { records: &records, comparisons: &[], notes: &[], images: None, ..Given::default() }.study(),
    )
    .expect("epochs");
    let decoded = tiny_skia::Pixmap::decode_png(&scene.to_png()).expect("a PNG");
    assert_eq!((decoded.width(), decoded.height()), (1600, 1000));
    let blue = decoded.pixels().iter().filter(|pixel| (pixel.red(), pixel.blue()) == (0x00, 0xb2)).count();
    assert!(blue > 3000, "the curve covers {blue} pixels");
    assert_eq!(scene.to_png(), scene.to_png());
}

/// The texts of a drawing.
fn texts(scene: &Scene) -> Vec<String> {
    let mut boxes = Vec::new();
    text_boxes(tree(scene).root(), &mut boxes);
    boxes.into_iter().map(|(content, _)| content).collect()
}

#[test]
fn classes_are_called_by_their_labels_and_names_in_pictures() {
    let labels: [String; 10] = std::array::from_fn(|class| (500 + 5 * class).to_string());
    for names in [labels, CLOTHES.map(str::to_owned)] {
        let records = records(&[("cnn", 0.05)], 1, 1);
        let pixels = vec![90; 1000 * 784];
        let images = Some(TestImages { pixels: &pixels, shape: [28, 28].into(), is_ink: true });
        let study = Given { records: &records, images, class_names: &names, ..Given::default() }.study();
        let matrix = texts(&confusion_chart(&study).expect("a matrix"));
        for name in &names {
            assert_eq!(matrix.iter().filter(|text| *text == name).count(), 2, "{name}: {matrix:?}");
        }
        let digits = texts(&digits_chart(&study).expect("images"));
        let below = digits.iter().filter(|text| text.starts_with("label "));
        assert!(below.clone().count() > 5 && below.clone().all(|text| names.contains(&text[6..].to_owned())));
        let answers = digits.iter().filter_map(|text| text.strip_prefix("cnn "));
        assert!(answers.clone().count() > 5 && answers.clone().all(|text| names.contains(&text.to_owned())));
    }
}

/// A number without its last digit is another number: the model's name is cut before it.
#[test]
fn no_number_is_cut() {
    let names: [String; 10] = std::array::from_fn(|class| (240 + class).to_string());
    let records: Vec<RunRecord> = (1..=12)
        .map(|seed| with_predictions("stacked-lstm", seed, &[0, 1], &[if seed < 12 { 7 } else { 0 }, 1]))
        .collect();
    let pixels = vec![90; 2 * 784];
    let images = Some(TestImages { pixels: &pixels, shape: [28, 28].into(), is_ink: true });
    for (names, end) in [(&names[..], " 247 (11/12)"), (&names[..0], " 7 (11/12)")] {
        let study = Given { records: &records, images, class_names: names, ..Given::default() }.study();
        let shown = texts(&digits_chart(&study).expect("an image"));
        let answer = shown.iter().find(|text| text.starts_with("sta"));
        assert!(answer.is_some_and(|answer| answer.ends_with(end)), "{shown:?}");
    }
}

#[test]
fn hard_images_are_shown_with_the_models_that_miss_them() {
    // The first three of five models are right, and one of two runs of the fourth.
    let given = [("a", [0, 1]), ("b", [0, 1]), ("c", [0, 1]), ("d", [7, 1]), ("d", [0, 1]), ("e", [5, 1])];
    let shown = |given: &[(&str, [u8; 2])]| {
        let run =
            |(seed, (model, given)): (u64, &(&str, [u8; 2]))| with_predictions(model, seed, &[0, 1], given);
        let records: Vec<RunRecord> = (1..).zip(given).map(run).collect();
        let pixels = vec![90; 2 * 784];
        let images = Some(TestImages { pixels: &pixels, shape: [28, 28].into(), is_ink: true });
        let scene = digits_chart(&Given { records: &records, images, ..Given::default() }.study());
        texts(&scene.expect("an image"))[1..].to_vec()
    };
    let few = [
        "missed by the most runs (of 6); below each its label and what the models that miss it take it for",
        "(k/n): k of the model's n runs are wrong; without it, all are wrong.",
        "label 0",
        "d 7 (1/2)",
        "e 5",
    ];
    assert_eq!(shown(&given), few);
    let all = ["a", "b", "c", "d", "e"].map(|model| (model, [3, 1]));
    let [_, _, note, answers @ ..] = &shown(&[&all[..], &[("a", [0, 1])]].concat())[..] else { panic!() };
    assert!(note.starts_with("Of more than 3 models"), "{note}");
    assert_eq!(answers, ["label 0", "b 3", "c 3", "d 3"]);
}

#[test]
fn what_is_not_finite_is_said() {
    let study = cases().into_iter().find(|(name, _)| *name == "diverged").expect("the case").1;
    let svg = loss_chart(
        &Given { records: &study, comparisons: &[], notes: &[], images: None, ..Given::default() }.study(),
    )
    .expect("epochs")
    .to_svg();
    assert!(svg.contains("Not drawn, because not finite or too large: lstm 6 values."), "{svg}");
    assert!(svg.contains("loss (nats, log scale)"));
}

#[test]
fn a_single_epoch_is_marked_and_explained_by_marks() {
    let drawn = |epochs| {
        let records = records(&[("cnn", 0.05), ("lstm", 0.12)], 1, epochs);
        accuracy_chart(
            &Given { records: &records, comparisons: &[], notes: &[], images: None, ..Given::default() }
                .study(),
        )
        .expect("epochs")
        .to_svg()
    };
    let (one, two) = (drawn(1), drawn(2));
    assert!(!one.contains("stroke-dasharray") && two.contains("stroke-dasharray"));
    let hollow = |svg: &str| svg.matches("fill=\"#ffffff\" stroke=").count();
    assert_eq!((hollow(&one), hollow(&two)), (3, 0));
}

#[test]
fn the_original_protocol_is_named_in_the_picture() {
    let study = [record("cnn", 1, 5, 0.1, Protocol::Original)];
    for scene in [accuracy_chart, loss_chart] {
        let svg = scene(
            &Given { records: &study, comparisons: &[], notes: &[], images: None, ..Given::default() }
                .study(),
        )
        .expect("epochs")
        .to_svg();
        assert!(svg.contains(">test set, used as validation<"), "{svg}");
    }
}
