//! Work that is divided among threads.

use rayon::prelude::*;
use std::ops::Range;

/// Memory that the parts of a call write to, each to elements of its own.
#[derive(Debug)]
pub(crate) struct Shared<E>(pub(crate) *mut E);

impl<E> Clone for Shared<E> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<E> Copy for Shared<E> {}

impl<E> Shared<E> {
    /// The same from an element on.
    pub(crate) fn from(self, element: usize) -> Self {
        Self(self.0.wrapping_add(element))
    }
}

// SAFETY: a pointer by itself reads and writes nothing; whoever does promises that no other part has the element.
unsafe impl<E: Send> Send for Shared<E> {}
// SAFETY: as above.
unsafe impl<E: Send> Sync for Shared<E> {}

/// Calls `work` once for each of `parts`, on the current pool's threads, and returns when all are done.
pub(crate) fn in_parts(parts: usize, work: impl Fn(usize) + Send + Sync) {
    (0..parts).into_par_iter().with_max_len(1).for_each(work);
}

/// Multiplications that are worth another thread's help: some 6 µs of AVX-512, where to share them costs 2 µs and what they read has to come
/// from the other core.
const FEWEST_PRODUCTS: u64 = 200_000;

/// How many of `threads` are worth it for so many multiplications: at least one.
pub(crate) fn worthwhile_parts(products: u64, threads: usize) -> usize {
    threads.min(usize::try_from(products / FEWEST_PRODUCTS).unwrap_or(usize::MAX)).max(1)
}

/// Calls `work` for each chunk of so many elements, and the last with what is left, as [`in_parts`].
pub(crate) fn in_chunks<E: Send>(
    elements: &mut [E],
    length: usize,
    work: impl Fn(usize, &mut [E]) + Send + Sync,
) {
    let chunks = elements.par_chunks_mut(length).enumerate();
    chunks.with_max_len(1).for_each(|(part, chunk)| work(part, chunk));
}

/// What a part has of `total`: the parts, one after the other, have all of it, and none has two more than another.
pub(crate) fn share(total: usize, part: usize, parts: usize) -> Range<usize> {
    let first = |part: usize| part * (total / parts) + part.min(total % parts);
    first(part)..first(part + 1)
}

#[cfg(test)]
mod tests {
    use super::{share, worthwhile_parts};

    #[test]
    fn a_part_is_worth_200_000_products() {
        for (products, threads, parts) in [
            (0, 4, 1),
            (399_999, 4, 1),
            (400_000, 4, 2),
            (u64::MAX, 4, 4),
            (u64::MAX, 1, 1),
            (u64::MAX, 0, 1),
        ] {
            assert_eq!(worthwhile_parts(products, threads), parts, "{products}, {threads}");
        }
    }

    #[test]
    fn parts_have_all_and_nothing_twice() {
        for total in 0..40 {
            for parts in 1..12 {
                let mut next = 0;
                for part in 0..parts {
                    let share = share(total, part, parts);
                    assert_eq!(share.start, next);
                    assert!(
                        (total / parts..=total.div_ceil(parts)).contains(&share.len()),
                        "{total}, {parts}"
                    );
                    next = share.end;
                }
                assert_eq!(next, total);
            }
        }
    }
}
