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
    /// As a table of 80 columns has it.
    pub fn short(self) -> &'static str {
        match self {
            Self::Forward => "fwd",
            Self::Backward => "bwd",
            Self::Sum => "sum",
            Self::Update => "update",
        }
    }

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
    /// How many of them lie in memory.
    pub(super) update_footprint: usize,
}

/// What a stage does one way: its time on all threads together in all steps, its operations for an image, the bytes that it moves for
/// a group, and those that a thread has in memory for that at a time.
struct Work {
    stage: String,
    direction: Direction,
    time: Duration,
    flops_per_image: u64,
    bytes_per_group: f64,
    footprint: f64,
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
    let of_a_group =
        |stage: &StageWork, direction, time, flops_per_image, [values, footprint]: [usize; 2]| Work {
            stage: stage.name.clone(),
            direction,
            time,
            flops_per_image,
            bytes_per_group: in_bytes(values),
            footprint: in_bytes(footprint),
        };
    let of_a_batch =
        |stage: &str, direction, time: Duration, flops_per_image, [values, footprint]: [usize; 2]| Work {
            stage: stage.to_owned(),
            direction,
            time: time * threads as u32,
            flops_per_image,
            bytes_per_group: in_bytes(values) / groups as f64,
            footprint: in_bytes(footprint) / threads as f64,
        };
    let timed = || work.iter().zip(measured.times.layers.iter().map(|(_, times)| times));
    let forward = timed().map(|(stage, times)| {
        let values = [stage.forward_values(); 2];
        of_a_group(stage, Direction::Forward, times.forward, stage.forward_flops, values)
    });
    let backward = timed().rev().map(|(stage, times)| {
        let values = [stage.backward_values(), stage.backward_footprint()];
        of_a_group(stage, Direction::Backward, times.backward, stage.backward_flops, values)
    });
    let sums = timed().rev().filter(|(stage, _)| stage.parameters > 0).map(|(stage, times)| {
        let values = [stage.sum_values(groups); 2];
        of_a_batch(&stage.name, Direction::Sum, times.sum, stage.sum_flops, values)
    });
    let values = [measured.update_values, measured.update_footprint];
    let update = of_a_batch("optimiser", Direction::Update, measured.times.update, 0, values);
    forward.chain(backward).chain(sums).chain([update]).collect()
}

