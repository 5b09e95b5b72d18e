//! Functions of one value as a layer of their own: forward, and backward.
//!
//! Errors on every instruction set, in units of the last place (the tests hold all to them): GELU and SiLU within
//! 6 units for float32 and 8 for float64, as far as x where they stop (−12.8 and −87 for float32, −37 and −708 for
//! float64): below it they stay what they are there, within 1e-35 of the true value. The derivatives of both are
//! within 4 roundings of 1. `tanh` and the sigmoid are those of [`crate::activation`].

use crate::{
    Element, InstructionSet,
    activation::{clamp, sigmoid, sigmoid_and_rest, tanh},
    check_length,
    gelu::{gelu, gelu_derivative},
    vector::Vector,
    walk::{Step, Walk},
};

/// A function of one value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Nonlinearity {
    /// max(x, 0); the derivative at 0 is 0.
    Relu,
    /// x above 0, else `slope` · x; the derivative at 0 is the slope (Maas, Hannun and Ng, 2013).
    LeakyRelu {
        /// The factor below 0.
        slope: f64,
    },
    /// x · Φ(x) with the standard normal distribution Φ(x) = ½ (1 + erf(x / √2)) (Hendrycks and Gimpel, 2016).
    Gelu,
    /// x / (1 + e⁻ˣ) (Elfwing, Uchibe and Doya, 2018).
    Silu,
    /// tanh x.
    Tanh,
    /// 1 / (1 + e⁻ˣ).
    Sigmoid,
}

/// One function on vectors.
trait Function<E: Element>: Copy {
    fn forward<V: Vector<Element = E>>(self, x: V) -> V;
    /// `dy` times the derivative at x, where the function is y.
    fn backward<V: Vector<Element = E>>(self, x: V, y: V, dy: V) -> V;
}

#[derive(Clone, Copy)]
struct Relu;
impl<E: Element> Function<E> for Relu {
    #[inline(always)]
    fn forward<V: Vector<Element = E>>(self, x: V) -> V {
        x.maximum(x.like(E::ZERO))
    }
    #[inline(always)]
    fn backward<V: Vector<Element = E>>(self, x: V, _: V, dy: V) -> V {
        let zero = x.like(E::ZERO);
        zero.select_less_equal(dy, x, zero)
    }
}

#[derive(Clone, Copy)]
struct LeakyRelu<E> {
    slope: E,
}
impl<E: Element> Function<E> for LeakyRelu<E> {
    #[inline(always)]
    fn forward<V: Vector<Element = E>>(self, x: V) -> V {
        x.mul(x.like(self.slope)).select_less_equal(x, x, x.like(E::ZERO))
    }
    #[inline(always)]
    fn backward<V: Vector<Element = E>>(self, x: V, _: V, dy: V) -> V {
        dy.mul(x.like(self.slope)).select_less_equal(dy, x, x.like(E::ZERO))
    }
}

#[derive(Clone, Copy)]
struct Gelu;
impl<E: Element> Function<E> for Gelu {
    #[inline(always)]
    fn forward<V: Vector<Element = E>>(self, x: V) -> V {
        gelu(x)
    }
    #[inline(always)]
    fn backward<V: Vector<Element = E>>(self, x: V, _: V, dy: V) -> V {
        dy.mul(gelu_derivative(x))
    }
}

#[derive(Clone, Copy)]
struct Silu;
impl<E: Element> Function<E> for Silu {
    #[inline(always)]
    fn forward<V: Vector<Element = E>>(self, x: V) -> V {
        x.maximum(x.like(-E::EXPONENTIAL_LIMIT)).mul(sigmoid(x))
    }
    /// s + x · s · (1 − s) for s = sigmoid(x).
    #[inline(always)]
    fn backward<V: Vector<Element = E>>(self, x: V, _: V, dy: V) -> V {
        let x = clamp(x, E::EXPONENTIAL_LIMIT);
        let (s, rest) = sigmoid_and_rest(x);
        dy.mul(x.mul(rest).mul_add(s, s))
    }
}

#[derive(Clone, Copy)]
struct Tanh;
impl<E: Element> Function<E> for Tanh {
    #[inline(always)]
    fn forward<V: Vector<Element = E>>(self, x: V) -> V {
        tanh(x)
    }
    #[inline(always)]
    fn backward<V: Vector<Element = E>>(self, _: V, y: V, dy: V) -> V {
        let one = y.like(E::ONE);
        dy.mul(one.sub(y).mul(one.add(y)))
    }
}

