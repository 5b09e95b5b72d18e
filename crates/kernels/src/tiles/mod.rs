//! Products of bfloat16 numbers, summed in float32, on tiles of sixteen rows.
//!
//! A bfloat16 number has a float32's exponent and 8 bits of its significand. Intel's matrix instructions (AMX; *Intel Architecture
//! Instruction Set Extensions*, chapter "Intel AMX") multiply tiles of sixteen rows of 64 bytes:
//!
//! `C[m, n] += Σ_k (A[m, 2k] · B[k, 2n] + A[m, 2k + 1] · B[k, 2n + 1])`, m, n and k of 0..16.
//!
//! The even and the odd products are summed apart from zero on, in the order of k, then together, then to C; every sum is rounded to
//! the nearest, and what is subnormal is zero. The portable implementation does the same, with the same bits.
//!
//! What layers are made of with it is in [`convolution`]. Rows of tiles are images: a group of sixteen fills them whatever an image's
//! size, and a kernel's taps are addresses.

#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
mod amx;
pub mod convolution;
mod line;
pub mod matrix;
mod pass;
mod portable;

use crate::InstructionSet;
use line::Line;

/// Rows of a tile, and images that a pass takes.
pub const ROWS: usize = 16;

/// What multiplies tiles, and what else is done beside them. A value exists only where this process may use its instructions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Tiles {
    unit: Choice,
    /// The vectors for what is done beside: transposing, pooling, sums of columns.
    set: InstructionSet,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Choice {
    Portable,
    #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
    Amx,
}

/// This machine has no instructions for products of bfloat16 tiles, or the system does not let this process use them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "Intel AMX with bfloat16 expected (Xeon since 2023, under Linux), beside the avx512 kernels: the processor lacks it, the system does not \
     let this process use it, or other kernels are forced"
)]
pub struct NoTiles;

impl Tiles {
    /// The plain implementation, which runs everywhere, slowly.
    pub const PORTABLE: Self = Self { unit: Choice::Portable, set: InstructionSet::PORTABLE };

    /// What goes with an instruction set: the machine's tiles, with the portable one the plain implementation.
    ///
    /// # Errors
    /// Where the machine has none: nothing slower is taken in silence.
    pub fn beside(set: InstructionSet) -> Result<Self, NoTiles> {
        if set == InstructionSet::PORTABLE {
            return Ok(Self::PORTABLE);
        }
        #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
        // What is rounded beside tiles is rounded with AVX-512: whoever forces other vectors has no tiles.
        if set.is_avx512() && amx::is_permitted() {
            return Ok(Self { unit: Choice::Amx, set });
        }
        Err(NoTiles)
    }

    /// The machine's.
    ///
    /// # Errors
    /// Where it has none.
    pub fn detect() -> Result<Self, NoTiles> {
        match InstructionSet::detect() {
            InstructionSet::PORTABLE => Err(NoTiles),
            set => Self::beside(set),
        }
    }

    /// Runs `work`, which rounds numbers, compiled for the vectors that every machine with the tiles has: as [`InstructionSet::run`].
    #[inline]
    fn round<R>(self, work: impl FnOnce() -> R) -> R {
        match self.unit {
            Choice::Portable => work(),
            #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
            // SAFETY: a value of this type exists only where the instructions do.
            Choice::Amx => unsafe { amx::with_vectors(work) },
        }
    }

    fn run<K: TileKernel>(self, kernel: K) {
        match self.unit {
            Choice::Portable => kernel.run(&mut portable::Portable::new()),
            #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
            // SAFETY: a value of this type exists only where the instructions do.
            Choice::Amx => kernel.run(&mut unsafe { amx::Amx::begin() }),
        }
    }
}

/// A pass with its arguments, ready to run on any unit.
trait TileKernel {
    fn run<U: Unit>(self, unit: &mut U);
}

/// Eight tiles, numbered, each sixteen rows of 64 bytes. Strides are the bytes from one row to the next in memory.
trait Unit {
    fn zero<const TILE: usize>(&mut self);

    /// # Safety
    /// The sixteen rows can be read.
    unsafe fn load<const TILE: usize>(&mut self, from: *const u8, stride: usize);

    /// # Safety
    /// The sixteen rows can be written.
    unsafe fn store<const TILE: usize>(&self, to: *mut u8, stride: usize);

    /// `C += A · B` as the module says.
    fn multiply<const C: usize, const A: usize, const B: usize>(&mut self);
}

/// Where tiles of A and of B lie that are multiplied one after the other, in lines from their blocks' first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Run {
    a: isize,
    b: isize,
}

/// Sums over `runs`, of which each has `count` tiles with so many lines from one to the next.
struct Sum<'a> {
    runs: &'a [Run],
    count: usize,
    step: [usize; 2],
}

