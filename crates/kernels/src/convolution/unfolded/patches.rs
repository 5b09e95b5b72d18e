//! Patches side by side, and back to where they came from.

use super::Geometry;
use crate::{Element, InstructionSet, check_length, dispatch::Kernel, vector::Vector};
use std::ops::Range;

/// Copies the patches of some positions of all images to `[position, tap, channel of the group]`.
///
/// # Panics
/// When a length does not fit the geometry.
pub(super) fn unfold<E: Element>(
    set: InstructionSet,
    geometry: &Geometry,
    input: &[E],
    positions: Range<usize>,
    group: usize,
    patches: &mut [E],
) {
    check(geometry, input, &positions, group, patches);
    E::dispatch(set, Unfold { geometry, input, positions, group, patches });
}

/// Adds each patch's elements, laid out by [`unfold`], to the pixels of `sums` that such elements come from.
///
/// # Panics
/// When a length does not fit the geometry.
pub(super) fn fold<E: Element>(
    set: InstructionSet,
    geometry: &Geometry,
    patches: &[E],
    positions: Range<usize>,
    group: usize,
    sums: &mut [E],
) {
    check(geometry, sums, &positions, group, patches);
    E::dispatch(set, Fold { geometry, patches, positions, group, sums });
}

fn check<E: Element>(
    geometry: &Geometry,
    images: &[E],
    positions: &Range<usize>,
    group: usize,
    patches: &[E],
) {
    let sliding = geometry.sliding();
    let count = images.len() / sliding.input_length();
    check_length!(images, [count, sliding.input_length()]);
    assert!(positions.end <= count * sliding.positions(), "positions {positions:?} of {count} images");
    assert!(group < geometry.groups, "group {group} of {}", geometry.groups);
    check_length!(patches, [positions.len(), geometry.filter_length()]);
}

/// How a patch lies in its image: so many runs of contiguous elements in each kernel row.
struct Runs {
    rows: usize,
    row_stride: usize,
    /// Of a kernel row.
    count: usize,
    /// Elements from one run to the next.
    stride: usize,
    length: usize,
}

impl Runs {
    fn of(geometry: &Geometry) -> Self {
        let size = geometry.sliding().size();
        let (channels, taps) = (geometry.group_channels(), size.kernel_width);
        // Neighbouring taps that read all channels of neighbouring pixels are one run.
        let (count, length) =
            if geometry.groups == 1 && size.dilation == 1 { (1, taps * channels) } else { (taps, channels) };
        Self {
            rows: size.kernel_height,
            row_stride: size.dilation * geometry.sliding().row_stride(),
            count,
            stride: size.dilation * size.channels,
            length,
        }
    }

    /// Calls `each(offset in the image, offset among the patches)` for every run of every position.
    #[inline(always)]
    fn walk(
        &self,
        geometry: &Geometry,
        positions: Range<usize>,
        group: usize,
        mut each: impl FnMut(usize, usize),
    ) {
        let mut patch = 0;
        for position in positions {
            let corner = geometry.sliding().corner(position) + group * geometry.group_channels();
            for row in 0..self.rows {
                for run in 0..self.count {
                    each(corner + row * self.row_stride + run * self.stride, patch);
                    patch += self.length;
                }
            }
        }
    }
}

struct Unfold<'a, E> {
    geometry: &'a Geometry,
    input: &'a [E],
    positions: Range<usize>,
    group: usize,
    patches: &'a mut [E],
}

impl<E: Element> Kernel<E> for Unfold<'_, E> {
    type Output = ();
    #[inline(always)]
    unsafe fn run<V: Vector<Element = E>>(self) {
        let (runs, input) = (Runs::of(self.geometry), self.input.as_ptr());
        let patches = self.patches.as_mut_ptr();
        // SAFETY: every tap of every position lies within its image, with all of its group's channels; the patches, one behind
        // the other, have the length that was checked.
        runs.walk(self.geometry, self.positions, self.group, |pixel, patch| unsafe {
            let (from, to) = (input.add(pixel), patches.add(patch));
            let mut at = 0;
            while runs.length - at >= V::LANES {
                V::load(from.add(at)).store(to.add(at));
                at += V::LANES;
            }
            if at < runs.length {
                V::load_first(from.add(at), runs.length - at).store_first(to.add(at), runs.length - at);
            }
        });
    }
}

struct Fold<'a, E> {
    geometry: &'a Geometry,
    patches: &'a [E],
    positions: Range<usize>,
    group: usize,
    sums: &'a mut [E],
}

impl<E: Element> Kernel<E> for Fold<'_, E> {
    type Output = ();
    #[inline(always)]
    unsafe fn run<V: Vector<Element = E>>(self) {
        let (runs, patches) = (Runs::of(self.geometry), self.patches.as_ptr());
        let sums = self.sums.as_mut_ptr();
        // SAFETY: as for `Unfold`.
        runs.walk(self.geometry, self.positions, self.group, |pixel, patch| unsafe {
            let (from, to) = (patches.add(patch), sums.add(pixel));
            let mut at = 0;
            while runs.length - at >= V::LANES {
                V::load(to.add(at)).add(V::load(from.add(at))).store(to.add(at));
                at += V::LANES;
            }
            let rest = runs.length - at;
            if rest > 0 {
                let sum = V::load_first(to.add(at), rest).add(V::load_first(from.add(at), rest));
                sum.store_first(to.add(at), rest);
            }
        });
    }
}
