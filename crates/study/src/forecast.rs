//! How long a plan will take, told before it is carried out.

use crate::run::{RunError, Session};
use data::default_validation_images;
use nn::{OptimiserSpec, Precision, ShapeError, check_precision, keep_awake};
use records::{
    identity::{run_id, seedless},
    question::Measure,
    record::{Environment, Protocol, RunSpec},
};
#[cfg(feature = "store")]
use records::{record::RunRecord, store::Store};
use std::{collections::HashMap, ops::ControlFlow, thread};
use train::{Event, Native, Recipe, Subset, TestTimeAugmentation, predict};
use web_time::Instant;

/// What is known of a plan before it is carried out.
#[derive(Debug, Clone, PartialEq)]
pub struct Forecast {
    /// Each run, in the order of the plan.
    pub runs: Vec<ForecastRun>,
    kinds: Vec<Kind>,
}

/// A run that is planned.
#[derive(Debug, Clone, PartialEq)]
pub struct ForecastRun {
    /// Its identity.
    pub id: String,
    /// The model's name.
    pub model: String,
    /// The run's seed.
    pub seed: u64,
    /// Passes over the training images; early stopping may leave some out.
    pub epochs: usize,
    /// Whether it has been made: its record, or that it failed, is in the folder.
    pub recorded: bool,
    /// The seconds that it will take, its start and its tests included.
    pub seconds: f64,
    /// What they are known from.
    pub basis: Basis,
}

/// What is there of a run that was made before.
#[derive(Debug, Clone, PartialEq)]
pub enum Past {
    /// It came to a result.
    Finished {
        /// On which machine.
        environment: Box<Environment>,
        /// In how many seconds.
        total_seconds: f64,
    },
    /// It came to none.
    Failed,
}

/// What a forecast rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Basis {
    /// Records of the same model and recipe from a machine of this kind: their median.
    Records,
    /// Steps of its training that were timed here, or those of a similar model, scaled by what both have to compute.
    Measurement,
    /// What it has to compute, at a speed that hardly any machine is below: no estimate but a bound.
    Bound,
}

/// Runs that differ by their seeds alone take the same time.
#[derive(Debug, Clone, PartialEq)]
struct Kind {
    specification: RunSpec,
    runs: Vec<usize>,
    /// What is timed alike: the kinds of layers, the optimiser, the batch, the precision.
    signature: String,
    bound: f64,
    /// Whether it was measured, or found to be too slow for that.
    tried: bool,
    measured: Option<f64>,
}

/// Seconds that a model is measured for.
const MEASURED_SECONDS: f64 = 0.3;

/// No step is begun for a measurement that may take longer.
const LONGEST_STEP: f64 = 2.0;

/// Models whose sizes differ by less than this factor are measured once: the forecast is not better than that.
const ALIKE: f64 = 1.1;

impl Forecast {
    /// Looks for the plan's records, where there is a folder for them, and takes the seconds of the runs that are left from those of the same model, else from
    /// what they have to compute. No time is measured.
    ///
    /// # Errors
    /// When a model does not fit the data, or a recipe its protocol.
    #[cfg(feature = "store")]
    pub fn of(
        session: &Session,
        plan: &[RunSpec],
        store: Option<&Store>,
        fresh: bool,
    ) -> Result<Self, RunError> {
        let past = |id: &str| {
            let store = store?;
            match store.read(id).ok().flatten() {
                Some(RunRecord { environment, total_seconds, .. }) => {
                    Some(Past::Finished { environment: Box::new(environment), total_seconds })
                }
                None => store.read_failed(id).ok().flatten().map(|_| Past::Failed),
            }
        };
        Self::from_past(session, plan, &past, fresh)
    }

