//! The transformations of F(4×4, 3×3).
//!
//! Two pairs of points ±p and zero. What belongs to +p and −p, the even and the odd part of a polynomial, is computed once.

use super::{Filter, FilterAdjoint, Input, InputAdjoint, Output, OutputAdjoint, TAPS, Transform, constant};
use crate::vector::Vector;

const OUTPUTS: usize = 4;
const PIECE: usize = 6;

/// The points beside zero and infinity are 3/4, −3/4, 3/2 and −3/2. In a model of the arithmetic, sums of 32 channels err twice as
/// much with these as direct sums in the mean; with 1 and 2 four times, with 1/2 and 3/2 two and a half times.
const POINTS: [f64; 2] = [0.75, 1.5];

/// The square of the other pair.
const OTHERS: [f64; 2] = [POINTS[1] * POINTS[1], POINTS[0] * POINTS[0]];

/// Sum and product of the squares.
const SUM: f64 = OTHERS[0] + OTHERS[1];
const PRODUCT: f64 = OTHERS[0] * OTHERS[1];

/// 1 / ∏ (p − q) over all other points q; −p has the same.
const SCALES: [f64; 2] =
    [1.0 / (2.0 * OTHERS[1] * (OTHERS[1] - OTHERS[0])), 1.0 / (2.0 * OTHERS[0] * (OTHERS[0] - OTHERS[1]))];

impl Transform<PIECE, PIECE> for Input {
    #[inline(always)]
    fn apply<V: Vector>(d: [V; PIECE]) -> [V; PIECE] {
        let (sum, product) = (constant(d[0], -SUM), constant(d[0], PRODUCT));
        let zero = d[0].mul_add(product, d[2].mul_add(sum, d[4]));
        let infinity = d[1].mul_add(product, d[3].mul_add(sum, d[5]));
        let mut to = [zero, zero, zero, zero, zero, infinity];
        for (pair, other) in OTHERS.into_iter().enumerate() {
            let even = d[2].mul_add(constant(d[0], -other), d[4]);
            let odd = d[1].mul_add(constant(d[0], -other), d[3]).mul(constant(d[0], POINTS[pair]));
            to[2 * pair] = even.add(odd);
            to[2 * pair + 1] = even.sub(odd);
        }
        to
    }
}

impl Transform<PIECE, PIECE> for InputAdjoint {
    #[inline(always)]
    fn apply<V: Vector>(g: [V; PIECE]) -> [V; PIECE] {
        let (sum, product) = (constant(g[0], -SUM), constant(g[0], PRODUCT));
        let mut to = [g[4].mul(product), g[5].mul(product), g[4].mul(sum), g[5].mul(sum), g[4], g[5]];
        for (pair, other) in OTHERS.into_iter().enumerate() {
            let even = g[2 * pair].add(g[2 * pair + 1]);
            let odd = g[2 * pair].sub(g[2 * pair + 1]).mul(constant(g[0], POINTS[pair]));
            to[1] = odd.mul_add(constant(g[0], -other), to[1]);
            to[2] = even.mul_add(constant(g[0], -other), to[2]);
            to[3] = to[3].add(odd);
            to[4] = to[4].add(even);
        }
        to
    }
}

impl Transform<PIECE, OUTPUTS> for Output {
    #[inline(always)]
    fn apply<V: Vector>(m: [V; PIECE]) -> [V; OUTPUTS] {
        let zero = constant(m[0], 0.0);
        let mut to = [m[4], zero, zero, m[5]];
        for (pair, p) in POINTS.into_iter().enumerate() {
            let even = m[2 * pair].add(m[2 * pair + 1]);
            let odd = m[2 * pair].sub(m[2 * pair + 1]);
            to[0] = to[0].add(even);
            to[1] = odd.mul_add(constant(m[0], p), to[1]);
            to[2] = even.mul_add(constant(m[0], p * p), to[2]);
            to[3] = odd.mul_add(constant(m[0], p * p * p), to[3]);
        }
        to
    }
}

impl Transform<OUTPUTS, PIECE> for OutputAdjoint {
    #[inline(always)]
    fn apply<V: Vector>(d: [V; OUTPUTS]) -> [V; PIECE] {
        let mut to = [d[0], d[0], d[0], d[0], d[0], d[3]];
        for (pair, p) in POINTS.into_iter().enumerate() {
            let even = d[2].mul_add(constant(d[0], p * p), d[0]);
            let odd = d[3].mul_add(constant(d[0], p * p * p), d[1].mul(constant(d[0], p)));
            to[2 * pair] = even.add(odd);
            to[2 * pair + 1] = even.sub(odd);
        }
        to
    }
}

impl Transform<TAPS, PIECE> for Filter {
    #[inline(always)]
    fn apply<V: Vector>(g: [V; TAPS]) -> [V; PIECE] {
        let mut to = [g[0].mul(constant(g[0], 1.0 / PRODUCT)); PIECE];
        to[5] = g[2];
        for (pair, p) in POINTS.into_iter().enumerate() {
            let scale = SCALES[pair];
            let even = g[2].mul_add(constant(g[0], p * p * scale), g[0].mul(constant(g[0], scale)));
            let odd = g[1].mul(constant(g[0], p * scale));
            to[2 * pair] = even.add(odd);
            to[2 * pair + 1] = even.sub(odd);
        }
        to
    }
}

impl Transform<PIECE, TAPS> for FilterAdjoint {
    #[inline(always)]
    fn apply<V: Vector>(d: [V; PIECE]) -> [V; TAPS] {
        let mut to = [d[4].mul(constant(d[0], 1.0 / PRODUCT)), constant(d[0], 0.0), d[5]];
        for (pair, p) in POINTS.into_iter().enumerate() {
            let scale = SCALES[pair];
            let even = d[2 * pair].add(d[2 * pair + 1]);
            let odd = d[2 * pair].sub(d[2 * pair + 1]);
            to[0] = even.mul_add(constant(d[0], scale), to[0]);
            to[1] = odd.mul_add(constant(d[0], p * scale), to[1]);
            to[2] = even.mul_add(constant(d[0], p * p * scale), to[2]);
        }
        to
    }
}
