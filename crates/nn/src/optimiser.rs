//! Updates of the parameters.

use kernels::{Buffer, Element, InstructionSet, adam};
use rayon::prelude::*;

/// Adam with Keras's constants: β₁ = 0.9, β₂ = 0.999, ε = 1e-7.
#[derive(Debug, Clone)]
pub struct Optimiser<E: Element> {
    constants: adam::Adam,
    first_moment: Buffer<E>,
    second_moment: Buffer<E>,
    steps: u64,
}

/// Parameters that one task updates: 64 KiB of each of the four arrays, enough to hide what a task costs.
const TASK_PARAMETERS: usize = 16 << 10;

impl<E: Element> Optimiser<E> {
    /// Before the first step, for so many parameters.
    pub fn new(parameters: usize) -> Self {
        Self {
            constants: adam::Adam { beta_1: 0.9, beta_2: 0.999, epsilon: 1e-7 },
            first_moment: Buffer::zeros(parameters),
            second_moment: Buffer::zeros(parameters),
            steps: 0,
        }
    }

    /// Moves the parameters against their gradient.
    ///
    /// # Panics
    /// When the lengths differ from the number that [`Self::new`] was told.
    pub fn step(&mut self, set: InstructionSet, learning_rate: f64, parameters: &mut [E], gradient: &[E]) {
        assert_eq!(parameters.len(), self.first_moment.len(), "parameters");
        assert_eq!(gradient.len(), parameters.len(), "gradient");
        self.steps += 1;
        let (constants, steps) = (self.constants, self.steps);
        parameters
            .par_chunks_mut(TASK_PARAMETERS)
            .zip(gradient.par_chunks(TASK_PARAMETERS))
            .zip(self.first_moment.par_chunks_mut(TASK_PARAMETERS))
            .zip(self.second_moment.par_chunks_mut(TASK_PARAMETERS))
            .for_each(|(((parameters, gradient), first), second)| {
                adam::adam_step(set, constants, learning_rate, steps, parameters, gradient, first, second);
            });
    }
}
