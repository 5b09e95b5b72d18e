//! Pooling by itself: the largest value or the mean of each window, channel by channel.
//!
//! Layouts: images `[image, row, column, channel]`, outputs like images, a window's taps numbered row by row. Windows
//! may overlap and may be as large as the image, which is global pooling; a sequence `[step, feature]` is an image of one
//! column. Channels are the lanes of a vector.
//!
//! The largest is the first of equal ones, and NaN where any tap is (the first of these): its gradient goes to that tap.
//! A mean is whatever the sum of its window gives, divided.

mod average;
mod maximum;
mod reference;

pub use average::{average, average_backward};
pub use maximum::{maximum, maximum_backward};
pub use reference::{
    average_backward_reference, average_reference, maximum_backward_reference, maximum_reference,
};

use crate::{Element, sliding::Sliding};

/// How a gradient of the input is written.
#[derive(Clone, Copy)]
enum Writing {
    /// Added to what other windows have written, from zero.
    Added,
    /// No pixel has two windows.
    Once,
}

impl Writing {
    /// Prepares `d_input` for it: zeros where no window writes, or one adds.
    fn prepare<E: Element>(windows: &Sliding, d_input: &mut [E]) -> Self {
        let size = windows.size();
        let sides = [
            (size.kernel_height, windows.output_height(), size.height),
            (size.kernel_width, windows.output_width(), size.width),
        ];
        let is_apart = sides
            .iter()
            .all(|(taps, positions, _)| *positions == 1 || size.dilation == 1 && size.stride >= *taps);
        let covers = sides.iter().all(|(taps, positions, length)| taps * positions == *length);
        if !(is_apart && covers) {
            d_input.fill(E::ZERO);
        }
        if is_apart { Self::Once } else { Self::Added }
    }
}
