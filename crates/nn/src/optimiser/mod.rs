//! Updates of the parameters.

mod average;
mod orthogonal;

use crate::{Build, ParameterSpec, Role};
pub use average::MovingAverage;
use kernels::{
    Buffer, Element, InstructionSet,
    optimiser::{
        Adam, Decay, Momentum, RmsProp, StepSize, adam_step, approach, momentum_step, rms_prop_step,
        sum_of_squares,
    },
};
use orthogonal::Orthogonaliser;
use rayon::prelude::*;
use spec::{AdamConstants, MuonConstants, OptimiserSpec, RmsPropConstants, SgdConstants, UpdateRule};
use std::ops::Range;

/// An optimiser with what it remembers of a model's steps.
///
/// Parameters of [`Role::Statistic`] are not learnt: p ← p + 0.1(g − p), whatever the rule.
///
/// No result depends on the number of threads, and a step allocates nothing.
#[derive(Debug, Clone)]
pub struct Optimiser<E: Element> {
    rule: UpdateRule,
    /// What is done to all parameters, in their order.
    tasks: Vec<Task>,
    /// Muon's matrices, in their order.
    matrices: Vec<MatrixPlace>,
    orthogonaliser: Orthogonaliser<E>,
    /// Velocity, first moment or mean square.
    first: Buffer<E>,
    /// Adam's second moment; where Muon moves a matrix, what it is to make orthogonal.
    second: Buffer<E>,
    /// Of each task's gradient, the sum of squares.
    squares: Vec<f64>,
    steps: u64,
}

/// Some parameters that are moved alike.
#[derive(Debug, Clone, PartialEq)]
struct Task {
    range: Range<usize>,
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// With weight decay.
    Decaying,
    /// Without.
    Plain,
    /// Not learnt.
    Statistic,
    /// Part of a matrix of Muon's: only its momentum is the task's.
    Matrix,
}

/// A matrix that Muon moves.
#[derive(Debug, Clone, PartialEq)]
struct MatrixPlace {
    range: Range<usize>,
    rows: usize,
    columns: usize,
    /// Outputs for each input.
    ratio: f64,
}

/// Muon's velocity becomes zero below this: beside the rest of its matrix it moves nothing.
const TINY_MOMENT: f64 = 1e-30;

/// Parameters that one task updates: 64 KiB of each of the four arrays, enough to hide what a task costs.
const TASK_PARAMETERS: usize = 16 << 10;

/// How far a statistic goes towards a batch's: Keras's momentum of 0.99 suits epochs of a thousand steps and more, this one
/// such as PyTorch's, where a hundred steps forget the start.
const STATISTIC_FRACTION: f64 = 0.1;

impl<E: Build> Optimiser<E> {
    /// Moves the parameters against their gradient, with the rule's learning rates times `schedule`.
    ///
    /// # Panics
    /// When the lengths differ from what [`Self::new`] was told.
    pub fn step(&mut self, set: InstructionSet, schedule: f64, parameters: &mut [E], gradient: &[E]) {
        E::step(self, set, schedule, parameters, gradient);
    }
}

impl<E: Element> Optimiser<E> {
    /// Before the first step of a model with these parameters.
    ///
    /// # Panics
    /// When the parameters are not one after the other from 0.
    pub fn new(rule: &UpdateRule, parameters: &[ParameterSpec]) -> Self {
        let (matrices, iterations, has_second) = match rule.optimiser {
            OptimiserSpec::Muon(muon) => (matrices(parameters), muon.iterations, true),
            OptimiserSpec::Adam(_) | OptimiserSpec::AdamW(_) => (Vec::new(), 0, true),
            OptimiserSpec::Sgd(_) | OptimiserSpec::RmsProp(_) => (Vec::new(), 0, false),
        };
        let tasks = tasks(parameters, &matrices);
        let count = tasks.last().map_or(0, |task| task.range.end);
        let shapes: Vec<_> = matrices.iter().map(|matrix| (matrix.rows, matrix.columns)).collect();
        Self {
            rule: *rule,
            orthogonaliser: Orthogonaliser::new(iterations, &shapes),
            matrices,
            first: Buffer::zeros(count),
            second: Buffer::zeros(if has_second { count } else { 0 }),
            squares: vec![0.0; tasks.len()],
            tasks,
            steps: 0,
        }
    }

