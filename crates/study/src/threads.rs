//! The threads that compute.

use crate::run::RunError;

/// A pool of threads; where the platform has none (WebAssembly by itself), the thread that asks.
pub(crate) struct Threads(Option<rayon::ThreadPool>);

impl Threads {
    /// So many of them, where there are any.
    pub(crate) fn start(threads: usize) -> Result<Self, RunError> {
        if cfg!(target_family = "wasm") {
            // A pool of the calling thread could be made only once; rayon's own global one is that where no thread can be started.
            return Ok(Self(None));
        }
        match rayon::ThreadPoolBuilder::new().num_threads(threads).build() {
            Ok(pool) => Ok(Self(Some(pool))),
            Err(error) => Err(RunError::Threads { threads, problem: error.to_string() }),
        }
    }

    /// Does work on them.
    pub(crate) fn install<R: Send>(&self, work: impl FnOnce() -> R + Send) -> R {
        match &self.0 {
            Some(pool) => pool.install(work),
            None => work(),
        }
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.0.as_ref().map_or(1, rayon::ThreadPool::current_num_threads)
    }
}
