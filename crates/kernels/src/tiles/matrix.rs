//! Products of matrices of bfloat16 numbers, of a few rows with packed weights, and of two matrices' columns.
//!
//! What is multiplied is given by parts of rows, so that whatever lies in memory in whatever order can be multiplied; where a part is short,
//! zeros follow.

pub use super::pass::Target;
use super::{
    ROWS, Run, Tiles,
    line::{Line, NUMBERS, PAIRS, VALUES, as_lines, as_lines_mut, pairs, row, transpose},
    pass::{Begin, Positions, Runs, Sums, WeightSums},
};
use crate::{check_length, length, matmul::Output};
use rayon::prelude::*;

/// Lines of a tile, and columns of C in it.
const TILE: usize = ROWS;
const WIDTH: usize = PAIRS;

/// What a product's sums begin at.
#[derive(Debug, Clone, Copy)]
pub enum Start<'a> {
    /// Zero.
    Zero,
    /// What is there.
    Target,
    /// The same row for every row.
    Row(&'a [f32]),
}

/// Blocks of 32 that hold so many summands.
pub fn blocks(summands: usize) -> usize {
    summands.div_ceil(NUMBERS)
}

/// The part of a row that is a block's: up to 32 values.
#[inline(always)]
pub fn block_of(row: &[f32], block: usize) -> &[f32] {
    &row[block * NUMBERS..row.len().min((block + 1) * NUMBERS)]
}

/// Summands of a block.
pub const SUMMANDS: usize = NUMBERS;

/// Columns of a tile, and rows.
pub const SIXTEEN: usize = WIDTH;

/// The part of a row that is a tile's: up to sixteen values.
#[inline(always)]
pub fn sixteen_of(row: &[f32], index: usize) -> &[f32] {
    &row[index * WIDTH..row.len().min((index + 1) * WIDTH)]
}

/// Packs a row-major matrix for both directions, a thread the columns of a tile: as it is, and transposed. Overwrites both.
///
/// # Panics
/// When a length does not fit, or what is packed does not begin at a cache line.
pub fn pack_both(tiles: Tiles, matrix: &[f32], columns: usize, [packed, transposed]: [&mut [f32]; 2]) {
    let rows = matrix.len() / columns;
    let of_row = |row: usize| &matrix[row * columns..][..columns];
    let [of_columns, of_rows] = [blocks(rows), blocks(columns)];
    check_length!(matrix, [rows, columns]);
    check_length!(packed, [packed_length(of_columns, columns)]);
    check_length!(transposed, [packed_length(of_rows, rows)]);
    let chunks = packed.par_chunks_mut(packed_length(of_columns, WIDTH)).enumerate();
    chunks.for_each(|(tile, packed)| {
        let row = |block: usize, index: usize| match block * NUMBERS + index {
            row if row < rows => sixteen_of(of_row(row), tile),
            _ => &[],
        };
        pack(tiles, [of_columns, WIDTH.min(columns - tile * WIDTH)], row, packed);
    });
    let chunks = transposed.par_chunks_mut(packed_length(of_rows, WIDTH)).enumerate();
    chunks.for_each(|(tile, packed)| {
        let column = |column: usize, block: usize| block_of(of_row(tile * WIDTH + column), block);
        pack_columns(tiles, [of_rows, WIDTH.min(rows - tile * WIDTH)], column, packed);
    });
}

/// Values of the packed form of a matrix of so many blocks of 32 rows and so many columns.
///
/// # Panics
/// When they are more than a machine can address.
pub fn packed_length(blocks: usize, columns: usize) -> usize {
    length::product(&[columns.div_ceil(WIDTH), blocks, TILE, VALUES])
}

/// Packs a matrix whose rows `of_row(block, index)` gives, the index counting to 32; of a row that is not there, nothing. Overwrites
/// `packed`.
///
/// # Panics
/// When a length does not fit, or `packed` does not begin at a cache line.
pub fn pack<'a>(
    tiles: Tiles,
    [blocks, columns]: [usize; 2],
    of_row: impl Fn(usize, usize) -> &'a [f32],
    packed: &mut [f32],
) {
    check_length!(packed, [packed_length(blocks, columns)]);
    let lines = as_lines_mut(packed);
    tiles.round(
        #[inline(always)]
        || {
            let mut lines = lines.iter_mut();
            for first in (0..columns).step_by(WIDTH) {
                for block in 0..blocks {
                    for pair in 0..PAIRS {
                        let [one, other] = [2 * pair, 2 * pair + 1].map(|index| match of_row(block, index) {
                            [] => &[],
                            row => &row[first..columns.min(first + WIDTH)],
                        });
                        *lines.next().expect("a line each") = pairs(tiles, one, other);
                    }
                }
            }
        },
    );
}