/// `C[N m + n] += Σ A[m] · B[n]`, in as many of the tiles 0 to 3: for up to two blocks of either, or one and four.
///
/// Four products that do not wait for each other take as long as the first of them until its sum is there. Of two by two each tile of A
/// and B is loaded once for two: a load of sixteen lines takes half as long as a product.
///
/// # Safety
/// Sixteen lines can be read from each line that the sum names, from each of the blocks.
#[inline(always)]
unsafe fn accumulate<U: Unit, const M: usize, const N: usize>(
    unit: &mut U,
    a: [*const Line; M],
    b: [*const Line; N],
    sum: &Sum,
) {
    const STRIDE: usize = size_of::<Line>();
    for run in sum.runs {
        let mut a = a.map(|block| block.wrapping_offset(run.a));
        let mut b = b.map(|block| block.wrapping_offset(run.b));
        for _ in 0..sum.count {
            // SAFETY: the caller's promise.
            unsafe {
                unit.load::<4>(a[0].cast(), STRIDE);
                unit.load::<6>(b[0].cast(), STRIDE);
                unit.multiply::<0, 4, 6>();
                if N > 1 {
                    unit.load::<7>(b[1 % N].cast(), STRIDE);
                    unit.multiply::<1, 4, 7>();
                }
                if N > 2 {
                    unit.load::<5>(b[2 % N].cast(), STRIDE);
                    unit.multiply::<2, 4, 5>();
                    unit.load::<6>(b[3 % N].cast(), STRIDE);
                    unit.multiply::<3, 4, 6>();
                }
                if M > 1 {
                    unit.load::<5>(a[1 % M].cast(), STRIDE);
                    if N > 1 {
                        unit.multiply::<2, 5, 6>();
                        unit.multiply::<3, 5, 7>();
                    } else {
                        unit.multiply::<1, 5, 6>();
                    }
                }
                if M > 2 {
                    unit.load::<7>(a[2 % M].cast(), STRIDE);
                    unit.multiply::<2, 7, 6>();
                    unit.load::<4>(a[3 % M].cast(), STRIDE);
                    unit.multiply::<3, 4, 6>();
                }
            }
            a = a.map(|block| block.wrapping_add(sum.step[0]));
            b = b.map(|block| block.wrapping_add(sum.step[1]));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Product<'a>(&'a [Line], &'a [Line], &'a mut [f32]);

    impl TileKernel for Product<'_> {
        fn run<U: Unit>(self, unit: &mut U) {
            let Self(a, b, c) = self;
            assert_eq!([a.len(), b.len(), c.len()], [ROWS, ROWS, ROWS * ROWS]);
            // SAFETY: the lengths are those of tiles.
            unsafe {
                unit.load::<0>(c.as_ptr().cast(), 64);
                unit.load::<4>(a.as_ptr().cast(), 64);
                unit.load::<6>(b.as_ptr().cast(), 64);
                unit.multiply::<0, 4, 6>();
                unit.store::<0>(c.as_mut_ptr().cast(), 64);
            }
        }
    }

    /// Operands of all magnitudes, with infinities, subnormals and NaN.
    #[test]
    fn the_machines_tiles_have_the_portable_bits() {
        let Ok(tiles) = Tiles::detect() else { return };
        let mut state = 1u64;
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 32) as u32
        };
        for round in 0..2000 {
            let mut number = |_| match round % 4 {
                0 => next(),
                // Exponents around one, so that sums of many magnitudes round.
                1 => next() & 0x83ff_83ff | 0x3c00_3c00,
                2 => next() & 0x81ff_81ff | 0x3f00_3f00,
                // Products near the smallest normal number.
                _ => next() & 0x83ff_83ff | 0x1e00_1e00,
            };
            let a: Vec<Line> = (0..ROWS).map(|_| Line(std::array::from_fn(&mut number))).collect();
            let b: Vec<Line> = (0..ROWS).map(|_| Line(std::array::from_fn(&mut number))).collect();
            let begin: Vec<f32> =
                (0..ROWS * ROWS).map(|index| f32::from_bits(number(index) & 0xffff_0000)).collect();
            let of = |tiles: Tiles| {
                let mut c = begin.clone();
                tiles.run(Product(&a, &b, &mut c));
                c.iter()
                    .map(|value| if value.is_nan() { f32::NAN.to_bits() } else { value.to_bits() })
                    .collect::<Vec<_>>()
            };
            let (machine, portable) = (of(tiles), of(Tiles::PORTABLE));
            for (index, (machine, portable)) in machine.iter().zip(&portable).enumerate() {
                assert_eq!(
                    machine,
                    portable,
                    "round {round}, element {index}: {:e} {:e}",
                    f32::from_bits(*machine),
                    f32::from_bits(*portable)
                );
            }
        }
    }
}
