//! A network with its parameters and buffers.

use crate::{
    Architecture, Build, ImageShape, LayerTimes, MovingAverage, NORMALISATION_EPSILON, Optimiser,
    ParameterSpec, Preparation, Role, ShapeError, StageWork, StepTimes,
    folded::FoldedNetwork,
    layers::{Context, GROUP, Group, Groups, Layer, Memory, MemorySize, Purpose},
    network::{Fusion, Network, Stage, show},
    times::Stopwatch,
    workspace::{Change, Workspace},
};
use kernels::{
    Buffer, Element, InstructionSet,
    pixels::{prefetch, scale_pixels},
    softmax::{Target, soft_cross_entropy, soft_cross_entropy_backward, softmax_cross_entropy},
    tiles::Tiles,
};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use spec::Graph;
use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

/// What a batch of images gave.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Evaluation {
    /// Sum over the images of the softmax cross-entropy, in nats.
    pub loss_sum: f64,
    /// Images classified correctly.
    pub correct: usize,
    /// Images.
    pub images: usize,
}

impl Evaluation {
    /// Adds another batch.
    pub fn add(&mut self, other: Self) {
        self.loss_sum += other.loss_sum;
        self.correct += other.correct;
        self.images += other.images;
    }

    /// Mean loss in nats.
    pub fn loss(&self) -> f64 {
        self.loss_sum / self.images as f64
    }

    /// Fraction classified correctly.
    pub fn accuracy(&self) -> f64 {
        self.correct as f64 / self.images as f64
    }
}

/// A network for batches of up to a fixed number of images.
///
/// A batch goes through it in groups of sixteen images, each on one thread through all layers, forward and, when it
/// learns, at once back again, so that activations stay in that thread's cache. What is then summed over the groups
/// is divided by parameters.
pub struct Model<E> {
    set: InstructionSet,
    capacity: usize,
    input_length: usize,
    classes: usize,
    specs: Vec<ParameterSpec>,
    parameters: Buffer<E>,
    gradient: Buffer<E>,
    input: Buffer<E>,
    stages: Vec<Stage<E>>,
    /// One for each thread there was at first.
    workspaces: Vec<Mutex<Workspace<E>>>,
    /// What infers in their place, where it has fewer stages.
    folded: Option<FoldedNetwork<E>>,
    groups: Vec<Group<E>>,
    graph: Graph,
    fusion: Fusion,
    /// What the stages multiply with, where that is not the vectors, and how many layers do.
    tiles: Option<Tiles>,
    layers_on_tiles: usize,
    logits: Buffer<E>,
    probabilities: Buffer<E>,
    /// Loss sum and correct images of each group.
    results: Vec<(f64, usize)>,
    /// What the layers have seen the parameters as they are for.
    prepared: Option<Purpose>,
    /// The seed of what is dropped, and how many steps have drawn from it.
    dropout_seed: u64,
    steps: u64,
    label_smoothing: f64,
    epsilon: f64,
    preparation: Option<Preparation>,
    /// By class; none where images of all classes count alike.
    class_weights: Option<Vec<f64>>,
    times: StepTimes,
    stopwatch: Stopwatch,
}

impl<E: Build> Model<E> {
    /// Builds the architecture for images of that shape and so many classes; all parameters are zero.
    ///
    /// # Errors
    /// When a layer does not fit what comes before it.
    ///
    /// # Panics
    /// When `classes` or `capacity` is zero.
    pub fn new(
        set: InstructionSet,
        architecture: &Architecture,
        image: impl Into<ImageShape>,
        classes: usize,
        capacity: usize,
    ) -> Result<Self, ShapeError> {
        Self::with(set, architecture, image.into(), classes, capacity, Fusion::Whole)
    }

    /// As [`Self::new`], for one image, with layers that are computed one by one: see [`Self::outputs`]. The parameters are those of the
    /// same model built to compute fast, its results up to rounding.
    ///
    /// # Errors
    /// As there.
    ///
    /// # Panics
    /// As there.
    pub fn to_look_into(
        set: InstructionSet,
        architecture: &Architecture,
        image: impl Into<ImageShape>,
        classes: usize,
    ) -> Result<Self, ShapeError> {
        Self::with(set, architecture, image.into(), classes, 1, Fusion::None)
    }

