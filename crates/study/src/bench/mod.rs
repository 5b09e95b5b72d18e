//! How fast the engine is here, beside what the machine could do.
//!
//! What is measured goes through [`Native`], as every training does. The model is generic over its numbers and therefore compiled in
//! the package that calls it: called from here, which is compiled for size, it would be another and a slower program.

mod machine;
mod roofline;

pub use machine::{Machine, MemoryLevel, machine};
pub use roofline::{Direction, Roofline, StageRoofline, Total};

use crate::run::Session;
use nn::{Model, Precision, StepTimes, keep_awake};
use serde::Serialize;
use std::{hint::black_box, sync::LazyLock, time::Duration};
use train::{BatchOrder, Engine, Native, Recipe, Validation};
use web_time::Instant;

/// What a model's steps are measured by.
fn clock() -> Duration {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    START.elapsed()
}

/// Images in a training step, as in the study.
const TRAINING_BATCH: usize = 128;

/// Batches that inference is measured at.
pub const INFERENCE_BATCHES: [usize; 2] = [1, 1000];

/// One model's figures.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ModelSpeed {
    /// The architecture.
    pub name: String,
    /// Parameters.
    pub parameters: usize,
    /// Training in batches of 128.
    pub training: TrainingSpeed,
    /// Inference at each of [`INFERENCE_BATCHES`].
    pub inference: Vec<InferenceSpeed>,
}

/// Steps of training.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TrainingSpeed {
    /// Images in a step.
    pub batch: usize,
    /// What the products of a step were computed in.
    pub precision: Precision,
    /// How many layers compute in bfloat16: none in float32.
    pub layers_in_bfloat16: usize,
    /// Steps measured.
    pub steps: usize,
    /// By the median step.
    pub images_per_second: f64,
    /// All training images of the data, those for validation too.
    pub epoch_images: usize,
    /// So many images at that speed.
    pub epoch_seconds: f64,
    /// Useful operations, counted as if no zero were skipped, in 10⁹ a second.
    pub useful_gflops: f64,
    /// The same against the measured peak; the zeros that are skipped can bring it above 1.
    pub share_of_peak: f64,
    /// Calls of the allocator in a step, by the thread that makes it.
    pub allocations_per_step: f64,
    /// Drawing batches, the optimiser, and summing gradients over groups but for dense layers', whose sum is a product of matrices: as a share
    /// of the step.
    pub bookkeeping_share: f64,
    /// Each stage's share of the step; sums to 1.
    pub stages: Vec<StageShare>,
    /// Each stage's time beside what the machine bounds it by, where its memory was measured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub roofline: Option<Roofline>,
}

/// A stage of the step.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StageShare {
    /// Such as `conv2 backward`.
    pub name: String,
    /// Fraction of the time of all threads.
    pub share: f64,
}

/// Inference at one batch size.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct InferenceSpeed {
    /// Images at once.
    pub batch: usize,
    /// By the median batch.
    pub images_per_second: f64,
    /// Median time of a batch in microseconds, from bytes to logits.
    pub p50_us: f64,
    /// The time that one batch in a hundred exceeds, in microseconds.
    pub p99_us: f64,
    /// Operations, in 10⁹ a second.
    pub gflops: f64,
}

/// What is to be measured of a model.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// The name that it is told by.
    pub name: &'a str,
    /// About how long to train it for.
    pub seconds: f64,
    /// What the products of its training steps are computed in; inference is in float32.
    pub precision: Precision,
}

/// Measures a model for about as many seconds of training as asked for, and half of it at each inference batch. Its parameters change.
/// None where it was to stop meanwhile.
///
/// `allocations` counts the allocator's calls while it runs what it is given.
///
/// # Panics
/// Where [`nn::check_precision`] refuses the precision.
pub fn model(
    session: &Session,
    asked: Asked,
    mut make: impl FnMut(usize) -> Model<f32> + Send,
    machine: &Machine,
    allocations: fn(&mut (dyn FnMut() + Send)) -> u64,
    is_to_stop: fn() -> bool,
) -> Option<ModelSpeed> {
    session.install(|| {
        let inference = latency(session, asked.seconds / 2.0, &mut make, is_to_stop)?;
        let mut model = make(TRAINING_BATCH);
        let training = training(session, &mut model, asked, machine, allocations, is_to_stop)?;
        Some(ModelSpeed {
            name: asked.name.to_owned(),
            parameters: model.trainable_parameters(),
            training,
            inference,
        })
    })
}

