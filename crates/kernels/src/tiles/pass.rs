//! Walks over the tiles of a product.

use super::{
    ROWS, Run, Sum, TileKernel, Unit, accumulate,
    line::{Line, PAIRS},
};
use crate::{check_length, length};

/// Lines of a tile, and columns of a tile of C.
const TILE: usize = ROWS;
const WIDTH: usize = PAIRS;

/// What sums begin at.
#[derive(Debug, Clone, Copy)]
pub(super) enum Begin<'a> {
    Zero,
    /// What C holds.
    C,
    /// The same row for each row of C.
    Row(&'a [f32]),
}

/// Positions that are one step apart, in C as in A.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Positions {
    /// The first's element in an image of C.
    pub(super) c: usize,
    /// The first's line in A.
    pub(super) a: usize,
    pub(super) count: usize,
    /// Which of the runs they are summed over.
    pub(super) runs: usize,
}

/// What positions are summed over.
#[derive(Debug, Clone, Copy)]
pub(super) enum Runs<'a> {
    /// All over the same.
    Same(&'a [Run]),
    /// Each over those that it names.
    Named(&'a [Vec<Run>]),
}

impl<'a> Runs<'a> {
    #[inline(always)]
    fn of(self, positions: Positions) -> &'a [Run] {
        match self {
            Self::Same(runs) => runs,
            Self::Named(all) => &all[positions.runs],
        }
    }
}

/// Where a product's rows and columns are written.
#[derive(Debug)]
pub struct Target<'a> {
    /// Up to sixteen rows of the product lie in it, or more where the product is one of columns.
    pub values: &'a mut [f32],
    /// How many rows there are.
    pub rows: usize,
    /// Elements from one row to the next.
    pub row_stride: usize,
    /// How many columns there are.
    pub columns: usize,
    /// Columns that lie one behind the other, a multiple of sixteen unless they are all, and elements from the first of them to the first of
    /// the next.
    pub block: [usize; 2],
}

impl<'a> Target<'a> {
    /// Rows one behind the other, each of its columns.
    ///
    /// # Panics
    /// When `values` does not consist of such rows.
    pub fn whole(values: &'a mut [f32], columns: usize) -> Self {
        let rows = values.len().checked_div(columns).unwrap_or(0);
        check_length!(values, [rows, columns]);
        Self { values, rows, row_stride: columns, columns, block: [columns, 0] }
    }

    /// The element of a column in the first row.
    #[inline(always)]
    fn element(&self, column: usize) -> usize {
        column / self.block[0] * self.block[1] + column % self.block[0]
    }

    /// # Panics
    /// When positions `further` elements behind the first have rows or columns outside of the values, or blocks are no whole tiles.
    fn check(&self, further: usize) {
        let [block, _] = self.block;
        let tiles = block >= self.columns || block.is_multiple_of(WIDTH);
        assert!(block > 0 && tiles, "blocks of {block} columns");
        if self.rows > 0 && self.columns > 0 {
            let row = length::product(&[self.rows - 1, self.row_stride]);
            let blocks = (self.columns - 1) / block;
            // The last column, and that of the block before it, which may lie behind.
            let mut last =
                length::sum(&[length::product(&[blocks, self.block[1]]), (self.columns - 1) % block]);
            if blocks > 0 {
                last = last.max(length::sum(&[length::product(&[blocks - 1, self.block[1]]), block - 1]));
            }
            let last = length::sum(&[row, last, further]);
            assert!(last < self.values.len(), "element {last} of {}", self.values.len());
        }
    }

    /// Up to two by two tiles, of which the first begins at a position's column.
    #[inline(always)]
    fn corner(&mut self, position: usize, [row, column]: [usize; 2], row_tiles: usize) -> Corner {
        let at = self.element(column);
        // There need not be another tile.
        let next = self.element((column + WIDTH).min(self.columns - 1));
        Corner {
            c: self.values.as_mut_ptr().wrapping_add(position + row * self.row_stride + at),
            row: self.row_stride,
            rows: self.rows - row,
            column_tiles: next.wrapping_sub(at),
            row_tiles,
            columns: self.columns - column,
        }
    }
}

/// `C[image, position] = begin + Σ A[position] · B`, each position's sixteen rows being images.
pub(super) struct Sums<'a> {
    pub(super) runs: Runs<'a>,
    /// Tiles of a run; those of A and B follow each other.
    pub(super) count: usize,
    pub(super) a: &'a [Line],
    /// Lines of A from one position to the next.
    pub(super) a_step: usize,
    /// `[block of columns, …]`.
    pub(super) b: &'a [Line],
    pub(super) positions: &'a [Positions],
    /// Elements of C from one position to the next.
    pub(super) c_step: usize,
    pub(super) begin: Begin<'a>,
    pub(super) c: Target<'a>,
}

