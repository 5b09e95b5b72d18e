//! Where a kernel's taps lie on an image as it slides over it, and borders of zeros for it to slide on.

use crate::{Element, check_length, length};
use std::ops::Range;

/// The sizes that determine a [`Sliding`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// Rows of the input, padding included.
    pub height: usize,
    /// Columns of the input, padding included.
    pub width: usize,
    /// Channels of the input.
    pub channels: usize,
    /// Rows of the kernel.
    pub kernel_height: usize,
    /// Columns of the kernel.
    pub kernel_width: usize,
    /// Rows and columns from one position to the next.
    pub stride: usize,
    /// Rows and columns from one tap to the next.
    pub dilation: usize,
}

/// A kernel's positions on an image `[row, column, channel]`, checked: the tap (i, j) of the position (y, x) reads row
/// `y · stride + i · dilation` and column `x · stride + j · dilation`. Positions and taps are numbered row by row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sliding {
    size: Size,
    output_height: usize,
    output_width: usize,
}

impl Sliding {
    /// Works out the positions.
    ///
    /// # Panics
    /// When a size is zero, the taps reach beyond the image, or an image has more than 2³² elements.
    pub fn new(size: Size) -> Self {
        let Size { height, width, channels, kernel_height, kernel_width, stride, dilation } = size;
        assert!(channels > 0 && stride > 0 && dilation > 0, "a size of zero: {size:?}");
        assert!(kernel_height > 0 && kernel_width > 0, "a kernel without taps: {size:?}");
        check_image(height, width, channels);
        let positions = |length: usize, taps: usize| {
            let span = (taps - 1).checked_mul(dilation).and_then(|before| before.checked_add(1));
            let room = span.and_then(|span| length.checked_sub(span));
            room.map(|room| room / stride + 1)
        };
        let (Some(output_height), Some(output_width)) =
            (positions(height, kernel_height), positions(width, kernel_width))
        else {
            panic!("the kernel reaches beyond the image: {size:?}");
        };
        // Beyond the image it is all the same how far; what is multiplied by them is then no longer than the image.
        let far = height.max(width);
        let size = Size { stride: stride.min(far), dilation: dilation.min(far), ..size };
        Self { size, output_height, output_width }
    }

    /// The sizes given; what was beyond the image's longer side is that.
    pub fn size(&self) -> &Size {
        &self.size
    }

    /// Rows of positions.
    pub fn output_height(&self) -> usize {
        self.output_height
    }

    /// Columns of positions.
    pub fn output_width(&self) -> usize {
        self.output_width
    }

    /// Positions of the kernel.
    pub fn positions(&self) -> usize {
        self.output_height * self.output_width
    }

    /// Taps of the kernel.
    pub fn taps(&self) -> usize {
        self.size.kernel_height * self.size.kernel_width
    }

    /// Elements of one input image.
    pub fn input_length(&self) -> usize {
        self.size.height * self.size.width * self.size.channels
    }

    /// Elements of one image's output where each channel has its own.
    pub fn output_length(&self) -> usize {
        self.positions() * self.size.channels
    }

    /// Elements from one row of the image to the next.
    pub(crate) fn row_stride(&self) -> usize {
        self.size.width * self.size.channels
    }

    /// Where the first tap's pixel lies, among as many images as there are; positions of one image follow those of the other.
    #[inline(always)]
    pub(crate) fn corner(&self, position: usize) -> usize {
        let (row, column) = (position / self.output_width, position % self.output_width);
        let (image, row) = (row / self.output_height, row % self.output_height);
        image * self.input_length()
            + row * self.size.stride * self.row_stride()
            + column * self.size.stride * self.size.channels
    }

    /// [`Self::corner`] of every position of `images`, one after the other.
    #[inline(always)]
    pub(crate) fn corners(&self, images: usize) -> Corners<'_> {
        self.corners_of(0..images * self.positions())
    }

    /// The same of some positions, the first of which is the first image's.
    #[inline(always)]
    pub(crate) fn corners_of(&self, positions: Range<usize>) -> Corners<'_> {
        let (row, column) = (positions.start / self.output_width, positions.start % self.output_width);
        let row_corner = row * self.size.stride * self.row_stride();
        Corners { sliding: self, left: positions.len(), row, column, row_corner, image_corner: 0 }
    }

    /// [`Self::tap`] of every tap, one after the other.
    #[inline(always)]
    pub(crate) fn tap_offsets(&self) -> Taps {
        let Size { channels, kernel_height, kernel_width, dilation, .. } = self.size;
        Taps {
            left: kernel_height * kernel_width,
            width: kernel_width,
            column: 0,
            offset: 0,
            step: dilation * channels,
            row_step: dilation * self.row_stride(),
        }
    }

    /// Elements from the first tap's pixel to this one's.
    #[inline(always)]
    pub(crate) fn tap(&self, tap: usize) -> usize {
        let (row, column) = (tap / self.size.kernel_width, tap % self.size.kernel_width);
        row * self.size.dilation * self.row_stride() + column * self.size.dilation * self.size.channels
    }
}

