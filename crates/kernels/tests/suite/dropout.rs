//! Dropout: which values stay, how many of them, and that nothing but key and place decides it.

use crate::common::{Guard, Guarded, Number, Random, assert_exact, assert_same_bits, case, on_every_set};
use kernels::{
    InstructionSet,
    dropout::{Key, dropout},
};

/// The mask as factors: what becomes of ones.
fn mask<E: Number>(set: InstructionSet, key: Key, rate: f64, length: usize) -> Vec<E> {
    let mut output = vec![E::NAN; length];
    dropout(set, key, rate, &vec![E::ONE; length], &mut output);
    output
}

/// The documented generator, written down once more.
fn reference(numbers: &[u64], place: u32) -> u32 {
    let key = numbers.iter().fold(0u64, |state, number| {
        let mut z = (state ^ number).wrapping_add(0x9E37_79B9_7F4A_7C15);
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    });
    let x = place.wrapping_mul(0x9E37_79B9).wrapping_add(key as u32);
    let x = (x ^ (x >> 16)).wrapping_mul(0x85EB_CA6B).wrapping_add((key >> 32) as u32);
    let x = (x ^ (x >> 13)).wrapping_mul(0xC2B2_AE35);
    x ^ (x >> 16)
}

#[test]
fn what_stays_is_decided_by_key_and_place_alone() {
    fn check<E: Number + Guard>(set: InstructionSet) {
        let mut random = Random::new(1);
        for length in 0..=70 {
            let numbers = [random.next(), random.next() % 9, random.next() % 1000];
            let key = Key::new(&numbers);
            let input = random.reals::<E>(length);
            for rate in [0.0, 0.1, 0.5, 0.9] {
                let scale = E::from_f64(1.0 / (1.0 - rate));
                let stays = |place: usize| {
                    f64::from(reference(&numbers, place as u32)) >= (rate * 2f64.powi(32)).round()
                };
                let expected: Vec<f64> = input
                    .iter()
                    .enumerate()
                    .map(|(place, x)| if stays(place) { (*x * scale).to_f64() } else { 0.0 })
                    .collect();
                let guarded = Guarded::input(&input, 1);
                let mut output = Guarded::stale(length, 3);
                dropout(set, key, rate, &guarded, &mut output);
                assert_exact(&output, &expected, case::<E>(set, format!("{length} at {rate}")));
            }
        }
        // What is dropped is zero, whatever it was; a NaN that stays is not hidden.
        let mut output = vec![E::ZERO; 100];
        let key = Key::new(&[3]);
        dropout(set, key, 0.5, &[E::NAN; 100], &mut output);
        for (value, factor) in output.iter().zip(mask::<E>(set, key, 0.5, 100)) {
            assert!(if factor == E::ZERO { *value == E::ZERO } else { value.is_nan() });
        }
    }
    on_every_set!(check);
}

#[test]
fn a_rate_of_zero_changes_nothing() {
    let input = Random::new(2).reals::<f32>(1000);
    let mut output = vec![0.0; 1000];
    dropout(InstructionSet::detect(), Key::new(&[1]), 0.0, &input, &mut output);
    assert_same_bits(&output, &input, "rate 0");
}

/// Of a million places the part that is dropped is within five standard errors of the rate, and neighbours, places a
/// power of two apart, and masks of neighbouring keys agree as often as chance has it.
#[test]
fn places_and_keys_are_independent() {
    const COUNT: usize = 1 << 20;
    let set = InstructionSet::detect();
    let dropped = |key: Key, rate: f64| -> Vec<bool> {
        mask::<f32>(set, key, rate, COUNT).into_iter().map(|factor| factor == 0.0).collect()
    };
    for rate in [0.1, 0.5, 0.8] {
        let agreement = rate * rate + (1.0 - rate) * (1.0 - rate);
        let near = |found: usize, expected: f64, count: usize, what: &str| {
            let error = (expected * (1.0 - expected) / count as f64).sqrt();
            let part = found as f64 / count as f64;
            assert!((part - expected).abs() <= 5.0 * error, "{what} at {rate}: {part}, {expected} expected");
        };
        let one = dropped(Key::new(&[7, 1, 0, 0]), rate);
        near(one.iter().filter(|dropped| **dropped).count(), rate, COUNT, "dropped");
        let mean: f64 =
            mask::<f64>(set, Key::new(&[7, 1, 0, 0]), rate, COUNT).iter().sum::<f64>() / COUNT as f64;
        assert!(
            (mean - 1.0).abs() < 5.0 * (rate / (1.0 - rate) / COUNT as f64).sqrt(),
            "the mean is kept: {mean}"
        );
        for power in 0..16 {
            let distance = 1 << power;
            let pairs = one.iter().zip(&one[distance..]);
            near(
                pairs.filter(|(a, b)| a == b).count(),
                agreement,
                COUNT - distance,
                &format!("{distance} apart"),
            );
        }
        for other in [[8, 1, 0, 0], [7, 2, 0, 0], [7, 1, 1, 0], [7, 1, 0, 1], [1, 7, 0, 0]] {
            let pairs = one.iter().zip(dropped(Key::new(&other), rate));
            near(pairs.filter(|(a, b)| **a == *b).count(), agreement, COUNT, &format!("key {other:?}"));
        }
    }
}

#[test]
#[should_panic(expected = "a dropout rate of 1: 0 ≤ rate < 1 expected")]
fn not_everything_is_dropped() {
    dropout(InstructionSet::PORTABLE, Key::new(&[]), 1.0, &[0f32; 1], &mut [0.0; 1]);
}