impl Sums<'_> {
    /// # Panics
    /// When a tile would lie outside of A, B or C.
    fn check(&self) {
        let blocks = self.c.columns.div_ceil(WIDTH);
        assert!(
            self.count > 0 && self.b.len().is_multiple_of(blocks),
            "a sum over nothing, or {} lines of B for {blocks} blocks of columns",
            self.b.len()
        );
        let (b_block, within) = ((self.b.len() / blocks) as isize, (self.count * TILE) as isize);
        for positions in self.positions {
            let last = positions.count.saturating_sub(1);
            let (first_line, last_line) = (positions.a as isize, (positions.a + last * self.a_step) as isize);
            for run in self.runs.of(*positions) {
                assert!(run.b >= 0 && run.b + within <= b_block, "a tile of B");
                assert!(first_line + run.a >= 0, "a tile before A");
                assert!(last_line + run.a + within <= self.a.len() as isize, "a tile behind A");
            }
            if positions.count > 0 {
                self.c.check(positions.c + last * self.c_step);
            }
        }
        if let Begin::Row(row) = self.begin {
            assert_eq!(row.len(), self.c.columns, "the row that sums begin at");
        }
    }

    /// # Safety
    /// [`Self::check`] has passed, and the positions and columns are there.
    #[inline(always)]
    unsafe fn tiles<U: Unit, const M: usize, const N: usize>(
        &mut self,
        unit: &mut U,
        positions: Positions,
        index: usize,
        column: usize,
    ) {
        let b_block = self.b.len() / self.c.columns.div_ceil(WIDTH);
        let from = self.a.as_ptr().wrapping_add(positions.a + index * self.a_step);
        let a = std::array::from_fn(|m| from.wrapping_add(m * self.a_step));
        let b = std::array::from_fn(|n| self.b.as_ptr().wrapping_add((column / WIDTH + n) * b_block));
        let mut tiles = self.c.corner(positions.c + index * self.c_step, [0, column], self.c_step);
        let sum = Sum { runs: self.runs.of(positions), count: self.count, step: [TILE, TILE] };
        // SAFETY: the caller's promise.
        unsafe {
            match self.begin {
                Begin::Zero => zero::<U, M, N>(unit),
                Begin::C => tiles.load::<U, M, N>(unit),
                Begin::Row(row) => begin_row::<U, M, N>(unit, &row[column..]),
            }
            accumulate::<U, M, N>(unit, a, b, &sum);
            tiles.store::<U, M, N>(unit);
        }
    }
}

impl TileKernel for Sums<'_> {
    #[inline(always)]
    fn run<U: Unit>(mut self, unit: &mut U) {
        if self.c.rows == 0 || self.c.columns == 0 {
            return;
        }
        self.check();
        for column in (0..self.c.columns).step_by(2 * WIDTH) {
            let wide = self.c.columns - column > WIDTH;
            for positions in self.positions {
                for index in (0..positions.count).step_by(2) {
                    let both = index + 1 < positions.count;
                    // SAFETY: checked above.
                    unsafe {
                        match (both, wide) {
                            (true, true) => self.tiles::<U, 2, 2>(unit, *positions, index, column),
                            (true, false) => self.tiles::<U, 2, 1>(unit, *positions, index, column),
                            (false, true) => self.tiles::<U, 1, 2>(unit, *positions, index, column),
                            (false, false) => self.tiles::<U, 1, 1>(unit, *positions, index, column),
                        }
                    }
                }
            }
        }
    }
}

/// `C[row, tap, column] = Σ A[row] · B[column, tap]`, whose sums are the same runs of A and of B behind each tap's first line.
pub(super) struct WeightSums<'a, T> {
    pub(super) runs: &'a [Run],
    pub(super) count: usize,
    /// `[block of rows, …]`.
    pub(super) a: &'a [Line],
    pub(super) a_block: usize,
    /// `[block of columns, …]`.
    pub(super) b: &'a [Line],
    pub(super) b_block: usize,
    /// The line in a block of B where each tap begins.
    pub(super) taps: T,
    /// Each tap's, the next one's `tap_step` elements behind it.
    pub(super) c: Target<'a>,
    pub(super) tap_step: usize,
}

