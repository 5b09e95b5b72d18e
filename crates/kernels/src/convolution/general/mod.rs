//! Convolution with any stride, any spacing of its taps and any number of groups.
//!
//! Layouts: images `[image, row, column, channel]`, weights `[filter, kernel row, kernel column, channel of its group]`,
//! outputs `[image, row, column, filter]`. Filters and channels are divided into groups of equal size, one after the
//! other; a filter sees its own group's channels only.
//!
//! `output[y, x, f] = bias[f] + Σ over taps and channels of weight[f, i, j, c] · input[y·s + i·d, x·s + j·d, c]`.
//!
//! The patches of all positions are a matrix `[position, tap, channel]`, and the passes are products with it: `patches · weightsᵀ`
//! forward, `d_outputᵀ · patches` for the weights, both of which read the patches where they lie in the image, and
//! `d_output · weights` for the patches' gradient, which is made a block of positions at a time and then added to where the patches
//! came from. Sums run in the order of the patch (outputs), of the positions (weights), and of filters, then positions (input).
//!
//! Where there are few channels, lanes are positions: see `across.rs`.
//!
//! What is not finite spreads by the arithmetic alone: zero times infinity is NaN, also where the zero is padding.

mod across;
mod patches;
mod reference;

pub use reference::{backward_reference, forward_reference};

use super::Derivatives;
use crate::{
    Element, InstructionSet, check_length,
    columns::add_column_sums,
    length,
    matmul::{
        Matrix, MatrixMut, Output, Windows, add_products_with_windows, multiply_rows, multiply_windows, pack,
        packed_length,
    },
    parts::{in_chunks, worthwhile_parts},
    sliding::{Border, Sliding},
};
use patches::fold;
use std::ops::Range;

/// The sizes of such a convolution, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Geometry {
    sliding: Sliding,
    /// As [`super::Geometry::without_border`] leaves out.
    border: [usize; 2],
    filters: usize,
    groups: usize,
}

/// Bytes of the patches' gradient of a block: a fraction of the second-level cache, which the images and the weights share.
const BLOCK_BYTES: usize = 32 << 10;

/// Positions of a block at least, however long a patch is: the weights are read once for all of them.
const FEWEST_POSITIONS: usize = 48;

/// Positions that a pass takes at a time at least, in whole images, which lie in the workspace with their border: a panel of weights
/// is read into the first-level cache once for all of them.
const TOGETHER: usize = 192;

impl Geometry {
    /// So many filters, and channels, in so many groups.
    ///
    /// # Panics
    /// When there are no filters or groups, channels or filters are no multiple of the groups, or the outputs of an image or
    /// the weights are more than a machine can address.
    pub fn new(sliding: Sliding, filters: usize, groups: usize) -> Self {
        let channels = sliding.size().channels;
        assert!(filters > 0 && groups > 0, "{filters} filters in {groups} groups");
        assert!(
            channels.is_multiple_of(groups) && filters.is_multiple_of(groups),
            "{channels} channels and {filters} filters in {groups} groups"
        );
        // Those of an image's outputs and of all weights, which no slice has shown to exist yet.
        length::product(&[sliding.positions(), filters]);
        length::product(&[filters, sliding.taps(), channels / groups]);
        Self { sliding, border: [0, 0], filters, groups }
    }

    /// The same convolution of images without their outermost rows above and below and columns to the left and to the right,
    /// `border` of them, which are zeros. The sliding's sizes still count them.
    ///
    /// # Panics
    /// When the border leaves nothing of the image.
    pub fn without_border(self, border: [usize; 2]) -> Self {
        let (size, [rows, columns]) = (self.sliding.size(), border.map(|lines| length::product(&[2, lines])));
        assert!(rows < size.height && columns < size.width, "a border of {border:?}: {size:?}");
        Self { border, ..self }
    }

    /// Elements of one input image, without that border.
    pub fn input_length(&self) -> usize {
        let (size, [rows, columns]) = (self.sliding.size(), self.border);
        (size.height - 2 * rows) * (size.width - 2 * columns) * size.channels
    }

    /// Rows and columns of zeros that the images lack, which the sliding's sizes count.
    pub(crate) fn border(&self) -> [usize; 2] {
        self.border
    }

    /// Where the kernel goes.
    pub fn sliding(&self) -> &Sliding {
        &self.sliding
    }

    /// Channels of the output.
    pub fn filters(&self) -> usize {
        self.filters
    }

    /// Parts that channels and filters are divided into.
    pub fn groups(&self) -> usize {
        self.groups
    }

    /// Elements of one image's output.
    pub fn output_length(&self) -> usize {
        self.sliding.positions() * self.filters
    }

    /// Weights of one filter.
    pub fn filter_length(&self) -> usize {
        self.sliding.taps() * self.group_channels()
    }

    /// Multiplications and additions of one image's forward pass.
    pub fn forward_flops(&self) -> u64 {
        length::operations(&[2, self.output_length(), self.filter_length()])
    }

    fn group_channels(&self) -> usize {
        self.sliding.size().channels / self.groups
    }

