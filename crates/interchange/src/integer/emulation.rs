//! What the header of a network in whole numbers computes, computed here.

use super::{IntegerNetwork, StageNumbers, value, zero};
use data::Dataset;
use nn::{Sliding, add_products};
use rayon::prelude::*;
use spec::{Stage, StageOperation};

impl IntegerNetwork {
    /// The logits `[images, classes]` of a set's first `count` images: bit for bit those of the exported header.
    ///
    /// # Panics
    /// When the set has fewer, or they are of another size.
    pub fn logits(&self, images: &Dataset, count: usize) -> Vec<f32> {
        (0..count).into_par_iter().flat_map_iter(|index| self.logits_of(images.image(index))).collect()
    }

    /// The class of each image of a set, by the largest logit, the first of equals.
    ///
    /// # Panics
    /// As [`Self::logits`].
    pub fn classes(&self, images: &Dataset) -> Vec<u8> {
        let classes = (0..images.len()).into_par_iter();
        classes.map(|index| crate::quantisation::largest(&self.logits_of(images.image(index)))).collect()
    }

    /// The logits of an image's bytes.
    pub(crate) fn logits_of(&self, image: &[u8]) -> Vec<f32> {
        let mut places = vec![self.numbers_of(image)];
        for (index, stage) in self.graph.stages.iter().enumerate() {
            let input = &places[stage.input];
            let (zero_in, zero_out) = (zero(self.grids[stage.input]), zero(self.grids[index + 1]));
            let output = match &self.numbers[index] {
                StageNumbers::Logits { weights, biases, units } => {
                    let mut sums = biases.clone();
                    add_products(self.set, input, weights, &mut sums);
                    return sums.iter().zip(units).map(|(sum, unit)| *sum as f32 * unit).collect();
                }
                StageNumbers::Products { weights, biases, factors } => {
                    let sums = match stage.operation {
                        StageOperation::Depthwise { .. } => depthwise(stage, input, zero_in, weights, biases),
                        _ => self.products(stage, input, zero_in, weights, biases),
                    };
                    let factors = factors.iter().cycle();
                    sums.iter()
                        .zip(factors)
                        .map(|(sum, factor)| on_grid(factor.times(*sum), zero_out))
                        .collect()
                }
                StageNumbers::Table(table) => {
                    input.iter().map(|number| table[(i32::from(*number) + 128) as usize]).collect()
                }
                StageNumbers::Mean(factor) => pool(stage, input, |window| {
                    let sum: i32 = window.map(|number| i32::from(number) - i32::from(zero_in)).sum();
                    on_grid(factor.times(4 * sum), zero_out)
                }),
                StageNumbers::Sum { multipliers, shift } => {
                    let StageOperation::Sum(other) = stage.operation else { unreachable!("a sum") };
                    let zeros = [zero_in, zero(self.grids[other])];
                    let part = |number: i8, index: usize| {
                        (i32::from(number) - i32::from(zeros[index])) * multipliers[index]
                    };
                    let sum = |(one, other): (&i8, &i8)| {
                        let sum = part(*one, 0) + part(*other, 1);
                        on_grid((sum + (1 << (shift - 1))) >> shift, zero_out)
                    };
                    input.iter().zip(&places[other]).map(sum).collect()
                }
                StageNumbers::None => moved(stage, input),
            };
            places.push(output);
        }
        let last = *self.grids.last().expect("the image's at least");
        places.pop().expect("the image at least").iter().map(|number| value(last, *number)).collect()
    }

    fn numbers_of(&self, image: &[u8]) -> Vec<i8> {
        let channels = self.input_tables.len();
        let number = |(index, byte): (usize, &u8)| match self.input_tables.get(index % channels.max(1)) {
            Some(table) => table[usize::from(*byte)],
            None => (i32::from(*byte) - 128) as i8,
        };
        image.iter().enumerate().map(number).collect()
    }

