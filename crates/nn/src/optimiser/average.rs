//! A moving average of the parameters.

use super::TASK_PARAMETERS;
use kernels::{Buffer, Element, InstructionSet, optimiser::approach};
use rayon::prelude::*;

/// An exponential moving average of all of a model's parameters over the steps (Polyak and Juditsky, 1992, in the form
/// of Tarvainen and Valpola, 2017).
///
/// After step t, counted from 1: a ← dₜ·a + (1 − dₜ)·p with dₜ = min(decay, (1 + t) / (10 + t)). The decay grows into its
/// value, so that the initial parameters, drawn at random, are soon forgotten: with a decay of 0.99 its value is
/// reached at step 890, by when their share is below 1e-14.
#[derive(Debug, Clone)]
pub struct MovingAverage<E: Element> {
    decay: f64,
    steps: u64,
    average: Buffer<E>,
}

impl<E: Element> MovingAverage<E> {
    /// Before the first step from `parameters`.
    ///
    /// # Panics
    /// When `decay` is not of 0..1.
    pub fn new(decay: f64, parameters: &[E]) -> Self {
        assert!((0.0..1.0).contains(&decay), "a decay of {decay}");
        let mut average = Buffer::zeros(parameters.len());
        average.copy_from_slice(parameters);
        Self { decay, steps: 0, average }
    }

    /// Takes in the parameters after a step.
    ///
    /// # Panics
    /// When there are not as many as at first.
    pub(crate) fn add(&mut self, set: InstructionSet, parameters: &[E]) {
        assert_eq!(parameters.len(), self.average.len(), "parameters");
        self.steps += 1;
        let t = self.steps as f64;
        let fraction = 1.0 - f64::min(self.decay, (1.0 + t) / (10.0 + t));
        self.average
            .par_chunks_mut(TASK_PARAMETERS)
            .zip(parameters.par_chunks(TASK_PARAMETERS))
            .for_each(|(average, parameters)| approach(set, fraction, parameters, average));
    }

    /// The average.
    pub fn values(&self) -> &[E] {
        &self.average
    }

    /// The average, to be exchanged with a model's parameters and back.
    pub fn values_mut(&mut self) -> &mut [E] {
        &mut self.average
    }
}
