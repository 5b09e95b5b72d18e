//! A thread's way through the network with one group of images, and back.

use crate::{
    layers::{GROUP, Group, Memory, Pass},
    model::StepTimes,
    network::Stage,
};
use kernels::{Buffer, Element};
use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// A thread's memory for the activations of one group of images and their derivatives.
pub(crate) struct Lane<E> {
    /// By stage.
    stages: Vec<LaneStage<E>>,
    /// As [`StepTimes::batch`].
    pub(crate) batch: Duration,
}

struct LaneStage<E> {
    output: Buffer<E>,
    d_output: Buffer<E>,
    scratch: Memory<E>,
    forward: Duration,
    backward: Duration,
}

impl<E: Element> LaneStage<E> {
    fn new(stage: &Stage<E>) -> Self {
        Self {
            output: Buffer::zeros(GROUP * stage.output_length),
            d_output: Buffer::zeros(GROUP * stage.output_length),
            scratch: Memory::new(stage.layer.scratch()),
            forward: Duration::ZERO,
            backward: Duration::ZERO,
        }
    }
}

impl<E: Element> Lane<E> {
    pub(crate) fn new(stages: &[Stage<E>]) -> Self {
        Self { stages: stages.iter().map(LaneStage::new).collect(), batch: Duration::ZERO }
    }

    /// The current thread's lane. Nothing that holds one waits for other tasks, so the lock is free unless there are more
    /// threads than when the model was built.
    pub(crate) fn of_this_thread(lanes: &[Mutex<Self>]) -> MutexGuard<'_, Self> {
        let thread = rayon::current_thread_index().unwrap_or(0);
        lanes[thread % lanes.len()].lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds its times, and begins anew.
    pub(crate) fn take_times(&mut self, times: &mut StepTimes) {
        times.batch += std::mem::take(&mut self.batch);
        for ((_, layer), stage) in times.layers.iter_mut().zip(&mut self.stages) {
            layer.forward += std::mem::take(&mut stage.forward);
            layer.backward += std::mem::take(&mut stage.backward);
        }
    }

    /// The logits of a group.
    pub(crate) fn forward(
        &mut self,
        stages: &[Stage<E>],
        parameters: &[E],
        input: &[E],
        input_length: usize,
    ) -> &[E] {
        let images = input.len() / input_length;
        for (index, stage) in stages.iter().enumerate() {
            let (before, from) = self.stages.split_at_mut(index);
            let input = match before.last() {
                Some(previous) => &previous.output[..images * stages[index - 1].output_length],
                None => input,
            };
            let lane = &mut from[0];
            let output = &mut lane.output[..images * stage.output_length];
            let parameters = &parameters[stage.parameters.clone()];
            let start = Instant::now();
            stage.layer.forward(parameters, input, output, &mut lane.scratch);
            lane.forward += start.elapsed();
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
        stages: &[Stage<E>],
        parameters: &[E],
        input: &[E],
        group: &mut Group<E>,
        mut d_input: Option<&mut [E]>,
    ) {
        for (index, stage) in stages.iter().enumerate().rev() {
            let (before, from) = self.stages.split_at_mut(index);
            let (input, d_input) = match before.last_mut() {
                Some(previous) => {
                    let length = group.images * stages[index - 1].output_length;
                    (&previous.output[..length], Some(&mut previous.d_output[..length]))
                }
                None => (input, d_input.take()),
            };
            let lane = &mut from[0];
            let length = group.images * stage.output_length;
            let pass = Pass { input, output: &lane.output[..length], d_output: &mut lane.d_output[..length] };
            let parameters = &parameters[stage.parameters.clone()];
            let start = Instant::now();
            stage.layer.backward(parameters, pass, d_input, &mut lane.scratch, &mut group.kept[index]);
            lane.backward += start.elapsed();
        }
    }
}