impl<T: Iterator<Item = usize> + ExactSizeIterator + Clone> WeightSums<'_, T> {
    /// # Panics
    /// When a tile would lie outside of A, B or C.
    fn check(&self) {
        let within = (self.count * TILE) as isize;
        assert!(self.count > 0 && self.a.len() >= self.c.rows.div_ceil(WIDTH) * self.a_block, "blocks of A");
        assert!(self.b.len() >= self.c.columns.div_ceil(WIDTH) * self.b_block, "blocks of B");
        let last_tap = self.taps.clone().max().unwrap_or(0) as isize;
        for run in self.runs {
            assert!(run.a >= 0 && run.a + within <= self.a_block as isize, "a tile of A");
            assert!(run.b >= 0 && last_tap + run.b + within <= self.b_block as isize, "a tile of B");
        }
        self.c.check((self.taps.len() - 1) * self.tap_step);
    }

    /// # Safety
    /// [`Self::check`] has passed, and the rows and columns are there.
    #[inline(always)]
    unsafe fn tiles<U: Unit, const M: usize, const N: usize>(
        &mut self,
        unit: &mut U,
        row: usize,
        column: usize,
    ) {
        for (tap, line) in self.taps.clone().enumerate() {
            let a = self.a.as_ptr().wrapping_add(row / WIDTH * self.a_block);
            let b = self.b.as_ptr().wrapping_add(column / WIDTH * self.b_block + line);
            let sum = Sum { runs: self.runs, count: self.count, step: [TILE, TILE] };
            let row_tiles = WIDTH * self.c.row_stride;
            let mut tiles = self.c.corner(tap * self.tap_step, [row, column], row_tiles);
            // SAFETY: the caller's promise.
            unsafe {
                zero::<U, M, N>(unit);
                accumulate::<U, M, N>(
                    unit,
                    std::array::from_fn(|m| a.wrapping_add(m * self.a_block)),
                    std::array::from_fn(|n| b.wrapping_add(n * self.b_block)),
                    &sum,
                );
                if M == 2 {
                    tiles.store_rows::<U, N>(unit);
                } else {
                    tiles.store::<U, M, N>(unit);
                }
            }
        }
    }
}

impl<T: Iterator<Item = usize> + ExactSizeIterator + Clone> TileKernel for WeightSums<'_, T> {
    #[inline(always)]
    fn run<U: Unit>(mut self, unit: &mut U) {
        self.check();
        for row in (0..self.c.rows).step_by(2 * WIDTH) {
            for column in (0..self.c.columns).step_by(2 * WIDTH) {
                // SAFETY: checked above.
                unsafe {
                    match (self.c.rows - row > WIDTH, self.c.columns - column > WIDTH) {
                        (true, true) => self.tiles::<U, 2, 2>(unit, row, column),
                        (true, false) => self.tiles::<U, 2, 1>(unit, row, column),
                        (false, true) => self.tiles::<U, 1, 2>(unit, row, column),
                        (false, false) => self.tiles::<U, 1, 1>(unit, row, column),
                    }
                }
            }
        }
    }
}

/// Where up to two by two tiles of C lie.
struct Corner {
    c: *mut f32,
    /// Elements from one row to the next, and how many there are.
    row: usize,
    rows: usize,
    /// Elements from one tile of columns to the next, and how many columns there are in all.
    column_tiles: usize,
    columns: usize,
    /// Elements from one tile of rows to the next.
    row_tiles: usize,
}

impl Corner {
    /// Tiles of sixteen images each.
    ///
    /// # Safety
    /// The rows and columns that are there can be read and written.
    #[inline(always)]
    unsafe fn load<U: Unit, const M: usize, const N: usize>(&mut self, unit: &mut U) {
        // SAFETY: the caller's promise.
        unsafe {
            self.load_one::<U, 0>(unit, [0, 0], self.rows);
            if N == 2 {
                self.load_one::<U, 1>(unit, [0, 1], self.rows);
            }
            if M == 2 {
                self.load_one::<U, 2>(unit, [1, 0], self.rows);
            }
            if M == 2 && N == 2 {
                self.load_one::<U, 3>(unit, [1, 1], self.rows);
            }
        }
    }

    /// As [`Self::load`].
    ///
    /// # Safety
    /// As there.
    #[inline(always)]
    unsafe fn store<U: Unit, const M: usize, const N: usize>(&mut self, unit: &U) {
        // SAFETY: the caller's promise.
        unsafe {
            self.store_one::<U, 0>(unit, [0, 0], self.rows);
            if N == 2 {
                self.store_one::<U, 1>(unit, [0, 1], self.rows);
            }
            if M == 2 {
                self.store_one::<U, 2>(unit, [1, 0], self.rows);
            }
            if M == 2 && N == 2 {
                self.store_one::<U, 3>(unit, [1, 1], self.rows);
            }
        }
    }

