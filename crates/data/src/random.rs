//! Random draws whose results never change: they depend on ChaCha8's output words alone, not on the way that a
//! version of a library makes distributions from them.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// The generator of `seed`: ChaCha8 whose key is the seed's eight bytes, little-endian, and 24 zero bytes.
///
/// `stream` is ChaCha's stream number: generators of one seed and different streams are independent.
pub fn generator(seed: u64, stream: u64) -> ChaCha8Rng {
    let mut key = [0; 32];
    key[..8].copy_from_slice(&seed.to_le_bytes());
    let mut generator = ChaCha8Rng::from_seed(key);
    generator.set_stream(stream);
    generator
}

/// A whole number below `bound`, all equally likely; 0 for a bound of 0 or 1.
///
/// The upper half of the 64-bit product `word × bound`; the `2³² mod bound` products whose lower half would favour
/// some numbers are drawn again. Lemire, "Fast Random Integer Generation in an Interval" (2019), algorithm 5.
pub fn bounded(generator: &mut impl Rng, bound: u32) -> u32 {
    if bound <= 1 {
        return 0;
    }
    let surplus = bound.wrapping_neg() % bound;
    loop {
        let product = u64::from(generator.next_u32()) * u64::from(bound);
        if product as u32 >= surplus {
            return (product >> 32) as u32;
        }
    }
}

/// Brings `indices` into a random order, all orders equally likely.
///
/// Fisher and Yates: for `last` from the end down to 1, exchange `indices[last]` with
/// `indices[bounded(generator, last + 1)]`.
///
/// # Panics
/// With 2³² or more indices, which no dataset has.
pub fn shuffle(indices: &mut [u32], generator: &mut impl Rng) {
    assert!(u32::try_from(indices.len()).is_ok(), "an index has 32 bits");
    for last in (1..indices.len()).rev() {
        let other = bounded(generator, last as u32 + 1);
        indices.swap(last, other as usize);
    }
}

/// A number between 0 and 1, neither of them: the middle of one of 2³² equal parts, all equally likely.
pub(crate) fn unit(generator: &mut impl Rng) -> f64 {
    (f64::from(generator.next_u32()) + 0.5) / 4_294_967_296.0
}

/// A number between `low` and `high`, all equally likely.
pub(crate) fn between(generator: &mut impl Rng, low: f64, high: f64) -> f64 {
    low + (high - low) * unit(generator)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Yields the words given, then panics.
    struct Words<'a>(std::slice::Iter<'a, u32>);

    impl rand_chacha::rand_core::TryRng for Words<'_> {
        type Error = std::convert::Infallible;

        fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
            Ok(*self.0.next().expect("a word is left"))
        }

        fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
            unreachable!("only words of 32 bits are drawn")
        }

        fn try_fill_bytes(&mut self, _: &mut [u8]) -> Result<(), Self::Error> {
            unreachable!("only words of 32 bits are drawn")
        }
    }

    fn words(words: &[u32]) -> Words<'_> {
        Words(words.iter())
    }

    /// For bound 3 the surplus is 2³² mod 3 = 1: only the word 0 (product 0) is drawn again. The words 1 and
    /// 0x5555_5555 give products 3 and 0xffff_ffff, still in the lower third; 0x5555_5556 gives 2³² + 2.
    #[test]
    fn a_bounded_draw_rejects_exactly_the_surplus() {
        assert_eq!(bounded(&mut words(&[1]), 3), 0);
        assert_eq!(bounded(&mut words(&[0x5555_5555]), 3), 0);
        assert_eq!(bounded(&mut words(&[0x5555_5556]), 3), 1);
        assert_eq!(bounded(&mut words(&[u32::MAX]), 3), 2);
        let mut rejected = words(&[0, 0, u32::MAX]);
        assert_eq!(bounded(&mut rejected, 3), 2);
        assert_eq!(rejected.0.len(), 0);
        assert_eq!(bounded(&mut words(&[0]), 4), 0, "a power of two has no surplus");
        assert_eq!(bounded(&mut words(&[]), 1), 0);
        assert_eq!(bounded(&mut words(&[]), 0), 0);
    }

    /// With the bound 3·2³⁰ a plain product would give every third number twice the weight of the others.
    #[test]
    fn a_bounded_draw_is_even_where_a_plain_product_is_not() {
        let mut generator = generator(1, 0);
        let bound = 3 << 30;
        let mut residues = [0_u32; 3];
        for _ in 0..30_000 {
            residues[(bounded(&mut generator, bound) % 3) as usize] += 1;
        }
        // Five standard deviations of a binomial count with n = 30,000 and p = 1/3 are 408.
        assert!(residues.iter().all(|count| count.abs_diff(10_000) < 408), "{residues:?}");
    }

    /// The first words of ChaCha8 with key 0 and stream 0, as the estream test vector states: 3e00ef2f 895f40d6 …
    #[test]
    fn the_stream_is_chacha8s() {
        let mut zero = generator(0, 0);
        assert_eq!([zero.next_u32(), zero.next_u32()], [0x2fef_003e, 0xd640_5f89]);
        assert_ne!(generator(0, 1).next_u32(), 0x2fef_003e);
        assert_ne!(generator(1, 0).next_u32(), 0x2fef_003e);
    }

    #[test]
    fn every_order_is_equally_likely() {
        let mut generator = generator(7, 0);
        let mut counts = std::collections::BTreeMap::new();
        for _ in 0..24_000 {
            let mut indices = [0, 1, 2, 3];
            shuffle(&mut indices, &mut generator);
            *counts.entry(indices).or_insert(0_u32) += 1;
        }
        assert_eq!(counts.len(), 24);
        // Five standard deviations of a binomial count with n = 24,000 and p = 1/24 are 155.
        assert!(counts.values().all(|count| count.abs_diff(1_000) < 155), "{counts:?}");
    }

    /// By hand: words near 2³² choose the last place (no exchange), word 1 the first place.
    #[test]
    fn the_order_is_the_documented_one() {
        let mut indices = [10, 11, 12, 13];
        shuffle(&mut indices, &mut words(&[1, u32::MAX, 1]));
        assert_eq!(indices, [11, 13, 12, 10]);
    }
}
