//! Products of matrices, C = A·B, with B laid out in panels beforehand.
//!
//! Weights change once a step and are multiplied by many rows, so the caller packs them once ([`pack`]) and then
//! multiplies slices of rows on as many threads as it likes ([`multiply`]). Every element of C is one chain of
//! multiply-adds in the order of k, whatever the slicing.

use crate::{
    Element, InstructionSet, check_length,
    dispatch::Kernel,
    tile::{accumulate_columns, accumulate_rows, in_tiles, panel_width, with_vectors},
    vector::Vector,
};

/// A matrix that is read: row-major, or the transpose of a row-major one.
#[derive(Debug, Clone, Copy)]
pub struct Matrix<'a, E> {
    data: &'a [E],
    rows: usize,
    columns: usize,
    stride: usize,
    transposed: bool,
}

impl<'a, E: Element> Matrix<'a, E> {
    /// `data[row · columns + column]`.
    ///
    /// # Panics
    /// When the length is not `rows · columns`.
    pub fn new(data: &'a [E], rows: usize, columns: usize) -> Self {
        check_length!(data, rows * columns);
        Self { data, rows, columns, stride: columns, transposed: false }
    }

    /// The columns `first..first + count` of this matrix.
    ///
    /// # Panics
    /// When there are not so many, or the matrix is transposed.
    pub fn columns(self, first: usize, count: usize) -> Self {
        assert!(!self.transposed, "columns are taken before transposing");
        assert!(first + count <= self.columns, "{first} + {count} columns of {}", self.columns);
        let data = if self.rows == 0 { self.data } else { &self.data[first..] };
        Self { data, columns: count, ..self }
    }

    /// The transpose, without moving anything.
    pub fn transposed(self) -> Self {
        Self { rows: self.columns, columns: self.rows, transposed: !self.transposed, ..self }
    }

    #[inline]
    fn at(&self, row: usize, column: usize) -> E {
        if self.transposed {
            self.data[column * self.stride + row]
        } else {
            self.data[row * self.stride + column]
        }
    }
}

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
pub fn packed_length<E: Element>(set: InstructionSet, rows: usize, columns: usize) -> usize {
    rows * columns.next_multiple_of(lanes::<E>(set))
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

/// Lays `matrix [k, n]` out in panels: for each panel, for each k, the panel's columns; missing columns are zero.
///
/// Overwrites `packed`, which holds [`packed_length`] elements. A panel is `k · panel_columns` elements, so that
/// slices of whole panels can be packed apart: `first_panel` says where this slice begins.
///
/// # Panics
/// When `packed` does not consist of whole panels of the matrix.
pub fn pack<E: Element>(set: InstructionSet, matrix: Matrix<E>, first_panel: usize, packed: &mut [E]) {
    let width = panel_columns::<E>(set);
    let mut column = first_panel * width;
    let mut rest = packed;
    while !rest.is_empty() {
        assert!(column < matrix.columns, "more panels than {} columns have", matrix.columns);
        let used = width.min(matrix.columns - column);
        let padded = used.next_multiple_of(lanes::<E>(set));
        assert!(
            rest.len() >= matrix.rows * padded,
            "part of a panel of {padded} columns and {} rows",
            matrix.rows
        );
        let (panel, tail) = rest.split_at_mut(matrix.rows * padded);
        pack_panel(matrix, column, used, padded, panel);
        rest = tail;
        column += used;
    }
}

fn pack_panel<E: Element>(matrix: Matrix<E>, column: usize, used: usize, padded: usize, panel: &mut [E]) {
    if matrix.transposed {
        // Sixteen columns of the source at a time: their lines stay in the first-level cache while k walks along them.
        for k_block in (0..matrix.rows).step_by(16) {
            let k_end = (k_block + 16).min(matrix.rows);
            for c in 0..used {
                let source = &matrix.data[(column + c) * matrix.stride..][k_block..k_end];
                for (k, value) in (k_block..k_end).zip(source) {
                    panel[k * padded + c] = *value;
                }
            }
        }
        for row in panel.chunks_exact_mut(padded) {
            row[used..].fill(E::ZERO);
        }
    } else {
        for (k, row) in panel.chunks_exact_mut(padded).enumerate() {
            let source = &matrix.data[k * matrix.stride + column..][..used];
            row[..used].copy_from_slice(source);
            row[used..].fill(E::ZERO);
        }
    }
}

/// What happens to the values that are in C already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Output {
    /// C = A·B.
    Overwrite,
    /// C = C + A·B.
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
    check_length!(packed, packed_length::<E>(set, a.columns, columns));
    check_length!(c, a.rows * columns);
    if c.is_empty() {
        return;
    }
    let panels = Panels { data: packed, columns, packed_width: None };
    E::dispatch(set, Multiply { a, panels, c, c_stride: columns, output });
}

