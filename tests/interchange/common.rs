//! Networks with weights that have learnt a little.

use data::{Corpus, Dataset, Source};
use interchange::Description;
use nn::{InstructionSet, Model, Optimiser, UpdateRule};
use std::{path::Path, sync::LazyLock};
use study::study_file::{ModelSpec, StudyFile, built_in_models};
use train::{Native, Seeds};

/// MNIST.
pub(crate) static MNIST: LazyLock<Corpus> =
    LazyLock::new(|| data::load(&Source::Mnist).expect("it is in the program"));

/// MNIST's images in colours that each tell something else: the ink, its negative, and the ink in the left half alone.
pub(crate) static COLOUR: LazyLock<Corpus> = LazyLock::new(|| {
    let coloured = |set: &Dataset, count: usize| {
        let pixel = |(place, ink): (usize, &u8)| [*ink, 255 - ink, if place % 28 < 14 { *ink } else { 40 }];
        let images = set.images()[..count * 784].iter().enumerate().flat_map(pixel).collect();
        (images, set.labels()[..count].to_vec())
    };
    let (training, test) = (coloured(MNIST.training(), 6_000), coloured(MNIST.test(), 1_000));
    Corpus::from_images("colour", [28, 28, 3], training, test).expect("a corpus")
});

/// The corpus that a model is for.
fn corpus_of(model: &Model<f32>) -> &'static Corpus {
    if model.input_length() == MNIST.test().image_length() { &MNIST } else { &COLOUR }
}

/// Images in a step.
const BATCH: usize = 64;

/// Every built-in model.
pub(crate) fn built_in() -> Vec<ModelSpec> {
    built_in_models()
}

/// Networks that have every kind of layer between them.
pub(crate) fn every_layer() -> Vec<ModelSpec> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interchange/every-layer.toml");
    StudyFile::read(&file).expect("a study file").models
}

/// Options of layers that those networks do not have; PyTorch made no weights for it.
pub(crate) fn further() -> ModelSpec {
    let text = r#"
        [model.further]
        layers = [
          "conv 4 3x3 stride 2 same dilation 2 no bias", "depthwise 3x3 dilation 2 pad 1x2", "maxpool 2 stride 1",
          "lstm 6 bidirectional sequence", "gru 5 sequence", "rnn 7 bidirectional sequence", "flatten", "dense classes",
        ]
    "#;
    StudyFile::parse(text, "further.toml").expect("a study file").models.remove(0)
}

/// A model's description.
pub(crate) fn described(spec: &ModelSpec) -> Description {
    let (images, classes) = (MNIST.training(), MNIST.class_names().to_vec());
    Description::of(&spec.architecture, images.shape(), classes)
}

/// A model that has made a few steps, so that no parameter is as it began, and its description.
pub(crate) fn trained(spec: &ModelSpec, steps: usize) -> (Description, Model<f32>) {
    let description = described(spec);
    let model = trained_as(&description, steps);
    (description, model)
}

/// As [`trained`], of a description.
pub(crate) fn trained_as(description: &Description, steps: usize) -> Model<f32> {
    let mut model = description.model(InstructionSet::detect(), 1000).expect("it fits");
    let images = corpus_of(&model).training();
    Seeds::of_run(0).initialise(&mut Native::new(&mut model));
    let mut optimiser = Optimiser::new(&UpdateRule::default(), model.specs());
    for step in 0..steps {
        let indices: [usize; BATCH] = std::array::from_fn(|image| (step * BATCH + image) % images.len());
        let labels = indices.map(|index| images.labels()[index]);
        model.differentiate_images(&labels, |image| images.image(indices[image]));
        model.update(&mut optimiser, 1.0);
    }
    model
}

/// The logits of the first `count` test images.
pub(crate) fn logits(model: &mut Model<f32>, count: usize) -> Vec<f32> {
    logits_by(model, count, |model, images| model.forward(images).to_vec())
}

/// The logits of the first `count` test images, of a batch as `forward` has them.
pub(crate) fn logits_by(
    model: &mut Model<f32>,
    count: usize,
    forward: impl Fn(&mut Model<f32>, usize) -> Vec<f32>,
) -> Vec<f32> {
    let images = corpus_of(model).test();
    let mut logits = Vec::new();
    for first in (0..count).step_by(model.capacity()) {
        let batch = model.capacity().min(count - first);
        model.set_batch(batch, |image| images.image(first + image));
        logits.extend(forward(model, batch));
    }
    logits
}

/// The class of each image's largest logit.
pub(crate) fn classes(logits: &[f32], count: usize) -> Vec<usize> {
    let largest = |row: &[f32]| (0..row.len()).max_by(|one, other| row[*one].total_cmp(&row[*other]));
    logits.chunks_exact(count).map(|row| largest(row).expect("a class")).collect()
}
