//! The gradient of the input: each pixel sums over the taps that have read it.
//!
//! With stride s the columns r, r + s, r + 2s, … of a row are read by the same taps, those with j · d ≡ r (mod s), and by
//! neighbouring positions: along these columns it is a convolution of stride 1 with those taps.

use super::{Geometry, Lanes, Reader, for_channels, in_columns};
use crate::{Element, InstructionSet, check_length, dispatch::Kernel, vector::Vector};
use std::ops::Range;

/// Derivative with respect to the input of as many images as `d_input` holds, from that with respect to what came
/// before the activation; overwrites `d_input`.
///
/// # Panics
/// When a length does not fit the geometry.
pub fn backward_input<E: Element>(
    set: InstructionSet,
    geometry: &Geometry,
    weights: &[E],
    d_output: &[E],
    d_input: &mut [E],
) {
    let sliding = &geometry.sliding;
    let images = d_input.len() / sliding.input_length();
    check_length!(d_input, [images, sliding.input_length()]);
    check_length!(weights, [sliding.taps(), sliding.size().channels]);
    check_length!(d_output, [images, sliding.output_length()]);
    E::dispatch(set, BackwardInput { geometry, images, weights, d_output, d_input });
}

struct BackwardInput<'a, E> {
    geometry: &'a Geometry,
    images: usize,
    weights: &'a [E],
    d_output: &'a [E],
    d_input: &'a mut [E],
}

impl<E: Element> Kernel<E> for BackwardInput<'_, E> {
    type Output = ();
    #[inline(always)]
    unsafe fn run<V: Vector<Element = E>>(self) {
        let sliding = &self.geometry.sliding;
        let size = *sliding.size();
        for image in 0..self.images {
            for row in 0..size.height {
                for residue in 0..size.stride.min(size.width) {
                    let first =
                        image * sliding.input_length() + row * sliding.row_stride() + residue * size.channels;
                    let job = RowJob {
                        geometry: self.geometry,
                        row,
                        column_readers: &self.geometry.column_readers[residue],
                        columns: (size.width - residue).div_ceil(size.stride),
                        weights: self.weights.as_ptr(),
                        d_output: self.d_output[image * sliding.output_length()..].as_ptr(),
                        d_input: self.d_input[first..].as_mut_ptr(),
                    };
                    // SAFETY: the entry point has checked every length; the columns are the row's.
                    unsafe { for_channels!(size.channels, row_of_pixels::<V>(&job)) }
                }
            }
        }
    }
}

/// The pixels of a row that the same taps read.
struct RowJob<'a, E> {
    geometry: &'a Geometry,
    row: usize,
    column_readers: &'a [Reader],
    columns: usize,
    weights: *const E,
    /// Of the image.
    d_output: *const E,
    /// From the first such pixel on.
    d_input: *mut E,
}

impl<E> RowJob<'_, E> {
    /// The columns that every reader reads.
    fn inner(&self) -> Range<usize> {
        let shifts = || self.column_readers.iter().map(|reader| reader.shift);
        let positions = self.geometry.sliding.output_width() as isize;
        let first = shifts().map(|shift| -shift).max().unwrap_or(0).max(0) as usize;
        let end = shifts().map(|shift| positions - shift).min().unwrap_or(0).max(0) as usize;
        let end = end.min(self.columns);
        first.min(end)..end
    }
}

/// # Safety
/// The job's pointers have an image of its geometry behind them, and `channel` begins a vector of `lanes`.
#[inline(always)]
unsafe fn row_of_pixels<V: Vector, const WHOLE: bool>(
    channel: usize,
    lanes: Lanes<WHOLE>,
    job: &RowJob<V::Element>,
) {
    let inner = job.inner();
    // SAFETY: the caller's promise; single pixels are asked for what reads them, and the inner ones are read by all.
    unsafe {
        for column in (0..inner.start).chain(inner.end..job.columns) {
            pixels::<V, 1, WHOLE>(column, channel, lanes, job);
        }
        in_columns!(inner, pixels::<V, WHOLE>(channel, lanes, job));
    }
}

/// # Safety
/// As [`row_of_pixels`], for the columns `first..first + COLUMNS`; if there are several, every reader reads them all.
#[inline(always)]
unsafe fn pixels<V: Vector, const COLUMNS: usize, const WHOLE: bool>(
    first: usize,
    channel: usize,
    lanes: Lanes<WHOLE>,
    job: &RowJob<V::Element>,
) {
    let sliding = &job.geometry.sliding;
    let (size, positions) = (sliding.size(), 0..sliding.output_width() as isize);
    // SAFETY: only positions that there are are read.
    unsafe {
        let mut sums = [V::zero(); COLUMNS];
        for reader in &job.geometry.row_readers[job.row % size.stride] {
            let row = (job.row / size.stride) as isize + reader.shift;
            if !(0..sliding.output_height() as isize).contains(&row) {
                continue;
            }
            let gradients = job.d_output.add(row as usize * sliding.output_width() * size.channels + channel);
            let weights = job.weights.add(reader.tap * size.kernel_width * size.channels + channel);
            for reader in job.column_readers {
                let column = first as isize + reader.shift;
                if COLUMNS == 1 && !positions.contains(&column) {
                    continue;
                }
                let weight = lanes.load::<V>(weights.add(reader.tap * size.channels));
                let gradients = gradients.add(column as usize * size.channels);
                for (index, sum) in sums.iter_mut().enumerate() {
                    *sum = lanes.load::<V>(gradients.add(index * size.channels)).mul_add(weight, *sum);
                }
            }
        }
        for (index, sum) in sums.into_iter().enumerate() {
            lanes.store(sum, job.d_input.add((first + index) * size.stride * size.channels + channel));
        }
    }
}