    fn with(
        set: InstructionSet,
        architecture: &Architecture,
        image: ImageShape,
        classes: usize,
        capacity: usize,
        fusion: Fusion,
    ) -> Result<Self, ShapeError> {
        assert!(classes > 0 && capacity > 0, "a size of zero");
        let graph = architecture.graph(image, classes)?;
        let input_length = image.length();
        let Network { specs, parameters, stages, layers_on_tiles } = E::network(set, &graph, fusion);
        let (without_norms, folded) = graph.folded();
        let folded = (fusion == Fusion::Whole && !folded.is_empty()).then(|| {
            let network = E::network(set, &without_norms, Fusion::Inference);
            FoldedNetwork::new(network, &folded, &specs, input_length)
        });
        let (workspaces, groups) = memory(&stages, input_length, capacity);
        Ok(Self {
            set,
            capacity,
            input_length,
            classes,
            specs,
            parameters: Buffer::zeros(parameters),
            gradient: Buffer::zeros(parameters),
            input: Buffer::zeros(capacity * input_length),
            times: StepTimes { layers: no_times(&stages), ..StepTimes::default() },
            stopwatch: Stopwatch::default(),
            workspaces,
            groups,
            stages,
            folded,
            graph,
            fusion,
            tiles: None,
            layers_on_tiles,
            logits: Buffer::zeros(capacity * classes),
            probabilities: Buffer::zeros(capacity * classes),
            results: vec![(0.0, 0); capacity.div_ceil(GROUP)],
            prepared: None,
            dropout_seed: 0,
            steps: 0,
            label_smoothing: 0.0,
            epsilon: NORMALISATION_EPSILON,
            preparation: None,
            class_weights: None,
        })
    }

    /// Moves the parameters along the last gradient, by the optimiser's learning rate times `schedule`.
    pub fn update(&mut self, optimiser: &mut Optimiser<E>, schedule: f64) {
        let start = self.stopwatch.start();
        optimiser.step(self.set, schedule, &mut self.parameters, &self.gradient);
        self.forget();
        self.times.update += start.elapsed();
    }
}

impl Model<f32> {
    /// Learns on tiles from now on, or on the vectors. Inference is on the vectors: of a model that learns on tiles it has stages of its own.
    /// Begins to measure times anew.
    pub(crate) fn learn_on(&mut self, tiles: Option<Tiles>) {
        if tiles == self.tiles {
            return;
        }
        assert_eq!(self.fusion, Fusion::Whole, "a model that is built to learn");
        let (set, length) = (self.set, self.input_length);
        let Network { specs, stages, layers_on_tiles, .. } = match tiles {
            Some(tiles) => Network::on_tiles(set, &self.graph, tiles),
            None => f32::network(set, &self.graph, Fusion::Whole),
        };
        let places = |specs: &[ParameterSpec]| -> Vec<_> {
            specs.iter().map(|spec| (spec.name.clone(), spec.range.clone())).collect()
        };
        assert_eq!(places(&specs), places(&self.specs), "the same parameters in any precision");
        let (without_norms, folded) = self.graph.folded();
        self.folded = (tiles.is_some() || !folded.is_empty()).then(|| {
            let network = f32::network(set, &without_norms, Fusion::Inference);
            FoldedNetwork::new(network, &folded, &self.specs, length)
        });
        (self.workspaces, self.groups) = memory(&stages, length, self.capacity);
        self.times = StepTimes { layers: no_times(&stages), ..StepTimes::default() };
        (self.stages, self.tiles, self.prepared) = (stages, tiles, None);
        self.layers_on_tiles = layers_on_tiles;
        self.set_epsilon(self.epsilon);
        if let Some(clock) = self.stopwatch.clock {
            self.set_clock(clock);
        }
    }

    /// How many layers compute products in bfloat16 in training, as [`Self::set_precision`] says: none in float32, and none where no layer has
    /// enough channels, units or features.
    pub fn layers_in_bfloat16(&self) -> usize {
        self.layers_on_tiles
    }

