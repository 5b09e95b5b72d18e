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

// SAFETY: a pointer by itself reads and writes nothing; whoever does promises that no other part has the element.
unsafe impl<E: Send> Send for Shared<E> {}
// SAFETY: as above.
unsafe impl<E: Send> Sync for Shared<E> {}

/// Calls `work` once for each of `parts`, on the current pool's threads, and returns when all are done.
pub(crate) fn in_parts(parts: usize, work: impl Fn(usize) + Send + Sync) {
    (0..parts).into_par_iter().with_max_len(1).for_each(work);
}

/// What a part has of `total`: the parts, one after the other, have all of it, and none has two more than another.
pub(crate) fn share(total: usize, part: usize, parts: usize) -> Range<usize> {
    let first = |part: usize| part * (total / parts) + part.min(total % parts);
    first(part)..first(part + 1)
}

#[cfg(test)]
mod tests {
    use super::share;

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
