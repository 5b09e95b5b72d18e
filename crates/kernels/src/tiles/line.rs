//! The memory of tiles: lines of 64 bytes, which are 32 bfloat16 numbers or sixteen pairs of them.

use crate::InstructionSet;

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

/// Rounds to the nearest bfloat16 number, ties to even; NaN stays NaN.
#[inline(always)]
pub(super) fn rounded(value: f32) -> u32 {
    let bits = value.to_bits();
    // The exponent takes the carry; the largest numbers become infinite, as they must.
    let nearest = bits.wrapping_add(0x7fff + (bits >> 16 & 1)) >> 16;
    if value.is_nan() { bits >> 16 | 0x40 } else { nearest }
}

/// Up to 32 values, one behind the other; zeros in the place of what is missing.
#[inline(always)]
pub(super) fn row(values: &[f32]) -> Line {
    if let Ok(values) = <&[f32; NUMBERS]>::try_from(values) {
        return whole_row(values);
    }
    let mut all = [0.0; NUMBERS];
    all[..values.len()].copy_from_slice(values);
    whole_row(&all)
}

/// 32 values, one behind the other.
#[inline(always)]
pub(super) fn whole_row(values: &[f32; NUMBERS]) -> Line {
    let mut halves = [0u16; NUMBERS];
    for (half, value) in halves.iter_mut().zip(values) {
        *half = rounded(*value) as u16;
    }
    // SAFETY: both are 64 bytes of plain integers; the lower half of a pair comes first in memory on little-endian machines.
    #[cfg(target_endian = "little")]
    return Line(unsafe { std::mem::transmute::<[u16; NUMBERS], [u32; PAIRS]>(halves) });
    #[cfg(target_endian = "big")]
    Line(std::array::from_fn(|pair| u32::from(halves[2 * pair + 1]) << 16 | u32::from(halves[2 * pair])))
}

/// Up to sixteen values of two rows, in pairs; zeros in the place of what is missing.
#[inline(always)]
pub(super) fn pairs(first: &[f32], second: &[f32]) -> Line {
    if let (Ok(first), Ok(second)) = (first.try_into(), second.try_into()) {
        return whole_pairs(first, second);
    }
    let (mut one, mut other) = ([0.0; PAIRS], [0.0; PAIRS]);
    one[..first.len()].copy_from_slice(first);
    other[..second.len()].copy_from_slice(second);
    whole_pairs(&one, &other)
}

/// Sixteen values of two rows, in pairs.
#[inline(always)]
pub(super) fn whole_pairs(first: &[f32; PAIRS], second: &[f32; PAIRS]) -> Line {
    let mut line = [0; PAIRS];
    for (pair, (first, second)) in line.iter_mut().zip(first.iter().zip(second)) {
        *pair = rounded(*second) << 16 | rounded(*first);
    }
    Line(line)
}

/// Sixteen lines as the columns of what they were the rows of, pairs staying together.
///
/// Compiled once: whoever is compiled for several instruction sets would have it for all of them, each.
#[inline(never)]
pub(super) fn transpose(set: InstructionSet, lines: &[Line], to: &mut [Line]) {
    assert!(lines.len() == PAIRS && to.len() == PAIRS, "{} and {} lines of 16", lines.len(), to.len());
    let side = PAIRS;
    // SAFETY: a line is sixteen values of 32 bits, which are moved as they are; there are sixteen of either, as checked above.
    let (from, to) = unsafe {
        (
            std::slice::from_raw_parts(lines.as_ptr().cast::<f32>(), side * side),
            std::slice::from_raw_parts_mut(to.as_mut_ptr().cast::<f32>(), side * side),
        )
    };
    crate::transpose::transpose(set, [side, side], from, to);
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
        ] {
            assert_eq!(of(value).to_bits(), f32::to_bits(expected), "{value}");
        }
        for bits in [0x7fff_ffff, 0xffff_ffff, 0x7f80_0001] {
            assert!(of(f32::from_bits(bits)).is_nan(), "{bits:x}");
        }
    }

    #[test]
    fn rows_and_pairs_lie_as_tiles_read_them() {
        let values: [f32; NUMBERS] = std::array::from_fn(|index| index as f32);
        let line = row(&values[..31]);
        assert_eq!(line.0[1], rounded(3.0) << 16 | rounded(2.0));
        assert_eq!(line.0[15], rounded(30.0));
        let line = pairs(&values[..15], &values[16..31]);
        assert_eq!((line.0[1], line.0[15]), (rounded(17.0) << 16 | rounded(1.0), 0));
        let lines: Vec<Line> =
            (0..16).map(|row| Line(std::array::from_fn(|column| 16 * row + column as u32))).collect();
        let mut turned = vec![Line::ZERO; 16];
        transpose(InstructionSet::detect(), &lines, &mut turned);
        assert!(
            (0..256).all(|index| turned[index / 16].0[index % 16] == (16 * (index % 16) + index / 16) as u32)
        );
    }
}
