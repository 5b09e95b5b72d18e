//! A thread's way through the network with one group of images, and back.

use crate::{
    StepTimes,
    layers::{Context, GROUP, Group, Memory, MemorySize, Pass, Purpose},
    network::{Operand, Operation, Place, Stage, Sum},
    times::Stopwatch,
};
use kernels::{
    Buffer, Element,
    activation::{add, relu_backward},
    matmul::Output,
};
use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// What is made of a layer's input, given the layer's name.
pub(crate) type Change<'a, E> = dyn Fn(&str, &mut [E]) + Sync + 'a;

/// A thread's memory for the activations of one group of images and their derivatives.
pub(crate) struct Workspace<E> {
    /// By stage.
    stages: Vec<WorkspaceStage<E>>,
    derivatives: Derivatives<E>,
    /// A derivative with respect to a place that other stages read too, before it is added to theirs.
    share: Buffer<E>,
    /// As [`StepTimes::batch`].
    pub(crate) batch: Duration,
    /// What its times are measured by.
    pub(crate) stopwatch: Stopwatch,
}

struct WorkspaceStage<E> {
    output: Buffer<E>,
    scratch: Memory<E>,
    forward: Duration,
    backward: Duration,
}

impl<E: Element> WorkspaceStage<E> {
    fn new(stage: &Stage<E>) -> Self {
        Self {
            output: Buffer::zeros(GROUP * stage.output_length),
            scratch: Memory::new(stage.layer().map_or(MemorySize::default(), |layer| layer.scratch())),
            forward: Duration::ZERO,
            backward: Duration::ZERO,
        }
    }
}

impl<E: Element> Workspace<E> {
    /// For images of so many pixels; without a place for derivatives where all that is asked for is inference.
    pub(crate) fn new(stages: &[Stage<E>], input_length: usize, purpose: Purpose) -> Self {
        let learning = match purpose {
            Purpose::Learning => stages,
            Purpose::Inference => &[],
        };
        let length = |operand: &Operand| match operand.place {
            0 => input_length,
            place => stages[place - 1].output_length,
        };
        let apart = learning.iter().filter(|stage| stage.is_apart()).map(|stage| &stage.input);
        Self {
            stages: stages.iter().map(WorkspaceStage::new).collect(),
            derivatives: Derivatives::new(learning),
            share: Buffer::zeros(GROUP * apart.map(length).max().unwrap_or(0)),
            batch: Duration::ZERO,
            stopwatch: Stopwatch::default(),
        }
    }

    /// The current thread's workspace. What holds one waits for no task that needs one: a layer shares its work only where its group is
    /// the only one. So the lock is free unless there are more threads than when the model was built.
    pub(crate) fn of_this_thread(workspaces: &[Mutex<Self>]) -> MutexGuard<'_, Self> {
        let thread = rayon::current_thread_index().unwrap_or(0);
        workspaces[thread % workspaces.len()].lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds its times, and begins anew.
    pub(crate) fn take_times(&mut self, times: &mut StepTimes) {
        times.batch += std::mem::take(&mut self.batch);
        for ((_, layer), stage) in times.layers.iter_mut().zip(&mut self.stages) {
            layer.forward += std::mem::take(&mut stage.forward);
            layer.backward += std::mem::take(&mut stage.backward);
        }
    }

