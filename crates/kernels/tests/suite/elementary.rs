//! The elementary functions of a run, those of the `libm` crate: right, and the same bits everywhere.

use crate::common::{Number, Random};
use kernels::Element;

/// The reference by mpmath: golden/elementary.py.
const GOLDEN: &str = include_str!("../../../../golden/elementary.txt");

/// Distance of two numbers of one sign in units of the last place.
fn apart(found: u64, expected: u64) -> u64 {
    found.abs_diff(expected)
}

#[test]
fn values_are_within_a_unit_of_the_true_ones() {
    let mut counts = std::collections::BTreeMap::new();
    for line in GOLDEN.lines() {
        let mut words = line.split(' ');
        let name = words.next().expect("a name");
        let numbers: Vec<u64> =
            words.map(|word| u64::from_str_radix(word, 16).expect("hexadecimal bits")).collect();
        let (single, double) = (f32::from_bits(numbers[0] as u32), f64::from_bits(numbers[0]));
        let found = match name {
            "expf" => Element::exp(single).to_bits().into(),
            "logf" => Element::ln(single).to_bits().into(),
            "exp" => Element::exp(double).to_bits(),
            "log" => Element::ln(double).to_bits(),
            "sin" => libm::sin(double).to_bits(),
            "cos" => libm::cos(double).to_bits(),
            "pow" => libm::pow(double, f64::from_bits(numbers[1])).to_bits(),
            other => panic!("{other}"),
        };
        if name == "sin" {
            assert_eq!(found, libm::sincos(double).0.to_bits());
        }
        if name == "cos" {
            assert_eq!(found, libm::sincos(double).1.to_bits());
        }
        let expected = numbers[numbers.len() - 1];
        assert!(apart(found, expected) <= 1, "{line}: {found:x} found");
        *counts.entry(name).or_insert(0) += 1;
    }
    let names: Vec<_> = counts.into_keys().collect();
    assert_eq!(names, ["cos", "exp", "expf", "log", "logf", "pow", "sin"]);
}

/// FNV-1a (Fowler, Noll and Vo) over the bits of a function's values at 100,000 arguments of an interval.
fn digest<E: Number>(function: impl Fn(E) -> E, low: f64, high: f64) -> u64 {
    let mut digest = 0xcbf2_9ce4_8422_2325_u64;
    for place in Random::new(1).reals::<f64>(100_000) {
        let x = E::from_f64(low + (high - low) * 0.5 * (place + 1.0));
        for byte in function(x).bits().to_le_bytes() {
            digest = (digest ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
    digest
}

/// What these functions came to when `train::ENGINE_REVISION` was 2. A target or a version of `libm` that comes to something
/// else would make other weights in silence: then the revision must change.
#[test]
fn bits_are_those_of_the_engine_s_revision() {
    let found = [
        digest::<f32>(Element::exp, -30.0, 0.0),
        digest::<f32>(Element::ln, 1.0, 256.0),
        digest::<f64>(Element::exp, -30.0, 0.0),
        digest::<f64>(Element::ln, 0.0, 1.0),
        digest(libm::cos, 0.0, 6.3),
        digest(libm::sin, -3.2, 3.2),
        digest(|beta| libm::pow(beta, 1234.0), 0.9, 1.0),
    ];
    let expected = [
        0xc216_4476_82f4_de47,
        0x8a6a_a777_bcda_7383,
        0x8f82_fd3d_7125_c717,
        0xe2b5_680a_7ef7_1475,
        0xdb6d_b600_0b38_c95f,
        0xc5e3_7e1c_59c9_10c4,
        0xe01e_a26c_a7ca_61ec,
    ];
    assert_eq!(found, expected, "{found:#x?}");
}
