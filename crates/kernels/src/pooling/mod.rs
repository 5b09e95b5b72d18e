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