/// Counted on: a division a position would take longer than a window.
pub(crate) struct Corners<'a> {
    sliding: &'a Sliding,
    left: usize,
    row: usize,
    column: usize,
    row_corner: usize,
    image_corner: usize,
}

impl Iterator for Corners<'_> {
    type Item = usize;

    #[inline(always)]
    fn next(&mut self) -> Option<usize> {
        self.left = self.left.checked_sub(1)?;
        let Size { channels, stride, .. } = self.sliding.size;
        if self.column == self.sliding.output_width {
            (self.column, self.row) = (0, self.row + 1);
            self.row_corner += stride * self.sliding.row_stride();
            if self.row == self.sliding.output_height {
                self.row = 0;
                self.image_corner += self.sliding.input_length();
                self.row_corner = self.image_corner;
            }
        }
        let corner = self.row_corner + self.column * stride * channels;
        self.column += 1;
        Some(corner)
    }
}

/// As [`Corners`] for a window's taps.
pub(crate) struct Taps {
    left: usize,
    width: usize,
    column: usize,
    offset: usize,
    step: usize,
    row_step: usize,
}

impl Iterator for Taps {
    type Item = usize;

    #[inline(always)]
    fn next(&mut self) -> Option<usize> {
        self.left = self.left.checked_sub(1)?;
        let offset = self.offset;
        self.column += 1;
        self.offset += self.step;
        if self.column == self.width {
            self.column = 0;
            self.offset += self.row_step - self.width * self.step;
        }
        Some(offset)
    }
}

/// Asserts that offsets within an image fit 32 bits, and differences of its rows and columns fit an `isize`.
#[track_caller]
pub(crate) fn check_image(height: usize, width: usize, channels: usize) {
    let elements = length::product(&[height, width, channels]);
    assert!(
        u32::try_from(elements).is_ok() && isize::try_from(elements).is_ok(),
        "an image of more than 2^32 elements: {height}×{width}×{channels}"
    );
}

/// Rows and columns of zeros around an image.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Border {
    /// Rows above.
    pub top: usize,
    /// Rows below.
    pub bottom: usize,
    /// Columns before.
    pub left: usize,
    /// Columns behind.
    pub right: usize,
}

/// The images' sizes without and with their border, and where their first row lies in it.
struct Bordered {
    row: usize,
    inner: usize,
    outer_row: usize,
    outer: usize,
    first: usize,
}

impl Border {
    fn around(&self, [height, width, channels]: [usize; 3]) -> Bordered {
        let outer_row = length::product(&[length::sum(&[self.left, width, self.right]), channels]);
        Bordered {
            row: length::product(&[width, channels]),
            inner: length::product(&[height, width, channels]),
            outer_row,
            outer: length::product(&[length::sum(&[self.top, height, self.bottom]), outer_row]),
            first: self.top * outer_row + self.left * channels,
        }
    }

    /// Images `[height, width, channels]`, as many as `input` holds, with the border around each; overwrites `output`.
    ///
    /// # Panics
    /// When a size is zero or a length does not fit.
    pub fn pad<E: Element>(&self, image: [usize; 3], input: &[E], output: &mut [E]) {
        let Bordered { row, inner, outer_row, outer, first } = self.around(image);
        assert!(inner > 0, "an image without pixels: {image:?}");
        let images = input.len() / inner;
        check_length!(input, [images, inner]);
        check_length!(output, [images, outer]);
        for (input, output) in input.chunks_exact(inner).zip(output.chunks_exact_mut(outer)) {
            let mut done = 0;
            for (index, pixels) in input.chunks_exact(row).enumerate() {
                let start = first + index * outer_row;
                output[done..start].fill(E::ZERO);
                output[start..start + row].copy_from_slice(pixels);
                done = start + row;
            }
            output[done..].fill(E::ZERO);
        }
    }

    /// What the border surrounds: the images that [`Self::pad`] has made `input` from; overwrites `output`.
    ///
    /// # Panics
    /// When a size is zero or a length does not fit.
    pub fn crop<E: Element>(&self, image: [usize; 3], input: &[E], output: &mut [E]) {
        let Bordered { row, inner, outer_row, outer, first } = self.around(image);
        assert!(inner > 0, "an image without pixels: {image:?}");
        let images = output.len() / inner;
        check_length!(input, [images, outer]);
        check_length!(output, [images, inner]);
        for (input, output) in input.chunks_exact(outer).zip(output.chunks_exact_mut(inner)) {
            for (index, pixels) in output.chunks_exact_mut(row).enumerate() {
                pixels.copy_from_slice(&input[first + index * outer_row..][..row]);
            }
        }
    }
}
