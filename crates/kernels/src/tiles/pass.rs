//! Walks over the tiles of a product.

use super::{
    ROWS, Run, Sum, TileKernel, Unit, accumulate,
    line::{Line, PAIRS},
};
use crate::{check_length, length, matmul::Output};

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
        match column < self.block[0] {
            true => column,
            false => column / self.block[0] * self.block[1] + column % self.block[0],
        }
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

    /// The tile whose first element lies so many elements behind that of this row and column. `values` points to the values: all places of a
    /// pass are made of one pointer, since another one would end the first's right to them.
    #[inline(always)]
    fn place(&self, values: *mut f32, further: usize, row: usize, column: usize) -> Place {
        Place {
            c: values.wrapping_add(further + row * self.row_stride + self.element(column)),
            row: self.row_stride,
            rows: TILE.min(self.rows - row),
            columns: WIDTH.min(self.columns - column),
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

    /// So many positions, and tiles of columns; returns how many positions.
    ///
    /// # Safety
    /// [`Self::check`] has passed, and the positions and columns are there.
    #[inline(always)]
    unsafe fn tiles<U: Unit, const M: usize, const N: usize>(
        &mut self,
        unit: &mut U,
        positions: Positions,
        index: usize,
        column: usize,
    ) -> usize {
        let b_block = self.b.len() / self.c.columns.div_ceil(WIDTH);
        let from = self.a.as_ptr().wrapping_add(positions.a + index * self.a_step);
        let a = std::array::from_fn(|m| from.wrapping_add(m * self.a_step));
        let b = std::array::from_fn(|n| self.b.as_ptr().wrapping_add((column / WIDTH + n) * b_block));
        let (first, step) = (positions.c + index * self.c_step, self.c_step);
        let c = self.c.values.as_mut_ptr();
        let places = places::<M, N>(|m, n| self.c.place(c, first + m * step, 0, column + n * WIDTH));
        let sum = Sum { runs: self.runs.of(positions), count: self.count, step: [TILE, TILE] };
        // SAFETY: the caller's promise.
        unsafe {
            match self.begin {
                Begin::Zero => zero::<U, M, N>(unit),
                Begin::C => load::<U, M, N>(unit, places),
                Begin::Row(row) => begin_row::<U, M, N>(unit, &row[column..]),
            }
            accumulate::<U, M, N>(unit, a, b, &sum);
            store::<U, M, N>(unit, places);
        }
        M
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
                let mut index = 0;
                while index < positions.count {
                    // SAFETY: checked above.
                    index += unsafe {
                        match (positions.count - index, wide) {
                            (2.., true) => self.tiles::<U, 2, 2>(unit, *positions, index, column),
                            (1, true) => self.tiles::<U, 1, 2>(unit, *positions, index, column),
                            (4.., false) => self.tiles::<U, 4, 1>(unit, *positions, index, column),
                            (2.., false) => self.tiles::<U, 2, 1>(unit, *positions, index, column),
                            _ => self.tiles::<U, 1, 1>(unit, *positions, index, column),
                        }
                    };
                }
            }
        }
    }
}

/// `C[row, tap, column] = Σ A[row] · B[column, tap]`, whose sums are the same runs of A and of B behind each tap's first line.
pub(super) struct WeightSums<'a> {
    pub(super) runs: &'a [Run],
    pub(super) count: usize,
    /// `[block of rows, …]`.
    pub(super) a: &'a [Line],
    pub(super) a_block: usize,
    /// `[block of columns, …]`.
    pub(super) b: &'a [Line],
    pub(super) b_block: usize,
    /// The line behind a block's first where each tap begins.
    pub(super) taps: &'a [usize],
    /// Whether they are added to what C holds.
    pub(super) begin: Output,
    /// Each tap's, the next one's `tap_step` elements behind it.
    pub(super) c: Target<'a>,
    pub(super) tap_step: usize,
}

/// A tap's tile of columns.
#[derive(Clone, Copy)]
struct Panel {
    b: usize,
    c: usize,
    column: usize,
}

