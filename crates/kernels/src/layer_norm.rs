//! Layer normalisation (Ba, Kiros and Hinton, 2016) over the last axis.
//!
//! For each row x of `features` values, μ = mean x, σ² = mean (x − μ)², r = 1 / √(σ² + ε), x̂ = r (x − μ) and
//! y = `scale` · x̂ + `offset`. The variance is a second pass over a row that the first level still holds, so that no
//! large mean cancels in it.

use crate::{Element, InstructionSet, check_length, dispatch::Kernel, vector::Vector};

/// Lanes of the widest vector.
const MOST_LANES: usize = 16;

/// The sum of the lanes, in halves.
///
/// # Safety
/// The vector's instructions exist.
#[inline(always)]
unsafe fn sum_lanes<V: Vector>(vector: V) -> V::Element {
    let mut lanes = [V::Element::ZERO; MOST_LANES];
    // SAFETY: no vector is wider, and the caller's promise.
    unsafe { vector.store(lanes.as_mut_ptr()) };
    let mut half = V::LANES / 2;
    while half > 0 {
        for lane in 0..half {
            lanes[lane] += lanes[lane + half];
        }
        half /= 2;
    }
    lanes[0]
}

/// `value` in the first `count` lanes, 0 in the others.
///
/// # Safety
/// The vector's instructions exist, and it has as many lanes.
#[inline(always)]
unsafe fn splat_first<V: Vector>(value: V::Element, count: usize) -> V {
    // SAFETY: no vector is wider than the array, and the caller's promise.
    unsafe {
        if count == V::LANES { V::splat(value) } else { V::load_first([value; MOST_LANES].as_ptr(), count) }
    }
}

/// `body` for each vector of a row, told where it begins and how many elements it has: all lanes, a constant, but for
/// the last. (A closure could stay a call of its own, compiled without the instruction set that this code is for.)
macro_rules! for_vectors {
    ($vector:ident, $length:expr, |$at:ident, $count:ident| $body:block) => {{
        let whole = $length - $length % $vector::LANES;
        let mut $at = 0;
        while $at < whole {
            let $count = $vector::LANES;
            $body
            $at += $vector::LANES;
        }
        if whole < $length {
            let $count = $length - whole;
            $body
        }
    }};
}

/// x̂ of `count` elements; 0 in the other lanes.
///
/// # Safety
/// The vector's instructions exist, it has at least `count` lanes, and there are so many elements.
#[inline(always)]
unsafe fn normalise<V: Vector>(
    x: *const V::Element,
    count: usize,
    mean: V::Element,
    inverse: V::Element,
) -> V {
    // SAFETY: the caller's promise.
    unsafe { V::load_first(x, count).sub(splat_first(mean, count)).mul(V::splat(inverse)) }
}

/// `output` from `input`, both `[rows, features]` with `features` = `scale.len()`; overwrites `output` and what
/// [`backward`] needs of each row: `means` (μ) and `inverse_deviations` (r).
///
/// # Panics
/// When a length does not fit or there are no features.
#[expect(clippy::too_many_arguments, reason = "the tensors of one equation")]
pub fn forward<E: Element>(
    set: InstructionSet,
    epsilon: f64,
    input: &[E],
    scale: &[E],
    offset: &[E],
    output: &mut [E],
    means: &mut [E],
    inverse_deviations: &mut [E],
) {
    let features = scale.len();
    assert!(features > 0, "no features");
    check_length!(offset, [features]);
    check_length!(input, [means.len(), features]);
    check_length!(output, [means.len(), features]);
    check_length!(inverse_deviations, [means.len()]);
    let epsilon = E::from_f64(epsilon);
    E::dispatch(set, Forward { epsilon, input, scale, offset, output, means, inverse_deviations });
}

struct Forward<'a, E> {
    epsilon: E,
    input: &'a [E],
    scale: &'a [E],
    offset: &'a [E],
    output: &'a mut [E],
    means: &'a mut [E],
    inverse_deviations: &'a mut [E],
}

impl<E: Element> Kernel<E> for Forward<'_, E> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<V: Vector<Element = E>>(self) {
        let features = self.scale.len();
        let share = E::ONE / E::from_f64(features as f64);
        for row in 0..self.means.len() {
            // SAFETY: the caller vouches for the instructions; vectors lie within a row, whose lengths were checked.
            unsafe {
                let x = self.input.as_ptr().add(row * features);
                let y = self.output.as_mut_ptr().add(row * features);
                let mut sum = V::zero();
                for_vectors!(V, features, |at, count| {
                    sum = sum.add(V::load_first(x.add(at), count));
                });
                let mean = sum_lanes(sum) * share;
                let mut squares = V::zero();
                for_vectors!(V, features, |at, count| {
                    let centred = V::load_first(x.add(at), count).sub(splat_first(mean, count));
                    squares = centred.mul_add(centred, squares);
                });
                let inverse_deviation = E::ONE / (sum_lanes(squares) * share + self.epsilon).sqrt();
                for_vectors!(V, features, |at, count| {
                    let normalised: V = normalise(x.add(at), count, mean, inverse_deviation);
                    let scale = V::load_first(self.scale.as_ptr().add(at), count);
                    let offset = V::load_first(self.offset.as_ptr().add(at), count);
                    normalised.mul_add(scale, offset).store_first(y.add(at), count);
                });
                self.means[row] = mean;
                self.inverse_deviations[row] = inverse_deviation;
            }
        }
    }
}