    fn group_filters(&self) -> usize {
        self.filters / self.groups
    }

    /// Images that a pass takes at a time.
    fn images_together(&self) -> usize {
        TOGETHER.div_ceil(self.sliding.positions())
    }

    /// The channels of a group.
    fn channels_of(&self, group: usize) -> Range<usize> {
        group * self.group_channels()..(group + 1) * self.group_channels()
    }

    /// The images with their border, made in the workspace where they have none.
    fn bordered<'a, E: Element>(&self, input: &'a [E], workspace: &'a mut [E]) -> &'a [E] {
        let [rows, columns] = self.border;
        if self.border == [0, 0] {
            return input;
        }
        let size = self.sliding.size();
        let image = [size.height - 2 * rows, size.width - 2 * columns, size.channels];
        let bordered = &mut workspace[..input.len() / self.input_length() * self.sliding.input_length()];
        Border { top: rows, bottom: rows, left: columns, right: columns }.pad(image, input, bordered);
        bordered
    }

    /// Positions whose patches' gradient is made at a time, of any number of images.
    fn block_positions<E>(&self) -> usize {
        (BLOCK_BYTES / size_of::<E>() / self.filter_length()).max(FEWEST_POSITIONS)
    }

    /// All positions of so many images in blocks.
    fn blocks<E>(&self, images: usize) -> impl Iterator<Item = Range<usize>> {
        let (all, block) = (images * self.sliding.positions(), self.block_positions::<E>());
        (0..all).step_by(block).map(move |first| first..all.min(first + block))
    }

    /// The columns of `matrix` that belong to a group's filters.
    fn filters_of<'a, E: Element>(&self, matrix: MatrixMut<'a, E>, group: usize) -> MatrixMut<'a, E> {
        let (_, from) = matrix.split_columns(group * self.group_filters());
        from.split_columns(self.group_filters()).0
    }
}

/// Elements that [`pack_weights`] needs.
pub fn packed_weights_length<E: Element>(set: InstructionSet, geometry: &Geometry) -> usize {
    if across::applies(geometry) {
        return across::packed_weights_length(geometry);
    }
    length::product(&[
        geometry.groups,
        packed_length::<E>(set, geometry.filter_length(), geometry.group_filters()),
    ])
}

/// Elements of the workspace of [`forward`] and [`backward`] for at most so many images at once.
pub fn workspace_length<E: Element>(geometry: &Geometry, images: usize) -> usize {
    let all = length::product(&[images, geometry.sliding.positions()]);
    let patches = length::product(&[geometry.block_positions::<E>().min(all), geometry.filter_length()]);
    let beside = match across::applies(geometry) {
        true => across::workspace_length(geometry),
        false if geometry.border == [0, 0] => 0,
        false => length::product(&[geometry.images_together().min(images), geometry.sliding.input_length()]),
    };
    patches.max(beside)
}

/// Lays the weights out for [`forward`]: each group's, transposed, in panels.
///
/// # Panics
/// When a length does not fit the geometry.
pub fn pack_weights<E: Element>(set: InstructionSet, geometry: &Geometry, weights: &[E], packed: &mut [E]) {
    let (filters, length) = (geometry.group_filters(), geometry.filter_length());
    check_length!(packed, [packed_weights_length::<E>(set, geometry)]);
    check_length!(weights, [geometry.filters, length]);
    if across::applies(geometry) {
        return packed.copy_from_slice(weights);
    }
    let groups = packed.chunks_exact_mut(packed.len() / geometry.groups);
    for (weights, packed) in weights.chunks_exact(filters * length).zip(groups) {
        pack(set, Matrix::new(weights, filters, length).transposed(), 0, packed);
    }
}

/// The sums of as many images as `input` holds; overwrites `output`. The workspace may be longer than it must be. Those of a single
/// image are shared by up to `threads` threads of the current pool, where they are worth it and positions are not the lanes; the bits are
/// the same by any number of threads.
///
/// # Panics
/// When a length does not fit the geometry.
#[expect(clippy::too_many_arguments, reason = "the tensors of one equation")]
pub fn forward<E: Element>(
    set: InstructionSet,
    geometry: &Geometry,
    input: &[E],
    packed_weights: &[E],
    bias: &[E],
    output: &mut [E],
    workspace: &mut [E],
    threads: usize,
) {
    let filters = geometry.filters;
    let images = input.len() / geometry.input_length();
    check_length!(input, [images, geometry.input_length()]);
    check_length!(packed_weights, [packed_weights_length::<E>(set, geometry)]);
    check_length!(bias, [filters]);
    check_length!(output, [images, geometry.output_length()]);
    check_workspace(geometry, images, workspace);
    if across::applies(geometry) {
        return across::Pass { set, geometry, input, workspace }.forward(packed_weights, bias, output);
    }
    let positions = geometry.sliding.positions();
    let products = length::operations(&[geometry.output_length(), geometry.filter_length()]);
    let parts = if images == 1 { worthwhile_parts(products, threads).min(positions) } else { 1 };
    if parts > 1 {
        let input = geometry.bordered(input, workspace);
        let of_part = positions.div_ceil(parts);
        return in_chunks(output, of_part * filters, |part, output| {
            let positions = part * of_part..part * of_part + output.len() / filters;
            multiply_groups(set, geometry, input, Some(positions), packed_weights, bias, output);
        });
    }
    let together = geometry.images_together();
    let outputs = output.chunks_mut(together * geometry.output_length());
    for (input, output) in input.chunks(together * geometry.input_length()).zip(outputs) {
        let input = geometry.bordered(input, workspace);
        multiply_groups(set, geometry, input, None, packed_weights, bias, output);
    }
}

