//! Products of matrices, C = A·B.
//!
//! B is read in panels of a few vectors' width: laid out as such beforehand ([`pack`], [`multiply`]) or in place
//! ([`multiply_rows`], [`multiply_pieces`]). A panel is walked through in chunks that stay in the first-level cache while
//! all rows of A pass by. Every element of C is one chain of multiply-adds in the order of k, whatever the slicing.

mod matrix;
mod pack;
mod windows;

pub use matrix::{Matrix, MatrixMut};
pub use pack::pack;
pub(crate) use windows::{Windows, add_products_with_windows, multiply_windows};

use crate::{
    Element, InstructionSet, check_length,
    dispatch::Kernel,
    length,
    tile::{accumulate_columns, accumulate_rows, in_tiles, panel_width, with_vectors},
    vector::Vector,
};
use std::{mem::MaybeUninit, ops::Range};

/// Width in elements of a full panel; the last panel of a matrix is as many whole vectors wide as it needs.
pub fn panel_columns<E: Element>(set: InstructionSet) -> usize {
    struct Width;
    impl<E: Element> Kernel<E> for Width {
        type Output = usize;
        #[inline(always)]
        unsafe fn run<V: Vector<Element = E>>(self) -> usize {
            panel_width::<V>()
        }
    }
    E::dispatch(set, Width)
}

/// Elements that [`pack`] needs for a matrix of `rows × columns`.
///
/// # Panics
/// When they are more than a machine can address.
pub fn packed_length<E: Element>(set: InstructionSet, rows: usize, columns: usize) -> usize {
    length::product(&[rows, length::padded(columns, lanes::<E>(set))])
}

/// Lanes of this element type's vectors.
pub fn lanes<E: Element>(set: InstructionSet) -> usize {
    struct Lanes;
    impl<E: Element> Kernel<E> for Lanes {
        type Output = usize;
        #[inline(always)]
        unsafe fn run<V: Vector<Element = E>>(self) -> usize {
            V::LANES
        }
    }
    E::dispatch(set, Lanes)
}

/// What happens to the values that are in C already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Output {
    /// C = A·B.
    Overwrite,
    /// C = C + A·B: the chains of multiply-adds begin at what C holds.
    Accumulate,
}

/// C `[m, columns]` = (C +) A `[m, k]` · B `[k, columns]`, with B packed by [`pack`].
///
/// # Panics
/// When a length does not fit the shapes.
pub fn multiply<E: Element>(
    set: InstructionSet,
    a: Matrix<E>,
    packed: &[E],
    columns: usize,
    c: &mut [E],
    output: Output,
) {
    check_length!(packed, [packed_length::<E>(set, a.columns, columns)]);
    check_length!(c, [a.rows, columns]);
    let c = MatrixMut::new(c, a.rows, columns);
    let b = Right::Packed { data: packed, rows: a.columns, first: 0 };
    E::dispatch(set, Multiply { a, b, c, begin: output.into() });
}

/// C `[m, n]` = (C +) A `[m, rows.len()]` · those `rows` of B `[k, n]`, with B packed by [`pack`].
///
/// For a C that is some columns of a matrix, and for an A that is left out where it is zero.
///
/// # Panics
/// When the shapes do not fit, or C has no columns.
pub fn multiply_packed_rows<E: Element>(
    set: InstructionSet,
    a: Matrix<E>,
    packed: &[E],
    rows: Range<usize>,
    c: MatrixMut<E>,
    output: Output,
) {
    let k = packed.len() / packed_length::<E>(set, 1, c.columns);
    check_length!(packed, [packed_length::<E>(set, k, c.columns)]);
    assert!(rows.start <= rows.end && rows.end <= k, "rows {rows:?} of {k}");
    assert_eq!([a.rows, a.columns], [c.rows, rows.len()], "A, against the rows of C and B");
    E::dispatch(
        set,
        Multiply {
            a,
            b: Right::Packed { data: packed, rows: k, first: rows.start },
            c,
            begin: output.into(),
        },
    );
}

