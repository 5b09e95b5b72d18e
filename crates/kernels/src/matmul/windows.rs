//! Products with the windows of images as a matrix, which is read where it lies: nothing is copied.

use super::{
    Begin, Matrix, MatrixMut, Output, PIECES, PanelJob, Piece, begin_tile, chunk_rows, multiply_pieces,
    packed_length, store_tile,
};
use crate::{
    Element, InstructionSet, check_length,
    dispatch::Kernel,
    sliding::{Corners, Sliding},
    tile::{accumulate_rows, in_tiles, panel_width, with_vectors},
    vector::Vector,
};
use std::ops::Range;

/// The matrix `[image · position, tap · channel]` of what a kernel sees from its positions, of some channels.
///
/// A row is a few runs of elements that lie one behind the other in the image: a kernel row, or a tap's channels where not all
/// of them are taken or taps are apart. Runs begin at the same distance from the first tap's pixel for every position.
#[derive(Clone, Copy)]
pub(crate) struct Windows<'a, E> {
    sliding: &'a Sliding,
    images: &'a [E],
    count: usize,
    /// The first row's position in its image.
    first_position: usize,
    rows: usize,
    first_channel: usize,
    channels: usize,
}

/// Elements of a window that lie one behind the other.
#[derive(Clone, Copy)]
struct Run {
    /// From the first tap's pixel.
    offset: usize,
    length: usize,
}

impl<'a, E: Element> Windows<'a, E> {
    /// # Panics
    /// When there are not these channels, or parts of images.
    pub(crate) fn new(sliding: &'a Sliding, images: &'a [E], channels: Range<usize>) -> Self {
        let count = images.len() / sliding.input_length();
        check_length!(images, [count, sliding.input_length()]);
        assert!(
            channels.start < channels.end && channels.end <= sliding.size().channels,
            "channels {channels:?} of {}",
            sliding.size().channels
        );
        let rows = count * sliding.positions();
        let (first_channel, channels) = (channels.start, channels.len());
        Self { sliding, images, count, first_position: 0, rows, first_channel, channels }
    }

    /// Some rows of those of one image.
    ///
    /// # Panics
    /// When there are not these rows, or more images.
    pub(crate) fn part(self, positions: Range<usize>) -> Self {
        let is_whole = self.count == 1 && self.rows == self.sliding.positions();
        assert!(is_whole && positions.end <= self.rows, "{positions:?} of {} rows", self.rows);
        Self { first_position: positions.start, rows: positions.len(), ..self }
    }

    fn columns(&self) -> usize {
        self.sliding.taps() * self.channels
    }

    /// Whether a kernel row is one run.
    fn is_joined(&self) -> bool {
        let size = self.sliding.size();
        self.channels == size.channels && size.dilation == 1
    }

    fn runs(&self) -> usize {
        if self.is_joined() { self.sliding.size().kernel_height } else { self.sliding.taps() }
    }

    fn run(&self, index: usize) -> Run {
        if self.is_joined() {
            let width = self.sliding.size().kernel_width;
            Run { offset: self.sliding.tap(index * width), length: width * self.channels }
        } else {
            Run { offset: self.sliding.tap(index) + self.first_channel, length: self.channels }
        }
    }
}

/// C `[image · position, columns]` = `windows` · B + `bias` in every row, with B `[tap · channel, columns]` packed by
/// [`pack`](super::pack).
///
/// The chains of multiply-adds are those of [`multiply_with_bias`](super::multiply_with_bias).
///
/// # Panics
/// When a length does not fit the shapes.
pub(crate) fn multiply_windows<E: Element>(
    set: InstructionSet,
    windows: Windows<E>,
    packed: &[E],
    bias: &[E],
    c: MatrixMut<E>,
) {
    check_length!(packed, [packed_length::<E>(set, windows.columns(), bias.len())]);
    assert_eq!([c.rows, c.columns], [windows.rows, bias.len()], "rows and columns of C");
    E::dispatch(set, MultiplyWindows { windows, packed, bias, c });
}

