//! Lengths of tensors, counted without wrapping.
//!
//! Overflow wraps in a release build. A product of sizes that has wrapped could equal the length of a short slice, and a
//! kernel would then read and write beyond it: so whatever decides how far a kernel reaches is counted here. What is
//! computed after such a check, from the same sizes, is smaller than the length that was found, and cannot wrap.

use std::fmt;

/// The product of the sides.
///
/// # Panics
/// When it is more than a machine can address.
#[track_caller]
pub(crate) fn product(sides: &[usize]) -> usize {
    checked_product(sides).unwrap_or_else(|| panic!("a tensor of {} elements: too large", Sides(sides)))
}

/// The product as a number of operations, which no memory bounds; too large to be counted, it is the largest number.
pub(crate) fn operations(factors: &[usize]) -> u64 {
    factors.iter().fold(1, |product: u64, factor| product.saturating_mul(*factor as u64))
}

/// The sum of the lengths of parts that lie one behind the other.
///
/// # Panics
/// When it is more than a machine can address.
#[track_caller]
pub(crate) fn sum(parts: &[usize]) -> usize {
    parts
        .iter()
        .try_fold(0usize, |sum, part| sum.checked_add(*part))
        .unwrap_or_else(|| panic!("parts of {parts:?} elements: too large together"))
}

/// The length in whole vectors.
///
/// # Panics
/// When it is more than a machine can address.
#[track_caller]
pub(crate) fn padded(length: usize, lanes: usize) -> usize {
    length.checked_next_multiple_of(lanes).unwrap_or_else(|| panic!("a row of {length} elements: too large"))
}

/// The product, where it can be counted.
fn checked_product(sides: &[usize]) -> Option<usize> {
    if sides.contains(&0) {
        return Some(0);
    }
    sides.iter().try_fold(1usize, |product, side| product.checked_mul(*side))
}

/// Asserts that a slice of that name, with so many elements, holds its shape.
#[track_caller]
pub(crate) fn check(name: &str, found: usize, sides: &[usize]) {
    let expected = checked_product(sides);
    if expected != Some(found) {
        match expected {
            Some(expected) => {
                panic!("{name}: {expected} elements expected, {found} found (shape {})", Sides(sides))
            }
            None => panic!("{name}: the elements of a shape {} expected, {found} found", Sides(sides)),
        }
    }
}

/// `16×28×28`.
struct Sides<'a>(&'a [usize]);

impl fmt::Display for Sides<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, side) in self.0.iter().enumerate() {
            let times = if index > 0 { "×" } else { "" };
            write!(formatter, "{times}{side}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Its square wraps to 0.
    const ROOT: usize = 1 << (usize::BITS / 2);

    #[test]
    fn a_product_is_counted_or_refused() {
        assert_eq!(product(&[]), 1);
        assert_eq!(product(&[3, 4, 5]), 60);
        assert_eq!(product(&[usize::MAX, 1]), usize::MAX);
        assert_eq!(product(&[usize::MAX, 2, 0]), 0, "nothing is nothing in any order");
        assert_eq!(checked_product(&[ROOT, ROOT]), None);
        assert_eq!(checked_product(&[usize::MAX / 2 + 1, 2]), None);
    }

    #[test]
    #[should_panic(expected = "×3 elements: too large")]
    fn a_product_names_its_sides() {
        product(&[usize::MAX, 3]);
    }

    #[test]
    #[should_panic(expected = "x: 6 elements expected, 5 found (shape 2×3)")]
    fn a_wrong_length_names_the_shape() {
        check("x", 5, &[2, 3]);
    }

    #[test]
    #[should_panic(expected = "expected, 0 found")]
    fn a_wrapped_product_is_no_length() {
        check("x", 0, &[ROOT, ROOT]);
    }

    #[test]
    fn operations_saturate() {
        assert_eq!(operations(&[2, 3]), 6);
        assert_eq!(operations(&[usize::MAX, usize::MAX, 3]), u64::MAX);
    }

    #[test]
    fn sums_and_paddings_are_counted() {
        assert_eq!(sum(&[1, 2, 3]), 6);
        assert_eq!(padded(17, 16), 32);
    }

    #[test]
    #[should_panic(expected = "too large together")]
    fn a_sum_does_not_wrap() {
        sum(&[usize::MAX, 1]);
    }

    #[test]
    #[should_panic(expected = "elements: too large")]
    fn a_padding_does_not_wrap() {
        padded(usize::MAX, 16);
    }
}