    /// As `Forecast::of`, where `past` tells what there is of a run, given its identity.
    ///
    /// # Errors
    /// When a model does not fit the data, or a recipe its protocol.
    pub fn from_past(
        session: &Session,
        plan: &[RunSpec],
        past: &dyn Fn(&str) -> Option<Past>,
        fresh: bool,
    ) -> Result<Self, RunError> {
        let here = session.environment();
        let mut kinds: Vec<Kind> = Vec::new();
        let mut places: HashMap<String, usize> = HashMap::new();
        let (mut recorded, mut seconds, mut ids) = (Vec::new(), Vec::new(), Vec::new());
        for (index, run) in plan.iter().enumerate() {
            let alike = serde_json::to_string(&seedless(run)).expect("a specification has only plain values");
            let kind = match places.get(&alike) {
                Some(place) => *place,
                None => {
                    run.recipe.clone().checked_for(run.protocol.validation())?;
                    places.insert(alike, kinds.len());
                    kinds.push(Kind::of(session, run)?);
                    seconds.push(Vec::new());
                    kinds.len() - 1
                }
            };
            kinds[kind].runs.push(index);
            let id = run_id(run, &here);
            let past = past(&id);
            recorded.push(!fresh && past.is_some());
            if let Some(Past::Finished { environment, total_seconds }) = past
                && same_machine(&environment, &here)
            {
                seconds[kind].push(total_seconds);
            }
            ids.push(id);
        }
        let mut runs: Vec<ForecastRun> = plan
            .iter()
            .zip(recorded)
            .zip(ids)
            .map(|((run, recorded), id)| ForecastRun {
                id,
                model: run.model.clone(),
                seed: run.seed,
                epochs: run.recipe.epochs,
                recorded,
                seconds: 0.0,
                basis: Basis::Bound,
            })
            .collect();
        for (kind, seconds) in kinds.iter().zip(&mut seconds) {
            seconds.sort_by(f64::total_cmp);
            let (value, basis) = match seconds.get(seconds.len() / 2) {
                Some(median) => (*median, Basis::Records),
                None => (kind.bound, Basis::Bound),
            };
            for run in &kind.runs {
                (runs[*run].seconds, runs[*run].basis) = (value, basis);
            }
        }
        Ok(Self { runs, kinds })
    }

    /// Leaves out all but some of the runs, given by their places in ascending order.
    pub fn choose(&mut self, chosen: &[usize]) {
        let places: HashMap<usize, usize> =
            chosen.iter().enumerate().map(|(place, before)| (*before, place)).collect();
        self.runs = chosen.iter().map(|before| self.runs[*before].clone()).collect();
        for kind in &mut self.kinds {
            kind.runs = kind.runs.iter().filter_map(|run| places.get(run).copied()).collect();
        }
    }

    /// Runs that are to be made.
    pub fn left(&self) -> impl Iterator<Item = &ForecastRun> {
        self.runs.iter().filter(|run| !run.recorded)
    }

    /// Seconds that those will take.
    pub fn seconds_left(&self) -> f64 {
        self.left().map(|run| run.seconds).sum()
    }

    /// Whether the seconds that are left are an estimate, and not a bound.
    pub fn is_estimate(&self) -> bool {
        self.left().all(|run| run.basis != Basis::Bound)
    }

    /// Times some steps of the models of which nothing better than a bound is known, for about `seconds` in all; what is not
    /// reached is taken from the most similar model that was. Nothing is kept of what they learn, and no test image is read.
    /// Breaks off when `go_on` says so.
    ///
    /// # Errors
    /// When a training cannot be made.
    pub fn measure(
        &mut self,
        session: &Session,
        seconds: f64,
        go_on: &(dyn Fn() -> ControlFlow<()> + Sync),
    ) -> Result<(), RunError> {
        let start = Instant::now();
        let unknown = |run: &usize| !self.runs[*run].recorded && self.runs[*run].basis == Basis::Bound;
        let open: Vec<usize> =
            (0..self.kinds.len()).filter(|kind| self.kinds[*kind].runs.iter().any(unknown)).collect();
        while start.elapsed().as_secs_f64() < seconds && go_on().is_continue() {
            let Some(next) = self.least_known(&open) else { break };
            let kind = &self.kinds[next];
            let measured = measured(session, &kind.specification, kind.bound, go_on)?;
            (self.kinds[next].tried, self.kinds[next].measured) = (true, measured);
        }
        for kind in open {
            let Some((like, measured)) = self.nearest(kind).and_then(|like| Some((like, like.measured?)))
            else {
                continue;
            };
            let measured = measured * self.kinds[kind].bound / like.bound;
            for run in self.kinds[kind].runs.clone() {
                (self.runs[run].seconds, self.runs[run].basis) = (measured, Basis::Measurement);
            }
        }
        Ok(())
    }

