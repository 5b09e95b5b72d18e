//! Gradient descent with momentum (Polyak, 1964), Nesterov's too (1983; as Sutskever et al., 2013, write it).

use super::{Rule, StepSize, TINY_MOMENT, Update, without_tiny};
use crate::{Element, InstructionSet, check_length, vector::Vector};

/// The constants of gradient descent with momentum.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Momentum {
    /// What is left of the velocity after a step, μ, a fraction; 0 is plain gradient descent.
    pub momentum: f64,
    /// Whether the gradient counts as if it had been taken after the velocity's next step.
    pub nesterov: bool,
}

/// Updates a slice of the parameters.
///
/// v ← μ·v + g, w ← w − α·v, or w ← w − α(g + μ·v) after Nesterov.
///
/// The velocity is in units of the gradient, so that a new learning rate holds at once for all of it; at a constant one
/// this is Keras's, whose velocity is −α·v. A velocity below 1e-30 counts as zero: it would become subnormal, which
/// costs a hundred times an ordinary number.
///
/// # Panics
/// When the lengths differ.
pub fn momentum_step<E: Element>(
    set: InstructionSet,
    constants: Momentum,
    pace: StepSize,
    parameters: &mut [E],
    gradient: &[E],
    velocity: &mut [E],
) {
    check_length!(gradient, [parameters.len()]);
    check_length!(velocity, [parameters.len()]);
    let rule = MomentumRule {
        rate: E::from_f64(pace.learning_rate),
        momentum: E::from_f64(constants.momentum),
        nesterov: constants.nesterov,
    };
    E::dispatch(set, Update { rule, pace, parameters, gradient, states: [velocity] });
}

struct MomentumRule<E> {
    rate: E,
    momentum: E,
    nesterov: bool,
}

impl<E: Element> Rule<E, 1> for MomentumRule<E> {
    #[inline(always)]
    fn apply<V: Vector<Element = E>>(&self, gradient: V, [velocity]: &mut [V; 1]) -> V {
        let momentum = gradient.like(self.momentum);
        *velocity = without_tiny(velocity.mul_add(momentum, gradient), TINY_MOMENT);
        let direction = if self.nesterov { velocity.mul_add(momentum, gradient) } else { *velocity };
        gradient.like(self.rate).mul(direction)
    }
}
