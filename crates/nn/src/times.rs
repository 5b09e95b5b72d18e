//! Where a model's time goes.

use std::time::Duration;

/// Where the time of a model's steps has gone since it was asked last.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct StepTimes {
    /// Turning bytes into pixels, added over the threads.
    pub batch: Duration,
    /// Packing the parameters for the kernels.
    pub prepare: Duration,
    /// All groups, from forward to backward, by the wall clock.
    pub groups: Duration,
    /// The layers by name.
    pub layers: Vec<(String, LayerTimes)>,
    /// The optimiser.
    pub update: Duration,
}

/// One layer's share.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LayerTimes {
    /// Forward, added over the threads.
    pub forward: Duration,
    /// Backward, added over the threads.
    pub backward: Duration,
    /// Summing its gradient over the groups, by the wall clock.
    pub sum: Duration,
}

/// Measures for as long as it takes to be asked, if there is a clock: reading one costs a little, and WebAssembly by itself has none.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Stopwatch {
    /// The time since any fixed moment.
    pub(crate) clock: Option<fn() -> Duration>,
}

/// A measurement that has begun.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Started(Option<(fn() -> Duration, Duration)>);

impl Stopwatch {
    pub(crate) fn start(self) -> Started {
        Started(self.clock.map(|clock| (clock, clock())))
    }
}

impl Started {
    /// Zero where there is no clock.
    pub(crate) fn elapsed(self) -> Duration {
        self.0.map_or(Duration::ZERO, |(clock, start)| clock().saturating_sub(start))
    }
}