impl WeightSums<'_> {
    /// # Panics
    /// When a tile would lie outside of A, B or C.
    fn check(&self) {
        assert!(self.count > 0, "a sum over nothing");
        let within = (self.count * TILE) as isize;
        let last = |side: usize, block: usize| side.div_ceil(WIDTH).saturating_sub(1) * block;
        let [last_a, last_b] = [last(self.c.rows, self.a_block), last(self.c.columns, self.b_block)];
        let last_b = last_b + self.taps.iter().copied().max().unwrap_or(0);
        for run in self.runs {
            let [a, b] = [(last_a, run.a), (last_b, run.b)].map(|(last, run)| last as isize + run + within);
            assert!(run.a >= 0 && a <= self.a.len() as isize, "a tile of A");
            assert!(run.b >= 0 && b <= self.b.len() as isize, "a tile of B");
        }
        self.c.check(self.taps.len().saturating_sub(1) * self.tap_step);
    }

    /// Those of that number and the following ones: taps that are neighbours share most of what they read.
    #[inline(always)]
    fn panels<const N: usize>(&self, first: usize) -> [Panel; N] {
        std::array::from_fn(|index| {
            let (block, tap) = ((first + index) / self.taps.len(), (first + index) % self.taps.len());
            Panel { b: block * self.b_block + self.taps[tap], c: tap * self.tap_step, column: block * WIDTH }
        })
    }

    /// So many tiles of rows, and panels; returns how many panels.
    ///
    /// # Safety
    /// [`Self::check`] has passed, and the rows and panels are there.
    #[inline(always)]
    unsafe fn tiles<U: Unit, const M: usize, const N: usize>(
        &mut self,
        unit: &mut U,
        row: usize,
        first: usize,
    ) -> usize {
        let panels = self.panels::<N>(first);
        let c = self.c.values.as_mut_ptr();
        let places = places::<M, N>(|m, n| self.c.place(c, panels[n].c, row + m * WIDTH, panels[n].column));
        let sum = Sum { runs: self.runs, count: self.count, step: [TILE, TILE] };
        let a = std::array::from_fn(|m| self.a.as_ptr().wrapping_add((row / WIDTH + m) * self.a_block));
        let b = panels.map(|panel| self.b.as_ptr().wrapping_add(panel.b));
        // SAFETY: the caller's promise.
        unsafe {
            match self.begin {
                Output::Overwrite => zero::<U, M, N>(unit),
                Output::Accumulate => load::<U, M, N>(unit, places),
            }
            accumulate::<U, M, N>(unit, a, b, &sum);
            store::<U, M, N>(unit, places);
        }
        N
    }
}

impl TileKernel for WeightSums<'_> {
    #[inline(always)]
    fn run<U: Unit>(mut self, unit: &mut U) {
        if self.c.rows == 0 || self.c.columns == 0 {
            return;
        }
        self.check();
        let panels = self.c.columns.div_ceil(WIDTH) * self.taps.len();
        for row in (0..self.c.rows).step_by(2 * WIDTH) {
            let tall = self.c.rows - row > WIDTH;
            let mut panel = 0;
            while panel < panels {
                // SAFETY: checked above.
                panel += unsafe {
                    match (tall, panels - panel) {
                        (true, 2..) => self.tiles::<U, 2, 2>(unit, row, panel),
                        (true, _) => self.tiles::<U, 2, 1>(unit, row, panel),
                        (false, 4..) => self.tiles::<U, 1, 4>(unit, row, panel),
                        (false, 2..) => self.tiles::<U, 1, 2>(unit, row, panel),
                        (false, _) => self.tiles::<U, 1, 1>(unit, row, panel),
                    }
                };
            }
        }
    }
}

/// Where a tile of C lies, or what is there of it.
#[derive(Clone, Copy)]
struct Place {
    c: *mut f32,
    /// Elements from one row to the next.
    row: usize,
    rows: usize,
    columns: usize,
}

impl Place {
    fn is_whole(self) -> bool {
        self.rows == TILE && self.columns == WIDTH
    }

    /// # Safety
    /// The rows and columns can be read.
    #[inline(always)]
    unsafe fn load<U: Unit, const TILE_INDEX: usize>(self, unit: &mut U) {
        // SAFETY: the caller's promise; what is not whole is copied.
        unsafe {
            if self.is_whole() {
                return unit.load::<TILE_INDEX>(self.c.cast(), self.row * size_of::<f32>());
            }
            let tile = self.gather();
            unit.load::<TILE_INDEX>(tile.as_ptr().cast(), size_of::<Line>());
        }
    }

