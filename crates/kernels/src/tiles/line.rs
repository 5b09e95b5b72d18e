//! The memory of tiles: lines of 64 bytes, which are 32 bfloat16 numbers or sixteen pairs of them.

use super::{Choice, Tiles};

/// Sixteen pairs of bfloat16 numbers, the first of each in the lower half.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(C, align(64))]
pub(super) struct Line(pub(super) [u32; PAIRS]);

/// Pairs in a line.
pub(super) const PAIRS: usize = 16;

/// Numbers in a line.
pub(super) const NUMBERS: usize = 2 * PAIRS;

/// Values of float32 that take a line's place.
pub(super) const VALUES: usize = size_of::<Line>() / size_of::<f32>();

impl Line {
    pub(super) const ZERO: Self = Self([0; PAIRS]);
}

/// The same memory as lines.
///
/// # Panics
/// When it does not begin at a line, as that of a [`crate::Buffer`] does, or does not consist of whole lines.
pub(super) fn as_lines(values: &[f32]) -> &[Line] {
    check(values);
    // SAFETY: checked above; any bytes are a line.
    unsafe { std::slice::from_raw_parts(values.as_ptr().cast(), values.len() / VALUES) }
}

/// As [`as_lines`], to be written.
///
/// # Panics
/// As there.
pub(super) fn as_lines_mut(values: &mut [f32]) -> &mut [Line] {
    check(values);
    // SAFETY: checked above; any bytes are a line, and any bits a float32.
    unsafe { std::slice::from_raw_parts_mut(values.as_mut_ptr().cast(), values.len() / VALUES) }
}

#[track_caller]
fn check(values: &[f32]) {
    let aligned = values.as_ptr().addr().is_multiple_of(align_of::<Line>());
    assert!(aligned && values.len().is_multiple_of(VALUES), "{} values that are no lines", values.len());
}

/// Rounds to the nearest bfloat16 number, ties to even; NaN stays NaN, and what is subnormal is zero, as in a product.
#[inline(always)]
pub(super) fn rounded(value: f32) -> u32 {
    const EXPONENT: u32 = 0x7f80_0000;
    let bits = value.to_bits();
    let bits = if bits & EXPONENT == 0 { bits & 0x8000_0000 } else { bits };
    // The exponent takes the carry; the largest numbers become infinite, as they must.
    let nearest = bits.wrapping_add(0x7fff + (bits >> 16 & 1)) >> 16;
    if value.is_nan() { bits >> 16 | 0x40 } else { nearest }
}

/// Up to 32 values, one behind the other; zeros in the place of what is missing.
///
/// # Panics
/// When there are more.
#[inline(always)]
pub(super) fn row(tiles: Tiles, values: &[f32]) -> Line {
    match tiles.unit {
        Choice::Portable => portable_row(values),
        #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
        // SAFETY: a value of this type exists only where the instructions do.
        Choice::Amx => unsafe { super::amx::rounded_row(values) },
    }
}

fn portable_row(values: &[f32]) -> Line {
    let mut halves = [0; NUMBERS];
    for (half, value) in halves[..values.len()].iter_mut().zip(values) {
        *half = rounded(*value);
    }
    Line(std::array::from_fn(|pair| halves[2 * pair + 1] << 16 | halves[2 * pair]))
}

/// Up to sixteen values of two rows, in pairs; zeros in the place of what is missing.
///
/// # Panics
/// When there are more.
#[inline(always)]
pub(super) fn pairs(tiles: Tiles, one: &[f32], other: &[f32]) -> Line {
    match tiles.unit {
        Choice::Portable => portable_pairs(one, other),
        #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
        // SAFETY: a value of this type exists only where the instructions do.
        Choice::Amx => unsafe { super::amx::rounded_pairs(one, other) },
    }
}

fn portable_pairs(one: &[f32], other: &[f32]) -> Line {
    let mut line = [0; PAIRS];
    for (values, shift) in [(one, 0), (other, 16)] {
        for (pair, value) in line[..values.len()].iter_mut().zip(values) {
            *pair |= rounded(*value) << shift;
        }
    }
    Line(line)
}

