//! The transformations of F(3×3, 3×3) and F(5×5, 3×3).
//!
//! The points beside infinity come in pairs ±p, so that what they share, the even and the odd part of a polynomial, is computed once.
//! Two pairs make a tile of 3×3 outputs, three one of 5×5.

use super::{Filter, FilterAdjoint, Input, InputAdjoint, Output, OutputAdjoint, TAPS, Transform, constant};
use crate::vector::Vector;

/// ±1/2 and ±5/4. In a model of the arithmetic, sums of 32 channels err one and a half times as much with these as direct sums in
/// the mean, the least of all pairs from {1/4, 1/2, 3/4, 1, 5/4, 3/2, 2}; with 1/4 and 1 1.8 times, with 1/2 and 1 twice.
const TWO: Pairs<2> = Pairs::new([0.5, 1.25]);

/// ±1/4, ±1 and ±2: of the pairs of small fractions tried that hold ±1, which costs no multiplication, sums of 32 channels erred the
/// least with these: 5 times as much as direct sums in the mean.
const THREE: Pairs<3> = Pairs::new([0.25, 1.0, 2.0]);

/// The points, and what the matrices have of them.
struct Pairs<const PAIRS: usize> {
    points: [f64; PAIRS],
    /// ∏ (x − q²) over the other pairs q as a polynomial in x, the constant first; the last coefficient is 1.
    others: [[f64; PAIRS]; PAIRS],
    /// The same over all pairs, without the last coefficient, which is 1.
    all: [f64; PAIRS],
    /// 1 / ∏ (p − q) over all other points q; that of −p has the other sign.
    scales: [f64; PAIRS],
}

impl<const PAIRS: usize> Pairs<PAIRS> {
    const fn new(points: [f64; PAIRS]) -> Self {
        let mut new = Self { points, others: [[0.0; PAIRS]; PAIRS], all: [0.0; PAIRS], scales: [0.0; PAIRS] };
        let mut pair = 0;
        while pair < PAIRS {
            let others = product(&points, pair);
            let square = points[pair] * points[pair];
            // At p², by Horner's rule; and 2p of −p.
            let (mut value, mut degree) = (0.0, PAIRS);
            while degree > 0 {
                degree -= 1;
                value = value * square + others[degree];
            }
            new.scales[pair] = 1.0 / (2.0 * points[pair] * value);
            new.others[pair] = others;
            pair += 1;
        }
        new.all = product(&points, PAIRS);
        new
    }
}

/// ∏ (x − q²) over all pairs but that of an index, without the coefficient of degree `PAIRS`.
const fn product<const PAIRS: usize>(points: &[f64; PAIRS], but: usize) -> [f64; PAIRS] {
    let mut product = [0.0; PAIRS];
    product[0] = 1.0;
    let mut pair = 0;
    while pair < PAIRS {
        if pair != but {
            let square = points[pair] * points[pair];
            let mut degree = PAIRS;
            while degree > 0 {
                degree -= 1;
                let below = if degree > 0 { product[degree - 1] } else { 0.0 };
                product[degree] = below - square * product[degree];
            }
        }
        pair += 1;
    }
    product
}

