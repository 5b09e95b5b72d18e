//! The normal distribution, for GELU.
//!
//! Its upper tail for x ≥ 0 is Q(x) = e^(−x²/2) · P(t) / (x + 4) with t = (4 − x) / (4 + x) and a polynomial P that
//! golden/layers/normal_tail.py interpolates to a tenth of a unit in the last place (the map of 0..∞ to an interval
//! is Shepherd and Laframboise's, 1981). −x²/2 is taken of a rounded x, whose square is exact, and of the small rest,
//! so that the relative accuracy reaches to the end of the tail.

use crate::{
    Element,
    activation::{clamp, exponential_minus_one, reduce},
    vector::Vector,
};
use std::f64::consts::{FRAC_1_SQRT_2, FRAC_2_SQRT_PI};

/// P for float32, |x| ≤ 12.8: relative error 1.1e-8.
pub(crate) const TAIL_F32: [f32; 10] = [
    1.124_029_4e-4,
    2.200_056e-4,
    -1.582_605_1e-3,
    -3.532_168e-3,
    7.535_177_3e-3,
    6.040_683_3e-2,
    1.865_218_4e-1,
    3.871_367_3e-1,
    6.078_966e-1,
    7.552_851_4e-1,
];

/// P for float64, |x| ≤ 37: relative error 3.3e-17.
pub(crate) const TAIL_F64: [f64; 23] = [
    -8.917_211_261_058_483e-10,
    -2.592_245_535_085_040_5e-10,
    1.382_529_529_441_614_9e-8,
    -1.400_078_330_367_203_4e-8,
    -7.649_596_158_593_516e-8,
    1.535_059_990_646_437e-7,
    2.640_307_608_511_516e-7,
    -1.019_258_417_950_813_6e-6,
    -6.254_645_575_740_078e-7,
    5.918_655_912_606_709e-6,
    7.151_754_164_071_795e-7,
    -3.514_411_808_210_996e-5,
    -1.907_917_717_230_413_6e-6,
    2.310_948_081_689_136e-4,
    1.333_442_631_919_391e-4,
    -1.630_818_440_958_384_8e-3,
    -3.479_692_363_174_158e-3,
    7.540_188_965_549_631e-3,
    6.039_657_489_074_711e-2,
    1.865_218_579_596_949_7e-1,
    3.871_374_007_422_179e-1,
    6.078_966_419_718_918e-1,
    7.552_851_304_157_515e-1,
];

/// The value in every lane of a vector like `x`.
#[inline(always)]
fn constant<V: Vector>(x: V, value: f64) -> V {
    x.like(V::Element::from_f64(value))
}

/// Φ(x), the standard normal distribution, and φ(x), its density; both as at the limit beyond ±[`Element::NORMAL_LIMIT`].
#[inline(always)]
fn normal<V: Vector>(x: V) -> (V, V) {
    let (split, centre, zero) = (V::Element::NORMAL_SPLIT, constant(x, 4.0), constant(x, 0.0));
    let magnitude = x.maximum(zero.sub(x)).minimum(x.like(V::Element::NORMAL_LIMIT));
    let rounded = magnitude.mul(x.like(split)).round().mul(x.like(V::Element::ONE / split));
    let (exponent, n) = reduce(rounded.mul(rounded).mul(constant(x, -0.5)));
    let rest = magnitude.sub(rounded).mul(magnitude.add(rounded));
    let p = exponential_minus_one(rest.mul_add(constant(x, -0.5), exponent));
    let scale = n.power_of_two();
    let power = p.mul_add(scale, scale);

    let inverse = constant(x, 1.0).div(magnitude.add(centre));
    let t = centre.sub(magnitude).mul(inverse);
    let mut polynomial = x.like(V::Element::NORMAL_TAIL[0]);
    for coefficient in &V::Element::NORMAL_TAIL[1..] {
        polynomial = polynomial.mul_add(t, x.like(*coefficient));
    }
    let tail = polynomial.mul(inverse).mul(power);
    let rest = constant(x, 1.0).sub(tail);
    let density = power.mul(constant(x, 0.5 * FRAC_2_SQRT_PI * FRAC_1_SQRT_2));
    (tail.select_less_equal(rest, x, zero), density)
}

/// x · Φ(x).
#[inline(always)]
pub(crate) fn gelu<V: Vector>(x: V) -> V {
    x.maximum(x.like(-V::Element::NORMAL_LIMIT)).mul(normal(x).0)
}

/// [`gelu`], and its derivative Φ(x) + x · φ(x).
#[inline(always)]
pub(crate) fn gelu_and_derivative<V: Vector>(x: V) -> (V, V) {
    let (distribution, density) = normal(x);
    let derivative = clamp(x, V::Element::NORMAL_LIMIT).mul_add(density, distribution);
    (x.maximum(x.like(-V::Element::NORMAL_LIMIT)).mul(distribution), derivative)
}
