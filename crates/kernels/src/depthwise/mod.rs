//! Depthwise convolution: one filter a channel, with the ReLU that may follow.
//!
//! Layouts: images `[image, row, column, channel]`, weights `[kernel row, kernel column, channel]`, outputs like images.
//!
//! `output[y, x, c] = activation(bias[c] + Σ over taps of weight[i, j, c] · input[y·s + i·d, x·s + j·d, c])`.
//!
//! Channels are the lanes of a vector, so that images and weights are read as they lie. Every value is one chain of
//! multiply-adds: over the taps (outputs, input gradient, the latter from the last tap to the first of each row) or over
//! images and positions (weights). What is not finite spreads by the arithmetic alone, and stays in its channel.

mod forward;
mod input;
mod reference;
mod weights;

pub use forward::forward;
pub use input::backward_input;
pub use reference::{backward_input_reference, backward_weights_reference, forward_reference};
pub use weights::backward_weights;

use crate::{length, sliding::Sliding, vector::Vector};

/// The sizes of a depthwise convolution, with what reads each row and column of the image worked out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Geometry {
    sliding: Sliding,
    row_readers: Vec<Vec<Reader>>,
    column_readers: Vec<Vec<Reader>>,
}

/// A tap that reads some of the image's rows: those of the number `residue + j · stride`, where it belongs to the row
/// `j + shift` of positions, if there is one. The same of columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Reader {
    tap: usize,
    shift: isize,
}

impl Geometry {
    /// Works the readers out.
    pub fn new(sliding: Sliding) -> Self {
        let size = *sliding.size();
        let readers = |taps: usize| -> Vec<Vec<Reader>> {
            let of = |residue: usize| {
                let before = |tap: usize| residue as isize - (tap * size.dilation) as isize;
                let stride = size.stride as isize;
                let reads = (0..taps).filter(|tap| before(*tap) % stride == 0);
                reads.map(|tap| Reader { tap, shift: before(tap) / stride }).collect()
            };
            (0..size.stride).map(of).collect()
        };
        let (row_readers, column_readers) = (readers(size.kernel_height), readers(size.kernel_width));
        Self { sliding, row_readers, column_readers }
    }

    /// Where the kernel goes.
    pub fn sliding(&self) -> &Sliding {
        &self.sliding
    }

    /// Multiplications and additions of one image's forward pass.
    pub fn forward_flops(&self) -> u64 {
        length::operations(&[2, self.sliding.output_length(), self.sliding.taps()])
    }
}

/// A vector's channels: all of its lanes are, where `WHOLE`, or the first `count`.
#[derive(Clone, Copy)]
struct Lanes<const WHOLE: bool> {
    count: usize,
}

impl<const WHOLE: bool> Lanes<WHOLE> {
    /// # Safety
    /// As many elements are behind the pointer.
    #[inline(always)]
    unsafe fn load<V: Vector>(self, from: *const V::Element) -> V {
        // SAFETY: the caller's promise.
        unsafe { if WHOLE { V::load(from) } else { V::load_first(from, self.count) } }
    }

    /// # Safety
    /// As many elements are behind the pointer.
    #[inline(always)]
    unsafe fn store<V: Vector>(self, value: V, to: *mut V::Element) {
        // SAFETY: the caller's promise.
        unsafe { if WHOLE { value.store(to) } else { value.store_first(to, self.count) } }
    }
}

/// Calls `$body::<V, WHOLE>(channel, lanes, …)` for each vector of channels.
macro_rules! for_channels {
    ($channels:expr, $body:ident::<$vector:ident>($($argument:expr),* $(,)?)) => {{
        let channels: usize = $channels;
        for channel in (0..channels).step_by($vector::LANES) {
            let count = $vector::LANES.min(channels - channel);
            if count == $vector::LANES {
                $body::<$vector, true>(channel, $crate::depthwise::Lanes { count }, $($argument),*);
            } else {
                $body::<$vector, false>(channel, $crate::depthwise::Lanes { count }, $($argument),*);
            }
        }
    }};
}
use for_channels;

/// Covers a range of columns with calls of `$body::<V, COLUMNS, WHOLE>(first, …)`. Eight sums wait for nothing: a
/// multiply-add takes four cycles, at two a cycle.
macro_rules! in_columns {
    ($range:expr, $body:ident::<$vector:ident, $whole:ident>($($argument:expr),* $(,)?)) => {{
        let std::ops::Range { start: mut first, end } = $range;
        while first + 8 <= end {
            $body::<$vector, 8, $whole>(first, $($argument),*);
            first += 8;
        }
        if first + 4 <= end {
            $body::<$vector, 4, $whole>(first, $($argument),*);
            first += 4;
        }
        if first + 2 <= end {
            $body::<$vector, 2, $whole>(first, $($argument),*);
            first += 2;
        }
        if first < end {
            $body::<$vector, 1, $whole>(first, $($argument),*);
        }
    }};
}
use in_columns;
