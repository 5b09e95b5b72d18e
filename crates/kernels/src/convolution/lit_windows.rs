//! The windows that see more than an image's dark margins.

use super::{Geometry, Size};
use crate::{lit::Lit, vector::Vector};
use std::ops::Range;

/// Images whose lit windows are worked off together.
pub(super) const LIT_IMAGES: usize = 16;

/// The windows of an image that see something else than zeros, in a rectangle.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct LitWindows {
    pub(super) rows: Range<usize>,
    pub(super) columns: Range<usize>,
}

impl LitWindows {
    /// # Safety
    /// The vector's instructions exist.
    #[inline(always)]
    pub(super) unsafe fn of<V: Vector>(geometry: &Geometry, image: &[V::Element]) -> Self {
        let Size { channels, kernel_height, kernel_width, stride, pool_height, pool_width, .. } =
            geometry.size;
        // SAFETY: the caller's promise.
        let lit = unsafe { Lit::find::<V>(image, geometry.row_stride()) };
        let columns = lit.columns.start / channels..lit.columns.end.div_ceil(channels);
        Self {
            rows: lit_range(
                lit.rows,
                pool_height * stride,
                (pool_height - 1) * stride + kernel_height,
                geometry.output_height,
            ),
            columns: lit_range(
                columns,
                pool_width * stride,
                (pool_width - 1) * stride + kernel_width,
                geometry.output_width,
            ),
        }
    }

    pub(super) fn count(&self) -> usize {
        self.rows.len() * self.columns.len()
    }
}

/// Of `count` windows that see `length` pixels, each `step` after the one before, those that see one of `pixels`.
fn lit_range(pixels: Range<usize>, step: usize, length: usize, count: usize) -> Range<usize> {
    if pixels.is_empty() {
        return 0..0;
    }
    let first = pixels.start.saturating_add(step).saturating_sub(length) / step;
    first.min(count)..pixels.end.div_ceil(step).min(count)
}

/// Goes through the lit windows of some images.
pub(super) struct Walk<'a> {
    boxes: &'a [LitWindows],
    output_width: usize,
    image: usize,
    first_image: usize,
    row: usize,
    column: usize,
}

impl<'a> Walk<'a> {
    pub(super) fn new(geometry: &Geometry, boxes: &'a [LitWindows], first_image: usize) -> Self {
        let mut walk =
            Self { boxes, output_width: geometry.output_width, image: 0, first_image, row: 0, column: 0 };
        walk.enter_image();
        walk
    }

    /// Goes to the first window of this image, or of the next that has one.
    fn enter_image(&mut self) {
        while self.image < self.boxes.len() && self.boxes[self.image].count() == 0 {
            self.image += 1;
        }
        if let Some(lit) = self.boxes.get(self.image) {
            (self.row, self.column) = (lit.rows.start, lit.columns.start);
        }
    }

    /// Image and window within it.
    ///
    /// # Panics
    /// After the last.
    #[inline(always)]
    pub(super) fn next(&mut self) -> (usize, usize) {
        let lit = &self.boxes[self.image];
        let this = (self.first_image + self.image, self.row * self.output_width + self.column);
        self.column += 1;
        if self.column == lit.columns.end {
            self.column = lit.columns.start;
            self.row += 1;
            if self.row == lit.rows.end {
                self.image += 1;
                self.enter_image();
            }
        }
        this
    }
}