/// C `[m, columns]` = A `[m, k]` · B `[k, columns]` + `bias` in every row, with B packed by [`pack`].
///
/// The chains of multiply-adds begin at the bias, which costs no pass over C.
///
/// # Panics
/// When a length does not fit the shapes.
pub fn multiply_with_bias<E: Element>(
    set: InstructionSet,
    a: Matrix<E>,
    packed: &[E],
    bias: &[E],
    c: &mut [E],
) {
    let columns = bias.len();
    check_length!(packed, [packed_length::<E>(set, a.columns, columns)]);
    check_length!(c, [a.rows, columns]);
    let c = MatrixMut::new(c, a.rows, columns);
    E::dispatch(
        set,
        Multiply {
            a,
            b: Right::Packed { data: packed, rows: a.columns, first: 0 },
            c,
            begin: Begin::Row(bias.as_ptr()),
        },
    );
}

/// C `[m, n]` = (C +) A `[m, k]` · B `[k, n]`, with B read in place.
///
/// For a B that is used once, or too rarely for packing to pay: its rows are read panel by panel.
///
/// # Panics
/// When the shapes do not fit, or B is transposed.
pub fn multiply_rows<E: Element>(
    set: InstructionSet,
    a: Matrix<E>,
    b: Matrix<E>,
    c: MatrixMut<E>,
    output: Output,
) {
    assert!(!b.transposed, "B is read by rows");
    assert_eq!([a.columns, b.columns], [b.rows, c.columns], "rows of B and columns of C, against A and B");
    assert_eq!(a.rows, c.rows, "rows of A, against C");
    E::dispatch(set, Multiply { a, b: Right::Rows(b), c, begin: output.into() });
}

/// C `[m, n]` = (C +) Σ over the pieces p of A(p)ᵀ · B(p), both read in place.
///
/// For a sum over images that lie in several places: each element of C is the same chain of multiply-adds as if the
/// pieces were one matrix. `piece` gives A(p) `[k, m]` and B(p) `[k, n]`, not transposed.
///
/// # Panics
/// When the shapes do not fit, or a matrix is transposed.
pub fn multiply_pieces<'p, E: Element>(
    set: InstructionSet,
    piece: impl Fn(usize) -> (Matrix<'p, E>, Matrix<'p, E>),
    count: usize,
    c: MatrixMut<E>,
    output: Output,
) {
    let [rows, columns] = [c.rows, c.columns];
    let checked = |index| {
        let (a, b) = piece(index);
        assert!(!a.transposed && !b.transposed, "pieces are transposed here");
        assert_eq!(a.rows, b.rows, "rows of a piece of A, against B");
        assert_eq!([a.columns, b.columns], [rows, columns], "columns of the pieces, against C");
        (a, b)
    };
    E::dispatch(set, MultiplyPieces { piece: checked, count, c, begin: output.into() });
}

/// Bytes of a panel that rows of A are multiplied by at a time: it shares a first-level cache with them.
const CHUNK_BYTES: usize = 24 << 10;

/// Rows of a panel of so many vectors that are taken at a time.
#[inline(always)]
const fn chunk_rows<V: Vector>(vectors: usize) -> usize {
    CHUNK_BYTES / (vectors * V::LANES * size_of::<V::Element>())
}

/// Where B lies.
#[derive(Clone, Copy)]
enum Right<'a, E> {
    /// Packed from so many rows, of which the product begins at `first`.
    Packed {
        data: &'a [E],
        rows: usize,
        first: usize,
    },
    Rows(Matrix<'a, E>),
}

/// What the chains of multiply-adds begin at.
#[derive(Clone, Copy)]
enum Begin<E> {
    Zero,
    /// What C holds.
    C,
    /// The same row for every row of C.
    Row(*const E),
}

impl<E> From<Output> for Begin<E> {
    fn from(output: Output) -> Self {
        match output {
            Output::Overwrite => Begin::Zero,
            Output::Accumulate => Begin::C,
        }
    }
}