    /// The vectors that it computes with.
    pub(crate) fn instruction_set(&self) -> InstructionSet {
        self.set
    }
}

impl<E: Element> Model<E> {
    /// Begins a new stream of what dropout leaves out: the same seed and steps leave out the same.
    pub fn set_dropout_seed(&mut self, seed: u64) {
        (self.dropout_seed, self.steps) = (seed, 0);
    }

    /// How much of each answer that is learnt is spread over all classes alike; at first nothing. See
    /// [`kernels::softmax::soft_cross_entropy`].
    ///
    /// # Panics
    /// When `smoothing` is not of 0..1.
    pub fn set_label_smoothing(&mut self, smoothing: f64) {
        assert!((0.0..1.0).contains(&smoothing), "a label smoothing of {smoothing}");
        self.label_smoothing = smoothing;
    }

    /// How much an image counts in the gradient, by its class: w of its class, or of two classes their mean by the answer's
    /// shares. The gradient is that of Σ w loss / images; the losses that are told stay unweighted.
    ///
    /// # Panics
    /// Unless there is a weight for each class.
    pub fn set_class_weights(&mut self, weights: Option<Vec<f64>>) {
        assert!(
            weights.as_ref().is_none_or(|weights| weights.len() == self.classes),
            "a weight for each class"
        );
        self.class_weights = weights;
    }

    /// What is made of pixels before the first layer reads them.
    pub fn preparation(&self) -> Option<Preparation> {
        self.preparation
    }

    /// What is made of pixels of 0..=1 before the first layer reads them; at first nothing. It is part of every batch that
    /// is set from bytes or drawn; [`Self::input_mut`] takes what comes out of it.
    ///
    /// # Panics
    /// When the values of an image are not of so many channels.
    pub fn set_preparation(&mut self, preparation: Option<Preparation>) {
        let channels = preparation.map_or(1, |preparation| preparation.mean().len());
        assert!(self.input_length.is_multiple_of(channels), "a preparation of {channels} channels");
        self.preparation = preparation;
    }

    /// ε of all batch and layer normalisation, at first [`crate::NORMALISATION_EPSILON`].
    ///
    /// # Panics
    /// When `epsilon` is not above 0.
    pub fn set_epsilon(&mut self, epsilon: f64) {
        assert!(epsilon > 0.0, "an ε of {epsilon}");
        self.epsilon = epsilon;
        self.stages.iter_mut().filter_map(Stage::layer_mut).for_each(|layer| layer.set_epsilon(epsilon));
        if let Some(folded) = &mut self.folded {
            folded.set_epsilon(epsilon);
        }
        self.prepared = None;
    }

    /// Draws every parameter anew, in order, from one stream.
    pub fn initialise(&mut self, random: &mut ChaCha8Rng) {
        for spec in &self.specs {
            spec.initialiser.fill(random, &mut self.parameters[spec.range.clone()]);
        }
        self.forget();
    }

    /// The parameters' names, shapes and places.
    pub fn specs(&self) -> &[ParameterSpec] {
        &self.specs
    }

    /// How many parameters are learnt.
    pub fn trainable_parameters(&self) -> usize {
        let learnt = self.specs.iter().filter(|spec| spec.role != Role::Statistic);
        learnt.map(|spec| spec.range.len()).sum()
    }

    /// All parameters.
    pub fn parameters(&self) -> &[E] {
        &self.parameters
    }

    /// All parameters, to change them.
    pub fn parameters_mut(&mut self) -> &mut [E] {
        self.forget();
        &mut self.parameters
    }

    /// The gradient of the last [`Self::differentiate`], in the layout of the parameters.
    pub fn gradient(&self) -> &[E] {
        &self.gradient
    }

    /// Largest number of images in a batch.
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// Values of an image: those of all channels of its pixels.
    pub fn input_length(&self) -> usize {
        self.input_length
    }

    /// Number of classes.
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// What each stage has to do, in the order in which they are computed.
    pub fn work(&self) -> Vec<StageWork> {
        StageWork::of_all(&self.stages, self.input_length)
    }