    /// The model that is least like those that were measured; none where all are near enough to one.
    fn least_known(&self, open: &[usize]) -> Option<usize> {
        let unknown = open.iter().copied().filter(|kind| !self.kinds[*kind].tried);
        let distance = |kind: usize| {
            let alike = self.nearest(kind).filter(|like| like.signature == self.kinds[kind].signature);
            alike.map_or(f64::INFINITY, |like| like.distance(&self.kinds[kind]))
        };
        let (kind, distance) =
            unknown.map(|kind| (kind, distance(kind))).max_by(|(one, a), (other, b)| {
                // Of models that nothing is known of, the one that takes the longest.
                a.total_cmp(b).then(self.kinds[*one].bound.total_cmp(&self.kinds[*other].bound))
            })?;
        (distance > ALIKE.ln()).then_some(kind)
    }

    /// The measured model that is most like one: itself, one of the same kinds of layers, or else any.
    fn nearest(&self, kind: usize) -> Option<&Kind> {
        let one = &self.kinds[kind];
        if one.measured.is_some() {
            return Some(one);
        }
        let measured = || self.kinds.iter().filter(|other| other.measured.is_some());
        let by_distance = |a: &&Kind, b: &&Kind| one.distance(a).total_cmp(&one.distance(b));
        let alike = measured().filter(|other| other.signature == one.signature).min_by(by_distance);
        alike.or_else(|| measured().min_by(by_distance))
    }
}

impl Kind {
    fn of(session: &Session, run: &RunSpec) -> Result<Self, ShapeError> {
        let nodes = run.architecture().graph(run.dataset.shape(), run.dataset.classes)?.nodes;
        let layers: Vec<&str> = nodes.iter().map(|node| node.name.as_str()).collect();
        let recipe = &run.recipe;
        let optimiser = std::mem::discriminant(&recipe.optimiser);
        let signature =
            format!("{} {optimiser:?} {} {}", layers.join(" "), recipe.batch_size, recipe.precision);
        let size = Size {
            multiply_adds: nodes.iter().map(|node| node.multiply_adds).sum(),
            values: nodes.iter().map(|node| node.to.length()).sum(),
            parameters: nodes.iter().map(|node| node.parameters).sum(),
        };
        let bound = bound(&size, &Work::of(run), recipe, &session.environment());
        Ok(Self {
            specification: run.clone(),
            runs: Vec::new(),
            signature,
            bound,
            tried: false,
            measured: None,
        })
    }

    /// By how many powers of e an epoch of one takes longer than one of the other.
    fn distance(&self, other: &Self) -> f64 {
        let epoch = |kind: &Self| kind.bound / kind.specification.recipe.epochs as f64;
        (epoch(self) / epoch(other)).ln().abs()
    }
}

/// What a model has to do for an image.
struct Size {
    multiply_adds: u64,
    values: usize,
    parameters: usize,
}

/// What a run does, in images.
pub(crate) struct Work {
    pub(crate) trained: f64,
    pub(crate) evaluated: f64,
    steps: f64,
}

impl Work {
    pub(crate) fn of(run: &RunSpec) -> Self {
        let (all, test) = (run.dataset.training_images, run.dataset.test_images);
        let held_out = default_validation_images(all);
        let (training, validation) = match run.protocol {
            Protocol::Sound | Protocol::Writers => (all - held_out.min(all), held_out),
            Protocol::Original => (all, test),
        };
        let training = run.recipe.training_images.map_or(training, |images| images.min(training));
        let versions = match run.recipe.test_time_augmentation {
            TestTimeAugmentation::None => 1,
            TestTimeAugmentation::FourShifts => 5,
            TestTimeAugmentation::EightShifts => 9,
        };
        let audited = if run.audit_selection { test } else { 0 };
        let epochs = run.recipe.epochs as f64;
        Self {
            trained: training as f64 * epochs,
            evaluated: ((validation + audited) as f64 * epochs + test as f64) * f64::from(versions),
            steps: training.div_ceil(run.recipe.batch_size) as f64 * epochs,
        }
    }
}