    /// Values that a step has to move: parameters, gradient and what is remembered are read, all but the gradient written.
    pub fn step_values(&self) -> usize {
        let (parameters, remembered) = (self.first.len(), self.first.len() + self.second.len());
        3 * parameters + 2 * remembered
    }

    /// The values of [`Self::step_values`], each counted once: what lies in memory for a step.
    pub fn step_footprint(&self) -> usize {
        2 * self.first.len() + self.first.len() + self.second.len()
    }

    /// [`Self::step`], compiled where this is called.
    pub(crate) fn compiled_step(
        &mut self,
        set: InstructionSet,
        schedule: f64,
        parameters: &mut [E],
        gradient: &[E],
    ) {
        assert_eq!(parameters.len(), self.first.len(), "parameters");
        assert_eq!(gradient.len(), parameters.len(), "gradient");
        self.steps += 1;
        let stepper = Stepper {
            set,
            rule: self.rule,
            schedule,
            gradient_scale: self.gradient_scale(gradient),
            steps: self.steps,
        };
        let slices = Slices { parameters, gradient, first: &mut self.first, second: &mut self.second };
        in_parallel(&self.tasks, slices, &|kind, slices| stepper.update(kind, slices));
        let OptimiserSpec::Muon(_) = self.rule.optimiser else { return };
        let rate = self.rule.learning_rate * schedule;
        for MatrixPlace { range, rows, columns, ratio } in &self.matrices {
            let scale = ratio.max(1.0).sqrt();
            self.orthogonaliser.subtract(
                set,
                &self.second[range.clone()],
                [*rows, *columns],
                &mut parameters[range.clone()],
                [1.0 - rate * self.rule.weight_decay, rate * scale],
            );
        }
    }

    /// What the gradient is to be multiplied by so that it is no longer than it may be.
    fn gradient_scale(&mut self, gradient: &[E]) -> f64 {
        let Some(longest) = self.rule.gradient_clip else { return 1.0 };
        self.squares.par_iter_mut().zip(&self.tasks).for_each(|(square, task)| {
            *square = match task.kind {
                Kind::Statistic => 0.0,
                Kind::Matrix | Kind::Decaying | Kind::Plain => sum_of_squares(&gradient[task.range.clone()]),
            };
        });
        let norm = self.squares.iter().sum::<f64>().sqrt();
        if norm > longest { longest / norm } else { 1.0 }
    }
}

/// Every weight with several dimensions but the last, which gives the logits.
fn matrices(parameters: &[ParameterSpec]) -> Vec<MatrixPlace> {
    let is_matrix = |one: &&ParameterSpec| {
        matches!(one.role, Role::Weight | Role::TransposedWeight) && one.shape.len() > 1
    };
    let mut weights: Vec<&ParameterSpec> = parameters.iter().filter(is_matrix).collect();
    weights.pop();
    let place = |weight: &ParameterSpec| {
        let (rows, columns) = (weight.shape[0], weight.shape[1..].iter().product());
        let ratio = rows as f64 / columns as f64;
        let ratio = if weight.role == Role::TransposedWeight { 1.0 / ratio } else { ratio };
        MatrixPlace { range: weight.range.clone(), rows, columns, ratio }
    };
    weights.into_iter().map(place).collect()
}

/// All parameters in pieces of one kind, neighbours together, none too large.
fn tasks(parameters: &[ParameterSpec], matrices: &[MatrixPlace]) -> Vec<Task> {
    let mut whole: Vec<Task> = Vec::new();
    for parameter in parameters {
        let range = parameter.range.clone();
        let kind = match parameter.role {
            Role::Weight | Role::TransposedWeight if matrices.iter().any(|matrix| matrix.range == range) => {
                Kind::Matrix
            }
            Role::Weight | Role::TransposedWeight | Role::ChannelWeight => Kind::Decaying,
            Role::Statistic => Kind::Statistic,
            Role::Bias | Role::Scale => Kind::Plain,
        };
        let end = whole.last().map_or(0, |task| task.range.end);
        assert_eq!(range.start, end, "{}: parameters lie one after the other", parameter.name);
        match whole.last_mut().filter(|task| task.kind == kind) {
            Some(task) => task.range.end = range.end,
            None => whole.push(Task { range, kind }),
        }
    }
    let pieces = whole.into_iter().flat_map(|Task { range, kind }| {
        let end = range.end;
        range
            .step_by(TASK_PARAMETERS)
            .map(move |start| Task { range: start..end.min(start + TASK_PARAMETERS), kind })
    });
    pieces.collect()
}

