//! The gradient of the input: each position adds up the filters that won there, and no other.

use super::{
    Geometry, OutputGradient,
    patches::{Entry, MASK_FILTERS, Patches, WinnerBytes},
};
use crate::{Element, InstructionSet, check_length, dispatch::Kernel, matmul::Output, vector::Vector};

/// Derivative with respect to the input of as many images as `d_input` holds, which is overwritten or added to.
///
/// For each position, the filters that won there, found by comparing all winners of a window at once, add
/// `gradient · weights[filter]` to the position's patch in registers. `weights` is `[filter, kernel row, kernel column, channel]`, unpacked.
///
/// # Panics
/// When a length does not fit the geometry, or its images are [without their border](Geometry::without_border).
pub fn backward_input<E: Element>(
    set: InstructionSet,
    geometry: &Geometry,
    weights: &[E],
    output: OutputGradient<E>,
    d_input: &mut [E],
    into: Output,
) {
    geometry.check_no_border();
    let images = output.check(geometry);
    check_length!(weights, [geometry.size.filters, geometry.filter_length()]);
    check_length!(d_input, [images, geometry.input_length()]);
    assert!(u32::try_from(weights.len()).is_ok(), "more than 2^32 weights");
    E::dispatch(set, BackwardInput { geometry, images, weights, output, d_input, into });
}

struct BackwardInput<'a, E> {
    geometry: &'a Geometry,
    images: usize,
    weights: &'a [E],
    output: OutputGradient<'a, E>,
    d_input: &'a mut [E],
    into: Output,
}

impl<E: Element> Kernel<E> for BackwardInput<'_, E> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<V: Vector<Element = E>>(self) {
        let Self { geometry, images, weights, output, d_input, into } = self;
        let (filters, length) = (geometry.size.filters, geometry.filter_length());
        let all_bytes = MASK_FILTERS.saturating_mul(length).saturating_mul(size_of::<E>());
        let chunk = if all_bytes <= CACHE_BYTES { MASK_FILTERS } else { MASK_FILTERS / 2 };
        for image in 0..images {
            let d_input = &mut d_input[image * geometry.input_length()..][..geometry.input_length()];
            if into == Output::Overwrite {
                d_input.fill(E::ZERO);
            }
            for first_filter in (0..filters).step_by(chunk) {
                let count = chunk.min(filters - first_filter);
                for window in 0..geometry.windows() {
                    let at = image * geometry.output_length() + window * filters + first_filter;
                    let winners = WinnerBytes::new(output.winners, at, count);
                    let gradients = &output.gradient[at..][..count];
                    for position in 0..geometry.positions() {
                        // SAFETY: the position's patch is a whole one of this image, and each filter of the mask has its weights and its
                        // gradient.
                        unsafe {
                            let mask = winners.equal::<V>(position as u8);
                            if mask == 0 {
                                continue;
                            }
                            let patch = geometry.offsets[window * geometry.positions() + position] as usize;
                            let job = Patches {
                                source: weights.as_ptr().add(first_filter * length),
                                source_stride: geometry.run_length(),
                                sums: d_input[patch..].as_mut_ptr(),
                                sums_stride: geometry.row_stride(),
                                rows: geometry.size.kernel_height,
                                length: geometry.run_length(),
                            };
                            job.add::<V>(WinningFilters { mask, gradients: gradients.as_ptr(), length });
                        }
                    }
                }
            }
        }
    }
}

/// The first-level cache of 48 KB, less what the gradients take. The weights of half the filters that a mask has room
/// for exceed it in no network of the study: 32 filters of 3×3×32 are 36 KB.
const CACHE_BYTES: usize = 40 << 10;

/// The filters of a mask with their gradients, as entries.
#[derive(Clone)]
struct WinningFilters<E> {
    mask: u64,
    gradients: *const E,
    length: usize,
}

impl<E: Element> Iterator for WinningFilters<E> {
    type Item = Entry<E>;

    #[inline(always)]
    fn next(&mut self) -> Option<Entry<E>> {
        if self.mask == 0 {
            return None;
        }
        let filter = self.mask.trailing_zeros() as usize;
        self.mask &= self.mask - 1;
        // SAFETY: whoever makes the mask has a gradient for each of its filters.
        let gradient = unsafe { *self.gradients.add(filter) };
        Some(Entry { offset: (filter * self.length) as u32, gradient })
    }
}