/// Sixteen lines as the columns of what they were the rows of, pairs staying together.
///
/// Compiled once: whoever is compiled for several instruction sets would have it for all of them, each.
#[inline(never)]
pub(super) fn transpose(tiles: Tiles, lines: &[Line], to: &mut [Line]) {
    assert!(lines.len() == PAIRS && to.len() == PAIRS, "{} and {} lines of 16", lines.len(), to.len());
    let side = PAIRS;
    // SAFETY: a line is sixteen values of 32 bits, which are moved as they are; there are sixteen of either, as checked above.
    let (from, to) = unsafe {
        (
            std::slice::from_raw_parts(lines.as_ptr().cast::<f32>(), side * side),
            std::slice::from_raw_parts_mut(to.as_mut_ptr().cast::<f32>(), side * side),
        )
    };
    crate::transpose::transpose(tiles.set, [side, side], from, to);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_round_to_nearest_even_and_nan_stays_nan() {
        let of = |value: f32| f32::from_bits(rounded(value) << 16);
        for (value, expected) in [
            (0.0, 0.0),
            (-1.0, -1.0),
            (1.0 + 1.0 / 256.0, 1.0),
            (1.0 + 3.0 / 256.0, 1.0 + 1.0 / 64.0),
            (1.0 + 1.1 / 256.0, 1.0 + 1.0 / 128.0),
            (f32::MAX, f32::INFINITY),
            (f32::NEG_INFINITY, f32::NEG_INFINITY),
            (f32::MIN_POSITIVE, f32::MIN_POSITIVE),
            (-f32::MIN_POSITIVE.next_down(), -0.0),
        ] {
            assert_eq!(of(value).to_bits(), f32::to_bits(expected), "{value}");
        }
        for bits in [0x7fff_ffff, 0xffff_ffff, 0x7f80_0001] {
            assert!(of(f32::from_bits(bits)).is_nan(), "{bits:x}");
        }
    }

    /// Every count, of values that end with their memory.
    #[test]
    fn the_machine_reads_what_is_there_alone() {
        let Ok(tiles) = Tiles::detect() else { return };
        let values: [f32; NUMBERS] = std::array::from_fn(|index| index as f32 + 1.0);
        for count in 0..=NUMBERS {
            let values = &values[NUMBERS - count..];
            assert_eq!(row(tiles, values), portable_row(values), "{count}");
            let (one, other) = values.split_at(count.min(PAIRS));
            assert_eq!(pairs(tiles, one, other), portable_pairs(one, other), "{count}");
        }
    }

    /// Every upper half, with lower halves around where rounding turns.
    #[test]
    fn the_machine_rounds_to_the_portable_bits() {
        let Ok(tiles) = Tiles::detect() else { return };
        for lower in [0, 1, 0x7fff, 0x8000, 0x8001, 0xffff] {
            for first in (0..=0xffff_u32).step_by(NUMBERS) {
                let values: [f32; NUMBERS] =
                    std::array::from_fn(|index| f32::from_bits((first + index as u32) << 16 | lower));
                assert_eq!(row(tiles, &values), portable_row(&values), "{first:x} {lower:x}");
                let (one, other) = values.split_at(PAIRS);
                assert_eq!(pairs(tiles, one, other), portable_pairs(one, other), "{first:x} {lower:x}");
            }
        }
    }

    #[test]
    fn rows_and_pairs_lie_as_tiles_read_them() {
        let values: [f32; NUMBERS] = std::array::from_fn(|index| index as f32);
        let line = row(Tiles::PORTABLE, &values[..31]);
        assert_eq!(line.0[1], rounded(3.0) << 16 | rounded(2.0));
        assert_eq!(line.0[15], rounded(30.0));
        let line = pairs(Tiles::PORTABLE, &values[..15], &values[16..31]);
        assert_eq!((line.0[1], line.0[15]), (rounded(17.0) << 16 | rounded(1.0), 0));
        let lines: Vec<Line> =
            (0..16).map(|row| Line(std::array::from_fn(|column| 16 * row + column as u32))).collect();
        let mut turned = vec![Line::ZERO; 16];
        transpose(Tiles::PORTABLE, &lines, &mut turned);
        assert!(
            (0..256).all(|index| turned[index / 16].0[index % 16] == (16 * (index % 16) + index / 16) as u32)
        );
    }
}
