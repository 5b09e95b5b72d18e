//! Central differences in f64: every parameter's and every pixel's derivative, through the very code that trains.
//!
//! The loss is smooth but for the kinks of ReLU and pooling, which no sample here lies near, so with a step of 1e-5 the
//! difference quotient is right to about 1e-10 of the loss's curvature plus 1e-11 of rounding.

use crate::common::{architecture, cnn, lstm};
use nn::{Architecture, ImageShape, InstructionSet, LayerSpec, Model};

const STEP: f64 = 1e-5;
const TOLERANCE: f64 = 1e-8;

/// A model with random parameters and pixels, and labels for its batch.
pub struct Sample {
    pub model: Model<f64>,
    pub labels: Vec<u8>,
    pixels: usize,
}

/// Numbers of −1..1 from a multiplicative generator: enough for a sample, and the same on every machine.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1u64 << 52) as f64 - 1.0
    }
}

impl Sample {
    pub fn new(architecture: &Architecture, [batch, height, width]: [usize; 3], classes: usize) -> Self {
        Self::of(architecture, batch, ImageShape { height, width, channels: 1 }, classes)
    }

    fn of(architecture: &Architecture, batch: usize, image: ImageShape, classes: usize) -> Self {
        let set = InstructionSet::PORTABLE;
        let mut model = Model::new(set, architecture, image, classes, batch).expect("it fits");
        let mut numbers = Numbers(batch as u64 + 7);
        model.parameters_mut().iter_mut().for_each(|parameter| *parameter = 0.4 * numbers.next());
        model.input_mut().iter_mut().for_each(|pixel| *pixel = numbers.next());
        let labels = (0..batch).map(|image| (image * 7 % classes) as u8).collect();
        Self { model, labels, pixels: batch * image.length() }
    }

    fn loss(&mut self) -> f64 {
        self.model.evaluate(&self.labels).loss()
    }

    /// The derivatives by backward: parameters, then pixels.
    pub fn backward(&mut self) -> (Vec<f64>, Vec<f64>) {
        let mut d_input = vec![f64::NAN; self.pixels];
        self.model.differentiate(&self.labels, Some(&mut d_input));
        (self.model.gradient().to_vec(), d_input)
    }

    /// The first derivative that differs from its difference quotient.
    pub fn check(&mut self, gradient: &[f64], d_input: &[f64]) -> Result<(), String> {
        for (index, derivative) in gradient.iter().enumerate() {
            let value = self.model.parameters()[index];
            let quotient = self.quotient(|model, by| model.parameters_mut()[index] = value + by);
            self.model.parameters_mut()[index] = value;
            compare("parameter", index, *derivative, quotient)?;
        }
        for (index, derivative) in d_input.iter().enumerate() {
            let value = self.model.input_mut()[index];
            let quotient = self.quotient(|model, by| model.input_mut()[index] = value + by);
            self.model.input_mut()[index] = value;
            compare("pixel", index, *derivative, quotient)?;
        }
        Ok(())
    }

    fn quotient(&mut self, mut shift: impl FnMut(&mut Model<f64>, f64)) -> f64 {
        shift(&mut self.model, STEP);
        let above = self.loss();
        shift(&mut self.model, -STEP);
        (above - self.loss()) / (2.0 * STEP)
    }
}

fn compare(what: &str, index: usize, backward: f64, quotient: f64) -> Result<(), String> {
    let difference = (backward - quotient).abs();
    if difference <= TOLERANCE {
        return Ok(());
    }
    Err(format!("{what} {index}: backward says {backward}, differences say {quotient}"))
}

pub fn assert_right(architecture: &Architecture, sizes: [usize; 3], classes: usize) {
    assert_right_of(architecture, Sample::new(architecture, sizes, classes));
}

fn assert_right_of(architecture: &Architecture, mut sample: Sample) {
    let (gradient, d_input) = sample.backward();
    assert!(
        gradient.iter().filter(|value| **value != 0.0).count() > gradient.len() / 3,
        "hardly any gradient"
    );
    if let Err(problem) = sample.check(&gradient, &d_input) {
        panic!("{}: {problem}", architecture.name);
    }
}

