//! A thread's way through the network with one group of images, and back.

use crate::{
    StepTimes,
    layers::{Context, GROUP, Group, Memory, MemorySize, Pass},
    network::{Operand, Operation, Stage},
};
use kernels::{Buffer, Element};
use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// What is made of a layer's input, given the layer's name.
pub(crate) type Change<'a, E> = dyn Fn(&str, &mut [E]) + Sync + 'a;

/// A thread's memory for the activations of one group of images and their derivatives.
pub(crate) struct Workspace<E> {
    /// By stage.
    stages: Vec<WorkspaceStage<E>>,
    /// A derivative with respect to a place that other stages read too, before it is added to theirs.
    share: Buffer<E>,
    /// As [`StepTimes::batch`].
    pub(crate) batch: Duration,
}

struct WorkspaceStage<E> {
    output: Buffer<E>,
    d_output: Buffer<E>,
    scratch: Memory<E>,
    forward: Duration,
    backward: Duration,
}

impl<E: Element> WorkspaceStage<E> {
    fn new(stage: &Stage<E>) -> Self {
        Self {
            output: Buffer::zeros(GROUP * stage.output_length),
            d_output: Buffer::zeros(GROUP * stage.output_length),
            scratch: Memory::new(stage.layer().map_or(MemorySize::default(), |layer| layer.scratch())),
            forward: Duration::ZERO,
            backward: Duration::ZERO,
        }
    }
}

impl<E: Element> Workspace<E> {
    /// For images of so many pixels.
    pub(crate) fn new(stages: &[Stage<E>], input_length: usize) -> Self {
        let length = |operand: &Operand| match operand.place {
            0 => input_length,
            place => stages[place - 1].output_length,
        };
        let shared = stages.iter().map(|stage| &stage.input).filter(|operand| operand.shared);
        Self {
            stages: stages.iter().map(WorkspaceStage::new).collect(),
            share: Buffer::zeros(GROUP * shared.map(length).max().unwrap_or(0)),
            batch: Duration::ZERO,
        }
    }

    /// The current thread's workspace. Nothing that holds one waits for other tasks, so the lock is free unless there are more
    /// threads than when the model was built.
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
            let start = Instant::now();
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
                Operation::Sum(other) => {
                    let both = values(stage.input).iter().zip(values(*other));
                    output.iter_mut().zip(both).for_each(|(sum, (one, other))| *sum = *one + *other);
                }
            }
            workspace.forward += start.elapsed();
        }
        let last = stages.len() - 1;
        &self.stages[last].output[..images * stages[last].output_length]
    }

    /// The place of the derivative with respect to the logits.
    pub(crate) fn d_logits(&mut self, length: usize) -> &mut [E] {
        let last = self.stages.len() - 1;
        &mut self.stages[last].d_output[..length]
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
            let start = Instant::now();
            match &stage.operation {
                Operation::Layer(layer) => {
                    let (input, mut d_place) = match stage.input.place {
                        0 => (input, d_input.as_deref_mut()),
                        place => {
                            let length = images * stages[place - 1].output_length;
                            let WorkspaceStage { output, d_output, .. } = &mut before[place - 1];
                            let wanted = stage.input.learnt || d_input.is_some();
                            (&output[..length], wanted.then_some(&mut d_output[..length]))
                        }
                    };
                    let is_shared = stage.input.shared && d_place.is_some();
                    let d_input = match &mut d_place {
                        Some(d_place) if is_shared => Some(&mut self.share[..d_place.len()]),
                        d_place => d_place.as_deref_mut(),
                    };
                    layer.backward(Pass {
                        context,
                        parameters: &parameters[stage.parameters.clone()],
                        input,
                        output: &workspace.output[..length],
                        d_output: &mut workspace.d_output[..length],
                        d_input,
                        scratch: &mut workspace.scratch,
                        kept: &mut group.kept[index],
                    });
                    if let (Some(d_place), true) = (d_place, is_shared) {
                        add(&self.share[..d_place.len()], d_place);
                    }
                }
                Operation::Sum(other) => {
                    let d_sum = &workspace.d_output[..length];
                    for operand in [stage.input, *other] {
                        let d_place = match operand.place {
                            0 => d_input.as_deref_mut(),
                            _ if !(operand.learnt || d_input.is_some()) => None,
                            place => Some(&mut before[place - 1].d_output[..length]),
                        };
                        match d_place {
                            Some(d_place) if operand.shared => add(d_sum, d_place),
                            Some(d_place) => d_place.copy_from_slice(d_sum),
                            None => {}
                        }
                    }
                }
            }
            workspace.backward += start.elapsed();
        }
    }
}

fn add<E: Element>(values: &[E], sums: &mut [E]) {
    sums.iter_mut().zip(values).for_each(|(sum, value)| *sum += *value);
}
