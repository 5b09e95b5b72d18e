//! Binary range coding with adaptive probabilities, the arithmetic of LZMA: each bit costs what the bits before it in the same
//! context make it worth.

/// What a context has seen: the probability of a zero bit in 65,536ths, once following quickly and once slowly. Their mean is
/// used, which learns fast and still settles.
#[derive(Clone, Copy)]
pub(crate) struct Context {
    fast: u16,
    slow: u16,
}

impl Context {
    pub(crate) const NEW: Self = Self { fast: 1 << 15, slow: 1 << 15 };

    /// Never below 1/256, nor above 255/256: after a bit the range lacks one byte at most.
    fn zero(self) -> u32 {
        ((u32::from(self.fast) + u32::from(self.slow)) / 2).clamp(256, 65_280)
    }

    fn learn(&mut self, bit: bool) {
        if bit {
            self.fast -= self.fast >> 4;
            self.slow -= self.slow >> 7;
        } else {
            self.fast += (u16::MAX - self.fast) >> 4;
            self.slow += (u16::MAX - self.slow) >> 7;
        }
    }
}

/// Either direction, so that what is written and what is read cannot differ.
pub(crate) trait Coder {
    /// Whether the values handed in are written; otherwise they are ignored, and those that are read come back.
    const WRITES: bool;

    /// A bit that its context foretells.
    fn bit(&mut self, context: &mut Context, bit: bool) -> bool;

    /// The lowest `count` bits of a value, 8 at most, each as likely as not.
    fn plain(&mut self, count: u32, value: usize) -> usize;

    /// A value below N, a power of two, by its bits, highest first; each bit's context is the bits above it.
    #[inline]
    fn value<const N: usize>(&mut self, contexts: &mut [Context; N], value: usize) -> usize {
        let mut known = 1;
        for shift in (0..N.ilog2()).rev() {
            known = 2 * known + usize::from(self.bit(&mut contexts[known], value >> shift & 1 == 1));
        }
        known - N
    }
}

/// Below this the range has too few bits left to be divided, and a byte is moved out.
const SMALLEST_RANGE: u32 = 1 << 24;

pub(crate) struct Encoder {
    low: u64,
    range: u32,
    /// The byte that a carry may still raise, and how many bytes of 255 follow it and would then become 0.
    held: u8,
    full: usize,
    written: Vec<u8>,
}

impl Encoder {
    pub(crate) fn new() -> Self {
        Self { low: 0, range: u32::MAX, held: 0, full: 0, written: Vec::new() }
    }

    pub(crate) fn finish(mut self) -> Vec<u8> {
        for _ in 0..5 {
            self.move_out();
        }
        self.written
    }

    fn move_out(&mut self) {
        let [.., carry, top, _, _, _] = self.low.to_be_bytes();
        if top == u8::MAX && carry == 0 {
            self.full += 1;
        } else {
            self.written.push(self.held.wrapping_add(carry));
            self.written.extend(std::iter::repeat_n(u8::MAX.wrapping_add(carry), self.full));
            self.full = 0;
            self.held = top;
        }
        self.low = self.low << 8 & u64::from(u32::MAX);
    }

    fn normalise(&mut self) {
        if self.range < SMALLEST_RANGE {
            self.range <<= 8;
            self.move_out();
        }
    }
}

impl Coder for Encoder {
    const WRITES: bool = true;

    fn bit(&mut self, context: &mut Context, bit: bool) -> bool {
        let bound = (self.range >> 16) * context.zero();
        if bit {
            self.low += u64::from(bound);
            self.range -= bound;
        } else {
            self.range = bound;
        }
        context.learn(bit);
        self.normalise();
        bit
    }

    fn plain(&mut self, count: u32, value: usize) -> usize {
        let value = value & ((1 << count) - 1);
        self.range >>= count;
        self.low += u64::from(self.range) * value as u64;
        self.normalise();
        value
    }
}

pub(crate) struct Decoder<'a> {
    code: u32,
    range: u32,
    rest: &'a [u8],
    /// How many bytes were asked for that are not there.
    missing: usize,
}

impl<'a> Decoder<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        let mut decoder = Self { code: 0, range: u32::MAX, rest: bytes, missing: 0 };
        // The first byte that an encoder moves out is always 0.
        for _ in 0..5 {
            decoder.move_in();
        }
        decoder
    }

    /// What is wrong with the length of what was read: a whole stream ends with its last value.
    pub(crate) fn finish(self) -> Result<(), &'static str> {
        match (self.missing, self.rest) {
            (0, []) => Ok(()),
            (0, _) => Err("longer than expected"),
            _ => Err("shorter than expected"),
        }
    }

    fn move_in(&mut self) {
        let byte = if let Some((first, rest)) = self.rest.split_first() {
            self.rest = rest;
            *first
        } else {
            self.missing += 1;
            0
        };
        self.code = self.code << 8 | u32::from(byte);
    }

    #[inline]
    fn normalise(&mut self) {
        if self.range < SMALLEST_RANGE {
            self.range <<= 8;
            self.move_in();
        }
    }
}

impl Coder for Decoder<'_> {
    const WRITES: bool = false;

    #[inline]
    fn bit(&mut self, context: &mut Context, _: bool) -> bool {
        let bound = (self.range >> 16) * context.zero();
        let bit = self.code >= bound;
        if bit {
            self.code -= bound;
            self.range -= bound;
        } else {
            self.range = bound;
        }
        context.learn(bit);
        self.normalise();
        bit
    }

    #[inline]
    fn plain(&mut self, count: u32, _: usize) -> usize {
        self.range >>= count;
        // More than `count` bits only where the bytes are damaged.
        let value = (self.code / self.range).min((1 << count) - 1);
        self.code -= value * self.range;
        self.normalise();
        value as usize
    }
}
