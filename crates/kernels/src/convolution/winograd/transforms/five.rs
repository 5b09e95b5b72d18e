//! The transformations of F(5×5, 3×3).
//!
//! The points come in pairs ±p, so that what they share, the even and the odd part of a polynomial, is computed once.

use super::{Filter, FilterAdjoint, Input, InputAdjoint, Output, OutputAdjoint, TAPS, Transform, constant};
use crate::vector::Vector;

const OUTPUTS: usize = 5;
const PIECE: usize = 7;

/// The points beside infinity are 1/4, −1/4, 1, −1, 2 and −2: of the pairs of small fractions tried that hold ±1,
/// which costs no multiplication, sums of 32 channels erred the least with these: 5 times as much as direct sums in the mean.
const POINTS: [f64; 3] = [0.25, 1.0, 2.0];

/// Sum and product of the squares of the other two points.
const OTHERS: [(f64, f64); 3] = {
    let [a, b, c] = [POINTS[0] * POINTS[0], POINTS[1] * POINTS[1], POINTS[2] * POINTS[2]];
    [(b + c, b * c), (a + c, a * c), (a + b, a * b)]
};

/// The elementary symmetric functions of the squares of all three.
const ALL: [f64; 3] = {
    let [a, b, c] = [POINTS[0] * POINTS[0], POINTS[1] * POINTS[1], POINTS[2] * POINTS[2]];
    [a + b + c, a * b + a * c + b * c, a * b * c]
};

/// 1 / ∏ (p − q) over all other points q; that of −p has the other sign.
const SCALES: [f64; 3] = {
    let mut scales = [0.0; 3];
    let mut pair = 0;
    while pair < 3 {
        let p = POINTS[pair];
        let (sum, product) = OTHERS[pair];
        // (p² − a)(p² − b) of the others' squares a and b, and 2p of −p.
        scales[pair] = 1.0 / (2.0 * p * (p * p * (p * p - sum) + product));
        pair += 1;
    }
    scales
};

impl Transform<PIECE, PIECE> for Input {
    #[inline(always)]
    fn apply<V: Vector>(d: [V; PIECE]) -> [V; PIECE] {
        let zero = constant(d[0], 0.0);
        let mut to = [zero; PIECE];
        for (pair, (sum, product)) in OTHERS.into_iter().enumerate() {
            let (sum, product) = (constant(d[0], -sum), constant(d[0], product));
            let odd = d[1].mul_add(product, d[3].mul_add(sum, d[5]));
            let even = d[0].mul_add(product, d[2].mul_add(sum, d[4]));
            let even = even.mul(constant(d[0], POINTS[pair]));
            to[2 * pair] = odd.add(even);
            to[2 * pair + 1] = odd.sub(even);
        }
        let all = d[4].mul_add(constant(d[0], -ALL[0]), d[6]);
        to[6] = d[0].mul_add(constant(d[0], -ALL[2]), d[2].mul_add(constant(d[0], ALL[1]), all));
        to
    }
}

impl Transform<PIECE, PIECE> for InputAdjoint {
    #[inline(always)]
    fn apply<V: Vector>(g: [V; PIECE]) -> [V; PIECE] {
        let zero = constant(g[0], 0.0);
        let mut to = [
            g[6].mul(constant(g[0], -ALL[2])),
            zero,
            g[6].mul(constant(g[0], ALL[1])),
            zero,
            g[6].mul(constant(g[0], -ALL[0])),
            zero,
            g[6],
        ];
        for (pair, (sum, product)) in OTHERS.into_iter().enumerate() {
            let (sum, product) = (constant(g[0], -sum), constant(g[0], product));
            let odd = g[2 * pair].add(g[2 * pair + 1]);
            let even = g[2 * pair].sub(g[2 * pair + 1]).mul(constant(g[0], POINTS[pair]));
            to[5] = to[5].add(odd);
            to[3] = odd.mul_add(sum, to[3]);
            to[1] = odd.mul_add(product, to[1]);
            to[4] = to[4].add(even);
            to[2] = even.mul_add(sum, to[2]);
            to[0] = even.mul_add(product, to[0]);
        }
        to
    }
}

impl Transform<PIECE, OUTPUTS> for Output {
    #[inline(always)]
    fn apply<V: Vector>(m: [V; PIECE]) -> [V; OUTPUTS] {
        let zero = constant(m[0], 0.0);
        let mut to = [zero, zero, zero, zero, m[6]];
        for (pair, p) in POINTS.into_iter().enumerate() {
            let even = m[2 * pair].add(m[2 * pair + 1]);
            let odd = m[2 * pair].sub(m[2 * pair + 1]);
            to[0] = to[0].add(even);
            to[1] = odd.mul_add(constant(m[0], p), to[1]);
            to[2] = even.mul_add(constant(m[0], p * p), to[2]);
            to[3] = odd.mul_add(constant(m[0], p * p * p), to[3]);
            to[4] = even.mul_add(constant(m[0], p * p * p * p), to[4]);
        }
        to
    }
}

impl Transform<OUTPUTS, PIECE> for OutputAdjoint {
    #[inline(always)]
    fn apply<V: Vector>(d: [V; OUTPUTS]) -> [V; PIECE] {
        let mut to = [d[4]; PIECE];
        for (pair, p) in POINTS.into_iter().enumerate() {
            let even = d[4].mul_add(constant(d[0], p * p * p * p), d[2].mul_add(constant(d[0], p * p), d[0]));
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
        let mut to = [g[2]; PIECE];
        for (pair, p) in POINTS.into_iter().enumerate() {
            let scale = SCALES[pair];
            let even = g[2].mul_add(constant(g[0], p * p * scale), g[0].mul(constant(g[0], scale)));
            let odd = g[1].mul(constant(g[0], p * scale));
            to[2 * pair] = odd.add(even);
            to[2 * pair + 1] = odd.sub(even);
        }
        to
    }
}

impl Transform<PIECE, TAPS> for FilterAdjoint {
    #[inline(always)]
    fn apply<V: Vector>(d: [V; PIECE]) -> [V; TAPS] {
        let zero = constant(d[0], 0.0);
        let mut to = [zero, zero, d[6]];
        for (pair, p) in POINTS.into_iter().enumerate() {
            let scale = SCALES[pair];
            let even = d[2 * pair].sub(d[2 * pair + 1]);
            let odd = d[2 * pair].add(d[2 * pair + 1]);
            to[0] = even.mul_add(constant(d[0], scale), to[0]);
            to[1] = odd.mul_add(constant(d[0], p * scale), to[1]);
            to[2] = even.mul_add(constant(d[0], p * p * scale), to[2]);
        }
        to
    }
}
