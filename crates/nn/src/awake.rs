//! Threads that stay awake between the short parallel stages of a step.

use rayon::Yield;
use std::{
    hint::spin_loop,
    sync::atomic::{AtomicBool, Ordering},
};

/// Looks for work that a thread makes before it lets others have the processor: a few microseconds.
const SPINS: usize = 64;

/// Runs `work` while the other threads of the current pool look for its tasks without ever going to sleep.
///
/// A step is a handful of parallel stages of 10 µs to 2 ms. Waking a sleeping thread takes the kernel, and on a virtual
/// machine the hypervisor, 20 µs to 50 µs for each of them: a tenth of the study's CNN epoch on two threads. Where
/// there are more threads than processors nobody is kept awake.
pub fn keep_awake<R>(work: impl FnOnce() -> R) -> R {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let threads = rayon::current_num_threads();
    let Some(here) = rayon::current_thread_index().filter(|_| threads > 1 && threads <= processors) else {
        return work();
    };
    let done = AtomicBool::new(false);
    rayon::in_place_scope(|scope| {
        // Also when `work` panics, or the scope would wait for ever.
        let done = SetOnDrop(&done);
        let flag = done.0;
        scope.spawn_broadcast(move |_, context| {
            // The thread that works must come back from this as soon as it picks it up.
            let mut idle = 0;
            while context.index() != here && !flag.load(Ordering::Relaxed) {
                match rayon::yield_now() {
                    Some(Yield::Executed) => idle = 0,
                    _ if idle < SPINS => {
                        idle += 1;
                        spin_loop();
                    }
                    _ => std::thread::yield_now(),
                }
            }
        });
        work()
    })
}

/// Sets the flag when it goes, by return or by panic.
struct SetOnDrop<'a>(&'a AtomicBool);

impl Drop for SetOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rayon::prelude::*;

    #[test]
    fn work_is_done_on_any_number_of_threads() {
        for threads in [1, 2, 3, 7] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
            let sum =
                pool.install(|| keep_awake(|| (0..1000).into_par_iter().map(|n| n as u64).sum::<u64>()));
            assert_eq!(sum, 499_500);
            // A second time: the threads have come back from the first.
            assert_eq!(pool.install(|| keep_awake(|| rayon::join(|| 1, || 2))), (1, 2));
        }
        assert_eq!(keep_awake(|| 3), 3, "outside of a pool");
    }

    #[test]
    fn a_panic_ends_it() {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().expect("threads");
        let work = || pool.install(|| keep_awake(|| panic!("on purpose")));
        let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
        assert!(panicked.is_err());
        assert_eq!(pool.install(|| rayon::join(|| 1, || 2)), (1, 2), "the threads are free again");
    }
}