#[test]
fn convolutions_with_relu_and_pooling() {
    assert_right(&cnn([3, 4], 5), [3, 11, 12], 3);
}

#[test]
fn convolutions_of_every_other_kind() {
    let check = |name: &str, layers: &[&str], sizes, classes| {
        assert_right(&architecture(name, layers), sizes, classes);
    };
    check("linear", &["conv 3 2x2", "conv 2 3x3", "flatten", "dense classes"], [2, 7, 6], 3);
    let unpooled = ["conv 3 3x3", "relu", "conv 2 1x1", "relu", "flatten", "dense classes"];
    check("unpooled", &unpooled, [2, 6, 5], 2);
    let filtered = ["conv 8 1x1", "relu", "conv 9 3x3", "relu", "flatten", "dense classes"];
    check("filtered", &filtered, [2, 7, 8], 2);
    check("pooled without relu", &["conv 3 2x2", "maxpool 3", "flatten", "dense classes"], [2, 8, 10], 2);
    let large = ["conv 2 5x5", "relu", "maxpool 2", "flatten", "dense classes"];
    check("large kernel", &large, [2, 9, 8], 2);
}

/// Colour: a first layer of three channels, filtered ones behind it and strides, with and without a border, a pool, a sum's ReLU.
#[test]
fn convolutions_of_colour() {
    let check = |whole: &Architecture, batch, height, width| {
        let image = ImageShape { height, width, channels: 3 };
        assert_right_of(whole, Sample::of(whole, batch, image, 3));
    };
    let pooled = ["conv 4 3x3", "relu", "maxpool 2", "conv 5 3x3", "relu", "flatten", "dense classes"];
    check(&architecture("pooled colour", &pooled), 2, 9, 8);
    let mut whole =
        architecture("colour", &["conv 8 3x3 same", "relu", "relu", "global avgpool", "dense classes"]);
    whole.layers.insert(2, residual(&["conv 8 3x3 same", "relu", "conv 8 3x3 pad 2", "conv 8 3x3"], &[]));
    whole.layers.insert(4, residual(&["conv 6 3x3 stride 2 same"], &["conv 6 1x1 stride 2 no bias"]));
    check(&whole, 2, 6, 7);
}

#[test]
fn dense_layers() {
    let layers = ["flatten", "dense 9", "relu", "dense 5", "dense classes"];
    assert_right(&architecture("dense", &layers), [4, 3, 5], 4);
}

#[test]
fn sequences_in_another_order() {
    let layers = ["conv 2 1x1", "columns", "transpose", "flatten", "dense classes"];
    assert_right(&architecture("columns", &layers), [2, 3, 4], 3);
    let layers = ["conv 2 1x1", "patches 2", "flatten", "dense classes"];
    assert_right(&architecture("patches", &layers), [2, 4, 6], 3);
}

pub fn residual(body: &[&str], shortcut: &[&str]) -> LayerSpec {
    let layers = |layers| architecture("", layers).layers;
    LayerSpec::Residual { body: layers(body), shortcut: layers(shortcut) }
}

/// Sums of two ways, one within another, and one that is read three times; from the pixels on.
#[test]
fn residual_layers() {
    let network = |name: &str, first: LayerSpec| {
        let mut whole = architecture(name, &["flatten", "dense 4", "relu", "dense classes"]);
        whole.layers.insert(0, first);
        whole
    };
    assert_right(&network("identity", residual(&["conv 1 1x1"], &[])), [3, 4, 5], 3);
    assert_right(&network("both", residual(&["conv 3 3x3", "relu"], &["conv 3 3x3"])), [2, 5, 4], 3);
    assert_right(&network("doubled", residual(&["flatten"], &["flatten"])), [2, 3, 2], 3);
    let mut nested = residual(&["conv 1 1x1", "relu"], &[]);
    if let LayerSpec::Residual { body, .. } = &mut nested {
        body.insert(0, residual(&["conv 1 1x1"], &["conv 1 1x1"]));
    }
    assert_right(&network("nested", nested), [18, 3, 4], 3);
}

