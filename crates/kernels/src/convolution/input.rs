//! The gradient of the input: each position adds up the filters that won there, and no other.

use super::{
    Geometry, OutputGradient,
    patches::{ENTRIES, Entry, Patches},
};
use crate::{Element, InstructionSet, check_length, dispatch::Kernel, vector::Vector};

/// Derivative with respect to the input of as many images as `d_input` holds; overwritten.
///
/// For each position, the filters that won there add `gradient · weights[filter]` to sums in registers, which are
/// then added to the position's patch. `weights` is `[filter, kernel row, kernel column, channel]`, unpacked.
///
/// # Panics
/// When a length does not fit the geometry.
pub fn backward_input<E: Element>(
    set: InstructionSet,
    geometry: &Geometry,
    weights: &[E],
    output: OutputGradient<E>,
    d_input: &mut [E],
) {
    let images = output.check(geometry);
    check_length!(weights, geometry.size.filters * geometry.filter_length());
    check_length!(d_input, images * geometry.input_length());
    assert!(u32::try_from(weights.len()).is_ok(), "more than 2^32 weights");
    E::dispatch(set, BackwardInput { geometry, images, weights, output, d_input });
}

struct BackwardInput<'a, E> {
    geometry: &'a Geometry,
    images: usize,
    weights: &'a [E],
    output: OutputGradient<'a, E>,
    d_input: &'a mut [E],
}

impl<E: Element> Kernel<E> for BackwardInput<'_, E> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<V: Vector<Element = E>>(self) {
        let Self { geometry, images, weights, output, d_input } = self;
        d_input.fill(E::ZERO);
        let mut lists = Lists::new();
        // As many kernel rows at once as leave all filters' weights of those rows in the first-level cache while the
        // lists walk over them: one for 64 filters of 3×3×32, 24 KB.
        let row_bytes = geometry.size.filters * geometry.run_length() * size_of::<E>();
        let rows = (CACHE_BYTES / row_bytes).clamp(1, geometry.size.kernel_height);
        for image in 0..images {
            let d_input = &mut d_input[image * geometry.input_length()..][..geometry.input_length()];
            let at = image * geometry.output_length();
            let output = OutputGradient {
                gradient: &output.gradient[at..][..geometry.output_length()],
                winners: &output.winners[at..][..geometry.output_length()],
            };
            let mut from = (0, 0);
            while let Some(next) = lists.fill(geometry, output, from) {
                for row in (0..geometry.size.kernel_height).step_by(rows) {
                    for list in &lists.lists[..lists.count] {
                        let sums = &mut d_input[list.patch as usize + row * geometry.row_stride()..];
                        // SAFETY: the list's patch is a whole one of this image, each entry's offset that of a filter's weights,
                        // and `row` is one of both.
                        unsafe {
                            let job = Patches {
                                source: weights.as_ptr().add(row * geometry.run_length()),
                                source_stride: geometry.run_length(),
                                sums: sums.as_mut_ptr(),
                                sums_stride: geometry.row_stride(),
                                rows: rows.min(geometry.size.kernel_height - row),
                                length: geometry.run_length(),
                            };
                            job.add::<V>(&lists.entries[list.first as usize..list.end as usize]);
                        }
                    }
                }
                from = next;
            }
        }
    }
}

/// Half of the smallest first-level data cache in use, and most of one of 48 KB less an image's gradient.
const CACHE_BYTES: usize = 24 << 10;

/// The filters that won at each position of some windows of an image.
struct Lists<E> {
    entries: [Entry<E>; ENTRIES],
    lists: [List; ENTRIES],
    count: usize,
}

/// The winners of one position, a range of the entries.
#[derive(Clone, Copy, Default)]
struct List {
    /// Where the position's patch begins in the image.
    patch: u32,
    first: u32,
    end: u32,
}

impl<E: Element> Lists<E> {
    fn new() -> Self {
        Self { entries: [Entry::default(); ENTRIES], lists: [List::default(); ENTRIES], count: 0 }
    }

    /// Lists the winners from `(window, filter)` on, until the entries are full; where to go on, or none at the end.
    #[inline(always)]
    fn fill(
        &mut self,
        geometry: &Geometry,
        output: OutputGradient<E>,
        from: (usize, usize),
    ) -> Option<(usize, usize)> {
        let (filters, positions) = (geometry.size.filters, geometry.positions());
        let (mut window, mut filter) = from;
        if window == geometry.windows() {
            return None;
        }
        self.count = 0;
        let mut used = 0;
        while window < geometry.windows() && used < ENTRIES && self.count + positions <= ENTRIES {
            let taken = (filters - filter).min(ENTRIES - used);
            // A window is split only where it alone is too many.
            if taken < filters - filter && used > 0 {
                break;
            }
            let at = window * filters + filter;
            used = self.sort(
                geometry,
                window,
                filter,
                &output.winners[at..][..taken],
                &output.gradient[at..][..taken],
                used,
            );
            filter += taken;
            if filter == filters {
                (window, filter) = (window + 1, 0);
            }
        }
        Some((window, filter))
    }

    /// Sorts a window's filters by the position that they won at, after the entries in use; returns how many are then.
    #[inline(always)]
    fn sort(
        &mut self,
        geometry: &Geometry,
        window: usize,
        first_filter: usize,
        winners: &[u8],
        gradients: &[E],
        used: usize,
    ) -> usize {
        let positions = geometry.positions();
        let mut ends = [0u32; 256];
        for winner in winners {
            ends[usize::from(*winner)] += 1;
        }
        let mut next = used as u32;
        for (position, end) in ends[..=positions].iter_mut().enumerate() {
            let first = next;
            next += *end;
            *end = first;
            if position < positions && next > first {
                let patch = geometry.offsets[window * positions + position];
                self.lists[self.count] = List { patch, first, end: next };
                self.count += 1;
            }
        }
        let length = geometry.filter_length();
        for (filter, (winner, gradient)) in winners.iter().zip(gradients).enumerate() {
            let place = &mut ends[usize::from(*winner)];
            let offset = ((first_filter + filter) * length) as u32;
            self.entries[*place as usize] = Entry { offset, gradient: *gradient };
            *place += 1;
        }
        // The last list, of those that won nowhere, is not in use: the next window may have its place.
        ends[positions - 1] as usize
    }
}