/// Packs a matrix whose columns `of_column(column, block)` gives, a block's up to 32 values of them; overwrites `packed`.
///
/// # Panics
/// As [`pack`].
pub fn pack_columns<'a>(
    tiles: Tiles,
    [blocks, columns]: [usize; 2],
    of_column: impl Fn(usize, usize) -> &'a [f32],
    packed: &mut [f32],
) {
    check_length!(packed, [packed_length(blocks, columns)]);
    let lines = as_lines_mut(packed);
    tiles.round(
        #[inline(always)]
        || {
            let mut chunks = lines.chunks_exact_mut(TILE);
            for first in (0..columns).step_by(WIDTH) {
                for block in 0..blocks {
                    let mut columns_of_tile = [Line::ZERO; TILE];
                    for (line, column) in columns_of_tile.iter_mut().zip(first..columns.min(first + WIDTH)) {
                        *line = row(tiles, of_column(column, block));
                    }
                    transpose(tiles, &columns_of_tile, chunks.next().expect("a tile each"));
                }
            }
        },
    );
}

/// Values of the workspace of [`multiply`] for rows of so many blocks.
///
/// # Panics
/// When they are more than a machine can address.
pub fn rows_length(blocks: usize) -> usize {
    length::product(&[blocks, TILE, VALUES])
}

/// C = start + A · B, of up to sixteen rows of A, of which `of_row(row, block)` are up to 32 values, and B packed.
///
/// # Panics
/// When a length does not fit, or the packed matrix or the workspace do not begin at a cache line.
pub fn multiply<'a>(
    tiles: Tiles,
    blocks: usize,
    of_row: impl Fn(usize, usize) -> &'a [f32],
    packed: &[f32],
    start: Start,
    c: Target,
    workspace: &mut [f32],
) {
    check_length!(packed, [packed_length(blocks, c.columns)]);
    assert!(c.rows <= ROWS, "{} rows at once: at most {ROWS} expected", c.rows);
    let rows = c.rows;
    let a = as_lines_mut(&mut workspace[..rows_length(blocks)]);
    tiles.round(
        #[inline(always)]
        || {
            for (block, tile) in a.chunks_exact_mut(TILE).enumerate() {
                for (index, line) in tile.iter_mut().enumerate() {
                    *line = if index < rows { row(tiles, of_row(index, block)) } else { Line::ZERO };
                }
            }
        },
    );
    tiles.run(Sums {
        runs: Runs::Same(&[Run { a: 0, b: 0 }]),
        count: blocks,
        a,
        a_step: 0,
        b: as_lines(packed),
        positions: &[Positions { c: 0, a: 0, count: 1, runs: 0 }],
        c_step: 0,
        begin: match start {
            Start::Zero => Begin::Zero,
            Start::Target => Begin::C,
            Start::Row(row) => Begin::Row(row),
        },
        c,
    });
}

/// Values of one side of [`multiply_laid_out`], of so many rows or columns of the product, summed over so many rows.
///
/// # Panics
/// When they are more than a machine can address.
pub fn side_length(side: usize, summands: usize) -> usize {
    length::product(&[side.div_ceil(WIDTH), of_sixteen(summands)])
}

/// Values of sixteen rows or columns of a side.
///
/// # Panics
/// As [`side_length`].
pub fn of_sixteen(summands: usize) -> usize {
    length::product(&[blocks(summands), TILE, VALUES])
}

/// Lays out the left side of a product of columns, or whole sixteens of its columns: `of_row(row, sixteen)` are up to sixteen values of
/// a row. Overwrites `side`.
///
/// # Panics
/// When there are no summands, or `side` does not consist of whole sixteens, or does not begin at a cache line.
pub fn lay_out_left<'a>(
    tiles: Tiles,
    summands: usize,
    of_row: impl Fn(usize, usize) -> &'a [f32],
    side: &mut [f32],
) {
    lay_out(tiles, summands, of_row, side, true);
}