/// The panels of B: one after the other, or side by side in rows of `packed_width`.
#[derive(Clone, Copy)]
struct Panels<'a, E> {
    data: &'a [E],
    columns: usize,
    packed_width: Option<usize>,
}

/// C `[m, columns]` = (C +) A `[m, k]` · B `[k, columns]` for a row-major B whose rows are `stride` apart.
///
/// For rows that lie close together already, such as a gradient that was written panel by panel: packing would only
/// copy them. A must be transposed.
///
/// # Panics
/// When `columns` is not a whole number of vectors, or a length does not fit the shapes.
pub fn multiply_rows<E: Element>(
    set: InstructionSet,
    a: Matrix<E>,
    b: &[E],
    stride: usize,
    columns: usize,
    c: &mut [E],
    output: Output,
) {
    assert!(columns.is_multiple_of(lanes::<E>(set)), "{columns} columns: whole vectors expected");
    assert!(a.transposed, "rows of B are read in place for a transposed A only");
    if a.columns > 0 {
        assert!(
            b.len() >= (a.columns - 1) * stride + columns && stride >= columns,
            "B is shorter than its shape"
        );
    }
    check_length!(c, a.rows * columns);
    if c.is_empty() {
        return;
    }
    let panels = Panels { data: b, columns, packed_width: Some(stride) };
    E::dispatch(set, Multiply { a, panels, c, c_stride: columns, output });
}

/// C `[m, columns]` = Σ over the pieces p of A(p)ᵀ · B(p), with the rows of all B(p) packed as one matrix by [`pack`].
///
/// For a sum over images that lie in several places: each element of C is the same chain of multiply-adds as if the
/// pieces were one matrix. Every piece is `[rows of B(p), m]`, not transposed. Overwrites C.
///
/// # Panics
/// When a length does not fit the shapes.
pub fn multiply_pieces<'a, E: Element>(
    set: InstructionSet,
    pieces: impl Fn(usize) -> Matrix<'a, E>,
    count: usize,
    packed: &[E],
    columns: usize,
    c: &mut [E],
) {
    let rows = c.len() / columns.max(1);
    let mut length = 0;
    for piece in (0..count).map(&pieces) {
        assert!(!piece.transposed, "pieces are transposed here");
        assert_eq!(piece.columns, rows, "columns of a piece, against rows of C");
        length += piece.rows;
    }
    check_length!(packed, packed_length::<E>(set, length, columns));
    check_length!(c, rows * columns);
    if !c.is_empty() {
        E::dispatch(set, MultiplyPieces { pieces, count, length, packed, columns, c });
    }
}

struct MultiplyPieces<'a, E, F> {
    pieces: F,
    count: usize,
    length: usize,
    packed: &'a [E],
    columns: usize,
    c: &'a mut [E],
}

impl<'p, E: Element, F: Fn(usize) -> Matrix<'p, E>> Kernel<E> for MultiplyPieces<'_, E, F> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<V: Vector<Element = E>>(self) {
        let rows = self.c.len() / self.columns;
        for column in (0..self.columns).step_by(panel_width::<V>()) {
            let used = panel_width::<V>().min(self.columns - column);
            let vectors = used.div_ceil(V::LANES);
            // SAFETY: the entry point has checked that the pieces, the panels and C have the lengths of their shapes; the
            // panels before this one are `column` wide.
            unsafe {
                let job = PanelJob {
                    a: std::ptr::null(),
                    stride: 0,
                    length: self.length,
                    panel: self.packed.as_ptr().add(column * self.length),
                    panel_stride: vectors * V::LANES,
                    c: self.c.as_mut_ptr().add(column),
                    c_stride: self.columns,
                    used,
                    accumulate: false,
                };
                with_vectors!(vectors, pieces_panel::<V>(rows, &self.pieces, self.count, &job));
            }
        }
    }
}

