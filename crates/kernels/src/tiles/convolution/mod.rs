//! A convolution whose products are of bfloat16 numbers, of up to sixteen images at once.
//!
//! Layouts are those of [`general`](crate::convolution::general), of which this computes the same equation with operands rounded to
//! bfloat16: images `[image, row, column, channel]`, weights `[filter, kernel row, kernel column, channel]`. A dense layer of many rows is
//! the convolution with one tap. Of each window of outputs, side by side, the largest alone may be kept.
//!
//! | product | rows of A | summed over | columns of B |
//! |---|---|---|---|
//! | output | images | taps, channels | filters |
//! | gradient of the input | images | taps, filters | channels |
//! | gradient of the weights | filters | positions, images | channels of a tap |
//!
//! What is multiplied is rounded into the workspace, a position's sixteen rows one behind the other, with the border of zeros around the
//! image: so each tap's tile is one block of memory, at a distance that is the same for all positions.
//!
//! All of a group's images may be as large as the second-level cache. So both passes go down the rows of outputs, a few at a time: of what
//! is rounded, only the rows that taps still read are kept, and the gradient of the weights is added to row by row.
//!
//! Infinities are also multiplied by the zeros of the border, and by those of the column that is added to an odd number of columns: the
//! gradient of the weights can be NaN where that of the plain convolution is infinite. So can that of the input, where weights are infinite:
//! they are multiplied by the zeros around the derivatives.

mod layout;
mod rows;

use super::{
    ROWS, Run, Tiles,
    line::{Line, NUMBERS, VALUES, as_lines, as_lines_mut, pairs, row, transpose},
    pass::{Begin, Positions, Runs, Sums, Target, WeightSums},
};
use crate::{
    check_length,
    columns::add_column_sums,
    convolution::{Derivatives, general::Geometry},
    length,
    matmul::Output,
    pooling::{maximum, maximum_backward},
    sliding::{self, Sliding},
};
use layout::{Layout, TILE, WIDTH};
use rows::{Images, LatestRows};
use std::ops::Range;

/// Such a convolution, laid out.
#[derive(Debug)]
pub struct Convolution {
    tiles: Tiles,
    layout: Layout,
    /// A row of windows of the output, if their largest values alone are kept.
    windows: Option<Sliding>,
}

impl Convolution {
    /// Whether there is enough to multiply for tiles: at least half of their sums.
    pub fn is_worthwhile(geometry: &Geometry) -> bool {
        geometry.groups() == 1 && geometry.sliding().size().channels >= NUMBERS / 2
    }

    /// Lays a convolution out for these tiles, of whose output the largest of each `pool` by `pool` values is kept; all are where that is 1.
    ///
    /// # Panics
    /// When the geometry has groups, or is more than a machine can address, or the output has no such window.
    pub fn new(tiles: Tiles, geometry: Geometry, pool: usize) -> Self {
        assert_eq!(geometry.groups(), 1, "groups");
        let (filters, outputs) = (geometry.filters(), geometry.sliding());
        let windows = (pool != 1).then(|| {
            assert!(pool <= outputs.output_height(), "{} rows in windows of {pool}", outputs.output_height());
            Sliding::new(sliding::Size {
                height: pool,
                width: outputs.output_width(),
                channels: filters,
                kernel_height: pool,
                kernel_width: pool,
                stride: pool,
                dilation: 1,
            })
        });
        let mut new = Self { tiles, layout: Layout::sizes(geometry, pool), windows };
        // Before anything is as large.
        length::product(&[new.workspace_length(), size_of::<f32>()]);
        length::product(&[new.packed_weights_length(), size_of::<f32>()]);
        new.layout.find_places();
        new
    }

    /// The sizes.
    pub fn geometry(&self) -> &Geometry {
        &self.layout.geometry
    }

    /// Rows of the output, or of windows.
    fn kept_rows(&self) -> usize {
        self.geometry().sliding().output_height() / self.layout.pool
    }

    /// Values of an image's output, or of its windows.
    pub fn output_length(&self) -> usize {
        match &self.windows {
            Some(windows) => self.kept_rows() * windows.output_length(),
            None => self.geometry().output_length(),
        }
    }