/// Part of the sum over k: some columns of A, or rows of it where it is transposed, and as many rows of a panel.
#[derive(Clone, Copy)]
struct Piece<E> {
    a: *const E,
    a_stride: usize,
    length: usize,
    panel: *const E,
    panel_stride: usize,
}

impl<E> Piece<E> {
    /// What stands where none is yet.
    fn nothing() -> Self {
        let null = std::ptr::null();
        Self { a: null, a_stride: 0, length: 0, panel: null, panel_stride: 0 }
    }
}

/// The pieces that a panel's columns of C are summed from.
struct PanelJob<'a, E> {
    pieces: &'a [Piece<E>],
    c: *mut E,
    c_stride: usize,
    used: usize,
    begin: Begin<E>,
}

/// A panel's rows whose last vector would reach beyond them: copied, with zeros.
struct Padded<E>([MaybeUninit<E>; CHUNK_BYTES / 4]);

impl<E: Element> Padded<E> {
    fn new() -> Self {
        Self([MaybeUninit::uninit(); CHUNK_BYTES / 4])
    }

    /// Copies `used` elements from each of `rows` rows to rows of `padded`; the first goes to row `at`.
    ///
    /// # Safety
    /// `from` has the rows behind it, and `(at + rows) · padded` elements are no more than a chunk.
    unsafe fn copy(
        &mut self,
        at: usize,
        from: *const E,
        stride: usize,
        rows: usize,
        [used, padded]: [usize; 2],
    ) -> *const E {
        // SAFETY: the caller's promise.
        unsafe {
            let to = self.0.as_mut_ptr().cast::<E>().add(at * padded);
            for row in 0..rows {
                std::ptr::copy_nonoverlapping(from.add(row * stride), to.add(row * padded), used);
                for rest in used..padded {
                    to.add(row * padded + rest).write(E::ZERO);
                }
            }
            to
        }
    }
}

struct Multiply<'a, E> {
    a: Matrix<'a, E>,
    b: Right<'a, E>,
    c: MatrixMut<'a, E>,
    begin: Begin<E>,
}

impl<E: Element> Kernel<E> for Multiply<'_, E> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<V: Vector<Element = E>>(self) {
        let Self { a, b, c, begin } = self;
        if c.rows == 0 {
            return;
        }
        let mut padded_rows = Padded::new();
        for column in (0..c.columns).step_by(panel_width::<V>()) {
            let used = panel_width::<V>().min(c.columns - column);
            let vectors = used.div_ceil(V::LANES);
            let padded = vectors * V::LANES;
            let chunk = chunk_rows::<V>(vectors);
            // A sum over nothing is zero, which is written as any other.
            for k in (0..a.columns.max(1)).step_by(chunk) {
                let length = chunk.min(a.columns - k);
                // SAFETY: the entry points have checked that A, B and C have the lengths of their shapes; the panels
                // before this one are `column` wide, and this part of it begins at row `k`.
                unsafe {
                    let (panel, panel_stride) = match b {
                        Right::Packed { data, rows, first } => {
                            (data.as_ptr().add(column * rows + (first + k) * padded), padded)
                        }
                        Right::Rows(b) => {
                            let rows = b.data.as_ptr().wrapping_add(k * b.stride + column);
                            if used == padded {
                                (rows, b.stride)
                            } else {
                                (padded_rows.copy(0, rows, b.stride, length, [used, padded]), padded)
                            }
                        }
                    };
                    let from = if a.transposed { k * a.stride } else { k };
                    let piece = Piece {
                        a: a.data.as_ptr().wrapping_add(from),
                        a_stride: a.stride,
                        length,
                        panel,
                        panel_stride,
                    };
                    let job = PanelJob {
                        pieces: &[piece],
                        c: c.data.wrapping_add(column),
                        c_stride: c.stride,
                        used,
                        begin: match begin {
                            _ if k > 0 => Begin::C,
                            Begin::Row(row) => Begin::Row(row.wrapping_add(column)),
                            begin => begin,
                        },
                    };
                    if a.transposed {
                        with_vectors!(vectors, columns_panel::<V>(a.rows, &job));
                    } else {
                        with_vectors!(vectors, rows_panel::<V>(a.rows, &job));
                    }
                }
            }
        }
    }
}

