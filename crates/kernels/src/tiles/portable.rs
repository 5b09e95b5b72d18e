//! The plain implementation of [`Unit`].

use super::{Line, ROWS, Unit, line::PAIRS};

/// Eight tiles in memory.
pub(super) struct Portable {
    tiles: Box<[[Line; ROWS]; 8]>,
}

impl Portable {
    pub(super) fn new() -> Self {
        Self { tiles: Box::new([[Line::ZERO; ROWS]; 8]) }
    }

    fn multiply_tiles(&mut self, c: usize, a: usize, b: usize) {
        let right = self.tiles[b].map(|line| line.0.map(numbers));
        for row in 0..ROWS {
            let left = self.tiles[a][row].0.map(numbers);
            let mut sums = [[0.0_f32; 2]; PAIRS];
            for (left, right) in left.iter().zip(&right) {
                for (sum, right) in sums.iter_mut().zip(right) {
                    *sum = [multiply_add(left[0], right[0], sum[0]), multiply_add(left[1], right[1], sum[1])];
                }
            }
            for (to, [even, odd]) in self.tiles[c][row].0.iter_mut().zip(sums) {
                *to = flushed(flushed(f32::from_bits(*to)) + flushed(even + odd)).to_bits();
            }
        }
    }
}

/// Zero in the place of what is subnormal.
fn flushed(value: f32) -> f32 {
    if value.is_subnormal() { 0.0_f32.copysign(value) } else { value }
}

/// a · b + c, rounded once. A product of bfloat16 numbers that is a normal one is exact already.
fn multiply_add(a: f32, b: f32, c: f32) -> f32 {
    let product = a * b;
    flushed(if product.is_normal() || product == 0.0 { product + c } else { a.mul_add(b, c) })
}

/// Both numbers of a pair.
fn numbers(pair: u32) -> [f32; 2] {
    [f32::from_bits(pair << 16), f32::from_bits(pair & 0xffff_0000)].map(flushed)
}

impl Unit for Portable {
    fn zero<const TILE: usize>(&mut self) {
        self.tiles[TILE] = [Line::ZERO; ROWS];
    }

    #[inline(never)]
    unsafe fn load<const TILE: usize>(&mut self, from: *const u8, stride: usize) {
        for (row, line) in self.tiles[TILE].iter_mut().enumerate() {
            // SAFETY: the caller's promise.
            line.0 = unsafe { from.add(row * stride).cast::<[u32; PAIRS]>().read_unaligned() };
        }
    }

    #[inline(never)]
    unsafe fn store<const TILE: usize>(&self, to: *mut u8, stride: usize) {
        for (row, line) in self.tiles[TILE].iter().enumerate() {
            // SAFETY: the caller's promise.
            unsafe { to.add(row * stride).cast::<[u32; PAIRS]>().write_unaligned(line.0) };
        }
    }

    #[inline(never)]
    fn multiply<const C: usize, const A: usize, const B: usize>(&mut self) {
        self.multiply_tiles(C, A, B);
    }
}