    /// Multiplications and additions of one image's forward pass, batch normalisation included though inference folds it.
    pub fn forward_flops(&self) -> u64 {
        self.work().iter().map(|stage| stage.forward_flops).sum()
    }

    /// Useful multiplications and additions of one image in a training step: forward, and the gradients of parameters and
    /// of every input that depends on parameters, as if no zero were skipped.
    pub fn step_flops(&self) -> u64 {
        let of_stage = |stage: &StageWork| stage.forward_flops + stage.backward_flops + stage.sum_flops;
        self.work().iter().map(of_stage).sum()
    }

    /// Sets the batch's first `images` from bytes, each divided by 255, then prepared as [`Self::set_preparation`] says.
    ///
    /// # Panics
    /// When there are more images than the capacity, or one has another number of values.
    pub fn set_batch<'a>(&mut self, images: usize, image: impl Fn(usize) -> &'a [u8] + Sync) {
        self.check_count(images);
        let (set, length, preparation) = (self.set, self.input_length, self.preparation);
        let groups = self.input[..images * length].par_chunks_mut(GROUP * length);
        groups.enumerate().for_each(|(group, inputs)| {
            scale_group(set, group, inputs, length, preparation, &image);
        });
    }

    /// The batch's pixels `[capacity, height, width, channels]` as the first layer reads them, to be set directly.
    pub fn input_mut(&mut self) -> &mut [E] {
        &mut self.input
    }

    /// The logits `[images, classes]` of the batch's first `images`.
    ///
    /// Threads of the current pool share the work, and the caller's may take up other tasks of the pool while it waits: hold no lock that
    /// such a task wants.
    ///
    /// # Panics
    /// When `images` is more than the capacity.
    pub fn forward(&mut self, images: usize) -> &[E] {
        self.infer(images, None)
    }

    /// As [`Self::forward`], but each layer with parameters reads what `change`, given the layer's name, makes of its
    /// input: to look at what flows through, or to see what it is worth when rounded. The layers are those that learn, in the precision
    /// [set](Self::set_precision) for them.
    ///
    /// # Panics
    /// As [`Self::forward`].
    pub fn forward_changed(&mut self, images: usize, change: &(dyn Fn(&str, &mut [E]) + Sync)) -> &[E] {
        self.infer(images, Some(change))
    }

    /// What every step of the way through the network puts out for the batch's first image, with the name of its layer, in the order in
    /// which they are computed. Of a model that was built [to be looked into](Self::to_look_into) each layer has its own, but for those that
    /// are another view of the same values.
    pub fn outputs(&mut self) -> Vec<(String, Vec<E>)> {
        self.prepare(Purpose::Inference);
        let Self { input_length, parameters, input, stages, workspaces, .. } = self;
        let context = Context { purpose: Purpose::Inference, seed: 0, step: 0, group: 0, threads: 1 };
        let mut workspace = Workspace::of_this_thread(workspaces);
        workspace.forward(context, stages, parameters, &input[..*input_length], 1, None);
        let outputs = stages.iter().enumerate();
        outputs.map(|(index, stage)| (stage.name.clone(), workspace.output(index, stage).to_vec())).collect()
    }

    fn infer(&mut self, images: usize, change: Option<&Change<E>>) -> &[E] {
        self.check_count(images);
        match &mut self.folded {
            Some(folded) if change.is_none() => {
                let start = self.stopwatch.start();
                folded.prepare(&self.parameters);
                self.times.prepare += start.elapsed();
            }
            _ => self.prepare(Purpose::Inference),
        }
        let Self { input_length, classes, input, logits, .. } = self;
        let (stages, workspaces, parameters) = match &self.folded {
            Some(folded) if change.is_none() => (&folded.stages, &folded.workspaces, &folded.parameters),
            _ => (&self.stages, &self.workspaces, &self.parameters),
        };
        let logits = &mut logits[..images * *classes];
        let all = rayon::current_num_threads();
        // Of few images each thread has some; of one they share the layers.
        let chunk = GROUP.min(images.div_ceil(all)).max(1);
        let threads = if images <= chunk { all } else { 1 };
        let inputs = input[..images * *input_length].par_chunks(chunk * *input_length);
        let work = inputs.zip(logits.par_chunks_mut(chunk * *classes)).enumerate();
        work.for_each(|(group, (input, logits))| {
            // Who waits for a layer's parts holds a workspace: no other task may want one.
            assert!(threads == 1 || images == 1, "{threads} threads for one of several groups");
            let context = Context { purpose: Purpose::Inference, seed: 0, step: 0, group, threads };
            let images = input.len() / *input_length;
            let mut workspace = Workspace::of_this_thread(workspaces);
            let found = workspace.forward(context, stages, parameters, input, images, change);
            logits.copy_from_slice(found);
        });
        logits
    }

    /// Forward pass and loss of the batch against `labels`; afterwards [`Self::probabilities`] holds the softmax.
    ///
    /// # Panics
    /// When there are more labels than the capacity, or one is not below the number of classes.
    pub fn evaluate(&mut self, labels: &[u8]) -> Evaluation {
        self.forward(labels.len());
        let Self { classes, logits, probabilities, results, .. } = self;
        let length = labels.len() * *classes;
        logits[..length]
            .par_chunks(GROUP * *classes)
            .zip(probabilities[..length].par_chunks_mut(GROUP * *classes))
            .zip(labels.par_chunks(GROUP))
            .zip(results.par_iter_mut())
            .for_each(|(((logits, probabilities), labels), result)| {
                *result = softmax_cross_entropy(logits, labels, *classes, probabilities);
            });
        self.total(labels.len())
    }

    /// Class probabilities `[capacity, classes]` of the last [`Self::evaluate`] or [`Self::differentiate`].
    pub fn probabilities(&self) -> &[E] {
        &self.probabilities
    }

    /// As [`Self::evaluate`], and the gradient of the mean loss; overwrites [`Self::gradient`].
    ///
    /// `d_input`, where given, receives the derivative with respect to the batch's pixels.
    ///
    /// # Panics
    /// As [`Self::evaluate`], when there is no label, or when `d_input` has another length than the labels' images.
    pub fn differentiate(&mut self, labels: &[u8], d_input: Option<&mut [E]>) -> Evaluation {
        self.step(labels.len(), |group, _, targets, _| set_targets(targets, group, labels), d_input)
    }

    /// As [`Self::set_batch`] and [`Self::differentiate`] in one: each group's bytes become pixels on the thread that
    /// goes on with them.
    ///
    /// # Panics
    /// As those two.
    pub fn differentiate_images<'a>(
        &mut self,
        labels: &[u8],
        image: impl Fn(usize) -> &'a [u8] + Sync,
    ) -> Evaluation {
        let (set, length, preparation) = (self.set, self.input_length, self.preparation);
        let fill = |group: usize, input: &mut [E], targets: &mut [Target], workspace: &mut Workspace<E>| {
            let start = workspace.stopwatch.start();
            set_targets(targets, group, labels);
            scale_group(set, group, input, length, preparation, &image);
            workspace.batch += start.elapsed();
        };
        self.step(labels.len(), fill, None)
    }

    /// As [`Self::differentiate`] for `images` images that are drawn one by one: `draw` writes the pixels of the image of
    /// that number and says what it is to be answered with. Images are drawn on the thread that goes on with them.
    ///
    /// # Panics
    /// When there are more images than the capacity or none, or a class of an answer is not below the number of classes.
    pub fn differentiate_drawn(
        &mut self,
        images: usize,
        draw: impl Fn(usize, &mut [E]) -> Target + Sync,
    ) -> Evaluation {
        let (length, preparation) = (self.input_length, self.preparation);
        let fill = |group: usize, input: &mut [E], targets: &mut [Target], workspace: &mut Workspace<E>| {
            let start = workspace.stopwatch.start();
            for (index, (input, target)) in input.chunks_exact_mut(length).zip(targets).enumerate() {
                *target = draw(group * GROUP + index, input);
            }
            if let Some(preparation) = preparation {
                prepare_pixels(&preparation, input);
            }
            workspace.batch += start.elapsed();
        };
        self.step(images, fill, None)
    }

    /// Forward and backward; `fill` sets a group's answers first, and may set its pixels.
    fn step(
        &mut self,
        images: usize,
        fill: impl Fn(usize, &mut [E], &mut [Target], &mut Workspace<E>) + Sync,
        d_input: Option<&mut [E]>,
    ) -> Evaluation {
        self.check_count(images);
        assert!(images > 0, "no images");
        self.prepare(Purpose::Learning);
        let start = self.stopwatch.start();
        let Self {
            input_length,
            classes,
            parameters,
            input,
            stages,
            workspaces,
            groups,
            probabilities,
            results,
            dropout_seed,
            steps,
            label_smoothing,
            class_weights,
            ..
        } = self;
        let (length, classes, smoothing) = (*input_length, *classes, *label_smoothing);
        let (seed, step) = (*dropout_seed, *steps);
        *steps += 1;
        let work = groups
            .par_iter_mut()
            .enumerate()
            .zip(input[..images * length].par_chunks_mut(GROUP * length))
            .zip(probabilities[..images * classes].par_chunks_mut(GROUP * classes))
            .zip(results.par_iter_mut())
            // Single groups: who is done early takes one of the other's, and they differ in what they leave out.
            .with_max_len(1);
        let learn =
            |(index, group): (usize, &mut Group<E>), input: &mut [E], probabilities: &mut [E], d_input| {
                let mut workspace = Workspace::of_this_thread(workspaces);
                group.images = input.len() / length;
                let targets = &mut [Target::of(0); GROUP][..group.images];
                fill(index, input, targets, &mut workspace);
                let context = Context { purpose: Purpose::Learning, seed, step, group: index, threads: 1 };
                let logits = workspace.forward(context, stages, parameters, input, group.images, None);
                let result = soft_cross_entropy(logits, targets, smoothing, classes, probabilities);
                let d_logits = workspace.d_logits(probabilities.len());
                d_logits.copy_from_slice(probabilities);
                soft_cross_entropy_backward(d_logits, targets, smoothing, classes, images);
                if let Some(weights) = &*class_weights {
                    weigh(d_logits, targets, weights);
                }
                workspace.backward(context, stages, parameters, input, group, d_input);
                result
            };
        match d_input {
            Some(d_input) => {
                assert_eq!(d_input.len(), images * length, "d_input");
                work.zip(d_input.par_chunks_mut(GROUP * length)).for_each(
                    |((((group, input), probabilities), result), d_input)| {
                        *result = learn(group, input, probabilities, Some(d_input));
                    },
                );
            }
            None => work.for_each(|(((group, input), probabilities), result)| {
                *result = learn(group, input, probabilities, None);
            }),
        }
        self.times.groups += start.elapsed();
        let groups = &self.groups[..images.div_ceil(GROUP)];
        for (layer, stage) in self.stages.iter_mut().enumerate() {
            let d_parameters = &mut self.gradient[stage.parameters.clone()];
            let start = self.stopwatch.start();
            if let Some(computing) = stage.layer_mut() {
                computing.sum_gradient(Groups { groups, layer }, d_parameters);
            }
            self.times.layers[layer].1.sum += start.elapsed();
        }
        self.total(images)
    }

    /// Takes the parameters into their average over the steps.
    pub fn add_to(&mut self, average: &mut MovingAverage<E>) {
        let start = self.stopwatch.start();
        average.add(self.set, &self.parameters);
        self.times.update += start.elapsed();
    }

    /// Measures from now on where the time goes, by a clock that tells the time since any fixed moment. Without one nothing is
    /// measured, and nothing asks the platform for the time.
    pub fn set_clock(&mut self, clock: fn() -> Duration) {
        self.stopwatch = Stopwatch { clock: Some(clock) };
        for workspace in &mut self.workspaces {
            workspace.get_mut().unwrap_or_else(PoisonError::into_inner).stopwatch = self.stopwatch;
        }
    }

    /// Where the time has gone since the last call; no time where [`Self::set_clock`] was not called. Inference is not told apart by stages
    /// where batch normalisation is folded: it has others.
    pub fn take_times(&mut self) -> StepTimes {
        let empty = StepTimes { layers: no_times(&self.stages), ..StepTimes::default() };
        let mut times = std::mem::replace(&mut self.times, empty);
        for workspace in &mut self.workspaces {
            workspace.get_mut().unwrap_or_else(PoisonError::into_inner).take_times(&mut times);
        }
        times
    }

    fn check_count(&self, images: usize) {
        assert!(images <= self.capacity, "{images} images in a batch of at most {}", self.capacity);
    }

    /// The parameters have changed.
    fn forget(&mut self) {
        self.prepared = None;
        if let Some(folded) = &mut self.folded {
            folded.forget();
        }
    }

    /// Shows the layers the parameters, where those or the purpose have changed.
    fn prepare(&mut self, purpose: Purpose) {
        if self.prepared != Some(purpose) {
            let start = self.stopwatch.start();
            show(&mut self.stages, &self.parameters, purpose);
            self.prepared = Some(purpose);
            self.times.prepare += start.elapsed();
        }
    }

    /// The groups' results, added in their order.
    fn total(&self, images: usize) -> Evaluation {
        let mut total = Evaluation { images, ..Evaluation::default() };
        for (loss_sum, correct) in &self.results[..images.div_ceil(GROUP)] {
            total.loss_sum += loss_sum;
            total.correct += correct;
        }
        total
    }
}

