//! Steps of the parameters against their gradient, each in one pass over memory.
//!
//! An optimiser is a rule: what one vector of parameters moves by, from its gradient and what the optimiser
//! remembers of the steps before. One loop walks the slices; decay and clipping are the same for all, in [`StepSize`].

mod adam;
mod momentum;
mod rms_prop;

pub use adam::{Adam, adam_step};
pub use momentum::{Momentum, momentum_step};
pub use rms_prop::{RmsProp, rms_prop_step};

use crate::{Element, InstructionSet, check_length, dispatch::Kernel, vector::Vector};

/// How far a step goes, whatever the optimiser.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StepSize {
    /// The step size α.
    pub learning_rate: f64,
    /// What the gradient is multiplied by before anything else: below 1 where it is clipped.
    pub gradient_scale: f64,
    /// What draws the parameters to zero.
    pub decay: Decay,
}

impl StepSize {
    /// Of a gradient as it is, without decay.
    pub fn of(learning_rate: f64) -> Self {
        Self { learning_rate, gradient_scale: 1.0, decay: Decay::None }
    }
}

/// Weight decay λ.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Decay {
    /// None.
    None,
    /// λ·w joins the gradient, as the derivative of ½λ·w² would.
    Gradient(f64),
    /// w shrinks by α·λ·w beside the step (Loshchilov and Hutter, 2019).
    Parameter(f64),
}

/// What a vector of parameters moves by.
trait Rule<E: Element, const STATES: usize> {
    /// From the gradient, what is to be subtracted from the parameters; `states` are brought forward by a step.
    fn apply<V: Vector<Element = E>>(&self, gradient: V, states: &mut [V; STATES]) -> V;
}

/// A rule applied to every parameter: w ← (1 − α·λ)·w − rule(s·g + λ·w), with one λ or the other zero.
struct Update<'a, E, R, const STATES: usize> {
    rule: R,
    pace: StepSize,
    parameters: &'a mut [E],
    gradient: &'a [E],
    /// As long as `parameters`, which the entry points check.
    states: [&'a mut [E]; STATES],
}

impl<E: Element, R: Rule<E, STATES>, const STATES: usize> Kernel<E> for Update<'_, E, R, STATES> {
    type Output = ();
    #[inline(always)]
    unsafe fn run<V: Vector<Element = E>>(self) {
        let Self { rule, pace, parameters, gradient, mut states } = self;
        // Factors of 1 and summands of 0 leave every bit as it is: without decay and clipping nothing changes.
        let (into_gradient, kept) = match pace.decay {
            Decay::None => (0.0, 1.0),
            Decay::Gradient(decay) => (decay, 1.0),
            Decay::Parameter(decay) => (0.0, 1.0 - pace.learning_rate * decay),
        };
        let [scale, into_gradient, kept] = [pace.gradient_scale, into_gradient, kept].map(E::from_f64);
        let mut at = 0;
        while at < parameters.len() {
            let count = V::LANES.min(parameters.len() - at);
            // SAFETY: `count` elements from `at` on lie within all slices, which are of one length.
            unsafe {
                let (scale, kept) = (V::splat(scale), V::splat(kept));
                let w_at = parameters.as_mut_ptr().add(at);
                let w = V::load_first(w_at, count);
                let g = V::load_first(gradient.as_ptr().add(at), count);
                let g = w.mul_add(V::splat(into_gradient), g.mul(scale));
                let mut now = [V::zero(); STATES];
                for (now, state) in now.iter_mut().zip(&states) {
                    *now = V::load_first(state.as_ptr().add(at), count);
                }
                let update = rule.apply(g, &mut now);
                for (now, state) in now.iter().zip(&mut states) {
                    now.store_first(state.as_mut_ptr().add(at), count);
                }
                w.mul(kept).sub(update).store_first(w_at, count);
            }
            at += count;
        }
    }
}

/// Brings `values` nearer to `targets` by a fraction of the way: v ← v + c(t − v).
///
/// The step of an exponential moving average.
///
/// # Panics
/// When the lengths differ.
pub fn approach<E: Element>(set: InstructionSet, fraction: f64, targets: &[E], values: &mut [E]) {
    struct Approach<'a, E> {
        fraction: E,
        targets: &'a [E],
        values: &'a mut [E],
    }
    impl<E: Element> Kernel<E> for Approach<'_, E> {
        type Output = ();
        #[inline(always)]
        unsafe fn run<V: Vector<Element = E>>(self) {
            let Self { fraction, targets, values } = self;
            let mut at = 0;
            while at < values.len() {
                let count = V::LANES.min(values.len() - at);
                // SAFETY: `count` elements from `at` on lie within both slices.
                unsafe {
                    let to = values.as_mut_ptr().add(at);
                    let value = V::load_first(to, count);
                    let way = V::load_first(targets.as_ptr().add(at), count).sub(value);
                    way.mul_add(V::splat(fraction), value).store_first(to, count);
                }
                at += count;
            }
        }
    }
    check_length!(targets, [values.len()]);
    E::dispatch(set, Approach { fraction: E::from_f64(fraction), targets, values });
}

/// Σ x², in f64 whatever the element: eight sums over every eighth value, added in their order.
///
/// The same on every instruction set, and for whoever adds up slices in a fixed order on any number of threads.
pub fn sum_of_squares<E: Element>(values: &[E]) -> f64 {
    const SUMS: usize = 8;
    let mut sums = [0.0; SUMS];
    let (chunks, rest) = values.as_chunks::<SUMS>();
    for chunk in chunks {
        for (sum, value) in sums.iter_mut().zip(chunk) {
            *sum += value.to_f64() * value.to_f64();
        }
    }
    for (sum, value) in sums.iter_mut().zip(rest) {
        *sum += value.to_f64() * value.to_f64();
    }
    sums.iter().sum()
}

/// Its square and a thousandth of that are still normal numbers. Under a rule that divides by the gradient's own size it
/// moves a parameter by less than 1e-9 of the learning rate.
const TINY_GRADIENT: f64 = 1e-16;

/// A first moment of this size moves a parameter by 1e-23 of the learning rate; the root of such a second moment
/// vanishes beside ε.
const TINY_MOMENT: f64 = 1e-30;

/// Zero where −`tiny` < value < `tiny`; a NaN stays.
#[inline(always)]
fn without_tiny<V: Vector>(value: V, tiny: f64) -> V {
    let (zero, tiny) = (value.like(V::Element::ZERO), V::Element::from_f64(tiny));
    let negative = zero.select_less_equal(value, value.like(-tiny), value);
    value.select_less_equal(negative, value.like(tiny), value)
}
