//! Two-dimensional convolution with ReLU and max-pooling in one pass, forward and backward.
//!
//! Layouts: images `[image, row, column, channel]`, weights `[filter, kernel row, kernel column, channel]`, outputs
//! `[image, pooled row, pooled column, filter]`. A *window* is the rectangle of convolution outputs that one pooled
//! output reads, 1×1 without pooling; its positions are numbered row by row.
//!
//! Forward, for one window and filter: `output = max over positions of relu(bias + Σ weights · patch)`, and one byte
//! `winner` that says which position it came from, or [`Geometry::positions`] when the ReLU was off. The activation
//! before pooling is never stored, and positions that no window reads are never computed. Backward needs nothing but
//! the winners: every other position's gradient is an exact zero and is skipped.
//!
//! ReLU and pooling route gradients as Keras and PyTorch do: to the first of equal maxima, and nowhere from a zero.

mod backward;
mod best;
mod forward;
mod input;
mod lit_windows;
mod patches;
mod reference;
mod weights;
mod winograd;

pub mod general;

pub use backward::{Derivatives, Weights, backward};
pub use forward::{forward, infer, pack_weights, packed_weights_length, workspace_length};
pub use input::backward_input;
pub use reference::{backward_reference, forward_reference};
pub use weights::backward_weights;

use crate::{Element, length, sliding::check_image};

/// What follows the sums of a convolution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activation {
    /// Nothing.
    Linear,
    /// max(x, 0).
    Relu,
}

/// The sizes of a convolution, checked and with the offsets of its positions worked out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Geometry {
    size: Size,
    /// Rows above and below, and columns to the left and to the right, that are zeros and lie in no memory.
    border: [usize; 2],
    output_height: usize,
    output_width: usize,
    /// Where the patch of each window's each position begins within an image: `[window · positions + position]`.
    offsets: Vec<u32>,
}

/// The sizes that determine a [`Geometry`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// Rows of the input, padding included.
    pub height: usize,
    /// Columns of the input, padding included.
    pub width: usize,
    /// Channels of the input.
    pub channels: usize,
    /// Channels of the output.
    pub filters: usize,
    /// Rows of the kernel.
    pub kernel_height: usize,
    /// Columns of the kernel.
    pub kernel_width: usize,
    /// Rows and columns between neighbouring patches.
    pub stride: usize,
    /// Rows of a pooling window, 1 without pooling; windows do not overlap.
    pub pool_height: usize,
    /// Columns of a pooling window.
    pub pool_width: usize,
    /// What follows the sums.
    pub activation: Activation,
}

impl Geometry {
    /// Works out the positions.
    ///
    /// # Panics
    /// When a size is zero, the kernel is larger than the image, no window fits, a window has more than 254
    /// positions, an image has 2³² elements or more, or its outputs or the weights are more than a machine can address.
    pub fn new(size: Size) -> Self {
        let Size { height, width, channels, filters, kernel_height, kernel_width, stride, .. } = size;
        let positions = length::product(&[size.pool_height, size.pool_width]);
        assert!(channels > 0 && filters > 0 && stride > 0, "a size of zero: {size:?}");
        assert!((1..=254).contains(&positions), "a window of {positions} positions: 1 to 254 expected");
        assert!((1..=height).contains(&kernel_height), "kernel of {kernel_height} rows on {height}");
        assert!((1..=width).contains(&kernel_width), "kernel of {kernel_width} columns on {width}");
        check_image(height, width, channels);
        let output_height = ((height - kernel_height) / stride + 1) / size.pool_height;
        let output_width = ((width - kernel_width) / stride + 1) / size.pool_width;
        assert!(output_height > 0 && output_width > 0, "no pooling window fits: {size:?}");
        // Those of an image's outputs and of all weights, which no slice has shown to exist yet.
        length::product(&[output_height, output_width, filters]);
        length::product(&[filters, kernel_height, kernel_width, channels]);
        // Beyond the image it is all the same how far.
        let size = Size { stride: stride.min(height.max(width)), ..size };
        let mut offsets = Vec::with_capacity(output_height * output_width * positions);
        for window in 0..output_height * output_width {
            let (window_y, window_x) = (window / output_width, window % output_width);
            for position in 0..positions {
                let y = (window_y * size.pool_height + position / size.pool_width) * stride;
                let x = (window_x * size.pool_width + position % size.pool_width) * stride;
                offsets.push(((y * width + x) * channels) as u32);
            }
        }
        Self { size, border: [0, 0], output_height, output_width, offsets }
    }