    /// The logits of a group, whose images' pixels are `input`; with a `change`, every layer with parameters reads what it
    /// makes of the layer's input.
    pub(crate) fn forward(
        &mut self,
        context: Context,
        stages: &[Stage<E>],
        parameters: &[E],
        input: &[E],
        images: usize,
        change: Option<&Change<E>>,
    ) -> &[E] {
        for (index, stage) in stages.iter().enumerate() {
            let (before, from) = self.stages.split_at_mut(index);
            let workspace = &mut from[0];
            let values = |operand: Operand| match operand.place {
                0 => input,
                place => &before[place - 1].output[..images * stages[place - 1].output_length],
            };
            let output = &mut workspace.output[..images * stage.output_length];
            let start = self.stopwatch.start();
            match &stage.operation {
                Operation::Layer(layer) => {
                    let parameters = &parameters[stage.parameters.clone()];
                    let input = values(stage.input);
                    match change {
                        Some(change) if !stage.parameters.is_empty() => {
                            let mut input = input.to_vec();
                            change(&stage.name, &mut input);
                            layer.forward(context, parameters, &input, output, &mut workspace.scratch);
                        }
                        _ => layer.forward(context, parameters, input, output, &mut workspace.scratch),
                    }
                }
                Operation::Sum(Sum { set, other, relu }) => {
                    add(*set, values(stage.input), values(*other), *relu, output);
                }
            }
            workspace.forward += start.elapsed();
        }
        let last = stages.len() - 1;
        &self.stages[last].output[..images * stages[last].output_length]
    }

    /// What the stage of that number put out last for its group's first image.
    pub(crate) fn output(&self, index: usize, stage: &Stage<E>) -> &[E] {
        &self.stages[index].output[..stage.output_length]
    }

    /// The place of the derivative with respect to the logits.
    pub(crate) fn d_logits(&mut self, length: usize) -> &mut [E] {
        &mut self.derivatives.of(self.stages.len())[..length]
    }

    /// From [`Self::d_logits`] back to the input, leaving in `group` what its gradient is summed from.
    pub(crate) fn backward(
        &mut self,
        context: Context,
        stages: &[Stage<E>],
        parameters: &[E],
        input: &[E],
        group: &mut Group<E>,
        mut d_input: Option<&mut [E]>,
    ) {
        let images = group.images;
        for (index, stage) in stages.iter().enumerate().rev() {
            let (before, from) = self.stages.split_at_mut(index);
            let workspace = &mut from[0];
            let length = images * stage.output_length;
            let output = &workspace.output[..length];
            let start = self.stopwatch.start();
            match &stage.operation {
                Operation::Layer(layer) => {
                    let wanted = stage.input.learnt || d_input.is_some();
                    let place = stage.input.place;
                    let is_one = place > 0 && self.derivatives.is_one(index + 1, place);
                    let (input, d_output, mut d_place) = match place {
                        0 => (input, self.derivatives.of(index + 1), d_input.as_deref_mut()),
                        _ if is_one => {
                            let length = images * stages[place - 1].output_length;
                            (&before[place - 1].output[..length], self.derivatives.of(index + 1), None)
                        }
                        _ => {
                            let length = images * stages[place - 1].output_length;
                            let [d_output, d_place] = self.derivatives.both(index + 1, place);
                            (&before[place - 1].output[..length], d_output, Some(&mut d_place[..length]))
                        }
                    };
                    d_place = d_place.filter(|_| wanted);
                    let in_place = layer.differentiates_in_place();
                    let is_apart = stage.is_apart() && d_place.is_some();
                    let d_input = match &mut d_place {
                        _ if in_place => None,
                        Some(d_place) if is_apart => Some(&mut self.share[..d_place.len()]),
                        d_place => d_place.as_deref_mut(),
                    };
                    layer.backward(Pass {
                        context,
                        parameters: &parameters[stage.parameters.clone()],
                        input,
                        output,
                        d_output: &mut d_output[..length],
                        d_input,
                        in_place: in_place && wanted,
                        into_input: match stage.input.shared && !is_apart {
                            true => Output::Accumulate,
                            false => Output::Overwrite,
                        },
                        scratch: &mut workspace.scratch,
                        kept: &mut group.kept[index],
                    });
                    match d_place {
                        Some(d_place) if in_place && stage.input.shared => {
                            add_to(&d_output[..length], d_place)
                        }
                        Some(d_place) if in_place => d_place.copy_from_slice(&d_output[..length]),
                        Some(d_place) if is_apart => add_to(&self.share[..d_place.len()], d_place),
                        _ => {}
                    }
                }
                Operation::Sum(Sum { set, other, relu }) => {
                    if *relu {
                        relu_backward(*set, output, &mut self.derivatives.of(index + 1)[..length]);
                    }
                    // The first operand's derivative may be the sum's own, whose place it takes: the other's comes first.
                    for operand in [*other, stage.input] {
                        let (d_sum, d_place) = match operand.place {
                            0 => (self.derivatives.of(index + 1), d_input.as_deref_mut()),
                            place if self.derivatives.is_one(index + 1, place) => continue,
                            _ if !(operand.learnt || d_input.is_some()) => continue,
                            place => {
                                let [d_sum, d_place] = self.derivatives.both(index + 1, place);
                                (d_sum, Some(&mut d_place[..length]))
                            }
                        };
                        match d_place {
                            Some(d_place) if operand.shared => add_to(&d_sum[..length], d_place),
                            Some(d_place) => d_place.copy_from_slice(&d_sum[..length]),
                            None => {}
                        }
                    }
                }
            }
            workspace.backward += start.elapsed();
        }
    }
}