macro_rules! tile {
    ($pairs:ident, $outputs:literal, $piece:literal) => {
        impl Transform<$piece, $piece> for Input {
            #[inline(always)]
            fn apply<V: Vector>(d: [V; $piece]) -> [V; $piece] {
                let zero = constant(d[0], 0.0);
                let mut to = [zero; $piece];
                let last = $pairs.points.len() - 1;
                for (pair, others) in $pairs.others.into_iter().enumerate() {
                    let (mut even, mut odd) = (d[2 * last], d[2 * last + 1]);
                    for degree in (0..last).rev() {
                        let coefficient = constant(d[0], others[degree]);
                        even = d[2 * degree].mul_add(coefficient, even);
                        odd = d[2 * degree + 1].mul_add(coefficient, odd);
                    }
                    let even = even.mul(constant(d[0], $pairs.points[pair]));
                    to[2 * pair] = odd.add(even);
                    to[2 * pair + 1] = odd.sub(even);
                }
                to[$piece - 1] = d[$piece - 1];
                for degree in (0..=last).rev() {
                    let coefficient = constant(d[0], $pairs.all[degree]);
                    to[$piece - 1] = d[2 * degree].mul_add(coefficient, to[$piece - 1]);
                }
                to
            }
        }

        impl Transform<$piece, $piece> for InputAdjoint {
            #[inline(always)]
            fn apply<V: Vector>(g: [V; $piece]) -> [V; $piece] {
                let mut to = [constant(g[0], 0.0); $piece];
                let last = $pairs.points.len() - 1;
                to[$piece - 1] = g[$piece - 1];
                for (degree, coefficient) in $pairs.all.into_iter().enumerate() {
                    to[2 * degree] = g[$piece - 1].mul(constant(g[0], coefficient));
                }
                for (pair, others) in $pairs.others.into_iter().enumerate() {
                    let odd = g[2 * pair].add(g[2 * pair + 1]);
                    let even = g[2 * pair].sub(g[2 * pair + 1]).mul(constant(g[0], $pairs.points[pair]));
                    to[2 * last + 1] = to[2 * last + 1].add(odd);
                    to[2 * last] = to[2 * last].add(even);
                    for degree in 0..last {
                        let coefficient = constant(g[0], others[degree]);
                        to[2 * degree + 1] = odd.mul_add(coefficient, to[2 * degree + 1]);
                        to[2 * degree] = even.mul_add(coefficient, to[2 * degree]);
                    }
                }
                to
            }
        }

        impl Transform<$piece, $outputs> for Output {
            #[inline(always)]
            fn apply<V: Vector>(m: [V; $piece]) -> [V; $outputs] {
                let mut to = [constant(m[0], 0.0); $outputs];
                to[$outputs - 1] = m[$piece - 1];
                for (pair, p) in $pairs.points.into_iter().enumerate() {
                    let even = m[2 * pair].add(m[2 * pair + 1]);
                    let odd = m[2 * pair].sub(m[2 * pair + 1]);
                    to[0] = to[0].add(even);
                    let mut power = 1.0;
                    for (degree, to) in to.iter_mut().enumerate().skip(1) {
                        power *= p;
                        let part = if degree % 2 == 0 { even } else { odd };
                        *to = part.mul_add(constant(m[0], power), *to);
                    }
                }
                to
            }
        }

        impl Transform<$outputs, $piece> for OutputAdjoint {
            #[inline(always)]
            fn apply<V: Vector>(d: [V; $outputs]) -> [V; $piece] {
                let mut to = [d[$outputs - 1]; $piece];
                for (pair, p) in $pairs.points.into_iter().enumerate() {
                    let (mut even, mut odd) = (d[0], d[1].mul(constant(d[0], p)));
                    let mut power = p;
                    for (degree, &value) in d.iter().enumerate().skip(2) {
                        power *= p;
                        let sum = if degree % 2 == 0 { &mut even } else { &mut odd };
                        *sum = value.mul_add(constant(d[0], power), *sum);
                    }
                    to[2 * pair] = even.add(odd);
                    to[2 * pair + 1] = even.sub(odd);
                }
                to
            }
        }

        impl Transform<TAPS, $piece> for Filter {
            #[inline(always)]
            fn apply<V: Vector>(g: [V; TAPS]) -> [V; $piece] {
                let mut to = [g[2]; $piece];
                for (pair, p) in $pairs.points.into_iter().enumerate() {
                    let scale = $pairs.scales[pair];
                    let even = g[2].mul_add(constant(g[0], p * p * scale), g[0].mul(constant(g[0], scale)));
                    let odd = g[1].mul(constant(g[0], p * scale));
                    to[2 * pair] = odd.add(even);
                    to[2 * pair + 1] = odd.sub(even);
                }
                to
            }
        }

        impl Transform<$piece, TAPS> for FilterAdjoint {
            #[inline(always)]
            fn apply<V: Vector>(d: [V; $piece]) -> [V; TAPS] {
                let zero = constant(d[0], 0.0);
                let mut to = [zero, zero, d[$piece - 1]];
                for (pair, p) in $pairs.points.into_iter().enumerate() {
                    let scale = $pairs.scales[pair];
                    let even = d[2 * pair].sub(d[2 * pair + 1]);
                    let odd = d[2 * pair].add(d[2 * pair + 1]);
                    to[0] = even.mul_add(constant(d[0], scale), to[0]);
                    to[1] = odd.mul_add(constant(d[0], p * scale), to[1]);
                    to[2] = even.mul_add(constant(d[0], p * p * scale), to[2]);
                }
                to
            }
        }
    };
}

tile!(TWO, 3, 5);
tile!(THREE, 5, 7);