    /// The same convolution of images without their outermost rows above and below and columns to the left and to the right,
    /// `border` of them, which are zeros; none where the zeros have to be in memory. The sizes still count them.
    ///
    /// # Panics
    /// When the border leaves nothing of the image.
    pub fn without_border(self, border: [usize; 2]) -> Option<Self> {
        winograd::applies_backward(&self).then(|| self.bordered(border))
    }

    /// As [`Self::without_border`], where no [`backward`] follows, which needs zeros in memory where the forward pass does not.
    ///
    /// # Panics
    /// As there.
    pub fn without_border_to_infer(self, border: [usize; 2]) -> Option<Self> {
        // The one tile of an image without a border is summed directly.
        let is_direct = self.positions() > 1 && winograd::has_one_tile(&self);
        (winograd::applies(&self) && !is_direct).then(|| self.bordered(border))
    }

    fn bordered(self, border: [usize; 2]) -> Self {
        let [rows, columns] = border.map(|lines| length::product(&[2, lines]));
        assert!(
            rows < self.size.height && columns < self.size.width,
            "a border of {border:?}: {:?}",
            self.size
        );
        Self { border, ..self }
    }

    /// The sizes given; a stride beyond the image's longer side is that.
    pub fn size(&self) -> &Size {
        &self.size
    }

    /// Rows of the pooled output.
    pub fn output_height(&self) -> usize {
        self.output_height
    }

    /// Columns of the pooled output.
    pub fn output_width(&self) -> usize {
        self.output_width
    }

    /// Elements of one input image, without a border that is left out.
    pub fn input_length(&self) -> usize {
        (self.size.height - 2 * self.border[0]) * self.row_stride()
    }

    /// Elements of one image's output.
    pub fn output_length(&self) -> usize {
        self.windows() * self.size.filters
    }

    /// Weights of one filter.
    pub fn filter_length(&self) -> usize {
        self.size.kernel_height * self.run_length()
    }

    /// Windows of an image.
    pub fn windows(&self) -> usize {
        self.output_height * self.output_width
    }

    /// Positions of a window; as a winner, it means that the ReLU was off at every one.
    pub fn positions(&self) -> usize {
        self.size.pool_height * self.size.pool_width
    }

    /// Multiplications and additions of one image's forward pass.
    pub fn forward_flops(&self) -> u64 {
        length::operations(&[2, self.output_length(), self.positions(), self.filter_length()])
    }

    /// Whether this way costs less than [`general`] products of patches: behind a pool, whose losers have no gradient; where
    /// minimal filtering serves; and in a first layer of 3×3 kernels, whose weights' gradient has filters as lanes.
    ///
    /// Measured for the last with AVX-512, the weights' gradient in microseconds an image: 28×28×1 → 32 filters this way 7 to 12, → 24 and 40
    /// the general way 20 and 35.
    pub fn has_short_cut(&self) -> bool {
        const WIDEST: usize = 16;
        let whole_vectors = self.size.filters.is_multiple_of(WIDEST);
        let few_channels = self.run_length() < WIDEST && self.filter_length().is_multiple_of(9);
        self.positions() > 1 || winograd::applies(self) || few_channels && whole_vectors
    }

    /// What reads patches where they lie needs all of them in memory.
    fn check_no_border(&self) {
        assert!(self.border == [0, 0], "images with their border expected: {self:?}");
    }

    /// Elements of a patch that are contiguous in the image: one kernel row.
    fn run_length(&self) -> usize {
        self.size.kernel_width * self.size.channels
    }

    /// Elements from one kernel row to the next in the image.
    fn row_stride(&self) -> usize {
        (self.size.width - 2 * self.border[1]) * self.size.channels
    }
}

/// What a backward pass reads: the gradient of the pooled output and where it goes.
#[derive(Debug, Clone, Copy)]
pub struct OutputGradient<'a, E> {
    /// Derivative of the loss with respect to the output, `[image, window, filter]`.
    pub gradient: &'a [E],
    /// The winners of the forward pass, of the same shape; without pool and ReLU they are all the only position.
    pub winners: &'a [u8],
}

impl<E: Element> OutputGradient<'_, E> {
    fn check(&self, geometry: &Geometry) -> usize {
        let images = self.gradient.len() / geometry.output_length();
        crate::check_length!(self.gradient, [images, geometry.output_length()]);
        crate::check_length!(self.winners, [self.gradient.len()]);
        images
    }
}
