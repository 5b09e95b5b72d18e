use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// Reproducible draws: the same seed gives the same numbers on every platform and in every release of this crate.
///
/// The stream is ChaCha with 8 rounds, keyed by `seed_from_u64`. The algorithms above it are this crate's own,
/// so that an update of a random number library cannot change a published interval.
#[derive(Debug, Clone)]
pub struct IndexStream {
    generator: ChaCha8Rng,
}

impl IndexStream {
    /// A stream that depends on `seed` alone.
    pub fn new(seed: u64) -> Self {
        Self { generator: ChaCha8Rng::seed_from_u64(seed) }
    }

    /// An index in `0..bound`, each equally likely.
    ///
    /// `⌊x · bound / 2³²⌋` of a 32-bit word x, drawn again while the low half of the product lies below `2³² mod bound`
    /// (Lemire 2019, "Fast random integer generation in an interval", algorithm 5), so one word an index nearly always.
    /// A bound of 0 is taken as 1.
    #[inline]
    pub fn index(&mut self, bound: u32) -> u32 {
        let bound = bound.max(1);
        let mut product = u64::from(self.generator.next_u32()) * u64::from(bound);
        if (product as u32) < bound {
            let threshold = bound.wrapping_neg() % bound;
            while (product as u32) < threshold {
                product = u64::from(self.generator.next_u32()) * u64::from(bound);
            }
        }
        (product >> 32) as u32
    }

    /// A multiple of 2⁻⁵³ in `[0, 1)`, each equally likely: the upper 53 bits of a 64-bit word.
    #[inline]
    pub fn unit(&mut self) -> f64 {
        const STEP: f64 = 1.0 / (1u64 << 53) as f64;
        (self.generator.next_u64() >> 11) as f64 * STEP
    }

    /// An exponential variable of mean 1, `-ln(1 - u)`.
    pub(crate) fn exponential(&mut self) -> f64 {
        -(-self.unit()).ln_1p()
    }
}

#[cfg(test)]
mod tests {
    use super::IndexStream;

    #[test]
    fn indices_are_uniform() {
        let mut stream = IndexStream::new(1);
        let mut counts = [0u32; 7];
        for _ in 0..70_000 {
            counts[stream.index(7) as usize] += 1;
        }
        let chi_squared: f64 =
            counts.iter().map(|&count| (f64::from(count) - 10_000.0).powi(2) / 10_000.0).sum();
        // The 99.9 % point of χ² with 6 degrees of freedom.
        assert!(chi_squared < 22.46, "{counts:?}");
    }

    #[test]
    fn the_stream_is_pinned() {
        let mut stream = IndexStream::new(42);
        let drawn: Vec<u32> = (0..6).map(|_| stream.index(1000)).collect();
        assert_eq!(drawn, PINNED);
    }

    /// First written down with rand_chacha 0.10.0; a change means that every published bootstrap interval changes.
    const PINNED: [u32; 6] = [224, 681, 146, 950, 772, 427];
}
