//! The gradient of patches, back to where they came from.

use super::Geometry;
use crate::{Element, InstructionSet, check_length, dispatch::Kernel, vector::Vector};
use std::ops::Range;

/// Adds the elements of some positions' patches, `[position, tap, channel of the group]`, to the pixels of `sums` that such elements come from.
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
    let count = images.len() / geometry.input_length();
    check_length!(images, [count, geometry.input_length()]);
    assert!(positions.end <= count * sliding.positions(), "positions {positions:?} of {count} images");
    assert!(group < geometry.groups, "group {group} of {}", geometry.groups);
    check_length!(patches, [positions.len(), geometry.filter_length()]);
}

/// How a patch lies in its image: so many runs of contiguous elements in each kernel row.
struct Runs {
    /// Of a kernel row.
    count: usize,
    /// Pixels of a run.
    taps: usize,
    /// Elements of a pixel that are the group's.
    channels: usize,
}

/// A run of a patch.
struct Run {
    /// Where its first element that lies in an image does, among all images.
    pixel: usize,
    /// Where its first element is among the patches.
    patch: usize,
    /// Its elements that lie in the image; the others are border.
    inside: Range<usize>,
}

impl Runs {
    fn of(geometry: &Geometry) -> Self {
        let size = geometry.sliding().size();
        // Neighbouring taps that read all channels of neighbouring pixels are one run.
        let is_one = geometry.groups == 1 && size.dilation == 1;
        let (count, taps) = if is_one { (1, size.kernel_width) } else { (size.kernel_width, 1) };
        Self { count, taps, channels: geometry.group_channels() }
    }

    /// Calls `each` for every run of every position.
    #[inline(always)]
    fn walk(&self, geometry: &Geometry, positions: Range<usize>, group: usize, mut each: impl FnMut(Run)) {
        let (sliding, size, [above, left]) = (geometry.sliding(), geometry.sliding().size(), geometry.border);
        let (height, width) = (size.height - 2 * above, size.width - 2 * left);
        let (mut row, mut column) =
            (positions.start / sliding.output_width(), positions.start % sliding.output_width());
        let mut image = row / sliding.output_height() * geometry.input_length() + group * self.channels;
        row %= sliding.output_height();
        let mut patch = 0;
        for _ in positions {
            for tap_row in 0..size.kernel_height {
                let y = (row * size.stride + tap_row * size.dilation).wrapping_sub(above);
                for run in 0..self.count {
                    // From the image's first column on, of those that there would be with the border.
                    let x = column * size.stride + run * size.dilation;
                    let first = left.saturating_sub(x).min(self.taps);
                    let last = (left + width).saturating_sub(x).clamp(first, self.taps);
                    let inside = if y < height { first..last } else { 0..0 };
                    let pixel = if inside.is_empty() { 0 } else { y * width + x + first - left };
                    each(Run {
                        pixel: image + pixel * size.channels,
                        patch,
                        inside: inside.start * self.channels..inside.end * self.channels,
                    });
                    patch += self.taps * self.channels;
                }
            }
            column += 1;
            if column == sliding.output_width() {
                (row, column) = (row + 1, 0);
                if row == sliding.output_height() {
                    (image, row) = (image + geometry.input_length(), 0);
                }
            }
        }
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
        // SAFETY: the pixels of every run lie within their image, with all of the group's channels; the patches, one behind the
        // other, have the length that was checked.
        runs.walk(self.geometry, self.positions, self.group, |run| unsafe {
            let from = patches.add(run.patch + run.inside.start);
            let (to, count) = (sums.add(run.pixel), run.inside.len());
            let mut at = 0;
            while count - at >= V::LANES {
                V::load(to.add(at)).add(V::load(from.add(at))).store(to.add(at));
                at += V::LANES;
            }
            let rest = count - at;
            if rest > 0 {
                let sum = V::load_first(to.add(at), rest).add(V::load_first(from.add(at), rest));
                sum.store_first(to.add(at), rest);
            }
        });
    }
}