struct MultiplyPieces<'a, E, F> {
    piece: F,
    count: usize,
    c: MatrixMut<'a, E>,
    begin: Begin<E>,
}

/// Pieces that one pass over a panel takes.
const PIECES: usize = 16;

impl<'p, E: Element, F: Fn(usize) -> (Matrix<'p, E>, Matrix<'p, E>)> Kernel<E> for MultiplyPieces<'_, E, F> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<V: Vector<Element = E>>(self) {
        let Self { piece, count, c, begin: first } = self;
        if c.rows == 0 {
            return;
        }
        let mut padded_rows = Padded::new();
        for column in (0..c.columns).step_by(panel_width::<V>()) {
            let used = panel_width::<V>().min(c.columns - column);
            let vectors = used.div_ceil(V::LANES);
            let padded = vectors * V::LANES;
            let chunk = chunk_rows::<V>(vectors);
            // The next piece to ask for, what is left of the one before; what the sums go on from.
            let (mut next, mut begun, mut begin) = (0, None, first);
            loop {
                let (mut pieces, mut taken, mut rows) = ([Piece::nothing(); PIECES], 0, 0);
                while taken < PIECES && rows < chunk && (begun.is_some() || next < count) {
                    let ((a, b), done) = begun.take().unwrap_or_else(|| {
                        next += 1;
                        (piece(next - 1), 0)
                    });
                    let length = (a.rows - done).min(chunk - rows);
                    let from = b.data.as_ptr().wrapping_add(done * b.stride + column);
                    // What the last vector reads beyond the columns that are used is not written.
                    let last = (done + length).saturating_sub(1) * b.stride + column;
                    let (panel, panel_stride) = if used == padded || last + padded <= b.data.len() {
                        (from, b.stride)
                    } else {
                        // SAFETY: the rows are B's, and with those before them no more than a chunk.
                        (unsafe { padded_rows.copy(rows, from, b.stride, length, [used, padded]) }, padded)
                    };
                    let a_from = a.data.as_ptr().wrapping_add(done * a.stride);
                    pieces[taken] = Piece { a: a_from, a_stride: a.stride, length, panel, panel_stride };
                    taken += 1;
                    rows += length;
                    begun = (done + length < a.rows).then_some(((a, b), done + length));
                }
                // SAFETY: each piece was checked as it was asked for, and C has the length of its shape.
                unsafe {
                    let job = PanelJob {
                        pieces: &pieces[..taken],
                        c: c.data.wrapping_add(column),
                        c_stride: c.stride,
                        used,
                        begin,
                    };
                    with_vectors!(vectors, columns_panel::<V>(c.rows, &job));
                }
                begin = Begin::C;
                if next == count && begun.is_none() {
                    break;
                }
            }
        }
    }
}

/// # Safety
/// The job's pointers have the lengths of its shapes behind them, for `rows` rows.
#[inline(always)]
unsafe fn rows_panel<V: Vector, const VECTORS: usize>(rows: usize, job: &PanelJob<V::Element>) {
    // SAFETY: the caller's promise.
    unsafe { in_tiles!(rows, VECTORS, rows_tile::<V>(job)) }
}

/// # Safety
/// As [`rows_panel`], with A transposed.
#[inline(always)]
unsafe fn columns_panel<V: Vector, const VECTORS: usize>(rows: usize, job: &PanelJob<V::Element>) {
    // SAFETY: the caller's promise.
    unsafe { in_tiles!(rows, VECTORS, columns_tile::<V>(job)) }
}