    /// # Safety
    /// The rows and columns can be written.
    #[inline(always)]
    unsafe fn store<U: Unit, const TILE_INDEX: usize>(self, unit: &U) {
        // SAFETY: the caller's promise; of what is not whole only that is copied.
        unsafe {
            if self.is_whole() {
                return unit.store::<TILE_INDEX>(self.c.cast(), self.row * size_of::<f32>());
            }
            let mut tile = [Line::ZERO; TILE];
            unit.store::<TILE_INDEX>(tile.as_mut_ptr().cast(), size_of::<Line>());
            self.scatter(&tile);
        }
    }

    /// A tile of which not all is there, with zeros.
    ///
    /// # Safety
    /// The rows and columns can be read.
    #[inline(never)]
    unsafe fn gather(self) -> [Line; TILE] {
        let mut tile = [Line::ZERO; TILE];
        for (row, line) in tile.iter_mut().enumerate().take(self.rows) {
            // SAFETY: the caller's promise.
            let values = unsafe { std::slice::from_raw_parts(self.c.add(row * self.row), self.columns) };
            line.0.iter_mut().zip(values).for_each(|(to, value)| *to = value.to_bits());
        }
        tile
    }

    /// What is there of a tile.
    ///
    /// # Safety
    /// The rows and columns can be written.
    #[inline(never)]
    unsafe fn scatter(self, tile: &[Line; TILE]) {
        for (row, line) in tile.iter().enumerate().take(self.rows) {
            // SAFETY: the caller's promise.
            let values = unsafe { std::slice::from_raw_parts_mut(self.c.add(row * self.row), self.columns) };
            values.iter_mut().zip(line.0).for_each(|(to, bits)| *to = f32::from_bits(bits));
        }
    }
}

/// The places of M by N tiles, in the order of the tiles that they are summed in.
#[inline(always)]
fn places<const M: usize, const N: usize>(mut place: impl FnMut(usize, usize) -> Place) -> [Place; 4] {
    // There need not be four.
    std::array::from_fn(|index| place((index / N).min(M - 1), index % N))
}

#[inline(always)]
fn zero<U: Unit, const M: usize, const N: usize>(unit: &mut U) {
    unit.zero::<0>();
    if M * N > 1 {
        unit.zero::<1>();
    }
    if M * N > 2 {
        unit.zero::<2>();
        unit.zero::<3>();
    }
}

/// # Safety
/// Each place's rows and columns can be read.
#[inline(always)]
unsafe fn load<U: Unit, const M: usize, const N: usize>(unit: &mut U, places: [Place; 4]) {
    // SAFETY: the caller's promise.
    unsafe {
        places[0].load::<U, 0>(unit);
        if M * N > 1 {
            places[1].load::<U, 1>(unit);
        }
        if M * N > 2 {
            places[2].load::<U, 2>(unit);
            places[3].load::<U, 3>(unit);
        }
    }
}

/// # Safety
/// Each place's rows and columns can be written.
#[inline(always)]
unsafe fn store<U: Unit, const M: usize, const N: usize>(unit: &U, places: [Place; 4]) {
    // SAFETY: the caller's promise.
    unsafe {
        places[0].store::<U, 0>(unit);
        if M * N > 1 {
            places[1].store::<U, 1>(unit);
        }
        if M * N > 2 {
            places[2].store::<U, 2>(unit);
            places[3].store::<U, 3>(unit);
        }
    }
}

/// Each row of C begins as these columns, of which more may follow.
#[inline(always)]
fn begin_row<U: Unit, const M: usize, const N: usize>(unit: &mut U, row: &[f32]) {
    let mut lines = [Line::ZERO; 2];
    for (to, value) in lines.iter_mut().flat_map(|line| &mut line.0).zip(row) {
        *to = value.to_bits();
    }
    let of = |index: usize| lines[index % N].0.as_ptr().cast();
    // SAFETY: a stride of nothing reads one line sixteen times.
    unsafe {
        unit.load::<0>(of(0), 0);
        if M * N > 1 {
            unit.load::<1>(of(1), 0);
        }
        if M * N > 2 {
            unit.load::<2>(of(2), 0);
            unit.load::<3>(of(3), 0);
        }
    }
}