/// Seconds that hardly any machine exceeds: the slowest built-in model here is some times as fast.
fn bound(size: &Size, work: &Work, recipe: &Recipe, here: &Environment) -> f64 {
    // Multiply-adds, and values written, of a thread in a second.
    let (multiply_adds, values) = match here.kernels.as_str() {
        "avx512" | "avx2" => (5e9, 3e8),
        "neon" => (2.5e9, 2e8),
        _ => (5e8, 1e8),
    };
    let threads = thread::available_parallelism().map_or(1, usize::from).min(here.threads).max(1) as f64;
    let forward = size.multiply_adds as f64 / multiply_adds + size.values as f64 / values;
    // Forward, and twice as much backward; then what an image costs of itself.
    let augmented = !recipe.augmentation.is_none();
    let image = 3.0 * forward + if augmented { 50e-6 } else { 10e-6 };
    let update = size.parameters as f64
        * if matches!(recipe.optimiser, OptimiserSpec::Muon(_)) { 200e-9 } else { 10e-9 };
    (work.trained * image + work.evaluated * (forward + 10e-6) + work.steps * update) / threads
        + work.steps * 100e-6
}

fn same_machine(one: &Environment, other: &Environment) -> bool {
    (&one.cpu, one.threads, &one.kernels, one.jobs) == (&other.cpu, other.threads, &other.kernels, other.jobs)
}

/// Seconds of a run, by some of its steps and a test of some training images; none where even a step may take too long.
fn measured(
    session: &Session,
    run: &RunSpec,
    bound: f64,
    go_on: &(dyn Fn() -> ControlFlow<()> + Sync),
) -> Result<Option<f64>, RunError> {
    let work = Work::of(run);
    let image = bound / work.trained;
    let batch = match run.recipe.batch_size {
        batch if batch as f64 * image <= LONGEST_STEP => batch,
        _ => ((LONGEST_STEP / image) as usize).max(1),
    };
    if batch as f64 * image > LONGEST_STEP {
        // One image alone may take as long.
        return Ok(None);
    }
    // A study may be planned where its precision is not, and carried out elsewhere; float32 hardly ever takes less.
    let precision = match check_precision(session.instruction_set(), run.recipe.precision) {
        Ok(()) => run.recipe.precision,
        Err(_) => Precision::Float32,
    };
    let recipe = Recipe { batch_size: batch, precision, ..run.recipe.clone() };
    // Whatever validates the run, here no more than training images are looked at.
    let trial = RunSpec { protocol: Protocol::Sound, audit_selection: false, recipe, ..run.clone() };
    let start = Instant::now();
    let mut ends: Vec<f64> = Vec::new();
    let mut whole_epoch = None;
    let mut listener = |event: Event| {
        match event {
            Event::Step { .. } => ends.push(start.elapsed().as_secs_f64()),
            Event::Epoch(metrics) => {
                whole_epoch = Some(metrics.train_seconds / metrics.train.images.max(1) as f64);
                return ControlFlow::Break(());
            }
        }
        if ends.len() > 2 && start.elapsed().as_secs_f64() > MEASURED_SECONDS {
            return ControlFlow::Break(());
        }
        go_on()
    };
    // It ends by a break: how is of no interest.
    let _ = session.train_and_validate(&trial, Measure::Accuracy, &mut listener)?.ended;
    // The first step waits for memory; the median leaves out what another program disturbed.
    let mut steps: Vec<f64> = ends.windows(2).map(|pair| pair[1] - pair[0]).collect();
    steps.sort_by(f64::total_cmp);
    let trained = match (whole_epoch, steps.get(steps.len() / 2)) {
        (Some(image), _) => image,
        (None, Some(step)) => step / batch as f64,
        (None, None) => return Ok(None),
    };
    let evaluated = evaluation(session, &trial, trained)?;
    Ok(Some(work.trained * trained + work.evaluated * evaluated))
}

/// Seconds of an image when a model is tested, where learning from one takes `trained`.
fn evaluation(session: &Session, run: &RunSpec, trained: f64) -> Result<f64, ShapeError> {
    let images = session.corpus().training();
    let count = ((MEASURED_SECONDS / trained) as usize).clamp(1, 1000).min(images.len());
    let mut model = session.model(&run.architecture(), run.recipe.batch_size)?;
    let indices: Vec<u32> = (0..count as u32).collect();
    let subset = Subset { dataset: images, indices: Some(&indices) };
    let mut time = || {
        let start = Instant::now();
        session.install(|| {
            keep_awake(|| predict(&mut Native::new(&mut model), subset, TestTimeAugmentation::None))
        });
        start.elapsed().as_secs_f64() / count as f64
    };
    let _ = time();
    Ok(time())
}
