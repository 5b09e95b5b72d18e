//! What the machine can do at most: the measures that a kernel's speed is a fraction of.

use crate::{Element, InstructionSet, dispatch::Kernel, vector::Vector};
use std::hint::black_box;

/// Accumulators that hide the latency of a multiply-add, at most 5 cycles at two a cycle.
const ACCUMULATORS: usize = 12;

/// Does `rounds` · 12 multiply-adds of whole float32 vectors that wait for nothing but themselves; returns the floating
/// point operations that this was, a multiply-add being two.
pub fn multiply_adds(set: InstructionSet, rounds: usize) -> u64 {
    f32::dispatch(set, MultiplyAdds { rounds })
}

struct MultiplyAdds {
    rounds: usize,
}

impl Kernel<f32> for MultiplyAdds {
    type Output = u64;

    #[inline(always)]
    unsafe fn run<V: Vector<Element = f32>>(self) -> u64 {
        // SAFETY: the caller vouches for the instructions; `lanes` has room for the widest vector.
        unsafe {
            let factor = V::splat(black_box(0.999_999));
            let term = V::splat(black_box(1e-6));
            let mut sums = [V::splat(black_box(1.0)); ACCUMULATORS];
            for _ in 0..self.rounds {
                for sum in &mut sums {
                    *sum = sum.mul_add(factor, term);
                }
            }
            let mut lanes = [0.0f32; 16];
            for sum in sums {
                sum.store(lanes.as_mut_ptr());
                black_box(&lanes);
            }
            (2 * self.rounds * ACCUMULATORS * V::LANES) as u64
        }
    }
}

/// Reads all of `values` so many times over, adding them up in the widest vectors.
pub fn read(set: InstructionSet, values: &[f32], passes: usize) -> f32 {
    f32::dispatch(set, Read { values, passes })
}

struct Read<'a> {
    values: &'a [f32],
    passes: usize,
}

impl Kernel<f32> for Read<'_> {
    type Output = f32;

    #[inline(always)]
    unsafe fn run<V: Vector<Element = f32>>(self) -> f32 {
        let mut lanes = [0.0f32; 16];
        let blocks = self.values.chunks_exact(ACCUMULATORS * V::LANES);
        let rest: f32 = blocks.remainder().iter().sum::<f32>() * self.passes as f32;
        // SAFETY: each block holds as many vectors as are read; `lanes` has room for the widest vector.
        unsafe {
            let mut sums = [V::zero(); ACCUMULATORS];
            for _ in 0..self.passes {
                for block in blocks.clone() {
                    for (index, sum) in sums.iter_mut().enumerate() {
                        *sum = sum.add(V::load(block.as_ptr().add(index * V::LANES)));
                    }
                }
            }
            let mut total = V::zero();
            for sum in sums {
                total = total.add(sum);
            }
            total.store(lanes.as_mut_ptr());
        }
        lanes[..V::LANES].iter().sum::<f32>() + rest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_is_read_and_every_operation_counted() {
        for set in InstructionSet::available() {
            for length in [0, 1, 15, 191, 192, 193, 1000] {
                let values: Vec<f32> = (0..length).map(|index| index as f32).collect();
                let sum = (length * length.max(1) - length) as f32 / 2.0;
                assert_eq!(
                    [0, 1, 3].map(|passes| read(set, &values, passes)),
                    [0.0, sum, 3.0 * sum],
                    "{length}"
                );
            }
            assert_eq!(multiply_adds(set, 20), 2 * multiply_adds(set, 10));
        }
    }
}