/// The sums of all windows of `input`, which has its border, or of some positions of the one image that it is.
fn multiply_groups<E: Element>(
    set: InstructionSet,
    geometry: &Geometry,
    input: &[E],
    positions: Option<Range<usize>>,
    packed_weights: &[E],
    bias: &[E],
    output: &mut [E],
) {
    let groups = packed_weights.chunks_exact(packed_weights.len() / geometry.groups);
    let groups = groups.zip(bias.chunks_exact(geometry.group_filters()));
    for (group, (packed, bias)) in groups.enumerate() {
        let all = Windows::new(&geometry.sliding, input, geometry.channels_of(group));
        let windows = positions.clone().map_or(all, |positions| all.part(positions));
        let sums = MatrixMut::new(output, output.len() / geometry.filters, geometry.filters);
        multiply_windows(set, windows, packed, bias, geometry.filters_of(sums, group));
    }
}

/// All derivatives of as many images as `input` holds, from that of the output. `weights` are unpacked; the workspace may
/// be longer than it must be.
///
/// # Panics
/// When a length does not fit the geometry.
pub fn backward<E: Element>(
    set: InstructionSet,
    geometry: &Geometry,
    input: &[E],
    weights: &[E],
    d_output: &[E],
    derivatives: Derivatives<E>,
    workspace: &mut [E],
) {
    let Derivatives { weights: d_weights, bias: mut d_bias, input: d_input, into_input } = derivatives;
    let (filters, length) = (geometry.filters, geometry.filter_length());
    let images = input.len() / geometry.input_length();
    check_length!(input, [images, geometry.input_length()]);
    check_length!(weights, [filters, length]);
    check_length!(d_output, [images, geometry.output_length()]);
    check_length!(d_weights, [filters, length]);
    check_workspace(geometry, images, workspace);
    if let Some(d_bias) = &d_bias {
        check_length!(d_bias, [filters]);
    }
    if let Some(d_input) = &d_input {
        check_length!(d_input, [input.len()]);
    }
    let group_length = geometry.group_filters() * length;
    if across::applies(geometry) {
        across::Pass { set, geometry, input, workspace }.backward_weights(d_output, d_weights);
    } else {
        let together = geometry.images_together();
        let d_outputs = d_output.chunks(together * geometry.output_length());
        for (input, d_sums) in input.chunks(together * geometry.input_length()).zip(d_outputs) {
            let input = geometry.bordered(input, workspace);
            let d_sums = Matrix::new(d_sums, d_sums.len() / filters, filters);
            for (group, d_weights) in d_weights.chunks_exact_mut(group_length).enumerate() {
                let windows = Windows::new(&geometry.sliding, input, geometry.channels_of(group));
                let d_sums = d_sums.columns(group * geometry.group_filters(), geometry.group_filters());
                let d_weights = MatrixMut::new(d_weights, geometry.group_filters(), length);
                add_products_with_windows(set, d_sums, windows, d_weights);
            }
        }
    }
    if let Some(d_bias) = &mut d_bias {
        add_column_sums(set, d_output, d_bias);
    }
    let Some(d_input) = d_input else { return };
    // Images whose derivatives have been begun with zeros: one at a time, just before they are added to.
    let mut begun = 0;
    for positions in geometry.blocks::<E>(images) {
        let count = positions.len();
        let d_sums =
            Matrix::new(&d_output[positions.start * filters..positions.end * filters], count, filters);
        let reached = positions.end.div_ceil(geometry.sliding.positions());
        if into_input == Output::Overwrite {
            d_input[begun * geometry.input_length()..reached * geometry.input_length()].fill(E::ZERO);
        }
        begun = reached;
        let d_patches = &mut workspace[..count * length];
        for (group, weights) in weights.chunks_exact(group_length).enumerate() {
            let d_sums = d_sums.columns(group * geometry.group_filters(), geometry.group_filters());
            let weights = Matrix::new(weights, geometry.group_filters(), length);
            multiply_rows(set, d_sums, weights, MatrixMut::new(d_patches, count, length), Output::Overwrite);
            fold(set, geometry, d_patches, positions.clone(), group, d_input);
        }
    }
}

fn check_workspace<E: Element>(geometry: &Geometry, images: usize, workspace: &[E]) {
    let least = workspace_length::<E>(geometry, images);
    assert!(
        workspace.len() >= least,
        "workspace: at least {least} elements expected, {} found",
        workspace.len()
    );
}
