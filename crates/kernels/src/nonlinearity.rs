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
    gelu::{gelu, gelu_and_derivative},
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

impl Nonlinearity {
    /// Whether the derivative takes most of the function's operations, so that it is better
    /// [made with it](forward_with_derivative).
    pub fn shares_with_derivative(self) -> bool {
        matches!(self, Self::Gelu | Self::Silu)
    }
}

/// One function on vectors.
trait Function<E: Element>: Copy {
    fn forward<V: Vector<Element = E>>(self, x: V) -> V;
    /// `dy` times the derivative at x, where the function is y.
    fn backward<V: Vector<Element = E>>(self, x: V, y: V, dy: V) -> V;
    /// The function and its derivative at x.
    #[inline(always)]
    fn both<V: Vector<Element = E>>(self, x: V) -> (V, V) {
        let y = self.forward(x);
        (y, self.backward(x, y, x.like(E::ONE)))
    }
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
        dy.mul(gelu_and_derivative(x).1)
    }
    #[inline(always)]
    fn both<V: Vector<Element = E>>(self, x: V) -> (V, V) {
        gelu_and_derivative(x)
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
        dy.mul(self.both(x).1)
    }
    #[inline(always)]
    fn both<V: Vector<Element = E>>(self, x: V) -> (V, V) {
        let (s, rest) = sigmoid_and_rest(x);
        let derivative = clamp(x, E::EXPONENTIAL_LIMIT).mul(rest).mul_add(s, s);
        (x.maximum(x.like(-E::EXPONENTIAL_LIMIT)).mul(s), derivative)
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

/// `body` with the function as a type.
macro_rules! with_function {
    ($function:expr, |$name:ident| $body:expr) => {
        match $function {
            Nonlinearity::Relu => with_function!(@ $name, Relu, $body),
            Nonlinearity::LeakyRelu { slope } => {
                with_function!(@ $name, LeakyRelu { slope: E::from_f64(slope) }, $body)
            }
            Nonlinearity::Gelu => with_function!(@ $name, Gelu, $body),
            Nonlinearity::Silu => with_function!(@ $name, Silu, $body),
            Nonlinearity::Tanh => with_function!(@ $name, Tanh, $body),
            Nonlinearity::Sigmoid => with_function!(@ $name, Sigmoid, $body),
        }
    };
    (@ $name:ident, $value:expr, $body:expr) => {{
        let $name = $value;
        $body
    }};
}

/// `output` = f(`input`); overwrites.
///
/// # Panics
/// When the lengths differ.
pub fn forward<E: Element>(set: InstructionSet, function: Nonlinearity, input: &[E], output: &mut [E]) {
    check_length!(output, [input.len()]);
    with_function!(function, |function| walk(set, input.len(), Forward { function, input, output }));
}

/// As [`forward`]; overwrites `derivative` with f′(`input`) too, for [`backward_with_derivative`].
///
/// # Panics
/// When the lengths differ.
pub fn forward_with_derivative<E: Element>(
    set: InstructionSet,
    function: Nonlinearity,
    input: &[E],
    output: &mut [E],
    derivative: &mut [E],
) {
    check_length!(output, [input.len()]);
    check_length!(derivative, [input.len()]);
    with_function!(function, |function| walk(set, input.len(), Both { function, input, output, derivative }));
}

/// Multiplies `gradient`, of the output, by f′(`input`), where `output` is that of [`forward`].
///
/// # Panics
/// When the lengths differ.
pub fn backward<E: Element>(
    set: InstructionSet,
    function: Nonlinearity,
    input: &[E],
    output: &[E],
    gradient: &mut [E],
) {
    check_length!(output, [input.len()]);
    check_length!(gradient, [input.len()]);
    with_function!(function, |function| walk(
        set,
        input.len(),
        Backward { function, input, output, gradient }
    ));
}

/// As [`backward`], by the derivative of [`forward_with_derivative`].
///
/// # Panics
/// When the lengths differ.
pub fn backward_with_derivative<E: Element>(set: InstructionSet, derivative: &[E], gradient: &mut [E]) {
    check_length!(gradient, [derivative.len()]);
    walk(set, derivative.len(), Multiply { derivative, gradient });
}

fn walk<E: Element>(set: InstructionSet, length: usize, step: impl Step<E>) {
    E::dispatch(set, Walk { length, width: length, step });
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

struct Both<'a, E, F> {
    function: F,
    input: &'a [E],
    output: &'a mut [E],
    derivative: &'a mut [E],
}

impl<E: Element, F: Function<E>> Step<E> for Both<'_, E, F> {
    #[inline(always)]
    unsafe fn step<V: Vector<Element = E>>(&mut self, at: usize, _: usize, count: usize) {
        // SAFETY: the slices are of the walk's length, and the caller's promise.
        unsafe {
            let x = V::load_first(self.input.as_ptr().add(at), count);
            let (y, derivative) = self.function.both(x);
            y.store_first(self.output.as_mut_ptr().add(at), count);
            derivative.store_first(self.derivative.as_mut_ptr().add(at), count);
        }
    }
}

struct Backward<'a, E, F> {
    function: F,
    input: &'a [E],
    output: &'a [E],
    gradient: &'a mut [E],
}

impl<E: Element, F: Function<E>> Step<E> for Backward<'_, E, F> {
    #[inline(always)]
    unsafe fn step<V: Vector<Element = E>>(&mut self, at: usize, _: usize, count: usize) {
        // SAFETY: the slices are of the walk's length, and the caller's promise.
        unsafe {
            let x = V::load_first(self.input.as_ptr().add(at), count);
            let y = V::load_first(self.output.as_ptr().add(at), count);
            let gradient = self.gradient.as_mut_ptr().add(at);
            self.function.backward(x, y, V::load_first(gradient, count)).store_first(gradient, count);
        }
    }
}

struct Multiply<'a, E> {
    derivative: &'a [E],
    gradient: &'a mut [E],
}

impl<E: Element> Step<E> for Multiply<'_, E> {
    #[inline(always)]
    unsafe fn step<V: Vector<Element = E>>(&mut self, at: usize, _: usize, count: usize) {
        // SAFETY: the slices are of the walk's length, and the caller's promise.
        unsafe {
            let derivative = V::load_first(self.derivative.as_ptr().add(at), count);
            let gradient = self.gradient.as_mut_ptr().add(at);
            V::load_first(gradient, count).mul(derivative).store_first(gradient, count);
        }
    }
}