/// C `[m, tap · channel]` += A`ᵀ` · `windows`, with A `[image · position, m]`.
///
/// Each element of C is one chain of multiply-adds in the order of the positions.
///
/// # Panics
/// When the shapes do not fit, A is transposed, or the windows are a part of an image's.
pub(crate) fn add_products_with_windows<E: Element>(
    set: InstructionSet,
    a: Matrix<E>,
    windows: Windows<E>,
    mut c: MatrixMut<E>,
) {
    assert_eq!([a.rows, c.columns], [windows.rows, windows.columns()], "rows of A and columns of C");
    let (sliding, size) = (windows.sliding, windows.sliding.size());
    assert_eq!(windows.rows, windows.count * sliding.positions(), "all rows of the images");
    let width = sliding.output_width();
    for run in 0..windows.runs() {
        let Run { offset, length } = windows.run(run);
        let (of_run, rest) = c.split_columns(length);
        c = rest;
        // The windows of a row of positions are a matrix whose rows overlap.
        let piece = |row: usize| {
            let first = sliding.corner(row * width) + offset;
            let b = Matrix::strided(&windows.images[first..], [width, length], size.stride * size.channels);
            (a.rows(row * width..(row + 1) * width), b)
        };
        multiply_pieces(set, piece, windows.rows / width, of_run, Output::Accumulate);
    }
}

struct MultiplyWindows<'a, E> {
    windows: Windows<'a, E>,
    packed: &'a [E],
    bias: &'a [E],
    c: MatrixMut<'a, E>,
}

impl<E: Element> Kernel<E> for MultiplyWindows<'_, E> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<V: Vector<Element = E>>(self) {
        let Self { windows, packed, bias, c } = self;
        if c.rows == 0 {
            return;
        }
        let (length, first_position) = (windows.columns(), windows.first_position);
        for column in (0..c.columns).step_by(panel_width::<V>()) {
            let used = panel_width::<V>().min(c.columns - column);
            let vectors = used.div_ceil(V::LANES);
            let (padded, chunk) = (vectors * V::LANES, chunk_rows::<V>(vectors));
            // The panel's next row; the run that it is multiplied with, and how much of that is taken.
            let (mut k, mut run, mut done) = (0, 0, 0);
            let mut begin = Begin::Row(bias.as_ptr().wrapping_add(column));
            while k < length {
                let (mut pieces, mut taken, end) = ([Piece::nothing(); PIECES], 0, length.min(k + chunk));
                while taken < PIECES && k < end {
                    let Run { offset, length: run_length } = windows.run(run);
                    let count = (run_length - done).min(end - k);
                    pieces[taken] = Piece {
                        a: windows.images.as_ptr().wrapping_add(offset + done),
                        a_stride: 0,
                        length: count,
                        panel: packed.as_ptr().wrapping_add(column * length + k * padded),
                        panel_stride: padded,
                    };
                    (taken, k, done) = (taken + 1, k + count, done + count);
                    if done == run_length {
                        (run, done) = (run + 1, 0);
                    }
                }
                let job = PanelJob {
                    pieces: &pieces[..taken],
                    c: c.data.wrapping_add(column),
                    c_stride: c.stride,
                    used,
                    begin,
                };
                let mut corners = windows.sliding.corners_of(first_position..first_position + windows.rows);
                // SAFETY: the entry point has checked B, the bias and C; every run of every position lies within the images.
                unsafe { with_vectors!(vectors, windows_panel::<V>(c.rows, &job, &mut corners)) }
                begin = Begin::C;
            }
        }
    }
}

/// # Safety
/// The job's pointers have the lengths of its shapes behind them, for `rows` rows, of which row r of A is its pieces behind
/// the r-th corner.
#[inline(always)]
unsafe fn windows_panel<V: Vector, const VECTORS: usize>(
    rows: usize,
    job: &PanelJob<V::Element>,
    corners: &mut Corners,
) {
    // SAFETY: the caller's promise.
    unsafe { in_tiles!(rows, VECTORS, windows_tile::<V>(job, corners)) }
}

/// # Safety
/// As [`windows_panel`], for the rows `first..first + ROWS`, whose corners come next.
#[inline(always)]
unsafe fn windows_tile<V: Vector, const ROWS: usize, const VECTORS: usize>(
    first: usize,
    job: &PanelJob<V::Element>,
    corners: &mut Corners,
) {
    // SAFETY: the caller's promise.
    unsafe {
        let mut sums = begin_tile::<V, ROWS, VECTORS>(first, job);
        let mut starts = [0; ROWS];
        for start in &mut starts {
            *start = corners.next().unwrap_or_default();
        }
        for piece in job.pieces {
            let mut rows = [piece.a; ROWS];
            for (row, start) in rows.iter_mut().zip(starts) {
                *row = piece.a.add(start);
            }
            accumulate_rows(&mut sums, &rows, piece.length, piece.panel, piece.panel_stride);
        }
        store_tile(&sums, first, job);
    }
}