/// The tensors of a backward pass.
pub struct Backward<'a, E> {
    /// `[rows, features]`, as it was.
    pub input: &'a [E],
    /// γ `[features]`.
    pub scale: &'a [E],
    /// μ `[rows]` of [`forward`].
    pub means: &'a [E],
    /// r `[rows]` of [`forward`].
    pub inverse_deviations: &'a [E],
    /// `[rows, features]`.
    pub d_output: &'a [E],
}

/// The derivatives: dγ = Σ dy · x̂ and dβ = Σ dy over the rows, both added to what is there, and, where asked for,
/// dx = r (g − mean g − x̂ · mean (g · x̂)) with g = γ · dy, overwritten.
///
/// # Panics
/// When a length does not fit or there are no features.
pub fn backward<E: Element>(
    set: InstructionSet,
    pass: Backward<E>,
    d_scale: &mut [E],
    d_offset: &mut [E],
    d_input: Option<&mut [E]>,
) {
    let Backward { input, scale, means, inverse_deviations, d_output } = pass;
    let features = scale.len();
    assert!(features > 0, "no features");
    check_length!(d_scale, [features]);
    check_length!(d_offset, [features]);
    check_length!(input, [means.len(), features]);
    check_length!(d_output, [means.len(), features]);
    check_length!(inverse_deviations, [means.len()]);
    if let Some(d_input) = &d_input {
        check_length!(d_input, [means.len(), features]);
    }
    E::dispatch(set, Derivatives { pass, d_scale, d_offset, d_input });
}

struct Derivatives<'a, E> {
    pass: Backward<'a, E>,
    d_scale: &'a mut [E],
    d_offset: &'a mut [E],
    d_input: Option<&'a mut [E]>,
}

impl<E: Element> Kernel<E> for Derivatives<'_, E> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<V: Vector<Element = E>>(mut self) {
        let features = self.pass.scale.len();
        let share = E::ONE / E::from_f64(features as f64);
        // The last vector of a row, where it is not full, is summed in registers: what was stored in part cannot be loaded
        // again without a wait, which few features would not hide.
        // SAFETY: the caller vouches for the instructions.
        let (mut last_scale, mut last_offset) = unsafe { (V::zero(), V::zero()) };
        for (row, (mean, inverse)) in self.pass.means.iter().zip(self.pass.inverse_deviations).enumerate() {
            // SAFETY: the caller vouches for the instructions; vectors lie within a row, whose lengths were checked.
            unsafe {
                let x = self.pass.input.as_ptr().add(row * features);
                let dy = self.pass.d_output.as_ptr().add(row * features);
                let (mut sum, mut product_sum) = (V::zero(), V::zero());
                for_vectors!(V, features, |at, count| {
                    let normalised: V = normalise(x.add(at), count, *mean, *inverse);
                    let dy = V::load_first(dy.add(at), count);
                    let g = V::load_first(self.pass.scale.as_ptr().add(at), count).mul(dy);
                    sum = sum.add(g);
                    product_sum = g.mul_add(normalised, product_sum);
                    if count == V::LANES {
                        let d_scale = self.d_scale.as_mut_ptr().add(at);
                        dy.mul_add(normalised, V::load(d_scale)).store(d_scale);
                        let d_offset = self.d_offset.as_mut_ptr().add(at);
                        dy.add(V::load(d_offset)).store(d_offset);
                    } else {
                        last_scale = dy.mul_add(normalised, last_scale);
                        last_offset = last_offset.add(dy);
                    }
                });
                let Some(d_input) = &mut self.d_input else { continue };
                let dx = d_input.as_mut_ptr().add(row * features);
                let mean_g = V::splat(-sum_lanes(sum) * share);
                let mean_product = V::splat(-sum_lanes(product_sum) * share);
                for_vectors!(V, features, |at, count| {
                    let normalised: V = normalise(x.add(at), count, *mean, *inverse);
                    let scale = V::load_first(self.pass.scale.as_ptr().add(at), count);
                    let g = V::load_first(dy.add(at), count).mul(scale);
                    let rest = normalised.mul_add(mean_product, g.add(mean_g));
                    rest.mul(V::splat(*inverse)).store_first(dx.add(at), count);
                });
            }
        }
        let (at, count) = (features - features % V::LANES, features % V::LANES);
        for (last, sums) in [(last_scale, self.d_scale), (last_offset, self.d_offset)] {
            // SAFETY: the caller vouches for the instructions; `count` elements from `at` on lie within both.
            unsafe {
                let sums = sums.as_mut_ptr().add(at);
                last.add(V::load_first(sums, count)).store_first(sums, count);
            }
        }
    }
}
