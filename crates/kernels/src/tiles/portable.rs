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

    unsafe fn load<const TILE: usize>(&mut self, from: *const u8, stride: usize) {
        for (row, line) in self.tiles[TILE].iter_mut().enumerate() {
            // SAFETY: the caller's promise.
            line.0 = unsafe { from.add(row * stride).cast::<[u32; PAIRS]>().read_unaligned() };
        }
    }

    unsafe fn store<const TILE: usize>(&self, to: *mut u8, stride: usize) {
        for (row, line) in self.tiles[TILE].iter().enumerate() {
            // SAFETY: the caller's promise.
            unsafe { to.add(row * stride).cast::<[u32; PAIRS]>().write_unaligned(line.0) };
        }
    }

    fn multiply<const C: usize, const A: usize, const B: usize>(&mut self) {
        let b = self.tiles[B].map(|line| line.0.map(numbers));
        for row in 0..ROWS {
            let a = self.tiles[A][row].0.map(numbers);
            let mut sums = [[0.0_f32; 2]; PAIRS];
            for (a, b) in a.iter().zip(&b) {
                for (sum, b) in sums.iter_mut().zip(b) {
                    *sum = [multiply_add(a[0], b[0], sum[0]), multiply_add(a[1], b[1], sum[1])];
                }
            }
            for (c, [even, odd]) in self.tiles[C][row].0.iter_mut().zip(sums) {
                *c = flushed(flushed(f32::from_bits(*c)) + flushed(even + odd)).to_bits();
            }
        }
    }
}