/// The derivatives with respect to what the stages put out. Few of them are needed at a time: what is free is used again, the
/// last first, so that they stay in the cache.
struct Derivatives<E> {
    buffers: Vec<Buffer<E>>,
    /// By stage.
    buffer: Vec<usize>,
}

impl<E: Element> Derivatives<E> {
    fn new(stages: &[Stage<E>]) -> Self {
        let mut lengths: Vec<usize> = Vec::new();
        let mut buffer = vec![None; stages.len()];
        let mut free = Vec::new();
        for index in (0..stages.len()).rev() {
            let mut take = |place: Place, buffer: &mut Vec<Option<usize>>| {
                let Some(stage) = place.checked_sub(1).filter(|stage| buffer[*stage].is_none()) else {
                    return;
                };
                let taken = free.pop().unwrap_or_else(|| {
                    lengths.push(0);
                    lengths.len() - 1
                });
                lengths[taken] = lengths[taken].max(stages[stage].output_length);
                buffer[stage] = Some(taken);
            };
            take(index + 1, &mut buffer);
            let input = stages[index].input;
            let in_place = match &stages[index].operation {
                Operation::Sum(Sum { other, .. }) => {
                    take(other.place, &mut buffer);
                    true
                }
                Operation::Layer(layer) => layer.differentiates_in_place(),
            };
            let first = input.place.checked_sub(1).filter(|stage| in_place && buffer[*stage].is_none());
            if let Some(stage) = first {
                buffer[stage] = buffer[index];
                continue;
            }
            take(input.place, &mut buffer);
            free.extend(buffer[index]);
        }
        Self {
            buffers: lengths.into_iter().map(|length| Buffer::zeros(GROUP * length)).collect(),
            buffer: buffer.into_iter().map(|buffer| buffer.expect("every stage has taken one")).collect(),
        }
    }

    /// That of a place which is a stage's output.
    fn of(&mut self, place: Place) -> &mut [E] {
        &mut self.buffers[self.buffer[place - 1]]
    }

    /// Whether a place's derivative is in the other's buffer.
    fn is_one(&self, one: Place, other: Place) -> bool {
        self.buffer[one - 1] == self.buffer[other - 1]
    }

    /// Those of two places that are needed at the same time.
    fn both(&mut self, one: Place, other: Place) -> [&mut [E]; 2] {
        let buffers = [one, other].map(|place| self.buffer[place - 1]);
        let buffers = self.buffers.get_disjoint_mut(buffers).expect("what is in use is not free");
        buffers.map(|buffer| &mut **buffer)
    }
}

fn add_to<E: Element>(values: &[E], sums: &mut [E]) {
    sums.iter_mut().zip(values).for_each(|(sum, value)| *sum += *value);
}