/// As [`lay_out_left`], the right side.
///
/// # Panics
/// As there.
pub fn lay_out_right<'a>(
    tiles: Tiles,
    summands: usize,
    of_row: impl Fn(usize, usize) -> &'a [f32],
    side: &mut [f32],
) {
    lay_out(tiles, summands, of_row, side, false);
}

/// Pairs of rows, tile by tile; a left side's tiles are transposed, so that its columns become rows.
#[inline(always)]
fn lay_out<'a>(
    tiles: Tiles,
    summands: usize,
    of_row: impl Fn(usize, usize) -> &'a [f32],
    side: &mut [f32],
    transposed: bool,
) {
    assert!(summands > 0, "a sum over nothing");
    check_length!(side, [side.len() / of_sixteen(summands), of_sixteen(summands)]);
    let of_block = of_sixteen(summands) / VALUES;
    let lines = as_lines_mut(side);
    tiles.round(
        #[inline(always)]
        || {
            for (block, lines) in lines.chunks_exact_mut(of_block).enumerate() {
                for (chunk, tile) in lines.chunks_exact_mut(TILE).enumerate() {
                    let of = |row| of_row(row, block);
                    if transposed {
                        let mut lines = [Line::ZERO; TILE];
                        of_pairs(tiles, summands, chunk, &mut lines, of);
                        transpose(tiles, &lines, tile);
                    } else {
                        of_pairs(tiles, summands, chunk, tile, of);
                    }
                }
            }
        },
    );
}

/// C = Aᵀ · B, summed over `summands` rows, of both sides as they are laid out, for the rows and columns of C.
///
/// # Panics
/// When a length does not fit, or a side does not begin at a cache line.
pub fn multiply_laid_out(tiles: Tiles, summands: usize, left: &[f32], right: &[f32], c: Target) {
    check_length!(left, [side_length(c.rows, summands)]);
    check_length!(right, [side_length(c.columns, summands)]);
    let of_block = of_sixteen(summands) / VALUES;
    tiles.run(WeightSums {
        runs: &[Run { a: 0, b: 0 }],
        count: blocks(summands),
        a: as_lines(left),
        a_block: of_block,
        b: as_lines(right),
        b_block: of_block,
        taps: &[0],
        begin: Output::Overwrite,
        c,
        tap_step: 0,
    });
}

/// Values of the workspace of [`multiply_columns`] for so many rows and columns of the product, summed over so many rows.
///
/// # Panics
/// When they are more than a machine can address.
pub fn columns_length([rows, columns]: [usize; 2], summands: usize) -> usize {
    length::sum(&[side_length(rows, summands), side_length(columns, summands)])
}

/// C = Aᵀ · B, summed over `summands` rows, of which `of_a(row, sixteen)` and `of_b(row, sixteen)` are up to sixteen values: those of
/// sixteen rows, or columns, of C.
///
/// # Panics
/// When a length does not fit, or the workspace does not begin at a cache line.
pub fn multiply_columns<'a>(
    tiles: Tiles,
    summands: usize,
    of_a: impl Fn(usize, usize) -> &'a [f32],
    of_b: impl Fn(usize, usize) -> &'a [f32],
    c: Target,
    workspace: &mut [f32],
) {
    let workspace = &mut workspace[..columns_length([c.rows, c.columns], summands)];
    let (left, right) = workspace.split_at_mut(side_length(c.rows, summands));
    lay_out_left(tiles, summands, of_a, left);
    lay_out_right(tiles, summands, of_b, right);
    multiply_laid_out(tiles, summands, left, right, c);
}

/// The 32 rows of a chunk in pairs; zeros behind the last.
#[inline(always)]
fn of_pairs<'a>(
    tiles: Tiles,
    summands: usize,
    chunk: usize,
    lines: &mut [Line],
    of_row: impl Fn(usize) -> &'a [f32],
) {
    let of = |row: usize| if row < summands { of_row(row) } else { &[] };
    for (pair, line) in lines.iter_mut().enumerate() {
        let first = chunk * NUMBERS + 2 * pair;
        *line = pairs(tiles, of(first), of(first + 1));
    }
}