/// # Safety
/// As [`columns_panel`], for each piece and its rows of the panel.
#[inline(always)]
unsafe fn pieces_panel<'a, V: Vector, const VECTORS: usize>(
    rows: usize,
    pieces: &impl Fn(usize) -> Matrix<'a, V::Element>,
    count: usize,
    job: &PanelJob<V::Element>,
) where
    V::Element: 'a,
{
    // SAFETY: the caller's promise.
    unsafe { in_tiles!(rows, VECTORS, pieces_tile::<V>(pieces, count, job)) }
}

/// # Safety
/// As [`pieces_panel`], for the rows `first..first + ROWS` of C.
#[inline(always)]
unsafe fn pieces_tile<'a, V: Vector, const ROWS: usize, const VECTORS: usize>(
    first: usize,
    pieces: &impl Fn(usize) -> Matrix<'a, V::Element>,
    count: usize,
    job: &PanelJob<V::Element>,
) where
    V::Element: 'a,
{
    // SAFETY: the caller's promise.
    unsafe {
        let mut sums = [[V::zero(); VECTORS]; ROWS];
        let mut panel = job.panel;
        for piece in 0..count {
            let piece = pieces(piece);
            accumulate_columns::<V, ROWS, VECTORS>(
                &mut sums,
                piece.data.as_ptr().add(first),
                piece.stride,
                piece.rows,
                panel,
                job.panel_stride,
            );
            panel = panel.add(piece.rows * job.panel_stride);
        }
        store_tile(&sums, first, job);
    }
}

struct Multiply<'a, E> {
    a: Matrix<'a, E>,
    panels: Panels<'a, E>,
    c: &'a mut [E],
    c_stride: usize,
    output: Output,
}

impl<E: Element> Kernel<E> for Multiply<'_, E> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<V: Vector<Element = E>>(self) {
        let Self { a, panels, c, c_stride, output } = self;
        let mut column = 0;
        let mut panel = panels.data.as_ptr();
        while column < panels.columns {
            let used = panel_width::<V>().min(panels.columns - column);
            let vectors = used.div_ceil(V::LANES);
            let panel_stride = panels.packed_width.unwrap_or(vectors * V::LANES);
            // SAFETY: the entry points have checked that A, the panels and C have the lengths of their shapes; this
            // panel begins at `panel` and its columns of C at `column`.
            unsafe {
                let job = PanelJob {
                    a: a.data.as_ptr(),
                    stride: a.stride,
                    length: a.columns,
                    panel,
                    panel_stride,
                    c: c.as_mut_ptr().add(column),
                    c_stride,
                    used,
                    accumulate: output == Output::Accumulate,
                };
                if a.transposed {
                    with_vectors!(vectors, columns_panel::<V>(a.rows, &job));
                } else {
                    with_vectors!(vectors, rows_panel::<V>(a.rows, &job));
                }
                panel = match panels.packed_width {
                    Some(_) => panel.wrapping_add(used),
                    None => panel.add(a.columns * panel_stride),
                };
            }
            column += used;
        }
    }
}

/// One panel of B against all rows of A.
struct PanelJob<E> {
    a: *const E,
    stride: usize,
    length: usize,
    panel: *const E,
    panel_stride: usize,
    c: *mut E,
    c_stride: usize,
    used: usize,
    accumulate: bool,
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
        let mut rows = [job.a; ROWS];
        for (r, row) in rows.iter_mut().enumerate() {
            *row = job.a.add((first + r) * job.stride);
        }
        let mut sums = [[V::zero(); VECTORS]; ROWS];
        accumulate_rows::<V, ROWS, VECTORS>(&mut sums, &rows, job.length, job.panel);
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
        let mut sums = [[V::zero(); VECTORS]; ROWS];
        accumulate_columns::<V, ROWS, VECTORS>(
            &mut sums,
            job.a.add(first),
            job.stride,
            job.length,
            job.panel,
            job.panel_stride,
        );
        store_tile(&sums, first, job);
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
                let value = if job.accumulate { sum.add(V::load_first(c, count)) } else { *sum };
                value.store_first(c, count);
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