/// Parameters with all that belongs to them; `second` may be empty.
struct Slices<'a, E> {
    parameters: &'a mut [E],
    gradient: &'a [E],
    first: &'a mut [E],
    second: &'a mut [E],
}

impl<E> Slices<'_, E> {
    fn split_at(self, at: usize) -> (Self, Self) {
        let (parameters, parameters_after) = self.parameters.split_at_mut(at);
        let (gradient, gradient_after) = self.gradient.split_at(at);
        let (first, first_after) = self.first.split_at_mut(at);
        let (second, second_after) = self.second.split_at_mut(at.min(self.second.len()));
        let before = Self { parameters, gradient, first, second };
        let after = Self {
            parameters: parameters_after,
            gradient: gradient_after,
            first: first_after,
            second: second_after,
        };
        (before, after)
    }
}

/// Calls `work` for every task with its part of the slices, which begin at the first task.
fn in_parallel<E: Element>(tasks: &[Task], slices: Slices<E>, work: &(impl Fn(Kind, Slices<E>) + Sync)) {
    match tasks {
        [] => (),
        [task] => work(task.kind, slices),
        _ => {
            let (before, after) = tasks.split_at(tasks.len() / 2);
            let (left, right) = slices.split_at(after[0].range.start - before[0].range.start);
            rayon::join(|| in_parallel(before, left, work), || in_parallel(after, right, work));
        }
    }
}

/// What all tasks of a step share.
struct Stepper {
    set: InstructionSet,
    rule: UpdateRule,
    schedule: f64,
    gradient_scale: f64,
    steps: u64,
}

impl Stepper {
    fn update<E: Element>(&self, kind: Kind, slices: Slices<E>) {
        let Slices { parameters, gradient, first, second } = slices;
        let decay = match kind {
            Kind::Statistic => return approach(self.set, STATISTIC_FRACTION, gradient, parameters),
            Kind::Decaying => self.rule.weight_decay,
            // A matrix decays where its direction has been made orthogonal.
            Kind::Matrix | Kind::Plain => 0.0,
        };
        let pace = StepSize {
            learning_rate: self.rule.learning_rate * self.schedule,
            gradient_scale: self.gradient_scale,
            decay: Decay::Gradient(decay),
        };
        match self.rule.optimiser {
            OptimiserSpec::Sgd(SgdConstants { momentum, nesterov }) => {
                momentum_step(self.set, Momentum { momentum, nesterov }, pace, parameters, gradient, first);
            }
            OptimiserSpec::RmsProp(RmsPropConstants { rho, epsilon }) => {
                rms_prop_step(self.set, RmsProp { rho, epsilon }, pace, parameters, gradient, first);
            }
            OptimiserSpec::Adam(adam) => {
                adam_step(self.set, kernel_of(adam), pace, self.steps, parameters, gradient, first, second);
            }
            OptimiserSpec::AdamW(adam) => {
                let pace = StepSize { decay: Decay::Parameter(decay), ..pace };
                adam_step(self.set, kernel_of(adam), pace, self.steps, parameters, gradient, first, second);
            }
            OptimiserSpec::Muon(muon) if kind == Kind::Matrix => {
                let [momentum, scale] = [muon.momentum, self.gradient_scale].map(E::from_f64);
                // Where the gradient has ended, the velocity would stay among the slow subnormal numbers for good.
                let tiny = E::from_f64(TINY_MOMENT);
                for ((velocity, direction), g) in first.iter_mut().zip(second).zip(gradient) {
                    let g = *g * scale;
                    let moved = momentum * *velocity + g;
                    *velocity = if moved < tiny && moved > -tiny { E::ZERO } else { moved };
                    *direction = g + momentum * *velocity;
                }
            }
            OptimiserSpec::Muon(muon) => {
                let pace = StepSize {
                    learning_rate: muon.adam_learning_rate * self.schedule,
                    decay: Decay::Parameter(decay),
                    ..pace
                };
                adam_step(self.set, adam_of(muon), pace, self.steps, parameters, gradient, first, second);
            }
        }
    }
}

/// Adam as the kernel takes it.
fn kernel_of(AdamConstants { beta_1, beta_2, epsilon }: AdamConstants) -> Adam {
    Adam { beta_1, beta_2, epsilon }
}

/// Adam of what Muon does not move.
fn adam_of(MuonConstants { beta_1, beta_2, epsilon, .. }: MuonConstants) -> Adam {
    Adam { beta_1, beta_2, epsilon }
}