/// # Safety
/// As [`rows_panel`], for the rows `first..first + ROWS`.
#[inline(always)]
unsafe fn rows_tile<V: Vector, const ROWS: usize, const VECTORS: usize>(
    first: usize,
    job: &PanelJob<V::Element>,
) {
    // SAFETY: the caller's promise.
    unsafe {
        let mut sums = begin_tile::<V, ROWS, VECTORS>(first, job);
        for piece in job.pieces {
            let mut rows = [piece.a; ROWS];
            for (r, row) in rows.iter_mut().enumerate() {
                *row = piece.a.add((first + r) * piece.a_stride);
            }
            accumulate_rows(&mut sums, &rows, piece.length, piece.panel, piece.panel_stride);
        }
        store_tile(&sums, first, job);
    }
}

/// # Safety
/// As [`columns_panel`], for the rows `first..first + ROWS`.
#[inline(always)]
unsafe fn columns_tile<V: Vector, const ROWS: usize, const VECTORS: usize>(
    first: usize,
    job: &PanelJob<V::Element>,
) {
    // SAFETY: the caller's promise.
    unsafe {
        let mut sums = begin_tile::<V, ROWS, VECTORS>(first, job);
        for piece in job.pieces {
            let columns = piece.a.add(first);
            accumulate_columns(
                &mut sums,
                columns,
                piece.a_stride,
                piece.length,
                piece.panel,
                piece.panel_stride,
            );
        }
        store_tile(&sums, first, job);
    }
}

/// What the sums begin at.
///
/// # Safety
/// The job's C has the rows `first..first + ROWS`, and the row that it may begin at all used columns.
#[inline(always)]
unsafe fn begin_tile<V: Vector, const ROWS: usize, const VECTORS: usize>(
    first: usize,
    job: &PanelJob<V::Element>,
) -> [[V; VECTORS]; ROWS] {
    // SAFETY: the caller's promise; the last vector reads only the columns that are used.
    unsafe {
        let mut sums = [[V::zero(); VECTORS]; ROWS];
        let (from, stride) = match job.begin {
            Begin::Zero => return sums,
            Begin::C => (job.c.add(first * job.c_stride).cast_const(), job.c_stride),
            Begin::Row(row) => (row, 0),
        };
        for (r, row) in sums.iter_mut().enumerate() {
            let from = from.add(r * stride);
            for (v, sum) in row.iter_mut().enumerate() {
                let count = V::LANES.min(job.used - v * V::LANES);
                let from = from.add(v * V::LANES);
                *sum = if count == V::LANES { V::load(from) } else { V::load_first(from, count) };
            }
        }
        sums
    }
}

/// # Safety
/// The job's C has the rows `first..first + ROWS`.
#[inline(always)]
unsafe fn store_tile<V: Vector, const ROWS: usize, const VECTORS: usize>(
    sums: &[[V; VECTORS]; ROWS],
    first: usize,
    job: &PanelJob<V::Element>,
) {
    // SAFETY: the caller's promise; the last vector writes only the columns that are used.
    unsafe {
        for (r, row) in sums.iter().enumerate() {
            let c = job.c.add((first + r) * job.c_stride);
            for (v, sum) in row.iter().enumerate() {
                let count = V::LANES.min(job.used - v * V::LANES);
                let c = c.add(v * V::LANES);
                if count == V::LANES {
                    sum.store(c);
                } else {
                    sum.store_first(c, count);
                }
            }
        }
    }
}

/// The product by its definition, C (+)= A·B for an unpacked B: what the kernels are held against.
pub fn multiply_reference<E: Element>(a: Matrix<E>, b: Matrix<E>, c: &mut [E], output: Output) {
    for row in 0..a.rows {
        for column in 0..b.columns {
            let sum: E = (0..a.columns).map(|k| a.at(row, k) * b.at(k, column)).sum();
            let c = &mut c[row * b.columns + column];
            *c = if output == Output::Accumulate { *c + sum } else { sum };
        }
    }
}
