//! Image files to digits as MNIST's were made.
//!
//! A [`Picture`] is read from the bytes of an image file; [`digit()`] finds the digit in it, dark on light or light on
//! dark, and draws it as the makers of MNIST drew theirs: fitted into 20×20 pixels with its shape kept, its centre of
//! mass in the middle of 28×28, white on black (LeCun, Bottou, Bengio and Haffner, "Gradient-Based Learning Applied to
//! Document Recognition", 1998).
//!
//! ```
//! // Portable grey map of 9×9 pixels: a dark stroke on light paper.
//! let mut file = b"P5 9 9 255\n".to_vec();
//! file.extend((0..81).map(|index| if index % 9 == 4 && (9..72).contains(&index) { 20 } else { 230 }));
//! let digit = digits::digit(&digits::Picture::decode(&file)?)?;
//! assert_eq!(digit.pixels.iter().max(), Some(&255));
//! assert_eq!(digit.pixels[0], 0);
//! # Ok::<(), digits::PictureError>(())
//! ```

mod components;
mod digit;
mod doubt;
mod drawing;
mod edges;
mod error;
mod figures;
mod file;
mod groups;
mod opening;
mod orientation;
mod picture;
mod relief;
mod sheets;
mod steps;
mod strokes;
mod threshold;
mod view;

pub use digit::{Bounds, Digit, digit, digits};
pub use doubt::Doubt;
pub use drawing::{BOX, SIDE};
pub use error::PictureError;
pub use picture::{MAXIMUM_SIDE, Picture};
pub use steps::{Prepared, Step, Steps, prepare};
