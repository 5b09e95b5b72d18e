//! Sums of products of bytes.

use crate::{InstructionSet, check_length};

/// Adds to each of `sums` the products of `values` and a row of `weights`: `sums[r] += Σ weights[r, i] · values[i]`.
///
/// Shapes: `weights` `[sums, values]`. Sums wrap at 32 bits.
///
/// # Panics
/// When the weights are not of that shape.
pub fn add_products(set: InstructionSet, values: &[i8], weights: &[i8], sums: &mut [i32]) {
    check_length!(weights, [sums.len(), values.len()]);
    if values.is_empty() {
        return;
    }
    set.run(
        #[inline(always)]
        || {
            for (sum, row) in sums.iter_mut().zip(weights.chunks_exact(values.len())) {
                let products = row.iter().zip(values);
                let add = |sum: i32, (one, other): (&i8, &i8)| {
                    sum.wrapping_add(i32::from(*one) * i32::from(*other))
                };
                *sum = products.fold(*sum, add);
            }
        },
    );
}
