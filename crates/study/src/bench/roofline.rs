//! A step's stages beside what bounds them: arithmetic, or moving their values (Williams, Waterman and Patterson 2009, "Roofline").

use super::{Machine, MemoryLevel};
use nn::{GROUP, StageWork, StepTimes};
use serde::Serialize;
use std::time::Duration;

/// A training step, stage by stage; all times are one thread's for one image.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Roofline {
    /// In the order in which they are computed.
    pub stages: Vec<StageRoofline>,
    /// What of the step is none of them: drawing and packing, the loss, waiting for threads.
    pub other_microseconds_per_image: f64,
    /// The whole step.
    pub total: Total,
}

/// Which part of a step a stage's time is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// From input to output.
    Forward,
    /// The derivatives of the input and of the parameters.
    Backward,
    /// The parameters' derivatives summed over the groups of images, or computed there.
    Sum,
    /// The optimiser's step.
    Update,
}

impl Direction {
    /// As it is written in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Forward => "forward",
            Self::Backward => "backward",
            Self::Sum => "sum",
            Self::Update => "update",
        }
    }
}

/// A stage one way.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StageRoofline {
    /// Its name; `optimiser` for all parameters' update.
    pub stage: String,
    /// Which way.
    pub direction: Direction,
    /// Measured.
    pub microseconds_per_image: f64,
    /// Multiplications and additions as the layer is defined, as if no zero were skipped. A layer that only moves, compares or
    /// looks up values has none.
    pub flops_per_image: u64,
    /// What has to be moved into and out of the stage for a group of 16 images, each value once.
    pub bytes_per_group: f64,
    /// The smallest cache that holds what a thread moves at a time; none where caches are unknown.
    pub memory_level: Option<String>,
    /// The operations at the measured peak.
    pub arithmetic_bound_microseconds_per_image: f64,
    /// The bytes at the bandwidth measured for their level; none where caches are unknown.
    pub bandwidth_bound_microseconds_per_image: Option<f64>,
    /// The longer of the two.
    pub bound_microseconds_per_image: f64,
    /// The bound as a fraction of the time: above 1 where fewer operations do (minimal filtering, skipped zeros). None without a time
    /// or a bound.
    pub share_of_bound: Option<f64>,
}

/// A whole step.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Total {
    /// Measured.
    pub microseconds_per_image: f64,
    /// The stages' together.
    pub flops_per_image: u64,
    /// The stages' together.
    pub bytes_per_group: f64,
    /// The stages' bounds, added.
    pub bound_microseconds_per_image: f64,
    /// The bound as a fraction of the time.
    pub share_of_bound: Option<f64>,
}

/// Steps whose time was taken.
pub(super) struct Measured<'a> {
    pub(super) times: &'a StepTimes,
    /// All steps' time.
    pub(super) wall: Duration,
    /// Images in each.
    pub(super) batch: usize,
    pub(super) steps: usize,
    /// Values that an update has to move.
    pub(super) update_values: usize,
}

/// What a stage does one way: its time on all threads together in all steps, its operations for an image, the bytes of a group and
/// of what a thread moves at a time.
struct Work {
    stage: String,
    direction: Direction,
    time: Duration,
    flops_per_image: u64,
    bytes_per_group: f64,
    working_set: f64,
}

impl Roofline {
    /// The stages with this work in steps that were measured so; none on a machine whose memory was not.
    pub(super) fn of(machine: &Machine, work: &[StageWork], measured: &Measured) -> Option<Self> {
        let levels = machine.memory_levels.as_deref()?;
        let threads = machine.environment.threads;
        let peak = 1e9 * machine.peak_gflops / threads as f64;
        let images = (measured.batch * measured.steps) as f64;
        let microseconds = |time: Duration| 1e6 * time.as_secs_f64() / images;
        let stages: Vec<_> = works(work, measured, threads)
            .into_iter()
            .map(|work| {
                let time = microseconds(work.time);
                work.beside(time, peak, levels)
            })
            .collect();
        let sum = |value: fn(&StageRoofline) -> f64| stages.iter().map(value).sum::<f64>();
        let step = microseconds(measured.wall * threads as u32);
        let bound = sum(|stage| stage.bound_microseconds_per_image);
        Some(Self {
            other_microseconds_per_image: step - sum(|stage| stage.microseconds_per_image),
            total: Total {
                microseconds_per_image: step,
                flops_per_image: stages.iter().map(|stage| stage.flops_per_image).sum(),
                bytes_per_group: sum(|stage| stage.bytes_per_group),
                bound_microseconds_per_image: bound,
                share_of_bound: share(bound, step),
            },
            stages,
        })
    }
}

/// What a step does, in its order. A group is one thread's from its first stage to its last and back; sums and the update are
/// divided among all threads.
fn works(work: &[StageWork], measured: &Measured, threads: usize) -> Vec<Work> {
    let in_bytes = |values: usize| (values * size_of::<f32>()) as f64;
    let groups = measured.batch.div_ceil(GROUP);
    let of_a_group = |stage: &StageWork, direction, time, flops_per_image, values| Work {
        stage: stage.name.clone(),
        direction,
        time,
        flops_per_image,
        bytes_per_group: in_bytes(values),
        working_set: in_bytes(values),
    };
    let of_a_batch = |stage: &str, direction, time: Duration, flops_per_image, values| Work {
        stage: stage.to_owned(),
        direction,
        time: time * threads as u32,
        flops_per_image,
        bytes_per_group: in_bytes(values) / groups as f64,
        working_set: in_bytes(values) / threads as f64,
    };
    let timed = || work.iter().zip(measured.times.layers.iter().map(|(_, times)| times));
    let forward = timed().map(|(stage, times)| {
        let values = stage.forward_values();
        of_a_group(stage, Direction::Forward, times.forward, stage.forward_flops, values)
    });
    let backward = timed().rev().map(|(stage, times)| {
        let values = stage.backward_values();
        of_a_group(stage, Direction::Backward, times.backward, stage.backward_flops, values)
    });
    let sums = timed().rev().filter(|(stage, _)| stage.parameters > 0).map(|(stage, times)| {
        let values = stage.sum_values(groups);
        of_a_batch(&stage.name, Direction::Sum, times.sum, stage.sum_flops, values)
    });
    let update = of_a_batch("optimiser", Direction::Update, measured.times.update, 0, measured.update_values);
    forward.chain(backward).chain(sums).chain([update]).collect()
}

impl Work {
    /// The work beside a thread's peak of operations a second and its memory's levels.
    fn beside(self, microseconds: f64, peak: f64, levels: &[MemoryLevel]) -> StageRoofline {
        let Self { stage, direction, flops_per_image, bytes_per_group, working_set, .. } = self;
        let level = levels.iter().find(|level| level.holds(working_set)).or(levels.last());
        let arithmetic = 1e6 * flops_per_image as f64 / peak;
        let bandwidth = level.map(|level| 1e6 * bytes_per_group / GROUP as f64 / level.bytes_per_second());
        let bound = arithmetic.max(bandwidth.unwrap_or(0.0));
        StageRoofline {
            stage,
            direction,
            microseconds_per_image: microseconds,
            flops_per_image,
            bytes_per_group,
            memory_level: level.map(|level| level.name.clone()),
            arithmetic_bound_microseconds_per_image: arithmetic,
            bandwidth_bound_microseconds_per_image: bandwidth,
            bound_microseconds_per_image: bound,
            share_of_bound: share(bound, microseconds),
        }
    }
}

fn share(bound: f64, time: f64) -> Option<f64> {
    (bound > 0.0 && time > 0.0).then(|| bound / time)
}