impl Work {
    /// The work beside a thread's peak of operations a second and its memory's levels.
    fn beside(self, microseconds: f64, peak: f64, levels: &[MemoryLevel]) -> StageRoofline {
        let Self { stage, direction, flops_per_image, bytes_per_group, footprint, .. } = self;
        let level = levels.iter().find(|level| level.holds(footprint)).or(levels.last());
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{environment::environment, study_file::built_in_models};
    use nn::{InstructionSet, LayerTimes, Model};

    /// Of two threads, each of 1 GFLOP/s, with 1,000 bytes at 4 GB/s and memory at 2 GB/s.
    fn machine(memory_levels: Option<Vec<MemoryLevel>>) -> Machine {
        Machine {
            environment: environment(InstructionSet::PORTABLE, 2),
            peak_gflops_one_thread: 1.5,
            peak_gflops: 2.0,
            read_gigabytes_per_second: 1.0,
            memory_levels,
        }
    }

    fn levels() -> Vec<MemoryLevel> {
        let level = |name: &str, bytes_per_thread, [read, copy]: [f64; 2]| MemoryLevel {
            name: name.into(),
            bytes_per_thread,
            read_gigabytes_per_second_per_thread: read,
            copy_gigabytes_per_second_per_thread: copy,
        };
        vec![level("L1", Some(1000), [3.0, 4.0]), level("memory", None, [2.0, 1.0])]
    }

    /// A layer of one input, two outputs and four parameters; steps of 32 images, two groups.
    fn roofline(machine: &Machine) -> Option<Roofline> {
        let work = StageWork {
            name: "dense1".into(),
            forward_flops: 800,
            backward_flops: 0,
            sum_flops: 800,
            inputs: 1,
            input_derivatives: 0,
            outputs: 2,
            parameters: 4,
            kept: 300,
            in_place: false,
        };
        let [forward, backward, sum] = [64, 0, 16].map(Duration::from_micros);
        let times = StepTimes {
            layers: vec![("dense1".into(), LayerTimes { forward, backward, sum })],
            update: Duration::from_micros(8),
            ..StepTimes::default()
        };
        let measured = Measured {
            times: &times,
            wall: Duration::from_micros(96),
            batch: 32,
            steps: 2,
            // Four numbers of 150 parameters: 1,200 bytes for each of two threads, and 2,100 that they move.
            update_values: 1050,
            update_footprint: 600,
        };
        Roofline::of(machine, &[work], &measured)
    }

    fn is_close(value: f64, expected: f64) {
        assert!((value - expected).abs() < 1e-9, "{value}, {expected} expected");
    }

    #[test]
    fn a_stage_is_bound_by_the_longer_of_operations_and_bytes() {
        let Roofline { stages, other_microseconds_per_image, total } =
            roofline(&machine(Some(levels()))).expect("its memory was measured");
        let [forward, backward, sum, update] = &stages[..] else { panic!("{stages:?}") };
        // 16 · 3 values and 4 parameters of four bytes.
        is_close(forward.bytes_per_group, 208.0);
        assert_eq!(forward.memory_level.as_deref(), Some("L1"));
        is_close(forward.microseconds_per_image, 1.0);
        is_close(forward.arithmetic_bound_microseconds_per_image, 0.8);
        is_close(forward.bandwidth_bound_microseconds_per_image.expect("known"), 208.0 / 16.0 / 4000.0);
        is_close(forward.share_of_bound.expect("known"), 0.8);
        // 16 · 3 values read and 300 kept: too many for the cache.
        is_close(backward.bytes_per_group, 1392.0);
        assert_eq!(backward.memory_level.as_deref(), Some("memory"));
        is_close(backward.bound_microseconds_per_image, 1392.0 / 16.0 / 2000.0);
        assert_eq!(backward.share_of_bound, None, "it took no time");
        // Two groups' 300 values, read by two threads, and the gradient; its time by the clock is both threads'.
        is_close(sum.bytes_per_group, (2.0 * 300.0 + 4.0) * 4.0 / 2.0);
        assert_eq!(sum.memory_level.as_deref(), Some("memory"));
        is_close(sum.microseconds_per_image, 0.5);
        is_close(sum.share_of_bound.expect("known"), 0.8 / 0.5);
        assert_eq!((update.stage.as_str(), update.direction), ("optimiser", Direction::Update));
        is_close(update.bytes_per_group, 1050.0 * 4.0 / 2.0);
        assert_eq!(update.memory_level.as_deref(), Some("memory"));
        is_close(total.microseconds_per_image, 3.0);
        is_close(other_microseconds_per_image, 3.0 - 1.0 - 0.5 - 0.25);
        assert_eq!(total.flops_per_image, 1600);
        is_close(total.bound_microseconds_per_image, 1.6 + 0.0435 + update.bound_microseconds_per_image);
        is_close(total.share_of_bound.expect("known"), total.bound_microseconds_per_image / 3.0);
    }

    #[test]
    fn where_caches_are_unknown_operations_alone_bound() {
        let roofline_of = roofline(&machine(Some(Vec::new()))).expect("it was asked for");
        let [forward, _, _, update] = &roofline_of.stages[..] else { panic!("{roofline_of:?}") };
        assert_eq!((&forward.memory_level, forward.bandwidth_bound_microseconds_per_image), (&None, None));
        is_close(forward.share_of_bound.expect("it computes"), 0.8);
        assert_eq!((update.bound_microseconds_per_image, update.share_of_bound), (0.0, None));
        assert_eq!(roofline(&machine(None)), None);
    }

    /// What an average pool adds up counts; what no window reads does not, as it is never needed.
    #[test]
    fn the_stages_of_every_built_in_model_do_what_its_layers_are_defined_to_do() {
        for architecture in built_in_models().into_iter().map(|model| model.architecture) {
            let described = architecture.describe([28, 28], 10).expect("it fits");
            let defined: u64 = described.iter().map(|layer| 2 * layer.multiply_adds).sum();
            let averaged: usize = described
                .windows(2)
                .filter(|pair| pair[1].layer.contains("avgpool"))
                .map(|pair| pair[0].output.length())
                .sum();
            // Of the second convolution's 11·11 positions the pool's windows read 10·10.
            let unread = if architecture.name == "cnn" { 2 * 21 * 64 * 288 } else { 0 };
            let model =
                Model::<f32>::new(InstructionSet::PORTABLE, &architecture, [28, 28], 10, 1).expect("it fits");
            let work: u64 = model.work().iter().map(|stage| stage.forward_flops).sum();
            assert_eq!(work, defined + averaged as u64 - unread, "{}", architecture.name);
        }
    }
}