#[derive(Clone, Copy)]
struct Sigmoid;
impl<E: Element> Function<E> for Sigmoid {
    #[inline(always)]
    fn forward<V: Vector<Element = E>>(self, x: V) -> V {
        sigmoid(x)
    }
    #[inline(always)]
    fn backward<V: Vector<Element = E>>(self, _: V, y: V, dy: V) -> V {
        dy.mul(y.mul(y.like(E::ONE).sub(y)))
    }
}

/// `output` = f(`input`); overwrites.
///
/// # Panics
/// When the lengths differ.
pub fn forward<E: Element>(set: InstructionSet, function: Nonlinearity, input: &[E], output: &mut [E]) {
    check_length!(output, [input.len()]);
    match function {
        Nonlinearity::Relu => run_forward(set, Relu, input, output),
        Nonlinearity::LeakyRelu { slope } => {
            run_forward(set, LeakyRelu { slope: E::from_f64(slope) }, input, output);
        }
        Nonlinearity::Gelu => run_forward(set, Gelu, input, output),
        Nonlinearity::Silu => run_forward(set, Silu, input, output),
        Nonlinearity::Tanh => run_forward(set, Tanh, input, output),
        Nonlinearity::Sigmoid => run_forward(set, Sigmoid, input, output),
    }
}

/// `d_input` = `d_output` · f′(`input`), where `output` is that of [`forward`]; overwrites.
///
/// # Panics
/// When the lengths differ.
pub fn backward<E: Element>(
    set: InstructionSet,
    function: Nonlinearity,
    input: &[E],
    output: &[E],
    d_output: &[E],
    d_input: &mut [E],
) {
    check_length!(output, [input.len()]);
    check_length!(d_output, [input.len()]);
    check_length!(d_input, [input.len()]);
    let slices = Slices { input, output, d_output, d_input };
    match function {
        Nonlinearity::Relu => run_backward(set, Relu, slices),
        Nonlinearity::LeakyRelu { slope } => {
            run_backward(set, LeakyRelu { slope: E::from_f64(slope) }, slices);
        }
        Nonlinearity::Gelu => run_backward(set, Gelu, slices),
        Nonlinearity::Silu => run_backward(set, Silu, slices),
        Nonlinearity::Tanh => run_backward(set, Tanh, slices),
        Nonlinearity::Sigmoid => run_backward(set, Sigmoid, slices),
    }
}

struct Forward<'a, E, F> {
    function: F,
    input: &'a [E],
    output: &'a mut [E],
}

impl<E: Element, F: Function<E>> Step<E> for Forward<'_, E, F> {
    #[inline(always)]
    unsafe fn step<V: Vector<Element = E>>(&mut self, at: usize, _: usize, count: usize) {
        // SAFETY: the slices are of the walk's length, and the caller's promise.
        unsafe {
            let x = V::load_first(self.input.as_ptr().add(at), count);
            self.function.forward(x).store_first(self.output.as_mut_ptr().add(at), count);
        }
    }
}

fn run_forward<E: Element, F: Function<E>>(set: InstructionSet, function: F, input: &[E], output: &mut [E]) {
    let length = input.len();
    E::dispatch(set, Walk { length, width: length, step: Forward { function, input, output } });
}

/// Of one length.
struct Slices<'a, E> {
    input: &'a [E],
    output: &'a [E],
    d_output: &'a [E],
    d_input: &'a mut [E],
}

struct Backward<'a, E, F> {
    function: F,
    slices: Slices<'a, E>,
}

impl<E: Element, F: Function<E>> Step<E> for Backward<'_, E, F> {
    #[inline(always)]
    unsafe fn step<V: Vector<Element = E>>(&mut self, at: usize, _: usize, count: usize) {
        // SAFETY: the slices are of the walk's length, and the caller's promise.
        unsafe {
            let x = V::load_first(self.slices.input.as_ptr().add(at), count);
            let y = V::load_first(self.slices.output.as_ptr().add(at), count);
            let dy = V::load_first(self.slices.d_output.as_ptr().add(at), count);
            self.function.backward(x, y, dy).store_first(self.slices.d_input.as_mut_ptr().add(at), count);
        }
    }
}

fn run_backward<E: Element, F: Function<E>>(set: InstructionSet, function: F, slices: Slices<E>) {
    let length = slices.input.len();
    E::dispatch(set, Walk { length, width: length, step: Backward { function, slices } });
}