/// Each thread's memory, and each group's.
fn memory<E: Element>(
    stages: &[Stage<E>],
    input_length: usize,
    capacity: usize,
) -> (Vec<Mutex<Workspace<E>>>, Vec<Group<E>>) {
    let workspace = |_| Mutex::new(Workspace::new(stages, input_length, Purpose::Learning));
    let kept = |stage: &Stage<E>| Memory::new(stage.layer().map_or(MemorySize::default(), Layer::kept));
    let group = |_| Group { images: 0, kept: stages.iter().map(kept).collect() };
    (
        (0..rayon::current_num_threads()).map(workspace).collect(),
        (0..capacity.div_ceil(GROUP)).map(group).collect(),
    )
}

/// Each layer's name, and no time yet.
fn no_times<E>(stages: &[Stage<E>]) -> Vec<(String, LayerTimes)> {
    stages.iter().map(|stage| (stage.name.clone(), LayerTimes::default())).collect()
}

/// The answers of a group's images: their labels.
fn set_targets(targets: &mut [Target], group: usize, labels: &[u8]) {
    for (target, label) in targets.iter_mut().zip(&labels[group * GROUP..]) {
        *target = Target::of(*label);
    }
}

/// Turns the bytes of a group's images into pixels as the first layer reads them.
fn scale_group<'a, E: Element>(
    set: InstructionSet,
    group: usize,
    input: &mut [E],
    length: usize,
    preparation: Option<Preparation>,
    image: &impl Fn(usize) -> &'a [u8],
) {
    for index in 0..input.len() / length {
        prefetch(image(group * GROUP + index));
    }
    for (index, input) in input.chunks_exact_mut(length).enumerate() {
        scale_pixels(set, image(group * GROUP + index), input);
    }
    if let Some(preparation) = preparation {
        prepare_pixels(&preparation, input);
    }
}

/// Multiplies the derivatives of each image's logits by its weight.
fn weigh<E: Element>(d_logits: &mut [E], targets: &[Target], weights: &[f64]) {
    for (row, target) in d_logits.chunks_exact_mut(weights.len()).zip(targets) {
        let of = |class: u8| weights[usize::from(class)];
        let share = target.first_share;
        let weight = share * of(target.first) + (1.0 - share) * of(target.second);
        row.iter_mut().for_each(|value| *value *= E::from_f64(weight));
    }
}

/// Changes values of 0..=1, `[.., channel]`, in place.
fn prepare_pixels<E: Element>(preparation: &Preparation, pixels: &mut [E]) {
    let means_and_stds = preparation.mean().iter().zip(preparation.std());
    for (channel, (mean, std)) in means_and_stds.enumerate() {
        let (mean, std) = (E::from_f64(*mean), E::from_f64(*std));
        let of_channel = pixels[channel..].iter_mut().step_by(preparation.mean().len());
        of_channel.for_each(|value| *value = (*value - mean) / std);
    }
}