/// More images than a group holds, so that the sum over groups is part of it; units that are no whole vector.
#[test]
fn lstm_over_several_groups() {
    assert_right(&lstm(5), [18, 4, 3], 3);
    assert_right(&lstm(8), [2, 1, 6], 2);
}

/// Images that begin dark share their first steps unless the derivative of their pixels is asked for: both ways must
/// give the same gradient, and the second is checked by differences.
#[test]
fn lstm_of_images_that_begin_dark() {
    // The dark rows of each image; those of a group share as many as its brightest has.
    for dark in [vec![2; 5], vec![0, 3, 1], vec![4; 3], vec![4, 4, 2, 3], [vec![3; 16], vec![1; 2]].concat()]
    {
        let sizes = [dark.len(), 4, 3];
        let mut sample = Sample::new(&lstm(5), sizes, 3);
        for (image, dark) in sample.model.input_mut().chunks_exact_mut(12).zip(&dark) {
            image[..3 * dark].fill(0.0);
        }
        let (gradient, d_input) = sample.backward();
        if let Err(problem) = sample.check(&gradient, &d_input) {
            panic!("dark rows {dark:?}: {problem}");
        }
        let labels = sample.labels.clone();
        sample.model.differentiate(&labels, None);
        for (index, (shared, own)) in sample.model.gradient().iter().zip(&gradient).enumerate() {
            assert!(
                (shared - own).abs() <= 1e-14,
                "dark rows {dark:?}, {index}: {shared} shared, {own} apart"
            );
        }
    }
}

/// Backward passes with one mistake each: the check above is worth something only if it sees them.
#[test]
fn wrong_backward_passes_are_caught() {
    type Mistake = fn(&mut Sample) -> (Vec<f64>, Vec<f64>);
    let mistakes: [(&str, Architecture, Mistake); 5] = [
        ("a gradient that is a hundred-thousandth too large", cnn([3, 4], 5), |sample| {
            let (mut gradient, d_input) = sample.backward();
            let largest =
                (0..gradient.len()).max_by(|a, b| gradient[*a].abs().total_cmp(&gradient[*b].abs()));
            gradient[largest.expect("there are parameters")] *= 1.0 + 1e-5;
            (gradient, d_input)
        }),
        ("an image that is left out", cnn([3, 4], 5), |sample| {
            let right = sample.backward().1;
            let all = sample.labels.clone();
            let fewer = &all[..all.len() - 1];
            sample.model.differentiate(fewer, None);
            let share = fewer.len() as f64 / all.len() as f64;
            (sample.model.gradient().iter().map(|value| value * share).collect(), right)
        }),
        ("the gradient of other weights", lstm(5), |sample| {
            let right = sample.backward().1;
            let kept = sample.model.parameters().to_vec();
            sample.model.parameters_mut()[0] += 1e-4;
            let gradient = sample.backward().0;
            sample.model.parameters_mut().copy_from_slice(&kept);
            (gradient, right)
        }),
        ("two gates exchanged", lstm(5), |sample| {
            let (mut gradient, d_input) = sample.backward();
            for row in gradient[..(3 + 5 + 1) * 20].chunks_exact_mut(20) {
                let (i, rest) = row.split_at_mut(5);
                i.swap_with_slice(&mut rest[..5]);
            }
            (gradient, d_input)
        }),
        ("an input gradient that is not there", lstm(5), |sample| {
            let (gradient, d_input) = sample.backward();
            (gradient, vec![0.0; d_input.len()])
        }),
    ];
    for (name, architecture, mistake) in mistakes {
        let sizes = if architecture.name == "lstm-like" { [4, 4, 3] } else { [3, 11, 12] };
        let mut sample = Sample::new(&architecture, sizes, 3);
        let (gradient, d_input) = mistake(&mut sample);
        assert!(sample.check(&gradient, &d_input).is_err(), "{name} went unnoticed");
    }
}