    /// The sums of a convolution `[height, width, filters]`, or of a dense layer.
    fn products(&self, stage: &Stage, input: &[i8], zero: i8, weights: &[i8], biases: &[i32]) -> Vec<i32> {
        let StageOperation::Convolution { from, to, sliding, groups } = stage.operation else {
            let mut sums = biases.to_vec();
            add_products(self.set, input, weights, &mut sums);
            return sums;
        };
        let (depth, members) = (from[2] / groups, to[2] / groups);
        let mut sums = biases.repeat(to[0] * to[1]);
        let mut window = Vec::new();
        for (position, sums) in sums.chunks_exact_mut(to[2]).enumerate() {
            let groups = sums.chunks_exact_mut(members).zip(weights.chunks_exact(weights.len() / groups));
            for (group, (sums, weights)) in groups.enumerate() {
                window.clear();
                for tap in taps(from, &sliding, [position / to[1], position % to[1]]) {
                    match tap {
                        Some(pixel) => {
                            let first = pixel * from[2] + group * depth;
                            window.extend_from_slice(&input[first..first + depth]);
                        }
                        None => window.resize(window.len() + depth, zero),
                    }
                }
                add_products(self.set, &window, weights, sums);
            }
        }
        sums
    }
}

/// The nearest number that there is.
fn on_grid(value: i32, zero: i8) -> i8 {
    (value + i32::from(zero)).clamp(-128, 127) as i8
}

/// The pixel that each tap of a window looks at, row by row; none outside the image.
fn taps(from: [usize; 3], sliding: &Sliding, [y, x]: [usize; 2]) -> impl Iterator<Item = Option<usize>> {
    let Sliding { kernel: [rows, columns], stride, padding: [above, left], dilation } = *sliding;
    let [height, width, _] = from;
    (0..rows * columns).map(move |tap| {
        let row = (y * stride + tap / columns * dilation).checked_sub(above).filter(|row| *row < height)?;
        let column =
            (x * stride + tap % columns * dilation).checked_sub(left).filter(|column| *column < width)?;
        Some(row * width + column)
    })
}

fn depthwise(stage: &Stage, input: &[i8], zero: i8, weights: &[i8], biases: &[i32]) -> Vec<i32> {
    let StageOperation::Depthwise { from, to, sliding } = stage.operation else { unreachable!("depthwise") };
    let channels = to[2];
    let mut sums = biases.repeat(to[0] * to[1]);
    for (position, sums) in sums.chunks_exact_mut(channels).enumerate() {
        let taps = taps(from, &sliding, [position / to[1], position % to[1]]);
        for (pixel, weights) in taps.zip(weights.chunks_exact(channels)) {
            let Some(pixel) = pixel else { continue };
            for ((sum, value), weight) in sums.iter_mut().zip(&input[pixel * channels..]).zip(weights) {
                *sum += (i32::from(*value) - i32::from(zero)) * i32::from(*weight);
            }
        }
    }
    sums
}

/// What `of` makes of each window.
fn pool(stage: &Stage, input: &[i8], of: impl Fn(&mut dyn Iterator<Item = i8>) -> i8) -> Vec<i8> {
    let StageOperation::Pool { from: [_, width, channels], to, window, stride, .. } = stage.operation else {
        unreachable!("a pool")
    };
    let mut output = Vec::with_capacity(to.iter().product());
    for y in 0..to[0] {
        for x in 0..to[1] {
            for channel in 0..channels {
                let first = (y * stride * width + x * stride) * channels + channel;
                let place = |tap: usize| first + (tap / window[1] * width + tap % window[1]) * channels;
                output.push(of(&mut (0..window[0] * window[1]).map(|tap| input[place(tap)])));
            }
        }
    }
    output
}

fn moved(stage: &Stage, input: &[i8]) -> Vec<i8> {
    match stage.operation {
        StageOperation::Pool { .. } => pool(stage, input, |window| window.max().expect("a window")),
        StageOperation::Columns([height, width, channels]) => (0..width * height)
            .flat_map(|pixel| {
                let first = (pixel % height * width + pixel / height) * channels;
                &input[first..first + channels]
            })
            .copied()
            .collect(),
        StageOperation::Patches { from: [height, width, channels], size } => {
            let mut output = Vec::with_capacity(input.len());
            for top in (0..height).step_by(size) {
                for left in (0..width).step_by(size) {
                    for row in top..top + size {
                        let first = (row * width + left) * channels;
                        output.extend_from_slice(&input[first..first + size * channels]);
                    }
                }
            }
            output
        }
        StageOperation::Convolution { .. }
        | StageOperation::Depthwise { .. }
        | StageOperation::Dense { .. }
        | StageOperation::Table(_)
        | StageOperation::Sum(_) => unreachable!("it has constants"),
    }
}
