//! Adam (Kingma and Ba, 2015, algorithm 1); with [`Decay::Parameter`](super::Decay::Parameter) it is AdamW
//! (Loshchilov and Hutter, 2019, algorithm 2).

use super::{Rule, StepSize, TINY_GRADIENT, TINY_MOMENT, Update, without_tiny};
use crate::{Element, InstructionSet, check_length, vector::Vector};

/// Adam's constants.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Adam {
    /// Decay β₁ of the first moment, a fraction.
    pub beta_1: f64,
    /// Decay β₂ of the second moment, a fraction.
    pub beta_2: f64,
    /// Added to the root of the uncorrected second moment, as Keras does ("epsilon hat" of section 2).
    pub epsilon: f64,
}

/// Updates a slice of the parameters in step `step`, counted from 1.
///
/// m ← m + (1 − β₁)(g − m), v ← v + (1 − β₂)(g² − v), w ← w − α·m / (√v + ε)
/// with α = `learning_rate` · √(1 − β₂ᵗ) / (1 − β₁ᵗ). Decay and the gradient's scale are as [`StepSize`] says, a decay of the
/// parameters by the learning rate itself.
///
/// A gradient or moment that is too small to change a parameter, below 1e-16 and 1e-30, counts as zero. Where a
/// gradient stays zero, as for a pixel that is never drawn, m would otherwise shrink until it is subnormal, and then
/// cost a hundred times an ordinary number at every step: measured, 0.09 s of an epoch became 0.6 s by the fourth.
///
/// # Panics
/// When the lengths differ or `step` is 0.
#[expect(clippy::too_many_arguments, reason = "four arrays in step, and what moves them")]
pub fn adam_step<E: Element>(
    set: InstructionSet,
    adam: Adam,
    pace: StepSize,
    step: u64,
    parameters: &mut [E],
    gradient: &[E],
    first_moment: &mut [E],
    second_moment: &mut [E],
) {
    assert!(step > 0, "steps are counted from 1");
    check_length!(gradient, [parameters.len()]);
    check_length!(first_moment, [parameters.len()]);
    check_length!(second_moment, [parameters.len()]);
    let t = step as f64;
    let corrections = [adam.beta_1, adam.beta_2].map(|beta| 1.0 - libm::pow(beta, t));
    let rate = pace.learning_rate * corrections[1].sqrt() / corrections[0];
    let rule = AdamRule {
        rate: E::from_f64(rate),
        one_minus_beta_1: E::from_f64(1.0 - adam.beta_1),
        one_minus_beta_2: E::from_f64(1.0 - adam.beta_2),
        epsilon: E::from_f64(adam.epsilon),
    };
    let states = [first_moment, second_moment];
    E::dispatch(set, Update { rule, pace, parameters, gradient, states });
}

struct AdamRule<E> {
    rate: E,
    one_minus_beta_1: E,
    one_minus_beta_2: E,
    epsilon: E,
}

impl<E: Element> Rule<E, 2> for AdamRule<E> {
    #[inline(always)]
    fn apply<V: Vector<Element = E>>(&self, gradient: V, [m, v]: &mut [V; 2]) -> V {
        let g = without_tiny(gradient, TINY_GRADIENT);
        *m = without_tiny(g.sub(*m).mul_add(g.like(self.one_minus_beta_1), *m), TINY_MOMENT);
        *v = without_tiny(g.mul(g).sub(*v).mul_add(g.like(self.one_minus_beta_2), *v), TINY_MOMENT);
        g.like(self.rate).mul(*m).div(v.sqrt().add(g.like(self.epsilon)))
    }
}
