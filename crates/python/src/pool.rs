//! Threads after a fork: a child has the memory of its parent's pool, but none of its threads.

use rayon::{ThreadPool, ThreadPoolBuilder};
use std::{
    process,
    sync::{LazyLock, Mutex, PoisonError},
};

/// The process that loaded the module, whose pool is everybody's.
static LOADED_BY: LazyLock<u32> = LazyLock::new(process::id);

/// That of a child, and the child.
static OF_CHILD: Mutex<Option<(u32, &'static ThreadPool)>> = Mutex::new(None);

/// To be called when the module is loaded.
pub(crate) fn loaded() {
    LazyLock::force(&LOADED_BY);
}

/// Does `work` on threads of this process.
pub(crate) fn of_this_process<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    let process = process::id();
    if process == *LOADED_BY {
        return work();
    }
    let pool = {
        let mut of_child = OF_CHILD.lock().unwrap_or_else(PoisonError::into_inner);
        match *of_child {
            Some((child, pool)) if child == process => pool,
            _ => {
                let Ok(pool) = ThreadPoolBuilder::new().build() else { return work() };
                // For as long as the child lives; of one that was forked from a child nothing can be joined.
                let pool: &'static ThreadPool = Box::leak(Box::new(pool));
                *of_child = Some((process, pool));
                pool
            }
        }
    };
    pool.install(work)
}
