//! Dropout (Srivastava et al., 2014), with a mask that is computed rather than kept.
//!
//! Whether a value stays is a function of a key and of its place, so that the same mask is there again on the way back,
//! in any order and on any number of threads. The generator is counter-based: the finaliser of MurmurHash3 with 32 bits
//! (Appleby, 2011), a bijection of the place, with one half of the key added before and the other between its rounds.
//! It is three multiplications and a few shifts of 32-bit numbers, which every instruction set has as vectors. The key
//! is drawn from what it shall depend on by SplitMix64 (Steele, Lea and Flood, 2014).

use crate::{Element, InstructionSet, check_length, dispatch::Kernel, vector::Vector};

/// What a mask depends on besides the places in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key {
    before: u32,
    between: u32,
}

impl Key {
    /// The key that these numbers lead to; their order matters.
    pub fn new(numbers: &[u64]) -> Self {
        let mut state = 0u64;
        for number in numbers {
            state = splitmix(state ^ *number);
        }
        Self { before: state as u32, between: (state >> 32) as u32 }
    }

    /// 32 random bits for a place.
    #[inline(always)]
    fn bits(self, place: u32) -> u32 {
        // The odd multiplier, 2³² over the golden ratio, spreads neighbouring places over all bits.
        let mut x = place.wrapping_mul(0x9E37_79B9).wrapping_add(self.before);
        x = (x ^ (x >> 16)).wrapping_mul(0x85EB_CA6B).wrapping_add(self.between);
        x = (x ^ (x >> 13)).wrapping_mul(0xC2B2_AE35);
        x ^ (x >> 16)
    }
}

/// The output that SplitMix64 gives in `state`.
fn splitmix(state: u64) -> u64 {
    let mut z = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// `output` = `input` / (1 − `rate`) where the mask keeps a value, else 0; overwrites. With the derivatives in place of
/// the values, and the same key, it is the backward pass.
///
/// A value is dropped with probability `rate`, rounded to a multiple of 2⁻³². The mask is the same on every instruction
/// set and for both element types.
///
/// # Panics
/// When the lengths differ or `rate` is not in 0..1.
pub fn dropout<E: Element>(set: InstructionSet, key: Key, rate: f64, input: &[E], output: &mut [E]) {
    struct Dropout<'a, E> {
        key: Key,
        threshold: u32,
        scale: E,
        input: &'a [E],
        output: &'a mut [E],
    }
    impl<E: Element> Kernel<E> for Dropout<'_, E> {
        type Output = ();
        // Whole numbers are no matter of `Vector`: the compiler makes vectors of this loop, of the instruction set that it
        // is compiled for.
        #[inline(always)]
        unsafe fn run<V: Vector<Element = E>>(self) {
            for (place, (output, input)) in self.output.iter_mut().zip(self.input).enumerate() {
                let kept = self.key.bits(place as u32) >= self.threshold;
                let scaled = *input * self.scale;
                *output = if kept { scaled } else { E::ZERO };
            }
        }
    }
    check_length!(output, [input.len()]);
    assert!((0.0..1.0).contains(&rate), "a dropout rate of {rate}: 0 ≤ rate < 1 expected");
    let threshold = (rate * (1u64 << 32) as f64).round() as u32;
    let scale = E::from_f64(1.0 / (1.0 - rate));
    E::dispatch(set, Dropout { key, threshold, scale, input, output });
}