    /// Multiplications and additions of what is kept of an image's output: as in [`crate::convolution::Geometry::forward_flops`], outputs
    /// that no window reads do not count.
    pub fn forward_flops(&self) -> u64 {
        let pool = self.layout.pool;
        length::operations(&[2, self.output_length(), pool * pool, self.geometry().filter_length()])
    }

    /// Windows' taps that [`Self::forward`] notes for [`Self::backward`].
    pub fn winners_length(&self) -> usize {
        if self.windows.is_some() { self.output_length() } else { 0 }
    }

    /// Lines in whose place a row of windows of all images lies.
    fn window_lines(&self) -> usize {
        let of_image = self.windows.as_ref().map_or(0, Sliding::input_length);
        length::product(&[ROWS, of_image]).div_ceil(VALUES)
    }

    /// Values that [`Self::forward`] and [`Self::backward`] need beside their tensors.
    pub fn workspace_length(&self) -> usize {
        let lines = self.layout.image_lines().max(length::sum(&self.layout.backward_lines()));
        length::product(&[length::sum(&[self.window_lines(), lines]), VALUES])
    }

    /// A row of windows of so many images, and the lines.
    fn parts<'a>(&self, images: usize, workspace: &'a mut [f32]) -> (&'a mut [f32], &'a mut [Line]) {
        let (windows, lines) = workspace.split_at_mut(self.window_lines() * VALUES);
        let of_image = self.windows.as_ref().map_or(0, Sliding::input_length);
        (&mut windows[..images * of_image], as_lines_mut(lines))
    }

    /// Values that [`Self::pack_weights`] needs.
    pub fn packed_weights_length(&self) -> usize {
        length::product(&[length::sum(&self.layout.weight_lines()), VALUES])
    }

    /// Rounds the weights and lays them out for both directions; overwrites `packed`.
    ///
    /// # Panics
    /// When a length does not fit, or `packed` does not begin at a cache line, as a [`crate::Buffer`] does.
    pub fn pack_weights(&self, weights: &[f32], packed: &mut [f32]) {
        let (filters, channels) = (self.geometry().filters(), self.layout.channels());
        let (taps, length) = (self.geometry().sliding().taps(), self.geometry().filter_length());
        check_length!(weights, [filters, length]);
        check_length!(packed, [self.packed_weights_length()]);
        let (by_filter, by_channel) = as_lines_mut(packed).split_at_mut(self.layout.weight_lines()[0]);
        let tiles = self.tiles;
        let of_tap = |filter: usize, tap: usize| &weights[filter * length + tap * channels..][..channels];
        tiles.round(
            #[inline(always)]
            || {
                let mut to = by_filter.chunks_exact_mut(TILE);
                for first in (0..filters).step_by(WIDTH) {
                    for (tap, channel) in product(taps, self.layout.channel_blocks()) {
                        let mut rows = [Line::ZERO; TILE];
                        for (line, filter) in rows.iter_mut().zip(first..filters.min(first + WIDTH)) {
                            *line = row(tiles, part(of_tap(filter, tap), channel * NUMBERS, NUMBERS));
                        }
                        transpose(tiles, &rows, to.next().expect("a tile each"));
                    }
                }
                let mut lines = by_channel.iter_mut();
                for first in (0..channels).step_by(WIDTH) {
                    for (tap, filter) in product(taps, self.layout.filter_blocks() * TILE) {
                        let of = |filter: usize| match filter < filters {
                            true => part(of_tap(filter, tap), first, WIDTH),
                            false => &[],
                        };
                        *lines.next().expect("a line each") =
                            pairs(tiles, of(2 * filter), of(2 * filter + 1));
                    }
                }
            },
        );
    }

    fn images(&self, input: &[f32]) -> usize {
        let images = input.len() / self.geometry().input_length();
        check_length!(input, [images, self.geometry().input_length()]);
        assert!(images <= ROWS, "{images} images at once: at most {ROWS} expected");
        images
    }

    /// The sums of up to sixteen images, or the largest of windows and which tap each of them was; overwrites `output` and `winners`.
    ///
    /// # Panics
    /// When a length does not fit, or the packed weights or the workspace do not begin at a cache line.
    pub fn forward(
        &self,
        input: &[f32],
        packed_weights: &[f32],
        bias: &[f32],
        output: &mut [f32],
        winners: &mut [f32],
        workspace: &mut [f32],
    ) {
        let Self { tiles, layout, windows } = self;
        let (images, filters) = (self.images(input), self.geometry().filters());
        check_length!(packed_weights, [self.packed_weights_length()]);
        check_length!(bias, [filters]);
        check_length!(output, [images, self.output_length()]);
        check_length!(winners, [images, self.winners_length()]);
        let b = &as_lines(packed_weights)[..layout.weight_lines()[0]];
        let (window_row, lines) = self.parts(images, workspace);
        let mut rounded = LatestRows::new(&mut lines[..layout.image_lines()], layout.image_row());
        let input = Images { values: input, images };
        for (index, positions) in layout.outputs.chunks(layout.chunk).enumerate() {
            if index * layout.chunk >= self.kept_rows() * layout.pool {
                break;
            }
            let read = layout.rows_read(index * layout.chunk, positions.len());
            let a = rounded.advance(read, |row, lines| layout.round_image_row(*tiles, input, row, lines));
            let sums = if windows.is_some() { &mut *window_row } else { &mut *output };
            tiles.run(Sums {
                runs: Runs::Same(&layout.taps),
                count: layout.channel_blocks(),
                a,
                a_step: layout.image_step(),
                b,
                positions,
                c_step: filters,
                begin: Begin::Row(bias),
                c: a_position(sums, images, filters),
            });
            if let Some(windows) = windows {
                for (image, sums) in window_row.chunks_exact(windows.input_length()).enumerate() {
                    let kept = self.row_of_windows(image, index);
                    let (output, winners) = (&mut output[kept.clone()], &mut winners[kept]);
                    maximum(tiles.set, windows, sums, output, winners);
                }
            }
        }
    }

    /// Where a row of windows of an image lies in the output.
    fn row_of_windows(&self, image: usize, row: usize) -> Range<usize> {
        let length = self.output_length() / self.kept_rows();
        let first = image * self.output_length() + row * length;
        first..first + length
    }

    /// All derivatives of as many images as `input` holds, from that of the output: that of the weights is overwritten, that of the bias
    /// added to.
    ///
    /// # Panics
    /// As [`Self::forward`].
    pub fn backward(
        &self,
        input: &[f32],
        packed_weights: &[f32],
        d_output: &[f32],
        winners: &[f32],
        derivatives: Derivatives<f32>,
        workspace: &mut [f32],
    ) {
        let Derivatives { weights: d_weights, bias: d_bias, input: d_input, into_input } = derivatives;
        let (images, filters) = (self.images(input), self.geometry().filters());
        check_length!(d_output, [images, self.output_length()]);
        check_length!(winners, [images, self.winners_length()]);
        check_length!(d_weights, [filters, self.geometry().filter_length()]);
        if let Some(d_bias) = d_bias {
            check_length!(d_bias, [filters]);
            add_column_sums(self.tiles.set, d_output, d_bias);
        }
        let of_weights = Some((Images { values: input, images }, d_weights));
        let of_input = d_input.map(|d_input| {
            check_length!(d_input, [input.len()]);
            (d_input, into_input)
        });
        self.sweep(images, packed_weights, [d_output, winners], of_weights, of_input, workspace);
    }

    /// Of [`Self::backward`] the derivative of the input alone, which may lie where the input did, of a convolution without windows.
    ///
    /// # Panics
    /// As [`Self::forward`].
    pub fn differentiate_input(
        &self,
        packed_weights: &[f32],
        d_output: &[f32],
        d_input: &mut [f32],
        into_input: Output,
        workspace: &mut [f32],
    ) {
        let images = self.images(d_input);
        assert!(self.windows.is_none(), "a convolution without windows");
        check_length!(d_output, [images, self.output_length()]);
        self.sweep(images, packed_weights, [d_output, &[]], None, Some((d_input, into_input)), workspace);
    }

    /// Down the rows of outputs: the gradient of the weights from the images, and that of the input, whichever is asked for.
    fn sweep(
        &self,
        images: usize,
        packed_weights: &[f32],
        [d_output, winners]: [&[f32]; 2],
        mut of_weights: Option<(Images, &mut [f32])>,
        mut of_input: Option<(&mut [f32], Output)>,
        workspace: &mut [f32],
    ) {
        let Self { tiles, layout, windows } = self;
        check_length!(packed_weights, [self.packed_weights_length()]);
        let (window_row, lines) = self.parts(images, workspace);
        let [turned, paired, rounded] = layout.backward_lines();
        let (turned, lines) = lines.split_at_mut(turned);
        let (paired, lines) = lines.split_at_mut(paired);
        let mut paired = LatestRows::new(paired, layout.paired_row());
        let mut rounded = LatestRows::new(&mut lines[..rounded], layout.derivative_row());
        let kept_rows = self.kept_rows() * layout.pool;
        for first in (0..layout.rows_of_derivatives()).step_by(layout.chunk) {
            let chunk = first..layout.rows_of_derivatives().min(first + layout.chunk);
            // Behind them are rows without a derivative, which inputs read all the same.
            let kept = first.min(kept_rows)..chunk.end.min(kept_rows);
            let rows = match windows {
                None => Images { values: d_output, images }.behind(first * layout.output_row()),
                Some(windows) => {
                    let all = if kept.is_empty() { &mut [] } else { &mut *window_row };
                    for (image, values) in all.chunks_exact_mut(windows.input_length()).enumerate() {
                        let of_image = self.row_of_windows(image, first / layout.chunk);
                        let (winners, d_output) = (&winners[of_image.clone()], &d_output[of_image]);
                        maximum_backward(tiles.set, windows, winners, d_output, values);
                    }
                    Images { values: window_row, images }
                }
            };
            let of_image = windows.as_ref().map_or(self.geometry().output_length(), Sliding::input_length);
            if let Some((input, d_weights)) = of_weights.as_mut().filter(|_| !kept.is_empty()) {
                layout.turn_rows(*tiles, rows, of_image, kept.len(), turned);
                let read = layout.rows_read(first, kept.len());
                let b = paired.advance(read, |row, lines| layout.pair_image_row(*tiles, *input, row, lines));
                self.add_weight_sums(first == 0, kept.len(), turned, b, d_weights);
            }
            if let Some((d_input, into_input)) = &mut of_input {
                let above = layout.before()[0];
                let a = rounded.advance(first..chunk.end + above, |row, lines| {
                    match row.checked_sub(above).filter(|row| kept.contains(row)) {
                        Some(row) => layout.round_derivative_row(*tiles, rows, of_image, row - first, lines),
                        None => lines.fill(Line::ZERO),
                    }
                });
                tiles.run(Sums {
                    runs: Runs::Named(&layout.readers),
                    count: layout.filter_blocks(),
                    a,
                    a_step: layout.filter_blocks() * TILE,
                    b: &as_lines(packed_weights)[layout.weight_lines()[0]..],
                    positions: layout.inputs_of(chunk),
                    c_step: self.geometry().sliding().size().stride * layout.channels(),
                    begin: match into_input {
                        Output::Overwrite => Begin::Zero,
                        Output::Accumulate => Begin::C,
                    },
                    c: a_position(d_input, images, layout.channels()),
                });
            }
        }
    }

    /// Adds the products of some rows to the gradient of the weights.
    fn add_weight_sums(&self, is_first: bool, rows: usize, a: &[Line], b: &[Line], d_weights: &mut [f32]) {
        let layout = &self.layout;
        let (filters, channels) = (self.geometry().filters(), layout.channels());
        self.tiles.run(WeightSums {
            runs: &layout.rows[..rows],
            count: layout.column_pairs(),
            a,
            a_block: layout.turned_block(),
            b,
            b_block: layout.phased_row(),
            taps: &layout.tap_starts,
            begin: if is_first { Output::Overwrite } else { Output::Accumulate },
            c: Target {
                values: d_weights,
                rows: filters,
                row_stride: self.geometry().filter_length(),
                columns: channels,
                block: [channels, 0],
            },
            tap_step: channels,
        });
    }
}

/// One position of images `[image, position, column]`.
fn a_position(values: &mut [f32], images: usize, columns: usize) -> Target<'_> {
    let row_stride = values.len().checked_div(images).unwrap_or(0);
    Target { values, rows: images, row_stride, columns, block: [columns, 0] }
}

/// So many from `first` on, or what there is of them.
#[inline(always)]
fn part(values: &[f32], first: usize, count: usize) -> &[f32] {
    &values[first..values.len().min(first + count)]
}

/// Each of the first with each of the second.
#[inline(always)]
fn product(first: usize, second: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..first).flat_map(move |one| (0..second).map(move |other| (one, other)))
}
