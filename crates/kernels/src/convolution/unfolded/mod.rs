//! Convolution with any stride, any spacing of its taps and any number of groups, by unfolding.
//!
//! Layouts: images `[image, row, column, channel]`, weights `[filter, kernel row, kernel column, channel of its group]`,
//! outputs `[image, row, column, filter]`. Filters and channels are divided into groups of equal size, one after the
//! other; a filter sees its own group's channels only.
//!
//! `output[y, x, f] = bias[f] + Σ over taps and channels of weight[f, i, j, c] · input[y·s + i·d, x·s + j·d, c]`.
//!
//! The patches of a block of positions are copied side by side, `[position, tap, channel]`, one group at a time; what
//! follows are the products of [`crate::matmul`]: `patches · weightsᵀ` forward, `d_outputᵀ · patches` for the weights,
//! `d_output · weights` for the patches' gradient, which is then added to where the patches came from. Sums run in the
//! order of the patch (outputs), of the positions (weights), and of filters, then positions (input).
//!
//! Where there are few channels nothing is unfolded but for the gradient of the input: see `across.rs`.
//!
//! What is not finite spreads by the arithmetic alone: zero times infinity is NaN, also where the zero is padding.

mod across;
mod patches;
mod reference;

pub use reference::{backward_reference, forward_reference};

use super::Derivatives;
use crate::{
    Element, InstructionSet,
    activation::add_column_sums,
    check_length, length,
    matmul::{Matrix, MatrixMut, Output, multiply_packed_rows, multiply_rows, pack, packed_length},
    sliding::Sliding,
};
use patches::{fold, unfold};
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

/// Bytes of the patches of a block: a fraction of the second-level cache, which the images and the weights share.
const BLOCK_BYTES: usize = 192 << 10;

/// Positions of a block at least, however long a patch is: they are the length of the weight gradient's sums, which are
/// read and written once a block.
const FEWEST_POSITIONS: usize = 48;

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

    /// Positions that are unfolded at a time, of any number of images.
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
    match across::applies(geometry) {
        true => patches.max(across::workspace_length(geometry)),
        false => patches,
    }
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

/// The sums of as many images as `input` holds; overwrites `output`. The workspace may be longer than it must be.
///
/// # Panics
/// When a length does not fit the geometry.
pub fn forward<E: Element>(
    set: InstructionSet,
    geometry: &Geometry,
    input: &[E],
    packed_weights: &[E],
    bias: &[E],
    output: &mut [E],
    workspace: &mut [E],
) {
    let (filters, length) = (geometry.filters, geometry.filter_length());
    let images = input.len() / geometry.input_length();
    check_length!(input, [images, geometry.input_length()]);
    check_length!(packed_weights, [packed_weights_length::<E>(set, geometry)]);
    check_length!(bias, [filters]);
    check_length!(output, [images, geometry.output_length()]);
    check_workspace(geometry, images, workspace);
    if across::applies(geometry) {
        return across::Pass { set, geometry, input, workspace }.forward(packed_weights, bias, output);
    }
    for positions in geometry.blocks::<E>(images) {
        let count = positions.len();
        let sums = &mut output[positions.start * filters..positions.end * filters];
        sums.chunks_exact_mut(filters).for_each(|sums| sums.copy_from_slice(bias));
        for group in 0..geometry.groups {
            let patches = &mut workspace[..count * length];
            unfold(set, geometry, input, positions.clone(), group, patches);
            let panel = packed_weights.len() / geometry.groups;
            let sums = geometry.filters_of(MatrixMut::new(sums, count, filters), group);
            let packed = &packed_weights[group * panel..][..panel];
            let patches = Matrix::new(patches, count, length);
            multiply_packed_rows(set, patches, packed, 0..length, sums, Output::Accumulate);
        }
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
    let Derivatives { weights: d_weights, bias: mut d_bias, input: mut d_input, into_input } = derivatives;
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
    let is_across = across::applies(geometry);
    if is_across {
        across::Pass { set, geometry, input, workspace }.backward_weights(d_output, d_weights);
    }
    // Images whose derivatives have been begun with zeros: one at a time, just before they are added to.
    let mut begun = 0;
    let group_length = geometry.group_filters() * length;
    for positions in geometry.blocks::<E>(images) {
        let count = positions.len();
        let d_sums = &d_output[positions.start * filters..positions.end * filters];
        if let Some(d_bias) = &mut d_bias {
            add_column_sums(d_sums, d_bias);
        }
        let d_sums = Matrix::new(d_sums, count, filters);
        if let Some(d_input) = &mut d_input {
            let reached = positions.end.div_ceil(geometry.sliding.positions());
            if into_input == Output::Overwrite {
                d_input[begun * geometry.input_length()..reached * geometry.input_length()].fill(E::ZERO);
            }
            begun = reached;
        }
        let patches = &mut workspace[..count * length];
        for group in 0..geometry.groups {
            let d_sums = d_sums.columns(group * geometry.group_filters(), geometry.group_filters());
            let of_group = group * group_length..(group + 1) * group_length;
            if !is_across {
                unfold(set, geometry, input, positions.clone(), group, patches);
                let d_weights =
                    MatrixMut::new(&mut d_weights[of_group.clone()], geometry.group_filters(), length);
                let right = Matrix::new(patches, count, length);
                multiply_rows(set, d_sums.transposed(), right, d_weights, Output::Accumulate);
            }
            if let Some(d_input) = &mut d_input {
                let weights = Matrix::new(&weights[of_group], geometry.group_filters(), length);
                let d_patches = MatrixMut::new(patches, count, length);
                multiply_rows(set, d_sums, weights, d_patches, Output::Overwrite);
                fold(set, geometry, patches, positions.clone(), group, d_input);
            }
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
