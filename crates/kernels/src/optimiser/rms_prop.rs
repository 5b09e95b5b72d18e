//! RMSprop (Tieleman and Hinton, lecture 6.5 of "Neural Networks for Machine Learning", 2012).

use super::{Rule, StepSize, TINY_GRADIENT, TINY_MOMENT, Update, without_tiny};
use crate::{Element, InstructionSet, check_length, vector::Vector};

/// RMSprop's constants.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RmsProp {
    /// Decay ρ of the mean square, a fraction.
    pub rho: f64,
    /// Added to the mean square under the root, as Keras does.
    pub epsilon: f64,
}

/// Updates a slice of the parameters.
///
/// v ← v + (1 − ρ)(g² − v), w ← w − α·g / √(v + ε).
///
/// A gradient below 1e-16 and a mean square below 1e-30 count as zero, so that neither becomes subnormal.
///
/// # Panics
/// When the lengths differ.
pub fn rms_prop_step<E: Element>(
    set: InstructionSet,
    constants: RmsProp,
    pace: StepSize,
    parameters: &mut [E],
    gradient: &[E],
    mean_square: &mut [E],
) {
    check_length!(gradient, [parameters.len()]);
    check_length!(mean_square, [parameters.len()]);
    let rule = RmsPropRule {
        rate: E::from_f64(pace.learning_rate),
        one_minus_rho: E::from_f64(1.0 - constants.rho),
        epsilon: E::from_f64(constants.epsilon),
    };
    E::dispatch(set, Update { rule, pace, parameters, gradient, states: [mean_square] });
}

struct RmsPropRule<E> {
    rate: E,
    one_minus_rho: E,
    epsilon: E,
}

impl<E: Element> Rule<E, 1> for RmsPropRule<E> {
    #[inline(always)]
    fn apply<V: Vector<Element = E>>(&self, gradient: V, [v]: &mut [V; 1]) -> V {
        let g = without_tiny(gradient, TINY_GRADIENT);
        *v = without_tiny(g.mul(g).sub(*v).mul_add(g.like(self.one_minus_rho), *v), TINY_MOMENT);
        g.like(self.rate).mul(g).div(v.add(g.like(self.epsilon)).sqrt())
    }
}