fn training(
    session: &Session,
    model: &mut Model<f32>,
    Asked { seconds, precision, .. }: Asked,
    machine: &Machine,
    allocations: fn(&mut (dyn FnMut() + Send)) -> u64,
    is_to_stop: fn() -> bool,
) -> Option<TrainingSpeed> {
    let images = session.corpus().training();
    let recipe = Recipe { precision, ..Recipe::default() };
    let recipe = recipe.checked_for(Validation::TestImages).expect("the study's own");
    let mut engine = Native::new(model);
    engine.begin(&recipe, 0, None);
    let order = BatchOrder::new(images);
    let mut first = 0;
    let mut step = |engine: &mut Native| {
        // Strided, so that classes mix; a real epoch's order is as scattered in memory.
        let mut batch: [u32; TRAINING_BATCH] =
            std::array::from_fn(|image| ((first + image * 397) % images.len()) as u32);
        order.sort(&mut batch);
        let labels = batch.map(|index| images.labels()[index as usize]);
        black_box(engine.differentiate_images(&labels, &|image| images.image(batch[image] as usize)));
        engine.update(1.0);
        first += TRAINING_BATCH;
    };
    let (times, step_times, wall) = keep_awake(|| {
        for _ in 0..5 {
            step(&mut engine);
        }
        engine.model().set_clock(clock);
        engine.model().take_times();
        let start = Instant::now();
        let times = repeat(seconds, is_to_stop, || step(&mut engine))?;
        Some((times, engine.model().take_times(), start.elapsed()))
    })?;
    let counted = allocations(&mut || (0..10).for_each(|_| step(&mut engine)));
    let [update_values, update_footprint] = engine.step_values();
    let median = times[times.len() / 2];
    let images_per_second = TRAINING_BATCH as f64 / median;
    let useful_gflops = images_per_second * model.step_flops() as f64 / 1e9;
    let (stages, bookkeeping_share) = shares(&step_times, wall, session.environment().threads);
    let measured = roofline::Measured {
        times: &step_times,
        wall,
        batch: TRAINING_BATCH,
        steps: times.len(),
        update_values,
        update_footprint,
    };
    let roofline = Roofline::of(machine, &model.work(), &measured);
    Some(TrainingSpeed {
        batch: TRAINING_BATCH,
        precision,
        layers_in_bfloat16: model.layers_in_bfloat16(),
        steps: times.len(),
        images_per_second,
        epoch_images: images.len(),
        epoch_seconds: images.len() as f64 / images_per_second,
        useful_gflops,
        share_of_peak: useful_gflops / machine.peak_gflops,
        allocations_per_step: counted as f64 / 10.0,
        bookkeeping_share,
        stages,
        roofline,
    })
}

/// The stages' shares of the time of all threads, and what of it is no layer's forward or backward pass.
fn shares(times: &StepTimes, wall: Duration, threads: usize) -> (Vec<StageShare>, f64) {
    let wall = wall.as_secs_f64();
    let share = |time: Duration| time.as_secs_f64() / wall;
    let on_threads = |time: Duration| share(time) / threads as f64;
    let batch = on_threads(times.batch);
    let mut stages = vec![StageShare { name: "pack weights".into(), share: share(times.prepare) }];
    stages.push(StageShare { name: "batch".into(), share: batch });
    let mut in_groups = batch;
    for (name, layer) in &times.layers {
        stages.push(StageShare { name: format!("{name} forward"), share: on_threads(layer.forward) });
        in_groups += on_threads(layer.forward);
    }
    for (name, layer) in times.layers.iter().rev() {
        stages.push(StageShare { name: format!("{name} backward"), share: on_threads(layer.backward) });
        in_groups += on_threads(layer.backward);
    }
    stages.push(StageShare {
        name: "loss, and waiting for threads".into(),
        share: share(times.groups) - in_groups,
    });
    for (name, layer) in times.layers.iter().rev() {
        stages.push(StageShare { name: format!("{name} sum of gradients"), share: share(layer.sum) });
    }
    stages.push(StageShare { name: "optimiser".into(), share: share(times.update) });
    let rest = 1.0 - stages.iter().map(|stage| stage.share).sum::<f64>();
    stages.push(StageShare { name: "rest".into(), share: rest });
    let reductions: Duration =
        times.layers.iter().filter(|(name, _)| !name.starts_with("dense")).map(|(_, layer)| layer.sum).sum();
    (stages, batch + share(reductions) + share(times.update))
}

/// Measures inference alone for about `seconds` at each of [`INFERENCE_BATCHES`]; none where it was to stop meanwhile.
pub fn latency(
    session: &Session,
    seconds: f64,
    mut make: impl FnMut(usize) -> Model<f32> + Send,
    is_to_stop: fn() -> bool,
) -> Option<Vec<InferenceSpeed>> {
    session.install(|| {
        INFERENCE_BATCHES
            .into_iter()
            .map(|batch| keep_awake(|| inference(session, &mut make(batch), batch, seconds, is_to_stop)))
            .collect()
    })
}

fn inference(
    session: &Session,
    model: &mut Model<f32>,
    batch: usize,
    seconds: f64,
    is_to_stop: fn() -> bool,
) -> Option<InferenceSpeed> {
    let images = session.corpus().test();
    let mut engine = Native::new(model);
    let mut first = 0;
    let mut run = || {
        black_box(engine.logits(batch, &|image| images.image((first + image) % images.len())));
        first += batch;
    };
    repeat(seconds / 10.0, is_to_stop, &mut run)?;
    let times = repeat(seconds, is_to_stop, run)?;
    let median = times[times.len() / 2];
    Some(InferenceSpeed {
        batch,
        images_per_second: batch as f64 / median,
        p50_us: median * 1e6,
        p99_us: times[(times.len() * 99) / 100] * 1e6,
        gflops: batch as f64 / median * model.forward_flops() as f64 / 1e9,
    })
}

/// Seconds of each call, ascending, of as many calls as fit, at least three; none where it was to stop meanwhile.
fn repeat(seconds: f64, is_to_stop: fn() -> bool, mut work: impl FnMut()) -> Option<Vec<f64>> {
    let start = Instant::now();
    let mut times = Vec::new();
    while times.len() < 3 || start.elapsed().as_secs_f64() < seconds {
        if is_to_stop() {
            return None;
        }
        let begin = Instant::now();
        work();
        times.push(begin.elapsed().as_secs_f64());
    }
    times.sort_by(f64::total_cmp);
    Some(times)
}