    /// As [`Self::store`] of two tiles one below the other, of which the second may have fewer rows.
    ///
    /// # Safety
    /// As there.
    #[inline(always)]
    unsafe fn store_rows<U: Unit, const N: usize>(&mut self, unit: &U) {
        // SAFETY: the caller's promise.
        unsafe {
            self.store_one::<U, 0>(unit, [0, 0], TILE);
            self.store_one::<U, 2>(unit, [1, 0], self.rows - TILE);
            if N == 2 {
                self.store_one::<U, 1>(unit, [0, 1], TILE);
                self.store_one::<U, 3>(unit, [1, 1], self.rows - TILE);
            }
        }
    }

    /// A tile of which not all is there, with zeros.
    ///
    /// # Safety
    /// The rows and columns can be read.
    #[inline(never)]
    unsafe fn gather(&self, from: *const f32, rows: usize, columns: usize) -> [Line; TILE] {
        let mut tile = [Line::ZERO; TILE];
        for (row, line) in tile.iter_mut().enumerate().take(rows) {
            // SAFETY: the caller's promise.
            let values = unsafe { std::slice::from_raw_parts(from.add(row * self.row), columns) };
            line.0.iter_mut().zip(values).for_each(|(to, value)| *to = value.to_bits());
        }
        tile
    }

    /// What is there of a tile.
    ///
    /// # Safety
    /// The rows and columns can be written.
    #[inline(never)]
    unsafe fn scatter(&self, tile: &[Line; TILE], to: *mut f32, rows: usize, columns: usize) {
        for (row, line) in tile.iter().enumerate().take(rows) {
            // SAFETY: the caller's promise.
            let values = unsafe { std::slice::from_raw_parts_mut(to.add(row * self.row), columns) };
            values.iter_mut().zip(line.0).for_each(|(to, bits)| *to = f32::from_bits(bits));
        }
    }

    fn place(&self, [m, n]: [usize; 2]) -> (*mut f32, usize) {
        (self.c.wrapping_add(m * self.row_tiles + n * self.column_tiles), WIDTH.min(self.columns - n * WIDTH))
    }

    /// # Safety
    /// As [`Self::load`].
    #[inline(always)]
    unsafe fn load_one<U: Unit, const TILE_INDEX: usize>(&self, unit: &mut U, at: [usize; 2], rows: usize) {
        let (from, columns) = self.place(at);
        // SAFETY: the caller's promise; what is not whole is copied.
        unsafe {
            if rows >= TILE && columns == WIDTH {
                return unit.load::<TILE_INDEX>(from.cast(), self.row * size_of::<f32>());
            }
            let tile = self.gather(from, rows, columns);
            unit.load::<TILE_INDEX>(tile.as_ptr().cast(), size_of::<Line>());
        }
    }

    /// # Safety
    /// As [`Self::load`].
    #[inline(always)]
    unsafe fn store_one<U: Unit, const TILE_INDEX: usize>(&self, unit: &U, at: [usize; 2], rows: usize) {
        let (to, columns) = self.place(at);
        // SAFETY: the caller's promise; of what is not whole only that is copied.
        unsafe {
            if rows >= TILE && columns == WIDTH {
                return unit.store::<TILE_INDEX>(to.cast(), self.row * size_of::<f32>());
            }
            let mut tile = [Line::ZERO; TILE];
            unit.store::<TILE_INDEX>(tile.as_mut_ptr().cast(), size_of::<Line>());
            self.scatter(&tile, to, rows, columns);
        }
    }
}

#[inline(always)]
fn zero<U: Unit, const M: usize, const N: usize>(unit: &mut U) {
    unit.zero::<0>();
    if N == 2 {
        unit.zero::<1>();
    }
    if M == 2 {
        unit.zero::<2>();
    }
    if M == 2 && N == 2 {
        unit.zero::<3>();
    }
}

/// Each row of C begins as these columns, of which more may follow.
#[inline(always)]
fn begin_row<U: Unit, const M: usize, const N: usize>(unit: &mut U, row: &[f32]) {
    let mut lines = [Line::ZERO; 2];
    for (to, value) in lines.iter_mut().flat_map(|line| &mut line.0).zip(row) {
        *to = value.to_bits();
    }
    // SAFETY: a stride of nothing reads one line sixteen times.
    unsafe {
        unit.load::<0>(lines.as_ptr().cast(), 0);
        if M == 2 {
            unit.load::<2>(lines.as_ptr().cast(), 0);
        }
        if N == 2 {
            unit.load::<1>(lines.as_ptr().add(1).cast(), 0);
        }
        if M == 2 && N == 2 {
            unit.load::<3>(lines.as_ptr().add(1).cast(), 0);
        }
    }
}
